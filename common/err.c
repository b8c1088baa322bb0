/*
 * Texts and wire codes of the error list.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/err.h"

#include <stddef.h>
#include <string.h>

static const struct row {
    const char *name, *text;
    unsigned http, diameter;
} rows[GBA_N_ERRORS] = {
#define X(name, http, diameter, text) {#name, text, http, diameter},
    GBA_ERRORS(X)
#undef X
};

static const struct row *row_of(enum gba_err err)
{
    static const struct row unknown = {"UNKNOWN", "unknown error", 500, 5012};

    return (size_t)err < GBA_N_ERRORS ? &rows[err] : &unknown;
}

const char *gba_err_text(enum gba_err err)
{
    return row_of(err)->text;
}

const char *gba_err_name(enum gba_err err)
{
    const char *name = row_of(err)->name;

    return strncmp(name, "E_", 2) == 0 ? name + 2 : name;
}

unsigned gba_err_http(enum gba_err err)
{
    return row_of(err)->http;
}

unsigned gba_err_diameter(enum gba_err err)
{
    return row_of(err)->diameter;
}
