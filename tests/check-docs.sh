#!/bin/sh
# What the documents name must be there: every file, function, test and option that
# doc/CONFORMANCE.md and doc/ARCHITECTURE.md set in backticks stands in the sources, README's
# and the others' files exist, and gba(1) has every option of gba.
#
# SPDX-License-Identifier: Apache-2.0
set -u
cd "${top_srcdir:-.}" || exit 99

# What is there: an identifier of the sources (and every option of the schemas) alone on its line,
# "place FILE" and "place FILE:FUNCTION"; and what is cited: "cited FILE:LINE:DOCUMENT".
# shellcheck disable=SC2016
there() {
    find bsf common naf tests ua scripts doc/examples -type f ! -path '*.in/*' -exec cat {} + |
        LC_ALL=C grep -aoE '[A-Za-z_][A-Za-z0-9_]*'
    find . -type f ! -path '*/.git/*' | sed 's|^[.]/|place |'
    grep -raoE '^(static )?(void|def) [A-Za-z0-9_]+\(' bsf common naf tests ua scripts |
        sed -E 's/^([^:]*):.* (.*)\(/place \1:\2/'
    grep -rnoE --include='*.[ch]' --include='*.sh' --include='*.py' --include='*.inc' --include='*.in' --include='*.md' \
        '[$A-Za-z0-9_/-]+[.]md([^a-zA-Z0-9(]|$)' bsf common doc naf scripts tests ua README.md CONTRIBUTING.md |
        sed -E 's|^([^:]*:[0-9]*:)([$]top/)?|cited \1|; s|([.]md).$|\1|'
}

there | awk '
    function result(ok, file, line, what) { # once for each file
        if ((file, what) in seen) return
        seen[file, what]
        if (ok) { passed++; return }
        print "FAIL " file ":" line " " what
        failed++
    }
    function all(text, pattern, found,    n) { # as grep -o
        for (; match(text, pattern); text = substr(text, RSTART + RLENGTH))
            found[++n] = substr(text, RSTART, RLENGTH)
        return n
    }
    # A path names a file or folder from the root, or a file by its last parts.
    function place(path,    i) {
        root[path]
        for (i = 1; i < length(path); i++)
            if (substr(path, i, 1) == "/") {
                root[substr(path, 1, i - 1)]
                root[substr(path, 1, i)]
                ends[substr(path, i + 1)]
            }
    }
    function is_path(name) {
        sub(/\/$/, "", name)
        if (sub(/^\//, "", name)) return name in root # the rest of ../
        return name in root || name in ends
    }
    # Paths, files, identifiers with "_", file:test pairs, dotted options.
    function known(name,    file, part, n) {
        if (name ~ /:/) {
            file = name
            sub(/:.*/, "", file)
            return file in root ? name in root : name in ends
        }
        if (name ~ /\.(am|c|h|sh|py|md|json|yaml|in|inc)$|\//) return is_path(name)
        for (n = split(name, part, "."); n; n--)
            if (part[n] != "" && !(part[n] in words)) return 0
        return 1
    }

    tables && NF == 1 { words[$1]; next }
    tables && $1 == "place" { place(substr($0, 7)) }
    tables && $1 == "cited" { cited[++cites] = substr($0, 7) }
    tables { next }

    # 1. Names in backticks, and functions in the diagrams.
    FILENAME ~ /(ARCHITECTURE|CONFORMANCE)\.md$/ {
        for (n = all($0, "`[A-Za-z0-9_./:-]+`", names); n; n--) {
            name = substr(names[n], 2, length(names[n]) - 2)
            if (name ~ /[_\/.:]/) result(known(name), FILENAME, FNR, "names " name ", which is not there")
        }
        if (/^```/) { inside = !inside; next }
        if (inside && FILENAME ~ /ARCHITECTURE/)
            for (n = all($0, "[a-z0-9]+(_[a-z0-9]+)+", names); n; n--)
                result(names[n] in words || is_path(names[n] ".c"), FILENAME, FNR,
                    "names " names[n] " in a diagram, which is not there")
        next
    }
    # 2. Files that the other documents name.
    FILENAME ~ /\.md$/ {
        for (n = all($0, "(^|[^A-Za-z0-9_/.-])(bsf|common|doc|naf|scripts|tests|ua)/[A-Za-z0-9_./-]*[A-Za-z0-9_/]", names); n; n--) {
            name = names[n]
            sub(/^[^a-z]/, "", name)
            if (name ~ /\/b[a-z]*sh$|^tests\/(fuzz|e2e)\/X|^tests\/fuzz\/fuzz_X|^doc\/man\/.*\.[18]$/) continue
            result(name in root || name ".c" in root, FILENAME, FNR, "names " name ", which is not there")
        }
    }
    # 3. Options of gba in gba(1), and none that it has not.
    FILENAME == "ua/gba.c" {
        for (n = all($0, "[{]\"[a-z0-9-]+\", ", names); n; n--) {
            name = substr(names[n], 3, length(names[n]) - 5)
            has["--" name]
            if (/^    \{"/ && name !~ /^(bootstrap|key|get|put|show|enrol|connect|credential|est)$/)
                options["--" name] = FNR
        }
    }
    FILENAME == "doc/man/gba.1" {
        gsub(/\\f./, "")
        gsub(/\\/, "")
        for (n = all($0, "--[a-z0-9-]+", names); n; n--) {
            described[names[n]]
            if (names[n] !~ /^--(help|version)$/)
                result(names[n] in has, FILENAME, FNR, "has " names[n] ", which gba has not")
        }
    }
    END {
        for (name in options)
            result(name in described, "ua/gba.c", options[name], "has " name ", which gba(1) has not")
        # 4. No document is cited that is not here.
        for (n = 1; n <= cites; n++) {
            split(cited[n], part, ":")
            if (!once[part[3]]++) result(is_path(part[3]), part[1], part[2], "cites " part[3] ", which is not there")
        }
        print passed + 0 " passed, " failed + 0 " failed, 0 skipped"
        exit failed > 0
    }' tables=1 - tables=0 doc/ARCHITECTURE.md doc/CONFORMANCE.md README.md CONTRIBUTING.md doc/ADMIN.md doc/CREDENTIALS.md \
    doc/DEVICE.md doc/HACKING.md doc/KEYRING.md doc/MMEF.md doc/OPERATOR.md ua/gba.c doc/man/gba.1
