/*
 * Memory that runs out on demand.  The program is linked with the flow_wrap options of
 * tests/flow/Makefile.inc: they wrap the allocators of our own objects; those of the libraries
 * below are left alone, and so are allocations under fake_own_allocations.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_FAKES_NO_MEMORY_H
#define TESTS_FAKES_NO_MEMORY_H

#include <stdbool.h>

/* From now on the n-th allocation fails, once. */
void no_memory_begin(unsigned n);
/* Ends that.  Was there an n-th? */
bool no_memory_end(void);

#endif
