/*
 * The Digest calculator (RFC 7616 3.4, 3.5): HA1, HA2, response and rspauth of every algorithm
 * of the list.  Passwords are octets: a RES may hold 00 and ':'.  It refuses nothing; which
 * algorithm may be used where is the caller's decision.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/digest.h"

#include <string.h>

#include "common/secret.h"

/* RFC 7616 6.1, RFC 3310 3.1, RFC 4169 2.1; AKA over the SHA-2 hashes by RFC 4169 3's rule that
 * the PRF goes with the digest. */
static const struct algorithm {
    const char *name;
    enum gba_hash hash;
    bool session;
    unsigned aka;
} algorithms[GBA_DIGEST_N_ALGORITHMS] = {
    [GBA_DIGEST_MD5] = {"MD5", GBA_MD5, false, 0},
    [GBA_DIGEST_MD5_SESS] = {"MD5-sess", GBA_MD5, true, 0},
    [GBA_DIGEST_SHA256] = {"SHA-256", GBA_SHA256, false, 0},
    [GBA_DIGEST_SHA256_SESS] = {"SHA-256-sess", GBA_SHA256, true, 0},
    [GBA_DIGEST_SHA512_256] = {"SHA-512-256", GBA_SHA512_256, false, 0},
    [GBA_DIGEST_SHA512_256_SESS] = {"SHA-512-256-sess", GBA_SHA512_256, true, 0},
    [GBA_DIGEST_AKAV1_MD5] = {"AKAv1-MD5", GBA_MD5, false, 1},
    [GBA_DIGEST_AKAV1_MD5_SESS] = {"AKAv1-MD5-sess", GBA_MD5, true, 1},
    [GBA_DIGEST_AKAV1_SHA256] = {"AKAv1-SHA-256", GBA_SHA256, false, 1},
    [GBA_DIGEST_AKAV1_SHA256_SESS] = {"AKAv1-SHA-256-sess", GBA_SHA256, true, 1},
    [GBA_DIGEST_AKAV1_SHA512_256] = {"AKAv1-SHA-512-256", GBA_SHA512_256, false, 1},
    [GBA_DIGEST_AKAV1_SHA512_256_SESS] = {"AKAv1-SHA-512-256-sess", GBA_SHA512_256, true, 1},
    [GBA_DIGEST_AKAV2_MD5] = {"AKAv2-MD5", GBA_MD5, false, 2},
    [GBA_DIGEST_AKAV2_MD5_SESS] = {"AKAv2-MD5-sess", GBA_MD5, true, 2},
    [GBA_DIGEST_AKAV2_SHA256] = {"AKAv2-SHA-256", GBA_SHA256, false, 2},
    [GBA_DIGEST_AKAV2_SHA256_SESS] = {"AKAv2-SHA-256-sess", GBA_SHA256, true, 2},
    [GBA_DIGEST_AKAV2_SHA512_256] = {"AKAv2-SHA-512-256", GBA_SHA512_256, false, 2},
    [GBA_DIGEST_AKAV2_SHA512_256_SESS] = {"AKAv2-SHA-512-256-sess", GBA_SHA512_256, true, 2},
};

static const struct algorithm *row_of(enum gba_digest_algorithm a)
{
    return &algorithms[(size_t)a < GBA_DIGEST_N_ALGORITHMS ? a : GBA_DIGEST_MD5];
}

const char *gba_digest_algorithm_name(enum gba_digest_algorithm a)
{
    return row_of(a)->name;
}

enum gba_err gba_digest_algorithm_by_name(struct gba_text t, enum gba_digest_algorithm *out)
{
    for (size_t i = 0; i < GBA_DIGEST_N_ALGORITHMS; i++)
        if (gba_text_eq_nocase(t, gba_text(algorithms[i].name))) {
            *out = (enum gba_digest_algorithm)i;
            return GBA_OK;
        }
    return GBA_E_ALGORITHM;
}

enum gba_hash gba_digest_hash(enum gba_digest_algorithm a)
{
    return row_of(a)->hash;
}

unsigned gba_digest_aka_version(enum gba_digest_algorithm a)
{
    return row_of(a)->aka;
}

static struct gba_bytes octets(const char *cstr)
{
    return gba_text_bytes(gba_text(cstr));
}

/* hex(H(part ":" part ":" ...)), RFC 7616 3.4: n is 7 at most. */
static void hash_joined(enum gba_hash h, const struct gba_bytes *part, size_t n,
                        char out[static GBA_DIGEST_HEX_SIZE])
{
    struct gba_bytes joined[13];
    uint8_t digest[GBA_HASH_MAX];
    size_t k = 0;

    for (size_t i = 0; i < n; i++) {
        if (i != 0)
            joined[k++] = octets(":");
        joined[k++] = part[i];
    }
    gba_hash(h, joined, k, digest);
    gba_hex(out, (struct gba_bytes){digest, gba_hash_len(h)});
    gba_wipe(digest, sizeof(digest));
}

void gba_digest_ha1(const struct gba_digest_input *in, char out[static GBA_DIGEST_HEX_SIZE])
{
    const struct algorithm *a = row_of(in->algorithm);
    const struct gba_bytes a1[] = {gba_text_bytes(in->username), gba_text_bytes(in->realm),
                                   in->password};
    char once[GBA_DIGEST_HEX_SIZE];

    hash_joined(a->hash, a1, 3, a->session ? once : out);
    if (a->session) {
        const struct gba_bytes sess[] = {octets(once), gba_text_bytes(in->nonce),
                                         gba_text_bytes(in->cnonce)};

        hash_joined(a->hash, sess, 3, out);
        gba_wipe(once, sizeof(once));
    }
}

void gba_digest_ha2(const struct gba_digest_input *in, char out[static GBA_DIGEST_HEX_SIZE])
{
    enum gba_hash h = gba_digest_hash(in->algorithm);
    char body[GBA_DIGEST_HEX_SIZE] = "";
    struct gba_bytes a2[3] = {gba_text_bytes(in->method), gba_text_bytes(in->uri)};

    if (in->qop == GBA_QOP_AUTH_INT) {
        hash_joined(h, &in->body, 1, body);
        a2[2] = octets(body);
    }
    hash_joined(h, a2, in->qop == GBA_QOP_AUTH_INT ? 3 : 2, out);
}

void gba_digest_response(const struct gba_digest_input *in,
                         char out[static GBA_DIGEST_HEX_SIZE])
{
    enum gba_hash h = gba_digest_hash(in->algorithm);
    char ha1[GBA_DIGEST_HEX_SIZE], ha2[GBA_DIGEST_HEX_SIZE];
    struct gba_bytes nonce = gba_text_bytes(in->nonce);

    gba_digest_ha1(in, ha1);
    gba_digest_ha2(in, ha2);
    if (in->qop == GBA_QOP_NONE) {
        const struct gba_bytes part[] = {octets(ha1), nonce, octets(ha2)};

        hash_joined(h, part, 3, out);
    } else {
        const struct gba_bytes part[] = {octets(ha1),
                                         nonce,
                                         gba_text_bytes(in->nc),
                                         gba_text_bytes(in->cnonce),
                                         octets(gba_digest_qop_name(in->qop)),
                                         octets(ha2)};

        hash_joined(h, part, 6, out);
    }
    gba_wipe(ha1, sizeof(ha1));
}

bool gba_digest_verify(const struct gba_digest_input *in, struct gba_text response)
{
    char want[GBA_DIGEST_HEX_SIZE];
    uint8_t want_octets[GBA_HASH_MAX], got_octets[GBA_HASH_MAX];
    size_t n = gba_hash_len(gba_digest_hash(in->algorithm));
    bool equal;

    if (gba_unhex_exact(got_octets, n, response) != GBA_OK)
        return false;
    gba_digest_response(in, want);
    equal = gba_unhex_exact(want_octets, n, gba_text(want)) == GBA_OK &&
            gba_equal_ct(want_octets, got_octets, n);
    gba_wipe(want, sizeof(want));
    gba_wipe(want_octets, sizeof(want_octets));
    return equal;
}

const char *gba_digest_qop_name(enum gba_digest_qop q)
{
    return q == GBA_QOP_AUTH ? "auth" : q == GBA_QOP_AUTH_INT ? "auth-int" : "";
}

static struct gba_text trimmed(struct gba_text t)
{
    while (t.n != 0 && (t.s[0] == ' ' || t.s[0] == '\t'))
        t = (struct gba_text){t.s + 1, t.n - 1};
    while (t.n != 0 && (t.s[t.n - 1] == ' ' || t.s[t.n - 1] == '\t'))
        t.n--;
    return t;
}

bool gba_digest_offers(struct gba_text qop_list, enum gba_digest_qop q)
{
    struct gba_text name = gba_text(gba_digest_qop_name(q)), element;
    bool more = true;

    while (more && name.n != 0) {
        more = gba_text_split(qop_list, ',', &element, &qop_list);
        if (gba_text_eq_nocase(trimmed(element), name))
            return true;
    }
    return false;
}
