#!/bin/sh
# What the documents name must be there: every file, function, test and option that
# doc/CONFORMANCE.md and doc/ARCHITECTURE.md set in backticks stands in the sources, README's
# and the others' files exist, and gba(1) has every option of gba.
#
# SPDX-License-Identifier: Apache-2.0
set -u
top=${top_srcdir:-.}
passed=0 failed=0
words=$(mktemp) files=$(mktemp) || exit 99
trap 'rm -f "$words" "$files"' EXIT

result() { # ok? what is wrong
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
    else
        echo "FAIL $2"
        failed=$((failed + 1))
    fi
}

# Every identifier of the sources and every option of the schemas, once.
find "$top/bsf" "$top/common" "$top/naf" "$top/tests" "$top/ua" "$top/scripts" "$top/doc/examples" \
    -type f ! -path '*.in/*' -exec cat {} + | grep -aoE '[A-Za-z_][A-Za-z0-9_]*' | sort -u >"$words"

word() {
    grep -qxF -e "$1" "$words"
}

# The files a path may mean: from the root, or by its last parts.
find "$top" -type f ! -path '*/.git/*' >"$files"
paths() {
    if [ -e "$top/$1" ]; then
        echo "$top/$1"
    else
        grep -E "/$(echo "$1" | sed 's/[.]/[.]/g')\$" "$files"
    fi
}

# 1. Names in backticks: paths, files, identifiers with '_', file:test pairs, dotted options.
known() {
    case $1 in
    *:*) # test_x.c:test_y
        in=$(paths "${1%%:*}")
        # shellcheck disable=SC2086
        [ -n "$in" ] && grep -qE "^(static )?(void|def) ${1#*:}\(" $in ;;
    *.am | *.c | *.h | *.sh | *.py | *.md | *.json | *.yaml | *.in | *.inc | */*) paths "${1%/}" | grep -q . ;;
    *.*) # session.lifetime: every part is a word of the sources
        for part in $(echo "$1" | tr '.' ' '); do
            word "$part" || return 1
        done ;;
    *) word "$1" ;;
    esac
}

for doc in doc/ARCHITECTURE.md doc/CONFORMANCE.md; do
    for name in $(grep -oE '`[A-Za-z0-9_./:-]+`' "$top/$doc" | tr -d '`' | grep -E '[_/.:]' | sort -u); do
        known "$name"
        result $? "$doc names $name, which is not there"
    done
done

# Functions in the diagrams.
for name in $(awk '/^```/ { inside = !inside; next } inside' "$top/doc/ARCHITECTURE.md" |
    grep -oE '[a-z0-9]+(_[a-z0-9]+)+' | sort -u); do
    word "$name" || [ -n "$(paths "$name.c")" ] || case $name in *_) true ;; *) false ;; esac
    result $? "a diagram of doc/ARCHITECTURE.md names $name, which is not there"
done

# 2. Files that the other documents name.
for doc in README.md CONTRIBUTING.md doc/ADMIN.md doc/CREDENTIALS.md doc/DEVICE.md doc/HACKING.md doc/KEYRING.md doc/MMEF.md \
    doc/OPERATOR.md; do
    for name in $(grep -oE '(^|[^A-Za-z0-9_/.-])(bsf|common|doc|naf|scripts|tests|ua)/[A-Za-z0-9_./-]*[A-Za-z0-9_/]' \
        "$top/$doc" | sed 's/^[^a-z]//' |
        grep -vE '/(b[a-z]*sh)$|^tests/fuzz/X|^tests/e2e/X' | sort -u); do
        case $name in
        tests/fuzz/fuzz_X* | doc/man/*.[18]) continue ;;
        esac
        [ -e "$top/$name" ] || [ -e "$top/$name.c" ]
        result $? "$doc names $name, which is not there"
    done
done

# 3. Options of gba in gba(1), and none that it has not.
sed -e 's/\\f.//g' -e 's/\\//g' "$top/doc/man/gba.1" >"$words"
for option in $(sed -nE 's/^    \{"([a-z0-9-]+)", .*/\1/p' "$top/ua/gba.c" | grep -vxE 'bootstrap|key|get|put|show|enrol|connect|credential|est'); do
    grep -qE -e "--$option([^a-z0-9-]|\$)" "$words"
    result $? "gba(1) does not have --$option"
done
for option in $(grep -oE -e '--[a-z0-9-]+' "$words" | sort -u); do
    case ${option#--} in
    help | version) continue ;;
    esac
    grep -q -e "{\"${option#--}\", " "$top/ua/gba.c"
    result $? "gba(1) has $option, which gba has not"
done

# 4. No document is cited that is not here.
for name in $(grep -rhoE --include='*.[ch]' --include='*.sh' --include='*.py' --include='*.inc' --include='*.in' \
    --include='*.md' '[$A-Za-z0-9_/-]+[.]md([^a-zA-Z0-9(]|$)' "$top/bsf" "$top/common" "$top/doc" "$top/naf" "$top/scripts" \
    "$top/tests" "$top/ua" "$top/README.md" "$top/CONTRIBUTING.md" | sed -E 's|^[$]top/||; s|([.]md).$|\1|' | sort -u); do
    paths "$name" | grep -q .
    result $? "$name is cited, which is not there"
done

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
