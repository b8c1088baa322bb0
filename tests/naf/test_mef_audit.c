/*
 * naf/mef_audit.c and naf/mef_audit_file.c: lines and their chain, one transaction with what
 * they tell of, and files that were torn, altered, cut off, moved away or met a full disk.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_audit_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "naf/mef_db.h"
#include "tests/naf/mef_world.h"
#include "tests/unit.h"

#define FILE_MAX (1 << 21)

static struct mef_world w;
static struct mef_audit *log_;
static char file[128];
static char text[FILE_MAX];

static const char zeros[MEF_AUDIT_HASH_SIZE] =
    "0000000000000000000000000000000000000000000000000000000000000000";

/* ------------------------------------------------------------ lines */

static void test_line(void)
{
    const struct mef_audit_event e = {.who = "admin:0",
                                      .what = "key.add",
                                      .whom = "a\"\\\n\x01",
                                      .target = "",
                                      .key_id = "k",
                                      .suid = 22,
                                      .suids = (uint64_t)1 << 22 | (uint64_t)1 << 33,
                                      .expires_s = WORLD_T0 + 1,
                                      .code = 10};
    char line[MEF_AUDIT_LINE_MAX], hash[MEF_AUDIT_HASH_SIZE];
    struct gba_wbuf b;

    gba_wbuf_init(&b, line, sizeof(line));
    CU_ASSERT_EQUAL(mef_audit_line(&e, 1, WORLD_T0, zeros, hash, &b), GBA_OK);
    gba_wbuf_cstr(&b);
    CU_ASSERT_STRING_EQUAL(line + MEF_AUDIT_HASH_SIZE,
                           "{\"n\":1,\"time\":\"2026-01-01T00:00:00Z\",\"who\":\"admin:0\","
                           "\"what\":\"key.add\",\"for\":\"a\\\"\\\\\\u000a\\u0001\","
                           "\"key_id\":\"k\",\"suid\":22,\"suids\":[22,33],"
                           "\"expires\":\"2026-01-01T00:00:01Z\",\"code\":10}");
    CU_ASSERT_EQUAL(memcmp(line, hash, MEF_AUDIT_HASH_SIZE - 1), 0);
    CU_ASSERT_EQUAL(line[MEF_AUDIT_HASH_SIZE - 1], ' ');
}

/* The hash as anyone computes it: printf '%s%s' HASH JSON | sha256sum. */
static void test_hash(void)
{
    const struct mef_audit_event e = {.who = "w", .what = "x"};
    char line[MEF_AUDIT_LINE_MAX], hash[MEF_AUDIT_HASH_SIZE];
    struct gba_wbuf b;

    gba_wbuf_init(&b, line, sizeof(line));
    CU_ASSERT_EQUAL(mef_audit_line(&e, 1, WORLD_T0, zeros, hash, &b), GBA_OK);
    CU_ASSERT_STRING_EQUAL(hash,
                           "4e95fedb076335e41fc097849abebc2ee91b50a0a35a97af084b7a563463fb36");
}

static void test_follows(void)
{
    const struct mef_audit_event e = {.who = "w", .what = "x"};
    char line[MEF_AUDIT_LINE_MAX], one[MEF_AUDIT_HASH_SIZE], got[MEF_AUDIT_HASH_SIZE];
    struct gba_wbuf b;

    gba_wbuf_init(&b, line, sizeof(line));
    CU_ASSERT_EQUAL(mef_audit_line(&e, 1, WORLD_T0, zeros, one, &b), GBA_OK);
    CU_ASSERT(mef_audit_follows((struct gba_text){line, b.n}, zeros, got));
    CU_ASSERT_STRING_EQUAL(got, one);
    CU_ASSERT(!mef_audit_follows((struct gba_text){line, b.n}, one, got));
    CU_ASSERT(!mef_audit_follows((struct gba_text){line, b.n - 1}, zeros, got));
    CU_ASSERT(!mef_audit_follows((struct gba_text){line, MEF_AUDIT_HASH_SIZE}, zeros, got));
    CU_ASSERT(!mef_audit_follows(GBA_TEXT(""), zeros, got));
    line[MEF_AUDIT_HASH_SIZE - 1] = '_';
    CU_ASSERT(!mef_audit_follows((struct gba_text){line, b.n}, zeros, got));
}

static void test_too_long(void)
{
    char line[MEF_AUDIT_LINE_MAX], hash[MEF_AUDIT_HASH_SIZE];
    char *much = malloc(MEF_AUDIT_LINE_MAX + 1);
    const struct mef_audit_event e = {.who = much, .what = "x"};
    struct gba_wbuf b;

    CU_ASSERT_FATAL(much != NULL);
    memset(much, 'w', MEF_AUDIT_LINE_MAX);
    much[MEF_AUDIT_LINE_MAX] = '\0';
    gba_wbuf_init(&b, line, sizeof(line));
    CU_ASSERT_EQUAL(mef_audit_line(&e, 1, WORLD_T0, zeros, hash, &b), GBA_E_TOO_LONG);
    CU_ASSERT_EQUAL(b.n, 0);
    much[10] = '\0';
    gba_wbuf_init(&b, line, 80);
    CU_ASSERT_EQUAL(mef_audit_line(&e, 1, WORLD_T0, zeros, hash, &b), GBA_E_TOO_LONG);
    free(much);
}

/* ------------------------------------------------------------ the file */

static enum gba_err note(const char *what)
{
    const struct mef_audit_event e = {.who = "admin:0", .what = what};

    return log_->note(log_, &e, WORLD_T0);
}

static bool open_log(void)
{
    bool altered;

    CU_ASSERT_EQUAL_FATAL(mef_audit_file_open(w.store, file, &log_, &altered), GBA_OK);
    return altered;
}

static void begin(unsigned lines)
{
    mef_world_begin(&w);
    snprintf(file, sizeof(file), "%s.audit", w.file);
    CU_ASSERT(!open_log());
    while (lines-- > 0)
        CU_ASSERT_EQUAL(note("x"), GBA_OK);
    CU_ASSERT_EQUAL(log_->flush(log_), GBA_OK);
}

/* As after a restart. */
static bool again(void)
{
    mef_audit_file_close(log_);
    mef_world_reopen(&w);
    return open_log();
}

static void end(void)
{
    mef_audit_file_close(log_);
    mef_world_end(&w);
}

static size_t read_log(void)
{
    int fd = open(file, O_RDONLY);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;

    close(fd);
    n = n > 0 ? n : 0;
    text[n] = '\0';
    return (size_t)n;
}

static void write_log(const char *p, size_t n)
{
    int fd = open(file, O_WRONLY | O_TRUNC);

    CU_ASSERT_EQUAL(write(fd, p, n), (ssize_t)n);
    close(fd);
}

static unsigned lines(void)
{
    unsigned n = 0;

    read_log();
    for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++)
        n++;
    return n;
}

static enum gba_err verify(uint64_t *n)
{
    return log_->verify(log_, n);
}

static void check_whole(uint64_t expected)
{
    uint64_t n;

    CU_ASSERT_EQUAL(verify(&n), GBA_OK);
    CU_ASSERT_EQUAL(n, expected);
    CU_ASSERT_EQUAL(lines(), expected);
}

static void check_altered(uint64_t at)
{
    uint64_t n;

    CU_ASSERT_EQUAL(verify(&n), GBA_E_ALTERED);
    CU_ASSERT_EQUAL(n, at);
}

static unsigned waiting(void)
{
    sqlite3_stmt *st;
    sqlite3 *db;
    unsigned n;

    sqlite3_open(w.file, &db);
    sqlite3_prepare_v2(db, "SELECT count(*) FROM audit", -1, &st, NULL);
    sqlite3_step(st);
    n = (unsigned)sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return n;
}

static void test_written(void)
{
    struct stat st;

    begin(0);
    check_whole(0);
    CU_ASSERT_EQUAL(stat(file, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
    CU_ASSERT_EQUAL(note("one"), GBA_OK);
    CU_ASSERT_EQUAL(waiting(), 1);
    CU_ASSERT_EQUAL(lines(), 0);
    CU_ASSERT_EQUAL(log_->flush(log_), GBA_OK);
    CU_ASSERT_EQUAL(waiting(), 0);
    check_whole(1);
    CU_ASSERT_EQUAL(note("two"), GBA_OK);
    check_whole(2); /* which writes what waits */
    CU_ASSERT(!again());
    CU_ASSERT_EQUAL(note("three"), GBA_OK);
    check_whole(3);
    end();
}

/* Lines that wait survive the process. */
static void test_waiting(void)
{
    begin(2);
    CU_ASSERT_EQUAL(note("three"), GBA_OK);
    CU_ASSERT_EQUAL(note("four"), GBA_OK);
    CU_ASSERT(!again());
    CU_ASSERT_EQUAL(waiting(), 0);
    check_whole(4);
    end();
}

/* A line stays or goes with the transaction it is noted in. */
static void test_transaction(void)
{
    begin(1);
    CU_ASSERT_EQUAL(w.registry->begin(w.registry), GBA_OK);
    CU_ASSERT_EQUAL(note("undone"), GBA_OK);
    CU_ASSERT_EQUAL(w.registry->end(w.registry, GBA_E_FORBIDDEN), GBA_E_FORBIDDEN);
    check_whole(1);
    CU_ASSERT_EQUAL(w.registry->begin(w.registry), GBA_OK);
    CU_ASSERT_EQUAL(note("done"), GBA_OK);
    CU_ASSERT_EQUAL(w.registry->end(w.registry, GBA_OK), GBA_OK);
    check_whole(2);
    CU_ASSERT(strstr(text, "undone") == NULL && strstr(text, "done") != NULL);
    end();
}

/* ------------------------------------------------------------ what goes along */

static void put_ke(unsigned i)
{
    struct mef_ke ke = {.created_s = WORLD_T0 + i, .expires_s = WORLD_T0 + 100};

    snprintf(ke.key_id, sizeof(ke.key_id), "%02u@mef.example", i);
    strcpy(ke.enrolee, WORLD_ENROLEE);
    CU_ASSERT_EQUAL(w.store->put_ke(w.store, &ke), GBA_OK);
}

static void add_reg_and_key(void)
{
    static struct mef_reg live;
    const struct mef_reg reg = {.ri = "r1",
                                .creator = WORLD_ENROLEE,
                                .admin_fqdn = "a.example",
                                .expires_s = WORLD_T0 + 100};
    static const struct mef_key key = {.relative_id = "AB",
                                       .creator = WORLD_ENROLEE,
                                       .admin_fqdn = "a.example",
                                       .suid = 22,
                                       .expires_s = WORLD_T0 + 100};

    CU_ASSERT_EQUAL(w.store->add_reg(w.store, &reg, WORLD_T0, 3, &live), GBA_OK);
    CU_ASSERT_EQUAL(w.store->add_key(w.store, &key, 3), GBA_OK);
}

static bool has(const char *what)
{
    return strstr(text, what) != NULL;
}

#define END(what, more)                                                                        \
    "\"who\":\"admin:0\",\"what\":\"" what ".end\",\"for\":\"" WORLD_ENROLEE "\"," more "}"

/* A Ke that gives way to a younger one; a registration with its key. */
static void test_goes_along(void)
{
    const struct mef_audit_event gone = {
        .who = "admin:0", .what = "registration.delete", .key_id = "r1"};

    begin(0);
    for (unsigned i = 0; i < MEF_KES_MAX; i++)
        put_ke(i);
    CU_ASSERT_EQUAL(note("nothing"), GBA_OK);
    check_whole(1);
    put_ke(MEF_KES_MAX);
    CU_ASSERT_EQUAL(note("keep"), GBA_OK);
    check_whole(3);
    CU_ASSERT(has(END("enrolment", "\"key_id\":\"00@mef.example\"")));
    add_reg_and_key();
    CU_ASSERT_EQUAL(w.registry->begin(w.registry), GBA_OK);
    CU_ASSERT_EQUAL(w.store->del_reg(w.store, "r1"), GBA_OK);
    CU_ASSERT_EQUAL(log_->note(log_, &gone, WORLD_T0), GBA_OK);
    CU_ASSERT_EQUAL(w.registry->end(w.registry, GBA_OK), GBA_OK);
    check_whole(3 + 1 + 1 + MEF_KES_MAX); /* with the last registration every Ke */
    CU_ASSERT(has(END("key", "\"key_id\":\"AB\",\"suid\":22")));
    CU_ASSERT(has(END("enrolment", "\"key_id\":\"01@mef.example\"")));
    CU_ASSERT(!has("registration.end")); /* it has its line */
    CU_ASSERT_EQUAL(note("nothing"), GBA_OK);
    check_whole(3 + 1 + 1 + MEF_KES_MAX + 1); /* told once */
    end();
}

/* What stays has no line. */
static void test_stays(void)
{
    begin(0);
    add_reg_and_key();
    CU_ASSERT_EQUAL(w.registry->begin(w.registry), GBA_OK);
    CU_ASSERT_EQUAL(w.store->del_reg(w.store, "r1"), GBA_OK);
    CU_ASSERT_EQUAL(w.registry->end(w.registry, GBA_E_CANCELLED), GBA_E_CANCELLED);
    CU_ASSERT_EQUAL(note("nothing"), GBA_OK);
    check_whole(1);
    end();
}

/* An enrolee with its rows; of an instruction that is removed by itself there is one line. */
static void test_rows_go_along(void)
{
    const struct mef_audit_event one = {.who = "admin:0",
                                        .what = "instruction.remove",
                                        .whom = WORLD_ENROLEE,
                                        .target = WORLD_CSE},
                                 all = {.who = "admin:0", .what = "x", .whom = WORLD_ENROLEE};
    struct mef_row row = {.noun = MEF_INSTRUCTION,
                          .u.instruction = {.enrolee = WORLD_ENROLEE, .target = WORLD_CSE}};
    struct mef_registry *g;
    sqlite3 *db;

    begin(0);
    g = w.registry;
    sqlite3_open(w.file, &db);
    CU_ASSERT_EQUAL(sqlite3_exec(db,
                                 "UPDATE instruction SET origin=1;UPDATE enrolee SET origin=1;",
                                 NULL, NULL, NULL),
                    SQLITE_OK);
    sqlite3_close(db);
    CU_ASSERT_EQUAL(g->remove(g, &row), GBA_OK);
    CU_ASSERT_EQUAL(log_->note(log_, &one, WORLD_T0), GBA_OK);
    check_whole(1);
    row = (struct mef_row){.noun = MEF_ENROLEE, .u.enrolee = {.id = WORLD_ENROLEE}};
    CU_ASSERT_EQUAL(g->remove(g, &row), GBA_OK);
    CU_ASSERT_EQUAL(log_->note(log_, &all, WORLD_T0), GBA_OK);
    check_whole(4);
    CU_ASSERT(has(END("credential", "\"key_id\":\"" WORLD_IMPI "\"")));
    CU_ASSERT(has(END("instruction", "\"target\":\"" WORLD_MAF "\"")));
    end();
}

/* What enrolees made under rows that the configuration has no more ends with those, and is told
 * of; the rows themselves are not. */
static void test_configuration_goes(void)
{
    static const struct mef_audit_event event = {.who = "configuration"};
    struct mef_enrolee e = {.id = WORLD_ENROLEE};
    struct mef_registry *g;
    struct mef_key key;
    struct mef_ke ke;

    begin(0);
    g = w.registry;
    add_reg_and_key();
    put_ke(1);
    CU_ASSERT_EQUAL(g->begin_config(g), GBA_OK);
    CU_ASSERT_EQUAL(g->add_enrolee(g, &e, MEF_OF_CONFIG), GBA_OK);
    CU_ASSERT_EQUAL(g->add_stakeholder(g, "a.example", MEF_OF_CONFIG), GBA_OK);
    CU_ASSERT_EQUAL(g->end_config(g, GBA_OK), GBA_OK);
    CU_ASSERT_EQUAL(log_->note(log_, &event, WORLD_T0), GBA_OK);
    check_whole(0); /* but for other rows of the configuration all is there */

    CU_ASSERT_EQUAL(g->begin_config(g), GBA_OK);
    CU_ASSERT_EQUAL(g->add_enrolee(g, &e, MEF_OF_CONFIG), GBA_OK);
    CU_ASSERT_EQUAL(g->end_config(g, GBA_OK), GBA_OK);
    CU_ASSERT_EQUAL(log_->note(log_, &event, WORLD_T0), GBA_OK);
    check_whole(3);
    CU_ASSERT(has("\"configuration\",\"what\":\"enrolment.end\"") &&
              has("\"configuration\",\"what\":\"registration.end\"") && has("key.end"));
    CU_ASSERT_EQUAL(w.store->get_key(w.store, "AB", &key), GBA_E_NOT_FOUND);

    add_reg_and_key();
    put_ke(2);
    CU_ASSERT_EQUAL(g->begin_config(g), GBA_OK);
    CU_ASSERT_EQUAL(g->end_config(g, GBA_OK), GBA_OK);
    CU_ASSERT_EQUAL(log_->note(log_, &event, WORLD_T0), GBA_OK);
    check_whole(6);
    CU_ASSERT_EQUAL(w.store->get_ke(w.store, "02@mef.example", &ke), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(w.store->get_key(w.store, "AB", &key), GBA_E_NOT_FOUND);
    end();
}

/* ------------------------------------------------------------ a file that is not whole */

/* The process ended in the middle of a line. */
static void test_torn(void)
{
    for (size_t cut = 1; cut < 150; cut += 37) {
        size_t n;

        begin(2);
        CU_ASSERT_EQUAL(note("three"), GBA_OK);
        n = read_log();
        memset(text + n, 'a', cut);
        write_log(text, n + cut);
        CU_ASSERT(!again());
        check_whole(3);
        end();
    }
}

/* The very first line, too. */
static void test_torn_first(void)
{
    begin(0);
    CU_ASSERT_EQUAL(note("one"), GBA_OK);
    write_log("0123", 4);
    CU_ASSERT(!again());
    check_whole(1);
    end();
}

/* The line is in the file, and still waits: it is not written twice. */
static void test_not_doubled(void)
{
    size_t n;

    begin(1);
    CU_ASSERT_EQUAL(note("two"), GBA_OK);
    CU_ASSERT_EQUAL(note("three"), GBA_OK);
    {
        static char copy[1 << 16];
        sqlite3_stmt *st;
        sqlite3 *db;

        sqlite3_open(w.file, &db);
        sqlite3_prepare_v2(db, "SELECT line FROM audit WHERE n=2", -1, &st, NULL);
        CU_ASSERT_EQUAL(sqlite3_step(st), SQLITE_ROW);
        n = read_log();
        n = (size_t)snprintf(copy, sizeof(copy), "%s%s\n", text, sqlite3_column_text(st, 0));
        sqlite3_finalize(st);
        sqlite3_close(db);
        write_log(copy, n);
    }
    CU_ASSERT(!again());
    check_whole(3);
    end();
}

static void test_altered(void)
{
    static char whole[1 << 16];
    size_t n, line;
    char *second;

    begin(5);
    n = read_log();
    memcpy(whole, text, n + 1);
    line = (size_t)(strchr(whole, '\n') + 1 - whole); /* they are of one length */
    second = text + line;
    CU_ASSERT_EQUAL(5 * line, n);

    second[line - 5] ^= 1;
    write_log(text, n);
    check_altered(2);
    memcpy(text, whole, n); /* the second is gone */
    memmove(second, second + line, 3 * line);
    write_log(text, n - line);
    check_altered(2);
    memcpy(text, whole, n); /* two are exchanged */
    memcpy(second, whole + 2 * line, line);
    memcpy(second + line, whole + line, line);
    write_log(text, n);
    check_altered(2);
    memcpy(text, whole, n); /* the last two are gone */
    write_log(text, 3 * line);
    check_altered(4);
    memcpy(text + n, whole + 4 * line, line); /* the last is there twice */
    memcpy(text, whole, n);
    write_log(text, n + line);
    check_altered(6);
    write_log("", 0);
    check_altered(1);
    memcpy(text, whole, n); /* something behind a NUL */
    memmove(second + 10, second, 4 * line);
    memcpy(second - 1, "\0abcdefghi\n", 11);
    write_log(text, n + 10);
    check_altered(1);
    write_log(whole, n);
    check_whole(5);
    end();
}

/* A start says so when the end is not as it was, and goes on behind it. */
static void test_start_tells(void)
{
    static char whole[1 << 16];
    size_t n, line;
    uint64_t at;

    begin(3);
    n = read_log();
    memcpy(whole, text, n + 1);
    line = n / 3;
    write_log(whole, n - line);
    CU_ASSERT(again());
    CU_ASSERT_EQUAL(note("on"), GBA_OK);
    check_altered(3);
    CU_ASSERT_EQUAL(lines(), 3);
    CU_ASSERT(strstr(text, "\"on\"") != NULL);
    write_log(whole, n);
    memcpy(text, whole, n);
    memcpy(text + n, "x\n", 3); /* ahead: not ours, and kept */
    write_log(text, n + 2);
    CU_ASSERT(again());
    CU_ASSERT_EQUAL(verify(&at), GBA_E_ALTERED);
    CU_ASSERT_EQUAL(at, 4);
    CU_ASSERT_EQUAL(lines(), 4);
    end();
}

/* A long line of others' at the end is kept, and ours begins a line. */
static void test_foreign_end(void)
{
    char *much = malloc(3 * MEF_AUDIT_LINE_MAX);

    CU_ASSERT_FATAL(much != NULL);
    memset(much, 'x', 3 * MEF_AUDIT_LINE_MAX);
    begin(0);
    write_log(much, 3 * MEF_AUDIT_LINE_MAX);
    CU_ASSERT_EQUAL(note("one"), GBA_OK);
    check_altered(1);
    CU_ASSERT_EQUAL(lines(), 2);
    CU_ASSERT_EQUAL(memcmp(text, much, 3 * MEF_AUDIT_LINE_MAX), 0);
    end();
    free(much);
}

/* Moved away while mefd runs: lines go where the name says. */
static void test_moved(void)
{
    char away[160];

    begin(2);
    snprintf(away, sizeof(away), "%s.away", file);
    CU_ASSERT_EQUAL(rename(file, away), 0);
    CU_ASSERT_EQUAL(note("three"), GBA_OK);
    CU_ASSERT_EQUAL(log_->flush(log_), GBA_OK);
    CU_ASSERT_EQUAL(lines(), 1);
    check_altered(1);
    unlink(away);
    end();
}

/* A file that is younger than the database, as after a restore: the first line that the
 * database does not know shows, also with lines that waited in it behind all. */
static void test_younger(void)
{
    char old[128], command[200];
    sqlite3 *db;

    begin(3);
    CU_ASSERT_EQUAL(note("waits"), GBA_OK);
    snprintf(old, sizeof(old), "%s.old", w.file);
    snprintf(command, sizeof(command), "VACUUM INTO '%s'", old);
    sqlite3_open(w.file, &db);
    CU_ASSERT_EQUAL(sqlite3_exec(db, command, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(note("later"), GBA_OK);
    check_whole(7);
    CU_ASSERT(!again()); /* nothing is in the write-ahead log, which stays */
    CU_ASSERT_EQUAL(rename(old, w.file), 0);
    CU_ASSERT(again());
    check_altered(5);
    end();
}

/* A link in the file's place is not followed; lines wait. */
static void test_link(void)
{
    char away[160];

    begin(2);
    snprintf(away, sizeof(away), "%s.away", file);
    CU_ASSERT_EQUAL(rename(file, away), 0);
    CU_ASSERT_EQUAL(symlink(away, file), 0);
    CU_ASSERT_EQUAL(note("three"), GBA_OK);
    CU_ASSERT_EQUAL(log_->flush(log_), GBA_E_IO);
    CU_ASSERT_EQUAL(waiting(), 1);
    CU_ASSERT_EQUAL(rename(away, file), 0);
    check_whole(3);
    end();
}

/* More than go to the file at a time, also where a part was written before the process ended.
 */
static void test_many(void)
{
    const unsigned n = 2 * MEF_DB_AUDIT_MAX + 1;

    begin(0);
    CU_ASSERT_EQUAL(w.registry->begin(w.registry), GBA_OK);
    for (unsigned i = 0; i < n; i++)
        CU_ASSERT_EQUAL(note("x"), GBA_OK);
    CU_ASSERT_EQUAL(w.registry->end(w.registry, GBA_OK), GBA_OK);
    CU_ASSERT_EQUAL(waiting(), n);
    CU_ASSERT_EQUAL(log_->flush(log_), GBA_OK);
    CU_ASSERT_EQUAL(waiting(), 0);
    check_whole(n);
    CU_ASSERT(!again());
    check_whole(n);
    CU_ASSERT_EQUAL(w.registry->begin(w.registry), GBA_OK);
    for (unsigned i = 0; i < n; i++)
        CU_ASSERT_EQUAL(note("y"), GBA_OK);
    CU_ASSERT_EQUAL(w.registry->end(w.registry, GBA_OK), GBA_OK);
    CU_ASSERT(!again()); /* which writes all before anybody comes */
    CU_ASSERT_EQUAL(waiting(), 0);
    check_whole(2 * n);
    end();
}

/* A disk that is full in the middle of a line: it waits, and the file is whole. */
static void test_full_disk(void)
{
    struct rlimit before, full;
    size_t n;

    begin(2);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    for (int i = 0; i < 200; i++)
        CU_ASSERT_EQUAL(note("waits"), GBA_OK);
    n = read_log();
    full = (struct rlimit){n + 1000, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &full);
    CU_ASSERT_EQUAL(log_->flush(log_), GBA_E_IO);
    setrlimit(RLIMIT_FSIZE, &before);
    n = read_log();
    CU_ASSERT(n > 0 && text[n - 1] == '\n');
    CU_ASSERT_EQUAL(waiting(), 200);
    CU_ASSERT_EQUAL(log_->flush(log_), GBA_OK);
    CU_ASSERT_EQUAL(waiting(), 0);
    check_whole(202);
    end();
}

static void test_refused(void)
{
    struct mef_audit *other;
    char name[160];
    bool altered;
    int fd;

    begin(0);
    CU_ASSERT_EQUAL(mef_audit_file_open(w.store, w.folder, &other, &altered), GBA_E_IO);
    CU_ASSERT_PTR_NULL(other);
    snprintf(name, sizeof(name), "%s/link", w.folder);
    CU_ASSERT_EQUAL(symlink(file, name), 0);
    CU_ASSERT_EQUAL(mef_audit_file_open(w.store, name, &other, &altered), GBA_E_IO);
    unlink(name);
    fd = open(name, O_CREAT | O_WRONLY, 0600);
    fchmod(fd, 0620);
    close(fd);
    CU_ASSERT_EQUAL(mef_audit_file_open(w.store, name, &other, &altered), GBA_E_FORBIDDEN);
    unlink(name);
    CU_ASSERT_EQUAL(mkfifo(name, 0600), 0);
    CU_ASSERT_EQUAL(mef_audit_file_open(w.store, name, &other, &altered), GBA_E_FORBIDDEN);
    unlink(name);
    mef_audit_file_close(NULL);
    end();
}

static const struct unit_test tests[] = {
    {"the form of a line", test_line},
    {"its hash", test_hash},
    {"what follows what", test_follows},
    {"a line that is too long", test_too_long},
    {"lines are written", test_written},
    {"lines that wait survive", test_waiting},
    {"one transaction", test_transaction},
    {"what goes along", test_goes_along},
    {"what stays", test_stays},
    {"rows that go along", test_rows_go_along},
    {"rows of the configuration go", test_configuration_goes},
    {"a torn line is written again", test_torn},
    {"also the first one", test_torn_first},
    {"a written line is not doubled", test_not_doubled},
    {"what was altered shows", test_altered},
    {"the start tells", test_start_tells},
    {"a foreign end", test_foreign_end},
    {"moved away", test_moved},
    {"younger than the database", test_younger},
    {"a link in its place", test_link},
    {"more than at a time", test_many},
    {"a full disk", test_full_disk},
    {"files that are refused", test_refused},
};
UNIT_MAIN("mef_audit", tests)
