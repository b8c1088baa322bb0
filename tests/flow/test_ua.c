/*
 * Whole Ua procedures with HTTP Digest between libgba-ue and libgba-naf, with Zn and Ub behind
 * them: every algorithm and qop, nonces that age, keys that end.  TS 24.109 5.2, TS 33.222 5.3,
 * RFC 7616.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

#include "tests/flow/lab.h"
#include "ua/ua_client.h"

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define HTTP        "http://" LAB_NAF "/x"
#define HTTPS       "https://" LAB_NAF "/x"

static struct lab l;

static void open_lab(void)
{
    lab_init(&l);
    lab_open(&l);
}

/* ---- a client that keeps its nonce from request to request ------------------------------ */

static const uint8_t *wrong_key; /* of 32 octets, used in place of the right one */

static struct gba_ue_ua *client_new(bool https)
{
    return gba_ue_ua_init(
        malloc(gba_ue_ua_size()), gba_ue_ua_size(),
        &(struct gba_ue_ua_config){
            .fqdn = LAB_NAF, .https = https, .allow_http = true, .gba_u = wrong_key != NULL});
}

static void client_free(struct gba_ue_ua *ua)
{
    gba_ue_ua_end(ua);
    free(ua);
}

static void get_key(struct gba_ue_ua *ua, bool renew, struct gba_ue_naf_key *key,
                    struct gba_ue_ua_event *ev)
{
    uint8_t ua_id[GBA_UE_UA_ID_LEN];
    bool internal;

    gba_ue_ua_wanted(ua, ua_id, &internal);
    if (wrong_key != NULL)
        internal = false; /* what the card does give */
    ev->err = gba_ue_naf_key_get(&l.device, LAB_NAF, ua_id, internal, renew, key);
    if (wrong_key != NULL)
        memcpy(key->key, wrong_key, sizeof(key->key));
    ev->happened = ev->err == GBA_OK ? GBA_UE_UA_EV_KEY : GBA_UE_UA_EV_NO_KEY;
    ev->key = key;
}

/* The status of one GET, or 0. */
static unsigned ask(struct gba_ue_ua *ua, bool https)
{
    struct gba_ue_ua_event ev = {.happened = GBA_UE_UA_EV_START, .method = "GET", .uri = "/x"};
    enum gba_ue_ua_todo todo = GBA_UE_UA_FAILED;
    struct gba_ue_naf_key key;
    struct gba_ue_reply reply;

    l.tls = https;
    do {
        fake_random(ev.entropy, sizeof(ev.entropy));
        CU_ASSERT_EQUAL(gba_ue_ua_step(ua, &ev, &todo), GBA_OK);
        if (todo == GBA_UE_UA_SEND) {
            struct gba_ue_request rq = *gba_ue_ua_request(ua);

            rq.url = https ? HTTPS : HTTP;
            ev.err = l.to_naf.port.exchange(&l.to_naf.port, &rq, &reply);
            ev.happened = ev.err == GBA_OK ? GBA_UE_UA_EV_REPLY : GBA_UE_UA_EV_NO_REPLY;
            ev.reply = &reply;
        }
        if (todo == GBA_UE_UA_GET_KEY || todo == GBA_UE_UA_RENEW)
            get_key(ua, todo == GBA_UE_UA_RENEW, &key, &ev);
    } while (todo != GBA_UE_UA_DONE && todo != GBA_UE_UA_FAILED);
    return todo == GBA_UE_UA_DONE ? reply.status : 0;
}

static bool sent(const char *parameter)
{
    return strstr(l.to_naf.authorization, parameter) != NULL;
}

/* ---- the plain way ---------------------------------------------------------------------- */

static void test_algorithms_and_qops(void)
{
    static const struct {
        unsigned algorithms, qops;
        const char *algorithm, *qop;
    } cases[] = {
        {GBA_NAF_MD5, GBA_NAF_AUTH, "algorithm=MD5", "qop=auth,"},
        {GBA_NAF_MD5, GBA_NAF_AUTH_INT, "algorithm=MD5", "qop=auth-int,"},
        {GBA_NAF_SHA256, GBA_NAF_AUTH, "algorithm=SHA-256", "qop=auth,"},
        {GBA_NAF_SHA256, GBA_NAF_AUTH_INT, "algorithm=SHA-256", "qop=auth-int,"},
        {GBA_NAF_MD5 | GBA_NAF_SHA256, GBA_NAF_AUTH | GBA_NAF_AUTH_INT, "algorithm=SHA-256",
         "qop=auth-int,"}, /* of both, the stronger */
    };
    enum gba_err err;

    for (size_t i = 0; i < SIZE(cases) * 2; i++) {
        const bool https = i >= SIZE(cases);

        lab_init(&l);
        l.naf_config.algorithms = cases[i % SIZE(cases)].algorithms;
        l.naf_config.qops = cases[i % SIZE(cases)].qops;
        lab_open(&l);
        CU_ASSERT_EQUAL(lab_get(&l, https ? HTTPS : HTTP, &err), 200);
        CU_ASSERT(sent(cases[i % SIZE(cases)].algorithm));
        CU_ASSERT(sent(cases[i % SIZE(cases)].qop));
        CU_ASSERT_EQUAL(l.to_naf.n, 2);
        CU_ASSERT_EQUAL(l.to_bsf.n, 2);
        CU_ASSERT_STRING_EQUAL(l.naf_btid, lab_session(&l).btid);
        CU_ASSERT_EQUAL(lab_get(&l, https ? HTTPS : HTTP, &err), 200); /* no Ub run again */
        CU_ASSERT_EQUAL(l.to_bsf.n, 2);
        CU_ASSERT(lab_is_clean_after_all(&l));
        lab_close(&l);
    }
}

/* ---- nonces ----------------------------------------------------------------------------- */

static void test_nextnonce(void)
{
    struct gba_ue_ua *ua;

    lab_init(&l);
    l.naf_config.nonce_life_s = 100;
    lab_open(&l);
    ua = client_new(false);
    CU_ASSERT_EQUAL(ask(ua, false), 200);
    CU_ASSERT_EQUAL(l.to_naf.n, 2);
    CU_ASSERT_EQUAL(ask(ua, false), 200);
    CU_ASSERT(sent("nc=00000002"));
    fake_pass_s(60);
    CU_ASSERT_EQUAL(ask(ua, false), 200);
    CU_ASSERT(sent("nc=00000003"));
    for (int i = 0; i < 5; i++) { /* each answer hands the next nonce over: never a 401 */
        fake_pass_s(60);
        CU_ASSERT_EQUAL(ask(ua, false), 200);
        CU_ASSERT(sent("nc=00000001"));
    }
    CU_ASSERT_EQUAL(l.to_naf.n, 2 + 2 + 5);
    CU_ASSERT_EQUAL(l.to_bsf.n, 2);
    client_free(ua);
    lab_close(&l);
}

static void test_stale_nonce(void)
{
    struct gba_ue_ua *ua;

    lab_init(&l);
    l.naf_config.nonce_life_s = 100;
    lab_open(&l);
    ua = client_new(true);
    CU_ASSERT_EQUAL(ask(ua, true), 200);
    fake_pass_s(100);
    CU_ASSERT_EQUAL(ask(ua, true), 200);
    CU_ASSERT_EQUAL(l.to_naf.n, 2 + 2); /* 401 stale=true, 200 */
    CU_ASSERT(sent("nc=00000001"));
    CU_ASSERT_EQUAL(l.to_bsf.n, 2); /* and no Ub run */
    lab_restart_naf(&l);            /* with the same secret: the nonce is still its own */
    CU_ASSERT_EQUAL(ask(ua, true), 200);
    CU_ASSERT_EQUAL(l.to_naf.n, 5);
    client_free(ua);
    lab_close(&l);
}

/* Counts that jump are fine, counts that come back are not. */
static void test_nonce_counts(void)
{
    struct gba_ue_ua *ua;

    open_lab();
    ua = client_new(false);
    CU_ASSERT_EQUAL(ask(ua, false), 200);
    ua->nc += 41;
    CU_ASSERT_EQUAL(ask(ua, false), 200);
    CU_ASSERT(sent("nc=0000002b"));
    CU_ASSERT_EQUAL(l.to_naf.n, 3);
    ua->nc = 6; /* a replay in the NAF's eyes: a new nonce, no Ub run */
    CU_ASSERT_EQUAL(ask(ua, false), 200);
    CU_ASSERT_EQUAL(l.to_naf.n, 5);
    CU_ASSERT_EQUAL(l.to_bsf.n, 2);
    client_free(ua);
    lab_close(&l);
}

static void test_replayed_request(void)
{
    struct gba_ue_field field = {"Authorization", NULL};
    struct gba_ue_request rq = {.method = "GET", .url = HTTP, .fields = &field, .n_fields = 1};
    struct gba_ue_reply reply;
    enum gba_err err;
    char replay[2048];

    open_lab();
    lab_get(&l, HTTP, &err);
    strcpy(replay, l.to_naf.authorization);
    field.value = replay;
    CU_ASSERT_EQUAL(l.to_naf.port.exchange(&l.to_naf.port, &rq, &reply), GBA_OK);
    CU_ASSERT_EQUAL(reply.status, 401);
    CU_ASSERT_EQUAL(reply.body_len, 0);
    CU_ASSERT_EQUAL(l.naf_reason, GBA_E_NC);
    lab_close(&l);
}

/* A B-TID without its key opens nothing, whatever is tried in its place: also not no key at
 * all, under the realm of a Ks_int_NAF that this subscriber does not have. */
static void test_wrong_keys(void)
{
    static const uint8_t zeros[32], others[32] = {1};
    const uint8_t *const keys[] = {zeros, others};
    struct gba_ue_ua *ua;

    for (size_t i = 0; i < SIZE(keys) * 2; i++) {
        lab_init(&l);
        l.naf_config.keys = GBA_NAF_KEY_ME | GBA_NAF_KEY_UICC;
        lab_open(&l);
        if (i >= SIZE(keys)) {
            l.to_naf.tamper_from = ";3GPP-bootstrapping@" LAB_NAF; /* leaves the other one */
            l.to_naf.tamper_to = "";
        }
        wrong_key = keys[i % SIZE(keys)];
        ua = client_new(false);
        CU_ASSERT_EQUAL(ask(ua, false), 0);
        CU_ASSERT_EQUAL(gba_ue_ua_error(ua), GBA_E_REFUSED);
        CU_ASSERT_EQUAL(l.naf_reason, GBA_E_RES);
        CU_ASSERT_EQUAL(sent("realm=\"3GPP-bootstrapping-uicc@"), i >= SIZE(keys));
        CU_ASSERT_EQUAL(l.to_naf.n, 3); /* 401, and 401 to a B-TID, and to a new one */
        client_free(ua);
        wrong_key = NULL;
        lab_close(&l);
    }
}

/* ---- keys that end ---------------------------------------------------------------------- */

/* BSF and NAF know nothing of the B-TID any more: one Ub run, then all is well. */
static void test_unknown_btid(void)
{
    struct gba_ue_ua *ua;

    open_lab();
    ua = client_new(false);
    CU_ASSERT_EQUAL(ask(ua, false), 200);
    lab_restart_bsf(&l);
    lab_restart_naf(&l);
    CU_ASSERT_EQUAL(ask(ua, false), 200);
    CU_ASSERT_EQUAL(l.naf_reason, GBA_OK);
    CU_ASSERT_EQUAL(l.to_naf.n, 2 + 2);
    CU_ASSERT_EQUAL(l.to_bsf.n, 2 + 3); /* the TMPI is unknown as well */
    CU_ASSERT_STRING_EQUAL(l.naf_btid, lab_session(&l).btid);
    client_free(ua);
    lab_close(&l);
}

/* The same through gba_ue_fetch, which starts without a nonce. */
static void test_unknown_btid_fetch(void)
{
    enum gba_err err;

    open_lab();
    CU_ASSERT_EQUAL(lab_get(&l, HTTPS, &err), 200);
    lab_restart_bsf(&l);
    lab_restart_naf(&l);
    CU_ASSERT_EQUAL(lab_get(&l, HTTPS, &err), 200);
    CU_ASSERT_EQUAL(l.to_naf.n, 2 + 3);
    CU_ASSERT_EQUAL(l.to_bsf.n, 2 + 3);
    lab_close(&l);
}

static void test_key_expires(void)
{
    struct gba_ue_ua *ua;

    lab_init(&l);
    l.naf_config.key_max_life_s = 600; /* the NAF's own limit, below the BSF's */
    lab_open(&l);
    ua = client_new(false);
    CU_ASSERT_EQUAL(ask(ua, false), 200);
    fake_pass_s(599);
    CU_ASSERT_EQUAL(ask(ua, false), 200);
    CU_ASSERT_EQUAL(l.to_bsf.n, 2);
    fake_pass_s(1);
    CU_ASSERT_EQUAL(ask(ua, false), 200); /* renegotiation: TS 24.109 5.2.5 */
    CU_ASSERT_EQUAL(l.to_bsf.n, 4);
    CU_ASSERT_EQUAL(l.to_naf.n, 3 + 2);
    fake_pass_s(LAB_LIFE); /* now Ks itself has expired, everywhere */
    l.store->expire(l.store, fake_now_ms());
    CU_ASSERT_EQUAL(lab_stats(&l).sessions, 0);
    CU_ASSERT_EQUAL(ask(ua, false), 200);
    CU_ASSERT_EQUAL(l.to_bsf.n, 6);
    client_free(ua);
    lab_close(&l);
}

/* A NAF that refuses every B-TID gets one Ub run out of a request, not a loop. */
static void test_naf_refuses_all(void)
{
    enum gba_err err;

    open_lab();
    l.to_naf.tamper_from = "opaque=\""; /* the NAF never finds its opaque again */
    l.to_naf.tamper_to = "opaque=\"0";
    CU_ASSERT_EQUAL(lab_get(&l, HTTP, &err), 0);
    CU_ASSERT_EQUAL(err, GBA_E_REFUSED);
    CU_ASSERT_EQUAL(l.to_bsf.n, 4);
    lab_close(&l);
}

/* Nor does a loop around it help: what one NAF may cost in Ub runs is limited. */
static void test_naf_refuses_for_ever(void)
{
    enum gba_err err;

    open_lab();
    l.to_naf.tamper_from = "opaque=\"";
    l.to_naf.tamper_to = "opaque=\"0";
    for (int i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(lab_get(&l, HTTP, &err), 0);
        CU_ASSERT_EQUAL(err, GBA_E_REFUSED);
    }
    CU_ASSERT_EQUAL(l.to_bsf.n, 2 + 5 * 2);
    for (int i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(lab_get(&l, HTTP, &err), 0);
        CU_ASSERT_EQUAL(err, GBA_E_RATE_LIMITED);
    }
    CU_ASSERT_EQUAL(l.to_bsf.n, 2 + 5 * 2);
    l.to_naf.tamper_from = NULL;
    CU_ASSERT_EQUAL(lab_get(&l, HTTP, &err), 200); /* it has come to its senses */
    CU_ASSERT_EQUAL(lab_get(&l, "http://" LAB_NAF2 "/x", &err), 200);
    l.to_naf.tamper_from = "opaque=\"";
    fake_pass_s(300);
    CU_ASSERT_EQUAL(lab_get(&l, HTTP, &err), 0);
    CU_ASSERT_EQUAL(err, GBA_E_REFUSED);
    CU_ASSERT_EQUAL(l.to_bsf.n, 2 + 6 * 2);
    lab_close(&l);
}

/* At the BSF this NAF has no right to the name: no Ub run will help, and none is made. */
static void test_naf_without_right(void)
{
    enum gba_err err;

    open_lab();
    l.naf_row.n_fqdns = 0;
    CU_ASSERT_EQUAL(lab_get(&l, HTTP, &err), 403);
    CU_ASSERT_EQUAL(err, GBA_OK); /* an answer of the application */
    CU_ASSERT_EQUAL(l.naf_reason, GBA_E_NOT_AUTHORIZED);
    CU_ASSERT_EQUAL(l.to_bsf.n, 2);
    lab_close(&l);
}

static const struct unit_test tests[] = {
    {"algorithms and qops", test_algorithms_and_qops},
    {"nextnonce", test_nextnonce},
    {"stale=true needs no Ub run", test_stale_nonce},
    {"nonce counts", test_nonce_counts},
    {"a replayed request", test_replayed_request},
    {"wrong keys", test_wrong_keys},
    {"unknown B-TID: one Ub run", test_unknown_btid},
    {"unknown B-TID, without a nonce", test_unknown_btid_fetch},
    {"expiry: renegotiation", test_key_expires},
    {"a NAF that refuses all", test_naf_refuses_all},
    {"a NAF that refuses for ever", test_naf_refuses_for_ever},
    {"a NAF without right", test_naf_without_right},
};

UNIT_MAIN("flow: Ua", tests)
