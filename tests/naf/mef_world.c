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

static void make_policy(struct mef_world *w)
{
    static const struct mef_limits limits = {
        .enrolment_s = 5000, .registration_s = 10000, .registrations_max = 3, .keys_max = 3};
    static const unsigned saef[] = {22, 23}, maf[] = {21};
    static const uint8_t ua[] = {1, 0, 1, 0, 0xae};
    static const char *const both[] = {"/cse1", WORLD_MAF};

    CU_ASSERT_EQUAL_FATAL(mef_policy_new("mef.example", "sp.example", &limits, &w->policy),
                          GBA_OK);
    CU_ASSERT_EQUAL(
        mef_policy_add_target(w->policy, WORLD_CSE, NULL, ua, saef, 2, MEF_USAGE_KEY), GBA_OK);
    CU_ASSERT_EQUAL(mef_policy_add_target(w->policy, WORLD_MAF, NULL, ua, maf, 1, MEF_KM),
                    GBA_OK);
    CU_ASSERT_EQUAL(mef_policy_add_enrolee(w->policy, WORLD_IMPI, WORLD_ENROLEE, both, 2),
                    GBA_OK);
    CU_ASSERT_EQUAL(mef_policy_add_enrolee(w->policy, "two@example", WORLD_OTHER, NULL, 0),
                    GBA_OK);
    CU_ASSERT_EQUAL(mef_policy_ready(w->policy), GBA_OK);
}

static void open_store(struct mef_world *w)
{
    char why[128];

    CU_ASSERT_EQUAL_FATAL(mef_store_sqlite_open(w->file, w->key, &w->store, why, sizeof(why)),
                          GBA_OK);
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
}

void mef_world_reopen(struct mef_world *w)
{
    w->store->close(w->store);
    open_store(w);
}

void mef_world_end(struct mef_world *w)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char name[128];

    w->store->close(w->store);
    mef_policy_free(w->policy);
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof(name), "%s%s", w->file, suffixes[i]);
        unlink(name);
    }
    unlink(w->master);
    rmdir(w->folder);
}
