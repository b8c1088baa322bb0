/*
 * ua/keyring.c, ua/keyring_save.c, ua/keyring_file.c: what is kept, found, saved and refused.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "common/kdf.h"
#include "common/ua_protocol.h"
#include "tests/scratch.h"
#include "ua/keyring.h"
#include "ua/ub_client.h"

#define NOW  1767312000
#define IMPI "001010123456789@ims.mnc001.mcc001.3gppnetwork.org"
#define BTID "I1U8vpY3qJ0hiuZNrke/NQ==@bsf.mnc001.mcc001.pub.3gppnetwork.org"
/* e2e.json, gba-me-1-imsi-auth-int */
#define KS     "b40ba9a3c58b2a05bbf0d987b21bf8cbf769bcd751044604127672711c6d3441"
#define RAND   "23553cbe9637a89d218ae64dae47bf35"
#define XCAP   "xcap.ims.mnc001.mcc001.pub.3gppnetwork.org"
#define KS_NAF "fd1ac8d09e974a83d864e40f158ddb173379a13316de75a7f659d3b4ab4dffab"

static struct gba_ue_keyring *new_ring(size_t keys, size_t credentials)
{
    const size_t n = gba_ue_keyring_size(keys, credentials);
    struct gba_ue_keyring *ring = gba_ue_keyring_init(malloc(n), n, keys, credentials);

    CU_ASSERT_PTR_NOT_NULL_FATAL(ring);
    CU_ASSERT_EQUAL(gba_ue_keyring_bind(ring, "soft:usim:" IMPI), GBA_OK);
    return ring;
}

static void free_ring(struct gba_ue_keyring *ring)
{
    gba_ue_keyring_end(ring);
    free(ring);
}

/* A run that is done, as ub_client leaves it. */
static void take_session(struct gba_ue_keyring *ring, const char *btid, int64_t expires_s,
                         bool gba_u)
{
    struct gba_ue *ue = calloc(1, gba_ue_size());

    ue->state = UB_DONE;
    strcpy(ue->impi, IMPI);
    strcpy(ue->bsf, "bsf.mnc001.mcc001.pub.3gppnetwork.org");
    strcpy(ue->btid, btid);
    strcpy(ue->new_tmpi, "NdfNQvvGWK4SGbs7c17alrZHQXyhEcrW@tmpi.bsf.3gppnetwork.org");
    memcpy(ue->rand, unit_hex(RAND).p, 16);
    if (!gba_u)
        memcpy(ue->ks.octets, unit_hex(KS).p, 32);
    ue->gba_u = gba_u;
    ue->expires_s = expires_s;
    CU_ASSERT_EQUAL(gba_ue_keyring_take(ring, ue), GBA_OK);
    for (size_t i = 0; i < gba_ue_size(); i++) /* moved, not copied */
        CU_ASSERT_EQUAL_FATAL(((uint8_t *)ue)[i], 0);
    free(ue);
}

static struct gba_ue_naf_key some_key(const char *fqdn, int64_t expires_s)
{
    struct gba_ue_naf_key k;

    memset(&k, 0, sizeof(k));
    strcpy(k.fqdn, fqdn);
    memcpy(k.ua_id, gba_ua_http_digest, 5);
    strcpy(k.btid, "old@b");
    k.expires_s = expires_s;
    memset(k.key, 0xee, 32);
    return k;
}

static void test_derivation(void)
{
    struct gba_ue_keyring *ring = new_ring(4, 0);
    struct gba_ue_naf_key k;
    struct gba_ue_session s;

    CU_ASSERT_EQUAL(gba_ue_keyring_naf_key(ring, XCAP, gba_ua_http_digest, false, NOW, &k),
                    GBA_E_NOT_FOUND);
    take_session(ring, BTID, NOW + 3600, false);
    CU_ASSERT_EQUAL(gba_ue_keyring_session(ring, NOW, &s), GBA_OK);
    CU_ASSERT_STRING_EQUAL(s.btid, BTID);
    CU_ASSERT_EQUAL(gba_ue_keyring_naf_key(ring, "XCAP.ims.mnc001.mcc001.pub.3gppnetwork.org.",
                                           gba_ua_http_digest, false, NOW, &k),
                    GBA_OK);
    UNIT_BYTES_EQ(k.key, 32, KS_NAF);
    CU_ASSERT_STRING_EQUAL(k.fqdn, XCAP);
    CU_ASSERT_STRING_EQUAL(k.btid, BTID);
    CU_ASSERT_EQUAL(k.expires_s, NOW + 3600);
    CU_ASSERT_EQUAL(gba_ue_keyring_naf_key(ring, XCAP, gba_ua_http_digest, true, NOW, &k),
                    GBA_E_FORBIDDEN);
    CU_ASSERT_EQUAL(gba_ue_keyring_naf_key(ring, "a b", gba_ua_http_digest, false, NOW, &k),
                    GBA_E_SYNTAX);
    /* Ks goes, the key stays until its own end. */
    gba_ue_keyring_forget_ks(ring);
    CU_ASSERT_EQUAL(
        gba_ue_keyring_naf_key(ring, XCAP, gba_ua_http_digest, false, NOW + 3599, &k), GBA_OK);
    CU_ASSERT_EQUAL(
        gba_ue_keyring_naf_key(ring, XCAP, gba_ua_http_digest, false, NOW + 3600, &k),
        GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(
        gba_ue_keyring_naf_key(ring, "other.example", gba_ua_http_digest, false, NOW, &k),
        GBA_E_NOT_FOUND);
    free_ring(ring);
}

static void test_gba_u_derives_in_the_card(void)
{
    struct gba_ue_keyring *ring = new_ring(4, 0);
    struct gba_ue_naf_key k;

    take_session(ring, BTID, NOW + 3600, true);
    CU_ASSERT_EQUAL(gba_ue_keyring_naf_key(ring, XCAP, gba_ua_http_digest, false, NOW, &k),
                    GBA_E_UNSUPPORTED);
    CU_ASSERT_EQUAL(gba_ue_keyring_naf_key(ring, XCAP, gba_ua_http_digest, true, NOW, &k),
                    GBA_E_UNSUPPORTED);
    k = some_key(XCAP, NOW + 3600);
    strcpy(k.btid, BTID);
    k.internal = true;
    CU_ASSERT_EQUAL(gba_ue_keyring_put(ring, &k), GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_keyring_naf_key(ring, XCAP, gba_ua_http_digest, true, NOW, &k),
                    GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_keyring_naf_key(ring, XCAP, gba_ua_http_digest, false, NOW, &k),
                    GBA_E_UNSUPPORTED);
    free_ring(ring);
}

/* A new session makes new keys; keys of other NAFs stay valid. */
static void test_new_session(void)
{
    struct gba_ue_keyring *ring = new_ring(4, 0);
    struct gba_ue_naf_key k = some_key("naf1.example", NOW + 100);

    gba_ue_keyring_put(ring, &k);
    CU_ASSERT_EQUAL(
        gba_ue_keyring_naf_key(ring, "naf1.example", gba_ua_http_digest, false, NOW, &k),
        GBA_OK);
    CU_ASSERT_EQUAL(k.key[0], 0xee);
    take_session(ring, BTID, NOW + 3600, false);
    CU_ASSERT_EQUAL(gba_ue_keyring_naf_key_at(ring, 0, NOW, &k), GBA_OK);
    CU_ASSERT_STRING_EQUAL(k.btid, "old@b");
    CU_ASSERT_EQUAL(
        gba_ue_keyring_naf_key(ring, "naf1.example", gba_ua_http_digest, false, NOW, &k),
        GBA_OK);
    CU_ASSERT_STRING_EQUAL(k.btid, BTID);
    CU_ASSERT_EQUAL(gba_ue_keyring_naf_key_at(ring, 1, NOW, &k),
                    GBA_E_NOT_FOUND); /* one per NAF_Id */
    free_ring(ring);
}

static void test_places(void)
{
    struct gba_ue_keyring *ring = new_ring(2, 0);
    struct gba_ue_naf_key k = some_key("a", NOW + 10);
    struct gba_ue_credential c = {.expires_s = NOW + 1};

    gba_ue_keyring_put(ring, &k);
    k = some_key("b", NOW + 5);
    gba_ue_keyring_put(ring, &k);
    k = some_key("c", NOW + 7);
    gba_ue_keyring_put(ring, &k); /* b expires first: it goes */
    CU_ASSERT_EQUAL(gba_ue_keyring_naf_key(ring, "a", gba_ua_http_digest, false, NOW, &k),
                    GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_keyring_naf_key(ring, "b", gba_ua_http_digest, false, NOW, &k),
                    GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(gba_ue_keyring_naf_key(ring, "c", gba_ua_http_digest, false, NOW, &k),
                    GBA_OK);
    gba_ue_keyring_drop_naf(ring, "a");
    CU_ASSERT_EQUAL(gba_ue_keyring_naf_key(ring, "a", gba_ua_http_digest, false, NOW, &k),
                    GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(gba_ue_keyring_put_credential(ring, &c),
                    GBA_E_TOO_LONG); /* no place at all */
    free_ring(ring);
}

static void test_another_card(void)
{
    struct gba_ue_keyring *ring = new_ring(2, 1);
    struct gba_ue_credential c = {.target = "//sp/cse", .expires_s = NOW + 10};
    struct gba_ue_naf_key k = some_key("a", NOW + 10);
    struct gba_ue_session s;

    take_session(ring, BTID, NOW + 3600, false);
    gba_ue_keyring_put(ring, &k);
    gba_ue_keyring_put_credential(ring, &c);
    CU_ASSERT_EQUAL(gba_ue_keyring_bind(ring, "soft:usim:" IMPI), GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_keyring_session(ring, NOW, &s), GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_keyring_bind(ring, "another"), GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_keyring_session(ring, NOW, &s), GBA_E_NOT_FOUND);
    CU_ASSERT_STRING_EQUAL(gba_ue_keyring_tmpi(ring), "");
    CU_ASSERT_EQUAL(gba_ue_keyring_naf_key_at(ring, 0, NOW, &k), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(gba_ue_keyring_credential_at(ring, 0, NOW, &c), GBA_E_NOT_FOUND);
    free_ring(ring);
}

static void test_credentials(void)
{
    struct gba_ue_keyring *ring = new_ring(0, 2);
    struct gba_ue_credential c = {.target = "//sp/cse", .key_id = "one", .expires_s = NOW + 10},
                             got;

    CU_ASSERT_EQUAL(gba_ue_keyring_credential(ring, "//sp/cse", NOW, &got), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(gba_ue_keyring_put_credential(ring, &c), GBA_OK);
    strcpy(c.key_id, "two");
    CU_ASSERT_EQUAL(gba_ue_keyring_put_credential(ring, &c), GBA_OK); /* one per target */
    CU_ASSERT_EQUAL(gba_ue_keyring_credential(ring, "//sp/cse", NOW, &got), GBA_OK);
    CU_ASSERT_STRING_EQUAL(got.key_id, "two");
    CU_ASSERT_EQUAL(gba_ue_keyring_credential_at(ring, 1, NOW, &got), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(gba_ue_keyring_credential(ring, "//sp/cse", NOW + 10, &got),
                    GBA_E_NOT_FOUND);
    free_ring(ring);
}

static struct gba_ue_keyring *full_ring(void)
{
    struct gba_ue_keyring *ring = new_ring(4, 4);
    struct gba_ue_credential c = {.kind = GBA_UE_KM,
                                  .target = "//sp/cse",
                                  .fqdn = "cse.sp",
                                  .key_id = "id@x",
                                  .suite = "S",
                                  .entity = "//sp/Sae",
                                  .expires_s = NOW + 10,
                                  .key = {9}};
    struct gba_ue_naf_key k = some_key("a", NOW + 10), over = some_key("over", NOW);

    take_session(ring, BTID, NOW + 3600, false);
    gba_ue_keyring_put(ring, &k);
    gba_ue_keyring_put(ring, &over);
    gba_ue_keyring_put_credential(ring, &c);
    return ring;
}

static void test_round_trip(void)
{
    struct gba_ue_keyring *ring = full_ring(), *back = new_ring(4, 4);
    uint8_t out[8192];
    struct gba_ue_credential c;
    struct gba_ue_naf_key k;
    struct gba_ue_session s;
    size_t n, m;

    CU_ASSERT_EQUAL(gba_ue_keyring_save(ring, true, NOW, out, sizeof(out), &n), GBA_OK);
    CU_ASSERT(n <= gba_ue_keyring_saved_max(ring));
    CU_ASSERT_EQUAL(gba_ue_keyring_load(back, out, n), GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_keyring_session(back, NOW, &s), GBA_OK);
    CU_ASSERT_EQUAL(memcmp(&s, &ring->session, sizeof(s)), 0);
    CU_ASSERT_EQUAL(gba_ue_keyring_naf_key(back, XCAP, gba_ua_http_digest, false, NOW, &k),
                    GBA_OK);
    UNIT_BYTES_EQ(k.key, 32, KS_NAF);
    CU_ASSERT_EQUAL(gba_ue_keyring_naf_key_at(back, 0, NOW, &k), GBA_OK);
    CU_ASSERT_STRING_EQUAL(k.fqdn, "a"); /* the expired one was not saved */
    CU_ASSERT_EQUAL(gba_ue_keyring_credential(back, "//sp/cse", NOW, &c), GBA_OK);
    CU_ASSERT_EQUAL(memcmp(&c, &ring->credentials[0], sizeof(c)), 0);
    for (m = 0; m < n; m++) /* room: never past cap, never half */
        CU_ASSERT_EQUAL(gba_ue_keyring_save(ring, true, NOW, out, m, &(size_t){0}),
                        GBA_E_TOO_LONG);
    free_ring(ring);
    free_ring(back);
}

/* TS 33.220 4.4: at rest NAF keys only, unless the caller says otherwise. */
static void test_ks_stays_out(void)
{
    struct gba_ue_keyring *ring = full_ring(), *back = new_ring(4, 4);
    uint8_t out[8192];
    struct gba_ue_session s;
    struct gba_ue_naf_key k;
    size_t n;

    CU_ASSERT_EQUAL(gba_ue_keyring_save(ring, false, NOW, out, sizeof(out), &n), GBA_OK);
    CU_ASSERT_PTR_NULL(memmem(out, n, unit_hex(KS).p, 16));
    CU_ASSERT_EQUAL(gba_ue_keyring_load(back, out, n), GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_keyring_session(back, NOW, &s), GBA_E_NOT_FOUND);
    CU_ASSERT(gba_ue_keyring_tmpi(back)[0] != '\0');
    CU_ASSERT_EQUAL(gba_ue_keyring_naf_key_at(back, 0, NOW, &k), GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_keyring_save(ring, true, NOW, out, sizeof(out), &n), GBA_OK);
    CU_ASSERT_PTR_NOT_NULL(memmem(out, n, unit_hex(KS).p, 16));
    free_ring(ring);
    free_ring(back);
}

static void test_damage(void)
{
    struct gba_ue_keyring *ring = full_ring(), *back = new_ring(4, 4);
    uint8_t out[8192], bad[8192];
    struct gba_ue_naf_key k;
    size_t n;

    CU_ASSERT_EQUAL(gba_ue_keyring_save(ring, true, NOW, out, sizeof(out), &n), GBA_OK);
    for (size_t cut = 0; cut < n; cut++) {
        CU_ASSERT_EQUAL(gba_ue_keyring_load(back, out, cut), GBA_E_SYNTAX);
        CU_ASSERT_EQUAL(gba_ue_keyring_naf_key_at(back, 0, NOW, &k), GBA_E_NOT_FOUND);
    }
    memcpy(bad, out, n);
    bad[n] = 0;
    CU_ASSERT_EQUAL(gba_ue_keyring_load(back, bad, n + 1), GBA_E_SYNTAX);
    for (size_t i = 0; i < 8; i++) {
        memcpy(bad, out, n);
        bad[i] ^= 0x20;
        CU_ASSERT_EQUAL(gba_ue_keyring_load(back, bad, n), GBA_E_SYNTAX);
    }
    const size_t record = 3 + ((size_t)out[9] << 8 | out[10]); /* the first one, cut out */

    memcpy(bad, out, 8);
    memcpy(bad + 8, out + 8 + record, n - 8 - record);
    CU_ASSERT_EQUAL(gba_ue_keyring_load(back, bad, n - record), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(gba_ue_keyring_load(back, out, n), GBA_OK);
    free_ring(ring);
    free_ring(back);
}

static void test_fewer_places(void)
{
    struct gba_ue_keyring *ring = full_ring(), *small = new_ring(1, 1);
    struct gba_ue_naf_key k = some_key("later", NOW + 100);
    uint8_t out[8192];
    size_t n;

    gba_ue_keyring_put(ring, &k);
    CU_ASSERT_EQUAL(gba_ue_keyring_save(ring, true, NOW, out, sizeof(out), &n), GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_keyring_load(small, out, n), GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_keyring_naf_key_at(small, 0, NOW, &k), GBA_OK);
    CU_ASSERT_STRING_EQUAL(k.fqdn, "later");
    free_ring(ring);
    free_ring(small);
}

static void file(void)
{
    static const uint8_t seal[32] = {1}, other[32] = {2};
    struct gba_ue_keyring *ring = full_ring(), *back = new_ring(4, 4);
    const char *path = scratch("keyring");
    struct stat st;
    char text[8192];
    size_t n;
    FILE *f;

    CU_ASSERT_EQUAL(gba_ue_keyring_load_file(back, path, NULL), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(gba_ue_keyring_save_file(ring, path, true, NOW, NULL), GBA_OK);
    CU_ASSERT_EQUAL(stat(path, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
    CU_ASSERT_EQUAL(gba_ue_keyring_load_file(back, path, NULL), GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_keyring_load_file(back, path, seal),
                    GBA_E_CRYPTO); /* plain, sealed was meant */
    CU_ASSERT_EQUAL(chmod(path, 0604), 0);
    CU_ASSERT_EQUAL(gba_ue_keyring_load_file(back, path, NULL), GBA_E_FORBIDDEN);
    CU_ASSERT_EQUAL(gba_ue_keyring_save_file(ring, path, true, NOW, seal),
                    GBA_OK); /* replaces, 0600 again */
    CU_ASSERT_EQUAL(gba_ue_keyring_load_file(back, path, seal), GBA_OK);
    CU_ASSERT_EQUAL(gba_ue_keyring_load_file(back, path, other), GBA_E_CRYPTO);
    CU_ASSERT_EQUAL(gba_ue_keyring_load_file(back, path, NULL), GBA_E_CRYPTO);
    f = fopen(path, "rb");
    n = fread(text, 1, sizeof(text), f);
    fclose(f);
    CU_ASSERT_PTR_NULL(memmem(text, n, IMPI, 15)); /* sealed: nothing legible */
    CU_ASSERT_EQUAL(truncate(path, (off_t)n - 1), 0);
    CU_ASSERT_EQUAL(gba_ue_keyring_load_file(back, path, seal), GBA_E_CRYPTO);
    CU_ASSERT_EQUAL(truncate(path, 0), 0);
    CU_ASSERT_EQUAL(gba_ue_keyring_load_file(back, path, NULL), GBA_E_SYNTAX);
    free_ring(ring);
    free_ring(back);
}

static void test_file(void)
{
    scratch_give(scratch(""));
    unit_as_nobody(file);
}

/* A save that fails leaves the old file and no debris. */
static int in_read_only_folder(void)
{
    struct gba_ue_keyring *ring = new_ring(1, 1), *back = new_ring(4, 4);
    const bool ok =
        gba_ue_keyring_save_file(ring, scratch("ro/keyring"), true, NOW, NULL) == GBA_E_IO &&
        gba_ue_keyring_load_file(back, scratch("ro/keyring"), NULL) == GBA_OK &&
        back->n_credentials == 1;

    free_ring(ring);
    free_ring(back);
    return ok ? 0 : 1;
}

static void test_failed_save(void)
{
    struct gba_ue_keyring *ring = full_ring();

    CU_ASSERT_EQUAL(mkdir(scratch("ro"), 0755), 0);
    CU_ASSERT_EQUAL(gba_ue_keyring_save_file(ring, scratch("ro/keyring"), true, NOW, NULL),
                    GBA_OK);
    scratch_give("ro/keyring");
    scratch_give("ro");
    CU_ASSERT_EQUAL(chmod(scratch("ro"), 0555), 0);
    CU_ASSERT_EQUAL(scratch_as_nobody(in_read_only_folder), 0);
    free_ring(ring);
}

/* A program that runs once a request is held back like one that stays (TS 24.109 5.2.5). */
static void test_renewals_are_kept(void)
{
    struct gba_ue_keyring *ring = new_ring(2, 2);
    uint8_t octets[4096];
    size_t n;
    unsigned granted = 0;

    for (int i = 0; i < 8; i++) {
        granted += ring_may_renew(ring, "naf.example", NOW + i);
        CU_ASSERT_EQUAL(gba_ue_keyring_save(ring, true, NOW + i, octets, sizeof(octets), &n),
                        GBA_OK);
        CU_ASSERT_EQUAL(gba_ue_keyring_load(ring, octets, n), GBA_OK);
    }
    CU_ASSERT_EQUAL(granted, 5);
    CU_ASSERT_TRUE(ring_may_renew(ring, "other.example", NOW + 8));
    CU_ASSERT_TRUE(ring_may_renew(ring, "naf.example", NOW + RENEWAL_WINDOW_S));
    free_ring(ring);
}

static const struct unit_test tests[] = {
    {"keys are derived from Ks", test_derivation},
    {"GBA_U: the card derives", test_gba_u_derives_in_the_card},
    {"a new session", test_new_session},
    {"places", test_places},
    {"another card", test_another_card},
    {"credentials", test_credentials},
    {"saved and loaded", test_round_trip},
    {"Ks stays out unless asked", test_ks_stays_out},
    {"damage is refused whole", test_damage},
    {"fewer places", test_fewer_places},
    {"in a file, plain and sealed", test_file},
    {"a save that fails", test_failed_save},
    {"renewals are kept", test_renewals_are_kept},
};
UNIT_MAIN("keyring", tests)
