/*
 * Fuzz target: a keyring at rest that was damaged or forged (ua/keyring_save.c).  Besides not
 * failing: what is loaded saves and loads again to the same octets.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "ua/gba_ue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NAF_KEYS    4
#define CREDENTIALS 3

static void need(bool condition)
{
    if (!condition)
        abort();
}

static void list(const struct gba_ue_keyring *ring)
{
    struct gba_ue_naf_key key;
    struct gba_ue_credential credential;
    struct gba_ue_session session;
    size_t n = 0, k = 0;

    while (gba_ue_keyring_naf_key_at(ring, n, 0, &key) == GBA_OK)
        n++;
    while (gba_ue_keyring_credential_at(ring, k, 0, &credential) == GBA_OK)
        k++;
    need(n <= NAF_KEYS && k <= CREDENTIALS);
    (void)gba_ue_keyring_session(ring, 0, &session);
    need(strlen(gba_ue_keyring_tmpi(ring)) < GBA_UE_TMPI_SIZE);
}

static size_t save(struct gba_ue_keyring *ring, uint8_t **out)
{
    size_t cap = gba_ue_keyring_saved_max(ring), n = 0;

    *out = malloc(cap);
    need(*out != NULL && gba_ue_keyring_save(ring, true, 0, *out, cap, &n) == GBA_OK);
    need(n <= cap);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t memory_len = gba_ue_keyring_size(NAF_KEYS, CREDENTIALS);
    void *memory = malloc(memory_len);
    struct gba_ue_keyring *ring;

    need(memory != NULL);
    ring = gba_ue_keyring_init(memory, memory_len, NAF_KEYS, CREDENTIALS);
    need(ring != NULL);
    if (gba_ue_keyring_load(ring, data, size) == GBA_OK) {
        uint8_t *first, *second;
        size_t n, again;

        list(ring);
        n = save(ring, &first);
        need(gba_ue_keyring_load(ring, first, n) == GBA_OK);
        again = save(ring, &second);
        need(again == n && memcmp(first, second, n) == 0);
        free(first);
        free(second);
    }
    list(ring);
    gba_ue_keyring_end(ring);
    free(memory);
    return 0;
}
