/*
 * Fuzz target: representations of oneM2M resources.  The first octet chooses type, use and
 * form, the rest is the content.  What was read prints in both forms and reads back the same.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "common/m2m_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct m2m_resource *a, const struct m2m_resource *b)
{
    for (int i = 0; i < M2M_N_ATTRS; i++) {
        enum m2m_attr at = (enum m2m_attr)i;

        if (m2m_has(a, at) != m2m_has(b, at) || m2m_is_null(a, at) != m2m_is_null(b, at) ||
            m2m_number(a, at) != m2m_number(b, at) || m2m_items(a, at) != m2m_items(b, at))
            abort();
        for (size_t k = 0; k < m2m_items(a, at); k++)
            if (!gba_text_eq(m2m_item(a, at, k), m2m_item(b, at, k)))
                abort();
    }
}

static void there_and_back(const struct m2m_resource *r, enum m2m_use use,
                           enum m2m_format format)
{
    static uint8_t room[16 * M2M_CONTENT_MAX];
    static struct m2m_resource back;
    struct m2m_problem problem;
    struct gba_wbuf w;

    gba_wbuf_init(&w, room, sizeof(room));
    if (m2m_codec_print(r, format, &w) != GBA_OK)
        abort();
    if (gba_wbuf_bytes(&w).n > M2M_CONTENT_MAX)
        return;
    if (m2m_codec_read(gba_wbuf_bytes(&w), format, r->type, use, &back, &problem) != M2M_RSC_OK)
        abort();
    same(r, &back);
}

/* Whatever an MEF says of a refusal is fit for a terminal. */
static void tamed(struct gba_bytes pc, enum m2m_format format)
{
    char text[64];

    m2m_codec_read_problem(pc, format, text, sizeof(text));
    for (size_t i = 0; text[i] != '\0'; i++)
        if (text[i] < ' ' || text[i] > '~')
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct m2m_resource r;
    struct m2m_problem problem;
    enum m2m_format format;
    enum m2m_use use;

    if (size == 0)
        return 0;
    tamed((struct gba_bytes){data + 1, size - 1}, (enum m2m_format)(data[0] % 2));
    format = (enum m2m_format)(data[0] % 2);
    use = (enum m2m_use)(data[0] / 2 % 3);
    if (m2m_codec_read((struct gba_bytes){data + 1, size - 1}, format,
                       (enum m2m_type)(data[0] / 6 % M2M_N_TYPES), use, &r,
                       &problem) == M2M_RSC_OK) {
        there_and_back(&r, use, M2M_JSON);
        there_and_back(&r, use, M2M_XML);
    } else if (problem.why[0] == '\0') {
        abort(); /* a refusal says why */
    }
    m2m_resource_wipe(&r);
    return 0;
}
