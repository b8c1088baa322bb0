/*
 * The file of a soft USIM on the disk, and its lines, written; see ua/usim_file.h.  What the
 * card does with it is usim_soft.c's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/usim_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ua/private_file.h"

static void print_text(struct gba_wbuf *w, const char *name, const char *value)
{
    gba_wbuf_str(w, name);
    gba_wbuf_str(w, "=");
    gba_wbuf_str(w, value);
    gba_wbuf_str(w, "\n");
}

static void print_hex(struct gba_wbuf *w, const char *name, const uint8_t *p, size_t n)
{
    gba_wbuf_str(w, name);
    gba_wbuf_str(w, "=");
    gba_wbuf_hex(w, (struct gba_bytes){p, n});
    gba_wbuf_str(w, "\n");
}

static void print_number(struct gba_wbuf *w, const char *name, uint64_t v)
{
    gba_wbuf_str(w, name);
    gba_wbuf_str(w, "=");
    gba_wbuf_number(w, v);
    gba_wbuf_str(w, "\n");
}

static void print_secret(const struct gba_aka_secret *s, struct gba_wbuf *w)
{
    print_text(w, "algorithm", gba_aka_name(s->algorithm));
    print_hex(w, "k", s->k, s->k_len);
    if (s->algorithm == GBA_AKA_MILENAGE)
        print_hex(w, "opc", s->opc, 16);
    if (s->algorithm == GBA_AKA_TUAK) {
        print_hex(w, "topc", s->opc, 32);
        print_number(w, "iterations", s->iterations != 0 ? s->iterations : 1);
    }
    if (s->own_fmk)
        print_hex(w, "fmk", s->fmk, sizeof(s->fmk));
    print_number(w, "res_len", s->res_len);
}

enum gba_err usim_file_print(const struct usim_file *u, struct gba_wbuf *w)
{
    gba_wbuf_str(w, "# Soft USIM: holds the key of a subscriber, keep it secret.\n");
    print_text(w, "type", u->application == GBA_UE_ISIM ? "isim" : "usim");
    if (u->imsi[0] != '\0')
        print_text(w, "imsi", u->imsi);
    if (u->mnc_len != 0)
        print_number(w, "mnc_len", u->mnc_len);
    if (u->impi_given)
        print_text(w, "impi", u->impi);
    print_text(w, "gba_u", u->gba_u ? "yes" : "no");
    print_secret(&u->secret, w);
    for (unsigned ind = 0; ind < GBA_SQN_ARRAY; ind++) {
        gba_wbuf_str(w, ind == 0 ? "seq=" : ",");
        gba_wbuf_number(w, u->sqn.seq[ind]);
    }
    gba_wbuf_str(w, "\n");
    if (u->has_ks) {
        print_hex(w, "gba_ks", u->ks.octets, sizeof(u->ks.octets));
        print_hex(w, "gba_rand", u->gba_rand, sizeof(u->gba_rand));
    }
    if (u->gba_btid[0] != '\0') {
        print_text(w, "gba_btid", u->gba_btid);
        print_number(w, "gba_expires", (uint64_t)u->gba_expires_s);
    }
    return gba_wbuf_ok(w) ? GBA_OK : GBA_E_TOO_LONG;
}

enum gba_err usim_file_write(const char *path, const struct usim_file *u, bool replace)
{
    uint8_t text[USIM_FILE_MAX];
    struct gba_wbuf w;
    enum gba_err err;

    gba_wbuf_init(&w, text, sizeof(text));
    err = usim_file_print(u, &w);
    if (err == GBA_OK)
        err = private_file_write(path, gba_wbuf_bytes(&w), replace);
    gba_wipe(text, sizeof(text));
    return err;
}

/* The file is replaced at every write: a lock counts only if the path still names what was
 * locked. */
static int open_locked(const char *path)
{
    for (;;) {
        const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        struct stat ours, now;

        if (fd < 0)
            return -1;
        if (flock(fd, LOCK_EX) == 0 && fstat(fd, &ours) == 0 && stat(path, &now) == 0 &&
            ours.st_ino == now.st_ino && ours.st_dev == now.st_dev)
            return fd;
        close(fd);
    }
}

enum gba_err usim_file_open(const char *path, int *fd, struct usim_file *out,
                            char why[static USIM_WHY_SIZE])
{
    uint8_t text[USIM_FILE_MAX];
    enum gba_err err;
    size_t n = 0;

    *fd = open_locked(path);
    if (*fd < 0) {
        snprintf(why, USIM_WHY_SIZE, "%s", strerror(errno));
        return errno == ENOENT ? GBA_E_NOT_FOUND : errno == ELOOP ? GBA_E_FORBIDDEN : GBA_E_IO;
    }
    err = private_file_read(*fd, text, sizeof(text), &n);
    if (err == GBA_OK)
        err = usim_file_parse((struct gba_text){(const char *)text, n}, out, why);
    else
        snprintf(why, USIM_WHY_SIZE, "%s",
                 err == GBA_E_FORBIDDEN
                     ? "not a plain file that only its owner may read (chmod 600)"
                     : gba_err_text(err));
    gba_wipe(text, sizeof(text));
    if (err != GBA_OK) {
        close(*fd);
        *fd = -1;
    }
    return err;
}
