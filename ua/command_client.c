/*
 * The device's side of an MEF's commands (TS-0003 8.3.9): a command is retrieved, checked,
 * carried out by the caller, and updated with its result; the answer to the update has the
 * next, until there are no more.  Decisions only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/command_client.h"

#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include "common/secret.h"

typedef enum gba_err commands_action(struct gba_ue_commands *m,
                                     const struct gba_ue_commands_event *ev);

static enum gba_err fail(struct gba_ue_commands *m, enum gba_err err, const char *why)
{
    m->why = why;
    return err;
}

/* ------------------------------------------------------------ requests */

static enum gba_err retrieve(struct gba_ue_commands *m, const struct gba_ue_commands_event *ev)
{
    (void)ev;
    m->err = GBA_OK;
    m->why = "";
    m->n = 0;
    m->reported = 0;
    memset(&m->command, 0, sizeof(m->command));
    return m2m_exchange_begin(&m->q, M2M_OP_RETRIEVE, m->to, m->originator, m->entropy, NULL,
                              NULL) == GBA_OK
               ? GBA_OK
               : fail(m, GBA_E_ARGUMENT, "the registration's address does not fit");
}

/* 8.3.9.3: cmdID and cmdStatusCode, nothing else. */
static enum gba_err report(struct gba_ue_commands *m, unsigned status)
{
    struct m2m_resource r;
    enum gba_err err;

    m2m_resource_init(&r, M2M_MEF_CLIENT_CMD);
    err = m2m_set_text(&r, M2M_A_CMD_ID, gba_text(m->command.id));
    if (err == GBA_OK)
        err = m2m_set_number(&r, M2M_A_CMD_STATUS_CODE, status);
    if (err == GBA_OK)
        err = m2m_exchange_begin(&m->q, M2M_OP_UPDATE, m->to, m->originator, m->entropy, &r,
                                 NULL);
    m2m_resource_wipe(&r);
    if (err != GBA_OK)
        return fail(m, GBA_E_ARGUMENT, "a result does not fit");
    m->reported = status;
    memcpy(m->last_sent, m->command.id, sizeof(m->last_sent));
    m->next = COMMANDS_UPDATING;
    return GBA_OK;
}

static enum gba_err result(struct gba_ue_commands *m, const struct gba_ue_commands_event *ev)
{
    bool fits = m2m_cmd_status_is_result_of(ev->status, m->command.class_id);

    return report(m, fits ? ev->status : M2M_CMD_S_CLASS_NOT_SUPPORTED);
}

/* ------------------------------------------------------------ answers */

static enum gba_err refusal(struct gba_ue_commands *m, const struct m2m_response *rs)
{
    if (rs->rsc == M2M_RSC_NOT_FOUND)
        return fail(m, GBA_E_NOT_FOUND, "the MEF knows no such registration");
    if (rs->rsc >= 5000)
        return fail(m, GBA_E_OVERLOAD, "the MEF cannot serve now");
    return fail(m, GBA_E_REFUSED, "the MEF gives no command");
}

/* What is to be reported without carrying it out; OK: nothing.  In the order of 8.3.9.5: the
 * same again, the class, the form of the arguments, their values. */
static unsigned judge(const struct gba_ue_commands *m, unsigned read)
{
    if (strcmp(m->command.id, m->last_sent) == 0)
        return M2M_CMD_S_REPEATED_CMD_ID;
    return read != M2M_CMD_S_OK ? read : m2m_command_judge(&m->command, m->mef_fqdn);
}

static enum gba_err answered(struct gba_ue_commands *m, const struct gba_ue_commands_event *ev)
{
    struct m2m_problem problem;
    struct m2m_response rs;
    unsigned status;
    enum gba_err err = m2m_exchange_read(&m->q, m->by_certificate, ev->reply, &rs);

    if (err == GBA_E_DOWNGRADE)
        return fail(m, err, "the session was not made with the device's key");
    if (err != GBA_OK)
        return fail(m, GBA_E_PROTOCOL, "not an answer of a MEF");
    if (!m2m_rsc_is_success(rs.rsc))
        return refusal(m, &rs);
    if (m2m_command_read(rs.pc, rs.format, &m->command, &status, &problem) != GBA_OK)
        return fail(m, GBA_E_PROTOCOL, "no command can be read in the answer");
    m->reported = 0;
    if (m->command.class_id == M2M_CMD_NO_MORE_COMMANDS) { /* on which nothing is reported */
        m->next = COMMANDS_DONE;
        return GBA_OK;
    }
    if (++m->n > UE_COMMANDS_MAX)
        return fail(m, GBA_E_OVERLOAD, "the MEF has commands without end");
    status = judge(m, status);
    return status == M2M_CMD_S_OK ? GBA_OK : report(m, status);
}

static enum gba_err lost(struct gba_ue_commands *m, const struct gba_ue_commands_event *ev)
{
    return fail(m, ev->err == GBA_OK ? GBA_E_UNREACHABLE : ev->err, "");
}

/* ------------------------------------------------------------ the machine */

/* No second Retrieve between a command and its Update, nor while an answer is awaited: such
 * pairs have no row. */
static const struct commands_rule {
    commands_action *act;
    enum commands_state next; /* an action may choose another */
    const char *clause;
} rules[COMMANDS_N_STATES][COMMANDS_N_EVENTS] = {
    [COMMANDS_IDLE][COMMANDS_START] = {retrieve, COMMANDS_RETRIEVING, "TS-0003 8.3.9.2"},
    [COMMANDS_RETRIEVING][COMMANDS_ANSWER] = {answered, COMMANDS_RUNNING, "TS-0003 8.3.9.5"},
    [COMMANDS_RETRIEVING][COMMANDS_LOST] = {lost, COMMANDS_FAILED, ""},
    [COMMANDS_RUNNING][COMMANDS_RESULT] = {result, COMMANDS_UPDATING, "TS-0003 8.3.9.3"},
    [COMMANDS_UPDATING][COMMANDS_ANSWER] = {answered, COMMANDS_RUNNING, "TS-0003 8.3.9.5"},
    [COMMANDS_UPDATING][COMMANDS_LOST] = {lost, COMMANDS_FAILED, ""},
    [COMMANDS_DONE][COMMANDS_START] = {retrieve, COMMANDS_RETRIEVING, "TS-0003 8.3.9.4"},
    [COMMANDS_FAILED][COMMANDS_START] = {retrieve, COMMANDS_RETRIEVING, "TS-0003 8.3.9.2"},
}; /* every pair not listed is refused in gba_ue_commands_step */

static const enum gba_ue_commands_todo todos[COMMANDS_N_STATES] = {
    [COMMANDS_IDLE] = GBA_UE_COMMANDS_FAILED, [COMMANDS_RETRIEVING] = GBA_UE_COMMANDS_SEND,
    [COMMANDS_RUNNING] = GBA_UE_COMMANDS_RUN, [COMMANDS_UPDATING] = GBA_UE_COMMANDS_SEND,
    [COMMANDS_DONE] = GBA_UE_COMMANDS_DONE,   [COMMANDS_FAILED] = GBA_UE_COMMANDS_FAILED,
};

enum gba_err gba_ue_commands_step(struct gba_ue_commands *m,
                                  const struct gba_ue_commands_event *ev,
                                  enum gba_ue_commands_todo *todo)
{
    static const enum commands_event events[] = {[GBA_UE_COMMANDS_EV_START] = COMMANDS_START,
                                                 [GBA_UE_COMMANDS_EV_REPLY] = COMMANDS_ANSWER,
                                                 [GBA_UE_COMMANDS_EV_NO_REPLY] = COMMANDS_LOST,
                                                 [GBA_UE_COMMANDS_EV_RESULT] = COMMANDS_RESULT};
    const struct commands_rule *rule;
    enum gba_err err;

    if ((size_t)ev->happened >= sizeof(events) / sizeof(events[0]) ||
        (ev->happened == GBA_UE_COMMANDS_EV_REPLY && ev->reply == NULL))
        return GBA_E_ARGUMENT;
    rule = &rules[m->state][events[ev->happened]];
    if (rule->act == NULL)
        return GBA_E_UNEXPECTED; /* the only place that says no */
    memcpy(m->entropy, ev->entropy, sizeof(m->entropy));
    m->next = rule->next;
    err = rule->act(m, ev);
    m->state = err == GBA_OK ? m->next : COMMANDS_FAILED;
    if (err != GBA_OK)
        m->err = err;
    *todo = todos[m->state];
    return GBA_OK;
}

size_t gba_ue_commands_size(void)
{
    return sizeof(struct gba_ue_commands);
}

struct gba_ue_commands *gba_ue_commands_init(void *mem, size_t len,
                                             const struct gba_ue_commands_config *c)
{
    struct gba_ue_commands *m = mem;
    int n;

    if (mem == NULL || len < sizeof(*m) ||
        (uintptr_t)mem % alignof(struct gba_ue_commands) != 0 || c->registration == NULL ||
        c->registration[0] == '\0' || c->mef_fqdn == NULL)
        return NULL;
    memset(m, 0, sizeof(*m));
    m->why = "";
    m->by_certificate = c->by_certificate;
    n = snprintf(m->to, sizeof(m->to), "%s/cmd", c->registration);
    if (n < 0 || (size_t)n >= sizeof(m->to) ||
        gba_fqdn_canonical(gba_text(c->mef_fqdn), m->mef_fqdn) != GBA_OK ||
        gba_text_copy(m->originator, sizeof(m->originator), gba_text(c->originator)) != GBA_OK)
        return NULL;
    return m;
}

const struct gba_ue_request *gba_ue_commands_request(const struct gba_ue_commands *m,
                                                     const char **target)
{
    *target = m->q.call.target;
    return &m->q.request;
}

void gba_ue_commands_command(const struct gba_ue_commands *m, struct gba_ue_command *out)
{
    const struct m2m_command *c = &m->command;

    *out = (struct gba_ue_command){.id = c->id,
                                   .class_id = c->class_id,
                                   .reissued = c->status == M2M_CMD_S_REISSUED,
                                   .target = c->target,
                                   .protocol = c->protocol,
                                   .subject_type = c->subject_type,
                                   .subject = c->subject,
                                   .management = c->management,
                                   .uri = c->uri,
                                   .path = c->path,
                                   .object_type = c->object_type,
                                   .suid = c->suid};
}

unsigned gba_ue_commands_reported(const struct gba_ue_commands *m)
{
    return m->reported;
}

int64_t gba_ue_commands_retry_s(const struct gba_ue_commands *m)
{
    return m->state == COMMANDS_DONE ? m->command.retry_s : 0;
}

enum gba_err gba_ue_commands_error(const struct gba_ue_commands *m)
{
    return m->err;
}

const char *gba_ue_commands_why(const struct gba_ue_commands *m)
{
    return m->why;
}

void gba_ue_commands_end(struct gba_ue_commands *m)
{
    gba_wipe(m, sizeof(*m));
}

const char *gba_ue_command_class(unsigned class_id)
{
    const char *name = m2m_cmd_class_name(class_id);

    return name != NULL ? name : "UNKNOWN";
}

const char *gba_ue_command_status(unsigned status)
{
    const char *name = m2m_cmd_status_name(status);

    return name != NULL ? name : "UNKNOWN";
}

const char *gba_ue_command_words(unsigned status)
{
    const char *words = m2m_cmd_status_words(status);

    return words != NULL ? words : "";
}
