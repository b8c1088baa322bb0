/*
 * The file of the master key: see mef_store_sqlite.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "naf/ca_file.h"
#include "naf/mef_store_sqlite.h"

#define TEXT_LEN (2 * MEF_MASTER_KEY_LEN)

static enum gba_err random_key(uint8_t out[static MEF_MASTER_KEY_LEN])
{
    size_t n = 0;

    while (n < MEF_MASTER_KEY_LEN) {
        ssize_t got = getrandom(out + n, MEF_MASTER_KEY_LEN - n, 0);

        if (got < 0 && errno != EINTR)
            return GBA_E_ENTROPY;
        n += got > 0 ? (size_t)got : 0;
    }
    return GBA_OK;
}

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
    return fsync(fd) == 0;
}

static enum gba_err make(const char *file, uint8_t out[static MEF_MASTER_KEY_LEN], char *why,
                         size_t why_size)
{
    char text[TEXT_LEN + 2];
    enum gba_err err = random_key(out);
    bool ok;
    int fd;

    if (err != GBA_OK)
        return err;
    fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        snprintf(why, why_size, "%s", strerror(errno));
        return GBA_E_IO;
    }
    gba_hex(text, (struct gba_bytes){out, MEF_MASTER_KEY_LEN});
    text[TEXT_LEN] = '\n';
    ok = write_all(fd, text, TEXT_LEN + 1);
    gba_wipe(text, sizeof(text));
    if (close(fd) != 0 || !ok) {
        snprintf(why, why_size, "%s", strerror(errno));
        unlink(file);
        return GBA_E_IO;
    }
    return GBA_OK;
}

static const char *check_file(int fd, mode_t forbidden)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return strerror(errno);
    if (!S_ISREG(st.st_mode))
        return "not a regular file";
    if ((st.st_mode & forbidden) != 0)
        return "others may read it: mode must be 0600";
    return NULL;
}

/* Half of a key in hexadecimal is 32 octets too, but 128 bits at most, and not the key. */
static bool is_half(const char text[static MEF_MASTER_KEY_LEN])
{
    uint8_t half[MEF_MASTER_KEY_LEN / 2];
    bool hex = gba_unhex_exact(half, sizeof(half),
                               (struct gba_text){text, MEF_MASTER_KEY_LEN}) == GBA_OK;

    gba_wipe(half, sizeof(half));
    return hex;
}

/* NULL, or what is wrong. */
static const char *read_key(int fd, uint8_t out[static MEF_MASTER_KEY_LEN])
{
    char text[TEXT_LEN + 3];
    ssize_t n = read(fd, text, sizeof(text));
    const char *wrong = "not 32 octets or 64 hexadecimal digits";

    while (n > TEXT_LEN && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    if (n == MEF_MASTER_KEY_LEN && is_half(text)) {
        wrong = "32 hexadecimal digits in place of 64: cut?";
    } else if (n == MEF_MASTER_KEY_LEN) { /* as they come from /dev/urandom */
        memcpy(out, text, MEF_MASTER_KEY_LEN);
        wrong = NULL;
    } else if (n == TEXT_LEN && gba_unhex_exact(out, MEF_MASTER_KEY_LEN,
                                                (struct gba_text){text, TEXT_LEN}) == GBA_OK) {
        wrong = NULL;
    }
    gba_wipe(text, sizeof(text));
    return wrong;
}

/* Closes fd. */
static enum gba_err read_checked(int fd, mode_t forbidden,
                                 uint8_t out[static MEF_MASTER_KEY_LEN], char *why,
                                 size_t why_size)
{
    const char *wrong = check_file(fd, forbidden);

    if (wrong == NULL)
        wrong = read_key(fd, out);
    close(fd);
    if (wrong != NULL)
        snprintf(why, why_size, "%s", wrong);
    return wrong == NULL ? GBA_OK : GBA_E_CONFIG;
}

enum gba_err mef_master_key_load(const char *file, const char *database,
                                 uint8_t out[static MEF_MASTER_KEY_LEN], char *why,
                                 size_t why_size)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    why[0] = '\0';
    if (fd < 0 && errno == ENOENT) {
        if (access(database, F_OK) != 0)
            return make(file, out, why, why_size);
        snprintf(why, why_size, "missing, though the database exists");
        return GBA_E_CONFIG;
    }
    if (fd < 0) {
        snprintf(why, why_size, "%s", strerror(errno));
        return GBA_E_CONFIG;
    }
    return read_checked(fd, 077, out, why, why_size);
}

/* ------------------------------------------------------------ from systemd */

/* A file in the folder itself: no path that leads out of it. */
static bool is_credential_name(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL;
}

/* systemd.exec(5): files that only the service's user can read.  Where root owns them the user
 * gets in by an access control list, whose mask shows as the group's bits: so the group may
 * seem to read, and nobody more than that. */
enum gba_err mef_master_key_credential(const char *name, uint8_t out[static MEF_MASTER_KEY_LEN],
                                       char *why, size_t why_size)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    char file[4096];
    int fd, n;

    why[0] = '\0';
    if (folder == NULL || folder[0] != '/') {
        snprintf(why, why_size,
                 "no $CREDENTIALS_DIRECTORY: not started by a unit that has"
                 " LoadCredential= or LoadCredentialEncrypted=");
        return GBA_E_CONFIG;
    }
    n = snprintf(file, sizeof(file), "%s/%s", folder, name);
    if (!is_credential_name(name) || n < 0 || (size_t)n >= sizeof(file)) {
        snprintf(why, why_size, "not the name of a credential");
        return GBA_E_CONFIG;
    }
    fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        snprintf(why, why_size, "%s", strerror(errno));
        return GBA_E_CONFIG;
    }
    return read_checked(fd, 037, out, why, why_size);
}

/* ------------------------------------------------------------ change */

#define NEXT_SIZE 4096

static enum gba_err next_of(const char *file, char out[static NEXT_SIZE])
{
    int n = snprintf(out, NEXT_SIZE, "%s.next", file);

    return n > 0 && n < NEXT_SIZE ? GBA_OK : GBA_E_IO;
}

enum gba_err mef_master_key_prepare(const char *file, uint8_t out[static MEF_MASTER_KEY_LEN])
{
    char next[NEXT_SIZE], why[256];
    enum gba_err err = next_of(file, next);

    if (err != GBA_OK)
        return err;
    if (unlink(next) != 0 && errno != ENOENT)
        return GBA_E_IO;
    err = make(next, out, why, sizeof(why));
    /* before anything is sealed under it */
    return err == GBA_OK && !ca_file_sync_folder(next) ? GBA_E_IO : err;
}

enum gba_err mef_master_key_next(const char *file, uint8_t out[static MEF_MASTER_KEY_LEN])
{
    char next[NEXT_SIZE], why[256];

    if (next_of(file, next) != GBA_OK || access(next, F_OK) != 0)
        return GBA_E_NOT_FOUND;
    return mef_master_key_load(next, next, out, why, sizeof(why));
}

enum gba_err mef_master_key_settle(const char *file, bool take)
{
    char next[NEXT_SIZE];
    enum gba_err err = next_of(file, next);

    if (err != GBA_OK)
        return err;
    if (!take && access(next, F_OK) != 0 && errno == ENOENT)
        return GBA_OK; /* nothing to do, where the folder may well be read-only */
    if (take ? rename(next, file) != 0 : unlink(next) != 0)
        return GBA_E_IO;
    return ca_file_sync_folder(file) ? GBA_OK : GBA_E_IO;
}
