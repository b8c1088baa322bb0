#!/bin/sh
# scripts/demo with each framework and each association, and its change of the service provider.
#
# SPDX-License-Identifier: Apache-2.0
top_srcdir=$(cd "${top_srcdir:-$(dirname "$0")/../..}" && pwd)
. "$top_srcdir/tests/e2e/demo_lib.sh"

test_frameworks() {
    for framework in psk cert pre gba; do
        for association in psk cert maf; do
            [ "$framework" != gba ] || [ "$association" = maf ] || continue
            name="demo --framework=$framework --association=$association"
            check "$name" exits 0 "--framework=$framework" "--association=$association" --zh=file
            check "$name: last line" last_line 'demo: ok'
            check "$name: no key in clear" silent "key=[0-9a-f]|$k|$opc"
            check "$name: nothing left" nothing_left
        done
    done
    for way in gba psk cert gba:mef; do
        name="demo --change-provider, $way"
        case $way in
        gba:mef) set -- --framework=gba --gba=mef ;;
        *) set -- "--framework=$way" ;;
        esac
        check "$name" exits 0 --change-provider --zh=file "$@"
        check "$name: last line" last_line 'demo: ok'
        check "$name: the new provider" grep -q 'accepted .* at //other.test/cse9' "$lab_dir/out"
        check "$name: no key in clear" silent "key=[0-9a-f]|$k|$opc"
        check "$name: nothing left" nothing_left
    done
    check 'no change of what is pre-provisioned' exits 64 --framework=pre --change-provider
    check 'gba/cert is refused' exits 64 --framework=gba --association=cert
    check 'gba/cert: the reason' grep -q 'no certificate' "$lab_dir/err"
}

test_frameworks
demo_end
