/*
 * naf/mef_audit.c, naf/mef_audit_file.c: a line that was changed, taken out or cut off shows,
 * and no line is lost between the database and its file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "naf/mef_audit_file.h"
#include "tests/naf/mef_world.h"
#include "tests/unit.h"

static struct mef_world w;
static struct mef_audit *a;
static char file[128];

static void open_log(bool expect_altered)
{
    bool altered = !expect_altered;

    CU_ASSERT_EQUAL_FATAL(mef_audit_file_open(w.store, file, &a, &altered), GBA_OK);
    CU_ASSERT_EQUAL(altered, expect_altered);
}

static void begin(void)
{
    mef_world_begin(&w);
    snprintf(file, sizeof(file), "%s/log", w.folder);
    open_log(false);
}

static void end(void)
{
    mef_audit_file_close(a);
    unlink(file);
    mef_world_end(&w);
}

static void note(const char *what)
{
    const struct mef_audit_event e = {.who = "admin:0", .what = what, .whom = WORLD_ENROLEE};

    CU_ASSERT_EQUAL(a->note(a, &e, WORLD_T0), GBA_OK);
}

static size_t read_file(char *out, size_t cap)
{
    FILE *f = fopen(file, "r");
    size_t n = f != NULL ? fread(out, 1, cap - 1, f) : 0;

    if (f != NULL)
        fclose(f);
    out[n] = '\0';
    return n;
}

static void write_file(const char *text, size_t n)
{
    FILE *f = fopen(file, "w");

    CU_ASSERT_FATAL(f != NULL && fwrite(text, 1, n, f) == n && fclose(f) == 0);
}

static void expect(enum gba_err err, uint64_t at)
{
    uint64_t n = 0;

    CU_ASSERT_EQUAL(a->verify(a, &n), err);
    CU_ASSERT_EQUAL(n, at);
}

static void test_form_of_a_line(void)
{
    const struct mef_audit_event e = {"admin:\"x\\\n",     "key.fetch",      "//sp.example/c/d",
                                      "//sp.example/cse1", "AB@mef.example", 22};
    char prev[MEF_AUDIT_HASH_SIZE], hash[MEF_AUDIT_HASH_SIZE], again[MEF_AUDIT_HASH_SIZE],
        line[1024];
    struct gba_wbuf out;
    struct gba_text text;

    memset(prev, '0', sizeof(prev) - 1);
    prev[sizeof(prev) - 1] = '\0';
    gba_wbuf_init(&out, line, sizeof(line));
    CU_ASSERT_EQUAL(mef_audit_line(&e, 7, WORLD_T0, prev, hash, &out), GBA_OK);
    text = gba_bytes_text(gba_wbuf_bytes(&out));
    CU_ASSERT(mef_audit_follows(text, prev, again) && strcmp(hash, again) == 0);
    CU_ASSERT(!mef_audit_follows(text, hash, again));
    line[out.n] = '\0';
    CU_ASSERT_STRING_EQUAL(
        line + MEF_AUDIT_HASH_SIZE,
        "{\"n\":7,\"time\":\"2026-01-01T00:00:00Z\",\"who\":\"admin:\\\"x\\\\\\u000a\","
        "\"what\":\"key.fetch\",\"for\":\"//sp.example/c/d\",\"target\":\"//sp.example/cse1\","
        "\"key_id\":\"AB@mef.example\",\"suid\":22}");
    line[out.n - 2] ^= 1;
    CU_ASSERT(!mef_audit_follows(text, prev, again));
    CU_ASSERT(!mef_audit_follows(GBA_TEXT("short"), prev, again));
}

static void test_lines_reach_the_file(void)
{
    char text[4096];
    struct stat st;

    begin();
    CU_ASSERT(stat(file, &st) == 0 && (st.st_mode & 0777) == 0600);
    note("one.add");
    note("two.add");
    CU_ASSERT_EQUAL(read_file(text, sizeof(text)), 0); /* they wait in the database */
    CU_ASSERT_EQUAL(a->flush(a), GBA_OK);
    CU_ASSERT(read_file(text, sizeof(text)) > 0 && strstr(text, "two.add") != NULL);
    expect(GBA_OK, 2);
    note("three.add");
    mef_audit_file_close(a); /* as a crash: it waits still */
    mef_world_reopen(&w);
    open_log(false);
    CU_ASSERT(read_file(text, sizeof(text)) > 0 && strstr(text, "three.add") != NULL);
    expect(GBA_OK, 3);
    end();
}

static void test_a_line_comes_with_its_change(void)
{
    struct mef_registry *g;

    begin();
    g = w.registry;
    CU_ASSERT_EQUAL(g->begin(g), GBA_OK);
    note("undone.add");
    CU_ASSERT_EQUAL(g->end(g, GBA_E_EXISTS), GBA_E_EXISTS);
    note("done.add");
    expect(GBA_OK, 1);
    end();
}

static void test_what_was_altered_shows(void)
{
    char text[4096], bad[4096];
    size_t n, first;

    begin();
    for (int i = 0; i < 4; i++)
        note("row.add");
    CU_ASSERT_EQUAL(a->flush(a), GBA_OK);
    n = read_file(text, sizeof(text));
    first = strcspn(text, "\n") + 1;
    memcpy(bad, text, n);
    bad[first + 100] ^= 1;
    write_file(bad, n);
    expect(GBA_E_ALTERED, 2);
    write_file(text + first, n - first); /* the first taken out */
    expect(GBA_E_ALTERED, 1);
    write_file(text, n - first); /* about the last cut off: a torn line is none */
    expect(GBA_E_ALTERED, 4);
    write_file(text, 0);
    expect(GBA_E_ALTERED, 1);
    write_file(text, n);
    expect(GBA_OK, 4);
    end();
}

/* Whatever was done to the file, what happens after goes on the record. */
static void test_an_altered_file_is_written_on(void)
{
    char text[8192];

    begin();
    note("row.add");
    note("row.add");
    CU_ASSERT_EQUAL(a->flush(a), GBA_OK);
    mef_audit_file_close(a);
    CU_ASSERT(read_file(text, sizeof(text)) > 0);
    write_file(text, strcspn(text, "\n") + 1);
    open_log(true);
    note("later.add");
    CU_ASSERT_EQUAL(a->flush(a), GBA_OK);
    CU_ASSERT(read_file(text, sizeof(text)) > 0 && strstr(text, "later.add") != NULL);
    expect(GBA_E_ALTERED, 2);
    end();
}

static void test_bad_files(void)
{
    struct mef_audit *b;
    bool altered;

    begin();
    CU_ASSERT_EQUAL(mef_audit_file_open(w.store, "/nonexistent/log", &b, &altered), GBA_E_IO);
    CU_ASSERT_EQUAL(mef_audit_file_open(w.store, "/dev/null", &b, &altered), GBA_E_FORBIDDEN);
    CU_ASSERT(chmod(file, 0622) == 0);
    CU_ASSERT_EQUAL(mef_audit_file_open(w.store, file, &b, &altered), GBA_E_FORBIDDEN);
    end();
}

static const struct unit_test tests[] = {
    {"form of a line", test_form_of_a_line},
    {"lines reach the file", test_lines_reach_the_file},
    {"a line comes with its change", test_a_line_comes_with_its_change},
    {"what was altered shows", test_what_was_altered_shows},
    {"an altered file is written on", test_an_altered_file_is_written_on},
    {"bad files", test_bad_files},
};
UNIT_MAIN("mef_audit", tests)
