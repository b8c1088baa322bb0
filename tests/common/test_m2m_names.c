/*
 * common/m2m_names.c: the table is complete and free of ambiguity, and prints as JSON.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "common/m2m_codec_form.h"

static void test_rows(void)
{
    for (int i = 0; i < M2M_N_ATTRS; i++) {
        const struct m2m_attr_name *a = m2m_attr_name((enum m2m_attr)i);

        CU_ASSERT_PTR_NOT_NULL_FATAL(a->long_name);
        CU_ASSERT_PTR_NOT_NULL_FATAL(a->short_name);
        CU_ASSERT(a->max != 0 || a->encoding == M2M_V_GROUP);
        CU_ASSERT_EQUAL(a->items != 0, a->encoding == M2M_V_LIST ||
                                           a->encoding == M2M_V_ID_LIST ||
                                           a->encoding == M2M_V_REFS);
        CU_ASSERT(a->items <= M2M_LIST_MAX);
    }
}

/* Within one resource, at one place, a name means one attribute. */
static void test_names_are_unique(void)
{
    for (int t = 0; t < M2M_N_TYPES; t++) {
        size_t n;
        const struct m2m_rule *rule = m2m_rules((enum m2m_type)t, &n);

        for (size_t i = 0; i < n; i++) {
            const struct m2m_attr_name *a = m2m_attr_name(rule[i].attr);

            CU_ASSERT_PTR_EQUAL(
                m2m_rule_by_name((enum m2m_type)t, rule[i].parent, gba_text(a->short_name)),
                &rule[i]);
            CU_ASSERT_PTR_EQUAL(
                m2m_rule_by_name((enum m2m_type)t, rule[i].parent, gba_text(a->long_name)),
                &rule[i]);
        }
    }
}

static void test_types(void)
{
    static const char *const prefixes[] = {"", "m2m:", "sec:"};
    enum m2m_type got;

    for (int t = 0; t < M2M_N_TYPES; t++) {
        const struct m2m_type_name *name = m2m_type_name((enum m2m_type)t);

        CU_ASSERT_EQUAL(m2m_type_by_number(name->ty, &got), GBA_OK);
        CU_ASSERT_EQUAL((int)got, t);
        for (unsigned p = 0; p < 6; p++) {
            char text[64];

            strcpy(text, prefixes[p / 2]);
            strcat(text, p % 2 == 0 ? name->short_name : name->long_name);
            CU_ASSERT_EQUAL(m2m_type_by_name(gba_text(text), &got), GBA_OK);
            CU_ASSERT_EQUAL((int)got, t);
        }
    }
    CU_ASSERT_EQUAL(m2m_type_by_number(0, &got), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(m2m_type_by_name(GBA_TEXT("xyz:skr"), &got), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(m2m_type_by_name(GBA_TEXT("m2m:"), &got), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(m2m_type_by_name(GBA_TEXT("SKR"), &got), GBA_E_NOT_FOUND);
}

static void test_print(void)
{
    static char room[M2M_NAMES_JSON_SIZE];
    struct gba_wbuf w;
    json_error_t error;
    json_t *root, *list, *row;
    size_t i;

    gba_wbuf_init(&w, room, sizeof(room));
    CU_ASSERT_EQUAL_FATAL(m2m_names_print(&w), GBA_OK);
    root = json_loadb(room, w.n, JSON_REJECT_DUPLICATES, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    list = json_object_get(root, "resources");
    CU_ASSERT_EQUAL(json_array_size(list), M2M_N_TYPES);
    json_array_foreach(list, i, row)
    {
        CU_ASSERT(json_is_integer(json_object_get(row, "type")));
        CU_ASSERT(json_is_string(json_object_get(row, "path")));
        CU_ASSERT(json_is_string(json_object_get(row, "short")));
        CU_ASSERT(json_is_string(json_object_get(row, "long")));
        CU_ASSERT(json_is_string(json_object_get(row, "prefix")));
        CU_ASSERT(json_is_string(json_object_get(row, "status")));
    }
    list = json_object_get(root, "attributes");
    CU_ASSERT_EQUAL(json_array_size(list), M2M_N_ATTRS);
    json_array_foreach(list, i, row)
        CU_ASSERT(json_is_string(json_object_get(row, "encoding")));
    json_decref(root);
    gba_wbuf_init(&w, room, 100);
    CU_ASSERT_EQUAL(m2m_names_print(&w), GBA_E_TOO_LONG);
}

/* The rows of doc/MMEF.md are those of the table. */
static void test_document(void)
{
    static char doc[65536];
    char row[256];
    FILE *f = fopen(unit_path("doc/MMEF.md"), "r");

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    doc[fread(doc, 1, sizeof(doc) - 1, f)] = '\0';
    fclose(f);
    for (int i = 0; i < M2M_N_TYPES; i++) {
        const struct m2m_type_name *t = m2m_type_name((enum m2m_type)i);

        snprintf(row, sizeof(row), "| %u | `%s` | `%s:%s` | `%s` |", t->ty, t->long_name,
                 t->prefix, t->short_name, t->path);
        CU_ASSERT_PTR_NOT_NULL(strstr(doc, row));
    }
    for (int i = 0; i < M2M_N_ATTRS; i++) {
        const struct m2m_attr_name *a = m2m_attr_name((enum m2m_attr)i);

        snprintf(row, sizeof(row), "| `%s` | `%s` | ", a->long_name, a->short_name);
        CU_ASSERT_PTR_NOT_NULL(strstr(doc, row));
    }
}

static const struct unit_test tests[] = {
    {"every row is filled", test_rows},
    {"names are unique", test_names_are_unique},
    {"types by number and name", test_types},
    {"prints as JSON", test_print},
    {"the document has the same rows", test_document},
};
UNIT_MAIN("m2m_names", tests)
