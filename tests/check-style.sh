#!/bin/sh
# House rules that can be counted (CONTRIBUTING.md): the header of a file, its length, the length
# of its functions, no leftovers, no macro that leaves its caller, plain file names.
# SPDX-License-Identifier: Apache-2.0
set -u
cd "${top_srcdir:-$(dirname "$0")/..}" || exit 99

# shellcheck disable=SC2046
awk '
    function broken(line, why) { print "FAIL " file (line ? ":" line : "") ": " why; bad = 1 }
    function begin(name) {
        file = name
        seen[file]
        last = spdx = bad = macro_at = function_at = table_at = 0
    }
    function end() {
        if (!spdx) broken(1, "no SPDX line in the comment at the top")
        if (last > 800) broken(last, "over 800 lines")
        if (file ~ /(util|misc|helper)[^\/]*$/) broken(0, "a name that says nothing")
        if (bad) failed++; else passed++
    }
    FNR == 1 { if (file) end(); begin(FILENAME) }
    { last = FNR }
    FNR == 1 && $0 !~ /^\/\*/ { broken(1, "does not begin with a comment") }
    # a public header is also the manual of its library
    FNR <= (file ~ /\/gba_(ue|naf)\.h$/ ? 60 : 14) && /SPDX-License-Identifier: Apache-2\.0/ { spdx = FNR }
    # a macro with its continuation lines; one that defines a whole function may return
    /^[ \t]*#[ \t]*define/ { macro = ""; macro_at = FNR }
    macro_at { macro = macro "\n" $0
        if ($0 !~ /\\$/) {
            if (macro ~ /[^A-Za-z0-9_](return|goto)[^A-Za-z0-9_]/ && macro !~ /\n *\{ *\\/)
                broken(macro_at, "a macro with return or goto")
            macro_at = 0
        } }
    # the layout puts the braces of a function, and only these, into the first column
    /^\{/ { function_at = FNR; rows = 0; table_at = 0 }
    /= \{$/ { table_at = FNR }
    /^ *\};$/ && table_at { rows += FNR - table_at; table_at = 0 } # tables do not count
    /^\}$/ && function_at {
        lines = FNR - function_at - 1 - rows
        if (lines > 80) broken(function_at, "a function of " lines " lines")
        function_at = 0 }
    /(^|[^A-Za-z])(TODO|FIXME|XXX)([^A-Za-z]|$)/ { broken(FNR, "a leftover") }
    /[ \t]+$/ { broken(FNR, "blanks at the end of the line") }
    /\t/ { broken(FNR, "a tab") }
    END {
        if (file) end()
        for (i = 1; i < ARGC; i++) # an empty file has no first line
            if (!(ARGV[i] in seen)) { begin(ARGV[i]); end() }
        print passed + 0 " passed, " failed + 0 " failed, 0 skipped"
        exit failed || !passed
    }' $(find common bsf ua naf tests \( -name '*.c' -o -name '*.h' \) | sort) </dev/null
