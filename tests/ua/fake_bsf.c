/*
 * A BSF for the UE's tests; see tests/ua/fake_bsf.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/ua/fake_bsf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/bootstrapping_info.h"
#include "common/digest_aka.h"
#include "common/identity.h"
#include "common/sqn.h"
#include "common/timestamp.h"

void fake_bsf_init(struct fake_bsf *b)
{
    size_t n;

    memset(b, 0, sizeof(*b));
    b->secret.algorithm = GBA_AKA_MILENAGE;
    b->secret.res_len = 8;
    gba_unhex(b->secret.k, 32, GBA_TEXT("465b5ce8b199b49faa5f0a2ee238a6bc"), &b->secret.k_len);
    gba_unhex(b->secret.opc, 32, GBA_TEXT("cd63cb71954a9f4e48a5994e37a02baf"), &n);
    b->name = "bsf.mnc001.mcc001.pub.3gppnetwork.org";
    b->next_sqn = 0x400;
    b->now_s = 1767323045; /* 2026-01-02T03:04:05Z */
    b->life_s = 3600;
}

const char *fake_field(const char *head, const char *name)
{
    static char value[4096];
    const size_t n = strlen(name);

    value[0] = '\0';
    for (const char *line = strchr(head, '\n'); line != NULL; line = strchr(line, '\n')) {
        line++;
        if (strncasecmp(line, name, n) == 0 && line[n] == ':')
            snprintf(value, sizeof(value), "%.*s", (int)strcspn(line + n + 1, "\r\n"),
                     line + n + 1);
        if (*line == '\r' || *line == '\0')
            break;
    }
    return value + strspn(value, " ");
}

struct gba_ks fake_bsf_ks(const struct fake_bsf *b)
{
    struct gba_ks ks;

    memcpy(ks.octets, b->av.ck, 16);
    memcpy(ks.octets + 16, b->av.ik, 16);
    return ks;
}

static void edit(const struct fake_bsf *b, unsigned status, bool in_body, char *text)
{
    for (size_t i = 0; i < 4; i++) {
        const struct fake_edit *e = &b->edits[i];
        char *at, tail[FAKE_REPLY_MAX];

        if (e->from == NULL || e->status != status || e->in_body != in_body ||
            (at = strstr(text, e->from)) == NULL)
            continue;
        snprintf(tail, sizeof(tail), "%s", at + strlen(e->from));
        sprintf(at, "%s%s", e->to, tail);
    }
}

static size_t finish(const struct fake_bsf *b, unsigned status, const char *fields,
                     const char *body, char *reply)
{
    snprintf(reply, FAKE_REPLY_MAX,
             "HTTP/1.1 %u X\r\nServer: fake 3gpp-gba-tmpi\r\n%sContent-Length: %zu\r\n\r\n%s",
             status, fields, strlen(body), body);
    edit(b, status, false, reply);
    return strlen(reply);
}

static size_t challenge(struct fake_bsf *b, char *reply)
{
    uint8_t rand[16] = {0x23, 0x55, 0x3c, 0xbe}, sqn[6], amf[2] = {0, 0}, mask[20];
    char fields[512];

    rand[15] = ++b->counter;
    gba_sqn_put(b->next_sqn, sqn);
    b->next_sqn += 1u << GBA_SQN_IND_BITS;
    gba_aka_vector(&b->secret, rand, sqn, amf, &b->av);
    if (b->gba_u) {
        gba_hash(GBA_SHA1, &GBA_BYTES(b->av.ik), 1, mask);
        for (size_t i = 0; i < 8; i++)
            b->av.autn[8 + i] ^= mask[i];
        b->av.res[b->av.res_len - 1] ^= 1;
    }
    gba_aka_nonce(b->av.rand, b->av.autn, b->nonce);
    b->n_challenges++;
    snprintf(fields, sizeof(fields),
             "WWW-Authenticate: Digest realm=\"%s\", nonce=\"%s\", algorithm=AKAv1-MD5, "
             "qop=\"auth-int\", "
             "opaque=\"5ccc069c\"\r\n",
             b->name, b->nonce);
    return finish(b, 401, fields, "", reply);
}

static struct gba_digest_input input_of(const struct fake_bsf *b, const struct gba_digest *d)
{
    return (struct gba_digest_input){.algorithm = GBA_DIGEST_AKAV1_MD5,
                                     .qop = GBA_QOP_AUTH_INT,
                                     .username = d->p[GBA_DIGEST_USERNAME].value,
                                     .realm = d->p[GBA_DIGEST_REALM].value,
                                     .method = GBA_TEXT("GET"),
                                     .uri = d->p[GBA_DIGEST_URI].value,
                                     .nonce = d->p[GBA_DIGEST_NONCE].value,
                                     .nc = d->p[GBA_DIGEST_NC].value,
                                     .cnonce = d->p[GBA_DIGEST_CNONCE].value,
                                     .password = {b->av.res, b->av.res_len}};
}

static size_t success(struct fake_bsf *b, const struct gba_digest *d, char *reply)
{
    struct gba_digest_input in = input_of(b, d);
    struct gba_bootstrapping_info info = {.lifetime_s = b->now_s + b->life_s,
                                          .currenttime_s = b->currenttime ? b->now_s : 0};
    char body[4096], rspauth[GBA_DIGEST_HEX_SIZE], fields[512];
    struct gba_wbuf w;

    gba_btid_make(b->av.rand, gba_text(b->name), info.btid);
    gba_wbuf_init(&w, body, sizeof(body));
    gba_bootstrapping_info_print(&info, &w);
    gba_wbuf_cstr(&w);
    edit(b, 200, true, body);
    in.method = GBA_TEXT("");
    in.body = gba_text_bytes(gba_text(body));
    gba_digest_response(&in, rspauth);
    snprintf(
        fields, sizeof(fields),
        "Content-Type: application/vnd.3gpp.bsf+xml\r\n"
        "Authentication-Info: qop=auth-int, rspauth=\"%s\", cnonce=\"%.*s\", nc=00000001\r\n",
        rspauth, (int)in.cnonce.n, in.cnonce.s);
    b->n_ok++;
    return finish(b, 200, fields, body, reply);
}

static size_t resynchronise(struct fake_bsf *b, const struct gba_digest *d, char *reply)
{
    struct gba_digest_input in = input_of(b, d);
    uint8_t auts[14], sqn_ms[6];

    b->n_auts++;
    in.password = (struct gba_bytes){NULL, 0}; /* RFC 3310 3.4 */
    if (!gba_digest_verify(&in, d->p[GBA_DIGEST_RESPONSE].value) ||
        gba_auts_parse(d->p[GBA_DIGEST_AUTS].value, auts) != GBA_OK ||
        gba_aka_open_auts(&b->secret, b->av.rand, auts, sqn_ms) != GBA_OK)
        return finish(b, 403, "", "", reply);
    if (!b->stale_always)
        b->next_sqn = ((gba_sqn_get(sqn_ms) >> GBA_SQN_IND_BITS) + 1) << GBA_SQN_IND_BITS;
    return challenge(b, reply);
}

size_t fake_bsf_answer(void *bsf, const char *head, char reply[FAKE_REPLY_MAX])
{
    struct fake_bsf *b = bsf;
    struct gba_digest d;
    struct gba_digest_input in;

    b->n_requests++;
    snprintf(b->authorization, sizeof(b->authorization), "%s",
             fake_field(head, "Authorization"));
    snprintf(b->host, sizeof(b->host), "%s", fake_field(head, "Host"));
    snprintf(b->agent, sizeof(b->agent), "%s", fake_field(head, "User-Agent"));
    if (gba_digest_parse(gba_text(b->authorization), &d) != GBA_OK)
        return finish(b, 400, "", "", reply);
    gba_text_copy(b->username, sizeof(b->username), d.p[GBA_DIGEST_USERNAME].value);
    if (b->refuse_tmpi && gba_is_tmpi(d.p[GBA_DIGEST_USERNAME].value))
        return finish(b, 403, "", "", reply);
    if (d.p[GBA_DIGEST_NONCE].value.n == 0)
        return b->refuse_first != 0
                   ? finish(b, b->refuse_first, "Retry-After: 7\r\n", "", reply)
                   : challenge(b, reply);
    if (b->never_satisfied || !gba_text_is(d.p[GBA_DIGEST_NONCE].value, b->nonce))
        return challenge(b, reply);
    if (d.p[GBA_DIGEST_AUTS].present)
        return resynchronise(b, &d, reply);
    if (d.p[GBA_DIGEST_RESPONSE].value.n == 0) {
        b->n_mac_failures++;
        return finish(b, 403, "", "", reply);
    }
    if (b->refuse_answer != 0)
        return finish(b, b->refuse_answer, "", "", reply);
    in = input_of(b, &d);
    if (!gba_digest_verify(&in, d.p[GBA_DIGEST_RESPONSE].value))
        return challenge(b, reply);
    return success(b, &d, reply);
}
