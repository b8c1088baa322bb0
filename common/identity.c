/*
 * Identifiers of GAA: form, length and composition of IMSI, IMPI, B-TID, TMPI, FQDN and NAF_Id,
 * and the BSF address rules of TS 23.003 clause 16.  Nothing is looked up, nothing resolved.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/identity.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <string.h>
#include <unistr.h>

#include "common/kdf.h"

#define FQDN_MAX  253 /* octets, RFC 1035 2.3.4 without root */
#define LABEL_MAX 63
#define MCC_LEN   3
#define HOME_TLD  "3gppnetwork.org"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool all_digits(struct gba_text t)
{
    for (size_t i = 0; i < t.n; i++)
        if (!is_digit(t.s[i]))
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

/* ------------------------------------------------------------ FQDN and NAF_Id */

/* U-labels to A-labels: IDNA 2008 with the mapping of UTS #46, non-transitional, so that what
 * a person types and what a certificate says give the same octets under the KDF. */
static enum gba_err to_ascii(struct gba_text in, char out[static GBA_FQDN_SIZE])
{
    char utf8[4 * GBA_FQDN_SIZE];
    uint8_t *ascii = NULL;
    enum gba_err err;

    if (gba_text_copy(utf8, sizeof(utf8), in) != GBA_OK ||
        idn2_lookup_u8((const uint8_t *)utf8, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) !=
            IDN2_OK)
        return GBA_E_SYNTAX;
    err = gba_text_copy(out, GBA_FQDN_SIZE, gba_text((const char *)ascii));
    idn2_free(ascii);
    return err == GBA_OK ? GBA_OK : GBA_E_SYNTAX;
}

/* "[" IPv6 "]" in the one text form of RFC 5952. */
static enum gba_err ipv6_literal(struct gba_text in, char out[static GBA_FQDN_SIZE])
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (in.n < 2 || in.s[in.n - 1] != ']' ||
        gba_text_copy(text, sizeof(text), (struct gba_text){in.s + 1, in.n - 2}) != GBA_OK ||
        inet_pton(AF_INET6, text, &address) != 1)
        return GBA_E_SYNTAX;
    out[0] = '[';
    inet_ntop(AF_INET6, &address, out + 1, GBA_FQDN_SIZE - 2);
    strcat(out, "]");
    return GBA_OK;
}

static bool label_ok(struct gba_text label)
{
    if (label.n == 0 || label.n > LABEL_MAX || label.s[0] == '-' || label.s[label.n - 1] == '-')
        return false;
    for (size_t i = 0; i < label.n; i++) {
        char c = label.s[i];

        if (!is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' && c != '_')
            return false;
    }
    return true;
}

/* Lower-case text: labels as they should be, and if the last one is a number, an IPv4 address
 * in its one form (so that "1.2.3" and "010.0.0.1" are nobody's name). */
static bool labels_ok(const char *name)
{
    struct gba_text rest = gba_text(name), label = {"", 0};
    struct in_addr address;
    bool more = true;

    if (rest.n == 0 || rest.n > FQDN_MAX)
        return false;
    while (more) {
        more = gba_text_split(rest, '.', &label, &rest);
        if (!label_ok(label))
            return false;
    }
    return !all_digits(label) || inet_pton(AF_INET, name, &address) == 1;
}

static bool is_ascii(struct gba_text t)
{
    for (size_t i = 0; i < t.n; i++)
        if ((unsigned char)t.s[i] > 0x7f)
            return false;
    return true;
}

static void lower_case(char *s)
{
    for (; *s != '\0'; s++)
        if (*s >= 'A' && *s <= 'Z')
            *s = (char)(*s - 'A' + 'a');
}

enum gba_err gba_fqdn_canonical(struct gba_text in, char out[static GBA_FQDN_SIZE])
{
    char name[GBA_FQDN_SIZE];
    size_t n;

    out[0] = '\0';
    if (in.n != 0 && in.s[0] == '[')
        return ipv6_literal(in, out);
    if ((is_ascii(in) ? gba_text_copy(name, sizeof(name), in) : to_ascii(in, name)) != GBA_OK)
        return GBA_E_SYNTAX;
    n = strlen(name);
    if (n != 0 && name[n - 1] == '.')
        name[n - 1] = '\0';
    lower_case(name);
    if (!labels_ok(name))
        return GBA_E_SYNTAX;
    memcpy(out, name, strlen(name) + 1);
    return GBA_OK;
}

enum gba_err gba_fqdn_check(struct gba_text fqdn)
{
    char canonical[GBA_FQDN_SIZE];

    if (gba_fqdn_canonical(fqdn, canonical) != GBA_OK || !gba_text_is(fqdn, canonical))
        return GBA_E_SYNTAX;
    return GBA_OK;
}

enum gba_err gba_naf_id_make(struct gba_text fqdn, const uint8_t ua_id[static 5],
                             struct gba_naf_id *out)
{
    char canonical[GBA_FQDN_SIZE];
    struct gba_wbuf w;

    *out = (struct gba_naf_id){.n = 0};
    if (gba_fqdn_canonical(fqdn, canonical) != GBA_OK)
        return GBA_E_SYNTAX;
    gba_wbuf_init(&w, out->octets, sizeof(out->octets));
    gba_wbuf_str(&w, canonical);
    gba_wbuf_put(&w, (struct gba_bytes){ua_id, 5});
    out->n = w.n;
    return GBA_OK;
}

enum gba_err gba_naf_id_parse(struct gba_bytes naf_id, struct gba_text *fqdn,
                              const uint8_t **ua_id)
{
    struct gba_text name;

    *fqdn = GBA_TEXT("");
    *ua_id = NULL;
    if (naf_id.n < 6 || naf_id.n > GBA_NAF_ID_SIZE)
        return GBA_E_SYNTAX;
    name = (struct gba_text){(const char *)naf_id.p, naf_id.n - 5};
    if (gba_fqdn_check(name) != GBA_OK)
        return GBA_E_SYNTAX;
    *fqdn = name;
    *ua_id = naf_id.p + naf_id.n - 5;
    return GBA_OK;
}
