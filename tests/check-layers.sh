#!/bin/sh
# Every include line shows its arrow (doc/ARCHITECTURE.md): common/ includes nothing of ours above
# it, ua/, bsf/ and naf/ never include each other, and neither a decision nor a port reaches an
# adapter or the host layer, not even through another header.
# SPDX-License-Identifier: Apache-2.0
set -u
top=${top_srcdir:-$(dirname "$0")/..}
passed=0 failed=0
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT

decisions='bsf/ub.c bsf/ub_request.c bsf/ub_run.c bsf/zn.c bsf/zn_run.c bsf/session.c bsf/tmpi.c
    bsf/policy.c
    ua/ub_client.c ua/ub_messages.c ua/ua_client.c ua/ua_messages.c ua/enrol_client.c ua/command_client.c
    ua/auth_profile.c ua/m2m_exchange.c ua/maf_client.c ua/leave_client.c ua/est_client.c ua/keyring.c
    naf/ua_server.c naf/ua_request.c naf/keycache.c naf/nonce.c naf/psk_identity.c naf/mef.c
    naf/mef_policy.c naf/mef_role.c naf/mef_rights.c naf/mef_reg.c naf/mef_keys.c naf/mef_cmd.c naf/maf_km.c
    naf/mef_fetch.c naf/mef_admin.c naf/mef_admin_device.c naf/mef_admin_command.c
    naf/mef_admin_rows.c naf/mef_audit.c naf/csr.c naf/est.c naf/est_der.c'
ports='bsf/zh.h bsf/store.h bsf/zn.h ua/usim.h ua/transport.h naf/zn.h naf/mef_store.h naf/mef_command.h
    naf/mef_registry.h naf/mef_audit.h
    naf/ca.h'
adapters='^common/host/|^bsf/(zh_|store_|zn_(http|diameter|nbsp)|ub_http|memory_|sqn_file|bsfd)'
adapters="$adapters|^ua/(usim_|transport_|gba\\.h|gba_tls|keyring_(file|save)|est_(key|pair)|est\\.h)"
adapters="$adapters|^naf/(zn_|mef_store_|mef_audit_file|mef_http|mef_coap|mef_peers_|mefd|mafd|mefctl|key_fetch|ca_)"
adapters="$adapters|^(bsf|ua|naf)/[a-z_]*_http\\.h\$"

# FILE INCLUDED, one a line
(cd "$top" && grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' -r common bsf ua naf \
    --include='*.c' --include='*.h') |
    sed -E 's/^([^:]*):[0-9]+:[^"]*"([^"]*)".*/\1 \2/' >"$tmp/includes"

# What the folder of a file may include.
allowed() { # file
    case $1 in
    common/host/*) echo '^(common/|config\.h$)' ;;
    common/*) echo '^(common/[^/]*$|config\.h$)' ;;
    *) echo "^(common/|${1%%/*}/|config\\.h\$)" ;;
    esac
}

while read -r file included; do
    if echo "$included" | grep -qE "$(allowed "$file")" && [ "${included#*..}" = "$included" ]; then
        passed=$((passed + 1))
    else
        echo "FAIL $file includes $included"
        failed=$((failed + 1))
    fi
done <"$tmp/includes"

# Everything that a file reaches, itself left out.
reached() { # file
    awk -v start="$1" '
        {to[$1] = to[$1] " " $2}
        END {
            queue[n = 1] = start
            seen[start] = 1
            for (i = 1; i <= n; i++) {
                k = split(to[queue[i]], next_, " ")
                for (j = 1; j <= k; j++)
                    if (!(next_[j] in seen)) {
                        seen[next_[j]] = 1
                        queue[++n] = next_[j]
                        print next_[j]
                    }
            }
        }' "$tmp/includes"
}

for file in $decisions $ports; do
    [ -f "$top/$file" ] || continue
    bad=$(reached "$file" | grep -E "$adapters" | tr '\n' ' ')
    if [ -z "$bad" ]; then
        passed=$((passed + 1))
    else
        echo "FAIL $file reaches $bad"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
