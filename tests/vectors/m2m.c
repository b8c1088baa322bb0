/*
 * The key derivations of onem2m.json.  What an entry is follows from the inputs it has.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "common/crypto.h"
#include "common/identity.h"
#include "common/kdf.h"
#include "common/m2m_keys.h"
#include "tests/vectors/kdf.h"
#include "tests/vectors/run.h"

static void read_key(const struct vec_node *n, const char *name, struct gba_key *key)
{
    memcpy(key->octets, vec_octets(n, name, sizeof(key->octets)), sizeof(key->octets));
}

static void split(const struct vec_node *n)
{
    const uint8_t *exported = vec_octets(n, "exporter_output", M2M_EXPORT_LEN);
    const char *fqdn = vec_has(n, "maf_fqdn") ? "maf_fqdn" : "mef_fqdn";
    char key_id[M2M_KEY_ID_SIZE];
    struct gba_key key;

    if (!vec_ok(n, "key_id", m2m_export_split(exported, vec_text(n, fqdn), key_id, &key)))
        return;
    vec_is_hex(n, "ke", key.octets, 32);
    vec_is_hex(n, "kc", key.octets, 32);
    vec_is_hex(n, "key", key.octets, 32);
    vec_is_hex(n, "relative_key_id", exported, 16);
    vec_is_text_nocase(n, "key_id", gba_text(key_id)); /* 10.3.4 leaves the case open */
}

/* The octets under the HMAC, from the entry's own label, and that they give the output. */
static void is_message(const struct vec_node *n, const struct gba_key *ke,
                       struct gba_bytes middle, struct gba_text id)
{
    const struct gba_text label = vec_text(n, "label");
    const struct gba_bytes nfkc = vec_nfkc(n, "message", id);
    const size_t size = label.n + middle.n + nfkc.n;
    struct gba_bytes message;
    struct gba_wbuf w;
    uint8_t out[32];

    gba_wbuf_init(&w, vec_alloc(n->v, size), size);
    gba_wbuf_text(&w, label);
    gba_wbuf_put(&w, middle);
    gba_wbuf_put(&w, nfkc);
    message = gba_wbuf_bytes(&w);
    vec_is_hex(n, "message", message.p, message.n);
    gba_hmac(GBA_SHA256, GBA_BYTES(ke->octets), &message, 1, out);
    vec_is_hex(n, "output", out, 32);
}

static void from_ke(const struct vec_node *n)
{
    const char *id = vec_has(n, "maf_id")         ? "maf_id"
                     : vec_has(n, "enrolee_b_id") ? "enrolee_b_id"
                                                  : "enrolment_target_id";
    const struct gba_text name = vec_text(n, id);
    struct gba_bytes suid = {NULL, 0};
    struct gba_key ke, key;
    enum gba_err err;

    read_key(n, "ke", &ke);
    if (vec_has(n, "suid"))
        suid = gba_text_bytes(vec_text(n, "suid"));
    else if (strcmp(id, "enrolment_target_id") == 0)
        vec_fail(n, "suid", "text", "missing");
    if (n->v->broken)
        return;
    if (vec_has(n, "maf_id"))
        err = m2m_km(&ke, name, &key);
    else if (vec_has(n, "enrolee_b_id"))
        err = m2m_kpsa(&ke, name, &key);
    else
        err = m2m_usage_key(&ke, suid, name, &key);
    if (!vec_ok(n, "output", err))
        return;
    vec_is_hex(n, "output", key.octets, 32);
    is_message(n, &ke, suid, name);
}

static void e2e_keys(const struct vec_node *n)
{
    const struct gba_bytes salt = vec_hex(n, "salt");
    struct m2m_e2e_keys keys;
    struct gba_key kpsa;

    read_key(n, "kpsa", &kpsa);
    if (n->v->broken)
        return;
    m2m_e2e_keys(&kpsa, salt, &keys);
    vec_is_hex(n, "Ke2e_master", keys.master.octets, 32);
    vec_is_hex(n, "Ke2e_msg_auth", keys.msg_auth.octets, 32);
    vec_is_hex(n, "Ke2e_msg_conf", keys.msg_conf.octets, 32);
    vec_is_hex(n, "Ke2e_att_auth", keys.att_auth.octets, 32);
    vec_is_hex(n, "Ke2e_att_conf", keys.att_conf.octets, 32);
}

static void session_key(const struct vec_node *n)
{
    const struct gba_bytes parts[] = {gba_text_bytes(vec_text(n, "receiver_rand_object")),
                                      gba_text_bytes(vec_text(n, "originator_rand_object")),
                                      gba_text_bytes(vec_text(n, "label"))};
    struct gba_key pairwise, key;

    read_key(n, "pairwise", &pairwise);
    if (n->v->broken)
        return;
    m2m_session_esprim_key(&pairwise, parts[0], parts[1], &key);
    vec_is_hex(n, "output", key.octets, 32);
    gba_hmac(GBA_SHA256, GBA_BYTES(pairwise.octets), parts, 3, key.octets);
    vec_is_hex(n, "output", key.octets, 32);
}

/* 8.3.2.3: Km or Kpsa is the NAF key, its identifier the B-TID, Ke is Ks. */
static void gba_framework(const struct vec_node *n)
{
    const uint8_t *rand = vec_octets(n, "rand", 16), *ua_id = vec_octets(n, "ua_id", 5);
    const struct gba_text impi = vec_text(n, "impi");
    struct gba_text domain = gba_text(""), btid = vec_text(n, "btid");
    const struct gba_bytes naf_id = vec_naf_id(n, "naf_fqdn", ua_id);
    char made[GBA_BTID_SIZE];
    uint8_t btid_rand[16];
    struct gba_key key;
    struct gba_ks ks;

    memcpy(ks.octets, vec_octets(n, "ks", 32), 32);
    if (n->v->broken)
        return;
    vec_is_hex(n, "ke", ks.octets, 32);
    vec_is_hex(n, "naf_id", naf_id.p, naf_id.n);
    if (vec_ok(n, "btid", gba_btid_parse(btid, btid_rand, &domain)) &&
        vec_ok(n, "btid", gba_btid_make(rand, domain, made))) {
        vec_is_text(n, "btid", gba_text(made));
        vec_is_text(n, "ke_id", gba_text(made));
    }
    if (vec_ok(n, "output", gba_ks_naf(&ks, GBA_USE_ME, rand, impi, naf_id, &key)))
        vec_is_hex(n, "output", key.octets, 32);
    if (vec_ok(n, "output", gba_ks_naf(&ks, GBA_USE_UICC, rand, impi, naf_id, &key)))
        vec_is_hex(n, "output_gba_u_int", key.octets, 32);
}

static const struct {
    const char *input;
    void (*run)(const struct vec_node *n);
} derivations[] = {
    {"exporter_output", split}, {"maf_id", from_ke}, {"enrolee_b_id", from_ke},
    {"suid", from_ke},          {"salt", e2e_keys},  {"pairwise", session_key},
    {"ks", gba_framework},
};

void vec_f_key_derivation(struct vec *v)
{
    const struct vec_node n = vec_root(v);

    for (size_t i = 0; i < sizeof(derivations) / sizeof(derivations[0]); i++) {
        if (vec_has(&n, derivations[i].input)) {
            derivations[i].run(&n);
            return;
        }
    }
    vec_fail(&n, "-", "inputs_of_a_known_derivation", "missing");
}
