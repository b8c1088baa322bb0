/*
 * gba connect: a TLS session with an enrolment target, by the stored credential
 * (TS-0003 8.2.2.1: psk_identity is KpsaID as it is, psk is Kpsa), by a certificate (8.2.2.2) or
 * by a key of a MAF (8.2.2.3: KcID and Kc, in the same way).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/identity.h"
#include "common/m2m_id.h"
#include "ua/gba.h"
#include "ua/gba_tls.h"
#include "ua/private_file.h"

#define DEFAULT_SUITE "PSK-AES128-CBC-SHA256" /* 00AE: TS-0003 10.2.2 */
/* With C023, which 10.2.3 wants of both ends, last. */
#define CERTIFICATE_SUITES "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE-ECDSA-AES128-SHA256"

static int key_from_file(const char *path, uint8_t key[static GBA_UE_KEY_LEN])
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t text[80];
    size_t n = 0;
    enum gba_err err;

    if (fd < 0)
        return gba_complain(GBA_E_IO, path, strerror(errno));
    err = private_file_read(fd, text, sizeof(text), &n);
    close(fd);
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    if (err == GBA_OK)
        err = gba_unhex_exact(key, GBA_UE_KEY_LEN, (struct gba_text){(const char *)text, n});
    gba_ue_wipe(text, sizeof(text));
    return err == GBA_OK ? EX_OK
                         : gba_complain(GBA_E_SYNTAX, path,
                                        "not a file of mode 0600 with 64 hexadecimal digits");
}

static int find_credential(const struct gba_options *o, struct gba_ue_credential *out)
{
    struct gba_context c;
    enum gba_err err = GBA_E_NOT_FOUND;
    int status = EX_OK;

    for (int i = gba_has_card(o) ? GBA_OF_CARD : GBA_OF_DEVICE;
         status == EX_OK && err != GBA_OK && i <= GBA_OF_DEVICE; i++) {
        status = gba_open(o, (enum gba_holder)i, &c);
        if (status == EX_OK)
            err = gba_ue_keyring_credential(c.device.ring, o->target,
                                            gba_ue_env_system.now_s(NULL), out);
        gba_close(&c);
    }
    return status != EX_OK || err == GBA_OK
               ? status
               : gba_complain(err, o->target, "no valid credential; gba enrol makes one");
}

static bool split_peer(const char *text, char *host, size_t cap, const char **port)
{
    const char *colon = strrchr(text, ':');
    size_t n = colon != NULL ? (size_t)(colon - text) : 0;

    if (n == 0 || n >= cap || colon[1] == '\0')
        return false;
    if (text[0] == '[' && text[n - 1] == ']') {
        text++;
        n -= 2;
    }
    memcpy(host, text, n);
    host[n] = '\0';
    *port = colon + 1;
    return n > 0;
}

static int print_session(const struct gba_options *o, const struct gba_tls *t, const char *line)
{
    struct gba_report r;
    const char *name;
    uint8_t code[2];
    uint16_t suite;

    name = gba_tls_suite(t, &suite);
    code[0] = (uint8_t)(suite >> 8);
    code[1] = (uint8_t)suite;
    gba_report_begin(&r, o,
                     t->identity != NULL ? "TLS-PSK session established."
                                         : "TLS session by certificates established.");
    gba_report_text(&r, "peer", "peer", o->args[0]);
    if (t->identity != NULL)
        gba_report_text(&r, "key_id", "key id", t->identity);
    gba_report_text(&r, "suite_name", "suite", name);
    gba_report_hex(&r, "suite", "code", code, sizeof(code));
    gba_report_text(&r, "answer", "answer", line[0] != '\0' ? line : "(none)");
    return gba_report_end(&r);
}

/* What is said first: the line of --send, or a request any registrar over HTTP answers
 * (TS-0009). */
static const char *greeting(const struct gba_options *o, const char *fqdn, char *out,
                            size_t cap)
{
    if (o->send != NULL)
        snprintf(out, cap, "%s\n", o->send);
    else
        snprintf(out, cap, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
                 fqdn[0] != '\0' ? fqdn : "localhost");
    return out;
}

static int session(const struct gba_options *o, struct gba_tls *t, const char *fqdn,
                   const char *suites, unsigned timeout_s)
{
    const char *port;
    char host[256], line[512], text[1024];
    enum gba_err err;
    int status;

    if (!split_peer(o->args[0], host, sizeof(host), &port))
        return gba_usage("connect takes HOST:PORT or [V6]:PORT");
    err = gba_tls_open(t, host, port, fqdn, suites, timeout_s);
    if (err == GBA_OK)
        err = gba_tls_ask(t, greeting(o, fqdn, text, sizeof(text)), line, sizeof(line));
    status = err == GBA_OK ? print_session(o, t, line) : gba_complain(err, o->args[0], t->why);
    gba_tls_close(t);
    return status;
}

static int by_key(const struct gba_options *o, const struct gba_ue_credential *k,
                  unsigned timeout_s)
{
    struct gba_tls t = {.identity = o->key_id != NULL ? o->key_id : k->key_id, .fd = -1};

    memcpy(t.key, k->key, sizeof(t.key));
    return session(o, &t, k->fqdn,
                   o->suites != NULL     ? o->suites
                   : k->suite[0] != '\0' ? k->suite
                                         : DEFAULT_SUITE,
                   timeout_s);
}

/* The target's certificate has its public domain name (TS-0003 10.1.1). */
static int by_certificate(const struct gba_options *o, unsigned timeout_s)
{
    struct gba_tls t = {.cert_file = o->cert, .key_file = o->key, .ca_file = o->ca, .fd = -1};
    char fqdn[GBA_FQDN_SIZE];
    struct m2m_id id;
    struct stat st;
    enum gba_err err = GBA_OK;

    if (o->target_fqdn != NULL)
        err = gba_fqdn_canonical(gba_text(o->target_fqdn), fqdn);
    else if (m2m_cse_id_parse(gba_text(o->target), &id) != GBA_OK)
        err = GBA_E_SYNTAX;
    else
        err = m2m_cse_domain(&id, GBA_TEXT(""), fqdn);
    if (err != GBA_OK)
        return gba_usage(
            "connect --cert needs --target-fqdn, or an Absolute CSE-ID as --target");
    if (stat(o->key, &st) == 0 && (st.st_mode & 077) != 0)
        return gba_complain(GBA_E_CONFIG, o->key, "others may read it: mode must be 0600");
    return session(o, &t, fqdn, o->suites != NULL ? o->suites : CERTIFICATE_SUITES, timeout_s);
}

int gba_cmd_connect(const struct gba_options *o)
{
    struct gba_ue_credential k;
    uint64_t timeout_s = 30;
    int status = EX_OK;

    if ((o->cert != NULL) != (o->key != NULL) ||
        (o->psk != NULL) + (o->cert != NULL && o->maf == NULL) + (o->maf != NULL) != 1)
        return gba_usage("connect needs one of --psk, --maf URL, or --cert and --key");
    if (o->psk == NULL && o->maf == NULL && o->target == NULL && o->target_fqdn == NULL)
        return gba_usage("connect needs --target CSE-ID");
    if (o->psk != NULL && o->target == NULL && (o->key_id == NULL || o->key_file == NULL))
        return gba_usage("connect needs --target CSE-ID, or --key-id and --key-file");
    if (o->timeout != NULL &&
        (gba_text_number(gba_text(o->timeout), 3600, &timeout_s) != GBA_OK || timeout_s == 0))
        return gba_usage("--timeout takes 1 to 3600 seconds");
    if (o->psk == NULL && o->maf == NULL)
        return by_certificate(o, (unsigned)timeout_s);
    memset(&k, 0, sizeof(k));
    if (o->maf != NULL)
        status = gba_maf_key(o, &k);
    else if (o->target != NULL)
        status = find_credential(o, &k);
    if (status == EX_OK && o->key_file != NULL)
        status = key_from_file(o->key_file, k.key);
    if (status == EX_OK)
        status = by_key(o, &k, (unsigned)timeout_s);
    gba_ue_wipe(&k, sizeof(k));
    return status;
}
