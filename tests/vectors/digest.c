/*
 * The lists of digest.json: HTTP Digest and Digest AKA.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/vectors/digest.h"

#include <string.h>

#include "common/digest_aka.h"
#include "common/identity.h"
#include "tests/vectors/aka.h"

bool vec_digest_algorithm(const struct vec_node *n, const char *name,
                          enum gba_digest_algorithm *out)
{
    const struct gba_text t = vec_text(n, name);

    *out = GBA_DIGEST_MD5;
    if (n->v->broken)
        return false;
    if (gba_digest_algorithm_by_name(t, out) == GBA_OK)
        return true;
    vec_fail(n, name, "known_algorithm", vec_cstr(n->v, t).s);
    return false;
}

static bool read_qop(const struct vec_node *n, enum gba_digest_qop *out)
{
    const struct gba_text t = vec_text_or(n, "qop", "");

    for (int q = GBA_QOP_NONE; q <= GBA_QOP_AUTH_INT; q++)
        if (gba_text_is(t, gba_digest_qop_name((enum gba_digest_qop)q))) {
            *out = (enum gba_digest_qop)q;
            return true;
        }
    vec_fail(n, "qop", "known_qop", vec_cstr(n->v, t).s);
    return false;
}

bool vec_digest_input(const struct vec_node *n, struct gba_digest_input *in)
{
    *in = (struct gba_digest_input){.qop = GBA_QOP_NONE};
    if (!vec_digest_algorithm(n, "algorithm", &in->algorithm) || !read_qop(n, &in->qop))
        return false;
    in->realm = vec_text(n, "realm");
    in->method = vec_text(n, "method");
    in->uri = vec_text(n, "uri");
    if (in->qop != GBA_QOP_NONE) {
        in->nc = vec_text(n, "nc");
        in->cnonce = vec_text(n, "cnonce");
    } else { /* -sess hashes the cnonce without qop, too */
        in->cnonce = vec_text_or(n, "cnonce", "");
    }
    return !n->v->broken;
}

void vec_is_hbody(const struct vec_node *n, const char *name, const struct gba_digest_input *in)
{
    enum gba_hash h = gba_digest_hash(in->algorithm);
    uint8_t out[GBA_HASH_MAX];

    gba_hash(h, &in->body, 1, out);
    vec_is_hex(n, name, out, gba_hash_len(h));
}

void vec_is_response(const struct vec_node *n, const struct vec_response_names *names,
                     const struct gba_digest_input *in)
{
    char ha1[GBA_DIGEST_HEX_SIZE], ha2[GBA_DIGEST_HEX_SIZE], response[GBA_DIGEST_HEX_SIZE];

    gba_digest_ha1(in, ha1);
    gba_digest_ha2(in, ha2);
    gba_digest_response(in, response);
    if (names->ha1 != NULL)
        vec_is_text_nocase(n, names->ha1, gba_text(ha1));
    if (names->ha2 != NULL)
        vec_is_text_nocase(n, names->ha2, gba_text(ha2));
    vec_is_text_nocase(n, names->response, gba_text(response));
    if (!gba_digest_verify(in, gba_text(response)))
        vec_fail(n, names->response, "verifies", "refused");
    if (names->hbody != NULL && in->qop == GBA_QOP_AUTH_INT)
        vec_is_hbody(n, names->hbody, in);
}

/* H(username ":" realm), RFC 7616 3.4.4. */
static void is_userhash(const struct vec_node *n, const struct gba_digest_input *in)
{
    const struct gba_bytes parts[] = {gba_text_bytes(in->username),
                                      gba_text_bytes(GBA_TEXT(":")), gba_text_bytes(in->realm)};
    enum gba_hash h = gba_digest_hash(in->algorithm);
    uint8_t out[GBA_HASH_MAX];

    gba_hash(h, parts, 3, out);
    vec_is_hex(n, "userhash", out, gba_hash_len(h));
}

/* The password as octets or text; with both, they must be the same. */
static struct gba_bytes read_password(const struct vec_node *n)
{
    struct gba_bytes hex;
    struct gba_text text;

    if (!vec_has(n, "password_hex"))
        return gba_text_bytes(vec_text(n, "password_text"));
    hex = vec_hex(n, "password_hex");
    text = vec_text_or(n, "password_text", "");
    if (vec_has(n, "password_text") && !gba_text_eq(text, gba_bytes_text(hex)))
        vec_fail(n, "password_text", "as_password_hex", vec_cstr(n->v, text).s);
    return hex;
}

static bool read_input(const struct vec_node *n, struct gba_digest_input *in)
{
    if (!vec_digest_input(n, in))
        return false;
    in->username = vec_text(n, "username");
    in->nonce = vec_text(n, "nonce");
    if (in->qop == GBA_QOP_AUTH_INT)
        in->body = vec_hex(n, "body_hex");
    return !n->v->broken;
}

static void is_digest(const struct vec_node *n, const struct gba_digest_input *in)
{
    static const struct vec_response_names names = {"ha1", "ha2", "response", "hbody"};

    vec_is_response(n, &names, in);
    is_userhash(n, in);
}

void vec_f_digest(struct vec *v)
{
    const struct vec_node n = vec_root(v);
    struct gba_digest_input in;

    if (!read_input(&n, &in))
        return;
    in.password = read_password(&n);
    if (!v->broken)
        is_digest(&n, &in);
}

/* The vector of an `aka` object: RES, CK and IK, or a key to make them of. */
static void read_av(const struct vec_node *n, struct gba_av *av)
{
    const struct vec_node aka = vec_child(n, "aka");
    enum gba_aka_algorithm a;
    struct gba_aka_secret s;
    char nonce[GBA_AKA_NONCE_SIZE];
    struct gba_bytes res;

    memset(av, 0, sizeof(*av));
    if (vec_has(&aka, "k")) {
        const uint8_t *rand = vec_octets(&aka, "rand", 16), *sqn = vec_octets(&aka, "sqn", 6);
        const uint8_t *amf = vec_octets(&aka, "amf", 2);

        if (!vec_algorithm(&aka, "algorithm_set", VEC_NAMED, &a) ||
            !vec_secret(&aka, a, vec_hex_len(&aka, "res"), &s) || n->v->broken)
            return;
        vec_is_aka(&aka, &s, rand, sqn, amf, av);
        gba_aka_nonce(av->rand, av->autn, nonce);
        vec_is_text(n, "nonce", gba_text(nonce));
        return;
    }
    res = vec_hex(&aka, "res");
    if (res.n > sizeof(av->res)) {
        vec_fail(&aka, "res", "16_octets_at_most", "more");
        return;
    }
    memcpy(av->res, res.p, res.n);
    av->res_len = res.n;
    memcpy(av->ck, vec_octets(&aka, "ck", 16), 16);
    memcpy(av->ik, vec_octets(&aka, "ik", 16), 16);
}

/* The password of Digest AKA from its vector; without one, as given (AUTS, odd octets). */
static struct gba_bytes aka_password(const struct vec_node *n, enum gba_digest_algorithm a)
{
    uint8_t *p = vec_alloc(n->v, GBA_AKA_PASSWORD_MAX);
    struct gba_av av;
    size_t size = 0;

    if (!vec_has(n, "aka"))
        return read_password(n);
    read_av(n, &av);
    if (n->v->broken || !vec_ok(n, "algorithm", gba_aka_password(a, &av, p, &size)))
        return (struct gba_bytes){p, 0};
    vec_is_hex(n, "password_hex", p, size);
    if (vec_has(n, "password_text"))
        vec_is_text(n, "password_text", gba_bytes_text((struct gba_bytes){p, size}));
    return (struct gba_bytes){p, size};
}

/* A captured nonce: only its layout is known. */
static void nonce_layout(const struct vec_node *n)
{
    uint8_t rand[16], autn[16];
    char nonce[GBA_AKA_NONCE_SIZE], btid[GBA_BTID_SIZE];
    struct gba_text local, domain;

    if (!vec_ok(n, "nonce", gba_aka_nonce_parse(vec_text(n, "nonce"), rand, autn)))
        return;
    vec_is_hex(n, "rand", rand, 16);
    vec_is_hex(n, "autn", autn, 16);
    gba_aka_nonce(rand, autn, nonce);
    vec_is_text(n, "nonce", gba_text(nonce));
    if (vec_ok(n, "btid_local_part", gba_btid_make(rand, GBA_TEXT("bsf.example"), btid)) &&
        gba_text_split(gba_text(btid), '@', &local, &domain))
        vec_is_text(n, "btid_local_part", local);
}

void vec_f_digest_aka(struct vec *v)
{
    const struct vec_node n = vec_root(v);
    struct gba_digest_input in;

    if (!vec_has(&n, "response") && vec_has(&n, "autn")) {
        nonce_layout(&n);
        return;
    }
    if (!read_input(&n, &in))
        return;
    if (gba_digest_aka_version(in.algorithm) == 0) {
        vec_fail(&n, "algorithm", "AKAv1_or_AKAv2", gba_digest_algorithm_name(in.algorithm));
        return;
    }
    in.password = aka_password(&n, in.algorithm);
    if (!v->broken)
        is_digest(&n, &in);
}

void vec_f_digest_aka_computed(struct vec *v)
{
    vec_f_digest_aka(v);
}
