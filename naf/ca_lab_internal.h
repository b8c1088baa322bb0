/*
 * What ca_lab.c (life, port), ca_lab_root.c (key and root), ca_lab_make.c (certificates) and
 * ca_lab_crl.c (revocation) share.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_CA_LAB_INTERNAL_H
#define NAF_CA_LAB_INTERNAL_H

#include <pthread.h>

#include "naf/ca_certs.h"
#include "naf/ca_lab.h"
#include "naf/ca_worker.h"

#define CA_LAB_DOMAINS    16
#define CA_LAB_SERIAL_LEN 16
#define CA_LAB_SKEW_S     300 /* certificates and CRLs begin this much earlier */

struct ca_lab {
    struct mef_ca port;
    struct log *log;
    char *folder, *mef;
    gnutls_x509_privkey_t key;
    struct ca_certs certs;                       /* the root */
    char domains[CA_LAB_DOMAINS][GBA_FQDN_SIZE]; /* that the root permits */
    size_t n_domains;
    int64_t crl_life_s;
    int record;           /* descriptor of `issued`; locked */
    pthread_mutex_t lock; /* on the key's use and on the CRL's file */
    void (*crl_changed)(void *arg);
    void *arg;
    struct ca_worker *worker;
};

/* FOLDER/name, for the caller to free; NULL without memory. */
char *ca_lab_path(const struct ca_lab *l, const char *name);
/* A log line of error level; gives err. */
enum gba_err ca_lab_complain(const struct ca_lab *l, const char *file, const char *why,
                             enum gba_err err);

/* Loads root.key and root.pem, or makes them.  c: for the root to be made. */
enum gba_err ca_lab_root_open(struct ca_lab *l, const struct ca_lab_config *c);

/* A mef_ca_make; ctx is the struct ca_lab. */
enum gba_err ca_lab_make(void *ctx, const struct mef_ca_request *rq,
                         uint8_t out[static MEF_CA_CERT_MAX], size_t *n);

/* Writes the CRL if there is none, or it is more than half through; every other time nothing
 * happens.  The same as the worker's idle. */
enum gba_err ca_lab_crl_refresh(struct ca_lab *l);

#endif
