/*
 * common/host/conf: the walker's values and refusals, each at its place, and the sample that
 * the schema prints.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/host/conf.h"
#include "tests/scratch.h"

struct naf {
    char *name;
    struct conf_strings fqdns;
    bool impi;
};
struct tls {
    char *cert;
    char *key;
    int mode;
};
struct all {
    char *listen;
    int64_t life_ms;
    int64_t body;
    int64_t count;
    struct conf_octets op;
    char *password;
    char *text;
    struct tls tls;
    struct conf_list nafs;
    struct conf_strings names, also;
    bool on;
};

static const char *const modes[] = {"none", "optional", "required", NULL};

static const struct conf_row naf_rows[] = {
    {.name = "name",
     .type = CONF_STRING,
     .offset = offsetof(struct naf, name),
     .flags = CONF_REQUIRED,
     .example = "naf.example",
     .help = "Name in the certificate."},
    {.name = "fqdns",
     .type = CONF_STRINGS,
     .offset = offsetof(struct naf, fqdns),
     .min = 1,
     .max = 3,
     .help = "FQDNs it may ask for."},
    {.name = "impi",
     .type = CONF_BOOL,
     .offset = offsetof(struct naf, impi),
     .deflt = "false",
     .help = "May learn the IMPI."},
};
static const struct conf_schema naf_schema = {
    .title = "NAF", .rows = naf_rows, .n_rows = 3, .size = sizeof(struct naf)};

static const struct conf_row tls_rows[] = {
    {.name = "cert",
     .type = CONF_PATH,
     .offset = offsetof(struct tls, cert),
     .flags = CONF_REQUIRED,
     .help = "Certificate."},
    {.name = "key",
     .type = CONF_PATH,
     .offset = offsetof(struct tls, key),
     .deflt = "key.pem",
     .help = "Private key."},
    {.name = "client",
     .type = CONF_ENUM,
     .offset = offsetof(struct tls, mode),
     .choices = modes,
     .deflt = "optional",
     .help = "Client certificates."},
};

static const char *check_tls(const void *filled, const char **row)
{
    const struct tls *t = filled;

    *row = "key";
    return strcmp(t->key, t->cert) == 0 ? "the same file as cert" : NULL;
}

static const struct conf_schema tls_schema = {.title = "TLS",
                                              .rows = tls_rows,
                                              .n_rows = 3,
                                              .size = sizeof(struct tls),
                                              .check = check_tls};

static const struct conf_row rows[] = {
    {.name = "listen",
     .type = CONF_ADDRESS,
     .offset = offsetof(struct all, listen),
     .flags = CONF_REQUIRED,
     .help =
         "Where to listen. A long help that must be wrapped, because it has more words than "
         "one line of a configuration file should have: many."},
    {.name = "life",
     .type = CONF_DURATION,
     .offset = offsetof(struct all, life_ms),
     .deflt = "8h",
     .min = 1000,
     .max = 86400000,
     .help = "Life of a key."},
    {.name = "body",
     .type = CONF_SIZE,
     .offset = offsetof(struct all, body),
     .deflt = "64k",
     .help = "Largest body."},
    {.name = "count",
     .type = CONF_INT,
     .offset = offsetof(struct all, count),
     .deflt = "-3",
     .min = -5,
     .max = 5,
     .help = "A number."},
    {.name = "op",
     .type = CONF_HEX,
     .offset = offsetof(struct all, op),
     .flags = CONF_SHOWN,
     .min = 16,
     .max = 16,
     .help = "OP."},
    {.name = "password",
     .type = CONF_STRING,
     .offset = offsetof(struct all, password),
     .flags = CONF_SECRET,
     .help = "A secret."},
    {.name = "text",
     .type = CONF_STRING,
     .offset = offsetof(struct all, text),
     .max = 8,
     .deflt = "%a: #b",
     .help = "Text."},
    {.name = "tls",
     .type = CONF_SECTION,
     .offset = offsetof(struct all, tls),
     .sub = &tls_schema,
     .help = "TLS."},
    {.name = "nafs",
     .type = CONF_SECTIONS,
     .offset = offsetof(struct all, nafs),
     .sub = &naf_schema,
     .help = "NAFs."},
    {.name = "names",
     .type = CONF_STRINGS,
     .offset = offsetof(struct all, names),
     .deflt = "[a.example, b.example]",
     .help = "Names."},
    {.name = "also",
     .type = CONF_ADDRESSES,
     .offset = offsetof(struct all, also),
     .help = "More addresses."},
    {.name = "on", .type = CONF_BOOL, .offset = offsetof(struct all, on), .help = "Switch."},
};
static const struct conf_schema schema = {.title = "A test program",
                                          .rows = rows,
                                          .n_rows = sizeof(rows) / sizeof(rows[0]),
                                          .size = sizeof(struct all)};

/* --- loading a text ---------------------------------------------------------------------- */

static char folder[64];

static const char *file_with(const void *text, size_t n, mode_t mode)
{
    static char file[96];
    FILE *f;

    snprintf(file, sizeof(file), "%s/c.yaml", folder);
    (void)unlink(file);
    f = fopen(file, "w");
    if (f == NULL || fwrite(text, 1, n, f) != n || fclose(f) != 0 || chmod(file, mode) != 0)
        abort();
    return file;
}

/* The messages, without the folder's name; "" when the file is good. */
static const char *messages(const void *text, size_t n, mode_t mode, struct all *a,
                            struct conf **c)
{
    static char out[8192];
    const char *file = file_with(text, n, mode);
    char *raw = NULL, *at = out;
    size_t raw_n = 0, prefix = strlen(folder) + 1;
    FILE *err = open_memstream(&raw, &raw_n);
    enum gba_err rc = conf_load(&schema, file, 4096, a, err, c);

    fclose(err);
    CU_ASSERT_EQUAL(rc == GBA_OK, raw_n == 0);
    for (char *line = strtok(raw, "\n"); line != NULL; line = strtok(NULL, "\n"))
        at +=
            sprintf(at, "%s\n", strncmp(line, folder, prefix - 1) == 0 ? line + prefix : line);
    *at = '\0';
    free(raw);
    return out;
}

static void expect(const char *text, const char *wanted)
{
    struct all a;
    struct conf *c = NULL;
    const char *got = messages(text, strlen(text), 0600, &a, &c);

    if (strcmp(got, wanted) != 0)
        printf("\n  for:\n%s  expected:\n%s  got:\n%s", text, wanted, got);
    CU_ASSERT_STRING_EQUAL(got, wanted);
    conf_free(c);
}

/* --- tests ------------------------------------------------------------------------------- */

static void test_values(void)
{
    static const char text[] =
        "listen: \"[::1]:0\"\nlife: 90m\nbody: 2M\ncount: 5\n"
        "op: 00112233445566778899aAbBcCdDeEfF\npassword: s3cret\n"
        "text: '12345678'\ntls: {cert: a/b.pem, key: /c.pem, client: none}\n"
        "nafs:\n  - name: one\n    fqdns: x.example\n"
        "  - {name: two, fqdns: [y, z], impi: true}\nnames: []\non: true\n";
    struct all a;
    struct conf *c;
    struct naf *n;
    char path[128];

    CU_ASSERT_STRING_EQUAL(messages(text, sizeof(text) - 1, 0600, &a, &c), "");
    CU_ASSERT_STRING_EQUAL(a.listen, "[::1]:0");
    CU_ASSERT_EQUAL(a.life_ms, 5400000);
    CU_ASSERT_EQUAL(a.body, 2097152);
    CU_ASSERT_EQUAL(a.count, 5);
    UNIT_BYTES_EQ(a.op.p, a.op.n, "00112233445566778899aabbccddeeff");
    CU_ASSERT_STRING_EQUAL(a.password, "s3cret");
    snprintf(path, sizeof(path), "%s/a/b.pem", folder);
    CU_ASSERT_STRING_EQUAL(a.tls.cert, path);
    CU_ASSERT_STRING_EQUAL(a.tls.key, "/c.pem");
    CU_ASSERT_EQUAL(a.tls.mode, 0);
    CU_ASSERT_EQUAL_FATAL(a.nafs.n, 2);
    n = a.nafs.v;
    CU_ASSERT(n[0].fqdns.n == 1 && strcmp(n[0].fqdns.v[0], "x.example") == 0 && !n[0].impi);
    CU_ASSERT(n[1].fqdns.n == 2 && strcmp(n[1].fqdns.v[1], "z") == 0 && n[1].impi);
    CU_ASSERT_EQUAL(a.names.n, 0);
    CU_ASSERT(a.on);
    conf_free(c);
}

static void test_defaults(void)
{
    struct all a;
    struct conf *c;

    CU_ASSERT_STRING_EQUAL(messages("listen: h:1\n", 12, 0644, &a, &c), "");
    CU_ASSERT_EQUAL(a.life_ms, 28800000);
    CU_ASSERT_EQUAL(a.body, 65536);
    CU_ASSERT_EQUAL(a.count, -3);
    CU_ASSERT(a.op.p == NULL && a.password == NULL && !a.on && a.nafs.n == 0);
    CU_ASSERT_STRING_EQUAL(a.text, "%a: #b");
    CU_ASSERT(a.tls.cert == NULL && a.tls.mode == 1);
    CU_ASSERT_EQUAL_FATAL(a.names.n, 2);
    CU_ASSERT_STRING_EQUAL(a.names.v[1], "b.example");
    conf_free(c);
}

static void test_refused_values(void)
{
    expect("listen: h:1\nlife: 500ms\n", "c.yaml:2:7: life: out of range (1s .. 1d)\n");
    expect("listen: h:1\nlife: 2d\n", "c.yaml:2:7: life: out of range (1s .. 1d)\n");
    expect("listen: h:1\nlife: 1w\n",
           "c.yaml:2:7: life: not a duration (a number with ms, s, m, h or d)\n");
    expect("listen: h:1\nlife: 9223372036854775807h\n", "c.yaml:2:7: life: too large\n");
    expect("listen: h:1\nlife: -1\n",
           "c.yaml:2:7: life: not a duration (a number with ms, s, m, h or d)\n");
    expect("listen: h:1\ncount: 6\n", "c.yaml:2:8: count: out of range (-5 .. 5)\n");
    expect("listen: h:1\ncount: 1e1\n", "c.yaml:2:8: count: not a number\n");
    expect("listen: h:1\ncount: 99999999999999999999\n", "c.yaml:2:8: count: not a number\n");
    expect("listen: h:1\nbody: 1T\n",
           "c.yaml:2:7: body: not a size (a number, with k, M or G)\n");
    expect("listen: h:1\nop: 0011\n", "c.yaml:2:5: op: 2 octets; 16 octets are wanted\n");
    expect("listen: h:1\nop: 001\n", "c.yaml:2:5: op: not hexadecimal digits in pairs\n");
    expect("listen: h:1\ntext: 123456789\n", "c.yaml:2:7: text: longer than 8 octets\n");
    expect("listen: h:1\ntext: \"a\\0b\"\n", "c.yaml:2:7: text: holds a NUL\n");
    expect("listen: h:1\non: yes\n", "c.yaml:2:5: on: neither true nor false\n");
    expect("listen: h:1\non:\n", "c.yaml:2:4: on: has no value\n");
    expect("listen: h:1\non: ~\n", "c.yaml:2:5: on: has no value\n");
    expect("listen: h:1\ntls: {cert: a, client: maybe}\n",
           "c.yaml:2:24: tls.client: not one of: none, optional, required\n");
    expect("listen: h\n", "c.yaml:1:9: listen: not HOST:PORT or [IPv6]:PORT\n");
    expect("listen: h:65536\n", "c.yaml:1:9: listen: not HOST:PORT or [IPv6]:PORT\n");
    expect("listen: ::1:80\n", "c.yaml:1:9: listen: not HOST:PORT or [IPv6]:PORT\n");
    expect("listen: h:1\nalso: h\n", "c.yaml:2:7: also: not HOST:PORT or [IPv6]:PORT\n");
    expect("listen: h:1\nalso: [ h:1, \"[::1]:2\", h ]\n",
           "c.yaml:2:25: also[2]: not HOST:PORT or [IPv6]:PORT\n");
}

static void test_refused_structure(void)
{
    expect("", "c.yaml:1:1: listen: missing\n");
    expect("# nothing\n", "c.yaml:1:1: listen: missing\n");
    expect("- a\n", "c.yaml:1:1: (file): a map of options is wanted\n");
    expect("listen: h:1\nlisen: h:2\n", "c.yaml:2:1: lisen: unknown option\n");
    expect("listen: h:1\nlisten: h:2\n", "c.yaml:2:1: listen: given twice\n");
    expect("listen: h:1\n? [a]\n: b\n", "c.yaml:2:3: (file): not the name of an option\n");
    expect("listen: h:1\n\"a\\nb\": 1\n", "c.yaml:2:1: (file): not the name of an option\n");
    expect("listen: [h:1]\n", "c.yaml:1:9: listen: a single value is wanted\n");
    expect("listen: h:1\ntls: x\n", "c.yaml:2:6: tls: a map of options is wanted\n");
    expect("listen: h:1\ntls: {}\n", "c.yaml:2:6: tls.cert: missing\n");
    expect("listen: h:1\ntls: {key: a}\n", "c.yaml:2:6: tls.cert: missing\n");
    expect("listen: h:1\ntls:\n  cert: /a\n  key: /a\n",
           "c.yaml:4:3: tls.key: the same file as cert\n");
    expect("listen: h:1\nnafs: {name: a}\n", "c.yaml:2:7: nafs: a list of maps is wanted\n");
    expect("listen: h:1\nnafs:\n- name: a\n- fqdns: a\n",
           "c.yaml:4:3: nafs[1].name: missing\n");
    expect("listen: h:1\nnafs: [{name: a, fqdns: [a, [b]]}]\n",
           "c.yaml:2:29: nafs[0].fqdns[1]: a single value is wanted\n");
    expect("listen: h:1\nnafs: [{name: a, fqdns: []}]\n",
           "c.yaml:2:25: nafs[0].fqdns: 0 entries; 1 .. 3 are wanted\n");
    expect("count: x\nlife: y\nfoo: z\n",
           "c.yaml:1:8: count: not a number\n"
           "c.yaml:2:7: life: not a duration (a number with ms, s, m, h or d)\n"
           "c.yaml:3:1: foo: unknown option\n"
           "c.yaml:1:1: listen: missing\n");
}

static void test_refused_yaml(void)
{
    struct all a;
    struct conf *c;
    char deep[200], *big;

    expect("listen: &x h:1\n", "c.yaml:1:9: (file): anchors are not used here\n");
    expect("names: [&x a, *x]\n", "c.yaml:1:9: (file): anchors are not used here\n"
                                  "c.yaml:1:15: (file): aliases are not used here\n");
    expect("listen: !!str h:1\n", "c.yaml:1:9: (file): tags are not used here\n");
    expect("listen: h:1\n---\nlisten: h:2\n", "c.yaml:2:1: (file): a second document\n");
    expect("tls:\n\tcert: a\n",
           "c.yaml:2:1: (file): found character that cannot start any token\n");
    expect("listen: [\n", "c.yaml:2:1: (file): did not find expected node content\n");
    CU_ASSERT_STRING_EQUAL(messages("listen: h:1\ntext: \xff\n", 20, 0600, &a, &c),
                           "c.yaml:2:7: (file): invalid leading UTF-8 octet\n");
    CU_ASSERT_STRING_EQUAL(messages("listen: h:1\n\0", 13, 0600, &a, &c),
                           "c.yaml:2:1: (file): control characters are not allowed\n");
    memset(deep, '[', sizeof(deep) - 1);
    deep[sizeof(deep) - 1] = '\0';
    expect(deep, "c.yaml:1:17: (file): nested too deeply\n");
    big = calloc(1, 5000);
    memset(big, '#', 5000);
    CU_ASSERT_STRING_EQUAL(messages(big, 5000, 0600, &a, &c),
                           "c.yaml:1:1: (file): the file is too large\n");
    free(big);
}

static void secret_needs_mode(void)
{
    static const char text[] = "listen: h:1\npassword: x\n";
    struct all a;
    struct conf *c;

    CU_ASSERT_STRING_EQUAL(
        messages(text, sizeof(text) - 1, 0640, &a, &c),
        "c.yaml:2:1: password: a secret: the file must be a regular file of mode 0600\n");
    CU_ASSERT_PTR_NULL(c);
    CU_ASSERT_PTR_NULL(a.password);
    CU_ASSERT_STRING_EQUAL(messages(text, sizeof(text) - 1, 0400, &a, &c), "");
    conf_free(c);
}

/* Standard input as fd; GBA_OK and the password, or the refusal. */
static enum gba_err load_from(int fd, struct all *a, struct conf **c)
{
    int was = dup(STDIN_FILENO);
    FILE *err = fopen("/dev/null", "w");
    enum gba_err rc;

    if (was < 0 || err == NULL || dup2(fd, STDIN_FILENO) < 0)
        abort();
    rc = conf_load(&schema, "-", 4096, a, err, c);
    (void)dup2(was, STDIN_FILENO);
    close(was);
    close(fd);
    fclose(err);
    return rc;
}

/* Nobody else can read a pipe without a name; a file that comes that way is still a file. */
static void test_secret_from_stdin(void)
{
    static const char text[] = "listen: h:1\npassword: x\n";
    const size_t n = sizeof(text) - 1;
    int ends[2];
    struct all a;
    struct conf *c;

    if (pipe(ends) != 0 || write(ends[1], text, n) != (ssize_t)n || close(ends[1]) != 0)
        abort();
    CU_ASSERT_EQUAL_FATAL(load_from(ends[0], &a, &c), GBA_OK);
    CU_ASSERT_STRING_EQUAL(a.password, "x");
    conf_free(c);
    CU_ASSERT_EQUAL(load_from(open(file_with(text, n, 0640), O_RDONLY), &a, &c), GBA_E_CONFIG);
    CU_ASSERT_EQUAL(load_from(open(file_with(text, n, 0600), O_RDONLY), &a, &c), GBA_OK);
    conf_free(c);
}

static void test_secret_needs_mode(void)
{
    unit_as_nobody(secret_needs_mode);
}

static void test_missing_file(void)
{
    char *raw = NULL;
    size_t n = 0;
    FILE *err = open_memstream(&raw, &n);
    struct all a;
    struct conf *c;

    CU_ASSERT_EQUAL(conf_load(&schema, "/nonexistent/c.yaml", 0, &a, err, &c), GBA_E_CONFIG);
    fclose(err);
    CU_ASSERT_STRING_EQUAL(raw, "/nonexistent/c.yaml:1:1: (file): No such file or directory\n");
    free(raw);
}

static void unreadable_file(void)
{
    static const char text[] = "listen: h:1\n";
    struct all a;
    struct conf *c;

    CU_ASSERT_STRING_EQUAL(messages(text, sizeof(text) - 1, 0, &a, &c),
                           "c.yaml:1:1: (file): Permission denied\n");
}

/* Root may read everything. */
/* Enough for the rows of many thousand enrolees. */
static void test_large_file(void)
{
    static char text[9 << 20] = "listen: h:1\n";
    static const size_t sizes[] = {7 << 20, 9 << 20};
    struct all a;

    memset(text + strlen(text), '#', sizeof(text) - strlen(text));
    for (size_t i = 0; i < 2; i++) {
        struct conf *c = NULL;
        char *said = NULL;
        size_t n = 0;
        FILE *err = open_memstream(&said, &n);

        CU_ASSERT_EQUAL(conf_load(&schema, file_with(text, sizes[i], 0600), 0, &a, err, &c) ==
                            GBA_OK,
                        i == 0);
        fclose(err);
        CU_ASSERT_EQUAL(strstr(said, "the file is too large") != NULL, i == 1);
        free(said);
        conf_free(c);
    }
}

static void test_unreadable_file(void)
{
    unit_as_nobody(unreadable_file);
}

/* What is printed is read back: as it is, and with every option taken out of its comment. */
static void test_sample(void)
{
    char *text = NULL, live[8192] = "";
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    struct all a;
    struct conf *c;

    conf_print_sample(&schema, out);
    fclose(out);
    CU_ASSERT_STRING_EQUAL(messages(text, n, 0600, &a, &c), "");
    CU_ASSERT_EQUAL(a.life_ms, 28800000);
    CU_ASSERT_PTR_NULL(a.tls.cert);
    CU_ASSERT_EQUAL(a.op.n, 16);
    conf_free(c);

    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        bool help = line[0] != '#' || (line[1] == ' ' && line[2] != ' ');

        strcat(live, help ? line : line + 1);
        strcat(live, "\n");
    }
    free(text);
    CU_ASSERT_STRING_EQUAL(messages(live, strlen(live), 0600, &a, &c), "");
    CU_ASSERT_STRING_EQUAL(a.tls.cert, "/etc/opengaa/FILE");
    CU_ASSERT_STRING_EQUAL(a.password, "example");
    CU_ASSERT_STRING_EQUAL(a.text, "%a: #b");
    CU_ASSERT(a.nafs.n == 1 && ((struct naf *)a.nafs.v)->fqdns.n == 1);
    CU_ASSERT_STRING_EQUAL(((struct naf *)a.nafs.v)->name, "naf.example");
    CU_ASSERT(a.op.n == 16 && a.names.n == 2 && a.count == -3);
    conf_free(c);
}

static void test_help_names_all(void)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    conf_print_help(&schema, out);
    fclose(out);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "  life  duration, 1s .. 1d (default 8h)\n      Life of a key.\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "  nafs[].fqdns  strings, 1 .. 3\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "  tls.client  choice: none|optional|required (default optional)\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "  listen  HOST:PORT, required\n"));
    free(text);
    out = open_memstream(&text, &n);
    conf_print_man(&schema, out);
    fclose(out);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, ".TP\n.B tls.cert\nCertificate.\n.br\npath, required\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "default \\-3\n"));
    free(text);
}

/* What is found wrong later: its path and its place; if it is left out, that around it. */
static void test_complain(void)
{
    static const char text[] = "listen: h:1\n"
                               "names: [a, b]\n"
                               "tls:\n"
                               "  cert: c\n"
                               "nafs:\n"
                               "  - {name: x, fqdns: [x]}\n"
                               "  - name: y\n"
                               "    fqdns: [y,\n"
                               "      z]\n";
    const char *path = file_with(text, strlen(text), 0600);
    char want[1200], *said;
    struct all all;
    struct conf *c;
    const struct naf *n;
    size_t size;
    FILE *f = open_memstream(&said, &size);

    CU_ASSERT_EQUAL_FATAL(conf_load(&schema, path, 0, &all, stderr, &c), GBA_OK);
    n = all.nafs.v;
    conf_complain(c, f, &all.listen, "one %d", 1);
    conf_complain(c, f, &all.names, "two");
    conf_complain(c, f, &all.names.v[1], "three");
    conf_complain(c, f, &all.tls.cert, "four");
    conf_complain(c, f, &all.tls.key, "five");
    conf_complain(c, f, &n[1].name, "six");
    conf_complain(c, f, &n[1].fqdns.v[1], "seven");
    conf_complain(c, f, &n[1].impi, "eight");
    conf_complain(c, f, &all.on, "nine");
    fclose(f);
    snprintf(want, sizeof(want),
             "%s:1:1: listen: one 1\n%s:2:1: names: two\n%s:2:12: names[1]: three\n"
             "%s:4:3: tls.cert: four\n%s:3:1: tls.key: five\n%s:7:5: nafs[1].name: six\n"
             "%s:9:7: nafs[1].fqdns[1]: seven\n%s:7:5: nafs[1].impi: eight\n"
             "%s:1:1: on: nine\n",
             path, path, path, path, path, path, path, path, path);
    CU_ASSERT_STRING_EQUAL(said, want);
    if (strcmp(said, want) != 0)
        printf("\n%s", said);
    free(said);
    conf_free(c);
}

static void test_address_split(void)
{
    static const struct {
        const char *address, *host;
        unsigned port;
    } good[] = {{"127.0.0.1:0", "127.0.0.1", 0},
                {"[::1]:65535", "::1", 65535},
                {"bsf.example:80", "bsf.example", 80}};
    static const char *const bad[] = {"",        ":80",      "h",         "h:",     "h:-1",
                                      "h:65536", "h:000080", "[::1]",     "::1:80", "[h]:80",
                                      "[::1:80", "a b:80",   "[::1]x:80", "h:80:90"};
    char host[256];
    uint16_t port;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        CU_ASSERT_EQUAL(conf_address_split(good[i].address, host, &port), GBA_OK);
        CU_ASSERT_STRING_EQUAL(host, good[i].host);
        CU_ASSERT_EQUAL(port, good[i].port);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_EQUAL(conf_address_split(bad[i], host, &port), GBA_E_SYNTAX);
}

static const struct unit_test tests[] = {
    {"values of every type", test_values},
    {"defaults", test_defaults},
    {"refused values", test_refused_values},
    {"refused structure", test_refused_structure},
    {"refused YAML", test_refused_yaml},
    {"a secret needs mode 0600", test_secret_needs_mode},
    {"a secret from standard input", test_secret_from_stdin},
    {"missing file", test_missing_file},
    {"large file", test_large_file},
    {"a file without the right to read it", test_unreadable_file},
    {"the sample reads back", test_sample},
    {"help and man name all options", test_help_names_all},
    {"what is found later", test_complain},
    {"addresses", test_address_split},
};

int main(void)
{
    char file[96];
    int code;

    strcpy(folder, "/tmp/test_conf.XXXXXX");
    if (mkdtemp(folder) == NULL)
        return 99;
    scratch_give(folder);
    code = unit_main("conf", tests, sizeof(tests) / sizeof(tests[0]));
    snprintf(file, sizeof(file), "%s/c.yaml", folder);
    (void)unlink(file);
    (void)rmdir(folder);
    return code;
}
