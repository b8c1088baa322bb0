/*
 * The scenarios of Zh over Diameter, each run in a process of its own.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_E2E_ZH_SCENARIOS_H
#define TESTS_E2E_ZH_SCENARIOS_H

/* Against mock-hss: zh_scenarios_hss.c */
void scenario_vector(void);
void scenario_applications(void);
void scenario_resync(void);
void scenario_stale(void);
void scenario_malformed(void);
void scenario_error_codes(void);
void scenario_64_outstanding(void);
void scenario_300_outstanding(void);
void scenario_late_answers(void);
void scenario_close_while_waiting(void);
void scenario_no_peer(void);
void scenario_tls(void);
void scenario_ipv6(void);
void scenario_clients_list(void);
void scenario_control_socket(void);
void scenario_control_pipelined(void);

/* Peers that fail: zh_scenarios_peers.c */
void scenario_frozen(void);
void scenario_frozen_failover(void);
void scenario_killed(void);
void scenario_killed_failover(void);
void scenario_busy_failover(void);
void scenario_disconnect(void);
void scenario_core_stops(void);

/* Peers made of octets: zh_scenarios_raw.c */
void scenario_request_on_the_wire(void);
void scenario_nul_in_session_id(void);
void scenario_nul_at_mock_hss(void);
void scenario_application_not_advertised(void);
void scenario_garbage_from_peer(void);
void scenario_answers_that_do_not_parse(void);
void scenario_cea_that_does_not_parse(void);
void scenario_dwa_that_does_not_parse(void);
void scenario_leave(void);
void scenario_redirect(void);
void scenario_hangs_up_after_every_answer(void);

#endif
