/*
 * A DTLS client by lines, for end-to-end tests in other languages: what openssl s_client cannot
 * (identities of any octets, raw public keys, sessions without extended master secret).
 *
 *   dtls_peer ADDRESS [NAME=VALUE...]     identity, key: hexadecimal; priority: c0a8 (default),
 *                                         c0ae, raw, or a string of GnuTLS; cert, cert_key,
 *                                         raw_public, raw_key: PEM files; patience: ms
 *
 * It says "up suite=... bootstrap=HEX connection=HEX" or "down REASON ALERT"; then each line of
 * hexadecimal is sent as one datagram, and answered by "got HEX", "none" or "closed".  "?" only
 * waits.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/tls.h"
#include "tests/host/dtls_client.h"

#define WAIT_MS 3000
#define OCTETS  16384

/* Octets of the line, in the room of its digits. */
static struct gba_bytes unhex(char *hex)
{
    size_t n = 0;

    if (gba_unhex((uint8_t *)hex, strlen(hex), gba_text(hex), &n) != GBA_OK) {
        fprintf(stderr, "dtls_peer: not hexadecimal\n");
        exit(64);
    }
    return (struct gba_bytes){(const uint8_t *)hex, n};
}

static void take(struct dtls_client_config *c, const char *name, char *value)
{
    if (strcmp(name, "identity") == 0)
        c->identity = unhex(value);
    else if (strcmp(name, "key") == 0)
        c->key = unhex(value);
    else if (strcmp(name, "priority") == 0)
        c->priority = strcmp(value, "c0a8") == 0   ? DTLS_C0A8
                      : strcmp(value, "c0ae") == 0 ? DTLS_C0AE
                      : strcmp(value, "raw") == 0  ? DTLS_C0AE_RAW
                                                   : value;
    else if (strcmp(name, "cert") == 0)
        c->cert_file = value;
    else if (strcmp(name, "cert_key") == 0)
        c->key_file = value;
    else if (strcmp(name, "raw_public") == 0)
        c->raw_public_file = value;
    else if (strcmp(name, "raw_key") == 0)
        c->raw_key_file = value;
    else if (strcmp(name, "patience") == 0)
        c->patience_ms = (unsigned)atoi(value);
    else
        exit(64);
}

static void say_up(struct dtls_client *c)
{
    static const char *const labels[] = {"EXPORTER-oneM2M-Bootstrap",
                                         "EXPORTER-oneM2M-Connection"};
    uint8_t key[48];
    char hex[97];

    printf("up suite=%04x", tls_suite(c->s));
    for (size_t i = 0; i < 2; i++) {
        tls_export(c->s, labels[i], key, sizeof(key));
        gba_hex(hex, GBA_BYTES(key));
        printf(" %s=%s", i == 0 ? "bootstrap" : "connection", hex);
    }
    printf("\n");
}

static void say_answer(struct dtls_client *c)
{
    static uint8_t octets[OCTETS];
    static char hex[2 * OCTETS + 1];
    ssize_t n = dtls_client_receive(c, octets, sizeof(octets), WAIT_MS);

    if (n > 0) {
        gba_hex(hex, (struct gba_bytes){octets, (size_t)n});
        printf("got %s\n", hex);
    } else {
        printf(n == GNUTLS_E_TIMEDOUT ? "none\n" : "closed\n");
    }
}

int main(int argc, char **argv)
{
    static char line[2 * OCTETS + 2];
    struct dtls_client_config conf = {.priority = NULL};
    struct dtls_client c;
    int rc;

    if (argc < 2)
        return 64;
    for (int i = 2; i < argc; i++) {
        char *value = strchr(argv[i], '=');

        if (value == NULL)
            return 64;
        *value++ = '\0';
        take(&conf, argv[i], value);
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    rc = dtls_client_open(&c, argv[1], &conf);
    if (rc != 0) {
        printf("down %s alert=%d\n", gnutls_strerror_name(rc),
               rc == GNUTLS_E_FATAL_ALERT_RECEIVED ? (int)gnutls_alert_get(c.s) : -1);
        dtls_client_close(&c);
        return 1;
    }
    say_up(&c);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strcmp(line, "?") != 0)
            dtls_client_send(&c, unhex(line));
        say_answer(&c);
    }
    dtls_client_end(&c, true);
    dtls_client_close(&c);
    return 0;
}
