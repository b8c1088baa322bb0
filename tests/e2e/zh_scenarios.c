/*
 * Zh over Diameter against mock-hss and against peers made of octets: the list.  Every
 * scenario runs in a forked process, for libfdcore can be started once per process.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/e2e/zh_scenarios.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit.h"

static void run(void (*scenario)(void))
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        setpgid(0, 0);
        signal(SIGPIPE, SIG_IGN); /* as daemon_main does: GnuTLS may write to a peer that left */
        alarm(60);
        scenario();
        exit(0);
    }
    CU_ASSERT_FATAL(pid > 0 && waitpid(pid, &status, 0) == pid);
    if (WIFSIGNALED(status))
        kill(-pid, SIGKILL); /* what it left behind of its own process group */
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#define SCENARIOS(X)                                                                           \
    X(vector)                                                                                  \
    X(applications)                                                                            \
    X(resync)                                                                                  \
    X(stale)                                                                                   \
    X(malformed)                                                                               \
    X(error_codes)                                                                             \
    X(64_outstanding)                                                                          \
    X(300_outstanding)                                                                         \
    X(late_answers)                                                                            \
    X(close_while_waiting)                                                                     \
    X(no_peer)                                                                                 \
    X(tls)                                                                                     \
    X(ipv6)                                                                                    \
    X(clients_list)                                                                            \
    X(control_socket)                                                                          \
    X(control_pipelined)                                                                       \
    X(frozen)                                                                                  \
    X(frozen_failover)                                                                         \
    X(killed)                                                                                  \
    X(killed_failover)                                                                         \
    X(busy_failover)                                                                           \
    X(disconnect)                                                                              \
    X(core_stops)                                                                              \
    X(request_on_the_wire)                                                                     \
    X(nul_in_session_id)                                                                       \
    X(nul_at_mock_hss)                                                                         \
    X(application_not_advertised)                                                              \
    X(redirect)                                                                                \
    X(hangs_up_after_every_answer)                                                             \
    X(garbage_from_peer)                                                                       \
    X(answers_that_do_not_parse)                                                               \
    X(cea_that_does_not_parse)                                                                 \
    X(dwa_that_does_not_parse)                                                                 \
    X(leave)

#define X(name)                                                                                \
    static void test_##name(void)                                                              \
    {                                                                                          \
        run(scenario_##name);                                                                  \
    }
SCENARIOS(X)
#undef X

static const struct unit_test tests[] = {
#define X(name) {#name, test_##name},
    SCENARIOS(X)
#undef X
};

UNIT_MAIN("Zh over Diameter", tests)
