/*
 * mafd: an M2M Authentication Function, which is mefd in another role (naf/mefd_daemon.c).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "common/json_wipe.h"
#include "naf/mefd_daemon.h"

int main(int argc, char **argv)
{
    gba_json_wipe(); /* what mefctl sends holds keys */
    return daemon_main(&mafd_program, argc, argv);
}
