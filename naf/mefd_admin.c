/*
 * What carries the administration of mefd: see mefd_admin.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mefd_admin.h"

#include <stdlib.h>
#include <string.h>

#include "common/host/clock.h"
#include "common/host/tls.h"
#include "common/host/tls_peer.h"
#include "naf/mef_store_sqlite.h"

#define CLIENTS 16

/* ------------------------------------------------------------ the master key */

/* The file of the new key is there before the database has it, and takes the old one's place
 * after: whichever moment the process ends at, one of the two opens the database. */
static enum gba_err change(struct mefd_admin *a, enum gba_err (*also)(void *of), void *of,
                           size_t *rows, const char **why)
{
    uint8_t master[MEF_MASTER_KEY_LEN];
    enum gba_err err = mef_master_key_prepare(a->master_key, master);

    *why = "master_key cannot be written beside the old one";
    if (err == GBA_OK) {
        *why = "database";
        err = mef_store_sqlite_rekey(a->admin.mef->store, master, also, of, rows);
        if (err != GBA_OK)
            mef_master_key_settle(a->master_key, false);
    }
    gba_wipe(master, sizeof(master));
    return err;
}

static enum gba_err settle(struct mefd_admin *a, const char **why)
{
    enum gba_err err = mef_master_key_settle(a->master_key, true);

    *why = "master_key: the new one stays in its .next file, which counts";
    a->unsettled = err != GBA_OK;
    return err;
}

/* One at a time: two links may ask for it at once. */
static enum gba_err rekey(void *arg, enum gba_err (*also)(void *of), void *of, size_t *rows,
                          const char **why)
{
    struct mefd_admin *a = arg;
    enum gba_err err;

    if (a->master_key == NULL) {
        *why =
            "master_key_credential: systemd's, no .next can be written there; make it a file "
            "(master_key), rekey, load the new one";
        return GBA_E_UNSUPPORTED;
    }
    pthread_mutex_lock(&a->lock);
    err = a->unsettled ? settle(a, why) : GBA_OK;
    if (err == GBA_OK)
        err = change(a, also, of, rows, why);
    if (err == GBA_OK)
        err = settle(a, why);
    pthread_mutex_unlock(&a->lock);
    return err;
}

/* ------------------------------------------------------------ the socket */

static void answer_line(void *arg, uid_t uid, struct gba_text line, FILE *out)
{
    const struct mefd_admin *a = arg;
    char who[32];

    snprintf(who, sizeof(who), "admin:%lu", (unsigned long)uid);
    mef_admin_answer(&a->admin, who, line, clock_unix_s(), out);
}

/* ------------------------------------------------------------ HTTPS */

/* The first dNSName of the certificate that is in the list. */
static const char *admitted(const struct mefd_admin *a, struct httpd_request *r)
{
    const struct conf_strings *list = &a->conf->clients;
    struct tls_peer *peer;

    if (httpd_tls_peer(r, &peer) != GBA_OK)
        return NULL;
    for (size_t i = 0; i < peer->n; i++)
        for (size_t j = 0; j < list->n; j++)
            if (gba_text_starts(gba_text(peer->name[i]), "dns:") &&
                gba_text_eq_nocase(gba_text(peer->name[i] + 4), gba_text(list->v[j])))
                return list->v[j];
    return NULL;
}

static void reply(struct httpd_request *r, unsigned status, const char *body, size_t n)
{
    const struct httpd_reply answer = {.status = status,
                                       .content_type = n != 0 ? "application/json" : NULL,
                                       .body = {(const uint8_t *)body, n}};

    httpd_reply(r, &answer);
}

static void answer_request(const struct mefd_admin *a, const char *name,
                           struct httpd_request *r)
{
    char who[300], *body = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&body, &n);

    if (out == NULL) {
        reply(r, 503, NULL, 0);
        return;
    }
    snprintf(who, sizeof(who), "admin:%s", name);
    mef_admin_answer(&a->admin, who, gba_bytes_text(httpd_body(r)), clock_unix_s(), out);
    if (fclose(out) == 0)
        reply(r, 200, body, n);
    else
        reply(r, 503, NULL, 0);
    free(body);
}

/* A page of some other site cannot make a browser that has the certificate send this type. */
static bool is_json(struct gba_text type)
{
    struct gba_text head, params;

    gba_text_split(type, ';', &head, &params);
    return gba_text_eq_nocase(head, GBA_TEXT("application/json"));
}

static void on_request(void *ctx, struct httpd_request *r)
{
    const struct mefd_admin *a = ctx;
    const char *name = admitted(a, r);

    if (name == NULL) {
        LOG(a->log, LOG_LV_WARNING, "mef.admin", LOG_STR("peer", httpd_peer_text(r)),
            LOG_STR("why", "its certificate names nobody of admin.clients"));
        reply(r, 403, NULL, 0);
    } else if (!gba_text_is(httpd_path(r), "/")) {
        reply(r, 404, NULL, 0);
    } else if (!gba_text_is(httpd_method(r), "POST")) {
        reply(r, 405, NULL, 0);
    } else if (!is_json(httpd_field(r, "Content-Type", NULL))) {
        reply(r, 415, NULL, 0);
    } else {
        answer_request(a, name, r);
    }
}

static void on_refusal(void *ctx, struct httpd_request *r, enum gba_err err)
{
    (void)ctx;
    reply(r, gba_err_http(err), NULL, 0);
}

static enum gba_err listen_https(struct mefd_admin *a, struct httpd *http,
                                 struct tls_server *tls)
{
    struct httpd_listener l = {.name = "admin",
                               .handler = on_request,
                               .refusal = on_refusal,
                               .ctx = a,
                               .tls = tls,
                               .connection_limit = CLIENTS,
                               .body_limit = MEF_ADMIN_LINE_MAX};
    enum gba_err err = GBA_OK;

    for (size_t i = 0; err == GBA_OK && i < a->conf->listen.n; i++) {
        l.address = a->conf->listen.v[i];
        err = httpd_listen(http, &l);
    }
    return err;
}

/* ------------------------------------------------------------ life */

enum gba_err mefd_admin_start(struct mefd_admin *a, const struct mefd_conf *c,
                              const struct mef *mef, struct httpd *http, struct tls_server *tls,
                              struct log *log)
{
    const struct line_server_config s = {
        .path = c->admin.socket,
        .clients = CLIENTS,
        .line_max = MEF_ADMIN_LINE_MAX,
        .full = "{\"ok\":false,\"error\":\"OVERLOAD\",\"text\":\"too many clients\"}",
        .too_long = "{\"ok\":false,\"error\":\"TOO_LONG\",\"text\":\"too long\"}",
        .answer = answer_line,
        .arg = a};

    pthread_mutex_init(&a->lock, NULL);
    a->admin = (struct mef_admin){.mef = mef, .rekey = rekey, .rekey_arg = a};
    a->master_key = c->master_key;
    a->conf = &c->admin;
    a->log = log;
    if (c->admin.socket != NULL) {
        enum gba_err err = line_server_start(&s, log, &a->socket);

        if (err != GBA_OK)
            return err;
    }
    return listen_https(a, http, tls);
}

void mefd_admin_stop(struct mefd_admin *a)
{
    line_server_stop(a->socket);
    a->socket = NULL;
}
