/*
 * The AuC of mock-hss: see mock_hss.h.  TS 33.102 6.3, Annex C: every vector takes the next
 * sequence number, one per request; a verified AUTS sets it to what the USIM has.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/mock-hss/mock_hss.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/guss.h"
#include "common/host/random.h"
#include "common/secret.h"
#include "common/sqn.h"
#include "common/timestamp.h"

static int by_impi(const void *a, const void *b)
{
    return strcmp(((const struct subscriber *)a)->impi, ((const struct subscriber *)b)->impi);
}

/* --- from the configuration ------------------------------------------------------------- */

static bool set_secret(struct gba_aka_secret *s, const struct subscriber_config *c)
{
    const struct conf_octets *op = c->algorithm == GBA_AKA_TUAK ? &c->top : &c->op;
    const struct conf_octets *opc = c->algorithm == GBA_AKA_TUAK ? &c->topc : &c->opc;

    s->algorithm = (enum gba_aka_algorithm)c->algorithm;
    s->k_len = c->k.n;
    memcpy(s->k, c->k.p, c->k.n);
    s->res_len = c->algorithm == GBA_AKA_3GPP2 ? 16 : 8;
    if (c->res_len != 0)
        s->res_len = (size_t)c->res_len;
    s->iterations = (unsigned)c->iterations;
    s->own_fmk = c->fmk.n == sizeof(s->fmk);
    if (s->own_fmk)
        memcpy(s->fmk, c->fmk.p, sizeof(s->fmk));
    if (op->n != 0 && gba_aka_derive_opc(s, (struct gba_bytes){op->p, op->n}) != GBA_OK)
        return false;
    if (opc->n != 0)
        memcpy(s->opc, opc->p, opc->n);
    return gba_aka_check_secret(s) == GBA_OK;
}

static bool read_guss_file(const char *path, struct subscriber *s)
{
    FILE *f = fopen(path, "re");

    s->guss = f != NULL ? malloc(GBA_GUSS_MAX + 1) : NULL;
    if (s->guss != NULL)
        s->guss_n = fread(s->guss, 1, GBA_GUSS_MAX, f);
    if (f != NULL)
        fclose(f);
    return s->guss != NULL && s->guss_n != 0;
}

/* Each of these points *option at what is wrong when it returns a reason. */
static const char *set_guss(struct subscriber *s, const struct subscriber_config *c,
                            const void **option)
{
    struct gba_guss *guss;

    *option = c->guss_file != NULL ? &c->guss_file : &c->guss;
    if (c->guss_file != NULL && !read_guss_file(c->guss_file, s))
        return "cannot be read, or is empty";
    if (c->guss != NULL) {
        s->guss = strdup(c->guss);
        s->guss_n = strlen(c->guss);
    }
    if (s->guss == NULL)
        return NULL;
    if (gba_guss_parse((struct gba_bytes){(uint8_t *)s->guss, s->guss_n}, &guss) != GBA_OK)
        return "not a GUSS document";
    s->guss_timestamp_s = gba_guss_timestamp_s(guss);
    gba_guss_unref(guss);
    *option = &c->guss_timestamp;
    if (c->guss_timestamp != NULL &&
        gba_datetime_parse(gba_text(c->guss_timestamp), &s->guss_timestamp_s) != GBA_OK)
        return "no xs:dateTime";
    return NULL;
}

static const char *set_subscriber(struct subscriber *s, const struct subscriber_config *c,
                                  const void **option)
{
    *option = c->imsi != NULL ? &c->imsi : &c->impi;
    if (c->imsi != NULL) {
        if (gba_impi_from_imsi(gba_text(c->imsi), (unsigned)c->mnc_len, s->impi) != GBA_OK)
            return "no IMSI";
    } else if (gba_text_copy(s->impi, sizeof(s->impi), gba_text(c->impi)) != GBA_OK) {
        return "too long";
    }
    *option = c->res_len != 0 ? (const void *)&c->res_len : &c->k;
    if (!set_secret(&s->secret, c))
        return "the algorithm has no RES of that length, or no key";
    memcpy(s->amf, c->amf.p, 2);
    s->last_sqn = gba_sqn_get(c->sqn.p);
    s->ind = (unsigned)c->ind;
    s->barred = c->barred;
    return set_guss(s, c, option);
}

/* The later one of two rows. */
static const void *name_of(const struct subscriber_config *from, size_t one, size_t other)
{
    const struct subscriber_config *c = &from[one > other ? one : other];

    return c->imsi != NULL ? &c->imsi : &c->impi;
}

enum gba_err auc_init(struct auc *a, const struct hss_config *c, const struct conf *source)
{
    const struct subscriber_config *from = c->subscribers.v;

    memset(a, 0, sizeof(*a));
    pthread_mutex_init(&a->lock, NULL);
    a->subscribers = calloc(c->subscribers.n + 1, sizeof(*a->subscribers));
    if (a->subscribers == NULL)
        return GBA_E_NOMEM;
    a->n = c->subscribers.n;
    for (size_t i = 0; i < a->n; i++) {
        const void *option;
        const char *fault = set_subscriber(&a->subscribers[i], &from[i], &option);

        if (fault != NULL) {
            conf_complain(source, stderr, option, "%s", fault);
            return GBA_E_CONFIG;
        }
        a->subscribers[i].row = i;
    }
    qsort(a->subscribers, a->n, sizeof(*a->subscribers), by_impi);
    for (size_t i = 1; i < a->n; i++)
        if (strcmp(a->subscribers[i - 1].impi, a->subscribers[i].impi) == 0) {
            conf_complain(source, stderr,
                          name_of(from, a->subscribers[i - 1].row, a->subscribers[i].row),
                          "the subscriber is there twice");
            return GBA_E_CONFIG;
        }
    return GBA_OK;
}

void auc_warn(const struct auc *a, struct log *log)
{
    for (size_t i = 0; i < a->n; i++) {
        const struct subscriber *s = &a->subscribers[i];

        if ((s->amf[0] & 0x80) != 0)
            LOG(log, LOG_LV_WARNING, "subscribers.amf_separation_bit",
                LOG_ID("impi", gba_text(s->impi)));
        if (s->secret.res_len < 8)
            LOG(log, LOG_LV_WARNING, "subscribers.short_res", LOG_ID("impi", gba_text(s->impi)),
                LOG_INT("octets", s->secret.res_len));
    }
}

void auc_free(struct auc *a)
{
    for (size_t i = 0; i < a->n; i++) {
        free(a->subscribers[i].guss);
        gba_wipe(&a->subscribers[i], sizeof(a->subscribers[i]));
    }
    free(a->subscribers);
    pthread_mutex_destroy(&a->lock);
}

/* --- at run time ------------------------------------------------------------------------ */

struct subscriber *auc_find(struct auc *a, struct gba_text impi)
{
    struct subscriber key;

    if (gba_text_copy(key.impi, sizeof(key.impi), impi) != GBA_OK)
        return NULL;
    return bsearch(&key, a->subscribers, a->n, sizeof(*a->subscribers), by_impi);
}

enum gba_err auc_vector(struct subscriber *s, bool same_rand, struct gba_av *av)
{
    /* SEQ 0 is fresh for no USIM, however many of the vectors before it were never used */
    uint64_t next = s->ind;
    enum gba_err err = s->stale ? GBA_OK : gba_sqn_next(s->last_sqn, s->ind, &next);
    uint8_t sqn[6];

    if (err == GBA_OK && !same_rand)
        err = random_octets(s->last_rand, sizeof(s->last_rand));
    if (err != GBA_OK)
        return err;
    gba_sqn_put(next, sqn);
    if (!s->stale)
        s->last_sqn = next;
    return gba_aka_vector(&s->secret, s->last_rand, sqn, s->amf, av);
}

enum gba_err auc_resync(struct subscriber *s, const uint8_t rand[static 16],
                        const uint8_t auts[static GBA_AUTS_LEN])
{
    uint8_t sqn_ms[6];
    enum gba_err err = gba_aka_open_auts(&s->secret, rand, auts, sqn_ms);

    if (err == GBA_OK) {
        gba_sqn_resync(&s->last_sqn, gba_sqn_get(sqn_ms));
        s->stale = false;
    }
    return err;
}
