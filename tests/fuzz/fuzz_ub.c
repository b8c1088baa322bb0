/*
 * Fuzz target: what a UE, or anybody, may send to a BSF on Ub, while store and Zh answer what
 * they like (bsf/ub.c, bsf/ub_request.c).  The input: four octets for the ports' answers, then
 * Host, request-target, Authorization and User-Agent parted by NUL.  Besides not failing: a run
 * ends with a whole answer, and only the right response to the live challenge bootstraps.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "bsf/ub.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define IMPI  "001010123456789@ims.mnc001.mcc001.3gppnetwork.org"
#define NONCE "I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7M="
#define PORTS 4 /* octets */

static const char *const names[] = {"bsf.mnc001.mcc001.pub.3gppnetwork.org",
                                    "bsf.ims.mnc001.mcc001.pub.3gppnetwork.org"};
static const struct ub_policy policy = {
    .names = names,
    .n_names = 2,
    .lifetimes = {.deflt_s = 3600, .min_s = 60, .max_s = 86400},
    .challenge_ttl_ms = 30000,
    .repeat_window_ms = 5000,
    .max_failures = 3,
    .retry_after_s = 1,
};

static void need(bool condition)
{
    if (!condition)
        abort();
}

/* The live challenge: TS 35.208 test set 1. */
static void make_challenge(struct bsf_challenge *c, struct gba_av *av)
{
    memset(c, 0, sizeof(*c));
    memset(av, 0, sizeof(*av));
    av->res_len = 8;
    gba_unhex_exact(av->rand, 16, GBA_TEXT("23553cbe9637a89d218ae64dae47bf35"));
    gba_unhex_exact(av->autn, 16, GBA_TEXT("55f328b43577b9b94a9ffac354dfafb3"));
    gba_unhex_exact(av->res, 8, GBA_TEXT("a54211d5e3ba50bf"));
    need(bsf_challenge_set_vector(c, av, false) == GBA_OK);
    strcpy(c->username, IMPI);
    strcpy(c->impi, IMPI);
    strcpy(c->realm, names[0]);
    strcpy(c->opaque, "5ccc069c403ebaf9f0171e9517f40e41");
    c->created_ms = 1000;
    c->expires_ms = 31000;
}

/* What the k-th port that is asked says: half an octet of the input. */
static enum gba_err port_says(const uint8_t ports[static PORTS], unsigned k)
{
    static const enum gba_err says[] = {
        GBA_OK,
        GBA_E_NOT_FOUND,
        GBA_E_NONCE,
        GBA_E_NONCE_EXPIRED,
        GBA_E_RATE_LIMITED,
        GBA_E_SECOND_AUTS,
        GBA_E_AUTS,
        GBA_E_RAND_REUSED,
        GBA_E_IO,
        GBA_E_SUBSCRIBER_UNKNOWN,
        GBA_E_SUBSCRIBER_BARRED,
        GBA_E_ZH_TIMEOUT,
        GBA_E_OVERLOAD,
        GBA_E_NOMEM,
        GBA_E_ZH_MALFORMED,
        GBA_E_CANCELLED,
    };

    return says[(ports[k / 2 % PORTS] >> (k % 2 * 4)) & 15];
}

static void check_bootstrapped(const struct ub_request *rq)
{
    static struct gba_digest d;
    struct bsf_challenge c;
    struct gba_av av;

    make_challenge(&c, &av);
    need(gba_digest_parse(rq->authorization, &d) == GBA_OK);

    const struct gba_digest_input in = {
        .algorithm = GBA_DIGEST_AKAV1_MD5,
        .qop = GBA_QOP_AUTH_INT,
        .username = GBA_TEXT(IMPI),
        .realm = gba_text(names[0]),
        .method = rq->method,
        .uri = d.p[GBA_DIGEST_URI].value,
        .nonce = GBA_TEXT(NONCE),
        .nc = GBA_TEXT("00000001"),
        .cnonce = d.p[GBA_DIGEST_CNONCE].value,
        .password = {c.xres, c.xres_len},
    };
    need(gba_digest_verify(&in, d.p[GBA_DIGEST_RESPONSE].value));
}

static void check_answer(const struct ub_run *run, const struct ub_request *rq)
{
    const struct ub_answer *a = &run->answer;

    need(strpbrk(a->field, "\r\n") == NULL);
    need(a->verdict != UB_REFUSED || (a->reason != GBA_OK && a->body_len == 0));
    need(a->verdict != UB_CHALLENGED || strncmp(a->field, "Digest realm=", 13) == 0);
    if (a->verdict == UB_BOOTSTRAPPED) {
        need(a->body_len != 0 && strstr(a->field, "rspauth=") != NULL);
        check_bootstrapped(rq);
    }
}

static void serve(const uint8_t ports[static PORTS], const struct ub_request *rq)
{
    static struct ub_run run;
    struct ub_event ev = {.kind = UB_EV_REQUEST, .request = rq, .now_ms = 2000};
    struct bsf_challenge challenge;
    struct gba_av av;
    unsigned asked = 0;

    make_challenge(&challenge, &av);
    ub_run_init(&run, &policy);
    while (ub_step(&run, &ev) != UB_DO_ANSWER) {
        enum gba_err err = port_says(ports, asked);

        need(++asked < 16);
        ev = (struct ub_event){
            .kind = ub_event_of(err), .err = err, .now_ms = 2000 + asked, .failures = asked};
        memset(ev.random, 0x5a, sizeof(ev.random));
        if (err == GBA_OK) {
            ev.challenge = &challenge;
            ev.impi = IMPI;
            ev.av = &av;
        }
    }
    check_answer(&run, rq);
    ub_run_release(&run);
}

/* The next string of the input; empty when there is none. */
static struct gba_text next(struct gba_text *rest)
{
    struct gba_text head;

    gba_text_split(*rest, '\0', &head, rest);
    return head;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ub_request rq = {.method = GBA_TEXT("GET")};
    struct gba_text rest;

    if (size < PORTS)
        return 0;
    rest = (struct gba_text){(const char *)data + PORTS, size - PORTS};
    rq.host = next(&rest);
    rq.target = next(&rest);
    rq.authorization = next(&rest);
    rq.user_agent = next(&rest);
    rq.n_authorization = rq.authorization.n != 0;
    serve(data, &rq);
    return 0;
}
