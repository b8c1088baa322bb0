/*
 * common/digest_calc.c: published responses (RFC 2617, RFC 7616), each qop, -sess, rspauth,
 * binary passwords, and the comparison.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <string.h>

#include "common/digest.h"

/* RFC 2617 3.5. */
static const struct gba_digest_input mufasa = {
    .algorithm = GBA_DIGEST_MD5,
    .qop = GBA_QOP_AUTH,
    .username = {"Mufasa", 6},
    .realm = {"testrealm@host.com", 18},
    .method = {"GET", 3},
    .uri = {"/dir/index.html", 15},
    .nonce = {"dcd98b7102dd2f0e8b11d0f600bfb0c093", 34},
    .nc = {"00000001", 8},
    .cnonce = {"0a4f113b", 8},
    .password = {(const uint8_t *)"Circle Of Life", 14},
};

static void test_rfc2617(void)
{
    char out[GBA_DIGEST_HEX_SIZE];

    gba_digest_ha1(&mufasa, out);
    CU_ASSERT_STRING_EQUAL(out, "939e7578ed9e3c518a452acee763bce9");
    gba_digest_ha2(&mufasa, out);
    CU_ASSERT_STRING_EQUAL(out, "39aff3a2bab6126f332b942af96d3366");
    gba_digest_response(&mufasa, out);
    CU_ASSERT_STRING_EQUAL(out, "6629fae49393a05397450978507c4ef1");
}

static void test_rfc7616(void)
{
    struct gba_digest_input in = mufasa;
    char out[GBA_DIGEST_HEX_SIZE];

    in.realm = GBA_TEXT("http-auth@example.org");
    in.nonce = GBA_TEXT("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v");
    in.cnonce = GBA_TEXT("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
    in.password = gba_text_bytes(GBA_TEXT("Circle of Life"));
    gba_digest_response(&in, out);
    CU_ASSERT_STRING_EQUAL(out, "8ca523f5e9506fed4657c9700eebdbec");
    in.algorithm = GBA_DIGEST_SHA256;
    gba_digest_response(&in, out);
    CU_ASSERT_STRING_EQUAL(out,
                           "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

/* RFC 7616 3.9.2 with erratum 4897. */
static void test_sha512_256(void)
{
    const struct gba_digest_input in = {
        .algorithm = GBA_DIGEST_SHA512_256,
        .qop = GBA_QOP_AUTH,
        .username = gba_text("J\xc3\xa4s\xc3\xb8n Doe"),
        .realm = GBA_TEXT("api@example.org"),
        .method = GBA_TEXT("GET"),
        .uri = GBA_TEXT("/doe.json"),
        .nonce = GBA_TEXT("5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK"),
        .nc = GBA_TEXT("00000001"),
        .cnonce = GBA_TEXT("NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v"),
        .password = gba_text_bytes(GBA_TEXT("Secret, or not?")),
    };
    char out[GBA_DIGEST_HEX_SIZE];

    gba_digest_response(&in, out);
    CU_ASSERT_STRING_EQUAL(out,
                           "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5");
}

static void hex_of(enum gba_hash h, const char *text, char out[static GBA_DIGEST_HEX_SIZE])
{
    const struct gba_bytes part = gba_text_bytes(gba_text(text));
    uint8_t digest[GBA_HASH_MAX];

    gba_hash(h, &part, 1, digest);
    gba_hex(out, (struct gba_bytes){digest, gba_hash_len(h)});
}

/* The formulas of RFC 7616 3.4.2, 3.4.3 and 3.5, put together as text. */
static void test_formulas(void)
{
    struct gba_digest_input in = mufasa;
    char want[GBA_DIGEST_HEX_SIZE], out[GBA_DIGEST_HEX_SIZE];

    in.algorithm = GBA_DIGEST_MD5_SESS;
    hex_of(GBA_MD5,
           "939e7578ed9e3c518a452acee763bce9:dcd98b7102dd2f0e8b11d0f600bfb0c093:0a4f113b",
           want);
    gba_digest_ha1(&in, out);
    CU_ASSERT_STRING_EQUAL(out, want);

    in = mufasa;
    in.qop = GBA_QOP_AUTH_INT;
    in.body = gba_text_bytes(GBA_TEXT("hello"));
    hex_of(GBA_MD5, "GET:/dir/index.html:5d41402abc4b2a76b9719d911017c592", want);
    gba_digest_ha2(&in, out);
    CU_ASSERT_STRING_EQUAL(out, want);
    in.body = (struct gba_bytes){NULL, 0};
    hex_of(GBA_MD5, "GET:/dir/index.html:d41d8cd98f00b204e9800998ecf8427e", want);
    gba_digest_ha2(&in, out);
    CU_ASSERT_STRING_EQUAL(out, want);

    in.method = GBA_TEXT("");
    hex_of(GBA_MD5, ":/dir/index.html:d41d8cd98f00b204e9800998ecf8427e", want);
    gba_digest_ha2(&in, out);
    CU_ASSERT_STRING_EQUAL(out, want);

    in = mufasa;
    in.qop = GBA_QOP_NONE;
    hex_of(GBA_MD5,
           "939e7578ed9e3c518a452acee763bce9:dcd98b7102dd2f0e8b11d0f600bfb0c093:"
           "39aff3a2bab6126f332b942af96d3366",
           want);
    gba_digest_response(&in, out);
    CU_ASSERT_STRING_EQUAL(out, want);
}

/* RFC 3310 3.3: the password is RES, octet by octet; 00 ends nothing and ':' parts nothing. */
static void test_binary_password(void)
{
    static const uint8_t res[8] = {0x00, ':', 0x00, '"', '\\', 0xff, 0x0a, 0x00};
    struct gba_digest_input in = mufasa;
    const struct gba_bytes part[] = {gba_text_bytes(GBA_TEXT("Mufasa:testrealm@host.com:")),
                                     GBA_BYTES(res)};
    uint8_t digest[GBA_HASH_MAX];
    char out[GBA_DIGEST_HEX_SIZE], other[GBA_DIGEST_HEX_SIZE];

    in.algorithm = GBA_DIGEST_AKAV1_MD5;
    in.password = GBA_BYTES(res);
    gba_hash(GBA_MD5, part, 2, digest);
    gba_digest_ha1(&in, out);
    UNIT_BYTES_EQ(digest, 16, out);
    in.password.n = 7;
    gba_digest_ha1(&in, other);
    CU_ASSERT_STRING_NOT_EQUAL(out, other);
}

static void test_verify(void)
{
    struct gba_digest_input in = mufasa;
    char response[] = "6629fae49393a05397450978507c4ef1";

    CU_ASSERT(gba_digest_verify(&in, gba_text(response)));
    CU_ASSERT(gba_digest_verify(&in, GBA_TEXT("6629FAE49393A05397450978507C4EF1")));
    CU_ASSERT(!gba_digest_verify(&in, GBA_TEXT("")));
    CU_ASSERT(!gba_digest_verify(&in, GBA_TEXT("6629fae49393a05397450978507c4ef")));
    CU_ASSERT(!gba_digest_verify(&in, GBA_TEXT("6629fae49393a05397450978507c4ef1f1")));
    CU_ASSERT(!gba_digest_verify(&in, GBA_TEXT("6629fae49393a05397450978507c4eg1")));
    for (size_t i = 0; i < strlen(response); i++) {
        char was = response[i];

        response[i] = was == '0' ? '1' : '0';
        CU_ASSERT(!gba_digest_verify(&in, gba_text(response)));
        response[i] = was;
    }
    in.algorithm = GBA_DIGEST_SHA256;
    CU_ASSERT(!gba_digest_verify(&in, gba_text(response)));
}

/* Each input counts: another value of any of them is another response. */
static void test_every_input_counts(void)
{
    struct gba_digest_input base = mufasa;
    char first[GBA_DIGEST_HEX_SIZE];

    base.qop = GBA_QOP_AUTH_INT;
    gba_digest_response(&base, first);
    for (int i = 0; i < 10; i++) {
        struct gba_digest_input in = base;
        struct gba_text *const texts[] = {&in.username, &in.realm, &in.method, &in.uri,
                                          &in.nonce,    &in.nc,    &in.cnonce};

        if (i < 7)
            texts[i]->n--;
        else if (i == 7)
            in.password.n--;
        else if (i == 8)
            in.body = gba_text_bytes(GBA_TEXT("x"));
        else
            in.qop = GBA_QOP_AUTH;
        CU_ASSERT(!gba_digest_verify(&in, gba_text(first)));
    }
}

static const struct {
    enum gba_digest_algorithm a;
    const char *name;
    enum gba_hash hash;
    bool session;
    unsigned aka;
} algorithms[] = {
    {GBA_DIGEST_MD5, "MD5", GBA_MD5, false, 0},
    {GBA_DIGEST_MD5_SESS, "MD5-sess", GBA_MD5, true, 0},
    {GBA_DIGEST_SHA256, "SHA-256", GBA_SHA256, false, 0},
    {GBA_DIGEST_SHA256_SESS, "SHA-256-sess", GBA_SHA256, true, 0},
    {GBA_DIGEST_SHA512_256, "SHA-512-256", GBA_SHA512_256, false, 0},
    {GBA_DIGEST_SHA512_256_SESS, "SHA-512-256-sess", GBA_SHA512_256, true, 0},
    {GBA_DIGEST_AKAV1_MD5, "AKAv1-MD5", GBA_MD5, false, 1},
    {GBA_DIGEST_AKAV1_MD5_SESS, "AKAv1-MD5-sess", GBA_MD5, true, 1},
    {GBA_DIGEST_AKAV1_SHA256, "AKAv1-SHA-256", GBA_SHA256, false, 1},
    {GBA_DIGEST_AKAV1_SHA256_SESS, "AKAv1-SHA-256-sess", GBA_SHA256, true, 1},
    {GBA_DIGEST_AKAV1_SHA512_256, "AKAv1-SHA-512-256", GBA_SHA512_256, false, 1},
    {GBA_DIGEST_AKAV1_SHA512_256_SESS, "AKAv1-SHA-512-256-sess", GBA_SHA512_256, true, 1},
    {GBA_DIGEST_AKAV2_MD5, "AKAv2-MD5", GBA_MD5, false, 2},
    {GBA_DIGEST_AKAV2_MD5_SESS, "AKAv2-MD5-sess", GBA_MD5, true, 2},
    {GBA_DIGEST_AKAV2_SHA256, "AKAv2-SHA-256", GBA_SHA256, false, 2},
    {GBA_DIGEST_AKAV2_SHA256_SESS, "AKAv2-SHA-256-sess", GBA_SHA256, true, 2},
    {GBA_DIGEST_AKAV2_SHA512_256, "AKAv2-SHA-512-256", GBA_SHA512_256, false, 2},
    {GBA_DIGEST_AKAV2_SHA512_256_SESS, "AKAv2-SHA-512-256-sess", GBA_SHA512_256, true, 2},
};

static void test_algorithms(void)
{
    enum gba_digest_algorithm a;

    CU_ASSERT_EQUAL(sizeof(algorithms) / sizeof(algorithms[0]), GBA_DIGEST_N_ALGORITHMS);
    for (size_t i = 0; i < GBA_DIGEST_N_ALGORITHMS; i++) {
        struct gba_digest_input in = mufasa;
        char want[GBA_DIGEST_HEX_SIZE], out[GBA_DIGEST_HEX_SIZE], sess[256];

        in.algorithm = algorithms[i].a;
        CU_ASSERT_EQUAL(gba_digest_algorithm_by_name(gba_text(algorithms[i].name), &a), GBA_OK);
        CU_ASSERT_EQUAL(a, algorithms[i].a);
        CU_ASSERT_STRING_EQUAL(gba_digest_algorithm_name(a), algorithms[i].name);
        CU_ASSERT_EQUAL(gba_digest_hash(a), algorithms[i].hash);
        CU_ASSERT_EQUAL(gba_digest_aka_version(a), algorithms[i].aka);
        hex_of(algorithms[i].hash, "Mufasa:testrealm@host.com:Circle Of Life", want);
        if (algorithms[i].session) {
            snprintf(sess, sizeof(sess), "%s:dcd98b7102dd2f0e8b11d0f600bfb0c093:0a4f113b",
                     want);
            hex_of(algorithms[i].hash, sess, want);
        }
        gba_digest_ha1(&in, out);
        CU_ASSERT_STRING_EQUAL(out, want);
    }
}

static void test_algorithm_names(void)
{
    enum gba_digest_algorithm a;

    CU_ASSERT_EQUAL(gba_digest_algorithm_by_name(GBA_TEXT("akaV1-md5"), &a), GBA_OK);
    CU_ASSERT_EQUAL(a, GBA_DIGEST_AKAV1_MD5);
    CU_ASSERT_EQUAL(gba_digest_algorithm_by_name(GBA_TEXT("AKAv1-MD"), &a), GBA_E_ALGORITHM);
    CU_ASSERT_EQUAL(gba_digest_algorithm_by_name(GBA_TEXT("AKAv1-MD5 "), &a), GBA_E_ALGORITHM);
    CU_ASSERT_EQUAL(gba_digest_algorithm_by_name(GBA_TEXT("AKAv3-MD5"), &a), GBA_E_ALGORITHM);
    CU_ASSERT_EQUAL(gba_digest_algorithm_by_name(GBA_TEXT(""), &a), GBA_E_ALGORITHM);
}

static void test_offers(void)
{
    static const struct {
        const char *list;
        bool auth, auth_int;
    } rows[] = {
        {"auth-int", false, true},
        {"auth", true, false},
        {"auth,auth-int", true, true},
        {" auth-int\t, AUTH ", true, true},
        {"auth-integrity", false, false},
        {"xauth,auth-in", false, false},
        {"", false, false},
        {",,auth-int", false, true},
        {"auth auth-int", false, false},
        {"\t auth", true, false},
        {" ", false, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CU_ASSERT_EQUAL(gba_digest_offers(gba_text(rows[i].list), GBA_QOP_AUTH), rows[i].auth);
        CU_ASSERT_EQUAL(gba_digest_offers(gba_text(rows[i].list), GBA_QOP_AUTH_INT),
                        rows[i].auth_int);
        CU_ASSERT(!gba_digest_offers(gba_text(rows[i].list), GBA_QOP_NONE));
    }
}

static const struct unit_test tests[] = {
    {"RFC 2617 3.5", test_rfc2617},
    {"RFC 7616 3.9.1", test_rfc7616},
    {"RFC 7616 3.9.2, SHA-512-256", test_sha512_256},
    {"-sess, auth-int, rspauth, no qop", test_formulas},
    {"binary password", test_binary_password},
    {"verify", test_verify},
    {"every input counts", test_every_input_counts},
    {"every algorithm", test_algorithms},
    {"names of algorithms", test_algorithm_names},
    {"qop lists", test_offers},
};
UNIT_MAIN("digest_calc", tests)
