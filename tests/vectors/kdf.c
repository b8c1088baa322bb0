/*
 * The lists of kdf.json.  Every derivation is run twice: as the generic KDF over its P
 * parameters, and by the function that knows what they mean.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/vectors/kdf.h"

#include <string.h>

#include "common/crypto.h"
#include "common/gba_u.h"
#include "common/identity.h"
#include "common/kdf.h"
#include "common/m2m_keys.h"
#include "common/tls_prf.h"
#include "common/unicode.h"

void vec_f_hmac_sha256(struct vec *v)
{
    const struct vec_node n = vec_root(v);
    const struct gba_bytes key = vec_hex(&n, "key"), data = vec_hex(&n, "data");
    uint8_t out[32];
    size_t bits = vec_number_or(&n, "output_bits", 8 * vec_hex_len(&n, "output"));

    if (bits > 256 || bits % 8 != 0)
        vec_fail(&n, "output_bits", "whole_octets", "other");
    if (v->broken)
        return;
    gba_hmac(GBA_SHA256, key, &data, 1, out);
    vec_is_hex(&n, "output", out, bits / 8);
}

/* key, fc, p[] of a derivation. */
struct derivation {
    struct gba_bytes key, fc, p[GBA_KDF_MAX_P];
    size_t n_p;
};

static bool read_derivation(const struct vec_node *n, struct derivation *d)
{
    const json_t *p = json_object_get(n->json, "p");

    d->key = vec_hex(n, "key");
    d->fc = vec_hex(n, "fc");
    d->n_p = 0;
    if (!json_is_array(p) || json_array_size(p) > GBA_KDF_MAX_P) {
        vec_fail(n, "p", "array", "missing");
        return false;
    }
    for (size_t i = 0; i < json_array_size(p); i++) {
        const json_t *item = json_array_get(p, i);
        const struct gba_text t = {json_string_value(item), json_string_length(item)};

        if (t.s == NULL || !vec_unhex(n->v, t, &d->p[d->n_p++]))
            vec_fail(n, "p", "hexadecimal", "other");
    }
    return !n->v->broken;
}

/* The slice of the output that is kept. */
static bool read_take(const struct vec_node *n, size_t *from, size_t *to)
{
    const json_t *take = json_object_get(n->json, "take");

    *from = 0;
    *to = 32;
    if (take != NULL && !json_is_null(take)) {
        json_int_t a = json_integer_value(json_array_get(take, 0));
        json_int_t b = json_integer_value(json_array_get(take, 1));

        if (json_array_size(take) != 2 || a < 0 || b < a || b > 32) {
            vec_fail(n, "take", "slice_of_32_octets", "other");
            return false;
        }
        *from = (size_t)a;
        *to = (size_t)b;
    }
    return true;
}

void vec_is_s(const struct vec_node *n, const char *name, struct gba_bytes fc,
              const struct gba_bytes *p, size_t n_p)
{
    size_t cap = fc.n;
    struct gba_wbuf s;

    for (size_t i = 0; i < n_p; i++)
        cap += p[i].n + 2;
    gba_wbuf_init(&s, vec_alloc(n->v, cap), cap);
    if (vec_ok(n, name, gba_kdf_s(fc, p, n_p, &s)))
        vec_is_hex(n, name, s.p, s.n);
}

static bool generic(const struct vec_node *n, struct derivation *d)
{
    uint8_t out[32];
    size_t from, to;

    if (!read_derivation(n, d) || !read_take(n, &from, &to))
        return false;
    vec_is_s(n, "s", d->fc, d->p, d->n_p);
    if (!vec_ok(n, "output", gba_kdf(d->key, d->fc, d->p, d->n_p, out)))
        return false;
    vec_is_hex(n, "output", out + from, to - from);
    return true;
}

void vec_f_generic_kdf(struct vec *v)
{
    const struct vec_node n = vec_root(v);
    struct derivation d;

    generic(&n, &d);
}

static struct gba_bytes literal(const char *s)
{
    return gba_text_bytes(gba_text(s));
}

static bool same(struct gba_bytes a, struct gba_bytes b)
{
    return gba_text_eq(gba_bytes_text(a), gba_bytes_text(b));
}

/* A parameter must be what the named inputs make it. */
static void is_parameter(const struct vec_node *n, const struct derivation *d, size_t i,
                         struct gba_bytes want)
{
    char name[8] = {'p', '[', (char)('0' + i % 10), ']'};

    if (i >= d->n_p || !same(d->p[i], want))
        vec_fail(n, name, "what_the_inputs_make_it", "other");
}

struct gba_bytes vec_nfkc(const struct vec_node *n, const char *name, struct gba_text t)
{
    struct gba_wbuf w;

    gba_wbuf_init(&w, vec_alloc(n->v, 12 * t.n), 12 * t.n);
    vec_ok(n, name, gba_nfkc(t, &w));
    return gba_wbuf_bytes(&w);
}

struct gba_bytes vec_naf_id(const struct vec_node *n, const char *fqdn,
                            const uint8_t ua_id[static 5])
{
    const struct gba_text name = vec_text(n, fqdn);
    const struct gba_bytes nfkc = vec_nfkc(n, fqdn, name);
    uint8_t *p = vec_alloc(n->v, nfkc.n + 5);
    struct gba_naf_id made;

    memcpy(p, nfkc.p, nfkc.n);
    memcpy(p + nfkc.n, ua_id, 5);
    if (gba_fqdn_check(gba_bytes_text(nfkc)) == GBA_OK &&
        vec_ok(n, fqdn, gba_naf_id_make(gba_bytes_text(nfkc), ua_id, &made)) &&
        !same((struct gba_bytes){made.octets, made.n}, (struct gba_bytes){p, nfkc.n + 5}))
        vec_fail(n, fqdn, "naf_id", "other");
    return (struct gba_bytes){p, nfkc.n + 5};
}

static bool read_ks(const struct vec_node *n, const struct derivation *d, struct gba_ks *ks)
{
    if (d->key.n != sizeof(ks->octets)) {
        vec_fail(n, "key", "32_octets", "other");
        return false;
    }
    memcpy(ks->octets, d->key.p, sizeof(ks->octets));
    return true;
}

void vec_f_gba_naf(struct vec *v)
{
    const struct vec_node n = vec_root(v);
    const struct gba_text impi = vec_text(&n, "impi"), fqdn = vec_text(&n, "naf_fqdn");
    const uint8_t *ua_id = vec_octets(&n, "ua_id", 5);
    struct gba_bytes naf_id, raw;
    struct derivation d;
    struct gba_key key;
    struct gba_ks ks;
    enum gba_ks_use use;

    if (v->broken || !generic(&n, &d) || !read_ks(&n, &d, &ks))
        return;
    naf_id = vec_naf_id(&n, "naf_fqdn", ua_id);
    vec_is_hex(&n, "naf_id", naf_id.p, naf_id.n);
    use = d.n_p > 0 && same(d.p[0], literal("gba-u")) ? GBA_USE_UICC : GBA_USE_ME;
    is_parameter(&n, &d, 0, literal(use == GBA_USE_UICC ? "gba-u" : "gba-me"));
    is_parameter(&n, &d, 2, vec_nfkc(&n, "impi", impi));
    is_parameter(&n, &d, 3, naf_id);
    if (d.n_p != 4 || d.p[1].n != 16) {
        vec_fail(&n, "p", "4_parameters", "other");
        return;
    }
    /* from the name as it is given: the function itself makes NFKC of it */
    raw = gba_text_bytes(vec_join(v, vec_cstr(v, fqdn).s, "     ", NULL));
    memcpy((uint8_t *)(uintptr_t)raw.p + fqdn.n, ua_id, 5);
    if (vec_ok(&n, "output", gba_ks_naf(&ks, use, d.p[1].p, impi, raw, &key)))
        vec_is_hex(&n, "output", key.octets, 32);
}

static bool has_string(const struct derivation *d, const char *s)
{
    for (size_t i = 0; i < d->n_p; i++)
        if (same(d->p[i], literal(s)))
            return true;
    return false;
}

/* What each of the other derivations is, by its P0 and FC. */
static void mode_tmpi(const struct vec_node *n, const struct derivation *d)
{
    const struct gba_text bsf = vec_text(n, "bsf_fqdn");
    char tmpi[GBA_TMPI_SIZE];
    struct gba_ks ks;

    if (!read_ks(n, d, &ks) || d->n_p != 4 || d->p[1].n != 16) {
        vec_fail(n, "p", "4_parameters", "other");
        return;
    }
    if (vec_ok(n, "tmpi", gba_tmpi(&ks, d->p[1].p, gba_bytes_text(d->p[2]), bsf, tmpi)))
        vec_is_text(n, "tmpi", gba_text(tmpi));
}

static void mode_2g(const struct vec_node *n, const struct derivation *d)
{
    const uint8_t *kc = vec_octets(n, "kc", 8), *rand = vec_octets(n, "rand", 16);
    const uint8_t *sres = vec_octets(n, "sres", 4);
    uint8_t res[16], key[32];
    struct gba_ks ks;

    memcpy(key, kc, 8);
    memcpy(key + 8, kc, 8);
    memcpy(key + 16, rand, 16);
    if (!same(d->key, GBA_BYTES(key)))
        vec_fail(n, "key", "Kc||Kc||RAND", "other");
    if (has_string(d, "3gpp-gba-ks")) {
        const uint8_t *ks_input = vec_octets(n, "ks_input", 16);
        const struct gba_bytes other[] = {literal("3gpp-gba-ks"), {ks_input, 16}, {sres, 4}};
        uint8_t alternative[32];

        gba_2g_ks(kc, rand, sres, ks_input, &ks);
        vec_is_hex(n, "output", ks.octets, 32);
        if (vec_ok(n, "output", gba_kdf(d->key, d->fc, other, 3, alternative)))
            vec_is_hex(n, "alternative_if_p0_is_the_static_string", alternative, 32);
    } else {
        gba_2g_res(kc, rand, sres, res);
        vec_is_hex(n, "output", res, 16);
    }
}

/* H(A1) keys the KDF as octets, or as hex text where the entry says so. */
static void mode_digest(const struct vec_node *n, const struct derivation *d)
{
    const struct gba_bytes ha1 = vec_hex(n, "ha1");
    char *hex = vec_alloc(n->v, 2 * ha1.n);
    struct gba_ks ks;
    uint8_t passwd[32];

    gba_hex(hex, ha1);
    if (!same(d->key, ha1) && !same(d->key, literal(hex)))
        vec_fail(n, "key", "H(A1)", "other");
    if (d->n_p < 2 || d->p[1].n != 48) {
        vec_fail(n, "p", "TLS_MK_Extr", "other");
    } else if (d->n_p == 3) {
        if (vec_ok(n, "output", gba_digest_ks(d->key, d->p[1].p, d->p[2], &ks)))
            vec_is_hex(n, "output", ks.octets, 32);
    } else if (vec_ok(n, "output", gba_digest_passwd(d->key, d->p[1].p, passwd))) {
        vec_is_hex(n, "output", passwd, 32);
    }
}

static void mode_digest_naf(const struct vec_node *n, const struct derivation *d)
{
    struct gba_key key;
    struct gba_ks ks;

    if (d->n_p != 4 || !read_ks(n, d, &ks))
        vec_fail(n, "p", "4_parameters", "other");
    else if (vec_ok(n, "output",
                    gba_digest_ks_naf(&ks, d->p[1], gba_bytes_text(d->p[2]), d->p[3], &key)))
        vec_is_hex(n, "output", key.octets, 32);
}

static void mode_akma(const struct vec_node *n, const struct derivation *d)
{
    struct gba_key in, out;
    enum gba_err err;

    if (d->key.n != 32 || d->n_p < 1 || (d->fc.p[0] != 0x82 && d->n_p != 2)) {
        vec_fail(n, "p", "AKMA_parameters", "other");
        return;
    }
    memcpy(in.octets, d->key.p, 32);
    if (d->fc.p[0] == 0x80)
        err = gba_akma_key(&in, gba_bytes_text(d->p[1]), &out);
    else if (d->fc.p[0] == 0x81)
        err = gba_akma_tid(&in, gba_bytes_text(d->p[1]), out.octets);
    else
        err = gba_akma_kaf(&in, d->p[0], &out);
    if (vec_ok(n, "output", err))
        vec_is_hex(n, "output", out.octets, 32);
}

static void mode_mac_star(const struct vec_node *n)
{
    const struct gba_bytes ik = {vec_octets(n, "ik", 16), 16};
    const uint8_t *mac = vec_octets(n, "mac", 8);
    uint8_t sha1[GBA_HASH_MAX], autn[16] = {0}, star[16];

    if (vec_has(n, "autn"))
        memcpy(autn, vec_octets(n, "autn", 16), 8);
    memcpy(autn + 8, mac, 8);
    vec_is_hex(n, "autn", autn, 16);
    gba_hash(GBA_SHA1, &ik, 1, sha1);
    vec_is_hex(n, "sha1_ik_trunc64", sha1, 8);
    gba_u_autn(autn, ik.p, star);
    vec_is_hex(n, "mac_star", star + 8, 8);
    vec_is_hex(n, "autn_star", star, 16);
}

void vec_f_gba_modes(struct vec *v)
{
    const struct vec_node n = vec_root(v);
    struct derivation d;

    if (!vec_has(&n, "key") && vec_has(&n, "mac")) {
        mode_mac_star(&n);
        return;
    }
    if (!generic(&n, &d))
        return;
    if (vec_has(&n, "tmpi") || vec_has(&n, "bsf_fqdn"))
        mode_tmpi(&n, &d);
    else if (has_string(&d, "3gpp-gba-res") || has_string(&d, "3gpp-gba-ks"))
        mode_2g(&n, &d);
    else if (has_string(&d, "GBA_Digest_RESP") || has_string(&d, "GBA_Digest_Ks"))
        mode_digest(&n, &d);
    else if (has_string(&d, "gba-digest"))
        mode_digest_naf(&n, &d);
    else if (d.fc.n == 1 && d.fc.p[0] >= 0x80 && d.fc.p[0] <= 0x82)
        mode_akma(&n, &d);
}

/* What other code computes wrongly: where the inputs are there, ours must be the right one. */
void vec_f_rejected(struct vec *v)
{
    const struct vec_node n = vec_root(v), in = vec_child(&n, "correct_inputs");
    struct gba_bytes naf_id;
    struct gba_key key;
    struct gba_ks ks;

    if (!vec_has(&n, "correct_inputs") ||
        !(vec_has(&n, "correct_for_same_names") || vec_has(&n, "wrong_output"))) {
        v->skip = true;
        return;
    }
    memcpy(ks.octets, vec_octets(&in, "ks", 32), 32);
    naf_id = vec_naf_id(&in, "naf_fqdn", vec_octets(&in, "ua_id", 5));
    if (v->broken || !vec_ok(&n, "correct_for_same_names",
                             gba_ks_naf(&ks, GBA_USE_ME, vec_octets(&in, "rand", 16),
                                        vec_text(&in, "impi"), naf_id, &key)))
        return;
    vec_is_hex(&n, "correct_for_same_names", key.octets, 32);
    vec_is_not_hex(&n, "wrong_output", key.octets, 32);
}

static bool export_tls(const struct vec_node *n, struct gba_text label, uint8_t *out,
                       size_t size)
{
    struct gba_bytes context = {NULL, 0};
    const bool has_context = vec_has(n, "context");

    if (has_context)
        context = vec_hex(n, "context");
    if (vec_has(n, "secret")) {
        gba_tls12_prf(vec_hex(n, "secret"), label, vec_hex(n, "seed"), out, size);
        return !n->v->broken;
    }
    if (vec_has(n, "exporter_master_secret"))
        return vec_ok(n, "output",
                      gba_tls13_export(vec_octets(n, "exporter_master_secret", 32), label,
                                       context, out, size));
    return vec_ok(n, "output",
                  gba_tls12_export(vec_octets(n, "master_secret", 48),
                                   vec_octets(n, "client_random", 32),
                                   vec_octets(n, "server_random", 32), label,
                                   has_context ? &context : NULL, out, size));
}

void vec_f_tls(struct vec *v)
{
    const struct vec_node n = vec_root(v);
    const struct gba_text label = vec_text(&n, "label");
    const size_t size = vec_number_or(&n, "length", vec_hex_len(&n, "output"));
    uint8_t *out = vec_alloc(v, size);
    char key_id[M2M_KEY_ID_SIZE];
    struct gba_key key;

    if (v->broken || !export_tls(&n, label, out, size) || v->broken)
        return;
    vec_is_hex(&n, "output", out, size);
    if (size == M2M_EXPORT_LEN &&
        vec_ok(&n, "key", m2m_export_split(out, GBA_TEXT("mef.example"), key_id, &key))) {
        vec_is_hex(&n, "key", key.octets, 32);
        vec_is_text_nocase(&n, "relative_key_id", (struct gba_text){key_id, 32});
    }
}
