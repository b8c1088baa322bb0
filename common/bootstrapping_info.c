/*
 * BootstrappingInfo, TS 24.109 Annex C: what the UE learns from the 200 OK on Ub.  The reader
 * goes by local names in any namespace and passes over what it does not know (Annex C: open
 * content); whether the B-TID belongs to this run is the UE core's question.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/bootstrapping_info.h"

#include "common/timestamp.h"
#include "common/xml.h"

#define NAMESPACE "uri:3gpp-gba"

static void print_time(struct gba_wbuf *out, const char *name, int64_t t)
{
    char text[GBA_DATETIME_SIZE];

    gba_datetime(t, text);
    gba_xml_element(out, name, gba_text(text));
}

enum gba_err gba_bootstrapping_info_print(const struct gba_bootstrapping_info *i,
                                          struct gba_wbuf *out)
{
    gba_wbuf_str(out, GBA_XML_DECLARATION);
    gba_xml_open(out, "BootstrappingInfo", NAMESPACE);
    gba_wbuf_str(out, "\n");
    gba_xml_element(out, "btid", gba_text(i->btid));
    gba_wbuf_str(out, "\n");
    print_time(out, "lifetime", i->lifetime_s);
    gba_wbuf_str(out, "\n");
    if (i->currenttime_s != 0) {
        gba_xml_open(out, "Extension", NULL);
        print_time(out, "currenttime", i->currenttime_s);
        gba_xml_close(out, "Extension");
        gba_wbuf_str(out, "\n");
    }
    gba_xml_close(out, "BootstrappingInfo");
    gba_wbuf_str(out, "\n");
    return gba_wbuf_ok(out) ? GBA_OK : GBA_E_TOO_LONG;
}

static enum gba_err read_time(const struct gba_xml_node *n, int64_t *out)
{
    char text[64];
    enum gba_err err = gba_xml_text(n, text, sizeof(text));

    return err != GBA_OK ? GBA_E_SYNTAX : gba_datetime_parse(gba_text(text), out);
}

/* Extension/currenttime is a hint: without it, or with one that cannot be read, the UE uses
 * its own clock. */
static void read_extension(const struct gba_xml_node *root, int64_t *currenttime_s)
{
    const struct gba_xml_node *extension, *time;

    if (gba_xml_child(root, "Extension", &extension) != GBA_OK ||
        gba_xml_child(extension, "currenttime", &time) != GBA_OK ||
        read_time(time, currenttime_s) != GBA_OK)
        *currenttime_s = 0;
}

static enum gba_err read_root(const struct gba_xml_node *root,
                              struct gba_bootstrapping_info *out)
{
    const struct gba_xml_node *btid, *lifetime;
    enum gba_err err;

    if (!gba_xml_is(root, "BootstrappingInfo") ||
        gba_xml_child(root, "btid", &btid) != GBA_OK ||
        gba_xml_child(root, "lifetime", &lifetime) != GBA_OK)
        return GBA_E_SYNTAX;
    err = gba_xml_text(btid, out->btid, sizeof(out->btid));
    if (err != GBA_OK)
        return err;
    if (out->btid[0] == '\0' || read_time(lifetime, &out->lifetime_s) != GBA_OK)
        return GBA_E_SYNTAX;
    read_extension(root, &out->currenttime_s);
    return GBA_OK;
}

enum gba_err gba_bootstrapping_info_parse(struct gba_bytes xml,
                                          struct gba_bootstrapping_info *out)
{
    struct gba_xml *doc;
    enum gba_err err;

    *out = (struct gba_bootstrapping_info){.lifetime_s = 0};
    err = gba_xml_parse(xml, GBA_BOOTSTRAPPING_INFO_MAX, &doc);
    if (err != GBA_OK)
        return err;
    err = read_root(gba_xml_root(doc), out);
    gba_xml_free(doc);
    return err;
}
