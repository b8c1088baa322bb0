/*
 * gba: the UE's command line (gba(1)).  One table of options, one of commands; everything a
 * command does is in its own gba_*.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <getopt.h>
#include <signal.h>

#include "ua/gba.h"

enum command_bit {
    BOOTSTRAP = 1,
    KEY = 2,
    GET = 4,
    PUT = 8,
    SHOW = 16,
    ENROL = 32,
    CONNECT = 64,
    USIM = 128,
    CREDENTIAL = 256,
    EST = 512,
    ALL = 1023
};

static const struct command {
    const char *name, *arguments, *help;
    enum command_bit bit;
    int n_args;
    int (*run)(const struct gba_options *o);
} commands[] = {
    {"bootstrap", "", "run Ub with the BSF: a new B-TID and Ks", BOOTSTRAP, 0,
     gba_cmd_bootstrap},
    {"key", "--naf FQDN", "the key for a NAF; bootstraps if needed", KEY, 0, gba_cmd_key},
    {"get", "URL", "fetch from a NAF, with what it asks for (Digest or PSK-TLS)", GET, 1,
     gba_cmd_get},
    {"put", "URL", "send --data FILE, or standard input, to a NAF", PUT, 1, gba_cmd_put},
    {"show", "", "what the keyring holds", SHOW, 0, gba_cmd_show},
    {"enrol", "--target CSE-ID", "a oneM2M credential for a target", ENROL, 0, gba_cmd_enrol},
    {"connect", "HOST:PORT --psk|--cert FILE|--maf URL --target CSE-ID",
     "TLS with a target: by its credential, by certificates, or by a key of a MAF", CONNECT, 1, gba_cmd_connect},
    {"credential", "import|export --file FILE",
     "a credential file into the device's keyring; one of a keyring into --out FILE", CREDENTIAL,
     1, gba_cmd_credential},
    {"est", "cacerts|csrattrs|enrol|renew --mef URL", "certificates from a MEF (EST, RFC 7030)",
     EST, 1, gba_cmd_est},
    {"usim", "new|show --file FILE", "make a soft USIM from lines on standard input; show one",
     USIM, 1, gba_cmd_usim},
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

#define AT(member) offsetof(struct gba_options, member)

static const struct option_row {
    const char *name, *argument, *help; /* argument NULL: a flag */
    unsigned commands;
    size_t at;
} rows[] = {
    {"usim", "FILE", "soft USIM (default: usim in the state folder)", ALL, AT(usim)},
    {"state", "DIR", "state folder (default: $XDG_STATE_HOME/gba)", ALL, AT(state)},
    {"seal", "FILE", "seal the keyring with the 32-octet key in FILE (64 hex digits or raw)",
     ALL, AT(seal)},
    {"bsf", "URL", "BSF (default: http://, the name from the identity)", ALL, AT(bsf)},
    {"bsf-name", "FQDN", "the BSF's name, where the URL does not give it", ALL, AT(bsf_name)},
    {"ca", "FILE", "trusted certificates, PEM (default: the system's)", ALL, AT(ca)},
    {"pin", "sha256//B64", "the server's public key, for https", ALL, AT(pin)},
    {"proxy", "URL", "HTTP proxy (never taken from the environment)", ALL, AT(proxy)},
    {"interface", "NAME", "local address or device", ALL, AT(interface)},
    {"timeout", "SECONDS", "for each exchange (default 30)", ALL, AT(timeout)},
    {"ipv4", NULL, "IPv4 only", ALL, AT(ipv4)},
    {"ipv6", NULL, "IPv6 only", ALL, AT(ipv6)},
    {"report-mac-failure", NULL, "tell the BSF when AUTN does not verify", ALL, AT(report_mac)},
    {"json", NULL, "output as one JSON object", ALL, AT(json)},
    {"show-keys", NULL, "print keys too", ALL, AT(show_keys)},
    {"trace", NULL, "HTTP messages, abridged, on standard error", ALL, AT(trace)},
    {"naf", "FQDN", "the NAF's name (get, put: where the URL has an address)", KEY | GET | PUT,
     AT(naf)},
    {"ua-protocol", "ID", "http-digest, psk-tls12:XXXX, psk-tls13, or ten hex digits",
     KEY | GET | PUT | ENROL, AT(ua_protocol)},
    {"internal", NULL, "Ks_int_NAF (GBA_U)", KEY, AT(internal)},
    {"renew", NULL, "bootstrap first, also when a key is there; with --maf: a new key", KEY | ENROL | CONNECT, AT(renew)},
    {"out", "FILE", "write the key (hex), or the body received, to FILE, mode 0600",
     KEY | GET | PUT | CREDENTIAL | EST, AT(out)},
    {"connect-to", "HOST:PORT", "connect there instead of the URL's host",
     GET | PUT | ENROL | EST | CONNECT, AT(connect_to)},
    {"content-type", "TYPE", "of the data", PUT, AT(content_type)},
    {"data", "FILE", "what to send (default -: standard input)", PUT, AT(data)},
    {"allow-http", NULL, "answer a challenge over http to a host that is not this one",
     GET | PUT, AT(allow_http)},
    {"bare-identity", NULL, "psk_identity without 3GPP-bootstrapping", GET | PUT, AT(bare)},
    {"file", "FILE", "the soft USIM's file (also --usim); the credential's", USIM | CREDENTIAL,
     AT(file)},
    {"force", NULL, "replace an existing file", USIM | CREDENTIAL, AT(force)},
    {"file-seal", "FILE", "credential files are sealed with the 32-octet key in FILE",
     CREDENTIAL | ENROL | EST, AT(file_seal)},
    {"device", NULL, "the device's own keyring, also where there is a soft USIM",
     SHOW | CONNECT | CREDENTIAL, AT(device)},
    {"mef", "URL", "the MEF", ENROL | EST, AT(mef)},
    {"target", "CSE-ID", "the enrolment target, //SP-FQDN/CSE or /CSE",
     ENROL | CONNECT | CREDENTIAL, AT(target)},
    {"target-fqdn", "FQDN", "its public domain name (default: from the CSE-ID)",
     ENROL | CONNECT, AT(target_fqdn)},
    {"framework", "gba|psk|cert", "provisioning framework (default gba)", ENROL, AT(framework)},
    {"kpm-file", "FILE", "psk: credential file with Kpm and KpmID", ENROL | EST, AT(kpm_file)},
    {"cert", "FILE", "this device's certificate, PEM (est renew: default --cert-out)",
     ENROL | EST | CONNECT, AT(cert)},
    {"key", "FILE", "its private key, PEM, mode 0600 (est renew: default --key-out)",
     ENROL | EST | CONNECT, AT(key)},
    {"gba-mef", NULL, "the MEF is the NAF: enrol over TLS-PSK with it", ENROL, AT(gba_mef)},
    {"originator", "ID", "X-M2M-Origin (default: none, the MEF knows the Enrolee-ID)", ENROL | CONNECT,
     AT(originator)},
    {"admin", "FQDN", "administrating stakeholder (default: the target's SP)",
     ENROL | CONNECT, AT(admin)},
    {"replaces", "CSE-ID", "the target of before, which ends: its registration, then its credential",
     ENROL, AT(replaces)},
    {"replaces-admin", "FQDN", "stakeholder of before (default: that target's SP)", ENROL,
     AT(replaces_admin)},
    {"unless-valid-for", "SECONDS", "only if the credential that is there ends sooner", ENROL,
     AT(valid_for)},
    {"mef-fqdn", "FQDN", "the MEF's name, where its URL has none", ENROL, AT(mef_fqdn)},
    {"maf", "URL", "the MAF: a key for the target comes from it", CONNECT, AT(maf)},
    {"maf-fqdn", "FQDN", "MAF-ID, where its URL has none", CONNECT, AT(maf_fqdn)},
    {"derive", "WHAT", "of Ke: usage (10.3.7, default), kpsa (10.3.3) or km (10.3.2)", ENROL,
     AT(derive)},
    {"usage", "SUID", "of the usage-constrained key: 22 (default, a CSE) or 21 (a MAF)", ENROL,
     AT(usage)},
    {"psk", NULL, "TLS-PSK with the stored credential", CONNECT, AT(psk)},
    {"suites", "LIST",
     "TLS 1.2 suites, OpenSSL's names (default: those of the credential, or of the MEF "
     "profile)",
     CONNECT | ENROL | EST, AT(suites)},
    {"id", "ID", "whose certificate: Absolute AE-ID or CSE-ID, M2M-Node-ID, or a MAF's FQDN",
     EST, AT(id)},
    {"fqdn", "FQDN", "a CSE's public domain name (default: from the CSE-ID)", EST, AT(fqdn)},
    {"cert-out", "FILE",
     "where the new certificate goes, mode 0600 (enrol: one the MEF commands to fetch)",
     EST | ENROL, AT(cert_out)},
    {"key-out", "FILE", "... and its new key; both replaced together", EST | ENROL,
     AT(key_out)},
    {"node-id", "ID",
     "the M2M-Node-ID of the node this is, a URI: what the MEF commands may be for it", ENROL,
     AT(node_id)},
    {"send", "TEXT", "a line to send after the handshake (default: an HTTP request)", CONNECT,
     AT(send)},
    {"key-id", "ID", "psk_identity instead of the stored one", CONNECT, AT(key_id)},
    {"key-file", "FILE", "key (64 hex digits, mode 0600) instead of the stored one", CONNECT,
     AT(key_file)},
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static void print_help(const struct command *only)
{
    printf("Usage: gba COMMAND [OPTIONS]\n3GPP GBA for devices: keys from a SIM card. See "
           "gba(1).\n\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (only == NULL || only == &commands[i])
            printf("  gba %s%s%s\n        %s\n", commands[i].name,
                   commands[i].arguments[0] != '\0' ? " " : "", commands[i].arguments,
                   commands[i].help);
    printf("\nOptions:\n");
    for (size_t i = 0; i < N_ROWS; i++)
        if (only == NULL || (rows[i].commands & only->bit) != 0)
            printf("  --%s%s%s\n        %s\n", rows[i].name,
                   rows[i].argument != NULL ? " " : "",
                   rows[i].argument != NULL ? rows[i].argument : "", rows[i].help);
    printf(
        "  -v is --trace; --help, --version\n\n"
        "Exit status: 0, 64 usage, 65 bad data, 69 unreachable, 74 input/output, 76 protocol,\n"
        "77 refused, 78 configuration.\n");
}

enum { OPT_HELP = 1000, OPT_VERSION };

static void fill_getopt(struct option table[static N_ROWS + 3])
{
    for (size_t i = 0; i < N_ROWS; i++)
        table[i] = (struct option){rows[i].name,
                                   rows[i].argument != NULL ? required_argument : no_argument,
                                   NULL, (int)i + 256};
    table[N_ROWS] = (struct option){"help", no_argument, NULL, OPT_HELP};
    table[N_ROWS + 1] = (struct option){"version", no_argument, NULL, OPT_VERSION};
    table[N_ROWS + 2] = (struct option){NULL, 0, NULL, 0};
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static const struct option_row *row_of(int key)
{
    for (size_t i = 0; key == 'v' && i < N_ROWS; i++)
        if (strcmp(rows[i].name, "trace") == 0)
            return &rows[i];
    return key >= 256 && (size_t)key < 256 + N_ROWS ? &rows[key - 256] : NULL;
}

/* Options first: the command is the first argument that is none.  -1: go on. */
static int parse(int argc, char **argv, struct gba_options *o, const struct command **command)
{
    const struct option_row *given[N_ROWS];
    struct option table[N_ROWS + 3];
    size_t n_given = 0;
    bool help = false;
    int key;

    fill_getopt(table);
    while ((key = getopt_long(argc, argv, "v", table, NULL)) != -1) {
        const struct option_row *row = row_of(key);

        if (key == OPT_VERSION) {
            puts("gba (" PACKAGE_NAME ") " PACKAGE_VERSION);
            return EX_OK;
        }
        help = help || key == OPT_HELP;
        if (row == NULL && key != OPT_HELP)
            return gba_usage("try gba --help");
        if (row != NULL && n_given < N_ROWS)
            given[n_given++] = row;
        if (row != NULL)
            *(const char **)((char *)o + row->at) = optarg != NULL ? optarg : "";
    }
    *command = optind < argc ? find_command(argv[optind]) : NULL;
    if (help) {
        print_help(*command);
        return EX_OK;
    }
    if (*command == NULL)
        return optind < argc ? gba_usage("no such command: %s; try gba --help", argv[optind])
                             : gba_usage("no command; try gba --help");
    for (size_t i = 0; i < n_given; i++)
        if ((given[i]->commands & (*command)->bit) == 0)
            return gba_usage("%s has no option --%s", (*command)->name, given[i]->name);
    o->n_args = argc - optind - 1;
    if (o->n_args != (*command)->n_args)
        return gba_usage("usage: gba %s %s [OPTIONS]", (*command)->name, (*command)->arguments);
    for (int i = 0; i < o->n_args; i++)
        o->args[i] = argv[optind + 1 + i];
    return -1;
}

int main(int argc, char **argv)
{
    const struct command *command = NULL;
    struct gba_options o;
    int status;

    signal(SIGPIPE, SIG_IGN); /* a peer or a reader that goes is an error like others */
    memset(&o, 0, sizeof(o));
    status = parse(argc, argv, &o, &command);
    return status >= 0 ? status : command->run(&o);
}
