/*
 * The Zh adapter in a process of its own, for scenarios: libfdcore can be started once per
 * process, so each scenario is forked.  Answers are collected and counted.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_E2E_ZH_LAB_H
#define TESTS_E2E_ZH_LAB_H

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "bsf/zh_diameter.h"
#include "tests/e2e/hss_child.h"

/* Ends the scenario's process as failed. */
#define MUST(condition)                                                                        \
    do {                                                                                       \
        if (!(condition)) {                                                                    \
            fprintf(stderr, "    %s:%d: %s\n", __FILE__, __LINE__, #condition);                \
            zh_lab_abandon();                                                                  \
        }                                                                                      \
    } while (0)

#define ZH_LAB_MAX 1024 /* asks of one scenario */

struct zh_lab_answer {
    unsigned times; /* that done() ran for this ask */
    bool same_thread;
    enum gba_err err;
    struct gba_av av;
    struct gba_guss *guss;
};

struct zh_lab {
    struct zh *zh;
    struct zh_diameter_config config;
    struct zh_diameter_peer_config peers[4];
    struct zh_lab_answer answers[ZH_LAB_MAX];
    size_t n;
    atomic_bool stopped;
};

/* A fresh configuration with these HSSs in order; identities and addresses are borrowed. */
void zh_lab_init(struct zh_lab *l);
void zh_lab_peer(struct zh_lab *l, const char *identity, const char *address);
/* Opens the adapter and waits until `up` of the peers are connected. */
void zh_lab_open(struct zh_lab *l, unsigned up);
void zh_lab_close(struct zh_lab *l);
/* Waits until that many peers are connected, again. */
void zh_lab_wait_up(struct zh_lab *l, unsigned up);

/* Asks; the index of the answer. */
size_t zh_lab_ask(struct zh_lab *l, const struct zh_query *q);
/* Waits for it: 10 s at most. */
struct zh_lab_answer *zh_lab_wait(struct zh_lab *l, size_t i);
/* Asks for a vector of this IMPI and waits. */
struct zh_lab_answer *zh_lab_get(struct zh_lab *l, const char *impi);
/* Every ask was answered exactly once, never on the asking thread. */
void zh_lab_check_counts(struct zh_lab *l);
struct zh_query zh_lab_query(const char *impi);

void zh_lab_pause_ms(long ms);
/* Children started by hss_start in this scenario are killed; exits 1. */
_Noreturn void zh_lab_abandon(void);

#endif
