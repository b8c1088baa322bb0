/*
 * ua/http_reply.c and ua/url.c: heads of replies, and URLs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

#include "ua/ub_client.h"
#include "ua/url.h"

/* An exact copy, so that a sanitizer sees a read past the end. */
static enum gba_err parse(const char *text, size_t n,
                          struct gba_ue_field fields[GBA_UE_MAX_FIELDS],
                          struct gba_ue_reply *reply, char **copy)
{
    *copy = malloc(n != 0 ? n : 1);
    memcpy(*copy, text, n);
    memset(reply, 0, sizeof(*reply));
    return gba_ue_reply_parse(*copy, n, fields, reply);
}

static void test_heads(void)
{
    static const struct {
        const char *text;
        enum gba_err err;
        unsigned status;
        size_t n_fields;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\nA: b\r\n\r\n", GBA_OK, 200, 1},
        {"HTTP/1.1 401\r\n", GBA_OK, 401, 0},
        {"HTTP/2 200\nA:b\nC:\td \n\n", GBA_OK, 200, 2},
        {"HTTP/1.1 200 OK\r\nA: b\r\n\r\nnot: a field\r\n", GBA_OK, 200, 1},
        {"HTTP/1.1 200 OK\r\nA:\r\n", GBA_OK, 200, 1},
        {"", GBA_E_PROTOCOL, 0, 0},
        {"HTTP/1.1 200 OK", GBA_E_PROTOCOL, 0, 0},
        {"HTTP/1.1 20 OK\r\n", GBA_E_PROTOCOL, 0, 0},
        {"HTTP/1.1 2000 OK\r\n", GBA_E_PROTOCOL, 0, 0},
        {"HTTP/1.1 999 OK\r\n", GBA_E_PROTOCOL, 0, 0},
        {"HTTP/1.1 099 OK\r\n", GBA_E_PROTOCOL, 0, 0},
        {"ICY 200 OK\r\n", GBA_E_PROTOCOL, 0, 0},
        {"HTTP/1.1 200 OK\r\nno colon\r\n", GBA_E_PROTOCOL, 0, 0},
        {"HTTP/1.1 200 OK\r\n: nameless\r\n", GBA_E_PROTOCOL, 0, 0},
        {"HTTP/1.1 200 OK\r\nA : b\r\n", GBA_E_PROTOCOL, 0, 0},
        {"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n", GBA_E_PROTOCOL, 0, 0},
        {"HTTP/1.1 200 OK\r\nA: b\rc\r\n", GBA_E_PROTOCOL, 0, 0},
        {"HTTP/1.1 200 OK\r\nA: unended", GBA_E_PROTOCOL, 0, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gba_ue_field fields[GBA_UE_MAX_FIELDS];
        struct gba_ue_reply reply;
        char *copy;

        CU_ASSERT_EQUAL(parse(rows[i].text, strlen(rows[i].text), fields, &reply, &copy),
                        rows[i].err);
        if (rows[i].err == GBA_OK) {
            CU_ASSERT_EQUAL(reply.status, rows[i].status);
            CU_ASSERT_EQUAL(reply.n_fields, rows[i].n_fields);
        }
        free(copy);
    }
}

static void test_fields(void)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nA: one \r\nb: two\r\na:three\r\n\r\n",
                      nul[] = "HTTP/1.1 200 OK\r\nA: b\0c\r\n";
    struct gba_ue_field fields[GBA_UE_MAX_FIELDS];
    struct gba_ue_reply reply;
    char *copy;

    CU_ASSERT_EQUAL(parse(text, sizeof(text) - 1, fields, &reply, &copy), GBA_OK);
    CU_ASSERT_STRING_EQUAL(gba_ue_reply_field(&reply, "A", 0), "one");
    CU_ASSERT_STRING_EQUAL(gba_ue_reply_field(&reply, "A", 1), "three");
    CU_ASSERT_PTR_NULL(gba_ue_reply_field(&reply, "A", 2));
    CU_ASSERT_STRING_EQUAL(gba_ue_reply_field(&reply, "B", 0), "two");
    CU_ASSERT_PTR_NULL(gba_ue_reply_field(&reply, "AB", 0));
    free(copy);
    CU_ASSERT_EQUAL(parse(nul, sizeof(nul) - 1, fields, &reply, &copy), GBA_E_PROTOCOL);
    free(copy);
}

static void test_too_many_fields(void)
{
    struct gba_ue_field fields[GBA_UE_MAX_FIELDS];
    struct gba_ue_reply reply;
    char text[2048] = "HTTP/1.1 200 OK\r\n", *copy;

    for (size_t i = 0; i < GBA_UE_MAX_FIELDS; i++)
        strcat(text, "A: b\r\n");
    CU_ASSERT_EQUAL(parse(text, strlen(text), fields, &reply, &copy), GBA_OK);
    free(copy);
    strcat(text, "A: b\r\n");
    CU_ASSERT_EQUAL(parse(text, strlen(text), fields, &reply, &copy), GBA_E_PROTOCOL);
    free(copy);
}

static void test_urls(void)
{
    static const struct {
        const char *text;
        enum gba_err err;
        bool https;
        const char *host, *port, *target;
    } rows[] = {
        {"http://bsf.example.org/", GBA_OK, false, "bsf.example.org", "", "/"},
        {"https://bsf.example.org", GBA_OK, true, "bsf.example.org", "", "/"},
        {"http://127.0.0.1:8080/a?b=c#d", GBA_OK, false, "127.0.0.1", "8080", "/a?b=c"},
        {"https://[::1]:443/x", GBA_OK, true, "[::1]", "443", "/x"},
        {"https://[::1]/", GBA_OK, true, "[::1]", "", "/"},
        {"ftp://x/", GBA_E_SYNTAX, false, "", "", ""},
        {"HTTP://x/", GBA_E_SYNTAX, false, "", "", ""},
        {"http:///x", GBA_E_SYNTAX, false, "", "", ""},
        {"http://u@h/", GBA_E_SYNTAX, false, "", "", ""},
        {"http://u:p@h/", GBA_E_SYNTAX, false, "", "", ""},
        {"http://h:0/", GBA_E_SYNTAX, false, "", "", ""},
        {"http://h:65536/", GBA_E_SYNTAX, false, "", "", ""},
        {"http://h:x/", GBA_E_SYNTAX, false, "", "", ""},
        {"http://h/a b", GBA_E_SYNTAX, false, "", "", ""},
        {"http://h/\"", GBA_E_SYNTAX, false, "", "", ""},
        {"http://h/\r\nX: y", GBA_E_SYNTAX, false, "", "", ""},
        {"http://h?x", GBA_E_SYNTAX, false, "", "", ""},
        {"https://[::1", GBA_E_SYNTAX, false, "", "", ""},
        {"https://[::1]x/", GBA_E_SYNTAX, false, "", "", ""},
        {"", GBA_E_SYNTAX, false, "", "", ""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct url u;

        CU_ASSERT_EQUAL(url_parse(rows[i].text, &u), rows[i].err);
        if (rows[i].err != GBA_OK)
            continue;
        CU_ASSERT_EQUAL(u.https, rows[i].https);
        CU_ASSERT(gba_text_is(u.host, rows[i].host));
        CU_ASSERT(gba_text_is(u.port, rows[i].port));
        CU_ASSERT(gba_text_is(u.target, rows[i].target));
    }
}

static void test_hosts(void)
{
    CU_ASSERT(url_host_is_address(GBA_TEXT("127.0.0.1")));
    CU_ASSERT(url_host_is_address(GBA_TEXT("[::1]")));
    CU_ASSERT(!url_host_is_address(GBA_TEXT("127.0.0.1.example")));
    CU_ASSERT(url_host_is_loopback(GBA_TEXT("127.9.9.9")));
    CU_ASSERT(url_host_is_loopback(GBA_TEXT("LOCALHOST")));
    CU_ASSERT(!url_host_is_loopback(GBA_TEXT("127.evil.example")));
    CU_ASSERT(!url_host_is_loopback(GBA_TEXT("localhost.evil")));
}

static const struct unit_test tests[] = {
    {"heads", test_heads}, {"fields", test_fields}, {"too many fields", test_too_many_fields},
    {"URLs", test_urls},   {"hosts", test_hosts},
};
UNIT_MAIN("http_reply", tests)
