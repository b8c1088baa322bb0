/*
 * The port for the CA behind EST (the "MEF CA" of TS-0003 8.3.6.1, whose interface no
 * specification gives).  Adapters: ca_lab.c (embedded), ca_command.c (any external one).
 *
 * Asynchronous: issue() either refuses with its result, and then done() never runs, or takes
 * the request, and then done() runs exactly once, never before issue() has returned, on the
 * CA's thread or on the one that closes it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_CA_H
#define NAF_CA_H

#include "common/m2m_id.h"

#define MEF_CA_CSR_MAX  6144 /* octets of DER */
#define MEF_CA_CERT_MAX 8192
#define MEF_CA_CERTS    8 /* a CA shows at most */

enum mef_cert_profile {
    MEF_CERT_CSE,  /* TS-0003 10.1.1.7: a client and a server of TLS */
    MEF_CERT_AE,   /* 10.1.1.5: a client */
    MEF_CERT_FQDN, /* 10.1.1.6 (a MAF): a client and a server */
    MEF_CERT_NODE  /* 10.1.1.8: a client, for no server is looked up by such a name */
};

/* The one alternative name of a certificate. */
enum mef_name_type { MEF_NAME_DNS, MEF_NAME_URI };
struct mef_cert_name {
    enum mef_name_type type;
    char text[M2M_ID_SIZE];
};

struct mef_ca_request {
    struct gba_bytes csr; /* DER of PKCS#10; its signature has been checked */
    enum mef_cert_profile profile;
    struct mef_cert_name name; /* whom the TLS session authenticated: this and no other */
    const char *id;            /* the same as an identifier of oneM2M, for records */
    int64_t life_s;            /* the CA may cut it */
};

/* err: GBA_OK; GBA_E_IO (disk), GBA_E_TIMEOUT, GBA_E_OVERLOAD (later, please): try again;
 * GBA_E_REFUSED: the CA does not want to; GBA_E_CA: what it gave is no certificate of this
 * request, or it broke; GBA_E_CANCELLED: closed.  cert: DER, empty unless GBA_OK; borrowed
 * until done() returns. */
typedef void mef_ca_done(void *arg, enum gba_err err, struct gba_bytes cert);

struct mef_ca {
    const char *name; /* "lab", "command" */
    /* DER of the i-th of its own certificates, the issuing one first; empty past the last.
     * The same for the life of the CA. */
    struct gba_bytes (*certs)(const struct mef_ca *self, size_t i);
    /* Thread-safe; everything is copied.  GBA_E_OVERLOAD: its queue is full; GBA_E_NOMEM;
     * GBA_E_TOO_LONG. */
    enum gba_err (*issue)(struct mef_ca *self, const struct mef_ca_request *rq,
                          mef_ca_done *done, void *arg);
    /* Is this certificate (DER) of this CA?  Its time is not looked at.  Thread-safe. */
    bool (*issued)(const struct mef_ca *self, struct gba_bytes cert);
    /* Answers what waits with GBA_E_CANCELLED, ends the thread, frees self. */
    void (*close)(struct mef_ca *self);
};

/* What a CA's worker (ca_worker.h) calls to make one certificate; blocks. */
typedef enum gba_err mef_ca_make(void *ctx, const struct mef_ca_request *rq,
                                 uint8_t out[static MEF_CA_CERT_MAX], size_t *n);

#endif
