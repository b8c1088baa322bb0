/*
 * Fuzz target: what a MEF answers to a device's EST (ua/est_client.c, ua/est_key.c).  The first
 * octet says what the rest is: 'r' a reply to simpleenroll, 'a' one to csrattrs, 'c' one to
 * cacerts (head, empty line, body); 'p' DER of a PKCS#7, 'd' DER of CsrAttrs.  Besides not
 * failing: no certificate is taken that is not of our key, which no input can know.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ua/est_key.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/replies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ue_est_call call;
static char pem[EST_CERT_PEM_MAX], taken[EST_CERT_PEM_MAX];

static void take_certs(struct gba_bytes p7)
{
    static struct est_key *key;
    const struct ue_est_name name = {true, "//sp.example/cse1/Cone"};
    const char *why;
    size_t count;

    if (key == NULL && est_key_new(&key) != GBA_OK)
        abort();
    if (est_certs_pem(p7, pem, &count) == GBA_OK && (count == 0 || pem[0] == '\0'))
        abort();
    if (est_key_take(key, &name, p7, pem, 1767225600, taken, &why) == GBA_OK)
        abort();
}

static void take_attrs(struct gba_bytes der)
{
    bool link;

    (void)ue_est_wants_link(der, &link);
}

static void take_reply(enum ue_est_op op, const uint8_t *data, size_t size)
{
    static struct replies replies;
    struct gba_ue_reply reply;

    replies_begin(&replies, data, size);
    if (!replies_next(&replies, &reply) ||
        ue_est_begin(&call, op, (struct gba_bytes){NULL, 0}) != GBA_OK)
        return;
    if (ue_est_answer(&call, &reply) != GBA_OK) {
        if (call.n != 0 || call.why == NULL || call.why[0] == '\0')
            abort();
    } else if (op == UE_EST_CSRATTRS) {
        take_attrs((struct gba_bytes){call.der, call.n});
    } else {
        take_certs((struct gba_bytes){call.der, call.n});
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    switch (data[0]) {
    case 'r':
        take_reply(UE_EST_ENROL, data + 1, size - 1);
        break;
    case 'a':
        take_reply(UE_EST_CSRATTRS, data + 1, size - 1);
        break;
    case 'c':
        take_reply(UE_EST_CACERTS, data + 1, size - 1);
        break;
    case 'p':
        take_certs((struct gba_bytes){data + 1, size - 1});
        break;
    case 'd':
        take_attrs((struct gba_bytes){data + 1, size - 1});
        break;
    default:
        break;
    }
    return 0;
}
