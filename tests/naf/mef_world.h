/*
 * A small MEF for tests: a registry with one registrar, one MAF, two enrolees, and a store in
 * a temporary folder.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_NAF_MEF_WORLD_H
#define TESTS_NAF_MEF_WORLD_H

#include "naf/mef_rights.h"
#include "naf/mef_store.h"

#define WORLD_CSE     "//sp.example/cse1"
#define WORLD_FQDN    "cse1.sp.example"
#define WORLD_MAF     "maf.example"
#define WORLD_IMPI    "one@example"
#define WORLD_ENROLEE "//sp.example/cse1/Cone" /* both targets may have its keys */
#define WORLD_OTHER   "//sp.example/cse1/Ctwo" /* none may */
#define WORLD_T0      1767225600               /* 2026-01-01T00:00:00Z */

struct mef_world {
    struct mef_policy policy;
    struct mef_store *store;
    struct mef_registry *registry;
    struct mef mef; /* of these */
    char folder[64], file[96], master[96];
    uint8_t key[32];
};

void mef_world_begin(struct mef_world *w);
/* Closes the store and opens the file again. */
void mef_world_reopen(struct mef_world *w);
void mef_world_end(struct mef_world *w);

/* More rows. */
void mef_world_enrolee(struct mef_world *w, const char *impi, const char *id);
void mef_world_allow(struct mef_world *w, const char *enrolee, const char *target,
                     const unsigned *suids, size_t n, int64_t expires_s);
/* A target whose certificate has that dNSName. */
struct mef_client mef_world_target(struct mef_world *w, const char *fqdn);

#endif
