/*
 * Memory runs out once, at the first, second, ... last allocation of every procedure, and of
 * both ways of enrolment.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

#include "tests/fakes/no_memory.h"
#include "tests/flow/mef.h"
#include "tests/flow/procedures.h"

#define ALLOCATIONS_MAX 500 /* of one procedure */

static unsigned n_failed;

/* Out of memory here or at the other end: a refusal that may pass, or the reason by name. */
static bool is_clean(enum gba_err outcome, enum gba_err err)
{
    switch (err) {
    case GBA_E_NOMEM:
    case GBA_E_OVERLOAD:
    case GBA_E_IO:
    case GBA_E_USIM:
    case GBA_E_ZN_FAILURE:
        return true;
    default:
        return err == outcome;
    }
}

static void check_error(const char *name, unsigned k, enum gba_err outcome, enum gba_err err)
{
    n_failed++;
    if (is_clean(outcome, err))
        return;
    printf("\n    %s: allocation %u: %s", name, k, gba_err_name(err));
    CU_FAIL("not an error of missing memory");
}

static void fail_every_allocation(const struct procedure *p)
{
    bool was_hit = true;
    enum gba_err err;
    struct lab l;

    for (unsigned k = 1; was_hit && k < ALLOCATIONS_MAX; k++) {
        procedure_open(p, &l);
        no_memory_begin(k);
        err = p->run(&l);
        was_hit = no_memory_end();
        if (was_hit)
            check_error(p->name, k, p->outcome, err);
        else
            CU_ASSERT_EQUAL(err, p->outcome);
        procedure_check(p, &l, err);
    }
    CU_ASSERT(!was_hit);
}

static void test_procedures(void)
{
    for (size_t i = 0; i < n_procedures; i++)
        fail_every_allocation(&procedures[i]);
    CU_ASSERT(n_failed > n_procedures * 4);
}

/* ---- enrolment ----------------------------------------------------------------------------
 */

static enum gba_err enrol(struct lab *l, const char *url, struct gba_ue_credential *c)
{
    memset(c, 0, sizeof(*c));
    return gba_ue_enrol_target(&l->device, url, NULL,
                               &(struct gba_ue_enrol_config){
                                   .target = MEF_CSE, .mef_fqdn = MEF_FQDN, .suid = MEF_SUID},
                               NULL, false, c);
}

static void check_target_gets(struct flow_mef *m, const struct gba_ue_credential *c)
{
    struct mef_fetch f;

    flow_mef_fetch(m, c->key_id, &f);
    CU_ASSERT_EQUAL(f.err, GBA_OK);
    CU_ASSERT(gba_equal_ct(f.key.octets, c->key, sizeof(c->key)));
    mef_fetch_end(&f);
}

static bool enrol_without(const char *url, unsigned k)
{
    struct gba_ue_credential c;
    struct flow_mef m;
    struct lab l;
    enum gba_err err;
    bool was_hit;

    lab_init(&l);
    flow_mef_configure(&l);
    lab_open(&l);
    flow_mef_open(&m, &l, MEF_USAGE_KEY);
    no_memory_begin(k);
    err = enrol(&l, url, &c);
    was_hit = no_memory_end();
    if (was_hit && err != GBA_E_TLS) /* no key for the handshake at one of its ends */
        check_error("enrolment", k, GBA_OK, err);
    if (err == GBA_OK)
        check_target_gets(&m, &c);
    CU_ASSERT_EQUAL(enrol(&l, url, &c), GBA_OK);
    check_target_gets(&m, &c);
    CU_ASSERT(lab_is_clean_after_all(&l));
    flow_mef_close(&m);
    lab_close(&l);
    return was_hit;
}

static void test_enrolment(void)
{
    unsigned k = 1;

    while (k < ALLOCATIONS_MAX && enrol_without(NULL, k))
        k++;
    CU_ASSERT(k > 4 && k < ALLOCATIONS_MAX);
    k = 1;
    while (k < ALLOCATIONS_MAX && enrol_without(MEF_URL, k))
        k++;
    CU_ASSERT(k > 8 && k < ALLOCATIONS_MAX);
}

static const struct unit_test tests[] = {
    {"every allocation of a procedure fails once", test_procedures},
    {"every allocation of an enrolment fails once", test_enrolment},
};

UNIT_MAIN("flow: no memory", tests)
