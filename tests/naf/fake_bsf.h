/*
 * The Zn side of a BSF over real TLS, for tests of the NAF: answers as it is told to.  The key
 * is SHA-256(B-TID || NAF_Id).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_NAF_FAKE_BSF_H
#define TESTS_NAF_FAKE_BSF_H

#include "common/host/httpd.h"
#include "common/zn_soap.h"

enum fake_bsf_mood {
    BSF_ANSWERS,
    BSF_UNKNOWN_BTID,   /* fault 5403 */
    BSF_NOT_AUTHORIZED, /* fault 5402 */
    BSF_FAILS,          /* fault of the server */
    BSF_FAULT_WITH_200, /* 5403, as one carrier sends it */
    BSF_NOT_XML,
    BSF_ANSWER_WITH_500,
    BSF_REDIRECTS,
    BSF_NOT_FOUND,
    BSF_ENDLESS, /* more than anyone reads */
    BSF_SILENT,
    BSF_N_MOODS
};

struct fake_bsf {
    enum fake_bsf_mood mood;
    unsigned n_asked;
    struct gba_zn_request last;
    int64_t expiry_s;
    struct httpd *httpd;
    struct tls_server *tls;
    char url[128];
    struct httpd_request *unanswered[16];
    size_t n_unanswered;
};

/* Certificates are of tests/host/certs.h: bsf.pem, bsf.key, ca.pem must be there. */
void fake_bsf_start(struct fake_bsf *b);
void fake_bsf_stop(struct fake_bsf *b);

void fake_bsf_key(const char *btid, struct gba_bytes naf_id, uint8_t out[static 32]);

#endif
