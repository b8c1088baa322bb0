/*
 * CoAP messages as octets: RFC 7252 3, one datagram, both directions.  Options are views of
 * number and value; what a number means is the reader's affair.  No exchange, no block, no
 * socket: those are common/coap_block.h and common/host/coapd.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_COAP_MESSAGE_H
#define COMMON_COAP_MESSAGE_H

#include "common/bytes.h"

#define COAP_TOKEN_MAX   8
#define COAP_OPTIONS_MAX 40

enum coap_type { COAP_CON, COAP_NON, COAP_ACK, COAP_RST };

/* A code is three bits of class and five of detail: 4.04 is COAP_CODE(4, 04). */
#define COAP_CODE(class, detail) ((class) << 5 | (detail))
enum coap_code {
    COAP_EMPTY = COAP_CODE(0, 0),
    COAP_GET = COAP_CODE(0, 1),
    COAP_POST = COAP_CODE(0, 2),
    COAP_PUT = COAP_CODE(0, 3),
    COAP_DELETE = COAP_CODE(0, 4),
    COAP_CREATED = COAP_CODE(2, 1),
    COAP_DELETED = COAP_CODE(2, 2),
    COAP_CHANGED = COAP_CODE(2, 4),
    COAP_CONTENT = COAP_CODE(2, 5),
    COAP_CONTINUE = COAP_CODE(2, 31), /* RFC 7959 2.9.1 */
    COAP_BAD_REQUEST = COAP_CODE(4, 0),
    COAP_UNAUTHORIZED = COAP_CODE(4, 1),
    COAP_BAD_OPTION = COAP_CODE(4, 2),
    COAP_FORBIDDEN = COAP_CODE(4, 3),
    COAP_NOT_FOUND = COAP_CODE(4, 4),
    COAP_NOT_ALLOWED = COAP_CODE(4, 5),
    COAP_NOT_ACCEPTABLE = COAP_CODE(4, 6),
    COAP_INCOMPLETE = COAP_CODE(4, 8), /* RFC 7959 2.9.2 */
    COAP_TOO_LARGE = COAP_CODE(4, 13),
    COAP_UNSUPPORTED_FORMAT = COAP_CODE(4, 15),
    COAP_INTERNAL_ERROR = COAP_CODE(5, 0),
    COAP_NOT_IMPLEMENTED = COAP_CODE(5, 1),
    COAP_UNAVAILABLE = COAP_CODE(5, 3),
    COAP_GATEWAY_TIMEOUT = COAP_CODE(5, 4),
    COAP_NO_PROXYING = COAP_CODE(5, 5)
};
#define COAP_CLASS(code) ((code) >> 5)

/* Option numbers of RFC 7252 5.10 and RFC 7959. */
enum coap_number {
    COAP_URI_HOST = 3,
    COAP_URI_PORT = 7,
    COAP_LOCATION_PATH = 8,
    COAP_URI_PATH = 11,
    COAP_CONTENT_FORMAT = 12,
    COAP_MAX_AGE = 14,
    COAP_URI_QUERY = 15,
    COAP_ACCEPT = 17,
    COAP_BLOCK2 = 23,
    COAP_BLOCK1 = 27,
    COAP_SIZE2 = 28,
    COAP_PROXY_URI = 35,
    COAP_PROXY_SCHEME = 39,
    COAP_SIZE1 = 60
};
#define COAP_IS_CRITICAL(number) (((number)&1) != 0) /* RFC 7252 5.4.6 */

struct coap_option {
    uint16_t number;
    struct gba_bytes value;
};

/* To be filled by coap_message_read, or by coap_message_init and the functions below it.  Holds
 * views into itself: not to be copied. */
struct coap_message {
    enum coap_type type;
    uint8_t code;
    uint16_t id;
    uint8_t token[COAP_TOKEN_MAX];
    size_t token_len;
    struct coap_option option[COAP_OPTIONS_MAX]; /* by number, ascending */
    size_t n_options;
    struct gba_bytes payload;
    uint8_t room[32]; /* of the numbers that were added */
    size_t room_len;
};

/* Views into datagram.  GBA_E_MISSING: no header or another version: nothing is known, to be
 * ignored (RFC 7252 3); GBA_E_SYNTAX: malformed: type and id are known, so a CON can be reset
 * (4.2); GBA_E_TOO_LONG: more than COAP_OPTIONS_MAX options: type, id, code and token are
 * known. */
enum gba_err coap_message_read(struct gba_bytes datagram, struct coap_message *out);

void coap_message_init(struct coap_message *m, enum coap_type type, uint8_t code, uint16_t id,
                       struct gba_bytes token);
/* Inserts behind those of the same number; the value stays borrowed.  GBA_E_TOO_LONG: no
 * room. */
enum gba_err coap_message_add(struct coap_message *m, uint16_t number, struct gba_bytes value);
/* A number in as few octets as it takes (3.2). */
enum gba_err coap_message_add_number(struct coap_message *m, uint16_t number, uint32_t value);
/* Check w for overflow. */
void coap_message_print(const struct coap_message *m, struct gba_wbuf *w);

/* The first option of that number, or NULL. */
const struct coap_option *coap_message_find(const struct coap_message *m, uint16_t number);
/* A number of up to four octets; leading zeros are fine (3.2).  GBA_E_SYNTAX. */
enum gba_err coap_number_read(struct gba_bytes value, uint32_t max, uint32_t *out);

/* Digest of what makes two requests the same one, block for block (RFC 7959 2, RFC 7252 5.6):
 * code and options, without those of the blocks and those that are NoCacheKey. */
#define COAP_OPERATION_LEN 32
void coap_message_operation(const struct coap_message *m,
                            uint8_t out[static COAP_OPERATION_LEN]);

#endif
