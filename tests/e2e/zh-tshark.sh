#!/bin/sh
# A dissector that we did not write reads the messages of Zh: every AVP has the name that
# TS 29.109 gives it, and nothing is malformed.
# SPDX-License-Identifier: Apache-2.0
if ! command -v tshark >/dev/null || ! command -v text2pcap >/dev/null; then
    echo "skipped: tshark is not installed"
    echo "0 passed, 0 failed, 1 skipped"
    exit 77
fi
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0

expect() { # message, text
    if grep -qF -- "$2" "$dir/$1.txt"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $1: no \"$2\""
    fi
}

"${top_builddir:-.}/tests/e2e/zh_dump" "$dir" || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
for m in mar maa; do
    od -Ax -tx1 -v "$dir/$m" > "$dir/$m.hex"
    text2pcap -q -T 50000,3868 "$dir/$m.hex" "$dir/$m.pcap" 2>/dev/null
    tshark -r "$dir/$m.pcap" -V -O diameter > "$dir/$m.txt" 2>/dev/null
    if grep -qiE 'malformed|unknown avp|dissector bug' "$dir/$m.txt"; then
        failed=$((failed + 1))
        echo "FAIL $m:" && grep -iE 'malformed|unknown avp|dissector bug' "$dir/$m.txt"
    else
        passed=$((passed + 1))
    fi
done
for text in 'Multimedia-Auth' 'ApplicationId: 3GPP Zh (16777221)' 'Flags: 0xc0' \
    'AVP: Session-Id(263)' 'AVP: Vendor-Specific-Application-Id(260)' \
    'AVP: Auth-Session-State(277)' 'NO_STATE_MAINTAINED' 'AVP: Origin-Host(264)' \
    'AVP: Destination-Realm(283)' 'AVP: Destination-Host(293)' 'AVP: User-Name(1)' \
    'AVP: 3GPP-SIP-Auth-Data-Item(612)' 'Digest-AKAv1-MD5' \
    'AVP: GUSS-Timestamp(409) l=16 f=V--' 'Jan  2, 2026'; do
    expect mar "$text"
done
for text in 'Multimedia-Auth' 'Flags: 0x40' 'DIAMETER_SUCCESS (2001)' \
    'AVP: GBA-UserSecSettings(400)' 'AVP: 3GPP-SIP-Auth-Data-Item(612)' \
    'AVP: Confidentiality-Key(625)' 'AVP: Integrity-Key(626)'; do
    expect maa "$text"
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
