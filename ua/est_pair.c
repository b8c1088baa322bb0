/*
 * The files of a key and its certificate: see est_pair.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/est_pair.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/host/special_file.h"
#include "common/secret.h"
#include "ua/private_file.h"

struct names {
    const char *cert, *key;
    char *next_cert, *next_key;
};

static bool make_names(struct names *n, const char *cert, const char *key)
{
    *n = (struct names){.cert = cert, .key = key};
    if (asprintf(&n->next_cert, "%s.next", cert) < 0)
        n->next_cert = NULL;
    if (asprintf(&n->next_key, "%s.next", key) < 0)
        n->next_key = NULL;
    return n->next_cert != NULL && n->next_key != NULL;
}

static void free_names(struct names *n)
{
    int saved = errno;

    free(n->next_cert);
    free(n->next_key);
    errno = saved;
}

static enum gba_err move(const char *from, const char *to)
{
    return rename(from, to) == 0 || errno == ENOENT ? GBA_OK : GBA_E_IO;
}

/* The certificate is written aside last and moved last: where its .next is, the key of the pair
 * is whole, in its .next or in its place already. */
static enum gba_err finish(const struct names *n)
{
    enum gba_err err = move(n->next_key, n->key);

    return err == GBA_OK ? move(n->next_cert, n->cert) : err;
}

enum gba_err est_pair_recover(const char *cert_file, const char *key_file)
{
    enum gba_err err = GBA_E_NOMEM;
    struct names n;

    if (strcmp(cert_file, key_file) == 0)
        return GBA_OK;
    if (make_names(&n, cert_file, key_file)) {
        if (access(n.next_cert, F_OK) == 0)
            err = finish(&n);
        else
            err = unlink(n.next_key) == 0 || errno == ENOENT ? GBA_OK : GBA_E_IO;
    }
    free_names(&n);
    return err;
}

static enum gba_err write_one(const char *file, struct gba_bytes cert, struct gba_bytes key)
{
    uint8_t *both = malloc(cert.n + key.n);
    enum gba_err err;

    if (both == NULL)
        return GBA_E_NOMEM;
    memcpy(both, key.p, key.n);
    memcpy(both + key.n, cert.p, cert.n);
    err = private_file_write(file, (struct gba_bytes){both, cert.n + key.n}, true);
    gba_wipe(both, cert.n + key.n);
    free(both);
    return err;
}

static void forget(const char *file)
{
    int saved = errno;

    (void)unlink(file);
    errno = saved;
}

enum gba_err est_pair_write(const char *cert_file, struct gba_bytes cert, const char *key_file,
                            struct gba_bytes key)
{
    enum gba_err err = GBA_E_NOMEM;
    struct names n;

    if (strcmp(cert_file, key_file) == 0)
        return write_one(cert_file, cert, key);
    if (special_file(cert_file) || special_file(key_file)) { /* as private_file_write */
        errno = ENOTSUP;
        return GBA_E_IO;
    }
    if (make_names(&n, cert_file, key_file)) {
        err = private_file_write(n.next_key, key, true);
        if (err == GBA_OK)
            err = private_file_write(n.next_cert, cert, true);
        if (err == GBA_OK)
            err = finish(&n);
        else
            forget(n.next_key);
    }
    free_names(&n);
    return err;
}
