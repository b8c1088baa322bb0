/*
 * Finding the key of a PSK identity: see psk.h.  Whatever is not known for sure ends in
 * "unknown identity".
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/psk.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/ua_protocol.h"
#include "naf/psk_identity.h"

/* A key of the embedding server's own.  GBA_E_NOT_FOUND: ask the BSF. */
static enum gba_err from_row(struct handshake *h, const struct gba_naf_handshake *known,
                             int64_t now_s)
{
    struct gba_naf_psk_row row = {.key_len = 0};
    enum gba_err err = GBA_E_NOT_FOUND;

    if (h->psk->lookup != NULL)
        err = h->psk->lookup(h->psk->lookup_arg, known, &row);
    if (err == GBA_OK && (row.key_len == 0 || row.key_len > PSK_KEY_MAX))
        err = GBA_E_ARGUMENT;
    if (err == GBA_OK && row.expires_s != 0 && row.expires_s <= now_s)
        err = GBA_E_EXPIRED;
    if (err == GBA_OK) {
        memcpy(h->key, row.key, row.key_len);
        h->key_len = row.key_len;
        h->peer.expires_s = row.expires_s;
        row.name[sizeof(row.name) - 1] = '\0';
        memcpy(h->peer.name, row.name, sizeof(row.name));
    }
    gba_wipe(&row, sizeof(row));
    return err;
}

/* Which key the identity means among those this NAF takes; 0: none. */
static unsigned choose_key(const struct gba_naf *naf, unsigned by_prefix)
{
    unsigned taken = ua_server_keys(naf->ua);

    if (by_prefix != 0)
        return by_prefix & taken;
    return (taken & GBA_NAF_KEY_ME) != 0 ? GBA_NAF_KEY_ME : GBA_NAF_KEY_UICC;
}

void psk_drop_uss(struct handshake *h)
{
    if (h->uss != NULL)
        gba_wipe(h->uss, h->uss_len);
    free(h->uss);
    h->uss = NULL;
    h->uss_len = 0;
}

static enum gba_err take_uss(struct handshake *h, struct gba_bytes list)
{
    if (list.n == 0)
        return GBA_OK;
    h->uss = malloc(list.n);
    if (h->uss == NULL)
        return GBA_E_NOMEM;
    memcpy(h->uss, list.p, list.n);
    h->uss_len = list.n;
    return GBA_OK;
}

static enum gba_err take_key(struct handshake *h, const struct naf_key *key)
{
    const struct gba_key *k = &key->a.me_key;

    if (h->peer.key_type == GBA_NAF_KEY_UICC) {
        if (!key->a.has_uicc_key) /* Ks_ext_NAF never stands in for Ks_int_NAF */
            return GBA_E_NOT_FOUND;
        k = &key->a.uicc_key;
    }
    memcpy(h->key, k->octets, sizeof(k->octets));
    h->key_len = sizeof(k->octets);
    h->peer.gba = true;
    h->peer.expires_s = key->a.expiry_s;
    memcpy(h->peer.impi, key->a.impi, sizeof(h->peer.impi));
    return take_uss(h, key->a.uss_list);
}

/* Before Zn is asked: a stranger with made-up B-TIDs must not keep the BSF busy. */
static enum gba_err may_ask(struct handshake *h, const struct zn_query *q,
                            struct gba_bytes address, int64_t now_s)
{
    unsigned retry_after_s;

    if (h->psk->limiter == NULL || keycache_knows(h->psk->naf->keys, q, now_s))
        return GBA_OK;
    return limiter_take(h->psk->limiter, GBA_TEXT(""), address, now_s * 1000, &retry_after_s);
}

static enum gba_err from_bsf(struct handshake *h, const struct gba_naf_handshake *known,
                             struct gba_bytes address, int64_t now_s)
{
    struct gba_naf *naf = h->psk->naf;
    struct psk_identity id;
    struct zn_query q = {.n_gsids = 0};
    struct naf_key *key;
    const char *fqdn;
    enum gba_err err;

    if (naf == NULL)
        return GBA_E_NOT_FOUND;
    err = psk_identity_parse((struct gba_bytes){known->identity, known->identity_len},
                             h->psk->bare_only, &id);
    if (err != GBA_OK)
        return err;
    fqdn = ua_server_find(naf->ua, gba_text(known->sni));
    h->peer.key_type = choose_key(naf, id.key_type);
    if (fqdn == NULL || h->peer.key_type == 0)
        return GBA_E_MISDIRECTED;
    if (known->tls13)
        memcpy(h->peer.ua_id, gba_ua_psk_tls13, sizeof(h->peer.ua_id));
    else
        gba_ua_tls12(known->suite, h->peer.ua_id);
    memcpy(q.btid, id.btid, sizeof(q.btid));
    memcpy(h->peer.btid, id.btid, sizeof(h->peer.btid));
    gba_text_copy(h->peer.fqdn, sizeof(h->peer.fqdn), gba_text(fqdn));
    err = gba_naf_id_make(gba_text(fqdn), h->peer.ua_id, &q.naf_id);
    if (err != GBA_OK)
        return err;
    naf_query(naf, &q);
    err = may_ask(h, &q, address, now_s);
    if (err != GBA_OK)
        return err;
    err = keycache_wait(naf->keys, &q, now_s, &key);
    if (err == GBA_OK)
        err = take_key(h, key);
    naf_key_unref(key);
    return err;
}

int64_t psk_now_s(const struct gba_naf_psk *psk)
{
    return psk->now != NULL ? psk->now(psk->now_arg) : (int64_t)time(NULL);
}

enum gba_err psk_look_up(struct handshake *h, struct gba_bytes identity, bool tls13,
                         struct gba_text sni, struct gba_bytes address)
{
    char canonical[GBA_FQDN_SIZE];
    struct gba_naf_handshake known = {.identity = identity.p,
                                      .identity_len = identity.n,
                                      .tls13 = tls13,
                                      .suite = tls13 ? 0 : h->suite,
                                      .address = address.p,
                                      .address_len = address.n};
    int64_t now_s = psk_now_s(h->psk);
    enum gba_err err;

    memset(&h->peer, 0, sizeof(h->peer));
    psk_drop_uss(h);
    h->key_len = 0;
    if (identity.n == 0 || identity.n > h->psk->identity_max)
        return GBA_E_TOO_LONG;
    memcpy(h->peer.identity, identity.p, identity.n);
    h->peer.identity_len = identity.n;
    if (!tls13 && known.suite == 0) /* no suite, no NAF_Id */
        return GBA_E_TLS;
    if (sni.n != 0) {
        if (gba_fqdn_canonical(sni, canonical) != GBA_OK)
            return GBA_E_MISDIRECTED;
        known.sni = canonical;
    }
    err = from_row(h, &known, now_s);
    return err == GBA_E_NOT_FOUND ? from_bsf(h, &known, address, now_s) : err;
}
