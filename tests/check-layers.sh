#!/bin/sh
# Every include line shows its arrow (doc/ARCHITECTURE.md): common/ includes nothing of ours above
# it, ua/, bsf/ and naf/ never include each other, and neither a decision nor a port reaches an
# adapter or the host layer, not even through another header.
# SPDX-License-Identifier: Apache-2.0
set -u
top=${top_srcdir:-$(dirname "$0")/..}

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
adapters="$adapters|^ua/(usim_|transport_|gba[.]h|gba_tls|keyring_(file|save)|est_(key|pair)|est[.]h)"
adapters="$adapters|^naf/(zn_|mef_store_|mef_audit_file|mef_http|mef_coap|mef_peers_|mefd|mafd|mefctl|key_fetch|ca_)"
adapters="$adapters|^(bsf|ua|naf)/[a-z_]*_http[.]h\$"

starts=
for file in $decisions $ports; do
    [ ! -f "$top/$file" ] || starts="$starts $file"
done

# Each line is FILE:#include "INCLUDED".
(cd "$top" && grep -rE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' common bsf ua naf \
    --include='*.c' --include='*.h') | awk -F '"' -v starts="$starts" -v adapters="$adapters" '
    # what the folder of a file may include
    function allowed(file, included,    folder) {
        folder = file
        sub(/\/.*/, "/", folder)
        if (included ~ /\.\./) return 0
        if (included == "config.h") return 1
        if (file ~ /^common\// && file !~ /^common\/host\//) return included ~ /^common\/[^\/]*$/
        return index(included, "common/") == 1 || index(included, folder) == 1
    }
    function result(ok, what) {
        if (ok) { passed++; return }
        print "FAIL " what
        failed++
    }
    # the adapters that a file reaches, itself left out
    function reached(start,    queue, seen, names, bad, n, i, j, k) {
        queue[n = 1] = start
        seen[start]
        for (i = 1; i <= n; i++) {
            k = split(to[queue[i]], names, " ")
            for (j = 1; j <= k; j++)
                if (!(names[j] in seen)) {
                    seen[names[j]]
                    queue[++n] = names[j]
                    if (names[j] ~ adapters) bad = bad names[j] " "
                }
        }
        return bad
    }
    {
        file = substr($1, 1, index($1, ":") - 1)
        result(allowed(file, $2), file " includes " $2)
        to[file] = to[file] " " $2
    }
    END {
        n = split(starts, start, " ")
        for (i = 1; i <= n; i++) {
            bad = reached(start[i])
            result(!bad, start[i] " reaches " bad)
        }
        print passed + 0 " passed, " failed + 0 " failed, 0 skipped"
        exit failed || !passed
    }'
