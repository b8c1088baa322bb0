/*
 * Zn as a web service, the NAF's side: requests out, answers and faults in.  The names of the
 * answer and fault elements are not confirmed (spec status in doc/CONFORMANCE.md), so answers
 * are known by their key and faults by a result code, whatever they are called; a carrier's BSF
 * sends faults with HTTP 200.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/zn_soap_form.h"

#include <stdlib.h>
#include <string.h>

#include "common/timestamp.h"

enum gba_err gba_zn_request_print(const struct gba_zn_request *rq, struct gba_wbuf *out)
{
    static const char name[] = "requestBootstrappingInfoRequest";

    zn_soap_begin(out, rq->envelope);
    zn_soap_open(out, name, rq->ns);
    gba_xml_element(out, "btid", gba_text(rq->btid));
    gba_xml_open(out, "nafid", NULL);
    gba_wbuf_base64(out, (struct gba_bytes){rq->naf_id, rq->naf_id_len});
    gba_xml_close(out, "nafid");
    for (size_t i = 0; i < rq->n_gsids; i++)
        gba_xml_element(out, "gsid", gba_text(rq->gsid[i]));
    gba_xml_element(out, "gbaUAware", rq->gba_u_aware ? GBA_TEXT("true") : GBA_TEXT("false"));
    gba_xml_close(out, name);
    zn_soap_end(out, rq->envelope);
    return gba_wbuf_ok(out) ? GBA_OK : GBA_E_TOO_LONG;
}

/* --- faults in --------------------------------------------------------------------------- */

/* 5400-5499 standing alone among other characters. */
static unsigned result_code(const char *text)
{
    for (const char *c = strstr(text, "54"); c != NULL; c = strstr(c + 1, "54")) {
        bool digits_before = c > text && c[-1] >= '0' && c[-1] <= '9';
        size_t n = strspn(c, "0123456789");

        if (!digits_before && n == 4)
            return (unsigned)(5400 + (c[2] - '0') * 10 + (c[3] - '0'));
    }
    return 0;
}

static bool says_code(const char *name)
{
    struct gba_text t = gba_text(name);

    return t.n >= 4 &&
           gba_text_eq_nocase((struct gba_text){t.s + t.n - 4, 4}, GBA_TEXT("code"));
}

static void take_text(struct gba_text t, struct gba_zn_fault *fault)
{
    while (gba_text_copy(fault->text, sizeof(fault->text), t) == GBA_E_TOO_LONG)
        t.n = sizeof(fault->text) - 1;
}

/* Leaves of a fault, depth first (bounded by the reader's depth): a code in an element called
 * ...code wins over one within a sentence. */
static void read_fault(const struct gba_xml_node *n, unsigned *in_text,
                       struct gba_zn_fault *fault)
{
    char text[512];

    for (; n != NULL; n = gba_xml_next(n)) {
        if (gba_xml_first(n) != NULL) {
            read_fault(gba_xml_first(n), in_text, fault);
            continue;
        }
        if (gba_xml_text(n, text, sizeof(text)) != GBA_OK)
            continue;
        if (says_code(gba_xml_name(n)) && fault->code == 0)
            fault->code = result_code(text);
        else if (*in_text == 0)
            *in_text = result_code(text);
        if (gba_xml_is(n, "text") || (gba_xml_is(n, "faultstring") && fault->text[0] == '\0'))
            take_text(gba_text(text), fault);
    }
}

static bool is_fault(const struct gba_xml_node *n)
{
    return gba_text_ends(gba_text(gba_xml_name(n)), "Fault");
}

static enum gba_err fault_to_error(const struct gba_xml_node *n, struct gba_zn_fault *fault)
{
    unsigned in_text = 0;

    read_fault(gba_xml_first(n), &in_text, fault);
    if (fault->code == 0)
        fault->code = in_text;
    return fault->code == gba_err_diameter(GBA_E_NOT_AUTHORIZED) ? GBA_E_NOT_AUTHORIZED
           : fault->code == gba_err_diameter(GBA_E_BTID)         ? GBA_E_BTID
                                                                 : GBA_E_ZN_FAILURE;
}

/* --- answers in -------------------------------------------------------------------------- */

static enum gba_err read_key(const struct gba_xml_node *n, struct gba_key *key)
{
    size_t len;
    enum gba_err err = zn_soap_base64(n, key->octets, sizeof(key->octets), &len);

    return err == GBA_OK && len == sizeof(key->octets) ? GBA_OK : GBA_E_SYNTAX;
}

static enum gba_err read_keys(const struct gba_xml_node *answer, struct gba_zn_answer *out)
{
    const struct gba_xml_node *n;
    enum gba_err err;

    if (gba_xml_child(answer, "meKeyMaterial", &n) != GBA_OK ||
        read_key(n, &out->me_key) != GBA_OK)
        return GBA_E_SYNTAX;
    err = gba_xml_child(answer, "uiccKeyMaterial", &n);
    if (err == GBA_E_MISSING)
        return GBA_OK;
    if (err != GBA_OK || read_key(n, &out->uicc_key) != GBA_OK)
        return GBA_E_SYNTAX;
    out->has_uicc_key = true;
    return GBA_OK;
}

/* *out stays as it is where the element is absent and need not be there. */
static enum gba_err read_time(const struct gba_xml_node *answer, const char *name, bool needed,
                              int64_t *out)
{
    const struct gba_xml_node *n;
    char text[64];
    enum gba_err err = gba_xml_child(answer, name, &n);

    if (err == GBA_E_MISSING && !needed)
        return GBA_OK;
    if (err != GBA_OK || gba_xml_text(n, text, sizeof(text)) != GBA_OK)
        return GBA_E_SYNTAX;
    return gba_datetime_parse(gba_text(text), out);
}

static enum gba_err read_impi(const struct gba_xml_node *answer, struct gba_zn_answer *out)
{
    const struct gba_xml_node *n;
    enum gba_err err = gba_xml_child(answer, "impi", &n);

    if (err == GBA_E_MISSING)
        return GBA_OK;
    return err == GBA_OK ? gba_xml_text(n, out->impi, sizeof(out->impi)) : GBA_E_SYNTAX;
}

/* The number of GBA-Type (6.3.1.11) or the literal of the JSON copy. */
static enum gba_err read_type(const struct gba_xml_node *answer, enum gba_type *out)
{
    static const char *const names[][2] = {
        {"0", "3G_GBA"}, {"1", "2G_GBA"}, {"2", "GBA_DIGEST"}};
    const struct gba_xml_node *n;
    char text[32];
    enum gba_err err = gba_xml_child(answer, "gbaType", &n);

    *out = GBA_TYPE_3G;
    if (err == GBA_E_MISSING)
        return GBA_OK;
    if (err != GBA_OK || gba_xml_text(n, text, sizeof(text)) != GBA_OK)
        return GBA_E_SYNTAX;
    for (unsigned i = 0; i < 3; i++)
        for (unsigned k = 0; k < 2; k++)
            if (gba_text_eq_nocase(gba_text(text), gba_text(names[i][k]))) {
                *out = (enum gba_type)i;
                return GBA_OK;
            }
    return GBA_E_SYNTAX;
}

static enum gba_err read_answer(const struct gba_xml_node *answer, struct gba_zn_answer *out)
{
    const struct gba_xml_node *list;
    enum gba_err err = read_keys(answer, out);

    if (err == GBA_OK)
        err = read_impi(answer, out);
    if (err == GBA_OK)
        err = read_time(answer, "keyExpiryTime", true, &out->expiry_s);
    if (err == GBA_OK)
        err = read_time(answer, "bootstrappingInfoCreationTime", false, &out->created_s);
    if (err == GBA_OK)
        err = read_type(answer, &out->type);
    if (err != GBA_OK)
        return err;
    err = gba_xml_child(answer, "ussList", &list);
    if (err == GBA_E_MISSING)
        return GBA_OK;
    return err == GBA_OK ? gba_xml_copy_alloc(list, NULL, GBA_ZN_ANSWER_MAX, &out->uss_list)
                         : GBA_E_SYNTAX;
}

enum gba_err gba_zn_answer_parse(struct gba_bytes xml, struct gba_zn_answer *out,
                                 struct gba_zn_fault *fault)
{
    const struct gba_xml_node *payload;
    struct gba_xml *doc;
    bool envelope;
    enum gba_err err;

    *out = (struct gba_zn_answer){.expiry_s = 0};
    *fault = (struct gba_zn_fault){.code = 0};
    err = gba_xml_parse(xml, GBA_ZN_ANSWER_MAX, &doc);
    if (err != GBA_OK)
        return err;
    err = zn_soap_payload(gba_xml_root(doc), &envelope, &payload);
    if (err == GBA_E_SOAP_HEADER)
        err = GBA_E_SYNTAX; /* nobody is told */
    if (err == GBA_OK)
        err = is_fault(payload) ? fault_to_error(payload, fault) : read_answer(payload, out);
    gba_xml_free(doc);
    if (err != GBA_OK)
        gba_zn_answer_release(out);
    return err;
}

void gba_zn_answer_release(struct gba_zn_answer *a)
{
    free((void *)(uintptr_t)a->uss_list.p);
    gba_wipe(a, sizeof(*a));
}
