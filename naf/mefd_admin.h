/*
 * What carries the administration of mefd (mef_admin.h): a local socket, and HTTPS with client
 * certificates of a list.  Also the master key's change, file and database together.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEFD_ADMIN_H
#define NAF_MEFD_ADMIN_H

#include <pthread.h>

#include "common/host/httpd.h"
#include "common/host/line_server.h"
#include "naf/mef_admin.h"
#include "naf/mefd_conf.h"

struct mefd_admin {
    struct mef_admin admin;
    const char *master_key; /* its file; NULL: a credential of systemd */
    pthread_mutex_t lock;   /* of the change of it */
    bool unsettled;         /* the key that counts is in its .next file still */
    const struct mefd_admin_conf *conf;
    struct log *log;
    struct line_server *socket;
};

/* Starts what the configuration asks for; GBA_OK also if that is nothing.  http gets the HTTPS
 * listeners, under the certificates of tls. */
enum gba_err mefd_admin_start(struct mefd_admin *a, const struct mefd_conf *c,
                              const struct mef *mef, struct httpd *http, struct tls_server *tls,
                              struct log *log);
void mefd_admin_stop(struct mefd_admin *a); /* the socket; a zeroed one is fine */

#endif
