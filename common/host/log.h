/*
 * Log lines: `event key=value ...` (or JSON) to standard error, with <N> priorities for the
 * journal when JOURNAL_STREAM says so.  An IMPI, IMSI or TMPI is written by LOG_ID only: a
 * short hash keyed with a salt of this process unless the configuration wants it in clear.
 * There is no way to log a secret type.  Lines of all threads come whole.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_HOST_LOG_H
#define COMMON_HOST_LOG_H

#include "common/bytes.h"

enum log_level {
    LOG_LV_ERROR = 3,
    LOG_LV_WARNING = 4,
    LOG_LV_NOTICE = 5,
    LOG_LV_INFO = 6,
    LOG_LV_DEBUG = 7
};
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

struct log;

struct log_field {
    const char *key;
    enum { LOG_FIELD_TEXT, LOG_FIELD_NUMBER, LOG_FIELD_ID } kind;
    struct gba_text text;
    long long number;
};

/* Values are escaped; text over 256 octets is cut with "...". */
#define LOG_STR(k, cstr)                                                                       \
    ((struct log_field){.key = (k), .kind = LOG_FIELD_TEXT, .text = gba_text(cstr)})
#define LOG_TEXT(k, view)                                                                      \
    ((struct log_field){.key = (k), .kind = LOG_FIELD_TEXT, .text = (view)})
#define LOG_INT(k, v)                                                                          \
    ((struct log_field){.key = (k), .kind = LOG_FIELD_NUMBER, .number = (long long)(v)})
#define LOG_ID(k, view) ((struct log_field){.key = (k), .kind = LOG_FIELD_ID, .text = (view)})
#define LOG_ERR(e)      LOG_STR("reason", gba_err_name(e))

/* LOG(log, LOG_LV_INFO, "ub.challenge", LOG_INT("rq", 7), LOG_ID("impi", impi)); at least one
 * field */
#define LOG(log, level, event, ...)                                                            \
    log_event((log), (level), (event), (const struct log_field[]){__VA_ARGS__},                \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

void log_event(struct log *l, enum log_level level, const char *event,
               const struct log_field *fields, size_t n);

/* identities_in_clear: LOG_ID writes them as they are.  NULL when memory or entropy fails.
 * A NULL log swallows every line, for tests. */
struct log *log_open(enum log_format format, enum log_level most, bool identities_in_clear);
void log_close(struct log *l);

#endif
