/*
 * The thread behind a CA: exactly one answer, never before issue() has returned, a bounded
 * queue.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/ca_worker.h"

#include <pthread.h>
#include <string.h>

#include "tests/unit.h"

#define DEPTH 3
#define ASKED 16

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

/* Everything under the lock. */
static struct {
    bool gate; /* closed: certificates are not ready */
    unsigned made, idle;
    bool making;
    unsigned answers[ASKED];
    enum gba_err err[ASKED];
    char order[ASKED + 1];
    size_t n;
} w;

static void begin(bool gate)
{
    pthread_mutex_lock(&lock);
    memset(&w, 0, sizeof(w));
    w.gate = gate;
    pthread_mutex_unlock(&lock);
}

static enum gba_err make(void *ctx, const struct mef_ca_request *rq,
                         uint8_t out[static MEF_CA_CERT_MAX], size_t *n)
{
    (void)ctx;
    pthread_mutex_lock(&lock);
    w.making = true;
    pthread_cond_broadcast(&changed);
    while (w.gate)
        pthread_cond_wait(&changed, &lock);
    w.making = false;
    w.made++;
    pthread_mutex_unlock(&lock);
    memcpy(out, rq->csr.p, rq->csr.n);
    *n = rq->csr.n;
    return rq->csr.p[0] == '!' ? GBA_E_CA : GBA_OK;
}

static void idle(void *ctx)
{
    (void)ctx;
    pthread_mutex_lock(&lock);
    w.idle++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void done(void *arg, enum gba_err err, struct gba_bytes cert)
{
    size_t i = (size_t)(uintptr_t)arg;

    pthread_mutex_lock(&lock);
    w.answers[i]++;
    w.err[i] = err;
    w.order[w.n++] = err == GBA_OK ? (char)cert.p[0] : err == GBA_E_CA ? '!' : '-';
    if (err != GBA_OK)
        CU_ASSERT(cert.n == 0);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static enum gba_err ask(struct ca_worker *worker, char what, size_t i)
{
    uint8_t csr = (uint8_t)what;
    const struct mef_ca_request rq = {.csr = {&csr, 1}, .id = "id"};
    enum gba_err err = ca_worker_ask(worker, &rq, done, (void *)(uintptr_t)i);

    csr = '?'; /* it has been copied */
    return err;
}

static void open_gate(void)
{
    pthread_mutex_lock(&lock);
    w.gate = false;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void wait_for(size_t n, bool making)
{
    pthread_mutex_lock(&lock);
    while (w.n < n || (making && !w.making))
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void test_one_after_the_other(void)
{
    struct ca_worker *worker;

    begin(false);
    CU_ASSERT_FATAL(ca_worker_start(make, NULL, 0, NULL, ASKED, &worker) == GBA_OK);
    CU_ASSERT(ask(worker, 'a', 0) == GBA_OK);
    CU_ASSERT(ask(worker, '!', 1) == GBA_OK);
    CU_ASSERT(ask(worker, 'c', 2) == GBA_OK);
    wait_for(3, false);
    CU_ASSERT_STRING_EQUAL(w.order, "a!c");
    CU_ASSERT(w.err[1] == GBA_E_CA);
    ca_worker_stop(worker);
    for (size_t i = 0; i < 3; i++)
        CU_ASSERT(w.answers[i] == 1);
}

static void test_full(void)
{
    struct ca_worker *worker;

    begin(true);
    CU_ASSERT_FATAL(ca_worker_start(make, NULL, 0, NULL, DEPTH, &worker) == GBA_OK);
    CU_ASSERT(ask(worker, 'a', 0) == GBA_OK);
    wait_for(0, true); /* one is being made, the queue is empty */
    for (size_t i = 1; i <= DEPTH; i++)
        CU_ASSERT(ask(worker, 'b', i) == GBA_OK);
    CU_ASSERT(ask(worker, 'z', 9) == GBA_E_OVERLOAD);
    CU_ASSERT(w.n == 0); /* nothing before its time */
    open_gate();
    wait_for(DEPTH + 1, false);
    CU_ASSERT(ask(worker, 'd', 5) == GBA_OK); /* there is room again */
    wait_for(DEPTH + 2, false);
    ca_worker_stop(worker);
    CU_ASSERT_STRING_EQUAL(w.order, "abbbd");
    CU_ASSERT(w.answers[9] == 0); /* refused by issue(), so never answered */
}

struct stopper {
    struct ca_worker *worker;
};

static void *stop(void *arg)
{
    ca_worker_stop(((struct stopper *)arg)->worker);
    return NULL;
}

static void test_stop(void)
{
    struct stopper s;
    pthread_t thread;

    begin(true);
    CU_ASSERT_FATAL(ca_worker_start(make, NULL, 0, NULL, DEPTH, &s.worker) == GBA_OK);
    CU_ASSERT(ask(s.worker, 'a', 0) == GBA_OK);
    wait_for(0, true);
    CU_ASSERT(ask(s.worker, 'b', 1) == GBA_OK);
    CU_ASSERT(ask(s.worker, 'c', 2) == GBA_OK);
    CU_ASSERT(!ca_worker_is_stopping(s.worker));
    CU_ASSERT_FATAL(pthread_create(&thread, NULL, stop, &s) == 0);
    while (!ca_worker_is_stopping(s.worker))
        ;
    CU_ASSERT(ask(s.worker, 'd', 3) == GBA_E_CANCELLED);
    open_gate();
    pthread_join(thread, NULL);
    CU_ASSERT_STRING_EQUAL(w.order, "a--");
    CU_ASSERT(w.made == 1);
    CU_ASSERT(w.err[1] == GBA_E_CANCELLED && w.err[2] == GBA_E_CANCELLED);
}

static void test_idle(void)
{
    struct ca_worker *worker;

    begin(false);
    CU_ASSERT_FATAL(ca_worker_start(make, idle, 0, NULL, DEPTH, &worker) == GBA_OK);
    pthread_mutex_lock(&lock);
    while (w.idle < 2)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    CU_ASSERT(ask(worker, 'a', 0) == GBA_OK);
    wait_for(1, false);
    ca_worker_stop(worker);
    ca_worker_stop(NULL);
}

static void test_caps(void)
{
    static uint8_t csr[MEF_CA_CSR_MAX + 1];
    static char id[M2M_ID_SIZE + 1];
    struct mef_ca_request rq = {.csr = GBA_BYTES(csr), .id = "id"};
    struct ca_worker *worker;

    begin(false);
    memset(id, 'x', M2M_ID_SIZE);
    CU_ASSERT_FATAL(ca_worker_start(make, NULL, 0, NULL, DEPTH, &worker) == GBA_OK);
    CU_ASSERT(ca_worker_ask(worker, &rq, done, NULL) == GBA_E_TOO_LONG);
    rq.csr.n = 1;
    rq.id = id;
    CU_ASSERT(ca_worker_ask(worker, &rq, done, NULL) == GBA_E_TOO_LONG);
    ca_worker_stop(worker);
    CU_ASSERT(w.n == 0);
}

static const struct unit_test tests[] = {
    {"one after the other", test_one_after_the_other},
    {"full", test_full},
    {"stop", test_stop},
    {"idle", test_idle},
    {"caps", test_caps},
};
UNIT_MAIN("ca_worker", tests)
