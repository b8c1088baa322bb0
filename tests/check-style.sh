#!/bin/sh
# House rules that can be counted (CONTRIBUTING.md): the header of a file, its length, the length
# of its functions, no leftovers, no macro that leaves its caller, plain file names.
# SPDX-License-Identifier: Apache-2.0
set -u
top=${top_srcdir:-$(dirname "$0")/..}
passed=0 failed=0

broken_rules() { # file: prints one line per broken rule
    awk -v file="$1" '
        function broken(line, why) { print "FAIL " file ":" line ": " why }
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
            if (!spdx) broken(1, "no SPDX line in the comment at the top")
            if (FNR > 800) broken(FNR, "over 800 lines")
        }' "$top/$1"
    case $(basename "$1") in
    *util* | *misc* | *helper*) echo "FAIL $1: a name that says nothing" ;;
    esac
}

for file in $(cd "$top" && find common bsf ua naf tests \( -name '*.c' -o -name '*.h' \) | sort); do
    bad=$(broken_rules "$file")
    if [ -z "$bad" ]; then
        passed=$((passed + 1))
    else
        echo "$bad"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
