/*
 * common/xml.c, common/xml_write.c: what is refused, how text is read, how subtrees are copied.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/xml.h"

static enum gba_err parse(const char *xml, struct gba_xml **out)
{
    return gba_xml_parse(gba_text_bytes(gba_text(xml)), 65536, out);
}

static void test_refused(void)
{
    static const struct {
        const char *xml;
        enum gba_err err;
    } rows[] = {
        {"<a/>", GBA_OK},
        {" \n<a/>\n", GBA_OK},
        {"\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?><a/>", GBA_OK},
        {"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xe9</a>", GBA_OK},
        {"<?xml version=\"1.0\" encoding = 'US-ASCII' ?><a>e</a>", GBA_OK},
        {"<?xml version='1.0' encoding=\t'ascii'\n?><a>\x7f</a>", GBA_OK},
        {"<?xml version='1.0' encoding='utf-88'?><a/>", GBA_E_SYNTAX},
        {"<?xml version='1.0' encoding='utf-8?><a/>", GBA_E_SYNTAX},
        {"<?xml version='1.0' encoding utf-8?><a/>", GBA_E_SYNTAX},
        {"<?xml version='1.0' encoding=''?><a/>", GBA_E_SYNTAX},
        {"\xef\xbb\xbf"
         "a",
         GBA_E_SYNTAX},
        {"", GBA_E_SYNTAX},
        {"a", GBA_E_SYNTAX},
        {"<a>", GBA_E_SYNTAX},
        {"<a/><b/>", GBA_E_SYNTAX},
        {"<a/>tail", GBA_E_SYNTAX},
        {"<a></b>", GBA_E_SYNTAX},
        {"<a x='1' x='2'/>", GBA_E_SYNTAX},
        {"<p:a/>", GBA_E_SYNTAX},
        {"<a>\x01</a>", GBA_E_SYNTAX},
        {"<a>&#0;</a>", GBA_E_SYNTAX},
        {"<a>\xff</a>", GBA_E_SYNTAX},
        {"<a>&who;</a>", GBA_E_SYNTAX},
        {"<a b='&who;'/>", GBA_E_SYNTAX},
        {"<!DOCTYPE a><a/>", GBA_E_SYNTAX},
        {"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", GBA_E_SYNTAX},
        {"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", GBA_E_SYNTAX},
        {"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><a>&x;</a>", GBA_E_SYNTAX},
        {"<!DOCTYPE a [<!ENTITY % x SYSTEM 'http://127.0.0.1:1/'> %x;]><a/>", GBA_E_SYNTAX},
        {"<!DOCTYPE l [<!ENTITY a 'lol'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>"
         "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;'>"
         "<!ENTITY e '&d;&d;&d;&d;&d;&d;&d;&d;'><!ENTITY f '&e;&e;&e;&e;&e;&e;&e;&e;'>]>"
         "<l>&f;&f;&f;&f;&f;&f;&f;&f;</l>",
         GBA_E_SYNTAX},
        {"<?xml version='1.0' encoding='UTF-7'?><a/>", GBA_E_SYNTAX},
        {"<?xml version='1.0' encoding='EBCDIC-CP-US'?><a/>", GBA_E_SYNTAX},
        {"<?xml version='1.0' encoding='UTF-16'?><a/>", GBA_E_SYNTAX},
        {"<?xml version='1.0' encoding='US-ASCII'?><a>\xe9</a>", GBA_E_SYNTAX},
        {"<?xml version='1.0' encoding='", GBA_E_SYNTAX},
        {"<?xml version='1.0' encoding", GBA_E_SYNTAX},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_xml *x;
        enum gba_err err = parse(rows[i].xml, &x);

        CU_ASSERT_EQUAL(err, rows[i].err);
        if (err != rows[i].err)
            printf("row %zu: %s\n", i, gba_err_name(err));
        CU_ASSERT_EQUAL(x != NULL, rows[i].err == GBA_OK);
        gba_xml_free(x);
    }
}

static void test_nul_and_utf16(void)
{
    static const uint8_t nul[] = "<a>b\0c</a>", utf16[] = "\xff\xfe<\0a\0/\0>";
    struct gba_xml *x;

    CU_ASSERT_EQUAL(gba_xml_parse((struct gba_bytes){nul, sizeof(nul) - 1}, 100, &x),
                    GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(gba_xml_parse((struct gba_bytes){nul, 10}, 100, &x), GBA_E_SYNTAX);
    CU_ASSERT_EQUAL(gba_xml_parse((struct gba_bytes){utf16, sizeof(utf16)}, 100, &x),
                    GBA_E_SYNTAX);
}

/* n nested elements. */
static enum gba_err nested(size_t n)
{
    char *doc = malloc(7 * n + 1);
    struct gba_xml *x;
    enum gba_err err;

    doc[0] = '\0';
    for (size_t i = 0; i < n; i++)
        memcpy(doc + 3 * i, "<a>", 3);
    for (size_t i = 0; i < n; i++)
        memcpy(doc + 3 * n + 4 * i, "</a>", 4);
    err = gba_xml_parse((struct gba_bytes){(uint8_t *)doc, 7 * n}, 7 * n, &x);
    gba_xml_free(x);
    free(doc);
    return err;
}

static void test_depth_and_size(void)
{
    struct gba_xml *x;

    CU_ASSERT_EQUAL(nested(GBA_XML_DEPTH_MAX), GBA_OK);
    CU_ASSERT_EQUAL(nested(GBA_XML_DEPTH_MAX + 1), GBA_E_TOO_LONG);
    CU_ASSERT_EQUAL(nested(200), GBA_E_TOO_LONG);
    CU_ASSERT_NOT_EQUAL(nested(100000), GBA_OK); /* libxml2's own limit may answer first */
    CU_ASSERT_EQUAL(gba_xml_parse(gba_text_bytes(GBA_TEXT("<a/>")), 4, &x), GBA_OK);
    gba_xml_free(x);
    CU_ASSERT_EQUAL(gba_xml_parse(gba_text_bytes(GBA_TEXT("<a/>")), 3, &x), GBA_E_TOO_LONG);
}

/* An element with n attributes. */
static enum gba_err attributes(size_t n)
{
    char *doc = malloc(16 + n * 12), *at = doc;
    struct gba_xml *x;
    enum gba_err err;

    at += sprintf(at, "<a>==<b");
    for (size_t i = 0; i < n; i++)
        at += sprintf(at, " a%zu='>'", i);
    at += sprintf(at, "/></a>");
    err = gba_xml_parse((struct gba_bytes){(uint8_t *)doc, (size_t)(at - doc)}, 65536, &x);
    gba_xml_free(x);
    free(doc);
    return err;
}

static void test_attributes(void)
{
    CU_ASSERT_EQUAL(attributes(GBA_XML_ATTRIBUTES_MAX), GBA_OK);
    CU_ASSERT_EQUAL(attributes(GBA_XML_ATTRIBUTES_MAX + 1), GBA_E_TOO_LONG);
}

static void test_text(void)
{
    static const struct {
        const char *xml;
        enum gba_err err;
        const char *text;
    } rows[] = {
        {"<a/>", GBA_OK, ""},
        {"<a> \r\n\t </a>", GBA_OK, ""},
        {"<a>  b c\n</a>", GBA_OK, "b c"},
        {"<a>b<!-- no -->c</a>", GBA_OK, "bc"},
        {"<a>b<?no no?>c</a>", GBA_OK, "bc"},
        {"<a>b<![CDATA[<&]]> c</a>", GBA_OK, "b<& c"},
        {"<a>&lt;&#x42;&amp;</a>", GBA_OK, "<B&"},
        {"<?xml version='1.0' encoding='iso-8859-1'?><a>\xe9</a>", GBA_OK, "\xc3\xa9"},
        {"<a>b<c/>d</a>", GBA_E_SYNTAX, NULL},
        {"<a>12345678</a>", GBA_E_TOO_LONG, NULL},
        {"<a>   1234567   </a>", GBA_OK, "1234567"},
    };
    char out[8];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_xml *x;
        enum gba_err err;

        CU_ASSERT_EQUAL_FATAL(parse(rows[i].xml, &x), GBA_OK);
        err = gba_xml_text(gba_xml_root(x), out, sizeof(out));
        CU_ASSERT_EQUAL(err, rows[i].err);
        if (err == GBA_OK)
            CU_ASSERT_STRING_EQUAL(out, rows[i].text);
        gba_xml_free(x);
    }
}

static void test_children_and_attributes(void)
{
    const struct gba_xml_node *root, *n;
    struct gba_xml *x;
    char out[8];

    CU_ASSERT_EQUAL_FATAL(parse("<r xmlns='urn:r' xmlns:p='urn:p' p:id='q' id='u' p:only='o'>"
                                "text<p:a/><!-- --><b>1</b><b/></r>",
                                &x),
                          GBA_OK);
    root = gba_xml_root(x);
    CU_ASSERT_STRING_EQUAL(gba_xml_ns(root), "urn:r");
    CU_ASSERT_EQUAL(gba_xml_child(root, "a", &n), GBA_OK);
    CU_ASSERT_STRING_EQUAL(gba_xml_ns(n), "urn:p");
    CU_ASSERT_PTR_EQUAL(gba_xml_first(root), n);
    CU_ASSERT(gba_xml_is(gba_xml_next(n), "b"));
    CU_ASSERT_EQUAL(gba_xml_child(root, "b", &n), GBA_E_REPEATED);
    CU_ASSERT_EQUAL(gba_xml_child(root, "c", &n), GBA_E_MISSING);
    CU_ASSERT_EQUAL(gba_xml_attr(root, "id", out, sizeof(out)), GBA_OK);
    CU_ASSERT_STRING_EQUAL(out, "u");
    CU_ASSERT_EQUAL(gba_xml_attr(root, "only", out, sizeof(out)), GBA_OK);
    CU_ASSERT_EQUAL(gba_xml_attr(root, "none", out, sizeof(out)), GBA_E_NOT_FOUND);
    CU_ASSERT_EQUAL(gba_xml_attr(root, "id", out, 1), GBA_E_TOO_LONG);
    gba_xml_free(x);
}

/* What is there, rather than what one looks for. */
static void test_everything(void)
{
    static const struct {
        const char *doc;
        bool text;
    } rows[] = {{"<a/>", false},
                {"<a> \r\n\t<b>x</b><!-- x --><?x y?> </a>", false},
                {"<a><![CDATA[ ]]></a>", false},
                {"<a>x</a>", true},
                {"<a><b/> x<b/></a>", true},
                {"<a><b/><![CDATA[x]]></a>", true}};
    const char *name = "", *ns = "";
    struct gba_xml *x;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CU_ASSERT_EQUAL_FATAL(gba_xml_parse(gba_text_bytes(gba_text(rows[i].doc)), 1000, &x),
                              GBA_OK);
        CU_ASSERT_EQUAL(gba_xml_has_text(gba_xml_root(x)), rows[i].text);
        gba_xml_free(x);
    }
    CU_ASSERT_EQUAL_FATAL(
        gba_xml_parse(gba_text_bytes(GBA_TEXT("<a xmlns='d' xmlns:p='u' p:b='1' c='2'/>")),
                      1000, &x),
        GBA_OK);
    CU_ASSERT(gba_xml_attr_at(gba_xml_root(x), 0, &name, &ns));
    CU_ASSERT(strcmp(name, "b") == 0 && strcmp(ns, "u") == 0);
    CU_ASSERT(gba_xml_attr_at(gba_xml_root(x), 1, &name, &ns));
    CU_ASSERT(strcmp(name, "c") == 0 && strcmp(ns, "") == 0);
    CU_ASSERT(!gba_xml_attr_at(gba_xml_root(x), 2, &name, &ns));
    gba_xml_free(x);
}

static void test_escape(void)
{
    static const struct {
        const char *in;
        const char *out; /* NULL: refused */
    } rows[] = {
        {"a<b>&\"'", "a&lt;b&gt;&amp;&quot;'"},
        {"\r\n\t", "&#13;&#10;&#9;"},
        {"\xc3\xa9\xf0\x9f\x98\x80", "\xc3\xa9\xf0\x9f\x98\x80"},
        {" ~\x7f", " ~\x7f"},
        {"\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80", "\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80"},
        {"\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbd", "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbd"},
        {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
        {"\xe0\x9f\xbf", NULL},
        {"\xf0\x8f\xbf\xbf", NULL},
        {"\xed\xbf\xbf", NULL},
        {"\xef\xbf\xbf", NULL},
        {"\xe2\x82", NULL},
        {"\xf8\x88\x80\x80\x80", NULL},
        {"\x1f", NULL},
        {"\x01", NULL},
        {"\xc0\x80", NULL},
        {"\xed\xa0\x80", NULL},
        {"\xef\xbf\xbe", NULL},
        {"\xf4\x90\x80\x80", NULL},
        {"\xc3", NULL},
        {"\x80", NULL},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char room[64];
        struct gba_wbuf w;

        gba_wbuf_init(&w, room, sizeof(room));
        gba_xml_escape(&w, gba_text(rows[i].in));
        CU_ASSERT_EQUAL(gba_wbuf_ok(&w), rows[i].out != NULL);
        if (rows[i].out != NULL)
            CU_ASSERT_STRING_EQUAL(gba_wbuf_cstr(&w), rows[i].out);
    }
}

static void test_copy(void)
{
    static const struct {
        const char *xml;
        const char *ns;
        const char *out;
    } rows[] = {
        {"<r><a b='1'>t</a></r>", "urn:n", "<a xmlns=\"urn:n\" b=\"1\">t</a>"},
        {"<r xmlns='urn:o'><a><b/></a></r>", "urn:n", "<a xmlns=\"urn:n\"><b/></a>"},
        {"<r xmlns='urn:o'><a><b/></a></r>", NULL, "<a xmlns=\"urn:o\"><b/></a>"},
        {"<p:r xmlns:p='urn:o'><p:a><p:b/></p:a></p:r>", "urn:n",
         "<a xmlns=\"urn:n\" xmlns:p=\"urn:o\"><b/></a>"},
        /* Extensions keep what they are, declared where they stand. */
        {"<r xmlns='urn:o' xmlns:x='urn:x'><a x:k='v'><x:e x:t='x:q'><f/></x:e></a></r>",
         "urn:n",
         "<a xmlns=\"urn:n\" xmlns:x=\"urn:x\" x:k=\"v\"><x:e x:t=\"x:q\"><f/></x:e></a>"},
        {"<r xmlns='urn:o'><a><e xmlns='urn:e'><f/></e><g/></a></r>", "urn:n",
         "<a xmlns=\"urn:n\"><e xmlns=\"urn:e\"><f/></e><g/></a>"},
        {"<r xmlns='urn:o'><a><e xmlns=''><f/></e></a></r>", "urn:n",
         "<a xmlns=\"urn:n\"><e xmlns=\"\"><f/></e></a>"},
        /* The nearest declaration of a prefix wins. */
        {"<r xmlns:x='urn:1'><a xmlns:x='urn:2'><x:e/></a></r>", "urn:n",
         "<a xmlns=\"urn:n\" xmlns:x=\"urn:2\"><x:e/></a>"},
        {"<r xmlns:x='urn:1'><a><x:e xmlns:x='urn:2'/><x:f/></a></r>", "urn:n",
         "<a xmlns=\"urn:n\" xmlns:x=\"urn:1\"><x:e xmlns:x=\"urn:2\"/><x:f/></a>"},
        {"<r><a xml:lang='en'>a&lt;<![CDATA[b&]]><!-- c --></a></r>", "urn:n",
         "<a xmlns=\"urn:n\" xml:lang=\"en\">a&lt;b&amp;</a>"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_bytes out;
        struct gba_xml *x, *again;

        CU_ASSERT_EQUAL_FATAL(parse(rows[i].xml, &x), GBA_OK);
        CU_ASSERT_EQUAL_FATAL(
            gba_xml_copy_alloc(gba_xml_first(gba_xml_root(x)), rows[i].ns, 4096, &out), GBA_OK);
        CU_ASSERT(gba_text_is(gba_bytes_text(out), rows[i].out));
        if (!gba_text_is(gba_bytes_text(out), rows[i].out))
            printf("row %zu: %.*s\n", i, (int)out.n, (const char *)out.p);
        CU_ASSERT_EQUAL(gba_xml_parse(out, 4096, &again), GBA_OK);
        gba_xml_free(again);
        free((void *)(uintptr_t)out.p);
        CU_ASSERT_EQUAL(gba_xml_copy_alloc(gba_xml_first(gba_xml_root(x)), rows[i].ns, 8, &out),
                        GBA_E_TOO_LONG);
        gba_xml_free(x);
    }
}

/* Whatever comes in, nothing is said on standard error. */
static void test_silent(void)
{
    static const char *const noisy[] = {"<a>",
                                        "<p:a/>",
                                        "<a>\xff\xfe</a>",
                                        "<!DOCTYPE a SYSTEM 'x'><a/>",
                                        "<?xml version='1.0' encoding='us-ascii'?><a>\xe9</a>",
                                        "<?xml version='9.9'?><a xmlns='::bad uri'>&x;</a>",
                                        "<?xml version='1.0' encoding='nonesuch'?><a/>"};
    FILE *caught = tmpfile();
    int saved = dup(2);
    struct gba_xml *x;

    CU_ASSERT_PTR_NOT_NULL_FATAL(caught);
    fflush(stderr);
    dup2(fileno(caught), 2);
    for (size_t i = 0; i < sizeof(noisy) / sizeof(noisy[0]); i++) {
        parse(noisy[i], &x);
        gba_xml_free(x);
    }
    fflush(stderr);
    dup2(saved, 2);
    close(saved);
    CU_ASSERT_EQUAL(lseek(fileno(caught), 0, SEEK_END), 0);
    fclose(caught);
}

static void test_elements(void)
{
    char room[128];
    struct gba_wbuf w;

    gba_wbuf_init(&w, room, sizeof(room));
    gba_xml_open(&w, "a", "urn:\"x\"");
    gba_xml_element(&w, "b", GBA_TEXT("<"));
    gba_xml_element(&w, "c", GBA_TEXT(""));
    gba_xml_open(&w, "d", NULL);
    gba_xml_close(&w, "d");
    gba_xml_close(&w, "a");
    CU_ASSERT_STRING_EQUAL(gba_wbuf_cstr(&w),
                           "<a xmlns=\"urn:&quot;x&quot;\"><b>&lt;</b><c/><d></d></a>");
    gba_xml_free(NULL);
}

/* Larger than the first room of gba_xml_copy_alloc, up to the octet. */
static void test_copy_grows(void)
{
    char *xml = malloc(4096);
    struct gba_bytes out;
    struct gba_xml *x;

    for (size_t n = 400; n < 2200; n += 97) {
        int len = sprintf(xml, "<a xmlns=\"\">%0*d</a>", (int)n, 7);

        CU_ASSERT_EQUAL_FATAL(parse(xml, &x), GBA_OK);
        CU_ASSERT_EQUAL_FATAL(gba_xml_copy_alloc(gba_xml_root(x), NULL, (size_t)len, &out),
                              GBA_OK);
        CU_ASSERT(gba_text_is(gba_bytes_text(out), xml));
        free((void *)(uintptr_t)out.p);
        CU_ASSERT_EQUAL(gba_xml_copy_alloc(gba_xml_root(x), NULL, (size_t)len - 1, &out),
                        GBA_E_TOO_LONG);
        gba_xml_free(x);
    }
    free(xml);
}

static const struct unit_test tests[] = {
    {"what is refused", test_refused},
    {"NUL and UTF-16", test_nul_and_utf16},
    {"depth and size", test_depth_and_size},
    {"attributes", test_attributes},
    {"text", test_text},
    {"children and attributes", test_children_and_attributes},
    {"escape", test_escape},
    {"elements", test_elements},
    {"copies of subtrees", test_copy},
    {"copies grow", test_copy_grows},
    {"silent", test_silent},
    {"everything that is there", test_everything},
};
UNIT_MAIN("xml", tests)
