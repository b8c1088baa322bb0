/*
 * Km's that an MEF has for a MAF: see mafd_remote.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mafd_remote.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/clock.h"
#include "common/host/random.h"
#include "common/keyed_hash.h"
#include "common/limiter.h"

#define SUID_MAF 21   /* a remotely provisioned key for a MAF (TS-0004 6.3.4.2.39) */
#define REFUSED  4096 /* KeIDs that are remembered */

struct mafd_remote {
    struct mafd_remote_config c;
    struct limiter *limiter; /* NULL: none */
    uint8_t hash_key[16];
    pthread_mutex_t lock;
    struct {
        uint64_t print; /* hash of the KeID */
        int64_t until_s;
    } refused[REFUSED];
};

/* ------------------------------------------------------------ what was not given */

static bool was_refused(struct mafd_remote *m, uint64_t print, int64_t now_s)
{
    bool refused;

    pthread_mutex_lock(&m->lock);
    refused = m->refused[print % REFUSED].print == print &&
              m->refused[print % REFUSED].until_s > now_s;
    pthread_mutex_unlock(&m->lock);
    return refused;
}

static void note_refused(struct mafd_remote *m, uint64_t print, int64_t now_s)
{
    pthread_mutex_lock(&m->lock);
    m->refused[print % REFUSED].print = print;
    m->refused[print % REFUSED].until_s = now_s + MAFD_REMOTE_NEGATIVE_S;
    pthread_mutex_unlock(&m->lock);
}

/* ------------------------------------------------------------ one question */

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

enum gba_err mafd_vouched_read(struct gba_text entry, char sp[static GBA_FQDN_SIZE])
{
    struct m2m_id id;
    struct gba_text fqdn;

    sp[0] = '\0';
    if (entry.n < 2 || memcmp(entry.s, "//", 2) != 0)
        return GBA_E_SYNTAX;
    fqdn = (struct gba_text){entry.s + 2, entry.n - 2};
    if (memchr(fqdn.s, '/', fqdn.n) == NULL)
        return gba_fqdn_canonical(fqdn, sp) == GBA_OK ? GBA_OK : GBA_E_SYNTAX;
    return m2m_entity_parse(entry, &id) == GBA_OK ? GBA_OK : GBA_E_SYNTAX;
}

static bool covers(const struct mef_policy *p, struct gba_text entry, const char *enrolee)
{
    char sp[GBA_FQDN_SIZE];
    struct m2m_id id;

    if (mafd_vouched_read(entry, sp) != GBA_OK)
        return false;
    if (sp[0] == '\0')
        return mef_is_entity(p, entry, enrolee);
    return m2m_entity_parse(gba_text(enrolee), &id) == GBA_OK && gba_text_is(id.sp, sp);
}

/* What one MEF says must not give away the clients of another. */
static bool may_vouch(const struct mef_policy *p, const struct mefd_mef_conf *mef,
                      const char *enrolee)
{
    char id[M2M_ID_SIZE];

    if (mef->enrolees.n == 0)
        return true;
    if (mef_absolute(p, gba_text(enrolee), id) != GBA_OK)
        return false;
    for (size_t i = 0; i < mef->enrolees.n; i++)
        if (covers(p, gba_text(mef->enrolees.v[i]), id))
            return true;
    return false;
}

static enum gba_err learn(const struct mafd_remote *m, const struct mefd_mef_conf *mef,
                          struct gba_text key_id, const struct key_fetched *got, int64_t now_s,
                          struct gba_naf_psk_row *row)
{
    enum gba_err err = mef_learn_km(m->c.mef, mef->fqdn, key_id, gba_text(got->enrolee),
                                    &got->key, now_s, got->expires_s);

    if (err != GBA_OK)
        return err == GBA_E_NOT_FOUND ? GBA_E_FORBIDDEN : err; /* no row: not asked elsewhere */
    memcpy(row->key, got->key.octets, sizeof(got->key.octets));
    row->key_len = sizeof(got->key.octets);
    row->expires_s = got->expires_s;
    return GBA_OK;
}

static enum gba_err ask(const struct mafd_remote *m, const struct mefd_mef_conf *mef,
                        struct gba_text key_id, int64_t now_s, struct gba_naf_psk_row *row)
{
    const struct key_fetch_source from = {.url = mef->url,
                                          .ca = mef->ca,
                                          .cert = m->c.conf->tls.certificate,
                                          .key = m->c.conf->tls.key,
                                          .origin = m->c.mef->policy->fqdn,
                                          .deadline_ms = mef->deadline_ms};
    struct key_fetched got;
    enum gba_err err = m->c.fetch(&from, key_id, SUID_MAF, &got);
    bool foreign = err == GBA_OK && !may_vouch(m->c.mef->policy, mef, got.enrolee);

    if (foreign || err == GBA_E_NOT_FOUND)
        err = GBA_E_FORBIDDEN;
    else if (err == GBA_OK)
        err = learn(m, mef, key_id, &got, now_s, row);
    LOG(m->c.log,
        err == GBA_OK || (err == GBA_E_FORBIDDEN && !foreign) ? LOG_LV_INFO : LOG_LV_WARNING,
        "maf.km", LOG_STR("mef", mef->fqdn), LOG_TEXT("key_id", key_id),
        LOG_STR("client", got.enrolee), LOG_ERR(err),
        LOG_STR("why", foreign ? "enrolees of this MEF do not list the client" : got.why));
    gba_wipe(&got, sizeof(got));
    return err;
}

enum gba_err mafd_remote_km(void *arg, struct gba_text key_id, struct gba_bytes address,
                            struct gba_naf_psk_row *row)
{
    struct mafd_remote *m = arg;
    const struct mefd_mef_conf *mef = issuer(m->c.conf, key_id);
    uint64_t print = keyed_hash(m->hash_key, gba_text_bytes(key_id));
    int64_t now_ms = m->c.now_ms(), now_s = now_ms / 1000;
    unsigned retry_after_s;
    enum gba_err err = GBA_OK;

    if (mef == NULL)
        return GBA_E_NOT_FOUND;
    if (was_refused(m, print, now_s))
        return GBA_E_FORBIDDEN;
    if (m->limiter != NULL)
        err = limiter_take(m->limiter, GBA_TEXT(""), address, now_ms, &retry_after_s);
    if (err != GBA_OK)
        return err;
    err = ask(m, mef, key_id, now_s, row);
    if (err == GBA_E_FORBIDDEN)
        note_refused(m, print, now_s);
    return err;
}

/* ------------------------------------------------------------ life */

static int64_t system_now_ms(void)
{
    return clock_unix_s() * 1000;
}

static enum gba_err set_limit(struct mafd_remote *m, const struct mefd_limits_conf *c)
{
    struct limiter_config l = {
        .address = {(unsigned)c->btids.burst, (unsigned)c->btids.per_minute},
        .buckets = (size_t)c->buckets};
    enum gba_err err = random_octets(l.hash_key, sizeof(l.hash_key));

    if (err != GBA_OK || c->btids.burst == 0)
        return err;
    m->limiter = limiter_new(&l);
    return m->limiter != NULL ? GBA_OK : GBA_E_NOMEM;
}

enum gba_err mafd_remote_new(const struct mafd_remote_config *config, struct mafd_remote **out)
{
    struct mafd_remote *m = calloc(1, sizeof(*m));
    enum gba_err err;

    *out = NULL;
    if (m == NULL)
        return GBA_E_NOMEM;
    m->c = *config;
    if (m->c.fetch == NULL)
        m->c.fetch = key_fetch_credential;
    if (m->c.now_ms == NULL)
        m->c.now_ms = system_now_ms;
    pthread_mutex_init(&m->lock, NULL);
    err = random_octets(m->hash_key, sizeof(m->hash_key));
    if (err == GBA_OK)
        err = set_limit(m, &m->c.conf->limits);
    if (err != GBA_OK)
        mafd_remote_free(m);
    else
        *out = m;
    return err;
}

void mafd_remote_free(struct mafd_remote *m)
{
    if (m == NULL)
        return;
    limiter_free(m->limiter);
    pthread_mutex_destroy(&m->lock);
    free(m);
}
