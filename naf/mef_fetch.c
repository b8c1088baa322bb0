/*
 * GET /fetchCredentials/<KeID>/<SUID>: see mef_fetch.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_fetch.h"
#include "naf/mef_audit.h"

#include <string.h>

#include "common/m2m_keys.h"
#include "common/timestamp.h"

#define SEGMENT_MAX 512

/* ------------------------------------------------------------ the question */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* One segment; what was encoded may be any octet but NUL. */
static enum gba_err percent_decode(struct gba_text t, char *out, size_t cap)
{
    size_t n = 0;

    for (size_t i = 0; i < t.n; i++) {
        char c = t.s[i];

        if (c == '%') {
            int high = i + 2 < t.n ? hex_digit(t.s[i + 1]) : -1;
            int low = i + 2 < t.n ? hex_digit(t.s[i + 2]) : -1;

            if (high < 0 || low < 0)
                return GBA_E_SYNTAX;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (c == '\0' || n + 1 >= cap)
            return GBA_E_SYNTAX;
        out[n++] = c;
    }
    out[n] = '\0';
    return n > 0 ? GBA_OK : GBA_E_SYNTAX;
}

/* The raw path is split first: a KeID of GBA holds '/', encoded. */
static enum gba_err read_path(struct gba_text path, struct mef_fetch *f)
{
    struct gba_text rest, key_id, suid;
    char number[8];
    uint64_t v;

    if (!gba_text_starts(path, MEF_FETCH_PATH))
        return GBA_E_SYNTAX;
    rest = (struct gba_text){path.s + strlen(MEF_FETCH_PATH), path.n - strlen(MEF_FETCH_PATH)};
    if (!gba_text_split(rest, '/', &key_id, &suid) ||
        (suid.n != 0 && memchr(suid.s, '/', suid.n) != NULL) ||
        percent_decode(key_id, f->text, sizeof(f->text)) != GBA_OK ||
        percent_decode(suid, number, sizeof(number)) != GBA_OK ||
        gba_text_number(gba_text(number), 999, &v) != GBA_OK)
        return GBA_E_SYNTAX;
    f->suid = (unsigned)v;
    return m2m_key_id_parse(gba_text(f->text), &f->key_id) == GBA_OK ? GBA_OK : GBA_E_NOT_FOUND;
}

/* ?ua=<10 hex> may only name what the target's row pins. */
static enum gba_err read_query(struct gba_text query, const struct mef_target *t)
{
    uint8_t ua_id[GBA_UA_ID_LEN];

    if (query.n == 0)
        return GBA_OK;
    if (!gba_text_starts(query, "ua=") ||
        gba_unhex_exact(ua_id, sizeof(ua_id), (struct gba_text){query.s + 3, query.n - 3}) !=
            GBA_OK)
        return GBA_E_SYNTAX;
    return memcmp(ua_id, t->ua_id, sizeof(ua_id)) == 0 ? GBA_OK : GBA_E_FORBIDDEN;
}

static enum gba_err read_question(const struct mef *m, struct gba_text path,
                                  struct gba_text query, struct gba_text origin,
                                  struct mef_fetch *f)
{
    enum gba_err err;

    if (f->target == NULL || !mef_is_entity(m->policy, origin, f->target->id))
        return GBA_E_FORBIDDEN;
    err = read_path(path, f);
    if (err != GBA_OK)
        return err;
    err = read_query(query, f->target);
    if (err != GBA_OK)
        return err;
    return mef_suid_in(f->target->suids, f->suid) ? GBA_OK : GBA_E_FORBIDDEN;
}

/* ------------------------------------------------------------ a Ke of ours */

static enum gba_err derive(const struct mef_policy *p, const struct mef_fetch *f,
                           const struct gba_key *ke, struct gba_key *out)
{
    const struct mef_target *t = f->target;
    uint8_t octet = (uint8_t)f->suid;
    char text[4] = {(char)('0' + f->suid / 10), (char)('0' + f->suid % 10)};
    struct gba_bytes suid = {(const uint8_t *)text, 2};

    switch (t->derivation) {
    case MEF_KPSA:
        return m2m_kpsa(ke, gba_text(t->id), out);
    case MEF_KM:
        return m2m_km(ke, gba_text(t->fqdn), out);
    default:
        if (p->limits.suid_as_octet)
            suid = (struct gba_bytes){&octet, 1};
        return m2m_usage_key(ke, suid, gba_text(t->fqdn), out);
    }
}

/* The key and its Enrolee-ID, if this target may have it; until the soonest end of all. */
static enum gba_err may_have(const struct mef *m, struct mef_fetch *f, const char *enrolee,
                             const struct mef_uss *uss, int64_t now_s, int64_t expires_s)
{
    int64_t until_s;
    enum gba_err err = mef_may(m, enrolee, uss, f->target, f->suid, now_s, &until_s);

    if (err != GBA_OK)
        return err;
    f->expires_s = until_s < expires_s ? until_s : expires_s;
    return gba_text_copy(f->enrolee, sizeof(f->enrolee), gba_text(enrolee));
}

static enum gba_err from_ke(const struct mef *m, const struct mef_ke *ke, int64_t now_s,
                            struct mef_fetch *f)
{
    enum gba_err err;

    if (ke->expires_s <= now_s)
        return GBA_E_NOT_FOUND;
    err = may_have(m, f, ke->enrolee, &ke->uss, now_s, ke->expires_s);
    return err == GBA_OK ? derive(m->policy, f, &ke->ke, &f->key) : err;
}

static enum gba_err from_store(const struct mef *m, int64_t now_s, struct mef_fetch *f)
{
    char canonical[M2M_KEY_ID_TEXT_SIZE];
    struct mef_ke ke;
    enum gba_err err;

    if (m2m_key_id_canonical(&f->key_id, canonical) != GBA_OK)
        return GBA_E_NOT_FOUND;
    err = m->store->get_ke(m->store, canonical, &ke);
    if (err == GBA_OK)
        err = from_ke(m, &ke, now_s, f);
    gba_wipe(&ke, sizeof(ke));
    return err;
}

/* ------------------------------------------------------------ a B-TID */

/* GBA: the key is the NAF key itself, so only "MAF" or "SAEF" of RSPF make sense. */
static enum gba_err prepare_query(struct mef_fetch *f)
{
    if (f->suid != 21 && f->suid != 22)
        return GBA_E_FORBIDDEN;
    if (gba_text_copy(f->query.btid, sizeof(f->query.btid), gba_text(f->text)) != GBA_OK)
        return GBA_E_NOT_FOUND;
    f->query.gba_u_aware = f->target->uicc;
    return gba_naf_id_make(gba_text(f->target->fqdn), f->target->ua_id, &f->query.naf_id);
}

/* TS-0003 8.3.2.3, GBA_U: a client in the UICC has Ks_int_NAF, for which Ks_ext_NAF never
 * stands in. */
static enum gba_err choose_key(const struct mef_fetch *f, const struct gba_zn_answer *a,
                               const struct gba_key **out)
{
    *out = f->target->uicc ? &a->uicc_key : &a->me_key;
    return f->target->uicc && !a->has_uicc_key ? GBA_E_NOT_FOUND : GBA_OK;
}

/* What is given out stands in the audit log, or is not given out. */
static enum gba_err note_given(const struct mef *m, const struct mef_fetch *f, int64_t now_s)
{
    const struct mef_audit_event e = {.who = f->target->id,
                                      .what = "key.fetch",
                                      .whom = f->enrolee,
                                      .target = f->target->id,
                                      .key_id = f->text,
                                      .suid = f->suid,
                                      .expires_s = f->expires_s};

    return m->audit != NULL ? m->audit->note(m->audit, &e, now_s) : GBA_OK;
}

struct giving {
    const struct mef *m;
    struct mef_fetch *f;
    const struct gba_zn_answer *a; /* NULL: the key is ours */
    int64_t now_s;
};

static enum gba_err give_gba(const struct mef *m, struct mef_fetch *f,
                             const struct gba_zn_answer *a, int64_t now_s)
{
    struct mef_client c = {.is_enrolee = false};
    const struct gba_key *chosen = NULL;
    enum gba_err err;

    /* the target is told the Enrolee-ID, never the IMPI: no row, no key */
    err = mef_know_gba(m, gba_text(a->impi), a->uss_list, now_s, a->expiry_s, &c);
    if (err == GBA_OK && !c.is_enrolee)
        err = GBA_E_FORBIDDEN;
    if (err == GBA_OK)
        err = may_have(m, f, c.id, &c.uss, now_s, c.expires_s);
    if (err == GBA_OK)
        err = choose_key(f, a, &chosen);
    if (err == GBA_OK)
        err = note_given(m, f, now_s);
    if (err == GBA_OK)
        f->key = *chosen;
    return err;
}

static enum gba_err give_ours(const struct mef *m, struct mef_fetch *f, int64_t now_s)
{
    enum gba_err err = from_store(m, now_s, f);

    return err == GBA_OK ? note_given(m, f, now_s) : err;
}

static enum gba_err give(void *arg)
{
    const struct giving *g = arg;

    return g->a != NULL ? give_gba(g->m, g->f, g->a, g->now_s)
                        : give_ours(g->m, g->f, g->now_s);
}

/* Every row that says yes is read in the transaction of the line in the log: rows of others
 * that are not on the disk yet fail together with it, and then nothing is given. */
static enum gba_err give_noted(const struct mef *m, struct mef_fetch *f,
                               const struct gba_zn_answer *a, int64_t now_s)
{
    struct giving g = {m, f, a, now_s};
    enum gba_err err = m->registry->transact(m->registry, give, &g);

    if (err != GBA_OK)
        gba_wipe(&f->key, sizeof(f->key));
    return err;
}

void mef_fetch_key(const struct mef *m, struct mef_fetch *f, enum gba_err err,
                   const struct naf_key *key, int64_t now_s)
{
    f->ask = false;
    f->err = err;
    if (err == GBA_E_BTID || err == GBA_E_EXPIRED || err == GBA_E_FORBIDDEN)
        f->err = GBA_E_NOT_FOUND; /* also a domain that has no BSF here */
    if (err == GBA_OK)
        f->err = give_noted(m, f, &key->a, now_s);
}

void mef_fetch_begin(const struct mef *m, const struct mef_target *target, struct gba_text path,
                     struct gba_text query, struct gba_text origin, int64_t now_s,
                     struct mef_fetch *f)
{
    memset(f, 0, sizeof(*f));
    f->target = target;
    f->err = read_question(m, path, query, origin, f);
    if (f->err != GBA_OK)
        return;
    if (f->key_id.form == M2M_KEY_ID_GBA) {
        f->err = prepare_query(f);
        f->ask = f->err == GBA_OK;
    } else if (f->key_id.form == M2M_KEY_ID_HEX &&
               gba_text_eq_nocase(f->key_id.fqdn, gba_text(m->policy->fqdn))) {
        f->err = give_noted(m, f, NULL, now_s);
    } else {
        f->err = GBA_E_NOT_FOUND;
    }
}

void mef_fetch_end(struct mef_fetch *f)
{
    gba_wipe(&f->key, sizeof(f->key));
}

/* ------------------------------------------------------------ the answer */

/* Names as TS-0003 8.3.2.1 has them; no schema of theirs is known. */
static void print_json(const struct mef_fetch *f, const char *lifetime, struct gba_wbuf *w)
{
    if (f->err != GBA_OK) {
        gba_wbuf_str(w, "{\"Status\":false,\"ErrorString\":\"");
        gba_wbuf_str(w, gba_err_text(f->err));
        gba_wbuf_str(w, "\"}");
        return;
    }
    gba_wbuf_str(w, "{\"Status\":true,\"Credential\":\"");
    gba_wbuf_base64(w, GBA_BYTES(f->key.octets));
    gba_wbuf_str(w, "\",\"EnroleeID\":\"");
    gba_wbuf_str(w, f->enrolee); /* letters, digits and -._~/ only */
    gba_wbuf_str(w, "\",\"Lifetime\":\"");
    gba_wbuf_str(w, lifetime);
    gba_wbuf_str(w, "\"}");
}

static void print_xml(const struct mef_fetch *f, const char *lifetime, struct gba_wbuf *w)
{
    gba_wbuf_str(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><fetchCredentialsResponse>");
    if (f->err != GBA_OK) {
        gba_wbuf_str(w, "<Status>false</Status><ErrorString>");
        gba_wbuf_str(w, gba_err_text(f->err));
        gba_wbuf_str(w, "</ErrorString>");
    } else {
        gba_wbuf_str(w, "<Status>true</Status><Credential>");
        gba_wbuf_base64(w, GBA_BYTES(f->key.octets));
        gba_wbuf_str(w, "</Credential><EnroleeID>");
        gba_wbuf_str(w, f->enrolee);
        gba_wbuf_str(w, "</EnroleeID><Lifetime>");
        gba_wbuf_str(w, lifetime);
        gba_wbuf_str(w, "</Lifetime>");
    }
    gba_wbuf_str(w, "</fetchCredentialsResponse>");
}

enum gba_err mef_fetch_print(const struct mef_fetch *f, bool xml, struct gba_wbuf *out)
{
    char lifetime[GBA_DATETIME_SIZE] = "";

    if (f->err == GBA_OK)
        gba_datetime(f->expires_s, lifetime);
    if (xml)
        print_xml(f, lifetime, out);
    else
        print_json(f, lifetime, out);
    return gba_wbuf_ok(out) ? GBA_OK : GBA_E_TOO_LONG;
}
