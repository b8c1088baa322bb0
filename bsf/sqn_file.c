/*
 * The file of sequence numbers: text lines `SQN IMPI` (12 hexadecimal digits), the last line of
 * an IMPI counts.  Appended and synced while running, rewritten by temporary file and rename at
 * start and end.  It knows no AKA; what is reserved ahead is zh_file.c's decision.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/sqn_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER        "opengaa-sqn 1\n"
#define MARK_LINE_MAX (12 + 1 + GBA_IMPI_SIZE + 1)
#define FILE_MAX      (256u << 20)

struct sqn_file {
    char *path, *temporary;
    int fd, lock_fd;
    size_t size;  /* of whole, synced lines */
    bool damaged; /* a failed write could not be undone: only a rewrite helps */
    struct sqn_mark *unknown;
    size_t n_unknown;
};

static bool write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

static size_t print_line(char line[static MARK_LINE_MAX], const struct sqn_mark *m)
{
    int n = snprintf(line, MARK_LINE_MAX, "%012llx %s\n", (unsigned long long)m->sqn, m->impi);

    return (size_t)n;
}

/* ---- reading -------------------------------------------------------------------------- */

static int by_impi(const void *key, const void *mark)
{
    return strcmp(key, ((const struct sqn_mark *)mark)->impi);
}

static enum gba_err keep_unknown(struct sqn_file *f, const struct sqn_mark *m)
{
    struct sqn_mark *more;

    for (size_t i = 0; i < f->n_unknown; i++)
        if (strcmp(f->unknown[i].impi, m->impi) == 0) {
            f->unknown[i].sqn = m->sqn;
            return GBA_OK;
        }
    more = realloc(f->unknown, (f->n_unknown + 1) * sizeof(*more));
    if (more == NULL)
        return GBA_E_NOMEM;
    f->unknown = more;
    f->unknown[f->n_unknown++] = *m;
    return GBA_OK;
}

static enum gba_err read_line(struct sqn_file *f, struct gba_text line, struct sqn_mark *marks,
                              size_t n)
{
    struct gba_text sqn, impi;
    struct sqn_mark m = {.sqn = 0}, *known;
    uint8_t octets[6];

    if (!gba_text_split(line, ' ', &sqn, &impi) || impi.n == 0 ||
        gba_unhex_exact(octets, sizeof(octets), sqn) != GBA_OK ||
        gba_text_copy(m.impi, sizeof(m.impi), impi) != GBA_OK)
        return GBA_E_SYNTAX;
    for (size_t i = 0; i < sizeof(octets); i++)
        m.sqn = m.sqn << 8 | octets[i];
    known = bsearch(m.impi, marks, n, sizeof(*marks), by_impi);
    if (known == NULL)
        return keep_unknown(f, &m);
    known->sqn = m.sqn;
    return GBA_OK;
}

static enum gba_err read_text(struct sqn_file *f, struct gba_text text, struct sqn_mark *marks,
                              size_t n, size_t *line)
{
    struct gba_text head, rest = text;
    enum gba_err err;

    *line = 1;
    if (memchr(text.s, '\n', text.n) == NULL)
        return GBA_E_SYNTAX; /* a file of ours was never without its first line */
    /* What follows the last line feed is torn: it was never synced, so never used. */
    for (; gba_text_split(rest, '\n', &head, &rest); (*line)++) {
        if (*line == 1)
            err = gba_text_is(head, "opengaa-sqn 1") ? GBA_OK : GBA_E_SYNTAX;
        else
            err = read_line(f, head, marks, n);
        if (err != GBA_OK)
            return err;
    }
    return GBA_OK;
}

static enum gba_err read_file(struct sqn_file *f, struct sqn_mark *marks, size_t n,
                              size_t *line)
{
    int fd = open(f->path, O_RDONLY | O_CLOEXEC);
    enum gba_err err = GBA_E_IO;
    struct stat st;
    char *text;
    size_t got = 0;

    if (fd < 0)
        return errno == ENOENT ? GBA_OK : GBA_E_IO;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
        close(fd);
        return GBA_E_IO;
    }
    text = malloc((size_t)st.st_size + 1);
    while (text != NULL && got < (size_t)st.st_size) {
        ssize_t r = read(fd, text + got, (size_t)st.st_size - got);

        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            break;
        got += (size_t)r;
    }
    if (text != NULL && got == (size_t)st.st_size)
        err = read_text(f, (struct gba_text){text, got}, marks, n, line);
    free(text);
    close(fd);
    return err;
}

/* ---- writing -------------------------------------------------------------------------- */

enum gba_err sqn_file_append(struct sqn_file *f, const struct sqn_mark *marks, size_t n)
{
    char line[MARK_LINE_MAX], *text;
    size_t used = 0;
    bool ok;

    if (f->damaged)
        return GBA_E_IO;
    text = malloc(n * MARK_LINE_MAX + 1);
    if (text == NULL)
        return GBA_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        size_t len = print_line(line, &marks[i]);

        memcpy(text + used, line, len);
        used += len;
    }
    ok = write_all(f->fd, text, used) && fdatasync(f->fd) == 0;
    free(text);
    if (ok) {
        f->size += used;
        return GBA_OK;
    }
    /* A half-written line must not become the head of the next one, and after a failed sync
     * the kernel may have dropped what it had.  Without both the next append stands where this
     * one began; else only a rewrite helps. */
    f->damaged = ftruncate(f->fd, (off_t)f->size) != 0;
    return GBA_E_IO;
}

static bool write_marks(int fd, const struct sqn_mark *marks, size_t n, size_t *size)
{
    char block[64 * 1024];
    size_t used = 0;

    for (size_t i = 0; i < n; i++) {
        used += print_line(block + used, &marks[i]);
        if (used + MARK_LINE_MAX > sizeof(block) || i + 1 == n) {
            if (!write_all(fd, block, used))
                return false;
            *size += used;
            used = 0;
        }
    }
    return true;
}

static bool sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL   ? strdup(".")
                   : slash == path ? strdup("/")
                                   : strndup(path, (size_t)(slash - path));
    int fd = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    bool ok = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    free(folder);
    return ok;
}

enum gba_err sqn_file_rewrite(struct sqn_file *f, const struct sqn_mark *marks, size_t n)
{
    int fd = open(f->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    size_t size = sizeof(HEADER) - 1;
    bool ok;

    if (fd < 0)
        return GBA_E_IO;
    ok = write_all(fd, HEADER, size) && write_marks(fd, f->unknown, f->n_unknown, &size) &&
         write_marks(fd, marks, n, &size) && fdatasync(fd) == 0 &&
         rename(f->temporary, f->path) == 0;
    if (!ok) {
        close(fd);
        unlink(f->temporary);
        return GBA_E_IO;
    }
    if (f->fd >= 0)
        close(f->fd);
    f->fd = fd;
    f->size = size;
    f->damaged = !sync_folder(f->path);
    return f->damaged ? GBA_E_IO : GBA_OK;
}

/* ---- open and close ------------------------------------------------------------------- */

static char *with_suffix(const char *path, const char *suffix)
{
    char *s = malloc(strlen(path) + strlen(suffix) + 1);

    if (s != NULL)
        sprintf(s, "%s%s", path, suffix);
    return s;
}

enum gba_err sqn_file_can_rewrite(const struct sqn_file *f)
{
    char *probe = with_suffix(f->temporary, ".XXXXXX");
    int fd = probe != NULL ? mkostemp(probe, O_CLOEXEC) : -1;
    bool ok = fd >= 0 && unlink(probe) == 0;

    if (fd >= 0)
        close(fd);
    free(probe);
    return ok ? GBA_OK : GBA_E_IO;
}

/* The lock lies in a file of its own, for the other one is replaced. */
static enum gba_err take_lock(struct sqn_file *f)
{
    char *path = with_suffix(f->path, ".lock");

    if (path == NULL)
        return GBA_E_NOMEM;
    f->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    free(path);
    if (f->lock_fd < 0)
        return GBA_E_IO;
    if (flock(f->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? GBA_E_EXISTS : GBA_E_IO;
    return GBA_OK;
}

enum gba_err sqn_file_open(const char *path, struct sqn_mark *marks, size_t n, size_t *line,
                           struct sqn_file **out)
{
    struct sqn_file *f = calloc(1, sizeof(*f));
    enum gba_err err;

    *out = NULL;
    *line = 0;
    if (f == NULL)
        return GBA_E_NOMEM;
    f->fd = f->lock_fd = -1;
    f->damaged = true; /* until the first rewrite */
    f->path = strdup(path);
    f->temporary = with_suffix(path, ".new");
    err = f->path == NULL || f->temporary == NULL ? GBA_E_NOMEM : take_lock(f);
    if (err == GBA_OK)
        err = read_file(f, marks, n, line);
    if (err != GBA_OK) {
        sqn_file_close(f);
        return err;
    }
    *out = f;
    return GBA_OK;
}

size_t sqn_file_size(const struct sqn_file *f)
{
    return f->size;
}

void sqn_file_close(struct sqn_file *f)
{
    if (f == NULL)
        return;
    if (f->fd >= 0)
        close(f->fd);
    if (f->lock_fd >= 0)
        close(f->lock_fd);
    free(f->unknown);
    free(f->path);
    free(f->temporary);
    free(f);
}
