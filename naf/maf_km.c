/*
 * The Km of a MAF's client that came from an MEF: the client knows it by its KeID, until the
 * MAF names it (assignedSymmKeyID, TS-0003 8.8.2.3, 10.6).  The name is that of the
 * registration, which is unique here; under it Km is one more credential of the client, until
 * Km ends or the registration is deleted (del_reg).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "naf/mef_audit.h"
#include "naf/mef_call.h"

/* KmID of the registration at hand. */
static void km_id(const struct mef_call *k, char out[static MEF_CRED_NAME_SIZE])
{
    struct gba_wbuf w;

    gba_wbuf_init(&w, out, MEF_CRED_NAME_SIZE);
    gba_wbuf_str(&w, k->reg.ri);
    gba_wbuf_str(&w, "@");
    gba_wbuf_str(&w, k->m->policy->fqdn);
    gba_wbuf_cstr(&w);
}

static enum gba_err name_it(struct mef_call *k)
{
    struct mef_registry *g = k->m->registry;
    struct mef_credential row;
    enum gba_err err = g->credential(g, MEF_CRED_PSK, k->c->key_id, &row);

    if (err == GBA_OK) {
        km_id(k, row.name);
        err = g->add_credential(g, &row, MEF_OF_PROCEDURE); /* in the place of an earlier Km */
    }
    if (err == GBA_OK)
        err = mef_note(k, "km.name", row.enrolee, row.name, row.expires_s);
    gba_wipe(&row, sizeof(row));
    return err;
}

/* A B-TID stays what it is, for there KmID = KeID (8.3.2.3); what was provisioned has a name of
 * ours. */
enum m2m_rsc maf_name_km(struct mef_call *k)
{
    return k->role->enrols ||
                   !m2m_is_ke_id_of_another(gba_text(k->c->key_id), k->m->policy->fqdn)
               ? M2M_RSC_OK
               : mef_store_rsc(k, name_it(k));
}

void maf_put_km(struct mef_call *k)
{
    struct mef_registry *g = k->m->registry;
    struct mef_credential row;
    char name[MEF_CRED_NAME_SIZE];

    if (k->role->enrols)
        return;
    km_id(k, name);
    if (g->credential(g, MEF_CRED_PSK, name, &row) == GBA_OK)
        m2m_set_text(&k->out, M2M_A_ASSIGNED_SYMM_KEY_ID, gba_text(name));
    gba_wipe(&row, sizeof(row));
}
