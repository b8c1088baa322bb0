/*
 * The lists of milenage.json, tuak.json and 3gpp2.json.  An entry that names no algorithm is
 * told by TOP, TOPc or FMK.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/vectors/aka.h"

#include <string.h>

#include "common/aka_3gpp2.h"
#include "common/crypto.h"
#include "common/digest_aka.h"
#include "common/milenage.h"
#include "common/tuak.h"

static bool is_tuak(const struct vec_node *n)
{
    return vec_has(n, "top") || vec_has(n, "topc") || vec_has(n, "keccak_iterations");
}

bool vec_algorithm(const struct vec_node *n, const char *name, enum gba_aka_algorithm otherwise,
                   enum gba_aka_algorithm *out)
{
    struct gba_text t;

    *out = is_tuak(n) ? GBA_AKA_TUAK : vec_has(n, "fmk") ? GBA_AKA_3GPP2 : otherwise;
    if (!vec_has(n, name) && *out != VEC_NAMED)
        return true;
    t = vec_text(n, name);
    if (n->v->broken)
        return false;
    if (gba_text_eq_nocase(t, GBA_TEXT("TS 34.108 test algorithm"))) {
        *out = GBA_AKA_XOR;
        return true;
    }
    if (gba_aka_by_name(t, out) == GBA_OK)
        return true;
    vec_fail(n, name, "known_algorithm", vec_cstr(n->v, t).s);
    return false;
}

/* Milenage's or TUAK's K and OPc or TOPc, from whichever the entry has; with both, the one is
 * an output. */
static void read_opc(const struct vec_node *n, struct gba_aka_secret *s)
{
    const bool tuak = s->algorithm == GBA_AKA_TUAK;
    const char *op = tuak ? "top" : "op", *opc = tuak ? "topc" : "opc";
    const size_t size = tuak ? 32 : 16;

    if (vec_has(n, op)) {
        struct gba_bytes in = {vec_octets(n, op, size), size};

        if (!n->v->broken && vec_ok(n, op, gba_aka_derive_opc(s, in)))
            vec_is_hex(n, opc, s->opc, size);
    } else {
        memcpy(s->opc, vec_octets(n, opc, size), size);
    }
}

/* 3GPP2's FMK, where the entry has one. */
static void read_fmk(const struct vec_node *n, struct gba_aka_secret *s)
{
    s->own_fmk = vec_has(n, "fmk");
    if (s->own_fmk)
        memcpy(s->fmk, vec_octets(n, "fmk", sizeof(s->fmk)), sizeof(s->fmk));
}

bool vec_secret(const struct vec_node *n, enum gba_aka_algorithm a, size_t res_len,
                struct gba_aka_secret *s)
{
    struct gba_bytes k;

    memset(s, 0, sizeof(*s));
    s->algorithm = a;
    k = vec_hex(n, "k");
    s->k_len = k.n;
    memcpy(s->k, k.p, k.n < sizeof(s->k) ? k.n : sizeof(s->k));
    s->iterations = (unsigned)vec_number_or(n, "keccak_iterations", 0);
    s->iterations = (unsigned)vec_number_or(n, "iterations", s->iterations);
    s->res_len = vec_number_or(n, "res_len", res_len);
    if (s->res_len == 0)
        s->res_len = a == GBA_AKA_XOR || a == GBA_AKA_3GPP2 ? 16 : 8;
    if (s->algorithm == GBA_AKA_MILENAGE && !vec_has(n, "res_len"))
        s->res_len = 8;
    if (a == GBA_AKA_3GPP2)
        read_fmk(n, s);
    else if (a != GBA_AKA_XOR)
        read_opc(n, s);
    return !n->v->broken && vec_ok(n, "k", gba_aka_check_secret(s));
}

/* The USIM opens AUTN, the AuC opens AUTS, and both see the SQN that went in. */
static void other_side(const struct vec_node *out, const struct gba_aka_secret *s,
                       const struct gba_av *av, const uint8_t auts[static 14],
                       const uint8_t sqn[static 6])
{
    uint8_t got_sqn[6] = {0}, got_amf[2];
    struct gba_av opened;

    if (vec_ok(out, "autn",
               gba_aka_open_autn(s, av->rand, av->autn, got_sqn, got_amf, &opened)) &&
        memcmp(got_sqn, sqn, 6) != 0)
        vec_fail(out, "autn", "its_sqn", "another");
    if (vec_ok(out, "auts", gba_aka_open_auts(s, av->rand, auts, got_sqn)) &&
        memcmp(got_sqn, sqn, 6) != 0)
        vec_fail(out, "auts", "its_sqn", "another");
}

void vec_is_aka(const struct vec_node *out, const struct gba_aka_secret *s,
                const uint8_t rand[static 16], const uint8_t sqn[static 6],
                const uint8_t amf[static 2], struct gba_av *av)
{
    struct gba_aka_functions f;
    uint8_t auts[GBA_AUTS_LEN];

    if (!vec_ok(out, "aka", gba_aka_functions(s, rand, sqn, amf, &f)) ||
        !vec_ok(out, "aka", gba_aka_vector(s, rand, sqn, amf, av)) ||
        !vec_ok(out, "aka", gba_aka_make_auts(s, rand, sqn, auts)))
        return;
    vec_is_hex(out, "mac_a", f.mac_a, 8);
    vec_is_hex(out, "res", av->res, av->res_len);
    vec_is_hex(out, "ck", av->ck, 16);
    vec_is_hex(out, "ik", av->ik, 16);
    vec_is_hex(out, "ak", f.ak, 6);
    vec_is_hex(out, "ak_star", f.ak_star, 6);
    vec_is_hex(out, "autn", av->autn, 16);
    vec_is_hex(out, "auts", auts, sizeof(auts));
    other_side(out, s, av, auts, sqn);
}

/* TS 55.205 over a Milenage vector: SRES by either of its functions. */
static void gsm_outputs(const struct vec_node *n, const struct gba_aka_secret *s,
                        const uint8_t rand[static 16])
{
    struct gba_milenage m;
    uint8_t sres1[4], sres2[4], kc[8];

    gba_milenage_f2345(s->k, s->opc, rand, &m);
    gba_milenage_gsm(&m, sres1, sres2, kc);
    vec_is_hex(n, "sres1", sres1, 4);
    vec_is_hex(n, "sres2", sres2, 4);
    vec_is_hex(n, "kc", kc, 8);
    if (vec_has(n, "sres"))
        vec_is_hex(n, "sres",
                   gba_text_is(vec_text_or(n, "sres_choice", "sres1"), "sres2") ? sres2 : sres1,
                   4);
}

void vec_f_gsm_test_sets(struct vec *v)
{
    const struct vec_node n = vec_root(v);
    const uint8_t *rand = vec_octets(&n, "rand", 16);
    struct gba_aka_secret s;

    if (vec_secret(&n, GBA_AKA_MILENAGE, 8, &s))
        gsm_outputs(&n, &s, rand);
}

/* A size in bits, or that of the output itself. */
static size_t octets_of(const struct vec_node *n, const char *bits, const char *output,
                        size_t otherwise)
{
    size_t size = vec_hex_len(n, output);

    if (vec_has(n, bits)) {
        if (vec_number_or(n, bits, 0) % 8 != 0)
            vec_fail(n, bits, "whole_octets", "other");
        return vec_number_or(n, bits, 0) / 8;
    }
    return size != 0 ? size : otherwise;
}

/* K, iterations, TOPc or TOP; with both, TOPc is an output. */
static bool read_tuak(const struct vec_node *n, struct gba_tuak *t, uint8_t topc[static 32])
{
    t->k = vec_hex(n, "k");
    t->iterations = (unsigned)vec_number_or(n, "keccak_iterations", 1);
    if (vec_has(n, "k_bits") && vec_number_or(n, "k_bits", 0) != 8 * t->k.n)
        vec_fail(n, "k_bits", "size_of_k", "other");
    if (vec_has(n, "top")) {
        if (!vec_ok(n, "top",
                    gba_tuak_topc(t->k, vec_octets(n, "top", 32), t->iterations, topc)))
            return false;
        vec_is_hex(n, "topc", topc, 32);
    } else {
        memcpy(topc, vec_octets(n, "topc", 32), 32);
    }
    return !n->v->broken;
}

/* TUAK with sizes that GBA does not have: the tokens by their parts. */
static void tuak_tokens(const struct vec_node *n, const struct gba_tuak_sizes *z)
{
    static const uint8_t amf_resync[2] = {0, 0};
    const uint8_t *rand = vec_octets(n, "rand", 16);
    const uint8_t *sqn = vec_octets(n, "sqn", 6), *amf = vec_octets(n, "amf", 2);
    uint8_t topc[32], mac_a[32], mac_s[32], unused[32], autn[16], auts[14];
    struct gba_tuak t = {.topc = topc};
    struct gba_tuak_out o;

    if (!read_tuak(n, &t, topc) ||
        !vec_ok(n, "mac_a", gba_tuak_f1(&t, z, rand, sqn, amf, mac_a, unused)) ||
        !vec_ok(n, "auts", gba_tuak_f1(&t, z, rand, sqn, amf_resync, unused, mac_s)) ||
        !vec_ok(n, "res", gba_tuak_f2345(&t, z, rand, &o)))
        return;
    for (size_t i = 0; i < 6; i++) {
        autn[i] = sqn[i] ^ o.ak[i];
        auts[i] = sqn[i] ^ o.ak_star[i];
    }
    memcpy(autn + 6, amf, 2);
    memcpy(autn + 8, mac_a, 8);
    memcpy(auts + 6, mac_s, 8);
    vec_is_hex(n, "mac_a", mac_a, z->mac);
    vec_is_hex(n, "res", o.res, z->res);
    vec_is_hex(n, "ck", o.ck, z->ck);
    vec_is_hex(n, "ik", o.ik, z->ik);
    vec_is_hex(n, "ak", o.ak, 6);
    vec_is_hex(n, "ak_star", o.ak_star, 6);
    if (z->mac == 8) { /* TS 33.102 6.3.2: MAC of 64 bits */
        vec_is_hex(n, "autn", autn, sizeof(autn));
        vec_is_hex(n, "auts", auts, sizeof(auts));
    }
}

static void aka_tokens(const struct vec_node *n, enum gba_aka_algorithm a)
{
    const uint8_t *rand = vec_octets(n, "rand", 16);
    const uint8_t *sqn = vec_octets(n, "sqn", 6), *amf = vec_octets(n, "amf", 2);
    char nonce[GBA_AKA_NONCE_SIZE];
    struct gba_av av = {.res_len = 0};
    struct gba_aka_secret s;

    if (!vec_secret(n, a, vec_hex_len(n, "res"), &s) || n->v->broken)
        return;
    vec_is_aka(n, &s, rand, sqn, amf, &av);
    gba_aka_nonce(av.rand, av.autn, nonce);
    vec_is_text(n, "ims_nonce", gba_text(nonce));
    if (s.algorithm == GBA_AKA_MILENAGE)
        gsm_outputs(n, &s, rand);
}

void vec_f_aka_tokens(struct vec *v)
{
    const struct vec_node n = vec_root(v);
    const struct gba_tuak_sizes z = {
        octets_of(&n, "mac_bits", "mac_a", 8), octets_of(&n, "res_bits", "res", 8),
        octets_of(&n, "ck_bits", "ck", 16), octets_of(&n, "ik_bits", "ik", 16)};
    enum gba_aka_algorithm a;

    if (!vec_algorithm(&n, "algorithm", VEC_NAMED, &a))
        return;
    if (a == GBA_AKA_TUAK && (z.mac != 8 || z.res > 16 || z.ck != 16 || z.ik != 16))
        tuak_tokens(&n, &z);
    else
        aka_tokens(&n, a);
}

static void milenage_set(const struct vec_node *n)
{
    const uint8_t *rand = vec_octets(n, "rand", 16);
    const uint8_t *sqn = vec_octets(n, "sqn", 6), *amf = vec_octets(n, "amf", 2);
    struct gba_aka_secret s;
    struct gba_milenage m;
    uint8_t mac_a[8], mac_s[8];

    if (!vec_secret(n, GBA_AKA_MILENAGE, 8, &s) || n->v->broken)
        return;
    gba_milenage_f1(s.k, s.opc, rand, sqn, amf, mac_a, mac_s);
    gba_milenage_f2345(s.k, s.opc, rand, &m);
    vec_is_hex(n, "f1", mac_a, 8);
    vec_is_hex(n, "f1*", mac_s, 8);
    vec_is_hex(n, "f2", m.res, 8);
    vec_is_hex(n, "f3", m.ck, 16);
    vec_is_hex(n, "f4", m.ik, 16);
    vec_is_hex(n, "f5", m.ak, 6);
    vec_is_hex(n, "f5*", m.ak_star, 6);
}

static void tuak_set(const struct vec_node *n)
{
    const uint8_t *rand = vec_octets(n, "rand", 16);
    const uint8_t *sqn = vec_octets(n, "sqn", 6), *amf = vec_octets(n, "amf", 2);
    const struct gba_tuak_sizes z = {
        octets_of(n, "mac_bits", "f1", 8), octets_of(n, "res_bits", "f2", 8),
        octets_of(n, "ck_bits", "f3", 16), octets_of(n, "ik_bits", "f4", 16)};
    uint8_t topc[32], mac_a[32], mac_s[32];
    struct gba_tuak t = {.topc = topc};
    struct gba_tuak_out o;

    if (!read_tuak(n, &t, topc))
        return;
    if (!vec_ok(n, "f1", gba_tuak_f1(&t, &z, rand, sqn, amf, mac_a, mac_s)) ||
        !vec_ok(n, "f2", gba_tuak_f2345(&t, &z, rand, &o)))
        return;
    vec_is_hex(n, "f1", mac_a, z.mac);
    vec_is_hex(n, "f1*", mac_s, z.mac);
    vec_is_hex(n, "f2", o.res, z.res);
    vec_is_hex(n, "f3", o.ck, z.ck);
    vec_is_hex(n, "f4", o.ik, z.ik);
    vec_is_hex(n, "f5", o.ak, 6);
    vec_is_hex(n, "f5*", o.ak_star, 6);
}

static void a3gpp2_set(const struct vec_node *n)
{
    const uint8_t *rand = vec_octets(n, "rand", 16);
    const uint8_t *sqn = vec_octets(n, "sqn", 6), *amf = vec_octets(n, "amf", 2);
    struct gba_aka_functions f;
    struct gba_aka_secret s;

    if (!vec_secret(n, GBA_AKA_3GPP2, vec_hex_len(n, "f2"), &s) || n->v->broken ||
        !vec_ok(n, "f1", gba_aka_functions(&s, rand, sqn, amf, &f)))
        return;
    vec_is_hex(n, "f1", f.mac_a, 8);
    vec_is_hex(n, "f1*", f.mac_s, 8);
    vec_is_hex(n, "f2", f.res, f.res_len);
    vec_is_hex(n, "f3", f.ck, 16);
    vec_is_hex(n, "f4", f.ik, 16);
    vec_is_hex(n, "f5", f.ak, 6);
    vec_is_hex(n, "f5*", f.ak_star, 6);
}

void vec_f_test_sets(struct vec *v)
{
    const struct vec_node n = vec_root(v);
    enum gba_aka_algorithm a;

    if (!vec_algorithm(&n, "algorithm", GBA_AKA_MILENAGE, &a))
        return;
    if (a == GBA_AKA_TUAK)
        tuak_set(&n);
    else if (a == GBA_AKA_MILENAGE)
        milenage_set(&n);
    else if (a == GBA_AKA_3GPP2)
        a3gpp2_set(&n);
    else
        vec_fail(&n, "algorithm", "milenage_tuak_or_3gpp2", gba_aka_name(a));
}

/* S.S0055-A: two calls of f0, counters 0 and 1, make a RAND. */
void vec_f_f0(struct vec *v)
{
    const struct vec_node n = vec_root(v);
    const uint8_t *seed = vec_octets(&n, "seed", 16);
    struct gba_aka_secret s = {.own_fmk = false};
    uint8_t counter[8] = {0}, rand[16];

    read_fmk(&n, &s);
    if (v->broken)
        return;
    for (; counter[7] < 2; counter[7]++)
        gba_3gpp2_f0(seed, s.own_fmk ? s.fmk : gba_3gpp2_fmk, counter, rand + 8 * counter[7]);
    vec_is_hex(&n, "rand", rand, sizeof(rand));
}

void vec_f_keccak_f1600(struct vec *v)
{
    const struct vec_node n = vec_root(v);
    uint8_t state[200];

    memcpy(state, vec_octets(&n, "input", sizeof(state)), sizeof(state));
    if (v->broken)
        return;
    gba_keccak_f1600(state);
    vec_is_hex(&n, "output", state, sizeof(state));
}
