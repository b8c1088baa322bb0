/*
 * What mefctl prints: tables for people, JSON for programs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mefctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"

#define COLUMNS 24

/* ---- failures ---- */

static struct {
    char at[256], words[1024];
    bool told;
} failure;

void ctl_keep(const char *at, const char *words)
{
    size_t n = strlen(failure.words);

    if (n == 0)
        snprintf(failure.at, sizeof(failure.at), "%s", at != NULL ? at : "");
    snprintf(failure.words + n, sizeof(failure.words) - n, "%s%s", n != 0 ? "; " : "", words);
}

void ctl_say(const char *at, const char *format, ...)
{
    char words[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    fprintf(stderr, "mefctl: %s%s%s\n", at != NULL ? at : "", at != NULL ? ": " : "", words);
    ctl_keep(at, words);
}

void ctl_told(void)
{
    failure.told = true;
}

/* Names of files need not be UTF-8. */
static json_t *any_text(char *text)
{
    json_t *v = json_string(text);

    for (char *c = text; v == NULL && *c != '\0'; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    return v != NULL ? v : json_string(text);
}

/* A row of common/err.h, as the daemon's refusals have. */
static enum gba_err error_of(int rc)
{
    switch (rc) {
    case CTL_USAGE:
        return GBA_E_ARGUMENT;
    case CTL_DATA:
        return GBA_E_SYNTAX;
    case CTL_UNREACHABLE:
        return GBA_E_UNREACHABLE;
    case CTL_PROTOCOL:
        return GBA_E_PROTOCOL;
    case CTL_REFUSED:
        return GBA_E_REFUSED;
    default:
        return GBA_E_IO;
    }
}

int ctl_end(const struct ctl_options *o, int rc)
{
    enum gba_err err = error_of(rc);
    json_t *v;

    if (rc == CTL_OK || !o->json || (failure.told && failure.words[0] == '\0'))
        return rc;
    if (failure.words[0] == '\0')
        snprintf(failure.words, sizeof(failure.words), "%s", gba_err_text(err));
    v = json_pack("{s:b, s:s, s:o}", "ok", 0, "error", gba_err_name(err), "text",
                  any_text(failure.words));
    if (failure.at[0] != '\0')
        json_object_set_new(v, "at", any_text(failure.at));
    json_dumpf(v, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(v);
    return rc;
}

/* ---- answers ---- */

static const char *member(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));

    return s != NULL ? s : "";
}

int ctl_refused(const struct ctl_options *o, json_t *reply)
{
    const char *at = member(reply, "at");

    if (o->json) {
        ctl_print(o, reply);
        ctl_told();
    } else {
        ctl_say(at[0] != '\0' ? at : NULL, "%s", member(reply, "text"));
    }
    return CTL_REFUSED;
}

static void print_json(const json_t *v)
{
    json_dumpf(v, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
    putchar('\n');
}

/* Labels are enrolees' own: what a terminal would obey (C0, DEL, C1) becomes '?'. */
static void tame(char *text)
{
    for (unsigned char *p = (unsigned char *)text; *p != '\0'; p++)
        if (*p < 0x20 || *p == 0x7f)
            *p = '?';
        else if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
            p[0] = p[1] = '?';
}

/* A value in one word: lists with commas, nothing as "-". */
static void value_text(const json_t *v, char *out, size_t cap)
{
    size_t at = 0, i;
    const json_t *item;

    if (json_is_string(v)) {
        snprintf(out, cap, "%s", json_string_value(v));
        tame(out);
    } else if (json_is_integer(v)) {
        snprintf(out, cap, "%lld", (long long)json_integer_value(v));
    } else if (json_is_array(v)) {
        out[0] = '\0';
        for (i = 0; i < json_array_size(v) && at < cap; i++) {
            char one[600];

            item = json_array_get(v, i);
            value_text(item, one, sizeof(one));
            at += (size_t)snprintf(out + at, cap - at, "%s%s", i > 0 ? "," : "", one);
        }
    } else {
        snprintf(out, cap, "%s", v == NULL ? "-" : json_is_true(v) ? "yes" : "no");
    }
}

void ctl_print(const struct ctl_options *o, json_t *reply)
{
    const char *name;
    json_t *v;

    if (o->json) {
        print_json(reply);
        return;
    }
    json_object_foreach(reply, name, v)
    {
        char text[1024];

        if (strcmp(name, "ok") == 0)
            continue;
        value_text(v, text, sizeof(text));
        printf("%s: %s\n", name, text);
    }
}

/* All members that any row has, in the order they come. */
static size_t find_columns(const json_t *rows, const char *columns[static COLUMNS])
{
    size_t n = 0, i;

    for (i = 0; i < json_array_size(rows); i++) {
        const char *name;
        json_t *v;

        json_object_foreach(json_array_get(rows, i), name, v)
        {
            size_t j = 0;

            while (j < n && strcmp(columns[j], name) != 0)
                j++;
            if (j == n && n < COLUMNS)
                columns[n++] = name;
        }
    }
    return n;
}

static void print_table(const json_t *rows)
{
    const char *columns[COLUMNS];
    size_t n = find_columns(rows, columns), width[COLUMNS], i, j;
    char text[1024];

    for (j = 0; j < n; j++) {
        width[j] = strlen(columns[j]);
        for (i = 0; i < json_array_size(rows); i++) {
            value_text(json_object_get(json_array_get(rows, i), columns[j]), text,
                       sizeof(text));
            if (strlen(text) > width[j])
                width[j] = strlen(text);
        }
        printf("%-*s%s", j + 1 < n ? (int)width[j] : 0, columns[j], j + 1 < n ? "  " : "\n");
    }
    for (i = 0; i < json_array_size(rows); i++)
        for (j = 0; j < n; j++) {
            value_text(json_object_get(json_array_get(rows, i), columns[j]), text,
                       sizeof(text));
            printf("%-*s%s", j + 1 < n ? (int)width[j] : 0, text, j + 1 < n ? "  " : "\n");
        }
}

void ctl_print_rows(const struct ctl_options *o, const json_t *rows, bool first)
{
    if (!o->json) {
        if (json_array_size(rows) != 0)
            print_table(rows);
        else if (first)
            puts("none");
        return;
    }
    for (size_t i = 0; i < json_array_size(rows); i++)
        print_json(json_array_get(rows, i));
}
