/*
 * Zh over Diameter against mock-hss: what an HSS may answer.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/e2e/zh_scenarios.h"

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/secret.h"
#include "common/sqn.h"
#include "common/timestamp.h"
#include "tests/e2e/zh_lab.h"
#include "tests/host/certs.h"

static struct zh_lab lab;

/* The card of HSS_IMPI: TS 35.208 set 1. */
static struct gba_aka_secret card(void)
{
    static const uint8_t k[16] = {0x46, 0x5b, 0x5c, 0xe8, 0xb1, 0x99, 0xb4, 0x9f,
                                  0xaa, 0x5f, 0x0a, 0x2e, 0xe2, 0x38, 0xa6, 0xbc};
    static const uint8_t opc[16] = {0xcd, 0x63, 0xcb, 0x71, 0x95, 0x4a, 0x9f, 0x4e,
                                    0x48, 0xa5, 0x99, 0x4e, 0x37, 0xa0, 0x2b, 0xaf};
    struct gba_aka_secret s = {.algorithm = GBA_AKA_MILENAGE, .k_len = 16, .res_len = 8};

    memcpy(s.k, k, 16);
    memcpy(s.opc, opc, 16);
    return s;
}

/* The card of HSS_IMPI_3GPP2. */
static struct gba_aka_secret card_3gpp2(void)
{
    struct gba_aka_secret s = {.algorithm = GBA_AKA_3GPP2, .k_len = 16, .res_len = 16};

    for (uint8_t i = 0; i < 16; i++)
        s.k[i] = i;
    s.own_fmk = true;
    memcpy(s.fmk, "Open", 4);
    return s;
}

/* The card takes the vector and comes to the same keys; its SQN. */
static uint64_t accepts(struct gba_aka_secret s, const struct gba_av *av)
{
    struct gba_av own;
    uint8_t sqn[6], amf[2];

    MUST(gba_aka_open_autn(&s, av->rand, av->autn, sqn, amf, &own) == GBA_OK);
    MUST(gba_equal_ct(own.ck, av->ck, 16) && gba_equal_ct(own.ik, av->ik, 16));
    MUST(own.res_len == av->res_len && gba_equal_ct(own.res, av->res, own.res_len));
    return gba_sqn_get(sqn);
}

static uint64_t card_accepts(const struct gba_av *av)
{
    return accepts(card(), av);
}

static struct hss_child start_one(void)
{
    struct hss_child h = hss_start("hss1.hss.test", NULL);

    zh_lab_init(&lab);
    return h;
}

static void open_one(struct hss_child *h)
{
    zh_lab_peer(&lab, h->identity, h->address);
    zh_lab_open(&lab, 1);
}

static void end_one(struct hss_child *h)
{
    zh_lab_close(&lab);
    MUST(hss_stop(h) == 0);
}

void scenario_vector(void)
{
    struct hss_child h = start_one();
    struct zh_query q = zh_lab_query(HSS_IMPI);
    struct zh_lab_answer *a;
    uint64_t first;

    open_one(&h);
    a = zh_lab_get(&lab, HSS_IMPI);
    MUST(a->err == GBA_OK && a->guss != NULL);
    MUST(gba_guss_lifetime_s(a->guss) == 3600);
    first = card_accepts(&a->av);

    /* The GUSS is not sent again to who has it; it is to who has an older one. */
    q.guss_timestamp_s = gba_guss_timestamp_s(a->guss);
    MUST(q.guss_timestamp_s != 0);
    a = zh_lab_wait(&lab, zh_lab_ask(&lab, &q));
    MUST(a->err == GBA_OK && a->guss == NULL);
    MUST(card_accepts(&a->av) > first);
    q.guss_timestamp_s--;
    a = zh_lab_wait(&lab, zh_lab_ask(&lab, &q));
    MUST(a->err == GBA_OK && a->guss != NULL);

    a = zh_lab_get(&lab, HSS_IMPI_TUAK);
    MUST(a->err == GBA_OK && a->av.res_len == 16 && a->guss == NULL);
    a = zh_lab_get(&lab, HSS_IMPI_3GPP2);
    MUST(a->err == GBA_OK && accepts(card_3gpp2(), &a->av) != 0);
    MUST(zh_lab_get(&lab, HSS_IMPI_BARRED)->err == GBA_E_SUBSCRIBER_BARRED);
    MUST(zh_lab_get(&lab, "nobody@hss.test")->err == GBA_E_SUBSCRIBER_UNKNOWN);
    end_one(&h);
}

/* zh_app_id 16777220 and 16777216: the second has 601, 602 and 607, or mock-hss refuses. */
static void with_application(int application)
{
    struct hss_child h = start_one();

    lab.config.application = application;
    lab.config.send_public_identity = application == 1;
    open_one(&h);
    MUST(zh_lab_get(&lab, HSS_IMPI)->err == GBA_OK);
    end_one(&h);
}

void scenario_applications(void)
{
    with_application(2);
}

/* The same of a card with 3GPP2's functions. */
static void resync_3gpp2(void)
{
    const struct gba_aka_secret s = card_3gpp2();
    struct zh_query q = zh_lab_query(HSS_IMPI_3GPP2);
    struct zh_lab_answer *a = zh_lab_get(&lab, HSS_IMPI_3GPP2);
    const uint64_t in_card = UINT64_C(0x7654320);
    uint8_t sqn_ms[6];

    MUST(a->err == GBA_OK && accepts(s, &a->av) < in_card);
    gba_sqn_put(in_card, sqn_ms);
    q.resync = true;
    memcpy(q.auts_rand, a->av.rand, 16);
    MUST(gba_aka_make_auts(&s, q.auts_rand, sqn_ms, q.auts) == GBA_OK);
    a = zh_lab_wait(&lab, zh_lab_ask(&lab, &q));
    MUST(a->err == GBA_OK);
    MUST(accepts(s, &a->av) >> GBA_SQN_IND_BITS == (in_card >> GBA_SQN_IND_BITS) + 1);
}

void scenario_resync(void)
{
    struct hss_child h = start_one();
    struct zh_query q = zh_lab_query(HSS_IMPI);
    struct gba_aka_secret s = card();
    struct zh_lab_answer *a;
    uint64_t in_card = UINT64_C(0x1234560), got;
    uint8_t sqn_ms[6];

    open_one(&h);
    a = zh_lab_get(&lab, HSS_IMPI);
    MUST(a->err == GBA_OK && card_accepts(&a->av) < in_card);
    gba_sqn_put(in_card, sqn_ms);
    q.resync = true;
    memcpy(q.auts_rand, a->av.rand, 16);
    MUST(gba_aka_make_auts(&s, q.auts_rand, sqn_ms, q.auts) == GBA_OK);
    a = zh_lab_wait(&lab, zh_lab_ask(&lab, &q));
    MUST(a->err == GBA_OK);
    got = card_accepts(&a->av);
    MUST(got >> GBA_SQN_IND_BITS == (in_card >> GBA_SQN_IND_BITS) + 1);

    q.auts[13] ^= 1;
    MUST(zh_lab_wait(&lab, zh_lab_ask(&lab, &q))->err == GBA_E_AUTS);

    MUST(hss_stat(&h, "resyncs") == 1);
    resync_3gpp2();
    end_one(&h);
}

/* stale-sqn: no card takes the number, also where vectors before it were never used; after an
 * AUTS, or clear, the count goes on where it was. */
void scenario_stale(void)
{
    struct hss_child h = start_one();
    struct zh_query q = zh_lab_query(HSS_IMPI);
    struct gba_sqn_usim usim = {{0}}, fresh = {{0}};
    struct gba_aka_secret s = card();
    struct zh_lab_answer *a;
    uint8_t sqn_ms[6];
    uint64_t last;

    open_one(&h);
    MUST(gba_sqn_accept(&usim, card_accepts(&zh_lab_get(&lab, HSS_IMPI)->av)) == GBA_OK);
    (void)zh_lab_get(&lab, HSS_IMPI);
    last = card_accepts(&zh_lab_get(&lab, HSS_IMPI)->av);
    MUST(hss_control(&h, "stale-sqn " HSS_IMPI, NULL));
    for (int i = 0; i < 2; i++) {
        a = zh_lab_get(&lab, HSS_IMPI);
        MUST(a->err == GBA_OK);
        MUST(gba_sqn_accept(&usim, card_accepts(&a->av)) == GBA_E_SYNC);
        MUST(gba_sqn_accept(&fresh, card_accepts(&a->av)) == GBA_E_SYNC);
    }
    gba_sqn_put(gba_sqn_ms(&usim), sqn_ms);
    q.resync = true;
    memcpy(q.auts_rand, a->av.rand, 16);
    MUST(gba_aka_make_auts(&s, q.auts_rand, sqn_ms, q.auts) == GBA_OK);
    a = zh_lab_wait(&lab, zh_lab_ask(&lab, &q));
    MUST(a->err == GBA_OK);
    last += 1 << GBA_SQN_IND_BITS;
    MUST(card_accepts(&a->av) == last && gba_sqn_accept(&usim, last) == GBA_OK);
    MUST(hss_control(&h, "stale-sqn " HSS_IMPI, NULL));
    MUST(card_accepts(&zh_lab_get(&lab, HSS_IMPI)->av) < last);
    MUST(hss_control(&h, "clear", NULL));
    last += 1 << GBA_SQN_IND_BITS;
    MUST(card_accepts(&zh_lab_get(&lab, HSS_IMPI)->av) == last);
    end_one(&h);
}

void scenario_malformed(void)
{
    static const struct {
        const char *kind;
        enum gba_err err;
    } rows[] = {
        {"unknown-m-avp", GBA_E_ZH_MALFORMED}, /* libfdcore drops these three answers */
        {"unknown-m-first", GBA_E_ZH_MALFORMED},
        {"broken-group", GBA_E_ZH_MALFORMED},
        {"bad-result-length", GBA_E_ZH_MALFORMED},
        {"short-autn", GBA_E_ZH_MALFORMED},
        {"long-res", GBA_E_ZH_MALFORMED},
        {"short-res", GBA_E_ZH_MALFORMED},
        {"no-ck", GBA_E_ZH_MALFORMED},
        {"no-612", GBA_E_ZH_MALFORMED},
        {"no-result", GBA_E_ZH_MALFORMED},
        {"bad-guss", GBA_E_ZH_MALFORMED},
        {"two-results", GBA_E_SUBSCRIBER_UNKNOWN},
        {"same-rand", GBA_OK},
        {"nul-session", GBA_OK},
        {"pyhss", GBA_OK},
        {"fhoss", GBA_OK},
        {"no-scheme", GBA_OK},
        {"two-vectors", GBA_OK},
    };
    struct hss_child h = start_one();
    char command[64];

    open_one(&h);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct zh_lab_answer *a;

        snprintf(command, sizeof(command), "malformed * %s 1", rows[i].kind);
        MUST(hss_control(&h, command, NULL));
        a = zh_lab_get(&lab, HSS_IMPI);
        if (a->err != rows[i].err)
            fprintf(stderr, "    %s: %s\n", rows[i].kind, gba_err_name(a->err));
        MUST(a->err == rows[i].err);
        if (a->err == GBA_OK)
            (void)card_accepts(&a->av);
    }
    MUST(zh_lab_get(&lab, HSS_IMPI)->err == GBA_OK);
    /* Not a clean MAC: the card will say so, not the adapter. */
    MUST(hss_control(&h, "bad-mac " HSS_IMPI " 1", NULL));
    MUST(zh_lab_get(&lab, HSS_IMPI)->err == GBA_OK);
    end_one(&h);
}

void scenario_error_codes(void)
{
    static const struct {
        const char *code;
        enum gba_err err;
    } rows[] = {
        {"5401", GBA_E_SUBSCRIBER_UNKNOWN},  {"5001", GBA_E_SUBSCRIBER_UNKNOWN},
        {"r5001", GBA_E_SUBSCRIBER_UNKNOWN}, {"b5001", GBA_E_SUBSCRIBER_UNKNOWN},
        {"b5401", GBA_E_SUBSCRIBER_UNKNOWN}, {"5003", GBA_E_SUBSCRIBER_BARRED},
        {"b5003", GBA_E_SUBSCRIBER_BARRED},  {"4181", GBA_E_SUBSCRIBER_BARRED},
        {"x4181", GBA_E_SUBSCRIBER_BARRED},  {"x5006", GBA_E_SUBSCRIBER_BARRED},
        {"3002", GBA_E_ZH_UNREACHABLE},      {"3004", GBA_E_ZH_FAILURE},
        {"5012", GBA_E_ZH_FAILURE},          {"b5012", GBA_E_ZH_FAILURE},
        {"4100", GBA_E_ZH_FAILURE},          {"3007", GBA_E_ZH_FAILURE},
        {"9999", GBA_E_ZH_FAILURE},          {"1001", GBA_E_ZH_FAILURE},
    };
    struct hss_child h = start_one();
    char command[64];

    open_one(&h);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum gba_err err;

        snprintf(command, sizeof(command), "error * %s 1", rows[i].code);
        MUST(hss_control(&h, command, NULL));
        err = zh_lab_get(&lab, HSS_IMPI)->err;
        if (err != rows[i].err)
            fprintf(stderr, "    %s: %s\n", rows[i].code, gba_err_name(err));
        MUST(err == rows[i].err);
    }
    MUST(zh_lab_get(&lab, HSS_IMPI)->err == GBA_OK);
    end_one(&h);
}

static void ask_many(size_t n)
{
    struct zh_query q = zh_lab_query(HSS_IMPI);

    for (size_t i = 0; i < n; i++)
        (void)zh_lab_ask(&lab, &q);
}

static size_t count_answers(size_t n, enum gba_err err)
{
    size_t found = 0;

    for (size_t i = 0; i < n; i++)
        found += zh_lab_wait(&lab, i)->err == err;
    return found;
}

void scenario_64_outstanding(void)
{
    struct hss_child h = start_one();

    open_one(&h);
    ask_many(64);
    MUST(count_answers(64, GBA_OK) == 64);
    for (size_t i = 0; i < 64; i++)
        for (size_t j = 0; j < i; j++)
            MUST(memcmp(lab.answers[i].av.rand, lab.answers[j].av.rand, 16) != 0);
    end_one(&h);
}

/* 256 wait, the rest is refused at once; every one is answered once. */
void scenario_300_outstanding(void)
{
    struct hss_child h = start_one();

    open_one(&h);
    MUST(hss_control(&h, "delay * 1000", NULL));
    ask_many(300);
    MUST(count_answers(300, GBA_E_OVERLOAD) == 44);
    MUST(count_answers(300, GBA_OK) == 256);
    MUST(zh_lab_get(&lab, HSS_IMPI)->err == GBA_OK);
    end_one(&h);
}

/* Answers that come after our deadline find nothing, nor do they harm. */
void scenario_late_answers(void)
{
    struct hss_child h = start_one();

    lab.config.deadline_ms = 300;
    open_one(&h);
    MUST(hss_control(&h, "delay * 600", NULL));
    ask_many(32);
    MUST(count_answers(32, GBA_E_ZH_TIMEOUT) == 32);
    MUST(hss_control(&h, "delay * 0", NULL));
    MUST(zh_lab_get(&lab, HSS_IMPI)->err == GBA_OK);
    zh_lab_pause_ms(600); /* the late ones come here, or were forgotten by libfdcore */
    MUST(zh_lab_get(&lab, HSS_IMPI)->err == GBA_OK);
    MUST(hss_control(&h, "drop * 1", NULL));
    MUST(zh_lab_get(&lab, HSS_IMPI)->err == GBA_E_ZH_TIMEOUT);
    end_one(&h);
}

void scenario_close_while_waiting(void)
{
    struct hss_child h = start_one();

    open_one(&h);
    MUST(hss_control(&h, "delay * 200", NULL));
    ask_many(64);
    zh_lab_close(&lab); /* checks that every one was answered */
    for (size_t i = 0; i < 64; i++)
        MUST(lab.answers[i].err == GBA_E_CANCELLED);
    MUST(hss_stop(&h) == 0);
}

void scenario_no_peer(void)
{
    static char nowhere[] = "127.0.0.1:9"; /* discard: nobody listens */
    struct zh_diameter_config again;
    struct zh *second;

    zh_lab_init(&lab);
    zh_lab_peer(&lab, "hss1.hss.test", nowhere);
    zh_lab_open(&lab, 0);
    MUST(!lab.zh->healthy(lab.zh));
    MUST(zh_lab_get(&lab, HSS_IMPI)->err == GBA_E_ZH_UNREACHABLE);
    ask_many(400);
    for (size_t i = 0; i < lab.n; i++) {
        enum gba_err err = zh_lab_wait(&lab, i)->err;

        MUST(err == GBA_E_ZH_UNREACHABLE || err == GBA_E_OVERLOAD);
    }
    again = lab.config;
    MUST(zh_diameter_open(&again, NULL, NULL, &second) == GBA_E_UNEXPECTED);
    zh_lab_close(&lab);
}

/* Both ends show certificates with their identities. */
void scenario_tls(void)
{
    struct certs_pair ca, hss, bsf;
    struct hss_child h;
    char lines[1024];

    MUST(certs_folder() != NULL);
    ca = certs_make("ca", "Test CA", NULL, 24, 1);
    certs_next_dns("hss1.hss.test");
    hss = certs_make("hss", "hss1.hss.test", &ca, 24, 2);
    certs_next_dns("bsf.zh.test");
    bsf = certs_make("bsf", "bsf.zh.test", &ca, 24, 3);
    snprintf(lines, sizeof(lines), "tls_cert: %s\ntls_key: %s\ntls_ca: %s\n",
             certs_path("hss.pem"), certs_path("hss.key"), certs_path("ca.pem"));
    h = hss_start_with("hss1.hss.test", NULL, lines);
    zh_lab_init(&lab);
    lab.config.tls_cert = strdup(certs_path("bsf.pem"));
    lab.config.tls_key = strdup(certs_path("bsf.key"));
    lab.config.tls_ca = strdup(certs_path("ca.pem"));
    zh_lab_peer(&lab, h.identity, h.address);
    lab.peers[0].tls = true;
    zh_lab_open(&lab, 1);
    MUST(zh_lab_get(&lab, HSS_IMPI)->err == GBA_OK);
    end_one(&h);
    free(lab.config.tls_cert);
    free(lab.config.tls_key);
    free(lab.config.tls_ca);
    certs_free(&ca);
    certs_free(&hss);
    certs_free(&bsf);
    certs_folder_remove();
}

void scenario_ipv6(void)
{
    struct hss_child h = hss_start("hss1.hss.test", "\"[::1]:0\"");

    zh_lab_init(&lab);
    open_one(&h);
    MUST(strncmp(h.address, "[::1]:", 6) == 0);
    MUST(zh_lab_get(&lab, HSS_IMPI)->err == GBA_OK);
    end_one(&h);
}

void scenario_clients_list(void)
{
    struct hss_child h = hss_start_with("hss1.hss.test", NULL, "clients: [other.zh.test]\n");

    zh_lab_init(&lab);
    zh_lab_peer(&lab, h.identity, h.address);
    zh_lab_open(&lab, 0);
    zh_lab_pause_ms(300);
    MUST(!lab.zh->healthy(lab.zh));
    MUST(zh_lab_get(&lab, HSS_IMPI)->err == GBA_E_ZH_UNREACHABLE);
    end_one(&h);
}

static int control_connect(const struct hss_child *h)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/control", h->folder);
    MUST(fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
    return fd;
}

static void expect(FILE *replies, const char *text)
{
    char reply[1100];

    MUST(fgets(reply, sizeof(reply), replies) != NULL);
    if (strncmp(reply, text, strlen(text)) != 0)
        fprintf(stderr, "    %s", reply);
    MUST(strncmp(reply, text, strlen(text)) == 0);
}

static void *send_stats(void *arg)
{
    const int *fd = arg;

    for (int i = 0; i < 2000; i++)
        MUST(write(*fd, "stats\n", 6) == 6);
    return NULL;
}

/* Every line has its reply, in order: after one that is too long, after one with a NUL, and
 * when nobody reads for a while. */
void scenario_control_pipelined(void)
{
    struct hss_child h = hss_start("hss1.hss.test", NULL);
    int fd = control_connect(&h), others[8];
    FILE *replies = fdopen(fd, "r");
    char line[3000];
    pthread_t sender;

    memset(line, 'x', sizeof(line));
    MUST(replies != NULL && write(fd, line, sizeof(line)) == (ssize_t)sizeof(line));
    MUST(write(fd, "\nstats\nclear\0 x\nclear\n", 22) == 22);
    expect(replies, "error line too long\n");
    expect(replies, "ok requests=0");
    expect(replies, "error NUL in the line\n");
    expect(replies, "ok\n");
    MUST(pthread_create(&sender, NULL, send_stats, &fd) == 0);
    zh_lab_pause_ms(200);
    for (int i = 0; i < 2000; i++)
        expect(replies, "ok requests=0");
    MUST(pthread_join(sender, NULL) == 0);
    for (int i = 0; i < 7; i++) {
        others[i] = control_connect(&h);
        MUST(write(others[i], "clear\n", 6) == 6 && read(others[i], line, 3) == 3);
    }
    others[7] = control_connect(&h);
    MUST(read(others[7], line, sizeof(line)) == 23);
    MUST(memcmp(line, "error too many clients\n", 23) == 0);
    MUST(read(others[7], line, sizeof(line)) == 0);
    for (int i = 0; i < 8; i++)
        close(others[i]);
    fclose(replies);
    MUST(hss_stop(&h) == 0);
}

void scenario_control_socket(void)
{
    static const char *const refused[] = {
        "",
        "nonsense",
        "delay",
        "delay *",
        "delay * x",
        "delay nobody@hss.test 1",
        "drop * 0",
        "drop * -1",
        "drop * 1 2",
        "bad-mac * 1 2 3 4 5 6 7",
        "stale-sqn *",
        "stale-sqn nobody@hss.test",
        "error * 5012",
        "error * 99 1",
        "error * y5012 1",
        "malformed * nonsense 1",
        "stats 1",
        "help nonsense",
    };
    struct hss_child h = hss_start("hss1.hss.test", NULL);
    char path[128], reply[1024], line[700];
    struct stat st;

    snprintf(path, sizeof(path), "%s/control", h.folder);
    MUST(stat(path, &st) == 0 && S_ISSOCK(st.st_mode) && (st.st_mode & 0777) == 0600);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        bool ok = hss_control(&h, refused[i], reply);

        if (ok || strncmp(reply, "error ", 6) != 0)
            fprintf(stderr, "    %s: %s", refused[i], reply);
        MUST(!ok && strncmp(reply, "error ", 6) == 0);
    }
    MUST(hss_control(&h, "help", reply) && hss_control(&h, "help no-612", reply));
    MUST(strcmp(reply, "ok kind=no-612\n") == 0);
    memset(line, 'x', sizeof(line)); /* longer than any command */
    line[sizeof(line) - 1] = '\0';
    MUST(!hss_control(&h, line, reply) && strcmp(reply, "error line too long\n") == 0);
    for (int i = 0; i < 300; i++)
        (void)hss_control(&h, "drop * 1", reply);
    MUST(strncmp(reply, "error ", 6) == 0); /* 256 are too many as it is */
    MUST(hss_control(&h, "clear", reply) && strcmp(reply, "ok\n") == 0);
    MUST(hss_stat(&h, "requests") == 0);
    MUST(hss_stop(&h) == 0);
}
