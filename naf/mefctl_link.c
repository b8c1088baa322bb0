/*
 * mefctl's way to the daemon: the local socket, or HTTPS with a client certificate.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mefctl.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/secret.h"

#define TIMEOUT_S 300L /* a batch, or a change of the master key, may take its time */

struct ctl_link {
    FILE *in;
    int fd; /* -1: by HTTPS */
    CURL *curl;
    bool sent; /* the last request, as far as is known here */
    char problem[CURL_ERROR_SIZE];
};

/* ---- the local socket ---- */

static int connect_to(const char *path, struct ctl_link *l)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(a.sun_path)) {
        ctl_say(path, "name too long");
        return CTL_USAGE;
    }
    memcpy(a.sun_path, path, strlen(path) + 1);
    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (l->fd < 0 || connect(l->fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
        (l->in = fdopen(dup(l->fd), "r")) == NULL) {
        ctl_say(path, "%s", strerror(errno));
        return CTL_UNREACHABLE;
    }
    return CTL_OK;
}

static bool send_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        p += sent;
        n -= (size_t)sent;
    }
    return true;
}

static int ask_socket(struct ctl_link *l, const char *text, char **answer)
{
    size_t room = 0;

    *answer = NULL;
    /* one that is hung up on may have been told why */
    l->sent = send_all(l->fd, text, strlen(text)) && send_all(l->fd, "\n", 1);
    if (getline(answer, &room, l->in) <= 0) {
        ctl_say(NULL, "the daemon has hung up");
        return CTL_UNREACHABLE;
    }
    return CTL_OK;
}

/* ---- HTTPS ---- */

static int prepare(const struct ctl_options *o, struct ctl_link *l)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    l->curl = curl_easy_init();
    if (l->curl == NULL || curl_easy_setopt(l->curl, CURLOPT_URL, o->url) != CURLE_OK ||
        curl_easy_setopt(l->curl, CURLOPT_PROTOCOLS_STR, "https") != CURLE_OK) {
        ctl_say(o->url, "no HTTPS here");
        return CTL_IO;
    }
    curl_easy_setopt(l->curl, CURLOPT_ERRORBUFFER, l->problem);
    curl_easy_setopt(l->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(l->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(l->curl, CURLOPT_TIMEOUT, TIMEOUT_S);
    if (o->ca != NULL) {
        curl_easy_setopt(l->curl, CURLOPT_CAINFO, o->ca);
        curl_easy_setopt(l->curl, CURLOPT_CAPATH, NULL);
    }
    if (o->cert != NULL)
        curl_easy_setopt(l->curl, CURLOPT_SSLCERT, o->cert);
    if (o->key != NULL)
        curl_easy_setopt(l->curl, CURLOPT_SSLKEY, o->key);
    return CTL_OK;
}

static size_t collect(char *data, size_t one, size_t n, void *arg)
{
    return fwrite(data, one, n, arg);
}

static int ask_https(struct ctl_link *l, const char *text, char **answer)
{
    struct curl_slist *fields =
        curl_slist_append(curl_slist_append(NULL, "Content-Type: application/json"), "Expect:");
    size_t n = 0;
    FILE *out = open_memstream(answer, &n);
    long status = 0, sent = 0;
    CURLcode rc = CURLE_OUT_OF_MEMORY;

    if (out != NULL) {
        curl_easy_setopt(l->curl, CURLOPT_HTTPHEADER, fields);
        curl_easy_setopt(l->curl, CURLOPT_POSTFIELDS, text);
        curl_easy_setopt(l->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(text));
        curl_easy_setopt(l->curl, CURLOPT_WRITEFUNCTION, collect);
        curl_easy_setopt(l->curl, CURLOPT_WRITEDATA, out);
        rc = curl_easy_perform(l->curl);
        l->sent =
            curl_easy_getinfo(l->curl, CURLINFO_REQUEST_SIZE, &sent) != CURLE_OK || sent > 0;
        if (fclose(out) != 0)
            rc = CURLE_OUT_OF_MEMORY;
    }
    curl_slist_free_all(fields);
    if (rc != CURLE_OK) {
        ctl_say(NULL, "%s", l->problem[0] != '\0' ? l->problem : curl_easy_strerror(rc));
        return CTL_UNREACHABLE;
    }
    curl_easy_getinfo(l->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200)
        return CTL_OK;
    ctl_say(NULL, "refused with HTTP status %ld", status);
    return status == 403 ? CTL_REFUSED : CTL_PROTOCOL;
}

/* ---- either ---- */

int ctl_link_open(const struct ctl_options *o, struct ctl_link **out)
{
    struct ctl_link *l = calloc(1, sizeof(*l));
    int rc;

    *out = l;
    if (l == NULL)
        return CTL_IO;
    l->fd = -1;
    rc = o->url != NULL ? prepare(o, l) : connect_to(o->socket, l);
    return rc;
}

void ctl_link_close(struct ctl_link *l)
{
    if (l == NULL)
        return;
    if (l->in != NULL)
        fclose(l->in);
    if (l->fd >= 0)
        close(l->fd);
    curl_easy_cleanup(l->curl);
    free(l);
}

int ctl_ask(struct ctl_link *l, json_t *request, json_t **reply)
{
    char *text = json_dumps(request, JSON_COMPACT), *answer = NULL;
    int rc = CTL_IO;

    *reply = NULL;
    l->sent = false;
    json_decref(request);
    if (text == NULL)
        ctl_say(NULL, "no memory");
    if (text != NULL) {
        rc = l->curl != NULL ? ask_https(l, text, &answer) : ask_socket(l, text, &answer);
        gba_wipe(text, strlen(text)); /* it may hold keys */
        free(text);
    }
    if (rc == CTL_OK) {
        *reply = json_loads(answer, 0, NULL);
        if (!json_is_boolean(json_object_get(*reply, "ok"))) {
            ctl_say(NULL, "the daemon's answer is not understood");
            rc = CTL_PROTOCOL;
        }
    }
    free(answer);
    return rc;
}

bool ctl_is_sent(const struct ctl_link *l)
{
    return l->sent;
}
