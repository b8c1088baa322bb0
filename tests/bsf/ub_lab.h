/*
 * A BSF without sockets for tests: the decisions of Ub over the real memory store, with a fake
 * Zh that knows two subscribers, virtual time and counted randomness; and a UE that answers
 * with real AKA and lets a test spoil any parameter.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_BSF_UB_LAB_H
#define TESTS_BSF_UB_LAB_H

#include <pthread.h>

#include "bsf/store_memory.h"
#include "bsf/ub_run.h"
#include "common/sqn.h"

#define LAB_IMPI  "001010123456789@ims.mnc001.mcc001.3gppnetwork.org"
#define LAB_OTHER "234150999999999@ims.mnc015.mcc234.3gppnetwork.org"
#define LAB_BSF   "bsf.mnc001.mcc001.pub.3gppnetwork.org"
#define LAB_ISIM  "bsf.ims.mnc001.mcc001.pub.3gppnetwork.org"
#define LAB_QUEUE 64

struct lab_ask {
    struct zh_query q;
    zh_done *done;
    void *arg;
};

struct lab {
    struct ub_policy policy;
    struct store_memory_config store_config;
    struct limiter_config limiter_config;
    struct ub_env env;
    struct store *store;

    struct zh zh; /* the fake */
    struct gba_aka_secret secret;
    uint64_t sqn;
    struct gba_guss *guss; /* what it sends; NULL: none */
    const char *barred;
    enum gba_err zh_fails; /* GBA_OK, or what the next answers are */
    bool same_rand;        /* an HSS that repeats its RAND */
    bool answers_at_once;  /* for tests with threads */
    struct zh_query last_query;
    unsigned n_asked;
    struct lab_ask queue[LAB_QUEUE];
    size_t n_queue;
    pthread_mutex_t lock;

    struct store faulty; /* between ub_run and store: */
    unsigned fail_call;  /* this call of a port fails; 0: none */
    unsigned n_calls;
};

/* Set lab->policy, store_config and so on between the two. */
void lab_init(struct lab *l);
void lab_open(struct lab *l);
void lab_close(struct lab *l);

void lab_set_now(int64_t ms);
void lab_pass(int64_t ms);
int64_t lab_now(void);
void lab_random_fails(bool fails);

/* What a run came to. */
struct lab_result {
    bool ended;
    struct ub_answer answer;
};
/* Runs one request to its end, fake Zh included. */
void lab_request(struct lab *l, const struct ub_request *rq, struct lab_result *out);
void lab_authorization(struct lab *l, const char *authorization, const char *user_agent,
                       struct lab_result *out);
/* A first request. */
void lab_first(struct lab *l, const char *username, struct lab_result *out);

/* The UE's side of one challenge. */
struct lab_ue {
    struct gba_aka_secret secret;
    char username[GBA_IMPI_SIZE], realm[256], nonce[64], opaque[64], algorithm[32], qop[32];
    const char *uri, *nc, *cnonce, *method;
    char auts[32];        /* "": none */
    const char *response; /* NULL: computed */
    const char *without;  /* a parameter left out; NULL: none */
    const char *extra;    /* text appended; NULL: none */
    uint8_t res[16];
    size_t res_len;
    bool flip; /* a GBA_U UICC */
    struct gba_bytes body;
    struct gba_av av;
    uint8_t sqn[6];
};
/* Takes the challenge of a 401 and runs AKA.  False: no such challenge, or AUTN does not
 * verify. */
bool lab_ue_take(struct lab *l, struct lab_ue *ue, const char *username,
                 const struct lab_result *challenge);
void lab_ue_set_auts(struct lab_ue *ue, uint64_t sqn_ms);
void lab_ue_print(const struct lab_ue *ue, char *out, size_t cap);
void lab_ue_answer(struct lab *l, const struct lab_ue *ue, struct lab_result *out);
/* First request and right answer. */
void lab_bootstrap(struct lab *l, const char *username, struct lab_result *out);
/* The parameter `name="value"` or name=value of a field; "" if absent. */
void lab_param(const char *field, const char *name, char *out, size_t cap);

#endif
