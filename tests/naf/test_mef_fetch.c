/*
 * naf/mef_fetch.c: who gets which key by GET /fetchCredentials.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_fetch.h"

#include <stdio.h>
#include <string.h>

#include "common/m2m_keys.h"
#include "naf/mef_audit.h"
#include "tests/naf/mef_world.h"
#include "tests/unit.h"

#define BTID  "AAECAwQFBgcICQoLDA0O/w==@bsf.example"
#define B     "AAECAwQFBgcICQoLDA0O%2Fw%3D%3D%40bsf.example"
#define KE_ID "000102030405060708090A0B0C0D0E0F@mef.example"
#define FETCH "/fetchCredentials/"

static struct mef_world w;

static struct mef_fetch begin_fetch(const char *target_fqdn, const char *path,
                                    const char *query, const char *origin)
{
    static struct mef_client c;
    struct mef_fetch f;

    if (target_fqdn != NULL)
        c = mef_world_target(&w, target_fqdn);
    mef_fetch_begin(&w.mef, target_fqdn != NULL ? &c.target : NULL, gba_text(path),
                    gba_text(query), gba_text(origin), WORLD_T0, &f);
    return f;
}

static struct naf_key bsf_answer(const char *impi)
{
    struct naf_key k = {.a = {.expiry_s = WORLD_T0 + 60}};

    strcpy(k.a.impi, impi);
    memset(k.a.me_key.octets, 0x77, 32);
    return k;
}

static void test_questions(void)
{
    static const struct {
        const char *fqdn, *path, *query, *origin;
        bool ask;
        enum gba_err err;
    } rows[] = {
        {WORLD_FQDN, FETCH B "/22", "", WORLD_CSE, true, GBA_OK},
        {WORLD_FQDN, FETCH B "/22", "", "/cse1", true, GBA_OK},
        {WORLD_FQDN, FETCH B "/22", "ua=01000100ae", WORLD_CSE, true, GBA_OK},
        {WORLD_FQDN, FETCH B "/22", "ua=01000100AE", WORLD_CSE, true, GBA_OK},
        {WORLD_FQDN, FETCH B "/22", "ua=0100000002", WORLD_CSE, false, GBA_E_FORBIDDEN},
        {WORLD_FQDN, FETCH B "/22", "ua=01", WORLD_CSE, false, GBA_E_SYNTAX},
        {WORLD_FQDN, FETCH B "/22", "x=1", WORLD_CSE, false, GBA_E_SYNTAX},
        {WORLD_FQDN, FETCH B "/%32%32", "", WORLD_CSE, true, GBA_OK},
        {WORLD_FQDN, FETCH B "/21", "", WORLD_CSE, false, GBA_E_FORBIDDEN},
        {WORLD_FQDN, FETCH B "/23", "", WORLD_CSE, false, GBA_E_FORBIDDEN}, /* GBA: 21, 22 */
        {WORLD_FQDN, FETCH B "/31", "", WORLD_CSE, false, GBA_E_FORBIDDEN},
        {WORLD_FQDN, FETCH B "/999", "", WORLD_CSE, false, GBA_E_FORBIDDEN},
        {WORLD_FQDN, FETCH B "/1000", "", WORLD_CSE, false, GBA_E_SYNTAX},
        {WORLD_FQDN, FETCH B "/x", "", WORLD_CSE, false, GBA_E_SYNTAX},
        {WORLD_FQDN, FETCH B "/", "", WORLD_CSE, false, GBA_E_SYNTAX},
        {WORLD_FQDN, FETCH B, "", WORLD_CSE, false, GBA_E_SYNTAX},
        {WORLD_FQDN, FETCH B "/22/", "", WORLD_CSE, false, GBA_E_SYNTAX},
        {WORLD_FQDN, FETCH BTID "/22", "", WORLD_CSE, false, GBA_E_SYNTAX}, /* bare '/' */
        {WORLD_FQDN, FETCH "%zz/22", "", WORLD_CSE, false, GBA_E_SYNTAX},
        {WORLD_FQDN, FETCH "a%00b/22", "", WORLD_CSE, false, GBA_E_SYNTAX},
        {WORLD_FQDN, FETCH "%4/22", "", WORLD_CSE, false, GBA_E_SYNTAX},
        {WORLD_FQDN, FETCH "/22", "", WORLD_CSE, false, GBA_E_SYNTAX},
        {WORLD_FQDN, FETCH "nothing/22", "", WORLD_CSE, false, GBA_E_NOT_FOUND},
        {WORLD_FQDN, FETCH "name%40mef.example/22", "", WORLD_CSE, false, GBA_E_NOT_FOUND},
        {WORLD_FQDN, FETCH B "/22", "", "//sp.example/cse2", false, GBA_E_FORBIDDEN},
        {WORLD_FQDN, FETCH B "/22", "", "", false, GBA_E_FORBIDDEN},
        {WORLD_MAF, FETCH B "/22", "", WORLD_CSE, false, GBA_E_FORBIDDEN},
        {WORLD_MAF, FETCH B "/21", "", WORLD_MAF, true, GBA_OK},
        {NULL, FETCH B "/22", "", WORLD_CSE, false, GBA_E_FORBIDDEN},
    };

    mef_world_begin(&w);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct mef_fetch f =
            begin_fetch(rows[i].fqdn, rows[i].path, rows[i].query, rows[i].origin);

        if (f.ask != rows[i].ask || f.err != rows[i].err)
            printf("\n%s?%s: %d %s", rows[i].path, rows[i].query, f.ask, gba_err_name(f.err));
        CU_ASSERT_EQUAL(f.ask, rows[i].ask);
        CU_ASSERT_EQUAL(f.err, rows[i].err);
        if (f.ask)
            CU_ASSERT_STRING_EQUAL(f.query.btid, BTID);
    }
    mef_world_end(&w);
}

static void test_gba_record(void)
{
    struct naf_key k = bsf_answer(WORLD_IMPI);
    struct mef_fetch f;
    char out[512];
    struct gba_wbuf b;

    mef_world_begin(&w);
    f = begin_fetch(WORLD_FQDN, FETCH B "/22", "", WORLD_CSE);
    UNIT_BYTES_EQ(f.query.naf_id.octets, f.query.naf_id.n,
                  "637365312e73702e6578616d706c6501000100ae");
    mef_fetch_key(&w.mef, &f, GBA_OK, &k, WORLD_T0);
    CU_ASSERT(!f.ask && f.err == GBA_OK);
    gba_wbuf_init(&b, out, sizeof(out));
    CU_ASSERT_EQUAL(mef_fetch_print(&f, false, &b), GBA_OK);
    CU_ASSERT_STRING_EQUAL(
        gba_wbuf_cstr(&b),
        "{\"Status\":true,\"Credential\":\"d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3c=\","
        "\"EnroleeID\":\"" WORLD_ENROLEE "\",\"Lifetime\":\"2026-01-01T00:01:00Z\"}");
    gba_wbuf_init(&b, out, sizeof(out));
    CU_ASSERT_EQUAL(mef_fetch_print(&f, true, &b), GBA_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(gba_wbuf_cstr(&b), "<Status>true</Status><Credential>d3d3"));
    CU_ASSERT_PTR_NULL(strstr(out, WORLD_IMPI)); /* never the IMPI */
    mef_world_end(&w);
}

static void test_answers_of_the_bsf(void)
{
    static const struct {
        enum gba_err zn;
        const char *impi;
        enum gba_err err;
    } rows[] = {
        {GBA_OK, WORLD_IMPI, GBA_OK},
        {GBA_OK, "", GBA_E_FORBIDDEN},               /* the BSF does not tell: no row */
        {GBA_OK, "nobody@example", GBA_E_FORBIDDEN}, /* no row, no key */
        {GBA_OK, "two@example", GBA_E_FORBIDDEN},    /* its row names no target */
        {GBA_E_BTID, NULL, GBA_E_NOT_FOUND},
        {GBA_E_EXPIRED, NULL, GBA_E_NOT_FOUND},
        {GBA_E_FORBIDDEN, NULL, GBA_E_NOT_FOUND},
        {GBA_E_NOT_AUTHORIZED, NULL, GBA_E_NOT_AUTHORIZED},
        {GBA_E_TIMEOUT, NULL, GBA_E_TIMEOUT},
        {GBA_E_ZN_UNREACHABLE, NULL, GBA_E_ZN_UNREACHABLE},
    };

    mef_world_begin(&w);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct mef_fetch f = begin_fetch(WORLD_FQDN, FETCH B "/22", "", WORLD_CSE);
        struct naf_key k = bsf_answer(rows[i].impi != NULL ? rows[i].impi : "");
        char out[512];
        struct gba_wbuf b;

        mef_fetch_key(&w.mef, &f, rows[i].zn, rows[i].zn == GBA_OK ? &k : NULL, WORLD_T0);
        CU_ASSERT_EQUAL(f.err, rows[i].err);
        gba_wbuf_init(&b, out, sizeof(out));
        CU_ASSERT_EQUAL(mef_fetch_print(&f, i % 2 == 1, &b), GBA_OK);
        if (f.err != GBA_OK)
            CU_ASSERT_PTR_NULL(strstr(gba_wbuf_cstr(&b), "Credential\""));
    }
    mef_world_end(&w);
}

/* TS-0003 8.3.2.3, GBA_U: Ks_ext_NAF, or Ks_int_NAF for a target whose clients are in the UICC;
 * neither stands in for the other. */
static void test_gba_u(void)
{
    static const struct {
        bool uicc, has_uicc_key;
        enum gba_err err;
        uint8_t octet;
    } rows[] = {{false, false, GBA_OK, 0x77},
                {false, true, GBA_OK, 0x77},
                {true, true, GBA_OK, 0x88},
                {true, false, GBA_E_NOT_FOUND, 0}};

    mef_world_begin(&w);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct mef_client c = mef_world_target(&w, WORLD_FQDN);
        struct naf_key k = bsf_answer(WORLD_IMPI);
        struct mef_fetch f;

        c.target.uicc = rows[i].uicc;
        k.a.has_uicc_key = rows[i].has_uicc_key;
        memset(k.a.uicc_key.octets, 0x88, 32);
        mef_fetch_begin(&w.mef, &c.target, GBA_TEXT(FETCH B "/22"), GBA_TEXT(""),
                        GBA_TEXT(WORLD_CSE), WORLD_T0, &f);
        CU_ASSERT(f.ask && f.query.gba_u_aware == rows[i].uicc);
        CU_ASSERT_STRING_EQUAL(f.query.btid, BTID); /* '/', '+', '=' and all */
        mef_fetch_key(&w.mef, &f, GBA_OK, &k, WORLD_T0);
        CU_ASSERT_EQUAL(f.err, rows[i].err);
        CU_ASSERT_EQUAL(f.key.octets[0], rows[i].octet);
        CU_ASSERT_EQUAL(f.key.octets[31], rows[i].octet);
        if (f.err == GBA_OK)
            CU_ASSERT_EQUAL(f.expires_s, WORLD_T0 + 60); /* that of Ks */
        mef_fetch_end(&f);
    }
    mef_world_end(&w);
}

/* A Ke of this MEF gives each target its own key (TS-0003 10.3.7, 10.3.2; as in onem2m.json).
 */
static void test_ke(void)
{
    static const char path[] = FETCH "000102030405060708090a0b0c0d0e0f%40MEF.example/";
    struct mef_ke ke = {.created_s = WORLD_T0, .expires_s = WORLD_T0 + 10};
    struct gba_key expected;
    struct mef_fetch f;
    char full[128];

    mef_world_begin(&w);
    strcpy(ke.key_id, KE_ID);
    strcpy(ke.enrolee, WORLD_ENROLEE);
    for (uint8_t i = 0; i < 32; i++)
        ke.ke.octets[i] = i;
    CU_ASSERT_EQUAL(w.store->put_ke(w.store, &ke), GBA_OK);
    snprintf(full, sizeof(full), "%s22", path);
    f = begin_fetch(WORLD_FQDN, full, "", WORLD_CSE);
    CU_ASSERT(!f.ask && f.err == GBA_OK);
    m2m_usage_key(&ke.ke, gba_text_bytes(GBA_TEXT("22")), GBA_TEXT(WORLD_FQDN), &expected);
    CU_ASSERT(gba_equal_ct(&f.key, &expected, 32));
    CU_ASSERT_STRING_EQUAL(f.enrolee, WORLD_ENROLEE);
    CU_ASSERT_EQUAL(f.expires_s, WORLD_T0 + 10);
    snprintf(full, sizeof(full), "%s21", path);
    f = begin_fetch(WORLD_MAF, full, "", WORLD_MAF);
    m2m_km(&ke.ke, GBA_TEXT(WORLD_MAF), &expected);
    CU_ASSERT(f.err == GBA_OK && gba_equal_ct(&f.key, &expected, 32));
    snprintf(full, sizeof(full), "%s23", path);
    CU_ASSERT_EQUAL(begin_fetch(WORLD_FQDN, full, "", WORLD_CSE).err, GBA_OK);
    snprintf(full, sizeof(full), "%s24", path);
    CU_ASSERT_EQUAL(begin_fetch(WORLD_FQDN, full, "", WORLD_CSE).err, GBA_E_FORBIDDEN);
    CU_ASSERT_EQUAL(begin_fetch(WORLD_FQDN,
                                FETCH "000102030405060708090a0b0c0d0e00%40mef.example/22", "",
                                WORLD_CSE)
                        .err,
                    GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(begin_fetch(WORLD_FQDN,
                                FETCH "000102030405060708090a0b0c0d0e0f%40other.example/22", "",
                                WORLD_CSE)
                        .err,
                    GBA_E_NOT_FOUND);
    mef_world_end(&w);
}

static void test_ke_not_for_all(void)
{
    struct mef_ke ke = {.created_s = WORLD_T0, .expires_s = WORLD_T0};

    mef_world_begin(&w);
    strcpy(ke.key_id, KE_ID);
    strcpy(ke.enrolee, WORLD_ENROLEE);
    w.store->put_ke(w.store, &ke);
    CU_ASSERT_EQUAL(begin_fetch(WORLD_FQDN,
                                FETCH "000102030405060708090A0B0C0D0E0F%40mef.example/22", "",
                                WORLD_CSE)
                        .err,
                    GBA_E_NOT_FOUND); /* expired */
    ke.key_id[0] = '1';
    strcpy(ke.enrolee, WORLD_OTHER);
    ke.expires_s++;
    w.store->put_ke(w.store, &ke);
    CU_ASSERT_EQUAL(begin_fetch(WORLD_FQDN,
                                FETCH "100102030405060708090A0B0C0D0E0F%40mef.example/22", "",
                                WORLD_CSE)
                        .err,
                    GBA_E_FORBIDDEN);
    mef_world_end(&w);
}

/* What allows a key ends (TS-0003 10.7), and so does the key. */
static void test_enrolment_expiry(void)
{
    static const unsigned saef[] = {22};
    struct naf_key k = bsf_answer("three@example");
    struct mef_fetch f;

    mef_world_begin(&w);
    mef_world_enrolee(&w, "three@example", "//sp.example/cse1/Cthree");
    mef_world_allow(&w, "//sp.example/cse1/Cthree", WORLD_CSE, saef, 1, WORLD_T0 + 30);
    f = begin_fetch(WORLD_FQDN, FETCH B "/22", "", WORLD_CSE);
    mef_fetch_key(&w.mef, &f, GBA_OK, &k, WORLD_T0);
    CU_ASSERT_EQUAL(f.err, GBA_OK);
    CU_ASSERT_EQUAL(f.expires_s, WORLD_T0 + 30); /* not the bootstrapping's + 60 */
    f = begin_fetch(WORLD_FQDN, FETCH B "/22", "", WORLD_CSE);
    mef_fetch_key(&w.mef, &f, GBA_OK, &k, WORLD_T0 + 30);
    CU_ASSERT_EQUAL(f.err, GBA_E_FORBIDDEN);
    mef_world_end(&w);
}

static enum gba_err no_note(struct mef_audit *self, const struct mef_audit_event *e,
                            int64_t now_s)
{
    (void)self, (void)now_s;
    CU_ASSERT_STRING_EQUAL(e->who, WORLD_CSE);
    CU_ASSERT_STRING_EQUAL(e->what, "key.fetch");
    CU_ASSERT_STRING_EQUAL(e->whom, WORLD_ENROLEE);
    CU_ASSERT_EQUAL(e->suid, 22);
    return GBA_E_IO;
}

/* What cannot be noted in the audit log is not given out. */
static void test_not_noted(void)
{
    static struct mef_audit audit = {.note = no_note};
    static const struct gba_key nothing;
    struct mef_ke ke = {.key_id = KE_ID, .enrolee = WORLD_ENROLEE, .expires_s = WORLD_T0 + 1};
    struct naf_key k = bsf_answer(WORLD_IMPI);
    struct mef_fetch f;

    mef_world_begin(&w);
    memset(ke.ke.octets, 1, sizeof(ke.ke.octets));
    CU_ASSERT_EQUAL(w.store->put_ke(w.store, &ke), GBA_OK);
    w.mef.audit = &audit;
    f = begin_fetch(WORLD_FQDN, FETCH "000102030405060708090A0B0C0D0E0F%40mef.example/22", "",
                    WORLD_CSE);
    CU_ASSERT(f.err == GBA_E_IO && gba_equal_ct(&f.key, &nothing, sizeof(nothing)));
    f = begin_fetch(WORLD_FQDN, FETCH B "/22", "", WORLD_CSE);
    mef_fetch_key(&w.mef, &f, GBA_OK, &k, WORLD_T0);
    CU_ASSERT(f.err == GBA_E_IO && gba_equal_ct(&f.key, &nothing, sizeof(nothing)));
    mef_world_end(&w);
}

static const struct unit_test tests[] = {
    {"who may ask for what", test_questions},
    {"a B-TID's key, by the BSF", test_gba_record},
    {"answers of the BSF", test_answers_of_the_bsf},
    {"which key of a GBA_U record", test_gba_u},
    {"keys of a Ke", test_ke},
    {"a Ke is not for all", test_ke_not_for_all},
    {"what allows a key ends", test_enrolment_expiry},
    {"what is not noted is not given", test_not_noted},
};
UNIT_MAIN("mef_fetch", tests)
