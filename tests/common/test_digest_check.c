/*
 * common/digest_check.c: every parameter in every message, present and absent, and the forms.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <string.h>

#include "common/digest.h"

/* A right message of each kind with all it may carry but what would change its kind. */
static const char *const whole[GBA_DIGEST_N_MESSAGES] = {
    [GBA_DIGEST_UB_FIRST] = "Digest username=\"u\", realm=\"r\", nonce=\"\", uri=\"/\", "
                            "response=\"\"",
    [GBA_DIGEST_UB_CHALLENGE] = "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\", "
                                "algorithm=AKAv1-MD5",
    [GBA_DIGEST_UB_RESPONSE] = "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"/\", "
                               "qop=auth-int, nc=00000001, "
                               "cnonce=\"c\", response=\"f7d07d6ee5f68bf5321b54e9eb958134\"",
    [GBA_DIGEST_UB_RESYNC] =
        "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"/\", qop=auth-int, "
        "nc=00000001, "
        "cnonce=\"c\", response=\"f7d07d6ee5f68bf5321b54e9eb958134\", auts=\"a\"",
    [GBA_DIGEST_UA_CHALLENGE] = "Digest realm=\"r\", nonce=\"n\"",
    [GBA_DIGEST_UA_RESPONSE] = "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"/\", "
                               "qop=auth-int, nc=00000001, "
                               "cnonce=\"c\", response=\"f7d07d6ee5f68bf5321b54e9eb958134\"",
    [GBA_DIGEST_INFO] = "rspauth=\"f7d07d6ee5f68bf5321b54e9eb958134\"",
};

static void read_message(enum gba_digest_message m, struct gba_digest *d)
{
    struct gba_text field = gba_text(whole[m]);

    CU_ASSERT_EQUAL((m == GBA_DIGEST_INFO ? gba_digest_parse_info : gba_digest_parse)(field, d),
                    GBA_OK);
}

/* TS 24.109 A.3, A.4; RFC 3310 3; RFC 7616 3.3-3.5.  One line a parameter, one letter a
 * message:
 * '!' must, 'o' may, '-' must not; the whole messages above carry qop in the answers. */
static const char matrix[GBA_DIGEST_N_PARAMS][GBA_DIGEST_N_MESSAGES + 1] = {
    [GBA_DIGEST_USERNAME] = "!-!!-!-", [GBA_DIGEST_REALM] = "!!!!!!o",
    [GBA_DIGEST_NONCE] = "!!!!!!o",    [GBA_DIGEST_URI] = "!-!!-!-",
    [GBA_DIGEST_RESPONSE] = "!-!!-!-", [GBA_DIGEST_ALGORITHM] = "o!ooooo",
    [GBA_DIGEST_CNONCE] = "o-!!-!o",   [GBA_DIGEST_OPAQUE] = "ooooooo",
    [GBA_DIGEST_QOP] = "o!ooooo",      [GBA_DIGEST_NC] = "o-!!-!o",
    [GBA_DIGEST_AUTS] = "---!---",     [GBA_DIGEST_STALE] = "-o--o--",
    [GBA_DIGEST_DOMAIN] = "-o--o--",   [GBA_DIGEST_NEXTNONCE] = "------o",
    [GBA_DIGEST_RSPAUTH] = "------o",  [GBA_DIGEST_USERHASH] = "oooooo-",
    [GBA_DIGEST_CHARSET] = "oooooo-",
};

/* A value of right form for a parameter that is put where it was not. */
static struct gba_text sample(enum gba_digest_param p, enum gba_digest_message m)
{
    if (p == GBA_DIGEST_NC)
        return GBA_TEXT("00000001");
    if (p == GBA_DIGEST_RSPAUTH || p == GBA_DIGEST_RESPONSE)
        return GBA_TEXT("f7d07d6ee5f68bf5321b54e9eb958134");
    return p == GBA_DIGEST_NONCE && m == GBA_DIGEST_UB_FIRST ? GBA_TEXT("") : GBA_TEXT("x");
}

static void test_matrix(void)
{
    for (size_t m = 0; m < GBA_DIGEST_N_MESSAGES; m++) {
        enum gba_digest_message message = (enum gba_digest_message)m;

        for (size_t p = 0; p < GBA_DIGEST_N_PARAMS; p++) {
            enum gba_digest_param param = (enum gba_digest_param)p, which;
            char rule = matrix[p][m];
            struct gba_digest d;

            read_message(message, &d);
            CU_ASSERT_EQUAL(gba_digest_check(&d, message, &which), GBA_OK);
            d.p[p].present = false;
            if (gba_digest_check(&d, message, &which) != (rule == '!' ? GBA_E_MISSING : GBA_OK))
                printf("\n%s absent from message %zu\n", gba_digest_param_name(param), m);
            CU_ASSERT_EQUAL(gba_digest_check(&d, message, &which),
                            rule == '!' ? GBA_E_MISSING : GBA_OK);
            CU_ASSERT(rule != '!' || which == param);
            d.p[p].present = true;
            d.p[p].value = sample(param, message);
            if (gba_digest_check(&d, message, &which) != (rule == '-' ? GBA_E_SYNTAX : GBA_OK))
                printf("\n%s in message %zu\n", gba_digest_param_name(param), m);
            CU_ASSERT_EQUAL(gba_digest_check(&d, message, &which),
                            rule == '-' ? GBA_E_SYNTAX : GBA_OK);
            CU_ASSERT(rule != '-' || which == param);
        }
    }
}

/* RFC 7616 3.4: nc and cnonce go with qop.  Without qop they are not missed here: its absence
 * is the answer's own error (GBA_E_QOP) and the caller's. */
static void test_qop_brings_nc_and_cnonce(void)
{
    static const enum gba_digest_message answers[] = {
        GBA_DIGEST_UB_RESPONSE, GBA_DIGEST_UB_RESYNC, GBA_DIGEST_UA_RESPONSE};

    for (size_t i = 0; i < 3; i++) {
        struct gba_digest d;
        enum gba_digest_param which;

        read_message(answers[i], &d);
        d.p[GBA_DIGEST_NC].present = d.p[GBA_DIGEST_CNONCE].present = false;
        CU_ASSERT_EQUAL(gba_digest_check(&d, answers[i], &which), GBA_E_MISSING);
        CU_ASSERT_EQUAL(which, GBA_DIGEST_CNONCE);
        d.p[GBA_DIGEST_QOP].present = false;
        CU_ASSERT_EQUAL(gba_digest_check(&d, answers[i], &which), GBA_OK);
    }
}

static void test_forms(void)
{
    static const struct {
        enum gba_digest_message m;
        enum gba_digest_param p;
        const char *value;
        enum gba_err err;
    } rows[] = {
        {GBA_DIGEST_UB_FIRST, GBA_DIGEST_NONCE, "n", GBA_E_SYNTAX},
        {GBA_DIGEST_UB_RESPONSE, GBA_DIGEST_NONCE, "", GBA_E_SYNTAX},
        {GBA_DIGEST_UB_CHALLENGE, GBA_DIGEST_NONCE, "", GBA_E_SYNTAX},
        {GBA_DIGEST_UB_RESPONSE, GBA_DIGEST_NC, "1", GBA_E_SYNTAX},
        {GBA_DIGEST_UB_RESPONSE, GBA_DIGEST_NC, "000000001", GBA_E_SYNTAX},
        {GBA_DIGEST_UB_RESPONSE, GBA_DIGEST_NC, "0000000g", GBA_E_SYNTAX},
        {GBA_DIGEST_UB_RESPONSE, GBA_DIGEST_NC, "", GBA_E_SYNTAX},
        {GBA_DIGEST_UB_RESPONSE, GBA_DIGEST_NC, "0000000A", GBA_OK},
        {GBA_DIGEST_UA_RESPONSE, GBA_DIGEST_NC, "0000001f", GBA_OK},
        {GBA_DIGEST_UB_RESPONSE, GBA_DIGEST_RESPONSE, "", GBA_OK}, /* the UE's MAC failure */
        {GBA_DIGEST_UA_RESPONSE, GBA_DIGEST_RESPONSE, "", GBA_E_SYNTAX},
        {GBA_DIGEST_UB_RESPONSE, GBA_DIGEST_RESPONSE, "F7D07D6EE5F68BF5321B54E9EB958134",
         GBA_OK},
        {GBA_DIGEST_UB_RESPONSE, GBA_DIGEST_RESPONSE, "f7d07d6ee5f68bf5321b54e9eb95813",
         GBA_E_SYNTAX},
        {GBA_DIGEST_UB_RESPONSE, GBA_DIGEST_RESPONSE, "f7d07d6ee5f68bf5321b54e9eb95813x",
         GBA_E_SYNTAX},
        {GBA_DIGEST_UB_RESPONSE, GBA_DIGEST_RESPONSE, "x7d07d6ee5f68bf5321b54e9eb958134",
         GBA_E_SYNTAX},
        {GBA_DIGEST_UB_RESPONSE, GBA_DIGEST_RESPONSE, "f7d0", GBA_E_SYNTAX},
        {GBA_DIGEST_UA_RESPONSE, GBA_DIGEST_RESPONSE,
         "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", GBA_OK},
        /* RFC 3310 3.4: beside auts the response is not looked at */
        {GBA_DIGEST_UB_RESYNC, GBA_DIGEST_RESPONSE, "", GBA_OK},
        {GBA_DIGEST_UB_RESYNC, GBA_DIGEST_RESPONSE, "none", GBA_OK},
        {GBA_DIGEST_INFO, GBA_DIGEST_RSPAUTH, "", GBA_E_SYNTAX},
        {GBA_DIGEST_INFO, GBA_DIGEST_RSPAUTH, "zz", GBA_E_SYNTAX},
        {GBA_DIGEST_INFO, GBA_DIGEST_NC, "1", GBA_E_SYNTAX},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_digest d;
        enum gba_digest_param which = GBA_DIGEST_N_PARAMS;
        enum gba_err err;

        read_message(rows[i].m, &d);
        d.p[rows[i].p].present = true;
        d.p[rows[i].p].value = gba_text(rows[i].value);
        err = gba_digest_check(&d, rows[i].m, &which);
        if (err != rows[i].err)
            printf("\nrow %zu: %s\n", i, gba_err_name(err));
        CU_ASSERT_EQUAL(err, rows[i].err);
        CU_ASSERT_EQUAL(which, err == GBA_OK ? GBA_DIGEST_N_PARAMS : rows[i].p);
    }
    struct gba_digest d;
    enum gba_digest_param which;
    read_message(GBA_DIGEST_INFO, &d);
    CU_ASSERT_EQUAL(gba_digest_check(&d, GBA_DIGEST_N_MESSAGES, &which), GBA_E_ARGUMENT);
}

static const struct unit_test tests[] = {
    {"parameter by message", test_matrix},
    {"qop brings nc and cnonce", test_qop_brings_nc_and_cnonce},
    {"forms", test_forms},
};
UNIT_MAIN("digest_check", tests)
