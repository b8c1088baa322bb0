/*
 * Digest AKA (RFC 3310, RFC 4169): how RAND, AUTN, AUTS and RES travel in Digest parameters.
 * It knows nothing of runs or of HTTP; it checks form, never freshness.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/digest_aka.h"

#include <string.h>

#include "common/secret.h"

void gba_aka_nonce(const uint8_t rand[static 16], const uint8_t autn[static 16],
                   char out[static GBA_AKA_NONCE_SIZE])
{
    uint8_t octets[32];

    memcpy(octets, rand, 16);
    memcpy(octets + 16, autn, 16);
    gba_base64(out, GBA_BYTES(octets));
}

enum gba_err gba_aka_nonce_parse(struct gba_text nonce, uint8_t rand[static 16],
                                 uint8_t autn[static 16])
{
    uint8_t octets[GBA_AKA_NONCE_MAX / 4 * 3];
    size_t n;

    if (nonce.n > GBA_AKA_NONCE_MAX)
        return GBA_E_TOO_LONG;
    if (gba_unbase64(octets, sizeof(octets), nonce, &n) != GBA_OK || n < 32)
        return GBA_E_SYNTAX;
    memcpy(rand, octets, 16);
    memcpy(autn, octets + 16, 16);
    return GBA_OK;
}

/* RFC 4169 3: base64(PRF(RES || IK || CK, "http-digest-akav2-password")). */
static void akav2_password(enum gba_hash h, const struct gba_av *av,
                           uint8_t out[static GBA_AKA_PASSWORD_MAX], size_t *n)
{
    static const char label[] = "http-digest-akav2-password";
    const struct gba_bytes data = {(const uint8_t *)label, sizeof(label) - 1};
    uint8_t key[sizeof(av->res) + 32], prf[GBA_HASH_MAX];
    struct gba_wbuf k, password;

    gba_wbuf_init(&k, key, sizeof(key));
    gba_wbuf_put(&k, (struct gba_bytes){av->res, av->res_len});
    gba_wbuf_put(&k, GBA_BYTES(av->ik));
    gba_wbuf_put(&k, GBA_BYTES(av->ck));
    gba_hmac(h, gba_wbuf_bytes(&k), &data, 1, prf);
    gba_wbuf_init(&password, out, GBA_AKA_PASSWORD_MAX);
    gba_wbuf_base64(&password, (struct gba_bytes){prf, gba_hash_len(h)});
    *n = password.n;
    gba_wipe(key, sizeof(key));
    gba_wipe(prf, sizeof(prf));
}

enum gba_err gba_aka_password(enum gba_digest_algorithm a, const struct gba_av *av,
                              uint8_t out[static GBA_AKA_PASSWORD_MAX], size_t *n)
{
    *n = 0;
    if (av->res_len > sizeof(av->res))
        return GBA_E_ARGUMENT;
    switch (gba_digest_aka_version(a)) {
    case 1:
        memcpy(out, av->res, av->res_len);
        *n = av->res_len;
        return GBA_OK;
    case 2:
        akav2_password(gba_digest_hash(a), av, out, n);
        return GBA_OK;
    default:
        return GBA_E_ALGORITHM;
    }
}

enum gba_err gba_auts_parse(struct gba_text auts, uint8_t out[static GBA_AUTS_LEN])
{
    uint8_t octets[GBA_AUTS_LEN];
    size_t n;

    if (gba_unbase64(octets, sizeof(octets), auts, &n) != GBA_OK || n != sizeof(octets))
        return GBA_E_SYNTAX;
    memcpy(out, octets, sizeof(octets));
    return GBA_OK;
}

void gba_auts_print(const uint8_t auts[static GBA_AUTS_LEN], char out[static 21])
{
    gba_base64(out, (struct gba_bytes){auts, GBA_AUTS_LEN});
}
