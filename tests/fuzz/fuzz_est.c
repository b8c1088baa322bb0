/*
 * Fuzz target: requests of EST and what is in them (naf/est.c, naf/csr.c).  The first octet
 * says what the rest is: 'h' "METHOD LF PATH LF TYPE LF BODY"; 'd' DER of a request; 's' the
 * same, signed again, so that what stands behind the signature's check is reached; 'c' DER of
 * the certificate of a renewal.  Besides not failing: the CA is asked only for the name of whom
 * the session authenticated.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/est.h"

#include <stdlib.h>
#include <string.h>

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#define ID "//sp.example/cse1/Cone"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t root[] = {0x30, 0};

static struct gba_bytes certs(const struct mef_ca *self, size_t i)
{
    (void)self;
    return i == 0 ? GBA_BYTES(root) : (struct gba_bytes){NULL, 0};
}

static bool issued(const struct mef_ca *self, struct gba_bytes cert)
{
    (void)self;
    return cert.n != 0;
}

/* Nobody has rows. */
static enum gba_err no_target(struct mef_registry *self, const char *name,
                              struct mef_target *out)
{
    (void)self, (void)name, (void)out;
    return GBA_E_NOT_FOUND;
}

static enum gba_err no_credential(struct mef_registry *self, enum mef_credential_kind kind,
                                  const char *name, struct mef_credential *out)
{
    (void)self, (void)kind, (void)name, (void)out;
    return GBA_E_NOT_FOUND;
}

static struct mef_ca ca = {"fuzz", certs, NULL, issued, NULL};
static struct est_call call;

static void run(struct gba_text method, struct gba_text path, struct gba_text type,
                struct gba_bytes body, struct gba_bytes certificate)
{
    const struct mef_limits limits = {.enrolment_s = 1};
    const struct mef_client who = {.id = ID, .is_enrolee = true};
    const struct est_client client = {.who = &who, .certificate = certificate};
    struct mef_registry registry = {
        .target_by_fqdn = no_target, .target_by_id = no_target, .credential = no_credential};
    struct mef_policy policy;
    const struct mef mef = {&policy, NULL, &registry, NULL};
    const struct est_request rq = {method, path, type, body};
    const struct est est = {.ca = &ca, .mef = &mef, .life_s = 1};

    if (mef_policy_init(&policy, "mef.example", NULL, &limits) != GBA_OK)
        abort();
    est_begin(&est, &client, &rq, &call);
    if (call.ask && (call.err != GBA_OK || call.rq.name.type != MEF_NAME_URI ||
                     strcmp(call.rq.name.text, ID) != 0 || call.rq.csr.n == 0))
        abort();
    if (call.err == GBA_OK && !call.ask && call.body.n == 0)
        abort();
    if (call.err != GBA_OK && call.err != GBA_E_NOMEM && call.why[0] == '\0')
        abort();
}

static void run_der(struct gba_bytes der, const char *path, struct gba_bytes certificate)
{
    char *text = malloc(GBA_BASE64_LEN(der.n) + 1);

    if (text == NULL)
        return;
    gba_base64(text, der);
    run(GBA_TEXT("POST"), gba_text(path), GBA_TEXT("application/pkcs10"),
        gba_text_bytes(gba_text(text)), certificate);
    free(text);
}

static gnutls_x509_privkey_t make_key(void)
{
    gnutls_x509_privkey_t key;

    if (gnutls_x509_privkey_init(&key) < 0 ||
        gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) < 0)
        abort();
    return key;
}

/* malloc'ed by GnuTLS; empty where it cannot be signed. */
static gnutls_datum_t sign_again(struct gba_bytes der)
{
    static gnutls_x509_privkey_t key;
    const gnutls_datum_t d = {(unsigned char *)der.p, (unsigned)der.n};
    gnutls_datum_t out = {NULL, 0};
    gnutls_x509_crq_t crq;

    if (key == NULL)
        key = make_key();
    if (gnutls_x509_crq_init(&crq) < 0)
        return out;
    if (gnutls_x509_crq_import(crq, &d, GNUTLS_X509_FMT_DER) < 0 ||
        gnutls_x509_crq_set_key(crq, key) < 0 ||
        gnutls_x509_crq_sign2(crq, key, GNUTLS_DIG_SHA256, 0) < 0 ||
        gnutls_x509_crq_export2(crq, GNUTLS_X509_FMT_DER, &out) < 0)
        out = (gnutls_datum_t){NULL, 0};
    gnutls_x509_crq_deinit(crq);
    return out;
}

/* A good request: what a renewal is compared with. */
static struct gba_bytes good_request(void)
{
    static gnutls_datum_t der;
    gnutls_x509_privkey_t key;
    gnutls_x509_crq_t crq;

    if (der.data == NULL) {
        key = make_key();
        if (gnutls_x509_crq_init(&crq) < 0 || gnutls_x509_crq_set_version(crq, 1) < 0 ||
            gnutls_x509_crq_set_subject_alt_name(crq, GNUTLS_SAN_URI, ID, sizeof(ID) - 1,
                                                 GNUTLS_FSAN_SET) < 0 ||
            gnutls_x509_crq_set_key(crq, key) < 0 ||
            gnutls_x509_crq_sign2(crq, key, GNUTLS_DIG_SHA256, 0) < 0 ||
            gnutls_x509_crq_export2(crq, GNUTLS_X509_FMT_DER, &der) < 0)
            abort();
        gnutls_x509_crq_deinit(crq);
        gnutls_x509_privkey_deinit(key);
    }
    return (struct gba_bytes){der.data, der.size};
}

static void run_http(struct gba_text t)
{
    struct gba_text method, path, type, rest;

    gba_text_split(t, '\n', &method, &rest);
    gba_text_split(rest, '\n', &path, &rest);
    gba_text_split(rest, '\n', &type, &rest);
    if (est_is_path(path))
        run(method, path, type, gba_text_bytes(rest), (struct gba_bytes){NULL, 0});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gba_bytes rest;
    gnutls_datum_t again;

    if (size < 2)
        return 0;
    rest = (struct gba_bytes){data + 1, size - 1};
    switch (data[0]) {
    case 'h':
        run_http(gba_bytes_text(rest));
        break;
    case 'd':
        run_der(rest, "/.well-known/est/simpleenroll", (struct gba_bytes){NULL, 0});
        break;
    case 's':
        again = sign_again(rest);
        if (again.data != NULL)
            run_der((struct gba_bytes){again.data, again.size}, "/.well-known/est/simpleenroll",
                    (struct gba_bytes){NULL, 0});
        gnutls_free(again.data);
        break;
    case 'c':
        run_der(good_request(), "/.well-known/est/simplereenroll", rest);
        break;
    default:
        break;
    }
    return 0;
}
