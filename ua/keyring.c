/*
 * The keyring: one session, NAF keys with their expiry, credentials, of one UICC application
 * (TS 33.220 4.4). Pure: no file, no clock.  Keys go when they expire, when another UICC comes,
 * or when a place is needed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/keyring.h"

#include <stdalign.h>
#include <string.h>

#include "common/kdf.h"
#include "ua/ub_client.h"

#define RENEWALS_MAX     5

size_t gba_ue_keyring_size(size_t naf_keys, size_t credentials)
{
    return sizeof(struct gba_ue_keyring) + naf_keys * sizeof(struct gba_ue_naf_key) +
           credentials * sizeof(struct gba_ue_credential);
}

struct gba_ue_keyring *gba_ue_keyring_init(void *mem, size_t len, size_t naf_keys,
                                           size_t credentials)
{
    struct gba_ue_keyring *ring = mem;

    if (mem == NULL || len < gba_ue_keyring_size(naf_keys, credentials) ||
        (uintptr_t)mem % alignof(struct gba_ue_keyring) != 0)
        return NULL;
    memset(mem, 0, gba_ue_keyring_size(naf_keys, credentials));
    ring->naf_keys = (struct gba_ue_naf_key *)(ring + 1);
    ring->credentials = (struct gba_ue_credential *)(ring->naf_keys + naf_keys);
    ring->naf_keys_cap = naf_keys;
    ring->credentials_cap = credentials;
    return ring;
}

void gba_ue_keyring_end(struct gba_ue_keyring *ring)
{
    gba_wipe(ring, gba_ue_keyring_size(ring->naf_keys_cap, ring->credentials_cap));
}

enum gba_err gba_ue_keyring_bind(struct gba_ue_keyring *ring, const char *uicc)
{
    if (strlen(uicc) >= sizeof(ring->uicc))
        return GBA_E_TOO_LONG;
    if (strcmp(ring->uicc, uicc) == 0)
        return GBA_OK;
    if (ring->uicc[0] != '\0') {
        gba_ue_keyring_forget_ks(ring);
        gba_ue_keyring_forget_tmpi(ring);
        gba_wipe(ring->naf_keys, ring->naf_keys_cap * sizeof(ring->naf_keys[0]));
        gba_wipe(ring->credentials, ring->credentials_cap * sizeof(ring->credentials[0]));
        ring->n_naf_keys = ring->n_credentials = 0;
    }
    strcpy(ring->uicc, uicc);
    return GBA_OK;
}

enum gba_err gba_ue_keyring_take(struct gba_ue_keyring *ring, struct gba_ue *ue)
{
    struct gba_ue_session session;
    enum gba_err err = gba_ue_session(ue, &session);

    if (err != GBA_OK)
        return err;
    gba_ue_keyring_forget_ks(ring);
    ring->session = session;
    ring->has_session = true;
    ring->ks = ue->ks; /* all zero in GBA_U: the card has it */
    memcpy(ring->rand, ue->rand, sizeof(ring->rand));
    memcpy(ring->tmpi, session.tmpi, sizeof(ring->tmpi));
    gba_ue_end(ue);
    return GBA_OK;
}

enum gba_err gba_ue_keyring_session(const struct gba_ue_keyring *ring, int64_t now_s,
                                    struct gba_ue_session *out)
{
    if (!ring->has_session || ring->session.expires_s <= now_s)
        return GBA_E_NOT_FOUND;
    *out = ring->session;
    return GBA_OK;
}

const char *gba_ue_keyring_tmpi(const struct gba_ue_keyring *ring)
{
    return ring->tmpi;
}

void gba_ue_keyring_forget_tmpi(struct gba_ue_keyring *ring)
{
    memset(ring->tmpi, 0, sizeof(ring->tmpi));
    memset(ring->session.tmpi, 0, sizeof(ring->session.tmpi));
}

void gba_ue_keyring_forget_ks(struct gba_ue_keyring *ring)
{
    gba_wipe(&ring->ks, sizeof(ring->ks));
    gba_wipe(&ring->session, sizeof(ring->session));
    gba_wipe(ring->rand, sizeof(ring->rand));
    ring->has_session = false;
}

/* --- NAF keys --------------------------------------------------------------------------- */

static struct gba_ue_naf_key *find_naf_key(const struct gba_ue_keyring *ring, const char *fqdn,
                                           const uint8_t *ua_id, bool internal)
{
    for (size_t i = 0; i < ring->n_naf_keys; i++) {
        struct gba_ue_naf_key *k = &ring->naf_keys[i];

        if (k->internal == internal && strcmp(k->fqdn, fqdn) == 0 &&
            memcmp(k->ua_id, ua_id, sizeof(k->ua_id)) == 0)
            return k;
    }
    return NULL;
}

static struct gba_ue_naf_key *place_for_naf_key(struct gba_ue_keyring *ring)
{
    struct gba_ue_naf_key *first = ring->naf_keys;

    if (ring->n_naf_keys < ring->naf_keys_cap)
        return &ring->naf_keys[ring->n_naf_keys++];
    for (size_t i = 1; i < ring->n_naf_keys; i++)
        if (ring->naf_keys[i].expires_s < first->expires_s)
            first = &ring->naf_keys[i];
    return first;
}

enum gba_err gba_ue_keyring_put(struct gba_ue_keyring *ring, const struct gba_ue_naf_key *key)
{
    struct gba_ue_naf_key *place = find_naf_key(ring, key->fqdn, key->ua_id, key->internal);

    if (ring->naf_keys_cap == 0)
        return GBA_E_TOO_LONG;
    if (place == NULL)
        place = place_for_naf_key(ring);
    *place = *key;
    return GBA_OK;
}

static void drop_naf_key(struct gba_ue_keyring *ring, size_t i)
{
    struct gba_ue_naf_key *last = &ring->naf_keys[--ring->n_naf_keys];

    if (&ring->naf_keys[i] != last)
        ring->naf_keys[i] = *last;
    gba_wipe(last, sizeof(*last));
}

void gba_ue_keyring_drop_naf(struct gba_ue_keyring *ring, const char *fqdn)
{
    for (size_t i = ring->n_naf_keys; i-- > 0;)
        if (strcmp(ring->naf_keys[i].fqdn, fqdn) == 0)
            drop_naf_key(ring, i);
}

/* The place of this NAF; else one that is free, or whose window began first. */
static struct ring_renewal *find_renewal(struct gba_ue_keyring *ring, const char *fqdn)
{
    struct ring_renewal *place = ring->renewals;

    for (size_t i = 0; i < RING_RENEWALS; i++) {
        struct ring_renewal *r = &ring->renewals[i];

        if (strcmp(r->fqdn, fqdn) == 0)
            return r;
        if (place->fqdn[0] != '\0' && (r->fqdn[0] == '\0' || r->since_s < place->since_s))
            place = r;
    }
    place->fqdn[0] = '\0';
    return place;
}

bool ring_may_renew(struct gba_ue_keyring *ring, const char *fqdn, int64_t now_s)
{
    struct ring_renewal *r = find_renewal(ring, fqdn);

    if (r->fqdn[0] == '\0' || now_s - r->since_s >= RENEWAL_WINDOW_S || now_s < r->since_s) {
        memset(r, 0, sizeof(*r));
        if (gba_text_copy(r->fqdn, sizeof(r->fqdn), gba_text(fqdn)) != GBA_OK)
            return false;
        r->since_s = now_s;
    }
    if (r->n >= RENEWALS_MAX)
        return false;
    r->n++;
    return true;
}

/* TS 33.220 4.5.3: the key's life is that of Ks. */
static enum gba_err derive(struct gba_ue_keyring *ring, const char *fqdn, const uint8_t *ua_id,
                           struct gba_ue_naf_key *out)
{
    struct gba_naf_id naf_id;
    struct gba_key key;
    enum gba_err err = gba_naf_id_make(gba_text(fqdn), ua_id, &naf_id);

    if (err == GBA_OK)
        err = gba_ks_naf(&ring->ks, GBA_USE_ME, ring->rand, gba_text(ring->session.impi),
                         (struct gba_bytes){naf_id.octets, naf_id.n}, &key);
    if (err != GBA_OK)
        return err;
    memset(out, 0, sizeof(*out));
    strcpy(out->fqdn, fqdn);
    memcpy(out->ua_id, ua_id, sizeof(out->ua_id));
    memcpy(out->btid, ring->session.btid, sizeof(out->btid));
    out->expires_s = ring->session.expires_s;
    memcpy(out->key, key.octets, sizeof(out->key));
    gba_wipe(&key, sizeof(key));
    gba_ue_keyring_put(ring, out); /* no place is no reason to withhold it */
    return GBA_OK;
}

enum gba_err gba_ue_keyring_naf_key(struct gba_ue_keyring *ring, const char *fqdn,
                                    const uint8_t ua_id[GBA_UE_UA_ID_LEN], bool internal,
                                    int64_t now_s, struct gba_ue_naf_key *out)
{
    const bool live = ring->has_session && ring->session.expires_s > now_s;
    char canonical[GBA_UE_FQDN_SIZE];
    const struct gba_ue_naf_key *k;

    if (gba_fqdn_canonical(gba_text(fqdn), canonical) != GBA_OK)
        return GBA_E_SYNTAX;
    k = find_naf_key(ring, canonical, ua_id, internal);
    /* A newer session makes a newer key; without one, what is still valid serves. */
    if (k != NULL && k->expires_s > now_s &&
        (!live || strcmp(k->btid, ring->session.btid) == 0)) {
        *out = *k;
        return GBA_OK;
    }
    if (!live)
        return GBA_E_NOT_FOUND;
    if (ring->session.gba_u)
        return GBA_E_UNSUPPORTED;
    if (internal)
        return GBA_E_FORBIDDEN; /* there is no Ks_int_NAF in GBA_ME, and no other key in its
                                   place */
    return ring->session.has_ks ? derive(ring, canonical, ua_id, out) : GBA_E_NOT_FOUND;
}

enum gba_err gba_ue_keyring_naf_key_at(const struct gba_ue_keyring *ring, size_t i,
                                       int64_t now_s, struct gba_ue_naf_key *out)
{
    for (size_t k = 0; k < ring->n_naf_keys; k++)
        if (ring->naf_keys[k].expires_s > now_s && i-- == 0) {
            *out = ring->naf_keys[k];
            return GBA_OK;
        }
    return GBA_E_NOT_FOUND;
}

/* --- credentials ------------------------------------------------------------------------ */

enum gba_err gba_ue_keyring_put_credential(struct gba_ue_keyring *ring,
                                           const struct gba_ue_credential *c)
{
    struct gba_ue_credential *place = NULL;

    for (size_t i = 0; i < ring->n_credentials; i++)
        if (strcmp(ring->credentials[i].target, c->target) == 0)
            place = &ring->credentials[i];
    if (place == NULL && ring->n_credentials < ring->credentials_cap)
        place = &ring->credentials[ring->n_credentials++];
    if (place == NULL && ring->credentials_cap != 0) {
        place = ring->credentials;
        for (size_t i = 1; i < ring->n_credentials; i++)
            if (ring->credentials[i].expires_s < place->expires_s)
                place = &ring->credentials[i];
    }
    if (place == NULL)
        return GBA_E_TOO_LONG;
    *place = *c;
    return GBA_OK;
}

void gba_ue_keyring_drop_credential(struct gba_ue_keyring *ring, const char *target)
{
    for (size_t i = 0; i < ring->n_credentials; i++)
        if (strcmp(ring->credentials[i].target, target) == 0) {
            ring->credentials[i] = ring->credentials[--ring->n_credentials];
            gba_wipe(&ring->credentials[ring->n_credentials], sizeof(ring->credentials[0]));
            return; /* one a target */
        }
}

enum gba_err gba_ue_keyring_credential(const struct gba_ue_keyring *ring, const char *target,
                                       int64_t now_s, struct gba_ue_credential *out)
{
    for (size_t i = 0; i < ring->n_credentials; i++)
        if (strcmp(ring->credentials[i].target, target) == 0 &&
            ring->credentials[i].expires_s > now_s) {
            *out = ring->credentials[i];
            return GBA_OK;
        }
    return GBA_E_NOT_FOUND;
}

enum gba_err gba_ue_keyring_credential_at(const struct gba_ue_keyring *ring, size_t i,
                                          int64_t now_s, struct gba_ue_credential *out)
{
    for (size_t k = 0; k < ring->n_credentials; k++)
        if (ring->credentials[k].expires_s > now_s && i-- == 0) {
            *out = ring->credentials[k];
            return GBA_OK;
        }
    return GBA_E_NOT_FOUND;
}
