/*
 * Zh over Diameter when HSSs freeze, die, refuse or hang up.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/host/diameter_sys.h"

#include "tests/e2e/zh_scenarios.h"

#include <signal.h>

#include "tests/e2e/zh_lab.h"

static struct zh_lab lab;
static struct hss_child first, second;

static void open_one(void)
{
    first = hss_start("hss1.hss.test", NULL);
    zh_lab_init(&lab);
    zh_lab_peer(&lab, first.identity, first.address);
    zh_lab_open(&lab, 1);
}

static void open_two(void)
{
    first = hss_start("hss1.hss.test", NULL);
    second = hss_start("hss2.hss.test", NULL);
    zh_lab_init(&lab);
    zh_lab_peer(&lab, first.identity, first.address);
    zh_lab_peer(&lab, second.identity, second.address);
    zh_lab_open(&lab, 2);
}

static size_t ask_many(size_t n)
{
    struct zh_query q = zh_lab_query(HSS_IMPI);
    size_t start = lab.n;

    for (size_t i = 0; i < n; i++)
        (void)zh_lab_ask(&lab, &q);
    return start;
}

static void must_all(size_t start, enum gba_err err)
{
    for (size_t i = start; i < lab.n; i++)
        MUST(zh_lab_wait(&lab, i)->err == err);
}

void scenario_frozen(void)
{
    open_one();
    hss_signal(&first, SIGSTOP);
    lab.n = 0;
    must_all(ask_many(64), GBA_E_ZH_TIMEOUT);
    hss_signal(&first, SIGCONT);
    zh_lab_pause_ms(300);
    MUST(zh_lab_get(&lab, HSS_IMPI)->err == GBA_OK);
    zh_lab_close(&lab);
    MUST(hss_stop(&first) == 0);
}

/* The first attempt gives up in time for the second; the frozen one is asked last then. */
void scenario_frozen_failover(void)
{
    open_two();
    MUST(zh_lab_get(&lab, HSS_IMPI)->err == GBA_OK);
    MUST(hss_stat(&first, "requests") == 1 && hss_stat(&second, "requests") == 0);
    hss_signal(&first, SIGSTOP);
    must_all(ask_many(64), GBA_OK);
    MUST(hss_stat(&second, "requests") == 64);
    must_all(ask_many(8), GBA_OK);
    hss_signal(&first, SIGCONT);
    MUST(hss_stat(&second, "requests") == 72);
    zh_lab_close(&lab);
    MUST(hss_stop(&first) == 0 && hss_stop(&second) == 0);
}

void scenario_killed(void)
{
    char address[64];

    open_one();
    snprintf(address, sizeof(address), "%s", first.address);
    MUST(hss_control(&first, "drop * 1000", NULL));
    (void)ask_many(64);
    zh_lab_pause_ms(100);
    hss_signal(&first, SIGKILL);
    must_all(0, GBA_E_ZH_UNREACHABLE);
    hss_stop(&first);
    MUST(zh_lab_get(&lab, HSS_IMPI)->err == GBA_E_ZH_UNREACHABLE);
    /* It comes back at the same address. */
    first = hss_start("hss1.hss.test", address);
    lab.peers[0].address = first.address;
    zh_lab_wait_up(&lab, 1);
    MUST(zh_lab_get(&lab, HSS_IMPI)->err == GBA_OK);
    zh_lab_close(&lab);
    MUST(hss_stop(&first) == 0);
}

void scenario_killed_failover(void)
{
    open_two();
    MUST(hss_control(&first, "drop * 1000", NULL));
    lab.config.attempt_timeout_ms = 2000;
    (void)ask_many(64);
    zh_lab_pause_ms(100);
    hss_signal(&first, SIGKILL);
    must_all(0, GBA_OK);
    MUST(zh_lab_get(&lab, HSS_IMPI)->err == GBA_OK);
    hss_stop(&first);
    zh_lab_close(&lab);
    MUST(hss_stop(&second) == 0);
}

/* 3004 and 5012 are tried elsewhere, once; what the HSS knows for sure is not. */
void scenario_busy_failover(void)
{
    open_two();
    MUST(hss_control(&first, "error * 3004 1", NULL));
    MUST(zh_lab_get(&lab, HSS_IMPI)->err == GBA_OK);
    MUST(hss_stat(&second, "requests") == 1);
    MUST(hss_control(&first, "error * 5012 1", NULL));
    MUST(zh_lab_get(&lab, HSS_IMPI)->err == GBA_OK);
    MUST(hss_stat(&second, "requests") == 2);
    MUST(hss_control(&first, "error * 5401 1", NULL));
    MUST(zh_lab_get(&lab, HSS_IMPI)->err == GBA_E_SUBSCRIBER_UNKNOWN);
    MUST(hss_stat(&second, "requests") == 2);
    MUST(hss_control(&first, "error * 3002 1", NULL));
    MUST(hss_control(&second, "error * 3002 9", NULL));
    MUST(zh_lab_get(&lab, HSS_IMPI)->err == GBA_E_ZH_UNREACHABLE);
    MUST(hss_stat(&first, "requests") == 4 && hss_stat(&second, "requests") == 3);
    zh_lab_close(&lab);
    MUST(hss_stop(&first) == 0 && hss_stop(&second) == 0);
}

void scenario_disconnect(void)
{
    char reply[1024];

    open_one();
    MUST(zh_lab_get(&lab, HSS_IMPI)->err == GBA_OK);
    MUST(hss_control(&first, "delay * 1500", NULL));
    (void)ask_many(16);
    zh_lab_pause_ms(100);
    MUST(hss_control(&first, "disconnect", reply));
    MUST(strcmp(reply, "ok connections=1\n") == 0);
    must_all(1, GBA_E_ZH_UNREACHABLE);
    MUST(hss_control(&first, "clear", NULL));
    zh_lab_wait_up(&lab, 1);
    MUST(zh_lab_get(&lab, HSS_IMPI)->err == GBA_OK);
    zh_lab_close(&lab);
    MUST(hss_stop(&first) == 0);
}

/* Whatever stops libfdcore, the main learns of it and nobody waits for ever. */
void scenario_core_stops(void)
{
    open_one();
    MUST(hss_control(&first, "drop * 1000", NULL));
    (void)ask_many(16);
    MUST(fd_core_shutdown() == 0);
    must_all(0, GBA_E_ZH_UNREACHABLE);
    for (int i = 0; i < 1000 && !lab.stopped; i++)
        zh_lab_pause_ms(10);
    MUST(lab.stopped);
    MUST(!lab.zh->healthy(lab.zh));
    MUST(zh_lab_get(&lab, HSS_IMPI)->err == GBA_E_ZH_UNREACHABLE);
    zh_lab_close(&lab);
    MUST(hss_stop(&first) == 0);
}
