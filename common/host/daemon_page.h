/*
 * GET /metrics and GET /health of a daemon, on an address of their own.  For daemon.c only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_DAEMON_PAGE_H
#define COMMON_HOST_DAEMON_PAGE_H

#include "common/host/daemon.h"

struct daemon_page;
/* Errors of httpd_listen. */
enum gba_err daemon_page_new(const struct daemon_program *p, void *state,
                             struct metrics *metrics, struct log *log, const char *address,
                             struct daemon_page **out);
void daemon_page_free(struct daemon_page *page); /* NULL is fine */
const char *daemon_page_address(const struct daemon_page *page);

#endif
