#!/bin/sh
# scripts/demo as its users run it: every variant of the tour by SIM card, the laboratory that stays
# up, another HSS, wrong options, signals.
#
# SPDX-License-Identifier: Apache-2.0
top_srcdir=$(cd "${top_srcdir:-$(dirname "$0")/../..}" && pwd)
. "$top_srcdir/tests/e2e/demo_lib.sh"

test_tours() {
    for gba_way in native mef; do
        for zh in diameter file; do
            name="demo --gba=$gba_way --zh=$zh"
            check "$name" exits 0 "--gba=$gba_way" "--zh=$zh"
            check "$name: last line" last_line 'demo: ok'
            check "$name: no secret in clear" silent "$k|$opc"
            check "$name: nothing left" nothing_left
        done
    done
}

test_another_hss() {
    hss_identity=hss.other.test hss_realm=other.test
    lab_guss >"$lab_dir/guss.xml"
    lab_mock_hss
    check 'another HSS' exits 0 "--hss=$hss_addr,$hss_identity,$hss_realm"
    check 'another HSS: last line' last_line 'demo: ok'
    printf 'stats\n' | nc -U -q 5 "$hss_control" >"$lab_dir/stats"
    check 'another HSS was asked' grep -qE '^ok .*requests=[1-9]' "$lab_dir/stats"
    check 'another HSS: nothing left' nothing_left
}

keys='ub_url ub_tls_url zn_url zn_client_cert zn_client_key zn_client_name ca naf_fqdn mef_url
registrar_addr target_cse_id target_fqdn impi imsi k opc amf bsf_name hss_addr hss_identity hss_realm
hss_control zh_bsf_identity zh_bsf_realm metrics_url health_url'

value() { sed -n "s/^$1=//p" "$lab_dir/out"; }
is() { value "$1" | grep -qE "^$2\$"; }
form_of_output() {
    last_line ready=1 && [ "$(grep -c '^ready=' "$lab_dir/out")" = 1 ] &&
        ! grep -qvE '^[a-z0-9_]+=' "$lab_dir/out"
}

check_lab() { # how it was started
    check "$1: key=value lines, then ready=1" form_of_output
    for key in $keys; do
        check "$1: $key once" test "$(grep -c "^$key=" "$lab_dir/out")" = 1
    done
    check "$1: ub_url" is ub_url 'http://127\.0\.0\.1:[0-9]+/'
    check "$1: ub_tls_url" is ub_tls_url 'https://127\.0\.0\.1:[0-9]+/'
    check "$1: zn_url" is zn_url 'https://127\.0\.0\.1:[0-9]+/.+'
    check "$1: k" is k '[0-9a-f]{32}'
    check "$1: opc" is opc '[0-9a-f]{32}'
    for pem in ca zn_client_cert zn_client_key; do
        check "$1: $pem" grep -q '^-----BEGIN' "$(value $pem)"
    done
    check "$1: health" curl -sf -o "$lab_dir/health" "$(value health_url)"
    check "$1: metrics" curl -sf -o "$lab_dir/metrics" "$(value metrics_url)"
    check "$1: Ub answers" test 400 = "$(curl -s -o "$lab_dir/body" -w '%{http_code}' "$(value ub_url)")"
    for server in ub_tls_url zn_url mef_url; do
        curl -s --cacert "$(value ca)" --cert "$(value zn_client_cert)" --key "$(value zn_client_key)" \
            -o "$lab_dir/body" "$(value $server | sed 's/127.0.0.1/localhost/')"
        check "$1: $server has a certificate for localhost" test $? = 0
    done
}

test_keep_running() { # SIGNAL OPTION...
    signal=$1
    shift
    name="--keep-running $* until SIG$signal"
    (demo --keep-running "$@") >"$lab_dir/out" 2>"$lab_dir/err" </dev/null &
    lab_started
    pid=$lab_pid
    n=0
    while ! grep -q '^ready=1' "$lab_dir/out" && kill -0 $pid 2>/dev/null && [ $n -lt 600 ]; do
        sleep 0.1
        n=$((n + 1))
    done
    check_lab "$name"
    kill "-$signal" $pid
    wait $pid
    check "$name: exit 0" test $? = 0
    check "$name: no more output" form_of_output
    check "$name: nothing left" nothing_left
}

# The demo of a tree where installing or building hangs, each with a child of its own.
make_hanging_tree() { # install-deps|build
    rm -rf "$lab_dir/tree" "$lab_dir/hung"
    mkdir -p "$lab_dir/tree/scripts"
    cp "$top_srcdir/scripts/demo" "$top_srcdir/scripts/lab.sh" "$lab_dir/tree/scripts"
    for script in install-deps build; do
        echo '#!/bin/sh' >"$lab_dir/tree/scripts/$script"
        [ "$script" != "$1" ] || echo 'sleep 300 & echo >"$TMPDIR/hung"; sleep 300' >>"$lab_dir/tree/scripts/$script"
    done
    chmod -R a+rX "$lab_dir/tree"
    chmod a+x "$lab_dir/tree/scripts/"*
    mkdir "$lab_dir/tree/build"
    [ -z "$as_user" ] || chown nobody "$lab_dir/tree/build"
}

# As soon as FILE is there.
kill_at() { # FILE STATUS COMMAND...
    file=$1 want=$2
    shift 2
    (TMPDIR=$demo_tmp exec $as_user "$@") >"$lab_dir/out" 2>"$lab_dir/err" </dev/null &
    lab_started
    pid=$lab_pid
    # shellcheck disable=SC2086
    until ls $file >"$lab_dir/found" 2>&1 || ! kill -0 $pid 2>/dev/null; do
        :
    done
    kill -TERM $pid
    wait $pid
    [ $? = "$want" ]
}

test_killed_at_start() { # STATUS OPTION...
    want=$1
    shift
    for stage in install-deps build; do
        make_hanging_tree $stage
        check "SIGTERM during $stage, demo $*: status" kill_at "$demo_tmp/hung" "$want" \
            "$lab_dir/tree/scripts/demo" "--build=$lab_dir/tree/build" "$@"
        rm -f "$demo_tmp/hung"
        check "SIGTERM during $stage, demo $*: nothing left" nothing_left
    done
    for place in opengaa.* 'opengaa.*/bsf.key' 'opengaa.*/bsfd.yaml'; do
        check "SIGTERM at $place, demo $*: status" kill_at "$demo_tmp/$place" "$want" \
            "$top_srcdir/scripts/demo" "--build=$builddir" "$@"
        check "SIGTERM at $place, demo $*: nothing left" nothing_left
    done
}

test_usage() {
    for wrong in --frobnicate --gba=x --zh=x --hss=x --hss=,, --hss=127.0.0.1:1,a --build= extra; do
        check "64: $wrong" exits 64 "$wrong"
        check "64: $wrong: silent" test ! -s "$lab_dir/out"
    done
    check '64: another HSS without Diameter' exits 64 --hss=127.0.0.1:1,a,b --zh=file
    check '--help' exits 0 --help
    check 'usage: nothing left' nothing_left
}

test_usage
test_killed_at_start 143
test_killed_at_start 0 --keep-running
test_tours
test_another_hss
test_keep_running TERM
test_keep_running INT --zh=file --gba=mef
demo_end
