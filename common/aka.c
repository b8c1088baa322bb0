/*
 * AKA over one table of algorithms: a new one is a row and its two adapters.  Composes and
 * checks AUTN and AUTS (TS 33.102 6.3); judges no sequence number.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/aka.h"

#include <string.h>

#include "common/aka_3gpp2.h"
#include "common/aka_xor.h"
#include "common/milenage.h"
#include "common/secret.h"
#include "common/tuak.h"

/* One row: the sizes it has, and its functions.  They are called only after check_secret. */
struct algorithm {
    const char *name;
    size_t op_len;     /* octets of OP or TOP; 0: it has none */
    bool k_32;         /* K may have 32 octets */
    uint32_t res_lens; /* bit n: RES may have n octets */
    void (*opc)(struct gba_aka_secret *s, const uint8_t *op);
    void (*f1)(const struct gba_aka_secret *s, const uint8_t rand[static 16],
               const uint8_t sqn[static 6], const uint8_t amf[static 2],
               struct gba_aka_functions *out);
    void (*f2345)(const struct gba_aka_secret *s, const uint8_t rand[static 16],
                  struct gba_aka_functions *out);
};

static void milenage_opc(struct gba_aka_secret *s, const uint8_t *op)
{
    gba_milenage_opc(s->k, op, s->opc);
}

static void milenage_f1(const struct gba_aka_secret *s, const uint8_t rand[static 16],
                        const uint8_t sqn[static 6], const uint8_t amf[static 2],
                        struct gba_aka_functions *out)
{
    gba_milenage_f1(s->k, s->opc, rand, sqn, amf, out->mac_a, out->mac_s);
}

static void milenage_f2345(const struct gba_aka_secret *s, const uint8_t rand[static 16],
                           struct gba_aka_functions *out)
{
    struct gba_milenage m;

    gba_milenage_f2345(s->k, s->opc, rand, &m);
    memcpy(out->res, m.res, sizeof(m.res));
    memcpy(out->ck, m.ck, sizeof(m.ck));
    memcpy(out->ik, m.ik, sizeof(m.ik));
    memcpy(out->ak, m.ak, sizeof(m.ak));
    memcpy(out->ak_star, m.ak_star, sizeof(m.ak_star));
    gba_wipe(&m, sizeof(m));
}

static unsigned iterations_of(const struct gba_aka_secret *s)
{
    return s->iterations == 0 ? 1 : s->iterations;
}

/* MAC 64, CK and IK 128 bits: the sizes that AUTN and Ks have. */
static struct gba_tuak_sizes tuak_sizes(const struct gba_aka_secret *s)
{
    return (struct gba_tuak_sizes){.mac = 8, .res = s->res_len, .ck = 16, .ik = 16};
}

static struct gba_tuak tuak_of(const struct gba_aka_secret *s)
{
    return (struct gba_tuak){
        .k = {s->k, s->k_len}, .topc = s->opc, .iterations = iterations_of(s)};
}

static void tuak_opc(struct gba_aka_secret *s, const uint8_t *op)
{
    (void)gba_tuak_topc((struct gba_bytes){s->k, s->k_len}, op, iterations_of(s), s->opc);
}

static void tuak_f1(const struct gba_aka_secret *s, const uint8_t rand[static 16],
                    const uint8_t sqn[static 6], const uint8_t amf[static 2],
                    struct gba_aka_functions *out)
{
    const struct gba_tuak t = tuak_of(s);
    const struct gba_tuak_sizes z = tuak_sizes(s);
    uint8_t mac_a[32], mac_s[32];

    (void)gba_tuak_f1(&t, &z, rand, sqn, amf, mac_a, mac_s);
    memcpy(out->mac_a, mac_a, sizeof(out->mac_a));
    memcpy(out->mac_s, mac_s, sizeof(out->mac_s));
    gba_wipe(mac_a, sizeof(mac_a));
    gba_wipe(mac_s, sizeof(mac_s));
}

static void tuak_f2345(const struct gba_aka_secret *s, const uint8_t rand[static 16],
                       struct gba_aka_functions *out)
{
    const struct gba_tuak t = tuak_of(s);
    const struct gba_tuak_sizes z = tuak_sizes(s);
    struct gba_tuak_out o;

    (void)gba_tuak_f2345(&t, &z, rand, &o);
    memcpy(out->res, o.res, s->res_len);
    memcpy(out->ck, o.ck, sizeof(out->ck));
    memcpy(out->ik, o.ik, sizeof(out->ik));
    memcpy(out->ak, o.ak, sizeof(out->ak));
    memcpy(out->ak_star, o.ak_star, sizeof(out->ak_star));
    gba_wipe(&o, sizeof(o));
}

static void xor_f1(const struct gba_aka_secret *s, const uint8_t rand[static 16],
                   const uint8_t sqn[static 6], const uint8_t amf[static 2],
                   struct gba_aka_functions *out)
{
    gba_xor_f1(s->k, rand, sqn, amf, out->mac_a);
    memcpy(out->mac_s, out->mac_a, sizeof(out->mac_s));
}

static void xor_f2345(const struct gba_aka_secret *s, const uint8_t rand[static 16],
                      struct gba_aka_functions *out)
{
    struct gba_xor x;

    gba_xor_f2345(s->k, rand, &x);
    memcpy(out->res, x.res, s->res_len);
    memcpy(out->ck, x.ck, sizeof(x.ck));
    memcpy(out->ik, x.ik, sizeof(x.ik));
    memcpy(out->ak, x.ak, sizeof(x.ak));
    memcpy(out->ak_star, x.ak, sizeof(x.ak));
    gba_wipe(&x, sizeof(x));
}

static const uint8_t *fmk_of(const struct gba_aka_secret *s)
{
    return s->own_fmk ? s->fmk : gba_3gpp2_fmk;
}

static void a3gpp2_f1(const struct gba_aka_secret *s, const uint8_t rand[static 16],
                      const uint8_t sqn[static 6], const uint8_t amf[static 2],
                      struct gba_aka_functions *out)
{
    gba_3gpp2_f1(s->k, fmk_of(s), rand, sqn, amf, out->mac_a, out->mac_s);
}

static void a3gpp2_f2345(const struct gba_aka_secret *s, const uint8_t rand[static 16],
                         struct gba_aka_functions *out)
{
    struct gba_3gpp2 x;

    gba_3gpp2_f2345(s->k, fmk_of(s), rand, &x);
    memcpy(out->res, x.res, s->res_len);
    memcpy(out->ck, x.ck, sizeof(x.ck));
    memcpy(out->ik, x.ik, sizeof(x.ik));
    memcpy(out->ak, x.ak, sizeof(x.ak));
    memcpy(out->ak_star, x.ak_star, sizeof(x.ak_star));
    gba_wipe(&x, sizeof(x));
}

#define OCTETS(n)      (UINT32_C(1) << (n))
#define OCTETS_4_TO_16 (OCTETS(17) - OCTETS(4))

static const struct algorithm algorithms[GBA_AKA_N_ALGORITHMS] = {
    [GBA_AKA_MILENAGE] = {"milenage", 16, false, OCTETS(8), milenage_opc, milenage_f1,
                          milenage_f2345},
    [GBA_AKA_TUAK] = {"tuak", 32, true, OCTETS(4) | OCTETS(8) | OCTETS(16), tuak_opc, tuak_f1,
                      tuak_f2345},
    [GBA_AKA_XOR] = {"xor", 0, false, OCTETS_4_TO_16, NULL, xor_f1, xor_f2345},
    [GBA_AKA_3GPP2] = {"3gpp2", 0, false, OCTETS_4_TO_16, NULL, a3gpp2_f1, a3gpp2_f2345},
};

const char *gba_aka_name(enum gba_aka_algorithm a)
{
    return (size_t)a < GBA_AKA_N_ALGORITHMS ? algorithms[a].name : "unknown";
}

enum gba_err gba_aka_by_name(struct gba_text name, enum gba_aka_algorithm *out)
{
    for (size_t i = 0; i < GBA_AKA_N_ALGORITHMS; i++) {
        if (gba_text_eq_nocase(name, gba_text(algorithms[i].name))) {
            *out = (enum gba_aka_algorithm)i;
            return GBA_OK;
        }
    }
    return GBA_E_UNSUPPORTED;
}

static const struct algorithm *row_of(const struct gba_aka_secret *s)
{
    return (size_t)s->algorithm < GBA_AKA_N_ALGORITHMS ? &algorithms[s->algorithm] : NULL;
}

static bool key_ok(const struct algorithm *a, const struct gba_aka_secret *s)
{
    return (s->k_len == 16 || (s->k_len == 32 && a->k_32)) &&
           s->iterations <= GBA_TUAK_MAX_ITERATIONS;
}

/* The row, if every size is one that it has; else NULL. */
static const struct algorithm *checked_row(const struct gba_aka_secret *s)
{
    const struct algorithm *a = row_of(s);

    if (a == NULL || !key_ok(a, s) || s->res_len > 16 || !(a->res_lens & OCTETS(s->res_len)))
        return NULL;
    return a;
}

enum gba_err gba_aka_check_secret(const struct gba_aka_secret *s)
{
    return checked_row(s) != NULL ? GBA_OK : GBA_E_ARGUMENT;
}

enum gba_err gba_aka_derive_opc(struct gba_aka_secret *s, struct gba_bytes op_or_top)
{
    const struct algorithm *a = row_of(s);

    if (a == NULL || !key_ok(a, s) || a->op_len == 0 || op_or_top.n != a->op_len)
        return GBA_E_ARGUMENT;
    a->opc(s, op_or_top.p);
    return GBA_OK;
}

enum gba_err gba_aka_functions(const struct gba_aka_secret *s, const uint8_t rand[static 16],
                               const uint8_t sqn[static 6], const uint8_t amf[static 2],
                               struct gba_aka_functions *out)
{
    const struct algorithm *a = checked_row(s);

    memset(out, 0, sizeof(*out));
    if (a == NULL)
        return GBA_E_ARGUMENT;
    a->f2345(s, rand, out);
    a->f1(s, rand, sqn, amf, out);
    out->res_len = s->res_len;
    return GBA_OK;
}

static void xor6(const uint8_t a[static 6], const uint8_t b[static 6], uint8_t out[static 6])
{
    for (size_t i = 0; i < 6; i++)
        out[i] = a[i] ^ b[i];
}

static void fill_av(const struct gba_aka_functions *f, const uint8_t rand[static 16],
                    struct gba_av *av)
{
    memcpy(av->rand, rand, sizeof(av->rand));
    memcpy(av->res, f->res, sizeof(av->res));
    memcpy(av->ck, f->ck, sizeof(av->ck));
    memcpy(av->ik, f->ik, sizeof(av->ik));
    av->res_len = f->res_len;
}

enum gba_err gba_aka_vector(const struct gba_aka_secret *s, const uint8_t rand[static 16],
                            const uint8_t sqn[static 6], const uint8_t amf[static 2],
                            struct gba_av *av)
{
    struct gba_aka_functions f;
    enum gba_err err = gba_aka_functions(s, rand, sqn, amf, &f);

    if (err == GBA_OK) {
        fill_av(&f, rand, av);
        xor6(sqn, f.ak, av->autn);
        memcpy(av->autn + 6, amf, 2);
        memcpy(av->autn + 8, f.mac_a, 8);
    }
    gba_wipe(&f, sizeof(f));
    return err;
}

enum gba_err gba_aka_open_autn(const struct gba_aka_secret *s, const uint8_t rand[static 16],
                               const uint8_t autn[static 16], uint8_t sqn[static 6],
                               uint8_t amf[static 2], struct gba_av *av)
{
    const struct algorithm *a = checked_row(s);
    struct gba_aka_functions f = {.res_len = s->res_len};
    uint8_t opened[6];
    bool ok;

    if (a == NULL)
        return GBA_E_ARGUMENT;
    a->f2345(s, rand, &f);
    xor6(autn, f.ak, opened);
    a->f1(s, rand, opened, autn + 6, &f);
    ok = gba_equal_ct(f.mac_a, autn + 8, sizeof(f.mac_a));
    if (ok) {
        memcpy(sqn, opened, 6);
        memcpy(amf, autn + 6, 2);
        fill_av(&f, rand, av);
        memcpy(av->autn, autn, sizeof(av->autn));
    }
    gba_wipe(opened, sizeof(opened));
    gba_wipe(&f, sizeof(f));
    return ok ? GBA_OK : GBA_E_MAC;
}

/* TS 33.102 6.3.3: so that the AMF need not be sent in clear on resynchronisation. */
static const uint8_t amf_resync[2] = {0, 0};

enum gba_err gba_aka_make_auts(const struct gba_aka_secret *s, const uint8_t rand[static 16],
                               const uint8_t sqn_ms[static 6], uint8_t auts[static 14])
{
    struct gba_aka_functions f;
    enum gba_err err = gba_aka_functions(s, rand, sqn_ms, amf_resync, &f);

    if (err == GBA_OK) {
        xor6(sqn_ms, f.ak_star, auts);
        memcpy(auts + 6, f.mac_s, sizeof(f.mac_s));
    }
    gba_wipe(&f, sizeof(f));
    return err;
}

enum gba_err gba_aka_open_auts(const struct gba_aka_secret *s, const uint8_t rand[static 16],
                               const uint8_t auts[static 14], uint8_t sqn_ms[static 6])
{
    const struct algorithm *a = checked_row(s);
    struct gba_aka_functions f = {.res_len = s->res_len};
    uint8_t opened[6];
    bool ok;

    if (a == NULL)
        return GBA_E_ARGUMENT;
    a->f2345(s, rand, &f);
    xor6(auts, f.ak_star, opened);
    a->f1(s, rand, opened, amf_resync, &f);
    ok = gba_equal_ct(f.mac_s, auts + 6, sizeof(f.mac_s));
    if (ok)
        memcpy(sqn_ms, opened, 6);
    gba_wipe(opened, sizeof(opened));
    gba_wipe(&f, sizeof(f));
    return ok ? GBA_OK : GBA_E_AUTS;
}
