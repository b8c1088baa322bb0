/*
 * The parts of mefctl among themselves: mefctl.c (the command line), mefctl_link.c (to the
 * daemon), mefctl_credential.c and mefctl_generate.c (credential files), mefctl_import.c
 * (batches), mefctl_table.c (files of devices), mefctl_print.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NAF_MEFCTL_H
#define NAF_MEFCTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit codes, of sysexits.h. */
enum {
    CTL_OK = 0,
    CTL_USAGE = 64,
    CTL_DATA = 65,
    CTL_UNREACHABLE = 69,
    CTL_IO = 74,
    CTL_PROTOCOL = 76,
    CTL_REFUSED = 77
};

struct ctl_options {
    const char *socket; /* or, with url, */
    const char *url, *ca, *cert, *key;
    bool json;
    const char *key_file;         /* of a credential's key */
    const char *file, *file_seal; /* a credential file, and what opens it */
    bool generate;
    const char *out, *out_seal; /* of --generate: the new credential file, and what seals it */
    const char *resume;
    size_t batch;
};

/* ---- mefctl_link.c ---- */
struct ctl_link;
/* CTL_OK, or an exit code after a line on standard error. */
int ctl_link_open(const struct ctl_options *o, struct ctl_link **out);
void ctl_link_close(struct ctl_link *l); /* NULL is fine */
/* One request, which is consumed; *reply is the caller's. */
int ctl_ask(struct ctl_link *l, json_t *request, json_t **reply);
/* May the daemon have the last request?  Else it certainly has done nothing. */
bool ctl_is_sent(const struct ctl_link *l);

/* ---- mefctl_print.c ---- */
/* The daemon's refusal in words on standard error, or *reply itself with --json; CTL_REFUSED.
 */
int ctl_refused(const struct ctl_options *o, json_t *reply);
void ctl_print(const struct ctl_options *o, json_t *reply);
void ctl_print_rows(const struct ctl_options *o, const json_t *rows, bool first);
/* "mefctl: AT: WORDS" on standard error; at NULL: nothing in particular.  Kept for ctl_end. */
void ctl_say(const char *at, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Kept for ctl_end alone: what people are told otherwise. */
void ctl_keep(const char *at, const char *words);
/* The failure stands in standard output already. */
void ctl_told(void);
/* With --json a failure is one object there, as the daemon's refusals are; rc. */
int ctl_end(const struct ctl_options *o, int rc);

/* ---- mefctl_table.c ---- */
/* The devices of CSV with a header line, or of a JSON array. */
struct ctl_table {
    json_t *rows;
    unsigned long *lines; /* of each row, where it begins; its place in an array */
};
struct ctl_table_fault {
    unsigned long line, column; /* from 1; columns are characters */
    const char *why;
};
/* False: *why says what is wrong.  *out is the caller's to free in either case.  Where in fails
 * (ferror) it looks as if it ended. */
bool ctl_table_parse(FILE *in, struct ctl_table *out, struct ctl_table_fault *why);
void ctl_table_free(struct ctl_table *t);

/* ---- mefctl_credential.c ---- */
/* The credential of o->file as members of row; what stands there stays. */
int ctl_credential_read(const struct ctl_options *o, json_t *row);
#define CTL_SEAL_LEN 32 /* octets, or twice as many hexadecimal digits */
/* CTL_OK, or an exit code after a line on standard error. */
int ctl_seal_read(const char *path, uint8_t key[static CTL_SEAL_LEN]);

/* ---- mefctl_generate.c ---- */
/* A new credential of row's members into the new file o->out, then placed as ctl_ask does; row
 * is consumed.  The file is there afterwards, unless no row can be. */
int ctl_generate(struct ctl_link *l, const struct ctl_options *o, json_t *row, json_t **reply);

/* ---- mefctl_import.c ---- */
int ctl_import(struct ctl_link *l, const struct ctl_options *o, const char *file);

#endif
