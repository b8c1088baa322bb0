#!/bin/sh
# What make install gives to others: headers that compile alone as C and C++, pkg-config files with
# which the examples build and start, units and manuals below the prefix, nothing outside it.
# Run by make check-install, from the build folder.
#
# SPDX-License-Identifier: Apache-2.0
set -u
top=${top_srcdir:-$(dirname "$0")/..}
build=${top_builddir:-.}
cc=${CC:-cc}
passed=0 failed=0 skipped=0
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
log=$dir/log

check() { # what command...
    what=$1
    shift
    if "$@" >"$log" 2>&1; then
        passed=$((passed + 1))
    else
        echo "FAIL $what"
        sed 's/^/    /' "$log" | tail -n 15
        failed=$((failed + 1))
    fi
}

# Staged, as a package would be.
prefix=$(sed -n 's/^prefix = //p' "$build/Makefile")
check 'make install' make -C "$build" -s DESTDIR="$dir/root" install
root=$dir/root$prefix
if [ "$failed" != 0 ] || [ -z "$prefix" ]; then
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
fi
find "$dir/root" -type f ! -path "$root/*" >"$dir/outside"
check 'nothing outside the prefix' test ! -s "$dir/outside"

skip() { # how-many why
    echo "SKIP $2"
    skipped=$((skipped + $1))
}

command -v c++ >/dev/null || skip 1 'headers in C++: there is no c++ (package g++)'
command -v groff >/dev/null || skip 1 'manuals without warnings: there is no groff (package groff-base)'
[ -d "$root/include" ] || echo 'no library is built: no headers, no examples'
for header in $(find "$root/include" -name '*.h'); do
    header=${header#"$root/include/opengaa/"}
    printf '#include <%s>\nint main(void) { return 0; }\n' "$header" >"$dir/one.c"
    cp "$dir/one.c" "$dir/one.cc"
    gnutls=$(pkg-config --cflags gnutls)
    # shellcheck disable=SC2086
    check "<$header> alone in C" $cc -std=c11 -Wall -Wextra -Werror -pedantic \
        -I "$root/include/opengaa" $gnutls -c "$dir/one.c" -o "$dir/one.o"
    if command -v c++ >/dev/null; then
        # shellcheck disable=SC2086
        check "<$header> alone in C++" c++ -Wall -Wextra -Werror \
            -I "$root/include/opengaa" $gnutls -c "$dir/one.cc" -o "$dir/one.o"
    fi
done

library=$(find "$root" -name 'libgba-*.so' | head -n 1)
libdir=$(dirname "${library:-$root/lib/none}")
PKG_CONFIG_PATH=$libdir/pkgconfig
export PKG_CONFIG_PATH
flags() { # the .pc files speak of the place they will have
    pkg-config --define-variable=libdir="$libdir" \
        --define-variable=includedir="$root/include/opengaa" --cflags --libs "$@"
}

example() { # package source other-packages
    package=$1 source=$2
    shift 2
    [ -e "$libdir/pkgconfig/$package.pc" ] || return 0
    check "$package.pc: version" test -n "$(pkg-config --modversion "$package")"
    # shellcheck disable=SC2046
    check "$source with pkg-config" $cc -Wall -Wextra -Werror -o "$dir/example" "$top/$source" \
        $(flags "$package" "$@")
    LD_LIBRARY_PATH=$libdir "$dir/example" >"$log" 2>&1 </dev/null
    check "$source runs: usage is 64" test $? = 64
    check "$package: the library has a soname" sh -c "ls '$libdir/$package.so.0'"
}
# What the library needs itself, a static link must be told: libNAME.so.N is -lNAME.
needs() { # package
    [ -e "$libdir/pkgconfig/$1.pc" ] || return 0
    check "$1.pc is filled in" sh -c "! grep -n '@[A-Za-z_]*@' '$libdir/pkgconfig/$1.pc'"
    static=$(pkg-config --static --libs "$1" 2>"$log")
    for needed in $(readelf -d "$libdir/$1.so.0" | sed -n 's/.*(NEEDED).*\[lib\(.*\)\.so.*/\1/p'); do
        case " $static " in
        *" -l$needed "*) named=true ;;
        *) named=false ;;
        esac
        # libc, and what a compiler adds of itself
        case $needed in c | gcc_s | asan | ubsan | tsan | m | pthread) named=true ;; esac
        check "$1.pc: --static --libs has -l$needed" "$named"
    done
}
if command -v readelf >/dev/null; then
    needs libgba-ue
    needs libgba-naf
else
    skip 2 'what the libraries need: there is no readelf (package binutils)'
fi
example libgba-ue doc/examples/ue_minimal.c
example libgba-naf doc/examples/naf_minimal.c libmicrohttpd

for program in $(cd "$root" && find . -path './*bin/*' -type f | sed 's|^\./||' | sort); do
    name=$(basename "$program")
    check "$program --version" env LD_LIBRARY_PATH="$libdir" "$root/$program" --version
    check "$program has a manual" test -n "$(find "$root/share/man" -name "$name.*")"
done
for manual in $(find "$root/share/man" -type f); do
    check "$(basename "$manual") is filled in" sh -c "! grep -n '@[A-Za-z]*@' '$manual'"
    if command -v groff >/dev/null; then
        groff -man -ww -Tutf8 -z "$manual" >"$log" 2>&1
        check "$(basename "$manual") without warnings" test ! -s "$log"
    fi
done
for unit in $(find "$root" -name '*.service'); do
    check "$(basename "$unit"): the program is where it says" \
        test -x "$dir/root$(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$unit")"
done
# mefctl is an operator's tool
for daemon in $(find "$root" -path '*/sbin/*' -type f ! -name mefctl); do
    check "$(basename "$daemon") has a unit" test -n "$(find "$root" -name "$(basename "$daemon").service")"
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
