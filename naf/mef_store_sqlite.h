/*
 * The MEF's store in an SQLite file: WAL, synchronous=FULL, secure_delete; keys sealed with
 * AES-256-GCM under a master key that lies in a file of its own.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_STORE_SQLITE_H
#define NAF_MEF_STORE_SQLITE_H

#include "naf/mef_registry.h"
#include "naf/mef_store.h"

#define MEF_MASTER_KEY_LEN 32

/* Opens or makes the file (0600).  why, when not GBA_OK: static text or SQLite's, for the log.
 * GBA_E_IO: cannot be opened or written; GBA_E_CONFIG: not a database of ours, of a newer
 * schema, or sealed under another master key. */
enum gba_err mef_store_sqlite_open(const char *file,
                                   const uint8_t master[static MEF_MASTER_KEY_LEN],
                                   struct mef_store **out, char *why, size_t why_size);

/* The registry in the same file; it ends with the store. */
struct mef_registry *mef_store_sqlite_registry(struct mef_store *store);

/* Seals every key again, under master; *rows how many.  also(arg), unless NULL, is in the same
 * transaction.  All or none.  GBA_E_CRYPTO: one does not open; GBA_E_IO, GBA_E_NOMEM,
 * GBA_E_ENTROPY, and those of also. */
enum gba_err mef_store_sqlite_rekey(struct mef_store *store,
                                    const uint8_t master[static MEF_MASTER_KEY_LEN],
                                    enum gba_err (*also)(void *arg), void *arg, size_t *rows);

/* Reads the master key: 32 octets or 64 hexadecimal digits in a regular file that group and
 * others cannot read; 32 octets that are all digits are half a key, and refused.  Where neither
 * it nor the database exists it is made.  GBA_E_CONFIG, GBA_E_IO, GBA_E_ENTROPY. */
enum gba_err mef_master_key_load(const char *file, const char *database,
                                 uint8_t out[static MEF_MASTER_KEY_LEN], char *why,
                                 size_t why_size);
/* The same from the credential of that name that systemd put into $CREDENTIALS_DIRECTORY; it is
 * never made.  GBA_E_CONFIG. */
enum gba_err mef_master_key_credential(const char *name, uint8_t out[static MEF_MASTER_KEY_LEN],
                                       char *why, size_t why_size);
/* A new one, in FILE.next (0600).  GBA_E_IO, GBA_E_ENTROPY. */
enum gba_err mef_master_key_prepare(const char *file, uint8_t out[static MEF_MASTER_KEY_LEN]);
/* The one that mef_master_key_prepare left, if it did.  GBA_E_NOT_FOUND, GBA_E_CONFIG. */
enum gba_err mef_master_key_next(const char *file, uint8_t out[static MEF_MASTER_KEY_LEN]);
/* FILE.next takes the place of FILE, or goes.  GBA_E_IO. */
enum gba_err mef_master_key_settle(const char *file, bool take);

#endif
