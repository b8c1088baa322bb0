/*
 * One main for all CUnit programs: a table of tests, CUnit's summary, the project's plain
 * closing line, and an exit code that is 0 only if something ran and nothing failed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <CUnit/CUnit.h>

#include "common/bytes.h"

struct unit_test {
    const char *name;
    void (*run)(void);
};

/* Runs the n tests as one suite.  Return its result from main. */
int unit_main(const char *suite, const struct unit_test *tests, size_t n);
#define UNIT_MAIN(suite, tests)                                                                \
    int main(void)                                                                             \
    {                                                                                          \
        return unit_main((suite), (tests), sizeof(tests) / sizeof((tests)[0]));                \
    }

/* A running test says that it cannot run here, and why; it then counts as skipped. */
void unit_skip(const char *why);

/* Runs a test, or the part of it that is about file permissions, as nobody: CI is root.  What it
 * asserts counts; what it changes in memory is gone afterwards. */
void unit_as_nobody(void (*test)(void));

/* Octets from hexadecimal, into storage that lives as long as the program. */
struct gba_bytes unit_hex(const char *hex);

/* CU_ASSERT on octets, printing both when they differ. */
#define UNIT_BYTES_EQ(p, n, hex) CU_ASSERT(unit_bytes_eq((p), (n), (hex), __FILE__, __LINE__))
bool unit_bytes_eq(const void *p, size_t n, const char *hex, const char *file, int line);

/* Path of a file below the source folder: "tests/vectors/kdf.json". */
const char *unit_path(const char *below_source);

#endif
