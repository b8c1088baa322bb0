/*
 * A request onto libcurl's easy handle: URL and peer, method and body, fields.  libcurl's own
 * headers are kept out; a connection never outlives the identity it was made for.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/secret.h"
#include "ua/transport_curl.h"

static bool add_line(struct curl_slist **list, const char *name, const char *value)
{
    struct curl_slist *longer;
    char *line;

    /* "Name;" is libcurl's way to send a field with an empty value. */
    if (asprintf(&line, *value != '\0' ? "%s: %s" : "%s;", name, value) < 0)
        return false;
    longer = curl_slist_append(*list, line);
    gba_wipe(line, strlen(line));
    free(line);
    if (longer != NULL)
        *list = longer;
    return longer != NULL;
}

static void free_list(struct curl_slist **list)
{
    for (struct curl_slist *l = *list; l != NULL; l = l->next)
        gba_wipe(l->data, strlen(l->data));
    curl_slist_free_all(*list);
    *list = NULL;
}

static enum gba_err set_headers(struct curl_transport *t, const struct gba_ue_request *r)
{
    bool ok = true, typed = false;

    for (size_t i = 0; i < r->n_fields; i++) {
        if (strpbrk(r->fields[i].value, "\r\n") != NULL)
            return GBA_E_ARGUMENT;
        typed = typed || strcasecmp(r->fields[i].name, "Content-Type") == 0;
        ok = ok && add_line(&t->headers, r->fields[i].name, r->fields[i].value);
    }
    if (r->host != NULL)
        ok = ok && add_line(&t->headers, "Host", r->host);
    if (!typed) { /* libcurl would name a type of its own */
        struct curl_slist *l = curl_slist_append(t->headers, "Content-Type:");

        t->headers = l != NULL ? l : t->headers;
        ok = ok && l != NULL;
    }
    if (ok) {
        struct curl_slist *l = curl_slist_append(t->headers, "Expect:");

        t->headers = l != NULL ? l : t->headers;
        ok = l != NULL;
    }
    return ok ? GBA_OK : GBA_E_NOMEM;
}

static enum gba_err set_method(struct curl_transport *t, const struct gba_ue_request *r)
{
    CURL *c = t->easy;

    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, NULL);
    curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
    if (strcmp(r->method, "GET") == 0 && r->body_len == 0)
        return GBA_OK;
    if (r->body_len != 0 || strcmp(r->method, "PUT") == 0 || strcmp(r->method, "POST") == 0) {
        curl_easy_setopt(c, CURLOPT_POST, 1L);
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len);
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->body_len != 0 ? (const char *)r->body : "");
    }
    return curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method) == CURLE_OK ? GBA_OK
                                                                             : GBA_E_NOMEM;
}

/* The host of the URL, for verification; libcurl's own parser, so that both mean the same. */
static enum gba_err take_host(struct curl_transport *t, const char *url)
{
    CURLU *u = curl_url();
    char *host = NULL, *user = NULL;
    enum gba_err err = GBA_E_ARGUMENT;

    free(t->host);
    t->host = NULL;
    if (u == NULL)
        return GBA_E_NOMEM;
    if (curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_NO_USER && /* no name:password@ */
        curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        const size_t n = strlen(host);

        t->host = n > 2 && host[0] == '[' ? strndup(host + 1, n - 2) : strdup(host);
        err = t->host != NULL ? GBA_OK : GBA_E_NOMEM;
    }
    curl_free(host);
    curl_free(user);
    curl_url_cleanup(u);
    return err;
}

static enum gba_err set_peer(struct curl_transport *t, const struct gba_ue_request *r)
{
    const bool own_rules = r->psk != NULL;
    enum gba_err err = take_host(t, r->url);
    char *line;

    if (err != GBA_OK)
        return err;
    t->tls.host = t->host;
    curl_easy_setopt(t->easy, CURLOPT_URL, r->url);
    /* With a PSK the context verifies (transport_tls.c): libcurl insists on a certificate. */
    curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYPEER, own_rules ? 0L : 1L);
    curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYHOST, own_rules ? 0L : 2L);
    /* libcurl does not know PSK identities: a connection never outlives one. */
    curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT,
                     r->fresh || own_rules || t->last_had_psk ? 1L : 0L);
    curl_easy_setopt(t->easy, CURLOPT_FORBID_REUSE, own_rules ? 1L : 0L);
    t->last_had_psk = own_rules;
    curl_easy_setopt(t->easy, CURLOPT_SSLCERT, r->cert_file);
    curl_easy_setopt(t->easy, CURLOPT_SSLKEY, r->key_file);
    if (r->connect_to != NULL) {
        if (asprintf(&line, "::%s", r->connect_to) < 0)
            return GBA_E_NOMEM;
        t->connect_to = curl_slist_append(NULL, line);
        free(line);
        if (t->connect_to == NULL)
            return GBA_E_NOMEM;
    }
    curl_easy_setopt(t->easy, CURLOPT_CONNECT_TO, t->connect_to);
    return GBA_OK;
}

void transport_request_clear(struct curl_transport *t)
{
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(t->easy, CURLOPT_CONNECT_TO, NULL);
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, NULL);
    free_list(&t->headers);
    free_list(&t->connect_to);
    t->tls.request = NULL;
}

enum gba_err transport_request_set(struct curl_transport *t, const struct gba_ue_request *r)
{
    enum gba_err err;

    if (r->url == NULL || r->method == NULL ||
        (strncmp(r->url, "http://", 7) != 0 && strncmp(r->url, "https://", 8) != 0))
        return GBA_E_ARGUMENT;
    t->tls.request = r;
    err = set_peer(t, r);
    if (err == GBA_OK)
        err = set_method(t, r);
    if (err == GBA_OK)
        err = set_headers(t, r);
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
    if (err != GBA_OK)
        transport_request_clear(t);
    return err;
}
