/*
 * mock-hss: a test HSS for Zh (TS 29.109 4.2) over real Diameter, with real sequence numbers
 * and faults on demand.  A tool for labs and tests: its subscribers' keys stand in its
 * configuration, and it keeps nothing when it ends.
 *
 *   subscribers  the AuC: vectors, resynchronisation, GUSS
 *   faults       what is to go wrong, for whom, how often
 *   server       MAR -> MAA
 *   control      the socket on which faults are ordered
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_MOCK_HSS_H
#define TESTS_MOCK_HSS_H

#include <pthread.h>

#include "common/aka.h"
#include "common/host/daemon.h"
#include "common/identity.h"

/* --- configuration (config.c) ----------------------------------------------------------- */

struct subscriber_config {
    char *impi;
    char *imsi;
    int64_t mnc_len;
    int algorithm; /* enum gba_aka_algorithm */
    struct conf_octets k, op, opc, top, topc, fmk, amf, sqn;
    int64_t iterations;
    int64_t res_len;
    int64_t ind;
    char *guss;
    char *guss_file;
    char *guss_timestamp;
    bool barred;
};

struct hss_config {
    char *listen;
    char *identity;
    char *realm;
    struct conf_strings clients;
    int64_t threads;
    bool guss_timestamps;
    char *control;
    char *tls_cert, *tls_key, *tls_ca;
    struct conf_list subscribers; /* struct subscriber_config */
    struct daemon_conf daemon;
};

extern const struct conf_schema hss_schema;

/* --- the AuC (subscribers.c) ------------------------------------------------------------ */

struct subscriber {
    char impi[GBA_IMPI_SIZE];
    size_t row; /* of the configuration */
    struct gba_aka_secret secret;
    uint8_t amf[2];
    uint64_t last_sqn; /* issued */
    unsigned ind;
    bool barred;
    char *guss; /* NULL: none */
    size_t guss_n;
    int64_t guss_timestamp_s; /* 0: none */
    bool stale;               /* numbers that a USIM refuses, until a resynchronisation */
    uint8_t last_rand[16];
};

struct auc {
    pthread_mutex_t lock;
    struct subscriber *subscribers; /* sorted by IMPI */
    size_t n;
};

/* source: c's.  GBA_E_CONFIG: said by conf_complain. */
enum gba_err auc_init(struct auc *a, const struct hss_config *c, const struct conf *source);
/* Of what is allowed, but not what GBA expects: an AMF with the separation bit, a RES under 64
 * bits. */
void auc_warn(const struct auc *a, struct log *log);
void auc_free(struct auc *a); /* wipes */

/* NULL: unknown.  Hold the lock while using it. */
struct subscriber *auc_find(struct auc *a, struct gba_text impi);
/* The next vector of a subscriber: next SQN, fresh RAND or that of the last one.  Lock held. */
enum gba_err auc_vector(struct subscriber *s, bool same_rand, struct gba_av *av);
/* Verifies AUTS for that RAND and moves the sequence number.  GBA_E_AUTS.  Lock held. */
enum gba_err auc_resync(struct subscriber *s, const uint8_t rand[static 16],
                        const uint8_t auts[static GBA_AUTS_LEN]);

/* --- faults (faults.c) ------------------------------------------------------------------ */

/* One row per kind; mock-hss(1) says what the answer then is. */
#define MALFORMED_KINDS(X)                                                                     \
    X(SHORT_AUTN, "short-autn")                                                                \
    X(LONG_RES, "long-res")                                                                    \
    X(SHORT_RES, "short-res")                                                                  \
    X(NO_CK, "no-ck")                                                                          \
    X(NO_612, "no-612")                                                                        \
    X(NO_RESULT, "no-result")                                                                  \
    X(UNKNOWN_M_AVP, "unknown-m-avp")                                                          \
    X(UNKNOWN_M_FIRST, "unknown-m-first")                                                      \
    X(BAD_RESULT_LENGTH, "bad-result-length")                                                  \
    X(BROKEN_GROUP, "broken-group")                                                            \
    X(BAD_GUSS, "bad-guss")                                                                    \
    X(TWO_RESULTS, "two-results")                                                              \
    X(SAME_RAND, "same-rand")                                                                  \
    X(NUL_SESSION, "nul-session")                                                              \
    X(PYHSS, "pyhss")                                                                          \
    X(FHOSS, "fhoss")                                                                          \
    X(NO_SCHEME, "no-scheme")                                                                  \
    X(TWO_VECTORS, "two-vectors")

enum malformed {
    MALFORMED_NONE,
#define X(name, text) MALFORMED_##name,
    MALFORMED_KINDS(X)
#undef X
        MALFORMED_N
};

enum fault_kind { FAULT_DELAY, FAULT_DROP, FAULT_BAD_MAC, FAULT_ERROR, FAULT_MALFORMED };

/* How an error code is sent. */
enum error_form { ERROR_RESULT, ERROR_EXPERIMENTAL, ERROR_BOTH };

struct fault {
    enum fault_kind kind;
    char impi[GBA_IMPI_SIZE]; /* "*": any */
    uint32_t value;           /* milliseconds, code, enum malformed */
    enum error_form form;
    unsigned left; /* UINT_MAX: until cleared */
};

#define FAULTS_MAX 256

struct faults {
    pthread_mutex_t lock;
    struct fault list[FAULTS_MAX];
    size_t n;
};

void faults_init(struct faults *f);
/* False: the list is full. */
bool faults_add(struct faults *f, const struct fault *fault);
void faults_clear(struct faults *f);
/* Those of that kind that were ordered for exactly this IMPI or "*". */
void faults_remove(struct faults *f, enum fault_kind kind, const char *impi);
/* The first fault of that kind for this subscriber, used once.  False: none. */
bool faults_take(struct faults *f, enum fault_kind kind, struct gba_text impi,
                 struct fault *out);
enum malformed malformed_by_name(struct gba_text name); /* MALFORMED_NONE: no such kind */
const char *malformed_name(enum malformed kind);

/* --- the server (server.c) -------------------------------------------------------------- */

struct server_stats {
    uint64_t requests, vectors, resyncs, errors, dropped, delayed;
};

struct server;

enum gba_err server_start(const struct hss_config *c, struct auc *auc, struct faults *faults,
                          struct log *log, void (*stopped)(void *arg), void *arg,
                          struct server **out);
uint16_t server_port(const struct server *s);
/* Breaks the connections of all clients without a DPR; how many there were. */
unsigned server_disconnect(struct server *s);
void server_get_stats(struct server *s, struct server_stats *out);
void server_stop(struct server *s);

/* --- the control socket (control.c) ----------------------------------------------------- */

struct control;

/* Listens on path (mode 0600).  GBA_E_IO: logged. */
enum gba_err control_start(const char *path, struct auc *auc, struct faults *faults,
                           struct server *server, struct log *log, struct control **out);
void control_stop(struct control *c); /* NULL is fine; removes the socket */

#endif
