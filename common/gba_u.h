/*
 * GBA_U, TS 33.220 5.3.2: what tells the UICC that this AKA run is a bootstrapping one.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_GBA_U_H
#define COMMON_GBA_U_H

#include <stddef.h>
#include <stdint.h>

/* AUTN* from AUTN and the other way round: MAC* = MAC xor the first 64 bits of SHA-1(IK). */
void gba_u_autn(const uint8_t autn[static 16], const uint8_t ik[static 16],
                uint8_t out[static 16]);

/* RES as a UICC in GBA_U gives it, and XRES as the BSF keeps it: the least significant bit is
 * flipped, in place. */
void gba_u_res(uint8_t *res, size_t n);

#endif
