/*
 * bsf/bsfd_conf*.c: the example file, what is refused and where, and the tables made of it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "config.h"

#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bsf/bsfd_conf.h"

#define SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define NAME        "bsf.mnc001.mcc001.pub.3gppnetwork.org"
#define HEAD        "names: " NAME "\nub:\n  - listen: 127.0.0.1:0\n"
#define ZH          "zh: {file: {subscribers: s.yaml}}\n"
#define ZN          "zn: {listen: \"127.0.0.1:0\", insecure: true, insecure_naf: a.example}\n"
#define NAF         "nafs:\n  - {certificate: a.example, fqdns: a.example, "
#define PEER(identity, realm, port)                                                            \
    "{identity: " identity ", realm: " realm ", address: \"127.0.0.1:" #port "\"}"

static struct bsfd_conf conf;
static struct conf *owner;

/* Loads a text; what was said is in *said, to be freed. */
static enum gba_err load(const char *text, char **said)
{
    char path[] = "/tmp/test_bsfd_conf.XXXXXX";
    int fd = mkstemp(path);
    enum gba_err err;
    size_t n = 0;
    FILE *f;

    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL_FATAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    f = open_memstream(said, &n);
    err = conf_load(&bsfd_schema, path, 0, &conf, f, &owner);
    fclose(f);
    unlink(path);
    return err;
}

static void test_example(void)
{
    const char *path = unit_path("doc/examples/bsfd.yaml");
    struct ub_policy ub;
    struct policy policy;

    CU_ASSERT_EQUAL_FATAL(conf_load(&bsfd_schema, path, 0, &conf, stderr, &owner), GBA_OK);
    bsfd_ub_policy(&conf, &ub);
    CU_ASSERT_EQUAL(ub.n_names, 2);
    CU_ASSERT_STRING_EQUAL(ub.names[0], NAME);
    CU_ASSERT_EQUAL(ub.lifetimes.deflt_s, 8 * 3600);
    CU_ASSERT_EQUAL(ub.max_failures, 3);
    CU_ASSERT(!ub.decoy && !ub.accept_unflipped_res);
    CU_ASSERT_EQUAL_FATAL(bsfd_policy_make(&conf, &policy), GBA_OK);
    CU_ASSERT_EQUAL_FATAL(policy.n_nafs, 1);
    CU_ASSERT_STRING_EQUAL(policy.nafs[0].certificate, "naf1.example.org");
    CU_ASSERT_EQUAL(policy.nafs[0].n_ua_ids, 3);
    CU_ASSERT(policy.nafs[0].ua_ids[1].any_suite);
    CU_ASSERT(!policy.nafs[0].may_learn_impi && !policy.nafs[0].allow_default_ua);
    CU_ASSERT_EQUAL(policy.n_bsf_names, 2);
    bsfd_policy_free(&policy);
    conf_free(owner);
}

static void test_diameter_example(void)
{
#ifdef WITH_DIAMETER
    const char *path = unit_path("doc/examples/bsfd-diameter.yaml");
    struct policy policy;

    CU_ASSERT_EQUAL_FATAL(conf_load(&bsfd_schema, path, 0, &conf, stderr, &owner), GBA_OK);
    CU_ASSERT_EQUAL(conf.zh.diameter.peers.n, 2);
    CU_ASSERT_PTR_NULL(conf.zh.file.subscribers);
    CU_ASSERT_EQUAL(conf.unknown_subscriber, 1);
    CU_ASSERT_EQUAL_FATAL(bsfd_policy_make(&conf, &policy), GBA_OK);
    CU_ASSERT_EQUAL_FATAL(policy.n_nafs, 2);
    CU_ASSERT_EQUAL(policy.nafs[1].n_fqdns, 3);
    bsfd_policy_free(&policy);
    conf_free(owner);
#else
    unit_skip("built without Diameter");
#endif
}

/* What is left out is the careful choice. */
static void test_defaults(void)
{
    char *said;

    CU_ASSERT_EQUAL_FATAL(load(HEAD ZH, &said), GBA_OK);
    free(said);
    CU_ASSERT_EQUAL(conf.unknown_subscriber, 0);
    CU_ASSERT(!conf.zn.insecure && conf.zn.listen.n == 0);
    CU_ASSERT(conf.limits.subscriber.burst > 0 && conf.limits.address.burst > 0);
    CU_ASSERT(conf.session.max_sessions > 0 && conf.session.max_challenges > 0);
    CU_ASSERT_EQUAL(conf.session.per_subscriber, 2);
    CU_ASSERT_STRING_EQUAL(conf.zn.path, "/bsf/requestBootstrappingInfo");
    CU_ASSERT_EQUAL(conf.zh.file.ind, 16);
    conf_free(owner);
}

static void test_refused(void)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {ZH, "names: missing"},
        {HEAD, "zh: missing"},
        {HEAD "zh: {}\n", "give one of file and diameter"},
        {HEAD ZH "nonsense: 1\n", "nonsense: unknown option"},
        {"names: BSF.example\nub:\n  - listen: 127.0.0.1:0\n" ZH, "names: no FQDN"},
        {"names: []\nub:\n  - listen: 127.0.0.1:0\n" ZH, "names"},
        {"names: " NAME "\nub: []\n" ZH, "ub"},
        {"names: " NAME "\nub:\n  - listen: nowhere\n" ZH, "ub[0].listen"},
        {"names: " NAME "\nub:\n  - {listen: \"h:1\", tls: {cert: c.pem}}\n" ZH,
         "ub[0].tls.key"},
        {HEAD ZH "zn: {listen: \"127.0.0.1:0\"}\n", "zn.tls: Zn needs tls"},
        {HEAD ZH "zn: {listen: \"127.0.0.1\", insecure: true, insecure_naf: a}\n", "zn.listen"},
        {HEAD ZH "zn: {listen: \"h:1\", insecure: true}\n", "zn.insecure_naf"},
        {HEAD ZH
         "zn: {listen: \"h:1\", insecure: true, insecure_naf: a, tls: {cert: c, key: k, "
         "client_ca: a}}\n",
         "exclude each other"},
        {HEAD ZH "zn: {listen: \"h:1\", tls: {cert: c, key: k}}\n",
         "zn.tls.client_ca: missing"},
        {HEAD ZH ZN "nafs:\n  - {certificate: a.example}\n", "nafs[0].fqdns: missing"},
        {HEAD ZH ZN "nafs:\n  - {certificate: A.example, fqdns: a.example}\n",
         "nafs[0].certificate"},
        {HEAD ZH ZN "nafs:\n  - {certificate: a.example, fqdns: \"*\"}\n", "nafs[0].fqdns"},
        {HEAD ZH ZN "nafs:\n  - {certificate: a.example, fqdns: " NAME "}\n", "BSF name"},
        {HEAD ZH ZN "nafs:\n  - {certificate: a.example, fqdns: a.example, ua_ids: \"01\"}\n",
         "nafs[0].ua_ids"},
        {HEAD ZH ZN "nafs:\n  - {certificate: a.example, fqdns: a.example, ua_ids: "
                    "\"0100000100\"}\n",
         "derives TMPIs"},
        {HEAD ZH ZN NAF "gsids: [\"0\", abc]}\n", "nafs[0].gsids: not a decimal number"},
        {HEAD ZH ZN NAF "gsids: \"01\"}\n", "nafs[0].gsids"},
        {HEAD ZH ZN NAF "gsids: \"4294967296\"}\n", "nafs[0].gsids"},
        {HEAD ZH ZN NAF "gsids: \"1\", required_gsids: x}\n", "nafs[0].required_gsids"},
#ifdef WITH_DIAMETER
        {HEAD "zh: {diameter: {identity: bsf lab, realm: r, peers: [" PEER("h", "r", 1) "]}}\n",
         ":4:17: zh.diameter.identity: not a Diameter identity"},
        {HEAD "zh: {diameter: {identity: b, realm: \"\", peers: [" PEER("h", "r", 1) "]}}\n",
         "zh.diameter.realm: "},
        {HEAD "zh: {diameter: {identity: b, realm: r, peers: [" PEER("h a", "r", 1) "]}}\n",
         "zh.diameter.peers[0].identity: "},
        {HEAD "zh: {diameter: {identity: b, realm: r, peers: [" PEER("h", "lab test", 1) "]}}\n",
         "zh.diameter.peers[0].realm: not a Diameter identity"},
        {HEAD "zh: {diameter: {identity: b, realm: r, peers: [" PEER("h", "r", 0) "]}}\n",
         "zh.diameter.peers[0].address: "},
#endif
        {HEAD ZH "session: {lifetime: 1s}\n", "session.lifetime: must lie between"},
        {HEAD ZH "session: {per_subscriber: 9}\n", "session.per_subscriber"},
        {HEAD ZH "unknown_subscriber: maybe\n", "unknown_subscriber"},
        {HEAD ZH "decoy_amf: 00\n", "decoy_amf"},
    };

    for (size_t i = 0; i < SIZE(rows); i++) {
        char *said;

        CU_ASSERT_EQUAL(load(rows[i].text, &said), GBA_E_CONFIG);
        if (strstr(said, rows[i].says) == NULL) {
            printf("\n    row %zu: %s\n", i, said);
            CU_FAIL("the message does not say it");
        }
        free(said);
    }
}

static void test_decoy_policy(void)
{
    struct ub_policy ub;
    char *said;

    CU_ASSERT_EQUAL_FATAL(
        load(HEAD ZH "unknown_subscriber: decoy\ndecoy_amf: 8000\n"
                     "session: {lifetime: 90s, challenge_lifetime: 5s, repeat_window: 0}\n",
             &said),
        GBA_OK);
    free(said);
    bsfd_ub_policy(&conf, &ub);
    CU_ASSERT(ub.decoy);
    UNIT_BYTES_EQ(ub.decoy_amf, 2, "8000");
    CU_ASSERT_EQUAL(ub.lifetimes.deflt_s, 90);
    CU_ASSERT_EQUAL(ub.challenge_ttl_ms, 5000);
    CU_ASSERT_EQUAL(ub.repeat_window_ms, 0);
    conf_free(owner);
}

static const struct unit_test tests[] = {
    {"the example", test_example}, {"the example with an HSS", test_diameter_example},
    {"defaults", test_defaults},   {"what is refused, and where", test_refused},
    {"decoys", test_decoy_policy},
};
UNIT_MAIN("bsfd_conf", tests)
