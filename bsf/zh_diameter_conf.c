/*
 * The options of Zh over Diameter: the schema of its part of the configuration file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "bsf/zh_diameter.h"

#include <stddef.h>

#include "common/host/diameter.h"

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define PEER(field) offsetof(struct zh_diameter_peer_config, field)
#define ZH(field)   offsetof(struct zh_diameter_config, field)

static const char *const transports[] = {"tcp", "sctp", NULL};
static const char *const destination_hosts[] = {"always", "never", NULL};
static const char *const applications[] = {"16777221", "16777220", "16777216", NULL};

static const struct conf_row peer_rows[] = {
    {.name = "identity",
     .type = CONF_STRING,
     .max = 255,
     .offset = PEER(identity),
     .flags = CONF_REQUIRED,
     .help = "Diameter identity of the HSS or agent: its Origin-Host, exactly."},
    {.name = "realm",
     .type = CONF_STRING,
     .max = 255,
     .offset = PEER(realm),
     .flags = CONF_REQUIRED,
     .help = "Its realm."},
    {.name = "address",
     .type = CONF_ADDRESS,
     .offset = PEER(address),
     .flags = CONF_REQUIRED,
     .help = "Where it listens; the usual port is 3868, with TLS 5868."},
    {.name = "transport",
     .type = CONF_ENUM,
     .deflt = "tcp",
     .choices = transports,
     .offset = PEER(transport),
     .help = "Transport protocol."},
    {.name = "tls",
     .type = CONF_BOOL,
     .deflt = "false",
     .offset = PEER(tls),
     .help = "TLS from the first octet. Its certificate must carry the identity. Without TLS "
             "the connection needs the protection of TS 33.210 (IPsec)."},
    {.name = "destination_host",
     .type = CONF_ENUM,
     .deflt = "always",
     .choices = destination_hosts,
     .offset = PEER(destination_host),
     .help = "Whether requests name this peer in Destination-Host. Use never when it is an "
             "agent that chooses the HSS; some HSSs answer only with always."},
    {.name = "destination_realm",
     .type = CONF_STRING,
     .max = 255,
     .offset = PEER(destination_realm),
     .help = "Destination-Realm of the requests, when it is not the peer's own realm."},
};

#define NO_IDENTITY "not a Diameter identity: letters, digits, '.', '-' and '_'"

static const char *check_peer(const void *filled, const char **row)
{
    const struct zh_diameter_peer_config *peer = filled;
    char host[256];
    uint16_t port = 0;

    *row = "identity";
    if (!diameter_is_identity(peer->identity))
        return NO_IDENTITY;
    *row = "realm";
    if (!diameter_is_identity(peer->realm))
        return NO_IDENTITY;
    *row = "address";
    return conf_address_split(peer->address, host, &port) == GBA_OK && port != 0
               ? NULL
               : "there is no port 0 to connect to";
}

static const struct conf_schema peer_schema = {
    .title = "An HSS, or a Diameter agent before it",
    .rows = peer_rows,
    .n_rows = SIZE(peer_rows),
    .size = sizeof(struct zh_diameter_peer_config),
    .check = check_peer,
};

static const struct conf_row rows[] = {
    {.name = "identity",
     .type = CONF_STRING,
     .max = 255,
     .offset = ZH(identity),
     .flags = CONF_REQUIRED,
     .help = "Our Diameter identity (Origin-Host)."},
    {.name = "realm",
     .type = CONF_STRING,
     .max = 255,
     .offset = ZH(realm),
     .flags = CONF_REQUIRED,
     .help = "Our realm (Origin-Realm)."},
    {.name = "peers",
     .type = CONF_SECTIONS,
     .min = 1,
     .max = ZH_DIAMETER_PEERS_MAX,
     .sub = &peer_schema,
     .offset = ZH(peers),
     .flags = CONF_REQUIRED,
     .help = "The HSSs, the preferred one first. A request that one cannot serve is asked once "
             "more at the next one that is connected."},
    {.name = "zh_app_id",
     .type = CONF_ENUM,
     .deflt = "16777221",
     .choices = applications,
     .offset = ZH(application),
     .help = "Diameter application: 16777221 is Zh; 16777220 suits HSSs that serve Zh under "
             "Zn's number; 16777216 asks over Cx an HSS that has no Zh."},
    {.name = "scheme",
     .type = CONF_STRING,
     .max = 64,
     .deflt = "Digest-AKAv1-MD5",
     .offset = ZH(scheme),
     .help = "SIP-Authentication-Scheme of the requests; empty: none is sent."},
    {.name = "send_public_identity",
     .type = CONF_BOOL,
     .deflt = "false",
     .offset = ZH(send_public_identity),
     .help =
         "Send Public-Identity sip:IMPI too, for HSSs that require it. Always sent over Cx."},
    {.name = "server_name",
     .type = CONF_STRING,
     .max = 255,
     .offset = ZH(server_name),
     .help = "Server-Name of requests over Cx; default sip: and our identity."},
    {.name = "deadline",
     .type = CONF_DURATION,
     .deflt = "5s",
     .min = 100,
     .max = 60000,
     .offset = ZH(deadline_ms),
     .help = "A request is answered within this time, with an error if need be."},
    {.name = "attempt_timeout",
     .type = CONF_DURATION,
     .deflt = "2s",
     .min = 50,
     .max = 60000,
     .offset = ZH(attempt_timeout_ms),
     .help = "How long the first HSS may take before another connected one is asked."},
    {.name = "max_outstanding",
     .type = CONF_INT,
     .deflt = "256",
     .min = 1,
     .max = 4096,
     .offset = ZH(max_outstanding),
     .help = "Requests that may wait at a time; more are refused at once as overload."},
    {.name = "threads",
     .type = CONF_INT,
     .deflt = "2",
     .min = 1,
     .max = 64,
     .offset = ZH(threads),
     .help = "Threads that work on answers."},
    {.name = "reconnect",
     .type = CONF_DURATION,
     .deflt = "1s",
     .min = 1000,
     .max = 600000,
     .offset = ZH(reconnect_ms),
     .help =
         "Pause before a lost connection is tried again (Tc of RFC 6733), whole seconds; the "
         "library varies it by up to two seconds, below three by up to four."},
    {.name = "watchdog",
     .type = CONF_DURATION,
     .deflt = "30s",
     .min = 6000,
     .max = 600000,
     .offset = ZH(watchdog_ms),
     .help = "Idle time before a peer is asked for a sign of life (Tw of RFC 3539), whole "
             "seconds."},
    {.name = "tls_cert",
     .type = CONF_PATH,
     .offset = ZH(tls_cert),
     .help = "Our certificate (PEM), which must carry our identity."},
    {.name = "tls_key", .type = CONF_PATH, .offset = ZH(tls_key), .help = "Its key (PEM)."},
    {.name = "tls_ca",
     .type = CONF_PATH,
     .offset = ZH(tls_ca),
     .help = "Certificates (PEM) of the CAs that peers' certificates come from."},
};

static const char *check(const void *filled, const char **row)
{
    const struct zh_diameter_config *c = filled;
    const struct zh_diameter_peer_config *peers = c->peers.v;

    *row = "identity";
    if (!diameter_is_identity(c->identity))
        return NO_IDENTITY;
    *row = "realm";
    if (!diameter_is_identity(c->realm))
        return NO_IDENTITY;
    *row = "tls_cert";
    if ((c->tls_cert == NULL) != (c->tls_key == NULL))
        return "tls_cert and tls_key come together";
    for (size_t i = 0; i < c->peers.n; i++) {
        *row = "tls_cert";
        if (peers[i].tls && (c->tls_cert == NULL || c->tls_ca == NULL))
            return "a peer with tls needs tls_cert, tls_key and tls_ca";
        *row = "peers";
        if (c->peers.n > ZH_DIAMETER_PEERS_MAX)
            return "too many peers";
    }
    return NULL;
}

const struct conf_schema zh_diameter_schema = {
    .title = "Zh over Diameter",
    .rows = rows,
    .n_rows = SIZE(rows),
    .size = sizeof(struct zh_diameter_config),
    .check = check,
};
