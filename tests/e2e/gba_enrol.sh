#!/bin/sh
# gba enrol and gba connect, both ways of enrolment by GBA, with mefd and a registrar: the credential opens a session, a
# wrong one does not, and another target gets nothing.
#
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/gba_lib.sh"

way() { # zn|mef ENROL-ARGUMENT...
    registrar_from=$1
    shift
    lab_registrar "$registrar_from"
    expect 0 "$registrar_from: enrol" device enrol --target "$target_cse_id" --json "$@"
    silent "$registrar_from: the key stays in" '"key"'
    id=$(member key_id)
    expect 0 "$registrar_from: connect" device connect "$registrar_addr" --psk --target "$target_cse_id" --json
    says "$registrar_from: connect" 'accepted'
    [ "$(member suite)" = 00ae ] && ok || bad "$registrar_from: suite $(member suite)"
    [ "$(member key_id)" = "$id" ] && ok || bad "$registrar_from: key id"
    printf '%064d\n' 0 >"$lab_dir/zero"
    expect 77 "$registrar_from: a wrong key" device connect "$registrar_addr" --psk --target "$target_cse_id" \
        --key-file "$lab_dir/zero"
    expect 77 "$registrar_from: an unknown identifier" device connect "$registrar_addr" --psk \
        --target "$target_cse_id" --key-id "AAAAAAAAAAAAAAAAAAAAAA==@$bsf_name"
    expect 0 "$registrar_from: show" device show --json
    [ "$registrar_from" = mef ] || says_text "$registrar_from: the Ua id" '"ua_protocol": "01000100ae"'
    says_text "$registrar_from: show" "\"key_id\": \"$id\""
}

gba_lab
lab_mefd
expect 64 'no target' device enrol
expect 64 'another framework' device enrol --target "$target_cse_id" --framework psk
expect 65 'no CSE-ID' device enrol --target nonsense
expect 64 'the MEF has no name' device enrol --gba-mef --mef "$mef_psk_url" --target "$target_cse_id"
expect 64 'the MEF without TLS' device enrol --gba-mef --mef http://mef.example/ --target "$target_cse_id"
way zn
mef="--gba-mef --mef $mef_psk_url --mef-fqdn $mef_fqdn"
# shellcheck disable=SC2086
way mef $mef
first=$id
# shellcheck disable=SC2086
expect 0 'once more' device enrol --target "$target_cse_id" --json $mef
[ "$(member key_id)" != "$first" ] && ok || bad 'the same KeID for a new handshake'
expect 0 'the new credential' device connect "$registrar_addr" --psk --target "$target_cse_id"
# shellcheck disable=SC2086
expect 76 'plain PSK is not for the MEF' device enrol --target "$target_cse_id" $mef --suites PSK-AES128-CBC-SHA256
expect 76 'another name of the MEF' device enrol --gba-mef --mef "$mef_psk_url" --mef-fqdn other.example \
    --target "$target_cse_id"
expect 69 'nobody there' device enrol --gba-mef --mef https://127.0.0.1:1 --mef-fqdn "$mef_fqdn" \
    --target "$target_cse_id"


# --timeout holds for the whole of connect: a target that is silent, and one that never ends its line
silent_at=$lab_dir/silent.port
python3 - "$silent_at" <<'PY' &
import socket, sys, time
s = socket.create_server(("127.0.0.1", 0))
open(sys.argv[1] + ".new", "w").write(str(s.getsockname()[1]))
import os
os.rename(sys.argv[1] + ".new", sys.argv[1])
kept = [s.accept()[0]]
time.sleep(60)
PY
lab_pids="$! $lab_pids"
while [ ! -s "$silent_at" ]; do sleep 0.1; done
expect 69 'a silent target' device connect "127.0.0.1:$(cat "$silent_at")" --psk --target "$target_cse_id" --timeout 1
says 'a silent target' 'no answer in time'
summary
