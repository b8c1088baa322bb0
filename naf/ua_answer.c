/*
 * What a UE is told: challenges and refusals with their header fields; see ua_answer.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/ua_answer.h"

#include <string.h>

/* ------------------------------------------------------------ header fields */

static void offered_realm(const struct ua_rules *r, const char *fqdn, struct gba_wbuf *w)
{
    if ((r->keys & GBA_NAF_KEY_UICC) != 0) {
        gba_wbuf_str(w, UA_REALM_UICC);
        gba_wbuf_str(w, fqdn);
    }
    if (r->keys == (GBA_NAF_KEY_ME | GBA_NAF_KEY_UICC))
        gba_wbuf_str(w, ";");
    if ((r->keys & GBA_NAF_KEY_ME) != 0) {
        gba_wbuf_str(w, UA_REALM_ME);
        gba_wbuf_str(w, fqdn);
    }
}

static const char *offered_qops(const struct ua_rules *r)
{
    static const char *const lists[] = {"", "auth", "auth-int", "auth,auth-int"};

    return lists[r->qops];
}

static void add_challenge(const struct ua_server *s, struct ua_exchange *x,
                          enum gba_digest_algorithm algorithm, const char *nonce, bool stale)
{
    struct ua_header *h = &x->headers[x->n_headers++];
    char realm[2 * (sizeof(UA_REALM_UICC) + GBA_FQDN_SIZE)];
    struct gba_wbuf w;

    gba_wbuf_init(&w, realm, sizeof(realm));
    offered_realm(&s->rules, x->fqdn, &w);
    gba_wbuf_cstr(&w);
    h->name = "WWW-Authenticate";
    gba_wbuf_init(&w, h->value, sizeof(h->value));
    gba_wbuf_str(&w, "Digest ");
    gba_digest_print(&w, GBA_DIGEST_REALM, gba_text(realm));
    gba_digest_print(&w, GBA_DIGEST_NONCE, gba_text(nonce));
    gba_digest_print(&w, GBA_DIGEST_ALGORITHM, gba_text(gba_digest_algorithm_name(algorithm)));
    gba_digest_print_offer(&w, gba_text(offered_qops(&s->rules)));
    gba_digest_print(&w, GBA_DIGEST_OPAQUE, gba_text(s->rules.opaque));
    if (stale)
        gba_digest_print(&w, GBA_DIGEST_STALE, GBA_TEXT("true"));
    gba_wbuf_cstr(&w);
}

/* ------------------------------------------------------------ verdicts */

void ua_decide(struct ua_exchange *x, enum gba_naf_verdict verdict, unsigned status,
               enum gba_err reason)
{
    x->state = UA_DECIDED;
    x->verdict = verdict;
    x->status = status;
    x->reason = reason;
}

void ua_challenge(const struct ua_server *s, struct ua_exchange *x, enum gba_err reason,
                  bool stale)
{
    char nonce[NONCE_SIZE];

    ua_decide(x, GBA_NAF_CHALLENGE, 401, reason);
    nonce_make(s->nonces, gba_text(x->fqdn), x->rq.now_s, x->rq.entropy, nonce);
    if ((s->rules.algorithms & GBA_NAF_SHA256) != 0) /* RFC 7616 3.7: strongest first */
        add_challenge(s, x, GBA_DIGEST_SHA256, nonce, stale);
    if ((s->rules.algorithms & GBA_NAF_MD5) != 0)
        add_challenge(s, x, GBA_DIGEST_MD5, nonce, stale);
}

void ua_refuse(struct ua_exchange *x, enum gba_err reason)
{
    unsigned status = gba_err_http(reason);

    if (status == 502 || status == 504) /* the BSF's fault, not a gateway's */
        status = 503;
    ua_decide(x, GBA_NAF_REFUSE, status, reason);
    if (status == 503) {
        x->headers[0].name = "Retry-After";
        memcpy(x->headers[0].value, "5", sizeof("5"));
        x->n_headers = 1;
    }
}
