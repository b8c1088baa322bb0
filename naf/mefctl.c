/*
 * mefctl: administrates a running mefd over its local socket or HTTPS; see naf/mef_admin.h and
 * doc/ADMIN.md.  No key is ever an argument.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mefctl.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/json_wipe.h"
#include "common/secret.h"
#include "config.h"

#define DEFAULT_SOCKET "/run/opengaa/mefd.sock"
#define KEY_TEXT_MAX   130

static const char usage_text[] =
    "usage: mefctl [OPTIONS] COMMAND\n"
    "  add WHAT MEMBER=VALUE...     a stakeholder, target, enrolee, credential, instruction\n"
    "                               or device (an enrolee with all that lets it enrol)\n"
    "  remove WHAT MEMBER=VALUE...  one of these, an enrolment, a registration or a key\n"
    "  list WHAT [enrolee=ID]       what is there\n"
    "  revoke ENROLEE               its enrolments, registrations and keys\n"
    "  command issue CLASS MEMBER=VALUE...  for a registration's client: cert-prov, dev-cfg "
    "or\n"
    "                               mo-node, with enrolee=ID stakeholder=FQDN\n"
    "  command list [enrolee=ID]    what waits, is outstanding or has a result\n"
    "  command cancel ID            it is not given out any more\n"
    "  import FILE                  devices, from CSV with a header line or a JSON array\n"
    "  audit [verify]               whether the audit log is as it was written\n"
    "  rekey                        another master key for the database\n"
    "options:\n"
    "  --socket FILE    the daemon's socket (" DEFAULT_SOCKET ")\n"
    "  --url URL        the daemon's HTTPS instead, with\n"
    "  --ca FILE        the roots of its certificate, and\n"
    "  --cert FILE      one's own certificate and\n"
    "  --key FILE       its key, PEM\n"
    "  --key-file FILE  the key of a credential or device: hexadecimal digits, mode 0600;\n"
    "                   - is standard input\n"
    "  --file FILE      add credential: a credential file with a Kpm or Km, mode 0600, and\n"
    "  --file-seal FILE the key it is sealed with\n"
    "  --generate       add credential: make a Kpm or Km, by kind=kpm or kind=km, and\n"
    "  --out FILE       write this new credential file for the device, sealed with\n"
    "  --out-seal FILE  the key in that one\n"
    "  --batch N        import: rows of one transaction (1000)\n"
    "  --resume TOKEN   import: skip the batches that are in\n"
    "  --json           answers in JSON, one value a line\n"
    "  --help           print this\n"
    "  --version        print the version\n";

static int usage(const char *at, const char *why)
{
    fputs(usage_text, stderr);
    ctl_keep(at, why);
    return CTL_USAGE;
}

/* ---- requests ---- */

static bool is_one_of(const char *name, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(name, *list) == 0)
            return true;
    return false;
}

/* Comma-separated; numbers for SUIDs.  NULL: not UTF-8. */
static json_t *list_value(const char *text, bool numbers)
{
    json_t *list = json_array();

    while (*text != '\0') {
        size_t n = strcspn(text, ",");
        uint64_t v;
        bool number = numbers && gba_text_number((struct gba_text){text, n}, 255, &v) == GBA_OK;

        if (json_array_append_new(list, number ? json_integer((json_int_t)v)
                                               : json_stringn(text, n)) != 0) {
            json_decref(list);
            return NULL;
        }
        text += n + (text[n] == ',');
    }
    return list;
}

static int set_member(json_t *o, const char *word)
{
    static const char *const lists[] = {"suids", "targets", "certificates", NULL};
    static const char *const secrets[] = {"key", "kpm", NULL};
    const char *eq = strchr(word, '=');
    uint64_t number;
    char name[64];

    if (eq == NULL || eq == word || (size_t)(eq - word) >= sizeof(name)) {
        ctl_say(word, "not MEMBER=VALUE");
        return CTL_USAGE;
    }
    snprintf(name, sizeof(name), "%.*s", (int)(eq - word), word);
    if (is_one_of(name, secrets)) {
        ctl_say(name, "a key is no argument; use --key-file");
        return CTL_USAGE;
    }
    if (json_object_get(o, name) != NULL) {
        ctl_say(name, "told twice");
        return CTL_USAGE;
    }
    if (strcmp(name, "suid") == 0 && gba_text_number(gba_text(eq + 1), 99, &number) == GBA_OK)
        return json_object_set_new(o, name, json_integer((json_int_t)number)) == 0 ? CTL_OK
                                                                                   : CTL_IO;
    if (json_object_set_new(o, name,
                            is_one_of(name, lists)
                                ? list_value(eq + 1, strcmp(name, "suids") == 0)
                                : json_string(eq + 1)) == 0)
        return CTL_OK;
    ctl_say(name, "not UTF-8");
    return CTL_USAGE;
}

/* A pipe may give it in pieces. */
static ssize_t read_whole(int fd, char *out, size_t cap)
{
    size_t n = 0;
    ssize_t got;

    while (n < cap && (got = read(fd, out + n, cap - n)) != 0) {
        if (got < 0 && errno != EINTR)
            return -1;
        n += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)n;
}

static int read_key(const char *file, json_t *o, const char *member)
{
    int fd = strcmp(file, "-") == 0 ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    char text[KEY_TEXT_MAX + 2];
    struct stat st;
    ssize_t n = -1;

    if (fd > STDIN_FILENO && fstat(fd, &st) == 0 && (st.st_mode & 077) != 0)
        ctl_say(file, "others may read it: mode must be 0600");
    else if (fd >= 0 && (n = read_whole(fd, text, sizeof(text))) <= 0)
        ctl_say(file, "cannot be read");
    else if (fd < 0)
        ctl_say(file, "cannot be opened");
    if (fd > STDIN_FILENO)
        close(fd);
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    if (n > 0 && json_object_set_new(o, member, json_stringn(text, (size_t)n)) != 0) {
        ctl_say(file, "not hexadecimal digits");
        n = 0;
    }
    gba_wipe(text, sizeof(text));
    return n > 0 ? CTL_OK : CTL_IO;
}

/* ---- commands ---- */

static int conclude(const struct ctl_options *o, int rc, json_t *reply)
{
    if (rc == CTL_OK && !json_is_true(json_object_get(reply, "ok")))
        rc = ctl_refused(o, reply);
    else if (rc == CTL_OK)
        ctl_print(o, reply);
    json_decref(reply);
    return rc;
}

static int ask_and_print(struct ctl_link *l, const struct ctl_options *o, json_t *request)
{
    json_t *reply;
    int rc = ctl_ask(l, request, &reply);

    return conclude(o, rc, reply);
}

static int generate_and_print(struct ctl_link *l, const struct ctl_options *o, json_t *row)
{
    json_t *reply;
    int rc = ctl_generate(l, o, row, &reply);

    return conclude(o, rc, reply);
}

static json_t *verb(const char *name, const char *what)
{
    json_t *o = json_object();

    json_object_set_new(o, "do", json_string(name));
    if (what != NULL)
        json_object_set_new(o, "what", json_string(what));
    return o;
}

static int take_members(json_t *o, const struct ctl_options *opt, char **words, bool device)
{
    int rc = CTL_OK;

    for (; rc == CTL_OK && *words != NULL; words++)
        rc = set_member(o, *words);
    if (rc == CTL_OK && opt->key_file != NULL)
        rc = read_key(opt->key_file, o, device ? "kpm" : "key");
    if (rc == CTL_OK && opt->file != NULL)
        rc = ctl_credential_read(opt, o);
    return rc;
}

/* The options of credential files; a new key goes into a file, and comes from nowhere else. */
static bool suits(const struct ctl_options *o, const char *command, const char *what)
{
    bool credential = strcmp(command, "add") == 0 && strcmp(what, "credential") == 0;

    if (o->generate)
        return credential && o->out != NULL && o->file == NULL && o->key_file == NULL;
    return o->out == NULL && o->out_seal == NULL && (o->file == NULL || credential);
}

static int do_change(struct ctl_link *l, const struct ctl_options *o, char **words)
{
    bool device =
        strcmp(words[0], "add") == 0 && words[1] != NULL && strcmp(words[1], "device") == 0;
    json_t *row, *whole;
    int rc;

    if (words[1] == NULL)
        return usage(words[0], "what?");
    if (!suits(o, words[0], words[1]))
        return usage(words[0], "options of credential files that do not go with this");
    row = device ? json_object() : verb(words[0], words[1]);
    rc = take_members(row, o, words + 2, device);
    if (rc != CTL_OK) {
        json_decref(row);
        return rc;
    }
    if (o->generate)
        return generate_and_print(l, o, row);
    if (!device)
        return ask_and_print(l, o, row);
    whole = verb("device", NULL);
    json_object_set_new(whole, "row", row);
    return ask_and_print(l, o, whole);
}

static int do_list(struct ctl_link *l, const struct ctl_options *o, char **words)
{
    json_t *reply, *next = NULL, *ask;
    bool more = true, first = true;
    int rc = CTL_OK;

    if (words[1] == NULL)
        return usage(words[0], "what?");
    while (rc == CTL_OK && more) {
        ask = verb("list", words[1]);
        rc = take_members(ask, o, words + 2, false);
        if (rc != CTL_OK) {
            json_decref(ask);
            break;
        }
        if (next != NULL)
            json_object_set_new(ask, "after", next);
        rc = ctl_ask(l, ask, &reply);
        if (rc == CTL_OK && !json_is_true(json_object_get(reply, "ok")))
            rc = ctl_refused(o, reply);
        else if (rc == CTL_OK)
            ctl_print_rows(o, json_object_get(reply, "rows"), first);
        next = json_incref(json_object_get(reply, "next"));
        more = next != NULL;
        first = false;
        json_decref(reply);
    }
    return rc;
}

static int do_revoke(struct ctl_link *l, const struct ctl_options *o, char **words)
{
    json_t *ask;

    if (words[1] == NULL || words[2] != NULL)
        return usage(words[0], "takes one ENROLEE");
    ask = verb("revoke", NULL);
    json_object_set_new(ask, "enrolee", json_string(words[1]));
    return ask_and_print(l, o, ask);
}

/* Shorter words for a verb of its own and two that rows have. */
static int do_command(struct ctl_link *l, const struct ctl_options *o, char **words)
{
    char noun[] = "command";
    json_t *ask;
    int rc;

    if (words[1] != NULL && strcmp(words[1], "list") == 0) {
        words[1] = noun; /* where do_list has it; the rest stands behind */
        return do_list(l, o, words);
    }
    if (words[1] == NULL || words[2] == NULL)
        return usage(words[0], "takes issue CLASS, list or cancel ID");
    if (strcmp(words[1], "cancel") == 0 && words[3] == NULL) {
        ask = verb("remove", noun);
        json_object_set_new(ask, "id", json_string(words[2]));
        return ask_and_print(l, o, ask);
    }
    if (strcmp(words[1], "issue") != 0)
        return usage(words[0], "takes issue CLASS, list or cancel ID");
    ask = verb("issue", NULL);
    json_object_set_new(ask, "class", json_string(words[2]));
    rc = take_members(ask, o, words + 3, false);
    if (rc == CTL_OK)
        return ask_and_print(l, o, ask);
    json_decref(ask);
    return rc;
}

static int do_import(struct ctl_link *l, const struct ctl_options *o, char **words)
{
    return words[1] == NULL || words[2] != NULL ? usage(words[0], "takes one FILE")
                                                : ctl_import(l, o, words[1]);
}

static int do_plain(struct ctl_link *l, const struct ctl_options *o, char **words)
{
    return words[1] != NULL ? usage(words[0], "takes nothing more")
                            : ask_and_print(l, o, verb(words[0], NULL));
}

/* An answer that nobody has is none. */
static int flush_answer(void)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return CTL_OK;
    ctl_say(NULL, "standard output: %s", strerror(errno));
    return CTL_IO;
}

/* With or without the word verify. */
static int do_audit(struct ctl_link *l, const struct ctl_options *o, char **words)
{
    if (words[1] != NULL && (strcmp(words[1], "verify") != 0 || words[2] != NULL))
        return usage(words[0], "takes verify, or nothing more");
    return ask_and_print(l, o, verb("audit", NULL));
}

static const struct {
    const char *name;
    int (*run)(struct ctl_link *l, const struct ctl_options *o, char **words);
} commands[] = {
    {"add", do_change},    {"remove", do_change}, {"list", do_list},   {"revoke", do_revoke},
    {"import", do_import}, {"audit", do_audit},   {"rekey", do_plain}, {"command", do_command},
};

static int run(const struct ctl_options *o, char **words)
{
    struct ctl_link *l = NULL;
    int rc;

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (words[0] != NULL && strcmp(words[0], commands[i].name) == 0) {
            rc = ctl_link_open(o, &l);
            if (rc == CTL_OK)
                rc = commands[i].run(l, o, words);
            ctl_link_close(l);
            return rc == CTL_OK ? flush_answer() : rc;
        }
    return usage(words[0], words[0] != NULL ? "no such command" : "no command");
}

/* ---- the command line ---- */

static int read_batch(const char *text, size_t *out)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);

    if (*end != '\0' || v == 0 || v > 10000) {
        ctl_say(NULL, "--batch is 1 to 10000");
        return CTL_USAGE;
    }
    *out = v;
    return CTL_OK;
}

/* Failures before it is reached are told as it wants. */
static bool has_json(char **argv)
{
    while (*++argv != NULL && strcmp(*argv, "--") != 0)
        if (strcmp(*argv, "--json") == 0)
            return true;
    return false;
}

/* -1: there is something to do; else the exit code. */
static int read_options(int argc, char **argv, struct ctl_options *o)
{
    enum {
        SOCKET = 1,
        URL,
        CA,
        CERT,
        KEY,
        KEY_FILE,
        FILE_,
        FILE_SEAL,
        GENERATE,
        OUT,
        OUT_SEAL,
        BATCH,
        RESUME,
        JSON,
        HELP,
        VERSION_
    };
    static const struct option options[] = {{"socket", required_argument, NULL, SOCKET},
                                            {"url", required_argument, NULL, URL},
                                            {"ca", required_argument, NULL, CA},
                                            {"cert", required_argument, NULL, CERT},
                                            {"key", required_argument, NULL, KEY},
                                            {"batch", required_argument, NULL, BATCH},
                                            {"key-file", required_argument, NULL, KEY_FILE},
                                            {"file", required_argument, NULL, FILE_},
                                            {"file-seal", required_argument, NULL, FILE_SEAL},
                                            {"generate", no_argument, NULL, GENERATE},
                                            {"out", required_argument, NULL, OUT},
                                            {"out-seal", required_argument, NULL, OUT_SEAL},
                                            {"json", no_argument, NULL, JSON},
                                            {"resume", required_argument, NULL, RESUME},
                                            {"help", no_argument, NULL, HELP},
                                            {"version", no_argument, NULL, VERSION_},
                                            {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        const char **value[] = {[SOCKET] = &o->socket, [URL] = &o->url,
                                [CA] = &o->ca,         [CERT] = &o->cert,
                                [KEY] = &o->key,       [KEY_FILE] = &o->key_file,
                                [FILE_] = &o->file,    [FILE_SEAL] = &o->file_seal,
                                [OUT] = &o->out,       [OUT_SEAL] = &o->out_seal,
                                [RESUME] = &o->resume};

        if (c == JSON)
            o->json = true;
        else if (c == GENERATE)
            o->generate = true;
        else if (c == HELP)
            return fputs(usage_text, stdout) < 0 ? CTL_IO : flush_answer();
        else if (c == VERSION_)
            return puts("mefctl " PACKAGE_VERSION) < 0 ? CTL_IO : flush_answer();
        else if (c == BATCH && read_batch(optarg, &o->batch) != CTL_OK)
            return CTL_USAGE;
        else if (c == '?')
            return usage(argv[optind - 1], "no such option, or one without its value");
        else if (c != BATCH)
            *value[c] = optarg;
    }
    return -1;
}

int main(int argc, char **argv)
{
    struct ctl_options o = {.socket = DEFAULT_SOCKET, .batch = 1000, .json = has_json(argv)};
    int rc;

    signal(SIGXFSZ,
           SIG_IGN); /* a limit of files is an error of write(2), after which ours go */
    gba_json_wipe();
    rc = read_options(argc, argv, &o);
    return ctl_end(&o, rc >= 0 ? rc : run(&o, argv + optind));
}
