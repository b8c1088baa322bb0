#!/bin/sh
# common/aka_3gpp2.c and 3gpp2.json against the reference in Python: see aka_3gpp2.py.
#
# SPDX-License-Identifier: Apache-2.0
set -u
top=${top_srcdir:-$(dirname "$0")/../..} build=${top_builddir:-.}

if ! command -v python3 >/dev/null; then
    echo 'SKIP: python3 is not installed'
    echo '0 passed, 0 failed, 1 skipped'
    exit 77
fi
exec python3 -B "$top/tests/vectors/aka_3gpp2.py" check "$build/tests/test_vectors"
