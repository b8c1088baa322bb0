/*
 * common/digest_aka.c: nonce, passwords and auts, over TS 35.208 test set 1 and RFC 3310's
 * and RFC 4169's rules.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <string.h>

#include "common/digest_aka.h"

static struct gba_av set1(void)
{
    struct gba_av av = {.res_len = 8};

    gba_unhex_exact(av.rand, 16, GBA_TEXT("23553cbe9637a89d218ae64dae47bf35"));
    gba_unhex_exact(av.autn, 16, GBA_TEXT("55f328b43577b9b94a9ffac354dfafb3"));
    gba_unhex_exact(av.res, 8, GBA_TEXT("a54211d5e3ba50bf"));
    gba_unhex_exact(av.ck, 16, GBA_TEXT("b40ba9a3c58b2a05bbf0d987b21bf8cb"));
    gba_unhex_exact(av.ik, 16, GBA_TEXT("f769bcd751044604127672711c6d3441"));
    return av;
}

static void test_nonce(void)
{
    const struct gba_av av = set1();
    char nonce[GBA_AKA_NONCE_SIZE];
    uint8_t rand[16], autn[16];

    gba_aka_nonce(av.rand, av.autn, nonce);
    CU_ASSERT_STRING_EQUAL(nonce, "I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7M=");
    CU_ASSERT_EQUAL(gba_aka_nonce_parse(gba_text(nonce), rand, autn), GBA_OK);
    UNIT_BYTES_EQ(rand, 16, "23553cbe9637a89d218ae64dae47bf35");
    UNIT_BYTES_EQ(autn, 16, "55f328b43577b9b94a9ffac354dfafb3");
}

/* RFC 3310 3.2: server data may follow.  Every length from 0 to past the limit. */
static void test_nonce_lengths(void)
{
    uint8_t octets[200], rand[16], autn[16];
    char nonce[GBA_BASE64_LEN(200) + 1];

    for (size_t i = 0; i < sizeof(octets); i++)
        octets[i] = (uint8_t)(i * 7);
    for (size_t n = 0; n <= sizeof(octets); n++) {
        enum gba_err err;

        gba_base64(nonce, (struct gba_bytes){octets, n});
        err = gba_aka_nonce_parse(gba_text(nonce), rand, autn);
        CU_ASSERT_EQUAL(err, n < 32                                  ? GBA_E_SYNTAX
                             : GBA_BASE64_LEN(n) > GBA_AKA_NONCE_MAX ? GBA_E_TOO_LONG
                                                                     : GBA_OK);
        if (err == GBA_OK) {
            CU_ASSERT_EQUAL(memcmp(rand, octets, 16), 0);
            CU_ASSERT_EQUAL(memcmp(autn, octets + 16, 16), 0);
        }
    }
}

static void test_nonce_refused(void)
{
    static const char *const rows[] = {
        "",
        "I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfrw==", /* 31 octets */
        "I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7M",  /* no padding */
        "I1U8vpY3qJ0hiuZNrke_NVXzKLQ1d7m5Sp_6w1Tfr7M=", /* base64url */
        "I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7N=", /* unused bits */
        "I1U8vpY3qJ0hiuZNrke/ NVXzKLQ1d7m5Sp/6w1Tfr7M=",
        "23553cbe9637a89d218ae64dae47bf3555f328b43577b9b94a9ffac354dfafb!",
    };
    uint8_t rand[16], autn[16];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CU_ASSERT_EQUAL(gba_aka_nonce_parse(gba_text(rows[i]), rand, autn), GBA_E_SYNTAX);
}

static void test_akav1_password(void)
{
    static const enum gba_digest_algorithm a[] = {
        GBA_DIGEST_AKAV1_MD5, GBA_DIGEST_AKAV1_MD5_SESS, GBA_DIGEST_AKAV1_SHA256};
    struct gba_av av = set1();
    uint8_t out[GBA_AKA_PASSWORD_MAX];
    size_t n;

    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(gba_aka_password(a[i], &av, out, &n), GBA_OK);
        UNIT_BYTES_EQ(out, n, "a54211d5e3ba50bf");
    }
    av.res_len = 16;
    memcpy(av.res, "\0:\0:\0:\0:\0:\0:\0:\0:", 16);
    CU_ASSERT_EQUAL(gba_aka_password(GBA_DIGEST_AKAV1_MD5, &av, out, &n), GBA_OK);
    UNIT_BYTES_EQ(out, n, "003a003a003a003a003a003a003a003a");
    av.res_len = 17;
    CU_ASSERT_EQUAL(gba_aka_password(GBA_DIGEST_AKAV1_MD5, &av, out, &n), GBA_E_ARGUMENT);
    CU_ASSERT_EQUAL(n, 0);
}

static void test_akav2_password(void)
{
    static const struct {
        enum gba_digest_algorithm a;
        const char *password;
    } rows[] = {
        {GBA_DIGEST_AKAV2_MD5, "shzt3q8CWaZnCAWqs3WmEQ=="},
        {GBA_DIGEST_AKAV2_MD5_SESS, "shzt3q8CWaZnCAWqs3WmEQ=="},
        {GBA_DIGEST_AKAV2_SHA256, "wpC+5dv/7kC35JEI2hluv8XcBd+vf8XcfedJBan1buk="},
        {GBA_DIGEST_AKAV2_SHA512_256, "no5hYBM+YClv3o/+t+DPR6AGuLzWwpYut4Bsyg8pH8Q="},
    };
    const struct gba_av av = set1();
    uint8_t out[GBA_AKA_PASSWORD_MAX];
    size_t n;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CU_ASSERT_EQUAL(gba_aka_password(rows[i].a, &av, out, &n), GBA_OK);
        CU_ASSERT(gba_text_is((struct gba_text){(const char *)out, n}, rows[i].password));
    }
    CU_ASSERT_EQUAL(gba_aka_password(GBA_DIGEST_MD5, &av, out, &n), GBA_E_ALGORITHM);
    CU_ASSERT_EQUAL(gba_aka_password(GBA_DIGEST_SHA256, &av, out, &n), GBA_E_ALGORITHM);
}

static void test_auts(void)
{
    uint8_t auts[GBA_AUTS_LEN];
    char text[21];
    static const char *const refused[] = {"",
                                          "RR6L7KfaQwbvTCYZDw==",
                                          "RR6L7KfaQwbvTCYZDwAA",
                                          "RR6L7KfaQwbvTCYZDwA",
                                          "RR6L7KfaQwbvTCYZDwA=RR6L",
                                          "RR6L7KfaQwbvTCYZDwB="};

    CU_ASSERT_EQUAL(gba_auts_parse(GBA_TEXT("RR6L7KfaQwbvTCYZDwA="), auts), GBA_OK);
    UNIT_BYTES_EQ(auts, sizeof(auts), "451e8beca7da4306ef4c26190f00");
    gba_auts_print(auts, text);
    CU_ASSERT_STRING_EQUAL(text, "RR6L7KfaQwbvTCYZDwA=");
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        CU_ASSERT_EQUAL(gba_auts_parse(gba_text(refused[i]), auts), GBA_E_SYNTAX);
    UNIT_BYTES_EQ(auts, sizeof(auts), "451e8beca7da4306ef4c26190f00"); /* untouched */
}

/* The second request of a run over test set 1, from nonce to response and rspauth. */
static void test_whole_response(void)
{
    const struct gba_av av = set1();
    uint8_t password[GBA_AKA_PASSWORD_MAX];
    struct gba_digest_input in = {
        .algorithm = GBA_DIGEST_AKAV1_MD5,
        .qop = GBA_QOP_AUTH_INT,
        .username = GBA_TEXT("234150999999999@ims.mnc015.mcc234.3gppnetwork.org"),
        .realm = GBA_TEXT("bsf.mnc015.mcc234.pub.3gppnetwork.org"),
        .method = GBA_TEXT("GET"),
        .uri = GBA_TEXT("/"),
        .nonce = GBA_TEXT("I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7M="),
        .nc = GBA_TEXT("00000001"),
        .cnonce = GBA_TEXT("6629fae49393a05397450978507c4ef1"),
    };
    char out[GBA_DIGEST_HEX_SIZE];

    CU_ASSERT_EQUAL(gba_aka_password(in.algorithm, &av, password, &in.password.n), GBA_OK);
    in.password.p = password;
    gba_digest_response(&in, out);
    CU_ASSERT_STRING_EQUAL(out, "3f50dfd8bc19b14a59fc97a9f674d9ab");
    in.password.n = 0; /* the resynchronisation's */
    gba_digest_response(&in, out);
    CU_ASSERT_STRING_EQUAL(out, "205e094f2de210018399f0f1c323cd05");
    in.algorithm = GBA_DIGEST_AKAV2_SHA256;
    CU_ASSERT_EQUAL(gba_aka_password(in.algorithm, &av, password, &in.password.n), GBA_OK);
    gba_digest_response(&in, out);
    CU_ASSERT_STRING_EQUAL(out,
                           "a11393e2445b56991d1d42c556bbfa4702b8b6c7c8a6fd98aa388d65227edd73");
}

static const struct unit_test tests[] = {
    {"nonce", test_nonce},
    {"nonce of any length", test_nonce_lengths},
    {"nonces refused", test_nonce_refused},
    {"AKAv1 password", test_akav1_password},
    {"AKAv2 password", test_akav2_password},
    {"auts", test_auts},
    {"a whole response", test_whole_response},
};
UNIT_MAIN("digest_aka", tests)
