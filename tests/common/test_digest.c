/*
 * common/digest.c: the parser token by token, many challenges in one field, the printer.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

#include "common/digest.h"

/* "name=value|name=value|..." of what is present, in the order of the enum. */
static const char *shown(const struct gba_digest *d)
{
    static char text[4096];
    struct gba_wbuf w;

    gba_wbuf_init(&w, text, sizeof(text));
    for (size_t p = 0; p < GBA_DIGEST_N_PARAMS; p++) {
        if (!d->p[p].present)
            continue;
        gba_wbuf_str(&w, w.n != 0 ? "|" : "");
        gba_wbuf_str(&w, gba_digest_param_name((enum gba_digest_param)p));
        gba_wbuf_str(&w, "=");
        gba_wbuf_text(&w, d->p[p].value);
    }
    return gba_wbuf_cstr(&w);
}

struct row {
    const char *field;
    enum gba_err err;
    const char *shown; /* NULL: not compared */
};

static void check_rows(const struct row *rows, size_t n,
                       enum gba_err (*parse)(struct gba_text, struct gba_digest *))
{
    for (size_t i = 0; i < n; i++) {
        struct gba_digest d;
        size_t len = strlen(rows[i].field);
        char *exact =
            malloc(len != 0 ? len : 1); /* no NUL behind: a sanitizer sees over-reads */
        enum gba_err err;

        CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
        memcpy(exact, rows[i].field, len);
        err = parse((struct gba_text){exact, len}, &d);
        if (err != rows[i].err)
            printf("\n<%s>: %s\n", rows[i].field, gba_err_name(err));
        CU_ASSERT_EQUAL(err, rows[i].err);
        if (err == GBA_OK && rows[i].shown != NULL) {
            if (strcmp(shown(&d), rows[i].shown) != 0)
                printf("\n<%s>: %s\n", rows[i].field, shown(&d));
            CU_ASSERT_STRING_EQUAL(shown(&d), rows[i].shown);
        }
        free(exact);
    }
}
#define CHECK_ROWS(rows, parse) check_rows(rows, sizeof(rows) / sizeof((rows)[0]), parse)

static void test_scheme(void)
{
    static const struct row rows[] = {
        {"Digest realm=\"r\"", GBA_OK, "realm=r"},
        {"dIGEST realm=\"r\"", GBA_OK, "realm=r"},
        {"  Digest \t realm=\"r\" ", GBA_OK, "realm=r"},
        {"Digest", GBA_OK, ""},
        {"Digest ", GBA_OK, ""},
        {"Basic dXNlcjpwYXNz", GBA_E_NOT_DIGEST, NULL},
        {"Bearer a.b.c", GBA_E_NOT_DIGEST, NULL},
        {"Digest2 realm=\"r\"", GBA_E_NOT_DIGEST, NULL},
        {"xDigest realm=\"r\"", GBA_E_NOT_DIGEST, NULL},
        {"realm=\"r\"", GBA_E_NOT_DIGEST, NULL},
        {"Digest,realm=\"r\"", GBA_E_SYNTAX, NULL},
        {"Digest=realm", GBA_E_SYNTAX, NULL},
        {"\"Digest\" realm=\"r\"", GBA_E_SYNTAX, NULL},
        {"", GBA_E_SYNTAX, NULL},
        {"   ", GBA_E_SYNTAX, NULL},
        {",", GBA_E_SYNTAX, NULL},
        /* credentials are one: a second scheme is not a parameter */
        {"Digest realm=\"r\", Basic abc", GBA_E_SYNTAX, NULL},
        {"Digest realm=\"r\", Digest nonce=\"n\"", GBA_E_SYNTAX, NULL},
        {"Digest dXNlcjpwYXNz", GBA_E_SYNTAX, NULL},
        {"Digest dXNlcjpwYX==", GBA_E_SYNTAX, NULL},
    };

    CHECK_ROWS(rows, gba_digest_parse);
}

static void test_names_are_exact(void)
{
    static const struct row rows[] = {
        {"Digest xnonce=\"evil\"", GBA_OK, ""},
        {"Digest xnonce=\"evil\", nonce=\"n\"", GBA_OK, "nonce=n"},
        {"Digest nonce=\"n\", xnonce=\"evil\"", GBA_OK, "nonce=n"},
        {"Digest noncex=\"evil\", nonc=\"e\", no=\"n\", nonce*=evil, -nonce=e", GBA_OK, ""},
        {"Digest cnonce=\"c\"", GBA_OK, "cnonce=c"},
        {"Digest username*=UTF-8''J%C3%A4s", GBA_OK, ""},
        {"Digest opaque=\"z, nonce=inner\"", GBA_OK, "opaque=z, nonce=inner"},
        {"Digest opaque=\"z, nonce=\\\"inner\\\"\"", GBA_OK, "opaque=z, nonce=\"inner\""},
        {"Digest foo=\"z\\\", nonce=\\\"inner\"", GBA_OK, ""},
        {"Digest foo=\"a, nonce=b\", realm=\"r\"", GBA_OK, "realm=r"},
        {"Digest foo=\"a\\\\\", realm=\"r\"", GBA_OK, "realm=r"},
        {"Digest opaque=\"a,b\", nonce=\"n\"", GBA_OK, "nonce=n|opaque=a,b"},
        {"Digest NONCE=\"n\", ReAlM=\"r\"", GBA_OK, "realm=r|nonce=n"},
    };

    CHECK_ROWS(rows, gba_digest_parse);
}

static void test_repeated(void)
{
    static const struct row rows[] = {
        {"Digest nonce=\"a\", nonce=\"a\"", GBA_E_REPEATED, NULL},
        {"Digest nonce=\"a\", NONCE=\"b\"", GBA_E_REPEATED, NULL},
        {"Digest nonce=a, realm=r, Nonce=\"\"", GBA_E_REPEATED, NULL},
        {"Digest nonce=\"\", nonce=\"\"", GBA_E_REPEATED, NULL},
        {"Digest auts=\"a\", auts=\"b\"", GBA_E_REPEATED, NULL},
        {"Digest foo=1, foo=1", GBA_E_REPEATED, NULL},
        {"Digest foo=1, nonce=a, bar=2, FOO=\"\"", GBA_E_REPEATED, NULL},
        {"Digest a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,i=1,j=1,k=1,l=1,m=1,n=1,o=1,p=1", GBA_OK, NULL},
        {"Digest a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,i=1,j=1,k=1,l=1,m=1,n=1,o=1,p=1,q=1",
         GBA_E_TOO_LONG, NULL},
    };
    char field[128];

    CHECK_ROWS(rows, gba_digest_parse);
    for (size_t p = 0; p < GBA_DIGEST_N_PARAMS; p++) {
        struct gba_digest d;
        const char *name = gba_digest_param_name((enum gba_digest_param)p);

        snprintf(field, sizeof(field), "Digest %s=a, other=b, %s=\"a\"", name, name);
        CU_ASSERT_EQUAL(gba_digest_parse(gba_text(field), &d), GBA_E_REPEATED);
        snprintf(field, sizeof(field), "Digest %s=\"a\", other=b", name);
        CU_ASSERT_EQUAL(gba_digest_parse(gba_text(field), &d), GBA_OK);
        CU_ASSERT(d.p[p].present && d.p[p].quoted && gba_text_is(d.p[p].value, "a"));
    }
}

static void test_values(void)
{
    static const struct row rows[] = {
        {"Digest qop=auth-int, nc=00000001, algorithm=AKAv1-MD5, stale=TRUE", GBA_OK,
         "algorithm=AKAv1-MD5|qop=auth-int|nc=00000001|stale=TRUE"},
        {"Digest qop=\"auth-int\",nc=\"00000001\",algorithm=\"AKAv1-MD5\",stale=\"false\"",
         GBA_OK, "algorithm=AKAv1-MD5|qop=auth-int|nc=00000001|stale=false"},
        {"Digest realm = \"r\"\t,\tnonce\t=\t\"n\" ", GBA_OK, "realm=r|nonce=n"},
        {"Digest nonce=\"\", response=\"\"", GBA_OK, "nonce=|response="},
        {"Digest ,, ,\t, realm=\"r\", ,,nonce=\"n\",,", GBA_OK, "realm=r|nonce=n"},
        {"Digest realm=\"a\\\"b\\\\c\"", GBA_OK, "realm=a\"b\\c"},
        {"Digest realm=\"\\a\\b\", nonce=\"\\n\"", GBA_OK, "realm=ab|nonce=n"},
        {"Digest realm=\"tab\there\"", GBA_OK, "realm=tab\there"},
        {"Digest realm=\"J\xc3\xa4s\"", GBA_OK, "realm=J\xc3\xa4s"},
        {"Digest nonce=\"n3yNAhrM9NshPM/wx/caalXvzUOL27m50b5kdOvhvRkAAAAAAAAA\"", GBA_OK,
         "nonce=n3yNAhrM9NshPM/wx/caalXvzUOL27m50b5kdOvhvRkAAAAAAAAA"},
        {"Digest realm", GBA_E_SYNTAX, NULL},
        {"Digest realm=", GBA_E_SYNTAX, NULL},
        {"Digest realm=, nonce=\"n\"", GBA_E_SYNTAX, NULL},
        {"Digest =\"r\"", GBA_E_SYNTAX, NULL},
        {"Digest realm==\"r\"", GBA_E_SYNTAX, NULL},
        {"Digest realm=\"r", GBA_E_SYNTAX, NULL},
        {"Digest realm=\"", GBA_E_SYNTAX, NULL},
        {"Digest realm=\"r\\", GBA_E_SYNTAX, NULL},
        {"Digest realm=\"r\\\"", GBA_E_SYNTAX, NULL},
        {"Digest foo=\"r", GBA_E_SYNTAX, NULL},
        {"Digest realm=\"r\"\"s\"", GBA_E_SYNTAX, NULL},
        {"Digest realm=\"r\"s", GBA_E_SYNTAX, NULL},
        {"Digest realm=r\"s\"", GBA_E_SYNTAX, NULL},
        {"Digest realm=\"r\" nonce=\"n\"", GBA_E_SYNTAX, NULL},
        {"Digest realm=\"r\"; nonce=\"n\"", GBA_E_SYNTAX, NULL},
        {"Digest realm='r', nonce=\"n\"", GBA_OK, "realm='r'|nonce=n"},
        {"Digest realm=a b", GBA_E_SYNTAX, NULL},
        {"Digest uri=/", GBA_E_SYNTAX, NULL},
        {"Digest re alm=\"r\"", GBA_E_SYNTAX, NULL},
        {"Digest \"realm\"=\"r\"", GBA_E_SYNTAX, NULL},
        {"Digest realm=\"a\nb\"", GBA_E_SYNTAX, NULL},
        {"Digest realm=\"a\rb\"", GBA_E_SYNTAX, NULL},
        {"Digest realm=\"a\x01"
         "b\"",
         GBA_E_SYNTAX, NULL},
        {"Digest realm=\"a\x7f\"", GBA_E_SYNTAX, NULL},
        {"Digest realm=\"a\\\n\"", GBA_E_SYNTAX, NULL},
        {"Digest realm=\"r\",\n nonce=\"n\"", GBA_E_SYNTAX, NULL},
        {"Digest\nrealm=\"r\"", GBA_E_SYNTAX, NULL},
        {"Digest realm=\"r\"\v", GBA_E_SYNTAX, NULL},
        {"Digest rea\xc3\xa4lm=\"r\"", GBA_E_SYNTAX, NULL},
        {"Digest realm=\xc3\xa4", GBA_E_SYNTAX, NULL},
    };

    CHECK_ROWS(rows, gba_digest_parse);
}

static void test_nul_is_never_passed(void)
{
    static const struct gba_text fields[] = {
        GBA_TEXT("Digest realm=\"a\0b\""),
        GBA_TEXT("Digest realm=\"a\\\0b\""),
        GBA_TEXT("Digest rea\0lm=\"a\""),
        GBA_TEXT("Digest realm=a\0, nonce=b"),
        GBA_TEXT("Digest realm=\"a\"\0"),
        GBA_TEXT("Digest\0realm=\"a\""),
        GBA_TEXT("Digest realm=\"a\",\0nonce=b"),
        GBA_TEXT("\0Digest realm=\"a\""),
        GBA_TEXT("Digest foo=\"a\0b\", realm=\"r\""),
    };
    struct gba_digest d;

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        CU_ASSERT_EQUAL(gba_digest_parse(fields[i], &d), GBA_E_SYNTAX);
}

static void test_caps(void)
{
    static char field[GBA_DIGEST_FIELD_MAX + 2];
    struct gba_digest d;
    size_t n;

    memset(field, ',', sizeof(field));
    memcpy(field, "Digest ", 7);
    CU_ASSERT_EQUAL(gba_digest_parse((struct gba_text){field, GBA_DIGEST_FIELD_MAX}, &d),
                    GBA_OK);
    CU_ASSERT_EQUAL(gba_digest_parse((struct gba_text){field, GBA_DIGEST_FIELD_MAX + 1}, &d),
                    GBA_E_TOO_LONG);
    struct gba_text rest = {field, GBA_DIGEST_FIELD_MAX + 1};
    CU_ASSERT_EQUAL(gba_digest_next_challenge(&rest, &d), GBA_E_TOO_LONG);
    CU_ASSERT_EQUAL(rest.n, 0);
    CU_ASSERT_EQUAL(gba_digest_parse_info((struct gba_text){field, sizeof(field)}, &d),
                    GBA_E_TOO_LONG);
    /* Escapes: all of `unescaped`, and one more. */
    for (size_t letters = 1023; letters <= 1025; letters++) {
        n = (size_t)sprintf(field, "Digest opaque=\"");
        for (size_t i = 0; i < letters; i++) {
            field[n++] = '\\';
            field[n++] = 'x';
        }
        field[n++] = '"';
        enum gba_err err = gba_digest_parse((struct gba_text){field, n}, &d);
        CU_ASSERT_EQUAL(err, letters <= sizeof(d.unescaped) ? GBA_OK : GBA_E_TOO_LONG);
        if (err == GBA_OK)
            CU_ASSERT_EQUAL(d.p[GBA_DIGEST_OPAQUE].value.n, letters);
    }
    /* Without escapes a value may fill the field. */
    n = (size_t)sprintf(field, "Digest opaque=\"");
    memset(field + n, 'x', sizeof(field) - n);
    field[GBA_DIGEST_FIELD_MAX - 1] = '"';
    CU_ASSERT_EQUAL(gba_digest_parse((struct gba_text){field, GBA_DIGEST_FIELD_MAX}, &d),
                    GBA_OK);
    CU_ASSERT_EQUAL(d.p[GBA_DIGEST_OPAQUE].value.n, GBA_DIGEST_FIELD_MAX - n - 1);
}

static void test_two_values_with_escapes(void)
{
    struct gba_digest d;

    CU_ASSERT_EQUAL(gba_digest_parse(GBA_TEXT("Digest realm=\"a\\\"\", nonce=\"b\", "
                                              "opaque=\"\\\\c\", foo=\"\\x\""),
                                     &d),
                    GBA_OK);
    CU_ASSERT_STRING_EQUAL(shown(&d), "realm=a\"|nonce=b|opaque=\\c");
    CU_ASSERT_EQUAL(d.n_unescaped, 4); /* the unknown one takes no room */
}

/* The room for escapes is one for all values of a field. */
static void test_escapes_share_their_room(void)
{
    char field[1400];
    struct gba_digest d;

    for (int second = 523; second <= 525; second++) {
        int n = snprintf(field, sizeof(field), "Digest realm=\"\\%0500d\", nonce=\"\\%0*d\"", 0,
                         second, 0);

        CU_ASSERT_EQUAL(gba_digest_parse((struct gba_text){field, (size_t)n}, &d),
                        second <= 524 ? GBA_OK : GBA_E_TOO_LONG);
    }
}

static void test_challenges(void)
{
    static const struct {
        const char *field;
        const char *shown[3];
        enum gba_err last;
    } rows[] = {
        {"Digest realm=\"r\", nonce=\"n\"", {"realm=r|nonce=n"}, GBA_E_NOT_FOUND},
        {"Basic realm=\"x\", Digest realm=\"r\"", {"realm=r"}, GBA_E_NOT_FOUND},
        {"Digest realm=\"r\", Basic realm=\"x\"", {"realm=r"}, GBA_E_NOT_FOUND},
        {"Digest realm=\"r\", algorithm=SHA-256, Digest realm=\"s\", algorithm=MD5",
         {"realm=r|algorithm=SHA-256", "realm=s|algorithm=MD5"},
         GBA_E_NOT_FOUND},
        {"Negotiate, NTLM, Digest realm=\"r\"", {"realm=r"}, GBA_E_NOT_FOUND},
        {"Negotiate YII/+x==, Digest realm=\"r\"", {"realm=r"}, GBA_E_NOT_FOUND},
        {"Digest realm=\"r\", Negotiate YII=", {"realm=r"}, GBA_E_NOT_FOUND},
        {"Foo a=b, c=\"d, Digest realm=\\\"evil\\\"\", Digest realm=\"r\"",
         {"realm=r"},
         GBA_E_NOT_FOUND},
        {",, ,Digest realm=\"r\" ,, , Digest realm=\"s\", ,",
         {"realm=r", "realm=s"},
         GBA_E_NOT_FOUND},
        {"Digest, Basic realm=\"x\"", {""}, GBA_E_NOT_FOUND},
        {"Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\", Basic realm=\"s\"",
         {NULL},
         GBA_E_NOT_FOUND},
        {"Foo digest = 1, Digest realm=\"r\"", {"realm=r"}, GBA_E_NOT_FOUND},
        {"", {NULL}, GBA_E_NOT_FOUND},
        {" , ", {NULL}, GBA_E_NOT_FOUND},
        {"realm=\"r\"", {NULL}, GBA_E_SYNTAX},
        {"Digest realm=\"r\", realm=\"s\"", {NULL}, GBA_E_REPEATED},
        {"Digest realm=\"r\", Digest nonce=\"n", {"realm=r"}, GBA_E_SYNTAX},
        {"Basic realm=\"x, Digest realm=\"r\"", {NULL}, GBA_E_SYNTAX},
        {"Digest abc=, Digest realm=\"r\"", {NULL}, GBA_E_SYNTAX},
        {"Foo abc== d, Digest realm=\"r\"", {NULL}, GBA_E_SYNTAX},
        {"Basic realm=\"x\" Digest realm=\"r\"", {NULL}, GBA_E_SYNTAX},
        {"Digest@ realm=\"r\"", {NULL}, GBA_E_SYNTAX},
        {"Foo/abc, Digest realm=\"r\"", {NULL}, GBA_E_SYNTAX},
        {"Foo = 1, Digest realm=\"r\"", {NULL}, GBA_E_SYNTAX},
        {"@, Digest realm=\"r\"", {NULL}, GBA_E_SYNTAX},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_text rest = gba_text(rows[i].field);
        struct gba_digest d;
        enum gba_err err;
        size_t k = 0;

        while ((err = gba_digest_next_challenge(&rest, &d)) == GBA_OK && k < 3) {
            CU_ASSERT_PTR_NOT_NULL_FATAL(rows[i].shown[k]);
            CU_ASSERT_STRING_EQUAL(shown(&d), rows[i].shown[k]);
            k++;
        }
        if (err != rows[i].last)
            printf("\n<%s>: %s\n", rows[i].field, gba_err_name(err));
        CU_ASSERT_EQUAL(err, rows[i].last);
        CU_ASSERT(k == 3 || rows[i].shown[k] == NULL);
        /* After the end, and after an error, there is nothing more. */
        CU_ASSERT_EQUAL(rest.n, 0);
        CU_ASSERT_EQUAL(gba_digest_next_challenge(&rest, &d), GBA_E_NOT_FOUND);
    }
}

static void test_info(void)
{
    static const struct row rows[] = {
        {"qop=auth-int, rspauth=\"3e8a\", cnonce=\"c\", nc=00000001", GBA_OK,
         "cnonce=c|qop=auth-int|nc=00000001|rspauth=3e8a"},
        {"nextnonce=\"n\"", GBA_OK, "nextnonce=n"},
        {"", GBA_OK, ""},
        {"rspauth=\"a\", rspauth=\"b\"", GBA_E_REPEATED, NULL},
        {"xrspauth=\"a\"", GBA_OK, ""},
        {"Digest rspauth=\"a\"", GBA_E_SYNTAX, NULL},
        {"rspauth=\"a", GBA_E_SYNTAX, NULL},
    };

    CHECK_ROWS(rows, gba_digest_parse_info);
}

static void test_print(void)
{
    char out[512];
    struct gba_wbuf w;

    gba_wbuf_init(&w, out, sizeof(out));
    gba_wbuf_str(&w, "Digest ");
    gba_digest_print(&w, GBA_DIGEST_REALM, GBA_TEXT("a\"b\\c"));
    gba_digest_print(&w, GBA_DIGEST_NONCE, GBA_TEXT("n=="));
    gba_digest_print(&w, GBA_DIGEST_ALGORITHM, GBA_TEXT("AKAv1-MD5"));
    gba_digest_print_offer(&w, GBA_TEXT("auth-int"));
    gba_digest_print(&w, GBA_DIGEST_STALE, GBA_TEXT("true"));
    CU_ASSERT_STRING_EQUAL(gba_wbuf_cstr(&w),
                           "Digest realm=\"a\\\"b\\\\c\", nonce=\"n==\", "
                           "algorithm=AKAv1-MD5, qop=\"auth-int\", stale=true");
    gba_wbuf_init(&w, out, sizeof(out));
    gba_digest_print(&w, GBA_DIGEST_QOP, GBA_TEXT("auth-int"));
    gba_digest_print(&w, GBA_DIGEST_RSPAUTH, GBA_TEXT("00"));
    gba_digest_print(&w, GBA_DIGEST_CNONCE, GBA_TEXT(""));
    gba_digest_print(&w, GBA_DIGEST_NC, GBA_TEXT("00000001"));
    CU_ASSERT_STRING_EQUAL(gba_wbuf_cstr(&w),
                           "qop=auth-int, rspauth=\"00\", cnonce=\"\", nc=00000001");
}

/* RFC 7616 3.3, 3.4: which are quoted and which must not be. */
static void test_each_is_printed_its_way(void)
{
    static const enum gba_digest_param tokens[] = {GBA_DIGEST_ALGORITHM, GBA_DIGEST_QOP,
                                                   GBA_DIGEST_NC,        GBA_DIGEST_STALE,
                                                   GBA_DIGEST_USERHASH,  GBA_DIGEST_CHARSET};

    for (size_t p = 0; p < GBA_DIGEST_N_PARAMS; p++) {
        char out[64], want[64];
        struct gba_wbuf w;
        bool token = false;

        for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
            token = token || tokens[i] == p;
        gba_wbuf_init(&w, out, sizeof(out));
        gba_digest_print(&w, (enum gba_digest_param)p, GBA_TEXT("x"));
        snprintf(want, sizeof(want), token ? "%s=x" : "%s=\"x\"",
                 gba_digest_param_name((enum gba_digest_param)p));
        CU_ASSERT_STRING_EQUAL(gba_wbuf_cstr(&w), want);
    }
    CU_ASSERT_STRING_EQUAL(gba_digest_param_name(GBA_DIGEST_N_PARAMS), "");
}

/* RFC 9110 5.6.2, octet by octet. */
static void test_token_octets(void)
{
    for (int c = 0; c < 256; c++) {
        char field[] = "Digest qop=?";
        struct gba_digest d;
        bool tchar = c != 0 && strchr("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                      "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                                      c) != NULL;

        field[11] = (char)c;
        CU_ASSERT_EQUAL(gba_digest_parse((struct gba_text){field, 12}, &d),
                        tchar ? GBA_OK : GBA_E_SYNTAX);
    }
}

static void test_print_refuses(void)
{
    static const struct {
        enum gba_digest_param p;
        struct gba_text value;
    } rows[] = {
        {GBA_DIGEST_REALM, GBA_TEXT("a\r\nSet-Cookie: x")},
        {GBA_DIGEST_REALM, GBA_TEXT("a\0b")},
        {GBA_DIGEST_OPAQUE, GBA_TEXT("\x7f")},
        {GBA_DIGEST_NC, GBA_TEXT("")},
        {GBA_DIGEST_QOP, GBA_TEXT("auth,auth-int")},
        {GBA_DIGEST_ALGORITHM, GBA_TEXT("a b")},
        {GBA_DIGEST_STALE, GBA_TEXT("true\"")},
        {GBA_DIGEST_STALE, GBA_TEXT("\"true")},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[128];
        struct gba_wbuf w;

        gba_wbuf_init(&w, out, sizeof(out));
        gba_digest_print(&w, rows[i].p, rows[i].value);
        CU_ASSERT(!gba_wbuf_ok(&w));
    }
}

/* What is printed is read back, whatever octets a value may have. */
static void test_round_trip(void)
{
    char value[256], out[2048];
    struct gba_digest d;
    struct gba_wbuf w;
    size_t n = 0;

    for (int c = 1; c < 256; c++)
        if (c == '\t' || (c >= ' ' && c != 0x7f))
            value[n++] = (char)c;
    gba_wbuf_init(&w, out, sizeof(out));
    gba_wbuf_str(&w, "Digest ");
    gba_digest_print(&w, GBA_DIGEST_USERNAME, (struct gba_text){value, n});
    gba_digest_print(&w, GBA_DIGEST_OPAQUE, (struct gba_text){value, n});
    CU_ASSERT_EQUAL(gba_digest_parse(gba_bytes_text(gba_wbuf_bytes(&w)), &d), GBA_OK);
    CU_ASSERT(gba_text_eq(d.p[GBA_DIGEST_USERNAME].value, (struct gba_text){value, n}));
    CU_ASSERT(gba_text_eq(d.p[GBA_DIGEST_OPAQUE].value, (struct gba_text){value, n}));
}

static const struct unit_test tests[] = {
    {"scheme", test_scheme},
    {"names are whole tokens", test_names_are_exact},
    {"a repeated parameter is an error", test_repeated},
    {"values, quoted and not", test_values},
    {"NUL is never passed", test_nul_is_never_passed},
    {"caps", test_caps},
    {"escapes in two values", test_two_values_with_escapes},
    {"escapes share their room", test_escapes_share_their_room},
    {"octets of a token", test_token_octets},
    {"many challenges in one field", test_challenges},
    {"Authentication-Info", test_info},
    {"printer", test_print},
    {"each parameter is printed its way", test_each_is_printed_its_way},
    {"printer refuses what would break the field", test_print_refuses},
    {"printed and read back", test_round_trip},
};
UNIT_MAIN("digest", tests)
