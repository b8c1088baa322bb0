# What the end-to-end tests of the gba command share: a lab with bsfd (Zh: file) and a device.
# Sourced; POSIX sh.
#
# SPDX-License-Identifier: Apache-2.0
top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
top_builddir=${top_builddir:-.}
builddir=$(cd "$top_builddir" && pwd)
. "$top_srcdir/scripts/lab.sh"
passed=0 failed=0

ok() { passed=$((passed + 1)); }
bad() {
    failed=$((failed + 1))
    echo "FAIL $*"
    [ ! -s "$lab_dir/err" ] || sed 's/^/    /' "$lab_dir/err"
}

# expect STATUS WHAT COMMAND...: its output is in out, its errors in err.
expect() {
    want=$1 what=$2
    shift 2
    "$@" >"$lab_dir/out" 2>"$lab_dir/err"
    got=$?
    if [ "$got" = "$want" ]; then ok; else bad "$what: exit $got, expected $want"; fi
}

# says WHAT PATTERN: the last output or error has it; silent: it has not.
says() {
    if grep -qE -e "$2" "$lab_dir/out" "$lab_dir/err"; then ok; else bad "$1: no $2"; fi
}
says_text() {
    if grep -qF -e "$2" "$lab_dir/out" "$lab_dir/err"; then ok; else bad "$1: no $2"; fi
}
silent() {
    if grep -qE -e "$2" "$lab_dir/out" "$lab_dir/err"; then bad "$1: says $2"; else ok; fi
}

# member NAME: of the last JSON output
member() { sed -n "s/.*\"$1\": *\"\\([^\"]*\\)\".*/\\1/p" "$lab_dir/out" | head -n 1; }

card() { # FILE [LINE...]
    file=$1
    shift
    printf '%s\n' "imsi=$imsi" "mnc_len=$mnc_len" "k=$k" "opc=$opc" "$@" |
        "$gba" usim new --force --file "$file" >/dev/null
}

device() {
    command=$1
    shift
    "$gba" "$command" --usim "$lab_dir/usim" --state "$lab_dir/state" --ca "$lab_dir/ca.pem" --bsf "$ub_url" "$@"
}

gba_lab() {
    lab_find_programs "$builddir"
    lab_begin
    lab_world
    lab_guss >"$lab_dir/guss.xml"
    lab_bsfd file
    card "$lab_dir/usim"
    mkfifo "$lab_dir/quiet"
    exec 9<>"$lab_dir/quiet" # a standard input that neither ends nor says anything
}

# free_port: one that nobody listens on at this moment
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# in_background LOG COMMAND...: ended with the lab
in_background() {
    log=$1
    shift
    "$@" >"$log" 2>&1 <"$lab_dir/quiet" &
    lab_started
}

# listening PORT: waits for it
listening() {
    n=0
    while ! python3 -c "import socket; socket.create_connection(('127.0.0.1', $1), 1).close()" 2>/dev/null; do
        [ $n -lt 100 ] || return 1
        n=$((n + 1))
        sleep 0.1
    done
}

summary() {
    echo "$passed passed, $failed failed, 0 skipped"
    [ "$failed" = 0 ]
}
