#!/bin/sh
# Zh over Diameter: the adapter of bsfd against mock-hss and against peers made of octets.
# SPDX-License-Identifier: Apache-2.0
exec "${top_builddir:-.}/tests/e2e/zh_scenarios"
