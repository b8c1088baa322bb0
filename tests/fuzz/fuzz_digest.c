/*
 * Fuzz target: HTTP Digest fields (common/digest.c, digest_check.c, digest_aka.c).  Besides not
 * failing: views lie inside what was parsed, and what is printed again is read the same.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "common/digest_aka.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool condition)
{
    if (!condition)
        abort();
}

static bool inside(struct gba_text view, const char *from, size_t n)
{
    return view.s >= from && view.s <= from + n && view.n <= n - (size_t)(view.s - from);
}

static void check_views(const struct gba_digest *d, struct gba_text field)
{
    for (size_t p = 0; p < GBA_DIGEST_N_PARAMS; p++)
        if (d->p[p].present)
            need(inside(d->p[p].value, field.s, field.n) ||
                 inside(d->p[p].value, d->unescaped, sizeof(d->unescaped)));
}

/* Every value, put into a field of its own as the printer's quoted form, is read back. */
static void check_round_trip(const struct gba_digest *d)
{
    static char out[4 * GBA_DIGEST_FIELD_MAX];
    static struct gba_digest again;
    struct gba_wbuf w;

    gba_wbuf_init(&w, out, sizeof(out));
    gba_wbuf_str(&w, "Digest ");
    for (size_t p = 0; p < GBA_DIGEST_N_PARAMS; p++) {
        enum gba_digest_param param = (enum gba_digest_param)p;

        if (d->p[p].present && param == GBA_DIGEST_QOP)
            gba_digest_print_offer(&w, d->p[p].value);
        else if (d->p[p].present)
            gba_digest_print(&w, param, d->p[p].value);
    }
    if (!gba_wbuf_ok(&w)) /* a quoted value where the printer wants a token */
        return;
    enum gba_err err = gba_digest_parse(gba_bytes_text(gba_wbuf_bytes(&w)), &again);
    if (err == GBA_E_TOO_LONG) /* escapes made it longer than what was read */
        return;
    need(err == GBA_OK);
    for (size_t p = 0; p < GBA_DIGEST_N_PARAMS; p++)
        need(again.p[p].present == d->p[p].present &&
             gba_text_eq(again.p[p].value, d->p[p].value));
}

static void use(const struct gba_digest *d)
{
    uint8_t rand[16], autn[16], auts[GBA_AUTS_LEN];
    enum gba_digest_algorithm a;
    enum gba_digest_param which;

    for (int m = 0; m < GBA_DIGEST_N_MESSAGES; m++) {
        which = GBA_DIGEST_N_PARAMS;
        enum gba_err err = gba_digest_check(d, (enum gba_digest_message)m, &which);
        need((err == GBA_OK) == (which == GBA_DIGEST_N_PARAMS));
    }
    (void)gba_digest_algorithm_by_name(d->p[GBA_DIGEST_ALGORITHM].value, &a);
    (void)gba_digest_offers(d->p[GBA_DIGEST_QOP].value, GBA_QOP_AUTH_INT);
    (void)gba_aka_nonce_parse(d->p[GBA_DIGEST_NONCE].value, rand, autn);
    (void)gba_auts_parse(d->p[GBA_DIGEST_AUTS].value, auts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct gba_digest d;
    const struct gba_text field = {(const char *)data, size};
    struct gba_text rest = field;
    size_t challenges = 0;

    if (gba_digest_parse(field, &d) == GBA_OK) {
        check_views(&d, field);
        check_round_trip(&d);
        use(&d);
    }
    if (gba_digest_parse_info(field, &d) == GBA_OK)
        check_views(&d, field);
    while (gba_digest_next_challenge(&rest, &d) == GBA_OK) {
        check_views(&d, field);
        use(&d);
        need(++challenges <= size); /* it moves on */
    }
    need(rest.n == 0);
    return 0;
}
