#!/bin/sh
# libgba-naf exports what its header declares, and nothing else.
#
# SPDX-License-Identifier: Apache-2.0
set -u
top=${top_srcdir:-.} build=${top_builddir:-.}
passed=0 failed=0
words=$(mktemp -d) || exit 99
trap 'rm -rf "$words"' EXIT

{
    grep -v '^typedef' "$top/naf/gba_naf.h" | grep -oE '\bgba_naf_[a-z0-9_]+\(' | tr -d '('
    grep -oE '\bgba_err_[a-z0-9_]+\(' "$top/common/err.h" | tr -d '('
} | sort -u >"$words/header"
sort -u "$top/naf/libgba-naf.sym" >"$words/sym"

same() { # what a b
    if diff "$2" "$3" >"$words/diff"; then
        passed=$((passed + 1))
    else
        echo "FAIL $1:"
        cat "$words/diff"
        failed=$((failed + 1))
    fi
}

same 'naf/libgba-naf.sym is not what the header declares' "$words/header" "$words/sym"
for lib in "$build"/naf/.libs/libgba-naf.so; do
    [ -e "$lib" ] || continue
    nm -D --defined-only "$lib" | awk '{print $NF}' | grep -v '@@\|^_' | sort -u >"$words/lib"
    same 'the library exports something else' "$words/header" "$words/lib"
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
