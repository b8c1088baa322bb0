/*
 * One run of a program: octets in, octets out, under a time limit and a cap, with an
 * environment that is given whole.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_CA_PROCESS_H
#define NAF_CA_PROCESS_H

#include "common/bytes.h"

struct ca_process {
    char *const *argv; /* NULL-terminated */
    char *const *env;
    struct gba_bytes in; /* for its standard input */
    unsigned limit_ms;
    /* Asked every now and then: should it be given up?  NULL: never. */
    bool (*give_up)(void *arg);
    void *arg;
    /* results */
    uint8_t *out; /* its standard output, cap octets at most */
    size_t cap, n;
    char said[256]; /* the beginning of its standard error, one line */
    int status;     /* exit status; 128 + n: ended by signal n */
};

/* Blocks, with SIGPIPE blocked or ignored in this thread.  The program and what it has started
 * are gone when this returns.  GBA_E_IO: it cannot be started; GBA_E_TIMEOUT; GBA_E_TOO_LONG:
 * more than cap; GBA_E_CANCELLED: given up. */
enum gba_err ca_process_run(struct ca_process *p);

#endif
