/*
 * The half of the memory store that is keyed by subscriber: TMPIs, GUSSs, and which sessions
 * are his.  Part of store_memory.c's adapter; nobody else includes it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_MEMORY_SUBSCRIBERS_H
#define BSF_MEMORY_SUBSCRIBERS_H

#include "bsf/store_memory.h"

struct memory_subscribers;

struct memory_subscribers *memory_subscribers_new(const struct store_memory_config *c);
void memory_subscribers_free(struct memory_subscribers *m);

/* What a new session needs, taken before anything changes, so that nothing fails half way. */
struct memory_room {
    void *subscriber, *tmpi;
};
bool memory_room_take(struct memory_room *room);
void memory_room_return(struct memory_room *room);

/* Enters an opened session.  rands: the sessions that are now too many, *n of them. */
void memory_enter(struct memory_subscribers *m, const struct bsf_session *s,
                  const char *username, int64_t now_ms, struct memory_room *room,
                  uint8_t rands[static STORE_MEMORY_MAX_PER_SUBSCRIBER][16], size_t *n);

enum gba_err memory_tmpi(struct memory_subscribers *m, const char *tmpi, int64_t now_ms,
                         char impi[static GBA_IMPI_SIZE]);
/* *guss with a reference, NULL if he has none.  GBA_E_NOT_FOUND: no such subscriber. */
enum gba_err memory_guss(struct memory_subscribers *m, const char *impi, int64_t now_ms,
                         struct gba_guss **guss);
enum gba_err memory_set_guss(struct memory_subscribers *m, const char *impi,
                             struct gba_guss *guss, int64_t now_ms);
void memory_subscribers_expire(struct memory_subscribers *m, int64_t now_ms);
uint64_t memory_subscribers_count(struct memory_subscribers *m);

#endif
