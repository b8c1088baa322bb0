/*
 * Zn as a web service, the BSF's side: TS 29.109 Annex D requests in, answers and faults out.
 * The client's side is common/zn_soap_client.c.  Who may ask for what is bsf/zn.c's question.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/zn_soap_form.h"

#include <string.h>

#include "common/timestamp.h"

/* SOAP 1.1 4.2.3: a header block that must be understood, and we understand none. */
static bool must_understand(const struct gba_xml_node *header)
{
    char flag[8];

    for (const struct gba_xml_node *n = gba_xml_first(header); n != NULL; n = gba_xml_next(n))
        if (gba_xml_attr(n, "mustUnderstand", flag, sizeof(flag)) == GBA_OK &&
            strcmp(flag, "0") != 0 && strcmp(flag, "false") != 0)
            return true;
    return false;
}

enum gba_err zn_soap_payload(const struct gba_xml_node *root, bool *envelope,
                             const struct gba_xml_node **out)
{
    const struct gba_xml_node *body, *header;
    enum gba_err err;

    *envelope = gba_xml_is(root, "Envelope");
    *out = root;
    if (!*envelope)
        return GBA_OK;
    err = gba_xml_child(root, "Header", &header);
    if (err == GBA_E_REPEATED || gba_xml_child(root, "Body", &body) != GBA_OK)
        return GBA_E_SYNTAX;
    if (err == GBA_OK && must_understand(header))
        return GBA_E_SOAP_HEADER;
    *out = gba_xml_first(body);
    return *out != NULL && gba_xml_next(*out) == NULL ? GBA_OK : GBA_E_SYNTAX;
}

enum gba_err zn_soap_base64(const struct gba_xml_node *n, uint8_t *out, size_t cap, size_t *len)
{
    char text[1024], packed[1024];
    size_t used = 0;
    enum gba_err err = gba_xml_text(n, text, sizeof(text));

    *len = 0;
    /* xs:base64Binary may be broken into lines. */
    for (const char *c = text; err == GBA_OK && *c != '\0'; c++)
        if (strchr(" \t\r\n", *c) == NULL)
            packed[used++] = *c;
    if (err == GBA_OK)
        err = gba_unbase64(out, cap, (struct gba_text){packed, used}, len);
    gba_wipe(text, sizeof(text));
    gba_wipe(packed, sizeof(packed));
    return err == GBA_OK && *len != 0 ? GBA_OK : GBA_E_SYNTAX;
}

/* --- requests in ------------------------------------------------------------------------- */

static enum gba_err read_gsid(const struct gba_xml_node *n, struct gba_zn_request *out)
{
    struct gba_wbuf w;
    char text[32];
    uint64_t v;

    if (gba_xml_text(n, text, sizeof(text)) != GBA_OK ||
        gba_text_number(gba_text(text), UINT32_MAX, &v) != GBA_OK)
        return GBA_E_SYNTAX;
    if (out->n_gsids == GBA_ZN_MAX_GSIDS)
        return GBA_E_TOO_LONG;
    gba_wbuf_init(&w, out->gsid[out->n_gsids++], GBA_ZN_GSID_SIZE);
    gba_wbuf_number(&w, v);
    gba_wbuf_cstr(&w);
    return GBA_OK;
}

static enum gba_err read_gsids(const struct gba_xml_node *request, struct gba_zn_request *out)
{
    enum gba_err err = GBA_OK;

    for (const struct gba_xml_node *n = gba_xml_first(request); n != NULL && err == GBA_OK;
         n = gba_xml_next(n))
        if (gba_xml_is(n, "gsid"))
            err = read_gsid(n, out);
    return err;
}

/* Clients in the field send "True". */
static enum gba_err read_gba_u_aware(const struct gba_xml_node *request, bool *out)
{
    const struct gba_xml_node *n;
    struct gba_text t;
    char text[16];
    enum gba_err err = gba_xml_child(request, "gbaUAware", &n);

    if (err == GBA_E_MISSING)
        return GBA_OK;
    if (err != GBA_OK || gba_xml_text(n, text, sizeof(text)) != GBA_OK)
        return GBA_E_SYNTAX;
    t = gba_text(text);
    *out = gba_text_is(t, "1") || gba_text_eq_nocase(t, GBA_TEXT("true"));
    return *out || gba_text_is(t, "0") || gba_text_eq_nocase(t, GBA_TEXT("false"))
               ? GBA_OK
               : GBA_E_SYNTAX;
}

/* Text that cannot be a B-TID or NAF_Id is no reason to refuse the document: what comes of it
 * (5403, 5402) is the BSF's answer.  Elements inside are. */
static enum gba_err read_btid(const struct gba_xml_node *n, struct gba_zn_request *out)
{
    enum gba_err err = gba_xml_text(n, out->btid, sizeof(out->btid));

    if (err == GBA_E_TOO_LONG)
        out->btid[0] = '\0';
    return err == GBA_E_TOO_LONG ? GBA_OK : err;
}

static enum gba_err read_naf_id(const struct gba_xml_node *n, struct gba_zn_request *out)
{
    if (gba_xml_first(n) != NULL)
        return GBA_E_SYNTAX;
    if (zn_soap_base64(n, out->naf_id, sizeof(out->naf_id), &out->naf_id_len) != GBA_OK)
        out->naf_id_len = 0;
    return GBA_OK;
}

static enum gba_err read_request(const struct gba_xml_node *n, struct gba_zn_request *out)
{
    const struct gba_xml_node *btid, *nafid;

    if (!gba_xml_is(n, "requestBootstrappingInfoRequest") ||
        gba_text_copy(out->ns, sizeof(out->ns), gba_text(gba_xml_ns(n))) != GBA_OK ||
        gba_xml_child(n, "btid", &btid) != GBA_OK ||
        gba_xml_child(n, "nafid", &nafid) != GBA_OK || read_btid(btid, out) != GBA_OK ||
        read_naf_id(nafid, out) != GBA_OK || read_gba_u_aware(n, &out->gba_u_aware) != GBA_OK)
        return GBA_E_SYNTAX;
    return read_gsids(n, out);
}

enum gba_err gba_zn_request_parse(struct gba_bytes xml, struct gba_zn_request *out)
{
    const struct gba_xml_node *payload;
    struct gba_xml *doc;
    enum gba_err err;

    *out =
        (struct gba_zn_request){.ns = GBA_ZN_NS_DEFAULT}; /* of a fault, if it comes to none */
    err = gba_xml_parse(xml, GBA_ZN_REQUEST_MAX, &doc);
    if (err != GBA_OK)
        return err;
    err = zn_soap_payload(gba_xml_root(doc), &out->envelope, &payload);
    if (err == GBA_OK)
        err = read_request(payload, out);
    gba_xml_free(doc);
    return err;
}

/* --- answers out ------------------------------------------------------------------------- */

void zn_soap_begin(struct gba_wbuf *w, bool envelope)
{
    gba_wbuf_str(w, GBA_XML_DECLARATION);
    if (envelope)
        gba_wbuf_str(w, "<e:Envelope xmlns:e=\"" ZN_SOAP_NS "\"><e:Body>");
}

void zn_soap_end(struct gba_wbuf *w, bool envelope)
{
    if (envelope)
        gba_wbuf_str(w, "</e:Body></e:Envelope>");
}

/* An element in the given namespace; none needs no declaration, for nothing around it has a
 * default one. */
void zn_soap_open(struct gba_wbuf *w, const char *name, const char *ns)
{
    gba_xml_open(w, name, ns[0] != '\0' ? ns : NULL);
}

static void print_key(struct gba_wbuf *w, const char *name, const struct gba_key *key)
{
    gba_xml_open(w, name, NULL);
    gba_wbuf_base64(w, GBA_BYTES(key->octets));
    gba_xml_close(w, name);
}

static void print_time(struct gba_wbuf *w, const char *name, int64_t t)
{
    char text[GBA_DATETIME_SIZE];

    gba_datetime(t, text);
    gba_xml_element(w, name, gba_text(text));
}

/* The document goes in as an element; it came from a store or another node, so it is read, not
 * pasted. */
static enum gba_err print_uss_list(struct gba_wbuf *w, struct gba_bytes document)
{
    struct gba_xml *doc;
    enum gba_err err;

    if (document.n == 0)
        return GBA_OK;
    err = gba_xml_parse(document, GBA_ZN_ANSWER_MAX, &doc);
    if (err != GBA_OK)
        return err;
    if (gba_xml_is(gba_xml_root(doc), "ussList"))
        gba_xml_copy(w, gba_xml_root(doc), NULL);
    else
        err = GBA_E_SYNTAX;
    gba_xml_free(doc);
    return err;
}

enum gba_err gba_zn_answer_print(const struct gba_zn_request *rq, const struct gba_zn_answer *a,
                                 struct gba_wbuf *out)
{
    static const char name[] = "requestBootstrappingInfoResponse";
    enum gba_err err;

    zn_soap_begin(out, rq->envelope);
    zn_soap_open(out, name, rq->ns);
    if (a->impi[0] != '\0')
        gba_xml_element(out, "impi", gba_text(a->impi));
    print_key(out, "meKeyMaterial", &a->me_key);
    if (a->has_uicc_key)
        print_key(out, "uiccKeyMaterial", &a->uicc_key);
    print_time(out, "keyExpiryTime", a->expiry_s);
    if (a->created_s != 0)
        print_time(out, "bootstrappingInfoCreationTime", a->created_s);
    err = print_uss_list(out, a->uss_list);
    if (err != GBA_OK)
        return err;
    if (a->type != GBA_TYPE_3G) {
        gba_xml_open(out, "gbaType", NULL);
        gba_wbuf_number(out, (uint64_t)a->type);
        gba_xml_close(out, "gbaType");
    }
    gba_xml_close(out, name);
    zn_soap_end(out, rq->envelope);
    return gba_wbuf_ok(out) ? GBA_OK : GBA_E_TOO_LONG;
}

/* --- faults out -------------------------------------------------------------------------- */

/* SOAP 1.1 4.4.1 */
static const char *fault_code(enum gba_err err)
{
    unsigned http = gba_err_http(err);

    if (err == GBA_E_SOAP_HEADER)
        return "MustUnderstand";
    return http >= 400 && http < 500 ? "Client" : "Server";
}

static void print_detail(const struct gba_zn_request *rq, enum gba_err err,
                         struct gba_wbuf *out)
{
    static const char name[] = "requestBootstrappingInfoFault";
    unsigned code = gba_err_diameter(err);

    gba_wbuf_str(out, "<detail>");
    zn_soap_open(out, name, rq != NULL ? rq->ns : GBA_ZN_NS_DEFAULT);
    gba_xml_open(out, "code", NULL);
    gba_wbuf_number(out, code != 0 ? code : 5012); /* 5012: DIAMETER_UNABLE_TO_COMPLY */
    gba_xml_close(out, "code");
    gba_xml_element(out, "text", gba_text(gba_err_text(err)));
    gba_xml_close(out, name);
    gba_wbuf_str(out, "</detail>");
}

enum gba_err gba_zn_fault_print(const struct gba_zn_request *rq, enum gba_err err,
                                struct gba_wbuf *out)
{
    zn_soap_begin(out, true);
    gba_wbuf_str(out, "<e:Fault><faultcode>e:");
    gba_wbuf_str(out, fault_code(err));
    gba_wbuf_str(out, "</faultcode>");
    gba_xml_element(out, "faultstring", gba_text(gba_err_text(err)));
    if (err != GBA_E_SOAP_HEADER) /* SOAP 1.1 4.4: a detail speaks of the Body only */
        print_detail(rq, err, out);
    gba_wbuf_str(out, "</e:Fault>");
    zn_soap_end(out, true);
    return gba_wbuf_ok(out) ? GBA_OK : GBA_E_TOO_LONG;
}
