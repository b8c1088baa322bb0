/*
 * The configuration of mafd: that of mefd without what only an MEF does, and with the MEFs
 * whose Km's it takes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "naf/mafd_remote.h"
#include "naf/mefd_conf_rows.h"

static const struct conf_row mef_rows[] = {
    {.name = "fqdn",
     .type = CONF_STRING,
     .flags = CONF_REQUIRED,
     .max = 255,
     ROW(mefd_mef_conf, fqdn),
     .example = "mef.example",
     .help = "MEF-ID."},
    {.name = "url",
     .type = CONF_STRING,
     .flags = CONF_REQUIRED,
     ROW(mefd_mef_conf, url),
     .example = "https://mef.example:8443",
     .help =
         "https://HOST:PORT; asked with the certificate of tls, whose FQDN has a row there."},
    {.name = "ca",
     .type = CONF_PATH,
     .flags = CONF_REQUIRED,
     ROW(mefd_mef_conf, ca),
     .example = "ca.pem",
     .help = "PEM; the only roots its certificate may have."},
    {.name = "domains",
     .type = CONF_STRINGS,
     ROW(mefd_mef_conf, domains),
     .help =
         "Right sides of the KeIDs it is asked for. Left out: fqdn. Those of BSFs, for B-TIDs "
         "where no BSF is asked over Zn."},
    {.name = "enrolees",
     .type = CONF_STRINGS,
     .min = 1,
     .max = 100000,
     ROW(mefd_mef_conf, enrolees),
     .example = "//sp.example",
     .help = "Whom it may vouch for: Absolute AE-IDs and CSE-IDs, each for itself alone, and "
             "//FQDN for all of a service provider. A Km for another is refused. Left out: "
             "anybody with a row in enrolees."},
    {.name = "deadline",
     .type = CONF_DURATION,
     .deflt = "3s",
     .min = 100,
     .max = 60000,
     ROW(mefd_mef_conf, deadline_ms),
     .help = "How long its answer may take."},
};

static const char *check_mef(const void *filled, const char **row)
{
    const struct mefd_mef_conf *mef = filled;
    char sp[GBA_FQDN_SIZE];

    *row = "url";
    if (strncasecmp(mef->url, "https://", 8) != 0)
        return "must begin with https://";
    *row = "enrolees";
    for (size_t i = 0; i < mef->enrolees.n; i++)
        if (mafd_vouched_read(gba_text(mef->enrolees.v[i]), sp) != GBA_OK)
            return "one is neither an Absolute AE-ID or CSE-ID nor //FQDN";
    return NULL;
}

static const struct conf_schema mef_schema = {.title = "An MEF",
                                              .rows = mef_rows,
                                              .n_rows = COUNT(mef_rows),
                                              .size = sizeof(struct mefd_mef_conf),
                                              .check = check_mef};

static const struct conf_row target_rows[] = {
    {.name = "id",
     .type = CONF_STRING,
     .flags = CONF_REQUIRED,
     .max = 511,
     ROW(mefd_target_conf, id),
     .help = "Absolute CSE-ID (//sp.example/cse1); what it says in X-M2M-Origin."},
    {.name = "fqdn",
     .type = CONF_STRING,
     .max = 255,
     ROW(mefd_target_conf, fqdn),
     .help = "Public domain name: dNSName of its certificate. Left out: made from id as an "
             "IN-CSE's (cse1.sp.example)."},
    {.name = "suids",
     .type = CONF_STRINGS,
     .deflt = "32",
     ROW(mefd_target_conf, suids),
     .help = "SUIDs of the keys it may have: 32 (an association), 33, 34, 35."},
    {.name = "ua_protocol",
     .type = CONF_HEX,
     .deflt = "01000100ae",
     .min = 5,
     .max = 5,
     ROW(mefd_target_conf, ua_id),
     .help = "As in mefd; a key that a MAF distributes has none."},
};
static const struct conf_schema target_schema = {.title = "Entity B",
                                                 .rows = target_rows,
                                                 .n_rows = COUNT(target_rows),
                                                 .size = sizeof(struct mefd_target_conf)};

static const struct conf_row enrolee_rows[] = {
    {.name = "id",
     .type = CONF_STRING,
     .flags = CONF_REQUIRED,
     .max = 511,
     ROW(mefd_enrolee_conf, id),
     .help = "Absolute AE-ID or CSE-ID; what targets are told."},
    {.name = "impi",
     .type = CONF_STRING,
     .max = 255,
     ROW(mefd_enrolee_conf, impi),
     .help = "Km is the NAF key of a bootstrapping of this IMPI; asked for over Zn."},
    {.name = "km_id",
     .type = CONF_STRING,
     .max = 511,
     ROW(mefd_enrolee_conf, kpm_id),
     .help = "KmID of a pre-provisioned Km: its psk_identity."},
    {.name = "km",
     .type = CONF_HEX,
     .min = 16,
     .max = 64,
     .flags = CONF_SECRET,
     ROW(mefd_enrolee_conf, kpm),
     .help = "Km, that key."},
    {.name = "certificates",
     .type = CONF_STRINGS,
     ROW(mefd_enrolee_conf, certificates),
     .help = "It has a certificate with one of these subjectAltNames: dns:FQDN, uri:URI, or "
             "other:OID:HEX."},
    {.name = "public_keys",
     .type = CONF_STRINGS,
     ROW(mefd_enrolee_conf, public_keys),
     .help = "It has one of these raw public keys, over CoAP alone: SHA-256 of the "
             "SubjectPublicKeyInfo (RFC 6920), hexadecimal."},
    {.name = "targets",
     .type = CONF_STRINGS,
     ROW(mefd_enrolee_conf, targets),
     .help = "Identifiers of the targets with which it may share keys; none listed: none."},
};
static const struct conf_schema enrolee_schema = {.title = "A client",
                                                  .rows = enrolee_rows,
                                                  .n_rows = COUNT(enrolee_rows),
                                                  .size = sizeof(struct mefd_enrolee_conf)};

static const struct conf_row rows[] = {
    {.name = "fqdn",
     .type = CONF_STRING,
     .flags = CONF_REQUIRED,
     .max = 255,
     ROW(mefd_conf, fqdn),
     .example = "maf.example",
     .help = "MAF-ID: the name of this MAF."},
    MEFD_LISTEN_ROWS,
    {.name = "mefs",
     .type = CONF_SECTIONS,
     .sub = &mef_schema,
     ROW(mefd_conf, mefs),
     .help = "MEFs whose Km's are taken (SUID 21), by the domain of the KeID a client shows."},
    MEFD_STORE_ROWS("mafd"),
    MEFD_LIMIT_ROWS,
    {.name = "targets",
     .type = CONF_SECTIONS,
     .sub = &target_schema,
     ROW(mefd_conf, targets),
     .help = "Who may have the keys that clients register."},
    {.name = "enrolees",
     .type = CONF_SECTIONS,
     .sub = &enrolee_schema,
     ROW(mefd_conf, enrolees),
     .help = "The clients. Who has no row is of no use here, also with a Km of an MEF."},
    DAEMON_CONF_ROWS(struct mefd_conf, daemon),
};

const struct conf_schema mafd_schema = {.title = "mafd, an M2M Authentication Function",
                                        .rows = rows,
                                        .n_rows = COUNT(rows),
                                        .size = sizeof(struct mefd_conf),
                                        .check = mefd_conf_check};
