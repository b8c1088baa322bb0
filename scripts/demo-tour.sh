# The tour of scripts/demo through a running lab (scripts/lab.sh).  Sourced; POSIX sh.
#
# SPDX-License-Identifier: Apache-2.0

tour_fail() {
    echo "demo: $*" >&2
    for log in mock-hss bsfd mefd registrar; do
        [ ! -f "$lab_dir/$log.log" ] || { echo "--- $log"; tail -n 15 "$lab_dir/$log.log"; } >&2
    done
    exit 1
}

# Common options of the device's command.
device() {
    cmd=$1
    shift
    "$gba" "$cmd" --usim "$lab_dir/usim" --state "$lab_dir/state" --ca "$lab_dir/ca.pem" \
        --bsf "$ub_url" --bsf-name "$bsf_name" "$@"
}

# The four messages of a trace, without the fields that say nothing to a newcomer.
abridged() {
    sed -E -e '/^ +(Date|Accept|Cache-Control|Content-Length|User-Agent|Host):/d' \
        -e 's/^--> (.*)$/   device → BSF  \1/; s/^<-- (.*)$/   device ← BSF  \1/' \
        -e 's/(nonce|opaque|cnonce|username|realm)="([^"]{12})[^"]*"/\1="\2…"/g' \
        -e 's/(response|rspauth)="([0-9a-f]{4})[0-9a-f]*"/\1="\2…"/' \
        -e 's/^ +</                   </; s/^( +[A-Z][A-Za-z-]+: )/          \1/' \
        -e 's/<\?xml[^>]*\?> *//; s/ xmlns="[^"]*"//; s/> </></g'
}

tour_start() {
    step "1. The device has nothing but a USIM"
    printf 'imsi=%s\nmnc_len=%s\nk=%s\nopc=%s\n' "$imsi" "$mnc_len" "$k" "$opc" |
        "$gba" usim new --file "$lab_dir/usim" >/dev/null || tour_fail 'no USIM'
    say "   IMSI $imsi; K and OPc stay inside. The operator's HSS knows the same subscriber."
    if "$gba" connect "$registrar_addr" --psk --target "$target_cse_id" --usim "$lab_dir/usim" \
        --state "$lab_dir/state" >"$lab_dir/none" 2>&1; then
        tour_fail 'a device without credential was let in'
    fi
    say "   It has no M2M credential: gba connect says «$(tail -n 1 "$lab_dir/none" | cut -c 1-100)»"
}

tour_bootstrap() {
    step "2. Ub: bootstrapping by HTTP Digest AKA with the BSF"
    if [ "$zh" = file ]; then
        say "   (the BSF makes the vector itself, from its subscribers' file)"
    else
        say "   (Zh: the BSF fetches the vector and the GUSS from the HSS over Diameter, MAR/MAA)"
    fi
    device bootstrap --trace >"$lab_dir/boot" 2>"$lab_dir/trace" ||
        tour_fail "bootstrap: $(tail -n 3 "$lab_dir/trace")"
    abridged <"$lab_dir/trace"
    sed 's/^/   /' "$lab_dir/boot"
    say "   Both sides now share Ks. It never leaves the BSF and the device; nobody sent it."
}

tour_enrol() {
    if [ "$gba_way" = native ]; then
        step "3. Enrolment: the target CSE is the NAF (oneM2M TS-0003 8.3.2.3)"
        say "   Kpsa = Ks_NAF of $target_fqdn, KpsaID = B-TID: the device derives it, no message is sent."
        device enrol --target "$target_cse_id" >"$lab_dir/enrol" 2>"$lab_dir/enrol.err" ||
            tour_fail "enrol: $(tail -n 3 "$lab_dir/enrol.err")"
    else
        step "3. Enrolment: the MEF is the NAF (Ua: TLS-PSK with the B-TID), keys from Ke"
        say "   mefd asks the BSF over Zn for Ks_NAF of $mef_fqdn; both ends export Ke and KeID from TLS."
        device enrol --gba-mef --mef "$mef_psk_url" --mef-fqdn "$mef_fqdn" --target "$target_cse_id" \
            >"$lab_dir/enrol" 2>"$lab_dir/enrol.err" ||
            tour_fail "enrol: $(tail -n 3 "$lab_dir/enrol.err")"
    fi
    sed 's/^/   /' "$lab_dir/enrol"
}

tour_connect() {
    step "4. Security association: TLS-PSK between device and registrar $target_cse_id"
    device connect "$registrar_addr" --psk --target "$target_cse_id" \
        >"$lab_dir/connect" 2>"$lab_dir/connect.err" ||
        tour_fail "connect: $(tail -n 3 "$lab_dir/connect.err")"
    sed 's/^/   /' "$lab_dir/connect"
    if [ "$gba_way" = native ]; then
        say "   The registrar got the key from the BSF over Zn (SOAP, mutual TLS), by the KpsaID alone."
    else
        say "   The registrar got the key from mefd (fetchCredentials, mutual TLS), by the KeID alone."
    fi
}

tour_wrong_key() {
    step "5. The same identifier with a wrong key"
    id=$(sed -n 's/.*"key_id": *"\([^"]*\)".*/\1/p' "$lab_dir/connect.json" | head -n 1)
    head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$lab_dir/wrong"
    if device connect "$registrar_addr" --psk --key-id "$id" --key-file "$lab_dir/wrong" \
        --target "$target_cse_id" >"$lab_dir/wrong.out" 2>&1; then
        tour_fail 'a wrong key was accepted'
    fi
    say "   refused, as it must be: «$(tail -n 1 "$lab_dir/wrong.out" | cut -c 1-120)»"
}

# No key of this run stands in any log.  Nor on a command line: grep reads it from a pipe.
tour_secrets() {
    step "6. What the logs know"
    for secret in "$k" "$opc" "$(device key --naf "$target_fqdn" --ua-protocol psk-tls12:00ae \
        --show-keys --json 2>/dev/null | sed -n 's/.*"key": *"\([0-9a-f]*\)".*/\1/p')"; do
        [ -n "$secret" ] || tour_fail 'no key to look for'
        if printf '%s\n' "$secret" | grep -qiF -f - "$lab_dir"/*.log; then
            tour_fail 'a key stands in a log'
        fi
    done
    say "   neither K nor OPc nor the derived key; the subscriber only as a keyed hash:"
    grep -h ' ub.bootstrapped ' "$lab_dir/bsfd.log" | tail -n 1 | cut -c 1-140 | sed 's/^/   /'
}

tour() {
    say "OpenGAA: from a SIM card to an M2M credential, on loopback"
    say "  USIM --- gba (UE) --Ub--> bsfd --Zh--> HSS      target <--Zn-- bsfd"
    tour_start
    tour_bootstrap
    tour_enrol
    tour_connect
    device connect "$registrar_addr" --psk --target "$target_cse_id" --json >"$lab_dir/connect.json" ||
        tour_fail 'second session'
    tour_wrong_key
    tour_secrets
}
