/*
 * common/host/log and metrics: what is written, octet by octet.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "common/host/log.h"
#include "common/host/metrics.h"

/* --- standard error into a file ---------------------------------------------------------- */

static char text[1 << 20];
static int file = -1, saved = -1;

static void capture(void)
{
    char name[] = "/tmp/test_log.XXXXXX";

    file = mkostemp(name, O_CLOEXEC);
    (void)unlink(name);
    saved = dup(STDERR_FILENO);
    if (file < 0 || saved < 0 || dup2(file, STDERR_FILENO) < 0)
        abort();
}

static const char *captured(void)
{
    ssize_t n;

    (void)dup2(saved, STDERR_FILENO);
    close(saved);
    n = pread(file, text, sizeof(text) - 1, 0);
    close(file);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static struct gba_text view(const char *s, size_t n)
{
    return (struct gba_text){s, n};
}

/* --- lines ------------------------------------------------------------------------------- */

static void test_text_lines(void)
{
    struct log *l = log_open(LOG_FORMAT_TEXT, LOG_LV_INFO, false);
    const char *got;

    capture();
    LOG(l, LOG_LV_INFO, "ub.challenge", LOG_INT("rq", -7), LOG_STR("a", "plain"),
        LOG_STR("b", "two words"), LOG_STR("c", "x=\"\\\n\x7f"), LOG_STR("d", ""),
        LOG_STR("e", NULL), LOG_TEXT("f", view("a\0b", 3)),
        LOG_TEXT("g", view("\xc3\xa4\xff", 3)), LOG_STR("h", "\xc3\xa4"),
        LOG_STR("i", "\xc2\x9b[m"), LOG_ERR(GBA_E_RES));
    LOG(l, LOG_LV_DEBUG, "not.written", LOG_INT("rq", 1));
    LOG(NULL, LOG_LV_ERROR, "not.written", LOG_INT("rq", 1));
    got = captured();
    CU_ASSERT_EQUAL(strlen(got), 24 + strlen(strchr(got, ' ')));
    CU_ASSERT_STRING_EQUAL(
        strchr(got, ' '),
        " info ub.challenge rq=-7 a=plain b=\"two words\" c=\"x=\\\"\\\\\\x0a\\x7f\" d=\"\" "
        "e=\"\" "
        "f=\"a\\x00b\" g=\"\\xc3\\xa4\\xff\" h=\"\xc3\xa4\" i=\"\\xc2\\x9b[m\" reason=RES\n");
    log_close(l);
}

static void test_json_lines(void)
{
    struct log *l = log_open(LOG_FORMAT_JSON, LOG_LV_DEBUG, true);
    json_t *j;
    const char *got;

    capture();
    LOG(l, LOG_LV_ERROR, "x", LOG_INT("n", 5), LOG_STR("s", "q\"\\\n\x1b\xc3\xa4"),
        LOG_TEXT("bad", view("\xff\x01", 2)), LOG_ID("impi", GBA_TEXT("a@b")));
    got = captured();
    CU_ASSERT_EQUAL(strchr(got, '\n'), got + strlen(got) - 1);
    j = json_loads(got, JSON_REJECT_DUPLICATES, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(j);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(j, "n")), 5);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(j, "level")), "error");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(j, "event")), "x");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(j, "s")), "q\"\\\n\x1b\xc3\xa4");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(j, "bad")), "\xc3\xbf\x01");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(j, "impi")), "a@b");
    json_decref(j);
    log_close(l);
}

static void test_long_values(void)
{
    struct log *l = log_open(LOG_FORMAT_TEXT, LOG_LV_INFO, false);
    char value[400], umlauts[401] = "";
    const char *got, *end;

    memset(value, 'a', sizeof(value));
    for (int i = 0; i < 200; i++)
        strcat(umlauts, i == 0 ? "a" : "\xc3\xa4");
    capture();
    LOG(l, LOG_LV_INFO, "x", LOG_TEXT("v", view(value, 256)), LOG_TEXT("w", view(value, 257)),
        LOG_STR("u", umlauts));
    got = captured();
    CU_ASSERT_PTR_NOT_NULL(strstr(got, "aaa w=\"aaa"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got, "aaa...\" u=\"a\xc3\xa4"));
    end = strstr(got, "\xc3\xa4...\"\n"); /* 255 octets: not in the middle of a letter */
    CU_ASSERT_PTR_NOT_NULL(end);
    log_close(l);
}

/* However much is given, a line stays one whole line of at most 4096 octets. */
static void test_line_limit(void)
{
    for (int format = LOG_FORMAT_TEXT; format <= LOG_FORMAT_JSON; format++) {
        struct log *l = log_open((enum log_format)format, LOG_LV_INFO, false);
        struct log_field fields[40];
        char value[256];
        const char *got;
        json_t *j;

        memset(value, 1, sizeof(value)); /* each octet becomes four or six */
        for (size_t i = 0; i < 40; i++)
            fields[i] = LOG_TEXT("k", view(value, sizeof(value)));
        capture();
        log_event(l, LOG_LV_INFO, "x", fields, 40);
        got = captured();
        CU_ASSERT(strlen(got) <= 4096 && strlen(got) > 2048);
        CU_ASSERT_EQUAL(strchr(got, '\n'), got + strlen(got) - 1);
        j = json_loads(got, 0, NULL);
        CU_ASSERT_EQUAL(j != NULL, format == LOG_FORMAT_JSON);
        json_decref(j);
        log_close(l);
    }
}

/* Equal identities look equal in one process's log, and nothing of them is seen. */
static void test_identities(void)
{
    struct log *l = log_open(LOG_FORMAT_TEXT, LOG_LV_INFO, false);
    struct log *other = log_open(LOG_FORMAT_TEXT, LOG_LV_INFO, false);
    const char *impi = "001010000000001@ims.example";
    char a[16], b[16], c[16], d[16];
    const char *got;

    capture();
    LOG(l, LOG_LV_INFO, "x", LOG_ID("impi", gba_text(impi)));
    LOG(l, LOG_LV_INFO, "x", LOG_ID("impi", gba_text(impi)));
    LOG(l, LOG_LV_INFO, "x", LOG_ID("impi", GBA_TEXT("001010000000002@ims.example")));
    LOG(other, LOG_LV_INFO, "x", LOG_ID("impi", gba_text(impi)));
    got = captured();
    CU_ASSERT_PTR_NULL(strstr(got, "00101"));
    CU_ASSERT_EQUAL_FATAL(sscanf(got,
                                 "%*s info x impi=%15s %*s info x impi=%15s "
                                 "%*s info x impi=%15s %*s info x impi=%15s",
                                 a, b, c, d),
                          4);
    CU_ASSERT_EQUAL(strlen(a), 12);
    CU_ASSERT_STRING_EQUAL(a, b);
    CU_ASSERT_STRING_NOT_EQUAL(a, c);
    CU_ASSERT_STRING_NOT_EQUAL(a, d);
    log_close(l);
    log_close(other);
}

static void test_journal(void)
{
    struct stat st;
    struct log *l;
    char stream[64];
    const char *got;

    capture();
    fstat(file, &st);
    snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    l = log_open(LOG_FORMAT_TEXT, LOG_LV_INFO, false);
    LOG(l, LOG_LV_WARNING, "x", LOG_INT("n", 1));
    log_close(l);
    setenv("JOURNAL_STREAM", "1:1", 1);
    l = log_open(LOG_FORMAT_TEXT, LOG_LV_INFO, false);
    LOG(l, LOG_LV_WARNING, "x", LOG_INT("n", 1));
    log_close(l);
    unsetenv("JOURNAL_STREAM");
    got = captured();
    CU_ASSERT_EQUAL(strncmp(got, "<4>x n=1\n", 9), 0);
    CU_ASSERT_EQUAL(got[9], '2'); /* the year */
}

static void *write_many(void *arg)
{
    for (int i = 0; i < 500; i++)
        LOG(arg, LOG_LV_INFO, "many", LOG_STR("v", "some words of no great length"),
            LOG_INT("i", i));
    return NULL;
}

static void test_threads(void)
{
    struct log *l = log_open(LOG_FORMAT_TEXT, LOG_LV_INFO, false);
    pthread_t threads[4];
    size_t whole = 0, lines = 0;

    capture();
    for (size_t i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, write_many, l) != 0)
            abort();
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    (void)captured();
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        int i, end = 0;

        lines++;
        whole += sscanf(line, "%*s info many v=\"some words of no great length\" i=%d%n", &i,
                        &end) == 1 &&
                 line[end] == '\0';
    }
    CU_ASSERT_EQUAL(lines, 2000);
    CU_ASSERT_EQUAL(whole, 2000);
    log_close(l);
}

/* --- metrics ----------------------------------------------------------------------------- */

static double seven(void *arg)
{
    (void)arg;
    return 7.5;
}

static void test_metrics(void)
{
    struct metrics *m = metrics_new();
    struct metric *a = metrics_counter(m, "gba_x_total", "reason=\"A\"", "Counts\nx \\.");
    struct metric *h = metrics_histogram(m, "gba_t_seconds", NULL, "Time.");
    struct metric *g = metrics_gauge(m, "gba_g", NULL, "Gauge.");
    struct metric *b = metrics_counter(m, "gba_x_total", "reason=\"B\"", "Counts\nx \\.");
    size_t n;
    char *got;

    metrics_probe(m, "gba_p", NULL, "Probe.", seven, NULL);
    CU_ASSERT_PTR_EQUAL(metrics_counter(m, "gba_x_total", "reason=\"A\"", ""), a);
    CU_ASSERT_PTR_NOT_EQUAL(a, b);
    metric_add(a, 3);
    metric_add(NULL, 1);
    metric_set(g, -4);
    metric_observe_us(h, 1000);
    metric_observe_us(h, 1001);
    metric_observe_us(h, 99000000);
    CU_ASSERT_EQUAL(metric_value(a), 3);
    got = metrics_render(m, &n);
    CU_ASSERT_EQUAL(n, strlen(got));
    CU_ASSERT_PTR_NOT_NULL(strstr(got, "# HELP gba_x_total Counts\\nx \\\\.\n"
                                       "# TYPE gba_x_total counter\n"
                                       "gba_x_total{reason=\"A\"} 3\n"
                                       "gba_x_total{reason=\"B\"} 0\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got, "# TYPE gba_t_seconds histogram\n"
                                       "gba_t_seconds_bucket{le=\"0.001\"} 1\n"
                                       "gba_t_seconds_bucket{le=\"0.0025\"} 2\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got, "gba_t_seconds_bucket{le=\"10\"} 2\n"
                                       "gba_t_seconds_bucket{le=\"+Inf\"} 3\n"
                                       "gba_t_seconds_sum 99.002001\n"
                                       "gba_t_seconds_count 3\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got, "# TYPE gba_g gauge\ngba_g -4\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(got, "# TYPE gba_p gauge\ngba_p 7.5\n"));
    free(got);
    metrics_free(m);
}

static void test_labels(void)
{
    char room[64];
    struct gba_wbuf w;

    gba_wbuf_init(&w, room, sizeof(room));
    CU_ASSERT(metrics_label(&w, "a", GBA_TEXT("x\"\\\ny")));
    CU_ASSERT(metrics_label(&w, "b", GBA_TEXT("")));
    CU_ASSERT_STRING_EQUAL(gba_wbuf_cstr(&w), "a=\"x\\\"\\\\\\ny\",b=\"\"");
    gba_wbuf_init(&w, room, 4);
    CU_ASSERT(!metrics_label(&w, "a", GBA_TEXT("xyz")));
}

static const struct unit_test tests[] = {
    {"text lines", test_text_lines},
    {"JSON lines", test_json_lines},
    {"long values", test_long_values},
    {"a line has a limit", test_line_limit},
    {"identities", test_identities},
    {"journal", test_journal},
    {"lines of threads come whole", test_threads},
    {"metrics", test_metrics},
    {"labels", test_labels},
};
UNIT_MAIN("log and metrics", tests)
