/*
 * The metrics and health page of a daemon.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "common/host/daemon_page.h"

#include <stdlib.h>
#include <string.h>

#include "common/host/clock.h"
#include "common/host/httpd.h"

struct daemon_page {
    const struct daemon_program *p;
    void *state;
    struct metrics *metrics;
    struct httpd *h;
    int64_t since_ms;
};

static const struct httpd_header no_store = {"Cache-Control", "no-store"};

static void reply_text(struct httpd_request *r, unsigned status, const char *type, char *text,
                       size_t n)
{
    if (text == NULL) {
        httpd_reply(r, &(struct httpd_reply){.status = 503});
        return;
    }
    httpd_reply(r, &(struct httpd_reply){.status = status,
                                         .content_type = type,
                                         .headers = &no_store,
                                         .n_headers = 1,
                                         .body = {(const uint8_t *)text, n}});
    free(text);
}

static void reply_metrics(struct daemon_page *page, struct httpd_request *r)
{
    size_t n = 0;
    char *text = metrics_render(page->metrics, &n);

    reply_text(r, 200, "text/plain; version=0.0.4; charset=utf-8", text, n);
}

static void reply_health(struct daemon_page *page, struct httpd_request *r)
{
    json_t *body = json_object();
    bool healthy = page->p->health == NULL || page->p->health(page->state, body);
    char *text;

    json_object_set_new(body, "status", json_string(healthy ? "ok" : "failing"));
    json_object_set_new(body, "program", json_string(page->p->name));
    json_object_set_new(body, "version", json_string(PACKAGE_VERSION));
    json_object_set_new(body, "uptime_s",
                        json_integer((clock_monotonic_ms() - page->since_ms) / 1000));
    text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    reply_text(r, healthy ? 200 : 503, "application/json", text,
               text != NULL ? strlen(text) : 0);
}

static void handle(void *ctx, struct httpd_request *r)
{
    static const struct httpd_header allow = {"Allow", "GET, HEAD"};
    struct daemon_page *page = ctx;
    bool metrics = gba_text_is(httpd_path(r), "/metrics");

    if (!metrics && !gba_text_is(httpd_path(r), "/health"))
        httpd_reply(r, &(struct httpd_reply){.status = 404});
    else if (!gba_text_is(httpd_method(r), "GET") && !gba_text_is(httpd_method(r), "HEAD"))
        httpd_reply(r, &(struct httpd_reply){.status = 405, .headers = &allow, .n_headers = 1});
    else if (metrics)
        reply_metrics(page, r);
    else
        reply_health(page, r);
}

static void warn_if_public(const char *address, struct log *log)
{
    char host[256];
    uint16_t port;

    if (conf_address_split(address, host, &port) == GBA_OK && strncmp(host, "127.", 4) != 0 &&
        strcmp(host, "::1") != 0 && strcmp(host, "localhost") != 0)
        LOG(log, LOG_LV_WARNING, "daemon.metrics", LOG_STR("address", address),
            LOG_STR("reason", "not a loopback address; the page has no access control"));
}

enum gba_err daemon_page_new(const struct daemon_program *p, void *state,
                             struct metrics *metrics, struct log *log, const char *address,
                             struct daemon_page **out)
{
    struct daemon_page *page = calloc(1, sizeof(*page));
    enum gba_err err = GBA_E_NOMEM;

    if (page == NULL)
        return err;
    *page = (struct daemon_page){
        .p = p, .state = state, .metrics = metrics, .since_ms = clock_monotonic_ms()};
    warn_if_public(address, log);
    page->h = httpd_new(log);
    if (page->h != NULL)
        err = httpd_listen(page->h, &(struct httpd_listener){.name = "metrics",
                                                             .address = address,
                                                             .handler = handle,
                                                             .ctx = page,
                                                             .connection_limit = 64,
                                                             .body_limit = 1024});
    if (err != GBA_OK) {
        daemon_page_free(page);
        return err;
    }
    *out = page;
    return GBA_OK;
}

void daemon_page_free(struct daemon_page *page)
{
    if (page == NULL)
        return;
    httpd_free(page->h);
    free(page);
}

const char *daemon_page_address(const struct daemon_page *page)
{
    return httpd_bound(page->h, 0);
}
