/*
 * gba show: what the keyring holds; keys only with --show-keys.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <string.h>

#include "ua/gba.h"

static void show_session(struct gba_report *r, const struct gba_context *c, int64_t now_s)
{
    struct gba_ue_session s;

    gba_report_text(r, "impi", "IMPI", c->identity.impi);
    if (gba_ue_keyring_tmpi(c->device.ring)[0] != '\0')
        gba_report_text(r, "tmpi", "TMPI", gba_ue_keyring_tmpi(c->device.ring));
    if (gba_ue_keyring_session(c->device.ring, now_s, &s) != GBA_OK) {
        if (!r->json)
            puts("  no live session: gba bootstrap makes one");
        return;
    }
    gba_report_text(r, "btid", "B-TID", s.btid);
    gba_report_text(r, "bsf", "BSF", s.bsf_fqdn);
    gba_report_text(r, "mode", "mode", s.gba_u ? "GBA_U" : "GBA_ME");
    gba_report_time(r, "expires", "expires", s.expires_s);
}

static const char *kind_name(enum gba_ue_credential_kind kind)
{
    static const char *const names[] = {"Kpsa", "Km", "usage-constrained key", "Kc"};

    return names[kind];
}

/* The Ua id a credential of the GBA framework was derived for: that of the NAF key it is. */
static void show_ua_id(struct gba_report *r, const struct gba_context *c,
                       const struct gba_ue_credential *k)
{
    const int64_t now_s = gba_ue_env_system.now_s(NULL);
    struct gba_ue_naf_key key;

    for (size_t i = 0; gba_ue_keyring_naf_key_at(c->device.ring, i, now_s, &key) == GBA_OK; i++)
        if (strcmp(key.fqdn, k->fqdn) == 0 && strcmp(key.btid, k->key_id) == 0)
            gba_report_hex(r, "ua_protocol", "Ua", key.ua_id, sizeof(key.ua_id));
    gba_ue_wipe(&key, sizeof(key));
}

void gba_report_credential(struct gba_report *r, const struct gba_context *c,
                           const struct gba_ue_credential *k)
{
    gba_report_text(r, "target", "target", k->target);
    gba_report_text(r, "fqdn", "FQDN", k->fqdn);
    gba_report_text(r, "kind", "kind", kind_name(k->kind));
    gba_report_text(r, "key_id", "key id", k->key_id);
    show_ua_id(r, c, k);
    if (k->suite[0] != '\0')
        gba_report_text(r, "suite", "suite", k->suite);
    if (k->entity[0] != '\0')
        gba_report_text(r, "entity", "entity", k->entity);
    gba_report_time(r, "expires", "expires", k->expires_s);
    if (c->o->show_keys != NULL)
        gba_report_hex(r, "key", "key", k->key, sizeof(k->key));
}

int gba_cmd_show(const struct gba_options *o)
{
    const int64_t now_s = gba_ue_env_system.now_s(NULL);
    struct gba_ue_credential credential;
    struct gba_report r, item;
    struct gba_ue_naf_key key;
    struct gba_context c;
    int status = gba_open(o, gba_has_card(o) ? GBA_OF_CARD : GBA_OF_DEVICE, &c);

    if (status != EX_OK) {
        gba_close(&c);
        return status;
    }
    gba_report_begin(&r, o, "Session");
    show_session(&r, &c, now_s);
    for (size_t i = 0; gba_ue_keyring_naf_key_at(c.device.ring, i, now_s, &key) == GBA_OK;
         i++) {
        gba_report_item(&r, "naf_keys", "NAF key", &item);
        gba_report_key(&item, o, &key);
    }
    for (size_t i = 0;
         gba_ue_keyring_credential_at(c.device.ring, i, now_s, &credential) == GBA_OK; i++) {
        gba_report_item(&r, "credentials", "Credential", &item);
        gba_report_credential(&item, &c, &credential);
    }
    gba_ue_wipe(&key, sizeof(key));
    gba_ue_wipe(&credential, sizeof(credential));
    gba_close(&c);
    return gba_report_end(&r);
}
