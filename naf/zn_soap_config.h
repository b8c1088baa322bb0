/*
 * The client of zn_soap_client.c, and taking its configuration in.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_ZN_SOAP_CONFIG_H
#define NAF_ZN_SOAP_CONFIG_H

#include <curl/curl.h>
#include <pthread.h>

#include "naf/zn_soap_client.h"

struct zn_soap_row { /* one BSF */
    char domain[GBA_FQDN_SIZE];
    char *url, *ca_file;
};

struct zn_soap_client {
    struct zn zn;
    CURLM *multi;
    struct curl_slist *headers;
    char *cert_file, *key_file;
    char ns[GBA_ZN_NS_SIZE];
    bool bare, insecure;
    unsigned deadline_ms, outstanding_max;
    struct zn_soap_row *rows;
    size_t n_rows;
    void (*event)(void *arg, enum gba_err err, const char *what);
    void *event_arg;

    pthread_t thread;
    bool running;
    pthread_mutex_t lock;      /* of what follows */
    struct zn_soap_job *queue; /* asked, not yet started */
    size_t n_jobs;
    bool closing;

    /* the thread's own */
    struct zn_soap_job *waiting;
    struct zn_soap_job *under_way;
    unsigned n_under_way;
};

/* Fills what comes of the configuration, headers included.  Errors of zn_soap_client_new. */
enum gba_err zn_soap_configure(const struct gba_naf_config *config, struct zn_soap_client *c);
void zn_soap_config_free(struct zn_soap_client *c);

#endif
