/*
 * CoAP of coapd within one DTLS session: repetitions, resets, blocks, one request at a time
 * (RFC 7252 4, RFC 7959).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/coapd_internal.h"

#include <stdlib.h>
#include <string.h>

#include "common/secret.h"

/* RFC 7252 4.8.2: how long a message id may come again. */
#define EXCHANGE_LIFETIME_MS 247000

/* ------------------------------------------------------------ what is kept */

static void wipe(uint8_t **p, size_t *n)
{
    if (*p != NULL)
        gba_wipe(*p, *n);
    free(*p);
    *p = NULL;
    *n = 0;
}

void coapd_exchanges_wipe(struct coapd_session *s)
{
    size_t cap = s->body_in.cap;

    for (size_t i = 0; i < COAPD_EXCHANGES; i++)
        wipe(&s->exchange[i].reply, &s->exchange[i].n);
    wipe(&s->body_in.p, &cap);
    wipe(&s->out, &s->out_len);
}

static const struct coapd_exchange *find_exchange(const struct coapd_session *s, uint16_t id,
                                                  int64_t now_ms)
{
    for (size_t i = 0; i < COAPD_EXCHANGES; i++) {
        const struct coapd_exchange *e = &s->exchange[i];

        if (e->reply != NULL && e->id == id && now_ms - e->at_ms < EXCHANGE_LIFETIME_MS)
            return e;
    }
    return NULL;
}

/* Without memory a repetition is done anew: what is created twice is refused by its owner. */
static void keep_exchange(struct coapd_session *s, struct gba_bytes reply)
{
    struct coapd_exchange *e = &s->exchange[s->next_exchange];
    uint8_t *copy = malloc(reply.n);

    if (copy == NULL)
        return;
    wipe(&e->reply, &e->n);
    memcpy(copy, reply.p, reply.n);
    *e = (struct coapd_exchange){s->rq->id, s->seen_ms, copy, reply.n};
    s->next_exchange = (s->next_exchange + 1) % COAPD_EXCHANGES;
}

/* ------------------------------------------------------------ sending */

static void send_reset(struct coapd_session *s, uint16_t id)
{
    uint8_t room[8];
    struct coap_message m;
    struct gba_wbuf w;

    coap_message_init(&m, COAP_RST, COAP_EMPTY, id, (struct gba_bytes){NULL, 0});
    gba_wbuf_init(&w, room, sizeof(room));
    coap_message_print(&m, &w);
    coapd_session_send(s, gba_wbuf_bytes(&w));
}

/* Piggybacked on the acknowledgement, or as unconfirmable as the request was (5.2). */
static void init_reply(const struct coapd_session *s, uint8_t code, struct coap_message *m)
{
    const struct coap_message *rq = s->rq;

    coap_message_init(m, rq->type == COAP_CON ? COAP_ACK : COAP_NON, code, rq->id,
                      (struct gba_bytes){rq->token, rq->token_len});
}

static bool send_message(struct coapd_session *s, const struct coap_message *m)
{
    uint8_t room[COAPD_MTU];
    struct gba_wbuf w;
    bool sent;

    gba_wbuf_init(&w, room, sizeof(room));
    coap_message_print(m, &w);
    sent = gba_wbuf_ok(&w) && coapd_session_send(s, gba_wbuf_bytes(&w)) != GBA_E_TOO_LONG;
    if (sent)
        keep_exchange(s, gba_wbuf_bytes(&w));
    gba_wipe(room, sizeof(room));
    s->replied = s->replied || sent;
    return sent;
}

/* The block of the request that was answered, on every answer to it (RFC 7959 2.3). */
static void add_block1(const struct coapd_session *s, bool more, struct coap_message *m)
{
    const struct coap_option *o = coap_message_find(s->rq, COAP_BLOCK1);
    struct coap_block b;

    if (o == NULL || coap_block_read(o->value, &b) != GBA_OK)
        return;
    b.more = more;
    coap_message_add_number(m, COAP_BLOCK1, coap_block_number(&b));
}

static enum gba_err copy_options(const struct coap_message *from, struct coap_message *to)
{
    enum gba_err err = GBA_OK;

    for (size_t i = 0; err == GBA_OK && i < from->n_options; i++)
        err = coap_message_add(to, from->option[i].number, from->option[i].value);
    return err;
}

/* One block of a whole answer; in smaller ones if its options leave no room for it. */
static bool send_block(struct coapd_session *s, const struct coap_message *whole,
                       struct coap_block b)
{
    struct coap_message m;

    init_reply(s, whole->code, &m);
    if (copy_options(whole, &m) != GBA_OK ||
        coap_body_slice(whole->payload, &b, &m.payload) != GBA_OK)
        return false;
    coap_message_add_number(&m, COAP_BLOCK2, coap_block_number(&b));
    if (b.num == 0)
        coap_message_add_number(&m, COAP_SIZE2, (uint32_t)whole->payload.n);
    add_block1(s, false, &m);
    return send_message(s, &m);
}

static bool send_whole(struct coapd_session *s, const struct coap_message *whole)
{
    struct coap_message m;

    init_reply(s, whole->code, &m);
    if (copy_options(whole, &m) != GBA_OK)
        return false;
    m.payload = whole->payload;
    add_block1(s, false, &m);
    if (whole->code == COAP_TOO_LARGE) /* RFC 7959 2.9.3: how much would do */
        coap_message_add_number(&m, COAP_SIZE1, (uint32_t)s->d->conf.body_limit);
    return send_message(s, &m);
}

/* What does not fit into one message stays until its last block is fetched, or another request
 * comes. */
static bool keep_out(struct coapd_session *s, const struct coap_message *whole)
{
    size_t cap = whole->payload.n + 4096;
    uint8_t *p = malloc(cap);
    struct gba_wbuf w;

    if (p == NULL)
        return false;
    gba_wbuf_init(&w, p, cap);
    coap_message_print(whole, &w);
    if (!gba_wbuf_ok(&w)) {
        free(p);
        return false;
    }
    wipe(&s->out, &s->out_len);
    s->out = p;
    s->out_len = w.n;
    memcpy(s->out_operation, s->operation, sizeof(s->operation));
    return true;
}

/* What the client wants of Block2; else the largest. */
static struct coap_block wanted_block(const struct coap_message *rq, bool *said)
{
    const struct coap_option *o = coap_message_find(rq, COAP_BLOCK2);
    struct coap_block b = {.szx = COAP_SZX_MAX};

    *said = o != NULL && coap_block_read(o->value, &b) == GBA_OK;
    return b;
}

void coapd_reply(const struct coapd_request *r, const struct coap_message *m)
{
    struct coapd_session *s = r->session;
    bool said;
    struct coap_block b = wanted_block(s->rq, &said);

    if (s->replied)
        return;
    if ((!said || m->payload.n == 0) && m->payload.n <= COAP_BLOCK_SIZE(b.szx) &&
        send_whole(s, m))
        return;
    if (!keep_out(s, m))
        return;
    b.num = 0;
    while (!send_block(s, m, b) && b.szx > 0)
        b.szx--;
    if (m->payload.n <= COAP_BLOCK_SIZE(b.szx))
        wipe(&s->out, &s->out_len);
}

void coapd_close(const struct coapd_request *r)
{
    r->session->closing = true;
}

/* ------------------------------------------------------------ requests */

/* Our own word on a message, without the owner's. */
static void send_code(struct coapd_session *s, uint8_t code)
{
    struct coap_message m;

    coap_message_init(&m, COAP_ACK, code, 0, (struct gba_bytes){NULL, 0});
    send_whole(s, &m);
}

static void refuse(struct coapd_session *s, uint8_t code)
{
    struct coapd *d = s->d;
    struct coapd_request r = {
        .message = s->rq, .number = ++d->requests, .peer = s->peer, .session = s};

    if (d->conf.refused != NULL)
        d->conf.refused(d->conf.ctx, &r, code);
    if (!s->replied)
        send_code(s, code);
}

static void ask_owner(struct coapd_session *s, struct gba_bytes body)
{
    struct coapd *d = s->d;
    struct coapd_request r = {
        .message = s->rq, .number = ++d->requests, .peer = s->peer, .session = s};

    wipe(&s->out, &s->out_len);
    s->rq->payload = body;
    d->conf.handler(d->conf.ctx, s->owner, &r);
    if (!s->replied)
        send_code(s, COAP_INTERNAL_ERROR);
}

/* A later block of the answer under way (RFC 7959 2.4). */
static void more_of_answer(struct coapd_session *s, struct coap_block b)
{
    struct coap_message whole;
    struct gba_bytes last;

    if (s->out == NULL || memcmp(s->out_operation, s->operation, sizeof(s->operation)) != 0 ||
        coap_message_read((struct gba_bytes){s->out, s->out_len}, &whole) != GBA_OK) {
        refuse(s, COAP_INCOMPLETE);
        return;
    }
    if (coap_body_slice(whole.payload, &b, &last) != GBA_OK) {
        refuse(s, COAP_BAD_OPTION);
        return;
    }
    if (send_block(s, &whole, b) && !b.more)
        wipe(&s->out, &s->out_len);
    else if (!s->replied)
        send_code(s, COAP_INTERNAL_ERROR);
}

static uint8_t code_of(enum gba_err err)
{
    switch (err) {
    case GBA_E_UNEXPECTED:
        return COAP_INCOMPLETE;
    case GBA_E_TOO_LONG:
        return COAP_TOO_LARGE;
    case GBA_E_NOMEM:
        return COAP_UNAVAILABLE;
    default:
        return COAP_BAD_REQUEST;
    }
}

static enum gba_err take_block(struct coapd_session *s, const struct coap_block *b)
{
    const struct coap_option *size1 = coap_message_find(s->rq, COAP_SIZE1);
    uint32_t size = 0;

    if (size1 != NULL && coap_number_read(size1->value, UINT32_MAX, &size) == GBA_OK &&
        size > s->d->conf.body_limit)
        return GBA_E_TOO_LONG;
    if (s->body_in.p == NULL) {
        s->body_in.cap = s->d->conf.body_limit;
        s->body_in.p = malloc(s->body_in.cap);
        if (s->body_in.p == NULL)
            return GBA_E_NOMEM;
    }
    return coap_body_take(&s->body_in, b, s->operation, s->rq->payload);
}

static void more_of_request(struct coapd_session *s, const struct coap_block *b)
{
    struct coap_message m;
    enum gba_err err = take_block(s, b);

    if (err != GBA_OK) {
        refuse(s, code_of(err));
    } else if (!b->more) {
        ask_owner(s, (struct gba_bytes){s->body_in.p, s->body_in.n});
    } else {
        init_reply(s, COAP_CONTINUE, &m);
        add_block1(s, true, &m);
        send_message(s, &m);
    }
    if (!s->body_in.active) {
        size_t cap = s->body_in.cap;

        wipe(&s->body_in.p, &cap);
    }
}

static void on_request(struct coapd_session *s)
{
    const struct coap_option *o1 = coap_message_find(s->rq, COAP_BLOCK1);
    const struct coap_option *o2 = coap_message_find(s->rq, COAP_BLOCK2);
    struct coap_block b1 = {.num = 0}, b2 = {.num = 0};
    uint8_t code = s->d->conf.check(s->rq);

    coap_message_operation(s->rq, s->operation);
    if (code == 0 && ((o1 != NULL && coap_block_read(o1->value, &b1) != GBA_OK) ||
                      (o2 != NULL && coap_block_read(o2->value, &b2) != GBA_OK)))
        code = COAP_BAD_REQUEST;
    if (code == 0 && s->rq->payload.n > s->d->conf.body_limit)
        code = COAP_TOO_LARGE;
    if (code != 0) {
        refuse(s, code);
        return;
    }
    if (b2.num != 0)
        more_of_answer(s, b2);
    else if (o1 != NULL)
        more_of_request(s, &b1);
    else
        ask_owner(s, s->rq->payload);
}

static bool is_request(const struct coap_message *m)
{
    return (m->type == COAP_CON || m->type == COAP_NON) && COAP_CLASS(m->code) == 0 &&
           m->code != COAP_EMPTY;
}

void coapd_message(struct coapd_session *s, struct gba_bytes octets, int64_t now_ms)
{
    struct coap_message rq;
    enum gba_err err = coap_message_read(octets, &rq);
    const struct coapd_exchange *before;

    if (err == GBA_E_MISSING)
        return;
    if (err == GBA_E_SYNTAX ||
        !is_request(&rq)) { /* a ping (4.3), or what we did not ask for */
        if (rq.type == COAP_CON)
            send_reset(s, rq.id);
        return;
    }
    before = find_exchange(s, rq.id, now_ms);
    if (before != NULL) {
        if (rq.type == COAP_CON) /* 4.5 */
            coapd_session_send(s, (struct gba_bytes){before->reply, before->n});
        return;
    }
    s->rq = &rq;
    s->replied = false;
    if (err == GBA_OK)
        on_request(s);
    else
        send_code(s, COAP_BAD_REQUEST);
    s->rq = NULL;
}
