/*
 * doc/examples/naf_minimal.c as a stranger would run it: the program, a BSF over TLS, and a UE
 * that speaks Ua Digest over a socket.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/digest.h"
#include "common/identity.h"
#include "common/ua_protocol.h"
#include "tests/host/certs.h"
#include "tests/naf/fake_bsf.h"
#include "tests/unit.h"

#define BTID  "AAECAwQFBgcICQoLDA0ODw==@bsf.example"
#define REALM "3GPP-bootstrapping@naf.example"

static struct fake_bsf bsf;
static pid_t pid;
static int to_program;
static uint16_t port;

static void start_program(void)
{
    const char *top = getenv("top_builddir");
    char program[512], path[4][128], line[64];
    int in[2], out[2];
    FILE *f;

    snprintf(program, sizeof(program), "%s/doc/examples/naf_minimal", top != NULL ? top : ".");
    snprintf(path[0], sizeof(path[0]), "%s", certs_path("ca.pem"));
    snprintf(path[1], sizeof(path[1]), "%s", certs_path("naf.pem"));
    snprintf(path[2], sizeof(path[2]), "%s", certs_path("naf.key"));
    CU_ASSERT_EQUAL_FATAL(pipe(in) + pipe(out), 0);
    pid = fork();
    if (pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        execl(program, program, "naf.example", "0", "bsf.example", bsf.url, path[0], path[1],
              path[2], (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    to_program = in[1];
    f = fdopen(out[0], "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(fgets(line, sizeof(line), f));
    CU_ASSERT_EQUAL(sscanf(line, "port=%hu", &port), 1);
    fclose(f);
}

static void make_certificates(void)
{
    struct certs_pair ca = certs_make("ca", "ca", NULL, 24, 1), p;

    certs_next_dns("localhost");
    p = certs_make("bsf", "bsf", &ca, 24, 2);
    certs_free(&p);
    certs_next_dns("naf.example");
    p = certs_make("naf", "naf", &ca, 24, 3);
    certs_free(&p);
    certs_free(&ca);
}

/* One request on a connection of its own; the whole answer. */
static void get(const char *authorization, char out[static 4096])
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char text[2048];
    size_t n = 0;
    ssize_t got;

    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    snprintf(text, sizeof(text),
             "GET /x HTTP/1.1\r\nHost: naf.example\r\nConnection: close\r\n%s%s%s\r\n",
             authorization != NULL ? "Authorization: " : "",
             authorization != NULL ? authorization : "", authorization != NULL ? "\r\n" : "");
    CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    while ((got = read(fd, out + n, 4095 - n)) > 0)
        n += (size_t)got;
    out[n] = '\0';
    close(fd);
}

static void nonce_of(const char *answer, char nonce[static 64])
{
    const char *p = strstr(answer, "nonce=\"");

    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    snprintf(nonce, 64, "%.*s", (int)strcspn(p + 7, "\""), p + 7);
}

static void input(struct gba_digest_input *in, const char *nonce, const char *nc,
                  char password[static 45])
{
    struct gba_naf_id id;
    uint8_t key[32];

    gba_naf_id_make(GBA_TEXT("naf.example"), gba_ua_http_digest, &id);
    fake_bsf_key(BTID, (struct gba_bytes){id.octets, id.n}, key);
    gba_base64(password, GBA_BYTES(key));
    *in = (struct gba_digest_input){.algorithm = GBA_DIGEST_SHA256,
                                    .qop = GBA_QOP_AUTH_INT,
                                    .username = GBA_TEXT(BTID),
                                    .realm = GBA_TEXT(REALM),
                                    .method = GBA_TEXT("GET"),
                                    .uri = GBA_TEXT("/x"),
                                    .nonce = gba_text(nonce),
                                    .nc = gba_text(nc),
                                    .cnonce = GBA_TEXT("c"),
                                    .password = gba_text_bytes(gba_text(password))};
}

static void authorize(const struct gba_digest_input *in, char out[static 1024])
{
    char response[GBA_DIGEST_HEX_SIZE];

    gba_digest_response(in, response);
    snprintf(out, 1024,
             "Digest username=\"" BTID "\", realm=\"" REALM
             "\", nonce=\"%.*s\", uri=\"/x\", algorithm=SHA-256, qop=auth-int, nc=%.*s, "
             "cnonce=\"c\", response=\"%s\"",
             (int)in->nonce.n, in->nonce.s, (int)in->nc.n, in->nc.s, response);
}

static void test_ua(void)
{
    static const char body[] = "Hello, " BTID "\n";
    char answer[4096], nonce[64], password[45], authorization[1024], expected[80];
    char twice[1100];
    char rspauth[GBA_DIGEST_HEX_SIZE];
    struct gba_digest_input in;

    get(NULL, answer);
    CU_ASSERT_EQUAL(strncmp(answer, "HTTP/1.1 401", 12), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(answer, "realm=\"" REALM "\""));
    nonce_of(answer, nonce);
    input(&in, nonce, "00000001", password);
    authorize(&in, authorization);
    get(authorization, answer);
    CU_ASSERT_EQUAL(strncmp(answer, "HTTP/1.1 200", 12), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(answer, body));
    in.method = GBA_TEXT("");
    in.body = gba_text_bytes(gba_text(body));
    gba_digest_response(&in, rspauth);
    snprintf(expected, sizeof(expected), "rspauth=\"%s\"", rspauth);
    CU_ASSERT_PTR_NOT_NULL(strstr(answer, expected));
    CU_ASSERT_EQUAL(bsf.n_asked, 1);

    snprintf(twice, sizeof(twice), "%s\r\nAuthorization: Digest username=\"x\"", authorization);
    get(twice, answer);
    CU_ASSERT_EQUAL(strncmp(answer, "HTTP/1.1 400", 12), 0);
    get(authorization, answer); /* a replay */
    CU_ASSERT_EQUAL(strncmp(answer, "HTTP/1.1 401", 12), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(answer, "stale=true"));
    password[0] ^= 1;
    in.method = GBA_TEXT("GET");
    in.body = (struct gba_bytes){NULL, 0};
    in.nc = GBA_TEXT("00000002");
    authorize(&in, authorization);
    get(authorization, answer); /* a wrong key */
    CU_ASSERT_EQUAL(strncmp(answer, "HTTP/1.1 401", 12), 0);
    CU_ASSERT_PTR_NULL(strstr(answer, "stale"));
    CU_ASSERT_PTR_NULL(strstr(answer, "Hello"));
}

static void test_example(void)
{
    int status;

    make_certificates();
    fake_bsf_start(&bsf);
    start_program();
    test_ua();
    close(to_program);
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    fake_bsf_stop(&bsf);
    certs_folder_remove();
}

static const struct unit_test tests[] = {
    {"the example NAF", test_example},
};
UNIT_MAIN("naf_example", tests)
