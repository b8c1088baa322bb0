/*
 * mock-hss as a child: see hss_child.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/e2e/hss_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
    fprintf(stderr, "hss_child: %s: %s\n", what, strerror(errno));
    exit(99);
}

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

/* The keys are TS 35.208 set 1's and the digits in order: the file is of mode 0600 as any. */
static void write_config(const struct hss_child *h, const char *listen, const char *lines)
{
    char path[128];
    int fd;
    FILE *f;

    snprintf(path, sizeof(path), "%s/hss.yaml", h->folder);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (f == NULL)
        die(path);
    fprintf(f, "listen: %s\nidentity: %s\nrealm: " HSS_REALM "\ncontrol: control\n",
            listen != NULL ? listen : "127.0.0.1:0", h->identity);
    fprintf(f, "%s", lines);
    fprintf(f, "log:\n  level: warning\nsubscribers:\n"
               "  - impi: " HSS_IMPI "\n"
               "    k: 465b5ce8b199b49faa5f0a2ee238a6bc\n"
               "    opc: cd63cb71954a9f4e48a5994e37a02baf\n"
               "    guss: '<guss xmlns=\"urn:3gpp:gba:GBAGUSSSchema-R9:2010-02\"><bsfInfo>"
               "<lifeTime>3600</lifeTime></bsfInfo><Extension><timestamp>2026-01-02T03:04:05Z"
               "</timestamp></Extension><ussList/></guss>'\n"
               "  - imsi: \"001010000000002\"\n    mnc_len: 2\n    algorithm: tuak\n"
               "    k: 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
               "    top: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
               "    res_len: 16\n"
               "  - imsi: \"001010000000004\"\n    mnc_len: 2\n    algorithm: 3gpp2\n"
               "    k: 000102030405060708090a0b0c0d0e0f\n    fmk: 4f70656e\n"
               "  - impi: " HSS_IMPI_BARRED "\n"
               "    k: 465b5ce8b199b49faa5f0a2ee238a6bc\n"
               "    opc: cd63cb71954a9f4e48a5994e37a02baf\n    barred: true\n");
    if (fclose(f) != 0)
        die(path);
}

static void run(const struct hss_child *h)
{
    const char *top = getenv("top_builddir");
    char program[4096], config[128], ports[128];

    snprintf(program, sizeof(program), "%s/tests/mock-hss/mock-hss", top != NULL ? top : ".");
    snprintf(config, sizeof(config), "%s/hss.yaml", h->folder);
    snprintf(ports, sizeof(ports), "%s/ports", h->folder);
    execl(program, "mock-hss", "--config", config, "--ports-file", ports, (char *)NULL);
    die(program);
}

/* False: not there yet. */
static bool read_port(struct hss_child *h)
{
    char path[128];
    FILE *f;
    bool found;

    snprintf(path, sizeof(path), "%s/ports", h->folder);
    f = fopen(path, "re");
    if (f == NULL)
        return false;
    found = fscanf(f, "diameter=%63s", h->address) == 1;
    fclose(f);
    return found;
}

struct hss_child hss_start(const char *identity, const char *listen)
{
    return hss_start_with(identity, listen, "");
}

struct hss_child hss_start_with(const char *identity, const char *listen, const char *lines)
{
    struct hss_child h = {.folder = "/tmp/opengaa-hss-XXXXXX"};

    snprintf(h.identity, sizeof(h.identity), "%s", identity);
    if (mkdtemp(h.folder) == NULL)
        die("mkdtemp");
    write_config(&h, listen, lines);
    h.pid = fork();
    if (h.pid < 0)
        die("fork");
    if (h.pid == 0)
        run(&h);
    while (!read_port(&h)) {
        if (waitpid(h.pid, NULL, WNOHANG) != 0)
            die("mock-hss has ended");
        pause_ms(10);
    }
    return h;
}

void hss_signal(const struct hss_child *h, int signal)
{
    int status;

    kill(h->pid, signal);
    /* it may go on for a moment until it is stopped */
    if (signal == SIGSTOP && waitpid(h->pid, &status, WUNTRACED) != h->pid)
        die("waitpid");
}

static void remove_file(const struct hss_child *h, const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", h->folder, name);
    unlink(path);
}

int hss_stop(struct hss_child *h)
{
    int status = 0;

    kill(h->pid, SIGTERM);
    kill(h->pid, SIGCONT);
    if (waitpid(h->pid, &status, 0) != h->pid)
        die("waitpid");
    remove_file(h, "hss.yaml");
    remove_file(h, "ports");
    remove_file(h, "control");
    rmdir(h->folder);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool hss_control(const struct hss_child *h, const char *command, char *reply)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char line[1024] = "";
    size_t n = 0;

    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/control", h->folder);
    if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
        die("control");
    if (dprintf(fd, "%s\n", command) < 0)
        die("control");
    while (n < sizeof(line) - 1 && strchr(line, '\n') == NULL) {
        ssize_t got = read(fd, line + n, sizeof(line) - 1 - n);

        if (got <= 0)
            break;
        n += (size_t)got;
        line[n] = '\0';
    }
    close(fd);
    if (reply != NULL)
        snprintf(reply, 1024, "%s", line);
    return strncmp(line, "ok", 2) == 0;
}

unsigned long hss_stat(const struct hss_child *h, const char *name)
{
    char reply[1024], key[64];
    const char *at;

    if (!hss_control(h, "stats", reply))
        return 0;
    snprintf(key, sizeof(key), " %s=", name);
    at = strstr(reply, key);
    return at != NULL ? strtoul(at + strlen(key), NULL, 10) : 0;
}
