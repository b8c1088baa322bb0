/*
 * Keys of an MEF or MAF over libcurl: see key_fetch.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/key_fetch.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/host/random.h"
#include "common/m2m_codec.h"
#include "common/m2m_http_form.h"
#include "common/timestamp.h"

#define URL_MAX 2048

/* One exchange. */
struct fetch {
    char url[URL_MAX];
    struct curl_slist *fields;
    long status;
    char why[CURL_ERROR_SIZE];
    char rsc[16], ri[M2M_RQI_SIZE], content_type[128];
    uint8_t body[M2M_CONTENT_MAX];
    size_t n;
};

/* ------------------------------------------------------------ over HTTPS */

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct fetch *f = arg;

    if (size * n > sizeof(f->body) - f->n)
        return 0;
    memcpy(f->body + f->n, p, size * n);
    f->n += size * n;
    return size * n;
}

static void keep(struct gba_text line, const char *name, char *out, size_t cap)
{
    struct gba_text field, value;

    if (gba_text_split(line, ':', &field, &value) && gba_text_eq_nocase(field, gba_text(name)))
        gba_text_copy(out, cap, m2m_http_trim(value));
}

static size_t on_field(char *p, size_t size, size_t n, void *arg)
{
    struct fetch *f = arg;
    struct gba_text line = {p, size * n};

    while (line.n > 0 && (line.s[line.n - 1] == '\n' || line.s[line.n - 1] == '\r'))
        line.n--;
    keep(line, M2M_H_RSC, f->rsc, sizeof(f->rsc));
    keep(line, M2M_H_RI, f->ri, sizeof(f->ri));
    keep(line, "Content-Type", f->content_type, sizeof(f->content_type));
    return size * n;
}

static void set_options(CURL *curl, const struct key_fetch_source *from, struct fetch *f)
{
    curl_easy_setopt(curl, CURLOPT_URL, f->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)from->deadline_ms);
    curl_easy_setopt(curl, CURLOPT_CAINFO, from->ca);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(curl, CURLOPT_SSLCERT, from->cert);
    curl_easy_setopt(curl, CURLOPT_SSLKEY, from->key);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, f->why);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, f->fields);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_field);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, f);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, f);
}

static enum gba_err add_field(struct fetch *f, const char *name, const char *value)
{
    char line[M2M_ID_SIZE + 64];
    struct curl_slist *more;

    snprintf(line, sizeof(line), "%s: %s", name, value);
    more = curl_slist_append(f->fields, line);
    if (more == NULL)
        return GBA_E_NOMEM;
    f->fields = more;
    return GBA_OK;
}

static enum gba_err get(const struct key_fetch_source *from, struct fetch *f)
{
    CURL *curl = curl_easy_init();
    enum gba_err err = GBA_E_NOMEM;

    if (curl != NULL) {
        set_options(curl, from, f);
        err = curl_easy_perform(curl) == CURLE_OK ? GBA_OK : GBA_E_UNREACHABLE;
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &f->status);
    }
    curl_easy_cleanup(curl);
    if (err == GBA_OK && f->status == 404)
        err = GBA_E_NOT_FOUND;
    else if (err == GBA_OK && f->status == 403)
        err = GBA_E_FORBIDDEN;
    else if (err == GBA_OK && f->status != 200)
        err = f->status >= 500 ? GBA_E_UNREACHABLE : GBA_E_PROTOCOL;
    return err;
}

/* What came, or nothing but why nothing did. */
static enum gba_err end(struct fetch *f, enum gba_err err, struct key_fetched *out)
{
    if (err != GBA_OK) {
        gba_wipe(out, sizeof(*out));
        if (err == GBA_E_UNREACHABLE)
            snprintf(out->why, sizeof(out->why), "%.*s", (int)sizeof(out->why) - 1, f->why);
    }
    curl_slist_free_all(f->fields);
    gba_wipe(f, sizeof(*f));
    return err;
}

/* ------------------------------------------------------------ fetchCredentials */

/* Everything but unreserved characters is encoded: a B-TID holds '/', '+', '=' and '@'. */
static bool make_url(const struct key_fetch_source *from, struct gba_text key_id, unsigned suid,
                     struct fetch *f)
{
    struct gba_wbuf w;

    gba_wbuf_init(&w, f->url, sizeof(f->url));
    gba_wbuf_str(&w, from->url);
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
    gba_wbuf_number(&w, suid);
    return gba_wbuf_cstr(&w)[0] != '\0';
}

static enum gba_err read_credential(const struct fetch *f, struct key_fetched *out)
{
    json_t *root = json_loadb((const char *)f->body, f->n, 0, NULL);
    const char *credential = json_string_value(json_object_get(root, "Credential"));
    const char *enrolee = json_string_value(json_object_get(root, "EnroleeID"));
    const char *lifetime = json_string_value(json_object_get(root, "Lifetime"));
    enum gba_err err = GBA_E_PROTOCOL;
    size_t n;

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
    return err;
}

enum gba_err key_fetch_credential(const struct key_fetch_source *from, struct gba_text key_id,
                                  unsigned suid, struct key_fetched *out)
{
    struct fetch f = {.n = 0};
    enum gba_err err = make_url(from, key_id, suid, &f) ? GBA_OK : GBA_E_SYNTAX;

    memset(out, 0, sizeof(*out));
    if (err == GBA_OK)
        err = add_field(&f, M2M_H_ORIGIN, from->origin);
    if (err == GBA_OK)
        err = get(from, &f);
    if (err == GBA_OK)
        err = read_credential(&f, out);
    return end(&f, err, out);
}

/* ------------------------------------------------------------ key retrieval */

static enum gba_err make_request(const struct key_fetch_source *from, struct gba_text key_id,
                                 struct m2m_request *rq)
{
    struct m2m_key_id id;
    uint8_t random[16];
    char relative[M2M_RELATIVE_ID_MAX + 1];
    enum gba_err err = m2m_key_id_parse(key_id, &id);

    memset(rq, 0, sizeof(*rq));
    if (err == GBA_OK)
        err = gba_text_copy(relative, sizeof(relative), id.left);
    if (err == GBA_OK)
        err = random_octets(random, sizeof(random));
    if (err == GBA_OK)
        err = gba_text_copy(rq->fr, sizeof(rq->fr), gba_text(from->origin));
    if (err != GBA_OK)
        return err;
    rq->op = M2M_OP_RETRIEVE;
    snprintf(rq->to, sizeof(rq->to), "//%.*s/-/%s", (int)id.fqdn.n, id.fqdn.s, relative);
    gba_hex(rq->rqi, GBA_BYTES(random));
    memcpy(rq->rvi, "3", 2);
    rq->rcn = M2M_RCN_DEFAULT;
    rq->format = rq->answer_in = M2M_JSON;
    return GBA_OK;
}

static enum gba_err print_request(const struct key_fetch_source *from,
                                  const struct m2m_request *rq, struct fetch *f)
{
    struct m2m_http_call call;
    struct gba_wbuf w;
    enum gba_err err = m2m_http_request_print(rq, &call);

    if (err == GBA_OK)
        err = add_field(f, "Accept", call.accept);
    for (size_t i = 0; err == GBA_OK && i < call.n_fields; i++)
        err = add_field(f, call.field[i].name, call.field[i].value);
    gba_wbuf_init(&w, f->url, sizeof(f->url));
    gba_wbuf_str(&w, from->url);
    gba_wbuf_str(&w, call.target);
    gba_wbuf_cstr(&w);
    return err == GBA_OK && !gba_wbuf_ok(&w) ? GBA_E_SYNTAX : err;
}

/* keyValue, for this SUID; the creator is whose it is (8.3.5.2.8). */
static enum gba_err take_key(const struct m2m_resource *r, unsigned suid,
                             struct key_fetched *out)
{
    const struct gba_key *key = m2m_key(r);

    if (key == NULL || m2m_number(r, M2M_A_SUID) != suid ||
        !m2m_has(r, M2M_A_EXPIRATION_TIME) ||
        gba_text_copy(out->enrolee, sizeof(out->enrolee), m2m_text(r, M2M_A_CREATOR)) != GBA_OK)
        return GBA_E_PROTOCOL;
    out->key = *key;
    out->expires_s = m2m_time(r, M2M_A_EXPIRATION_TIME);
    return GBA_OK;
}

static enum gba_err read_registered(const struct fetch *f, const struct m2m_request *rq,
                                    unsigned suid, struct key_fetched *out)
{
    const struct m2m_http_answer in = {.status = (unsigned)f->status,
                                       .rsc = gba_text(f->rsc),
                                       .ri = gba_text(f->ri),
                                       .content_type = gba_text(f->content_type),
                                       .body = {f->body, f->n}};
    struct m2m_problem problem;
    struct m2m_response rs;
    struct m2m_resource r;
    enum gba_err err = m2m_http_response_read(&in, rq, &rs);

    if (err != GBA_OK || !m2m_rsc_is_success(rs.rsc) ||
        m2m_codec_read(rs.pc, rs.format, M2M_SYMM_KEY_REG, M2M_USE_ANSWER, &r, &problem) !=
            M2M_RSC_OK)
        return GBA_E_PROTOCOL;
    err = take_key(&r, suid, out);
    m2m_resource_wipe(&r);
    return err;
}

enum gba_err key_fetch_registered(const struct key_fetch_source *from, struct gba_text key_id,
                                  unsigned suid, struct key_fetched *out)
{
    struct m2m_request rq;
    struct fetch f = {.n = 0};
    enum gba_err err = make_request(from, key_id, &rq);

    memset(out, 0, sizeof(*out));
    if (err == GBA_OK)
        err = print_request(from, &rq, &f);
    if (err == GBA_OK)
        err = get(from, &f);
    if (err == GBA_OK)
        err = read_registered(&f, &rq, suid, out);
    return end(&f, err, out);
}
