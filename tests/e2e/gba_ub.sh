#!/bin/sh
# gba bootstrap, key, show and usim against bsfd: what is printed and kept, every exit status, TMPI, resynchronisation,
# https, a BSF that forgot.
#
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/gba_lib.sh"
gba_lab

# --- usage and files
expect 64 'no command' "$gba"
expect 64 'unknown command' "$gba" frobnicate
expect 64 'unknown option' "$gba" bootstrap --frobnicate
expect 64 'option of another command' "$gba" bootstrap --naf x
expect 64 'a missing argument' "$gba" get
expect 64 'key without NAF' device key
expect 64 'no Ua protocol' device key --naf "$naf_fqdn" --ua-protocol 12
expect 64 'the TMPI identifier' device key --naf "$naf_fqdn" --ua-protocol 0100000100
expect 0 'help' "$gba" --help
says 'help' bootstrap
expect 0 'version' "$gba" --version
expect 78 'no soft USIM' "$gba" bootstrap --usim "$lab_dir/none" --state "$lab_dir/state"
says 'no soft USIM' 'gba usim new'
cp "$lab_dir/usim" "$lab_dir/open" && chmod 644 "$lab_dir/open"
expect 78 'a soft USIM for all to read' "$gba" bootstrap --usim "$lab_dir/open" --state "$lab_dir/state"
echo 'imsi=x' >"$lab_dir/lines"
expect 65 'bad lines' sh -c "'$gba' usim new --file '$lab_dir/u2' <'$lab_dir/lines'"
says 'bad lines' 'line 1: imsi'
expect 65 'an existing file' sh -c "printf 'impi=a@b\nalgorithm=xor\nk=%s\n' $k | '$gba' usim new --file '$lab_dir/usim'"
expect 0 'usim show' "$gba" usim show --file "$lab_dir/usim"
says_text 'usim show' "$impi"
silent 'usim show keeps K' "$k|$opc"

# --- a run
expect 0 bootstrap device bootstrap
says_text bootstrap "$bsf_name"
expect 0 'bootstrap --json' device bootstrap --json
btid=$(member btid)
[ "${btid#*@}" = "$bsf_name" ] && ok || bad "btid $btid"
[ "$(member impi)" = "$impi" ] && ok || bad "impi $(member impi)"
case $(member tmpi) in *@tmpi.bsf.3gppnetwork.org) ok ;; *) bad "tmpi $(member tmpi)" ;; esac
case $(member expires) in 20*T*Z) ok ;; *) bad "expires $(member expires)" ;; esac
expect 0 'bootstrap --trace' device bootstrap --trace
says trace '^--> GET'
says trace 'username="[^"]*@tmpi.bsf.3gppnetwork.org"'
says trace 'rspauth='

# --- keys
expect 0 key device key --naf "$naf_fqdn"
silent 'key is not printed' '^  key '
expect 0 'key --json' device key --naf "$naf_fqdn" --json
silent 'key is not in the JSON' '"key"'
[ "$(member naf_id)" = "$(printf '%s' "$naf_fqdn" | od -An -tx1 | tr -d ' \n')0100000002" ] && ok || bad "naf_id $(member naf_id)"
expect 0 'key --show-keys' device key --naf "$naf_fqdn" --json --show-keys
key=$(member key)
[ ${#key} = 64 ] && ok || bad "key of ${#key} digits"
expect 0 'key --out' device key --naf "$naf_fqdn" --out "$lab_dir/key"
[ "$(cat "$lab_dir/key")" = "$key" ] && ok || bad 'another key in the file'
[ "$(stat -c %a "$lab_dir/key")" = 600 ] && ok || bad 'mode of the key file'
expect 0 'another Ua id' device key --naf "$naf_fqdn" --ua-protocol psk-tls12:00ae --json --show-keys
[ "$(member key)" != "$key" ] && ok || bad 'the same key for another Ua id'
expect 0 show device show
says_text show "$naf_fqdn"
silent 'show keeps keys' "$key"
expect 0 'show --json' device show --json --show-keys
says 'show --show-keys' "$key"
[ "$(find "$lab_dir/state" -type f ! -perm 600 | wc -l)" = 0 ] && ok || bad 'a state file for others'
expect 77 'Ks_int_NAF without GBA_U' device key --naf "$naf_fqdn" --internal

# --- sealed
head -c 32 /dev/urandom >"$lab_dir/seal"
expect 0 'sealed' "$gba" key --naf a.example --usim "$lab_dir/usim" --state "$lab_dir/sealed" --bsf "$ub_url" --seal "$lab_dir/seal"
if grep -rqa "$imsi" "$lab_dir/sealed"; then bad 'IMSI in a sealed file'; else ok; fi
expect 78 'sealed, no key' "$gba" show --usim "$lab_dir/usim" --state "$lab_dir/sealed"

# --- resynchronisation, https, ISIM, GBA_U
card "$lab_dir/ahead" sqn=00000fffffe0
expect 0 resynchronisation "$gba" bootstrap --usim "$lab_dir/ahead" --state "$lab_dir/s2" --bsf "$ub_url" --trace
says resynchronisation '<-- 401'
expect 0 https "$gba" bootstrap --usim "$lab_dir/ahead" --state "$lab_dir/s2" --bsf "$ub_tls_url" --ca "$lab_dir/ca.pem"
expect 76 'https, unknown root' "$gba" bootstrap --usim "$lab_dir/ahead" --state "$lab_dir/s2" --bsf "$ub_tls_url"
printf '%s\n' type=isim "impi=$impi" "k=$k" "opc=$opc" sqn=00001fffffe0 | "$gba" usim new --file "$lab_dir/isim" >/dev/null
expect 0 ISIM "$gba" bootstrap --usim "$lab_dir/isim" --state "$lab_dir/s3" --bsf "$ub_url" --json
[ "$(member bsf)" = "$bsf_name_isim" ] && ok || bad "ISIM's BSF $(member bsf)"

# --- refusals
printf '%s\n' imsi=001019999999999 mnc_len=2 "k=$k" "opc=$opc" | "$gba" usim new --file "$lab_dir/unknown" >/dev/null
expect 77 'unknown subscriber' "$gba" bootstrap --usim "$lab_dir/unknown" --state "$lab_dir/s4" --bsf "$ub_url"
printf '%s\n' "imsi=$imsi" mnc_len=2 "k=00000000000000000000000000000000" "opc=$opc" | "$gba" usim new --file "$lab_dir/wrong" >/dev/null
expect 76 'another K' "$gba" bootstrap --usim "$lab_dir/wrong" --state "$lab_dir/s5" --bsf "$ub_url"
says 'another K' 'AUTN'
expect 76 'another K, reported' "$gba" bootstrap --usim "$lab_dir/wrong" --state "$lab_dir/s5" --bsf "$ub_url" --report-mac-failure
expect 76 'another BSF than addressed' device bootstrap --bsf-name other.example
expect 69 'nobody there' "$gba" bootstrap --usim "$lab_dir/usim" --state "$lab_dir/state" --bsf http://127.0.0.1:1/
expect 78 'no URL' "$gba" bootstrap --usim "$lab_dir/usim" --state "$lab_dir/state" --bsf nonsense
http_proxy=http://127.0.0.1:1 expect 0 'no proxy of the environment' device bootstrap

# --- several at once on one state folder
for i in 1 2 3 4; do device bootstrap >"$lab_dir/par$i" 2>&1 & eval "p$i=$!"; done
for i in 1 2 3 4; do eval "wait \$p$i" && ok || bad "parallel $i: $(cat "$lab_dir/par$i")"; done

# --- a BSF that forgot its TMPIs
expect 0 'with a TMPI' device bootstrap --json
[ -n "$(member tmpi)" ] && ok || bad 'no TMPI'
lab_down
lab_bsfd file
expect 0 'TMPI unknown: again with the IMPI' device bootstrap --trace
says 'TMPI first' 'username="[^"]*@tmpi'
says_text 'then IMPI' "username=\"$impi\""

# --- GBA_U: the GUSS says so, the card keeps Ks
lab_down
lab_guss | sed 's|<bsfInfo>|<bsfInfo><uiccType>GBA_U</uiccType>|' >"$lab_dir/guss.xml"
lab_bsfd file
expect 76 'a plain card in GBA_U' "$gba" bootstrap --usim "$lab_dir/usim" --state "$lab_dir/s6" --bsf "$ub_url"
card "$lab_dir/uicc" gba_u=yes sqn=00002fffffe0
gba_u() {
    command=$1
    shift
    "$gba" "$command" --usim "$lab_dir/uicc" --state "$lab_dir/s7" --bsf "$ub_url" "$@"
}
expect 0 GBA_U gba_u bootstrap --json
[ "$(member mode)" = GBA_U ] && ok || bad "mode $(member mode)"
case $(member tmpi) in *@tmpi.bsf.3gppnetwork.org) ok ;; *) bad "tmpi $(member tmpi)" ;; esac
btid=$(member btid)
expect 0 Ks_ext_NAF gba_u key --naf "$naf_fqdn" --json --show-keys
external=$(member key)
expect 0 Ks_int_NAF gba_u key --naf "$naf_fqdn" --internal --json --show-keys
[ "$(member key)" != "$external" ] && ok || bad 'Ks_int_NAF is Ks_ext_NAF'
[ "$(member btid)" = "$btid" ] && ok || bad 'another session'
expect 0 "the card's session" "$gba" usim show --file "$lab_dir/uicc" --json
[ "$(member btid)" = "$btid" ] && ok || bad 'EF_GBABP'
ks=$(sed -n 's/^gba_ks=//p' "$lab_dir/uicc")
cat "$lab_dir"/s7/keyring-* | od -An -v -tx1 | tr -d ' \n' >"$lab_dir/out"
says 'the other keys are kept' "$(printf '%s' "$external")"
silent 'Ks left the card' "$ks"
summary
