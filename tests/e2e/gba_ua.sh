#!/bin/sh
# gba get, put and connect with peers of other makes: openssl s_server with pre-shared keys of TLS 1.2 and 1.3; and with the
# example NAF over Zn.
#
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/gba_lib.sh"
gba_lab

expect 0 bootstrap device bootstrap --json
btid=$(member btid)
key_of() { # UA-PROTOCOL NAF
    device key --naf "$2" --ua-protocol "$1" --json --show-keys >"$lab_dir/out" 2>"$lab_dir/err" && member key
}

# --- PSK-TLS with OpenSSL's server
s_server() { # LOG ARGUMENT...: its port in $port
    port=$(free_port)
    log=$1
    shift
    in_background "$lab_dir/$log" openssl s_server -accept "127.0.0.1:$port" "$@"
    listening "$port" || bad "openssl s_server: $(cat "$lab_dir/$log")"
}
s_server psk12 -nocert -tls1_2 -cipher PSK-AES128-CBC-SHA256 -psk_hint 3GPP-bootstrapping \
    -psk_identity "3GPP-bootstrapping;$btid" -psk "$(key_of psk-tls12:00ae "$naf_fqdn")" -www
expect 0 'PSK TLS 1.2' device get "https://127.0.0.1:$port/" --naf "$naf_fqdn" --ua-protocol psk-tls12:00ae
says 'PSK TLS 1.2' 'PSK-AES128-CBC-SHA256'
expect 0 'PSK TLS 1.2 as the server chooses' device get "https://127.0.0.1:$port/" --naf "$naf_fqdn" --json
says 'PSK by choice' '"psk": true'
expect 76 'the key of another NAF' device get "https://127.0.0.1:$port/" --naf other.example --ua-protocol psk-tls12:00ae

# the runs above renewed the session: its B-TID for the next server
expect 0 show device show --json
btid=$(member btid)
s_server psk13 -nocert -tls1_3 -ciphersuites TLS_AES_128_GCM_SHA256 \
    -psk_identity "3GPP-bootstrapping;$btid" -psk "$(key_of psk-tls13 "$naf_fqdn")" -www
expect 0 'PSK TLS 1.3' device get "https://127.0.0.1:$port/" --naf "$naf_fqdn" --ua-protocol psk-tls13
says 'PSK TLS 1.3' 'TLS_AES_128_GCM_SHA256'

# --- PSK-TLS with GnuTLS' server
gnutls_server() { # UA-PROTOCOL PRIORITY: its port in $port
    port=$(free_port)
    printf '#%s:%s\n' "$(printf '3GPP-bootstrapping;%s' "$btid" | od -An -tx1 | tr -d ' \n')" \
        "$(key_of "$1" "$naf_fqdn")" >"$lab_dir/psk"
    in_background "$lab_dir/gnutls" gnutls-serv --http -p "$port" --pskpasswd "$lab_dir/psk" \
        --pskhint 3GPP-bootstrapping --priority "$2"
    listening "$port" || bad "gnutls-serv: $(cat "$lab_dir/gnutls")"
}
if command -v gnutls-serv >/dev/null; then
    gnutls_server psk-tls12:ccac 'NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-PSK'
    expect 0 'GnuTLS, TLS 1.2' device get "https://127.0.0.1:$port/" --naf "$naf_fqdn" --ua-protocol psk-tls12:ccac
    gnutls_server psk-tls13 'NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+ECDHE-PSK:+DHE-PSK:+PSK'
    expect 0 'GnuTLS, TLS 1.3' device get "https://127.0.0.1:$port/" --naf "$naf_fqdn" --ua-protocol psk-tls13
fi

# --- a server with a certificate where a key is meant
s_server cert -cert "$lab_dir/bsf.pem" -key "$lab_dir/bsf.key" -www
expect 76 'certificate instead of PSK' device get "https://127.0.0.1:$port/" --ua-protocol psk-tls12:00ae
expect 76 'certificate instead of PSK, TLS 1.3' device get "https://127.0.0.1:$port/" --ua-protocol psk-tls13
expect 0 'a certificate that verifies' device get "https://127.0.0.1:$port/"
expect 76 'a certificate for another name' device get "https://127.0.0.1:$port/" --naf other.example
expect 76 'unknown root' "$gba" get --usim "$lab_dir/usim" --state "$lab_dir/state" "https://127.0.0.1:$port/"

# --- connect with OpenSSL's server
expect 65 'no credential' device connect "127.0.0.1:$port" --psk --target "$target_cse_id"
expect 0 enrol device enrol --target "$target_cse_id" --json --show-keys
id=$(member key_id) key=$(member key)
s_server rev -nocert -tls1_2 -cipher PSK-AES128-CBC-SHA256 -psk_identity "$id" -psk "$key" -rev
expect 0 connect device connect "127.0.0.1:$port" --psk --target "$target_cse_id" --send olleh
says connect 'TLS_PSK_WITH_AES_128_CBC_SHA256'
says connect 'answer +hello'
printf '%064d\n' 0 >"$lab_dir/zero"
chmod 600 "$lab_dir/zero"
expect 77 'a wrong key' device connect "127.0.0.1:$port" --psk --target "$target_cse_id" --key-file "$lab_dir/zero"
says 'a wrong key' 'alert'
expect 69 'nobody there' device connect 127.0.0.1:1 --psk --target "$target_cse_id"
expect 64 'no port' device connect localhost --psk --target "$target_cse_id"

# --- Digest at the example NAF, which asks bsfd over Zn
naf_port=$(free_port)
in_background "$lab_dir/naf.log" "$builddir/doc/examples/naf_minimal" "$naf_fqdn" "$naf_port" "$bsf_name" \
    "$zn_url" "$lab_dir/ca.pem" "$lab_dir/zn-client.pem" "$lab_dir/zn-client.key"
listening "$naf_port" || bad "naf_minimal: $(cat "$lab_dir/naf.log")"
naf=http://127.0.0.1:$naf_port/
expect 0 Digest device get "$naf" --naf "$naf_fqdn" --trace
says Digest 'Hello, '
says 'the realm' "realm=\"3GPP-bootstrapping@$naf_fqdn\""
expect 0 'Digest, JSON' device get "$naf" --naf "$naf_fqdn" --json
says 'Digest, JSON' '"status": 200'
expect 77 'a name the NAF does not have' device get "$naf" --naf evil.example
expect 0 'the body into a file' device get "$naf" --naf "$naf_fqdn" --out "$lab_dir/body"
grep -q Hello "$lab_dir/body" && ok || bad 'no body in the file'
"$builddir/doc/examples/ue_minimal" "$lab_dir/usim" "$ub_url" "$naf_fqdn" >"$lab_dir/out" 2>"$lab_dir/err" &&
    grep -q "^B-TID .*@$bsf_name" "$lab_dir/out" && ok || bad 'the example device'
summary
