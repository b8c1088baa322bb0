/*
 * A server of lines on a local socket (AF_UNIX, mode 0600): one line asked, one line answered.
 * For the control sockets of daemons.
 *
 * Its own thread; a few clients at a time.  A client that does not read its replies is not read
 * from until it does.  Lines are wiped once they are answered, for they may hold keys.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_LINE_SERVER_H
#define COMMON_HOST_LINE_SERVER_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "common/bytes.h"
#include "common/host/log.h"

struct line_server_config {
    const char *path;     /* of the socket; one that a dead process left behind is replaced */
    unsigned clients;     /* at a time, 64 at most */
    size_t line_max;      /* octets of a line, without its end */
    const char *full;     /* reply to one client too many, which is then hung up on */
    const char *too_long; /* reply to a line over line_max, which is skipped */
    /* The end of the stream ends a last line too.  Not for requests that must not be carried
     * out when a client is lost in the middle of one. */
    bool end_ends_line;
    /* Writes the reply, without a line feed, to out; runs on the server's thread.  uid is who
     * connected. */
    void (*answer)(void *arg, uid_t uid, struct gba_text line, FILE *out);
    void *arg;
};

struct line_server;

/* Binds and starts; the configuration is copied, its strings are not.  GBA_E_IO: the socket
 * (logged); GBA_E_NOMEM; GBA_E_ARGUMENT: path too long, or too many clients. */
enum gba_err line_server_start(const struct line_server_config *c, struct log *log,
                               struct line_server **out);
/* Hangs up, ends the thread, removes the socket.  NULL is fine. */
void line_server_stop(struct line_server *s);

#endif
