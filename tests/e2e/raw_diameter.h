/*
 * A Diameter peer made of octets: it can send what no library would.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_E2E_RAW_DIAMETER_H
#define TESTS_E2E_RAW_DIAMETER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAW_REQUEST   0x80u
#define RAW_PROXIABLE 0x40u
#define RAW_ERROR     0x20u

struct raw_message {
    uint8_t octets[8192];
    size_t n;
};

struct raw_avp {
    uint32_t code, vendor;
    uint8_t flags;
    const uint8_t *p;
    size_t n;
};

void raw_begin(struct raw_message *m, uint8_t flags, uint32_t code, uint32_t application,
               uint32_t hop_by_hop, uint32_t end_to_end);
/* vendor 0: no V bit.  The M bit is set except for vendor AVPs 409. */
void raw_put(struct raw_message *m, uint32_t vendor, uint32_t code, const void *p, size_t n);
void raw_put_text(struct raw_message *m, uint32_t vendor, uint32_t code, const char *text);
void raw_put_u32(struct raw_message *m, uint32_t vendor, uint32_t code, uint32_t value);
/* An answer to a request: its identifiers, its Session-Id, and our origin. */
void raw_answer(struct raw_message *m, const struct raw_message *request, uint8_t flags,
                const char *identity);

uint32_t raw_u32(const uint8_t *p);
uint32_t raw_code(const struct raw_message *m);
bool raw_is_request(const struct raw_message *m);
/* The AVP at *at, which moves on; false at the end. */
bool raw_next(const struct raw_message *m, size_t *at, struct raw_avp *avp);
bool raw_find(const struct raw_message *m, uint32_t vendor, uint32_t code, struct raw_avp *avp);

/* The other end; -1 on failure. */
int raw_listen(char address[static 64]); /* 127.0.0.1, a free port */
int raw_connect(const char *address);
bool raw_send(int fd, struct raw_message *m);
/* False: closed, or nothing for five seconds. */
bool raw_receive(int fd, struct raw_message *m);

/* Capabilities exchange: as server answers the CER that comes, as client sends one. */
void raw_put_capabilities(struct raw_message *m, uint32_t application);
bool raw_serve_cer(int fd, const char *identity, uint32_t application);
bool raw_send_cer(int fd, const char *identity, uint32_t application);
/* The next request that is no watchdog; watchdogs and DPR are answered.  False: as receive. */
bool raw_next_request(int fd, const char *identity, struct raw_message *m);

#endif
