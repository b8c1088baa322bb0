/*
 * The configuration of mock-hss: its schema.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/mock-hss/mock_hss.h"

#include <stddef.h>

#include "common/host/diameter.h"

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define SUB(field)  offsetof(struct subscriber_config, field)
#define HSS(field)  offsetof(struct hss_config, field)

static const char *const algorithms[] = {"milenage", "tuak", "xor", "3gpp2", NULL};

static const struct conf_row subscriber_rows[] = {
    {.name = "impi",
     .type = CONF_STRING,
     .max = GBA_IMPI_SIZE - 1,
     .offset = SUB(impi),
     .flags = CONF_SHOWN,
     .example = "001010123456789@ims.mnc001.mcc001.3gppnetwork.org",
     .help = "Private identity; or give imsi and mnc_len, from which it is derived."},
    {.name = "imsi", .type = CONF_STRING, .max = 15, .offset = SUB(imsi), .help = "IMSI."},
    {.name = "mnc_len",
     .type = CONF_INT,
     .min = 0,
     .max = 3,
     .deflt = "0",
     .offset = SUB(mnc_len),
     .help = "Digits of the MNC in the IMSI: 2 or 3."},
    {.name = "algorithm",
     .type = CONF_ENUM,
     .choices = algorithms,
     .deflt = "milenage",
     .offset = SUB(algorithm),
     .help = "AKA algorithm set."},
    {.name = "k",
     .type = CONF_HEX,
     .min = 16,
     .max = 32,
     .offset = SUB(k),
     .flags = CONF_REQUIRED | CONF_SECRET,
     .help = "Subscriber key: 16 octets, TUAK also 32."},
    {.name = "opc",
     .type = CONF_HEX,
     .min = 16,
     .max = 16,
     .offset = SUB(opc),
     .flags = CONF_SHOWN | CONF_SECRET,
     .help = "Milenage: OPc."},
    {.name = "op",
     .type = CONF_HEX,
     .min = 16,
     .max = 16,
     .offset = SUB(op),
     .flags = CONF_SECRET,
     .help = "Milenage: OP, instead of opc."},
    {.name = "topc",
     .type = CONF_HEX,
     .min = 32,
     .max = 32,
     .offset = SUB(topc),
     .flags = CONF_SECRET,
     .help = "TUAK: TOPc."},
    {.name = "top",
     .type = CONF_HEX,
     .min = 32,
     .max = 32,
     .offset = SUB(top),
     .flags = CONF_SECRET,
     .help = "TUAK: TOP, instead of topc."},
    {.name = "fmk",
     .type = CONF_HEX,
     .min = 4,
     .max = 4,
     .offset = SUB(fmk),
     .flags = CONF_SECRET,
     .help = "3gpp2: family key FMK; left out, it is 41484147."},
    {.name = "amf",
     .type = CONF_HEX,
     .min = 2,
     .max = 2,
     .deflt = "0000",
     .offset = SUB(amf),
     .help = "Authentication management field; the separation bit is 0 in GBA."},
    {.name = "iterations",
     .type = CONF_INT,
     .min = 1,
     .max = 255,
     .deflt = "1",
     .offset = SUB(iterations),
     .help = "TUAK: Keccak permutations."},
    {.name = "res_len",
     .type = CONF_INT,
     .min = 0,
     .max = 16,
     .deflt = "0",
     .unit = "octets",
     .offset = SUB(res_len),
     .help =
         "Length of RES; 0: 8, 3gpp2 16. Milenage 8; TUAK 4, 8 or 16; xor and 3gpp2 4 to 16."},
    {.name = "sqn",
     .type = CONF_HEX,
     .min = 6,
     .max = 6,
     .deflt = "000000000000",
     .offset = SUB(sqn),
     .help = "The sequence number issued last; the first vector has the next one."},
    {.name = "ind",
     .type = CONF_INT,
     .min = 0,
     .max = 31,
     .deflt = "0",
     .offset = SUB(ind),
     .help = "Index part of the sequence numbers (TS 33.102 C.1.1.1)."},
    {.name = "guss",
     .type = CONF_STRING,
     .max = 65536,
     .offset = SUB(guss),
     .help = "GBA user security settings: the XML text."},
    {.name = "guss_file",
     .type = CONF_PATH,
     .offset = SUB(guss_file),
     .help = "The same from a file."},
    {.name = "guss_timestamp",
     .type = CONF_STRING,
     .max = 40,
     .offset = SUB(guss_timestamp),
     .help = "When the GUSS was changed (xs:dateTime), if its XML does not say so itself."},
    {.name = "barred",
     .type = CONF_BOOL,
     .deflt = "false",
     .offset = SUB(barred),
     .help = "Answer with DIAMETER_AUTHORIZATION_REJECTED."},
};

static const char *check_subscriber(const void *filled, const char **row)
{
    const struct subscriber_config *s = filled;
    bool tuak = s->algorithm == GBA_AKA_TUAK;

    *row = "impi";
    if ((s->impi != NULL) == (s->imsi != NULL))
        return "give either impi or imsi";
    *row = "mnc_len";
    if (s->imsi != NULL && s->mnc_len != 2 && s->mnc_len != 3)
        return "an imsi needs mnc_len 2 or 3";
    *row = "algorithm";
    if (s->algorithm == GBA_AKA_MILENAGE && (s->opc.n != 0) == (s->op.n != 0))
        return "milenage needs either opc or op";
    if (tuak && (s->topc.n != 0) == (s->top.n != 0))
        return "tuak needs either topc or top";
    if (s->algorithm != GBA_AKA_3GPP2 && s->fmk.n != 0)
        return "fmk is 3gpp2's";
    if (s->algorithm == GBA_AKA_3GPP2 &&
        (s->op.n != 0 || s->opc.n != 0 || s->top.n != 0 || s->topc.n != 0))
        return "3gpp2 has no opc, op, topc or top";
    *row = "k";
    if (s->k.n != 16 && !(tuak && s->k.n == 32))
        return "k has 16 octets, or 32 with tuak";
    *row = "guss";
    if (s->guss != NULL && s->guss_file != NULL)
        return "give either guss or guss_file";
    return NULL;
}

static const struct conf_schema subscriber_schema = {
    .title = "A subscriber",
    .rows = subscriber_rows,
    .n_rows = SIZE(subscriber_rows),
    .size = sizeof(struct subscriber_config),
    .check = check_subscriber,
};

static const struct conf_row rows[] = {
    {.name = "listen",
     .type = CONF_ADDRESS,
     .deflt = "127.0.0.1:3868",
     .offset = HSS(listen),
     .help = "Address and TCP port; port 0: a free one, see --ports-file."},
    {.name = "identity",
     .type = CONF_STRING,
     .max = 255,
     .deflt = "hss.example",
     .offset = HSS(identity),
     .help = "Diameter identity."},
    {.name = "realm",
     .type = CONF_STRING,
     .max = 255,
     .deflt = "example",
     .offset = HSS(realm),
     .help = "Diameter realm."},
    {.name = "clients",
     .type = CONF_STRINGS,
     .offset = HSS(clients),
     .help = "Diameter identities that may connect; none given: any."},
    {.name = "threads",
     .type = CONF_INT,
     .min = 1,
     .max = 64,
     .deflt = "2",
     .offset = HSS(threads),
     .help = "Threads that answer."},
    {.name = "guss_timestamps",
     .type = CONF_BOOL,
     .deflt = "true",
     .offset = HSS(guss_timestamps),
     .help = "Leave the GUSS out when GUSS-Timestamp says that the BSF has this one."},
    {.name = "control",
     .type = CONF_PATH,
     .offset = HSS(control),
     .help = "Path of the control socket, created with mode 0600; none given: no socket."},
    {.name = "tls_cert",
     .type = CONF_PATH,
     .offset = HSS(tls_cert),
     .help = "Certificate (PEM); with it the listener speaks TLS and nothing else."},
    {.name = "tls_key", .type = CONF_PATH, .offset = HSS(tls_key), .help = "Its key (PEM)."},
    {.name = "tls_ca",
     .type = CONF_PATH,
     .offset = HSS(tls_ca),
     .help = "CA certificates (PEM) for the clients'."},
    {.name = "subscribers",
     .type = CONF_SECTIONS,
     .sub = &subscriber_schema,
     .offset = HSS(subscribers),
     .flags = CONF_REQUIRED,
     .help = "The subscribers. Their keys make the file one of mode 0600."},
    DAEMON_CONF_ROWS(struct hss_config, daemon),
};

static const char *check(const void *filled, const char **row)
{
    static const char no_identity[] =
        "not a Diameter identity: letters, digits, '.', '-' and '_'";
    const struct hss_config *c = filled;

    *row = "identity";
    if (!diameter_is_identity(c->identity))
        return no_identity;
    *row = "realm";
    if (!diameter_is_identity(c->realm))
        return no_identity;
    *row = "tls_cert";
    if ((c->tls_cert == NULL) != (c->tls_key == NULL))
        return "tls_cert and tls_key come together";
    return NULL;
}

const struct conf_schema hss_schema = {
    .title = "mock-hss, a test HSS for Zh",
    .rows = rows,
    .n_rows = SIZE(rows),
    .size = sizeof(struct hss_config),
    .check = check,
};
