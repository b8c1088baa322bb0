/*
 * The port for the audit log of an MEF or MAF: one line for each change and each key that was
 * given out, in the order they happened, never the key itself.  Adapter: mef_audit_file.c.
 *
 * A line is "HASH JSON": HASH is SHA-256 in hexadecimal of the HASH of the line before (64
 * zeros before the first) and JSON.  The count of lines and the last HASH stand in the
 * database, changed in the transaction of what the line tells of; so a line that was changed,
 * taken out or cut off shows.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEF_AUDIT_H
#define NAF_MEF_AUDIT_H

#include "common/bytes.h"

#define MEF_AUDIT_HASH_SIZE 65
#define MEF_AUDIT_LINE_MAX  8192

/* Strings of our identifiers; NULL, "" or 0: not told. */
struct mef_audit_event {
    const char *who;    /* entity, or "admin:UID" */
    const char *what;   /* "key.give", "registration.create", "enrolee.add", ...; NULL: nothing
                           but rows that went */
    const char *whom;   /* the enrolee it is about */
    const char *target; /* who gets it */
    const char *key_id; /* identifier of a key, a credential or a resource */
    unsigned suid;      /* what a key is for */
    uint64_t suids;     /* what keys a row allows; bit i: SUID i */
    int64_t expires_s;  /* the end of what was made or changed */
    unsigned code;      /* cmdStatusCode of a command */
};

struct mef_audit {
    const char *name; /* "file" */
    /* Inside a transaction of the store or the registry the line comes with it or not at all.
     * Enrolments, registrations, keys, credentials and instructions that went in it before, and
     * are not what the event names, get a line each behind it: "key.end" and so on, of the same
     * who.  GBA_E_TOO_LONG, and the store's errors. */
    enum gba_err (*note)(struct mef_audit *self, const struct mef_audit_event *e,
                         int64_t now_s);
    /* After the transaction: brings the file up to what the database says, on the disk.
     * GBA_E_IO: the lines stay in the database until the next call. */
    enum gba_err (*flush)(struct mef_audit *self);
    /* Reads the whole file against the database.  GBA_OK and *n lines; GBA_E_ALTERED: *n is the
     * first line that is not as it was written (or the first that is missing); GBA_E_IO. */
    enum gba_err (*verify)(struct mef_audit *self, uint64_t *n);
};

/* One line, without its line feed.  prev and hash: hexadecimal with a NUL.  GBA_E_TOO_LONG. */
enum gba_err mef_audit_line(const struct mef_audit_event *e, uint64_t n, int64_t now_s,
                            const char prev[static MEF_AUDIT_HASH_SIZE],
                            char hash[static MEF_AUDIT_HASH_SIZE], struct gba_wbuf *out);
/* Does line (without its line feed) follow prev?  hash: its own. */
bool mef_audit_follows(struct gba_text line, const char prev[static MEF_AUDIT_HASH_SIZE],
                       char hash[static MEF_AUDIT_HASH_SIZE]);

#endif
