/*
 * Identifiers of GAA: form, length and composition of IMSI, IMPI, B-TID and TMPI, and the BSF
 * address rules of TS 23.003 clause 16.  Names and NAF_Id: fqdn.c.  Nothing is looked up.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/identity.h"

#include <string.h>
#include <unistr.h>

#include "common/kdf.h"

#define MCC_LEN  3
#define HOME_TLD "3gppnetwork.org"

static bool all_digits(struct gba_text t)
{
    for (size_t i = 0; i < t.n; i++)
        if (t.s[i] < '0' || t.s[i] > '9')
            return false;
    return true;
}

/* ------------------------------------------------------------ IMSI and IMPI */

enum gba_err gba_imsi_check(struct gba_text imsi)
{
    return imsi.n >= 6 && imsi.n <= GBA_IMSI_SIZE - 1 && all_digits(imsi) ? GBA_OK
                                                                          : GBA_E_SYNTAX;
}

/* TS 23.003 13.2, 16.2: "mnc<MNC>.mcc<MCC>", the MNC filled up to three digits. */
static enum gba_err put_network(struct gba_wbuf *w, struct gba_text imsi, unsigned mnc_len)
{
    if (mnc_len != 2 && mnc_len != 3)
        return GBA_E_ARGUMENT;
    if (gba_imsi_check(imsi) != GBA_OK || imsi.n <= MCC_LEN + mnc_len)
        return GBA_E_SYNTAX;
    gba_wbuf_str(w, mnc_len == 2 ? "mnc0" : "mnc");
    gba_wbuf_text(w, (struct gba_text){imsi.s + MCC_LEN, mnc_len});
    gba_wbuf_str(w, ".mcc");
    gba_wbuf_text(w, (struct gba_text){imsi.s, MCC_LEN});
    return GBA_OK;
}

/* imsi, if any, then prefix, the home network of the IMSI, suffix. */
static enum gba_err home_name(struct gba_text user, const char *prefix, struct gba_text imsi,
                              unsigned mnc_len, const char *suffix, char *out, size_t cap)
{
    struct gba_wbuf w;
    enum gba_err err;

    out[0] = '\0';
    gba_wbuf_init(&w, out, cap);
    gba_wbuf_text(&w, user);
    gba_wbuf_str(&w, prefix);
    err = put_network(&w, imsi, mnc_len);
    gba_wbuf_str(&w, suffix);
    if (err != GBA_OK) {
        out[0] = '\0';
        return err;
    }
    gba_wbuf_cstr(&w);
    return gba_wbuf_ok(&w) ? GBA_OK : GBA_E_TOO_LONG;
}

enum gba_err gba_impi_from_imsi(struct gba_text imsi, unsigned mnc_len,
                                char out[static GBA_IMPI_SIZE])
{
    return home_name(imsi, "@ims.", imsi, mnc_len, "." HOME_TLD, out, GBA_IMPI_SIZE);
}

enum gba_err gba_bsf_from_imsi(struct gba_text imsi, unsigned mnc_len,
                               char out[static GBA_FQDN_SIZE])
{
    return home_name(GBA_TEXT(""), "bsf.", imsi, mnc_len, ".pub." HOME_TLD, out, GBA_FQDN_SIZE);
}

/* UTF-8 without C0, DEL and C1 controls. */
static bool is_printable_utf8(struct gba_text t)
{
    const uint8_t *p = (const uint8_t *)t.s;

    if (t.n == 0 || u8_check(p, t.n) != NULL)
        return false;
    for (size_t i = 0; i < t.n; i++)
        if (p[i] < 0x20 || p[i] == 0x7f || (p[i] == 0xc2 && p[i + 1] < 0xa0))
            return false;
    return true;
}

enum gba_err gba_impi_check(struct gba_text impi)
{
    struct gba_text user, domain;

    if (impi.n > GBA_IMPI_SIZE - 1 || !is_printable_utf8(impi) ||
        !gba_text_split(impi, '@', &user, &domain))
        return GBA_E_SYNTAX;
    if (user.n == 0 || domain.n == 0 || memchr(domain.s, '@', domain.n) != NULL)
        return GBA_E_SYNTAX;
    return GBA_OK;
}

enum gba_err gba_bsf_from_impi(struct gba_text impi, char out[static GBA_FQDN_SIZE])
{
    struct gba_text user, domain_part, domain;
    char canonical[GBA_FQDN_SIZE], name[2 * GBA_FQDN_SIZE];
    struct gba_wbuf w;

    out[0] = '\0';
    if (gba_impi_check(impi) != GBA_OK)
        return GBA_E_SYNTAX;
    gba_text_split(impi, '@', &user, &domain_part);
    if (gba_fqdn_canonical(domain_part, canonical) != GBA_OK)
        return GBA_E_SYNTAX;
    domain = gba_text(canonical);
    gba_wbuf_init(&w, name, sizeof(name));
    gba_wbuf_str(&w, "bsf.");
    if (gba_text_is(domain, HOME_TLD) || gba_text_ends(domain, "." HOME_TLD)) {
        domain.n -= sizeof(HOME_TLD) - 1;
        gba_wbuf_text(&w, domain);
        domain = GBA_TEXT("pub." HOME_TLD);
    }
    gba_wbuf_text(&w, domain);
    return gba_fqdn_canonical(gba_text(gba_wbuf_cstr(&w)), out);
}

/* ------------------------------------------------------------ B-TID and TMPI */

enum gba_err gba_btid_make(const uint8_t rand[static 16], struct gba_text bsf_fqdn,
                           char out[static GBA_BTID_SIZE])
{
    char fqdn[GBA_FQDN_SIZE];
    struct gba_wbuf w;

    out[0] = '\0';
    if (gba_fqdn_canonical(bsf_fqdn, fqdn) != GBA_OK)
        return GBA_E_SYNTAX;
    gba_wbuf_init(&w, out, GBA_BTID_SIZE);
    gba_wbuf_base64(&w, (struct gba_bytes){rand, 16});
    gba_wbuf_u8(&w, '@');
    gba_wbuf_str(&w, fqdn);
    gba_wbuf_cstr(&w);
    return GBA_OK;
}

/* Is t the base64 of exactly n octets? */
static bool decode_exact(struct gba_text t, uint8_t *out, size_t n)
{
    size_t got;

    return gba_unbase64(out, n, t, &got) == GBA_OK && got == n;
}

enum gba_err gba_btid_parse(struct gba_text btid, uint8_t rand[static 16],
                            struct gba_text *domain)
{
    struct gba_text left, right;
    char canonical[GBA_FQDN_SIZE];
    uint8_t octets[16];

    *domain = GBA_TEXT("");
    if (!gba_text_split(btid, '@', &left, &right) ||
        !decode_exact(left, octets, sizeof(octets)) ||
        gba_fqdn_canonical(right, canonical) != GBA_OK)
        return GBA_E_SYNTAX;
    memcpy(rand, octets, sizeof(octets));
    *domain = right;
    return GBA_OK;
}

bool gba_is_tmpi(struct gba_text username)
{
    struct gba_text left, domain;
    uint8_t octets[24];

    return gba_text_split(username, '@', &left, &domain) &&
           gba_text_eq_nocase(domain, GBA_TEXT(GBA_TMPI_DOMAIN)) &&
           decode_exact(left, octets, sizeof(octets));
}
