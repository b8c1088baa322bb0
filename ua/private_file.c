/*
 * Files that hold secrets; see ua/private_file.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/host/special_file.h"

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

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL   ? strdup(".")
           : slash == path ? strdup("/")
                           : strndup(path, (size_t)(slash - path));
}

/* The rename itself is on the disk only when its folder is. */
static enum gba_err sync_folder(const char *path)
{
    char *folder = folder_of(path);
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

/* What is written aside: without a name where the file system has such files, so that a crash
 * leaves no copy of a secret behind; else, and as soon as it is whole, under that name. */
struct aside {
    char *name;
    bool named;
    int fd;
};

static bool open_aside(struct aside *a, const char *path)
{
    char *folder = folder_of(path);

    *a = (struct aside){.fd = -1};
    if (folder != NULL && access("/proc/self/fd", X_OK) == 0)
        a->fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    free(folder);
    if (asprintf(&a->name, "%s.%ld-%d.XXXXXX", path, (long)getpid(), a->fd) < 0)
        a->name = NULL;
    if (a->fd >= 0 || a->name == NULL)
        return a->name != NULL;
    a->fd = mkostemp(a->name, O_CLOEXEC); /* mode 0600 */
    a->named = a->fd >= 0;
    return a->named;
}

static bool link_to(const struct aside *a, const char *path)
{
    char self[64];

    if (a->named)
        return link(a->name, path) == 0;
    snprintf(self, sizeof(self), "/proc/self/fd/%d", a->fd);
    return linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}

static enum gba_err publish(struct aside *a, const char *path, bool replace)
{
    if (!replace) /* link: unlike rename, never over a file that is there */
        return link_to(a, path) ? GBA_OK : errno == EEXIST ? GBA_E_EXISTS : GBA_E_IO;
    if (!a->named)
        a->named = link_to(a, a->name) ||
                   (errno == EEXIST && unlink(a->name) == 0 && link_to(a, a->name));
    if (!a->named || rename(a->name, path) != 0)
        return GBA_E_IO;
    a->named = false;
    return GBA_OK;
}

enum gba_err private_file_write(const char *path, struct gba_bytes data, bool replace)
{
    struct aside a;
    enum gba_err err = GBA_E_IO;
    int saved;

    if (replace && special_file(path)) { /* nobody knows who reads what is written to it */
        errno = ENOTSUP;
        return GBA_E_IO;
    }
    if (open_aside(&a, path))
        err = write_all(a.fd, data);
    if (err == GBA_OK && fsync(a.fd) != 0)
        err = GBA_E_IO;
    if (err == GBA_OK)
        err = publish(&a, path, replace);
    saved = errno;
    if (a.fd >= 0 && close(a.fd) != 0 && err == GBA_OK) {
        err = GBA_E_IO;
        saved = errno;
    }
    if (a.named)
        unlink(a.name);
    free(a.name);
    if (err == GBA_OK)
        return sync_folder(path);
    errno = saved;
    return err;
}
