/*
 * A keyring in a file: 0600, atomically replaced, plain or sealed (AES-256-GCM under a key of
 * the device). Sealed form: "GBASEAL1", nonce of 12 octets, ciphertext, tag of 16.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/crypto.h"
#include "common/host/random.h"
#include "ua/keyring.h"
#include "ua/private_file.h"

#define SEAL_MAGIC "GBASEAL1"
#define SEAL_HEAD  (8 + GBA_SEAL_NONCE)
#define FILE_MAX   (4u * 1024 * 1024)

static enum gba_err unseal_and_load(struct gba_ue_keyring *ring, const uint8_t *data, size_t n,
                                    const uint8_t *seal_key)
{
    const bool sealed = n >= SEAL_HEAD + GBA_SEAL_TAG && memcmp(data, SEAL_MAGIC, 8) == 0;
    struct gba_bytes body = {data + SEAL_HEAD, n - SEAL_HEAD};
    uint8_t *plain;
    enum gba_err err;

    if (!sealed) /* a plain file where a sealed one is meant may have been put there by anyone
                  */
        return seal_key == NULL ? gba_ue_keyring_load(ring, data, n) : GBA_E_CRYPTO;
    if (seal_key == NULL)
        return GBA_E_CRYPTO;
    plain = malloc(body.n);
    if (plain == NULL)
        return GBA_E_NOMEM;
    err = gba_unseal(seal_key, data + 8, (struct gba_bytes){data, 8}, body, plain);
    if (err == GBA_OK)
        err = gba_ue_keyring_load(ring, plain, body.n - GBA_SEAL_TAG);
    gba_wipe(plain, body.n);
    free(plain);
    return err;
}

enum gba_err gba_ue_keyring_load_file(struct gba_ue_keyring *ring, const char *path,
                                      const uint8_t *seal_key)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    uint8_t *data;
    enum gba_err err;
    off_t size;
    size_t n = 0;

    if (fd < 0)
        return errno == ENOENT ? GBA_E_NOT_FOUND : errno == ELOOP ? GBA_E_FORBIDDEN : GBA_E_IO;
    size = lseek(fd, 0, SEEK_END);
    data = malloc(FILE_MAX > size && size > 0 ? (size_t)size : 1);
    err = data == NULL
              ? GBA_E_NOMEM
              : private_file_read(fd, data, FILE_MAX > size && size > 0 ? (size_t)size : 1, &n);
    close(fd);
    if (err == GBA_OK)
        err = unseal_and_load(ring, data, n, seal_key);
    if (err == GBA_E_TOO_LONG)
        err = GBA_E_SYNTAX;
    gba_wipe(data, n);
    free(data);
    return err;
}

static enum gba_err seal_in_place(uint8_t *room, size_t n, const uint8_t *seal_key,
                                  uint8_t *out)
{
    enum gba_err err = random_octets(out + 8, GBA_SEAL_NONCE);

    memcpy(out, SEAL_MAGIC, 8);
    if (err == GBA_OK)
        gba_seal(seal_key, out + 8, (struct gba_bytes){out, 8}, (struct gba_bytes){room, n},
                 out + SEAL_HEAD);
    return err;
}

enum gba_err gba_ue_keyring_save_file(const struct gba_ue_keyring *ring, const char *path,
                                      bool keep_ks, int64_t now_s, const uint8_t *seal_key)
{
    const size_t cap = gba_ue_keyring_saved_max(ring),
                 sealed_cap = cap + SEAL_HEAD + GBA_SEAL_TAG;
    uint8_t *plain = malloc(cap), *sealed = seal_key != NULL ? malloc(sealed_cap) : NULL;
    enum gba_err err = GBA_E_NOMEM;
    size_t n = 0;

    if (plain == NULL || (seal_key != NULL && sealed == NULL))
        goto out;
    err = gba_ue_keyring_save(ring, keep_ks, now_s, plain, cap, &n);
    if (err == GBA_OK && seal_key != NULL)
        err = seal_in_place(plain, n, seal_key, sealed);
    if (err == GBA_OK && seal_key != NULL)
        err = private_file_write(path, (struct gba_bytes){sealed, n + SEAL_HEAD + GBA_SEAL_TAG},
                                 true);
    else if (err == GBA_OK)
        err = private_file_write(path, (struct gba_bytes){plain, n}, true);
out:
    gba_wipe(plain, plain != NULL ? cap : 0);
    free(plain);
    free(sealed);
    return err;
}
