/*
 * Output of the gba command: lines for people or one JSON object, errors with their exit
 * status, and the trace of HTTP messages.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "common/bytes.h"
#include "common/timestamp.h"
#include "common/ua_protocol.h"
#include "ua/gba.h"

/* The eight statuses of gba(1). */
int gba_exit_of(enum gba_err err)
{
    switch (err) {
    case GBA_OK:
        return EX_OK;
    case GBA_E_UNREACHABLE:
    case GBA_E_TIMEOUT:
    case GBA_E_OVERLOAD:
    case GBA_E_RATE_LIMITED:
        return EX_UNAVAILABLE;
    case GBA_E_IO:
    case GBA_E_NOMEM:
    case GBA_E_ENTROPY:
    case GBA_E_CRYPTO:
    case GBA_E_USIM:
        return EX_IOERR;
    case GBA_E_REFUSED:
    case GBA_E_RES:
    case GBA_E_FORBIDDEN:
    case GBA_E_NOT_AUTHORIZED:
    case GBA_E_BTID:
        return EX_NOPERM;
    case GBA_E_CONFIG:
        return EX_CONFIG;
    case GBA_E_ARGUMENT:
    case GBA_E_SYNTAX:
    case GBA_E_REPEATED:
    case GBA_E_MISSING:
    case GBA_E_EXISTS:
    case GBA_E_NOT_FOUND:
        return EX_DATAERR;
    default:
        return EX_PROTOCOL;
    }
}

int gba_complain(enum gba_err err, const char *what, const char *why)
{
    fprintf(stderr, "gba: %s%s", what, what[0] != '\0' ? ": " : "");
    if (why != NULL && why[0] != '\0')
        fprintf(stderr, "%s (%s)\n", why, gba_err_text(err));
    else
        fprintf(stderr, "%s\n", gba_err_text(err));
    return gba_exit_of(err);
}

int gba_usage(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    fputs("gba: ", stderr);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
    va_end(ap);
    return EX_USAGE;
}

/* --- reports ------------------------------------------------------------------------------ */

void gba_report_begin(struct gba_report *r, const struct gba_options *o, const char *title)
{
    r->json = o->json != NULL;
    r->object = r->json ? json_object() : NULL;
    if (!r->json && title[0] != '\0')
        printf("%s\n", title);
}

static void line(const char *label, const char *value)
{
    printf("  %-10s %s\n", label, value);
}

void gba_report_text(struct gba_report *r, const char *member, const char *label,
                     const char *value)
{
    if (r->json)
        json_object_set_new(r->object, member, json_string(value));
    else
        line(label, value);
}

void gba_report_number(struct gba_report *r, const char *member, const char *label, int64_t v)
{
    char text[24];

    snprintf(text, sizeof(text), "%lld", (long long)v);
    if (r->json)
        json_object_set_new(r->object, member, json_integer(v));
    else
        line(label, text);
}

void gba_report_bool(struct gba_report *r, const char *member, const char *label, bool v)
{
    if (r->json)
        json_object_set_new(r->object, member, json_boolean(v));
    else
        line(label, v ? "yes" : "no");
}

void gba_report_time(struct gba_report *r, const char *member, const char *label,
                     int64_t unix_s)
{
    const int64_t left = unix_s - gba_ue_env_system.now_s(NULL);
    char when[GBA_DATETIME_SIZE], text[96];

    gba_datetime(unix_s, when);
    if (left > 0)
        snprintf(text, sizeof(text), "%s (in %lld h %02lld min)", when,
                 (long long)(left / 3600), (long long)(left / 60 % 60));
    else
        snprintf(text, sizeof(text), "%s (over)", when);
    gba_report_text(r, member, label, r->json ? when : text);
}

void gba_report_hex(struct gba_report *r, const char *member, const char *label,
                    const uint8_t *p, size_t n)
{
    char text[1024];

    if (2 * n >= sizeof(text))
        return;
    gba_hex(text, (struct gba_bytes){p, n});
    gba_report_text(r, member, label, text);
    gba_ue_wipe(text, sizeof(text));
}

void gba_report_item(struct gba_report *r, const char *member, const char *title,
                     struct gba_report *item)
{
    json_t *array;

    *item = (struct gba_report){.json = r->json};
    if (!r->json) {
        printf("\n%s\n", title);
        return;
    }
    array = json_object_get(r->object, member);
    if (array == NULL) {
        array = json_array();
        json_object_set_new(r->object, member, array);
    }
    item->object = json_object();
    json_array_append_new(array, item->object); /* owned by the array */
}

int gba_report_end(struct gba_report *r)
{
    if (r->json) {
        json_dumpf(r->object, stdout, JSON_INDENT(2));
        json_decref(r->object);
        putchar('\n');
    }
    return fflush(stdout) == 0 && !ferror(stdout)
               ? EX_OK
               : gba_complain(GBA_E_IO, "standard output", NULL);
}

void gba_say_answer(const struct gba_ue_device *d)
{
    if (d->rsc != 0)
        fprintf(stderr, "gba: HTTP %u, RSC %u %s%s%s\n", d->http_status, d->rsc, d->rsc_name,
                d->dbg[0] != '\0' ? ": " : "", d->dbg);
}

int gba_complain_device(const struct gba_options *o, const struct gba_ue_device *d,
                        enum gba_err err, const char *more)
{
    int status = gba_complain(err, d->why, more);
    struct gba_report r;

    gba_say_answer(d);
    if (o->json == NULL)
        return status;
    gba_report_begin(&r, o, "");
    gba_report_bool(&r, "ok", "", false);
    gba_report_text(&r, "error", "", gba_err_name(err));
    gba_report_text(&r, "text", "", d->why);
    if (more != NULL)
        gba_report_text(&r, "more", "", more);
    if (d->rsc != 0) {
        gba_report_number(&r, "http_status", "", d->http_status);
        gba_report_number(&r, "rsc", "", d->rsc);
        gba_report_text(&r, "rsc_name", "", d->rsc_name);
        gba_report_text(&r, "dbg", "", d->dbg);
    }
    gba_report_end(&r);
    return status;
}

void gba_report_key(struct gba_report *r, const struct gba_options *o,
                    const struct gba_ue_naf_key *k)
{
    const struct gba_ua_protocol *row = gba_ua_protocol_find(k->ua_id);
    uint8_t naf_id[GBA_UE_FQDN_SIZE + GBA_UE_UA_ID_LEN];
    const size_t n = strlen(k->fqdn);
    char ua[11], text[96];

    memcpy(naf_id, k->fqdn, n);
    memcpy(naf_id + n, k->ua_id, GBA_UE_UA_ID_LEN);
    gba_hex(ua, GBA_BYTES(k->ua_id));
    snprintf(text, sizeof(text), "%s%s%s%s", ua, row != NULL ? " (" : "",
             row != NULL ? row->name : "", row != NULL ? ")" : "");
    gba_report_text(r, "naf", "NAF", k->fqdn);
    gba_report_text(r, "ua_protocol", "Ua", r->json ? ua : text);
    gba_report_hex(r, "naf_id", "NAF_Id", naf_id, n + GBA_UE_UA_ID_LEN);
    gba_report_text(r, "btid", "B-TID", k->btid);
    if (k->internal)
        gba_report_bool(r, "internal", "internal", true);
    gba_report_time(r, "expires", "expires", k->expires_s);
    if (o->show_keys != NULL)
        gba_report_hex(r, "key", "key", k->key, sizeof(k->key));
}

/* --- trace -------------------------------------------------------------------------------- */

#define TRACE_VALUE 360 /* characters of a field shown */

/* Only what can be shown safely on a terminal. */
static void trace_text(const char *s, size_t n)
{
    for (size_t i = 0; i < n && i < TRACE_VALUE; i++)
        fputc((s[i] >= ' ' && s[i] <= '~') ? s[i] : s[i] == '\n' ? ' ' : '?', stderr);
    fputs(n > TRACE_VALUE ? "...\n" : "\n", stderr);
}

static void trace_fields(const struct gba_ue_field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fprintf(stderr, "    %s: ", fields[i].name);
        trace_text(fields[i].value, strlen(fields[i].value));
    }
}

/* A body is shown only where it is known to hold no secret: BootstrappingInfo. */
static void trace_body(const struct gba_ue_reply *in)
{
    for (size_t i = 0; i < in->n_fields; i++)
        if (strcasecmp(in->fields[i].name, "Content-Type") == 0 &&
            strncmp(in->fields[i].value, "application/vnd.3gpp.bsf+xml", 28) == 0 &&
            in->body_len > 0) {
            fputs("    ", stderr);
            trace_text((const char *)in->body, in->body_len);
            return;
        }
    if (in->body_len > 0)
        fprintf(stderr, "    (%zu octets of body)\n", in->body_len);
}

void gba_trace(void *ctx, const struct gba_ue_request *out, const struct gba_ue_reply *in)
{
    (void)ctx;
    if (out != NULL) {
        fprintf(stderr, "--> %s %s\n", out->method, out->url);
        if (out->host != NULL)
            fprintf(stderr, "    Host: %s\n", out->host);
        trace_fields(out->fields, out->n_fields);
    }
    if (in != NULL) {
        fprintf(stderr, "<-- %u\n", in->status);
        trace_fields(in->fields, in->n_fields);
        trace_body(in);
    }
}
