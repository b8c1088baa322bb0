/*
 * One primitive of Mmef or Mmaf over HTTP: see m2m_exchange.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/m2m_exchange.h"

#include <string.h>

#include "ua/ub_client.h"

static enum gba_err print_content(struct m2m_exchange *x, const struct m2m_resource *r)
{
    struct gba_wbuf w;
    enum gba_err err = GBA_OK;

    gba_wbuf_init(&w, x->content, sizeof(x->content));
    if (r != NULL) {
        err = m2m_codec_print(r, M2M_JSON, &w);
        x->primitive.ty = m2m_type_name(r->type)->ty;
    }
    x->primitive.pc = gba_wbuf_bytes(&w);
    return err;
}

static void set_request(struct m2m_exchange *x, const char *export_label)
{
    size_t n = 0;

    for (size_t i = 0; i < x->call.n_fields; i++)
        x->fields[n++] = (struct gba_ue_field){x->call.field[i].name, x->call.field[i].value};
    if (x->call.content_type[0] != '\0')
        x->fields[n++] = (struct gba_ue_field){"Content-Type", x->call.content_type};
    x->fields[n++] = (struct gba_ue_field){"Accept", x->call.accept};
    x->request = (struct gba_ue_request){.method = x->call.method,
                                         .fields = x->fields,
                                         .n_fields = n,
                                         .body = x->primitive.pc.p,
                                         .body_len = x->primitive.pc.n,
                                         .fresh = export_label != NULL,
                                         .export_label = export_label};
}

enum gba_err m2m_exchange_begin(struct m2m_exchange *x, enum m2m_op op, const char *to,
                                const char *originator, const uint8_t entropy[static 16],
                                const struct m2m_resource *content, const char *export_label)
{
    struct m2m_request *rq = &x->primitive;

    memset(rq, 0, sizeof(*rq));
    rq->op = op;
    gba_hex(rq->rqi, (struct gba_bytes){entropy, 16});
    memcpy(rq->rvi, "3", 2);
    rq->rcn = M2M_RCN_DEFAULT;
    rq->format = rq->answer_in = M2M_JSON;
    if (gba_text_copy(rq->to, sizeof(rq->to), gba_text(to)) != GBA_OK ||
        gba_text_copy(rq->fr, sizeof(rq->fr), gba_text(originator)) != GBA_OK ||
        print_content(x, content) != GBA_OK || m2m_http_request_print(rq, &x->call) != GBA_OK)
        return GBA_E_ARGUMENT;
    set_request(x, export_label);
    return GBA_OK;
}

static struct gba_text field(const struct gba_ue_reply *reply, const char *name)
{
    return gba_text(gba_ue_reply_field(reply, name, 0));
}

enum gba_err m2m_exchange_read(const struct m2m_exchange *x, bool by_certificate,
                               const struct gba_ue_reply *reply, struct m2m_response *out)
{
    const struct m2m_http_answer in = {.status = reply->status,
                                       .rsc = field(reply, M2M_H_RSC),
                                       .ri = field(reply, M2M_H_RI),
                                       .content_type = field(reply, "Content-Type"),
                                       .location = field(reply, "Content-Location"),
                                       .body = {reply->body, reply->body_len}};

    if (reply->psk == by_certificate ||
        (x->request.export_label != NULL && !reply->has_exported))
        return GBA_E_DOWNGRADE;
    return m2m_http_response_read(&in, &x->primitive, out) == GBA_OK ? GBA_OK : GBA_E_PROTOCOL;
}

enum gba_err m2m_exchange_admin(const char *admin_fqdn, const char *target,
                                char out[static GBA_UE_FQDN_SIZE])
{
    struct m2m_id id;

    if (admin_fqdn != NULL)
        return gba_fqdn_canonical(gba_text(admin_fqdn), out);
    if (target != NULL && m2m_cse_id_parse(gba_text(target), &id) == GBA_OK && id.sp.n != 0)
        return gba_fqdn_canonical(id.sp, out);
    return GBA_E_MISSING;
}
