/*
 * Log lines to standard error.  One line is one write of at most 4096 octets, so that lines of
 * several threads, and of several processes on one pipe, come whole.  Values are untrusted:
 * whatever could end a line, a quotation or a terminal's patience is escaped.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <unistr.h>

#include "common/crypto.h"
#include "common/host/random.h"
#include "common/secret.h"

#define LINE_MAX_OCTETS 4096
#define VALUE_MAX       256
/* Key, quotation marks and a value of which every octet became \u00XX. */
#define FIELD_MAX      (6 * VALUE_MAX + 160)
#define ID_HASH_OCTETS 6

struct log {
    pthread_mutex_t lock;
    enum log_format format;
    enum log_level most;
    bool clear;
    bool journal;
    uint8_t salt[32];
};

/* systemd.exec(5): JOURNAL_STREAM is "DEV:INODE" of the stream the journal reads. */
static bool stderr_is_journal(void)
{
    const char *want = getenv("JOURNAL_STREAM");
    struct stat st;
    char have[64];

    if (want == NULL || fstat(STDERR_FILENO, &st) != 0)
        return false;
    snprintf(have, sizeof(have), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    return strcmp(want, have) == 0;
}

struct log *log_open(enum log_format format, enum log_level most, bool identities_in_clear)
{
    struct log *l = calloc(1, sizeof(*l));

    if (l == NULL)
        return NULL;
    if (random_octets(l->salt, sizeof(l->salt)) != GBA_OK) {
        free(l);
        return NULL;
    }
    pthread_mutex_init(&l->lock, NULL);
    l->format = format;
    l->most = most;
    l->clear = identities_in_clear;
    l->journal = stderr_is_journal();
    return l;
}

void log_close(struct log *l)
{
    if (l == NULL)
        return;
    pthread_mutex_destroy(&l->lock);
    gba_wipe(l->salt, sizeof(l->salt));
    free(l);
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_LV_ERROR:
        return "error";
    case LOG_LV_WARNING:
        return "warning";
    case LOG_LV_NOTICE:
        return "notice";
    case LOG_LV_INFO:
        return "info";
    case LOG_LV_DEBUG:
        break;
    }
    return "debug";
}

/* Cut at VALUE_MAX, but not inside a UTF-8 sequence. */
static struct gba_text cut(struct gba_text t, bool *was_cut)
{
    *was_cut = t.n > VALUE_MAX;
    if (*was_cut) {
        t.n = VALUE_MAX;
        while (t.n > 0 && ((uint8_t)t.s[t.n] & 0xc0) == 0x80)
            t.n--;
    }
    return t;
}

/* C0, DEL, and the C1 controls, which UTF-8 writes as C2 80..9F. */
static bool is_control(struct gba_text t, size_t i)
{
    uint8_t c = (uint8_t)t.s[i];

    if (c < 0x20 || c == 0x7f)
        return true;
    if (c == 0xc2 && i + 1 < t.n)
        return (uint8_t)t.s[i + 1] < 0xa0;
    return c < 0xa0 && c >= 0x80 && i > 0 && (uint8_t)t.s[i - 1] == 0xc2;
}

/* Text that is not UTF-8 has all its octets from 80 escaped. */
static void put_escaped(struct gba_wbuf *w, struct gba_text t, bool json)
{
    bool utf8 = u8_check((const uint8_t *)t.s, t.n) == NULL;

    for (size_t i = 0; i < t.n; i++) {
        uint8_t c = (uint8_t)t.s[i];

        if (c == '"' || c == '\\') {
            gba_wbuf_u8(w, '\\');
            gba_wbuf_u8(w, c);
        } else if (is_control(t, i) || (c >= 0x80 && !utf8)) {
            gba_wbuf_str(w, json ? "\\u00" : "\\x");
            gba_wbuf_hex(w, (struct gba_bytes){&c, 1});
        } else {
            gba_wbuf_u8(w, c);
        }
    }
}

static bool is_bare(struct gba_text t)
{
    for (size_t i = 0; i < t.n; i++) {
        uint8_t c = (uint8_t)t.s[i];

        if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=')
            return false;
    }
    return t.n != 0;
}

static void put_text(struct gba_wbuf *w, struct gba_text value, bool json)
{
    bool was_cut;
    struct gba_text t = cut(value, &was_cut);
    bool quotes = json || was_cut || !is_bare(t);

    if (quotes)
        gba_wbuf_u8(w, '"');
    put_escaped(w, t, json);
    if (was_cut)
        gba_wbuf_str(w, "...");
    if (quotes)
        gba_wbuf_u8(w, '"');
}

/* HMAC-SHA-256 under a salt of this process: equal identities look equal in one log, and
 * nobody can try all IMSIs against it. */
static void put_id(const struct log *l, struct gba_wbuf *w, struct gba_text id)
{
    uint8_t mac[32];
    char text[2 * ID_HASH_OCTETS + 1];

    if (l->clear) {
        put_text(w, id, l->format == LOG_FORMAT_JSON);
        return;
    }
    gba_hmac(GBA_SHA256, GBA_BYTES(l->salt), (const struct gba_bytes[]){gba_text_bytes(id)}, 1,
             mac);
    gba_hex(text, (struct gba_bytes){mac, ID_HASH_OCTETS});
    put_text(w, gba_text(text), l->format == LOG_FORMAT_JSON);
}

static void put_field(const struct log *l, struct gba_wbuf *w, const struct log_field *f)
{
    bool json = l->format == LOG_FORMAT_JSON;

    if (json) {
        gba_wbuf_str(w, ",\"");
        put_escaped(w, gba_text(f->key), true);
        gba_wbuf_str(w, "\":");
    } else {
        gba_wbuf_u8(w, ' ');
        gba_wbuf_str(w, f->key);
        gba_wbuf_u8(w, '=');
    }
    switch (f->kind) {
    case LOG_FIELD_TEXT:
        put_text(w, f->text, json);
        break;
    case LOG_FIELD_NUMBER: {
        char digits[24];

        snprintf(digits, sizeof(digits), "%lld", f->number);
        gba_wbuf_str(w, digits);
        break;
    }
    case LOG_FIELD_ID:
        put_id(l, w, f->text);
        break;
    }
}

static void put_head(const struct log *l, struct gba_wbuf *w, enum log_level level,
                     const char *event)
{
    char stamp[64], when[40];
    struct timespec now;
    struct tm tm;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(stamp, sizeof(stamp), "%s.%03ldZ", when, now.tv_nsec / 1000000);
    if (l->journal) {
        gba_wbuf_u8(w, '<');
        gba_wbuf_number(w, (uint64_t)level);
        gba_wbuf_u8(w, '>');
    }
    if (l->format == LOG_FORMAT_JSON) {
        gba_wbuf_str(w, "{\"time\":\"");
        gba_wbuf_str(w, stamp);
        gba_wbuf_str(w, "\",\"level\":\"");
        gba_wbuf_str(w, level_name(level));
        gba_wbuf_str(w, "\",\"event\":\"");
        put_escaped(w, gba_text(event), true);
        gba_wbuf_u8(w, '"');
        return;
    }
    if (!l->journal) { /* the journal keeps time and level itself */
        gba_wbuf_str(w, stamp);
        gba_wbuf_u8(w, ' ');
        gba_wbuf_str(w, level_name(level));
        gba_wbuf_u8(w, ' ');
    }
    gba_wbuf_str(w, event);
}

/* Standard error may be a pipe whose reader died, or a full disk: the line is then lost, the
 * daemon is not. */
static void write_line(struct log *l, const uint8_t *p, size_t n)
{
    pthread_mutex_lock(&l->lock);
    while (n > 0) {
        ssize_t done = write(STDERR_FILENO, p, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            break;
        p += done;
        n -= (size_t)done;
    }
    pthread_mutex_unlock(&l->lock);
}

void log_event(struct log *l, enum log_level level, const char *event,
               const struct log_field *fields, size_t n)
{
    uint8_t line[LINE_MAX_OCTETS], room[FIELD_MAX];
    struct gba_wbuf w, one;

    if (l == NULL || level > l->most)
        return;
    gba_wbuf_init(&w, line, sizeof(line) - 2); /* "}" and the line feed always fit */
    put_head(l, &w, level, event);
    for (size_t i = 0; i < n; i++) {
        gba_wbuf_init(&one, room, sizeof(room));
        put_field(l, &one, &fields[i]);
        if (gba_wbuf_ok(&one) && one.n <= w.cap - w.n)
            gba_wbuf_put(&w, gba_wbuf_bytes(&one)); /* else left out: never half a field */
    }
    w.cap = sizeof(line);
    gba_wbuf_str(&w, l->format == LOG_FORMAT_JSON ? "}\n" : "\n");
    write_line(l, w.p, w.n);
}
