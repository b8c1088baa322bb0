/*
 * A MEF for the flow tests: mefd's decisions and store, with the lab's NAF behind them.  TLS is
 * replaced by its outcome: both ends have the key, and export octets made of it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_FLOW_MEF_H
#define TESTS_FLOW_MEF_H

#include "naf/gba_naf_impl.h"
#include "naf/mef.h"
#include "naf/mef_fetch.h"
#include "tests/flow/lab.h"

#define MEF_FQDN    "mef.example"
#define MEF_URL     "https://" MEF_FQDN
#define MEF_CSE     "//sp.example/cse1"
#define MEF_ENROLEE "//sp.example/cse1/Cdevice"
#define MEF_SUID    22

struct flow_mef {
    struct lab *lab;
    struct mef_policy policy;
    struct mef_store *real, faulty; /* faulty: calls counted, one may fail */
    struct mef mef;
    struct gba_ue_transport port;
    unsigned n;                  /* exchanges */
    bool certificate, no_export; /* what a session must not be */
    bool uicc;                   /* the target's clients are in the UICC */
    unsigned n_sessions;
};

/* Between lab_init and lab_open: NAF and BSF's table for a MEF that is one, and a proxy. */
void flow_mef_configure(struct lab *l);
/* After lab_open. */
void flow_mef_open(struct flow_mef *m, struct lab *l, enum mef_derivation derivation);
void flow_mef_close(struct flow_mef *m);

/* What the target gets for this KeID; mef_fetch_end it. */
void flow_mef_fetch(struct flow_mef *m, const char *key_id, struct mef_fetch *out);

#endif
