/*
 * A scratch folder, and work as an unprivileged user; see tests/scratch.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/scratch.h"

#include <ftw.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NOBODY 65534

static char folder[256];
static pid_t owner;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static int open_up(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)ftw;
    return type == FTW_D ? chmod(path, 0700) : 0;
}

static void clean(void)
{
    if (getpid() != owner)
        return;
    nftw(folder, open_up, 8, FTW_PHYS);
    nftw(folder, remove_one, 8, FTW_PHYS | FTW_DEPTH);
}

const char *scratch(const char *name)
{
    static char path[8][512];
    static unsigned turn;

    if (folder[0] == '\0') {
        const char *base = getenv("TMPDIR");

        snprintf(folder, sizeof(folder), "%s/gba-test.XXXXXX", base != NULL ? base : "/tmp");
        if (mkdtemp(folder) == NULL)
            abort();
        chmod(folder, 0755);
        owner = getpid();
        atexit(clean);
    }
    turn = (turn + 1) % 8;
    snprintf(path[turn], sizeof(path[turn]), "%s/%s", folder, name);
    return path[turn];
}

void scratch_give(const char *name)
{
    const char *path = name[0] == '/' ? name : scratch(name);

    if (geteuid() == 0 && chown(path, NOBODY, NOBODY) != 0)
        abort();
}

int scratch_as_nobody(int (*work)(void))
{
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();

    if (child == 0) {
        if (geteuid() == 0 &&
            (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
            _exit(99);
        _exit(work());
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
