/*
 * Km's that an MEF has for a MAF: see mafd_remote.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mafd_remote.h"

#include <string.h>

#include "common/host/clock.h"
#include "naf/key_fetch.h"

#define SUID_MAF 21 /* a remotely provisioned key for a MAF (TS-0004 6.3.4.2.39) */

static bool is_of(const struct mefd_mef_conf *mef, struct gba_text domain)
{
    for (size_t i = 0; i < mef->domains.n; i++)
        if (gba_text_eq_nocase(domain, gba_text(mef->domains.v[i])))
            return true;
    return mef->domains.n == 0 && gba_text_eq_nocase(domain, gba_text(mef->fqdn));
}

/* The domain of an identifier is looked up in a static table, and nowhere else. */
static const struct mefd_mef_conf *issuer(const struct mefd_conf *c, struct gba_text key_id)
{
    const struct mefd_mef_conf *mefs = c->mefs.v;
    struct m2m_key_id id;

    if (m2m_key_id_parse(key_id, &id) != GBA_OK || id.form == M2M_KEY_ID_NAMED)
        return NULL;
    for (size_t i = 0; i < c->mefs.n; i++)
        if (is_of(&mefs[i], id.fqdn))
            return &mefs[i];
    return NULL;
}

static enum gba_err learn(const struct mafd_remote *m, const struct mefd_mef_conf *mef,
                          struct gba_text key_id, const struct key_fetched *got,
                          struct gba_naf_psk_row *row)
{
    enum gba_err err = mef_learn_km(m->mef, mef->fqdn, key_id, gba_text(got->enrolee),
                                    &got->key, clock_unix_s(), got->expires_s);

    if (err != GBA_OK)
        return err == GBA_E_NOT_FOUND ? GBA_E_FORBIDDEN : err; /* no row: not asked elsewhere */
    memcpy(row->key, got->key.octets, sizeof(got->key.octets));
    row->key_len = sizeof(got->key.octets);
    row->expires_s = got->expires_s;
    return GBA_OK;
}

enum gba_err mafd_remote_km(void *arg, struct gba_text key_id, struct gba_naf_psk_row *row)
{
    const struct mafd_remote *m = arg;
    const struct mefd_mef_conf *mef = issuer(m->conf, key_id);
    struct key_fetch_source from = {.cert = m->conf->tls.certificate,
                                    .key = m->conf->tls.key,
                                    .origin = m->mef->policy->fqdn};
    struct key_fetched got;
    enum gba_err err;

    if (mef == NULL)
        return GBA_E_NOT_FOUND;
    from.url = mef->url;
    from.ca = mef->ca;
    from.deadline_ms = mef->deadline_ms;
    err = key_fetch_credential(&from, key_id, SUID_MAF, &got);
    if (err == GBA_OK)
        err = learn(m, mef, key_id, &got, row);
    else if (err == GBA_E_NOT_FOUND)
        err = GBA_E_FORBIDDEN;
    LOG(m->log, err == GBA_OK || err == GBA_E_FORBIDDEN ? LOG_LV_INFO : LOG_LV_WARNING,
        "maf.km", LOG_STR("mef", mef->fqdn), LOG_TEXT("key_id", key_id),
        LOG_STR("client", got.enrolee), LOG_ERR(err));
    gba_wipe(&got, sizeof(got));
    return err;
}
