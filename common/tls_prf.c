/*
 * TLS key exporters, RFC 5705 and RFC 8446 7.5, with SHA-256.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/tls_prf.h"

#include <string.h>

#include "common/crypto.h"
#include "common/secret.h"

#define HASH 32

static size_t at_most(size_t n, size_t max)
{
    return n < max ? n : max;
}

/* P_SHA256 over a seed in parts, the label first. */
static void p_sha256(struct gba_bytes secret, const struct gba_bytes *seed, size_t n_seed,
                     uint8_t *out, size_t n)
{
    struct gba_bytes parts[1 + 5];
    uint8_t a[HASH], block[HASH];

    memcpy(parts + 1, seed, n_seed * sizeof(*seed));
    gba_hmac(GBA_SHA256, secret, seed, n_seed, a); /* A(1) */
    for (size_t done = 0; done < n; done += HASH) {
        parts[0] = GBA_BYTES(a);
        gba_hmac(GBA_SHA256, secret, parts, 1 + n_seed, block);
        memcpy(out + done, block, at_most(n - done, HASH));
        gba_hmac(GBA_SHA256, secret, parts, 1, a);
    }
    gba_wipe(a, sizeof(a));
    gba_wipe(block, sizeof(block));
}

void gba_tls12_prf(struct gba_bytes secret, struct gba_text label, struct gba_bytes seed,
                   uint8_t *out, size_t n)
{
    const struct gba_bytes parts[] = {gba_text_bytes(label), seed};

    p_sha256(secret, parts, 2, out, n);
}

enum gba_err gba_tls12_export(const uint8_t master_secret[static 48],
                              const uint8_t client_random[static 32],
                              const uint8_t server_random[static 32], struct gba_text label,
                              const struct gba_bytes *context, uint8_t *out, size_t n)
{
    uint8_t length[2];
    struct gba_bytes seed[5] = {
        gba_text_bytes(label), {client_random, 32}, {server_random, 32}};
    size_t n_seed = 3;

    if (context != NULL) {
        if (context->n > UINT16_MAX)
            return GBA_E_TOO_LONG;
        length[0] = (uint8_t)(context->n >> 8);
        length[1] = (uint8_t)context->n;
        seed[n_seed++] = GBA_BYTES(length);
        seed[n_seed++] = *context;
    }
    p_sha256((struct gba_bytes){master_secret, 48}, seed, n_seed, out, n);
    return GBA_OK;
}

/* RFC 8446 7.1: HKDF-Expand-Label(secret, label, context, n). */
static enum gba_err expand_label(const uint8_t secret[static HASH], struct gba_text label,
                                 const uint8_t context[static HASH], uint8_t *out, size_t n)
{
    uint8_t room[2 + 1 + 255 + 1 + HASH], t[HASH], counter = 0;
    struct gba_bytes parts[3];
    struct gba_wbuf info;

    if (label.n > 255 - 6 || n > 255 * HASH)
        return GBA_E_TOO_LONG;
    gba_wbuf_init(&info, room, sizeof(room));
    gba_wbuf_u16(&info, (uint16_t)n);
    gba_wbuf_u8(&info, (uint8_t)(6 + label.n));
    gba_wbuf_str(&info, "tls13 ");
    gba_wbuf_text(&info, label);
    gba_wbuf_u8(&info, HASH);
    gba_wbuf_put(&info, (struct gba_bytes){context, HASH});

    parts[0] = (struct gba_bytes){t, 0};
    parts[1] = gba_wbuf_bytes(&info);
    parts[2] = (struct gba_bytes){&counter, 1};
    for (size_t done = 0; done < n; done += HASH) {
        counter++;
        gba_hmac(GBA_SHA256, (struct gba_bytes){secret, HASH}, parts, 3, t);
        parts[0].n = HASH;
        memcpy(out + done, t, at_most(n - done, HASH));
    }
    gba_wipe(t, sizeof(t));
    return GBA_OK;
}

enum gba_err gba_tls13_export(const uint8_t exporter_master_secret[static 32],
                              struct gba_text label, struct gba_bytes context, uint8_t *out,
                              size_t n)
{
    uint8_t hash[HASH], secret[HASH];
    enum gba_err err;

    gba_hash(GBA_SHA256, NULL, 0, hash);
    err = expand_label(exporter_master_secret, label, hash, secret, HASH);
    if (err == GBA_OK) {
        gba_hash(GBA_SHA256, &context, 1, hash);
        err = expand_label(secret, GBA_TEXT("exporter"), hash, out, n);
    }
    gba_wipe(secret, sizeof(secret));
    return err;
}
