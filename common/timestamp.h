/*
 * xs:dateTime in UTC ("2026-01-02T03:04:05Z") and Diameter Time, against seconds since
 * 1970-01-01T00:00:00Z.  No clock: times are arguments.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_TIMESTAMP_H
#define COMMON_TIMESTAMP_H

#include "common/bytes.h"

#define GBA_DATETIME_SIZE 24

/* Years 1970-9999; an instant outside becomes the nearest of them. */
void gba_datetime(int64_t unix_s, char out[static GBA_DATETIME_SIZE]);
/* xs:dateTime with Z or an offset, fractions dropped; no offset is read as UTC.  GBA_E_SYNTAX. */
enum gba_err gba_datetime_parse(struct gba_text t, int64_t *unix_s);
/* oneM2M m2m:timestamp, YYYYMMDDThhmmss (UTC), TS-0004 6.3.3. */
void gba_m2m_timestamp(int64_t unix_s, char out[static GBA_DATETIME_SIZE]);
enum gba_err gba_m2m_timestamp_parse(struct gba_text t, int64_t *unix_s);
/* RFC 6733 4.3.1 Time: seconds since 1900 modulo 2^32, eras told apart by the high bit. */
uint32_t gba_diameter_time(int64_t unix_s);
int64_t gba_diameter_time_parse(uint32_t t);

#endif
