/*
 * naf/mef_sweeper.c over the real store, with virtual time: what has a lifetime is there a
 * second before its end and gone at it, from the database's file and its write-ahead log too.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_sweeper.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "naf/mef_audit_file.h"
#include "tests/naf/mef_world.h"
#include "tests/unit.h"

#define SEALED 60 /* octets of a sealed key: nonce, key, tag */

static struct mef_world w;
static _Atomic int64_t now_s;
static struct mef_sweeper *sweeper;

static int64_t virtual_now(void *arg)
{
    return atomic_load((_Atomic int64_t *)arg);
}

static void at(int64_t t)
{
    atomic_store(&now_s, t);
    mef_sweeper_wake(sweeper);
}

static void begin(void)
{
    const struct mef_sweeper_clock clock = {virtual_now, &now_s};

    mef_world_begin(&w);
    atomic_store(&now_s, WORLD_T0);
    CU_ASSERT_EQUAL_FATAL(mef_sweeper_start_by(&clock, w.store, NULL, NULL, &sweeper), GBA_OK);
}

static void end(void)
{
    mef_sweeper_stop(sweeper);
    mef_world_end(&w);
}

/* A value as it lies in the database, by a connection of its own. */
static void read_sealed(const char *sql, uint8_t out[static SEALED])
{
    sqlite3_stmt *st;
    sqlite3 *db;

    CU_ASSERT_EQUAL_FATAL(sqlite3_open(w.file, &db), SQLITE_OK);
    CU_ASSERT_EQUAL_FATAL(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    CU_ASSERT_EQUAL_FATAL(sqlite3_step(st), SQLITE_ROW);
    CU_ASSERT_FATAL(sqlite3_column_bytes(st, 0) >= SEALED);
    memcpy(out, sqlite3_column_blob(st, 0), SEALED);
    sqlite3_finalize(st);
    sqlite3_close(db);
}

static bool file_holds(const char *suffix, const void *octets, size_t n)
{
    static char text[1 << 21];
    char name[128];
    int fd;
    ssize_t got;

    snprintf(name, sizeof(name), "%s%s", w.file, suffix);
    fd = open(name, O_RDONLY);
    got = fd >= 0 ? read(fd, text, sizeof(text)) : 0;
    if (fd >= 0)
        close(fd);
    CU_ASSERT(got < (ssize_t)sizeof(text));
    return got > 0 && memmem(text, (size_t)got, octets, n) != NULL;
}

static bool on_disk(const void *octets, size_t n)
{
    return file_holds("", octets, n) || file_holds("-wal", octets, n);
}

static void put_ke(const char *id, int64_t expires_s)
{
    struct mef_ke ke = {.created_s = WORLD_T0, .expires_s = expires_s};

    strcpy(ke.key_id, id);
    strcpy(ke.enrolee, WORLD_ENROLEE);
    memset(ke.ke.octets, 0x5a, sizeof(ke.ke.octets));
    CU_ASSERT_EQUAL(w.store->put_ke(w.store, &ke), GBA_OK);
}

static void add_key(const char *id, unsigned suid, int64_t expires_s)
{
    static struct mef_key key;

    key = (struct mef_key){.suid = suid, .created_s = WORLD_T0, .expires_s = expires_s};
    strcpy(key.relative_id, id);
    strcpy(key.creator, WORLD_ENROLEE);
    strcpy(key.admin_fqdn, "a.example");
    strcpy(key.targets, WORLD_CSE "\n");
    memset(key.key.octets, 0xa5, sizeof(key.key.octets));
    CU_ASSERT_EQUAL(w.store->add_key(w.store, &key, 10), GBA_OK);
}

static void add_reg(const char *ri, const char *admin, int64_t expires_s)
{
    static struct mef_reg reg, live;

    reg = (struct mef_reg){.created_s = WORLD_T0, .expires_s = expires_s};
    strcpy(reg.ri, ri);
    strcpy(reg.creator, WORLD_ENROLEE);
    strcpy(reg.admin_fqdn, admin);
    CU_ASSERT_EQUAL(w.store->add_reg(w.store, &reg, WORLD_T0, 10, &live), GBA_OK);
}

static enum gba_err get_ke(const char *id)
{
    static struct mef_ke ke;

    return w.store->get_ke(w.store, id, &ke);
}

static enum gba_err get_key(const char *id)
{
    static struct mef_key key;

    return w.store->get_key(w.store, id, &key);
}

static enum gba_err get_reg(const char *ri)
{
    static struct mef_reg reg;

    return w.store->get_reg(w.store, ri, &reg);
}

/* Sealed keys, by the time they end: Ke, Km (SUID 21), Kpsa (SUID 22). */
static void test_keys(void)
{
    static const struct {
        const char *id, *sql;
        enum gba_err (*get)(const char *id);
        int64_t life_s;
    } rows[] = {
        {"KE@mef.example", "SELECT key FROM ke WHERE id='KE@mef.example'", get_ke, 100},
        {"AB", "SELECT key FROM key WHERE id='AB'", get_key, 200},
        {"CD", "SELECT key FROM key WHERE id='CD'", get_key, 300},
    };
    uint8_t sealed[3][SEALED], kept[SEALED];

    begin();
    put_ke("KE@mef.example", WORLD_T0 + 100);
    put_ke("LATER@mef.example", WORLD_T0 + 1000);
    add_key("AB", 21, WORLD_T0 + 200);
    add_key("CD", 22, WORLD_T0 + 300);
    read_sealed("SELECT key FROM ke WHERE id='LATER@mef.example'", kept);
    for (size_t i = 0; i < 3; i++)
        read_sealed(rows[i].sql, sealed[i]);
    for (size_t i = 0; i < 3; i++) {
        at(WORLD_T0 + rows[i].life_s - 1);
        CU_ASSERT_EQUAL(rows[i].get(rows[i].id), GBA_OK);
        CU_ASSERT(on_disk(sealed[i], SEALED));
        at(WORLD_T0 + rows[i].life_s);
        CU_ASSERT_EQUAL(rows[i].get(rows[i].id), GBA_E_NOT_FOUND);
        CU_ASSERT(!on_disk(sealed[i], SEALED));
        for (size_t part = 0; part + 16 <= SEALED; part += 16) /* not in pieces either */
            CU_ASSERT(!on_disk(sealed[i] + part, 16));
        for (size_t j = i + 1; j < 3; j++)
            CU_ASSERT(rows[j].get(rows[j].id) == GBA_OK && on_disk(sealed[j], SEALED));
    }
    CU_ASSERT(get_ke("LATER@mef.example") == GBA_OK && on_disk(kept, SEALED));
    end();
}

static void test_registrations(void)
{
    begin();
    add_reg("rFIRST", "a.example", WORLD_T0 + 10);
    add_reg("rSECOND", "b.example", WORLD_T0 + 11);
    at(WORLD_T0 + 9);
    CU_ASSERT(get_reg("rFIRST") == GBA_OK && get_reg("rSECOND") == GBA_OK);
    at(WORLD_T0 + 10);
    CU_ASSERT(get_reg("rFIRST") == GBA_E_NOT_FOUND && get_reg("rSECOND") == GBA_OK);
    CU_ASSERT(!on_disk("rFIRST", 6) && on_disk("rSECOND", 7));
    at(WORLD_T0 + 11);
    CU_ASSERT_EQUAL(get_reg("rSECOND"), GBA_E_NOT_FOUND);
    CU_ASSERT(!on_disk("rSECOND", 7));
    end();
}

/* A Kpm with an end, and what an instruction allows until then; others have none. */
static void test_rows(void)
{
    struct mef_credential kpm = {
        .kind = MEF_CRED_PSK, .name = "kpm", .key_len = 32, .expires_s = WORLD_T0 + 10};
    struct mef_credential got;
    struct mef_instruction i;
    static const unsigned saef[] = {22};
    uint8_t sealed[SEALED];

    begin();
    strcpy(kpm.enrolee, WORLD_OTHER);
    memset(kpm.key, 7, 32);
    CU_ASSERT_EQUAL(w.registry->add_credential(w.registry, &kpm, MEF_OF_ADMIN), GBA_OK);
    mef_world_allow(&w, WORLD_OTHER, WORLD_CSE, saef, 1, WORLD_T0 + 20);
    read_sealed("SELECT key FROM credential WHERE name='kpm'", sealed);
    at(WORLD_T0 + 9);
    CU_ASSERT_EQUAL(w.registry->credential(w.registry, MEF_CRED_PSK, "kpm", &got), GBA_OK);
    at(WORLD_T0 + 10);
    CU_ASSERT_EQUAL(w.registry->credential(w.registry, MEF_CRED_PSK, "kpm", &got),
                    GBA_E_NOT_FOUND);
    CU_ASSERT(!on_disk(sealed, SEALED));
    at(WORLD_T0 + 19);
    CU_ASSERT_EQUAL(w.registry->instruction(w.registry, WORLD_OTHER, WORLD_CSE, &i), GBA_OK);
    at(WORLD_T0 + 20);
    CU_ASSERT_EQUAL(w.registry->instruction(w.registry, WORLD_OTHER, WORLD_CSE, &i),
                    GBA_E_NOT_FOUND);
    at(INT64_MAX);
    CU_ASSERT_EQUAL(w.registry->instruction(w.registry, WORLD_ENROLEE, WORLD_CSE, &i), GBA_OK);
    CU_ASSERT_EQUAL(w.registry->credential(w.registry, MEF_CRED_GBA, WORLD_IMPI, &got), GBA_OK);
    end();
}

/* ------------------------------------------------------------ the audit log */

#define MANY 2500 /* more than go in one transaction */

static unsigned count_lines(const char *file, const char *part)
{
    char line[2048];
    unsigned n = 0;
    FILE *f = fopen(file, "r");

    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    while (fgets(line, sizeof(line), f) != NULL)
        n += strstr(line, part) != NULL;
    fclose(f);
    return n;
}

static void put_many(void)
{
    struct mef_ke ke = {.created_s = WORLD_T0, .expires_s = WORLD_T0 + 30};

    CU_ASSERT_EQUAL(w.registry->begin(w.registry), GBA_OK);
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(ke.key_id, sizeof(ke.key_id), "%04u@mef.example", i);
        snprintf(ke.enrolee, sizeof(ke.enrolee), "//sp.example/c/C%u", i);
        CU_ASSERT_EQUAL(w.store->put_ke(w.store, &ke), GBA_OK);
    }
    CU_ASSERT_EQUAL(w.registry->end(w.registry, GBA_OK), GBA_OK);
}

static void put_each(void)
{
    struct mef_credential kpm = {
        .kind = MEF_CRED_PSK, .name = "kpm", .key_len = 32, .expires_s = WORLD_T0 + 10};
    static const unsigned saef[] = {22};

    strcpy(kpm.enrolee, WORLD_ENROLEE);
    CU_ASSERT_EQUAL(w.registry->add_credential(w.registry, &kpm, MEF_OF_ADMIN), GBA_OK);
    mef_world_enrolee(&w, "three@example", "//sp.example/c/Cthree");
    mef_world_allow(&w, "//sp.example/c/Cthree", WORLD_CSE, saef, 1, WORLD_T0 + 10);
    put_ke("KE@mef.example", WORLD_T0 + 10);
    add_key("AB", 22, WORLD_T0 + 10);
    add_reg("rFIRST", "a.example", WORLD_T0 + 10);
    put_ke("STAYS@mef.example", WORLD_T0 + 100);
}

/* Each that goes has its line, also of thousands. */
static void test_noted(void)
{
    static const char *const each[] = {
        "enrolment.end\",\"for\":\"" WORLD_ENROLEE "\",\"key_id\":\"KE@mef.example\"}",
        "key.end\",\"for\":\"" WORLD_ENROLEE "\",\"key_id\":\"AB\",\"suid\":22}",
        "registration.end\",\"for\":\"" WORLD_ENROLEE "\",\"key_id\":\"rFIRST\"}",
        "credential.end\",\"for\":\"" WORLD_ENROLEE "\",\"key_id\":\"kpm\"}",
        "instruction.end\",\"for\":\"//sp.example/c/Cthree\",\"target\":\"" WORLD_CSE "\"}",
    };
    const struct mef_sweeper_clock clock = {virtual_now, &now_s};
    struct mef_audit *audit;
    char file[128];
    bool altered;
    uint64_t n;

    mef_world_begin(&w);
    snprintf(file, sizeof(file), "%s.audit", w.file);
    CU_ASSERT_EQUAL_FATAL(mef_audit_file_open(w.store, file, &audit, &altered), GBA_OK);
    atomic_store(&now_s, WORLD_T0);
    CU_ASSERT_EQUAL_FATAL(mef_sweeper_start_by(&clock, w.store, audit, NULL, &sweeper), GBA_OK);
    put_each();
    at(WORLD_T0 + 9);
    CU_ASSERT_EQUAL(count_lines(file, ""), 0);
    at(WORLD_T0 + 10);
    CU_ASSERT_EQUAL(count_lines(file, "\"time\":\"2026-01-01T00:00:10Z\",\"who\":\"sweeper\""),
                    5);
    for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++)
        CU_ASSERT_EQUAL(count_lines(file, each[i]), 1);
    put_many();
    at(WORLD_T0 + 30);
    CU_ASSERT_EQUAL(count_lines(file, "enrolment.end"), MANY + 1);
    CU_ASSERT_EQUAL(get_ke("STAYS@mef.example"), GBA_OK);
    mef_sweeper_stop(sweeper);
    CU_ASSERT_EQUAL(audit->verify(audit, &n), GBA_OK);
    CU_ASSERT_EQUAL(n, MANY + 5);
    mef_audit_file_close(audit);
    mef_world_end(&w);
}

static enum gba_err no_note(struct mef_audit *self, const struct mef_audit_event *e, int64_t t)
{
    (void)self, (void)e, (void)t;
    return GBA_E_IO;
}

/* What cannot be noted stays, expired as it is. */
static void test_not_noted(void)
{
    struct mef_audit broken = {.note = no_note};
    size_t n;

    mef_world_begin(&w);
    put_ke("KE@mef.example", WORLD_T0);
    CU_ASSERT_EQUAL(w.store->sweep(w.store, WORLD_T0, &broken, &n), GBA_E_IO);
    CU_ASSERT_EQUAL(n, 0);
    CU_ASSERT_EQUAL(get_ke("KE@mef.example"), GBA_OK);
    mef_world_end(&w);
}

/* By itself, once a second, and by the system's clock where no other is given. */
static void test_by_itself(void)
{
    mef_world_begin(&w);
    CU_ASSERT_EQUAL_FATAL(mef_sweeper_start(w.store, NULL, NULL, &sweeper), GBA_OK);
    put_ke("PAST@mef.example", 1);
    put_ke("FUTURE@mef.example", INT64_MAX);
    for (int i = 0; i < 300 && get_ke("PAST@mef.example") == GBA_OK; i++)
        usleep(100000);
    CU_ASSERT_EQUAL(get_ke("PAST@mef.example"), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(get_ke("FUTURE@mef.example"), GBA_OK);
    end();
    mef_sweeper_stop(NULL);
}

/* The clock that people set, as both this program and naf/mef_sweeper.c see it: a second that
 * began when it was ahead ends no later when it is set back. */
static _Atomic time_t ahead_s;

int clock_gettime(clockid_t clock, struct timespec *t)
{
    long err = syscall(SYS_clock_gettime, clock, t);

    if (err == 0 && clock == CLOCK_REALTIME)
        t->tv_sec += atomic_load(&ahead_s);
    return (int)err;
}

static void test_clock_set_back(void)
{
    atomic_store(&ahead_s, 86400);
    begin();
    usleep(300000); /* it waits for the end of a second of then */
    atomic_store(&ahead_s, 0);
    put_ke("KE@mef.example", WORLD_T0);
    for (int i = 0; i < 100 && get_ke("KE@mef.example") == GBA_OK; i++)
        usleep(100000);
    CU_ASSERT_EQUAL(get_ke("KE@mef.example"), GBA_E_NOT_FOUND);
    end();
}

static const struct unit_test tests[] = {
    {"sealed keys go at their end", test_keys},
    {"registrations go at their end", test_registrations},
    {"rows with an end", test_rows},
    {"each has its line in the audit log", test_noted},
    {"what cannot be noted stays", test_not_noted},
    {"by itself, by the system's clock", test_by_itself},
    {"the clock is set back", test_clock_set_back},
};
UNIT_MAIN("mef_sweeper", tests)
