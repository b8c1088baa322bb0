/*
 * gba usim new and gba usim show: soft USIM files.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/sqn.h"
#include "ua/gba.h"

static const char *file_of(const struct gba_options *o)
{
    return o->file != NULL ? o->file : o->usim;
}

static int usim_show(const struct gba_options *o)
{
    struct gba_ue_usim_facts facts;
    struct gba_ue_identity id;
    struct gba_ue_usim *usim;
    struct gba_report r;
    char why[320], bsf[GBA_UE_FQDN_SIZE];
    uint8_t sqn[6];
    enum gba_err err;

    if (file_of(o) == NULL)
        return gba_usage("usim show needs --file FILE");
    err = gba_ue_usim_soft_open(file_of(o), &usim, why);
    if (err != GBA_OK) {
        gba_complain(err, file_of(o), why);
        return err == GBA_E_IO ? EX_IOERR : err == GBA_E_FORBIDDEN ? EX_CONFIG : EX_DATAERR;
    }
    usim->identity(usim, &id);
    gba_ue_usim_soft_facts(usim, &facts);
    gba_report_begin(&r, o, "Soft USIM (K and OPc are never shown).");
    gba_report_text(&r, "type", "type", id.application == GBA_UE_ISIM ? "isim" : "usim");
    if (id.imsi[0] != '\0')
        gba_report_text(&r, "imsi", "IMSI", id.imsi);
    if (id.mnc_len != 0)
        gba_report_number(&r, "mnc_len", "MNC length", id.mnc_len);
    gba_report_text(&r, "impi", "IMPI", id.impi);
    if (gba_ue_bsf_name(&id, bsf) == GBA_OK)
        gba_report_text(&r, "bsf", "BSF", bsf);
    gba_report_text(&r, "algorithm", "algorithm", facts.algorithm);
    gba_report_bool(&r, "gba_u", "GBA_U", id.gba_u);
    gba_sqn_put(facts.sqn_ms, sqn);
    gba_report_hex(&r, "sqn", "SQN_MS", sqn, sizeof(sqn));
    if (facts.gba_btid[0] != '\0') {
        gba_report_text(&r, "btid", "B-TID", facts.gba_btid);
        gba_report_time(&r, "expires", "expires", facts.gba_expires_s);
    }
    usim->close(usim);
    return gba_report_end(&r);
}

static int usim_new(const struct gba_options *o)
{
    char text[8192], why[320];
    enum gba_err err;
    size_t n;

    if (file_of(o) == NULL)
        return gba_usage("usim new needs --file FILE");
    if (isatty(STDIN_FILENO))
        fputs("gba: lines imsi= k= opc=|op=|topc=|top=|fmk= algorithm= sqn= ..., then end of "
              "file "
              "(Ctrl-D):\n",
              stderr);
    n = fread(text, 1, sizeof(text), stdin);
    if (ferror(stdin) || n == sizeof(text)) {
        gba_ue_wipe(text, sizeof(text));
        return gba_complain(n == sizeof(text) ? GBA_E_SYNTAX : GBA_E_IO, "standard input",
                            n == sizeof(text) ? "too long" : NULL);
    }
    err = gba_ue_usim_soft_create(file_of(o), text, n, o->force != NULL, why);
    gba_ue_wipe(text, sizeof(text));
    if (err == GBA_E_EXISTS)
        return gba_complain(err, file_of(o), "exists; --force replaces it");
    if (err == GBA_E_IO || err == GBA_E_NOMEM)
        return gba_complain(err, file_of(o), why);
    if (err != GBA_OK) {
        gba_complain(err, "standard input", why);
        return EX_DATAERR;
    }
    if (o->json == NULL)
        printf("Soft USIM written to %s (mode 0600).\n", file_of(o));
    return usim_show(o);
}

int gba_cmd_usim(const struct gba_options *o)
{
    if (strcmp(o->args[0], "new") == 0)
        return usim_new(o);
    if (strcmp(o->args[0], "show") == 0)
        return usim_show(o);
    return gba_usage("usage: gba usim new|show --file FILE");
}
