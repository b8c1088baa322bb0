/*
 * One run of a program: see ca_process.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "naf/ca_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/host/clock.h"

#define STEP_MS 100 /* between two looks at give_up */

enum { IN, OUT, ERR, PIPES };

struct run {
    struct ca_process *p;
    int ours[PIPES]; /* -1: closed */
    pid_t pid;
    int64_t until_ms;
    size_t written, n_said;
};

/* ------------------------------------------------------------ the start */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static bool open_pipes(struct run *r, int theirs[static PIPES])
{
    int ends[2];

    for (int i = 0; i < PIPES; i++)
        r->ours[i] = theirs[i] = -1;
    for (int i = 0; i < PIPES; i++) {
        if (pipe2(ends, O_CLOEXEC) != 0)
            return false;
        r->ours[i] = ends[i == IN ? 1 : 0];
        theirs[i] = ends[i == IN ? 0 : 1];
        if (fcntl(r->ours[i], F_SETFL, O_NONBLOCK) != 0)
            return false;
    }
    return true;
}

/* Only the three descriptors, no signal blocked or ignored, a process group of its own. */
static int start(struct run *r, const int theirs[static PIPES])
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;
    int rc;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                        POSIX_SPAWN_SETPGROUP);
    rc = 0;
    for (int i = 0; rc == 0 && i < PIPES; i++)
        rc = posix_spawn_file_actions_adddup2(&files, theirs[i], i);
#ifdef HAVE_POSIX_SPAWN_FILE_ACTIONS_ADDCLOSEFROM_NP
    if (rc == 0)
        rc = posix_spawn_file_actions_addclosefrom_np(&files, PIPES);
#endif
    if (rc == 0)
        rc = posix_spawn(&r->pid, r->p->argv[0], &files, &attr, r->p->argv, r->p->env);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attr);
    return rc;
}

/* ------------------------------------------------------------ the talk */

static void feed(struct run *r)
{
    struct gba_bytes in = r->p->in;
    ssize_t n = write(r->ours[IN], in.p + r->written, in.n - r->written);

    if (n > 0)
        r->written += (size_t)n;
    if ((n < 0 && errno != EAGAIN && errno != EINTR) || r->written == in.n)
        close_fd(&r->ours[IN]); /* it may stop reading early: its answer counts */
}

static enum gba_err take_out(struct run *r)
{
    struct ca_process *p = r->p;
    uint8_t spare;
    bool full = p->n == p->cap;
    ssize_t n =
        full ? read(r->ours[OUT], &spare, 1) : read(r->ours[OUT], p->out + p->n, p->cap - p->n);

    if (n > 0 && full)
        return GBA_E_TOO_LONG;
    if (n > 0)
        p->n += (size_t)n;
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        close_fd(&r->ours[OUT]);
    return GBA_OK;
}

static void take_err(struct run *r)
{
    char text[512];
    ssize_t n = read(r->ours[ERR], text, sizeof(text));

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        close_fd(&r->ours[ERR]);
    for (ssize_t i = 0; i < n && r->n_said < sizeof(r->p->said) - 1; i++)
        r->p->said[r->n_said++] = text[i] == '\n' || text[i] == '\0' ? ' ' : text[i];
}

static enum gba_err is_over(const struct run *r)
{
    if (clock_monotonic_ms() >= r->until_ms)
        return GBA_E_TIMEOUT;
    return r->p->give_up != NULL && r->p->give_up(r->p->arg) ? GBA_E_CANCELLED : GBA_OK;
}

/* waitid leaves the process to be waited for, so its group's number stays taken until then. */
static bool has_ended(pid_t pid)
{
    siginfo_t info = {.si_pid = 0};

    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid == pid;
}

/* Until both outputs are closed, or it has ended and there is nothing more to read: what it
 * left running may hold them open. */
static enum gba_err talk(struct run *r)
{
    enum gba_err err = GBA_OK;

    while (err == GBA_OK && (r->ours[OUT] >= 0 || r->ours[ERR] >= 0)) {
        struct pollfd polls[PIPES] = {{.fd = r->ours[IN], .events = POLLOUT},
                                      {.fd = r->ours[OUT], .events = POLLIN},
                                      {.fd = r->ours[ERR], .events = POLLIN}};
        bool ended = has_ended(r->pid);

        if (poll(polls, PIPES, ended ? 0 : STEP_MS) < 0 && errno != EINTR)
            return GBA_E_IO;
        if (ended && polls[OUT].revents == 0 && polls[ERR].revents == 0)
            return GBA_OK;
        if (polls[IN].revents != 0)
            feed(r);
        if (polls[OUT].revents != 0)
            err = take_out(r);
        if (polls[ERR].revents != 0)
            take_err(r);
        if (err == GBA_OK)
            err = is_over(r);
    }
    return err;
}

/* ------------------------------------------------------------ the end */

static enum gba_err wait_for_end(struct run *r)
{
    const struct timespec step = {0, 5 * 1000 * 1000};
    enum gba_err err = GBA_OK;

    while (err == GBA_OK && !has_ended(r->pid)) {
        nanosleep(&step, NULL);
        err = is_over(r);
    }
    return err;
}

static void collect(struct run *r)
{
    int status = 0;

    kill(-r->pid, SIGKILL); /* it, if it runs still, and what it has left behind */
    while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
        ;
    r->p->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

enum gba_err ca_process_run(struct ca_process *p)
{
    struct run r = {.p = p, .until_ms = clock_monotonic_ms() + p->limit_ms};
    int theirs[PIPES];
    enum gba_err err = GBA_E_IO;
    bool ok = open_pipes(&r, theirs);

    p->n = 0;
    p->status = -1;
    memset(p->said, 0, sizeof(p->said));
    if (ok) {
        int rc = start(&r, theirs);

        ok = rc == 0;
        errno = rc;
    }
    for (int i = 0; i < PIPES; i++)
        close_fd(&theirs[i]);
    if (ok) {
        err = talk(&r);
        if (err == GBA_OK)
            err = wait_for_end(&r);
        collect(&r);
    }
    for (int i = 0; i < PIPES; i++)
        close_fd(&r.ours[i]);
    return err;
}
