/*
 * common/host/coapd: DTLS sessions and their limits, CoAP's message layer and blocks, against a
 * client of GnuTLS on loopback.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/dtls.h>

#include "common/coap_block.h"
#include "common/host/coapd.h"
#include "tests/host/dtls_client.h"

#define BODY_LIMIT 5000
#define PATIENCE   5000 /* ms: far more than anything here takes */
#define MOMENT     200  /* ms: nothing is expected to come */

/* ------------------------------------------------------------ the server's owner */

static const uint8_t psk[16] = "0123456789abcde";
static gnutls_psk_server_credentials_t psk_server;
static atomic_uint started, ended, asked;
static _Atomic int refuse_up;

static int on_identity(gnutls_session_t s, const gnutls_datum_t *id, gnutls_datum_t *key)
{
    (void)s;
    if (id->size != 2 || memcmp(id->data, "me", 2) != 0)
        return 1;
    key->data = gnutls_malloc(sizeof(psk));
    memcpy(key->data, psk, sizeof(psk));
    key->size = sizeof(psk);
    return 0;
}

static enum gba_err on_start(void *ctx, gnutls_session_t s, void **owner)
{
    *owner = ctx;
    started++;
    return gnutls_priority_set_direct(s, DTLS_C0A8, NULL) == 0 &&
                   gnutls_credentials_set(s, GNUTLS_CRD_PSK, psk_server) == 0
               ? GBA_OK
               : GBA_E_CRYPTO;
}

static enum gba_err on_up(void *ctx, gnutls_session_t s, void *owner)
{
    (void)ctx;
    (void)s;
    (void)owner;
    return refuse_up ? GBA_E_FORBIDDEN : GBA_OK;
}

static void on_end(void *ctx, gnutls_session_t s, void *owner)
{
    (void)ctx;
    (void)s;
    (void)owner;
    ended++;
}

static struct gba_bytes nothing(void)
{
    return (struct gba_bytes){NULL, 0};
}

static uint8_t check(const struct coap_message *m)
{
    return coap_message_find(m, 65001) != NULL ? COAP_BAD_OPTION : 0;
}

static uint8_t large[3000];

static void on_refused(void *ctx, const struct coapd_request *r, uint8_t code)
{
    struct coap_message m;

    CU_ASSERT_PTR_EQUAL(ctx, &asked);
    coap_message_init(&m, COAP_CON, code, 0, nothing());
    m.payload = gba_text_bytes(GBA_TEXT("why it was refused, at length"));
    coapd_reply(r, &m);
}

/* By path: "echo" gives the body back, "sum" its length and the number of requests, "large" and
 * "wide" more than a message holds, "none" nothing, "last" ends the session. */
static void on_request(void *ctx, void *owner, const struct coapd_request *r)
{
    const struct coap_option *path = coap_message_find(r->message, COAP_URI_PATH);
    struct gba_text what =
        path != NULL ? gba_bytes_text(path->value) : (struct gba_text){"", 0};
    struct coap_message m;
    char text[32];

    CU_ASSERT_PTR_EQUAL(ctx, owner);
    asked++;
    coap_message_init(&m, COAP_CON, COAP_CONTENT, 0, (struct gba_bytes){NULL, 0});
    coap_message_add_number(&m, 307, 2000);
    if (gba_text_is(what, "none"))
        return;
    if (gba_text_is(what, "wide"))
        coap_message_add(&m, 335, (struct gba_bytes){large, 500});
    if (gba_text_is(what, "last"))
        coapd_close(r);
    if (gba_text_is(what, "echo")) {
        m.payload = r->message->payload;
    } else if (gba_text_is(what, "large") || gba_text_is(what, "wide")) {
        m.payload = (struct gba_bytes){large, sizeof(large)};
    } else {
        snprintf(text, sizeof(text), "%zu octets", r->message->payload.n);
        m.payload = gba_text_bytes(gba_text(text));
    }
    coapd_reply(r, &m);
    coapd_reply(r, &m); /* once is enough */
}

/* ------------------------------------------------------------ worlds */

static struct coapd *begin(const struct coapd_config *more)
{
    struct coapd_config c = *more;
    struct coapd *d;

    c.name = "test";
    c.ctx = &asked;
    c.session_start = on_start;
    c.session_up = on_up;
    c.session_end = on_end;
    c.check = check;
    c.handler = on_request;
    c.body_limit = BODY_LIMIT;
    started = ended = asked = 0;
    refuse_up = 0;
    for (size_t i = 0; i < sizeof(large); i++)
        large[i] = (uint8_t)(i * 31 >> 3);
    CU_ASSERT_EQUAL_FATAL(coapd_new(&c, &d), GBA_OK);
    CU_ASSERT_EQUAL_FATAL(coapd_listen(d, "127.0.0.1:0"), GBA_OK);
    CU_ASSERT_EQUAL_FATAL(coapd_start(d), GBA_OK);
    return d;
}

static struct coapd *begin_default(void)
{
    return begin(&(struct coapd_config){.sessions = 0});
}

static struct dtls_client_config me(void)
{
    return (struct dtls_client_config){.identity = gba_text_bytes(GBA_TEXT("me")),
                                       .key = GBA_BYTES(psk)};
}

/* ... to fail: so without much patience. */
static int open_refused(struct dtls_client *c, const struct coapd *d,
                        struct dtls_client_config conf)
{
    conf.patience_ms = 1000;
    return dtls_client_open(c, coapd_bound(d, 0), &conf);
}

static int open_client(struct dtls_client *c, const struct coapd *d)
{
    const struct dtls_client_config conf = me();

    return dtls_client_open(c, coapd_bound(d, 0), &conf);
}

/* Until it is so, or a long time has gone. */
static bool sessions_become(const struct coapd *d, size_t n)
{
    for (unsigned i = 0; i < PATIENCE / 10 && coapd_sessions(d) != n; i++)
        usleep(10000);
    return coapd_sessions(d) == n;
}

struct answer {
    uint8_t octets[2048];
    size_t n;
    struct coap_message m;
};

static bool receive(struct dtls_client *c, struct answer *a, int ms)
{
    ssize_t n = dtls_client_receive(c, a->octets, sizeof(a->octets), ms);

    a->n = n > 0 ? (size_t)n : 0;
    return n > 0 && coap_message_read((struct gba_bytes){a->octets, a->n}, &a->m) == GBA_OK;
}

static void send_message(struct dtls_client *c, const struct coap_message *m)
{
    uint8_t room[4096];
    struct gba_wbuf w;

    gba_wbuf_init(&w, room, sizeof(room));
    coap_message_print(m, &w);
    CU_ASSERT(dtls_client_send(c, gba_wbuf_bytes(&w)));
}

static void request(struct coap_message *m, enum coap_type type, uint8_t code, const char *path,
                    struct gba_bytes payload)
{
    static uint16_t id;

    coap_message_init(m, type, code, ++id, unit_hex("a1b2"));
    coap_message_add(m, COAP_URI_PATH, gba_text_bytes(gba_text(path)));
    m->payload = payload;
}

/* GET with that Block2, and an option more unless it is 0. */
static void get(struct dtls_client *c, const char *path, uint16_t more, uint32_t block2,
                struct answer *a)
{
    struct coap_message m;

    request(&m, COAP_CON, COAP_GET, path, nothing());
    if (more != 0)
        coap_message_add(&m, more, nothing());
    coap_message_add_number(&m, COAP_BLOCK2, block2);
    send_message(c, &m);
    CU_ASSERT(receive(c, a, PATIENCE));
}

/* ------------------------------------------------------------ messages */

static void test_request(void)
{
    struct coapd *d = begin_default();
    struct dtls_client c;
    struct coap_message m;
    struct answer a;

    CU_ASSERT_EQUAL(open_client(&c, d), 0);
    request(&m, COAP_CON, COAP_PUT, "echo", gba_text_bytes(GBA_TEXT("hello")));
    send_message(&c, &m);
    CU_ASSERT(receive(&c, &a, PATIENCE));
    CU_ASSERT(a.m.type == COAP_ACK && a.m.code == COAP_CONTENT && a.m.id == m.id);
    UNIT_BYTES_EQ(a.m.token, a.m.token_len, "a1b2");
    CU_ASSERT(gba_text_is(gba_bytes_text(a.m.payload), "hello"));
    CU_ASSERT_PTR_NOT_NULL(coap_message_find(&a.m, 307));
    CU_ASSERT_EQUAL(a.m.n_options, 1); /* no block where none is needed */
    request(&m, COAP_NON, COAP_PUT, "echo", gba_text_bytes(GBA_TEXT("hello")));
    send_message(&c, &m);
    CU_ASSERT(receive(&c, &a, PATIENCE));
    CU_ASSERT(a.m.type == COAP_NON && a.m.code == COAP_CONTENT);
    request(&m, COAP_CON, COAP_GET, "none", nothing());
    send_message(&c, &m);
    CU_ASSERT(receive(&c, &a, PATIENCE));
    CU_ASSERT(a.m.code == COAP_INTERNAL_ERROR);
    dtls_client_end(&c, true);
    CU_ASSERT(sessions_become(d, 0));
    dtls_client_close(&c);
    coapd_free(d);
    CU_ASSERT(started == 1 && ended == 1);
}

static void test_repeated(void)
{
    struct coapd *d = begin_default();
    struct dtls_client c;
    struct coap_message m;
    struct answer a, again;

    CU_ASSERT_EQUAL(open_client(&c, d), 0);
    request(&m, COAP_CON, COAP_PUT, "sum", gba_text_bytes(GBA_TEXT("hello")));
    send_message(&c, &m);
    CU_ASSERT(receive(&c, &a, PATIENCE));
    m.payload = gba_text_bytes(GBA_TEXT("other")); /* the id is what counts */
    send_message(&c, &m);
    CU_ASSERT(receive(&c, &again, PATIENCE));
    CU_ASSERT(a.n == again.n && memcmp(a.octets, again.octets, a.n) == 0);
    CU_ASSERT_EQUAL(asked, 1);
    request(&m, COAP_NON, COAP_PUT, "sum", nothing());
    send_message(&c, &m);
    CU_ASSERT(receive(&c, &a, PATIENCE));
    send_message(&c, &m);
    CU_ASSERT_FALSE(receive(&c, &a, MOMENT));
    CU_ASSERT_EQUAL(asked, 2);
    dtls_client_close(&c);
    coapd_free(d);
}

static void test_not_requests(void)
{
    static const struct {
        const char *hex;
        bool reset;
    } rows[] = {
        {"40001234", true},   /* a ping */
        {"4f011234", true},   /* malformed */
        {"40011234ff", true}, /* malformed */
        {"40451234", true},   /* a response nobody asked for */
        {"50001234", false},  /* the same, unconfirmable */
        {"5f011234", false},  {"50451234", false},
        {"60001234", false}, /* acknowledgement, reset */
        {"70001234", false},  {"6f011234", false},
        {"00011234", false}, /* not CoAP */
        {"4001", false},
    };
    struct coapd *d = begin_default();
    struct dtls_client c;
    struct answer a;

    CU_ASSERT_EQUAL(open_client(&c, d), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CU_ASSERT(dtls_client_send(&c, unit_hex(rows[i].hex)));
        if (rows[i].reset) {
            CU_ASSERT(receive(&c, &a, PATIENCE));
            UNIT_BYTES_EQ(a.octets, a.n, "70001234");
        } else {
            CU_ASSERT_FALSE(receive(&c, &a, MOMENT / 4));
        }
    }
    CU_ASSERT_EQUAL(asked, 0);
    dtls_client_close(&c);
    coapd_free(d);
}

static void test_bad_options(void)
{
    struct coapd *d = begin_default();
    struct dtls_client c;
    struct coap_message m;
    struct answer a;

    CU_ASSERT_EQUAL(open_client(&c, d), 0);
    get(&c, "sum", 65001, 6, &a);
    CU_ASSERT_EQUAL(a.m.code, COAP_BAD_OPTION);
    get(&c, "sum", 0, 7, &a);
    CU_ASSERT_EQUAL(a.m.code, COAP_BAD_REQUEST);
    request(&m, COAP_CON, COAP_GET, "sum", nothing());
    coap_message_add_number(&m, COAP_BLOCK1, 15);
    send_message(&c, &m);
    CU_ASSERT(receive(&c, &a, PATIENCE) && a.m.code == COAP_BAD_REQUEST);
    CU_ASSERT_EQUAL(asked, 0);
    dtls_client_close(&c);
    coapd_free(d);
}

/* ------------------------------------------------------------ blocks */

static uint8_t send_block1(struct dtls_client *c, const char *path, struct coap_block b,
                           size_t n, struct answer *a)
{
    struct coap_message m;

    request(&m, COAP_CON, COAP_PUT, path,
            (struct gba_bytes){large + b.num * COAP_BLOCK_SIZE(b.szx), n});
    coap_message_add_number(&m, COAP_BLOCK1, coap_block_number(&b));
    send_message(c, &m);
    return receive(c, a, PATIENCE) ? a->m.code : 0;
}

static uint32_t option_number(const struct coap_message *m, uint16_t number)
{
    const struct coap_option *o = coap_message_find(m, number);
    uint32_t v = 0;

    return o != NULL && coap_number_read(o->value, UINT32_MAX, &v) == GBA_OK ? v : 0xdead;
}

static void test_block1(void)
{
    struct coapd *d = begin_default();
    struct dtls_client c;
    struct answer a;

    CU_ASSERT_EQUAL(open_client(&c, d), 0);
    CU_ASSERT_EQUAL(send_block1(&c, "sum", (struct coap_block){0, true, 5}, 512, &a),
                    COAP_CONTINUE);
    CU_ASSERT_EQUAL(option_number(&a.m, COAP_BLOCK1), 0x0d);
    CU_ASSERT_EQUAL(send_block1(&c, "sum", (struct coap_block){1, true, 5}, 512, &a),
                    COAP_CONTINUE);
    CU_ASSERT_EQUAL(asked, 0);
    CU_ASSERT_EQUAL(send_block1(&c, "sum", (struct coap_block){2, false, 5}, 100, &a),
                    COAP_CONTENT);
    CU_ASSERT(gba_text_is(gba_bytes_text(a.m.payload), "1124 octets"));
    CU_ASSERT_EQUAL(option_number(&a.m, COAP_BLOCK1), 0x25);
    CU_ASSERT_EQUAL(asked, 1);
    /* the last one again, as something new: its transfer is over */
    CU_ASSERT_EQUAL(send_block1(&c, "sum", (struct coap_block){2, false, 5}, 100, &a),
                    COAP_INCOMPLETE);
    CU_ASSERT_EQUAL(send_block1(&c, "sum", (struct coap_block){0, true, 0}, 16, &a),
                    COAP_CONTINUE);
    CU_ASSERT_EQUAL(send_block1(&c, "echo", (struct coap_block){1, false, 0}, 16, &a),
                    COAP_INCOMPLETE); /* of another request */
    CU_ASSERT_EQUAL(send_block1(&c, "sum", (struct coap_block){0, true, 0}, 15, &a),
                    COAP_BAD_REQUEST);
    CU_ASSERT_EQUAL(asked, 1);
    dtls_client_close(&c);
    coapd_free(d);
}

static void test_too_large(void)
{
    struct coapd *d = begin_default();
    struct dtls_client c;
    struct coap_message m;
    struct answer a;
    struct coap_block b = {0, true, 6};

    CU_ASSERT_EQUAL(open_client(&c, d), 0);
    for (; b.num < 2; b.num++)
        CU_ASSERT_EQUAL(send_block1(&c, "sum", b, 1024, &a), COAP_CONTINUE);
    memset(large, 0, sizeof(large));
    for (; b.num < 4; b.num++) {
        request(&m, COAP_CON, COAP_PUT, "sum", (struct gba_bytes){large, 1024});
        coap_message_add_number(&m, COAP_BLOCK1, coap_block_number(&b));
        send_message(&c, &m);
        CU_ASSERT(receive(&c, &a, PATIENCE) && a.m.code == COAP_CONTINUE);
    }
    request(&m, COAP_CON, COAP_PUT, "sum", (struct gba_bytes){large, 1024});
    coap_message_add_number(&m, COAP_BLOCK1, coap_block_number(&b));
    send_message(&c, &m);
    CU_ASSERT(receive(&c, &a, PATIENCE) && a.m.code == COAP_TOO_LARGE);
    CU_ASSERT_EQUAL(option_number(&a.m, COAP_SIZE1), BODY_LIMIT);
    request(&m, COAP_CON, COAP_PUT, "sum", (struct gba_bytes){large, 16});
    coap_message_add_number(&m, COAP_BLOCK1, 8);
    coap_message_add_number(&m, COAP_SIZE1, BODY_LIMIT + 1);
    send_message(&c, &m);
    CU_ASSERT(receive(&c, &a, PATIENCE) && a.m.code == COAP_TOO_LARGE);
    CU_ASSERT_EQUAL(asked, 0);
    dtls_client_close(&c);
    coapd_free(d);
}

/* Fetches what stands behind path with blocks of at most szx; octets, or 0 with the last code.
 */
static size_t fetch(struct dtls_client *c, const char *path, unsigned szx, uint8_t *out,
                    struct answer *a)
{
    struct coap_block b = {.szx = szx, .more = true};
    size_t n = 0;

    for (b.num = 0; b.more; b.num++) {
        struct coap_message m;

        request(&m, COAP_CON, COAP_GET, path, nothing());
        b.more = false;
        if (b.num != 0 || szx != COAP_SZX_MAX) /* at first nothing said: the largest */
            coap_message_add_number(&m, COAP_BLOCK2, coap_block_number(&b));
        send_message(c, &m);
        if (!receive(c, a, PATIENCE) || COAP_CLASS(a->m.code) != 2 ||
            coap_message_find(&a->m, COAP_BLOCK2) == NULL)
            return 0;
        memcpy(out + n, a->m.payload.p, a->m.payload.n);
        n += a->m.payload.n;
        coap_block_read(coap_message_find(&a->m, COAP_BLOCK2)->value, &b);
        if (b.num == 0) {
            CU_ASSERT_EQUAL(option_number(&a->m, COAP_SIZE2), sizeof(large));
        }
    }
    return n;
}

static void test_block2(void)
{
    struct coapd *d = begin_default();
    struct dtls_client c;
    struct coap_message m;
    struct answer a;
    uint8_t out[8192];
    static const char *const paths[] = {"large", "wide"};

    CU_ASSERT_EQUAL(open_client(&c, d), 0);
    for (size_t i = 0; i < 2; i++)
        for (unsigned szx = 4; szx <= COAP_SZX_MAX; szx++) {
            asked = 0;
            CU_ASSERT_EQUAL(fetch(&c, paths[i], szx, out, &a), sizeof(large));
            CU_ASSERT(memcmp(out, large, sizeof(large)) == 0);
            CU_ASSERT_EQUAL(asked, 1); /* the later blocks are of the first answer */
            CU_ASSERT_EQUAL(option_number(&a.m, 307), 2000);
        }
    get(&c, "large", 0, 0x16, &a); /* it is gone with its last block */
    CU_ASSERT_EQUAL(a.m.code, COAP_INCOMPLETE);
    request(&m, COAP_CON, COAP_GET, "large", nothing());
    send_message(&c, &m);
    CU_ASSERT(receive(&c, &a, PATIENCE) && a.m.payload.n == 1024);
    get(&c, "wide", 0, 0x16, &a); /* of another */
    CU_ASSERT_EQUAL(a.m.code, COAP_INCOMPLETE);
    get(&c, "large", 0, 0x306, &a); /* behind the end */
    CU_ASSERT_EQUAL(a.m.code, COAP_BAD_OPTION);
    get(&c, "sum", 0, 0x02, &a); /* a small answer in the block that was asked for */
    CU_ASSERT(a.m.payload.n == 8 && option_number(&a.m, COAP_BLOCK2) == 2);
    dtls_client_close(&c);
    coapd_free(d);
}

/* A refusal in blocks is no part of the answer that was under way before it. */
static void test_refusal_in_blocks(void)
{
    struct coapd *d = begin(&(struct coapd_config){.refused = on_refused});
    struct dtls_client c;
    struct answer a;

    CU_ASSERT_EQUAL(open_client(&c, d), 0);
    get(&c, "large", 0, 0x00, &a);
    CU_ASSERT(a.m.code == COAP_CONTENT && a.m.payload.n == 16);
    get(&c, "sum", 65001, 0x00, &a);
    CU_ASSERT_EQUAL(a.m.code, COAP_BAD_OPTION);
    CU_ASSERT(gba_text_is(gba_bytes_text(a.m.payload), "why it was refus"));
    get(&c, "large", 0, 0x10, &a);
    CU_ASSERT_EQUAL(a.m.code, COAP_INCOMPLETE);
    dtls_client_close(&c);
    coapd_free(d);
}

/* ------------------------------------------------------------ sessions */

/* Nothing is kept before the cookie came back. */
static void test_cookie(void)
{
    struct coapd *d = begin_default();
    struct dtls_client_config conf = me();
    struct dtls_client c;
    struct pollfd p = {.events = POLLIN};

    conf.drop = 1; /* however early the first cookie comes, the client has not answered it */
    CU_ASSERT(dtls_client_connect(&c, coapd_bound(d, 0)));
    CU_ASSERT(dtls_client_start(&c, &conf));
    CU_ASSERT_EQUAL(dtls_client_handshake(&c, false), GNUTLS_E_AGAIN);
    p.fd = c.fd;
    CU_ASSERT(c.seen == 1 || poll(&p, 1, PATIENCE) == 1);
    CU_ASSERT_EQUAL(started, 0);
    CU_ASSERT_EQUAL(dtls_client_handshake(&c, true), 0);
    CU_ASSERT_EQUAL(started, 1);
    dtls_client_close(&c);
    coapd_free(d);
    CU_ASSERT_EQUAL(ended, 1);
}

/* The ServerHello is lost, the last flight is lost. */
static void test_loss(void)
{
    for (unsigned lost = 1; lost < 5; lost++) {
        struct coapd *d = begin_default();
        struct dtls_client_config conf = me();
        struct dtls_client c;
        struct coap_message m;
        struct answer a;

        conf.drop = 1u << lost;
        CU_ASSERT_EQUAL(dtls_client_open(&c, coapd_bound(d, 0), &conf), 0);
        request(&m, COAP_CON, COAP_GET, "sum", nothing());
        send_message(&c, &m);
        if (!receive(&c, &a, 2 * MOMENT)) {
            send_message(&c, &m); /* it was the answer that was lost */
            CU_ASSERT(receive(&c, &a, PATIENCE));
        }
        CU_ASSERT(a.m.code == COAP_CONTENT);
        CU_ASSERT(asked == 1 && started == 1);
        dtls_client_close(&c);
        coapd_free(d);
    }
}

/* A client that lost its session begins anew from the same port. */
static void test_again(void)
{
    struct coapd *d = begin_default();
    struct dtls_client_config conf = me();
    struct dtls_client c;
    struct coap_message m;
    struct answer a;

    CU_ASSERT_EQUAL(open_client(&c, d), 0);
    dtls_client_end(&c, false);
    CU_ASSERT(dtls_client_start(&c, &conf));
    CU_ASSERT_EQUAL(dtls_client_handshake(&c, true), 0);
    request(&m, COAP_CON, COAP_GET, "sum", nothing());
    send_message(&c, &m);
    CU_ASSERT(receive(&c, &a, PATIENCE) && a.m.code == COAP_CONTENT);
    CU_ASSERT(sessions_become(d, 1));
    CU_ASSERT(started == 2 && ended == 1);
    dtls_client_close(&c);
    coapd_free(d);
}

/* A hello that somebody overheard, with its cookie, ends nobody's session. */
static void test_replayed(void)
{
    struct coapd *d = begin_default();
    struct dtls_client c;
    struct coap_message m;
    struct answer a;

    CU_ASSERT_EQUAL(open_client(&c, d), 0);
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT(send(c.fd, c.hello, c.hello_len, 0) == (ssize_t)c.hello_len);
        CU_ASSERT(sessions_become(d, 2));
        request(&m, COAP_CON, COAP_GET, "sum", nothing());
        send_message(&c, &m);
        CU_ASSERT(receive(&c, &a, PATIENCE) && a.m.code == COAP_CONTENT);
        CU_ASSERT_EQUAL(ended, 0);
    }
    dtls_client_close(&c);
    coapd_free(d);
    CU_ASSERT_EQUAL(started, 2);
}

static void test_refused(void)
{
    struct coapd *d = begin(&(struct coapd_config){.handshake_s = 1});
    struct dtls_client_config conf = me();
    struct dtls_client c;
    uint8_t octets[64];

    conf.key = unit_hex("00112233");
    CU_ASSERT_NOT_EQUAL(open_refused(&c, d, conf), 0);
    dtls_client_close(&c);
    conf = me();
    conf.identity = gba_text_bytes(GBA_TEXT("me\0x")); /* no C string */
    CU_ASSERT_NOT_EQUAL(open_refused(&c, d, conf), 0);
    dtls_client_close(&c);
    CU_ASSERT(sessions_become(d, 0));
    refuse_up = 1;
    if (open_client(&c, d) == 0)
        CU_ASSERT_EQUAL(dtls_client_receive(&c, octets, sizeof(octets), PATIENCE),
                        GNUTLS_E_FATAL_ALERT_RECEIVED);
    CU_ASSERT_EQUAL(gnutls_alert_get(c.s), GNUTLS_A_ACCESS_DENIED);
    dtls_client_close(&c);
    CU_ASSERT(sessions_become(d, 0));
    CU_ASSERT_EQUAL(started, ended);
    coapd_free(d);
}

static void test_limits(void)
{
    struct coapd *d = begin(&(struct coapd_config){.per_address = 2, .sessions = 64});
    struct dtls_client c[3];

    CU_ASSERT_EQUAL(open_client(&c[0], d), 0);
    CU_ASSERT_EQUAL(open_client(&c[1], d), 0);
    CU_ASSERT_NOT_EQUAL(open_refused(&c[2], d, me()), 0);
    dtls_client_close(&c[2]);
    CU_ASSERT_EQUAL(coapd_sessions(d), 2);
    dtls_client_end(&c[0], true);
    dtls_client_close(&c[0]);
    CU_ASSERT(sessions_become(d, 1));
    CU_ASSERT_EQUAL(open_client(&c[2], d), 0);
    dtls_client_close(&c[1]);
    dtls_client_close(&c[2]);
    coapd_free(d);
    d = begin(&(struct coapd_config){.sessions = 1});
    CU_ASSERT_EQUAL(open_client(&c[0], d), 0);
    CU_ASSERT_NOT_EQUAL(open_refused(&c[1], d, me()), 0);
    dtls_client_close(&c[0]);
    dtls_client_close(&c[1]);
    coapd_free(d);
}

/* A handshake costs its address a token, whether its session stays or not. */
static void test_rate(void)
{
    struct limiter *l = limiter_new(
        &(struct limiter_config){.address = {.burst = 2, .per_minute = 1}, .buckets = 16});
    struct coapd *d = begin(&(struct coapd_config){.limiter = l});
    struct dtls_client c;

    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(open_client(&c, d), 0);
        dtls_client_end(&c, true);
        dtls_client_close(&c);
        CU_ASSERT(sessions_become(d, 0));
    }
    CU_ASSERT_NOT_EQUAL(open_refused(&c, d, me()), 0);
    dtls_client_close(&c);
    coapd_free(d);
    limiter_free(l);
}

static void test_ends(void)
{
    struct coapd *d = begin(&(struct coapd_config){.idle_s = 1});
    struct dtls_client c, other;
    struct coap_message m;
    struct answer a;
    uint8_t octets[64];

    CU_ASSERT_EQUAL(open_client(&c, d), 0); /* idle */
    CU_ASSERT_EQUAL(dtls_client_receive(&c, octets, sizeof(octets), PATIENCE), 0);
    dtls_client_close(&c);
    CU_ASSERT(sessions_become(d, 0));
    coapd_free(d);
    d = begin_default();
    CU_ASSERT_EQUAL(open_client(&c, d), 0); /* by its owner */
    CU_ASSERT_EQUAL(open_client(&other, d), 0);
    request(&m, COAP_CON, COAP_GET, "last", nothing());
    send_message(&c, &m);
    CU_ASSERT(receive(&c, &a, PATIENCE) && a.m.code == COAP_CONTENT);
    CU_ASSERT_EQUAL(dtls_client_receive(&c, octets, sizeof(octets), PATIENCE), 0);
    CU_ASSERT(sessions_become(d, 1));
    coapd_drain(d); /* all */
    CU_ASSERT_EQUAL(dtls_client_receive(&other, octets, sizeof(octets), PATIENCE), 0);
    CU_ASSERT_EQUAL(coapd_sessions(d), 0);
    coapd_drain(d);
    dtls_client_close(&c);
    dtls_client_close(&other);
    coapd_free(d);
    CU_ASSERT_EQUAL(started, ended);
}

/* What is not DTLS, or not of a session, gets no answer. */
static void test_strangers(void)
{
    static const char *const rows[] = {
        "41017d3420bb74656d7065726174757265", /* CoAP in the clear */
        "",
        "16",
        "16fefd0000000000000000000401000000",
        "17fefd00010000000000010010000000000000000000000000000000000000",
        ("16fefd000000000000000000300100002400000000000000240100000000000000000000000000000000"
         "0000000000000000000000000000000000000000000000"),
    };
    struct coapd *d = begin_default();
    struct dtls_client c;
    struct pollfd p = {.events = POLLIN};
    uint8_t octets[256];

    CU_ASSERT(dtls_client_connect(&c, coapd_bound(d, 0)));
    p.fd = c.fd;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_bytes b = unit_hex(rows[i]);

        send(c.fd, b.p, b.n, 0);
        if (poll(&p, 1, MOMENT / 4) > 0) /* at most a request for a cookie */
            CU_ASSERT(recv(c.fd, octets, sizeof(octets), 0) < 64 && octets[0] == 22);
    }
    CU_ASSERT(started == 0 && coapd_sessions(d) == 0);
    dtls_client_close(&c);
    coapd_free(d);
}

static void test_addresses(void)
{
    struct coapd_config conf = {.name = "test",
                                .ctx = &asked,
                                .session_start = on_start,
                                .session_up = on_up,
                                .session_end = on_end,
                                .check = check,
                                .handler = on_request};
    struct dtls_client_config who = me();
    struct dtls_client c;
    struct coapd *d;

    CU_ASSERT_EQUAL_FATAL(coapd_new(&conf, &d), GBA_OK);
    CU_ASSERT_EQUAL(coapd_listen(d, "127.0.0.1"), GBA_E_ARGUMENT);
    CU_ASSERT_EQUAL(coapd_listen(d, "192.0.2.1:0"), GBA_E_IO);
    CU_ASSERT_EQUAL(coapd_listen(d, "[::1]:0"), GBA_OK);
    CU_ASSERT_EQUAL(coapd_listen(d, "0.0.0.0:0"), GBA_OK);
    CU_ASSERT_EQUAL(coapd_listen(d, coapd_bound(d, 1)), GBA_E_IO); /* taken */
    CU_ASSERT_PTR_NULL(coapd_bound(d, 2));
    CU_ASSERT_EQUAL(coapd_start(d), GBA_OK);
    CU_ASSERT_EQUAL(dtls_client_open(&c, coapd_bound(d, 0), &who), 0);
    dtls_client_close(&c);
    CU_ASSERT_EQUAL(dtls_client_open(&c, coapd_bound(d, 1), &who), 0);
    dtls_client_close(&c);
    coapd_free(d);
}

static const struct unit_test tests[] = {
    {"a request and its answer", test_request},
    {"repeated messages", test_repeated},
    {"what is no request", test_not_requests},
    {"bad options", test_bad_options},
    {"a body in blocks", test_block1},
    {"a body too large", test_too_large},
    {"an answer in blocks", test_block2},
    {"a refusal in blocks", test_refusal_in_blocks},
    {"cookies", test_cookie},
    {"lost datagrams", test_loss},
    {"a client that begins again", test_again},
    {"a replayed hello", test_replayed},
    {"refused", test_refused},
    {"limits", test_limits},
    {"a rate for each address", test_rate},
    {"ends", test_ends},
    {"strangers", test_strangers},
    {"addresses", test_addresses},
};

int main(void)
{
    int rc;

    gnutls_psk_allocate_server_credentials(&psk_server);
    gnutls_psk_set_server_credentials_function2(psk_server, on_identity);
    rc = unit_main("coapd", tests, sizeof(tests) / sizeof(tests[0]));
    gnutls_psk_free_server_credentials(psk_server);
    return rc;
}
