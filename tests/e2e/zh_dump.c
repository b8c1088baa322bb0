/*
 * Writes what goes over Zh into files, for a dissector: DIR/mar of the adapter, with
 * resynchronisation and GUSS-Timestamp, and DIR/maa of mock-hss.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/e2e/raw_diameter.h"
#include "tests/e2e/zh_lab.h"

#define ZH 16777221u

static struct zh_lab lab;

static void write_file(const char *folder, const char *name, const struct raw_message *m)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "we");
    MUST(f != NULL && fwrite(m->octets, 1, m->n, f) == m->n && fclose(f) == 0);
}

/* The adapter's request, received by a peer made of octets. */
static void get_mar(struct raw_message *mar)
{
    struct zh_query q = zh_lab_query(HSS_IMPI);
    char address[64];
    int listener = raw_listen(address), fd;

    zh_lab_init(&lab);
    zh_lab_peer(&lab, "hss1.hss.test", address);
    lab.config.deadline_ms = 200;
    zh_lab_open(&lab, 0);
    fd = accept(listener, NULL, NULL);
    MUST(fd >= 0 && raw_serve_cer(fd, "hss1.hss.test", ZH));
    zh_lab_wait_up(&lab, 1);
    q.resync = true;
    q.guss_timestamp_s = 1767323045;
    (void)zh_lab_ask(&lab, &q);
    MUST(raw_next_request(fd, "hss1.hss.test", mar));
    close(fd);
    close(listener);
    zh_lab_close(&lab);
}

/* mock-hss' answer to that request without the resynchronisation. */
static void get_maa(const struct raw_message *mar, struct raw_message *maa)
{
    struct hss_child h = hss_start("hss1.hss.test", NULL);
    int fd = raw_connect(h.address);
    struct raw_message m;
    struct raw_avp avp;
    size_t at = 20;

    raw_begin(&m, RAW_REQUEST | RAW_PROXIABLE, 303, ZH, 7, 9);
    while (raw_next(mar, &at, &avp))
        if (avp.code != 612 && avp.code != 409)
            raw_put(&m, avp.vendor, avp.code, avp.p, avp.n);
    MUST(fd >= 0 && raw_send_cer(fd, "bsf.zh.test", ZH));
    MUST(raw_send(fd, &m) && raw_receive(fd, maa));
    close(fd);
    MUST(hss_stop(&h) == 0);
}

int main(int argc, char **argv)
{
    struct raw_message mar, maa;

    if (argc != 2)
        return 64;
    setpgid(0, 0);
    alarm(60);
    get_mar(&mar);
    get_maa(&mar, &maa);
    write_file(argv[1], "mar", &mar);
    write_file(argv[1], "maa", &maa);
    return 0;
}
