/*
 * mock-hss as a child process of a test: its configuration in a folder of its own, its port,
 * its control socket.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_E2E_HSS_CHILD_H
#define TESTS_E2E_HSS_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define HSS_IMPI        "001010000000001@ims.mnc001.mcc001.3gppnetwork.org"
#define HSS_IMPI_3GPP2  "001010000000004@ims.mnc001.mcc001.3gppnetwork.org"
#define HSS_IMPI_TUAK   "001010000000002@ims.mnc001.mcc001.3gppnetwork.org"
#define HSS_IMPI_BARRED "001010000000003@ims.mnc001.mcc001.3gppnetwork.org"
#define HSS_REALM       "hss.test"

struct hss_child {
    pid_t pid;
    char folder[64];
    char identity[64];
    char address[64]; /* 127.0.0.1:PORT */
};

/* Starts one that calls itself identity; listen NULL: 127.0.0.1:0.  Ends the program when
 * that fails. */
struct hss_child hss_start(const char *identity, const char *listen);
/* The same with more lines in its configuration. */
struct hss_child hss_start_with(const char *identity, const char *listen, const char *lines);
/* SIGTERM; the exit code.  Removes the folder. */
int hss_stop(struct hss_child *h);
/* SIGKILL, or what else. */
void hss_signal(const struct hss_child *h, int signal);

/* Sends a command; true: the reply began with ok.  reply may be NULL, else 1024 octets. */
bool hss_control(const struct hss_child *h, const char *command, char *reply);
/* A value of "stats". */
unsigned long hss_stat(const struct hss_child *h, const char *name);

#endif
