/*
 * Fuzz target: what a BSF, or who passes for one, may send to a UE on Ub (ua/http_reply.c,
 * ua/ub_client.c, ua/ub_messages.c).  The input is a control octet and HTTP replies parted by
 * NUL.  Besides not failing: a run ends, asks for AUTS at most once, and is never done without
 * an answer of the card.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "ua/gba_ue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bits of the control octet. */
enum { WITH_TMPI = 1, GBA_U = 2, SYNC_FIRST = 4, SYNC_ALWAYS = 8, BAD_MAC = 16, REPORT = 32 };

static void need(bool condition)
{
    if (!condition)
        abort();
}

static void card(uint8_t control, unsigned asked, struct gba_ue_aka *aka)
{
    /* TS 35.208 test set 1 */
    static const uint8_t res[8] = {0xa5, 0x42, 0x11, 0xd5, 0xe3, 0xba, 0x50, 0xbf};

    memset(aka, 0, sizeof(*aka));
    if ((control & SYNC_ALWAYS) != 0 || ((control & SYNC_FIRST) != 0 && asked == 0))
        aka->result = GBA_E_SYNC;
    else if ((control & BAD_MAC) != 0)
        aka->result = GBA_E_MAC;
    aka->res_len = sizeof(res);
    memcpy(aka->res, res, sizeof(res));
}

/* The next reply of the input, or none: the connection broke. */
static void next_reply(struct gba_ue_event *ev, const uint8_t **at, size_t *left,
                       struct gba_ue_reply *reply)
{
    static char head[65536];
    static struct gba_ue_field fields[GBA_UE_MAX_FIELDS];
    const uint8_t *end = *left != 0 ? memchr(*at, 0, *left) : NULL;
    size_t n = end != NULL ? (size_t)(end - *at) : *left;
    const uint8_t *body = memmem(*at, n, "\r\n\r\n", 4);
    size_t n_head = body != NULL ? (size_t)(body - *at) + 4 : n;

    memset(reply, 0, sizeof(*reply));
    *ev = (struct gba_ue_event){
        .happened = GBA_UE_EV_NO_REPLY, .err = GBA_E_UNREACHABLE, .reply = reply};
    if (n_head <= sizeof(head) && n_head != 0) {
        memcpy(head, *at, n_head);
        if (gba_ue_reply_parse(head, n_head, fields, reply) == GBA_OK) {
            ev->happened = GBA_UE_EV_REPLY;
            reply->body = *at + n_head;
            reply->body_len = n - n_head;
        }
    }
    n += end != NULL;
    *at += n;
    *left -= n;
}

static void run(struct gba_ue *ue, uint8_t control, const uint8_t *at, size_t left)
{
    static const uint8_t key[GBA_UE_KEY_LEN] = {1};
    struct gba_ue_event ev = {.happened = GBA_UE_EV_START};
    enum gba_ue_todo todo = GBA_UE_FAILED;
    struct gba_ue_reply reply;
    struct gba_ue_aka aka;
    unsigned asked = 0, steps = 0;

    for (;;) {
        ev.now_s = 1767312000;
        memset(ev.entropy, 0x5a, sizeof(ev.entropy));
        need(gba_ue_step(ue, &ev, &todo) == GBA_OK && ++steps < 32);
        if (todo == GBA_UE_DONE || todo == GBA_UE_FAILED)
            break;
        if (todo == GBA_UE_SEND) {
            need(gba_ue_request(ue)->n_fields > 0);
            next_reply(&ev, &at, &left, &reply);
        } else if (todo == GBA_UE_ASK_USIM) {
            card(control, asked++, &aka);
            ev = (struct gba_ue_event){.happened = GBA_UE_EV_AKA, .aka = &aka};
        } else {
            ev = (struct gba_ue_event){.happened = GBA_UE_EV_KEY, .key = key};
        }
    }
    need((todo == GBA_UE_FAILED) == (gba_ue_error(ue) != GBA_OK));
    need(todo == GBA_UE_FAILED || (asked > 0 && (control & (SYNC_ALWAYS | BAD_MAC)) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t control = size != 0 ? data[0] : 0;
    const struct gba_ue_config config = {
        .impi = "001010123456789@ims.mnc001.mcc001.3gppnetwork.org",
        .bsf_fqdn = "bsf.mnc001.mcc001.pub.3gppnetwork.org",
        .tmpi = (control & WITH_TMPI) != 0
                    ? "2rBy9bL8T/1NFq7GP5vqj0H26PadfXr8@tmpi.bsf.3gppnetwork.org"
                    : NULL,
        .gba_u = (control & GBA_U) != 0,
        .report_mac_failure = (control & REPORT) != 0,
    };
    void *memory = malloc(gba_ue_size());
    struct gba_ue *ue;

    need(memory != NULL);
    ue = gba_ue_init(memory, gba_ue_size(), &config);
    need(ue != NULL);
    if (size != 0)
        run(ue, control, data + 1, size - 1);
    gba_ue_end(ue);
    free(memory);
    return 0;
}
