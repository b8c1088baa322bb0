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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum gba_err get_ke(struct mef_store *self, const char *key_id, struct mef_ke *out)
{
    (void)self;
    memset(out, 0, sizeof(*out));
    if (strcmp(key_id, "000102030405060708090A0B0C0D0E0F@mef.example") != 0)
        return GBA_E_NOT_FOUND;
    memcpy(out->enrolee, "//sp.example/cse1/Cone", sizeof("//sp.example/cse1/Cone"));
    out->expires_s = 100;
    return GBA_OK;
}

static struct mef_policy *make_policy(void)
{
    static const uint8_t ua[] = {1, 0, 1, 0, 0xae};
    static const unsigned suids[] = {22};
    static const char *const targets[] = {"/cse1"};
    const struct mef_limits limits = {.enrolment_s = 1};
    struct mef_policy *p;

    if (mef_policy_new("mef.example", "sp.example", &limits, &p) != GBA_OK ||
        mef_policy_add_target(p, "/cse1", NULL, ua, suids, 1, MEF_USAGE_KEY) != GBA_OK ||
        mef_policy_add_enrolee(p, "i@e", "/cse1/Cone", targets, 1) != GBA_OK ||
        mef_policy_ready(p) != GBA_OK)
        abort();
    return p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mef_policy *policy;
    struct mef_store store = {.get_ke = get_ke};
    struct gba_text path, query, origin, rest;
    struct gba_text domain;
    uint8_t rand[16];
    struct mef_fetch f;

    if (policy == NULL)
        policy = make_policy();
    gba_text_split((struct gba_text){(const char *)data, size}, '\n', &path, &rest);
    gba_text_split(rest, '\n', &query, &origin);
    mef_fetch_begin(policy, &store, mef_target_by_fqdn(policy, "cse1.sp.example"), path, query,
                    origin, 1, &f);
    if (f.ask && gba_btid_parse(gba_text(f.query.btid), rand, &domain) != GBA_OK)
        abort();
    if (!f.ask && f.err == GBA_OK && (f.enrolee == NULL || f.suid != 22))
        abort();
    mef_fetch_end(&f);
    return 0;
}
