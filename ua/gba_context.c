/*
 * What the subcommands of gba share: the state folder and its lock, the soft USIM, the keyring,
 * the two transports.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/crypto.h"
#include "ua/gba.h"
#include "ua/private_file.h"

#define NAF_KEYS    128
#define CREDENTIALS 64

static char *default_state(void)
{
    const char *base = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char *path = NULL;
    int n = base != NULL && base[0] == '/' ? asprintf(&path, "%s/gba", base)
            : home != NULL                 ? asprintf(&path, "%s/.local/state/gba", home)
                                           : -1;

    return n < 0 ? NULL : path;
}

static bool make_folders(char *path)
{
    for (char *p = path + 1; *p != '\0'; p++)
        if (*p == '/') {
            *p = '\0';
            mkdir(path, 0700);
            *p = '/';
        }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* One gba at a time works on a state folder. */
static int lock_state(struct gba_context *c, const char *state)
{
    c->lock = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (c->lock < 0 || flock(c->lock, LOCK_EX) != 0)
        return gba_complain(GBA_E_IO, state, strerror(errno));
    return EX_OK;
}

static int open_usim(struct gba_context *c, const char *state)
{
    char why[320], *path = NULL;
    enum gba_err err;
    int status = EX_OK;

    if (c->o->usim == NULL && asprintf(&path, "%s/usim", state) < 0)
        return gba_complain(GBA_E_NOMEM, "", NULL);
    err = gba_ue_usim_soft_open(path != NULL ? path : c->o->usim, &c->device.usim, why);
    if (err == GBA_OK)
        err = c->device.usim->identity(c->device.usim, &c->identity);
    if (err != GBA_OK) {
        gba_complain(err, path != NULL ? path : c->o->usim, why);
        if (err == GBA_E_NOT_FOUND)
            fputs("gba: make one with: gba usim new --file FILE < LINES\n", stderr);
        status = err == GBA_E_SYNTAX || err == GBA_E_MISSING || err == GBA_E_REPEATED
                     ? EX_DATAERR
                 : err == GBA_E_IO || err == GBA_E_NOMEM ? EX_IOERR
                                                         : EX_CONFIG;
    }
    free(path);
    return status;
}

int gba_read_private(const char *path, uint8_t *out, size_t cap, size_t *n)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum gba_err err;

    *n = 0;
    if (fd < 0) {
        gba_complain(GBA_E_CONFIG, path, strerror(errno));
        return EX_CONFIG;
    }
    err = private_file_read(fd, out, cap, n);
    close(fd);
    if (err == GBA_OK)
        return EX_OK;
    gba_complain(GBA_E_CONFIG, path,
                 err == GBA_E_FORBIDDEN  ? "others may read it (chmod 600)"
                 : err == GBA_E_TOO_LONG ? "too long"
                                         : "cannot be read");
    return EX_CONFIG;
}

int gba_read_seal_key(const struct gba_options *o, uint8_t key[32], const uint8_t **seal)
{
    uint8_t data[80];
    size_t n = 0;
    int status = EX_OK;

    *seal = NULL;
    if (o->seal == NULL)
        return EX_OK;
    status = gba_read_private(o->seal, data, sizeof(data), &n);
    while (n > 32 && (data[n - 1] == '\n' || data[n - 1] == '\r'))
        n--;
    if (status == EX_OK && n == 32) {
        memcpy(key, data, 32);
    } else if (status == EX_OK &&
               gba_unhex_exact(key, 32, (struct gba_text){(const char *)data, n}) != GBA_OK) {
        gba_complain(GBA_E_CONFIG, o->seal, "not 32 octets, raw or as 64 hex digits");
        status = EX_CONFIG;
    }
    gba_ue_wipe(data, sizeof(data));
    if (status == EX_OK)
        *seal = key;
    return status;
}

/* A file per UICC application: the name says nothing about the subscriber. */
static int open_keyring(struct gba_context *c, const char *state)
{
    const size_t len = gba_ue_keyring_size(NAF_KEYS, CREDENTIALS);
    const struct gba_bytes uicc = gba_text_bytes(gba_text(c->identity.uicc));
    uint8_t digest[32];
    char hex[17];
    enum gba_err err;

    gba_hash(GBA_SHA256, &uicc, 1, digest);
    gba_hex(hex, (struct gba_bytes){digest, 8});
    c->ring_mem = malloc(len);
    c->device.ring = gba_ue_keyring_init(c->ring_mem, len, NAF_KEYS, CREDENTIALS);
    if (c->device.ring == NULL || asprintf(&c->keyring_path, "%s/keyring-%s", state, hex) < 0)
        return gba_complain(GBA_E_NOMEM, "", NULL);
    err = gba_ue_keyring_load_file(c->device.ring, c->keyring_path, c->seal);
    if (err == GBA_OK || err == GBA_E_NOT_FOUND)
        err = gba_ue_keyring_bind(c->device.ring, c->identity.uicc);
    if (err == GBA_OK)
        return EX_OK;
    gba_complain(err, c->keyring_path,
                 err == GBA_E_CRYPTO      ? "sealed with another key, or --seal missing"
                 : err == GBA_E_SYNTAX    ? "not a keyring, or damaged; remove it to start anew"
                 : err == GBA_E_FORBIDDEN ? "others may read it (chmod 600)"
                                          : NULL);
    return err == GBA_E_CRYPTO || err == GBA_E_FORBIDDEN ? EX_CONFIG : gba_exit_of(err);
}

int gba_transport_config(const struct gba_options *o, struct gba_ue_curl_config *out)
{
    uint64_t seconds;

    *out = (struct gba_ue_curl_config){.ca_file = o->ca,
                                       .pinned_key = o->pin,
                                       .proxy = o->proxy,
                                       .interface = o->interface,
                                       .ipv4_only = o->ipv4 != NULL,
                                       .ipv6_only = o->ipv6 != NULL};
    if (o->timeout != NULL &&
        (gba_text_number(gba_text(o->timeout), 3600, &seconds) != GBA_OK || seconds == 0))
        return gba_usage("--timeout takes 1 to 3600 seconds");
    if (o->timeout != NULL)
        out->timeout_ms = out->connect_timeout_ms = (unsigned)seconds * 1000;
    if (o->ca != NULL && access(o->ca, R_OK) != 0)
        return gba_complain(GBA_E_CONFIG, o->ca, strerror(errno));
    return EX_OK;
}

static int open_transports(struct gba_context *c)
{
    struct gba_ue_curl_config config;
    int status = gba_transport_config(c->o, &config);
    enum gba_err err;

    if (status != EX_OK)
        return status;
    err = gba_ue_curl_new(&config, &c->device.ub);
    if (err == GBA_OK)
        err = gba_ue_curl_new(&config, &c->device.ua);
    return err == GBA_OK ? EX_OK : gba_complain(err, "libcurl", NULL);
}

bool gba_has_card(const struct gba_options *o)
{
    char *state = o->state != NULL ? strdup(o->state) : default_state(), *path = NULL;
    bool has = o->device == NULL &&
               (o->usim != NULL || (state != NULL && asprintf(&path, "%s/usim", state) >= 0 &&
                                    access(path, F_OK) == 0));

    free(path);
    free(state);
    return has;
}

int gba_open(const struct gba_options *o, enum gba_holder holder, struct gba_context *c)
{
    char *state = o->state != NULL ? strdup(o->state) : default_state();
    int status;

    memset(c, 0, sizeof(*c));
    c->o = o;
    c->lock = -1;
    c->device.env = &gba_ue_env_system;
    c->device.bsf_url = o->bsf;
    c->device.bsf_fqdn = o->bsf_name;
    c->device.report_mac_failure = o->report_mac != NULL;
    c->device.trace = o->trace != NULL ? gba_trace : NULL;
    if (state == NULL || state[0] == '\0')
        status = gba_complain(GBA_E_CONFIG, "state folder", "no HOME; give --state DIR");
    else
        status = make_folders(state) ? lock_state(c, state)
                                     : gba_complain(GBA_E_IO, state, strerror(errno));
    if (holder == GBA_OF_DEVICE)
        strcpy(c->identity.uicc, "device");
    else if (status == EX_OK)
        status = open_usim(c, state);
    if (status == EX_OK)
        status = gba_read_seal_key(o, c->seal_key, &c->seal);
    if (status == EX_OK)
        status = open_keyring(c, state);
    if (status == EX_OK)
        status = open_transports(c);
    free(state);
    return status;
}

/* Ks stays at rest only with a soft USIM, whose K lies in the same place. */
int gba_save(struct gba_context *c)
{
    enum gba_err err =
        gba_ue_keyring_save_file(c->device.ring, c->keyring_path, c->identity.soft,
                                 gba_ue_env_system.now_s(NULL), c->seal);

    return err == GBA_OK
               ? EX_OK
               : gba_complain(err, c->keyring_path, err == GBA_E_IO ? strerror(errno) : NULL);
}

void gba_close(struct gba_context *c)
{
    if (c->device.ub != NULL)
        c->device.ub->close(c->device.ub);
    if (c->device.ua != NULL)
        c->device.ua->close(c->device.ua);
    if (c->device.usim != NULL)
        c->device.usim->close(c->device.usim);
    if (c->device.ring != NULL)
        gba_ue_keyring_end(c->device.ring);
    free(c->ring_mem);
    free(c->keyring_path);
    if (c->lock >= 0)
        close(c->lock);
    gba_ue_wipe(c, sizeof(*c));
}
