/*
 * bsfd's configuration: lifetimes, caps, rate limits, limits of HTTP.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/bsfd_conf_parts.h"

#include "bsf/store_memory.h"

#define DAY_MS INT64_C(86400000)

/* ---- sessions, limits, HTTP ----------------------------------------------------------- */

#define AT(member) offsetof(struct bsfd_session_conf, member)
static const struct conf_row session_rows[] = {
    {.name = "lifetime",
     .type = CONF_DURATION,
     .deflt = "24h",
     .min = 1000,
     .max = 3650 * DAY_MS,
     .offset = AT(lifetime_ms),
     .help = "How long Ks lives where the subscriber's GUSS says nothing."},
    {.name = "min_lifetime",
     .type = CONF_DURATION,
     .deflt = "60s",
     .min = 1000,
     .max = 3650 * DAY_MS,
     .offset = AT(min_lifetime_ms),
     .help = "What a GUSS may ask for at least."},
    {.name = "max_lifetime",
     .type = CONF_DURATION,
     .deflt = "30d",
     .min = 1000,
     .max = 3650 * DAY_MS,
     .offset = AT(max_lifetime_ms),
     .help = "What a GUSS may ask for at most."},
    {.name = "tmpi_lifetime",
     .type = CONF_DURATION,
     .deflt = "30d",
     .min = 1000,
     .max = 3650 * DAY_MS,
     .offset = AT(tmpi_lifetime_ms),
     .help = "How long a TMPI is known; it may outlive its Ks."},
    {.name = "challenge_lifetime",
     .type = CONF_DURATION,
     .deflt = "60s",
     .min = 1000,
     .max = 3600000,
     .offset = AT(challenge_lifetime_ms),
     .help = "How long the answer to a challenge is awaited."},
    {.name = "repeat_window",
     .type = CONF_DURATION,
     .deflt = "5s",
     .min = 0,
     .max = 60000,
     .offset = AT(repeat_window_ms),
     .help = "A first request repeated within this time gets the same unanswered challenge, "
             "which saves vectors. 0: never."},
    {.name = "per_subscriber",
     .type = CONF_INT,
     .deflt = "2",
     .min = 1,
     .max = STORE_MEMORY_MAX_PER_SUBSCRIBER,
     .offset = AT(per_subscriber),
     .help = "Sessions of one subscriber; a new one ends the oldest."},
    {.name = "max_sessions",
     .type = CONF_INT,
     .deflt = "100000",
     .min = 1,
     .max = 100000000,
     .offset = AT(max_sessions),
     .help = "Sessions in all; at the cap new ones are refused until others expire. About 1.5 "
             "KiB each."},
    {.name = "max_challenges",
     .type = CONF_INT,
     .deflt = "20000",
     .min = 1,
     .max = 10000000,
     .offset = AT(max_challenges),
     .help = "Pending challenges in all; the oldest makes room for a new one."},
};
#undef AT

static const char *check_session(const void *filled, const char **row)
{
    const struct bsfd_session_conf *c = filled;

    *row = "lifetime";
    return c->min_lifetime_ms <= c->lifetime_ms && c->lifetime_ms <= c->max_lifetime_ms
               ? NULL
               : "must lie between min_lifetime and max_lifetime";
}

const struct conf_schema bsfd_session_schema = {
    "Sessions", session_rows, BSFD_CONF_SIZE(session_rows), sizeof(struct bsfd_session_conf),
    check_session};

#define RATE_ROWS(burst_default, rate_default)                                                 \
    {.name = "burst",                                                                          \
     .type = CONF_INT,                                                                         \
     .deflt = (burst_default),                                                                 \
     .max = 1000000,                                                                           \
     .offset = offsetof(struct bsfd_rate_conf, burst),                                         \
     .help = "Vectors that may be asked for at once. 0: no limit."},                           \
    {                                                                                          \
        .name = "per_minute", .type = CONF_INT, .deflt = (rate_default), .min = 1,             \
        .max = 1000000, .offset = offsetof(struct bsfd_rate_conf, per_minute),                 \
        .help = "Vectors that may be asked for in the long run."                               \
    }
static const struct conf_row subscriber_rate_rows[] = {RATE_ROWS("30", "30")};
static const struct conf_row address_rate_rows[] = {RATE_ROWS("500", "3000")};
static const struct conf_schema subscriber_rate_schema = {
    "Rate of a subscriber", subscriber_rate_rows, BSFD_CONF_SIZE(subscriber_rate_rows),
    sizeof(struct bsfd_rate_conf), NULL};
static const struct conf_schema address_rate_schema = {"Rate of an address", address_rate_rows,
                                                       BSFD_CONF_SIZE(address_rate_rows),
                                                       sizeof(struct bsfd_rate_conf), NULL};

static const struct conf_row limits_rows[] = {
    {.name = "subscriber",
     .type = CONF_SECTION,
     .sub = &subscriber_rate_schema,
     .offset = offsetof(struct bsfd_limits_conf, subscriber),
     .help = "For one IMPI, whoever asks."},
    {.name = "address",
     .type = CONF_SECTION,
     .sub = &address_rate_schema,
     .offset = offsetof(struct bsfd_limits_conf, address),
     .help = "For one IPv4 address or IPv6 /64, whomever it asks for; many devices may share "
             "one behind a NAT."},
    {.name = "buckets",
     .type = CONF_INT,
     .deflt = "65536",
     .min = 16,
     .max = 16777216,
     .offset = offsetof(struct bsfd_limits_conf, buckets),
     .help = "Names that are remembered, 24 octets each."},
};
const struct conf_schema bsfd_limits_schema = {"Rate limits", limits_rows,
                                               BSFD_CONF_SIZE(limits_rows),
                                               sizeof(struct bsfd_limits_conf), NULL};

#define AT(member) offsetof(struct bsfd_http_conf, member)
static const struct conf_row http_rows[] = {
    {.name = "threads",
     .type = CONF_INT,
     .deflt = "2",
     .min = 1,
     .max = 64,
     .offset = AT(threads),
     .help = "Threads of each address."},
    {.name = "connections",
     .type = CONF_INT,
     .deflt = "1024",
     .min = 1,
     .max = 1000000,
     .offset = AT(connections),
     .help = "Connections at a time of each address; more wait."},
    {.name = "connections_per_address",
     .type = CONF_INT,
     .deflt = "512",
     .max = 1000000,
     .offset = AT(connections_per_address),
     .help = "Of one peer address, so that one cannot take all; more are closed at once. 0: no "
             "limit, for a proxy or a load test in front. Subscribers behind one NAT share it."},
    {.name = "idle_timeout",
     .type = CONF_DURATION,
     .deflt = "15s",
     .min = 1000,
     .max = 3600000,
     .offset = AT(idle_timeout_ms),
     .help = "A connection without octets is closed after this time."},
    {.name = "deadline",
     .type = CONF_DURATION,
     .deflt = "10s",
     .min = 100,
     .max = 600000,
     .offset = AT(deadline_ms),
     .help = "From the first octet of a request to its end, however slowly it trickles."},
};
#undef AT
const struct conf_schema bsfd_http_schema = {"HTTP", http_rows, BSFD_CONF_SIZE(http_rows),
                                             sizeof(struct bsfd_http_conf), NULL};
