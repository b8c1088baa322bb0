/*
 * naf/mefctl_table.c: files of devices, good ones cell by cell, and of bad ones the place and
 * the reason.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mefctl.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

/* As fmemopen, which has no file of no octets everywhere. */
static bool parse(const char *text, size_t n, struct ctl_table *out,
                  struct ctl_table_fault *why)
{
    FILE *in = n != 0 ? fmemopen((void *)(uintptr_t)text, n, "r") : fopen("/dev/null", "r");
    bool ok;

    CU_ASSERT_PTR_NOT_NULL_FATAL(in);
    memset(why, 0, sizeof(*why));
    ok = ctl_table_parse(in, out, why);
    fclose(in);
    return ok;
}

/* The rows as JSON, with the line of each in front; or line:column: why. */
static char *told(const char *text, size_t n)
{
    struct ctl_table_fault why;
    struct ctl_table t;
    char *out = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&out, &size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    if (!parse(text, n, &t, &why))
        fprintf(f, "%lu:%lu: %s", why.line, why.column, why.why);
    else
        for (size_t i = 0; i < json_array_size(t.rows); i++) {
            fprintf(f, "%s%lu ", i > 0 ? " " : "", t.lines[i]);
            json_dumpf(json_array_get(t.rows, i), f, JSON_COMPACT | JSON_ENCODE_ANY);
        }
    ctl_table_free(&t);
    fclose(f);
    return out;
}

struct sample {
    const char *text;
    size_t n;
    const char *told;
};
#define ROW(text, told)                                                                        \
    {                                                                                          \
        text, sizeof(text) - 1, told                                                           \
    }

static void check(const struct sample *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *got = told(rows[i].text, rows[i].n);

        CU_ASSERT_STRING_EQUAL(got, rows[i].told);
        if (strcmp(got, rows[i].told) != 0)
            printf("\n%s\n  is told as  %s\n  and not as  %s\n", rows[i].text, got,
                   rows[i].told);
        free(got);
    }
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof((rows)[0]))

static void test_cells(void)
{
    static const struct sample rows[] = {
        ROW("id,impi\na,b\nc,d\n",
            "2 {\"id\":\"a\",\"impi\":\"b\"} 3 {\"id\":\"c\",\"impi\":\"d\"}"),
        ROW("id,impi\na,b", "2 {\"id\":\"a\",\"impi\":\"b\"}"),
        ROW("id,impi\r\na,b\r\nc,d\r\n",
            "2 {\"id\":\"a\",\"impi\":\"b\"} 3 {\"id\":\"c\",\"impi\":\"d\"}"),
        ROW("id,impi\r\na,b\r", "2 {\"id\":\"a\",\"impi\":\"b\"}"),
        ROW("id,impi\n\"a\",\"b\"\n", "2 {\"id\":\"a\",\"impi\":\"b\"}"),
        ROW("\"id\",\"impi\"\r\n\"a\",\"b\"\r\n", "2 {\"id\":\"a\",\"impi\":\"b\"}"),
        ROW("id,impi\n\"a\",\"b\"", "2 {\"id\":\"a\",\"impi\":\"b\"}"),
        ROW("id\n\"a,b\"\n", "2 {\"id\":\"a,b\"}"),
        ROW("id\n\"a\"\"b\"\n", "2 {\"id\":\"a\\\"b\"}"),
        ROW("id\n\"\"\"\"\n", "2 {\"id\":\"\\\"\"}"),
        ROW("id\n\"\"\"\"\"\"\n", "2 {\"id\":\"\\\"\\\"\"}"),
        ROW("id\n a \n", "2 {\"id\":\" a \"}"),
        ROW("id\n\"a\r\nb\"\nc\n", "2 {\"id\":\"a\\r\\nb\"} 4 {\"id\":\"c\"}"),
        ROW("\"i\nd\"\na\n", "3 {\"i\\nd\":\"a\"}"),
        ROW("id\n\xc3\xa9\xe2\x82\xac\n", "2 {\"id\":\"\xc3\xa9\xe2\x82\xac\"}"),
    };

    CHECK(rows);
}

/* An empty cell is no member, a row of nothing no device. */
static void test_empty(void)
{
    static const struct sample rows[] = {
        ROW("id,impi\n,b\n", "2 {\"impi\":\"b\"}"),
        ROW("id,impi\na,\n", "2 {\"id\":\"a\"}"),
        ROW("id,impi\n\"\",b", "2 {\"impi\":\"b\"}"),
        ROW("id,impi\na,", "2 {\"id\":\"a\"}"),
        ROW("id", ""),
        ROW("id\n", ""),
        ROW("id\r\n", ""),
        ROW("id,impi\n\n\na,b\n\n", "4 {\"id\":\"a\",\"impi\":\"b\"}"),
        ROW("id,impi\n,\n\r\na,b\n,\n", "4 {\"id\":\"a\",\"impi\":\"b\"}"),
        ROW("id,impi\n,,,\na,b", "3 {\"id\":\"a\",\"impi\":\"b\"}"),
        ROW("\n\r\n id\na\n", "4 {\"id\":\"a\"}"),
        ROW("\xef\xbb\xbfid\na\n", "2 {\"id\":\"a\"}"),
        ROW("\xef\xbb\xbf\nid\na\n", "3 {\"id\":\"a\"}"),
    };

    CHECK(rows);
}

/* Names are the daemon's to judge; two columns hold lists. */
static void test_columns(void)
{
    static const struct sample rows[] = {
        ROW("colour\nred\n", "2 {\"colour\":\"red\"}"),
        ROW("impi\nb\n", "2 {\"impi\":\"b\"}"),
        ROW("targets,certificates\n/cse1  /cse2 ,dns:a\n",
            "2 {\"targets\":[\"/cse1\",\"/cse2\"],\"certificates\":[\"dns:a\"]}"),
        ROW("targets\n\" \"\n", "2 {\"targets\":[]}"),
        ROW("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p\n,,,,,,,,,,,,,,,x\n", "2 {\"p\":\"x\"}"),
        ROW("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q\n", "1:33: more than 16 columns"),
        ROW("id,impi,id\n", "1:9: a column told twice"),
        ROW("id,,impi\n", "1:4: a column without a name"),
        ROW("id,", "1:4: a column without a name"),
        ROW("id,\"\"\n", "1:4: a column without a name"),
        ROW("id,\xff\n", "1:4: not UTF-8"),
        ROW("", "1:1: no header line"),
        ROW("\xef\xbb\xbf", "1:1: no header line"),
        ROW("\n\n", "3:1: no header line"),
        ROW("\xef\xbf\nid\n", "1:1: neither a mark of UTF-8 nor a column"),
        ROW("\xef", "1:2: neither a mark of UTF-8 nor a column"),
    };

    CHECK(rows);
}

static void test_bad(void)
{
    static const struct sample rows[] = {
        ROW("id,impi\na\n", "2:2: fewer cells than the header has"),
        ROW("id,impi\na,b\nc", "3:2: fewer cells than the header has"),
        ROW("id,impi\na,b,c\n", "2:5: more cells than the header has"),
        ROW("id\na,b,c\n", "2:3: more cells than the header has"),
        ROW("id,impi\na,b,\n", "2:5: more cells than the header has"),
        ROW("id,impi\n,,b\n", "2:3: more cells than the header has"),
        ROW("id\n\"a\nb\n", "2:1: a quote that is never closed"),
        ROW("id\n\"", "2:1: a quote that is never closed"),
        ROW("id\n\"a\"\"", "2:1: a quote that is never closed"),
        ROW("id\n\"a\" \n", "2:4: text behind a closing quote"),
        ROW("id\n\"a\nb\"c\n", "3:3: text behind a closing quote"),
        ROW("id\na\"b\n", "2:2: a quote inside a cell that does not begin with one"),
        ROW("id\n \"b\"\n", "2:2: a quote inside a cell that does not begin with one"),
        ROW("id\na\rb\n", "2:3: a carriage return without a line feed"),
        ROW("id\n\"a\"\rb\n", "2:5: a carriage return without a line feed"),
        ROW("id\na\0b\n", "2:2: a NUL"),
        ROW("id\n\"a\0b\"\n", "2:3: a NUL"),
        ROW("i\0d\n", "1:2: a NUL"),
        ROW("\0", "1:1: a NUL"),
        ROW("id,impi\na,\xff\n", "2:3: not UTF-8"),
        ROW("id,impi\na,\xc3\n", "2:3: not UTF-8"),
        ROW("id\n\xa2\n", "2:1: not UTF-8"),
        ROW("id\n\xc0\x80\n", "2:1: not UTF-8"),
        ROW("targets\na \xed\xa0\x80\n", "2:1: not UTF-8"),
        ROW("\x80,id,id\n", "1:1: not UTF-8"),
        ROW("id,impi\n\xc3\xa9\xe2\x82\xac,b,c\n", "2:6: more cells than the header has"),
        ROW("id,impi\n\"a\n\nb\",c,d\n", "4:6: more cells than the header has"),
    };

    CHECK(rows);
}

static void test_json(void)
{
    static const struct sample rows[] = {
        ROW("[]", ""),
        ROW("\n [{\"id\":\"a\"},{\"id\":\"b\",\"targets\":[\"/c\"]}]\n",
            "1 {\"id\":\"a\"} 2 {\"id\":\"b\",\"targets\":[\"/c\"]}"),
        ROW("\xef\xbb\xbf[1]", "1 1"),
        ROW("{\"id\":\"a\"}", "1:1: no array of devices"),
        ROW("[{\"id\":\"a\",\n\"id\":\"b\"}]", "2:4: a member told twice"),
        ROW("[1", "1:2: JSON that ends too early"),
        ROW("\n\n [1,\n]", "4:1: not JSON"),
        ROW("  [,]", "1:4: not JSON"),
        ROW("[] x", "1:4: not JSON"),
        ROW("[\"\xff\"]", "1:2: not UTF-8"),
        ROW("[1,\n\xff]", "2:1: not UTF-8"),
        ROW("[\"a\0\"]", "1:3: not JSON"),
    };

    CHECK(rows);
}

/* A cell has no limit; it grows by copies that are wiped. */
static void test_long(void)
{
    enum { HEAD = 3, LONG = 100000 };
    static char text[HEAD + LONG + 1] = "id\n";
    struct ctl_table_fault why;
    struct ctl_table t;
    const char *id;

    for (size_t i = 0; i < LONG; i++)
        text[HEAD + i] = (char)('a' + i % 23);
    CU_ASSERT_FATAL(parse(text, HEAD + LONG, &t, &why));
    id = json_string_value(json_object_get(json_array_get(t.rows, 0), "id"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(id);
    CU_ASSERT_STRING_EQUAL(id, text + HEAD);
    ctl_table_free(&t);
}

static const struct unit_test tests[] = {
    {"cells, quoted or not, and ends of lines", test_cells},
    {"what is empty is not there", test_empty},
    {"columns", test_columns},
    {"a bad file: where and why", test_bad},
    {"a JSON array", test_json},
    {"a long cell", test_long},
};
UNIT_MAIN("mefctl_table", tests)
