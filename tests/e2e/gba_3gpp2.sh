#!/bin/sh
# A device with 3GPP2's AKA (S.S0055-A) from nothing to a session with its target: both ways of enrolment by GBA, with
# zh.file and with mock-hss behind bsfd, and resynchronisation in each.
#
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/gba_lib.sh"

fmk=4f70656e
lab_subscribers() {
    printf 'subscribers:\n  - { imsi: "%s", mnc_len: %s, algorithm: 3gpp2, k: %s, fmk: "%s" }\n' "$imsi" "$mnc_len" "$k" "$fmk"
}

card() { # FILE [LINE...]
    file=$1
    shift
    printf '%s\n' "imsi=$imsi" "mnc_len=$mnc_len" "k=$k" algorithm=3gpp2 "fmk=$fmk" "$@" |
        "$gba" usim new --force --file "$file" >/dev/null
}

road() { # WHAT SQN: enrolment and session by both ways, with a card that is ahead of the HSS
    what=$1
    card "$lab_dir/usim" "sqn=$2"
    expect 0 "$what: bootstrap" device bootstrap --trace
    [ "$(grep -c '<-- 401' "$lab_dir/err")" = 2 ] && ok || bad "$what: not resynchronised"
    lab_mefd
    lab_registrar zn
    expect 0 "$what: enrol" device enrol --target "$target_cse_id" --json
    expect 0 "$what: connect" device connect "$registrar_addr" --psk --target "$target_cse_id" --json
    says "$what: connect" 'accepted'
    [ "$(member suite)" = 00ae ] && ok || bad "$what: suite $(member suite)"
    lab_registrar mef
    expect 0 "$what: enrol at the MEF" device enrol --target "$target_cse_id" --json --gba-mef --mef "$mef_psk_url" \
        --mef-fqdn "$mef_fqdn"
    expect 0 "$what: connect by the MEF's key" device connect "$registrar_addr" --psk --target "$target_cse_id"
    says "$what: connect by the MEF's key" 'accepted'
}

gba_lab
grep -qx "fmk=$fmk" "$lab_dir/usim" && ok || bad 'no FMK in the card'
road file 00000fffffe0
lab_down
if [ -x "$mock_hss" ]; then
    lab_mock_hss
    lab_bsfd diameter
    rm -rf "$lab_dir/state"
    road diameter 00001fffffe0
    lab_down
else
    echo 'without Diameter: the part with mock-hss is left out'
fi
card "$lab_dir/usim" sqn=00002fffffe0
lab_bsfd file
expect 0 'the right FMK' device bootstrap
fmk=41484147
card "$lab_dir/usim" sqn=00002fffffe0
expect 76 'another FMK' "$gba" bootstrap --usim "$lab_dir/usim" --state "$lab_dir/s2" --bsf "$ub_url"
says 'another FMK' AUTN
summary
