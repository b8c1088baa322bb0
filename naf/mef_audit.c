/*
 * The form of the audit log's lines: see mef_audit.h.  Pure.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_audit.h"

#include <string.h>

#include "common/crypto.h"
#include "common/timestamp.h"

#define HASH_LEN (MEF_AUDIT_HASH_SIZE - 1)

/* Our identifiers have no character that JSON would want escaped but these; what others sent is
 * not trusted to. */
static void put_string(struct gba_wbuf *w, const char *s)
{
    static const char hex[] = "0123456789abcdef";

    gba_wbuf_str(w, "\"");
    for (; *s != '\0'; s++) {
        uint8_t c = (uint8_t)*s;

        if (c == '"' || c == '\\') {
            gba_wbuf_u8(w, '\\');
            gba_wbuf_u8(w, c);
        } else if (c < 0x20) {
            gba_wbuf_str(w, "\\u00");
            gba_wbuf_u8(w, (uint8_t)hex[c >> 4]);
            gba_wbuf_u8(w, (uint8_t)hex[c & 15]);
        } else {
            gba_wbuf_u8(w, c);
        }
    }
    gba_wbuf_str(w, "\"");
}

static void member(struct gba_wbuf *w, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    gba_wbuf_str(w, ",\"");
    gba_wbuf_str(w, name);
    gba_wbuf_str(w, "\":");
    put_string(w, value);
}

static void put_suids(struct gba_wbuf *w, uint64_t suids)
{
    const char *before = ",\"suids\":[";

    for (unsigned i = 0; i < 64; i++)
        if ((suids >> i & 1) != 0) {
            gba_wbuf_str(w, before);
            gba_wbuf_number(w, i);
            before = ",";
        }
    if (suids != 0)
        gba_wbuf_str(w, "]");
}

static void put_number(struct gba_wbuf *w, const char *name, unsigned value)
{
    if (value == 0)
        return;
    gba_wbuf_str(w, ",\"");
    gba_wbuf_str(w, name);
    gba_wbuf_str(w, "\":");
    gba_wbuf_number(w, value);
}

static void chain(const char prev[static MEF_AUDIT_HASH_SIZE], struct gba_bytes json,
                  char hash[static MEF_AUDIT_HASH_SIZE])
{
    const struct gba_bytes parts[] = {{(const uint8_t *)prev, HASH_LEN}, json};
    uint8_t digest[32];

    gba_hash(GBA_SHA256, parts, 2, digest);
    gba_hex(hash, GBA_BYTES(digest));
}

enum gba_err mef_audit_line(const struct mef_audit_event *e, uint64_t n, int64_t now_s,
                            const char prev[static MEF_AUDIT_HASH_SIZE],
                            char hash[static MEF_AUDIT_HASH_SIZE], struct gba_wbuf *out)
{
    char room[MEF_AUDIT_LINE_MAX - MEF_AUDIT_HASH_SIZE], time[GBA_DATETIME_SIZE],
        expires[GBA_DATETIME_SIZE] = "";
    struct gba_wbuf w;

    gba_datetime(now_s, time);
    if (e->expires_s != 0)
        gba_datetime(e->expires_s, expires);
    gba_wbuf_init(&w, room, sizeof(room));
    gba_wbuf_str(&w, "{\"n\":");
    gba_wbuf_number(&w, n);
    member(&w, "time", time);
    member(&w, "who", e->who);
    member(&w, "what", e->what);
    member(&w, "for", e->whom);
    member(&w, "target", e->target);
    member(&w, "key_id", e->key_id);
    put_number(&w, "suid", e->suid);
    put_suids(&w, e->suids);
    member(&w, "expires", expires);
    put_number(&w, "code", e->code);
    gba_wbuf_str(&w, "}");
    if (!gba_wbuf_ok(&w))
        return GBA_E_TOO_LONG;
    chain(prev, gba_wbuf_bytes(&w), hash);
    gba_wbuf_str(out, hash);
    gba_wbuf_str(out, " ");
    gba_wbuf_put(out, gba_wbuf_bytes(&w));
    return gba_wbuf_ok(out) ? GBA_OK : GBA_E_TOO_LONG;
}

bool mef_audit_follows(struct gba_text line, const char prev[static MEF_AUDIT_HASH_SIZE],
                       char hash[static MEF_AUDIT_HASH_SIZE])
{
    if (line.n <= MEF_AUDIT_HASH_SIZE || line.s[HASH_LEN] != ' ')
        return false;
    chain(prev,
          gba_text_bytes(
              (struct gba_text){line.s + MEF_AUDIT_HASH_SIZE, line.n - MEF_AUDIT_HASH_SIZE}),
          hash);
    return memcmp(line.s, hash, HASH_LEN) == 0;
}
