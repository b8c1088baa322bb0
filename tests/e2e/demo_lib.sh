# Runs scripts/demo and looks at what it prints.  Nothing may be left behind, neither a process nor a
# file.  When root, the demo runs as nobody, for whom the source tree and the build are read-only.
# Sourced; POSIX sh.
#
# SPDX-License-Identifier: Apache-2.0
builddir=$(cd "${top_builddir:-.}" && pwd)
. "$top_srcdir/scripts/lab.sh"
passed=0 failed=0 skipped=0
unset MAKEFLAGS MAKELEVEL MFLAGS

check() { # WHAT COMMAND...: it must succeed
    what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $what"
        [ ! -s "$lab_dir/err" ] || tail -n 20 "$lab_dir/err" | sed 's/^/    /'
    fi
}

lab_begin
demo_tmp=$lab_dir/tmp # known to nothing else: marks the demo's processes and files
mkdir "$demo_tmp"
as_user=
if [ "$(id -u)" = 0 ]; then
    as_user='setpriv --reuid=nobody --regid=nogroup --clear-groups'
    chmod 711 "$lab_dir"
    chown nobody "$demo_tmp"
    if ! $as_user test -x "$builddir/bsf/bsfd" -a -r "$top_srcdir/scripts/lab.sh"; then
        echo 'SKIP an unprivileged user: nobody cannot read this build'
        skipped=1 as_user=
    fi
fi

demo() { TMPDIR=$demo_tmp exec $as_user "$top_srcdir/scripts/demo" "--build=$builddir" "$@"; }
run_demo() { (demo "$@") >"$lab_dir/out" 2>"$lab_dir/err" </dev/null; }
nothing_left() {
    [ -z "$(ls -A "$demo_tmp")" ] && ! grep -alF "TMPDIR=$demo_tmp" /proc/[0-9]*/environ 2>/dev/null
}
last_line() { [ "$(tail -n 1 "$lab_dir/out")" = "$1" ]; }
silent() { ! grep -qiE "$1" "$lab_dir/out" "$lab_dir/err"; }
exits() { # STATUS OPTION...
    want=$1
    shift
    run_demo "$@"
    [ $? = "$want" ]
}

demo_end() {
    lab_down
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ]
}

lab_find_programs "$builddir"
lab_world
