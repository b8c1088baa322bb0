/*
 * The MEF of the flow tests; see tests/flow/mef.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/flow/mef.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"
#include "common/m2m_http.h"
#include "naf/mef_store_sqlite.h"

#define SUITE 0xccac /* ECDHE-PSK-CHACHA20-POLY1305 */

/* ---- a store whose calls are counted ------------------------------------------------------
 */

static struct flow_mef *of_store(struct mef_store *s)
{
    return (struct flow_mef *)(void *)((char *)s - offsetof(struct flow_mef, faulty));
}

static bool fails(struct mef_store *s, const char *port)
{
    return faults_hit(&of_store(s)->lab->faults, port);
}

static enum gba_err f_put_ke(struct mef_store *s, const struct mef_ke *ke)
{
    struct mef_store *real = of_store(s)->real;

    return fails(s, "mef put_ke") ? GBA_E_IO : real->put_ke(real, ke);
}

static enum gba_err f_get_ke(struct mef_store *s, const char *id, struct mef_ke *out)
{
    struct mef_store *real = of_store(s)->real;

    return fails(s, "mef get_ke") ? GBA_E_IO : real->get_ke(real, id, out);
}

static enum gba_err f_add_reg(struct mef_store *s, const struct mef_reg *reg, int64_t now_s,
                              size_t max, struct mef_reg *out)
{
    struct mef_store *real = of_store(s)->real;

    return fails(s, "mef add_reg") ? GBA_E_IO : real->add_reg(real, reg, now_s, max, out);
}

static enum gba_err f_del_reg(struct mef_store *s, const char *ri)
{
    struct mef_store *real = of_store(s)->real;

    return fails(s, "mef del_reg") ? GBA_E_IO : real->del_reg(real, ri);
}

static enum gba_err f_set_reg(struct mef_store *s, const struct mef_reg *reg)
{
    struct mef_store *real = of_store(s)->real;

    return fails(s, "mef set_reg") ? GBA_E_IO : real->set_reg(real, reg);
}

static enum gba_err f_get_reg(struct mef_store *s, const char *ri, struct mef_reg *out)
{
    struct mef_store *real = of_store(s)->real;

    return fails(s, "mef get_reg") ? GBA_E_IO : real->get_reg(real, ri, out);
}

static enum gba_err f_find_reg(struct mef_store *s, const char *creator, const char *admin,
                               struct mef_reg *out)
{
    struct mef_store *real = of_store(s)->real;

    return fails(s, "mef find_reg") ? GBA_E_IO : real->find_reg(real, creator, admin, out);
}

static enum gba_err f_add_key(struct mef_store *s, const struct mef_key *key, size_t max)
{
    struct mef_store *real = of_store(s)->real;

    return fails(s, "mef add_key") ? GBA_E_IO : real->add_key(real, key, max);
}

static enum gba_err f_get_key(struct mef_store *s, const char *id, struct mef_key *out)
{
    struct mef_store *real = of_store(s)->real;

    return fails(s, "mef get_key") ? GBA_E_IO : real->get_key(real, id, out);
}

static enum gba_err f_next(struct mef_store *s, const char *ri, struct mef_command *out)
{
    struct mef_store *real = of_store(s)->real;

    return fails(s, "mef next") ? GBA_E_IO : real->commands->next(real, ri, out);
}

static enum gba_err f_give(struct mef_store *s, const char *id, int64_t now_s)
{
    struct mef_store *real = of_store(s)->real;

    return fails(s, "mef give") ? GBA_E_IO : real->commands->give(real, id, now_s);
}

static enum gba_err f_finish(struct mef_store *s, const char *ri, const char *id,
                             unsigned result, int64_t now_s)
{
    struct mef_store *real = of_store(s)->real;

    return fails(s, "mef finish") ? GBA_E_IO
                                  : real->commands->finish(real, ri, id, result, now_s);
}

static const struct mef_command_store f_commands = {
    .next = f_next, .give = f_give, .finish = f_finish};

/* ---- life ---------------------------------------------------------------------------------
 */

void flow_mef_configure(struct lab *l)
{
    static const char *const names[] = {MEF_FQDN}, *const fqdns[] = {MEF_FQDN,
                                                                     "cse1.sp.example"};

    l->naf_config.fqdns = names;
    l->naf_config.n_fqdns = 1;
    l->naf_row.certificate = MEF_FQDN;
    l->naf_row.fqdns = fqdns;
    l->naf_row.n_fqdns = 2;
    l->naf_row.may_learn_impi = true; /* which becomes the Enrolee-ID */
    l->zn_name = MEF_FQDN;
}

static void make_policy(struct flow_mef *m)
{
    static const struct mef_limits limits = {.enrolment_s = 86400,
                                             .registration_s = 86400,
                                             .registrations_max = 4,
                                             .keys_max = 4,
                                             .commands_max = 4,
                                             .command_retry_s = 3600};

    if (mef_policy_init(&m->policy, MEF_FQDN, "sp.example", &limits) != GBA_OK)
        abort();
}

static void make_rows(struct flow_mef *m, enum mef_derivation derivation)
{
    static const uint8_t ua_id[GBA_UA_ID_LEN] = {1, 0, 1, 0, 0xae};
    struct mef_registry *g = m->mef.registry;
    struct mef_credential c = {.kind = MEF_CRED_GBA, .name = LAB_IMPI, .enrolee = MEF_ENROLEE};
    struct mef_instruction i = {.enrolee = MEF_ENROLEE, .target = MEF_CSE};
    struct mef_enrolee e = {.id = MEF_ENROLEE};
    struct mef_target t;

    if (mef_suid_bit(MEF_SUID, &i.suids) != GBA_OK ||
        mef_target_make(&m->policy, GBA_TEXT(MEF_CSE), NULL, ua_id, i.suids, derivation, &t) !=
            GBA_OK ||
        g->add_target(g, &t, MEF_OF_CONFIG) != GBA_OK ||
        g->add_enrolee(g, &e, MEF_OF_CONFIG) != GBA_OK ||
        g->add_credential(g, &c, MEF_OF_CONFIG) != GBA_OK ||
        g->add_instruction(g, &i, MEF_OF_CONFIG) != GBA_OK)
        abort();
}

static void open_store(struct flow_mef *m)
{
    static const uint8_t master[MEF_MASTER_KEY_LEN] = {5};
    const char *path = lab_path("mef.sqlite");
    char why[256];

    remove(path);
    if (mef_store_sqlite_open(path, master, &m->real, why, sizeof(why)) != GBA_OK) {
        fprintf(stderr, "%s: %s\n", path, why);
        abort();
    }
    m->faulty = (struct mef_store){.name = "faulty",
                                   .put_ke = f_put_ke,
                                   .get_ke = f_get_ke,
                                   .add_reg = f_add_reg,
                                   .del_reg = f_del_reg,
                                   .get_reg = f_get_reg,
                                   .set_reg = f_set_reg,
                                   .find_reg = f_find_reg,
                                   .add_key = f_add_key,
                                   .get_key = f_get_key,
                                   .commands = &f_commands};
}

void flow_mef_close(struct flow_mef *m)
{
    m->real->close(m->real);
}

/* ---- one session and one request in it -----------------------------------------------------
 */

struct session {
    const struct gba_ue_request *rq;
    struct mef_client client;
    struct gba_ue_reply *reply;
};

/* A stand-in for RFC 5705: what both ends have in common, and this session's number. */
static void export_octets(const struct flow_mef *m, const uint8_t key[32], const char *label,
                          uint8_t out[static M2M_EXPORT_LEN])
{
    uint8_t counter[2] = {(uint8_t)m->n_sessions, 0}, block[2][32];

    for (; counter[1] < 2; counter[1]++) {
        const struct gba_bytes parts[] = {{counter, 2}, gba_text_bytes(gba_text(label))};

        gba_hmac(GBA_SHA256, (struct gba_bytes){key, 32}, parts, 2, block[counter[1]]);
    }
    memcpy(out, block, M2M_EXPORT_LEN);
}

/* Who it is, with the USS that came with the key: it is in the cache now. */
static enum gba_err know(struct flow_mef *m, const char *btid,
                         const uint8_t ua_id[static GBA_UA_ID_LEN], struct mef_client *client)
{
    const int64_t now_s = fake_now_ms() / 1000;
    struct zn_query q = {.n_gsids = 0};
    struct naf_key *key = NULL;
    enum gba_err err = gba_naf_id_make(GBA_TEXT(MEF_FQDN), ua_id, &q.naf_id);

    gba_text_copy(q.btid, sizeof(q.btid), gba_text(btid));
    naf_query(m->lab->naf, &q);
    if (err == GBA_OK)
        err = keycache_wait(m->lab->naf->keys, &q, now_s, &key);
    if (err == GBA_OK)
        err = mef_know_gba(&m->mef, gba_text(key->a.impi), key->a.uss_list, now_s,
                           key->a.expiry_s, client);
    naf_key_unref(key);
    return err;
}

/* The handshake: the UE's key by the suite's Ua id, the MEF's by the identity. */
static enum gba_err shake_hands(struct flow_mef *m, struct session *s)
{
    const uint8_t ua_id[GBA_UA_ID_LEN] = {1, 0, 1, SUITE >> 8, SUITE & 0xff};
    char identity[GBA_UE_PSK_IDENTITY_SIZE];
    uint8_t key[GBA_UE_PSK_MAX];
    size_t key_len;
    struct gba_naf_credential c;

    if (s->rq->psk->key(s->rq->psk->ctx, ua_id, NULL, identity, key, &key_len) != GBA_OK)
        return GBA_E_TLS;
    s->reply->alert = 51;
    if (gba_naf_fetch(m->lab->naf, identity, MEF_FQDN, ua_id, fake_now_ms() / 1000, &c) !=
            GBA_OK ||
        key_len != sizeof(c.me_key) || !gba_equal_ct(c.me_key, key, key_len))
        return GBA_E_TLS;
    s->reply->alert = 0;
    m->n_sessions++;
    if (know(m, identity, ua_id, &s->client) != GBA_OK)
        return GBA_E_TLS;
    export_octets(m, c.me_key, M2M_EXPORT_BOOTSTRAP, s->client.bootstrap);
    export_octets(m, c.me_key, M2M_EXPORT_CONNECTION, s->client.connection);
    s->reply->suite = SUITE;
    s->reply->psk = !m->certificate;
    s->reply->has_exported = !m->no_export && s->rq->export_label != NULL;
    if (s->rq->export_label != NULL)
        export_octets(m, key, s->rq->export_label, s->reply->exported);
    return GBA_OK;
}

static struct gba_text field_of(const struct gba_ue_request *rq, const char *name)
{
    for (size_t i = 0; i < rq->n_fields; i++)
        if (gba_text_eq_nocase(gba_text(rq->fields[i].name), gba_text(name)))
            return gba_text(rq->fields[i].value);
    return GBA_TEXT("");
}

static void serve(struct flow_mef *m, struct session *s, struct fake_http_reply *out)
{
    static struct m2m_request rq;
    static struct mef_answer answer;
    static struct m2m_http_reply http;
    char host[256], target[512];
    uint8_t random[16];
    struct m2m_http_request in = {.method = gba_text(s->rq->method),
                                  .content_type = field_of(s->rq, "Content-Type"),
                                  .accept = field_of(s->rq, "Accept"),
                                  .origin = field_of(s->rq, M2M_H_ORIGIN),
                                  .ri = field_of(s->rq, M2M_H_RI),
                                  .rvi = field_of(s->rq, M2M_H_RVI),
                                  .body = {s->rq->body, s->rq->body_len}};
    enum m2m_rsc rsc;

    lab_url(s->rq->url, host, target);
    gba_text_split(gba_text(target), '?', &in.path, &in.query);
    fake_random(random, sizeof(random));
    memset(&rq, 0, sizeof(rq));
    memset(&answer, 0, sizeof(answer));
    memset(&http, 0, sizeof(http));
    rsc = m2m_http_request_read(&in, &rq);
    if (rsc == M2M_RSC_OK)
        mef_request(&m->mef, &s->client, &rq, fake_now_ms() / 1000, random, &answer);
    else
        m2m_answer(&rq, rsc, &answer.rs);
    m2m_http_response_print(&answer.rs, &http);
    fake_http_reply_start(out, http.status);
    if (http.content_type != NULL)
        fake_http_reply_field(out, "Content-Type", http.content_type);
    for (size_t i = 0; i < http.n_fields; i++)
        fake_http_reply_field(out, http.field[i].name, http.field[i].value);
    fake_http_reply_body(out, answer.rs.pc.p, answer.rs.pc.n);
}

static enum gba_err exchange(struct gba_ue_transport *port, const struct gba_ue_request *rq,
                             struct gba_ue_reply *reply)
{
    struct flow_mef *m =
        (struct flow_mef *)(void *)((char *)port - offsetof(struct flow_mef, port));
    struct lab_wire *w = &m->lab->to_naf;
    const bool fails_now = faults_hit(&m->lab->faults, "transport");
    struct session s = {.rq = rq, .reply = reply};
    enum gba_err err;

    memset(reply, 0, sizeof(*reply));
    fake_http_reply_end(&w->reply);
    m->n++;
    if (fails_now && !m->lab->faults.answer_lost)
        return GBA_E_TIMEOUT;
    err = shake_hands(m, &s);
    if (err == GBA_OK)
        serve(m, &s, &w->reply);
    mef_client_wipe(&s.client);
    if (err != GBA_OK || fails_now)
        return err != GBA_OK ? err : GBA_E_TIMEOUT;
    for (size_t i = 0; i < w->reply.n_fields; i++)
        w->fields[i] = (struct gba_ue_field){w->reply.names[i], w->reply.values[i]};
    reply->status = w->reply.status;
    reply->fields = w->fields;
    reply->n_fields = w->reply.n_fields;
    reply->body = w->reply.body;
    reply->body_len = w->reply.body_len;
    return GBA_OK;
}

static void close_port(struct gba_ue_transport *port)
{
    (void)port;
}

void flow_mef_open(struct flow_mef *m, struct lab *l, enum mef_derivation derivation)
{
    memset(m, 0, sizeof(*m));
    m->lab = l;
    make_policy(m);
    open_store(m);
    m->mef = (struct mef){&m->policy, &m->faulty, mef_store_sqlite_registry(m->real), NULL};
    make_rows(m, derivation);
    m->port = (struct gba_ue_transport){"in process", exchange, close_port};
    l->device.ua = &m->port;
}

/* ---- the target's side ----------------------------------------------------------------------
 */

/* A B-TID holds '/', '+' and '=': RFC 3986 2.1. */
static void percent_encode(const char *s, char *out)
{
    for (; *s != '\0'; s++)
        out += sprintf(out, "%%%02X", (unsigned)(uint8_t)*s);
}

void flow_mef_fetch(struct flow_mef *m, const char *key_id, struct mef_fetch *f)
{
    const int64_t now_s = fake_now_ms() / 1000;
    static struct mef_target target; /* outlives f */
    char encoded[1024], path[1200];
    struct naf_key *key = NULL;
    enum gba_err err;

    percent_encode(key_id, encoded);
    snprintf(path, sizeof(path), MEF_FETCH_PATH "%s/%d", encoded, MEF_SUID);
    memset(f, 0, sizeof(*f));
    f->err = m->mef.registry->target_by_fqdn(m->mef.registry, "cse1.sp.example", &target);
    if (f->err != GBA_OK)
        return;
    target.uicc = m->uicc;
    mef_fetch_begin(&m->mef, &target, gba_text(path), GBA_TEXT(""), GBA_TEXT(MEF_CSE), now_s,
                    f);
    if (!f->ask)
        return;
    naf_query(m->lab->naf, &f->query);
    err = keycache_wait(m->lab->naf->keys, &f->query, now_s, &key);
    mef_fetch_key(&m->mef, f, err, key, now_s);
    if (err == GBA_OK)
        naf_key_unref(key);
}
