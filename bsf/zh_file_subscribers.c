/*
 * The subscribers' file: its schema, and the step from options to AuC secrets.  It issues no
 * vectors; zh_file.c does.  TS 35.206, TS 35.231, TS 34.108, 3GPP2 S.S0055-A.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/zh_file_subscribers.h"

#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "common/sqn.h"

#define FILE_MAX (256u << 20)

struct entry {
    char *impi, *imsi;
    int64_t mnc_len;
    int algorithm;
    struct conf_octets k, opc, op, topc, top, fmk, amf, sqn;
    int64_t iterations, res_len;
    char *guss, *guss_file;
    bool barred;
};

struct document {
    struct conf_list subscribers;
};

static const char *const algorithm_names[] = {"milenage", "tuak", "xor", "3gpp2", NULL};

#define AT(member) offsetof(struct entry, member)
/* clang-format off */
static const struct conf_row entry_rows[] = {
    {"impi", CONF_STRING, NULL, NULL, 1, GBA_IMPI_SIZE - 1, NULL, NULL, AT(impi), 0,
     .help = "Private identity, user@domain. Or give imsi and mnc_len."},
    {"imsi", CONF_STRING, NULL, NULL, 6, 15, NULL, NULL, AT(imsi), 0,
     .help = "IMSI; the IMPI is made from it by TS 23.003 13.3. Quote it: it is text."},
    {"mnc_len", CONF_INT, "digits", "0", 0, 3, NULL, NULL, AT(mnc_len), 0,
     .help = "Digits of the IMSI's mobile network code, 2 or 3. Needed with imsi."},
    {"algorithm", CONF_ENUM, NULL, "milenage", 0, 0, algorithm_names, NULL, AT(algorithm), 0,
     .help = "milenage (TS 35.206), tuak (TS 35.231), xor (the TS 34.108 test algorithm) or 3gpp2 "
     "(3GPP2 S.S0055-A)."},
    {"k", CONF_HEX, "octets", NULL, 16, 32, NULL, NULL, AT(k), CONF_REQUIRED | CONF_SECRET,
     .help = "Secret key K."},
    {"opc", CONF_HEX, "octets", NULL, 16, 16, NULL, NULL, AT(opc), CONF_SECRET,
     .help = "Milenage: OPc."},
    {"op", CONF_HEX, "octets", NULL, 16, 16, NULL, NULL, AT(op), CONF_SECRET,
     .help = "Milenage: OP, from which OPc is made."},
    {"topc", CONF_HEX, "octets", NULL, 32, 32, NULL, NULL, AT(topc), CONF_SECRET,
     .help = "TUAK: TOPc."},
    {"top", CONF_HEX, "octets", NULL, 32, 32, NULL, NULL, AT(top), CONF_SECRET,
     .help = "TUAK: TOP, from which TOPc is made."},
    {"fmk", CONF_HEX, "octets", NULL, 4, 4, NULL, NULL, AT(fmk), CONF_SECRET,
     .help = "3gpp2: family key FMK; left out, it is 41484147."},
    {"iterations", CONF_INT, NULL, "1", 1, 255, NULL, NULL, AT(iterations), 0,
     .help = "TUAK: permutations of Keccak."},
    {"res_len", CONF_INT, "octets", "0", 0, 16, NULL, NULL, AT(res_len), 0,
     .help = "Length of RES: Milenage 8; TUAK 4, 8 or 16; xor and 3gpp2 4 to 16. 0: 8, 3gpp2 16."},
    {"amf", CONF_HEX, "octets", "0000", 2, 2, NULL, NULL, AT(amf), 0,
     .help = "Authentication management field. Its first bit is 0 in vectors for GBA."},
    {"sqn", CONF_HEX, "octets", "000000000000", 6, 6, NULL, NULL, AT(sqn), 0,
     .help = "Sequence number to start from the first time this subscriber is seen."},
    {"guss", CONF_STRING, NULL, NULL, 0, GBA_GUSS_MAX, NULL, NULL, AT(guss), 0,
     .help = "GBA user security settings, the XML document of TS 29.109 Annex A."},
    {"guss_file", CONF_PATH, NULL, NULL, 0, 0, NULL, NULL, AT(guss_file), 0,
     .help = "The same in a file."},
    {"barred", CONF_BOOL, NULL, "false", 0, 0, NULL, NULL, AT(barred), 0,
     .help = "Refuse this subscriber."},
};
/* clang-format on */

static bool usable_guss(const char *xml)
{
    struct gba_guss *g;
    enum gba_err err = gba_guss_parse(gba_text_bytes(gba_text(xml)), &g);

    if (err == GBA_OK)
        gba_guss_unref(g);
    return err == GBA_OK;
}

/* The place of an algorithm's operator constant; the others must be absent. */
static size_t n_constants(const struct entry *e)
{
    return (size_t)(e->opc.n != 0) + (e->op.n != 0) + (e->topc.n != 0) + (e->top.n != 0);
}

static const char *check_constant(const struct entry *e, const char **row)
{
    bool milenage = e->opc.n != 0 || e->op.n != 0, tuak = e->topc.n != 0 || e->top.n != 0;

    *row = "algorithm";
    if (e->algorithm == GBA_AKA_MILENAGE && (n_constants(e) != 1 || !milenage))
        return "milenage needs opc or op, and no other";
    if (e->algorithm == GBA_AKA_TUAK && (n_constants(e) != 1 || !tuak))
        return "tuak needs topc or top, and no other";
    if (e->algorithm == GBA_AKA_XOR && n_constants(e) != 0)
        return "xor has no opc, op, topc or top";
    if (e->algorithm == GBA_AKA_3GPP2 && n_constants(e) != 0)
        return "3gpp2 has no opc, op, topc or top";
    if (e->algorithm != GBA_AKA_3GPP2 && e->fmk.n != 0)
        return "fmk is 3gpp2's";
    return NULL;
}

static enum gba_err name_of(const struct entry *e, char impi[static GBA_IMPI_SIZE])
{
    if (e->imsi != NULL)
        return gba_impi_from_imsi(gba_text(e->imsi), (unsigned)e->mnc_len, impi);
    if (gba_impi_check(gba_text(e->impi)) != GBA_OK || gba_is_tmpi(gba_text(e->impi)))
        return GBA_E_SYNTAX;
    return gba_text_copy(impi, GBA_IMPI_SIZE, gba_text(e->impi));
}

static size_t res_len_of(const struct entry *e)
{
    if (e->res_len != 0)
        return (size_t)e->res_len;
    return e->algorithm == GBA_AKA_3GPP2 ? 16 : 8;
}

static enum gba_err secret_of(const struct entry *e, struct gba_aka_secret *s)
{
    const struct conf_octets *op = e->op.n != 0 ? &e->op : &e->top;
    const struct conf_octets *opc = e->opc.n != 0 ? &e->opc : &e->topc;

    memset(s, 0, sizeof(*s));
    s->algorithm = (enum gba_aka_algorithm)e->algorithm;
    s->k_len = e->k.n;
    memcpy(s->k, e->k.p, e->k.n);
    s->res_len = res_len_of(e);
    s->iterations = (unsigned)e->iterations;
    s->own_fmk = e->fmk.n == sizeof(s->fmk);
    if (s->own_fmk)
        memcpy(s->fmk, e->fmk.p, sizeof(s->fmk));
    if (opc->n != 0)
        memcpy(s->opc, opc->p, opc->n);
    if (op->n != 0 && gba_aka_derive_opc(s, (struct gba_bytes){op->p, op->n}) != GBA_OK)
        return GBA_E_ARGUMENT;
    return gba_aka_check_secret(s);
}

static const char *check_entry(const void *filled, const char **row)
{
    const struct entry *e = filled;
    struct gba_aka_secret secret;
    char impi[GBA_IMPI_SIZE];
    const char *reason;
    enum gba_err err;

    *row = e->imsi != NULL ? "imsi" : "impi";
    if ((e->imsi == NULL) == (e->impi == NULL))
        return "give impi, or imsi with mnc_len";
    if (name_of(e, impi) != GBA_OK)
        return e->imsi != NULL ? "no IMSI, or mnc_len is not 2 or 3" : "no IMPI";
    reason = check_constant(e, row);
    if (reason != NULL)
        return reason;
    err = secret_of(e, &secret);
    gba_wipe(&secret, sizeof(secret));
    *row = "k";
    if (err != GBA_OK)
        return "lengths of k and res_len do not fit the algorithm";
    *row = "guss";
    if (e->guss != NULL && e->guss_file != NULL)
        return "give guss or guss_file, not both";
    return e->guss != NULL && !usable_guss(e->guss) ? "no GUSS document" : NULL;
}

static const struct conf_schema entry_schema = {
    "A subscriber of the file Zh", entry_rows,  sizeof(entry_rows) / sizeof(entry_rows[0]),
    sizeof(struct entry),          check_entry,
};

static const struct conf_row document_rows[] = {
    {"subscribers", CONF_SECTIONS, NULL, NULL, 0, 0, NULL, &entry_schema,
     offsetof(struct document, subscribers), CONF_REQUIRED,
     .help = "The subscribers."},
};

static const struct conf_schema document_schema = {
    "Subscribers of bsfd's zh.file", document_rows, 1, sizeof(struct document), NULL,
};

/* ---- loading -------------------------------------------------------------------------- */

static enum gba_err read_guss_file(const char *path, struct gba_guss **out)
{
    uint8_t *text = malloc(GBA_GUSS_MAX + 1);
    FILE *f = fopen(path, "rbe");
    enum gba_err err = GBA_E_IO;
    size_t n;

    if (text != NULL && f != NULL) {
        n = fread(text, 1, GBA_GUSS_MAX + 1, f);
        if (ferror(f) == 0)
            err = gba_guss_parse((struct gba_bytes){text, n}, out);
    }
    if (f != NULL)
        fclose(f);
    free(text);
    return err;
}

static enum gba_err load_guss(const struct entry *e, struct gba_guss **out)
{
    *out = NULL;
    if (e->guss_file != NULL)
        return read_guss_file(e->guss_file, out);
    return e->guss != NULL ? gba_guss_parse(gba_text_bytes(gba_text(e->guss)), out) : GBA_OK;
}

/* As conf_load reports what it finds. */
struct report {
    const char *file;
    FILE *err;
    const struct conf_place *at; /* of each entry */
};

static void begin_report(const struct report *r, size_t entry, const char *option)
{
    fprintf(r->err, "%s:%zu:%zu: subscribers[%zu].%s: ", r->file, r->at[entry].line,
            r->at[entry].column, entry, option);
}

static enum gba_err fill(const struct report *r, size_t i, const struct entry *e,
                         struct log *log, struct zh_file_subscriber *out)
{
    if (name_of(e, out->impi) != GBA_OK || secret_of(e, &out->secret) != GBA_OK)
        return GBA_E_CONFIG; /* check_entry has said why */
    if (load_guss(e, &out->guss) != GBA_OK) {
        begin_report(r, i, "guss_file");
        fprintf(r->err, "%s: not readable, or no GUSS document\n",
                e->guss_file != NULL ? e->guss_file : "");
        return GBA_E_CONFIG;
    }
    out->entry = i;
    memcpy(out->amf, e->amf.p, 2);
    out->sqn = gba_sqn_get(e->sqn.p);
    out->barred = e->barred;
    if ((out->amf[0] & 0x80) != 0)
        LOG(log, LOG_LV_WARNING, "zh.file.amf_separation_bit",
            LOG_ID("impi", gba_text(out->impi)));
    if (out->secret.res_len < 8)
        LOG(log, LOG_LV_WARNING, "zh.file.short_res", LOG_ID("impi", gba_text(out->impi)),
            LOG_INT("octets", out->secret.res_len));
    return GBA_OK;
}

static int by_impi(const void *a, const void *b)
{
    const struct zh_file_subscriber *one = a, *other = b;
    int order = strcmp(one->impi, other->impi);

    return order != 0 ? order : (one->entry > other->entry) - (one->entry < other->entry);
}

static enum gba_err sort(const struct report *r, const struct entry *entries,
                         struct zh_file_subscribers *s)
{
    if (s->n > 1)
        qsort(s->v, s->n, sizeof(s->v[0]), by_impi);
    for (size_t i = 1; i < s->n; i++)
        if (strcmp(s->v[i - 1].impi, s->v[i].impi) == 0) {
            begin_report(r, s->v[i].entry,
                         entries[s->v[i].entry].imsi != NULL ? "imsi" : "impi");
            fprintf(r->err, "the subscriber of line %zu is there twice\n",
                    r->at[s->v[i - 1].entry].line);
            return GBA_E_CONFIG;
        }
    return GBA_OK;
}

enum gba_err zh_file_subscribers_load(const char *file, struct log *log, FILE *err,
                                      struct zh_file_subscribers *out)
{
    struct document doc;
    const struct entry *entries;
    struct report r = {file, err, NULL};
    struct conf *conf;
    enum gba_err e = conf_load(&document_schema, file, FILE_MAX, &doc, err, &conf);

    *out = (struct zh_file_subscribers){NULL, 0};
    if (e != GBA_OK)
        return GBA_E_CONFIG;
    r.at = doc.subscribers.at;
    entries = doc.subscribers.v;
    out->v = calloc(doc.subscribers.n + 1, sizeof(out->v[0]));
    for (size_t i = 0; out->v != NULL && e == GBA_OK && i < doc.subscribers.n; i++) {
        e = fill(&r, i, &entries[i], log, &out->v[i]);
        out->n = i + 1;
    }
    if (out->v == NULL)
        e = GBA_E_NOMEM;
    if (e == GBA_OK)
        e = sort(&r, entries, out);
    conf_free(conf);
    if (e != GBA_OK)
        zh_file_subscribers_free(out);
    return e;
}

struct zh_file_subscriber *zh_file_subscriber_find(const struct zh_file_subscribers *s,
                                                   const char *impi)
{
    size_t low = 0, high = s->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(impi, s->v[mid].impi);

        if (order == 0)
            return &s->v[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

void zh_file_subscribers_free(struct zh_file_subscribers *s)
{
    for (size_t i = 0; i < s->n; i++) {
        gba_guss_unref(s->v[i].guss);
        gba_wipe(&s->v[i], sizeof(s->v[i]));
    }
    free(s->v);
    *s = (struct zh_file_subscribers){NULL, 0};
}
