/*
 * The generic KDF of TS 33.220 Annex B, Ks_NAF and TMPI by it, and the derivations of 2G GBA
 * (Annex I), GBA_Digest (B.5, B.6) and AKMA (TS 33.535 Annex A).  S is never assembled for the
 * HMAC: its parts are fed to it one by one, so that no copy has to be wiped.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/kdf.h"

#include <string.h>

#include "common/crypto.h"
#include "common/unicode.h"

/* The parts of S in order, and the room for the two-octet lengths among them. */
struct s_parts {
    struct gba_bytes part[1 + 2 * GBA_KDF_MAX_P];
    uint8_t length[GBA_KDF_MAX_P][2];
    size_t n;
};

static enum gba_err lay_out(struct gba_bytes fc, const struct gba_bytes *p, size_t n_p,
                            struct s_parts *s)
{
    if (n_p > GBA_KDF_MAX_P)
        return GBA_E_TOO_LONG;
    s->n = 0;
    s->part[s->n++] = fc;
    for (size_t i = 0; i < n_p; i++) {
        if (p[i].n > UINT16_MAX)
            return GBA_E_TOO_LONG;
        s->length[i][0] = (uint8_t)(p[i].n >> 8);
        s->length[i][1] = (uint8_t)p[i].n;
        s->part[s->n++] = p[i];
        s->part[s->n++] = GBA_BYTES(s->length[i]);
    }
    return GBA_OK;
}

enum gba_err gba_kdf_s(struct gba_bytes fc, const struct gba_bytes *p, size_t n_p,
                       struct gba_wbuf *s)
{
    struct s_parts parts;
    enum gba_err err = lay_out(fc, p, n_p, &parts);

    if (err != GBA_OK)
        return err;
    for (size_t i = 0; i < parts.n; i++)
        gba_wbuf_put(s, parts.part[i]);
    return gba_wbuf_ok(s) ? GBA_OK : GBA_E_TOO_LONG;
}

enum gba_err gba_kdf(struct gba_bytes key, struct gba_bytes fc, const struct gba_bytes *p,
                     size_t n_p, uint8_t out[static 32])
{
    struct s_parts parts;
    enum gba_err err = lay_out(fc, p, n_p, &parts);

    if (err == GBA_OK)
        gba_hmac(GBA_SHA256, key, parts.part, parts.n, out);
    return err;
}

/* FC of everything in GBA (TS 33.220 B.3-B.6, I.5.2). */
static const uint8_t fc_gba[] = {0x01};

static struct gba_bytes literal(const char *s)
{
    return gba_text_bytes(gba_text(s));
}

/* NAF_Id and BSF_Id: a string and five binary octets, which must not be normalised. */
static enum gba_err naf_id_parameter(struct gba_bytes naf_id, struct gba_wbuf *room)
{
    struct gba_bytes ua_id;
    enum gba_err err;

    if (naf_id.n < 6)
        return GBA_E_SYNTAX;
    ua_id = (struct gba_bytes){naf_id.p + naf_id.n - 5, 5};
    err = gba_nfkc(gba_bytes_text((struct gba_bytes){naf_id.p, naf_id.n - 5}), room);
    if (err != GBA_OK)
        return err;
    gba_wbuf_put(room, ua_id);
    return gba_wbuf_ok(room) ? GBA_OK : GBA_E_TOO_LONG;
}

/* KDF(Ks, P0, P1, IMPI, NAF_Id): the shape that B.3, B.4 and B.6 share. */
static enum gba_err derive(const struct gba_ks *ks, const char *p0, struct gba_bytes p1,
                           struct gba_text impi, struct gba_bytes naf_id,
                           uint8_t out[static 32])
{
    uint8_t impi_room[GBA_KDF_MAX_STRING], naf_room[GBA_KDF_MAX_STRING];
    struct gba_wbuf impi_nfkc, naf_nfkc;
    enum gba_err err;

    gba_wbuf_init(&impi_nfkc, impi_room, sizeof(impi_room));
    gba_wbuf_init(&naf_nfkc, naf_room, sizeof(naf_room));
    if ((err = gba_nfkc(impi, &impi_nfkc)) != GBA_OK ||
        (err = naf_id_parameter(naf_id, &naf_nfkc)) != GBA_OK)
        return err;

    const struct gba_bytes p[] = {literal(p0), p1, gba_wbuf_bytes(&impi_nfkc),
                                  gba_wbuf_bytes(&naf_nfkc)};

    return gba_kdf(GBA_BYTES(ks->octets), GBA_BYTES(fc_gba), p, 4, out);
}

enum gba_err gba_ks_naf(const struct gba_ks *ks, enum gba_ks_use use,
                        const uint8_t rand[static 16], struct gba_text impi,
                        struct gba_bytes naf_id, struct gba_key *out)
{
    const char *p0 = use == GBA_USE_UICC ? "gba-u" : "gba-me";

    return derive(ks, p0, (struct gba_bytes){rand, 16}, impi, naf_id, out->octets);
}

enum gba_err gba_tmpi(const struct gba_ks *ks, const uint8_t rand[static 16],
                      struct gba_text impi, struct gba_text bsf_fqdn,
                      char out[static GBA_TMPI_SIZE])
{
    static const uint8_t ua_id_tmpi[5] = {0x01, 0x00, 0x00, 0x01, 0x00};
    uint8_t bsf_room[GBA_KDF_MAX_STRING], key[32];
    struct gba_wbuf bsf_id, tmpi;
    enum gba_err err;

    gba_wbuf_init(&bsf_id, bsf_room, sizeof(bsf_room));
    gba_wbuf_text(&bsf_id, bsf_fqdn);
    gba_wbuf_put(&bsf_id, GBA_BYTES(ua_id_tmpi));
    if (!gba_wbuf_ok(&bsf_id))
        return GBA_E_TOO_LONG;
    err =
        derive(ks, "gba-me", (struct gba_bytes){rand, 16}, impi, gba_wbuf_bytes(&bsf_id), key);
    if (err == GBA_OK) {
        gba_wbuf_init(&tmpi, out, GBA_TMPI_SIZE);
        gba_wbuf_base64(&tmpi, (struct gba_bytes){key, 24});
        gba_wbuf_str(&tmpi, "@" GBA_TMPI_DOMAIN);
        gba_wbuf_cstr(&tmpi);
    }
    gba_wipe(key, sizeof(key));
    return err;
}

/* The key of 2G GBA: Kc || Kc || RAND (TS 33.220 I.5.2). */
static void key_2g(const uint8_t kc[static 8], const uint8_t rand[static 16],
                   uint8_t key[static 32])
{
    memcpy(key, kc, 8);
    memcpy(key + 8, kc, 8);
    memcpy(key + 16, rand, 16);
}

void gba_2g_res(const uint8_t kc[static 8], const uint8_t rand[static 16],
                const uint8_t sres[static 4], uint8_t res[static 16])
{
    const struct gba_bytes p[] = {literal("3gpp-gba-res"), {sres, 4}};
    uint8_t key[32], out[32];

    key_2g(kc, rand, key);
    (void)gba_kdf(GBA_BYTES(key), GBA_BYTES(fc_gba), p, 2, out); /* the sizes are fixed */
    memcpy(res, out, 16);
    gba_wipe(key, sizeof(key));
    gba_wipe(out, sizeof(out));
}

void gba_2g_ks(const uint8_t kc[static 8], const uint8_t rand[static 16],
               const uint8_t sres[static 4], const uint8_t ks_input[static 16],
               struct gba_ks *ks)
{
    const struct gba_bytes p[] = {{ks_input, 16}, literal("3gpp-gba-ks"), {sres, 4}};
    uint8_t key[32];

    key_2g(kc, rand, key);
    (void)gba_kdf(GBA_BYTES(key), GBA_BYTES(fc_gba), p, 3, ks->octets);
    gba_wipe(key, sizeof(key));
}

enum gba_err gba_digest_passwd(struct gba_bytes ha1, const uint8_t tls_mk_extr[static 48],
                               uint8_t out[static 32])
{
    const struct gba_bytes p[] = {literal("GBA_Digest_RESP"), {tls_mk_extr, 48}};

    return gba_kdf(ha1, GBA_BYTES(fc_gba), p, 2, out);
}

enum gba_err gba_digest_ks(struct gba_bytes ha1, const uint8_t tls_mk_extr[static 48],
                           struct gba_bytes resp, struct gba_ks *ks)
{
    const struct gba_bytes p[] = {literal("GBA_Digest_Ks"), {tls_mk_extr, 48}, resp};

    return gba_kdf(ha1, GBA_BYTES(fc_gba), p, 3, ks->octets);
}

enum gba_err gba_digest_ks_naf(const struct gba_ks *ks, struct gba_bytes nonce,
                               struct gba_text impi, struct gba_bytes naf_id,
                               struct gba_key *out)
{
    return derive(ks, "gba-digest", nonce, impi, naf_id, out->octets);
}

/* K_AUSF and SUPI under a label: what A.2 and A.3 share. */
static enum gba_err akma_from_kausf(const struct gba_key *kausf, uint8_t fc, const char *label,
                                    struct gba_text supi, uint8_t out[static 32])
{
    uint8_t room[GBA_KDF_MAX_STRING];
    struct gba_wbuf supi_nfkc;
    enum gba_err err;

    gba_wbuf_init(&supi_nfkc, room, sizeof(room));
    err = gba_nfkc(supi, &supi_nfkc);
    if (err != GBA_OK)
        return err;

    const struct gba_bytes p[] = {literal(label), gba_wbuf_bytes(&supi_nfkc)};

    return gba_kdf(GBA_BYTES(kausf->octets), (struct gba_bytes){&fc, 1}, p, 2, out);
}

enum gba_err gba_akma_key(const struct gba_key *kausf, struct gba_text supi,
                          struct gba_key *kakma)
{
    return akma_from_kausf(kausf, 0x80, "AKMA", supi, kakma->octets);
}

enum gba_err gba_akma_tid(const struct gba_key *kausf, struct gba_text supi,
                          uint8_t a_tid[static 32])
{
    return akma_from_kausf(kausf, 0x81, "A-TID", supi, a_tid);
}

enum gba_err gba_akma_kaf(const struct gba_key *kakma, struct gba_bytes af_id,
                          struct gba_key *kaf)
{
    static const uint8_t fc[] = {0x82};
    uint8_t room[GBA_KDF_MAX_STRING];
    struct gba_wbuf af_nfkc;
    struct gba_bytes p;
    enum gba_err err;

    gba_wbuf_init(&af_nfkc, room, sizeof(room));
    err = naf_id_parameter(af_id, &af_nfkc);
    if (err != GBA_OK)
        return err;
    p = gba_wbuf_bytes(&af_nfkc);
    return gba_kdf(GBA_BYTES(kakma->octets), GBA_BYTES(fc), &p, 1, kaf->octets);
}
