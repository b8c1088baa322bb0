/*
 * DER that EST needs: see est_der.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/est_der.h"

#include <string.h>

#define SEQUENCE     0x30
#define SET          0x31
#define OCTET_STRING 0x04
#define CONTEXT_0    0xa0 /* constructed */
#define NAME_DNS     0x82
#define NAME_URI     0x86

/* Object identifiers, with tag and length. */
static const uint8_t oid_data[] = {6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 7, 1};
static const uint8_t oid_signed_data[] = {6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 7, 2};
static const uint8_t oid_challenge_password[] = {6,    9,    0x2a, 0x86, 0x48, 0x86,
                                                 0xf7, 0x0d, 1,    9,    7};
static const uint8_t oid_extension_request[] = {6,    9,    0x2a, 0x86, 0x48, 0x86,
                                                0xf7, 0x0d, 1,    9,    14};
static const uint8_t oid_ec_public_key[] = {6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1};
static const uint8_t oid_secp256r1[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
static const uint8_t oid_ecdsa_sha256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2};
static const uint8_t oid_subject_alt_name[] = {6, 3, 0x55, 0x1d, 0x11};
static const uint8_t version_1[] = {2, 1, 1};

/* Octets of an element with n octets of content. */
static size_t element(size_t n)
{
    return n < 0x80 ? n + 2 : n < 0x100 ? n + 3 : n < 0x10000 ? n + 4 : n + 5;
}

static void head(struct gba_wbuf *w, uint8_t tag, size_t n)
{
    gba_wbuf_u8(w, tag);
    if (n >= 0x10000)
        gba_wbuf_u8(w, 0x83);
    else if (n >= 0x80)
        gba_wbuf_u8(w, n >= 0x100 ? 0x82 : 0x81);
    if (n >= 0x10000)
        gba_wbuf_u8(w, (uint8_t)(n >> 16));
    if (n >= 0x100)
        gba_wbuf_u8(w, (uint8_t)(n >> 8));
    gba_wbuf_u8(w, (uint8_t)n);
}

#define PUT(w, octets) gba_wbuf_put((w), GBA_BYTES(octets))

void est_der_certs_only(const struct gba_bytes *certs, size_t n, struct gba_wbuf *w)
{
    size_t all = 0, signed_data;

    for (size_t i = 0; i < n; i++)
        all += certs[i].n;
    signed_data =
        sizeof(version_1) + element(0) + element(sizeof(oid_data)) + element(all) + element(0);
    head(w, SEQUENCE, sizeof(oid_signed_data) + element(element(signed_data)));
    PUT(w, oid_signed_data);
    head(w, CONTEXT_0, element(signed_data));
    head(w, SEQUENCE, signed_data);
    PUT(w, version_1);
    head(w, SET, 0); /* no digest algorithm */
    head(w, SEQUENCE, sizeof(oid_data));
    PUT(w, oid_data);
    head(w, CONTEXT_0, all);
    for (size_t i = 0; i < n; i++)
        gba_wbuf_put(w, certs[i]);
    head(w, SET, 0); /* no signer */
}

/* extensionRequest with Extensions of one, whose value is the name (RFC 9908). */
static void put_name(const struct mef_cert_name *name, struct gba_wbuf *w)
{
    size_t text = strlen(name->text), names = element(text), value = element(names),
           extension = sizeof(oid_subject_alt_name) + element(value),
           extensions = element(extension),
           attribute = sizeof(oid_extension_request) + element(element(extensions));

    head(w, SEQUENCE, attribute);
    PUT(w, oid_extension_request);
    head(w, SET, element(extensions));
    head(w, SEQUENCE, extensions);
    head(w, SEQUENCE, extension);
    PUT(w, oid_subject_alt_name);
    head(w, OCTET_STRING, value);
    head(w, SEQUENCE, names);
    head(w, name->type == MEF_NAME_DNS ? NAME_DNS : NAME_URI, text);
    gba_wbuf_str(w, name->text);
}

/* An attribute whose one value is an object identifier (RFC 7030 4.5.2). */
static void put_attribute(struct gba_bytes type, struct gba_bytes value, struct gba_wbuf *w)
{
    head(w, SEQUENCE, type.n + element(value.n));
    gba_wbuf_put(w, type);
    head(w, SET, value.n);
    gba_wbuf_put(w, value);
}

void est_der_csr_attrs(const struct mef_cert_name *name, bool link, struct gba_wbuf *w)
{
    uint8_t inner[1024];
    struct gba_wbuf v;

    gba_wbuf_init(&v, inner, sizeof(inner));
    if (link)
        PUT(&v, oid_challenge_password);
    put_attribute(GBA_BYTES(oid_ec_public_key), GBA_BYTES(oid_secp256r1), &v);
    if (name != NULL)
        put_name(name, &v);
    else
        put_attribute(GBA_BYTES(oid_extension_request), GBA_BYTES(oid_subject_alt_name), &v);
    PUT(&v, oid_ecdsa_sha256);
    w->overflow = w->overflow || !gba_wbuf_ok(&v);
    head(w, SEQUENCE, v.n);
    gba_wbuf_put(w, gba_wbuf_bytes(&v));
}
