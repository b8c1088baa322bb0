/*
 * Whole bootstraps: AKA, Ub as both ends see it, Ks, NAF keys, TMPI, Ua.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/vectors/e2e.h"

#include <string.h>

#include "common/bootstrapping_info.h"
#include "common/crypto.h"
#include "common/digest_aka.h"
#include "common/gba_u.h"
#include "common/identity.h"
#include "common/kdf.h"
#include "common/timestamp.h"
#include "tests/vectors/aka.h"
#include "tests/vectors/digest.h"
#include "tests/vectors/kdf.h"

static const struct gba_text none = {"", 0}, absent = {NULL, 0};

static struct gba_text read_opaque(const struct vec_node *in)
{
    return vec_has(in, "opaque") ? vec_text(in, "opaque") : absent;
}

bool vec_read_ub(const struct vec_node *inputs, struct vec_ub *ub)
{
    const struct vec_node in = vec_child(inputs, "ub");
    const struct vec_node subscriber = vec_child(inputs, "subscriber");

    if (!vec_digest_input(&in, &ub->in))
        return false;
    ub->in.username = vec_text(&in, "username");
    ub->opaque = read_opaque(&in);
    ub->impi = vec_text(&subscriber, "impi");
    return !inputs->v->broken;
}

/* --- the 200's document --- */

static bool read_info(const struct vec_node *inputs, const struct vec_ub *ub,
                      struct gba_bootstrapping_info *info)
{
    memset(info, 0, sizeof(*info));
    return vec_ok(inputs, "lifetime",
                  gba_datetime_parse(vec_text(inputs, "lifetime"), &info->lifetime_s)) &&
           vec_ok(inputs, "btid", gba_text_copy(info->btid, sizeof(info->btid), ub->btid));
}

/* A layout that is not ours: its octets are taken as they are, and must mean the same. */
static bool foreign_body(const struct vec_node *out, const struct gba_bootstrapping_info *info,
                         struct gba_bytes *body)
{
    struct gba_bootstrapping_info *got = vec_alloc(out->v, sizeof(*got));

    *body = vec_has(out, "response_200_body_hex")
                ? vec_hex(out, "response_200_body_hex")
                : gba_text_bytes(vec_text(out, "response_200_body"));
    if (!vec_ok(out, "response_200_body", gba_bootstrapping_info_parse(*body, got)))
        return false;
    if (strcmp(got->btid, info->btid) != 0 || got->lifetime_s != info->lifetime_s)
        vec_fail(out, "response_200_body", info->btid, got->btid);
    return !out->v->broken;
}

static bool make_body(const struct vec_node *inputs, const struct vec_node *out,
                      struct vec_ub *ub)
{
    const struct vec_node in = vec_child(inputs, "ub");
    const bool ours = gba_text_is(vec_text_or(&in, "xml_style", "lf"), "lf");
    struct gba_bootstrapping_info info, read_back;
    struct gba_wbuf w;

    if (!read_info(inputs, ub, &info))
        return false;
    gba_wbuf_init(&w, vec_alloc(inputs->v, GBA_BOOTSTRAPPING_INFO_SIZE),
                  GBA_BOOTSTRAPPING_INFO_SIZE);
    if (!vec_ok(out, "response_200_body", gba_bootstrapping_info_print(&info, &w)))
        return false;
    ub->body = gba_wbuf_bytes(&w);
    if (!vec_ok(out, "response_200_body", gba_bootstrapping_info_parse(ub->body, &read_back)))
        return false;
    if (!ours && !foreign_body(out, &info, &ub->body))
        return false;
    vec_is_text(out, "response_200_body", gba_bytes_text(ub->body));
    vec_is_hex(out, "response_200_body_hex", ub->body.p, ub->body.n);
    return true;
}

/* --- Ub --- */

static void is_akav2(const struct vec_node *outputs, const struct vec_ub *ub)
{
    const struct vec_node out = vec_child(outputs, "akav2");
    const enum gba_hash h = gba_digest_hash(ub->in.algorithm);
    const struct gba_bytes ik = gba_text_bytes(GBA_TEXT("http-digest-akav2-integritykey"));
    const struct gba_bytes ck = gba_text_bytes(GBA_TEXT("http-digest-akav2-cipherkey"));
    uint8_t prf[GBA_HASH_MAX];

    vec_is_text(&out, "password", gba_bytes_text(ub->in.password));
    gba_hmac(h, GBA_BYTES(ub->av.ik), &ik, 1, prf); /* RFC 4169 3: IK' and CK' */
    vec_is_hex(&out, "ik_prime", prf, gba_hash_len(h));
    gba_hmac(h, GBA_BYTES(ub->av.ck), &ck, 1, prf);
    vec_is_hex(&out, "ck_prime", prf, gba_hash_len(h));
}

static bool make_password(const struct vec_node *out, struct vec_ub *ub)
{
    uint8_t *p = vec_alloc(out->v, GBA_AKA_PASSWORD_MAX);
    const char *username = vec_cstr(out->v, ub->in.username).s;
    struct gba_text head =
        vec_join(out->v, username, ":", vec_cstr(out->v, ub->in.realm).s, ":", NULL);
    uint8_t *a1 = vec_alloc(out->v, head.n + GBA_AKA_PASSWORD_MAX);
    size_t n;

    if (!vec_ok(out, "algorithm", gba_aka_password(ub->in.algorithm, &ub->av, p, &n)))
        return false;
    ub->in.password = (struct gba_bytes){p, n};
    vec_is_hex(out, "password_hex", p, n);
    memcpy(a1, head.s, head.n);
    memcpy(a1 + head.n, p, n);
    vec_is_hex(out, "a1_hex", a1, head.n + n);
    return true;
}

/* Request 1 has an empty nonce and an empty response (TS 24.109 A.3). */
static void first_request(const struct vec_node *out, const struct vec_ub *ub)
{
    struct gba_digest_input in = ub->in;

    in.nonce = none;
    vec_is_header(out, "request_1_authorization", VEC_AUTHORIZATION,
                  vec_print_authorization(out->v, &in, absent, none, absent));
}

bool vec_run_ub(const struct vec_node *inputs, const struct vec_node *outputs,
                struct vec_ub *ub)
{
    static const struct vec_response_names request = {"ha1", "request_ha2", "response",
                                                      "request_hbody"};
    static const struct vec_response_names answer = {NULL, "rspauth_ha2", "rspauth",
                                                     "response_200_hbody"};
    const struct vec_node out = vec_child(outputs, "ub");
    struct vec *v = inputs->v;
    char *btid = vec_alloc(v, GBA_BTID_SIZE), response[GBA_DIGEST_HEX_SIZE];
    struct gba_digest_input back;

    vec_is_text(outputs, "nonce", ub->nonce);
    if (!vec_ok(inputs, "bsf_fqdn",
                gba_btid_make(ub->av.rand, vec_text(inputs, "bsf_fqdn"), btid)))
        return false;
    ub->btid = gba_text(btid);
    vec_is_text(outputs, "btid", ub->btid);
    ub->in.nonce = ub->nonce;
    first_request(&out, ub);
    vec_is_header(&out, "challenge_401", VEC_CHALLENGE, vec_print_challenge(v, ub));
    if (!make_password(&out, ub) || !make_body(inputs, &out, ub))
        return false;
    vec_is_response(&out, &request, &ub->in);
    gba_digest_response(&ub->in, response);
    vec_is_header(&out, "request_2_authorization", VEC_AUTHORIZATION,
                  vec_print_authorization(v, &ub->in, ub->opaque, gba_text(response), absent));
    back = ub->in;
    back.method = none;
    back.body = ub->body;
    vec_is_response(&out, &answer, &back);
    gba_digest_response(&back, response);
    vec_is_header(&out, "authentication_info", VEC_INFO,
                  vec_print_info(v, &back, gba_text(response)));
    return !v->broken;
}

/* --- keys --- */

static struct gba_bytes literal(const char *s)
{
    return gba_text_bytes(gba_text(s));
}

static void is_key(const struct vec_node *out, const char *name, const struct gba_key *key)
{
    vec_is_hex(out, name, key->octets, sizeof(key->octets));
    vec_is_text(out, vec_join(out->v, name, "_base64", NULL).s,
                vec_base64(out->v, GBA_BYTES(key->octets)));
}

/* The keys of one NAF: [0] of the ME, [1] of the UICC. */
static bool naf_keys(const struct vec_node *in, const struct vec_node *out,
                     const struct vec_ub *ub, struct gba_key key[static 2])
{
    static const uint8_t fc[] = {0x01};
    const uint8_t *ua_id = vec_octets(in, "ua_id", 5);
    const struct gba_bytes naf_id = vec_naf_id(in, "fqdn", ua_id);
    struct gba_bytes p[] = {literal("gba-me"), GBA_BYTES(ub->av.rand),
                            vec_nfkc(in, "impi", ub->impi), naf_id};

    if (in->v->broken ||
        !vec_ok(in, "ks_naf",
                gba_ks_naf(&ub->ks, GBA_USE_ME, ub->av.rand, ub->impi, naf_id, &key[0])) ||
        !vec_ok(in, "ks_int_naf",
                gba_ks_naf(&ub->ks, GBA_USE_UICC, ub->av.rand, ub->impi, naf_id, &key[1])))
        return false;
    vec_is_text(out, "fqdn", vec_text(in, "fqdn"));
    vec_is_hex(out, "ua_id", ua_id, 5);
    vec_is_hex(out, "naf_id", naf_id.p, naf_id.n);
    vec_is_s(out, "s", GBA_BYTES(fc), p, 4);
    p[0] = literal("gba-u");
    vec_is_s(out, "s_int", GBA_BYTES(fc), p, 4);
    is_key(out, "ks_naf", &key[0]);
    is_key(out, "ks_ext_naf", &key[0]);
    is_key(out, "ks_int_naf", &key[1]);
    return true;
}

static void is_tmpi(const struct vec_node *inputs, const struct vec_node *outputs,
                    const struct vec_ub *ub)
{
    static const uint8_t fc[] = {0x01}, ua_id[5] = {0x01, 0x00, 0x00, 0x01, 0x00};
    const struct gba_text bsf = vec_text(inputs, "bsf_fqdn");
    const struct gba_bytes p[] = {literal("gba-me"), GBA_BYTES(ub->av.rand),
                                  vec_nfkc(inputs, "impi", ub->impi),
                                  vec_naf_id(inputs, "bsf_fqdn", ua_id)};
    char tmpi[GBA_TMPI_SIZE];
    uint8_t kdf[32];

    if (vec_ok(outputs, "tmpi_kdf",
               gba_kdf(GBA_BYTES(ub->ks.octets), GBA_BYTES(fc), p, 4, kdf)))
        vec_is_hex(outputs, "tmpi_kdf", kdf, sizeof(kdf));
    if (vec_ok(outputs, "tmpi", gba_tmpi(&ub->ks, ub->av.rand, ub->impi, bsf, tmpi)))
        vec_is_text(outputs, "tmpi", gba_text(tmpi));
    if (!gba_is_tmpi(gba_text(tmpi)))
        vec_fail(outputs, "tmpi", "form_of_a_tmpi", tmpi);
}

/* --- Ua --- */

static bool read_key_choice(const struct vec_node *in, const struct gba_key (*keys)[2],
                            size_t n_keys, const struct gba_key **key)
{
    const struct gba_text choice = vec_text_or(in, "key", "ks_naf");
    const size_t naf = vec_number_or(in, "naf_index", SIZE_MAX); /* it has no default */

    if (naf >= n_keys) {
        vec_fail(in, "naf_index", "a_naf", "none");
        return false;
    }
    if (gba_text_is(choice, "ks_int_naf"))
        *key = &keys[naf][1];
    else if (gba_text_is(choice, "ks_naf") || gba_text_is(choice, "ks_ext_naf"))
        *key = &keys[naf][0];
    else
        vec_fail(in, "key", "ks_naf|ks_ext_naf|ks_int_naf", vec_cstr(in->v, choice).s);
    return !in->v->broken;
}

/* Request and answer of one exchange; the username is the B-TID, the password base64(key). */
static void is_ua(const struct vec_node *in, const struct vec_node *out,
                  const struct vec_ub *ub, const struct gba_key *key)
{
    static const struct vec_response_names request = {"ha1", "ha2", "response", "hbody"};
    static const struct vec_response_names answer = {NULL, NULL, "rspauth", "response_hbody"};
    const struct gba_text password = vec_base64(in->v, GBA_BYTES(key->octets));
    char response[GBA_DIGEST_HEX_SIZE];
    struct vec_ub ua = {.opaque = read_opaque(in)};

    if (!vec_digest_input(in, &ua.in))
        return;
    ua.in.username = ub->btid;
    ua.in.nonce = vec_text(in, "nonce");
    ua.in.password = gba_text_bytes(password);
    if (ua.in.qop == GBA_QOP_AUTH_INT)
        ua.in.body = gba_text_bytes(vec_text(in, "body"));
    if (in->v->broken)
        return;
    vec_is_text(out, "password", password);
    vec_is_header(out, "challenge_401", VEC_CHALLENGE, vec_print_challenge(in->v, &ua));
    vec_is_response(out, &request, &ua.in);
    gba_digest_response(&ua.in, response);
    vec_is_header(
        out, "authorization", VEC_AUTHORIZATION,
        vec_print_authorization(in->v, &ua.in, ua.opaque, gba_text(response), absent));
    ua.in.method = none;
    if (ua.in.qop == GBA_QOP_AUTH_INT)
        ua.in.body = gba_text_bytes(vec_text(in, "response_body"));
    vec_is_response(out, &answer, &ua.in);
    gba_digest_response(&ua.in, response);
    vec_is_header(out, "authentication_info", VEC_INFO,
                  vec_print_info(in->v, &ua.in, gba_text(response)));
}

/* More outputs than inputs would pass unseen. */
static void same_count(const struct vec_node *inputs, const struct vec_node *outputs,
                       const char *array)
{
    if (vec_count(outputs, array) > vec_count(inputs, array))
        vec_fail(inputs, array, "one_per_output", "fewer");
}

void vec_run_keys(const struct vec_node *inputs, const struct vec_node *outputs,
                  const struct vec_ub *ub)
{
    const size_t n_naf = vec_count(inputs, "naf");
    struct gba_key(*keys)[2] = vec_alloc(inputs->v, n_naf * sizeof(*keys));

    vec_is_hex(outputs, "ks", ub->ks.octets, sizeof(ub->ks.octets));
    is_tmpi(inputs, outputs, ub);
    same_count(inputs, outputs, "naf");
    same_count(inputs, outputs, "ua");
    for (size_t i = 0; i < n_naf; i++) {
        const struct vec_node in = vec_item(inputs, "naf", i),
                              out = vec_item(outputs, "naf", i);

        if (!naf_keys(&in, &out, ub, keys[i]))
            return;
    }
    for (size_t i = 0; i < vec_count(inputs, "ua"); i++) {
        const struct vec_node in = vec_item(inputs, "ua", i), out = vec_item(outputs, "ua", i);
        const struct gba_key *key = NULL;

        if (read_key_choice(&in, (const struct gba_key(*)[2])keys, n_naf, &key))
            is_ua(&in, &out, ub, key);
    }
}

/* --- bootstraps --- */

static bool read_mode(const struct vec_node *n, bool *gba_u)
{
    const struct gba_text mode = vec_text(n, "mode");

    *gba_u = gba_text_is(mode, "GBA_U");
    if (!*gba_u && !gba_text_is(mode, "GBA_ME"))
        vec_fail(n, "mode", "GBA_ME|GBA_U", vec_cstr(n->v, mode).s);
    return !n->v->broken;
}

/* AUTN* and the flipped RES: what travels in GBA_U (TS 33.220 5.3.2). */
static void make_gba_u(const struct vec_node *outputs, struct vec_ub *ub)
{
    const struct vec_node out = vec_child(outputs, "gba_u");
    const struct gba_bytes ik = GBA_BYTES(ub->av.ik);
    uint8_t sha1[GBA_HASH_MAX];

    gba_hash(GBA_SHA1, &ik, 1, sha1);
    vec_is_hex(&out, "sha1_ik_trunc64", sha1, 8);
    gba_u_autn(ub->av.autn, ub->av.ik, ub->av.autn);
    vec_is_hex(&out, "mac_star", ub->av.autn + 8, 8);
    vec_is_hex(&out, "autn_star", ub->av.autn, 16);
    gba_u_res(ub->av.res, ub->av.res_len);
    vec_is_hex(outputs, "res_as_sent", ub->av.res, ub->av.res_len);
}

/* The vector, the nonce and Ks. */
static bool run_aka(const struct vec_node *inputs, const struct vec_node *outputs,
                    struct vec_ub *ub)
{
    const struct vec_node subscriber = vec_child(inputs, "subscriber");
    const struct vec_node in = vec_child(inputs, "aka"), out = vec_child(outputs, "aka");
    const uint8_t *rand = vec_octets(&in, "rand", 16), *sqn = vec_octets(&in, "sqn", 6);
    const uint8_t *amf = vec_octets(&in, "amf", 2);
    char *nonce = vec_alloc(inputs->v, GBA_AKA_NONCE_SIZE);
    uint8_t rand_back[16], autn_back[16];
    enum gba_aka_algorithm a;

    if (!vec_algorithm(&subscriber, "algorithm", VEC_NAMED, &a) ||
        !vec_secret(&subscriber, a, vec_hex_len(&out, "res"), &ub->secret) || inputs->v->broken)
        return false;
    vec_is_hex(outputs, "opc", ub->secret.opc, 16);
    vec_is_hex(outputs, "topc", ub->secret.opc, 32);
    vec_is_hex(&out, "rand", rand, 16);
    vec_is_hex(&out, "sqn", sqn, 6);
    vec_is_hex(&out, "amf", amf, 2);
    vec_is_aka(&out, &ub->secret, rand, sqn, amf, &ub->av);
    memcpy(ub->ks.octets, ub->av.ck, 16);
    memcpy(ub->ks.octets + 16, ub->av.ik, 16);
    if (ub->gba_u)
        make_gba_u(outputs, ub);
    gba_aka_nonce(rand, ub->av.autn, nonce);
    ub->nonce = gba_text(nonce);
    return !inputs->v->broken &&
           vec_ok(outputs, "nonce", gba_aka_nonce_parse(ub->nonce, rand_back, autn_back));
}

bool vec_run_bootstrap(struct vec *v, struct vec_ub *ub)
{
    const struct vec_node n = vec_root(v);
    const struct vec_node inputs = vec_child(&n, "inputs"), outputs = vec_child(&n, "outputs");

    memset(ub, 0, sizeof(*ub));
    return read_mode(&n, &ub->gba_u) && vec_read_ub(&inputs, ub) &&
           run_aka(&inputs, &outputs, ub) && vec_run_ub(&inputs, &outputs, ub);
}

/* The same run with the RES that f2 gives, where the entry has its figures. */
static void is_alternative(const struct vec_node *n, const struct vec_ub *ub)
{
    static const struct vec_response_names request = {NULL, NULL, "response", NULL};
    static const struct vec_response_names answer = {NULL, NULL, "rspauth", NULL};
    const struct vec_node out = vec_child(n, "alternative");
    struct gba_digest_input in = ub->in;
    uint8_t password[GBA_AKA_PASSWORD_MAX];
    struct gba_av av = ub->av;
    size_t size;

    if (!ub->gba_u)
        return;
    gba_u_res(av.res, av.res_len);
    if (!vec_ok(&out, "response", gba_aka_password(in.algorithm, &av, password, &size)))
        return;
    in.password = (struct gba_bytes){password, size};
    vec_is_response(&out, &request, &in);
    in.method = none;
    in.body = ub->body;
    vec_is_response(&out, &answer, &in);
}

void vec_f_bootstraps(struct vec *v)
{
    const struct vec_node n = vec_root(v);
    const struct vec_node inputs = vec_child(&n, "inputs"), outputs = vec_child(&n, "outputs");
    struct vec_ub ub;

    if (!vec_run_bootstrap(v, &ub))
        return;
    if (gba_digest_aka_version(ub.in.algorithm) == 2)
        is_akav2(&outputs, &ub);
    vec_run_keys(&inputs, &outputs, &ub);
    is_alternative(&n, &ub);
}

/* --- resynchronisation --- */

static bool make_auts(const struct vec_node *inputs, const struct vec_node *outputs,
                      const struct vec_ub *ub, uint8_t auts[static 14])
{
    static const uint8_t amf[2] = {0, 0};
    const uint8_t *sqn_ms = vec_octets(inputs, "sqn_ms", 6);
    struct gba_aka_functions f;
    uint8_t recovered[6];
    char text[21];

    if (inputs->v->broken ||
        !vec_ok(outputs, "auts", gba_aka_make_auts(&ub->secret, ub->av.rand, sqn_ms, auts)) ||
        !vec_ok(outputs, "ak_star",
                gba_aka_functions(&ub->secret, ub->av.rand, sqn_ms, amf, &f)) ||
        !vec_ok(outputs, "recovered_sqn_ms",
                gba_aka_open_auts(&ub->secret, ub->av.rand, auts, recovered)))
        return false;
    vec_is_hex(outputs, "ak_star", f.ak_star, 6);
    vec_is_hex(outputs, "mac_s", f.mac_s, 8);
    vec_is_hex(outputs, "auts", auts, 14);
    vec_is_hex(outputs, "recovered_sqn_ms", recovered, 6);
    gba_auts_print(auts, text);
    vec_is_text(outputs, "auts_base64", gba_text(text));
    return true;
}

bool vec_run_resynchronisation(struct vec *v, struct vec_ub *ub, uint8_t auts[static 14])
{
    static const struct vec_response_names names = {"ha1", "ha2", "response", "hbody"};
    const struct vec_node n = vec_root(v);
    const struct vec_node inputs = vec_child(&n, "inputs"), outputs = vec_child(&n, "outputs");
    char response[GBA_DIGEST_HEX_SIZE], text[21];

    memset(ub, 0, sizeof(*ub));
    if (!vec_read_ub(&inputs, ub) || !run_aka(&inputs, &outputs, ub) ||
        !make_auts(&inputs, &outputs, ub, auts))
        return false;
    ub->in.nonce = ub->nonce;
    vec_is_text(&outputs, "nonce", ub->nonce);
    vec_is_header(&outputs, "challenge_401", VEC_CHALLENGE, vec_print_challenge(v, ub));
    vec_is_response(&outputs, &names, &ub->in); /* an empty password (RFC 3310 3.4) */
    gba_digest_response(&ub->in, response);
    gba_auts_print(auts, text);
    vec_is_header(
        &outputs, "authorization", VEC_AUTHORIZATION,
        vec_print_authorization(v, &ub->in, ub->opaque, gba_text(response), gba_text(text)));
    return !v->broken;
}
