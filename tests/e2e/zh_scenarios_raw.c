/*
 * Zh over Diameter against peers made of octets: what is on the wire, and what must not stop
 * us.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/e2e/zh_scenarios.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/timestamp.h"
#include "tests/e2e/raw_diameter.h"
#include "tests/e2e/zh_lab.h"

#define ZH       16777221u
#define VENDOR   10415u
#define IDENTITY "raw.hss.test"

static struct zh_lab lab;

/* The adapter connects to us; its end of the connection. */
static int accept_adapter(uint32_t application, enum zh_destination_host host)
{
    static char address[64];
    int listener = raw_listen(address), fd;

    MUST(listener >= 0);
    zh_lab_peer(&lab, IDENTITY, address);
    lab.peers[0].destination_host = (int)host;
    zh_lab_open(&lab, 0);
    fd = accept(listener, NULL, NULL);
    MUST(fd >= 0 && raw_serve_cer(fd, IDENTITY, application));
    zh_lab_wait_up(&lab, 1);
    close(listener);
    return fd;
}

static void next_avp(const struct raw_message *m, size_t *at, struct raw_avp *avp,
                     uint32_t vendor, uint32_t code)
{
    MUST(raw_next(m, at, avp));
    if (avp->code != code || avp->vendor != vendor)
        fprintf(stderr, "    AVP %u where %u should be\n", avp->code, code);
    MUST(avp->code == code && avp->vendor == vendor);
    MUST(((avp->flags & 0x40) != 0) == (code != 409));
    MUST(((avp->flags & 0x80) != 0) == (vendor != 0));
}

static bool is_text(const struct raw_avp *avp, const char *text)
{
    return avp->n == strlen(text) && memcmp(avp->p, text, avp->n) == 0;
}

/* TS 29.109 4.2: AVPs, their order and flags; RAND || AUTS of 30 octets; Time of 4. */
static void check_mar(const struct raw_message *m, const struct zh_query *q)
{
    static const uint8_t vsai[24] = {0, 0, 1, 10, 0x40, 0, 0, 12, 0, 0, 0x28, 0xaf,
                                     0, 0, 1, 2,  0x40, 0, 0, 12, 1, 0, 0,    5};
    struct raw_avp avp;
    size_t at = 20;

    MUST(m->octets[4] == (RAW_REQUEST | RAW_PROXIABLE) && raw_code(m) == 303);
    MUST(raw_u32(m->octets + 8) == ZH);
    next_avp(m, &at, &avp, 0, 263);
    MUST(avp.n > 12 && memcmp(avp.p, "bsf.zh.test;", 12) == 0);
    next_avp(m, &at, &avp, 0, 260);
    MUST(avp.n == 24 && memcmp(avp.p, vsai, 24) == 0);
    next_avp(m, &at, &avp, 0, 277);
    MUST(raw_u32(avp.p) == 1);
    next_avp(m, &at, &avp, 0, 264);
    MUST(is_text(&avp, "bsf.zh.test"));
    next_avp(m, &at, &avp, 0, 296);
    MUST(is_text(&avp, "zh.test"));
    next_avp(m, &at, &avp, 0, 283);
    MUST(is_text(&avp, HSS_REALM));
    next_avp(m, &at, &avp, 0, 293);
    MUST(is_text(&avp, IDENTITY));
    next_avp(m, &at, &avp, 0, 1);
    MUST(is_text(&avp, HSS_IMPI));
    next_avp(m, &at, &avp, VENDOR, 612);
    MUST(avp.n == 28 + (q->resync ? 44 : 0));
    MUST(memcmp(avp.p + 12, "Digest-AKAv1-MD5", 16) == 0);
    if (q->resync) {
        MUST(raw_u32(avp.p + 28) == 610);
        MUST(memcmp(avp.p + 40, q->auts_rand, 16) == 0);
        MUST(memcmp(avp.p + 56, q->auts, GBA_AUTS_LEN) == 0);
    }
    if (q->guss_timestamp_s != 0) {
        next_avp(m, &at, &avp, VENDOR, 409);
        MUST(avp.n == 4 && raw_u32(avp.p) == gba_diameter_time(q->guss_timestamp_s));
    }
    MUST(at == m->n);
}

void scenario_request_on_the_wire(void)
{
    struct zh_query q = zh_lab_query(HSS_IMPI);
    struct raw_message mar;
    int fd;

    zh_lab_init(&lab);
    lab.config.deadline_ms = 500;
    fd = accept_adapter(ZH, ZH_DESTINATION_HOST_ALWAYS);
    (void)zh_lab_ask(&lab, &q);
    MUST(raw_next_request(fd, IDENTITY, &mar));
    check_mar(&mar, &q);
    q.resync = true;
    memset(q.auts_rand, 0x5a, 16);
    memset(q.auts, 0xa5, GBA_AUTS_LEN);
    q.guss_timestamp_s = INT64_C(2100000000); /* after the wrap of 2036 */
    (void)zh_lab_ask(&lab, &q);
    MUST(raw_next_request(fd, IDENTITY, &mar));
    check_mar(&mar, &q);
    MUST(zh_lab_wait(&lab, 1)->err == GBA_E_ZH_TIMEOUT);
    close(fd);
    zh_lab_close(&lab);
}

static void put_nul_request(struct raw_message *m, const char *origin, const char *host,
                            const char *realm)
{
    static const char session[] = "x;1;2\0;3";

    raw_begin(m, RAW_REQUEST | RAW_PROXIABLE, 303, ZH, 77, 88);
    raw_put(m, 0, 263, session, sizeof(session) - 1);
    raw_put_text(m, 0, 264, origin);
    raw_put_text(m, 0, 296, HSS_REALM);
    raw_put_text(m, 0, 283, realm);
    raw_put_text(m, 0, 293, host);
    raw_put_u32(m, 0, 277, 1);
    raw_put_text(m, 0, 1, HSS_IMPI);
}

/* A request with a NUL in Session-Id would stop libfdcore. */
void scenario_nul_in_session_id(void)
{
    struct raw_message m, answer;
    int fd;

    zh_lab_init(&lab);
    lab.config.deadline_ms = 500;
    fd = accept_adapter(ZH, ZH_DESTINATION_HOST_ALWAYS);
    for (int i = 0; i < 3; i++) {
        put_nul_request(&m, IDENTITY, "bsf.zh.test", "zh.test");
        MUST(raw_send(fd, &m) && raw_receive(fd, &answer));
        MUST(raw_code(&answer) == 303 && !raw_is_request(&answer));
    }
    MUST(lab.zh->healthy(lab.zh) && !lab.stopped);
    (void)zh_lab_get(&lab, HSS_IMPI);
    MUST(raw_next_request(fd, IDENTITY, &m) && raw_code(&m) == 303);
    MUST(!lab.stopped);
    close(fd);
    zh_lab_close(&lab);
}

void scenario_nul_at_mock_hss(void)
{
    struct hss_child h = hss_start("hss1.hss.test", NULL);
    struct raw_message m, answer;
    int fd = raw_connect(h.address);

    MUST(fd >= 0 && raw_send_cer(fd, "raw.bsf.test", ZH));
    for (int i = 0; i < 3; i++) {
        put_nul_request(&m, "raw.bsf.test", "hss1.hss.test", HSS_REALM);
        MUST(raw_send(fd, &m) && raw_receive(fd, &answer) && raw_code(&answer) == 303);
    }
    MUST(hss_stat(&h, "requests") == 3);
    close(fd);
    MUST(hss_stop(&h) == 0);
}

/* A peer whose CEA names no application of ours is asked all the same: it was configured.  Not
 * with an IMPI that would send the request to another realm. */
void scenario_application_not_advertised(void)
{
    struct raw_message m, answer;
    struct raw_avp avp;
    int fd;

    zh_lab_init(&lab);
    fd = accept_adapter(0, ZH_DESTINATION_HOST_NEVER);
    (void)zh_lab_ask(&lab, &(struct zh_query){.impi = HSS_IMPI});
    MUST(raw_next_request(fd, IDENTITY, &m) && raw_code(&m) == 303);
    raw_answer(&answer, &m, RAW_PROXIABLE, IDENTITY);
    raw_put_u32(&answer, 0, 268, 5003);
    MUST(raw_send(fd, &answer));
    MUST(!raw_find(&m, 0, 293, &avp));
    MUST(zh_lab_wait(&lab, 0)->err == GBA_E_SUBSCRIBER_BARRED);
    MUST(zh_lab_get(&lab, "evil.example!user@hss.test")->err == GBA_E_SUBSCRIBER_UNKNOWN);
    close(fd);
    zh_lab_close(&lab);
}

/* An AVP with an impossible length ends the connection, not the node. */
void scenario_garbage_from_peer(void)
{
    struct raw_message m, answer;
    int fd;

    zh_lab_init(&lab);
    lab.config.deadline_ms = 1500;
    fd = accept_adapter(ZH, ZH_DESTINATION_HOST_ALWAYS);
    (void)zh_lab_ask(&lab, &(struct zh_query){.impi = HSS_IMPI});
    MUST(raw_next_request(fd, IDENTITY, &m) && raw_code(&m) == 303);
    raw_answer(&answer, &m, RAW_PROXIABLE, IDENTITY);
    raw_put_u32(&answer, 0, 268, 2001);
    memset(answer.octets + answer.n - 8, 0xff, 4); /* the last AVP's length */
    MUST(raw_send(fd, &answer));
    MUST(zh_lab_wait(&lab, 0)->err != GBA_OK);
    MUST(!lab.stopped);
    close(fd);
    zh_lab_close(&lab);
}

/* --- answers at whose Result-Code libfdcore would stop ---------------------------------- */

enum broken {
    UNKNOWN_FIRST,
    UNKNOWN_FIRST_5003,
    SHORT,
    EMPTY,
    LONG,
    BAD_STATE_FIRST,
    CODE_304
};

static void put_broken_result(struct raw_message *m, enum broken how)
{
    static const uint8_t octets[8] = {0, 0, 7, 0xd1};
    static const size_t lengths[] = {[SHORT] = 3, [LONG] = 8, [BAD_STATE_FIRST] = 4};

    if (how == UNKNOWN_FIRST || how == UNKNOWN_FIRST_5003)
        raw_put_text(m, 0, 77777, "?");
    if (how == BAD_STATE_FIRST)
        raw_put(m, 0, 277, octets, 2);
    if (how == SHORT || how == EMPTY || how == LONG)
        raw_put(m, 0, 268, octets, lengths[how]);
    else
        raw_put_u32(m, 0, 268, how == UNKNOWN_FIRST_5003 ? 5003 : 2001);
    if (how == CODE_304)
        m->octets[7] = 304 & 0xff;
}

/* None stops the node; what refuses the subscriber is still heard. */
void scenario_answers_that_do_not_parse(void)
{
    static const struct {
        enum broken how;
        enum gba_err err;
    } rows[] = {
        {UNKNOWN_FIRST, GBA_E_ZH_MALFORMED}, {UNKNOWN_FIRST_5003, GBA_E_SUBSCRIBER_BARRED},
        {SHORT, GBA_E_ZH_MALFORMED},         {EMPTY, GBA_E_ZH_MALFORMED},
        {LONG, GBA_E_ZH_MALFORMED},          {BAD_STATE_FIRST, GBA_E_ZH_MALFORMED},
        {CODE_304, GBA_E_ZH_MALFORMED},
    };
    struct raw_message m, answer;
    int fd;

    zh_lab_init(&lab);
    fd = accept_adapter(ZH, ZH_DESTINATION_HOST_ALWAYS);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void)zh_lab_ask(&lab, &(struct zh_query){.impi = HSS_IMPI});
        MUST(raw_next_request(fd, IDENTITY, &m) && raw_code(&m) == 303);
        raw_answer(&answer, &m, RAW_PROXIABLE, IDENTITY);
        put_broken_result(&answer, rows[i].how);
        MUST(raw_send(fd, &answer));
        if (zh_lab_wait(&lab, i)->err != rows[i].err)
            fprintf(stderr, "    %zu: %s\n", i, gba_err_name(lab.answers[i].err));
        MUST(lab.answers[i].err == rows[i].err && !lab.stopped);
    }
    close(fd);
    zh_lab_close(&lab);
}

static void serve_broken_cer(int listener, enum broken how)
{
    struct raw_message cer, cea;
    int fd = accept(listener, NULL, NULL);

    MUST(fd >= 0 && raw_receive(fd, &cer) && raw_code(&cer) == 257);
    raw_answer(&cea, &cer, 0, IDENTITY);
    put_broken_result(&cea, how);
    raw_put_capabilities(&cea, ZH);
    MUST(raw_send(fd, &cea));
    (void)raw_receive(fd, &cer); /* until the adapter closes it */
    close(fd);
}

/* libfdcore wants watchdogs answered before it trusts a peer whose connection was lost. */
static void serve_until_up(int listener)
{
    struct raw_message m, answer;
    int fd = accept(listener, NULL, NULL);

    MUST(fd >= 0 && raw_serve_cer(fd, IDENTITY, ZH));
    while (!lab.zh->healthy(lab.zh)) {
        if (!raw_receive(fd, &m) || !raw_is_request(&m))
            continue;
        raw_answer(&answer, &m, 0, IDENTITY);
        raw_put_u32(&answer, 0, 268, 2001);
        MUST(raw_send(fd, &answer));
    }
    MUST(!lab.stopped);
    close(fd);
}

void scenario_cea_that_does_not_parse(void)
{
    char address[64];
    int listener = raw_listen(address);

    zh_lab_init(&lab);
    zh_lab_peer(&lab, IDENTITY, address);
    zh_lab_open(&lab, 0);
    serve_broken_cer(listener, UNKNOWN_FIRST);
    serve_broken_cer(listener, SHORT);
    serve_until_up(listener);
    close(listener);
    zh_lab_close(&lab);
}

/* The watchdog comes after six seconds or more; such an answer costs the connection. */
void scenario_dwa_that_does_not_parse(void)
{
    struct raw_message m, answer;
    char address[64];
    int listener = raw_listen(address), fd;

    zh_lab_init(&lab);
    zh_lab_peer(&lab, IDENTITY, address);
    zh_lab_open(&lab, 0);
    fd = accept(listener, NULL, NULL);
    MUST(fd >= 0 && raw_serve_cer(fd, IDENTITY, ZH));
    while (!raw_receive(fd, &m))
        MUST(!lab.stopped);
    MUST(raw_code(&m) == 280 && raw_is_request(&m));
    raw_answer(&answer, &m, 0, IDENTITY);
    put_broken_result(&answer, UNKNOWN_FIRST);
    MUST(raw_send(fd, &answer));
    serve_until_up(listener);
    close(fd);
    close(listener);
    zh_lab_close(&lab);
}

/* --- the end ---------------------------------------------------------------------------- */

static void check_dpr(int fd, struct raw_message *dpr)
{
    struct raw_avp avp;

    do
        MUST(raw_receive(fd, dpr));
    while (raw_code(dpr) == 280);
    MUST(raw_code(dpr) == 282 && dpr->octets[4] == RAW_REQUEST &&
         raw_u32(dpr->octets + 8) == 0);
    MUST(raw_find(dpr, 0, 264, &avp) && is_text(&avp, "hss1.hss.test"));
    MUST(raw_find(dpr, 0, 296, &avp) && is_text(&avp, HSS_REALM));
    MUST(raw_find(dpr, 0, 273, &avp) && avp.n == 4 && raw_u32(avp.p) == 0); /* REBOOTING */
    MUST(!raw_find(dpr, 0, 263, &avp) && !raw_find(dpr, 0, 283, &avp));
}

/* RFC 6733 5.4: every peer gets a DPR.  One answers, one hangs up, one does neither. */
void scenario_leave(void)
{
    struct hss_child h = hss_start("hss1.hss.test", NULL);
    static const char *const names[] = {"answers.test", "hangs.up.test", "silent.test"};
    struct raw_message m, dpa;
    int fd[3];

    for (size_t i = 0; i < 3; i++) {
        fd[i] = raw_connect(h.address);
        MUST(fd[i] >= 0 && raw_send_cer(fd[i], names[i], ZH));
    }
    zh_lab_pause_ms(100); /* a peer is open some time after its CEA */
    hss_signal(&h, SIGTERM);
    for (size_t i = 0; i < 3; i++) {
        check_dpr(fd[i], &m);
        raw_answer(&dpa, &m, 0, names[i]);
        raw_put_u32(&dpa, 0, 268, 2001);
        if (i == 0)
            MUST(raw_send(fd[i], &dpa));
        if (i == 1)
            close(fd[i]);
    }
    MUST(hss_stop(&h) == 0);
    close(fd[0]);
    close(fd[2]);
}

static void answer_redirect(int fd, const char *uri)
{
    struct raw_message m, answer;

    MUST(raw_next_request(fd, IDENTITY, &m) && raw_code(&m) == 303);
    raw_answer(&answer, &m, RAW_PROXIABLE | RAW_ERROR, IDENTITY);
    raw_put_u32(&answer, 0, 268, 3006);
    raw_put_text(&answer, 0, 292, uri);
    MUST(raw_send(fd, &answer));
}

/* An SLF (Dz) names the HSS of the subscriber; one that is not ours is not asked. */
void scenario_redirect(void)
{
    struct hss_child one = hss_start("hss1.hss.test", NULL);
    struct hss_child two = hss_start("hss2.hss.test", NULL);
    char address[64];
    int listener = raw_listen(address), fd;

    zh_lab_init(&lab);
    zh_lab_peer(&lab, IDENTITY, address);
    zh_lab_peer(&lab, one.identity, one.address);
    zh_lab_peer(&lab, two.identity, two.address);
    zh_lab_open(&lab, 0);
    fd = accept(listener, NULL, NULL);
    MUST(fd >= 0 && raw_serve_cer(fd, IDENTITY, ZH));
    zh_lab_wait_up(&lab, 3);
    (void)zh_lab_ask(&lab, &(struct zh_query){.impi = HSS_IMPI});
    answer_redirect(fd, "aaa://hss2.hss.test:3868;transport=tcp");
    MUST(zh_lab_wait(&lab, 0)->err == GBA_OK);
    MUST(hss_stat(&one, "requests") == 0 && hss_stat(&two, "requests") == 1);
    (void)zh_lab_ask(&lab, &(struct zh_query){.impi = HSS_IMPI});
    answer_redirect(fd, "aaa://elsewhere.test");
    MUST(zh_lab_wait(&lab, 1)->err == GBA_E_ZH_UNREACHABLE);
    close(fd);
    close(listener);
    zh_lab_close(&lab);
    MUST(hss_stop(&one) == 0 && hss_stop(&two) == 0);
}

/* A request right after a loss waits for the connection instead of failing. */
void scenario_hangs_up_after_every_answer(void)
{
    struct raw_message m, answer;
    char address[64];
    int listener = raw_listen(address), fd;

    zh_lab_init(&lab);
    lab.config.deadline_ms = 9000;
    zh_lab_peer(&lab, IDENTITY, address);
    zh_lab_open(&lab, 0);
    for (size_t i = 0; i < 3; i++) {
        fd = accept(listener, NULL, NULL);
        MUST(fd >= 0 && raw_serve_cer(fd, IDENTITY, ZH));
        if (i == 0) {
            zh_lab_wait_up(&lab, 1);
            (void)zh_lab_ask(&lab, &(struct zh_query){.impi = HSS_IMPI});
        }
        MUST(raw_next_request(fd, IDENTITY, &m) && raw_code(&m) == 303);
        raw_answer(&answer, &m, RAW_PROXIABLE, IDENTITY);
        raw_put_u32(&answer, 0, 268, 5003);
        MUST(raw_send(fd, &answer));
        MUST(zh_lab_wait(&lab, i)->err == GBA_E_SUBSCRIBER_BARRED);
        close(fd);
        while (lab.zh->healthy(lab.zh))
            zh_lab_pause_ms(5);
        if (i < 2)
            (void)zh_lab_ask(&lab, &(struct zh_query){.impi = HSS_IMPI});
    }
    close(listener);
    zh_lab_close(&lab);
}
