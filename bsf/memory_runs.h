/*
 * The half of the memory store that is keyed by RAND: pending challenges and sessions.  Part of
 * store_memory.c's adapter; nobody else includes it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_MEMORY_RUNS_H
#define BSF_MEMORY_RUNS_H

#include "bsf/store_memory.h"

struct memory_runs;

struct memory_runs *memory_runs_new(const struct store_memory_config *c);
void memory_runs_free(struct memory_runs *m);

/* As the operations of bsf/store.h.  Copies are the caller's to release. */
enum gba_err memory_put(struct memory_runs *m, const struct bsf_challenge *c, int64_t now_ms);
enum gba_err memory_find(struct memory_runs *m, const char *username, const char *realm,
                         int64_t window_ms, int64_t now_ms, struct bsf_challenge *out);
enum gba_err memory_get(struct memory_runs *m, const uint8_t rand[static 16], int64_t now_ms,
                        struct bsf_challenge *out);
enum gba_err memory_fail(struct memory_runs *m, const uint8_t rand[static 16], bool was_auts,
                         unsigned limit, int64_t now_ms, unsigned *failures);
enum gba_err memory_claim_auts(struct memory_runs *m, const uint8_t rand[static 16],
                               int64_t now_ms);
void memory_drop(struct memory_runs *m, const uint8_t rand[static 16]);
/* The challenge with s->rand becomes the session. */
enum gba_err memory_turn(struct memory_runs *m, const struct bsf_session *s, int64_t now_ms);
enum gba_err memory_session(struct memory_runs *m, const char *btid, int64_t now_ms,
                            struct bsf_session *out);
void memory_drop_session(struct memory_runs *m, const uint8_t rand[static 16]);
void memory_runs_expire(struct memory_runs *m, int64_t now_ms);
void memory_runs_stats(struct memory_runs *m, struct store_stats *out);

/* How many shards serve so many entries. */
size_t memory_n_shards(size_t cap);

#endif
