/*
 * Zh from a file: an AuC for a lab, or a small network without an HSS.  Subscribers with their
 * keys in a YAML file of mode 0600; sequence numbers in a file of their own that a crash cannot
 * turn back.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_ZH_FILE_H
#define BSF_ZH_FILE_H

#include "bsf/zh.h"
#include "common/host/conf.h"
#include "common/host/log.h"

struct zh_file_config {
    char *subscribers; /* the YAML file */
    char *sqn;         /* the file of sequence numbers; NULL: subscribers + ".sqn" */
    int64_t step;      /* SEQs reserved ahead */
    int64_t ind;       /* our own IND, apart from those of other AuCs of the same cards */
    int64_t max_outstanding;
};
extern const struct conf_schema zh_file_schema;

/* Problems of the files go to err as FILE:LINE:COL: path: reason; warnings to the log.
 * GBA_E_CONFIG: the subscribers' file; GBA_E_IO: the SQN file. */
enum gba_err zh_file_open(const struct zh_file_config *c, struct log *log, FILE *err,
                          struct zh **out);
/* Can the SQN file be written anew by the user that we have become?  GBA_E_IO, logged. */
enum gba_err zh_file_check_rewrite(struct zh *z);
/* Reads and checks the subscribers' file only. */
enum gba_err zh_file_check(const struct zh_file_config *c, FILE *err);

#endif
