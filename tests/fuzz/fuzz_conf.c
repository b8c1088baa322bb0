/*
 * Fuzz target: configuration files, walked by a schema that has every type of option.  Besides
 * not failing: an error says so in at least one whole line, success says nothing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/host/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct peer {
    char *name;
    int64_t weight;
};

struct all {
    bool flag;
    int64_t number, duration, size;
    char *string, *path, *address;
    int choice;
    struct conf_octets hex;
    struct conf_strings strings;
    struct peer section;
    struct conf_list sections;
};

static const char *const choices[] = {"one", "two", NULL};

static const struct conf_row peer_rows[] = {
    {.name = "name",
     .type = CONF_STRING,
     .max = 16,
     .flags = CONF_REQUIRED,
     .offset = offsetof(struct peer, name)},
    {.name = "weight",
     .type = CONF_INT,
     .deflt = "1",
     .min = -5,
     .max = 5,
     .offset = offsetof(struct peer, weight)},
};

static const struct conf_schema peer_schema = {
    .title = "peer", .rows = peer_rows, .n_rows = 2, .size = sizeof(struct peer)};

static const struct conf_row rows[] = {
    {.name = "flag", .type = CONF_BOOL, .offset = offsetof(struct all, flag)},
    {.name = "number", .type = CONF_INT, .offset = offsetof(struct all, number)},
    {.name = "duration",
     .type = CONF_DURATION,
     .deflt = "5m",
     .min = 1,
     .max = 86400000,
     .offset = offsetof(struct all, duration)},
    {.name = "size", .type = CONF_SIZE, .offset = offsetof(struct all, size)},
    {.name = "string", .type = CONF_STRING, .offset = offsetof(struct all, string)},
    {.name = "path", .type = CONF_PATH, .offset = offsetof(struct all, path)},
    {.name = "address", .type = CONF_ADDRESS, .offset = offsetof(struct all, address)},
    {.name = "choice",
     .type = CONF_ENUM,
     .choices = choices,
     .offset = offsetof(struct all, choice)},
    {.name = "hex",
     .type = CONF_HEX,
     .min = 1,
     .max = 8,
     .flags = CONF_SECRET,
     .offset = offsetof(struct all, hex)},
    {.name = "strings",
     .type = CONF_STRINGS,
     .deflt = "[a, b]",
     .offset = offsetof(struct all, strings)},
    {.name = "section",
     .type = CONF_SECTION,
     .sub = &peer_schema,
     .offset = offsetof(struct all, section)},
    {.name = "sections",
     .type = CONF_SECTIONS,
     .sub = &peer_schema,
     .offset = offsetof(struct all, sections)},
};

static const struct conf_schema schema = {.title = "all",
                                          .rows = rows,
                                          .n_rows = sizeof(rows) / sizeof(rows[0]),
                                          .size = sizeof(struct all)};

static void need(bool condition)
{
    if (!condition)
        abort();
}

/* Reads every octet that was filled in. */
static void use(const struct all *a)
{
    const struct peer *peers = a->sections.v;
    size_t n = 0;

    for (size_t i = 0; i < a->strings.n; i++)
        n += strlen(a->strings.v[i]);
    for (size_t i = 0; i < a->sections.n; i++)
        n += strlen(peers[i].name);
    for (size_t i = 0; i < a->hex.n; i++)
        n += a->hex.p[i];
    need(n < SIZE_MAX && a->choice >= 0 && a->choice < 2);
    need(a->duration >= 1 && a->duration <= 86400000);
}

static void check_report(enum gba_err err, const char *text, size_t n)
{
    need((err == GBA_OK) == (n == 0));
    need(n == 0 || text[n - 1] == '\n');
    for (size_t i = 0; i + 1 < n; i++) /* nothing of the file can break a line of the log */
        need(text[i] != '\0' && (text[i] != '\n' || text[i + 1] == '/'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("conf", MFD_CLOEXEC);
    char path[64], *text = NULL;
    size_t n = 0;
    FILE *err = open_memstream(&text, &n);
    struct conf *c;
    struct all all;

    need(fd >= 0 && err != NULL && fchmod(fd, 0600) == 0);
    need(write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    enum gba_err e = conf_load(&schema, path, 0, &all, err, &c);
    fclose(err);
    check_report(e, text, n);
    if (e == GBA_OK)
        use(&all);
    conf_free(c);
    free(text);
    close(fd);
    return 0;
}
