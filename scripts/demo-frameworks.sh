# The tours of scripts/demo without a SIM card (a pre-provisioned key, a certificate, or a
# credential that is there already), and those to a MAF.  Sourced, with scripts/lab.sh; POSIX sh.
#
# SPDX-License-Identifier: Apache-2.0

frameworks_fail() {
    echo "demo: $*" >&2
    for log in mefd mafd registrar other; do
        [ ! -f "$lab_dir/$log.log" ] || { echo "--- $log"; tail -n 15 "$lab_dir/$log.log"; } >&2
    done
    exit 1
}

random_hex() { head -c "$1" /dev/urandom | od -An -tx1 | tr -d ' \n'; }

# credential FILE KIND KEY_ID PEER: a new key of 32 octets, and for whom it is
credential() {
    (umask 077 && cat >"$lab_dir/$1") <<EOF
opengaa-credential=1
kind=$2
key_id=$3
key=$(random_hex 32)
peer=$4
entity=$enrolee_id
EOF
}

# What is there before anything runs: with the device, and with the MEF or the registrar.
frameworks_prepare() {
    case $framework:$association in
    psk:*)
        credential kpm kpm "device1@$mef_fqdn" "$mef_fqdn"
        lab_enrolee="    kpm_id: device1@$mef_fqdn
    kpm: $(sed -n 's/^key=//p' "$lab_dir/kpm")"
        ;;
    cert:*)
        lab_cert_san device 'DNS:device1.maker.test'
        lab_enrolee='    certificates: [ "dns:device1.maker.test" ]'
        ;;
    pre:psk)
        credential kpsa kpsa "$(random_hex 16)@lab.test" "$target_cse_id"
        lab_registrar_more="credentials: [ $lab_dir/kpsa ]"
        ;;
    pre:maf)
        credential km km "device1@$maf_fqdn" "$maf_fqdn"
        lab_maf_client="    km_id: device1@$maf_fqdn
    km: $(sed -n 's/^key=//p' "$lab_dir/km")"
        ;;
    pre:cert) lab_cert_san device "URI:$enrolee_id" ;;
    esac
    [ "$association" = cert ] || return 0
    # the roots are the lab's; the root of the MEF's CA comes once there is a MEF
    cp "$lab_dir/ca.pem" "$lab_dir/client-ca.pem"
    lab_registrar_more="listen_certificates: 127.0.0.1:0
client_ca: client-ca.pem
enrolees: [ { id: $enrolee_id, certificates: [ \"uri:$enrolee_id\" ] } ]"
}

# gba of a device without a SIM card.
thing() {
    cmd=$1
    shift
    "$gba" "$cmd" --state "$lab_dir/state" --ca "$lab_dir/ca.pem" "$@"
}

# run WHAT COMMAND...: shows what it prints
run() {
    what=$1
    shift
    "$@" >"$lab_dir/step.out" 2>"$lab_dir/step.err" ||
        frameworks_fail "$what: $(tail -n 3 "$lab_dir/step.err")"
    sed 's/^/   /' "$lab_dir/step.out"
}

frameworks_start() {
    case $framework:$association in
    gba:*) tour_start ;;
    psk:*)
        step '1. The device has a pre-provisioned key, Kpm, and the MEF has it too'
        say "   KpmID device1@$mef_fqdn; a file of mode 0600 at the device, a row at the MEF"
        ;;
    cert:*)
        step "1. The device has its maker's certificate and knows the MEF's root"
        say '   subjectAltName DNS:device1.maker.test; the MEF has a row for that name'
        ;;
    pre:psk)
        step '1. The device has a pre-provisioned Kpsa, and its registrar has it too'
        run import thing credential import --file "$lab_dir/kpsa"
        ;;
    pre:maf)
        step '1. The device has a pre-provisioned Km, and the MAF has it too'
        run import thing credential import --file "$lab_dir/km"
        ;;
    pre:cert)
        step '1. The device has a pre-provisioned certificate with its AE-ID'
        say "   subjectAltName URI:$enrolee_id; the registrar has a row for that name"
        ;;
    esac
}

# By key the session is on one address, by certificate on another.
mef_access() {
    if [ "$framework" = psk ]; then
        set -- --mef "$mef_psk_url" --kpm-file "$lab_dir/kpm"
    else
        set -- --mef "$mef_url" --cert "$lab_dir/device.pem" --key "$lab_dir/device.key"
    fi
    access_words="$*"
}

# Km for the MAF by the SIM card: Km is the NAF key, or of the Ke that the MEF has too.
gba_enrol_maf() {
    if [ "$gba_way" = native ]; then
        step '2. Enrolment: the MAF is the NAF (TS-0003 8.3.2.3)'
        say "   Km = Ks_NAF of $maf_fqdn, KmID = B-TID: after one run of Ub no message is sent."
        run enrol device enrol --target "$maf_fqdn"
    else
        step '2. Enrolment: the MEF is the NAF, Km is of Ke (8.3.2.1)'
        run enrol device enrol --gba-mef --mef "$mef_psk_url" --mef-fqdn "$mef_fqdn" --target "$maf_fqdn" \
            --usage 21 --admin lab.test
    fi
}

frameworks_enrol() {
    if [ "$framework" = gba ]; then
        gba_enrol_maf
        return
    fi
    mef_access
    # shellcheck disable=SC2086 # words without blanks
    set -- $access_words
    if [ "$association" != cert ]; then
        [ "$framework" = psk ] && clause=8.3.2.1 || clause=8.3.2.2
        step "2. Enrolment with the MEF (TS-0003 $clause)"
        say '   TLS with what the device has; both ends export Ke and KeID, the device registers.'
        if [ "$association" = maf ]; then
            set -- --target "$maf_fqdn" --usage 21 --admin lab.test "$@"
        else
            set -- --target "$target_cse_id" "$@"
        fi
        run enrol thing enrol --framework "$framework" --mef-fqdn "$mef_fqdn" "$@"
    else
        step '2. A certificate from the MEF by EST (TS-0003 8.3.6.2, RFC 7030)'
        say '   In the same session: the CA certificates, a new key, a request, the certificate.'
        run est thing est enrol --id "$enrolee_id" --cert-out "$lab_dir/new.pem" --key-out "$lab_dir/new.key" "$@"
    fi
}

# The registrar starts to trust the MEF's CA, as an operator would configure it.
frameworks_trust() {
    [ "$association" = cert ] && [ "$framework" != pre ] || return 0
    cat "$lab_dir/mef-ca/root.pem" >>"$lab_dir/client-ca.pem"
    kill -HUP "$lab_pid" || frameworks_fail 'the registrar is not there'
}

# Whose keyring: the card's, or the device's own.
holder() {
    if [ "$framework" = gba ]; then device "$@"; else thing "$@"; fi
}

maf_connect() {
    step "3. The MAF (8.2.2.3): registration with Km, then a key for $target_cse_id"
    say '   Kc and KcID are what the TLS session with the MAF exports; nobody sends them.'
    say '   Then TLS-PSK with KcID between device and registrar:'
    run connect holder connect "$registrar_addr" --maf "$maf_psk_url" --maf-fqdn "$maf_fqdn" --target "$target_cse_id"
    say '   The registrar got Kc from the MAF (key retrieval on Mmaf, mutual TLS), by KcID alone.'
    case $framework in
    psk | cert) say '   The MAF itself got Km from the MEF, by KeID, and gave it a name of its own (assignedSymmKeyID).' ;;
    esac
}

frameworks_connect() {
    if [ "$association" = maf ]; then
        maf_connect
        return
    fi
    if [ "$association" = psk ]; then
        step "3. Security association: TLS-PSK between device and registrar $target_cse_id (8.2.2.1)"
        run connect thing connect "$registrar_addr" --psk --target "$target_cse_id"
        [ "$framework" = pre ] ||
            say '   The registrar got the key from the MEF (fetchCredentials, mutual TLS), by the KeID alone.'
        return
    fi
    step "3. Security association: certificates of device and registrar $target_cse_id (8.2.2.2)"
    [ "$framework" = pre ] && mine=device || mine=new
    run connect thing connect "$registrar_cert_addr" --cert "$lab_dir/$mine.pem" --key "$lab_dir/$mine.key" \
        --target "$target_cse_id"
}

# Somebody else's key under the same identifier, or somebody else's certificate.
frameworks_wrong() {
    step '4. Somebody else'
    if [ "$association" != cert ]; then
        holder connect "$registrar_addr" --psk --target "$target_cse_id" --json >"$lab_dir/connect.json" ||
            frameworks_fail 'second session'
        id=$(sed -n 's/.*"key_id": *"\([^"]*\)".*/\1/p' "$lab_dir/connect.json" | head -n 1)
        (umask 077 && random_hex 32 >"$lab_dir/wrong")
        set -- "$registrar_addr" --psk --key-id "$id" --key-file "$lab_dir/wrong"
    else
        set -- "$registrar_cert_addr" --cert "$lab_dir/zn-client.pem" --key "$lab_dir/zn-client.key"
    fi
    if holder connect "$@" --target "$target_cse_id" >"$lab_dir/wrong.out" 2>&1; then
        frameworks_fail 'somebody else was let in'
    fi
    say "   refused, as it must be: «$(tail -n 1 "$lab_dir/wrong.out" | cut -c 1-120)»"
}

frameworks_secrets() {
    step '5. What the logs know'
    for file in kpm kpsa km; do
        [ -f "$lab_dir/$file" ] || continue
        if sed -n 's/^key=//p' "$lab_dir/$file" | grep -qiF -f - "$lab_dir"/*.log; then
            frameworks_fail 'a key stands in a log'
        fi
    done
    say '   no key:'
    grep -h ' registrar.accepted ' "$lab_dir/registrar.log" | tail -n 1 | cut -c 1-140 | sed 's/^/   /'
}

frameworks_tour() {
    say "OpenGAA: from framework «$framework» to an association by «$association», on loopback"
    frameworks_start
    [ "$framework" = pre ] || frameworks_enrol
    frameworks_trust
    frameworks_connect
    frameworks_wrong
    frameworks_secrets
}

# What enrols again: the options of the first time, for another target and stakeholder.
enrol_again() {
    set -- --target "$other_cse_id" --admin other.test --replaces "$target_cse_id"
    if [ "$framework" != gba ]; then
        mef_access
        # shellcheck disable=SC2086
        thing enrol --framework "$framework" --mef-fqdn "$mef_fqdn" "$@" $access_words
    elif [ "$gba_way" = native ]; then
        device enrol "$@"
    else
        device enrol --gba-mef --mef "$mef_psk_url" --mef-fqdn "$mef_fqdn" "$@"
    fi
}

change_provider() {
    step "The service provider changes: other.test in the place of lab.test (6.1.2.1)"
    (umask 077 && holder credential export --target "$target_cse_id" --out "$lab_dir/before" >/dev/null) ||
        frameworks_fail 'the credential of before'
    say '   The device enrols again: a new registration with other.test, a key for its registrar.'
    say '   When that is on the disk, what was before ends: at the MEF, then on the device.'
    run 'enrol again' enrol_again
    say "   Security association with the new registrar, $other_cse_id:"
    run connect holder connect "$other_addr" --psk --target "$other_cse_id"
    if holder connect "$registrar_addr" --psk --target "$target_cse_id" >"$lab_dir/old.out" 2>&1; then
        frameworks_fail 'the credential of before is still there'
    fi
    say "   For the old one the device has nothing: «$(tail -n 1 "$lab_dir/old.out" | cut -c 1-90)»"
    [ "$framework:$gba_way" != gba:native ] || return 0
    sed -n 's/^key=//p' "$lab_dir/before" >"$lab_dir/before.key"
    if holder connect "$registrar_addr" --psk --target-fqdn "$target_fqdn" \
        --key-id "$(sed -n 's/^key_id=//p' "$lab_dir/before")" --key-file "$lab_dir/before.key" \
        >"$lab_dir/old.out" 2>&1; then
        frameworks_fail 'a key of before is still accepted'
    fi
    say "   And a copy of the old key is refused: «$(tail -n 1 "$lab_dir/old.out" | cut -c 1-90)»"
}
