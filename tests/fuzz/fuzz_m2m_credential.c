/*
 * Fuzz target: files of credentials (common/m2m_credential.h).  Besides not failing: what is
 * read is printed and read back the same.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/m2m_credential.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t seal_key[32] = {1};
    struct m2m_credential c, again;
    char text[2 * M2M_CREDENTIAL_MAX];
    struct gba_wbuf w;
    unsigned line;

    if (m2m_credential_open((struct gba_bytes){data, size}, seal_key, &c, &line) != GBA_OK)
        return 0;
    gba_wbuf_init(&w, text, sizeof(text));
    if (m2m_credential_print(&c, &w) != GBA_OK ||
        m2m_credential_read(gba_bytes_text(gba_wbuf_bytes(&w)), &again, &line) != GBA_OK ||
        memcmp(&c, &again, sizeof(c)) != 0)
        abort();
    return 0;
}
