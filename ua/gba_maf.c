/*
 * gba connect --maf: a key that a MAF distributes (TS-0003 8.2.2.3), got or still good, for the
 * session with the target.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <string.h>

#include "common/bytes.h"
#include "ua/gba.h"

#define LIFE_S (24 * 3600) /* of Kc: asked for; the MAF may grant less */

/* The Kc of before, unless --renew. */
static bool is_there(const struct gba_options *o, const struct gba_context *c,
                     const char *maf_fqdn, int64_t now_s, struct gba_ue_credential *kc)
{
    const char *at;

    if (o->renew != NULL ||
        gba_ue_keyring_credential(c->device.ring, o->target, now_s, kc) != GBA_OK)
        return false;
    at = strchr(kc->key_id, '@');
    return kc->kind == GBA_UE_KC && at != NULL &&
           gba_text_eq_nocase(gba_text(at + 1), gba_text(maf_fqdn));
}

/* What is to be said after a success does not change it. */
static int save(struct gba_context *c)
{
    if (c->device.why[0] != '\0')
        fprintf(stderr, "gba: warning: %s\n", c->device.why);
    return gba_save(c);
}

/* Km, with the name that the MAF gives it. */
static int by_km(const struct gba_options *o, struct gba_context *c,
                 const struct gba_ue_maf_config *config, struct gba_ue_credential *kc)
{
    struct gba_ue_credential km;
    struct gba_ue_proof proof;
    char km_id[GBA_UE_KEY_ID_SIZE];
    int64_t now_s = gba_ue_env_system.now_s(NULL);
    enum gba_err err = gba_ue_keyring_credential(c->device.ring, config->maf_fqdn, now_s, &km);

    if (err != GBA_OK)
        return gba_complain(
            err, config->maf_fqdn,
            "no valid Km; gba enrol --target MAF-FQDN or gba credential import");
    proof = (struct gba_ue_proof){
        .psk_identity = km.key_id, .psk = km.key, .psk_len = sizeof(km.key)};
    err = gba_ue_maf_key(&c->device, &proof, o->maf, o->connect_to, config,
                         o->suites != NULL     ? o->suites
                         : km.suite[0] != '\0' ? km.suite
                                               : NULL,
                         km_id, kc);
    if (km_id[0] != '\0' && strcmp(km_id, km.key_id) != 0) {
        memcpy(km.key_id, km_id, sizeof(km.key_id));
        if (gba_ue_keyring_put_credential(c->device.ring, &km) == GBA_OK)
            gba_save(c);
    }
    gba_ue_wipe(&km, sizeof(km));
    return err == GBA_OK ? save(c) : gba_complain_device(o, &c->device, err, NULL);
}

static int by_certificate(const struct gba_options *o, struct gba_context *c,
                          const struct gba_ue_maf_config *config, struct gba_ue_credential *kc)
{
    const struct gba_ue_proof proof = {.cert_file = o->cert, .key_file = o->key};
    char km_id[GBA_UE_KEY_ID_SIZE];
    enum gba_err err =
        gba_ue_maf_key(&c->device, &proof, o->maf, o->connect_to, config, NULL, km_id, kc);

    return err == GBA_OK ? save(c) : gba_complain_device(o, &c->device, err, NULL);
}

static int get_kc(const struct gba_options *o, const char *maf_fqdn, struct gba_context *c,
                  struct gba_ue_credential *kc)
{
    int64_t now_s = gba_ue_env_system.now_s(NULL);
    const struct gba_ue_maf_config config = {.target = o->target,
                                             .target_fqdn = o->target_fqdn,
                                             .maf_fqdn = maf_fqdn,
                                             .admin_fqdn = o->admin,
                                             .originator = o->originator,
                                             .expires_s = now_s + LIFE_S};

    if (is_there(o, c, maf_fqdn, now_s, kc))
        return EX_OK;
    return o->cert != NULL ? by_certificate(o, c, &config, kc) : by_km(o, c, &config, kc);
}

int gba_maf_key(const struct gba_options *o, struct gba_ue_credential *kc)
{
    char name[GBA_UE_FQDN_SIZE];
    const char *maf_fqdn = o->maf_fqdn;
    struct gba_context c;
    int status = EX_OK;

    if (o->target == NULL)
        return gba_usage("connect --maf needs --target CSE-ID");
    if (maf_fqdn == NULL) {
        status = gba_name_of_url("--maf", o->maf, name, sizeof(name));
        maf_fqdn = name;
    }
    if (status != EX_OK)
        return status;
    status = gba_open(o, o->cert == NULL && gba_has_card(o) ? GBA_OF_CARD : GBA_OF_DEVICE, &c);
    if (status == EX_OK)
        status = get_kc(o, maf_fqdn, &c, kc);
    gba_close(&c);
    return status;
}
