/*
 * Multimedia-Auth-Answer: see zh_mar.h.  Strict about the vector, lenient about the rest, for
 * HSSs differ: any scheme or none, Public-Identity, SIP-Number-Auth-Items, SIP-Item-Number, a
 * Vendor-Specific-Application-Id of Cx, both result AVPs at once (Experimental-Result then
 * counts), AVPs in any order.
 *
 * A GUSS that cannot be read makes the whole answer malformed: going on without it could run
 * GBA_ME where the operator demands GBA_U, with a key lifetime that is not the subscriber's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/zh_mar.h"

#include <string.h>

#include "common/host/diameter_dict.h"
#include "common/secret.h"

#define TGPP    DIAMETER_VENDOR_3GPP
#define RES_MIN 4
#define RES_MAX 16

#define REDIRECT_INDICATION 3006 /* of an SLF, over Dz */

/* --- the result ------------------------------------------------------------------------- */

struct verdict {
    uint32_t code;
    enum gba_err err;
    enum gba_err resync_err; /* the same, as answer to a resynchronisation */
    bool elsewhere;
};

/* TS 29.109 6.2, TS 29.229 6.2, RFC 6733 7.1, and what HSSs use instead.  What is not listed:
 * 3xxx could be done elsewhere; the rest is a failure of the HSS. */
static const struct verdict verdicts[] = {
    {2001, GBA_OK, GBA_OK, false}, /* SUCCESS */
    {2002, GBA_OK, GBA_OK, false}, /* LIMITED_SUCCESS */
    /* UNABLE_TO_DELIVER, REALM_NOT_SERVED, TOO_BUSY, UNABLE_TO_COMPLY */
    {3002, GBA_E_ZH_UNREACHABLE, GBA_E_ZH_UNREACHABLE, true},
    {3003, GBA_E_ZH_UNREACHABLE, GBA_E_ZH_UNREACHABLE, true},
    {3004, GBA_E_ZH_FAILURE, GBA_E_ZH_FAILURE, true},
    {REDIRECT_INDICATION, GBA_E_ZH_UNREACHABLE, GBA_E_ZH_UNREACHABLE, true},
    {5012, GBA_E_ZH_FAILURE, GBA_E_ZH_FAILURE, true},
    /* IDENTITY_UNKNOWN (formerly IMPI_UNKNOWN); Cx USER_UNKNOWN */
    {5401, GBA_E_SUBSCRIBER_UNKNOWN, GBA_E_SUBSCRIBER_UNKNOWN, false},
    {5001, GBA_E_SUBSCRIBER_UNKNOWN, GBA_E_SUBSCRIBER_UNKNOWN, false},
    {5030, GBA_E_SUBSCRIBER_UNKNOWN, GBA_E_SUBSCRIBER_UNKNOWN,
     false}, /* RFC 4006 USER_UNKNOWN */
    /* AUTHENTICATION_REJECTED, S6a AUTHENTICATION_DATA_UNAVAILABLE, AUTHORIZATION_REJECTED */
    {4001, GBA_E_SUBSCRIBER_BARRED, GBA_E_AUTS, false},
    {4181, GBA_E_SUBSCRIBER_BARRED, GBA_E_AUTS, false},
    {5003, GBA_E_SUBSCRIBER_BARRED, GBA_E_AUTS, false},
    {5006, GBA_E_SUBSCRIBER_BARRED, GBA_E_SUBSCRIBER_BARRED,
     false}, /* Cx: scheme unsupported */
    {5402, GBA_E_SUBSCRIBER_BARRED, GBA_E_SUBSCRIBER_BARRED, false}, /* NOT_AUTHORIZED */
};

/* Experimental-Result has priority where an HSS sends both.  False: neither. */
static bool result_code(struct msg *msg, uint32_t *code, bool *experimental)
{
    struct avp *group = diameter_find(msg, 0, DIA_EXPERIMENTAL_RESULT);

    *experimental = diameter_get_u32(group, 0, DIA_EXPERIMENTAL_RESULT_CODE, code);
    return *experimental || diameter_get_u32(msg, 0, DIA_RESULT_CODE, code);
}

/* Redirect-Host "aaa://hss2.example:3868;transport=tcp": the identity (RFC 6733 4.3.1). */
static struct gba_text redirect_host(struct msg *msg)
{
    struct gba_text host, rest, authority;
    struct gba_bytes uri;

    if (!diameter_get_octets(msg, 0, DIA_REDIRECT_HOST, &uri))
        return (struct gba_text){NULL, 0};
    (void)gba_text_split(gba_bytes_text(uri), ';', &host, &rest);
    if (gba_text_rsplit(host, '/', &rest, &authority))
        host = authority;
    (void)gba_text_split(host, ':', &host, &rest);
    return host;
}

static enum gba_err judge(struct msg *msg, bool resync, struct zh_maa *a)
{
    bool experimental;

    if (!result_code(msg, &a->code, &experimental))
        return GBA_E_ZH_MALFORMED;
    /* 5001 is AVP_UNSUPPORTED in the base protocol; it then says which one. */
    if (a->code == 5001 && !experimental && diameter_find(msg, 0, DIA_FAILED_AVP) != NULL)
        return GBA_E_ZH_FAILURE;
    for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
        if (verdicts[i].code == a->code) {
            a->elsewhere = verdicts[i].elsewhere;
            if (a->code == REDIRECT_INDICATION)
                a->redirect = redirect_host(msg);
            return resync ? verdicts[i].resync_err : verdicts[i].err;
        }
    a->elsewhere = a->code / 1000 == 3;
    return GBA_E_ZH_FAILURE;
}

/* --- the vector and the GUSS ------------------------------------------------------------ */

static bool copy_exact(struct avp *item, uint32_t code, uint8_t *out, size_t n)
{
    struct gba_bytes v;

    if (!diameter_get_octets(item, TGPP, code, &v) || v.n != n)
        return false;
    memcpy(out, v.p, n);
    return true;
}

static enum gba_err read_vector(struct avp *item, struct gba_av *av)
{
    uint8_t rand_autn[32];
    struct gba_bytes res;
    bool good = copy_exact(item, DIA_SIP_AUTHENTICATE, rand_autn, 32) &&
                copy_exact(item, DIA_CONFIDENTIALITY_KEY, av->ck, 16) &&
                copy_exact(item, DIA_INTEGRITY_KEY, av->ik, 16) &&
                diameter_get_octets(item, TGPP, DIA_SIP_AUTHORIZATION, &res) &&
                res.n >= RES_MIN && res.n <= RES_MAX;

    if (!good)
        return GBA_E_ZH_MALFORMED;
    memcpy(av->rand, rand_autn, 16);
    memcpy(av->autn, rand_autn + 16, 16);
    memcpy(av->res, res.p, res.n);
    av->res_len = res.n;
    return GBA_OK;
}

/* An empty GBA-UserSecSettings is taken for none. */
static enum gba_err read_guss(struct msg *msg, struct gba_guss **out)
{
    struct avp *avp = diameter_find(msg, TGPP, DIA_GBA_USER_SEC_SETTINGS);
    struct gba_bytes xml;
    enum gba_err err;

    if (avp == NULL)
        return GBA_OK;
    if (!diameter_octets(avp, &xml))
        return GBA_E_ZH_MALFORMED;
    if (xml.n == 0)
        return GBA_OK;
    err = gba_guss_parse(xml, out);
    if (err == GBA_E_NOMEM)
        return GBA_E_ZH_FAILURE;
    return err == GBA_OK ? GBA_OK : GBA_E_ZH_MALFORMED;
}

enum gba_err zh_maa_read(struct msg *msg, bool resync, struct zh_maa *a)
{
    enum gba_err err;

    memset(a, 0, sizeof(*a));
    err = judge(msg, resync, a);
    if (err == GBA_OK)
        err = read_vector(diameter_find(msg, TGPP, DIA_SIP_AUTH_DATA_ITEM), &a->answer.av);
    if (err == GBA_OK)
        err = read_guss(msg, &a->answer.guss);
    if (err != GBA_OK)
        zh_maa_end(a);
    return err;
}

void zh_maa_end(struct zh_maa *a)
{
    gba_wipe(&a->answer.av, sizeof(a->answer.av));
    gba_guss_unref(a->answer.guss);
    a->answer.guss = NULL;
}

void zh_maa_wipe(struct msg *msg)
{
    static const uint32_t secret[] = {DIA_SIP_AUTHENTICATE, DIA_SIP_AUTHORIZATION,
                                      DIA_CONFIDENTIALITY_KEY, DIA_INTEGRITY_KEY};
    struct avp *item = diameter_find(msg, TGPP, DIA_SIP_AUTH_DATA_ITEM);
    struct gba_bytes v;

    for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++)
        if (diameter_get_octets(item, TGPP, secret[i], &v))
            gba_wipe((void *)(uintptr_t)v.p, v.n);
}
