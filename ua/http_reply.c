/*
 * The head of an HTTP/1 reply into fields, in place (RFC 9112 4, 5), and field look-up. Strict:
 * no folding, no NUL, no nameless field; header lines only, framing is the transport's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>
#include <strings.h>

#include "ua/ub_client.h"

const char *gba_ue_reply_field(const struct gba_ue_reply *reply, const char *name, size_t i)
{
    for (size_t f = 0; f < reply->n_fields; f++)
        if (strcasecmp(reply->fields[f].name, name) == 0 && i-- == 0)
            return reply->fields[f].value;
    return NULL;
}

/* Cuts the next line off *rest and ends it with a NUL in place of its (CR)LF. */
static char *next_line(char **rest, char *end)
{
    char *line = *rest, *lf = memchr(line, '\n', (size_t)(end - line));

    if (lf == NULL)
        return NULL;
    *rest = lf + 1;
    if (lf > line && lf[-1] == '\r')
        lf--;
    *lf = '\0';
    return line;
}

/* "HTTP/1.1 401 Unauthorized", "HTTP/2 200". */
static enum gba_err status_line(const char *line, unsigned *status)
{
    const char *sp = strchr(line, ' ');
    uint64_t code;

    if (strncmp(line, "HTTP/", 5) != 0 || sp == NULL || strlen(sp) < 4 ||
        (sp[4] != '\0' && sp[4] != ' ') ||
        gba_text_number((struct gba_text){sp + 1, 3}, 599, &code) != GBA_OK || code < 100)
        return GBA_E_PROTOCOL;
    *status = (unsigned)code;
    return GBA_OK;
}

static bool token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static enum gba_err field_line(char *line, struct gba_ue_field *out)
{
    char *p = line, *end;

    while (token_char(*p))
        p++;
    if (p == line || *p != ':')
        return GBA_E_PROTOCOL;
    *p++ = '\0';
    p += strspn(p, " \t");
    end = p + strlen(p);
    while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *end = '\0';
    if (strchr(p, '\r') != NULL)
        return GBA_E_PROTOCOL;
    *out = (struct gba_ue_field){line, p};
    return GBA_OK;
}

enum gba_err gba_ue_reply_parse(char *head, size_t n,
                                struct gba_ue_field fields[GBA_UE_MAX_FIELDS],
                                struct gba_ue_reply *reply)
{
    char *rest = head, *const end = head + n, *line;
    enum gba_err err;

    reply->fields = fields;
    reply->n_fields = 0;
    if (n == 0 || memchr(head, '\0', n) != NULL || (line = next_line(&rest, end)) == NULL)
        return GBA_E_PROTOCOL;
    err = status_line(line, &reply->status);
    while (err == GBA_OK && rest < end) {
        line = next_line(&rest, end);
        if (line == NULL)
            return GBA_E_PROTOCOL;
        if (*line == '\0')
            break;
        if (reply->n_fields == GBA_UE_MAX_FIELDS)
            return GBA_E_PROTOCOL;
        err = field_line(line, &fields[reply->n_fields]);
        reply->n_fields += err == GBA_OK;
    }
    return err;
}
