/*
 * The canonical form of host names, which stands under the KDF on both sides of Ua and Zn, and
 * NAF_Id made of it.  Nothing is resolved: form only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/identity.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <string.h>

#define FQDN_MAX  253 /* octets, RFC 1035 2.3.4 without the root */
#define LABEL_MAX 63

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

bool gba_fqdn_is_address(const char *canonical)
{
    struct in_addr address;

    return canonical[0] == '[' || inet_pton(AF_INET, canonical, &address) == 1;
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
