/*
 * The configuration files of mefd and mafd: their schemas and what these fill.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEFD_CONF_H
#define NAF_MEFD_CONF_H

#include "common/host/daemon.h"

struct mefd_tls_conf {
    char *certificate, *key, *client_ca, *crl;
};

enum mefd_tls_profile { MEFD_TLS_EXTENDED, MEFD_TLS_ONEM2M };

struct mefd_psk_conf {
    struct conf_strings listen;
    int64_t connections; /* at a time */
    int64_t per_address; /* connections of one address; 0: any number */
    int profile;         /* enum mefd_tls_profile */
    bool plain_psk;      /* B-TIDs may come with suites without forward secrecy */
    bool unknown_identity_alert;
};

struct mefd_coap_conf {
    struct conf_strings listen;
    bool certificates, unknown_identity_alert;
    char *certificate, *key; /* NULL: of tls */
    int64_t sessions, per_address, handshakes, idle_ms;
};

struct mefd_bsf_conf {
    char *domain, *url, *ca;
};

struct mefd_zn_conf {
    char *certificate, *key, *ns;
    bool insecure;
    int64_t deadline_ms, outstanding;
    struct conf_list bsfs; /* of struct mefd_bsf_conf */
};

enum mefd_ca { MEFD_CA_NONE, MEFD_CA_LAB, MEFD_CA_COMMAND };

struct mefd_est_conf {
    int ca; /* enum mefd_ca */
    char *folder;
    struct conf_strings domains;
    bool constrain_uris;
    int64_t root_life_ms, crl_life_ms;
    struct conf_strings command;
    char *certificates, *anchors;
    int64_t command_limit_ms, queue, life_ms;
    bool challenge_password;
};

struct mefd_target_conf {
    char *id;   /* Absolute CSE-ID, or a MAF's FQDN */
    char *fqdn; /* NULL: from id */
    struct conf_octets ua_id;
    struct conf_strings suids;
    int derivation; /* enum mef_derivation */
    int naf_key;    /* 1: uicc */
};

struct mefd_enrolee_conf {
    char *id, *impi, *kpm_id;
    struct conf_octets kpm;
    struct conf_strings certificates, public_keys;
    struct conf_strings targets;
};

struct mefd_admin_conf {
    char *socket;
    struct conf_strings listen;
    struct conf_strings clients; /* dNSNames of certificates */
};

/* mafd: an MEF whose Km's it takes. */
struct mefd_mef_conf {
    char *fqdn, *url, *ca;
    struct conf_strings domains;  /* right sides of the KeIDs asked there; none: fqdn */
    struct conf_strings enrolees; /* whom it may vouch for (mafd_vouched_read); none: anybody */
    int64_t deadline_ms;
};

struct mefd_rate_conf {
    int64_t burst, per_minute; /* burst 0: no limit */
};

struct mefd_limits_conf {
    struct mefd_rate_conf handshakes, btids;
    int64_t buckets;
};

struct mefd_conf {
    struct daemon_conf daemon;
    char *fqdn, *sp;
    struct conf_strings listen;
    int64_t connections;
    struct mefd_tls_conf tls;
    struct mefd_psk_conf psk;
    struct mefd_coap_conf coap;
    struct mefd_zn_conf zn;
    struct mefd_limits_conf limits;
    struct mefd_est_conf est;
    struct conf_list mefs; /* of struct mefd_mef_conf */
    char *database, *audit;
    char *master_key, *master_key_credential; /* one of both */
    struct mefd_admin_conf admin;
    int64_t enrolment_ms;    /* life of Ke, at most */
    int64_t registration_ms; /* life of a registration, at most */
    int64_t registrations_max, keys_max, commands_max;
    int64_t command_retry_ms;
    bool suid_as_octet;        /* 10.3.7: one octet in place of decimal digits */
    int enrolee_policy;        /* enum mef_enrolee_policy */
    int64_t gsid;
    char *device_config_uri; /* NULL: none */
    struct conf_strings stakeholders;
    struct conf_list targets;  /* of struct mefd_target_conf */
    struct conf_list enrolees; /* of struct mefd_enrolee_conf */
};

extern const struct conf_schema mefd_schema, mafd_schema;
/* A conf_schema.check of both: what hangs together. */
const char *mefd_conf_check(const void *filled, const char **row);
/* Sections of both. */
extern const struct conf_schema mefd_tls_schema, mefd_psk_schema, mefd_coap_schema,
    mefd_zn_schema, mefd_limits_schema, mefd_admin_schema;

#endif
