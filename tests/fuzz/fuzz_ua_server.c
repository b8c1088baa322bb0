/*
 * Fuzz target: what a UE, or anybody, may send to a NAF on Ua with HTTP Digest
 * (naf/ua_request.c, naf/ua_server.c).  The input is a control octet, then Host,
 * request-target, Authorization and User-Agent parted by NUL.  Besides not failing: nothing is
 * accepted without a key, a question to the BSF names a well-formed B-TID and one of our names,
 * and every answer has a status.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "naf/ua_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bits of the control octet. */
enum { TLS = 1, SNI = 2, ONLY_ME = 4, EXACT_URI = 8, PRODUCT = 16, TWO_FIELDS = 32 };

static void need(bool condition)
{
    if (!condition)
        abort();
}

/* The next string of the input; NULL when there is none. */
static const char *next(char **at, char *end)
{
    char *from = *at;

    if (from >= end)
        return NULL;
    *at = from + strlen(from) + 1;
    return from;
}

static void check_question(const struct ua_exchange *x)
{
    struct gba_text domain, fqdn;
    const uint8_t *ua_id;
    uint8_t rand[16];

    need(gba_btid_parse(gba_text(x->query.btid), rand, &domain) == GBA_OK);
    need(gba_naf_id_parse((struct gba_bytes){x->query.naf_id.octets, x->query.naf_id.n}, &fqdn,
                          &ua_id) == GBA_OK);
    need(gba_text_is(fqdn, "naf.example") || gba_text_is(fqdn, "xn--bcher-kva.example"));
}

static void serve(struct ua_server *server, const struct gba_naf_request *rq)
{
    struct ua_exchange x;

    memset(&x, 0, sizeof(x));
    x.rq = *rq;
    need(ua_step(server, &x, UA_EV_REQUEST) == GBA_OK);
    if (x.state == UA_WAIT_KEY) {
        check_question(&x);
        x.key_err = GBA_E_BTID;
        need(ua_step(server, &x, UA_EV_KEY) == GBA_OK);
    }
    need(x.state == UA_DECIDED && x.verdict != GBA_NAF_ACCEPT);
    need(x.status >= 400 && x.status <= 599);
    for (size_t i = 0; i < x.n_headers; i++)
        need(strpbrk(x.headers[i].value, "\r\n") == NULL);
    ua_exchange_end(&x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"naf.example", "b\xc3\xbc"
                                                       "cher.example"};
    static const uint8_t secret[32] = {1}, entropy[16] = {2};
    uint8_t control = size != 0 ? data[0] : 0;
    const struct gba_naf_config config = {
        .fqdns = names,
        .n_fqdns = 2,
        .keys = (control & ONLY_ME) != 0 ? GBA_NAF_KEY_ME : GBA_NAF_KEY_ME | GBA_NAF_KEY_UICC,
        .exact_uri = (control & EXACT_URI) != 0,
        .require_product_token = (control & PRODUCT) != 0,
        .nonces_max = 16,
    };
    struct gba_naf_request rq = {
        .method = "GET", .now_s = 1767312000, .entropy = entropy, .n_authorization = 1};
    struct ua_server *server = NULL;
    char *text = malloc(size + 1), *at = text;

    need(text != NULL && ua_server_new(&config, secret, &server) == GBA_OK);
    if (size != 0)
        memcpy(text, data + 1, size - 1);
    text[size != 0 ? size - 1 : 0] = '\0';
    rq.host = next(&at, text + size);
    rq.target = next(&at, text + size);
    rq.authorization = next(&at, text + size);
    rq.user_agent = next(&at, text + size);
    if (rq.target == NULL)
        rq.target = "/";
    rq.n_authorization = rq.authorization == NULL ? 0 : (control & TWO_FIELDS) != 0 ? 2 : 1;
    if ((control & TLS) != 0) {
        rq.tls = true;
        rq.tls_suite = 0xc02f;
        rq.tls_sni = (control & SNI) != 0 ? rq.host : NULL;
    }
    serve(server, &rq);
    ua_server_free(server);
    free(text);
    return 0;
}
