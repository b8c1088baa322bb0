/*
 * The file of a soft USIM: "name=value" lines, mode 0600, replaced atomically.  It is the
 * card's memory: K, the SQN array, and for GBA_U what the card keeps of a bootstrapping.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef UA_USIM_FILE_H
#define UA_USIM_FILE_H

#include "common/aka.h"
#include "common/identity.h"
#include "common/secret.h"
#include "common/sqn.h"
#include "ua/usim.h"

#define USIM_FILE_MAX 16384 /* octets read */
#define USIM_WHY_SIZE 320

struct usim_file {
    enum gba_ue_application application;
    char imsi[GBA_IMSI_SIZE], impi[GBA_IMPI_SIZE];
    unsigned mnc_len; /* 0: not given */
    bool gba_u, impi_given;
    struct gba_aka_secret secret;
    struct gba_sqn_usim sqn;
    /* GBA_U: the card's Ks and EF_GBABP */
    bool has_ks;
    struct gba_ks ks;
    uint8_t gba_rand[16];
    char gba_btid[GBA_BTID_SIZE];
    int64_t gba_expires_s;
};

/* why gets "line N: ..." when not GBA_OK: GBA_E_SYNTAX, GBA_E_REPEATED, GBA_E_MISSING,
 * GBA_E_TOO_LONG. */
enum gba_err usim_file_parse(struct gba_text text, struct usim_file *out,
                             char why[static USIM_WHY_SIZE]);
/* The lines of u.  GBA_E_TOO_LONG never happens with USIM_FILE_MAX. */
enum gba_err usim_file_print(const struct usim_file *u, struct gba_wbuf *out);

/* Writes the file aside, syncs it, renames it and syncs its folder.  replace false:
 * GBA_E_EXISTS if there is one.  GBA_E_IO (errno tells), GBA_E_NOMEM. */
enum gba_err usim_file_write(const char *path, const struct usim_file *u, bool replace);

/* Opens and locks the file against other processes (close *fd to unlock) and parses it.
 * GBA_E_NOT_FOUND, GBA_E_FORBIDDEN: others may read it, or no plain file; GBA_E_IO, and those
 * of usim_file_parse. */
enum gba_err usim_file_open(const char *path, int *fd, struct usim_file *out,
                            char why[static USIM_WHY_SIZE]);

#endif
