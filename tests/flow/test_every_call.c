/*
 * Every call of every port fails once, in every procedure: HSS, each operation of the BSF's
 * store, Zn, the transports, the card, the entropy of UE and BSF.  A port fails before it has
 * done anything, or does its work and only the answer is lost.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

#include "tests/flow/procedures.h"

#define CALLS_MAX 200 /* of ports, in one procedure */

/* How the failure of a port shows at the end of a run. */
static const struct {
    const char *port;
    enum gba_err err;
} expected[] = {
    {"transport", GBA_E_TIMEOUT},
    {"ue entropy", GBA_E_ENTROPY},
    {"usim identity", GBA_E_USIM},
    {"usim authenticate", GBA_E_USIM},
    {"usim bootstrapped", GBA_E_USIM},
    {"usim derive", GBA_E_USIM},
    {"bsf entropy", GBA_E_OVERLOAD},
    {"zh", GBA_E_OVERLOAD},
    {"challenge_put", GBA_E_OVERLOAD},
    {"challenge_find", GBA_E_OVERLOAD},
    {"challenge_get", GBA_E_OVERLOAD},
    {"challenge_fail", GBA_E_OVERLOAD},
    {"challenge_drop", GBA_E_OVERLOAD},
    {"challenge_claim_auts", GBA_E_OVERLOAD},
    {"session_open", GBA_E_OVERLOAD},
    {"tmpi_get", GBA_E_OVERLOAD},
    {"guss_get", GBA_E_OVERLOAD},
    {"session_get", GBA_E_OVERLOAD},
    {"zn", GBA_E_OVERLOAD},
};
#define N_PORTS (sizeof(expected) / sizeof(expected[0]))

static unsigned n_hits[N_PORTS];

/* Where the run's own end says as much: the card's key is not needed (a session without TMPI),
 * the run had failed already, or the NAF's library speaks for itself. */
static bool is_absorbed(const struct procedure *p, const char *port, enum gba_err err)
{
    if (strcmp(port, "usim derive") == 0)
        return err == GBA_OK;
    if (strcmp(port, "zn") == 0)
        return err == GBA_E_TIMEOUT;
    if (strcmp(port, "session_get") == 0)
        return err == GBA_E_ZN_FAILURE;
    return p->outcome != GBA_OK && err == p->outcome;
}

static void check_error(const struct procedure *p, const struct lab *l, enum gba_err err)
{
    for (size_t i = 0; i < N_PORTS; i++) {
        if (strcmp(expected[i].port, l->faults.hit) != 0)
            continue;
        n_hits[i]++;
        if (err != expected[i].err && !is_absorbed(p, l->faults.hit, err)) {
            printf("\n    %s: call %u (%s): %s", p->name, l->faults.fail_at, l->faults.hit,
                   gba_err_name(err));
            CU_FAIL("not the error of this port");
        }
        return;
    }
    CU_FAIL("a port without a row");
}

static void fail_every_call(const struct procedure *p, bool answer_lost)
{
    struct lab l;
    enum gba_err err;

    for (unsigned k = 1; k < CALLS_MAX; k++) {
        procedure_open(p, &l);
        l.faults.fail_at = k;
        l.faults.answer_lost = answer_lost;
        err = p->run(&l);
        if (l.faults.hit == NULL) { /* all calls have had their turn */
            CU_ASSERT_EQUAL(err, p->outcome);
            CU_ASSERT(k > 4);
            procedure_check(p, &l, err);
            return;
        }
        check_error(p, &l, err);
        procedure_check(p, &l, err);
    }
    CU_FAIL("a procedure without end");
}

static void test_nothing_done(void)
{
    for (size_t i = 0; i < n_procedures; i++)
        fail_every_call(&procedures[i], false);
}

static void test_answer_lost(void)
{
    for (size_t i = 0; i < n_procedures; i++)
        fail_every_call(&procedures[i], true);
}

static void test_every_port_had_its_turn(void)
{
    for (size_t i = 0; i < N_PORTS; i++)
        CU_ASSERT(n_hits[i] > 0);
}

static const struct unit_test tests[] = {
    {"a port fails before it has done anything", test_nothing_done},
    {"a port's answer is lost", test_answer_lost},
    {"every port had its turn", test_every_port_had_its_turn},
};

UNIT_MAIN("flow: every call of a port fails once", tests)
