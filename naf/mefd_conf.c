/*
 * The configuration of mefd as one table; --help, the sample and the man page are printed from
 * it.  What needs a look at several rows at once is mef_policy.c's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mefd_conf_rows.h"

static const struct conf_row tls_rows[] = {
    {.name = "certificate",
     .type = CONF_PATH,
     .flags = CONF_REQUIRED,
     ROW(mefd_tls_conf, certificate),
     .example = "mef.pem",
     .help = "PEM chain; a certificate with fqdn as a dNSName (TS-0003 10.1.1)."},
    {.name = "key",
     .type = CONF_PATH,
     .flags = CONF_REQUIRED,
     ROW(mefd_tls_conf, key),
     .example = "mef.key",
     .help = "PEM; not readable by others."},
    {.name = "client_ca",
     .type = CONF_PATH,
     .flags = CONF_REQUIRED,
     ROW(mefd_tls_conf, client_ca),
     .example = "ca.pem",
     .help = "PEM; the roots that certificates of targets and enrolees may have."},
    {.name = "crl",
     .type = CONF_PATH,
     ROW(mefd_tls_conf, crl),
     .help = "PEM; revoked certificates of targets and enrolees."},
};
const struct conf_schema mefd_tls_schema = {.title = "Certificates",
                                              .rows = tls_rows,
                                              .n_rows = COUNT(tls_rows),
                                              .size = sizeof(struct mefd_tls_conf)};

static const char *const profiles[] = {"extended", "onem2m", NULL};

static const struct conf_row psk_rows[] = {
    {.name = "listen",
     .type = CONF_ADDRESSES,
     ROW(mefd_psk_conf, listen),
     .help =
         "HOST:PORT for enrolees with TLS-PSK: their psk_identity is a KpmID of a row, or a "
         "B-TID, for which Kpm is the NAF key of this MEF. Left out: nobody enrols so."},
    {.name = "connections",
     .type = CONF_INT,
     .deflt = "256",
     .min = 1,
     .max = 65536,
     ROW(mefd_psk_conf, connections),
     .help = "Connections at a time; each has a thread, for its handshake may have to wait for "
             "the BSF."},
    {.name = "connections_per_address",
     .type = CONF_INT,
     .deflt = "64",
     .min = 0,
     .max = 65536,
     ROW(mefd_psk_conf, per_address),
     .help = "Connections of one address at a time; 0: no limit."},
    {.name = "tls_profile",
     .type = CONF_ENUM,
     .choices = profiles,
     .deflt = "extended",
     ROW(mefd_psk_conf, profile),
     .help =
         "onem2m: the suites of TS-0003 10.2.2, 00AE and 00B2; extended: ECDHE-PSK and AEAD "
         "suites too, and before those."},
    {.name = "plain_psk",
     .type = CONF_BOOL,
     .deflt = "false",
     ROW(mefd_psk_conf, plain_psk),
     .help = "A B-TID may come with a suite without forward secrecy (00AE) too; a KpmID always "
             "may."},
    {.name = "unknown_identity_alert",
     .type = CONF_BOOL,
     .deflt = "false",
     ROW(mefd_psk_conf, unknown_identity_alert),
     .help = "Answers an unknown identity with the alert unknown_psk_identity; else it fails "
             "like a wrong key."},
};
const struct conf_schema mefd_psk_schema = {.title = "TLS-PSK",
                                              .rows = psk_rows,
                                              .n_rows = COUNT(psk_rows),
                                              .size = sizeof(struct mefd_psk_conf)};

static const struct conf_row bsf_rows[] = {
    {.name = "domain",
     .type = CONF_STRING,
     .flags = CONF_REQUIRED,
     .max = 255,
     ROW(mefd_bsf_conf, domain),
     .example = "bsf.example",
     .help = "What stands after the @ of this BSF's B-TIDs."},
    {.name = "url",
     .type = CONF_STRING,
     .flags = CONF_REQUIRED,
     ROW(mefd_bsf_conf, url),
     .example = "https://bsf.example/bsf/requestBootstrappingInfo",
     .help = "https://HOST:PORT/bsf/requestBootstrappingInfo"},
    {.name = "ca",
     .type = CONF_PATH,
     .flags = CONF_SHOWN,
     ROW(mefd_bsf_conf, ca),
     .example = "ca.pem",
     .help = "PEM; the only roots the BSF's certificate may have."},
};
static const struct conf_schema bsf_schema = {.title = "A BSF",
                                              .rows = bsf_rows,
                                              .n_rows = COUNT(bsf_rows),
                                              .size = sizeof(struct mefd_bsf_conf)};

static const struct conf_row zn_rows[] = {
    {.name = "certificate",
     .type = CONF_PATH,
     .flags = CONF_SHOWN,
     ROW(mefd_zn_conf, certificate),
     .example = "mef.pem",
     .help = "PEM; the client certificate by which the BSF knows this MEF."},
    {.name = "key",
     .type = CONF_PATH,
     .flags = CONF_SHOWN,
     ROW(mefd_zn_conf, key),
     .example = "mef.key",
     .help = "PEM."},
    {.name = "namespace",
     .type = CONF_STRING,
     .deflt = "http://www.3gpp.org/GBAService",
     .max = 255,
     ROW(mefd_zn_conf, ns),
     .help = "XML namespace of the requests."},
    {.name = "insecure",
     .type = CONF_BOOL,
     .deflt = "false",
     ROW(mefd_zn_conf, insecure),
     .help = "Lets url say http://. For labs."},
    {.name = "deadline",
     .type = CONF_DURATION,
     .deflt = "2s",
     .min = 50,
     .max = 60000,
     ROW(mefd_zn_conf, deadline_ms),
     .help = "How long one question may take."},
    {.name = "outstanding",
     .type = CONF_INT,
     .deflt = "256",
     .min = 1,
     .max = 65536,
     ROW(mefd_zn_conf, outstanding),
     .help = "Questions under way at a time."},
    {.name = "bsfs",
     .type = CONF_SECTIONS,
     .sub = &bsf_schema,
     .flags = CONF_SHOWN,
     ROW(mefd_zn_conf, bsfs),
     .help = "A B-TID of another domain is refused before anything is sent. None listed: no GBA here."},
};

static const char *check_zn(const void *filled, const char **row)
{
    const struct mefd_zn_conf *c = filled;

    *row = c->key == NULL ? "certificate" : "key";
    return (c->certificate == NULL) == (c->key == NULL) ? NULL
                                                        : "certificate and key come together";
}

const struct conf_schema mefd_zn_schema = {.title = "Zn, towards the BSF",
                                             .rows = zn_rows,
                                             .n_rows = COUNT(zn_rows),
                                             .size = sizeof(struct mefd_zn_conf),
                                             .check = check_zn};

static const char *const cas[] = {"none", "lab", "command", NULL};

static const struct conf_row est_rows[] = {
    {.name = "ca",
     .type = CONF_ENUM,
     .choices = cas,
     .deflt = "none",
     ROW(mefd_est_conf, ca),
     .help = "Who certifies: nobody (no EST here), the embedded CA of laboratories, or an "
             "external one behind a command."},
    {.name = "life",
     .type = CONF_DURATION,
     .deflt = "365d",
     .min = 60000,
     .max = 315360000000,
     ROW(mefd_est_conf, life_ms),
     .help = "How long certificates are valid; never longer than the CA's own."},
    {.name = "challenge_password",
     .type = CONF_BOOL,
     .deflt = "false",
     ROW(mefd_est_conf, challenge_password),
     .help = "Requests must bind to their TLS session by challengePassword (RFC 7030 3.5: "
             "base64 of tls-unique, in TLS 1.3 of tls-exporter). Else it is not looked at."},
    {.name = "anchors",
     .type = CONF_PATH,
     ROW(mefd_est_conf, anchors),
     .help = "PEM; more roots for the answer to cacerts, such as that of this MEF's own "
             "certificate."},
    {.name = "queue",
     .type = CONF_INT,
     .deflt = "64",
     .min = 1,
     .max = 65536,
     ROW(mefd_est_conf, queue),
     .help = "Requests that wait for the CA at a time; the next one is answered with 503."},
    {.name = "folder",
     .type = CONF_PATH,
     ROW(mefd_est_conf, folder),
     .help = "lab: where its key, root, CRL and record are; made at the first start."},
    {.name = "domains",
     .type = CONF_STRINGS,
     ROW(mefd_est_conf, domains),
     .help = "lab, when the root is made: the domains it may certify names below (name "
             "constraints). Left out: sp."},
    {.name = "constrain_uris",
     .type = CONF_BOOL,
     .deflt = "false",
     ROW(mefd_est_conf, constrain_uris),
     .help = "lab, when the root is made: constrains the host in URIs as well (TS-0003 "
             "10.1.1.5); OpenSSL then takes no certificate with an AE-ID or Node-ID."},
    {.name = "root_life",
     .type = CONF_DURATION,
     .deflt = "3650d",
     .min = 60000,
     .max = 946080000000,
     ROW(mefd_est_conf, root_life_ms),
     .help = "lab, when the root is made: how long it is valid."},
    {.name = "crl_life",
     .type = CONF_DURATION,
     .deflt = "30d",
     .min = 60000,
     .max = 315360000000,
     ROW(mefd_est_conf, crl_life_ms),
     .help = "lab: how long a CRL is valid; a new one is written when half of it is over."},
    {.name = "command",
     .type = CONF_STRINGS,
     ROW(mefd_est_conf, command),
     .help = "command: path and arguments of the program: a request (PEM) on standard input, a "
             "certificate (PEM) on standard output; see mefd(8). No secrets here."},
    {.name = "command_limit",
     .type = CONF_DURATION,
     .deflt = "10s",
     .min = 100,
     .max = 600000,
     ROW(mefd_est_conf, command_limit_ms),
     .help = "command: how long one run may take."},
    {.name = "certificates",
     .type = CONF_PATH,
     ROW(mefd_est_conf, certificates),
     .help = "command: PEM; the CA's certificates, the issuing one first, the root last."},
};

/* What each CA cannot be without. */
static const char *check_est(const void *filled, const char **row)
{
    const struct mefd_est_conf *c = filled;

    if (c->ca == MEFD_CA_LAB && c->folder == NULL) {
        *row = "folder";
        return "the lab CA needs a folder";
    }
    if (c->ca == MEFD_CA_COMMAND && c->command.n == 0) {
        *row = "command";
        return "which command?";
    }
    if (c->ca == MEFD_CA_COMMAND && c->certificates == NULL) {
        *row = "certificates";
        return "the certificates of the command's CA are needed";
    }
    return NULL;
}

static const struct conf_schema est_schema = {.title = "Certificates for enrolees (EST)",
                                              .rows = est_rows,
                                              .n_rows = COUNT(est_rows),
                                              .size = sizeof(struct mefd_est_conf),
                                              .check = check_est};

static const char *const derivations[] = {"usage", "kpsa", "km", NULL};
static const char *const naf_keys[] = {"me", "uicc", NULL};

static const struct conf_row target_rows[] = {
    {.name = "id",
     .type = CONF_STRING,
     .flags = CONF_REQUIRED,
     .max = 511,
     ROW(mefd_target_conf, id),
     .help = "Absolute CSE-ID (//sp.example/cse1) or the FQDN of a MAF; what it says in "
             "X-M2M-Origin."},
    {.name = "fqdn",
     .type = CONF_STRING,
     .max = 255,
     ROW(mefd_target_conf, fqdn),
     .help = "Public domain name: in NAF_Id and as dNSName in its certificate. Left out: made "
             "from id as an IN-CSE's (cse1.sp.example), or the MAF's FQDN."},
    {.name = "ua_protocol",
     .type = CONF_HEX,
     .deflt = "01000100ae",
     .min = 5,
     .max = 5,
     ROW(mefd_target_conf, ua_id),
     .help = "Ua security protocol identifier of its NAF_Id: 01 00 01 and the one cipher suite "
             "it takes."},
    {.name = "suids",
     .type = CONF_STRINGS,
     .deflt = "22",
     ROW(mefd_target_conf, suids),
     .help = "SUIDs it may ask for: 21 (a MAF) or 22 (a registrar), not both; of a Ke of this "
             "MEF also 23, 24, 25."},
    {.name = "derivation",
     .type = CONF_ENUM,
     .choices = derivations,
     .deflt = "usage",
     ROW(mefd_target_conf, derivation),
     .help = "What it gets of a Ke of this MEF: the usage-constrained key (TS-0003 10.3.7), or "
             "Kpsa (10.3.3) or Km (10.3.2) of the earlier releases."},
    {.name = "naf_key",
     .type = CONF_ENUM,
     .choices = naf_keys,
     .deflt = "me",
     ROW(mefd_target_conf, naf_key),
     .help = "What it gets by a B-TID. me: Ks_NAF, with GBA_U Ks_ext_NAF; uicc: Ks_int_NAF and "
             "no other, for clients in the UICC (TS-0003 8.3.2.3)."},
};
static const struct conf_schema target_schema = {.title = "An enrolment target",
                                                 .rows = target_rows,
                                                 .n_rows = COUNT(target_rows),
                                                 .size = sizeof(struct mefd_target_conf)};

static const struct conf_row enrolee_rows[] = {
    {.name = "id",
     .type = CONF_STRING,
     .flags = CONF_REQUIRED,
     .max = 511,
     ROW(mefd_enrolee_conf, id),
     .help = "Enrolee-ID: Absolute AE-ID or CSE-ID; what targets are told."},
    {.name = "impi",
     .type = CONF_STRING,
     .max = 255,
     ROW(mefd_enrolee_conf, impi),
     .help = "It enrols by GBA: whose bootstrapping it is. Never leaves this MEF."},
    {.name = "kpm_id",
     .type = CONF_STRING,
     .max = 511,
     ROW(mefd_enrolee_conf, kpm_id),
     .help = "It enrols by a pre-provisioned key: KpmID, its psk_identity."},
    {.name = "kpm",
     .type = CONF_HEX,
     .min = 16,
     .max = 64,
     .flags = CONF_SECRET,
     ROW(mefd_enrolee_conf, kpm),
     .help = "Kpm, that key."},
    {.name = "certificates",
     .type = CONF_STRINGS,
     ROW(mefd_enrolee_conf, certificates),
     .help =
         "It enrols by a certificate with one of these subjectAltNames: dns:FQDN, uri:URI, or "
         "other:OID:HEX."},
    {.name = "public_keys",
     .type = CONF_STRINGS,
     ROW(mefd_enrolee_conf, public_keys),
     .help = "It enrols by one of these raw public keys, over CoAP alone: SHA-256 of the "
             "SubjectPublicKeyInfo (RFC 6920), hexadecimal."},
    {.name = "targets",
     .type = CONF_STRINGS,
     ROW(mefd_enrolee_conf, targets),
     .help = "Identifiers of the targets that may have a key of it; none listed: none may."},
};
static const struct conf_schema enrolee_schema = {.title = "An enrolee",
                                                  .rows = enrolee_rows,
                                                  .n_rows = COUNT(enrolee_rows),
                                                  .size = sizeof(struct mefd_enrolee_conf)};

static const struct conf_row admin_rows[] = {
    {.name = "socket",
     .type = CONF_PATH,
     ROW(mefd_admin_conf, socket),
     .help = "Local socket for mefctl, made with mode 0600. Left out: none."},
    {.name = "listen",
     .type = CONF_ADDRESSES,
     ROW(mefd_admin_conf, listen),
     .help = "HOST:PORT for mefctl from elsewhere: mutual TLS, under the certificates of tls."},
    {.name = "clients",
     .type = CONF_STRINGS,
     ROW(mefd_admin_conf, clients),
     .help = "dNSNames of the certificates that may administrate over listen."},
};

static const char *check_admin(const void *filled, const char **row)
{
    const struct mefd_admin_conf *c = filled;

    *row = "clients";
    return c->listen.n != 0 && c->clients.n == 0 ? "missing; listen is for nobody without them"
                                                 : NULL;
}

const struct conf_schema mefd_admin_schema = {.title = "Administration",
                                                .rows = admin_rows,
                                                .n_rows = COUNT(admin_rows),
                                                .size = sizeof(struct mefd_admin_conf),
                                                .check = check_admin};

static const char *const enrolee_policies[] = {"config", "guss", "both", NULL};

static const struct conf_row rows[] = {
    {.name = "fqdn",
     .type = CONF_STRING,
     .flags = CONF_REQUIRED,
     .max = 255,
     ROW(mefd_conf, fqdn),
     .example = "mef.example",
     .help = "MEF-ID: the name of this MEF."},
    MEFD_LISTEN_ROWS,
    {.name = "est",
     .type = CONF_SECTION,
     .sub = &est_schema,
     ROW(mefd_conf, est),
     .help = "Certificate provisioning on both kinds of listeners, below /.well-known/est."},
    MEFD_STORE_ROWS("mefd"),
    {.name = "enrolment_life",
     .type = CONF_DURATION,
     .deflt = "30d",
     .min = 1000,
     .max = 315360000000,
     ROW(mefd_conf, enrolment_ms),
     .help = "How long a Ke may live; never longer than the key it was made under."},
    MEFD_LIMIT_ROWS,
    {.name = "commands_per_registration",
     .type = CONF_INT,
     .deflt = "16",
     .min = 1,
     .max = 1000,
     ROW(mefd_conf, commands_max),
     .help = "Commands (mefctl) that wait for one registration's client at a time."},
    {.name = "command_retry",
     .type = CONF_DURATION,
     .deflt = "1d",
     .min = 1000,
     .max = 315360000000,
     ROW(mefd_conf, command_retry_ms),
     .help = "retryDuration: when a client for which no command waits is to ask again."},
    {.name = "suid_as_octet",
     .type = CONF_BOOL,
     .deflt = "false",
     ROW(mefd_conf, suid_as_octet),
     .help =
         "TS-0003 10.3.7 does not say how the SUID is written: decimal digits, or with this "
         "one octet."},
    {.name = "enrolee_policy",
     .type = CONF_ENUM,
     .choices = enrolee_policies,
     .deflt = "config",
     ROW(mefd_conf, enrolee_policy),
     .help =
         "Who says which target may have keys of an enrolee that comes by GBA. config: its "
         "instructions (enrolees.targets, mefctl); guss: the USS of gsid, whose uids are "
         "FQDNs or Absolute CSE-IDs of targets; both: each must. Other enrolees have no USS "
         "and are judged by instructions."},
    {.name = "gsid",
     .type = CONF_INT,
     .deflt = "1000001",
     .min = 0,
     .max = 4294967295,
     ROW(mefd_conf, gsid),
     .help =
         "GSID of that USS, asked for over Zn unless enrolee_policy is config; the BSF's row "
         "of this MEF must allow it."},
    {.name = "device_config_uri",
     .type = CONF_STRING,
     .max = 511,
     ROW(mefd_conf, device_config_uri),
     .help = "deviceConfigURI of MEFBase: devMgmtID (1 OMA DM 1.3, 2 OMA DM 2.0, 3 LwM2M, 4 "
             "TR-069), a colon, and the URI of the management server under this MEF's FQDN: "
             "3:coaps://mef.example:5684. Left out: MEFBase has none."},
    {.name = "targets",
     .type = CONF_SECTIONS,
     .sub = &target_schema,
     ROW(mefd_conf, targets),
     .help = "Who may have keys."},
    {.name = "enrolees",
     .type = CONF_SECTIONS,
     .sub = &enrolee_schema,
     ROW(mefd_conf, enrolees),
     .help = "Whose keys. Who has no row is of no use here."},
    DAEMON_CONF_ROWS(struct mefd_conf, daemon),
};

const char *mefd_conf_check(const void *filled, const char **row)
{
    const struct mefd_conf *c = filled;

    *row = "master_key";
    return (c->master_key == NULL) == (c->master_key_credential == NULL)
               ? "give either master_key or master_key_credential"
               : NULL;
}

const struct conf_schema mefd_schema = {.title = "mefd, an M2M Enrolment Function",
                                        .rows = rows,
                                        .n_rows = COUNT(rows),
                                        .size = sizeof(struct mefd_conf),
                                        .check = mefd_conf_check};
