/*
 * Zn as a web service: bodies of TS 29.109 Annex D, with or without a SOAP 1.1 envelope.
 * Both directions, both roles; parsing goes by local names, the answer carries the namespace
 * and the form (envelope or bare) of the request.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_ZN_SOAP_H
#define COMMON_ZN_SOAP_H

#include "common/identity.h"
#include "common/secret.h"

#define GBA_ZN_NS_DEFAULT "http://www.3gpp.org/GBAService"
#define GBA_ZN_REQUEST_MAX  65536 /* octets */
#define GBA_ZN_ANSWER_MAX   262144
#define GBA_ZN_MAX_GSIDS    32
#define GBA_ZN_GSID_SIZE    12
#define GBA_ZN_NS_SIZE      256

enum gba_type { GBA_TYPE_3G, GBA_TYPE_2G, GBA_TYPE_DIGEST }; /* TS 29.109 6.3.1.11 */

struct gba_zn_request {
    bool envelope;              /* SOAP envelope, or the bare element */
    char ns[GBA_ZN_NS_SIZE];    /* of the request element; "" for none */
    char btid[GBA_BTID_SIZE];   /* as given, white space trimmed; form not checked; "": none, or too long */
    uint8_t naf_id[GBA_NAF_ID_SIZE];
    size_t naf_id_len;          /* 0: none, too long, or no base64 */
    char gsid[GBA_ZN_MAX_GSIDS][GBA_ZN_GSID_SIZE]; /* decimal text */
    size_t n_gsids;
    bool gba_u_aware;           /* true, True, 1 */
};

/* Wiped by its owner with gba_wipe. */
struct gba_zn_answer {
    char impi[GBA_IMPI_SIZE];   /* "": not given */
    struct gba_key me_key;      /* Ks_NAF or Ks_ext_NAF */
    struct gba_key uicc_key;    /* Ks_int_NAF */
    bool has_uicc_key;
    int64_t expiry_s, created_s; /* seconds since 1970; created 0: absent */
    struct gba_bytes uss_list;  /* a ussList document, borrowed; empty: none */
    enum gba_type type;         /* left out of the text for 3G */
};

struct gba_zn_fault {
    unsigned code;              /* 5402, 5403; 0: none found */
    char text[128];
};

/* Server.  GBA_E_SYNTAX: no XML, a DTD, no request element, a child missing, twice or malformed,
 * but for the texts of btid and nafid;
 * GBA_E_SOAP_HEADER: a header block that must be understood;
 * GBA_E_TOO_LONG: over GBA_ZN_REQUEST_MAX, or too many GSIDs. */
enum gba_err gba_zn_request_parse(struct gba_bytes xml, struct gba_zn_request *out);
enum gba_err gba_zn_answer_print(const struct gba_zn_request *rq, const struct gba_zn_answer *a,
                                 struct gba_wbuf *out);
/* A SOAP 1.1 Fault (always in an envelope): faultcode Client for 5402, 5403 and bad input, MustUnderstand,
 * without a detail, for GBA_E_SOAP_HEADER, else Server;
 * <detail><requestBootstrappingInfoFault><code/><text/></...></detail>.  rq may be NULL. */
enum gba_err gba_zn_fault_print(const struct gba_zn_request *rq, enum gba_err err,
                                struct gba_wbuf *out);

/* Client. */
enum gba_err gba_zn_request_print(const struct gba_zn_request *rq, struct gba_wbuf *out);
/* GBA_OK: an answer (uss_list, if any, is malloc'ed: gba_zn_answer_release frees and wipes);
 * GBA_E_NOT_AUTHORIZED, GBA_E_BTID: a fault with that code; GBA_E_ZN_FAILURE: another fault;
 * GBA_E_SYNTAX, GBA_E_TOO_LONG. */
enum gba_err gba_zn_answer_parse(struct gba_bytes xml, struct gba_zn_answer *out,
                                 struct gba_zn_fault *fault);
void gba_zn_answer_release(struct gba_zn_answer *a);

#endif
