/*
 * The configuration of libfdcore, which it reads from a file: that is written into memory
 * (memfd) and never touches a disk.  See diameter_internal.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/diameter_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Quoted text of libfdcore's grammar knows no escapes. */
static bool quotable(const char *s)
{
    if (s == NULL || *s == '\0')
        return false;
    for (; *s != '\0'; s++)
        if ((unsigned char)*s < 0x20 || *s == '"' || *s == '\\' || *s == 0x7f)
            return false;
    return true;
}

bool diameter_is_identity(const char *s)
{
    size_t n = s != NULL ? strlen(s) : 0;

    return n > 0 && n <= 255 &&
           strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == n;
}

const char *diameter_config_fault(const struct diameter_config *c)
{
    if (!diameter_is_identity(c->identity) || !diameter_is_identity(c->realm))
        return "identity and realm must be Diameter identities";
    if (c->tls_cert != NULL && (!quotable(c->tls_cert) || !quotable(c->tls_key)))
        return "TLS needs a certificate and a key, their paths without quotes";
    if (c->tls_ca != NULL && !quotable(c->tls_ca))
        return "the path of the TLS CA holds a quote";
    if (c->listen_tls && c->tls_cert == NULL)
        return "listening with TLS needs a certificate";
    for (size_t i = 0; i < c->n_peers; i++) {
        const struct diameter_peer *p = &c->peers[i];

        if (!diameter_is_identity(p->identity) || !diameter_is_identity(p->realm))
            return "a peer's identity and realm must be Diameter identities";
        if (p->host == NULL || strlen(p->host) > 255 || p->port == 0)
            return "a peer needs an address and a port";
        if (p->tls && c->tls_cert == NULL)
            return "a peer with TLS needs our certificate";
    }
    return NULL;
}

static void write_config(FILE *f, const struct diameter_config *c, uint16_t port)
{
    bool sctp = false;

    for (size_t i = 0; i < c->n_peers; i++)
        sctp = sctp || c->peers[i].sctp;
    fprintf(f, "Identity = \"%s\";\nRealm = \"%s\";\n", c->identity, c->realm);
    fprintf(f, "Port = %u;\nSecPort = %u;\n", c->listen_tls ? 0u : port,
            c->listen_tls ? port : 0u);
    fprintf(f, "NoRelay;\n%s", sctp ? "" : "No_SCTP;\n");
    fprintf(f, "TcTimer = %u;\nTwTimer = %u;\nAppServThreads = %u;\n",
            c->reconnect_s != 0 ? c->reconnect_s : 5, c->watchdog_s != 0 ? c->watchdog_s : 30,
            c->threads != 0 ? c->threads : 2);
    if (c->tls_cert != NULL)
        fprintf(f, "TLS_Cred = \"%s\", \"%s\";\n", c->tls_cert, c->tls_key);
    if (c->tls_ca != NULL)
        fprintf(f, "TLS_CA = \"%s\";\n", c->tls_ca);
}

int diameter_config_parse(struct diameter *d, const struct diameter_config *c)
{
    int fd = memfd_create("diameter", MFD_CLOEXEC), err;
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;

    if (f == NULL) {
        err = errno;
        if (fd >= 0)
            close(fd);
        return err;
    }
    write_config(f, c, d->port);
    err = fflush(f) == 0 ? 0 : errno;
    snprintf(d->conf_path, sizeof(d->conf_path), "/proc/self/fd/%d", fd);
    if (err == 0)
        err = fd_core_parseconf(d->conf_path);
    fclose(f);
    return err;
}
