/*
 * The octets of a keyring at rest (doc/KEYRING.md).  Magic, then records: type (1 octet),
 * length (2, big-endian), fields, each of length (2) and octets; the last record counts the
 * others, so that a cut-off file shows. Pure: the file is keyring_file.c's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "common/bytes.h"
#include "ua/keyring.h"

#define MAGIC     "GBAKEYS1"
#define MAGIC_LEN 8

enum record {
    REC_UICC = 1,
    REC_TMPI,
    REC_SESSION,
    REC_NAF_KEY,
    REC_CREDENTIAL,
    REC_RENEWAL,
    REC_END = 255
};

/* --- writing ---------------------------------------------------------------------------- */

struct writer {
    struct gba_wbuf w;
    size_t begun; /* where the record's length stands */
    uint32_t count;
};

static void begin(struct writer *s, enum record type)
{
    gba_wbuf_u8(&s->w, (uint8_t)type);
    s->begun = s->w.n;
    gba_wbuf_u16(&s->w, 0);
    s->count += type != REC_END;
}

static void end(struct writer *s)
{
    const size_t len = s->w.n - s->begun - 2;

    if (s->w.overflow)
        return;
    s->w.p[s->begun] = (uint8_t)(len >> 8);
    s->w.p[s->begun + 1] = (uint8_t)len;
}

static void put(struct writer *s, const void *p, size_t n)
{
    gba_wbuf_u16(&s->w, (uint16_t)n);
    gba_wbuf_put(&s->w, (struct gba_bytes){p, n});
}

static void put_str(struct writer *s, const char *text)
{
    put(s, text, strlen(text));
}

static void put_number(struct writer *s, uint64_t v)
{
    uint8_t octets[8];

    for (size_t i = 0; i < 8; i++)
        octets[i] = (uint8_t)(v >> (56 - 8 * i));
    put(s, octets, sizeof(octets));
}

static void save_session(const struct gba_ue_keyring *ring, struct writer *s)
{
    begin(s, REC_SESSION);
    put_str(s, ring->session.btid);
    put_str(s, ring->session.impi);
    put_str(s, ring->session.bsf_fqdn);
    put_number(s, (uint64_t)ring->session.expires_s);
    put_number(s, ring->session.gba_u);
    put(s, ring->rand, sizeof(ring->rand));
    put(s, ring->ks.octets, ring->session.has_ks ? sizeof(ring->ks.octets) : 0);
    end(s);
}

static void save_naf_key(const struct gba_ue_naf_key *k, struct writer *s)
{
    begin(s, REC_NAF_KEY);
    put_str(s, k->fqdn);
    put(s, k->ua_id, sizeof(k->ua_id));
    put_number(s, k->internal);
    put_str(s, k->btid);
    put_number(s, (uint64_t)k->expires_s);
    put(s, k->key, sizeof(k->key));
    end(s);
}

static void save_credential(const struct gba_ue_credential *c, struct writer *s)
{
    begin(s, REC_CREDENTIAL);
    put_number(s, (uint64_t)c->kind);
    put_str(s, c->target);
    put_str(s, c->fqdn);
    put_str(s, c->key_id);
    put_str(s, c->suite);
    put_number(s, (uint64_t)c->expires_s);
    put(s, c->key, sizeof(c->key));
    if (c->entity[0] != '\0')
        put_str(s, c->entity);
    end(s);
}

/* A program that runs once a request has no other memory of how often a NAF made it bootstrap.
 */
static void save_renewal(const struct ring_renewal *r, struct writer *s)
{
    begin(s, REC_RENEWAL);
    put_str(s, r->fqdn);
    put_number(s, (uint64_t)r->since_s);
    put_number(s, r->n);
    end(s);
}

size_t gba_ue_keyring_saved_max(const struct gba_ue_keyring *ring)
{
    /* Every string field is shorter on the wire than in its struct; 48 octets of lengths. */
    return 128 + sizeof(*ring) + ring->naf_keys_cap * (sizeof(struct gba_ue_naf_key) + 48) +
           ring->credentials_cap * (sizeof(struct gba_ue_credential) + 48);
}

enum gba_err gba_ue_keyring_save(const struct gba_ue_keyring *ring, bool keep_ks, int64_t now_s,
                                 uint8_t *out, size_t cap, size_t *n)
{
    struct writer s = {.count = 0};

    gba_wbuf_init(&s.w, out, cap);
    gba_wbuf_str(&s.w, MAGIC);
    begin(&s, REC_UICC);
    put_str(&s, ring->uicc);
    end(&s);
    begin(&s, REC_TMPI);
    put_str(&s, ring->tmpi);
    end(&s);
    /* RULES on Ks at rest: a session of GBA_ME is its Ks, which stays out unless the caller
     * keeps it; in GBA_U the card has Ks. */
    if (ring->has_session && ring->session.expires_s > now_s &&
        (keep_ks || ring->session.gba_u))
        save_session(ring, &s);
    for (size_t i = 0; i < ring->n_naf_keys; i++)
        if (ring->naf_keys[i].expires_s > now_s)
            save_naf_key(&ring->naf_keys[i], &s);
    for (size_t i = 0; i < ring->n_credentials; i++)
        if (ring->credentials[i].expires_s > now_s)
            save_credential(&ring->credentials[i], &s);
    for (size_t i = 0; i < RING_RENEWALS; i++)
        if (ring->renewals[i].fqdn[0] != '\0' &&
            now_s - ring->renewals[i].since_s < RENEWAL_WINDOW_S)
            save_renewal(&ring->renewals[i], &s);
    begin(&s, REC_END);
    put_number(&s, s.count);
    end(&s);
    *n = s.w.n;
    if (gba_wbuf_ok(&s.w))
        return GBA_OK;
    gba_wipe(out, cap);
    *n = 0;
    return GBA_E_TOO_LONG;
}

/* --- reading ---------------------------------------------------------------------------- */

/* Remembers the first fault, as the writer does. */
struct reader {
    const uint8_t *p;
    size_t n;
    bool bad;
};

static struct gba_bytes take(struct reader *r, size_t n)
{
    struct gba_bytes b = {r->p, n};

    if (r->bad || n > r->n) {
        r->bad = true;
        return (struct gba_bytes){NULL, 0};
    }
    r->p += n;
    r->n -= n;
    return b;
}

static size_t get_u16(struct reader *r)
{
    const struct gba_bytes b = take(r, 2);

    return b.n == 2 ? (size_t)b.p[0] << 8 | b.p[1] : 0;
}

static struct gba_bytes get(struct reader *r)
{
    return take(r, get_u16(r));
}

static void get_str(struct reader *r, char *out, size_t cap)
{
    if (gba_text_copy(out, cap, gba_bytes_text(get(r))) != GBA_OK)
        r->bad = true;
}

static void get_octets(struct reader *r, uint8_t *out, size_t n)
{
    const struct gba_bytes b = get(r);

    if (b.n == n)
        memcpy(out, b.p, n);
    else
        r->bad = true;
}

static uint64_t get_number(struct reader *r)
{
    uint8_t octets[8] = {0};
    uint64_t v = 0;

    get_octets(r, octets, sizeof(octets));
    for (size_t i = 0; i < 8; i++)
        v = v << 8 | octets[i];
    return v;
}

static void load_session(struct gba_ue_keyring *ring, struct reader *r)
{
    struct gba_ue_session *s = &ring->session;
    struct gba_bytes ks;

    get_str(r, s->btid, sizeof(s->btid));
    get_str(r, s->impi, sizeof(s->impi));
    get_str(r, s->bsf_fqdn, sizeof(s->bsf_fqdn));
    s->expires_s = (int64_t)get_number(r);
    s->gba_u = get_number(r) != 0;
    get_octets(r, ring->rand, sizeof(ring->rand));
    ks = get(r);
    if (ks.n != 0 && ks.n != sizeof(ring->ks.octets))
        r->bad = true;
    else if (ks.n != 0)
        memcpy(ring->ks.octets, ks.p, ks.n);
    s->has_ks = ks.n != 0;
    memcpy(s->tmpi, ring->tmpi, sizeof(s->tmpi));
    ring->has_session = true;
}

static void load_naf_key(struct gba_ue_keyring *ring, struct reader *r)
{
    struct gba_ue_naf_key k;

    memset(&k, 0, sizeof(k));
    get_str(r, k.fqdn, sizeof(k.fqdn));
    get_octets(r, k.ua_id, sizeof(k.ua_id));
    k.internal = get_number(r) != 0;
    get_str(r, k.btid, sizeof(k.btid));
    k.expires_s = (int64_t)get_number(r);
    get_octets(r, k.key, sizeof(k.key));
    if (!r->bad)
        gba_ue_keyring_put(ring, &k);
    gba_wipe(&k, sizeof(k));
}

static void load_credential(struct gba_ue_keyring *ring, struct reader *r)
{
    struct gba_ue_credential c;
    uint64_t kind;

    memset(&c, 0, sizeof(c));
    kind = get_number(r);
    get_str(r, c.target, sizeof(c.target));
    get_str(r, c.fqdn, sizeof(c.fqdn));
    get_str(r, c.key_id, sizeof(c.key_id));
    get_str(r, c.suite, sizeof(c.suite));
    c.expires_s = (int64_t)get_number(r);
    get_octets(r, c.key, sizeof(c.key));
    if (r->n != 0)
        get_str(r, c.entity, sizeof(c.entity));
    r->bad = r->bad || kind > GBA_UE_KC;
    c.kind = (enum gba_ue_credential_kind)kind;
    if (!r->bad)
        gba_ue_keyring_put_credential(ring, &c);
    gba_wipe(&c, sizeof(c));
}

static void load_renewal(struct gba_ue_keyring *ring, struct reader *r)
{
    struct ring_renewal one;
    size_t i = 0;

    memset(&one, 0, sizeof(one));
    get_str(r, one.fqdn, sizeof(one.fqdn));
    one.since_s = (int64_t)get_number(r);
    one.n = (unsigned)get_number(r);
    while (i < RING_RENEWALS && ring->renewals[i].fqdn[0] != '\0')
        i++;
    if (!r->bad && i < RING_RENEWALS)
        ring->renewals[i] = one;
}

static void load_record(struct gba_ue_keyring *ring, uint8_t type, struct reader *r)
{
    switch (type) {
    case REC_UICC:
        get_str(r, ring->uicc, sizeof(ring->uicc));
        break;
    case REC_TMPI:
        get_str(r, ring->tmpi, sizeof(ring->tmpi));
        break;
    case REC_SESSION:
        load_session(ring, r);
        break;
    case REC_NAF_KEY:
        load_naf_key(ring, r);
        break;
    case REC_CREDENTIAL:
        load_credential(ring, r);
        break;
    case REC_RENEWAL:
        load_renewal(ring, r);
        break;
    default:
        r->bad = true;
    }
    r->bad = r->bad || r->n != 0;
}

static void empty(struct gba_ue_keyring *ring)
{
    const size_t keys = ring->naf_keys_cap, credentials = ring->credentials_cap;

    gba_ue_keyring_end(ring);
    ring->naf_keys = (struct gba_ue_naf_key *)(ring + 1);
    ring->credentials = (struct gba_ue_credential *)(ring->naf_keys + keys);
    ring->naf_keys_cap = keys;
    ring->credentials_cap = credentials;
}

enum gba_err gba_ue_keyring_load(struct gba_ue_keyring *ring, const uint8_t *in, size_t n)
{
    struct reader r = {in, n, false};
    const struct gba_bytes magic = take(&r, MAGIC_LEN);
    bool ended = false;
    uint64_t count = 0;

    empty(ring);
    r.bad = r.bad || memcmp(magic.p, MAGIC, MAGIC_LEN) != 0;
    while (!r.bad && !ended) {
        const struct gba_bytes type = take(&r, 1), body = get(&r);
        struct reader record = {body.p, body.n, r.bad};

        if (!r.bad && type.p[0] == REC_END) {
            r.bad = get_number(&record) != count || record.bad || record.n != 0 || r.n != 0;
            ended = true;
        } else if (!r.bad) {
            load_record(ring, type.p[0], &record);
            r.bad = record.bad;
            count++;
        }
    }
    if (!r.bad)
        return GBA_OK;
    empty(ring);
    return GBA_E_SYNTAX;
}
