#!/bin/sh
# No secret gets out: the demo, both ways of enrolment, with every daemon's log at debug.  Neither a key
# in any writing nor the subscriber's identity may stand in a log or a process list, nor a key in what
# the demo prints; the MEF's database holds no key in clear.
#
# SPDX-License-Identifier: Apache-2.0
top_srcdir=$(cd "${top_srcdir:-$(dirname "$0")/../..}" && pwd)
top_builddir=$(cd "${top_builddir:-.}" && pwd)
export top_srcdir top_builddir
unset MAKEFLAGS MAKELEVEL MFLAGS
work=$(mktemp -d) || exit 1
watcher=
end() {
    [ -z "$watcher" ] || kill "$watcher" 2>/dev/null
    rm -rf "$work"
}
trap end EXIT
trap 'exit 143' INT TERM

python3 "$top_srcdir/tests/e2e/leaks.py" watch "$work" &
watcher=$!
[ -x "$top_builddir/tests/mock-hss/mock-hss" ] && zh=diameter || zh=file
for gba_way in native mef; do
    mkdir "$work/$gba_way"
    TMPDIR=$work/$gba_way LAB_KEEP=1 lab_log_level=debug "$top_srcdir/scripts/demo" --gba=$gba_way --zh=$zh \
        "--build=$top_builddir" >"$work/$gba_way/stdout" 2>"$work/$gba_way/stderr" </dev/null
    echo $? >"$work/$gba_way/status"
done
python3 "$top_srcdir/tests/e2e/leaks.py" look "$work"
