/*
 * Files that hold secrets; see ua/private_file.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum gba_err private_file_read(int fd, uint8_t *out, size_t cap, size_t *n)
{
    struct stat st;
    ssize_t got;

    *n = 0;
    if (fstat(fd, &st) != 0)
        return GBA_E_IO;
    if (!S_ISREG(st.st_mode) || (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return GBA_E_FORBIDDEN;
    if (st.st_size < 0 || (uintmax_t)st.st_size > cap)
        return GBA_E_TOO_LONG;
    while (*n < cap && (got = pread(fd, out + *n, cap - *n, (off_t)*n)) != 0) {
        if (got < 0 && errno != EINTR)
            return GBA_E_IO;
        *n += got > 0 ? (size_t)got : 0;
    }
    return GBA_OK;
}

static enum gba_err write_all(int fd, struct gba_bytes data)
{
    while (data.n > 0) {
        const ssize_t put = write(fd, data.p, data.n);

        if (put < 0 && errno != EINTR)
            return GBA_E_IO;
        if (put > 0)
            data = (struct gba_bytes){data.p + put, data.n - (size_t)put};
    }
    return GBA_OK;
}

/* The rename itself is on the disk only when its folder is. */
static enum gba_err sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL   ? strdup(".")
                   : slash == path ? strdup("/")
                                   : strndup(path, (size_t)(slash - path));
    int fd, rc;

    if (folder == NULL)
        return GBA_E_NOMEM;
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    if (fd < 0)
        return GBA_E_IO;
    rc = fsync(fd);
    close(fd);
    return rc == 0 || errno == EINVAL ? GBA_OK : GBA_E_IO;
}

static enum gba_err publish(const char *aside, const char *path, bool replace)
{
    if (replace)
        return rename(aside, path) == 0 ? GBA_OK : GBA_E_IO;
    if (link(aside, path) != 0) /* unlike rename, never over a file that is there */
        return errno == EEXIST ? GBA_E_EXISTS : GBA_E_IO;
    unlink(aside);
    return GBA_OK;
}

/* A rename would put a file in the place of /dev/null, or of a FIFO at whose end one waits; and
 * nobody knows who reads what is written through it. */
static bool takes_the_place_of_a_device(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

enum gba_err private_file_write(const char *path, struct gba_bytes data, bool replace)
{
    enum gba_err err = GBA_E_IO;
    char *aside;
    int fd, saved;

    if (replace && takes_the_place_of_a_device(path)) {
        errno = ENOTSUP;
        return GBA_E_IO;
    }
    if (asprintf(&aside, "%s.XXXXXX", path) < 0)
        return GBA_E_NOMEM;
    fd = mkostemp(aside, O_CLOEXEC); /* mode 0600 */
    if (fd < 0)
        goto out;
    err = write_all(fd, data);
    if (err == GBA_OK && fsync(fd) != 0)
        err = GBA_E_IO;
    if (close(fd) != 0 && err == GBA_OK)
        err = GBA_E_IO;
    if (err == GBA_OK)
        err = publish(aside, path, replace);
    saved = errno;
    if (err != GBA_OK)
        unlink(aside);
    else
        err = sync_folder(path);
    if (err != GBA_OK && saved != 0)
        errno = saved;
out:
    free(aside);
    return err;
}
