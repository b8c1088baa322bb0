/*
 * The command resource of a registration, the MEF's side: TS-0003 8.3.9.2-4.  A client
 * retrieves the command that is outstanding for it, or the next; updates it with its result;
 * and is answered with the next.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <string.h>

#include "naf/mef_audit.h"
#include "naf/mef_call.h"

#define NOTHING_ID "0" /* cmdID of NO_MORE_COMMANDS, on which nothing is reported */

static enum m2m_rsc represent(struct mef_call *k, const struct m2m_command *c, int64_t issued_s,
                              int64_t given_s)
{
    m2m_resource_init(&k->out, M2M_MEF_CLIENT_CMD);
    m2m_set_number(&k->out, M2M_A_RESOURCE_TYPE, m2m_type_name(M2M_MEF_CLIENT_CMD)->ty);
    m2m_set_text(&k->out, M2M_A_RESOURCE_ID, GBA_TEXT("cmd"));
    m2m_set_text(&k->out, M2M_A_PARENT_ID, gba_text(k->reg.ri));
    m2m_set_time(&k->out, M2M_A_CREATION_TIME, issued_s);
    m2m_set_time(&k->out, M2M_A_LAST_MODIFIED_TIME, given_s);
    return m2m_command_put(c, &k->out) == GBA_OK
               ? M2M_RSC_OK
               : mef_no(k, M2M_RSC_INTERNAL_SERVER_ERROR, "a command does not fit");
}

static enum m2m_rsc no_more_commands(struct mef_call *k)
{
    const struct m2m_command c = {.id = NOTHING_ID,
                                  .class_id = M2M_CMD_NO_MORE_COMMANDS,
                                  .status = M2M_CMD_S_ISSUED,
                                  .retry_s = k->m->policy->limits.command_retry_s};

    return represent(k, &c, k->reg.created_s, k->reg.modified_s);
}

static enum gba_err note(const struct mef_call *k, const char *what,
                         const struct m2m_command *c, unsigned code)
{
    const struct mef_audit_event e = {
        .who = k->c->id, .what = what, .whom = k->reg.creator, .key_id = c->id, .code = code};

    return k->m->audit != NULL ? k->m->audit->note(k->m->audit, &e, k->now_s) : GBA_OK;
}

/* That it was given, and the line that says so, are one: what was given is REISSUED from then
 * on, whatever becomes of this answer. */
static enum gba_err hand_out(struct mef_call *k, struct mef_command *c)
{
    const struct mef_command_store *s = k->m->store->commands;
    struct mef_registry *g = k->m->registry;
    enum gba_err err = g->begin(g);

    if (err != GBA_OK)
        return err;
    err = s->next(k->m->store, k->reg.ri, c); /* it may have been cancelled meanwhile */
    if (err == GBA_OK)
        err = s->give(k->m->store, c->what.id, k->now_s);
    c->what.status =
        c->state == MEF_COMMAND_OUTSTANDING ? M2M_CMD_S_REISSUED : M2M_CMD_S_ISSUED;
    if (err == GBA_OK)
        err = note(k, "command.give", &c->what, c->what.status);
    return g->end(g, err);
}

/* 8.3.9.2: the outstanding command or the next; where there is none nothing is written. */
static enum m2m_rsc give_next(struct mef_call *k)
{
    struct mef_command c;
    enum gba_err err = k->m->store->commands->next(k->m->store, k->reg.ri, &c);

    if (err == GBA_OK)
        err = hand_out(k, &c);
    if (err == GBA_E_NOT_FOUND)
        return no_more_commands(k);
    return err == GBA_OK ? represent(k, &c.what, c.issued_s, k->now_s) : mef_store_rsc(k, err);
}

enum m2m_rsc mef_retrieve_cmd(struct mef_call *k)
{
    return give_next(k);
}

/* 12.3.2.4: may that be said of the outstanding command?  Of any other it is dropped anyhow. */
static bool is_result_of(struct mef_call *k, const char *id, unsigned result)
{
    struct mef_command c;

    return k->m->store->commands->next(k->m->store, k->reg.ri, &c) != GBA_OK ||
           c.state != MEF_COMMAND_OUTSTANDING || strcmp(c.what.id, id) != 0 ||
           m2m_cmd_status_is_result_of(result, c.what.class_id);
}

/* 8.3.9.3: a result of what is not outstanding (unknown, or reported before) is dropped, and
 * answered all the same. */
enum m2m_rsc mef_update_cmd(struct mef_call *k)
{
    struct m2m_command c = {.class_id = 0};
    enum m2m_rsc rsc = mef_read(k, M2M_MEF_CLIENT_CMD, M2M_USE_UPDATE);
    unsigned result;
    enum gba_err err;

    if (rsc != M2M_RSC_OK)
        return rsc;
    result = (unsigned)m2m_number(&k->in, M2M_A_CMD_STATUS_CODE);
    if (!m2m_cmd_status_is_result(result))
        return mef_no(k, M2M_RSC_BAD_REQUEST, "cmdStatusCode is none of a client");
    gba_text_copy(c.id, sizeof(c.id), m2m_text(&k->in, M2M_A_CMD_ID));
    if (!is_result_of(k, c.id, result))
        return mef_no(k, M2M_RSC_BAD_REQUEST, "cmdStatusCode is of another class of commands");
    err = k->m->store->commands->finish(k->m->store, k->reg.ri, c.id, result, k->now_s);
    if (err == GBA_OK)
        err = note(k, "command.result", &c, result);
    return err == GBA_OK || err == GBA_E_NOT_FOUND ? give_next(k) : mef_store_rsc(k, err);
}

/* 8.3.9.1: a registration names its command, so that the client knows of it. */
void mef_announce_cmd(struct mef_call *k)
{
    char id[MEF_RI_SIZE + 8];
    struct mef_command c;

    if (k->m->store->commands == NULL ||
        k->m->store->commands->next(k->m->store, k->reg.ri, &c) != GBA_OK)
        return;
    snprintf(id, sizeof(id), "-/%s/cmd", k->reg.ri);
    m2m_add_child(&k->out, M2M_MEF_CLIENT_CMD, gba_text(id));
}
