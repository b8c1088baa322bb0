/*
 * bsfd's configuration: addresses of Ub and Zn, their TLS, and the table of NAFs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/bsfd_conf_parts.h"

#include <string.h>

#include "bsf/zn_http.h"

/* ---- TLS and listeners ---------------------------------------------------------------- */

#define AT(member) offsetof(struct bsfd_tls_conf, member)
static const struct conf_row ub_tls_rows[] = {
    {.name = "cert",
     .type = CONF_PATH,
     .offset = AT(cert),
     .flags = CONF_REQUIRED,
     .help = "Certificate chain (PEM) for the BSF names."},
    {.name = "key",
     .type = CONF_PATH,
     .offset = AT(key),
     .flags = CONF_REQUIRED,
     .help = "Its private key (PEM), readable by nobody else."},
};
static const struct conf_row zn_tls_rows[] = {
    {.name = "cert",
     .type = CONF_PATH,
     .offset = AT(cert),
     .flags = CONF_REQUIRED,
     .help = "Certificate chain (PEM)."},
    {.name = "key",
     .type = CONF_PATH,
     .offset = AT(key),
     .flags = CONF_REQUIRED,
     .help = "Its private key (PEM), readable by nobody else."},
    {.name = "client_ca",
     .type = CONF_PATH,
     .offset = AT(client_ca),
     .flags = CONF_REQUIRED,
     .help = "CA certificates (PEM) that NAFs' certificates come from. A NAF without such a "
             "certificate fails in the handshake."},
    {.name = "crl",
     .type = CONF_PATH,
     .offset = AT(crl),
     .help = "Revocation lists (PEM) for them."},
};
#undef AT
static const struct conf_schema ub_tls_schema = {"TLS of a Ub address", ub_tls_rows,
                                                 BSFD_CONF_SIZE(ub_tls_rows),
                                                 sizeof(struct bsfd_tls_conf), NULL};
static const struct conf_schema zn_tls_schema = {
    "TLS of Zn", zn_tls_rows, BSFD_CONF_SIZE(zn_tls_rows), sizeof(struct bsfd_tls_conf), NULL};

static const struct conf_row ub_rows[] = {
    {.name = "listen",
     .type = CONF_ADDRESS,
     .offset = offsetof(struct bsfd_ub_conf, listen),
     .flags = CONF_REQUIRED,
     .help = "HOST:PORT or [IPV6]:PORT; UEs look for port 80 (443 with TLS). Port 0: any free "
             "one, see --ports-file."},
    {.name = "tls",
     .type = CONF_SECTION,
     .sub = &ub_tls_schema,
     .offset = offsetof(struct bsfd_ub_conf, tls),
     .help = "HTTPS on this address. Left out: HTTP."},
};
const struct conf_schema bsfd_ub_schema = {"An address of Ub", ub_rows, BSFD_CONF_SIZE(ub_rows),
                                           sizeof(struct bsfd_ub_conf), NULL};

#define AT(member) offsetof(struct bsfd_zn_conf, member)
static const struct conf_row zn_rows[] = {
    {.name = "listen",
     .type = CONF_ADDRESSES,
     .max = 16,
     .offset = AT(listen),
     .help = "Addresses of Zn as a web service. Left out: no Zn."},
    {.name = "tls",
     .type = CONF_SECTION,
     .sub = &zn_tls_schema,
     .offset = AT(tls),
     .help = "Zn speaks HTTPS with certificates on both sides."},
    {.name = "path",
     .type = CONF_STRING,
     .deflt = ZN_PATH_DEFAULT,
     .max = 256,
     .offset = AT(path),
     .help = "Where NAFs POST requestBootstrappingInfo."},
    {.name = "insecure",
     .type = CONF_BOOL,
     .deflt = "false",
     .offset = AT(insecure),
     .help = "Zn without TLS. Whoever reaches the address gets keys: for a lab, or behind a "
             "proxy that checks certificates."},
    {.name = "insecure_naf",
     .type = CONF_STRING,
     .max = 255,
     .offset = AT(insecure_naf),
     .help = "With insecure: the certificate name every caller is taken for."},
};
#undef AT

static const char *check_zn(const void *filled, const char **row)
{
    const struct bsfd_zn_conf *c = filled;

    *row = "tls";
    if (c->listen.n != 0 && c->tls.cert == NULL && !c->insecure)
        return "Zn needs tls (or, in a lab, insecure: true)";
    *row = "insecure";
    if (c->insecure && c->tls.cert != NULL)
        return "tls and insecure exclude each other";
    *row = "insecure_naf";
    if (c->insecure && c->insecure_naf == NULL)
        return "insecure needs insecure_naf";
    *row = "path";
    return c->path[0] != '/' ? "must begin with /" : NULL;
}

const struct conf_schema bsfd_zn_schema = {"Zn as a web service", zn_rows,
                                           BSFD_CONF_SIZE(zn_rows), sizeof(struct bsfd_zn_conf),
                                           check_zn};

/* ---- NAFs ----------------------------------------------------------------------------- */

#define AT(member) offsetof(struct bsfd_naf_conf, member)
static const struct conf_row naf_rows[] = {
    {.name = "certificate",
     .type = CONF_STRING,
     .max = 255,
     .offset = AT(certificate),
     .flags = CONF_REQUIRED,
     .help = "dNSName in the NAF's certificate; its CN is never read."},
    {.name = "fqdns",
     .type = CONF_STRINGS,
     .max = 1024,
     .offset = AT(fqdns),
     .flags = CONF_REQUIRED,
     .help = "Names under which UEs use this NAF: the FQDNs of the NAF_Ids it may ask for. "
             "*.example.org stands for any one label. A proxy lists those of its targets."},
    {.name = "ua_ids",
     .type = CONF_STRINGS,
     .max = 256,
     .offset = AT(ua_ids),
     .help = "Ua security protocol identifiers (TS 33.220 Annex H), ten hexadecimal digits; "
             "010001**** allows every TLS 1.2 suite."},
    {.name = "gsids",
     .type = CONF_STRINGS,
     .max = 64,
     .offset = AT(gsids),
     .help = "GAA service identifiers whose user security settings it may see."},
    {.name = "required_gsids",
     .type = CONF_STRINGS,
     .max = 64,
     .offset = AT(required_gsids),
     .help = "Subscribers without settings for each of these (which must be in gsids too) get "
             "no key for this NAF."},
    {.name = "groups",
     .type = CONF_STRINGS,
     .max = 64,
     .offset = AT(groups),
     .help = "nafGroups it belongs to; settings of other groups stay hidden from it."},
    {.name = "may_learn_impi",
     .type = CONF_BOOL,
     .deflt = "false",
     .offset = AT(may_learn_impi),
     .help = "Tell it the subscriber's IMPI."},
    {.name = "allow_default_ua",
     .type = CONF_BOOL,
     .deflt = "false",
     .offset = AT(allow_default_ua),
     .help = "Allow the identifier 0000000000, which keeps no protocols apart."},
};
#undef AT

#define NO_GSID "not a decimal number up to 4294967295, without zeros before it"

/* As requests are read and written (common/zn_soap.h): no other text would ever match. */
static bool are_gsids(const struct conf_strings *list)
{
    uint64_t v;

    for (size_t i = 0; i < list->n; i++)
        if (gba_text_number(gba_text(list->v[i]), UINT32_MAX, &v) != GBA_OK ||
            (list->v[i][0] == '0' && list->v[i][1] != '\0'))
            return false;
    return true;
}

static const char *check_naf(const void *filled, const char **row)
{
    const struct bsfd_naf_conf *c = filled;
    struct policy_ua_id id;

    *row = "certificate";
    if (gba_fqdn_check(gba_text(c->certificate)) != GBA_OK)
        return "no dNSName in lower case";
    *row = "fqdns";
    for (size_t i = 0; i < c->fqdns.n; i++)
        if (policy_fqdn_check(gba_text(c->fqdns.v[i])) != GBA_OK)
            return "no FQDN in lower case";
    *row = "ua_ids";
    for (size_t i = 0; i < c->ua_ids.n; i++)
        if (policy_ua_id_parse(gba_text(c->ua_ids.v[i]), &id) != GBA_OK)
            return "not ten hexadecimal digits (the last four may be ****)";
    for (size_t i = 0; i < c->ua_ids.n; i++) {
        policy_ua_id_parse(gba_text(c->ua_ids.v[i]), &id);
        if (memcmp(id.id, gba_ua_tmpi, GBA_UA_ID_LEN) == 0 && !id.any_suite)
            return "0100000100 derives TMPIs and is for no NAF";
    }
    *row = "gsids";
    if (!are_gsids(&c->gsids))
        return NO_GSID;
    *row = "required_gsids";
    return are_gsids(&c->required_gsids) ? NULL : NO_GSID;
}

const struct conf_schema bsfd_naf_schema = {"A NAF", naf_rows, BSFD_CONF_SIZE(naf_rows),
                                            sizeof(struct bsfd_naf_conf), check_naf};
