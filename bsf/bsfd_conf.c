/*
 * The configuration of bsfd: its schema, what the schema's types cannot check, and the tables
 * the decisions work with.  It opens nothing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "bsf/bsfd_conf.h"

#include <stdlib.h>
#include <string.h>

#include "bsf/store_memory.h"
#include "bsf/zn_http.h"

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define DAY_MS      INT64_C(86400000)

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
static const struct conf_schema ub_tls_schema = {
    "TLS of a Ub address", ub_tls_rows, SIZE(ub_tls_rows), sizeof(struct bsfd_tls_conf), NULL};
static const struct conf_schema zn_tls_schema = {"TLS of Zn", zn_tls_rows, SIZE(zn_tls_rows),
                                                 sizeof(struct bsfd_tls_conf), NULL};

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
static const struct conf_schema ub_schema = {"An address of Ub", ub_rows, SIZE(ub_rows),
                                             sizeof(struct bsfd_ub_conf), NULL};

#define AT(member) offsetof(struct bsfd_zn_conf, member)
static const struct conf_row zn_rows[] = {
    {.name = "listen",
     .type = CONF_STRINGS,
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
    char host[256];
    uint16_t port;

    for (size_t i = 0; i < c->listen.n; i++) {
        *row = "listen";
        if (conf_address_split(c->listen.v[i], host, &port) != GBA_OK)
            return "no address of the form HOST:PORT";
    }
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

static const struct conf_schema zn_schema = {"Zn as a web service", zn_rows, SIZE(zn_rows),
                                             sizeof(struct bsfd_zn_conf), check_zn};

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
    return NULL;
}

static const struct conf_schema naf_schema = {"A NAF", naf_rows, SIZE(naf_rows),
                                              sizeof(struct bsfd_naf_conf), check_naf};

/* ---- Zh ------------------------------------------------------------------------------- */

static const struct conf_row zh_rows[] = {
    {.name = "file",
     .type = CONF_SECTION,
     .sub = &zh_file_schema,
     .offset = offsetof(struct bsfd_zh_conf, file),
     .help = "Vectors made here, from a file of subscribers: for a lab without an HSS."},
#ifdef WITH_DIAMETER
    {.name = "diameter",
     .type = CONF_SECTION,
     .sub = &zh_diameter_schema,
     .offset = offsetof(struct bsfd_zh_conf, diameter),
     .help = "Vectors and user security settings from an HSS (TS 29.109)."},
#endif
};

static const char *check_zh(const void *filled, const char **row)
{
    const struct bsfd_zh_conf *c = filled;

    *row = "file";
    if ((c->file.subscribers != NULL) == (c->diameter.identity != NULL))
        return "give one of file and diameter";
    return NULL;
}

static const struct conf_schema zh_schema = {"Zh", zh_rows, SIZE(zh_rows),
                                             sizeof(struct bsfd_zh_conf), check_zh};

/* ---- sessions, limits, HTTP ----------------------------------------------------------- */

#define AT(member) offsetof(struct bsfd_session_conf, member)
static const struct conf_row session_rows[] = {
    {.name = "lifetime",
     .type = CONF_DURATION,
     .deflt = "24h",
     .min = 1000,
     .max = 3650 * DAY_MS,
     .offset = AT(lifetime_ms),
     .help = "How long Ks lives where the subscriber's GUSS says nothing."},
    {.name = "min_lifetime",
     .type = CONF_DURATION,
     .deflt = "60s",
     .min = 1000,
     .max = 3650 * DAY_MS,
     .offset = AT(min_lifetime_ms),
     .help = "What a GUSS may ask for at least."},
    {.name = "max_lifetime",
     .type = CONF_DURATION,
     .deflt = "30d",
     .min = 1000,
     .max = 3650 * DAY_MS,
     .offset = AT(max_lifetime_ms),
     .help = "What a GUSS may ask for at most."},
    {.name = "tmpi_lifetime",
     .type = CONF_DURATION,
     .deflt = "30d",
     .min = 1000,
     .max = 3650 * DAY_MS,
     .offset = AT(tmpi_lifetime_ms),
     .help = "How long a TMPI is known; it may outlive its Ks."},
    {.name = "challenge_lifetime",
     .type = CONF_DURATION,
     .deflt = "60s",
     .min = 1000,
     .max = 3600000,
     .offset = AT(challenge_lifetime_ms),
     .help = "How long the answer to a challenge is awaited."},
    {.name = "repeat_window",
     .type = CONF_DURATION,
     .deflt = "5s",
     .min = 0,
     .max = 60000,
     .offset = AT(repeat_window_ms),
     .help = "A first request repeated within this time gets the same unanswered challenge, "
             "which saves vectors. 0: never."},
    {.name = "per_subscriber",
     .type = CONF_INT,
     .deflt = "2",
     .min = 1,
     .max = STORE_MEMORY_MAX_PER_SUBSCRIBER,
     .offset = AT(per_subscriber),
     .help = "Sessions of one subscriber; a new one ends the oldest."},
    {.name = "max_sessions",
     .type = CONF_INT,
     .deflt = "100000",
     .min = 1,
     .max = 100000000,
     .offset = AT(max_sessions),
     .help = "Sessions in all; at the cap new ones are refused until others expire. About 1.5 "
             "KiB each."},
    {.name = "max_challenges",
     .type = CONF_INT,
     .deflt = "20000",
     .min = 1,
     .max = 10000000,
     .offset = AT(max_challenges),
     .help = "Pending challenges in all; the oldest makes room for a new one."},
};
#undef AT

static const char *check_session(const void *filled, const char **row)
{
    const struct bsfd_session_conf *c = filled;

    *row = "lifetime";
    return c->min_lifetime_ms <= c->lifetime_ms && c->lifetime_ms <= c->max_lifetime_ms
               ? NULL
               : "must lie between min_lifetime and max_lifetime";
}

static const struct conf_schema session_schema = {"Sessions", session_rows, SIZE(session_rows),
                                                  sizeof(struct bsfd_session_conf),
                                                  check_session};

#define RATE_ROWS(burst_default, rate_default)                                                 \
    {.name = "burst",                                                                          \
     .type = CONF_INT,                                                                         \
     .deflt = (burst_default),                                                                 \
     .max = 1000000,                                                                           \
     .offset = offsetof(struct bsfd_rate_conf, burst),                                         \
     .help = "Vectors that may be asked for at once. 0: no limit."},                           \
    {                                                                                          \
        .name = "per_minute", .type = CONF_INT, .deflt = (rate_default), .min = 1,             \
        .max = 1000000, .offset = offsetof(struct bsfd_rate_conf, per_minute),                 \
        .help = "Vectors that may be asked for in the long run."                               \
    }
static const struct conf_row subscriber_rate_rows[] = {RATE_ROWS("10", "20")};
static const struct conf_row address_rate_rows[] = {RATE_ROWS("1000", "6000")};
static const struct conf_schema subscriber_rate_schema = {
    "Rate of a subscriber", subscriber_rate_rows, SIZE(subscriber_rate_rows),
    sizeof(struct bsfd_rate_conf), NULL};
static const struct conf_schema address_rate_schema = {"Rate of an address", address_rate_rows,
                                                       SIZE(address_rate_rows),
                                                       sizeof(struct bsfd_rate_conf), NULL};

static const struct conf_row limits_rows[] = {
    {.name = "subscriber",
     .type = CONF_SECTION,
     .sub = &subscriber_rate_schema,
     .offset = offsetof(struct bsfd_limits_conf, subscriber),
     .help = "For one IMPI, whoever asks."},
    {.name = "address",
     .type = CONF_SECTION,
     .sub = &address_rate_schema,
     .offset = offsetof(struct bsfd_limits_conf, address),
     .help = "For one IPv4 address or IPv6 /64, whomever it asks for; many devices may share "
             "one behind a NAT."},
    {.name = "buckets",
     .type = CONF_INT,
     .deflt = "65536",
     .min = 16,
     .max = 16777216,
     .offset = offsetof(struct bsfd_limits_conf, buckets),
     .help = "Names that are remembered, 24 octets each."},
};
static const struct conf_schema limits_schema = {"Rate limits", limits_rows, SIZE(limits_rows),
                                                 sizeof(struct bsfd_limits_conf), NULL};

#define AT(member) offsetof(struct bsfd_http_conf, member)
static const struct conf_row http_rows[] = {
    {.name = "threads",
     .type = CONF_INT,
     .deflt = "2",
     .min = 1,
     .max = 64,
     .offset = AT(threads),
     .help = "Threads of each address."},
    {.name = "connections",
     .type = CONF_INT,
     .deflt = "1024",
     .min = 1,
     .max = 1000000,
     .offset = AT(connections),
     .help = "Connections at a time of each address; more wait."},
    {.name = "connections_per_address",
     .type = CONF_INT,
     .deflt = "0",
     .max = 1000000,
     .offset = AT(connections_per_address),
     .help = "Of one peer address. 0: no limit."},
    {.name = "idle_timeout",
     .type = CONF_DURATION,
     .deflt = "15s",
     .min = 1000,
     .max = 3600000,
     .offset = AT(idle_timeout_ms),
     .help = "A connection without octets is closed after this time."},
    {.name = "deadline",
     .type = CONF_DURATION,
     .deflt = "10s",
     .min = 100,
     .max = 600000,
     .offset = AT(deadline_ms),
     .help = "From the first octet of a request to its end, however slowly it trickles."},
};
#undef AT
static const struct conf_schema http_schema = {"HTTP", http_rows, SIZE(http_rows),
                                               sizeof(struct bsfd_http_conf), NULL};

/* ---- the whole ------------------------------------------------------------------------ */

static const char *const unknown_choices[] = {"refuse", "decoy", NULL};

#define AT(member) offsetof(struct bsfd_conf, member)
static const struct conf_row rows[] = {
    {.name = "names",
     .type = CONF_STRINGS,
     .min = 1,
     .max = 64,
     .offset = AT(names),
     .flags = CONF_REQUIRED,
     .help = "BSF names (TS 23.003 16.2), the default first: that for USIMs "
             "(bsf.mnc001.mcc001.pub.3gppnetwork.org) and that for ISIMs "
             "(bsf.ims.mnc001.mcc001.pub.3gppnetwork.org)."},
    {.name = "ub",
     .type = CONF_SECTIONS,
     .min = 1,
     .max = 64,
     .sub = &ub_schema,
     .offset = AT(ub),
     .flags = CONF_REQUIRED,
     .help = "Addresses on which UEs bootstrap."},
    {.name = "zh",
     .type = CONF_SECTION,
     .sub = &zh_schema,
     .offset = AT(zh),
     .flags = CONF_REQUIRED,
     .help = "Where authentication vectors come from: one of the two."},
    {.name = "zn",
     .type = CONF_SECTION,
     .sub = &zn_schema,
     .offset = AT(zn),
     .help = "Where NAFs ask for keys."},
    {.name = "nafs",
     .type = CONF_SECTIONS,
     .max = 100000,
     .sub = &naf_schema,
     .offset = AT(nafs),
     .help = "The NAFs that are served. What no row allows is refused."},
    {.name = "session",
     .type = CONF_SECTION,
     .sub = &session_schema,
     .offset = AT(session),
     .help = "Lifetimes and caps."},
    {.name = "rate_limits",
     .type = CONF_SECTION,
     .sub = &limits_schema,
     .offset = AT(limits),
     .help = "How many vectors strangers may cost. Every first request costs one."},
    {.name = "http",
     .type = CONF_SECTION,
     .sub = &http_schema,
     .offset = AT(http),
     .help = "Limits of the HTTP servers, Ub and Zn."},
    {.name = "unknown_subscriber",
     .type = CONF_ENUM,
     .deflt = "refuse",
     .choices = unknown_choices,
     .offset = AT(unknown_subscriber),
     .help = "What a UE without subscription gets: refuse (403), or decoy: a challenge that "
             "never verifies, so that nobody learns which subscribers exist."},
    {.name = "decoy_amf",
     .type = CONF_HEX,
     .deflt = "0000",
     .min = 2,
     .max = 2,
     .offset = AT(decoy_amf),
     .help = "AMF in decoys: the one the HSS uses."},
    {.name = "match_uss_by_type",
     .type = CONF_BOOL,
     .deflt = "false",
     .offset = AT(match_uss_by_type),
     .help =
         "Look for a GSID in a USS's type as well as in its id, for HSSs that mix them up."},
    {.name = "accept_unflipped_res",
     .type = CONF_BOOL,
     .deflt = "false",
     .offset = AT(accept_unflipped_res),
     .help = "For a lab only: accept a GBA_U UICC that does not flip the last bit of RES."},
    DAEMON_CONF_ROWS(struct bsfd_conf, daemon),
};
#undef AT

static const char *check_nafs(const struct bsfd_conf *c)
{
    const struct bsfd_naf_conf *nafs = c->nafs.v;

    for (size_t i = 0; i < c->nafs.n; i++)
        for (size_t k = 0; k < nafs[i].fqdns.n; k++)
            for (size_t b = 0; b < c->names.n; b++)
                if (strcmp(nafs[i].fqdns.v[k], c->names.v[b]) == 0)
                    return "a BSF name cannot be a NAF's FQDN";
    return NULL;
}

static const char *check(const void *filled, const char **row)
{
    const struct bsfd_conf *c = filled;

    *row = "names";
    if (c->names.n == 0)
        return "at least one name is needed";
    for (size_t i = 0; i < c->names.n; i++)
        if (gba_fqdn_check(gba_text(c->names.v[i])) != GBA_OK)
            return "no FQDN in lower case";
    *row = "ub";
    if (c->ub.n == 0)
        return "at least one address is needed";
    *row = "nafs";
    return check_nafs(c);
}

const struct conf_schema bsfd_schema = {"bsfd, the Bootstrapping Server Function", rows,
                                        SIZE(rows), sizeof(struct bsfd_conf), check};

/* ---- the tables of the decisions ------------------------------------------------------ */

void bsfd_ub_policy(const struct bsfd_conf *c, struct ub_policy *out)
{
    *out = (struct ub_policy){
        .names = (const char *const *)c->names.v,
        .n_names = c->names.n,
        .lifetimes = {c->session.lifetime_ms / 1000, c->session.min_lifetime_ms / 1000,
                      c->session.max_lifetime_ms / 1000},
        .challenge_ttl_ms = c->session.challenge_lifetime_ms,
        .repeat_window_ms = c->session.repeat_window_ms,
        .max_failures = 3,
        .retry_after_s = 5,
        .decoy = c->unknown_subscriber == 1,
        .accept_unflipped_res = c->accept_unflipped_res,
    };
    memcpy(out->decoy_amf, c->decoy_amf.p, sizeof(out->decoy_amf));
}

static enum gba_err make_naf(const struct bsfd_naf_conf *c, struct policy_naf *out)
{
    struct policy_ua_id *ids = calloc(c->ua_ids.n + 1, sizeof(*ids));

    if (ids == NULL)
        return GBA_E_NOMEM;
    for (size_t i = 0; i < c->ua_ids.n; i++)
        policy_ua_id_parse(gba_text(c->ua_ids.v[i]), &ids[i]); /* check_naf has seen them */
    *out = (struct policy_naf){
        .certificate = c->certificate,
        .fqdns = (const char *const *)c->fqdns.v,
        .n_fqdns = c->fqdns.n,
        .ua_ids = ids,
        .n_ua_ids = c->ua_ids.n,
        .gsids = (const char *const *)c->gsids.v,
        .n_gsids = c->gsids.n,
        .required_gsids = (const char *const *)c->required_gsids.v,
        .n_required_gsids = c->required_gsids.n,
        .groups = (const char *const *)c->groups.v,
        .n_groups = c->groups.n,
        .may_learn_impi = c->may_learn_impi,
        .allow_default_ua = c->allow_default_ua,
    };
    return GBA_OK;
}

enum gba_err bsfd_policy_make(const struct bsfd_conf *c, struct policy *out)
{
    struct policy_naf *nafs = calloc(c->nafs.n + 1, sizeof(*nafs));
    enum gba_err err = nafs != NULL ? GBA_OK : GBA_E_NOMEM;

    *out = (struct policy){.nafs = nafs,
                           .bsf_names = (const char *const *)c->names.v,
                           .n_bsf_names = c->names.n,
                           .match_uss_by_type = c->match_uss_by_type};
    for (size_t i = 0; err == GBA_OK && i < c->nafs.n; i++) {
        err = make_naf((const struct bsfd_naf_conf *)c->nafs.v + i, &nafs[i]);
        out->n_nafs += err == GBA_OK;
    }
    if (err != GBA_OK)
        bsfd_policy_free(out);
    return err;
}

void bsfd_policy_free(struct policy *p)
{
    for (size_t i = 0; i < p->n_nafs; i++)
        free((void *)(uintptr_t)p->nafs[i].ua_ids);
    free((void *)(uintptr_t)p->nafs);
    *p = (struct policy){.nafs = NULL};
}
