/*
 * bsf/ub.c: its table pair by pair, and every answer of Ub by table.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

#include "bsf/ub_request.h"
#include "tests/bsf/ub_lab.h"

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* ---- the table ------------------------------------------------------------------------ */

static bool passing(enum ub_state s)
{
    return s == UB_SORTING || s == UB_NAMING || s == UB_DOUBTING || s == UB_JUDGING;
}

static bool from_outside(enum ub_event_kind e)
{
    return e == UB_EV_REQUEST || e == UB_EV_YES || e == UB_EV_NO || e == UB_EV_ERROR;
}

/* Every pair without a row ends the run with the one refusal. */
static void test_pairs_not_listed_are_refused(void)
{
    static const char *const names[] = {LAB_BSF};
    struct ub_policy policy = {.names = names, .n_names = 1};
    unsigned listed = 0, refused = 0;

    for (int s = 0; s < UB_N_STATES; s++)
        for (int e = 0; e < UB_N_EVENTS; e++) {
            struct ub_event ev = {.kind = (enum ub_event_kind)e, .err = GBA_E_IO};
            struct ub_run run;

            if (ub_row_find((enum ub_state)s, (enum ub_event_kind)e) != NULL) {
                listed++;
                continue;
            }
            ub_run_init(&run, &policy);
            run.state = (enum ub_state)s;
            run.todo = UB_DO_ASK;
            CU_ASSERT_EQUAL(ub_step(&run, &ev), UB_DO_ANSWER);
            CU_ASSERT_EQUAL(run.state, UB_DONE);
            CU_ASSERT_EQUAL(run.answer.verdict, UB_REFUSED);
            CU_ASSERT_EQUAL(run.answer.reason, GBA_E_UNEXPECTED);
            ub_run_release(&run);
            refused++;
        }
    CU_ASSERT_EQUAL(listed + refused, UB_N_STATES * UB_N_EVENTS);
    CU_ASSERT(listed > 40);
}

/* Each state that waits for a port takes all three of its answers; the others none of them. */
static void test_waiting_states_take_every_answer(void)
{
    for (int s = UB_IDLE + 1; s < UB_DONE; s++)
        for (int e = 0; e < UB_N_EVENTS; e++) {
            bool row = ub_row_find((enum ub_state)s, (enum ub_event_kind)e) != NULL;

            if (passing((enum ub_state)s))
                CU_ASSERT(!row || !from_outside((enum ub_event_kind)e));
            if (!passing((enum ub_state)s) && e != UB_EV_REQUEST &&
                from_outside((enum ub_event_kind)e))
                CU_ASSERT(row);
        }
    for (int e = 0; e < UB_N_EVENTS; e++)
        CU_ASSERT_PTR_NULL(ub_row_find(UB_DONE, (enum ub_event_kind)e));
}

/* A state waits for the answer to what was done on entering it, and for nothing else. */
static void test_states_wait_for_what_was_done(void)
{
    static const enum ub_do wanted[UB_N_STATES] = {
        [UB_RESOLVING] = UB_DO_RESOLVE,
        [UB_FINDING] = UB_DO_FIND,
        [UB_ADMITTING] = UB_DO_ADMIT,
        [UB_RECALLING] = UB_DO_RECALL,
        [UB_ASKING] = UB_DO_ASK,
        [UB_KEEPING] = UB_DO_KEEP,
        [UB_LOOKING_UP] = UB_DO_GET,
        [UB_OPENING] = UB_DO_OPEN,
        [UB_COUNTING] = UB_DO_COUNT,
        [UB_CLAIMING] = UB_DO_CLAIM,
        [UB_UNCLAIMING] = UB_DO_COUNT,
        [UB_DROPPING] = UB_DO_DROP, /* the others: UB_DO_ANSWER, that is 0 */
    };

    for (int s = 0; s < UB_N_STATES; s++)
        for (int e = 0; e < UB_N_EVENTS; e++) {
            const struct ub_row *row = ub_row_find((enum ub_state)s, (enum ub_event_kind)e);

            if (row != NULL)
                CU_ASSERT_EQUAL(row->todo, wanted[row->next]);
        }
}

/* Each error of a port, in each state, ends in a refusal with that error. */
static void test_port_errors_end_the_run(void)
{
    static const char *const names[] = {LAB_BSF};
    struct ub_policy policy = {.names = names, .n_names = 1, .retry_after_s = 7};

    for (int s = UB_IDLE + 1; s < UB_DONE; s++) {
        struct ub_event ev = {.kind = UB_EV_ERROR, .err = GBA_E_ZH_TIMEOUT};
        struct ub_run run;

        if (passing((enum ub_state)s))
            continue;
        ub_run_init(&run, &policy);
        run.state = (enum ub_state)s;
        run.todo = UB_DO_ASK;
        CU_ASSERT_EQUAL(ub_step(&run, &ev), UB_DO_ANSWER);
        CU_ASSERT_EQUAL(run.answer.reason, GBA_E_ZH_TIMEOUT);
        CU_ASSERT_EQUAL(run.answer.retry_after_s, 7);
        ub_run_release(&run);
    }
}

/* ---- requests that cannot be read ----------------------------------------------------- */

#define FIRST "realm=\"r\", nonce=\"\", uri=\"/\", response=\"\""

static void test_unreadable_requests(void)
{
    static const struct {
        const char *field;
        enum gba_err reason;
    } rows[] = {
        {NULL, GBA_E_NO_AUTHORIZATION},
        {"Basic QWxhZGRpbjpvcGVu", GBA_E_NOT_DIGEST},
        {"", GBA_E_SYNTAX},
        {"Digest username=\"a@b\", realm=\"r", GBA_E_SYNTAX},
        {"Digest username=\"a@b\" realm=\"r\"", GBA_E_SYNTAX},
        {"Digest username=\"a@b\", username=\"c@d\", " FIRST, GBA_E_REPEATED},
        {"Digest username=\"\", " FIRST, GBA_E_EMPTY_USERNAME},
        {"Digest " FIRST, GBA_E_EMPTY_USERNAME},
        {"Digest username=\"a\x01@b\", " FIRST, GBA_E_SYNTAX},
        {"Digest username=\"a@b\", algorithm=MD5, " FIRST, GBA_E_ALGORITHM},
        {"Digest username=\"a@b\", algorithm=AKAv1-MD5-sess, " FIRST, GBA_E_ALGORITHM},
        {"Digest username=\"a@b\", algorithm=AKAv2-SHA-256, " FIRST, GBA_E_ALGORITHM},
        {"Digest username=\"a@b\", algorithm=rot13, " FIRST, GBA_E_ALGORITHM},
        {"Digest username=\"a@b\", nonce=\"\", uri=\"/\", response=\"\"", GBA_E_MISSING},
        {"Digest username=\"a@b\", realm=\"r\", uri=\"/\", response=\"\"", GBA_E_MISSING},
    };
    struct lab l;

    lab_init(&l);
    lab_open(&l);
    for (size_t i = 0; i < SIZE(rows); i++) {
        struct lab_result r;

        lab_authorization(&l, rows[i].field, NULL, &r);
        CU_ASSERT_EQUAL(r.answer.verdict, UB_REFUSED);
        CU_ASSERT_EQUAL(r.answer.reason, rows[i].reason);
        if (r.answer.reason != rows[i].reason)
            printf("\n    row %zu: %s\n", i, gba_err_name(r.answer.reason));
        if (rows[i].reason != GBA_E_NO_AUTHORIZATION)
            CU_ASSERT_EQUAL(gba_err_http(r.answer.reason), 400);
    }
    CU_ASSERT_EQUAL(l.n_asked, 0);
    lab_close(&l);
}

static void test_first_request_forms(void)
{
    static const char *const fields[] = {
        /* parameters in any order, unknown ones, an algorithm before the challenge */
        "Digest response=\"\", uri=\"/\", nonce=\"\", realm=\"x\", username=\"" LAB_IMPI "\"",
        "digest username=\"" LAB_IMPI "\",realm=\"x\",nonce=\"\",uri=\"/\",response=\"\","
        "x-operator=\"a, nonce=\\\"b\\\"\", algorithm=AKAv1-MD5",
        "Digest  username=\"" LAB_IMPI
        "\" , realm=\"x\" ,, nonce=\"\", uri=\"/\", response=\"\"",
    };

    for (size_t i = 0; i < SIZE(fields); i++) {
        struct lab_result r;
        struct lab_ue ue;
        struct lab l;

        lab_init(&l);
        lab_open(&l);
        lab_authorization(&l, fields[i], NULL, &r);
        CU_ASSERT_FATAL(lab_ue_take(&l, &ue, LAB_IMPI, &r));
        CU_ASSERT_STRING_EQUAL(ue.realm, LAB_BSF);
        CU_ASSERT_STRING_EQUAL(ue.qop, "auth-int");
        CU_ASSERT_STRING_EQUAL(ue.algorithm, "AKAv1-MD5");
        CU_ASSERT_EQUAL(strlen(ue.opaque), 32);
        CU_ASSERT_EQUAL(r.answer.reason, GBA_OK);
        CU_ASSERT_PTR_NULL(strstr(r.answer.field, "stale"));
        lab_close(&l);
    }
}

static void test_name_by_host(void)
{
    static const char *const names[] = {LAB_BSF, LAB_ISIM};
    static const struct ub_policy policy = {.names = names, .n_names = 2};
    static const struct {
        const char *host, *name;
    } rows[] = {
        {LAB_BSF, LAB_BSF},
        {LAB_ISIM, LAB_ISIM},
        {LAB_ISIM ":8080", LAB_ISIM},
        {"BSF.IMS.mnc001.mcc001.pub.3gppnetwork.org.", LAB_ISIM},
        {"127.0.0.1:80", LAB_BSF},
        {"[::1]:80", LAB_BSF},
        {"", LAB_BSF},
        {"evil.example", LAB_BSF},
    };

    for (size_t i = 0; i < SIZE(rows); i++)
        CU_ASSERT_STRING_EQUAL(ub_choose_name(&policy, gba_text(rows[i].host)), rows[i].name);
}

/* ---- answers to a challenge ----------------------------------------------------------- */

static void test_bootstrap(void)
{
    char response[GBA_DIGEST_HEX_SIZE], expected[GBA_DIGEST_HEX_SIZE];
    struct lab_result first, r;
    struct gba_bootstrapping_info info;
    struct gba_digest_input in;
    struct store_stats st;
    struct lab_ue ue;
    struct lab l;

    lab_init(&l);
    lab_open(&l);
    lab_first(&l, LAB_IMPI, &first);
    CU_ASSERT_FATAL(lab_ue_take(&l, &ue, LAB_IMPI, &first));
    lab_ue_answer(&l, &ue, &r);
    CU_ASSERT_EQUAL_FATAL(r.answer.verdict, UB_BOOTSTRAPPED);
    CU_ASSERT_EQUAL(gba_bootstrapping_info_parse(
                        (struct gba_bytes){r.answer.body, r.answer.body_len}, &info),
                    GBA_OK);
    CU_ASSERT_EQUAL(info.lifetime_s, lab_now() / 1000 + 3600);
    CU_ASSERT(gba_text_ends(gba_text(info.btid), "@" LAB_BSF));
    CU_ASSERT_EQUAL(strncmp(info.btid, ue.nonce, 20), 0);
    /* rspauth over the body, with the client's cnonce */
    in = (struct gba_digest_input){.algorithm = GBA_DIGEST_AKAV1_MD5,
                                   .qop = GBA_QOP_AUTH_INT,
                                   .username = gba_text(LAB_IMPI),
                                   .realm = gba_text(ue.realm),
                                   .uri = GBA_TEXT("/"),
                                   .nonce = gba_text(ue.nonce),
                                   .nc = GBA_TEXT("00000001"),
                                   .cnonce = gba_text(ue.cnonce),
                                   .password = {ue.res, ue.res_len},
                                   .body = {r.answer.body, r.answer.body_len}};
    gba_digest_response(&in, expected);
    lab_param(r.answer.field, "rspauth", response, sizeof(response));
    CU_ASSERT_STRING_EQUAL(response, expected);
    lab_param(r.answer.field, "cnonce", response, sizeof(response));
    CU_ASSERT_STRING_EQUAL(response, ue.cnonce);
    l.store->stats(l.store, &st);
    CU_ASSERT_EQUAL(st.sessions, 1);
    CU_ASSERT_EQUAL(st.challenges, 0);
    lab_close(&l);
}

static void spoil_nothing(struct lab_ue *ue)
{
    (void)ue;
}
static void spoil_res(struct lab_ue *ue)
{
    ue->res[0] ^= 1;
}
static void spoil_qop(struct lab_ue *ue)
{
    snprintf(ue->qop, sizeof(ue->qop), "auth");
}
static void no_qop(struct lab_ue *ue)
{
    ue->without = "qop";
}
static void spoil_nc(struct lab_ue *ue)
{
    ue->nc = "00000002";
}
static void short_nc(struct lab_ue *ue)
{
    ue->nc = "1";
}
static void no_nc(struct lab_ue *ue)
{
    ue->without = "nc";
}
static void spoil_realm(struct lab_ue *ue)
{
    snprintf(ue->realm, sizeof(ue->realm), LAB_ISIM);
}
static void spoil_opaque(struct lab_ue *ue)
{
    ue->opaque[0] = (char)(ue->opaque[0] == '0' ? '1' : '0');
}
static void no_opaque(struct lab_ue *ue)
{
    ue->without = "opaque";
}
static void no_algorithm(struct lab_ue *ue)
{
    ue->without = "algorithm";
}
static void spoil_uri(struct lab_ue *ue)
{
    ue->uri = "/other";
}
static void spoil_autn(struct lab_ue *ue)
{
    ue->nonce[40] = (char)(ue->nonce[40] == 'A' ? 'B' : 'A');
}
static void unknown_nonce(struct lab_ue *ue)
{
    ue->nonce[0] = (char)(ue->nonce[0] == 'A' ? 'B' : 'A');
}
static void no_nonce_of_ours(struct lab_ue *ue)
{
    snprintf(ue->nonce, sizeof(ue->nonce), "dcd98b7102dd2f0e8b11d0f600bfb0c093");
}
static void other_username(struct lab_ue *ue)
{
    snprintf(ue->username, sizeof(ue->username), LAB_OTHER);
}
static void no_cnonce(struct lab_ue *ue)
{
    ue->without = "cnonce";
}
static void no_response(struct lab_ue *ue)
{
    ue->without = "response";
}
static void no_hex(struct lab_ue *ue)
{
    ue->response = "zz";
}
static void no_answer(struct lab_ue *ue)
{
    ue->response = "";
}
static void upper_hex(struct lab_ue *ue)
{
    ue->extra = ", x=\"y\"";
}
static void absolute_uri(struct lab_ue *ue)
{
    ue->uri = "http://" LAB_BSF "/";
}
static void foreign_uri(struct lab_ue *ue)
{
    ue->uri = "http://evil.example/";
}
static void ftp_uri(struct lab_ue *ue)
{
    ue->uri = "ftp://" LAB_BSF "/";
}
static void empty_absolute_uri(struct lab_ue *ue)
{
    ue->uri = "http://" LAB_BSF;
}
static void with_body(struct lab_ue *ue)
{
    ue->body = (struct gba_bytes){(const uint8_t *)"x", 1};
}
static void no_answer_elsewhere(struct lab_ue *ue)
{
    no_answer(ue);
    spoil_realm(ue);
}
static void no_answer_forged(struct lab_ue *ue)
{
    no_answer(ue);
    spoil_opaque(ue);
}
static void bad_auts(struct lab_ue *ue)
{
    snprintf(ue->auts, sizeof(ue->auts), "AAAAAAAAAAAAAAAAAAA=");
}
static void short_auts(struct lab_ue *ue)
{
    snprintf(ue->auts, sizeof(ue->auts), "AAAA");
}

/* What one answer gets: verdict, reason, and whether a 401 has the same challenge again. */
static const struct {
    const char *name;
    void (*spoil)(struct lab_ue *ue);
    enum ub_verdict verdict;
    enum gba_err reason;
    bool same;
} answers[] = {
    {"right", spoil_nothing, UB_BOOTSTRAPPED, GBA_OK, false},
    {"unknown parameter", upper_hex, UB_BOOTSTRAPPED, GBA_OK, false},
    {"absolute uri", absolute_uri, UB_BOOTSTRAPPED, GBA_OK, false},
    {"absolute uri without slash", empty_absolute_uri, UB_BOOTSTRAPPED, GBA_OK, false},
    {"with a body", with_body, UB_BOOTSTRAPPED, GBA_OK, false},
    {"wrong RES", spoil_res, UB_CHALLENGED, GBA_E_RES, true},
    {"qop auth", spoil_qop, UB_CHALLENGED, GBA_E_QOP, true},
    {"no qop", no_qop, UB_CHALLENGED, GBA_E_QOP, true},
    {"nc 2", spoil_nc, UB_CHALLENGED, GBA_E_NC, true},
    {"nc of one digit", short_nc, UB_CHALLENGED, GBA_E_NC, true},
    {"no nc", no_nc, UB_CHALLENGED, GBA_E_NC, true},
    {"another realm", spoil_realm, UB_CHALLENGED, GBA_E_BINDING, true},
    {"another opaque", spoil_opaque, UB_CHALLENGED, GBA_E_BINDING, true},
    {"no opaque", no_opaque, UB_CHALLENGED, GBA_E_BINDING, true},
    {"no algorithm", no_algorithm, UB_CHALLENGED, GBA_E_BINDING, true},
    {"another uri", spoil_uri, UB_CHALLENGED, GBA_E_BINDING, true},
    {"uri of another host", foreign_uri, UB_CHALLENGED, GBA_E_BINDING, true},
    {"uri of another scheme", ftp_uri, UB_CHALLENGED, GBA_E_BINDING, true},
    {"another AUTN in the nonce", spoil_autn, UB_CHALLENGED, GBA_E_BINDING, true},
    {"unknown nonce", unknown_nonce, UB_CHALLENGED, GBA_E_NONCE, false},
    {"a nonce that is none", no_nonce_of_ours, UB_CHALLENGED, GBA_E_NONCE, false},
    {"another subscriber's nonce", other_username, UB_CHALLENGED, GBA_E_NONCE, false},
    {"no cnonce", no_cnonce, UB_REFUSED, GBA_E_MISSING, false},
    {"no response", no_response, UB_REFUSED, GBA_E_MISSING, false},
    {"response not hexadecimal", no_hex, UB_REFUSED, GBA_E_SYNTAX, false},
    {"empty response: MAC failure", no_answer, UB_REFUSED, GBA_E_UE_MAC_FAILURE, false},
    {"empty response of another realm", no_answer_elsewhere, UB_CHALLENGED, GBA_E_BINDING,
     true},
    {"empty response, another opaque", no_answer_forged, UB_CHALLENGED, GBA_E_BINDING, true},
    {"AUTS that does not verify", bad_auts, UB_REFUSED, GBA_E_AUTS, false},
    {"AUTS too short", short_auts, UB_REFUSED, GBA_E_SYNTAX, false},
};

static void test_answers(void)
{
    for (size_t i = 0; i < SIZE(answers); i++) {
        struct lab_result first, r;
        struct lab_ue ue, again;
        struct store_stats st;
        struct lab l;

        lab_init(&l);
        l.policy.repeat_window_ms = 0; /* so that fresh means fresh */
        lab_open(&l);
        lab_first(&l, LAB_IMPI, &first);
        CU_ASSERT_FATAL(lab_ue_take(&l, &ue, LAB_IMPI, &first));
        answers[i].spoil(&ue);
        lab_ue_answer(&l, &ue, &r);
        if (r.answer.verdict != answers[i].verdict || r.answer.reason != answers[i].reason)
            printf("\n    %s: verdict %d, %s\n", answers[i].name, r.answer.verdict,
                   gba_err_name(r.answer.reason));
        CU_ASSERT_EQUAL(r.answer.verdict, answers[i].verdict);
        CU_ASSERT_EQUAL(r.answer.reason, answers[i].reason);
        if (r.answer.verdict == UB_CHALLENGED)
            CU_ASSERT_EQUAL(strcmp(r.answer.field, first.answer.field) == 0, answers[i].same);
        l.store->stats(l.store, &st);
        CU_ASSERT_EQUAL(st.sessions, r.answer.verdict == UB_BOOTSTRAPPED);
        /* but for the MAC failure a forger has not killed the run */
        if (r.answer.verdict != UB_BOOTSTRAPPED) {
            enum gba_err reason = r.answer.reason;

            CU_ASSERT_FATAL(lab_ue_take(&l, &again, LAB_IMPI, &first));
            lab_ue_answer(&l, &again, &r);
            CU_ASSERT_EQUAL(r.answer.verdict,
                            reason == GBA_E_UE_MAC_FAILURE ? UB_CHALLENGED : UB_BOOTSTRAPPED);
        }
        lab_close(&l);
    }
}

/* The longest cnonce, every octet of it escaped on the way back too. */
static void test_long_cnonce(void)
{
    static char plain[UB_CNONCE_MAX + 1], escaped[2 * UB_CNONCE_MAX + 1];
    char response[GBA_DIGEST_HEX_SIZE];
    struct gba_digest_input in;
    struct lab_result first, r;
    struct lab_ue ue;
    struct lab l;

    lab_init(&l);
    lab_open(&l);
    lab_first(&l, LAB_IMPI, &first);
    CU_ASSERT_FATAL(lab_ue_take(&l, &ue, LAB_IMPI, &first));
    memset(plain, '\\', UB_CNONCE_MAX);
    memset(escaped, '\\', 2 * UB_CNONCE_MAX);
    in = (struct gba_digest_input){.algorithm = GBA_DIGEST_AKAV1_MD5,
                                   .qop = GBA_QOP_AUTH_INT,
                                   .username = gba_text(LAB_IMPI),
                                   .realm = gba_text(ue.realm),
                                   .method = gba_text(ue.method),
                                   .uri = gba_text(ue.uri),
                                   .nonce = gba_text(ue.nonce),
                                   .nc = GBA_TEXT("00000001"),
                                   .cnonce = gba_text(plain),
                                   .password = {ue.res, ue.res_len}};
    gba_digest_response(&in, response);
    ue.cnonce = escaped;
    ue.response = response;
    lab_ue_answer(&l, &ue, &r);
    CU_ASSERT_EQUAL(r.answer.verdict, UB_BOOTSTRAPPED);
    CU_ASSERT_PTR_NOT_NULL(strstr(r.answer.field, escaped));
    lab_close(&l);
}

static void test_target_forms(void)
{
    static const struct {
        const char *target, *uri;
        enum ub_verdict verdict;
    } rows[] = {
        {"/", "/", UB_BOOTSTRAPPED},
        {"http://" LAB_BSF "/", "/", UB_BOOTSTRAPPED},
        {"http://" LAB_BSF, "http://" LAB_BSF "/", UB_BOOTSTRAPPED},
        {"http://" LAB_BSF, "/", UB_BOOTSTRAPPED},
        {"/?x=1", "/?x=1", UB_BOOTSTRAPPED},
        {"/?x=1", "/", UB_CHALLENGED},
        {"/", "/?x=1", UB_CHALLENGED},
    };

    for (size_t i = 0; i < SIZE(rows); i++) {
        struct ub_request rq = {.n_authorization = 1,
                                .method = GBA_TEXT("GET"),
                                .target = gba_text(rows[i].target),
                                .host = GBA_TEXT("other.example")};
        struct lab_result r;
        char field[4096];
        struct lab_ue ue;
        struct lab l;

        lab_init(&l);
        lab_open(&l);
        lab_first(&l, LAB_IMPI, &r);
        CU_ASSERT_FATAL(lab_ue_take(&l, &ue, LAB_IMPI, &r));
        ue.uri = rows[i].uri;
        lab_ue_print(&ue, field, sizeof(field));
        rq.authorization = gba_text(field);
        lab_request(&l, &rq, &r);
        CU_ASSERT_EQUAL(r.answer.verdict, rows[i].verdict);
        lab_close(&l);
    }
}

/* RES is octets: 00 and ':' in it are nothing special (RFC 3310 3.3). */
static void test_username_forms(void)
{
    static const struct {
        const char *name;
        enum bsf_username kind;
    } rows[] = {
        {LAB_IMPI, BSF_USERNAME_IMPI},
        {"2rBy9bL8T/1NFq7GP5vqj0H26PadfXr8@tmpi.bsf.3gppnetwork.org", BSF_USERNAME_TMPI},
        {"nobody", BSF_USERNAME_STRANGER},
        {"@", BSF_USERNAME_STRANGER},
        {"a\nb@c", BSF_USERNAME_MALFORMED},
        {"a\xff@c", BSF_USERNAME_MALFORMED},
    };

    for (size_t i = 0; i < SIZE(rows); i++)
        CU_ASSERT_EQUAL(bsf_username_kind(gba_text(rows[i].name)), rows[i].kind);
}

static void test_tmpi_token(void)
{
    static const struct {
        const char *agent;
        bool knows;
    } rows[] = {
        {"3gpp-gba-tmpi", true},
        {"Bootstrapping Client Agent; Release-6; 3gpp-gba-tmpi", true},
        {"x/1.0 3GPP-GBA-TMPI y", true},
        {"3gpp-gba", false},
        {"3gpp-gba-tmpi-not", false},
        {"x3gpp-gba-tmpi", false},
        {"agent/1.0 (not 3gpp-gba-tmpi)", false},
        {"", false},
    };

    for (size_t i = 0; i < SIZE(rows); i++)
        CU_ASSERT_EQUAL(bsf_knows_tmpi(gba_text(rows[i].agent)), rows[i].knows);
}

static const struct unit_test tests[] = {
    {"pairs not listed are refused", test_pairs_not_listed_are_refused},
    {"waiting states take every answer", test_waiting_states_take_every_answer},
    {"states wait for what was done", test_states_wait_for_what_was_done},
    {"errors of ports end the run", test_port_errors_end_the_run},
    {"unreadable requests", test_unreadable_requests},
    {"forms of the first request", test_first_request_forms},
    {"BSF name by Host", test_name_by_host},
    {"a bootstrap", test_bootstrap},
    {"answers by table", test_answers},
    {"the longest cnonce", test_long_cnonce},
    {"forms of the target", test_target_forms},
    {"forms of a username", test_username_forms},
    {"token for TMPIs", test_tmpi_token},
};
UNIT_MAIN("ub", tests)
