/*
 * What follows a resynchronisation, 2G GBA and GBA_Digest.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "common/crypto.h"
#include "common/digest_aka.h"
#include "common/kdf.h"
#include "common/milenage.h"
#include "common/sqn.h"
#include "tests/vectors/aka.h"
#include "tests/vectors/digest.h"
#include "tests/vectors/e2e.h"
#include "tests/vectors/kdf.h"

/* The AuC's next vector: SEQ_MS + 1 (TS 33.102 6.3.5), in the IND that the entry asks for. */
static void next_vector(const struct vec_node *inputs, const struct vec_node *outputs,
                        const struct vec_ub *ub)
{
    const struct vec_node aka = vec_child(inputs, "aka");
    const struct vec_node in = vec_child(inputs, "next"), out = vec_child(outputs, "next");
    const uint8_t *rand = vec_octets(&in, "rand", 16), *sqn = vec_octets(&in, "sqn", 6);
    const uint8_t *amf = vec_octets(vec_has(&in, "amf") ? &in : &aka, "amf", 2);
    uint64_t last = gba_sqn_get(vec_octets(&aka, "sqn", 6)), next;
    char nonce[GBA_AKA_NONCE_SIZE];
    uint8_t octets[6];
    struct gba_av av;

    if (inputs->v->broken)
        return;
    gba_sqn_resync(&last, gba_sqn_get(vec_octets(inputs, "sqn_ms", 6)));
    if (!vec_ok(&in, "sqn",
                gba_sqn_next(last, (unsigned)(gba_sqn_get(sqn) % GBA_SQN_ARRAY), &next)))
        return;
    gba_sqn_put(next, octets);
    vec_is_hex(&in, "sqn", octets, 6);
    vec_is_hex(&out, "rand", rand, 16);
    vec_is_hex(&out, "sqn", octets, 6);
    vec_is_hex(&out, "amf", amf, 2);
    vec_is_aka(&out, &ub->secret, rand, octets, amf, &av);
    gba_aka_nonce(rand, av.autn, nonce);
    vec_is_text(&out, "nonce", gba_text(nonce));
}

void vec_f_resynchronisation(struct vec *v)
{
    const struct vec_node n = vec_root(v);
    const struct vec_node inputs = vec_child(&n, "inputs"), outputs = vec_child(&n, "outputs");
    uint8_t auts[GBA_AUTS_LEN];
    struct vec_ub ub;

    if (vec_run_resynchronisation(v, &ub, auts) &&
        (vec_has(&inputs, "next") || vec_has(&outputs, "next")))
        next_vector(&inputs, &outputs, &ub);
}

/* --- 2G GBA (TS 33.220 Annex I, TS 24.109 Annex H) --- */

struct triplet {
    const uint8_t *rand;
    uint8_t kc[8], sres[4];
};

static bool read_triplet(const struct vec_node *inputs, const struct vec_node *outputs,
                         struct triplet *t)
{
    const struct vec_node subscriber = vec_child(inputs, "subscriber");
    const struct gba_text choice = vec_text_or(&subscriber, "sres_choice", "sres1");
    uint8_t sres1[4], sres2[4];
    enum gba_aka_algorithm a;
    struct gba_aka_secret s;
    struct gba_milenage m;

    t->rand = vec_octets(inputs, "rand", 16);
    if (!vec_algorithm(&subscriber, "algorithm", GBA_AKA_MILENAGE, &a))
        return false;
    if (a != GBA_AKA_MILENAGE) {
        vec_fail(&subscriber, "algorithm", "milenage", gba_aka_name(a));
        return false;
    }
    if (!vec_secret(&subscriber, a, 8, &s) || inputs->v->broken)
        return false;
    if (!gba_text_is(choice, "sres1") && !gba_text_is(choice, "sres2")) {
        vec_fail(&subscriber, "sres_choice", "sres1|sres2", vec_cstr(inputs->v, choice).s);
        return false;
    }
    gba_milenage_f2345(s.k, s.opc, t->rand, &m);
    gba_milenage_gsm(&m, sres1, sres2, t->kc);
    memcpy(t->sres, gba_text_is(choice, "sres2") ? sres2 : sres1, 4);
    vec_is_hex(outputs, "kc", t->kc, 8);
    vec_is_hex(outputs, "sres", t->sres, 4);
    return true;
}

/* The reading of I.5.2 in which the static string comes first. */
static void is_other_ks(const struct vec_node *outputs, const struct triplet *t,
                        const uint8_t ks_input[static 16])
{
    static const uint8_t fc[] = {0x01};
    const struct gba_bytes p[] = {
        gba_text_bytes(GBA_TEXT("3gpp-gba-ks")), {ks_input, 16}, GBA_BYTES(t->sres)};
    uint8_t key[32], ks[32];

    memcpy(key, t->kc, 8);
    memcpy(key + 8, t->kc, 8);
    memcpy(key + 16, t->rand, 16);
    vec_is_hex(outputs, "key", key, sizeof(key));
    if (vec_ok(outputs, "ks", gba_kdf(GBA_BYTES(key), GBA_BYTES(fc), p, 3, ks)))
        vec_is_hex(outputs, "ks_if_p0_is_the_static_string", ks, sizeof(ks));
}

bool vec_run_2g(struct vec *v, struct vec_ub *ub)
{
    const struct vec_node n = vec_root(v);
    const struct vec_node inputs = vec_child(&n, "inputs"), outputs = vec_child(&n, "outputs");
    const uint8_t *ks_input = vec_octets(&inputs, "ks_input", 16);
    uint8_t nonce[48] = {0};
    struct triplet t;

    memset(ub, 0, sizeof(*ub));
    if (!vec_read_ub(&inputs, ub) || !read_triplet(&inputs, &outputs, &t))
        return false;
    memcpy(ub->av.rand, t.rand, 16);
    gba_2g_res(t.kc, t.rand, t.sres, ub->av.res);
    ub->av.res_len = 16;
    vec_is_hex(&outputs, "res", ub->av.res, 16);
    gba_2g_ks(t.kc, t.rand, t.sres, ks_input, &ub->ks);
    is_other_ks(&outputs, &t, ks_input);
    memcpy(nonce, t.rand, 16); /* RAND || 0 || Ks-input, TS 24.109 H.2 */
    memcpy(nonce + 32, ks_input, 16);
    ub->nonce = vec_base64(v, GBA_BYTES(nonce));
    return vec_run_ub(&inputs, &outputs, ub);
}

/* --- GBA_Digest (TS 33.220 B.5) --- */

/* One way to key the KDF with H(A1): as octets, or as its hexadecimal text. */
static void digest_variant(const struct vec_node *out, struct gba_bytes ha1,
                           const uint8_t tls_mk_extr[static 48], struct gba_digest_input *in)
{
    static const uint8_t fc[] = {0x01};
    const struct gba_bytes tls = {tls_mk_extr, 48};
    struct gba_bytes p[] = {gba_text_bytes(GBA_TEXT("GBA_Digest_RESP")), tls, {NULL, 0}};
    char response[GBA_DIGEST_HEX_SIZE];
    uint8_t passwd[32], resp[GBA_HASH_MAX];
    struct gba_ks ks;
    size_t n;

    if (!vec_ok(out, "passwd", gba_digest_passwd(ha1, tls_mk_extr, passwd)))
        return;
    vec_is_hex(out, "passwd", passwd, sizeof(passwd));
    vec_is_s(out, "s_passwd", GBA_BYTES(fc), p, 2);
    in->password = GBA_BYTES(passwd);
    gba_digest_response(in, response);
    vec_is_text_nocase(out, "response_with_passwd_as_octets", gba_text(response));
    if (!vec_ok(out, "ks", gba_unhex(resp, sizeof(resp), gba_text(response), &n)))
        return;
    p[0] = gba_text_bytes(GBA_TEXT("GBA_Digest_Ks"));
    p[2] = (struct gba_bytes){resp, n};
    vec_is_s(out, "s_ks", GBA_BYTES(fc), p, 3);
    if (vec_ok(out, "ks", gba_digest_ks(ha1, tls_mk_extr, p[2], &ks)))
        vec_is_hex(out, "ks", ks.octets, sizeof(ks.octets));
}

static void gba_digest(struct vec *v)
{
    const struct vec_node n = vec_root(v);
    const struct vec_node inputs = vec_child(&n, "inputs"), outputs = vec_child(&n, "outputs");
    const struct vec_node subscriber = vec_child(&inputs, "subscriber");
    const struct vec_node ub_in = vec_child(&inputs, "ub");
    const struct vec_node variants = vec_child(&outputs, "variants");
    const struct vec_node binary = vec_child(&variants, "ha1_as_binary");
    const struct vec_node text = vec_child(&variants, "ha1_as_hex_text");
    const uint8_t *tls_mk_extr = vec_octets(&inputs, "tls_mk_extr", 48);
    struct gba_digest_input sip = {.qop = GBA_QOP_NONE};
    char hex[GBA_DIGEST_HEX_SIZE];
    uint8_t ha1[GBA_HASH_MAX];
    struct vec_ub ub;
    size_t size;

    if (!vec_digest_algorithm(&subscriber, "sip_digest_algorithm", &sip.algorithm) ||
        !vec_read_ub(&inputs, &ub))
        return;
    sip.username = vec_text(&subscriber, "impi");
    sip.realm = vec_text(&subscriber, "sip_digest_realm");
    sip.password = gba_text_bytes(vec_text(&subscriber, "sip_digest_password"));
    ub.in.nonce = vec_text(&ub_in, "nonce");
    if (v->broken)
        return;
    gba_digest_ha1(&sip, hex);
    vec_is_text_nocase(&outputs, "ha1", gba_text(hex));
    if (!vec_ok(&outputs, "ha1", gba_unhex(ha1, sizeof(ha1), gba_text(hex), &size)))
        return;
    digest_variant(&binary, (struct gba_bytes){ha1, size}, tls_mk_extr, &ub.in);
    digest_variant(&text, gba_text_bytes(gba_text(hex)), tls_mk_extr, &ub.in);
}

void vec_f_other_modes(struct vec *v)
{
    const struct vec_node n = vec_root(v);
    const struct vec_node inputs = vec_child(&n, "inputs"), outputs = vec_child(&n, "outputs");
    const struct gba_text mode = vec_text(&n, "mode");
    struct vec_ub ub;

    if (gba_text_is(mode, "GBA_Digest")) {
        gba_digest(v);
    } else if (gba_text_is(mode, "2G_GBA")) {
        if (vec_run_2g(v, &ub))
            vec_run_keys(&inputs, &outputs, &ub);
    } else if (!v->broken) {
        vec_fail(&n, "mode", "2G_GBA|GBA_Digest", vec_cstr(v, mode).s);
    }
}
