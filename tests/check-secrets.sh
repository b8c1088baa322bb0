#!/bin/sh
# How the sources treat secrets: they are compared by gba_equal_ct only, wiped by gba_wipe only, and
# never handed to a log call.
# SPDX-License-Identifier: Apache-2.0
set -u
cd "${top_srcdir:-$(dirname "$0")/..}" || exit 99

# Names that hold secrets, as whole words: variables and members.
secret='(opc|topc|ks|ck|ik|res|xres|mac|mac_a|mac_s|mac_star|auts|autn|ke|km|kpm|kpsa|psk|ha1|password|passwd'
secret="$secret|rspauth|secret|ks_naf|ks_ext_naf|ks_int_naf|kausf|kakma|sres|kc|wrapping_key|seal_key)"
word="(^|[^A-Za-z0-9_\"])$secret([^A-Za-z0-9_(.-]|\$)"

# shellcheck disable=SC2046
awk -v word="$word" '
    function fail(hit, why) {
        sub(/[ \t]+$/, "", hit)
        print "FAIL " FILENAME ":" first ": " hit ": " why
        failed++
        if (!(FILENAME in bad)) files++
        bad[FILENAME]
    }
    # the first argument of the last call of a name
    function argument(text, name) {
        sub(".*" name "[(]", "", text)
        sub(/[,)].*/, "", text)
        return text
    }
    function check(text,    call) {
        sub(/^ +/, "", text)
        # the arguments of comparisons
        if (match(" " text, /.*[^A-Za-z0-9_](memcmp|bcmp|strcmp|strncmp|strcasecmp)\(/)) {
            call = substr(text, 1, RLENGTH - 2)
            sub(/.*[^a-z]/, "", call)
            call = call substr(text, RLENGTH - 1)
            if (call ~ word && call !~ /(memcmp|bcmp)\([^)]*(ua_id|naf_id)/)
                fail(call, "gba_equal_ct compares secrets")
        }
        # what a log call is given
        if (text ~ /(^|[^A-Za-z0-9_])(LOG|log_event|syslog|sd_journal_[a-z]+)\(/ && text ~ word)
            fail(text, "a secret in a log call")
        # memset just before free, which a compiler may leave out
        number++
        if (text ~ /memset\(/) { set = argument(text, "memset"); set_at = number }
        if (text ~ /free\(/ && set_at && number - set_at <= 3 && argument(text, "free") == set)
            fail(text, "gba_wipe wipes")
        if (text ~ /(^|[^A-Za-z0-9_])(explicit_bzero|bzero)\(/ && FILENAME != "common/secret.c")
            fail(text, "gba_wipe wipes")
    }
    # each statement in one line, comments and strings emptied
    FNR == 1 { statement = ""; comment = set_at = number = 0 }
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
            check(statement)
            statement = ""
        }
    }
    END {
        passed = ARGC - 1 - files
        print passed " passed, " failed + 0 " failed, 0 skipped"
        exit failed || !passed
    }' $(find common bsf ua naf -name '*.c' | sort) </dev/null
