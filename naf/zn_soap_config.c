/*
 * The configuration of Zn over the web service, NAF side: checked at the start, so that a wrong
 * URL or file is not found out by the first question.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/zn_soap_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEADLINE_MS     2000
#define OUTSTANDING_MAX 256

static enum gba_err check_url(const char *url, bool insecure)
{
    CURLU *u = curl_url();
    char *scheme = NULL, *user = NULL;
    enum gba_err err = GBA_E_SYNTAX;

    if (u == NULL)
        return GBA_E_NOMEM;
    if (url != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_NO_USER &&
        (strcmp(scheme, "https") == 0 || (insecure && strcmp(scheme, "http") == 0)))
        err = GBA_OK;
    curl_free(scheme);
    curl_free(user);
    curl_url_cleanup(u);
    return err;
}

static bool copy(const char *from, char **to)
{
    *to = from != NULL ? strdup(from) : NULL;
    return from == NULL || *to != NULL;
}

static enum gba_err take_rows(const struct gba_naf_config *config, struct zn_soap_client *c)
{
    c->rows = calloc(config->n_bsfs + 1, sizeof(*c->rows));
    if (c->rows == NULL)
        return GBA_E_NOMEM;
    for (size_t i = 0; i < config->n_bsfs; i++) {
        const struct gba_naf_bsf *b = &config->bsfs[i];
        struct zn_soap_row *r = &c->rows[c->n_rows++];
        enum gba_err err = check_url(b->url, config->zn_insecure);

        if (err == GBA_OK)
            err = gba_fqdn_canonical(gba_text(b->domain), r->domain);
        if (err != GBA_OK)
            return err;
        if (!copy(b->url, &r->url) || !copy(b->ca_file, &r->ca_file))
            return GBA_E_NOMEM;
        if (r->ca_file == NULL && strncasecmp(r->url, "https:", 6) == 0)
            return GBA_E_ARGUMENT; /* whom to trust is never left to the system's list */
    }
    return GBA_OK;
}

static enum gba_err bad_file(const struct zn_soap_client *c, const char *file, const char *why)
{
    char text[512];

    snprintf(text, sizeof(text), "%s: %s", file, why);
    if (c->event != NULL)
        c->event(c->event_arg, GBA_E_CONFIG, text);
    return GBA_E_CONFIG;
}

/* Wrong files are to be known at the start, not at the first question. */
static enum gba_err check_files(const struct zn_soap_client *c)
{
    gnutls_certificate_credentials_t x;
    enum gba_err err = GBA_OK;
    int rc = gnutls_certificate_allocate_credentials(&x);

    if (rc < 0)
        return GBA_E_NOMEM;
    if (c->cert_file != NULL) {
        rc = gnutls_certificate_set_x509_key_file(x, c->cert_file, c->key_file,
                                                  GNUTLS_X509_FMT_PEM);
        if (rc < 0)
            err = bad_file(c, c->cert_file, gnutls_strerror(rc));
    }
    for (size_t i = 0; err == GBA_OK && i < c->n_rows; i++) {
        if (c->rows[i].ca_file == NULL)
            continue;
        rc = gnutls_certificate_set_x509_trust_file(x, c->rows[i].ca_file, GNUTLS_X509_FMT_PEM);
        if (rc <= 0)
            err = bad_file(c, c->rows[i].ca_file,
                           rc == 0 ? "no certificate in it" : gnutls_strerror(rc));
    }
    gnutls_certificate_free_credentials(x);
    return err;
}

static enum gba_err make_headers(struct zn_soap_client *c)
{
    static const char *const fields[] = {"Content-Type: text/xml; charset=utf-8",
                                         "SOAPAction: \"requestBootstrappingInfo\"", "Expect:"};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        struct curl_slist *longer = curl_slist_append(c->headers, fields[i]);

        if (longer == NULL)
            return GBA_E_NOMEM;
        c->headers = longer;
    }
    return GBA_OK;
}

enum gba_err zn_soap_configure(const struct gba_naf_config *config, struct zn_soap_client *c)
{
    enum gba_err err;

    c->bare = config->zn_bare;
    c->insecure = config->zn_insecure;
    c->deadline_ms = config->zn_deadline_ms != 0 ? config->zn_deadline_ms : DEADLINE_MS;
    c->outstanding_max =
        config->zn_max_outstanding != 0 ? config->zn_max_outstanding : OUTSTANDING_MAX;
    c->event = config->event;
    c->event_arg = config->event_arg;
    if ((config->cert_file == NULL) != (config->key_file == NULL))
        return GBA_E_ARGUMENT;
    if (!copy(config->cert_file, &c->cert_file) || !copy(config->key_file, &c->key_file))
        return GBA_E_NOMEM;
    err = gba_text_copy(
        c->ns, sizeof(c->ns),
        gba_text(config->zn_namespace != NULL ? config->zn_namespace : GBA_ZN_NS_DEFAULT));
    if (err == GBA_OK)
        err = take_rows(config, c);
    if (err == GBA_OK)
        err = check_files(c);
    return err == GBA_OK ? make_headers(c) : err;
}

void zn_soap_config_free(struct zn_soap_client *c)
{
    curl_slist_free_all(c->headers);
    for (size_t i = 0; i < c->n_rows; i++) {
        free(c->rows[i].url);
        free(c->rows[i].ca_file);
    }
    free(c->rows);
    free(c->cert_file);
    free(c->key_file);
}
