#!/bin/sh
# Ks never leaves the BSF and the UE core: only the files listed touch it, none of them prints it,
# and no public header or exported function hands it out.  (At rest: keyring_save.c and
# usim_file.c, see doc/CONFORMANCE.md, point 11.)
#
# SPDX-License-Identifier: Apache-2.0
set -u
top=${top_srcdir:-$(dirname "$0")/..}

holders="bsf/session.c bsf/session.h bsf/zn.c common/kdf.c common/kdf.h common/secret.h \
ua/keyring.c ua/keyring.h ua/keyring_save.c ua/ub_client.c ua/ub_client.h ua/usim_file.c ua/usim_file.h \
ua/usim_lines.c ua/usim_soft.c"
at_rest='ua/keyring_save.c ua/usim_file.c ua/usim_lines.c'
public='common/err.h naf/gba_naf.h ua/gba_ue.h ua/transport.h ua/usim.h'

# The symbols of the libraries come last, from standard input.
# shellcheck disable=SC2046
for lib in .libs/libgba-ue.so naf/.libs/libgba-naf.so; do
    [ -e "${top_builddir:-.}/$lib" ] || continue
    echo "library $lib"
    nm -D --defined-only "${top_builddir:-.}/$lib"
done | (cd "$top" && awk -v holders="$holders" -v at_rest="$at_rest" -v public="$public" '
    function among(list) { return index(" " list " ", " " FILENAME " ") }
    function fail(who, why, hit) {
        print "FAIL " who " " why ": " hit
        if (!((who, why) in bad)) failed++
        bad[who, why]
    }
    symbols && $1 == "library" { lib = $2; libs++; next }
    symbols {
        if (/[ _]ks$/ && !/gba_ue_keyring_forget_ks$/) fail(lib, "exports Ks", $NF)
        next
    }
    # comments and strings do not count
    FNR == 1 { comment = 0 }
    { gsub(/"[^"]*"/, ""); sub(/\/\*.*\*\//, "") }
    comment { if (/\*\//) comment = 0; next }
    /^ *\/\*/ { comment = 1; next }
    /^ *\* / { next }
    # the type, and members of that name
    /struct gba_ks([^a-z_]|$)|(\.|->)ks([^a-z_]|$)/ {
        if (!among(holders)) fail(FILENAME, "touches Ks", FNR ":" $0)
        else if (!among(at_rest) && /printf|wbuf|_hex|base64|LOG|httpd_reply|diameter_put/)
            fail(FILENAME, "writes Ks out", FNR ":" $0)
    }
    /gba_ks([^a-z_]|$)|uint8_t ks/ && among(public) { fail(FILENAME, "shows Ks", FNR ":" $0) }
    END {
        passed = ARGC - 3 + split(public, names, " ") + libs - failed
        print passed " passed, " failed + 0 " failed, 0 skipped"
        exit failed || !passed
    }' $(find bsf common naf ua -name '*.[ch]' | sort) symbols=1 -)
