/*
 * The Multimedia-Auth-Answers of mock-hss, right and wrong ones.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_MOCK_HSS_MAA_H
#define TESTS_MOCK_HSS_MAA_H

#include "common/host/diameter_sys.h"

#include "tests/mock-hss/mock_hss.h"

/* What a MAR says; views into the request, which lives on inside its answer. */
struct mar {
    uint32_t application;
    struct gba_text impi;
    struct gba_text scheme;
    bool resync;
    struct gba_bytes rand_auts; /* 30 octets with resync */
    int64_t guss_timestamp_s;   /* 0: none */
};

/* 0, or the Result-Code that refuses it: 5005 (an AVP is missing), 5004. */
uint32_t mar_read(struct msg *request, struct mar *m);

/* A vector and perhaps a GUSS, in the form the fault orders; *error: an errno. */
void maa_success(struct msg *answer, const struct mar *m, const struct gba_av *av,
                 struct gba_bytes guss, enum malformed form, int *error);
void maa_failure(struct msg *answer, const struct mar *m, uint32_t code, enum error_form form,
                 int *error);

/* Defines the AVP that nobody else knows; between diameter_open and diameter_start. */
int maa_define(void);

#endif
