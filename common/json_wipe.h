/*
 * Jansson's memory, wiped before it is freed: for programs whose JSON holds keys.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_JSON_WIPE_H
#define COMMON_JSON_WIPE_H

/* Once, before the first use of Jansson in the process.  What Jansson hands out, as the text of
 * json_dumps, may still go to free. */
void gba_json_wipe(void);

#endif
