/*
 * Commands of an MEF to its clients: see m2m_command.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/m2m_command.h"

#include <string.h>

#define DURATION_MAX ((int64_t)100 * 365 * 86400)

/* ------------------------------------------------------------ codes and their names */

struct code {
    unsigned number;
    const char *name, *words;
};
static const struct code classes[] = {
#define X(name, number, word) {number, #name, word},
    M2M_CMD_CLASS_TABLE(X)
#undef X
};
static const struct code statuses[] = {
#define X(name, number, whose, words) {number, #name, words},
    M2M_CMD_STATUS_TABLE(X)
#undef X
};
/* Of the rows above, in their order: a class, or these. */
enum { OF_ANY = 1000, OF_MEF };
static const unsigned whose_status[] = {
#define OF_CERT_PROV                  M2M_CMD_CERT_PROV
#define OF_DEV_CFG                    M2M_CMD_DEV_CFG
#define OF_MO_NODE                    M2M_CMD_MO_NODE
#define X(name, number, whose, words) OF_##whose,
    M2M_CMD_STATUS_TABLE(X)
#undef X
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct code *find(const struct code *table, size_t n, unsigned number)
{
    for (size_t i = 0; i < n; i++)
        if (table[i].number == number)
            return &table[i];
    return NULL;
}

const char *m2m_cmd_class_name(unsigned class_id)
{
    const struct code *c = find(classes, COUNT(classes), class_id);

    return c != NULL ? c->name : NULL;
}

const char *m2m_cmd_class_word(unsigned class_id)
{
    const struct code *c = find(classes, COUNT(classes), class_id);

    return c != NULL ? c->words : NULL;
}

const char *m2m_cmd_status_name(unsigned status)
{
    const struct code *c = find(statuses, COUNT(statuses), status);

    return c != NULL ? c->name : NULL;
}

const char *m2m_cmd_status_words(unsigned status)
{
    const struct code *c = find(statuses, COUNT(statuses), status);

    return c != NULL ? c->words : NULL;
}

bool m2m_cmd_status_is_result(unsigned status)
{
    const struct code *c = find(statuses, COUNT(statuses), status);

    return c != NULL && whose_status[c - statuses] != OF_MEF;
}

bool m2m_cmd_status_is_result_of(unsigned status, unsigned class_id)
{
    const struct code *c = find(statuses, COUNT(statuses), status);

    return c != NULL &&
           (whose_status[c - statuses] == OF_ANY || whose_status[c - statuses] == class_id);
}

#define WORDS_MAX 5
static const char *const sets[M2M_CMD_N_SETS][WORDS_MAX] = {
    [M2M_CMD_PROTOCOL] = {NULL, "est", "scep"},
    [M2M_CMD_SUBJECT_TYPE] = {NULL, "node", "cse", "ae"},
    [M2M_CMD_MANAGEMENT] = {NULL, "oma-dm-1.3", "oma-dm-2.0", "lwm2m", "tr-069"},
    [M2M_CMD_OBJECT_TYPE] = {NULL, "authentication-profile", "trust-anchor-cred",
                             "maf-client-reg-cfg"},
};

const char *m2m_cmd_word(enum m2m_cmd_set set, unsigned number)
{
    return number < WORDS_MAX ? sets[set][number] : NULL;
}

unsigned m2m_cmd_number(enum m2m_cmd_set set, struct gba_text word)
{
    uint64_t v;

    if (gba_text_number(word, WORDS_MAX - 1, &v) == GBA_OK)
        return m2m_cmd_word(set, (unsigned)v) != NULL ? (unsigned)v : 0;
    for (unsigned i = 1; i < WORDS_MAX; i++)
        if (sets[set][i] != NULL && gba_text_is(word, sets[set][i]))
            return i;
    return 0;
}

/* ------------------------------------------------------------ xs:duration */

/* One "12D": false at the end, or where there is none. */
static bool next_part(struct gba_text *t, uint64_t *n, char *unit)
{
    size_t digits = 0;

    while (digits < t->n && t->s[digits] >= '0' && t->s[digits] <= '9')
        digits++;
    if (digits == t->n ||
        gba_text_number((struct gba_text){t->s, digits}, 1000000000, n) != GBA_OK)
        return false;
    *unit = t->s[digits];
    *t = (struct gba_text){t->s + digits + 1, t->n - digits - 1};
    return true;
}

/* Units in the order they must have. */
static enum gba_err add_parts(struct gba_text t, const char *units, const int64_t *seconds,
                              int64_t *sum)
{
    size_t at = 0;
    uint64_t n;
    char unit;

    while (t.n != 0) {
        if (!next_part(&t, &n, &unit))
            return GBA_E_SYNTAX;
        while (units[at] != '\0' && units[at] != unit)
            at++;
        if (units[at] == '\0')
            return GBA_E_SYNTAX;
        *sum += (int64_t)n * seconds[at++];
    }
    return GBA_OK;
}

enum gba_err m2m_duration_parse(struct gba_text t, int64_t *seconds)
{
    static const int64_t days[] = {365 * 86400, 30 * 86400, 86400}, times[] = {3600, 60, 1};
    struct gba_text date, time;
    bool has_time;
    enum gba_err err;

    *seconds = 0;
    if (t.n < 3 || t.s[0] != 'P')
        return GBA_E_SYNTAX;
    has_time = gba_text_split((struct gba_text){t.s + 1, t.n - 1}, 'T', &date, &time);
    if (has_time && time.n == 0)
        return GBA_E_SYNTAX;
    err = add_parts(date, "YMD", days, seconds);
    if (err == GBA_OK && has_time)
        err = add_parts(time, "HMS", times, seconds);
    if (*seconds > DURATION_MAX)
        *seconds = DURATION_MAX;
    return err;
}

void m2m_duration(int64_t seconds, char out[static M2M_DURATION_SIZE])
{
    struct gba_wbuf w;

    gba_wbuf_init(&w, out, M2M_DURATION_SIZE);
    gba_wbuf_str(&w, "PT");
    gba_wbuf_number(&w, seconds > 0 ? (uint64_t)seconds : 0);
    gba_wbuf_str(&w, "S");
    gba_wbuf_cstr(&w);
}

/* ------------------------------------------------------------ writing */

static void text(struct m2m_resource *r, enum m2m_attr a, const char *s, enum gba_err *err)
{
    if (*err == GBA_OK)
        *err = m2m_set_text(r, a, gba_text(s));
}

static void number(struct m2m_resource *r, enum m2m_attr a, unsigned v, enum gba_err *err)
{
    if (*err == GBA_OK)
        *err = m2m_set_number(r, a, v);
}

static void put_cert_prov(const struct m2m_command *c, struct m2m_resource *r,
                          enum gba_err *err)
{
    m2m_set_group(r, M2M_A_CERT_PROV_CMD_ARGS);
    number(r, M2M_A_CERT_PROV_PROTOCOL_ID, c->protocol, err);
    text(r, M2M_A_URI, c->uri, err);
    number(r, M2M_A_CERT_SUBJECT_TYPE, c->subject_type, err);
    text(r, M2M_A_CERT_SUBJECT_ID, c->subject, err);
}

/* sec:deviceConfigURI: devMgmtID ":" URI. */
static void put_dev_cfg(const struct m2m_command *c, struct m2m_resource *r, enum gba_err *err)
{
    char room[M2M_ID_SIZE + 8];
    struct gba_wbuf w;

    m2m_set_group(r, M2M_A_DEV_CFG_CMD_ARGS);
    gba_wbuf_init(&w, room, sizeof(room));
    gba_wbuf_number(&w, c->management);
    gba_wbuf_str(&w, ":");
    gba_wbuf_str(&w, c->uri);
    text(r, M2M_A_DEVICE_CONFIG_URI, gba_wbuf_cstr(&w), err);
}

static void put_mo_node(const struct m2m_command *c, struct m2m_resource *r, enum gba_err *err)
{
    m2m_set_group(r, M2M_A_MO_NODE_CMD_ARGS);
    text(r, M2M_A_OBJECT_PATH, c->path, err);
    number(r, M2M_A_OBJECT_TYPE_ID, c->object_type, err);
    if (c->suid == 0)
        return;
    m2m_set_group(r, M2M_A_OBJECT_TYPE_SPECIFIC_ARGS);
    number(r, M2M_A_SUID, c->suid, err);
}

static void put_no_more(const struct m2m_command *c, struct m2m_resource *r, enum gba_err *err)
{
    char duration[M2M_DURATION_SIZE];

    m2m_set_group(r, M2M_A_NO_MORE_CMD_ARGS);
    m2m_duration(c->retry_s, duration);
    text(r, M2M_A_RETRY_DURATION, duration, err);
}

enum gba_err m2m_command_put(const struct m2m_command *c, struct m2m_resource *r)
{
    enum gba_err err = GBA_OK;

    text(r, M2M_A_CMD_ID, c->id, &err);
    number(r, M2M_A_CMD_STATUS_CODE, c->status, &err);
    m2m_set_group(r, M2M_A_CMD_DESCRIPTION);
    number(r, M2M_A_CMD_CLASS_ID, c->class_id, &err);
    m2m_set_group(r, M2M_A_CMD_ARGS);
    if (c->target[0] != '\0')
        text(r, M2M_A_CMD_TARGET_ID, c->target, &err);
    switch (c->class_id) {
    case M2M_CMD_NO_MORE_COMMANDS:
        put_no_more(c, r, &err);
        break;
    case M2M_CMD_CERT_PROV:
        put_cert_prov(c, r, &err);
        break;
    case M2M_CMD_DEV_CFG:
        put_dev_cfg(c, r, &err);
        break;
    case M2M_CMD_MO_NODE:
        put_mo_node(c, r, &err);
        break;
    default:
        break;
    }
    return err;
}

/* ------------------------------------------------------------ reading */

/* Which member of cmdArgs belongs to the class, and what must stand in it. */
static const struct arguments {
    enum m2m_attr group, must[4];
    size_t n;
} arguments[] = {
    [M2M_CMD_NO_MORE_COMMANDS] = {M2M_A_NO_MORE_CMD_ARGS, {M2M_A_RETRY_DURATION}, 0},
    [M2M_CMD_CERT_PROV] = {M2M_A_CERT_PROV_CMD_ARGS,
                           {M2M_A_CERT_PROV_PROTOCOL_ID, M2M_A_URI, M2M_A_CERT_SUBJECT_TYPE,
                            M2M_A_CERT_SUBJECT_ID},
                           4},
    [M2M_CMD_DEV_CFG] = {M2M_A_DEV_CFG_CMD_ARGS, {M2M_A_DEVICE_CONFIG_URI}, 1},
    [M2M_CMD_MO_NODE] = {M2M_A_MO_NODE_CMD_ARGS, {M2M_A_OBJECT_PATH, M2M_A_OBJECT_TYPE_ID}, 2},
};
#define N_CLASSES COUNT(arguments)

/* xs:choice: one member, the class's own, and whole. */
static bool has_arguments(const struct m2m_resource *r, unsigned class_id)
{
    const struct arguments *a = &arguments[class_id];

    for (size_t i = 0; i < N_CLASSES; i++)
        if (i != class_id && m2m_has(r, arguments[i].group))
            return false;
    for (size_t i = 0; i < a->n; i++)
        if (!m2m_has(r, a->must[i]))
            return false;
    return a->n == 0 || m2m_has(r, a->group);
}

static enum gba_err copy(const struct m2m_resource *r, enum m2m_attr a, char *out, size_t cap)
{
    return gba_text_copy(out, cap, m2m_text(r, a));
}

enum gba_err m2m_device_config_read(struct gba_text t, struct m2m_command *c)
{
    struct gba_text id, uri;
    uint64_t v;

    if (!gba_text_split(t, ':', &id, &uri) || uri.n == 0 ||
        gba_text_number(id, 999, &v) != GBA_OK)
        return GBA_E_SYNTAX;
    c->management = (unsigned)v;
    return gba_text_copy(c->uri, sizeof(c->uri), uri);
}

static enum gba_err take_arguments(const struct m2m_resource *r, struct m2m_command *c)
{
    enum gba_err err = GBA_OK;

    switch (c->class_id) {
    case M2M_CMD_NO_MORE_COMMANDS: /* nothing is reported of it: a bad duration is none */
        if (m2m_duration_parse(m2m_text(r, M2M_A_RETRY_DURATION), &c->retry_s) != GBA_OK)
            c->retry_s = 0;
        return GBA_OK;
    case M2M_CMD_CERT_PROV:
        c->protocol = (unsigned)m2m_number(r, M2M_A_CERT_PROV_PROTOCOL_ID);
        c->subject_type = (unsigned)m2m_number(r, M2M_A_CERT_SUBJECT_TYPE);
        err = copy(r, M2M_A_URI, c->uri, sizeof(c->uri));
        return err == GBA_OK ? copy(r, M2M_A_CERT_SUBJECT_ID, c->subject, sizeof(c->subject))
                             : err;
    case M2M_CMD_DEV_CFG:
        return m2m_device_config_read(m2m_text(r, M2M_A_DEVICE_CONFIG_URI), c);
    default:
        c->object_type = (unsigned)m2m_number(r, M2M_A_OBJECT_TYPE_ID);
        c->has_specific = m2m_has(r, M2M_A_OBJECT_TYPE_SPECIFIC_ARGS);
        c->suid = (unsigned)m2m_number(r, M2M_A_SUID);
        return copy(r, M2M_A_OBJECT_PATH, c->path, sizeof(c->path));
    }
}

/* What cannot be done without, whatever the arguments are. */
static enum gba_err take_head(const struct m2m_resource *r, struct m2m_command *c)
{
    if (!m2m_has(r, M2M_A_CMD_ID) || !m2m_has(r, M2M_A_CMD_CLASS_ID) ||
        copy(r, M2M_A_CMD_ID, c->id, sizeof(c->id)) != GBA_OK ||
        copy(r, M2M_A_CMD_TARGET_ID, c->target, sizeof(c->target)) != GBA_OK)
        return GBA_E_PROTOCOL;
    c->class_id = (unsigned)m2m_number(r, M2M_A_CMD_CLASS_ID);
    c->status = (unsigned)m2m_number(r, M2M_A_CMD_STATUS_CODE);
    return GBA_OK;
}

/* The arguments of the object type have codes of their own (12.3.2.4). */
static unsigned status_of(const struct m2m_problem *p, enum m2m_rsc rsc, unsigned class_id)
{
    bool suid = strcmp(p->attribute, m2m_attr_name(M2M_A_SUID)->long_name) == 0;
    bool specific =
        strcmp(p->attribute, m2m_attr_name(M2M_A_OBJECT_TYPE_SPECIFIC_ARGS)->long_name) == 0;

    if (class_id != M2M_CMD_MO_NODE || (!suid && !specific))
        return M2M_CMD_S_BAD_ARGUMENTS;
    return suid && rsc == M2M_RSC_CONTENTS_UNACCEPTABLE ? M2M_CMD_S_MO_NODE_UNACCEPTABLE_ARGS
                                                        : M2M_CMD_S_MO_NODE_BAD_ARGS;
}

static enum gba_err take(const struct m2m_resource *r, struct m2m_command *c, unsigned *status)
{
    enum gba_err err = take_head(r, c);

    if (err != GBA_OK)
        return err;
    if (c->class_id >= N_CLASSES)
        *status = M2M_CMD_S_CLASS_NOT_SUPPORTED;
    else if (*status == M2M_CMD_S_OK &&
             (!has_arguments(r, c->class_id) || take_arguments(r, c) != GBA_OK))
        *status = M2M_CMD_S_BAD_ARGUMENTS;
    return GBA_OK;
}

enum gba_err m2m_command_read(struct gba_bytes pc, enum m2m_format format,
                              struct m2m_command *out, unsigned *status,
                              struct m2m_problem *problem)
{
    struct m2m_problem ignored;
    struct m2m_resource r;
    enum m2m_rsc rsc =
        m2m_codec_read(pc, format, M2M_MEF_CLIENT_CMD, M2M_USE_ANSWER, &r, problem);
    enum gba_err err;

    memset(out, 0, sizeof(*out));
    *status = M2M_CMD_S_OK;
    if (rsc != M2M_RSC_OK) { /* the arguments may be what is bad: which command is it? */
        if (m2m_codec_read(pc, format, M2M_MEF_CLIENT_CMD, M2M_USE_OUTLINE, &r, &ignored) !=
            M2M_RSC_OK)
            return GBA_E_PROTOCOL;
        *status = status_of(problem, rsc, (unsigned)m2m_number(&r, M2M_A_CMD_CLASS_ID));
    }
    err = take(&r, out, status);
    m2m_resource_wipe(&r);
    return err;
}

/* ------------------------------------------------------------ values */

/* "SCHEME://HOST[:PORT][/...]" with that host; a user's name in front of another host may look
 * the same up to its colon. */
static bool leads_to(const char *uri, const char *scheme, const char *fqdn)
{
    static const char ends[] = ":/?#";
    const char *host = strstr(uri, "://");
    size_t n;

    if (host == NULL || host == uri || !m2m_is_plain(gba_text(uri)))
        return false;
    if (scheme != NULL &&
        !gba_text_eq_nocase(gba_text(scheme), (struct gba_text){uri, (size_t)(host - uri)}))
        return false;
    host += 3;
    if (memchr(host, '@', strcspn(host, "/?#")) != NULL)
        return false;
    n = strcspn(host, ends);
    return gba_text_eq_nocase((struct gba_text){host, n}, gba_text(fqdn));
}

/* TS-0003 8.3.9.7 has the checks of CSE-IDs and AE-IDs the wrong way round; the types decide.
 */
static bool is_subject(unsigned type, const char *id)
{
    struct m2m_id parsed;

    switch (type) {
    case M2M_CMD_SUBJECT_NODE:
        return m2m_is_node_id(gba_text(id));
    case M2M_CMD_SUBJECT_CSE:
        return m2m_cse_id_parse(gba_text(id), &parsed) == GBA_OK && parsed.sp.n != 0;
    default:
        return m2m_ae_id_parse(gba_text(id), &parsed) == GBA_OK && parsed.sp.n != 0;
    }
}

static unsigned judge_object(const struct m2m_command *c)
{
    if (m2m_cmd_word(M2M_CMD_OBJECT_TYPE, c->object_type) == NULL || c->path[0] == '\0')
        return M2M_CMD_S_UNACCEPTABLE_ARGUMENTS;
    if ((c->has_specific || c->suid != 0) && c->object_type != M2M_CMD_OBJECT_AUTH_PROFILE)
        return M2M_CMD_S_MO_NODE_BAD_ARGS;
    return c->suid == 0 || m2m_suid_find(c->suid) != NULL ? M2M_CMD_S_OK
                                                          : M2M_CMD_S_MO_NODE_UNACCEPTABLE_ARGS;
}

unsigned m2m_command_judge(const struct m2m_command *c, const char *mef_fqdn)
{
    bool ok = true;

    switch (c->class_id) {
    case M2M_CMD_NO_MORE_COMMANDS:
        break;
    case M2M_CMD_CERT_PROV:
        ok = m2m_cmd_word(M2M_CMD_PROTOCOL, c->protocol) != NULL &&
             m2m_cmd_word(M2M_CMD_SUBJECT_TYPE, c->subject_type) != NULL &&
             is_subject(c->subject_type, c->subject) &&
             leads_to(c->uri, c->protocol == M2M_CMD_PROTOCOL_EST ? "https" : NULL, mef_fqdn);
        break;
    case M2M_CMD_DEV_CFG:
        ok = m2m_cmd_word(M2M_CMD_MANAGEMENT, c->management) != NULL &&
             leads_to(c->uri, NULL, mef_fqdn);
        break;
    case M2M_CMD_MO_NODE:
        return judge_object(c);
    default:
        return M2M_CMD_S_CLASS_NOT_SUPPORTED;
    }
    return ok ? M2M_CMD_S_OK : M2M_CMD_S_UNACCEPTABLE_ARGUMENTS;
}
