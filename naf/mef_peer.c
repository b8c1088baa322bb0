/*
 * Who a TLS session with an MEF or MAF is: see mef_peer.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_peer.h"

#include <string.h>

#include "common/host/clock.h"
#include "common/host/tls.h"
#include "common/host/tls_peer.h"
#include "common/host/tls_rawpk.h"

/* ------------------------------------------------------------ during the handshake */

/* PSK suites without forward secrecy that a profile of gba_naf_tls_priorities may agree on. */
static bool is_plain(uint16_t suite)
{
    static const uint16_t plain[] = {0x00ae, 0x00a8, 0xc0a4, 0xc0a8, 0xccab};

    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        if (plain[i] == suite)
            return true;
    return false;
}

/* What is left is a B-TID.  With an MEF both ends are ours: forward secrecy.  With a MAF it is
 * KmID, and one suite is agreed, else it would have several keys (8.3.2.3). */
static enum gba_err judge_gba(const struct mef_peer_lookup *l, uint16_t suite)
{
    if (l->gba_suite != 0)
        return suite == l->gba_suite ? GBA_E_NOT_FOUND : GBA_E_DOWNGRADE;
    return is_plain(suite) && !l->plain_psk ? GBA_E_DOWNGRADE : GBA_E_NOT_FOUND;
}

enum gba_err mef_peer_look_up(void *arg, const struct gba_naf_handshake *h,
                              struct gba_naf_psk_row *row)
{
    const struct mef_peer_lookup *l = arg;
    struct mef_registry *g = l->mef->registry;
    struct gba_text id = {(const char *)h->identity, h->identity_len};
    char name[MEF_CRED_NAME_SIZE];
    struct mef_credential c;
    enum gba_err err = mef_credential_name(MEF_CRED_PSK, id, name);

    err = err == GBA_OK ? g->credential(g, MEF_CRED_PSK, name, &c) : GBA_E_NOT_FOUND;
    if (err == GBA_OK) {
        memcpy(row->key, c.key, c.key_len);
        row->key_len = c.key_len;
        row->expires_s = c.expires_s;
        gba_wipe(&c, sizeof(c));
        return GBA_OK;
    }
    if (err == GBA_E_NOT_FOUND && l->remote != NULL)
        err = l->remote(l->remote_arg, id, (struct gba_bytes){h->address, h->address_len}, row);
    return err == GBA_E_NOT_FOUND ? judge_gba(l, h->suite) : err;
}

/* ------------------------------------------------------------ after it */

/* What a session exports is only as good as the session: a full handshake, and in TLS 1.2
 * extended master secret. */
static enum gba_err take_exports(gnutls_session_t s, struct mef_client *c)
{
    enum gba_err err;

    if (gnutls_session_is_resumed(s) != 0 ||
        (!tls_is_13(s) && gnutls_session_ext_master_secret_status(s) == 0))
        return GBA_E_DOWNGRADE;
    err = tls_export(s, M2M_EXPORT_BOOTSTRAP, c->bootstrap, sizeof(c->bootstrap));
    return err == GBA_OK
               ? tls_export(s, M2M_EXPORT_CONNECTION, c->connection, sizeof(c->connection))
               : err;
}

enum gba_err mef_peer_by_psk(const struct mef *m, struct gba_naf_psk *psk,
                             gnutls_session_t session, int64_t now_s, struct mef_client *c)
{
    struct gba_naf_peer peer;
    struct gba_bytes uss = {NULL, 0};
    enum gba_err err = gba_naf_psk_peer(psk, session, &peer);

    memset(c, 0, sizeof(*c));
    if (err != GBA_OK)
        return err;
    if (peer.gba) {
        uss.p = (const uint8_t *)gba_naf_psk_uss_list(psk, session, &uss.n);
        err = mef_know_gba(m, gba_text(peer.impi), uss, now_s, peer.expires_s, c);
    } else {
        err = mef_know_enrolee(m, MEF_CRED_PSK,
                               (struct gba_text){peer.identity, peer.identity_len}, now_s,
                               peer.expires_s != 0 ? peer.expires_s : INT64_MAX, c);
    }
    return err == GBA_OK ? take_exports(session, c) : err;
}

/* --- by certificate --------------------------------------------------------------------- */

static enum gba_err know_names(const struct mef *m, const struct tls_peer *peer, int64_t now_s,
                               struct mef_client *c)
{
    enum gba_err err = GBA_OK;

    for (size_t i = 0; err == GBA_OK && i < peer->n; i++)
        err = mef_know_certificate(m, gba_text(peer->name[i]), now_s, peer->expires_s, c);
    return err == GBA_E_NOT_FOUND ? GBA_OK : err; /* nobody */
}

enum gba_err mef_peer_know_certificate(const struct mef *m, gnutls_session_t session,
                                       int64_t now_s, struct mef_client *c)
{
    uint8_t digest[32];
    char hex[2 * sizeof(digest) + 1];
    struct tls_peer *peer;
    enum gba_err err;

    memset(c, 0, sizeof(*c));
    if (tls_peer_rawpk(session, digest) == GBA_OK) {
        gba_hex(hex, GBA_BYTES(digest));
        return mef_know_enrolee(m, MEF_CRED_RPK, gba_text(hex), now_s, INT64_MAX, c);
    }
    err = tls_peer_verify(session, &peer);
    if (err == GBA_OK)
        err = know_names(m, peer, now_s, c);
    tls_peer_release(peer);
    return err == GBA_E_NOT_FOUND ? GBA_OK : err; /* nobody */
}

enum gba_err mef_peer_export(gnutls_session_t session, struct mef_client *c)
{
    enum gba_err err = c->is_enrolee ? take_exports(session, c) : GBA_OK;

    if (err == GBA_E_DOWNGRADE && c->is_target) { /* it may still ask as a target */
        c->is_enrolee = false;
        return GBA_OK;
    }
    return err;
}

enum gba_err mef_peer_by_certificate(const struct mef *m, gnutls_session_t session,
                                     const struct tls_peer *peer, int64_t now_s,
                                     struct mef_client *c)
{
    enum gba_err err = GBA_OK;

    memset(c, 0, sizeof(*c));
    if (peer != NULL)
        err = know_names(m, peer, now_s, c);
    return err == GBA_OK ? mef_peer_export(session, c) : err;
}
