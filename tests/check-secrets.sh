#!/bin/sh
# How the sources treat secrets: they are compared by gba_equal_ct only, wiped by gba_wipe only, and
# never handed to a log call.
# SPDX-License-Identifier: Apache-2.0
set -u
top=${top_srcdir:-$(dirname "$0")/..}
passed=0 failed=0
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT

# Each statement of the file in one line, comments and strings emptied: "LINE: statement".
cat >"$tmp/statements.awk" <<'A'
{
    line = $0
    gsub(/\\"/, "", line)
    gsub(/"[^"]*"/, "\"\"", line)
    gsub(/\/\*.*\*\//, "", line)
    sub(/\/\/.*/, "", line)
    if (line ~ /\/\*/) { sub(/\/\*.*/, "", line); comment = 1 }
    else if (comment) { if (line !~ /\*\//) next; sub(/.*\*\//, "", line); comment = 0 }
    if (statement == "") first = FNR
    statement = statement " " line
    if (line ~ /[;{}]/ || line ~ /^#/) {
        print first ": " statement
        statement = ""
    }
}
A

# Names that hold secrets, as whole words: variables and members.
secret='(opc|topc|ks|ck|ik|res|xres|mac|mac_a|mac_s|mac_star|auts|autn|ke|km|kpm|kpsa|psk|ha1|password|passwd'
secret="$secret|rspauth|secret|ks_naf|ks_ext_naf|ks_int_naf|kausf|kakma|sres|kc|wrapping_key|seal_key)"
word="(^|[^A-Za-z0-9_\"])$secret([^A-Za-z0-9_(.-]|\$)"
call='(^|[^A-Za-z0-9_])'

check() { # file
    before=$failed
    awk -f "$tmp/statements.awk" "$top/$1" >"$tmp/text"
    # the arguments of comparisons
    sed -nE "s/^([0-9]+:).*${call}(memcmp|bcmp|strcmp|strncmp|strcasecmp)\\((.*)/\\1 \\3(\\4/p" "$tmp/text" |
        grep -E "$word" | grep -vE '(memcmp|bcmp)\([^)]*(ua_id|naf_id)' |
        while read -r hit; do echo "FAIL $1:$hit: gba_equal_ct compares secrets"; done >"$tmp/bad"
    # what a log call is given
    grep -E "${call}(LOG|log_event|syslog|sd_journal_[a-z]+)\\(" "$tmp/text" | grep -E "$word" |
        while read -r hit; do echo "FAIL $1:$hit: a secret in a log call"; done >>"$tmp/bad"
    # memset just before free, which a compiler may leave out
    awk '/memset\(/ {v = $0; sub(/.*memset\(/, "", v); sub(/,.*/, "", v); at = NR}
        /free\(/ {f = $0; sub(/.*free\(/, "", f); sub(/\).*/, "", f)
            if (at && NR - at <= 3 && f == v) print "FAIL '"$1"':" $0 ": gba_wipe wipes"}' \
        "$tmp/text" >>"$tmp/bad"
    grep -E "${call}(explicit_bzero|bzero)\\(" "$tmp/text" |
        while read -r hit; do echo "FAIL $1:$hit: gba_wipe wipes"; done >"$tmp/wipes"
    [ "$1" = common/secret.c ] || cat "$tmp/wipes" >>"$tmp/bad"
    cat "$tmp/bad"
    n=$(wc -l <"$tmp/bad")
    failed=$((failed + n))
    [ "$failed" != "$before" ] || passed=$((passed + 1))
}

for file in $(cd "$top" && find common bsf ua naf -name '*.c' | sort); do
    check "$file"
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
