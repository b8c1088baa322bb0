/*
 * Reading one request on Ua with HTTP Digest: see ua_request.h.  TS 24.109 5.2, RFC 7616 3.4.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/ua_request.h"

#include <string.h>

#define CNONCE_MAX 256

/* ------------------------------------------------------------ names */

/* Host without its port; a bracketed IPv6 address keeps its brackets. */
static struct gba_text without_port(struct gba_text host)
{
    struct gba_text head, tail;

    if (host.n > 0 && host.s[host.n - 1] == ']')
        return host;
    return gba_text_rsplit(host, ':', &head, &tail) ? head : host;
}

const char *ua_find_fqdn(const struct ua_rules *r, struct gba_text host)
{
    char canonical[GBA_FQDN_SIZE];

    if (gba_fqdn_canonical(without_port(host), canonical) != GBA_OK)
        return NULL;
    for (size_t i = 0; i < r->n_fqdns; i++)
        if (strcmp(r->fqdns[i], canonical) == 0)
            return r->fqdns[i];
    return NULL;
}

enum gba_err ua_read_name(const struct ua_rules *r, struct ua_exchange *x)
{
    const struct gba_naf_request *rq = &x->rq;

    if (rq->host == NULL)
        return GBA_E_HTTP;
    if (rq->tls && rq->tls_suite == 0)
        return GBA_E_ARGUMENT;
    x->fqdn = ua_find_fqdn(r, gba_text(rq->host));
    if (x->fqdn == NULL)
        return GBA_E_MISDIRECTED;
    if (rq->tls && rq->tls_sni != NULL && ua_find_fqdn(r, gba_text(rq->tls_sni)) != x->fqdn)
        return GBA_E_MISDIRECTED;
    return GBA_OK;
}

/* ------------------------------------------------------------ uri against target */

/* Cuts scheme and authority off an absolute form; false if its host is not ours. */
static bool origin_form(const struct ua_rules *r, const char *fqdn, struct gba_text *uri)
{
    struct gba_text scheme, rest;
    size_t n = 0;

    if (uri->n > 0 && uri->s[0] == '/')
        return true;
    if (!gba_text_split(*uri, ':', &scheme, &rest) || !gba_text_starts(rest, "//") ||
        !(gba_text_eq_nocase(scheme, GBA_TEXT("http")) ||
          gba_text_eq_nocase(scheme, GBA_TEXT("https"))))
        return true; /* "*", or whatever both sides say */
    rest.s += 2;
    rest.n -= 2;
    while (n < rest.n && rest.s[n] != '/' && rest.s[n] != '?')
        n++;
    *uri = (struct gba_text){rest.s + n, rest.n - n};
    return ua_find_fqdn(r, (struct gba_text){rest.s, n}) == fqdn;
}

/* The path without one closing slash, and what follows from '?' on. */
static void split_path(struct gba_text uri, struct gba_text *path, struct gba_text *query)
{
    gba_text_split(uri, '?', path, query);
    if (path->n > 0 && path->s[path->n - 1] == '/')
        path->n--;
}

/* RFC 7616 3.4.6: uri must designate the resource of the request line.  Clients met in the
 * field give it in absolute form, or with a slash more or less. */
static bool same_resource(const struct ua_rules *r, const struct ua_exchange *x)
{
    struct gba_text uri = x->d.p[GBA_DIGEST_URI].value, target = gba_text(x->rq.target);
    struct gba_text path[2], query[2];

    if (gba_text_eq(uri, target))
        return true;
    if (!origin_form(r, x->fqdn, &uri) || !origin_form(r, x->fqdn, &target))
        return false;
    if (gba_text_eq(uri, target))
        return true;
    if (r->exact_uri)
        return false;
    split_path(uri, &path[0], &query[0]);
    split_path(target, &path[1], &query[1]);
    return gba_text_eq(path[0], path[1]) && gba_text_eq(query[0], query[1]);
}

/* ------------------------------------------------------------ parameters */

/* TS 24.109 5.2.4: the NAF computes with the realm that came back and picks the key by it; it
 * takes exactly those it offered, never the pair as a whole. */
static enum gba_err read_realm(const struct ua_rules *r, struct ua_exchange *x)
{
    static const struct {
        const char *prefix;
        unsigned key;
    } kinds[] = {{UA_REALM_ME, GBA_NAF_KEY_ME}, {UA_REALM_UICC, GBA_NAF_KEY_UICC}};
    struct gba_text realm = x->d.p[GBA_DIGEST_REALM].value;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct gba_text fqdn = realm;
        size_t n = strlen(kinds[i].prefix);

        if ((r->keys & kinds[i].key) == 0 || !gba_text_starts(realm, kinds[i].prefix))
            continue;
        fqdn.s += n;
        fqdn.n -= n;
        x->key_type = kinds[i].key;
        if (gba_text_is(fqdn, x->fqdn))
            return GBA_OK;
        return memchr(fqdn.s, ';', fqdn.n) == NULL ? GBA_E_MISDIRECTED : GBA_E_BINDING;
    }
    return GBA_E_BINDING;
}

static enum gba_err read_algorithm(const struct ua_rules *r, struct ua_exchange *x)
{
    x->algorithm = GBA_DIGEST_MD5; /* RFC 7616 3.4: when it is not given */
    if (x->d.p[GBA_DIGEST_ALGORITHM].present) {
        enum gba_err err =
            gba_digest_algorithm_by_name(x->d.p[GBA_DIGEST_ALGORITHM].value, &x->algorithm);

        if (err != GBA_OK)
            return err;
    }
    if (x->algorithm == GBA_DIGEST_MD5)
        return (r->algorithms & GBA_NAF_MD5) != 0 ? GBA_OK : GBA_E_ALGORITHM;
    if (x->algorithm == GBA_DIGEST_SHA256)
        return (r->algorithms & GBA_NAF_SHA256) != 0 ? GBA_OK : GBA_E_ALGORITHM;
    return GBA_E_ALGORITHM;
}

static enum gba_err read_qop(const struct ua_rules *r, struct ua_exchange *x)
{
    struct gba_text qop = x->d.p[GBA_DIGEST_QOP].value;

    if (gba_text_is(qop, "auth-int") && (r->qops & GBA_NAF_AUTH_INT) != 0)
        x->qop = GBA_QOP_AUTH_INT;
    else if (gba_text_is(qop, "auth") && (r->qops & GBA_NAF_AUTH) != 0)
        x->qop = GBA_QOP_AUTH;
    else
        return GBA_E_QOP; /* without one there is no nc: RFC 2069 is not offered */
    return GBA_OK;
}

static enum gba_err read_username(struct ua_exchange *x)
{
    struct gba_text username = x->d.p[GBA_DIGEST_USERNAME].value, domain;
    uint8_t rand[16];

    if (gba_btid_parse(username, rand, &domain) != GBA_OK)
        return GBA_E_BTID;
    return gba_text_copy(x->query.btid, sizeof(x->query.btid), username) == GBA_OK ? GBA_OK
                                                                                   : GBA_E_BTID;
}

enum gba_err ua_read_authorization(const struct ua_rules *r, struct ua_exchange *x)
{
    enum gba_digest_param which;
    enum gba_err err;

    if (x->rq.authorization == NULL)
        return GBA_E_NO_AUTHORIZATION;
    if (x->rq.n_authorization > 1)
        return GBA_E_REPEATED;
    err = gba_digest_parse(gba_text(x->rq.authorization), &x->d);
    if (err == GBA_OK)
        err = gba_digest_check(&x->d, GBA_DIGEST_UA_RESPONSE, &which);
    if (err != GBA_OK)
        return err;
    if (x->d.p[GBA_DIGEST_CNONCE].value.n > CNONCE_MAX) /* it goes back in our answer */
        return GBA_E_SYNTAX;
    if (x->d.p[GBA_DIGEST_USERHASH].present &&
        !gba_text_eq_nocase(x->d.p[GBA_DIGEST_USERHASH].value, GBA_TEXT("false")))
        return GBA_E_UNSUPPORTED;
    if (!same_resource(r, x))
        return GBA_E_HTTP;
    if (x->d.p[GBA_DIGEST_OPAQUE].present &&
        !gba_text_is(x->d.p[GBA_DIGEST_OPAQUE].value, r->opaque))
        return GBA_E_BINDING;
    err = read_realm(r, x);
    if (err == GBA_OK)
        err = read_algorithm(r, x);
    if (err == GBA_OK)
        err = read_qop(r, x);
    return err == GBA_OK ? read_username(x) : err;
}
