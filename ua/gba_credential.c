/*
 * gba credential: files of pre-provisioned credentials (doc/CREDENTIALS.md) into the device's
 * own keyring, and credentials of a keyring into such files (TS-0003 8.2.2.1).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "common/m2m_credential.h"
#include "ua/gba.h"
#include "ua/private_file.h"

#define NEVER_S 253402300799 /* the last second that a timestamp can say */

/* The key that seals files, not the keyring. */
static int read_file_seal(const struct gba_options *o, uint8_t key[32], const uint8_t **seal)
{
    const struct gba_options named = {.seal = o->file_seal};

    return gba_read_seal_key(&named, key, seal);
}

int gba_credential_read(const struct gba_options *o, const char *path,
                        struct m2m_credential *out)
{
    uint8_t octets[M2M_CREDENTIAL_MAX], seal_key[32];
    const uint8_t *seal;
    char where[320];
    unsigned line = 0;
    size_t n = 0;
    int status = read_file_seal(o, seal_key, &seal);

    memset(out, 0, sizeof(*out));
    if (status == EX_OK)
        status = gba_read_private(path, octets, sizeof(octets), &n);
    if (status == EX_OK) {
        enum gba_err err = m2m_credential_open((struct gba_bytes){octets, n}, seal, out, &line);

        snprintf(where, sizeof(where), line != 0 ? "%s, line %u" : "%s", path, line);
        if (err != GBA_OK)
            status = gba_complain(err == GBA_E_CRYPTO ? GBA_E_CONFIG : GBA_E_SYNTAX, where,
                                  err == GBA_E_CRYPTO
                                      ? "sealed, and --file-seal is not its key"
                                      : "not a credential file (doc/CREDENTIALS.md)");
    }
    gba_ue_wipe(octets, sizeof(octets));
    gba_ue_wipe(seal_key, sizeof(seal_key));
    return status;
}

/* ------------------------------------------------------------ import */

static enum gba_err to_ring(const struct m2m_credential *f, struct gba_ue_credential *c)
{
    enum gba_err err = GBA_OK;

    memset(c, 0, sizeof(*c));
    if (f->kind == M2M_CRED_KPM || f->key_len != sizeof(c->key))
        return GBA_E_ARGUMENT;
    c->kind = f->kind == M2M_CRED_KM ? GBA_UE_KM : GBA_UE_KPSA;
    memcpy(c->key, f->key, sizeof(c->key));
    memcpy(c->suite, f->suite, sizeof(c->suite));
    c->expires_s = f->expires_s != 0 ? f->expires_s : NEVER_S;
    if (gba_text_copy(c->target, sizeof(c->target), gba_text(f->peer)) != GBA_OK ||
        gba_text_copy(c->key_id, sizeof(c->key_id), gba_text(f->key_id)) != GBA_OK ||
        gba_text_copy(c->entity, sizeof(c->entity), gba_text(f->entity)) != GBA_OK)
        return GBA_E_TOO_LONG;
    if (f->fqdn[0] != '\0')
        memcpy(c->fqdn, f->fqdn, sizeof(c->fqdn));
    else
        err = gba_ue_target_fqdn(c->target, c->fqdn);
    return err;
}

static int import(const struct gba_options *o, const char *path)
{
    struct m2m_credential f;
    struct gba_ue_credential credential;
    struct gba_context c;
    struct gba_report r;
    enum gba_err err;
    int status = gba_credential_read(o, path, &f);

    if (status != EX_OK)
        return status;
    err = to_ring(&f, &credential);
    gba_ue_wipe(&f, sizeof(f));
    if (err != GBA_OK) {
        gba_ue_wipe(&credential, sizeof(credential));
        return gba_complain(GBA_E_SYNTAX, path,
                            "a Kpm is used from its file, by gba enrol --kpm-file; Kpsa and Km "
                            "need a peer that is a CSE-ID or an FQDN");
    }
    status = gba_open(o, GBA_OF_DEVICE, &c);
    if (status == EX_OK) {
        err = credential.expires_s <= gba_ue_env_system.now_s(NULL)
                  ? GBA_E_EXPIRED
                  : gba_ue_keyring_put_credential(c.device.ring, &credential);
        status = err == GBA_OK ? gba_save(&c) : gba_complain(err, path, NULL);
    }
    if (status == EX_OK) {
        gba_report_begin(&r, o, "Imported.");
        gba_report_credential(&r, &c, &credential);
        status = gba_report_end(&r);
    }
    gba_ue_wipe(&credential, sizeof(credential));
    gba_close(&c);
    return status;
}

/* ------------------------------------------------------------ export */

static void to_file(const struct gba_ue_credential *c, struct m2m_credential *f)
{
    memset(f, 0, sizeof(*f));
    f->kind = c->kind == GBA_UE_KM ? M2M_CRED_KM : M2M_CRED_KPSA;
    memcpy(f->key, c->key, sizeof(c->key));
    f->key_len = sizeof(c->key);
    memcpy(f->peer, c->target, sizeof(c->target));
    memcpy(f->key_id, c->key_id, sizeof(c->key_id));
    memcpy(f->fqdn, c->fqdn, sizeof(c->fqdn));
    memcpy(f->suite, c->suite, sizeof(c->suite));
    memcpy(f->entity, c->entity, sizeof(c->entity));
    f->expires_s = c->expires_s != NEVER_S ? c->expires_s : 0;
}

_Static_assert(sizeof(((struct gba_ue_credential *)0)->entity) ==
                   sizeof(((struct m2m_credential *)0)->entity),
               "what a file says, the keyring keeps");

static int write_file(const struct gba_options *o, const struct m2m_credential *f)
{
    uint8_t octets[M2M_CREDENTIAL_MAX + 64], seal_key[32], nonce[12];
    const uint8_t *seal;
    struct gba_wbuf w;
    enum gba_err err = GBA_OK;
    int status = read_file_seal(o, seal_key, &seal);

    gba_wbuf_init(&w, octets, sizeof(octets));
    if (status == EX_OK && seal != NULL)
        err = getrandom(nonce, sizeof(nonce), 0) == sizeof(nonce)
                  ? m2m_credential_seal(f, seal, nonce, &w)
                  : GBA_E_ENTROPY;
    else if (status == EX_OK)
        err = m2m_credential_print(f, &w);
    if (status == EX_OK && err == GBA_OK)
        err = private_file_write(o->out, gba_wbuf_bytes(&w), o->force != NULL);
    if (status == EX_OK && err != GBA_OK)
        status = gba_complain(err, o->out,
                              err == GBA_E_EXISTS ? "is there already; --force replaces it"
                              : err == GBA_E_IO   ? strerror(errno)
                                                  : NULL);
    gba_ue_wipe(octets, sizeof(octets));
    gba_ue_wipe(seal_key, sizeof(seal_key));
    return status;
}

static int export(const struct gba_options *o)
{
    struct gba_ue_credential credential;
    struct m2m_credential f;
    struct gba_context c;
    int status;

    if (o->target == NULL || o->out == NULL)
        return gba_usage("credential export needs --target CSE-ID and --out FILE");
    status = gba_open(o, gba_has_card(o) ? GBA_OF_CARD : GBA_OF_DEVICE, &c);
    if (status == EX_OK &&
        gba_ue_keyring_credential(c.device.ring, o->target, gba_ue_env_system.now_s(NULL),
                                  &credential) != GBA_OK)
        status = gba_complain(GBA_E_NOT_FOUND, o->target, "no valid credential");
    if (status == EX_OK) {
        to_file(&credential, &f);
        status = write_file(o, &f);
        gba_ue_wipe(&f, sizeof(f));
        gba_ue_wipe(&credential, sizeof(credential));
    }
    gba_close(&c);
    return status;
}

int gba_cmd_credential(const struct gba_options *o)
{
    if (strcmp(o->args[0], "import") == 0)
        return o->file != NULL ? import(o, o->file)
                               : gba_usage("credential import needs --file FILE");
    if (strcmp(o->args[0], "export") == 0)
        return export(o);
    return gba_usage("credential takes import or export");
}
