/*
 * gba bootstrap and gba key: Ub, and the keys of NAFs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/bytes.h"
#include "common/ua_protocol.h"
#include "ua/gba.h"
#include "ua/private_file.h"

static int print_session(struct gba_context *c)
{
    struct gba_ue_session s;
    struct gba_report r;

    if (gba_ue_keyring_session(c->device.ring, gba_ue_env_system.now_s(NULL), &s) != GBA_OK)
        return gba_complain(GBA_E_EXPIRED, "session", "over already");
    gba_report_begin(&r, c->o, "Bootstrapped over Ub.");
    gba_report_text(&r, "btid", "B-TID", s.btid);
    gba_report_text(&r, "impi", "IMPI", s.impi);
    gba_report_text(&r, "bsf", "BSF", s.bsf_fqdn);
    if (s.tmpi[0] != '\0')
        gba_report_text(&r, "tmpi", "TMPI", s.tmpi);
    gba_report_text(&r, "mode", "mode", s.gba_u ? "GBA_U" : "GBA_ME");
    gba_report_time(&r, "expires", "expires", s.expires_s);
    return gba_report_end(&r);
}

/* After a failure the ring is saved too: a refused TMPI must stay forgotten. */
static int finish(struct gba_context *c, enum gba_err err)
{
    const int saved = gba_save(c);

    return err != GBA_OK ? gba_complain(err, c->device.why, NULL) : saved;
}

int gba_cmd_bootstrap(const struct gba_options *o)
{
    struct gba_context c;
    int status = gba_open(o, GBA_OF_CARD, &c);

    if (status == EX_OK)
        status = finish(&c, gba_ue_bootstrap(&c.device));
    if (status == EX_OK)
        status = print_session(&c);
    gba_close(&c);
    return status;
}

static int write_key(const char *path, const struct gba_ue_naf_key *k)
{
    char hex[2 * GBA_UE_KEY_LEN + 2];
    enum gba_err err;

    gba_hex(hex, GBA_BYTES(k->key));
    strcat(hex, "\n");
    err = private_file_write(path, gba_text_bytes(gba_text(hex)), true);
    gba_ue_wipe(hex, sizeof(hex));
    return err == GBA_OK ? EX_OK : gba_complain(err, path, strerror(errno));
}

static int print_key(const struct gba_options *o, const struct gba_ue_naf_key *k,
                     const char *impi)
{
    struct gba_report r;

    gba_report_begin(&r, o, "NAF key derived.");
    gba_report_text(&r, "impi", "IMPI", impi);
    gba_report_key(&r, o, k);
    if (!r.json && o->show_keys == NULL && o->out == NULL)
        puts("  (the key itself: --show-keys, or --out FILE)");
    return gba_report_end(&r);
}

int gba_cmd_key(const struct gba_options *o)
{
    uint8_t ua_id[GBA_UE_UA_ID_LEN];
    struct gba_ue_naf_key k;
    struct gba_context c;
    int status;

    if (o->naf == NULL)
        return gba_usage("key needs --naf FQDN");
    if (gba_ue_ua_protocol(o->ua_protocol != NULL ? o->ua_protocol : "http-digest", ua_id) !=
        GBA_OK)
        return gba_usage(
            "--ua-protocol takes http-digest, psk-tls12:XXXX, psk-tls13 or ten hex digits");
    if (memcmp(ua_id, gba_ua_tmpi, sizeof(ua_id)) == 0)
        return gba_usage("0100000100 makes TMPIs; it is no Ua protocol");
    memset(&k, 0, sizeof(k));
    status = gba_open(o, GBA_OF_CARD, &c);
    if (status == EX_OK)
        status = finish(&c, gba_ue_naf_key_get(&c.device, o->naf, ua_id, o->internal != NULL,
                                               o->renew != NULL, &k));
    if (status == EX_OK && o->out != NULL)
        status = write_key(o->out, &k);
    if (status == EX_OK)
        status = print_key(o, &k, c.identity.impi);
    gba_ue_wipe(&k, sizeof(k));
    gba_close(&c);
    return status;
}
