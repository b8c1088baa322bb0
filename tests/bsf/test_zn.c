/*
 * bsf/zn.c: keys, USSs and what restricts them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

#include "bsf/zn.h"

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define IMPI        "234150999999999@ims.mnc015.mcc234.3gppnetwork.org"

static const char *const fqdns[] = {"naf1.home1.net"}, *const names[] = {"naf1.home1.net"};
static const char *const bsf_names[] = {"bsf.mnc015.mcc234.pub.3gppnetwork.org"};
static const char *const gsids[] = {"0", "1"}, *const groups[] = {"A"}, *const must[] = {"1"};
static const struct policy_ua_id ids[] = {{{1, 0, 0, 0, 2}, false}};

static struct policy_naf naf;
static struct policy policy;
static struct bsf_session session;
static struct gba_zn_request rq;
static struct zn_query query;
static uint8_t room[ZN_USS_LIST_SIZE];

#define USS(id, extra) "<uss id=\"" id "\" type=\"" id "\"" extra "</uss>"
#define GUSS(usss)     "<guss><bsfInfo/><ussList>" usss "</ussList></guss>"

/* A run with the key material of TS 35.208 set 1. */
static void set_up(const char *xml)
{
    naf = (struct policy_naf){.certificate = "naf1.home1.net",
                              .fqdns = fqdns,
                              .n_fqdns = 1,
                              .ua_ids = ids,
                              .n_ua_ids = 1,
                              .gsids = gsids,
                              .n_gsids = 2,
                              .groups = groups,
                              .n_groups = 1};
    policy = (struct policy){&naf, 1, bsf_names, 1, false};
    memset(&session, 0, sizeof(session));
    memcpy(session.rand, unit_hex("23553cbe9637a89d218ae64dae47bf35").p, 16);
    memcpy(session.ks.octets,
           unit_hex("b40ba9a3c58b2a05bbf0d987b21bf8cbf769bcd751044604127672711c6d3441").p, 32);
    memcpy(session.impi, IMPI, sizeof(IMPI));
    session.created_s = 1000;
    session.expires_s = 2000;
    if (xml != NULL)
        CU_ASSERT_EQUAL_FATAL(gba_guss_parse(gba_text_bytes(gba_text(xml)), &session.guss),
                              GBA_OK);
    memset(&rq, 0, sizeof(rq));
    memcpy(rq.naf_id, "naf1.home1.net\x01\x00\x00\x00\x02", 19);
    rq.naf_id_len = 19;
    query = (struct zn_query){names, 1, &rq};
}

static enum gba_err decide(struct gba_zn_answer *out)
{
    struct gba_wbuf list;

    gba_wbuf_init(&list, room, sizeof(room));
    return zn_decide(&policy, &naf, &query, &session, 1500, out, &list);
}

static void ask_gsids(const char *a, const char *b)
{
    rq.n_gsids = 0;
    if (a != NULL)
        strcpy(rq.gsid[rq.n_gsids++], a);
    if (b != NULL)
        strcpy(rq.gsid[rq.n_gsids++], b);
}

static void test_key(void)
{
    struct gba_zn_answer a;

    set_up(NULL);
    CU_ASSERT_EQUAL(decide(&a), GBA_OK);
    UNIT_BYTES_EQ(a.me_key.octets, 32,
                  "12c5359459e2e03aef62b60885201c2b1f150647d3a92bd3670d23cb50cda0d4");
    CU_ASSERT(!a.has_uicc_key);
    CU_ASSERT_EQUAL(a.expiry_s, 2000);
    CU_ASSERT_EQUAL(a.created_s, 1000);
    CU_ASSERT_EQUAL(a.type, GBA_TYPE_3G);
    CU_ASSERT_STRING_EQUAL(a.impi, "");
    CU_ASSERT_EQUAL(a.uss_list.n, 0);
    naf.may_learn_impi = true;
    CU_ASSERT_EQUAL(decide(&a), GBA_OK);
    CU_ASSERT_STRING_EQUAL(a.impi, IMPI);
    session.expires_s = 1500;
    CU_ASSERT_EQUAL(decide(&a), GBA_E_BTID);
    UNIT_BYTES_EQ(a.me_key.octets, 32,
                  "0000000000000000000000000000000000000000000000000000000000000000");
}

static void test_gba_u_keys(void)
{
    struct gba_zn_answer a;

    set_up(NULL);
    rq.gba_u_aware = true;
    CU_ASSERT_EQUAL(decide(&a), GBA_OK);
    CU_ASSERT(!a.has_uicc_key); /* a GBA_ME run */
    session.gba_u = true;
    CU_ASSERT_EQUAL(decide(&a), GBA_OK);
    CU_ASSERT(a.has_uicc_key);
    UNIT_BYTES_EQ(a.uicc_key.octets, 32,
                  "927db8251a3f244966ba42628b88cd0c3b412d50b82d2f3cf66a3b38773437de");
    rq.gba_u_aware = false;
    CU_ASSERT_EQUAL(decide(&a), GBA_OK);
    CU_ASSERT(!a.has_uicc_key);
}

static size_t n_uss(const struct gba_zn_answer *a)
{
    struct gba_guss *list;
    size_t n;

    if (a->uss_list.n == 0)
        return 0;
    CU_ASSERT_EQUAL_FATAL(gba_uss_list_parse(a->uss_list, &list), GBA_OK);
    n = gba_guss_n_uss(list);
    gba_guss_unref(list);
    return n;
}

static void test_uss_selection(void)
{
    static const struct {
        const char *a, *b;
        size_t n;
    } rows[] = {{NULL, NULL, 0}, {"0", NULL, 1}, {"0", "1", 2},
                {"1", "1", 1},   {"2", NULL, 0}, {"5", "0", 1}};
    struct gba_zn_answer a;

    set_up(GUSS(USS("0", "><uids><uid>sip:a@b</uid></uids>")
                    USS("1", " nafGroup=\"A\"><uids><uid>sip:a@b</uid></uids>")
                        USS("1", " nafGroup=\"B\"><uids><uid>"
                                 "sip:other@b</uid></uids>")
                            USS("2", "><uids><uid>sip:a@b</uid></uids>")));
    for (size_t i = 0; i < SIZE(rows); i++) {
        ask_gsids(rows[i].a, rows[i].b);
        CU_ASSERT_EQUAL(decide(&a), GBA_OK);
        CU_ASSERT_EQUAL(n_uss(&a), rows[i].n);
    }
    /* another group's settings do not leak */
    ask_gsids("1", NULL);
    CU_ASSERT_EQUAL(decide(&a), GBA_OK);
    CU_ASSERT_PTR_NULL(memmem(a.uss_list.p, a.uss_list.n, "other", 5));
    CU_ASSERT_PTR_NULL(memmem(a.uss_list.p, a.uss_list.n, "bsfInfo", 7));
    gba_guss_unref(session.guss);
}

static void test_required_uss(void)
{
    struct gba_zn_answer a;

    set_up(GUSS(USS("0", "><uids><uid>sip:a@b</uid></uids>")));
    naf.required_gsids = must;
    naf.n_required_gsids = 1;
    CU_ASSERT_EQUAL(decide(&a), GBA_E_NOT_AUTHORIZED);
    gba_guss_unref(session.guss);
    set_up(NULL);
    naf.required_gsids = must;
    naf.n_required_gsids = 1;
    CU_ASSERT_EQUAL(decide(&a), GBA_E_NOT_AUTHORIZED);
    set_up(GUSS(USS("1", "><uids><uid>sip:a@b</uid></uids>")));
    naf.required_gsids = must;
    naf.n_required_gsids = 1;
    CU_ASSERT_EQUAL(decide(&a), GBA_OK);
    CU_ASSERT_EQUAL(n_uss(&a), 0); /* required is not asked for */
    gba_guss_unref(session.guss);
}

static void test_key_choice(void)
{
    static const struct {
        const char *choice;
        bool gba_u, aware;
        enum gba_err err;
        bool uicc;
    } rows[] = {
        {"ME_BASED_KEY", true, true, GBA_OK, false},
        {"UICC_BASED_KEY", true, true, GBA_OK, true},
        {"UICC_BASED_KEY", true, false, GBA_E_NOT_AUTHORIZED, false},
        {"UICC_BASED_KEY", false, true, GBA_E_NOT_AUTHORIZED, false},
        {"ME_UICC_BASED_KEYS", true, true, GBA_OK, true},
    };

    for (size_t i = 0; i < SIZE(rows); i++) {
        struct gba_zn_answer a;
        char xml[512] = "<guss><ussList><uss id=\"0\" type=\"0\"><uids><uid>a</uid></uids>"
                        "<keyChoice>";

        strcat(xml, rows[i].choice);
        strcat(xml, "</keyChoice></uss></ussList></guss>");
        set_up(xml);
        session.gba_u = rows[i].gba_u;
        rq.gba_u_aware = rows[i].aware;
        ask_gsids("0", NULL);
        CU_ASSERT_EQUAL(decide(&a), rows[i].err);
        CU_ASSERT_EQUAL(a.has_uicc_key, rows[i].uicc);
        gba_guss_unref(session.guss);
    }
}

static void test_naf_id_forms(void)
{
    static const struct {
        const char *id;
        size_t n;
        enum gba_err err;
    } rows[] = {
        {"naf1.home1.net\x01\0\0\0\x02", 19, GBA_OK},
        {"Naf1.home1.net\x01\0\0\0\x02", 19, GBA_E_NOT_AUTHORIZED},
        {"naf1.home1.net.\x01\0\0\0\x02", 20, GBA_E_NOT_AUTHORIZED},
        {"\x01\0\0\0\x02", 5, GBA_E_NOT_AUTHORIZED},
        {"", 0, GBA_E_NOT_AUTHORIZED},
        {"naf1.home1.net\0\x01\0\0\0\x02", 20, GBA_E_NOT_AUTHORIZED},
        {"naf1.home1.net", 14, GBA_E_NOT_AUTHORIZED},
    };
    const struct policy_naf *row;

    for (size_t i = 0; i < SIZE(rows); i++) {
        set_up(NULL);
        memcpy(rq.naf_id, rows[i].id, rows[i].n);
        rq.naf_id_len = rows[i].n;
        CU_ASSERT_EQUAL(zn_admit(&policy, &query, &row), rows[i].err);
    }
}

static const struct unit_test tests[] = {
    {"the key", test_key},
    {"keys of a GBA_U run", test_gba_u_keys},
    {"USSs by GSID and group", test_uss_selection},
    {"required USSs", test_required_uss},
    {"keyChoice", test_key_choice},
    {"forms of a NAF_Id", test_naf_id_forms},
};
UNIT_MAIN("zn", tests)
