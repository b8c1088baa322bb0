/*
 * A small MEF for tests: see mef_world.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/naf/mef_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "naf/mef_store_sqlite.h"
#include "tests/unit.h"

static uint64_t bits(const unsigned *suids, size_t n)
{
    uint64_t all = 0, bit;

    for (size_t i = 0; i < n; i++) {
        CU_ASSERT_EQUAL(mef_suid_bit(suids[i], &bit), GBA_OK);
        all |= bit;
    }
    return all;
}

static void add_target(struct mef_world *w, const char *id, const unsigned *suids, size_t n,
                       enum mef_derivation derivation)
{
    static const uint8_t ua[] = {1, 0, 1, 0, 0xae};
    struct mef_target t;

    CU_ASSERT_EQUAL(
        mef_target_make(&w->policy, gba_text(id), NULL, ua, bits(suids, n), derivation, &t),
        GBA_OK);
    CU_ASSERT_EQUAL(w->registry->add_target(w->registry, &t, MEF_OF_CONFIG), GBA_OK);
}

void mef_world_enrolee(struct mef_world *w, const char *impi, const char *id)
{
    struct mef_credential c = {.kind = MEF_CRED_GBA};
    struct mef_enrolee e;

    CU_ASSERT_EQUAL(mef_enrolee_make(&w->policy, gba_text(id), &e), GBA_OK);
    CU_ASSERT_EQUAL(w->registry->add_enrolee(w->registry, &e, MEF_OF_CONFIG), GBA_OK);
    CU_ASSERT_EQUAL(mef_credential_name(c.kind, gba_text(impi), c.name), GBA_OK);
    strcpy(c.enrolee, e.id);
    CU_ASSERT_EQUAL(w->registry->add_credential(w->registry, &c, MEF_OF_CONFIG), GBA_OK);
}

void mef_world_allow(struct mef_world *w, const char *enrolee, const char *target,
                     const unsigned *suids, size_t n, int64_t expires_s)
{
    struct mef_instruction i = {.suids = bits(suids, n), .expires_s = expires_s};

    strcpy(i.enrolee, enrolee);
    strcpy(i.target, target);
    CU_ASSERT_EQUAL(w->registry->add_instruction(w->registry, &i, MEF_OF_CONFIG), GBA_OK);
}

static void make_policy(struct mef_world *w)
{
    static const struct mef_limits limits = {.enrolment_s = 5000,
                                             .registration_s = 10000,
                                             .registrations_max = 3,
                                             .keys_max = 3,
                                             .commands_max = 3,
                                             .command_retry_s = 86400};

    CU_ASSERT_EQUAL_FATAL(mef_policy_init(&w->policy, "mef.example", "sp.example", &limits),
                          GBA_OK);
}

static void make_rows(struct mef_world *w)
{
    static const unsigned saef[] = {22, 23}, maf[] = {21};

    CU_ASSERT_EQUAL_FATAL(w->registry->begin_config(w->registry), GBA_OK);
    add_target(w, WORLD_CSE, saef, 2, MEF_USAGE_KEY);
    add_target(w, WORLD_MAF, maf, 1, MEF_KM);
    mef_world_enrolee(w, WORLD_IMPI, WORLD_ENROLEE);
    mef_world_enrolee(w, "two@example", WORLD_OTHER);
    mef_world_allow(w, WORLD_ENROLEE, WORLD_CSE, saef, 2, 0);
    mef_world_allow(w, WORLD_ENROLEE, WORLD_MAF, maf, 1, 0);
    CU_ASSERT_EQUAL_FATAL(w->registry->end_config(w->registry, GBA_OK), GBA_OK);
}

static void open_store(struct mef_world *w)
{
    char why[128];

    CU_ASSERT_EQUAL_FATAL(mef_store_sqlite_open(w->file, w->key, &w->store, why, sizeof(why)),
                          GBA_OK);
    w->registry = mef_store_sqlite_registry(w->store);
    w->mef = (struct mef){&w->policy, w->store, w->registry, NULL};
}

void mef_world_begin(struct mef_world *w)
{
    char why[128];

    memset(w, 0, sizeof(*w));
    strcpy(w->folder, "/tmp/test-mef.XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(w->folder));
    snprintf(w->file, sizeof(w->file), "%s/db", w->folder);
    snprintf(w->master, sizeof(w->master), "%s/master", w->folder);
    CU_ASSERT_EQUAL_FATAL(mef_master_key_load(w->master, w->file, w->key, why, sizeof(why)),
                          GBA_OK);
    make_policy(w);
    open_store(w);
    make_rows(w);
}

void mef_world_reopen(struct mef_world *w)
{
    w->store->close(w->store);
    open_store(w); /* rows stay */
}

void mef_world_end(struct mef_world *w)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".audit"};
    char name[128];

    w->store->close(w->store);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        snprintf(name, sizeof(name), "%s%s", w->file, suffixes[i]);
        unlink(name);
    }
    unlink(w->master);
    snprintf(name, sizeof(name), "%s.next", w->master);
    unlink(name);
    rmdir(w->folder);
}

struct mef_client mef_world_target(struct mef_world *w, const char *fqdn)
{
    struct mef_client c = {.is_target = true};

    CU_ASSERT_EQUAL(w->registry->target_by_fqdn(w->registry, fqdn, &c.target), GBA_OK);
    strcpy(c.id, c.target.id);
    return c;
}
