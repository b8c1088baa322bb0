/*
 * A USIM whose n-th command fails; see tests/fakes/faulty_usim.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/fakes/faulty_usim.h"

#include <string.h>

static struct faulty_usim *self_of(struct gba_ue_usim *port)
{
    return (struct faulty_usim *)(void *)port;
}

static enum gba_err f_identity(struct gba_ue_usim *port, struct gba_ue_identity *out)
{
    struct faulty_usim *f = self_of(port);

    return faults_hit(f->faults, "usim identity") ? GBA_E_USIM
                                                  : f->real->identity(f->real, out);
}

static enum gba_err f_authenticate(struct gba_ue_usim *port, bool gba, const uint8_t rand[16],
                                   const uint8_t autn[16], struct gba_ue_aka *out)
{
    struct faulty_usim *f = self_of(port);
    const bool fails = faults_hit(f->faults, "usim authenticate");

    f->n_auth++;
    fake_pass_s(f->takes_s);
    memset(out, 0, sizeof(*out));
    out->result = GBA_E_USIM;
    if (!fails || f->faults->answer_lost)
        f->real->authenticate(f->real, gba, rand, autn, out);
    if (fails) {
        memset(out, 0, sizeof(*out));
        out->result = GBA_E_USIM;
    }
    if (f->wrong_res)
        out->res[0] ^= 1;
    if (f->unflipped && out->res_len > 0)
        out->res[out->res_len - 1] ^= 1;
    return out->result;
}

static enum gba_err f_bootstrapped(struct gba_ue_usim *port, const char *btid,
                                   int64_t expires_s)
{
    struct faulty_usim *f = self_of(port);

    return faults_hit(f->faults, "usim bootstrapped")
               ? GBA_E_USIM
               : f->real->bootstrapped(f->real, btid, expires_s);
}

static enum gba_err f_derive(struct gba_ue_usim *port, bool internal, const uint8_t *naf_id,
                             size_t naf_id_len, const char *impi, uint8_t key[GBA_UE_KEY_LEN])
{
    struct faulty_usim *f = self_of(port);

    return faults_hit(f->faults, "usim derive")
               ? GBA_E_USIM
               : f->real->derive(f->real, internal, naf_id, naf_id_len, impi, key);
}

static void f_close(struct gba_ue_usim *port)
{
    (void)port; /* the real one's owner closes it */
}

void faulty_usim_init(struct faulty_usim *f, struct gba_ue_usim *real, struct faults *faults)
{
    *f = (struct faulty_usim){.real = real, .faults = faults};
    f->port = (struct gba_ue_usim){"faulty",       f_identity, f_authenticate,
                                   f_bootstrapped, f_derive,   f_close};
}
