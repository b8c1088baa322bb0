/*
 * GBA user security settings, TS 29.109 Annex A.  A document is read once into plain memory:
 * the values the BSF decides by, and each uss subtree as text ready for Zn (R9 namespace), so
 * that answering a NAF is concatenation.  Nothing of bsfInfo is kept as text but the document
 * itself (gba_guss_xml), which only the BSF holds.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/guss.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/timestamp.h"
#include "common/xml.h"

#define USS_MAX    128  /* per document */
#define VALUES_MAX 64   /* uids or flags per USS */
#define VALUE_SIZE 1024 /* octets of one value, with its NUL */

#define LIFETIME_MAX INT32_MAX /* seconds; what a BSF grants is less */

struct uss {
    char *id, *naf_group;
    char *uids[VALUES_MAX];
    long flags[VALUES_MAX];
    struct gba_bytes fragment; /* the subtree, owned */
};

struct gba_guss {
    atomic_uint references;
    uint8_t *xml;
    size_t xml_len;
    char *id;
    enum gba_uicc_type uicc_type;
    int64_t lifetime_s, timestamp_s;
    struct uss *own; /* n_uss of each: what the views below point into */
    struct gba_uss *uss;
    size_t n_uss;
};

/* A number that need not be there and need not make sense. */
static bool read_number(const struct gba_xml_node *n, uint64_t max, uint64_t *out)
{
    char text[32];

    return gba_xml_text(n, text, sizeof(text)) == GBA_OK &&
           gba_text_number(gba_text(text), max, out) == GBA_OK;
}

static enum gba_err duplicate(const char *text, char **out)
{
    *out = strdup(text);
    return *out != NULL ? GBA_OK : GBA_E_NOMEM;
}

/* An attribute, or *out = NULL without one. */
static enum gba_err read_attr(const struct gba_xml_node *n, const char *name, char **out)
{
    char text[VALUE_SIZE];
    enum gba_err err = gba_xml_attr(n, name, text, sizeof(text));

    if (err == GBA_E_NOT_FOUND)
        return GBA_OK;
    return err != GBA_OK ? err : duplicate(text, out);
}

/* At most one child of that name; none leaves NULL. */
static enum gba_err optional_child(const struct gba_xml_node *n, const char *name,
                                   const struct gba_xml_node **out)
{
    return gba_xml_child(n, name, out) == GBA_E_REPEATED ? GBA_E_SYNTAX : GBA_OK;
}

static enum gba_err read_uids(const struct gba_xml_node *uss, struct uss *own, size_t *n)
{
    const struct gba_xml_node *uids;
    char text[VALUE_SIZE];
    enum gba_err err = optional_child(uss, "uids", &uids);

    if (err != GBA_OK || uids == NULL)
        return err;
    for (const struct gba_xml_node *u = gba_xml_first(uids); u != NULL; u = gba_xml_next(u)) {
        if (!gba_xml_is(u, "uid"))
            continue;
        if (*n == VALUES_MAX)
            return GBA_E_TOO_LONG;
        err = gba_xml_text(u, text, sizeof(text));
        if (err == GBA_OK)
            err = duplicate(text, &own->uids[*n]);
        if (err != GBA_OK)
            return err;
        ++*n;
    }
    return GBA_OK;
}

static enum gba_err read_flags(const struct gba_xml_node *uss, struct uss *own, size_t *n)
{
    const struct gba_xml_node *flags;
    enum gba_err err = optional_child(uss, "flags", &flags);
    uint64_t v;

    if (err != GBA_OK || flags == NULL)
        return err;
    for (const struct gba_xml_node *f = gba_xml_first(flags); f != NULL; f = gba_xml_next(f)) {
        if (!gba_xml_is(f, "flag") || !read_number(f, INT32_MAX, &v))
            continue;
        if (*n == VALUES_MAX)
            return GBA_E_TOO_LONG;
        own->flags[(*n)++] = (long)v;
    }
    return GBA_OK;
}

/* The literals are known only from the JSON copy of the schema (ME_BASED_KEY ...); hyphens
 * and case are taken as they come. */
static enum gba_key_choice key_choice_of(const char *text)
{
    static const struct {
        const char *letters;
        enum gba_key_choice choice;
    } rows[] = {
        {"mebasedkey", GBA_KEY_ME},
        {"uiccbasedkey", GBA_KEY_UICC},
        {"meuiccbasedkeys", GBA_KEY_BOTH},
        {"meuiccbasedkey", GBA_KEY_BOTH},
    };
    char letters[32];
    size_t n = 0;

    for (; *text != '\0' && n < sizeof(letters); text++)
        if (*text != '-' && *text != '_' && *text != ' ')
            letters[n++] = *text;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (gba_text_eq_nocase((struct gba_text){letters, n}, gba_text(rows[i].letters)))
            return rows[i].choice;
    return GBA_KEY_ANY;
}

/* keyChoice, a child of uss or of an extension container within it. */
static enum gba_key_choice read_key_choice(const struct gba_xml_node *uss)
{
    const struct gba_xml_node *n;
    char text[64];

    if (gba_xml_child(uss, "keyChoice", &n) == GBA_OK)
        return gba_xml_text(n, text, sizeof(text)) == GBA_OK ? key_choice_of(text)
                                                             : GBA_KEY_ANY;
    if (gba_xml_child(uss, "Extension", &n) == GBA_OK &&
        gba_xml_child(n, "keyChoice", &n) == GBA_OK &&
        gba_xml_text(n, text, sizeof(text)) == GBA_OK)
        return key_choice_of(text);
    return GBA_KEY_ANY;
}

static enum gba_err read_uss(const struct gba_xml_node *n, struct uss *own,
                             struct gba_uss *view)
{
    char text[VALUE_SIZE];
    uint64_t type;
    enum gba_err err = read_attr(n, "id", &own->id);

    if (err == GBA_OK && own->id == NULL)
        err = duplicate("", &own->id);
    if (err == GBA_OK)
        err = read_attr(n, "nafGroup", &own->naf_group);
    if (err == GBA_OK)
        err = read_uids(n, own, &view->n_uids);
    if (err == GBA_OK)
        err = read_flags(n, own, &view->n_flags);
    if (err == GBA_OK)
        err = gba_xml_copy_alloc(n, GBA_GUSS_NS, GBA_GUSS_MAX, &own->fragment);
    if (err != GBA_OK)
        return err;
    view->id = own->id;
    view->naf_group = own->naf_group;
    view->uids = (const char *const *)own->uids;
    view->flags = own->flags;
    view->key_choice = read_key_choice(n);
    view->type = -1;
    if (gba_xml_attr(n, "type", text, sizeof(text)) == GBA_OK &&
        gba_text_number(gba_text(text), INT32_MAX, &type) == GBA_OK)
        view->type = (long)type;
    return GBA_OK;
}

static enum gba_err read_uss_list(const struct gba_xml_node *list, struct gba_guss *g)
{
    size_t n = 0, total = 0;
    enum gba_err err;

    for (const struct gba_xml_node *u = gba_xml_first(list); u != NULL; u = gba_xml_next(u))
        n += gba_xml_is(u, "uss");
    if (n > USS_MAX)
        return GBA_E_TOO_LONG;
    if (n == 0)
        return GBA_OK;
    g->own = calloc(n, sizeof(*g->own));
    g->uss = calloc(n, sizeof(*g->uss));
    if (g->own == NULL || g->uss == NULL)
        return GBA_E_NOMEM;
    for (const struct gba_xml_node *u = gba_xml_first(list); u != NULL; u = gba_xml_next(u)) {
        if (!gba_xml_is(u, "uss"))
            continue;
        g->n_uss++;
        err = read_uss(u, &g->own[g->n_uss - 1], &g->uss[g->n_uss - 1]);
        total += g->own[g->n_uss - 1].fragment.n;
        if (err == GBA_OK && total > 2 * GBA_GUSS_MAX)
            err = GBA_E_TOO_LONG;
        if (err != GBA_OK)
            return err;
    }
    return GBA_OK;
}

/* xs:integer: a sign, and more digits than a number of ours holds.  -1: negative or no number.
 */
static int64_t lifetime_of(struct gba_text t)
{
    int64_t v = 0;

    if (t.n > 1 && t.s[0] == '+')
        t = (struct gba_text){t.s + 1, t.n - 1};
    for (size_t i = 0; i < t.n; i++) {
        if (t.s[i] < '0' || t.s[i] > '9')
            return -1;
        v = v * 10 + (t.s[i] - '0');
        if (v > LIFETIME_MAX)
            v = LIFETIME_MAX;
    }
    return t.n != 0 ? v : -1;
}

/* Unusable values count as absent: the BSF then applies its own. */
static enum gba_err read_bsf_info(const struct gba_xml_node *guss, struct gba_guss *g)
{
    const struct gba_xml_node *info, *n;
    char text[VALUE_SIZE];
    enum gba_err err = optional_child(guss, "bsfInfo", &info);

    if (err != GBA_OK || info == NULL)
        return err;
    if (gba_xml_child(info, "uiccType", &n) == GBA_OK &&
        gba_xml_text(n, text, sizeof(text)) == GBA_OK && strcmp(text, "GBA_U") == 0)
        g->uicc_type = GBA_UICC_U;
    if (gba_xml_child(info, "lifeTime", &n) == GBA_OK &&
        gba_xml_text(n, text, sizeof(text)) == GBA_OK)
        g->lifetime_s = lifetime_of(gba_text(text));
    return GBA_OK;
}

static void read_timestamp(const struct gba_xml_node *guss, struct gba_guss *g)
{
    const struct gba_xml_node *n;
    char text[64];

    if (gba_xml_child(guss, "Extension", &n) != GBA_OK ||
        gba_xml_child(n, "timestamp", &n) != GBA_OK ||
        gba_xml_text(n, text, sizeof(text)) != GBA_OK ||
        gba_datetime_parse(gba_text(text), &g->timestamp_s) != GBA_OK)
        g->timestamp_s = 0;
}

static enum gba_err read_guss(const struct gba_xml_node *root, struct gba_guss *g)
{
    const struct gba_xml_node *list;
    enum gba_err err = read_attr(root, "id", &g->id);

    if (err == GBA_OK)
        err = read_bsf_info(root, g);
    if (err == GBA_OK)
        err = optional_child(root, "ussList", &list);
    if (err != GBA_OK)
        return err;
    read_timestamp(root, g);
    return list != NULL ? read_uss_list(list, g) : GBA_OK;
}

static enum gba_err read_root(const struct gba_xml_node *root, bool list_allowed,
                              struct gba_guss *g)
{
    if (gba_xml_is(root, "guss"))
        return read_guss(root, g);
    if (list_allowed && gba_xml_is(root, "ussList"))
        return read_uss_list(root, g);
    return GBA_E_SYNTAX;
}

static enum gba_err parse(struct gba_bytes xml, bool list_allowed, struct gba_guss **out)
{
    struct gba_xml *doc;
    struct gba_guss *g;
    enum gba_err err = gba_xml_parse(xml, GBA_GUSS_MAX, &doc);

    *out = NULL;
    if (err != GBA_OK)
        return err;
    g = calloc(1, sizeof(*g));
    if (g == NULL) {
        gba_xml_free(doc);
        return GBA_E_NOMEM;
    }
    atomic_init(&g->references, 1);
    g->lifetime_s = -1;
    g->xml = malloc(xml.n);
    g->xml_len = xml.n;
    if (g->xml != NULL)
        memcpy(g->xml, xml.p, xml.n);
    err = g->xml != NULL ? read_root(gba_xml_root(doc), list_allowed, g) : GBA_E_NOMEM;
    gba_xml_free(doc);
    if (err != GBA_OK) {
        gba_guss_unref(g);
        return err;
    }
    *out = g;
    return GBA_OK;
}

enum gba_err gba_guss_parse(struct gba_bytes xml, struct gba_guss **out)
{
    return parse(xml, false, out);
}

enum gba_err gba_uss_list_parse(struct gba_bytes xml, struct gba_guss **out)
{
    return parse(xml, true, out);
}

struct gba_guss *gba_guss_ref(struct gba_guss *g)
{
    atomic_fetch_add_explicit(&g->references, 1, memory_order_relaxed);
    return g;
}

void gba_guss_unref(struct gba_guss *g)
{
    if (g == NULL || atomic_fetch_sub_explicit(&g->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < g->n_uss; i++) {
        free(g->own[i].id);
        free(g->own[i].naf_group);
        for (size_t k = 0; k < VALUES_MAX; k++)
            free(g->own[i].uids[k]);
        free((void *)(uintptr_t)g->own[i].fragment.p);
    }
    free(g->own);
    free(g->uss);
    free(g->id);
    free(g->xml);
    free(g);
}

const char *gba_guss_id(const struct gba_guss *g)
{
    return g->id != NULL ? g->id : "";
}

enum gba_uicc_type gba_guss_uicc_type(const struct gba_guss *g)
{
    return g->uicc_type;
}

int64_t gba_guss_lifetime_s(const struct gba_guss *g)
{
    return g->lifetime_s;
}

int64_t gba_guss_timestamp_s(const struct gba_guss *g)
{
    return g->timestamp_s;
}

size_t gba_guss_n_uss(const struct gba_guss *g)
{
    return g->n_uss;
}

const struct gba_uss *gba_guss_uss(const struct gba_guss *g, size_t i)
{
    return &g->uss[i];
}

struct gba_bytes gba_guss_xml(const struct gba_guss *g)
{
    return (struct gba_bytes){g->xml, g->xml_len};
}

enum gba_err gba_uss_list_print(const struct gba_guss *g, const bool *pick,
                                struct gba_wbuf *out)
{
    gba_wbuf_str(out, GBA_XML_DECLARATION);
    gba_xml_open(out, "ussList", GBA_GUSS_NS);
    for (size_t i = 0; i < g->n_uss; i++)
        if (pick[i])
            gba_wbuf_put(out, g->own[i].fragment);
    gba_xml_close(out, "ussList");
    return gba_wbuf_ok(out) ? GBA_OK : GBA_E_TOO_LONG;
}
