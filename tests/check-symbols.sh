#!/bin/sh
# libgba-ue and libgba-naf export what their headers declare, and nothing else.
#
# SPDX-License-Identifier: Apache-2.0
set -u
export LC_ALL=C # the order of the .sym files
top=${top_srcdir:-.} build=${top_builddir:-.}
passed=0 failed=0
words=$(mktemp -d) || exit 99
trap 'rm -rf "$words"' EXIT

same() { # what a b
    if diff "$2" "$3" >"$words/diff"; then
        passed=$((passed + 1))
    else
        echo "FAIL $1:"
        cat "$words/diff"
        failed=$((failed + 1))
    fi
}

# The functions and constants that headers declare.
declared() { # header...
    for header in "$@"; do
        grep -v '^typedef' "$top/$header"
    done | grep -oE '\bgba_(ue|naf|err)_[a-z0-9_]+\(|^extern const .*\bgba_[a-z0-9_]+;' |
        sed -e 's/[(;]$//' -e 's/.* //' | sort -u
}

check() { # folder-of-the-library library header...
    folder=$1 name=$2
    shift 2
    declared common/err.h "$@" >"$words/header"
    same "$name.sym is not what the headers declare" "$words/header" "$top/${1%/*}/$name.sym"
    lib=$build/$folder.libs/$name.so
    [ -e "$lib" ] || return
    nm -D --defined-only "$lib" | awk '{print $NF}' | grep -v '@@\|^_' | sort -u >"$words/lib"
    same "$name exports something else" "$words/header" "$words/lib"
}

check '' libgba-ue ua/gba_ue.h ua/transport.h ua/usim.h
check naf/ libgba-naf naf/gba_naf.h
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
