/*
 * naf/mef_store_sqlite.c and naf/mef_master_key.c: what is kept over a restart, what hangs on
 * what, sealing, and files that are not ours.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_store_sqlite.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/naf/mef_world.h"
#include "tests/unit.h"

static struct mef_world w;

static struct mef_ke make_ke(const char *id, int64_t created_s, int64_t expires_s)
{
    struct mef_ke ke = {.created_s = created_s, .expires_s = expires_s};

    strcpy(ke.key_id, id);
    strcpy(ke.enrolee, WORLD_ENROLEE);
    memset(ke.ke.octets, 0x5a, sizeof(ke.ke.octets));
    return ke;
}

static struct mef_reg make_reg(const char *ri, const char *admin, int64_t expires_s)
{
    struct mef_reg reg = {.created_s = 1, .modified_s = 2, .expires_s = expires_s};

    strcpy(reg.ri, ri);
    strcpy(reg.creator, WORLD_ENROLEE);
    strcpy(reg.admin_fqdn, admin);
    strcpy(reg.labels, "a\nb\n");
    return reg;
}

static struct mef_key make_key(const char *id, const char *admin, int64_t expires_s)
{
    struct mef_key key = {.suid = 22, .created_s = 1, .modified_s = 2, .expires_s = expires_s};

    strcpy(key.relative_id, id);
    strcpy(key.creator, WORLD_ENROLEE);
    strcpy(key.admin_fqdn, admin);
    strcpy(key.labels, "");
    strcpy(key.targets, WORLD_CSE "\n");
    memset(key.key.octets, 0xa5, sizeof(key.key.octets));
    return key;
}

static enum gba_err add_reg(const struct mef_reg *reg, int64_t now_s, struct mef_reg *live)
{
    return w.store->add_reg(w.store, reg, now_s, 3, live);
}

static void test_survives(void)
{
    struct mef_ke ke = make_ke("AB@mef.example", 1, 100), ke2;
    struct mef_reg reg = make_reg("r1", "admin.example", 100), reg2;
    struct mef_key key = make_key("CD", "admin.example", 100), key2;

    mef_world_begin(&w);
    CU_ASSERT_EQUAL(w.store->put_ke(w.store, &ke), GBA_OK);
    CU_ASSERT_EQUAL(add_reg(&reg, 0, &reg2), GBA_OK);
    CU_ASSERT_EQUAL(w.store->add_key(w.store, &key, 3), GBA_OK);
    mef_world_reopen(&w);
    CU_ASSERT_EQUAL(w.store->get_ke(w.store, "AB@mef.example", &ke2), GBA_OK);
    CU_ASSERT(gba_equal_ct(&ke, &ke2, sizeof(ke)));
    CU_ASSERT_EQUAL(w.store->get_reg(w.store, "r1", &reg2), GBA_OK);
    CU_ASSERT_EQUAL(memcmp(&reg, &reg2, sizeof(reg)), 0);
    CU_ASSERT_EQUAL(w.store->get_key(w.store, "CD", &key2), GBA_OK);
    CU_ASSERT(gba_equal_ct(&key, &key2, sizeof(key)));
    CU_ASSERT_EQUAL(w.store->get_key(w.store, "CE", &key2), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(w.store->get_reg(w.store, "r2", &reg2), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(w.store->get_ke(w.store, "", &ke2), GBA_E_NOT_FOUND);
    mef_world_end(&w);
}

/* A KeID keeps its first Ke; of one enrolee the youngest sixteen stay. */
static void test_kes(void)
{
    struct mef_ke ke = make_ke("AB@mef.example", 1, 100), other = ke, got;
    char id[32];

    mef_world_begin(&w);
    CU_ASSERT_EQUAL(w.store->put_ke(w.store, &ke), GBA_OK);
    other.ke.octets[0] = 0;
    CU_ASSERT_EQUAL(w.store->put_ke(w.store, &other), GBA_OK);
    CU_ASSERT_EQUAL(w.store->get_ke(w.store, "AB@mef.example", &got), GBA_OK);
    CU_ASSERT_EQUAL(got.ke.octets[0], 0x5a);
    for (int i = 0; i < MEF_KES_MAX; i++) {
        snprintf(id, sizeof(id), "%02d@mef.example", i);
        ke = make_ke(id, 2 + i, 100);
        CU_ASSERT_EQUAL(w.store->put_ke(w.store, &ke), GBA_OK);
    }
    CU_ASSERT_EQUAL(w.store->get_ke(w.store, "AB@mef.example", &got), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(w.store->get_ke(w.store, "00@mef.example", &got), GBA_OK);
    mef_world_end(&w);
}

static void test_one_registration(void)
{
    struct mef_reg reg = make_reg("r1", "admin.example", 100), live;
    struct mef_reg again = make_reg("r2", "admin.example", 200);

    mef_world_begin(&w);
    CU_ASSERT_EQUAL(add_reg(&reg, 0, &live), GBA_OK);
    CU_ASSERT_EQUAL(add_reg(&again, 99, &live), GBA_E_EXISTS);
    CU_ASSERT_STRING_EQUAL(live.ri, "r1");
    CU_ASSERT_EQUAL(add_reg(&again, 100, &live), GBA_OK); /* the first has expired */
    CU_ASSERT_EQUAL(w.store->get_reg(w.store, "r1", &live), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(w.store->find_reg(w.store, WORLD_ENROLEE, "admin.example", &live), GBA_OK);
    CU_ASSERT_STRING_EQUAL(live.ri, "r2");
    reg = make_reg("r3", "b.example", 100);
    CU_ASSERT_EQUAL(add_reg(&reg, 0, &live), GBA_OK);
    reg = make_reg("r4", "c.example", 100);
    CU_ASSERT_EQUAL(add_reg(&reg, 0, &live), GBA_OK);
    reg = make_reg("r5", "d.example", 100);
    CU_ASSERT_EQUAL(add_reg(&reg, 0, &live), GBA_E_OVERLOAD);
    mef_world_end(&w);
}

static void test_updates(void)
{
    struct mef_reg reg = make_reg("r1", "admin.example", 100), live;
    struct mef_key key = make_key("AA", "admin.example", 100), got;

    mef_world_begin(&w);
    CU_ASSERT_EQUAL(w.store->set_reg(w.store, &reg), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(w.store->set_key(w.store, &key), GBA_E_NOT_FOUND);
    add_reg(&reg, 0, &live);
    CU_ASSERT_EQUAL(w.store->add_key(w.store, &key, 1), GBA_OK);
    CU_ASSERT_EQUAL(w.store->add_key(w.store, &key, 2), GBA_E_EXISTS);
    strcpy(key.relative_id, "BB");
    CU_ASSERT_EQUAL(w.store->add_key(w.store, &key, 1), GBA_E_OVERLOAD);
    strcpy(key.relative_id, "AA");
    reg.expires_s = key.expires_s = 500;
    strcpy(reg.labels, "");
    strcpy(key.labels, "x\n");
    CU_ASSERT_EQUAL(w.store->set_reg(w.store, &reg), GBA_OK);
    CU_ASSERT_EQUAL(w.store->set_key(w.store, &key), GBA_OK);
    CU_ASSERT_EQUAL(w.store->get_reg(w.store, "r1", &live), GBA_OK);
    CU_ASSERT(live.expires_s == 500 && live.labels[0] == '\0');
    CU_ASSERT_EQUAL(w.store->get_key(w.store, "AA", &got), GBA_OK);
    CU_ASSERT(got.expires_s == 500 && strcmp(got.labels, "x\n") == 0);
    CU_ASSERT_EQUAL(w.store->del_key(w.store, "AA"), GBA_OK);
    CU_ASSERT_EQUAL(w.store->del_key(w.store, "AA"), GBA_E_NOT_FOUND);
    mef_world_end(&w);
}

/* 8.3.5.2.6: the record goes, and the keys with it. */
static void test_deregistration(void)
{
    struct mef_reg a = make_reg("r1", "a.example", 100), b = make_reg("r2", "b.example", 100),
                   live;
    struct mef_key ka = make_key("AA", "a.example", 100), kb = make_key("BB", "b.example", 100),
                   got;
    struct mef_ke ke = make_ke("AB@mef.example", 1, 100), ke2;

    mef_world_begin(&w);
    add_reg(&a, 0, &live);
    add_reg(&b, 0, &live);
    w.store->add_key(w.store, &ka, 3);
    w.store->add_key(w.store, &kb, 3);
    w.store->put_ke(w.store, &ke);
    CU_ASSERT_EQUAL(w.store->del_reg(w.store, "r1"), GBA_OK);
    CU_ASSERT_EQUAL(w.store->del_reg(w.store, "r1"), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(w.store->get_key(w.store, "AA", &got), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(w.store->get_key(w.store, "BB", &got), GBA_OK);
    CU_ASSERT_EQUAL(w.store->get_ke(w.store, "AB@mef.example", &ke2), GBA_OK);
    CU_ASSERT_EQUAL(w.store->del_reg(w.store, "r2"), GBA_OK);
    CU_ASSERT_EQUAL(w.store->get_ke(w.store, "AB@mef.example", &ke2), GBA_E_NOT_FOUND);
    mef_world_end(&w);
}

static bool file_holds(const char *file, const char *octets, size_t n)
{
    static char text[1 << 20];
    int fd = open(file, O_RDONLY);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof(text)) : 0;

    if (fd >= 0)
        close(fd);
    return got > 0 && memmem(text, (size_t)got, octets, n) != NULL;
}

static void test_sweep_wipes(void)
{
    struct mef_key key = make_key("AA", "a.example", 100);
    struct mef_ke ke = make_ke("SWEPT@mef.example", 1, 101), got;
    char wal[128];
    size_t n;

    mef_world_begin(&w);
    snprintf(wal, sizeof(wal), "%s-wal", w.file);
    w.store->add_key(w.store, &key, 3);
    w.store->put_ke(w.store, &ke);
    CU_ASSERT_EQUAL(w.store->sweep(w.store, 99, NULL, &n), GBA_OK);
    CU_ASSERT_EQUAL(n, 0);
    CU_ASSERT(file_holds(wal, "SWEPT", 5));
    CU_ASSERT_EQUAL(w.store->sweep(w.store, 100, NULL, &n), GBA_OK);
    CU_ASSERT_EQUAL(n, 1);
    CU_ASSERT_EQUAL(w.store->get_ke(w.store, ke.key_id, &got), GBA_OK);
    CU_ASSERT_EQUAL(w.store->sweep(w.store, 101, NULL, &n), GBA_OK);
    CU_ASSERT_EQUAL(w.store->get_ke(w.store, ke.key_id, &got), GBA_E_NOT_FOUND);
    CU_ASSERT(!file_holds(w.file, "SWEPT", 5) && !file_holds(wal, "SWEPT", 5));
    mef_world_end(&w);
}

/* Nothing of a key can be read in the file, and rows cannot be exchanged. */
static void test_sealed(void)
{
    struct mef_ke a = make_ke("AA@mef.example", 1, 100), b = make_ke("BB@mef.example", 1, 100),
                  got;
    char wal[128];
    sqlite3 *db;

    mef_world_begin(&w);
    snprintf(wal, sizeof(wal), "%s-wal", w.file);
    w.store->put_ke(w.store, &a);
    w.store->put_ke(w.store, &b);
    CU_ASSERT(!file_holds(wal, (const char *)a.ke.octets, 16));
    CU_ASSERT_EQUAL(sqlite3_open(w.file, &db), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_exec(db,
                                 "UPDATE ke SET key=(SELECT key FROM ke WHERE id LIKE 'AA%')"
                                 " WHERE id LIKE 'BB%'",
                                 NULL, NULL, NULL),
                    SQLITE_OK);
    sqlite3_close(db);
    CU_ASSERT_EQUAL(w.store->get_ke(w.store, a.key_id, &got), GBA_OK);
    CU_ASSERT_EQUAL(w.store->get_ke(w.store, b.key_id, &got), GBA_E_CRYPTO);
    mef_world_end(&w);
}

/* A disk that is full in the middle of anything: an error, nothing half stored, and it goes on
 * when there is room again. */
static void test_full_disk(void)
{
    struct rlimit before, full;
    struct mef_reg reg = make_reg("r1", "a.example", 100), live;
    struct mef_key key = make_key("AA", "a.example", 100), got;
    int refused = 0;

    mef_world_begin(&w);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    memset(key.targets, 'x', sizeof(key.targets) - 1);
    for (rlim_t room = 0; room < 300000; room += 7000) {
        enum gba_err add, get;

        full = (struct rlimit){room, before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &full);
        snprintf(key.relative_id, sizeof(key.relative_id), "K%lu", (unsigned long)room);
        add = w.store->add_key(w.store, &key, 1000);
        setrlimit(RLIMIT_FSIZE, &before);
        get = w.store->get_key(w.store, key.relative_id, &got);
        CU_ASSERT(add == GBA_OK || add == GBA_E_IO);
        CU_ASSERT_EQUAL(get, add == GBA_OK ? GBA_OK : GBA_E_NOT_FOUND);
        refused += add != GBA_OK;
    }
    CU_ASSERT(refused > 0);
    CU_ASSERT_EQUAL(add_reg(&reg, 0, &live), GBA_OK);
    mef_world_reopen(&w);
    CU_ASSERT_EQUAL(w.store->get_reg(w.store, "r1", &live), GBA_OK);
    mef_world_end(&w);
}

/* A store that answers and cannot be written is not well; it is again without anybody else's
 * transaction. */
static void test_check(void)
{
    struct rlimit before, none;
    struct mef_key key = make_key("AA", "a.example", 100), got;
    const struct mef_ke ke = make_ke("K", 1, 100);

    mef_world_begin(&w);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    none = (struct rlimit){0, before.rlim_max};
    CU_ASSERT_EQUAL(w.store->check(w.store), GBA_OK);
    CU_ASSERT_EQUAL(w.store->put_ke(w.store, &ke), GBA_OK);
    setrlimit(RLIMIT_FSIZE, &none);
    CU_ASSERT_EQUAL(w.store->add_key(w.store, &key, 1000), GBA_E_IO);
    CU_ASSERT_EQUAL(w.store->check(w.store), GBA_E_IO);
    CU_ASSERT_EQUAL(w.store->check(w.store), GBA_E_IO);
    setrlimit(RLIMIT_FSIZE, &before);
    CU_ASSERT_EQUAL(w.store->check(w.store), GBA_OK);
    CU_ASSERT_EQUAL(w.store->get_key(w.store, "AA", &got), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(w.store->add_key(w.store, &key, 1000), GBA_OK);
    mef_world_end(&w);
}

static void put_file(const char *file, const char *text, size_t n, mode_t mode)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(write(fd, text, n), (ssize_t)n);
    fchmod(fd, mode);
    close(fd);
}

static void test_foreign_files(void)
{
    struct mef_store *s;
    char why[128], name[128];
    uint8_t other[32] = {1};
    sqlite3 *db;

    mef_world_begin(&w);
    CU_ASSERT_EQUAL(mef_store_sqlite_open(w.file, other, &s, why, sizeof(why)), GBA_E_CONFIG);
    CU_ASSERT_STRING_EQUAL(why, "sealed under another master key");
    snprintf(name, sizeof(name), "%s/other", w.folder);
    put_file(name, "this is no database, it is only text\n", 37, 0600);
    CU_ASSERT_NOT_EQUAL(mef_store_sqlite_open(name, w.key, &s, why, sizeof(why)), GBA_OK);
    unlink(name);
    sqlite3_open(name, &db);
    sqlite3_exec(db, "CREATE TABLE theirs(a)", NULL, NULL, NULL);
    sqlite3_close(db);
    CU_ASSERT_EQUAL(mef_store_sqlite_open(name, w.key, &s, why, sizeof(why)), GBA_E_CONFIG);
    unlink(name);
    snprintf(name, sizeof(name), "%s/nowhere/db", w.folder);
    CU_ASSERT_EQUAL(mef_store_sqlite_open(name, w.key, &s, why, sizeof(why)), GBA_E_IO);
    snprintf(name, sizeof(name), "%s-wal", w.folder);
    mef_world_reopen(&w);
    sqlite3_open(w.file, &db);
    sqlite3_exec(db, "PRAGMA user_version=99", NULL, NULL, NULL);
    sqlite3_close(db);
    CU_ASSERT_EQUAL(mef_store_sqlite_open(w.file, w.key, &s, why, sizeof(why)), GBA_E_CONFIG);
    CU_ASSERT_STRING_EQUAL(why, "of a newer version of mefd");
    snprintf(name, sizeof(name), "%s/other-journal", w.folder);
    unlink(name);
    mef_world_end(&w);
}

/* What later versions have in tables of the first. */
#define BACK_FROM_7 "ALTER TABLE key DROP COLUMN uss;ALTER TABLE key DROP COLUMN uids;"
#define BACK_FROM_4_KE                                                                         \
    "ALTER TABLE ke DROP COLUMN uss;ALTER TABLE ke DROP COLUMN uids;" BACK_FROM_7

/* A database of the first version, which had no registry, is brought up to date in place. */
static void test_migration(void)
{
    static const char back[] =
        "DROP TABLE ke_admin;DROP TABLE command;DROP TABLE instruction;DROP TABLE credential;"
        "DROP TABLE enrolee;DROP TABLE target;DROP TABLE stakeholder;"
        "DROP TABLE batch;DROP TABLE audit;DROP TABLE audit_head;"
        "DROP INDEX key_admin;DROP INDEX reg_admin;" BACK_FROM_4_KE "PRAGMA user_version=1;";
    struct mef_ke ke = make_ke("AA@mef.example", 1, 100), got;
    struct mef_enrolee e = {.id = WORLD_ENROLEE};
    sqlite3 *db;

    mef_world_begin(&w);
    CU_ASSERT_EQUAL(w.store->put_ke(w.store, &ke), GBA_OK);
    sqlite3_open(w.file, &db);
    CU_ASSERT_EQUAL(sqlite3_exec(db, back, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    mef_world_reopen(&w);
    CU_ASSERT_EQUAL(w.store->get_ke(w.store, "AA@mef.example", &got), GBA_OK);
    CU_ASSERT_EQUAL(got.ke.octets[0], 0x5a);
    CU_ASSERT_EQUAL(w.registry->add_enrolee(w.registry, &e, MEF_OF_ADMIN), GBA_OK);
    mef_world_end(&w);
}

/* One of the second version, which had no administration: rows stay, and are followed by those
 * of the third. */
static void test_migration_of_2(void)
{
    static const char back[] =
        "DROP TABLE ke_admin;DROP TABLE command;"
        "DROP TABLE stakeholder;DROP TABLE batch;DROP TABLE audit;DROP TABLE audit_head;"
        "DROP INDEX key_admin;DROP INDEX reg_admin;" BACK_FROM_4_KE
        "ALTER TABLE target DROP COLUMN uicc;PRAGMA user_version=2;";
    struct mef_ke ke = make_ke("AA@mef.example", 1, 100), got;
    struct mef_target t;
    sqlite3 *db;

    mef_world_begin(&w);
    CU_ASSERT_EQUAL(w.store->put_ke(w.store, &ke), GBA_OK);
    sqlite3_open(w.file, &db);
    CU_ASSERT_EQUAL(sqlite3_exec(db, back, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    mef_world_reopen(&w);
    CU_ASSERT_EQUAL(w.store->get_ke(w.store, "AA@mef.example", &got), GBA_OK);
    CU_ASSERT_EQUAL(got.ke.octets[0], 0x5a);
    CU_ASSERT_EQUAL(w.registry->target_by_id(w.registry, WORLD_CSE, &t), GBA_OK);
    CU_ASSERT_EQUAL(w.registry->add_stakeholder(w.registry, "a.example", MEF_OF_ADMIN), GBA_OK);
    CU_ASSERT_EQUAL(w.registry->note_batch(w.registry, "t", 0), GBA_OK);
    CU_ASSERT_EQUAL(w.registry->note_batch(w.registry, "t", 0), GBA_E_EXISTS);
    mef_world_reopen(&w);
    CU_ASSERT_EQUAL(w.registry->stakeholder(w.registry, "b.example"), GBA_E_FORBIDDEN);
    mef_world_end(&w);
}

/* One of the third, which knew nothing of USSs: its Ke's are as by GBA without one, its targets
 * get the ME's keys; rows of the configuration may be loaded over them. */
static void test_migration_of_3(void)
{
    static const char back[] =
        "DROP TABLE ke_admin;DROP TABLE command;" BACK_FROM_4_KE
        "ALTER TABLE target DROP COLUMN uicc;PRAGMA user_version=3;";
    struct mef_ke ke = make_ke("AA@mef.example", 1, 100), got;
    struct mef_target t;
    sqlite3 *db;

    mef_world_begin(&w);
    ke.uss.kind = MEF_USS_GIVEN;
    strcpy(ke.uss.uids, WORLD_FQDN "\n");
    CU_ASSERT_EQUAL(w.store->put_ke(w.store, &ke), GBA_OK);
    sqlite3_open(w.file, &db);
    CU_ASSERT_EQUAL(sqlite3_exec(db, back, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    mef_world_reopen(&w);
    CU_ASSERT_EQUAL(w.store->get_ke(w.store, "AA@mef.example", &got), GBA_OK);
    CU_ASSERT_EQUAL(got.ke.octets[0], 0x5a);
    CU_ASSERT_EQUAL(got.uss.kind, MEF_USS_NONE);
    CU_ASSERT_STRING_EQUAL(got.uss.uids, "");
    CU_ASSERT_EQUAL(w.registry->target_by_id(w.registry, WORLD_CSE, &t), GBA_OK);
    CU_ASSERT(!t.uicc);
    t.uicc = true;
    CU_ASSERT_EQUAL(w.registry->begin_config(w.registry), GBA_OK);
    CU_ASSERT_EQUAL(w.registry->add_target(w.registry, &t, MEF_OF_CONFIG), GBA_OK);
    CU_ASSERT_EQUAL(w.registry->end_config(w.registry, GBA_OK), GBA_OK);
    strcpy(ke.key_id, "BB@mef.example");
    CU_ASSERT_EQUAL(w.store->put_ke(w.store, &ke), GBA_OK);
    mef_world_reopen(&w);
    CU_ASSERT_EQUAL(w.registry->target_by_id(w.registry, WORLD_CSE, &t), GBA_OK);
    CU_ASSERT(t.uicc);
    CU_ASSERT_EQUAL(w.store->get_ke(w.store, "BB@mef.example", &got), GBA_OK);
    CU_ASSERT_EQUAL(memcmp(&got, &ke, sizeof(ke)), 0);
    mef_world_end(&w);
}

/* One of the sixth: its registered keys are as by GBA without a USS. */
static void test_migration_of_6(void)
{
    struct mef_key key = make_key("AA", "a.example", 100), got;
    sqlite3 *db;

    mef_world_begin(&w);
    key.uss.kind = MEF_USS_GIVEN;
    strcpy(key.uss.uids, WORLD_FQDN "\n");
    CU_ASSERT_EQUAL(w.store->add_key(w.store, &key, 3), GBA_OK);
    sqlite3_open(w.file, &db);
    CU_ASSERT_EQUAL(
        sqlite3_exec(db, BACK_FROM_7 "PRAGMA user_version=6;", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    mef_world_reopen(&w);
    CU_ASSERT_EQUAL(w.store->get_key(w.store, "AA", &got), GBA_OK);
    CU_ASSERT(got.key.octets[0] == 0xa5 && got.uss.kind == MEF_USS_NONE);
    CU_ASSERT_EQUAL(w.store->set_key(w.store, &key), GBA_OK);
    mef_world_reopen(&w);
    CU_ASSERT_EQUAL(w.store->get_key(w.store, "AA", &got), GBA_OK);
    CU_ASSERT(gba_equal_ct(&key, &got, sizeof(key)));
    mef_world_end(&w);
}

/* One of the seventh: names in upper case, one of them there in lower case too. */
static void test_migration_of_7(void)
{
    static const char back[] =
        "INSERT INTO credential(kind,name,enrolee,expires,origin) VALUES"
        "(2,'other:1.2.3:0CAB','" WORLD_OTHER "',0,1),"
        "(2,'other:1.2.3:0cab','" WORLD_ENROLEE "',0,1),"
        "(2,'other:1.2.4:0CAB','" WORLD_OTHER "',0,1),"
        "(2,'uri:urn:ABC','" WORLD_OTHER "',0,1);"
        "PRAGMA user_version=7;";
    struct mef_row row = {.noun = MEF_CREDENTIAL,
                          .u.credential = {.kind = MEF_CRED_CERT, .name = "other:1.2.4:0cab"}};
    struct mef_credential got;
    struct mef_registry *g;
    sqlite3 *db;

    mef_world_begin(&w);
    sqlite3_open(w.file, &db);
    CU_ASSERT_EQUAL(sqlite3_exec(db, back, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    mef_world_reopen(&w);
    g = w.registry;
    CU_ASSERT_EQUAL(g->credential(g, MEF_CRED_CERT, "other:1.2.3:0cab", &got), GBA_OK);
    CU_ASSERT_STRING_EQUAL(got.enrolee, WORLD_ENROLEE);
    CU_ASSERT_EQUAL(g->credential(g, MEF_CRED_CERT, "other:1.2.3:0CAB", &got), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(g->credential(g, MEF_CRED_CERT, "other:1.2.4:0cab", &got), GBA_OK);
    CU_ASSERT_STRING_EQUAL(got.enrolee, WORLD_OTHER);
    CU_ASSERT_EQUAL(g->credential(g, MEF_CRED_CERT, "uri:urn:ABC", &got), GBA_OK);
    CU_ASSERT_EQUAL(g->remove(g, &row), GBA_OK);
    mef_world_end(&w);
}

/* ------------------------------------------------------------ another master key */

static void fill(void)
{
    struct mef_ke ke = make_ke("AA@mef.example", 1, 100);
    struct mef_key key = make_key("CD", "a.example", 100);
    struct mef_credential psk = {.kind = MEF_CRED_PSK, .name = "kpm", .key_len = 64};

    CU_ASSERT_EQUAL(w.store->put_ke(w.store, &ke), GBA_OK);
    CU_ASSERT_EQUAL(w.store->add_key(w.store, &key, 3), GBA_OK);
    memset(psk.key, 0x77, sizeof(psk.key));
    strcpy(psk.enrolee, WORLD_ENROLEE);
    CU_ASSERT_EQUAL(w.registry->add_credential(w.registry, &psk, MEF_OF_ADMIN), GBA_OK);
}

/* All of fill() opens. */
static void check_opens(void)
{
    struct mef_credential psk;
    struct mef_key key;
    struct mef_ke ke;

    CU_ASSERT_EQUAL(w.store->get_ke(w.store, "AA@mef.example", &ke), GBA_OK);
    CU_ASSERT_EQUAL(ke.ke.octets[15], 0x5a);
    CU_ASSERT_EQUAL(w.store->get_key(w.store, "CD", &key), GBA_OK);
    CU_ASSERT_EQUAL(key.key.octets[15], 0xa5);
    CU_ASSERT_EQUAL(w.registry->credential(w.registry, MEF_CRED_PSK, "kpm", &psk), GBA_OK);
    CU_ASSERT(psk.key_len == 64 && psk.key[63] == 0x77);
}

static enum gba_err opens_with(const uint8_t *master)
{
    struct mef_store *s;
    char why[128];
    enum gba_err err = mef_store_sqlite_open(w.file, master, &s, why, sizeof(why));

    if (err == GBA_OK)
        s->close(s);
    return err;
}

static enum gba_err also(void *arg)
{
    return *(enum gba_err *)arg;
}

/* 8.3.5.2.6: with a stakeholder's registration go the Ke's that are kept for no other. */
static void test_kes_of_stakeholders(void)
{
    struct mef_ke of_a = make_ke("0A@mef.example", 1, 100), of_b = make_ke("0B@mef.example", 1, 100),
                  of_both = make_ke("AB@mef.example", 1, 100), got;
    struct mef_reg a = make_reg("ra", "a.example", 100), b = make_reg("rb", "b.example", 100), live;

    mef_world_begin(&w);
    CU_ASSERT_EQUAL(w.store->add_reg(w.store, &a, 1, 3, &live), GBA_OK);
    CU_ASSERT_EQUAL(w.store->add_reg(w.store, &b, 1, 3, &live), GBA_OK);
    strcpy(of_a.admin_fqdn, "a.example");
    strcpy(of_b.admin_fqdn, "b.example");
    strcpy(of_both.admin_fqdn, "a.example");
    CU_ASSERT_EQUAL(w.store->put_ke(w.store, &of_a), GBA_OK);
    CU_ASSERT_EQUAL(w.store->put_ke(w.store, &of_b), GBA_OK);
    CU_ASSERT_EQUAL(w.store->put_ke(w.store, &of_both), GBA_OK);
    strcpy(of_both.admin_fqdn, "b.example");
    CU_ASSERT_EQUAL(w.store->put_ke(w.store, &of_both), GBA_OK);
    CU_ASSERT_EQUAL(w.store->del_reg(w.store, "ra"), GBA_OK);
    CU_ASSERT_EQUAL(w.store->get_ke(w.store, of_a.key_id, &got), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(w.store->get_ke(w.store, of_b.key_id, &got), GBA_OK);
    CU_ASSERT_EQUAL(w.store->get_ke(w.store, of_both.key_id, &got), GBA_OK);
    CU_ASSERT_EQUAL(w.store->add_reg(w.store, &a, 1, 3, &live), GBA_OK);
    CU_ASSERT_EQUAL(w.store->del_reg(w.store, "rb"), GBA_OK);
    CU_ASSERT_EQUAL(w.store->get_ke(w.store, of_both.key_id, &got), GBA_E_NOT_FOUND);
    mef_world_end(&w);
}

static void test_rekey(void)
{
    enum gba_err what = GBA_E_REFUSED;
    uint8_t next[32] = {9}, old[32];
    size_t rows;

    mef_world_begin(&w);
    fill();
    memcpy(old, w.key, 32);
    CU_ASSERT_EQUAL(mef_store_sqlite_rekey(w.store, next, also, &what, &rows), GBA_E_REFUSED);
    check_opens(); /* nothing has changed */
    CU_ASSERT(opens_with(old) == GBA_OK && opens_with(next) == GBA_E_CONFIG);
    what = GBA_OK;
    CU_ASSERT_EQUAL(mef_store_sqlite_rekey(w.store, next, also, &what, &rows), GBA_OK);
    CU_ASSERT_EQUAL(rows, 3);
    check_opens();
    CU_ASSERT(opens_with(next) == GBA_OK && opens_with(old) == GBA_E_CONFIG);
    memcpy(w.key, next, 32);
    mef_world_reopen(&w);
    check_opens();
    CU_ASSERT_EQUAL(w.store->put_ke(w.store, &(struct mef_ke){.key_id = "n@mef.example"}),
                    GBA_OK);
    CU_ASSERT_EQUAL(mef_store_sqlite_rekey(w.store, old, NULL, NULL, &rows), GBA_OK);
    CU_ASSERT_EQUAL(rows, 4);
    memcpy(w.key, old, 32);
    mef_world_end(&w);
}

/* A key that does not open is found out, and the others stay under the old one. */
static void test_rekey_of_damage(void)
{
    uint8_t next[32] = {9};
    size_t rows;
    sqlite3 *db;

    mef_world_begin(&w);
    fill();
    sqlite3_open(w.file, &db);
    sqlite3_exec(db, "UPDATE credential SET key=x'00' WHERE key IS NOT NULL", NULL, NULL, NULL);
    sqlite3_close(db);
    CU_ASSERT_EQUAL(mef_store_sqlite_rekey(w.store, next, NULL, NULL, &rows), GBA_E_CRYPTO);
    CU_ASSERT_EQUAL(opens_with(w.key), GBA_OK);
    /* inside of a transaction the key would not be the commit's */
    CU_ASSERT_EQUAL(w.registry->begin(w.registry), GBA_OK);
    CU_ASSERT_NOT_EQUAL(mef_store_sqlite_rekey(w.store, next, NULL, NULL, &rows), GBA_OK);
    CU_ASSERT_EQUAL(w.registry->end(w.registry, GBA_E_REFUSED), GBA_E_REFUSED);
    CU_ASSERT_EQUAL(opens_with(w.key), GBA_OK);
    mef_world_end(&w);
}

/* The process ends at each step of a change: one of the two files opens the database. */
static void test_rekey_cut_short(void)
{
    uint8_t next[32], got[32];
    char name[128], why[128];
    size_t rows;
    struct stat st;

    mef_world_begin(&w);
    fill();
    snprintf(name, sizeof(name), "%s.next", w.master);
    CU_ASSERT_EQUAL(mef_master_key_next(w.master, got), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(mef_master_key_settle(w.master, false), GBA_OK);
    CU_ASSERT_EQUAL(mef_master_key_settle(w.master, true), GBA_E_IO);
    CU_ASSERT_EQUAL(mef_master_key_prepare(w.master, next), GBA_OK);
    CU_ASSERT_EQUAL(stat(name, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
    CU_ASSERT_EQUAL(mef_master_key_prepare(w.master, next), GBA_OK); /* after a first try */
    CU_ASSERT(mef_master_key_next(w.master, got) == GBA_OK && memcmp(got, next, 32) == 0);
    CU_ASSERT(opens_with(w.key) == GBA_OK && opens_with(next) == GBA_E_CONFIG);

    CU_ASSERT_EQUAL(mef_store_sqlite_rekey(w.store, next, NULL, NULL, &rows), GBA_OK);
    CU_ASSERT_EQUAL(mef_master_key_load(w.master, w.file, got, why, sizeof(why)), GBA_OK);
    CU_ASSERT(opens_with(got) == GBA_E_CONFIG); /* the old file does not, */
    CU_ASSERT(mef_master_key_next(w.master, got) == GBA_OK && opens_with(got) == GBA_OK);

    CU_ASSERT_EQUAL(mef_master_key_settle(w.master, true), GBA_OK);
    CU_ASSERT_EQUAL(mef_master_key_load(w.master, w.file, got, why, sizeof(why)), GBA_OK);
    CU_ASSERT_EQUAL(opens_with(got), GBA_OK);
    CU_ASSERT_EQUAL(access(name, F_OK), -1);
    memcpy(w.key, next, 32);
    mef_world_reopen(&w);
    check_opens();
    CU_ASSERT_EQUAL(mef_master_key_prepare(w.master, next), GBA_OK); /* and one given up */
    CU_ASSERT_EQUAL(mef_master_key_settle(w.master, false), GBA_OK);
    CU_ASSERT_EQUAL(access(name, F_OK), -1);
    mef_world_end(&w);
}

static void master_key(void)
{
    static const char hex[] =
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
    static const char raw[] = "0123456789abcdef0123456789abcdeg"; /* one is no digit */
    char file[128], why[128];
    uint8_t key[32];
    struct stat st;

    mef_world_begin(&w);
    CU_ASSERT_EQUAL(stat(w.master, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
    CU_ASSERT_EQUAL(stat(w.file, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
    CU_ASSERT_EQUAL(mef_master_key_load(w.master, w.file, key, why, sizeof(why)), GBA_OK);
    CU_ASSERT(gba_equal_ct(key, w.key, 32));
    snprintf(file, sizeof(file), "%s/m", w.folder);
    /* missing beside a database: never made anew */
    CU_ASSERT_EQUAL(mef_master_key_load(file, w.file, key, why, sizeof(why)), GBA_E_CONFIG);
    put_file(file, hex, 65, 0600);
    CU_ASSERT_EQUAL(mef_master_key_load(file, w.file, key, why, sizeof(why)), GBA_OK);
    CU_ASSERT_EQUAL(key[31], 0x1f);
    put_file(file, hex, 65, 0640);
    CU_ASSERT_EQUAL(mef_master_key_load(file, w.file, key, why, sizeof(why)), GBA_E_CONFIG);
    put_file(file, hex, 63, 0600);
    CU_ASSERT_EQUAL(mef_master_key_load(file, w.file, key, why, sizeof(why)), GBA_E_CONFIG);
    CU_ASSERT_STRING_EQUAL(why, "not 32 octets or 64 hexadecimal digits");
    put_file(file, hex, 32, 0600); /* half of it is no key of 32 octets */
    CU_ASSERT_EQUAL(mef_master_key_load(file, w.file, key, why, sizeof(why)), GBA_E_CONFIG);
    CU_ASSERT_STRING_EQUAL(why, "32 hexadecimal digits in place of 64: cut?");
    put_file(file, raw, 32, 0600); /* 32 octets as they are */
    CU_ASSERT_EQUAL(mef_master_key_load(file, w.file, key, why, sizeof(why)), GBA_OK);
    CU_ASSERT(gba_equal_ct(key, raw, 32));
    put_file(file, "", 0, 0600);
    CU_ASSERT_EQUAL(mef_master_key_load(file, w.file, key, why, sizeof(why)), GBA_E_CONFIG);
    unlink(file);
    CU_ASSERT_EQUAL(mef_master_key_load(w.folder, w.file, key, why, sizeof(why)), GBA_E_CONFIG);
    mef_world_end(&w);
}

static void test_master_key(void)
{
    unit_as_nobody(master_key);
}

/* systemd.exec(5), LoadCredential=. */
static void credential(void)
{
    static const char hex[] =
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
    static const struct {
        const char *name;
        size_t n;
        mode_t mode;
        bool ok;
    } rows[] = {
        {"m", 65, 0400, true},      {"m", 64, 0600, true},     {"m", 65, 0440, true},
        {"m", 65, 0404, false},     {"m", 65, 0460, false},    {"m", 65, 0444, false},
        {"m", 63, 0400, false},     {"m", 32, 0400, false},    {"m", 0, 0400, false},
        {"other", 65, 0400, false}, {"", 65, 0400, false},     {".", 65, 0400, false},
        {"./m", 65, 0400, false},   {"../m", 65, 0400, false},
    };
    char file[128], link[128], why[128];
    uint8_t key[32];

    mef_world_begin(&w);
    snprintf(file, sizeof(file), "%s/m", w.folder);
    snprintf(link, sizeof(link), "%s/l", w.folder);
    CU_ASSERT_EQUAL(setenv("CREDENTIALS_DIRECTORY", w.folder, 1), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        put_file(file, hex, rows[i].n, rows[i].mode);
        CU_ASSERT_EQUAL(mef_master_key_credential(rows[i].name, key, why, sizeof(why)),
                        rows[i].ok ? GBA_OK : GBA_E_CONFIG);
        CU_ASSERT_EQUAL(why[0] == '\0', rows[i].ok);
        unlink(file);
    }
    /* missing: never made, also without a database */
    CU_ASSERT_EQUAL(mef_master_key_credential("m", key, why, sizeof(why)), GBA_E_CONFIG);
    CU_ASSERT_NOT_EQUAL(access(file, F_OK), 0);
    CU_ASSERT_EQUAL(symlink(w.master, link), 0);
    CU_ASSERT_EQUAL(mef_master_key_credential("l", key, why, sizeof(why)), GBA_E_CONFIG);
    unlink(link);
    put_file(file, hex, 65, 0400);
    setenv("CREDENTIALS_DIRECTORY", "relative", 1);
    CU_ASSERT_EQUAL(mef_master_key_credential("m", key, why, sizeof(why)), GBA_E_CONFIG);
    unsetenv("CREDENTIALS_DIRECTORY");
    CU_ASSERT_EQUAL(mef_master_key_credential("m", key, why, sizeof(why)), GBA_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "LoadCredential="));
    unlink(file);
    mef_world_end(&w);
}

static void test_credential(void)
{
    unit_as_nobody(credential);
}

static const struct unit_test tests[] = {
    {"what is stored survives a restart", test_survives},
    {"Ke's of one enrolee", test_kes},
    {"Ke's of stakeholders", test_kes_of_stakeholders},
    {"one registration a stakeholder", test_one_registration},
    {"updates", test_updates},
    {"de-registration takes the keys along", test_deregistration},
    {"what has expired is wiped", test_sweep_wipes},
    {"keys are sealed, each to its row", test_sealed},
    {"a full disk", test_full_disk},
    {"is it well?", test_check},
    {"files that are not ours", test_foreign_files},
    {"a file of the first version", test_migration},
    {"a file of the second version", test_migration_of_2},
    {"a file of the third version", test_migration_of_3},
    {"a file of the sixth version", test_migration_of_6},
    {"a file of the seventh version", test_migration_of_7},
    {"the master key's file", test_master_key},
    {"the master key as a credential", test_credential},
    {"another master key", test_rekey},
    {"a damaged key stops it", test_rekey_of_damage},
    {"a change that was cut short", test_rekey_cut_short},
};
UNIT_MAIN("mef_store", tests)
