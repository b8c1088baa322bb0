/*
 * The procedures and their invariants; see tests/flow/procedures.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/flow/procedures.h"

#include <string.h>

#include "tests/unit.h"

#define GUSS_U "<guss id=\"1\"><bsfInfo><uiccType>GBA_U</uiccType></bsfInfo></guss>"
#define URL    "http://" LAB_NAF "/x"

static const uint8_t ua_id[] = {1, 0, 0, 0, 2};

/* ---- before ----------------------------------------------------------------------------- */

static void gba_u_card(struct lab *l)
{
    l->usim_lines = "gba_u=yes\n";
    l->naf_config.keys = GBA_NAF_KEY_ME | GBA_NAF_KEY_UICC;
    lab_set_guss(l, GUSS_U);
}

/* A subscriber with settings: the GUSS is cached, a USS goes to the NAF. */
static void settings(struct lab *l)
{
    lab_set_guss(l, "<guss id=\"1\"><bsfInfo><lifeTime>1800</lifeTime></bsfInfo><ussList>"
                    "<uss id=\"1\" type=\"1\"><uids><uid>sip:a@b</uid></uids><flags/></uss>"
                    "</ussList></guss>");
}

static void bootstrapped(struct lab *l)
{
    CU_ASSERT_EQUAL(lab_bootstrap(l), GBA_OK);
}

static void forgotten(struct lab *l)
{
    bootstrapped(l);
    lab_restart_bsf(l);
}

static void used(struct lab *l)
{
    enum gba_err err;

    CU_ASSERT_EQUAL(lab_get(l, URL, &err), 200);
}

static void used_and_forgotten(struct lab *l)
{
    used(l);
    lab_restart_bsf(l);
    lab_restart_naf(l);
}

static void foreign_network(struct lab *l)
{
    l->zh.bad_mac = true;
    l->device.report_mac_failure = true;
}

static void broken_card(struct lab *l)
{
    l->usim.wrong_res = true;
}

static void no_subscriber(struct lab *l)
{
    l->zh.fails = GBA_E_SUBSCRIBER_UNKNOWN;
}

/* ---- the runs --------------------------------------------------------------------------- */

static enum gba_err get(struct lab *l)
{
    enum gba_err err;
    const unsigned status = lab_get(l, URL, &err);

    if (err != GBA_OK)
        return err;
    return status == 200 ? GBA_OK : status == 503 ? GBA_E_OVERLOAD : GBA_E_PROTOCOL;
}

/* A NAF with a Ua protocol of its own. */
static enum gba_err key_of_both_ends(struct lab *l)
{
    struct gba_naf_credential c;
    struct gba_ue_naf_key k;
    enum gba_err err = gba_ue_naf_key_get(&l->device, LAB_NAF2, ua_id, false, false, &k);

    if (err == GBA_OK)
        err = gba_naf_fetch(l->naf, k.btid, LAB_NAF2, ua_id, fake_now_ms() / 1000, &c);
    if (err == GBA_OK)
        CU_ASSERT(gba_equal_ct(c.me_key, k.key, sizeof(k.key)));
    return err;
}

const struct procedure procedures[] = {
    {"bootstrap with the IMPI", NULL, NULL, lab_bootstrap, GBA_OK},
    {"bootstrap with the TMPI", NULL, bootstrapped, lab_bootstrap, GBA_OK},
    {"unknown TMPI", NULL, forgotten, lab_bootstrap, GBA_OK},
    {"resynchronisation", NULL, lab_age_hss, lab_bootstrap, GBA_OK},
    {"MAC failure, reported", NULL, foreign_network, lab_bootstrap, GBA_E_MAC},
    {"wrong RES", NULL, broken_card, lab_bootstrap, GBA_E_RES},
    {"unknown subscriber", NULL, no_subscriber, lab_bootstrap, GBA_E_REFUSED},
    {"GBA_U", gba_u_card, NULL, lab_bootstrap, GBA_OK},
    {"GBA_U, again", gba_u_card, bootstrapped, lab_bootstrap, GBA_OK},
    {"a NAF's key", NULL, NULL, key_of_both_ends, GBA_OK},
    {"a NAF's key, GBA_U", gba_u_card, bootstrapped, key_of_both_ends, GBA_OK},
    {"Ua from nothing", NULL, NULL, get, GBA_OK},
    {"Ua with Ks", NULL, bootstrapped, get, GBA_OK},
    {"Ua with a known key", NULL, used, get, GBA_OK},
    {"Ua, renegotiation", NULL, used_and_forgotten, get, GBA_OK},
    {"Ua, GBA_U", gba_u_card, NULL, get, GBA_OK},
    {"Ua, with a USS", settings, NULL, get, GBA_OK},
    {"Ua, GUSS cached", settings, bootstrapped, get, GBA_OK},
};
const size_t n_procedures = sizeof(procedures) / sizeof(procedures[0]);

/* ---- the invariants --------------------------------------------------------------------- */

void procedure_open(const struct procedure *p, struct lab *l)
{
    lab_init(l);
    if (p->configure != NULL)
        p->configure(l);
    lab_open(l);
    if (p->prepare != NULL)
        p->prepare(l);
    l->faults = (struct faults){.n_calls = 0};
}

static void undisturb(struct lab *l)
{
    l->faults.fail_at = 0;
    l->zh.bad_mac = false;
    l->zh.fails = GBA_OK;
    l->usim.wrong_res = false;
}

/* The BSF holds the sessions it opened and nothing else; an open challenge ends by itself. */
static void check_store(struct lab *l)
{
    const unsigned opened = l->faulty_store.n_opened;
    struct store_stats st = lab_stats(l);

    CU_ASSERT_EQUAL(st.sessions, opened < 2 ? opened : 2);
    CU_ASSERT(st.challenges <= 1 + (l->zh.last.resync ? 1 : 0)); /* the one AUTS was for */
    CU_ASSERT_EQUAL(st.subscribers, opened > 0);
}

static bool bsf_knows(struct lab *l, const char *btid)
{
    struct gba_naf_credential c;
    const enum gba_err err =
        gba_naf_fetch(l->naf, btid, LAB_NAF2, ua_id, fake_now_ms() / 1000, &c);

    gba_naf_credential_wipe(&c);
    return err == GBA_OK;
}

/* Whatever session the UE believes in gives the BSF's key, if the BSF has that session. */
static void check_ring(struct lab *l)
{
    const struct gba_ue_session s = lab_session(l);

    if (s.btid[0] != '\0' && bsf_knows(l, s.btid))
        CU_ASSERT_EQUAL(key_of_both_ends(l), GBA_OK);
}

static void check_next_run(struct lab *l)
{
    CU_ASSERT_EQUAL(lab_bootstrap(l), GBA_OK);
    CU_ASSERT_EQUAL(key_of_both_ends(l), GBA_OK);
    CU_ASSERT_EQUAL(get(l), GBA_OK);
}

void procedure_check(const struct procedure *p, struct lab *l, enum gba_err err)
{
    undisturb(l);
    if (p->outcome == GBA_E_MAC)
        fake_pass_s(5); /* until a repeated first GET no longer gets the same bad AUTN */
    if (err == GBA_OK && p->outcome == GBA_OK)
        CU_ASSERT_STRING_NOT_EQUAL(lab_session(l).btid, "");
    check_store(l);
    check_ring(l);
    check_next_run(l);
    CU_ASSERT(lab_is_clean_after_all(l));
    lab_close(l);
}
