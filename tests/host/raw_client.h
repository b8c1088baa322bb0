/*
 * A client that sends exactly the octets it is told to, for tests of the HTTP server.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_HOST_RAW_CLIENT_H
#define TESTS_HOST_RAW_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

/* A connected socket to HOST:PORT or [V6]:PORT; -1. */
int raw_connect(const char *address);
/* False when the peer is gone. */
bool raw_send(int fd, const void *p, size_t n);
bool raw_send_text(int fd, const char *text);
/* One whole answer (head, and as much body as Content-Length says) as text of at most cap-1
 * octets.  Its status, or 0: closed before, -1: nothing within 10 s. */
int raw_answer(int fd, char *text, size_t cap);
/* As raw_answer for a request without an answer body (HEAD). */
int raw_answer_head(int fd, char *text, size_t cap);
/* The peer closes within ms. */
bool raw_closes(int fd, int ms);
/* The same, and not an octet comes before. */
bool raw_is_at_end(int fd, int ms);
/* Connects, sends text, reads one answer, closes: its status. */
int raw_ask(const char *address, const char *text, char *answer, size_t cap);

#endif
