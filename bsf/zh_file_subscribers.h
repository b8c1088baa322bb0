/*
 * The subscribers' file of zh_file.c, read and checked.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BSF_ZH_FILE_SUBSCRIBERS_H
#define BSF_ZH_FILE_SUBSCRIBERS_H

#include "bsf/zh.h"
#include "common/host/conf.h"
#include "common/host/log.h"

struct zh_file_subscriber {
    char impi[GBA_IMPI_SIZE];
    struct gba_aka_secret secret;
    uint8_t amf[2];
    size_t entry; /* its number in the file, from 0 */
    uint64_t sqn; /* to start from, where the SQN file has none */
    bool barred;
    struct gba_guss *guss; /* NULL: none */
};

struct zh_file_subscribers {
    struct zh_file_subscriber *v; /* sorted by impi */
    size_t n;
};

/* What is wrong goes to err, all of it; warnings go to the log (NULL: none).  GBA_E_CONFIG. */
enum gba_err zh_file_subscribers_load(const char *file, struct log *log, FILE *err,
                                      struct zh_file_subscribers *out);
struct zh_file_subscriber *zh_file_subscriber_find(const struct zh_file_subscribers *s,
                                                   const char *impi);
void zh_file_subscribers_free(struct zh_file_subscribers *s); /* wipes */

#endif
