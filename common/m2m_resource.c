/*
 * A resource in memory: values by attribute, their texts in one room.  No names, no forms.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/m2m_codec.h"

#include <string.h>

/* Not the rooms for texts and lists, of which most are never used: they are most of it. */
static void clear(struct m2m_value *v)
{
    v->present = v->null = false;
    v->number = 0;
    v->items = 0;
}

static void set_empty(struct m2m_resource *r)
{
    for (size_t a = 0; a < M2M_N_ATTRS; a++)
        clear(&r->v[a]);
    gba_wipe(&r->key, sizeof(r->key));
    r->used = 0;
}

void m2m_resource_init(struct m2m_resource *r, enum m2m_type type)
{
    set_empty(r);
    r->type = type;
}

void m2m_resource_wipe(struct m2m_resource *r)
{
    gba_wipe(r->text, r->used);
    set_empty(r);
}

/* --- reading ---------------------------------------------------------------------------- */

bool m2m_has(const struct m2m_resource *r, enum m2m_attr a)
{
    return r->v[a].present;
}

bool m2m_is_null(const struct m2m_resource *r, enum m2m_attr a)
{
    return r->v[a].null;
}

uint64_t m2m_number(const struct m2m_resource *r, enum m2m_attr a)
{
    return r->v[a].number;
}

int64_t m2m_time(const struct m2m_resource *r, enum m2m_attr a)
{
    return (int64_t)r->v[a].number;
}

size_t m2m_items(const struct m2m_resource *r, enum m2m_attr a)
{
    return r->v[a].items;
}

struct gba_text m2m_item(const struct m2m_resource *r, enum m2m_attr a, size_t i)
{
    if (i >= r->v[a].items)
        return (struct gba_text){"", 0};
    return (struct gba_text){r->text + r->v[a].at[i], r->v[a].len[i]};
}

struct gba_text m2m_text(const struct m2m_resource *r, enum m2m_attr a)
{
    return m2m_item(r, a, 0);
}

const struct gba_key *m2m_key(const struct m2m_resource *r)
{
    return r->v[M2M_A_KEY_VALUE].present ? &r->key : NULL;
}

/* "<resource type number> <identifier>" is how a reference is kept. */
enum gba_err m2m_child(const struct m2m_resource *r, size_t i, enum m2m_type *type,
                       struct gba_text *id)
{
    struct gba_text head;
    uint64_t ty;

    if (!gba_text_split(m2m_item(r, M2M_A_CHILD_RESOURCE, i), ' ', &head, id) ||
        gba_text_number(head, UINT16_MAX, &ty) != GBA_OK)
        return GBA_E_NOT_FOUND;
    return m2m_type_by_number(ty, type);
}

/* --- writing ---------------------------------------------------------------------------- */

void m2m_unset(struct m2m_resource *r, enum m2m_attr a)
{
    clear(&r->v[a]);
    if (a == M2M_A_KEY_VALUE)
        gba_wipe(&r->key, sizeof(r->key));
}

static bool is_one_text(enum m2m_encoding e)
{
    return e == M2M_V_TEXT || e == M2M_V_FQDN || e == M2M_V_REL_KEY_ID;
}

static bool is_list(enum m2m_encoding e)
{
    return e == M2M_V_LIST || e == M2M_V_ID_LIST || e == M2M_V_REFS;
}

static enum gba_err append(struct m2m_resource *r, enum m2m_attr a, struct gba_text t)
{
    struct m2m_value *v = &r->v[a];

    if (v->items == M2M_LIST_MAX || t.n > sizeof(r->text) - r->used)
        return GBA_E_TOO_LONG;
    if (t.n != 0)
        memcpy(r->text + r->used, t.s, t.n);
    v->at[v->items] = (uint16_t)r->used;
    v->len[v->items] = (uint16_t)t.n;
    v->items++;
    v->present = true;
    v->null = false;
    r->used += t.n;
    return GBA_OK;
}

enum gba_err m2m_set_number(struct m2m_resource *r, enum m2m_attr a, uint64_t v)
{
    const struct m2m_attr_name *name = m2m_attr_name(a);

    if (name->encoding != M2M_V_NUMBER)
        return GBA_E_ARGUMENT;
    if (v > name->max)
        return GBA_E_TOO_LONG;
    clear(&r->v[a]);
    r->v[a].present = true;
    r->v[a].number = v;
    return GBA_OK;
}

enum gba_err m2m_set_time(struct m2m_resource *r, enum m2m_attr a, int64_t unix_s)
{
    if (m2m_attr_name(a)->encoding != M2M_V_TIME || unix_s < 0)
        return GBA_E_ARGUMENT;
    clear(&r->v[a]);
    r->v[a].present = true;
    r->v[a].number = (uint64_t)unix_s;
    return GBA_OK;
}

enum gba_err m2m_set_text(struct m2m_resource *r, enum m2m_attr a, struct gba_text t)
{
    const struct m2m_attr_name *name = m2m_attr_name(a);

    if (!is_one_text(name->encoding))
        return GBA_E_ARGUMENT;
    if (t.n > name->max)
        return GBA_E_TOO_LONG;
    clear(&r->v[a]);
    return append(r, a, t);
}

enum gba_err m2m_add(struct m2m_resource *r, enum m2m_attr a, struct gba_text item)
{
    const struct m2m_attr_name *name = m2m_attr_name(a);

    if (!is_list(name->encoding))
        return GBA_E_ARGUMENT;
    if (item.n > name->max || r->v[a].items >= name->items)
        return GBA_E_TOO_LONG;
    return append(r, a, item);
}

enum gba_err m2m_add_child(struct m2m_resource *r, enum m2m_type type, struct gba_text id)
{
    char room[8 + M2M_ID_SIZE];
    struct gba_wbuf w;

    gba_wbuf_init(&w, room, sizeof(room));
    gba_wbuf_number(&w, m2m_type_name(type)->ty);
    gba_wbuf_str(&w, " ");
    gba_wbuf_text(&w, id);
    return gba_wbuf_ok(&w)
               ? m2m_add(r, M2M_A_CHILD_RESOURCE, gba_bytes_text(gba_wbuf_bytes(&w)))
               : GBA_E_TOO_LONG;
}

enum gba_err m2m_set_group(struct m2m_resource *r, enum m2m_attr a)
{
    if (m2m_attr_name(a)->encoding != M2M_V_GROUP)
        return GBA_E_ARGUMENT;
    r->v[a].present = true;
    return GBA_OK;
}

void m2m_set_key(struct m2m_resource *r, const struct gba_key *key)
{
    r->v[M2M_A_KEY_VALUE] = (struct m2m_value){.present = true};
    r->key = *key;
}
