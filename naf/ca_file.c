/*
 * Files of the lab CA: see ca_file.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/ca_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/secret.h"

static enum gba_err check(int fd, bool secret, size_t *n)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return GBA_E_IO;
    if (!S_ISREG(st.st_mode) || (secret && (st.st_mode & 077) != 0))
        return GBA_E_FORBIDDEN;
    if (st.st_size < 0 || (uintmax_t)st.st_size > CA_FILE_MAX)
        return GBA_E_TOO_LONG;
    *n = (size_t)st.st_size;
    return GBA_OK;
}

static enum gba_err read_all(int fd, uint8_t *out, size_t n)
{
    size_t at = 0;

    while (at < n) {
        ssize_t got = read(fd, out + at, n - at);

        if (got == 0)
            errno = EIO; /* shorter than a moment ago */
        if (got == 0 || (got < 0 && errno != EINTR))
            return GBA_E_IO;
        at += got > 0 ? (size_t)got : 0;
    }
    return GBA_OK;
}

enum gba_err ca_file_read(const char *path, bool secret, uint8_t **out, size_t *n)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum gba_err err;

    *out = NULL;
    *n = 0;
    if (fd < 0)
        return errno == ENOENT ? GBA_E_NOT_FOUND : GBA_E_IO;
    err = check(fd, secret, n);
    if (err == GBA_OK && (*out = calloc(1, *n + 1)) == NULL)
        err = GBA_E_NOMEM;
    if (err == GBA_OK)
        err = read_all(fd, *out, *n);
    close(fd);
    if (err != GBA_OK && *out != NULL) {
        gba_wipe(*out, *n);
        free(*out);
        *out = NULL;
    }
    return err;
}

static bool write_all(int fd, struct gba_bytes data)
{
    while (data.n > 0) {
        ssize_t put = write(fd, data.p, data.n);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        data = (struct gba_bytes){data.p + put, data.n - (size_t)put};
    }
    return fsync(fd) == 0;
}

/* The rename itself is on the disk only when its folder is. */
bool ca_file_sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL   ? strdup(".")
                   : slash == path ? strdup("/")
                                   : strndup(path, (size_t)(slash - path));
    int fd = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    bool ok = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);

    free(folder);
    if (fd >= 0)
        close(fd);
    return ok;
}

enum gba_err ca_file_write(const char *path, struct gba_bytes data, mode_t mode)
{
    char *aside;
    int fd, saved;
    bool ok;

    if (asprintf(&aside, "%s.XXXXXX", path) < 0)
        return GBA_E_NOMEM;
    fd = mkostemp(aside, O_CLOEXEC); /* 0600 */
    ok = fd >= 0 && write_all(fd, data) && fchmod(fd, mode) == 0;
    saved = errno;
    if (fd >= 0 && close(fd) != 0 && ok) {
        saved = errno;
        ok = false;
    }
    if (ok && rename(aside, path) != 0) {
        saved = errno;
        ok = false;
    }
    if (!ok && fd >= 0)
        unlink(aside);
    free(aside);
    if (ok && !ca_file_sync_folder(path))
        return GBA_E_IO;
    errno = saved;
    return ok ? GBA_OK : GBA_E_IO;
}

enum gba_err ca_file_write_new(const char *path, struct gba_bytes data)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), why;

    if (fd < 0)
        return GBA_E_IO;
    why = write_all(fd, data) ? 0 : errno;
    if (close(fd) != 0 && why == 0)
        why = errno;
    if (why == 0 && !ca_file_sync_folder(path))
        why = errno;
    if (why == 0)
        return GBA_OK;
    unlink(path);
    errno = why;
    return GBA_E_IO;
}

enum gba_err ca_file_append(int fd, struct gba_bytes line)
{
    off_t end = lseek(fd, 0, SEEK_END);
    int saved;

    if (end < 0)
        return GBA_E_IO;
    if (write_all(fd, line))
        return GBA_OK;
    saved = errno;
    if (ftruncate(fd, end) == 0) /* no half line stays on a full disk */
        lseek(fd, end, SEEK_SET);
    errno = saved;
    return GBA_E_IO;
}
