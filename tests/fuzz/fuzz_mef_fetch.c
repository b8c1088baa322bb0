/*
 * Fuzz target: GET /fetchCredentials (naf/mef_fetch.c): "path LF query LF X-M2M-Origin" of a
 * target that is known.  Besides not failing: a key comes only of the Ke that the path names,
 * and the BSF is asked for a well-formed B-TID only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_fetch.h"

#include <stdlib.h>
#include <string.h>

static enum gba_err transact(struct mef_registry *self, enum gba_err (*work)(void *arg),
                             void *arg)
{
    (void)self;
    return work(arg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ENROLEE "//sp.example/cse1/Cone"
#define TARGET  "//sp.example/cse1"

static enum gba_err get_ke(struct mef_store *self, const char *key_id, struct mef_ke *out)
{
    (void)self;
    memset(out, 0, sizeof(*out));
    if (strcmp(key_id, "000102030405060708090A0B0C0D0E0F@mef.example") != 0)
        return GBA_E_NOT_FOUND;
    memcpy(out->enrolee, ENROLEE, sizeof(ENROLEE));
    out->expires_s = 100;
    return GBA_OK;
}

static enum gba_err instruction(struct mef_registry *self, const char *enrolee,
                                const char *target, struct mef_instruction *out)
{
    (void)self;
    memset(out, 0, sizeof(*out));
    out->suids = (uint64_t)1 << 22;
    return strcmp(enrolee, ENROLEE) == 0 && strcmp(target, TARGET) == 0 ? GBA_OK
                                                                        : GBA_E_NOT_FOUND;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t ua[] = {1, 0, 1, 0, 0xae};
    const struct mef_limits limits = {.enrolment_s = 1};
    struct mef_store store = {.get_ke = get_ke};
    struct mef_registry registry = {.transact = transact, .instruction = instruction};
    struct gba_text path, query, origin, rest, domain;
    struct mef_policy policy;
    struct mef mef = {&policy, &store, &registry, NULL};
    struct mef_target target;
    uint8_t rand[16];
    struct mef_fetch f;

    if (mef_policy_init(&policy, "mef.example", "sp.example", &limits) != GBA_OK ||
        mef_target_make(&policy, GBA_TEXT(TARGET), NULL, ua, (uint64_t)1 << 22, MEF_USAGE_KEY,
                        &target) != GBA_OK)
        abort();
    gba_text_split((struct gba_text){(const char *)data, size}, '\n', &path, &rest);
    gba_text_split(rest, '\n', &query, &origin);
    mef_fetch_begin(&mef, &target, path, query, origin, 1, &f);
    if (f.ask && gba_btid_parse(gba_text(f.query.btid), rand, &domain) != GBA_OK)
        abort();
    if (!f.ask && f.err == GBA_OK && (strcmp(f.enrolee, ENROLEE) != 0 || f.suid != 22))
        abort();
    mef_fetch_end(&f);
    return 0;
}
