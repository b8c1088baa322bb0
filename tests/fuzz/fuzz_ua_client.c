/*
 * Fuzz target: what a NAF, or who passes for one, may send to a UE on Ua with HTTP Digest
 * (ua/ua_client.c, ua/ua_messages.c).  The input is a control octet and HTTP replies parted by
 * NUL.  Besides not failing: a request ends, however many challenges come, and asks for at
 * most one renewal.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/replies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bits of the control octet. */
enum { HTTPS = 1, ALLOW_HTTP = 2, GBA_U = 4, NO_KEY = 8, CERTIFIED_TLS13 = 16 };

static void need(bool condition)
{
    if (!condition)
        abort();
}

static void give_key(struct gba_ue_ua *ua, uint8_t control, unsigned renewals,
                     struct gba_ue_ua_event *ev, struct gba_ue_naf_key *key)
{
    *key = (struct gba_ue_naf_key){.fqdn = "naf1.home1.net", .expires_s = INT64_MAX};
    gba_ue_ua_wanted(ua, key->ua_id, &key->internal);
    strcpy(key->btid, renewals == 0 ? "I1U8vpY3qJ0hiuZNrke/NQ==@bsf.example"
                                    : "n3yNAhrM9NshPM/wx/caag==@bsf.example");
    *ev = (struct gba_ue_ua_event){.happened = GBA_UE_UA_EV_KEY, .key = key};
    if ((control & NO_KEY) != 0)
        *ev = (struct gba_ue_ua_event){.happened = GBA_UE_UA_EV_NO_KEY, .err = GBA_E_REFUSED};
}

static void take_reply(struct replies *replies, uint8_t control, struct gba_ue_ua_event *ev,
                       struct gba_ue_reply *reply)
{
    *ev = (struct gba_ue_ua_event){.reply = reply, .err = GBA_E_UNREACHABLE};
    ev->happened = replies_next(replies, reply) ? GBA_UE_UA_EV_REPLY : GBA_UE_UA_EV_NO_REPLY;
    if ((control & HTTPS) != 0) {
        reply->suite = (control & CERTIFIED_TLS13) != 0 ? 0x1301 : 0xc02f;
        reply->tls13 = (control & CERTIFIED_TLS13) != 0;
    }
}

static void run(struct gba_ue_ua *ua, uint8_t control, const uint8_t *at, size_t left)
{
    static struct replies replies;
    struct gba_ue_ua_event ev = {
        .happened = GBA_UE_UA_EV_START, .method = "GET", .uri = "/simservs?a=\"b\""};
    enum gba_ue_ua_todo todo = GBA_UE_UA_FAILED;
    struct gba_ue_reply reply;
    struct gba_ue_naf_key key;
    unsigned steps = 0, renewals = 0;

    replies_begin(&replies, at, left);
    for (;;) {
        memset(ev.entropy, 0x5a, sizeof(ev.entropy));
        need(gba_ue_ua_step(ua, &ev, &todo) == GBA_OK && ++steps < 64);
        if (todo == GBA_UE_UA_DONE || todo == GBA_UE_UA_FAILED)
            break;
        renewals += todo == GBA_UE_UA_RENEW;
        if (todo == GBA_UE_UA_SEND)
            take_reply(&replies, control, &ev, &reply);
        else
            give_key(ua, control, renewals, &ev, &key);
    }
    need(renewals <= 1);
    need((todo == GBA_UE_UA_FAILED) == (gba_ue_ua_error(ua) != GBA_OK));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t control = size != 0 ? data[0] : 0;
    const struct gba_ue_ua_config config = {
        .fqdn = "naf1.home1.net",
        .https = (control & HTTPS) != 0,
        .allow_http = (control & ALLOW_HTTP) != 0,
        .gba_u = (control & GBA_U) != 0,
    };
    void *memory = malloc(gba_ue_ua_size());
    struct gba_ue_ua *ua;

    need(memory != NULL);
    ua = gba_ue_ua_init(memory, gba_ue_ua_size(), &config);
    need(ua != NULL);
    if (size != 0)
        run(ua, control, data + 1, size - 1);
    gba_ue_ua_end(ua);
    free(memory);
    return 0;
}
