/*
 * Giving up root; readiness; the file that names the ports.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "common/host/privdrop.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/host/special_file.h"

#ifdef WITH_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#define USER_ROOM 4096 /* for the texts of a struct passwd */

static enum gba_err failed(struct log *log, const char *user, const char *what)
{
    LOG(log, LOG_LV_ERROR, "privdrop", LOG_STR("user", user), LOG_STR("step", what),
        LOG_STR("reason", strerror(errno)));
    return GBA_E_IO;
}

/* The kernel must refuse the way back, to any of the three ids. */
static bool is_final(uid_t uid, gid_t gid)
{
    uid_t r, e, s;
    gid_t rg, eg, sg;

    if (getresuid(&r, &e, &s) != 0 || getresgid(&rg, &eg, &sg) != 0)
        return false;
    if (r != uid || e != uid || s != uid || rg != gid || eg != gid || sg != gid)
        return false;
    return uid == 0 || (setuid(0) != 0 && seteuid(0) != 0 && (gid == 0 || setegid(0) != 0));
}

static enum gba_err become(const struct passwd *pw, struct log *log)
{
    if (initgroups(pw->pw_name, pw->pw_gid) != 0)
        return failed(log, pw->pw_name, "initgroups");
    if (setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0)
        return failed(log, pw->pw_name, "setgid");
    if (setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0)
        return failed(log, pw->pw_name, "setuid");
    errno = EPERM;
    return is_final(pw->pw_uid, pw->pw_gid) ? GBA_OK : failed(log, pw->pw_name, "way back");
}

static enum gba_err find_user(const char *user, struct log *log, struct passwd *pw,
                              char room[static USER_ROOM])
{
    struct passwd *found = NULL;

    if (getpwnam_r(user, pw, room, USER_ROOM, &found) == 0 && found != NULL)
        return GBA_OK;
    LOG(log, LOG_LV_ERROR, "privdrop", LOG_STR("user", user),
        LOG_STR("reason", "no such user"));
    return GBA_E_CONFIG;
}

enum gba_err privdrop_check(const char *user)
{
    struct passwd pw;
    char room[USER_ROOM];

    return user == NULL || user[0] == '\0' ? GBA_OK : find_user(user, NULL, &pw, room);
}

enum gba_err privdrop(const char *user, struct log *log)
{
    struct passwd pw;
    char room[USER_ROOM];

    if (user == NULL || user[0] == '\0') {
        if (geteuid() == 0)
            LOG(log, LOG_LV_WARNING, "privdrop",
                LOG_STR("reason",
                        "runs as root; name an unprivileged user with the option user"));
        return GBA_OK;
    }
    if (find_user(user, log, &pw, room) != GBA_OK)
        return GBA_E_CONFIG;
    if (pw.pw_uid != 0 && is_final(pw.pw_uid, getegid()))
        return GBA_OK; /* is that user already, and cannot be another */
    return become(&pw, log);
}

void notify_systemd(const char *state)
{
#ifdef WITH_SYSTEMD
    (void)sd_notify(0, state);
#else
    (void)state;
#endif
}

static bool write_lines(int fd, const struct port *ports, size_t n)
{
    FILE *out = fdopen(fd, "w");
    bool ok;

    if (out == NULL) {
        close(fd);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%s=%s\n", ports[i].name, ports[i].address);
    ok = fflush(out) == 0 && ferror(out) == 0 &&
         (fsync(fileno(out)) == 0 || errno == EINVAL); /* a FIFO has nothing to sync */
    return fclose(out) == 0 && ok;
}

/* Behind what stands there already, where it is a file after all. */
static enum gba_err write_through(const char *file, const struct port *ports, size_t n)
{
    int fd = open(file, O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC);

    return fd >= 0 && write_lines(fd, ports, n) ? GBA_OK : GBA_E_IO;
}

enum gba_err ports_file_write(const char *file, const struct port *ports, size_t n)
{
    size_t room = strlen(file) + sizeof(".XXXXXX");
    char *temporary;
    enum gba_err err = GBA_E_IO;
    int fd;

    if (special_file(file))
        return write_through(file, ports, n);
    temporary = malloc(room);
    if (temporary == NULL)
        return GBA_E_NOMEM;
    snprintf(temporary, room, "%s.XXXXXX", file);
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd >= 0) {
        (void)fchmod(fd, 0644); /* nothing secret, and for another user's test to read */
        if (write_lines(fd, ports, n) && rename(temporary, file) == 0)
            err = GBA_OK;
        else
            (void)unlink(temporary);
    }
    free(temporary);
    return err;
}
