/*
 * The fetch over libcurl; see fetch.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/registrar/fetch.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/timestamp.h"

#define ANSWER_MAX 8192

struct answer {
    char text[ANSWER_MAX];
    size_t n;
};

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct answer *a = arg;

    if (size * n > sizeof(a->text) - a->n)
        return 0;
    memcpy(a->text + a->n, p, size * n);
    a->n += size * n;
    return size * n;
}

/* Everything but unreserved characters is encoded: a B-TID holds '/', '+', '=' and '@'. */
static bool make_url(const struct fetch_config *c, struct gba_text key_id, char *url,
                     size_t cap)
{
    struct gba_wbuf w;

    gba_wbuf_init(&w, url, cap);
    gba_wbuf_str(&w, c->url);
    gba_wbuf_str(&w, "/fetchCredentials/");
    for (size_t i = 0; i < key_id.n; i++) {
        uint8_t octet = (uint8_t)key_id.s[i];

        if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~",
                   octet) != NULL &&
            octet != 0) {
            gba_wbuf_u8(&w, octet);
        } else {
            gba_wbuf_u8(&w, '%');
            gba_wbuf_hex(&w, (struct gba_bytes){&octet, 1});
        }
    }
    gba_wbuf_str(&w, "/");
    gba_wbuf_number(&w, (uint64_t)c->suid);
    return gba_wbuf_cstr(&w)[0] != '\0';
}

static enum gba_err read_answer(const struct answer *a, struct fetch_result *out)
{
    json_t *root = json_loadb(a->text, a->n, 0, NULL);
    const char *credential = json_string_value(json_object_get(root, "Credential"));
    const char *enrolee = json_string_value(json_object_get(root, "EnroleeID"));
    const char *lifetime = json_string_value(json_object_get(root, "Lifetime"));
    enum gba_err err = GBA_E_PROTOCOL;
    size_t n;

    memset(out, 0, sizeof(*out));
    if (json_is_true(json_object_get(root, "Status")) && credential != NULL &&
        enrolee != NULL && lifetime != NULL &&
        gba_unbase64(out->key.octets, sizeof(out->key.octets), gba_text(credential), &n) ==
            GBA_OK &&
        n == sizeof(out->key.octets) &&
        gba_text_copy(out->enrolee, sizeof(out->enrolee), gba_text(enrolee)) == GBA_OK &&
        (gba_datetime_parse(gba_text(lifetime), &out->expires_s) == GBA_OK ||
         gba_m2m_timestamp_parse(gba_text(lifetime), &out->expires_s) == GBA_OK))
        err = GBA_OK;
    if (credential != NULL)
        gba_wipe((void *)(uintptr_t)credential, strlen(credential));
    json_decref(root);
    if (err != GBA_OK)
        gba_wipe(out, sizeof(*out));
    return err;
}

static void set_options(CURL *curl, const struct fetch_config *c, const char *url,
                        struct curl_slist *fields, struct answer *a)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)c->deadline_ms);
    curl_easy_setopt(curl, CURLOPT_CAINFO, c->ca);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(curl, CURLOPT_SSLCERT, c->cert);
    curl_easy_setopt(curl, CURLOPT_SSLKEY, c->key);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, a);
}

enum gba_err fetch_credential(const struct fetch_config *c, struct gba_text key_id,
                              struct fetch_result *out)
{
    struct curl_slist *fields = NULL;
    struct answer a = {.n = 0};
    enum gba_err err = GBA_E_NOMEM;
    CURL *curl = curl_easy_init();
    char url[2048], origin[512];
    long status = 0;

    memset(out, 0, sizeof(*out));
    snprintf(origin, sizeof(origin), "X-M2M-Origin: %s", c->origin);
    fields = curl_slist_append(NULL, origin);
    if (curl == NULL || fields == NULL || !make_url(c, key_id, url, sizeof(url)))
        goto done;
    set_options(curl, c, url, fields, &a);
    if (curl_easy_perform(curl) != CURLE_OK) {
        err = GBA_E_UNREACHABLE;
        goto done;
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status == 404)
        err = GBA_E_NOT_FOUND;
    else if (status == 403)
        err = GBA_E_FORBIDDEN;
    else
        err = status == 200 ? read_answer(&a, out) : GBA_E_PROTOCOL;
done:
    gba_wipe(&a, sizeof(a));
    curl_slist_free_all(fields);
    curl_easy_cleanup(curl);
    return err;
}
