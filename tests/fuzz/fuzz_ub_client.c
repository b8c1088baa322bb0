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

#include "tests/fuzz/replies.h"

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

static void run(struct gba_ue *ue, uint8_t control, const uint8_t *at, size_t left)
{
    static const uint8_t key[GBA_UE_KEY_LEN] = {1};
    static struct replies replies;
    struct gba_ue_event ev = {.happened = GBA_UE_EV_START};
    enum gba_ue_todo todo = GBA_UE_FAILED;
    struct gba_ue_reply reply;
    struct gba_ue_aka aka;
    unsigned asked = 0, steps = 0;

    replies_begin(&replies, at, left);
    for (;;) {
        ev.now_s = 1767312000;
        memset(ev.entropy, 0x5a, sizeof(ev.entropy));
        need(gba_ue_step(ue, &ev, &todo) == GBA_OK && ++steps < 32);
        if (todo == GBA_UE_DONE || todo == GBA_UE_FAILED)
            break;
        if (todo == GBA_UE_SEND) {
            need(gba_ue_request(ue)->n_fields > 0);
            ev = (struct gba_ue_event){.reply = &reply, .err = GBA_E_UNREACHABLE};
            ev.happened = replies_next(&replies, &reply) ? GBA_UE_EV_REPLY : GBA_UE_EV_NO_REPLY;
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
