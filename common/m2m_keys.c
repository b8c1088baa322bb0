/*
 * Keys of oneM2M TS-0003 clause 10.3: HMAC-SHA-256 over a label and identifiers, without
 * lengths or separators.  Which identifier form is hashed is the caller's choice.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/m2m_keys.h"

#include <string.h>

#include "common/crypto.h"
#include "common/unicode.h"

#define ID_MAX 2048

enum gba_err m2m_export_split(const uint8_t exported[static M2M_EXPORT_LEN],
                              struct gba_text fqdn, char key_id[static M2M_KEY_ID_SIZE],
                              struct gba_key *key)
{
    char *at = key_id + 32;
    enum gba_err err;

    gba_hex_upper(key_id, (struct gba_bytes){exported, 16});
    *at = '@';
    err = gba_text_copy(at + 1, M2M_KEY_ID_SIZE - 33, fqdn);
    if (err != GBA_OK) {
        key_id[0] = '\0';
        return err;
    }
    memcpy(key->octets, exported + 16, sizeof(key->octets));
    return GBA_OK;
}

/* HMAC(Ke, label || octets || NFKC(id)). */
static enum gba_err derive(const struct gba_key *ke, struct gba_text label,
                           struct gba_bytes octets, struct gba_text id, struct gba_key *out)
{
    uint8_t room[ID_MAX];
    struct gba_wbuf w;
    enum gba_err err;

    gba_wbuf_init(&w, room, sizeof(room));
    err = gba_nfkc(id, &w);
    if (err != GBA_OK)
        return err;

    const struct gba_bytes message[] = {gba_text_bytes(label), octets, gba_wbuf_bytes(&w)};

    gba_hmac(GBA_SHA256, GBA_BYTES(ke->octets), message, 3, out->octets);
    return GBA_OK;
}

static const struct gba_bytes nothing = {NULL, 0};

enum gba_err m2m_km(const struct gba_key *ke, struct gba_text maf_id, struct gba_key *km)
{
    return derive(ke, GBA_TEXT("oneM2M Enrolment Key to Master Credential derivation"), nothing,
                  maf_id, km);
}

enum gba_err m2m_kpsa(const struct gba_key *ke, struct gba_text enrolee_b_id,
                      struct gba_key *kpsa)
{
    return derive(
        ke, GBA_TEXT("oneM2M Enrolment Key to Provisioned Secure Connection Key derivation"),
        nothing, enrolee_b_id, kpsa);
}

enum gba_err m2m_usage_key(const struct gba_key *ke, struct gba_bytes suid,
                           struct gba_text target_fqdn, struct gba_key *key)
{
    return derive(
        ke, GBA_TEXT("oneM2M Enrolment Key to Usage-Constrained Symmetric Key derivation"),
        suid, target_fqdn, key);
}

void m2m_e2e_keys(const struct gba_key *kpsa, struct gba_bytes salt, struct m2m_e2e_keys *out)
{
    const struct {
        const char *label;
        struct gba_key *key;
    } steps[] = {
        {"E2E Message Authentication Key", &out->msg_auth},
        {"E2E Message Confidentiality Key", &out->msg_conf},
        {"E2E Attribute Authenticity Key", &out->att_auth},
        {"E2E Attribute Confidentiality Key", &out->att_conf},
    };
    const struct gba_bytes ikm = GBA_BYTES(kpsa->octets);
    struct gba_bytes previous = nothing;

    gba_hmac(GBA_SHA256, salt, &ikm, 1, out->master.octets);
    for (uint8_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        const uint8_t counter = (uint8_t)(i + 1);
        const struct gba_bytes t[] = {
            previous, gba_text_bytes(gba_text(steps[i].label)), {&counter, 1}};

        gba_hmac(GBA_SHA256, GBA_BYTES(out->master.octets), t, 3, steps[i].key->octets);
        previous = GBA_BYTES(steps[i].key->octets);
    }
}

void m2m_session_esprim_key(const struct gba_key *pairwise, struct gba_bytes receiver_rand,
                            struct gba_bytes originator_rand, struct gba_key *key)
{
    const struct gba_bytes message[] = {
        receiver_rand, originator_rand,
        gba_text_bytes(GBA_TEXT("oneM2M HMAC-SHA256 sessionESPrimKey derivation algorithm"))};

    gba_hmac(GBA_SHA256, GBA_BYTES(pairwise->octets), message, 3, key->octets);
}
