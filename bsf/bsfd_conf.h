/*
 * The configuration of bsfd: the struct its schema fills, and the tables made of it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_BSFD_CONF_H
#define BSF_BSFD_CONF_H

#include "bsf/policy.h"
#include "bsf/ub.h"
#include "bsf/zh_diameter.h"
#include "bsf/zh_file.h"
#include "common/host/daemon.h"

struct bsfd_tls_conf {
    char *cert, *key, *client_ca, *crl; /* cert NULL: no TLS */
};

struct bsfd_ub_conf { /* one listener */
    char *listen;
    struct bsfd_tls_conf tls;
};

struct bsfd_zn_conf {
    struct conf_strings listen; /* empty: no Zn */
    struct bsfd_tls_conf tls;
    char *path;
    bool insecure;
    char *insecure_naf;
};

struct bsfd_naf_conf {
    char *certificate;
    struct conf_strings fqdns, ua_ids, gsids, required_gsids, groups;
    bool may_learn_impi, allow_default_ua;
};

struct bsfd_zh_conf {
    struct zh_file_config file;         /* subscribers NULL: not this one */
    struct zh_diameter_config diameter; /* identity NULL: not this one */
};

struct bsfd_session_conf {
    int64_t lifetime_ms, min_lifetime_ms, max_lifetime_ms;
    int64_t tmpi_lifetime_ms;
    int64_t challenge_lifetime_ms, repeat_window_ms;
    int64_t per_subscriber;
    int64_t max_sessions, max_challenges;
};

struct bsfd_rate_conf {
    int64_t burst, per_minute;
};

struct bsfd_limits_conf {
    struct bsfd_rate_conf subscriber, address;
    int64_t buckets;
};

struct bsfd_http_conf {
    int64_t threads, connections, connections_per_address;
    int64_t idle_timeout_ms, deadline_ms;
};

struct bsfd_conf {
    struct daemon_conf daemon;
    struct conf_strings names;
    struct conf_list ub; /* struct bsfd_ub_conf */
    struct bsfd_zn_conf zn;
    struct conf_list nafs; /* struct bsfd_naf_conf */
    struct bsfd_zh_conf zh;
    struct bsfd_session_conf session;
    struct bsfd_limits_conf limits;
    struct bsfd_http_conf http;
    int unknown_subscriber; /* 0 refuse, 1 decoy */
    struct conf_octets decoy_amf;
    bool match_uss_by_type;
    bool accept_unflipped_res;
};

extern const struct conf_schema bsfd_schema;

/* The tables of ub.h and policy.h, borrowing from the configuration, which must live as long.
 * policy: GBA_E_NOMEM; end it with bsfd_policy_free. */
void bsfd_ub_policy(const struct bsfd_conf *c, struct ub_policy *out);
enum gba_err bsfd_policy_make(const struct bsfd_conf *c, struct policy *out);
void bsfd_policy_free(struct policy *p);

#endif
