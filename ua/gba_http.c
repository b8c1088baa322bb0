/*
 * gba get and gba put: a request to a NAF, by Digest with a B-TID or by PSK-TLS.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/ua_protocol.h"
#include "ua/gba.h"
#include "ua/private_file.h"
#include "ua/url.h"

#define BODY_MAX (1024u * 1024)

/* What --naf and --ua-protocol make of a fetch. */
struct http_job {
    struct gba_ue_fetch f;
    char url[2560], connect_to[300], suite[48];
    uint8_t ua_id[GBA_UE_UA_ID_LEN];
    uint8_t *body;
};

/* --naf: the URL says where, the option says who.  Host, TLS name and NAF_Id become the NAF's.
 */
static int name_naf(const struct gba_options *o, struct http_job *j)
{
    struct url u;

    if (url_parse(o->args[0], &u) != GBA_OK)
        return gba_usage("not an http or https URL: %s", o->args[0]);
    j->f.url = o->args[0];
    j->f.connect_to = o->connect_to;
    j->f.allow_http = o->allow_http != NULL || url_host_is_loopback(u.host);
    if (o->naf == NULL)
        return EX_OK;
    if (snprintf(j->url, sizeof(j->url), "%s://%s%s%.*s%.*s", u.https ? "https" : "http",
                 o->naf, u.port.n != 0 ? ":" : "", (int)u.port.n, u.port.n != 0 ? u.port.s : "",
                 (int)u.target.n, u.target.s) >= (int)sizeof(j->url) ||
        snprintf(j->connect_to, sizeof(j->connect_to), "%.*s:%.*s", (int)u.host.n, u.host.s,
                 (int)u.port.n, u.port.n != 0 ? u.port.s : "") >= (int)sizeof(j->connect_to))
        return gba_usage("URL too long");
    j->f.url = j->url;
    if (o->connect_to == NULL)
        j->f.connect_to = j->connect_to;
    return EX_OK;
}

static int choose_protocol(const struct gba_options *o, struct http_job *j)
{
    j->f.bare_identity = o->bare != NULL;
    if (o->ua_protocol == NULL)
        return EX_OK; /* as the NAF asks */
    if (gba_ue_ua_protocol(o->ua_protocol, j->ua_id) != GBA_OK)
        return gba_usage(
            "--ua-protocol takes http-digest, psk-tls12:XXXX, psk-tls13 or ten hex digits");
    if (strcmp(o->ua_protocol, "psk-tls13") == 0) {
        j->f.mode = GBA_UE_UA_PSK_TLS13;
        return EX_OK;
    }
    if (strncmp(o->ua_protocol, "psk-tls12:", 10) == 0) {
        if (gba_suite_name((uint16_t)(j->ua_id[3] << 8 | j->ua_id[4]), j->suite,
                           sizeof(j->suite)) != GBA_OK)
            return gba_usage("no such PSK suite here: %s", o->ua_protocol + 10);
        j->f.mode = GBA_UE_UA_PSK_TLS12;
        j->f.suites = j->suite;
        return EX_OK;
    }
    j->f.mode = GBA_UE_UA_DIGEST;
    j->f.ua_id = j->ua_id;
    return EX_OK;
}

static int read_body(const char *path, struct http_job *j)
{
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    int status = EX_OK;

    j->body = malloc(BODY_MAX + 1);
    if (in == NULL || j->body == NULL)
        return gba_complain(GBA_E_IO, path, strerror(errno));
    j->f.body_len = fread(j->body, 1, BODY_MAX + 1, in);
    j->f.body = j->body;
    if (ferror(in))
        status = gba_complain(GBA_E_IO, path, strerror(errno));
    else if (j->f.body_len > BODY_MAX)
        status = gba_complain(GBA_E_SYNTAX, path, "over 1 MiB");
    if (in != stdin)
        fclose(in);
    return status;
}

static int print_json(const struct gba_context *c, const struct gba_ue_reply *reply)
{
    struct gba_ue_session s;
    struct gba_report r;
    char *text = malloc(GBA_BASE64_LEN(reply->body_len) + 1);

    if (text == NULL)
        return gba_complain(GBA_E_NOMEM, "", NULL);
    gba_base64(text, (struct gba_bytes){reply->body, reply->body_len});
    gba_report_begin(&r, c->o, "");
    gba_report_number(&r, "status", "status", reply->status);
    if (gba_ue_keyring_session(c->device.ring, gba_ue_env_system.now_s(NULL), &s) == GBA_OK)
        gba_report_text(&r, "btid", "B-TID", s.btid);
    gba_report_bool(&r, "psk", "PSK-TLS", reply->psk);
    if (reply->suite != 0)
        gba_report_hex(&r, "suite", "suite",
                       (const uint8_t[]){(uint8_t)(reply->suite >> 8), (uint8_t)reply->suite},
                       2);
    gba_report_text(&r, "body_base64", "body", text);
    free(text);
    return gba_report_end(&r);
}

static int deliver(const struct gba_context *c, const struct gba_ue_reply *reply)
{
    const struct gba_bytes body = {reply->body, reply->body_len};
    const bool refused = reply->status >= 300; /* FILE is for what was asked for */
    int status = EX_OK;

    if (c->o->out != NULL && !refused && private_file_write(c->o->out, body, true) != GBA_OK)
        status = gba_complain(GBA_E_IO, c->o->out, strerror(errno));
    else if (c->o->json != NULL)
        status = print_json(c, reply);
    else if ((c->o->out == NULL || refused) && body.n != 0 &&
             (fwrite(body.p, 1, body.n, stdout) != body.n || fflush(stdout) != 0))
        status = gba_complain(GBA_E_IO, "standard output", strerror(errno));
    if (status == EX_OK && refused) {
        fprintf(stderr, "gba: %s: HTTP status %u\n", c->o->args[0], reply->status);
        status = reply->status >= 500   ? EX_UNAVAILABLE
                 : reply->status >= 400 ? EX_NOPERM
                                        : EX_PROTOCOL; /* redirects are not followed */
    }
    return status;
}

static int request(const struct gba_options *o, struct http_job *j)
{
    struct gba_ue_reply reply;
    struct gba_context c;
    int status = gba_open(o, GBA_OF_CARD, &c);

    if (status == EX_OK) {
        enum gba_err err = gba_ue_fetch(&c.device, &j->f, &reply);

        status = gba_save(&c);
        if (err != GBA_OK)
            status = gba_complain(err, c.device.why, NULL);
    }
    if (status == EX_OK)
        status = deliver(&c, &reply);
    gba_close(&c);
    return status;
}

static int run(const struct gba_options *o, const char *method)
{
    struct http_job *j = calloc(1, sizeof(*j));
    int status = j != NULL ? name_naf(o, j) : gba_complain(GBA_E_NOMEM, "", NULL);

    if (status == EX_OK)
        status = choose_protocol(o, j);
    if (status == EX_OK && strcmp(method, "PUT") == 0)
        status = read_body(o->data != NULL ? o->data : "-", j);
    if (status == EX_OK) {
        j->f.method = method;
        j->f.content_type =
            strcmp(method, "PUT") == 0
                ? o->content_type != NULL ? o->content_type : "application/octet-stream"
                : NULL;
        status = request(o, j);
    }
    if (j != NULL)
        free(j->body);
    free(j);
    return status;
}

int gba_cmd_get(const struct gba_options *o)
{
    return run(o, "GET");
}

int gba_cmd_put(const struct gba_options *o)
{
    return run(o, "PUT");
}
