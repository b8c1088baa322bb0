/*
 * The soft USIM: a UICC application in software behind the USIM port (TS 33.102 6.3, Annex C;
 * TS 33.220 5 for GBA_U).  Everything it has to remember is in its file before an answer leaves
 * it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/gba_u.h"
#include "common/kdf.h"
#include "ua/gba_ue.h"
#include "ua/usim_file.h"

/* The file is read anew, under its lock, for every command: another process may use the same
 * card. */
struct soft {
    struct gba_ue_usim port;
    char *path;
    struct usim_file card;
};

static enum gba_err soft_identity(struct gba_ue_usim *port, struct gba_ue_identity *out)
{
    const struct usim_file *card = &((struct soft *)port)->card;

    memset(out, 0, sizeof(*out));
    out->application = card->application;
    memcpy(out->imsi, card->imsi, sizeof(out->imsi));
    memcpy(out->impi, card->impi, sizeof(out->impi));
    out->mnc_len = card->mnc_len;
    out->gba_u = card->gba_u;
    out->soft = true;
    snprintf(out->uicc, sizeof(out->uicc), "soft:%s:%s",
             card->application == GBA_UE_ISIM ? "isim" : "usim", card->impi);
    return GBA_OK;
}

/* TS 33.220 5.3.2: AUTN out of AUTN*.  IK depends on RAND alone, so the card can take the mask
 * off before it checks. */
static enum gba_err unmask_autn(const struct gba_aka_secret *secret,
                                const uint8_t rand[static 16],
                                const uint8_t autn_star[static 16], uint8_t autn[static 16])
{
    static const uint8_t zero[6];
    struct gba_aka_functions f;
    enum gba_err err = gba_aka_functions(secret, rand, zero, zero, &f);

    if (err == GBA_OK)
        gba_u_autn(autn_star, f.ik, autn);
    gba_wipe(&f, sizeof(f));
    return err;
}

/* AUTS instead of RES when SQN is not fresh; nothing in the card changes. */
static enum gba_err out_of_range(const struct usim_file *card, const uint8_t rand[static 16],
                                 struct gba_ue_aka *out)
{
    uint8_t sqn_ms[6];
    enum gba_err err;

    gba_sqn_put(gba_sqn_ms(&card->sqn), sqn_ms);
    err = gba_aka_make_auts(&card->secret, rand, sqn_ms, out->auts);
    return err == GBA_OK ? GBA_E_SYNC : GBA_E_USIM;
}

static void keep_ks(struct usim_file *card, const uint8_t rand[static 16],
                    const struct gba_av *av)
{
    memcpy(card->ks.octets, av->ck, 16);
    memcpy(card->ks.octets + 16, av->ik, 16);
    memcpy(card->gba_rand, rand, 16);
    card->has_ks = true;
    card->gba_btid[0] = '\0'; /* TS 33.220 G.1: a new run replaces RAND, B-TID and lifetime */
    card->gba_expires_s = 0;
}

static void give_res(const struct gba_av *av, bool gba, struct gba_ue_aka *out)
{
    out->res_len = av->res_len;
    memcpy(out->res, av->res, av->res_len);
    if (gba) {
        gba_u_res(out->res, out->res_len); /* and neither CK nor IK */
    } else {
        memcpy(out->ck, av->ck, 16);
        memcpy(out->ik, av->ik, 16);
    }
}

static enum gba_err run_aka(struct soft *s, bool gba, const uint8_t rand[static 16],
                            const uint8_t received[static 16], struct gba_ue_aka *out)
{
    struct usim_file *card = &s->card;
    uint8_t autn[16], sqn[6], amf[2];
    struct gba_av av;
    enum gba_err err = GBA_OK;

    memcpy(autn, received, sizeof(autn));
    if (gba)
        err = card->gba_u ? unmask_autn(&card->secret, rand, received, autn) : GBA_E_USIM;
    if (err == GBA_OK)
        err = gba_aka_open_autn(&card->secret, rand, autn, sqn, amf, &av);
    if (err != GBA_OK)
        return err == GBA_E_MAC ? err : GBA_E_USIM;
    if (gba_sqn_accept(&card->sqn, gba_sqn_get(sqn)) != GBA_OK) {
        err = out_of_range(card, rand, out);
    } else {
        if (gba)
            keep_ks(card, rand, &av);
        /* On the disk before RES leaves: a crash must not make this challenge fresh again. */
        err = usim_file_write(s->path, card, true);
        if (err == GBA_OK)
            give_res(&av, gba, out);
    }
    gba_wipe(&av, sizeof(av));
    return err;
}

static enum gba_err reload(struct soft *s, int *fd)
{
    char why[USIM_WHY_SIZE];
    enum gba_err err;

    gba_wipe(&s->card, sizeof(s->card));
    err = usim_file_open(s->path, fd, &s->card, why);
    return err == GBA_OK || err == GBA_E_IO ? err : GBA_E_USIM;
}

static enum gba_err soft_authenticate(struct gba_ue_usim *port, bool gba,
                                      const uint8_t rand[16], const uint8_t autn[16],
                                      struct gba_ue_aka *out)
{
    struct soft *s = (struct soft *)port;
    int fd;

    memset(out, 0, sizeof(*out));
    out->result = reload(s, &fd);
    if (out->result != GBA_OK)
        return out->result;
    out->result = run_aka(s, gba, rand, autn, out);
    close(fd);
    return out->result;
}

static enum gba_err soft_bootstrapped(struct gba_ue_usim *port, const char *btid,
                                      int64_t expires_s)
{
    struct soft *s = (struct soft *)port;
    enum gba_err err;
    int fd;

    err = reload(s, &fd);
    if (err != GBA_OK)
        return err;
    err = gba_text_copy(s->card.gba_btid, sizeof(s->card.gba_btid), gba_text(btid));
    s->card.gba_expires_s = expires_s;
    if (err == GBA_OK)
        err = usim_file_write(s->path, &s->card, true);
    close(fd);
    return err;
}

static enum gba_err soft_derive(struct gba_ue_usim *port, bool internal, const uint8_t *naf_id,
                                size_t naf_id_len, const char *impi,
                                uint8_t key[GBA_UE_KEY_LEN])
{
    struct soft *s = (struct soft *)port;
    struct gba_key derived;
    enum gba_err err;
    int fd;

    err = reload(s, &fd);
    if (err != GBA_OK)
        return err;
    close(fd);
    if (!s->card.has_ks)
        return GBA_E_NOT_FOUND;
    err = gba_ks_naf(&s->card.ks, internal ? GBA_USE_UICC : GBA_USE_ME, s->card.gba_rand,
                     gba_text(impi), (struct gba_bytes){naf_id, naf_id_len}, &derived);
    if (err == GBA_OK)
        memcpy(key, derived.octets, GBA_UE_KEY_LEN);
    gba_wipe(&derived, sizeof(derived));
    return err == GBA_OK ? GBA_OK : GBA_E_USIM;
}

static void soft_close(struct gba_ue_usim *port)
{
    struct soft *s = (struct soft *)port;

    if (s == NULL)
        return;
    free(s->path);
    gba_wipe(s, sizeof(*s));
    free(s);
}

enum gba_err gba_ue_usim_soft_open(const char *path, struct gba_ue_usim **out, char why[320])
{
    static const struct gba_ue_usim port = {
        .name = "soft",
        .identity = soft_identity,
        .authenticate = soft_authenticate,
        .bootstrapped = soft_bootstrapped,
        .derive = soft_derive,
        .close = soft_close,
    };
    char reason[USIM_WHY_SIZE] = "";
    struct soft *s = calloc(1, sizeof(*s));
    enum gba_err err = GBA_E_NOMEM;
    int fd;

    if (s != NULL && (s->path = strdup(path)) != NULL)
        err = usim_file_open(path, &fd, &s->card, reason);
    if (why != NULL)
        memcpy(why, reason, sizeof(reason));
    if (err != GBA_OK) {
        soft_close((struct gba_ue_usim *)s);
        return err;
    }
    close(fd);
    s->port = port;
    *out = &s->port;
    return GBA_OK;
}

enum gba_err gba_ue_usim_soft_create(const char *path, const char *text, size_t n, bool replace,
                                     char why[320])
{
    char reason[USIM_WHY_SIZE] = "";
    struct usim_file card;
    enum gba_err err = usim_file_parse((struct gba_text){text, n}, &card, reason);

    if (err == GBA_OK) {
        err = usim_file_write(path, &card, replace);
        if (err == GBA_E_IO)
            snprintf(reason, sizeof(reason), "%s", strerror(errno));
    }
    gba_wipe(&card, sizeof(card));
    if (why != NULL)
        memcpy(why, reason, sizeof(reason));
    return err;
}

void gba_ue_usim_soft_facts(const struct gba_ue_usim *usim, struct gba_ue_usim_facts *out)
{
    const struct usim_file *card = &((const struct soft *)usim)->card;

    memset(out, 0, sizeof(*out));
    out->algorithm = gba_aka_name(card->secret.algorithm);
    out->sqn_ms = gba_sqn_ms(&card->sqn);
    memcpy(out->gba_btid, card->gba_btid, sizeof(out->gba_btid));
    out->gba_expires_s = card->gba_expires_s;
}
