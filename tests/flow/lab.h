/*
 * All of GAA in one process: a UE (libgba-ue's loop, core, keyring and soft USIM), a BSF (its
 * two HTTP fronts, decisions and memory store over a fake HSS) and a NAF (libgba-naf), with
 * virtual time and counted randomness.  Octets of HTTP and SOAP are the real ones; sockets and
 * TLS are not there.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_FLOW_LAB_H
#define TESTS_FLOW_LAB_H

#include "bsf/policy.h"
#include "bsf/store_memory.h"
#include "bsf/ub_http.h"
#include "naf/gba_naf.h"
#include "tests/fakes/fake_httpd.h"
#include "tests/fakes/fake_zh.h"
#include "tests/fakes/faulty_store.h"
#include "tests/fakes/faulty_usim.h"
#include "ua/gba_ue.h"

#define LAB_IMPI "001010123456789@ims.mnc001.mcc001.3gppnetwork.org"
#define LAB_BSF  "bsf.mnc001.mcc001.pub.3gppnetwork.org"
#define LAB_ISIM "bsf.ims.mnc001.mcc001.pub.3gppnetwork.org"
#define LAB_NAF  "naf1.home1.net"
#define LAB_NAF2 "naf2.home1.net"
#define LAB_CERT "naf1.home1.net" /* the name by which BSF's table knows the NAF */
#define LAB_LIFE 3600             /* of Ks, seconds */

struct lab;

/* One side's way to its server. */
struct lab_wire {
    struct gba_ue_transport port;
    struct lab *lab;
    void (*serve)(struct lab *l, const struct gba_ue_request *rq, struct fake_http_reply *out);
    unsigned n;                          /* exchanges so far */
    unsigned lose_request, lose_reply;   /* this exchange's is lost; 0: none */
    const char *tamper_from, *tamper_to; /* the first of this in every field of every reply */
    bool any_authorization;              /* some request carried one */
    unsigned n_http;                     /* exchanges without TLS */
    char authorization[2048];            /* of the last request that had one */
    char suites[64];                     /* the TLS suites of connections to come, hex by 4 */
    struct fake_http_reply reply;
    struct gba_ue_field fields[FAKE_HTTPD_FIELDS];
};

struct lab_zn; /* bsf/zn.h and naf/zn.h do not meet in one file */

struct lab {
    struct faults faults;

    /* HSS and BSF; set what differs between lab_init and lab_open */
    struct ub_policy ub_policy;
    struct store_memory_config store_config;
    struct limiter_config limiter_config; /* buckets 0: no limiter */
    struct policy_naf naf_row;
    struct policy policy;
    struct fake_zh zh;
    struct store *store;
    struct faulty_store faulty_store;
    struct ub_env ub_env;
    struct ub_http *ub;
    struct metrics *metrics;
    struct lab_zn *zn;
    const char *zn_name; /* what the NAF's certificate says */

    /* NAF */
    struct gba_naf_config naf_config;
    struct gba_naf *naf;
    bool tls;
    enum gba_err naf_reason; /* of the last exchange */
    unsigned naf_key_type;
    char naf_btid[GBA_UE_BTID_SIZE];
    char naf_uss[2048]; /* the ussList it got with the key */

    /* UE */
    const char *usim_lines;   /* added to those of every USIM here */
    const char *secret_lines; /* K and algorithm, as zh.secret has them */
    struct gba_ue_usim *card;
    struct faulty_usim usim;
    struct lab_wire to_bsf, to_naf;
    struct gba_ue_keyring *ring;
    struct gba_ue_env env;
    struct gba_ue_device device;
};

void lab_init(struct lab *l);
void lab_open(struct lab *l);
void lab_close(struct lab *l);

/* The BSF forgets everything. */
void lab_restart_bsf(struct lab *l);
/* The NAF forgets keys and nonces, and takes changes of its configuration. */
void lab_restart_naf(struct lab *l);
/* The SQN of the HSS falls back, so that the USIM refuses the next vector. */
void lab_age_hss(struct lab *l);
void lab_set_guss(struct lab *l, const char *xml);

/* A file in a folder of the program's own, removed at exit.  Two live at a time. */
const char *lab_path(const char *name);

struct store_stats lab_stats(struct lab *l);
/* Time passes until nothing lives any more; then: is everything gone? */
bool lab_is_clean_after_all(struct lab *l);

/* ---- the UE ----------------------------------------------------------------------------- */

enum gba_err lab_bootstrap(struct lab *l);
/* The session in the ring; zeroes when there is none. */
struct gba_ue_session lab_session(struct lab *l);
/* GET of url through gba_ue_fetch; the status, or 0 and *err. */
unsigned lab_get(struct lab *l, const char *url, enum gba_err *err);

/* One Ub request as octets, past the UE; NULL: no Authorization. */
void lab_ub_raw(struct lab *l, const char *authorization, struct fake_http_reply *out);
/* A first request of this username. */
void lab_ub_first(struct lab *l, const char *username, struct fake_http_reply *out);

/* ---- the parts, for the lab itself ------------------------------------------------------ */

void lab_open_bsf(struct lab *l);
void lab_close_bsf(struct lab *l);
void lab_serve_ub(struct lab *l, const struct gba_ue_request *rq, struct fake_http_reply *out);
/* One Zn request in SOAP to the BSF and its answer. */
void lab_serve_zn(struct lab *l, struct gba_bytes body, struct fake_http_reply *out);
void lab_open_naf(struct lab *l);
void lab_close_naf(struct lab *l);
void lab_serve_naf(struct lab *l, const struct gba_ue_request *rq, struct fake_http_reply *out);
/* Splits "http://host[:port]/target". */
void lab_url(const char *url, char host[256], char target[512]);

#endif
