#!/bin/sh
# Ks never leaves the BSF and the UE core: only the files listed touch it, none of them prints it,
# and no public header or exported function hands it out.  (At rest: keyring_save.c and
# usim_file.c, see doc/CONFORMANCE.md, point 11.)
#
# SPDX-License-Identifier: Apache-2.0
set -u
top=${top_srcdir:-$(dirname "$0")/..}
passed=0 failed=0

holders='bsf/session.c bsf/session.h bsf/zn.c common/kdf.c common/kdf.h common/secret.h
ua/keyring.c ua/keyring.h ua/keyring_save.c ua/ub_client.c ua/ub_client.h ua/usim_file.c ua/usim_file.h
ua/usim_lines.c ua/usim_soft.c'
at_rest='ua/keyring_save.c ua/usim_file.c ua/usim_lines.c'
public='common/err.h naf/gba_naf.h ua/gba_ue.h ua/transport.h ua/usim.h'

fail() {
    echo "FAIL $*"
    failed=$((failed + 1))
}

# The type, and members of that name; comments and strings do not count.
code() {
    sed -e 's/"[^"]*"//g' -e 's|/\*.*\*/||' -e '/^ *\/\*/,/\*\//d' -e '/^ *\* /d' "$top/$1"
}

for file in $(cd "$top" && find bsf common naf ua -name '*.[ch]' | sort); do
    hits=$(code "$file" | grep -nE 'struct gba_ks([^a-z_]|$)|(\.|->)ks([^a-z_]|$)')
    if [ -n "$hits" ] && ! echo "$holders" | tr ' ' '\n' | grep -qxF "$file"; then
        fail "$file touches Ks: $hits"
    elif [ -n "$hits" ] && ! echo "$at_rest" | tr ' ' '\n' | grep -qxF "$file" &&
        echo "$hits" | grep -E '(printf|wbuf|_hex|base64|LOG|httpd_reply|diameter_put)'; then
        fail "$file writes Ks out"
    else
        passed=$((passed + 1))
    fi
done

for file in $public; do
    if code "$file" | grep -nE 'gba_ks([^a-z_]|$)|uint8_t ks'; then
        fail "$file shows Ks"
    else
        passed=$((passed + 1))
    fi
done

for lib in .libs/libgba-ue.so naf/.libs/libgba-naf.so; do
    [ -e "${top_builddir:-.}/$lib" ] || continue
    if nm -D --defined-only "${top_builddir:-.}/$lib" | grep -E '[ _]ks$' | grep -v 'gba_ue_keyring_forget_ks$'; then
        fail "$lib exports Ks"
    else
        passed=$((passed + 1))
    fi
done

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
