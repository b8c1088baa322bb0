/*
 * Fuzz target: identifiers as they come from the wire, from a certificate or from a
 * configuration file (common/identity.c, ua_protocol.c, timestamp.c).  Besides not failing:
 * a canonical name is canonical, and what is parsed is made again.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "common/identity.h"
#include "common/timestamp.h"
#include "common/ua_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool condition)
{
    if (!condition)
        abort();
}

static void names(struct gba_text t)
{
    char fqdn[GBA_FQDN_SIZE], again[GBA_FQDN_SIZE], bsf[GBA_FQDN_SIZE];

    if (gba_fqdn_canonical(t, fqdn) == GBA_OK) {
        need(gba_fqdn_canonical(gba_text(fqdn), again) == GBA_OK && strcmp(fqdn, again) == 0);
        need(gba_fqdn_check(gba_text(fqdn)) == GBA_OK);
        need(strlen(fqdn) <= 253);
    }
    if (gba_bsf_from_impi(t, bsf) == GBA_OK)
        need(gba_impi_check(t) == GBA_OK && gba_fqdn_check(gba_text(bsf)) == GBA_OK);
}

static void identifiers(struct gba_text t)
{
    char made[GBA_BTID_SIZE], impi[GBA_IMPI_SIZE];
    uint8_t rand[16], again[16];
    struct gba_text domain, same;

    if (gba_btid_parse(t, rand, &domain) == GBA_OK) {
        need(gba_btid_make(rand, domain, made) == GBA_OK);
        need(gba_btid_parse(gba_text(made), again, &same) == GBA_OK);
        need(memcmp(rand, again, sizeof(rand)) == 0 && memcmp(made, t.s, 25) == 0);
    }
    if (gba_is_tmpi(t))
        need(gba_impi_check(t) == GBA_OK);
    if (gba_impi_from_imsi(t, 2, impi) == GBA_OK)
        need(gba_imsi_check(t) == GBA_OK && gba_impi_check(gba_text(impi)) == GBA_OK);
}

static void naf_id(struct gba_bytes b)
{
    struct gba_naf_id made;
    struct gba_text fqdn;
    const uint8_t *ua;

    if (gba_naf_id_parse(b, &fqdn, &ua) != GBA_OK)
        return;
    need(gba_naf_id_make(fqdn, ua, &made) == GBA_OK);
    need(made.n == b.n && memcmp(made.octets, b.p, b.n) == 0);
    (void)gba_ua_protocol_find(ua);
}

static void instants(struct gba_text t)
{
    char text[GBA_DATETIME_SIZE];
    uint8_t ua[GBA_UA_ID_LEN];
    int64_t at, again;

    if (gba_datetime_parse(t, &at) == GBA_OK) {
        gba_datetime(at, text);
        need(gba_datetime_parse(gba_text(text), &again) == GBA_OK && again == at);
    }
    if (gba_m2m_timestamp_parse(t, &at) == GBA_OK) {
        gba_m2m_timestamp(at, text);
        need(gba_m2m_timestamp_parse(gba_text(text), &again) == GBA_OK && again == at);
    }
    (void)gba_ua_parse(t, ua);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct gba_text t = {(const char *)data, size};

    names(t);
    identifiers(t);
    naf_id((struct gba_bytes){data, size});
    instants(t);
    return 0;
}
