/*
 * The lines of a soft USIM's file, read: one table row per name (gba(1), SOFT USIM).  Pure; the
 * file itself is usim_file.c's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <string.h>

#include "ua/usim_file.h"

/* Lines that make sense only together with others wait here until all are read. */
struct raw {
    struct usim_file *u;
    uint8_t op[32];
    size_t op_len;
    bool opc, op_given;
};

typedef enum gba_err line_reader(struct raw *raw, struct gba_text value);

static enum gba_err read_imsi(struct raw *raw, struct gba_text v)
{
    enum gba_err err = gba_imsi_check(v);

    return err == GBA_OK ? gba_text_copy(raw->u->imsi, sizeof(raw->u->imsi), v) : err;
}

static enum gba_err read_impi(struct raw *raw, struct gba_text v)
{
    enum gba_err err = gba_impi_check(v);

    raw->u->impi_given = true;
    return err == GBA_OK ? gba_text_copy(raw->u->impi, sizeof(raw->u->impi), v) : err;
}

static enum gba_err read_mnc_len(struct raw *raw, struct gba_text v)
{
    if (!gba_text_is(v, "2") && !gba_text_is(v, "3"))
        return GBA_E_SYNTAX;
    raw->u->mnc_len = (unsigned)(v.s[0] - '0');
    return GBA_OK;
}

static enum gba_err read_type(struct raw *raw, struct gba_text v)
{
    if (!gba_text_is(v, "usim") && !gba_text_is(v, "isim"))
        return GBA_E_SYNTAX;
    raw->u->application = gba_text_is(v, "isim") ? GBA_UE_ISIM : GBA_UE_USIM;
    return GBA_OK;
}

static enum gba_err read_yes_no(struct gba_text v, bool *out)
{
    *out = gba_text_is(v, "yes") || gba_text_is(v, "1") || gba_text_is(v, "true");
    return *out || gba_text_is(v, "no") || gba_text_is(v, "0") || gba_text_is(v, "false")
               ? GBA_OK
               : GBA_E_SYNTAX;
}

static enum gba_err read_gba_u(struct raw *raw, struct gba_text v)
{
    return read_yes_no(v, &raw->u->gba_u);
}

static enum gba_err read_algorithm(struct raw *raw, struct gba_text v)
{
    return gba_aka_by_name(v, &raw->u->secret.algorithm) == GBA_OK ? GBA_OK : GBA_E_SYNTAX;
}

static enum gba_err read_k(struct raw *raw, struct gba_text v)
{
    return gba_unhex(raw->u->secret.k, sizeof(raw->u->secret.k), v, &raw->u->secret.k_len);
}

static enum gba_err read_operator(struct raw *raw, struct gba_text v, size_t len, bool opc)
{
    raw->opc = opc;
    if (raw->op_given)
        return GBA_E_REPEATED;
    raw->op_given = true;
    raw->op_len = len;
    return gba_unhex_exact(raw->op, len, v);
}

static enum gba_err read_opc(struct raw *raw, struct gba_text v)
{
    return read_operator(raw, v, 16, true);
}

static enum gba_err read_op(struct raw *raw, struct gba_text v)
{
    return read_operator(raw, v, 16, false);
}

static enum gba_err read_topc(struct raw *raw, struct gba_text v)
{
    return read_operator(raw, v, 32, true);
}

static enum gba_err read_top(struct raw *raw, struct gba_text v)
{
    return read_operator(raw, v, 32, false);
}

static enum gba_err read_fmk(struct raw *raw, struct gba_text v)
{
    raw->u->secret.own_fmk = true;
    return gba_unhex_exact(raw->u->secret.fmk, sizeof(raw->u->secret.fmk), v);
}

static enum gba_err read_res_len(struct raw *raw, struct gba_text v)
{
    uint64_t n;
    enum gba_err err = gba_text_number(v, 16, &n);

    raw->u->secret.res_len = err == GBA_OK ? (size_t)n : 0;
    return err;
}

static enum gba_err read_iterations(struct raw *raw, struct gba_text v)
{
    uint64_t n;
    enum gba_err err = gba_text_number(v, 1000, &n);

    raw->u->secret.iterations = err == GBA_OK ? (unsigned)n : 0;
    return err == GBA_OK && n == 0 ? GBA_E_SYNTAX : err;
}

/* AMF is the AuC's to choose; a card takes any (TS 33.102 6.3.3).  Read, so that an AuC's line
 * of a subscriber serves the card too, and not kept. */
static enum gba_err read_amf(struct raw *raw, struct gba_text v)
{
    uint8_t amf[2];

    (void)raw;
    return gba_unhex_exact(amf, sizeof(amf), v);
}

/* The highest SQN this card has accepted: nothing at or below its SEQ is fresh at any IND. */
static enum gba_err read_sqn(struct raw *raw, struct gba_text v)
{
    char digits[] = "000000000000"; /* leading zeros may be left out */
    uint8_t octets[6];
    uint64_t sqn, seq;
    enum gba_err err;

    if (v.n == 0 || v.n >= sizeof(digits))
        return GBA_E_SYNTAX;
    memcpy(digits + sizeof(digits) - 1 - v.n, v.s, v.n);
    err = gba_unhex_exact(octets, sizeof(octets), gba_text(digits));
    if (err != GBA_OK)
        return err;
    sqn = gba_sqn_get(octets);
    seq = sqn >> GBA_SQN_IND_BITS;
    for (unsigned ind = 0; ind < GBA_SQN_ARRAY; ind++)
        raw->u->sqn.seq[ind] = seq != 0 ? seq - 1 : 0;
    raw->u->sqn.seq[sqn & (GBA_SQN_ARRAY - 1)] = seq;
    return GBA_OK;
}

/* As the card itself writes it: one SEQ per IND. */
static enum gba_err read_seq(struct raw *raw, struct gba_text v)
{
    for (unsigned ind = 0; ind < GBA_SQN_ARRAY; ind++) {
        struct gba_text one;
        const bool more = gba_text_split(v, ',', &one, &v);

        if (more != (ind + 1 < GBA_SQN_ARRAY) ||
            gba_text_number(one, GBA_SQN_MAX >> GBA_SQN_IND_BITS, &raw->u->sqn.seq[ind]) !=
                GBA_OK)
            return GBA_E_SYNTAX;
    }
    return GBA_OK;
}

static enum gba_err read_gba_ks(struct raw *raw, struct gba_text v)
{
    raw->u->has_ks = true;
    return gba_unhex_exact(raw->u->ks.octets, sizeof(raw->u->ks.octets), v);
}

static enum gba_err read_gba_rand(struct raw *raw, struct gba_text v)
{
    return gba_unhex_exact(raw->u->gba_rand, sizeof(raw->u->gba_rand), v);
}

static enum gba_err read_gba_btid(struct raw *raw, struct gba_text v)
{
    return gba_text_copy(raw->u->gba_btid, sizeof(raw->u->gba_btid), v);
}

static enum gba_err read_gba_expires(struct raw *raw, struct gba_text v)
{
    uint64_t n;
    enum gba_err err = gba_text_number(v, INT64_MAX, &n);

    raw->u->gba_expires_s = err == GBA_OK ? (int64_t)n : 0;
    return err;
}

static const struct line {
    const char *name, *form;
    line_reader *read;
} lines[] = {
    {"imsi", "6 to 15 digits", read_imsi},
    {"impi", "user@domain", read_impi},
    {"mnc_len", "2 or 3", read_mnc_len},
    {"type", "usim or isim", read_type},
    {"gba_u", "yes or no", read_gba_u},
    {"algorithm", "milenage, tuak, xor or 3gpp2", read_algorithm},
    {"k", "32 (TUAK: or 64) hexadecimal digits", read_k},
    {"opc", "32 hexadecimal digits, and only one of opc, op, topc, top", read_opc},
    {"op", "32 hexadecimal digits, and only one of opc, op, topc, top", read_op},
    {"topc", "64 hexadecimal digits, and only one of opc, op, topc, top", read_topc},
    {"top", "64 hexadecimal digits, and only one of opc, op, topc, top", read_top},
    {"fmk", "8 hexadecimal digits", read_fmk},
    {"res_len", "octets of RES, 4 to 16", read_res_len},
    {"iterations", "1 to 1000", read_iterations},
    {"amf", "4 hexadecimal digits", read_amf},
    {"sqn", "1 to 12 hexadecimal digits", read_sqn},
    {"seq", "32 decimal numbers with commas", read_seq},
    {"gba_ks", "64 hexadecimal digits", read_gba_ks},
    {"gba_rand", "32 hexadecimal digits", read_gba_rand},
    {"gba_btid", "a B-TID", read_gba_btid},
    {"gba_expires", "seconds since 1970", read_gba_expires},
};
#define N_LINES (sizeof(lines) / sizeof(lines[0]))

static struct gba_text trim(struct gba_text t)
{
    while (t.n > 0 && (t.s[0] == ' ' || t.s[0] == '\t'))
        t = (struct gba_text){t.s + 1, t.n - 1};
    while (t.n > 0 && (t.s[t.n - 1] == ' ' || t.s[t.n - 1] == '\t' || t.s[t.n - 1] == '\r'))
        t.n--;
    return t;
}

/* One line; seen has a bit per row.  The value is never in the text: it may be K. */
static enum gba_err read_line(struct raw *raw, struct gba_text text, unsigned number,
                              uint32_t *seen, char *why)
{
    struct gba_text name, value;
    enum gba_err err;
    size_t i = 0;

    if (!gba_text_split(text, '=', &name, &value)) {
        snprintf(why, USIM_WHY_SIZE, "line %u: not name=value", number);
        return GBA_E_SYNTAX;
    }
    name = trim(name);
    while (i < N_LINES && !gba_text_is(name, lines[i].name))
        i++;
    if (i == N_LINES) {
        snprintf(why, USIM_WHY_SIZE, "line %u: unknown name", number);
        return GBA_E_SYNTAX;
    }
    if ((*seen & (1u << i)) != 0) {
        snprintf(why, USIM_WHY_SIZE, "line %u: %s given twice", number, lines[i].name);
        return GBA_E_REPEATED;
    }
    *seen |= 1u << i;
    err = lines[i].read(raw, trim(value));
    if (err != GBA_OK)
        snprintf(why, USIM_WHY_SIZE, "line %u: %s must be %s", number, lines[i].name,
                 lines[i].form);
    return err;
}

static enum gba_err missing(char *why, const char *what)
{
    snprintf(why, USIM_WHY_SIZE, "%s", what);
    return GBA_E_MISSING;
}

/* What EF_AD would say, for a card made from an IMSI alone: ITU-T E.212 networks have MNCs of
 * two digits, but in the Americas (3xx, 7xx) and India's 405 they have two or three.  Written
 * into the file, where it can be seen and changed; the library itself never guesses. */
static unsigned mnc_len_of(const char *imsi)
{
    return imsi[0] == '3' || imsi[0] == '7' || strncmp(imsi, "405", 3) == 0 ? 0 : 2;
}

/* An IMPI of a USIM follows from the IMSI (TS 23.003 13.3), but never by a guessed MNC length.
 */
static enum gba_err complete_identity(struct usim_file *u, char *why)
{
    if (u->application == GBA_UE_ISIM)
        return u->impi_given ? GBA_OK : missing(why, "an isim needs impi=");
    if (u->imsi[0] == '\0')
        return u->impi_given ? GBA_OK : missing(why, "a usim needs imsi= (or impi=)");
    if (u->impi_given)
        return GBA_OK;
    if (u->mnc_len == 0)
        u->mnc_len = mnc_len_of(u->imsi);
    if (u->mnc_len == 0)
        return missing(why, "imsi= needs mnc_len= (2 or 3, as in EF_AD), or impi=");
    return gba_impi_from_imsi(gba_text(u->imsi), u->mnc_len, u->impi);
}

static enum gba_err misplaced(char *why, const char *what)
{
    (void)missing(why, what);
    return GBA_E_SYNTAX;
}

/* Each algorithm has the operator's constant that is its own: OP or TOP, or none; 3GPP2's FMK
 * may be left out. */
static enum gba_err check_constant(const struct raw *raw, char *why)
{
    const struct gba_aka_secret *s = &raw->u->secret;

    if (s->own_fmk && s->algorithm != GBA_AKA_3GPP2)
        return misplaced(why, "fmk= is 3gpp2's");
    if (s->algorithm == GBA_AKA_3GPP2 && raw->op_given)
        return misplaced(why, "3gpp2 has no opc=, op=, topc= or top=");
    if (s->algorithm == GBA_AKA_MILENAGE && (!raw->op_given || raw->op_len != 16))
        return missing(why, "milenage needs opc= or op=");
    if (s->algorithm == GBA_AKA_TUAK && (!raw->op_given || raw->op_len != 32))
        return missing(why, "tuak needs topc= or top=");
    return GBA_OK;
}

static bool has_opc(enum gba_aka_algorithm a)
{
    return a == GBA_AKA_MILENAGE || a == GBA_AKA_TUAK;
}

static enum gba_err complete_secret(struct raw *raw, char *why)
{
    struct gba_aka_secret *s = &raw->u->secret;
    enum gba_err err;

    if (s->k_len == 0)
        return missing(why, "k= is missing");
    err = check_constant(raw, why);
    if (err != GBA_OK)
        return err;
    if (s->res_len == 0)
        s->res_len = has_opc(s->algorithm) ? 8 : 16;
    if (has_opc(s->algorithm) && raw->opc)
        memcpy(s->opc, raw->op, raw->op_len);
    if (has_opc(s->algorithm) && !raw->opc)
        err = gba_aka_derive_opc(s, (struct gba_bytes){raw->op, raw->op_len});
    if (err == GBA_OK)
        err = gba_aka_check_secret(s);
    if (err != GBA_OK) {
        snprintf(why, USIM_WHY_SIZE, "k=, res_len= or iterations= do not fit algorithm %s",
                 gba_aka_name(s->algorithm));
        return GBA_E_SYNTAX;
    }
    return GBA_OK;
}

enum gba_err usim_file_parse(struct gba_text text, struct usim_file *out,
                             char why[static USIM_WHY_SIZE])
{
    struct raw raw = {.u = out};
    enum gba_err err = GBA_OK;
    unsigned number = 0;
    uint32_t seen = 0;

    memset(out, 0, sizeof(*out));
    why[0] = '\0';
    while (err == GBA_OK && text.n > 0) {
        struct gba_text line;

        gba_text_split(text, '\n', &line, &text);
        number++;
        line = trim(line);
        if (line.n > 0 && line.s[0] != '#')
            err = read_line(&raw, line, number, &seen, why);
    }
    if (err == GBA_OK)
        err = complete_identity(out, why);
    if (err == GBA_OK)
        err = complete_secret(&raw, why);
    gba_wipe(&raw, sizeof(raw));
    if (err != GBA_OK)
        gba_wipe(out, sizeof(*out));
    return err;
}
