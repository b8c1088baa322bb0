# A laboratory on loopback: throw-away certificates and daemons that end with the script.
# Sourced by scripts/demo and tests/e2e; POSIX sh.  Needs $lab_bin_* (see lab_find_programs).
#
# SPDX-License-Identifier: Apache-2.0

lab_pids= lab_last= lab_dir=
lab_status_on_signal= # of the script, when not 128 + signal

lab_fail() {
    echo "lab: $*" >&2
    exit 1
}

# lab_traps: everything that is started ends when the script does.  Comes before the first start.
lab_traps() {
    trap lab_end EXIT
    trap 'lab_signalled 130' INT
    trap 'lab_signalled 143' TERM
    trap 'lab_signalled 129' HUP
    trap 'lab_signalled 141' PIPE
}

lab_signalled() {
    exit "${lab_status_on_signal:-$1}"
}

# lab_begin: a private folder.  mktemp does not hear signals, so that there is no folder whose name
# is not known.
lab_begin() {
    lab_traps
    lab_dir=$(trap '' INT TERM HUP && exec mktemp -d "${TMPDIR:-/tmp}/opengaa.XXXXXX") || exit 1
    chmod 700 "$lab_dir"
    umask 077
}

# lab_started: the background job that was started last ends with the script.
lab_started() {
    lab_pid=$! lab_last=$!
    lab_pids="$lab_pid $lab_pids"
}

# lab_run COMMAND...: runs it and gives its status; a signal ends it with all that it has started.
# It has a process group of its own, and a shell hears signals while it waits, not while it runs.
lab_run() {
    setsid "$@" &
    lab_started
    lab_run_status=0
    wait "$lab_pid" || lab_run_status=$?
    lab_pids=${lab_pids#"$lab_pid "}
    return "$lab_run_status"
}

# lab_signal SIGNAL PID: to the process, or to its whole group where it leads one.
lab_signal() {
    kill "-$1" "-$2" 2>/dev/null || kill "-$1" "$2" 2>/dev/null
}

# Ends the daemons in the reverse order of their start, by process id, and waits for them; a second
# signal does not stop it half-way.
lab_end() {
    trap - EXIT
    trap '' INT TERM HUP PIPE
    [ "${!:-}" = "$lab_last" ] || lab_started # the signal came between the start and its note
    for p in $lab_pids; do
        lab_signal TERM "$p" || :
    done
    for p in $lab_pids; do
        n=0
        while lab_signal 0 "$p" && [ $n -lt 100 ]; do
            sleep 0.1
            n=$((n + 1))
        done
        lab_signal KILL "$p" || :
        wait "$p" 2>/dev/null || :
    done
    [ -n "${LAB_KEEP:-}" ] || [ -z "$lab_dir" ] || rm -rf "$lab_dir"
}

# lab_find_programs BUILDDIR
lab_find_programs() {
    bsfd=$1/bsf/bsfd mefd=$1/naf/mefd mafd=$1/naf/mafd gba=$1/ua/gba
    mock_hss=$1/tests/mock-hss/mock-hss registrar=$1/tests/registrar/registrar
    for p in "$bsfd" "$mefd" "$mafd" "$gba" "$registrar"; do
        [ -x "$p" ] || lab_fail "$p is not built"
    done
}

# lab_ca: one authority for the lab, in $lab_dir/ca.pem.
lab_ca() {
    lab_issue ca 'keyUsage=critical,keyCertSign,cRLSign' 'basicConstraints=critical,CA:TRUE'
}

# lab_cert NAME FQDN...: $lab_dir/NAME.pem and NAME.key; server names also carry loopback.
lab_cert() {
    name=$1
    shift
    lab_cert_san "$name" "IP:127.0.0.1,IP:::1,DNS:localhost$(printf ',DNS:%s' "$@")"
}

# lab_client_cert NAME FQDN: one dNSName and nothing else.
lab_client_cert() {
    lab_cert_san "$1" "DNS:$2"
}

# lab_cert_san NAME subjectAltName
lab_cert_san() {
    lab_issue "$1" "subjectAltName=$2" 'basicConstraints=CA:FALSE' \
        'keyUsage=digitalSignature' 'extendedKeyUsage=serverAuth,clientAuth'
}

# lab_issue NAME EXTENSION...: a new key (EC P-256) and its certificate by the lab's CA, or by itself
# where that is not there yet.
lab_issue() {
    name=$1
    shift
    printf '%s\n' '[req]' 'distinguished_name=subject' 'x509_extensions=extensions' '[subject]' \
        '[extensions]' "$@" >"$lab_dir/$name.cnf"
    set --
    [ ! -f "$lab_dir/ca.pem" ] || set -- -CA "$lab_dir/ca.pem" -CAkey "$lab_dir/ca.key"
    openssl req -x509 -config "$lab_dir/$name.cnf" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -days 2 -subj "/O=OpenGAA lab/CN=lab $name" "$@" \
        -keyout "$lab_dir/$name.key" -out "$lab_dir/$name.pem" 2>"$lab_dir/openssl.log" ||
        lab_fail "openssl: $(cat "$lab_dir/openssl.log")"
}

# lab_start NAME COMMAND...: runs in the background with --ports-file $lab_dir/NAME.ports and
# its log in NAME.log, and waits until the ports are written.
lab_start() {
    name=$1
    shift
    rm -f "$lab_dir/$name.ports"
    "$@" --ports-file "$lab_dir/$name.ports" >"$lab_dir/$name.out" 2>"$lab_dir/$name.log" &
    lab_started
    n=0
    while [ ! -s "$lab_dir/$name.ports" ]; do
        kill -0 "$lab_pid" 2>/dev/null || lab_fail "$name ended at start:
$(tail -n 20 "$lab_dir/$name.log")"
        [ $n -lt 300 ] || lab_fail "$name does not get ready:
$(tail -n 20 "$lab_dir/$name.log")"
        sleep 0.1
        n=$((n + 1))
    done
}

# lab_port NAME LISTENER: HOST:PORT as bound.
lab_port() {
    sed -n "s/^$2=//p" "$lab_dir/$1.ports" | head -n 1
}

# ------------------------------------------------------------------ the lab of the demo

# The names of the lab and its one subscriber (test set 1 of TS 35.208).
lab_world() {
    imsi=001010123456789 mnc_len=2
    k=465b5ce8b199b49faa5f0a2ee238a6bc opc=cd63cb71954a9f4e48a5994e37a02baf amf=0000
    impi=$imsi@ims.mnc001.mcc001.3gppnetwork.org
    bsf_name=bsf.mnc001.mcc001.pub.3gppnetwork.org
    bsf_name_isim=bsf.ims.mnc001.mcc001.pub.3gppnetwork.org
    hss_identity=hss.lab.test hss_realm=lab.test
    zh_bsf_identity=bsf.lab.test zh_bsf_realm=lab.test
    naf_fqdn=naf.lab.test mef_fqdn=mef.lab.test maf_fqdn=maf.lab.test
    target_cse_id=//lab.test/cse1 target_fqdn=cse1.lab.test
    other_cse_id=//other.test/cse9 other_fqdn=cse9.other.test # of another service provider
    enrolee_id=//lab.test/cse1/Cdevice1
    lab_ca
    lab_cert bsf "$bsf_name" "$bsf_name_isim"
    lab_cert mef "$mef_fqdn"
    lab_cert maf "$maf_fqdn"
    lab_cert registrar "$target_fqdn"
    lab_cert other "$other_fqdn"
    lab_client_cert zn-client "$naf_fqdn"
    lab_client_cert mef-zn "$mef_fqdn"
    lab_client_cert target "$target_fqdn"
}

lab_guss() {
    cat <<EOF
<guss xmlns="urn:3gpp:gba:GBAGUSSSchema-R9:2010-02" id="$impi">
  <bsfInfo><lifeTime>3600</lifeTime></bsfInfo>
  <Extension><timestamp>2026-01-02T03:04:05Z</timestamp></Extension>
  <ussList>
    <uss id="0" type="0"><uids><uid>sip:device@lab.test</uid></uids></uss>
    <uss id="1" type="1" nafGroup="lab"><uids><uid>tel:+15550100</uid></uids><flags><flag>1</flag></flags></uss>
    <uss id="1000001" type="0"><uids><uid>$target_fqdn</uid></uids></uss>
  </ussList>
</guss>
EOF
}

lab_bench_subscribers=0

# The subscribers in YAML, for bsfd's file and for mock-hss alike.
lab_subscribers() {
    echo 'subscribers:'
    printf '  - { imsi: "%s", mnc_len: %s, k: %s, opc: %s, amf: "%s", guss_file: guss.xml }\n' \
        "$imsi" "$mnc_len" "$k" "$opc" "$amf"
    i=0
    while [ "$i" -lt "$lab_bench_subscribers" ]; do
        printf '  - { imsi: "%015d", mnc_len: 2, k: %s, opc: %s, amf: "%s", guss_file: guss.xml }\n' \
            $((1010000000000 + i)) "$k" "$opc" "$amf"
        i=$((i + 1))
    done
}

lab_mock_hss() {
    {
        echo "listen: 127.0.0.1:0"
        echo "identity: $hss_identity"
        echo "realm: $hss_realm"
        echo "control: hss.sock"
        echo "$lab_log"
        lab_subscribers
    } >"$lab_dir/mock-hss.yaml"
    lab_start mock-hss "$mock_hss" --config "$lab_dir/mock-hss.yaml"
    hss_addr=$(lab_port mock-hss diameter) hss_control=$lab_dir/hss.sock
}

# lab_bsfd diameter|file
lab_bsfd() {
    if [ "$1" = file ]; then
        lab_subscribers >"$lab_dir/subscribers.yaml"
        lab_zh="  file: { subscribers: subscribers.yaml }"
    else
        lab_zh="  diameter:
    identity: $zh_bsf_identity
    realm: $zh_bsf_realm
    reconnect: 1s
    peers: [ { identity: $hss_identity, realm: $hss_realm, address: '$hss_addr' } ]"
    fi
    cat >"$lab_dir/bsfd.yaml" <<EOF
names: [ $bsf_name, $bsf_name_isim ]
ub:
  - listen: 127.0.0.1:0
  - listen: 127.0.0.1:0
    tls: { cert: bsf.pem, key: bsf.key }
zn:
  listen: 127.0.0.1:0
  tls: { cert: bsf.pem, key: bsf.key, client_ca: ca.pem }
zh:
$lab_zh
nafs:
  - certificate: $naf_fqdn
    fqdns: [ $naf_fqdn ]
    ua_ids: [ "0100000002", "010001****", "0100000007" ]
    gsids: [ "0", "1" ]
  - certificate: $target_fqdn
    fqdns: [ $target_fqdn ]
    ua_ids: [ "01000100ae" ]
    may_learn_impi: false
  - certificate: $other_fqdn
    fqdns: [ $other_fqdn ]
    ua_ids: [ "01000100ae" ]
    may_learn_impi: false
  - certificate: $maf_fqdn
    fqdns: [ $maf_fqdn ]
    ua_ids: [ "01000100ae" ]
    may_learn_impi: true
  # mefd: a NAF of its own, and a proxy for targets without Zn
  - certificate: $mef_fqdn
    fqdns: [ $mef_fqdn, $target_fqdn, $other_fqdn ]
    ua_ids: [ "010001****" ]
    gsids: [ "1000001" ]
    may_learn_impi: true
session: { per_subscriber: 8 }
rate_limits:
  subscriber: { burst: $lab_burst, per_minute: 60000 }
  address: { burst: $lab_burst, per_minute: 60000 }
metrics: 127.0.0.1:0
$lab_log
EOF
    lab_start bsfd "$bsfd" --config "$lab_dir/bsfd.yaml"
    bsfd_pid=$lab_pid
    zn_path=/bsf/requestBootstrappingInfo
    ub_url=http://$(lab_port bsfd ub)/ ub_tls_url=https://$(lab_port bsfd ub_tls)/
    zn_url=https://$(lab_port bsfd zn)$zn_path
}

lab_mefd() {
    [ -f "$lab_dir/mefd.master" ] ||
        head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$lab_dir/mefd.master"
    cat >"$lab_dir/mefd.yaml" <<EOF
fqdn: $mef_fqdn
sp: lab.test
listen: 127.0.0.1:0
psk: { listen: 127.0.0.1:0 }
est: { ca: lab, folder: mef-ca }
tls: { certificate: mef.pem, key: mef.key, client_ca: ca.pem }
zn:
  certificate: mef-zn.pem
  key: mef-zn.key
  bsfs:
    - { domain: $bsf_name, url: "$zn_url", ca: ca.pem }
    - { domain: $bsf_name_isim, url: "$zn_url", ca: ca.pem }
database: mefd.db
master_key: mefd.master
targets:
  - { id: $target_cse_id, fqdn: $target_fqdn, ua_protocol: "01000100ae", suids: [ "22" ] }
  - { id: $other_cse_id, fqdn: $other_fqdn, suids: [ "22" ] }
  - { id: $maf_fqdn, suids: [ "21" ] }
enrolees:
  - impi: "$impi"
    id: $enrolee_id
    targets: [ $target_cse_id, $other_cse_id, $maf_fqdn ]
$lab_enrolee
metrics: 127.0.0.1:0
$lab_log
EOF
    lab_start mefd "$mefd" --config "$lab_dir/mefd.yaml"
    mef_url=https://$(lab_port mefd mef) mef_psk_url=https://$(lab_port mefd psk)
}

lab_mafd() {
    [ -f "$lab_dir/mafd.master" ] ||
        head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$lab_dir/mafd.master"
    cat >"$lab_dir/mafd.yaml" <<EOF
fqdn: $maf_fqdn
sp: lab.test
listen: 127.0.0.1:0
psk: { listen: 127.0.0.1:0, tls_profile: onem2m }
tls: { certificate: maf.pem, key: maf.key, client_ca: ca.pem }
zn:
  certificate: maf.pem
  key: maf.key
  bsfs:
    - { domain: $bsf_name, url: "$zn_url", ca: ca.pem }
    - { domain: $bsf_name_isim, url: "$zn_url", ca: ca.pem }
mefs: [ { fqdn: $mef_fqdn, url: "$mef_url", ca: ca.pem } ]
database: mafd.db
master_key: mafd.master
targets:
  - { id: $target_cse_id, fqdn: $target_fqdn }
enrolees:
  - impi: "$impi"
    id: $enrolee_id
    targets: [ $target_cse_id ]
$lab_maf_client
$lab_log
EOF
    lab_start mafd "$mafd" --config "$lab_dir/mafd.yaml"
    maf_url=https://$(lab_port mafd maf) maf_psk_url=https://$(lab_port mafd psk)
}

# What the enrolee's row has beyond its SIM, at the MEF and at the MAF, and the registrar's
# configuration of its own.
lab_enrolee='' lab_maf_client='' lab_registrar_more=''
lab_with_maf= # not empty: a MAF too, whom the registrar asks
lab_with_other= # not empty: the registrar of another service provider too

# lab_registrar zn|mef|none: where it gets its keys
lab_registrar() {
    if [ "$1" = none ]; then
        source=''
    elif [ "$1" = zn ]; then
        source="zn: [ { domain: $bsf_name, url: '$zn_url', ca: ca.pem }, { domain: $bsf_name_isim, url: '$zn_url', ca: ca.pem } ]"
    else
        source="mef: { url: '$mef_url', fqdn: $mef_fqdn, ca: ca.pem }"
    fi
    [ -z "$lab_with_maf" ] || lab_registrar_more="$lab_registrar_more
maf: { url: '$maf_url', fqdn: $maf_fqdn, ca: ca.pem }"
    lab_registrar_of registrar "$target_fqdn" "$target_cse_id" "$lab_registrar_more"
    registrar_addr=$(lab_port registrar registrar)
    registrar_cert_addr=$(lab_port registrar certificates)
}

# The registrar of another service provider; after lab_registrar.
lab_other_registrar() {
    lab_registrar_of other "$other_fqdn" "$other_cse_id" ''
    other_addr=$(lab_port other registrar)
}

lab_registrar_of() { # name FQDN CSE-ID more
    cat >"$lab_dir/$1.yaml" <<EOF
listen: 127.0.0.1:0
fqdn: $2
cse_id: $3
cert: $1.pem
key: $1.key
$source
$4
$lab_log
EOF
    lab_start "$1" "$registrar" --config "$lab_dir/$1.yaml"
}

lab_burst=1000 # 0: no limit
lab_log="log: { level: ${lab_log_level:-info} }"

# lab_up diameter|file HSS zn|mef: the whole lab; HSS "" is mock-hss, else HOST:PORT,IDENTITY,REALM
lab_up() {
    lab_guss >"$lab_dir/guss.xml"
    hss_addr='' hss_control=''
    if [ "$1" = diameter ] && [ -n "$2" ]; then
        hss_addr=${2%%,*} hss_realm=${2##*,}
        hss_identity=${2#*,}
        hss_identity=${hss_identity%,*}
    elif [ "$1" = diameter ]; then
        lab_mock_hss
    fi
    lab_bsfd "$1"
    lab_mefd
    [ -z "$lab_with_maf" ] || lab_mafd
    lab_registrar "$3"
    [ -z "$lab_with_other" ] || lab_other_registrar
}

# What a stranger's UE, NAF or HSS needs to know.
lab_print_keys() {
    metrics=$(lab_port bsfd metrics)
    cat <<EOF
ub_url=$ub_url
ub_tls_url=$ub_tls_url
zn_url=$zn_url
zn_client_cert=$lab_dir/zn-client.pem
zn_client_key=$lab_dir/zn-client.key
zn_client_name=$naf_fqdn
ca=$lab_dir/ca.pem
naf_fqdn=$naf_fqdn
mef_url=$mef_url
mef_psk_url=$mef_psk_url
registrar_addr=$registrar_addr
target_cse_id=$target_cse_id
target_fqdn=$target_fqdn
impi=$impi
imsi=$imsi
k=$k
opc=$opc
amf=$amf
bsf_name=$bsf_name
hss_addr=$hss_addr
hss_identity=$hss_identity
hss_realm=$hss_realm
hss_control=$hss_control
zh_bsf_identity=$zh_bsf_identity
zh_bsf_realm=$zh_bsf_realm
metrics_url=http://$metrics/metrics
health_url=http://$metrics/health
EOF
}

# Ends the daemons but keeps the folder.
lab_down() {
    for p in $lab_pids; do
        kill -TERM "$p" 2>/dev/null || :
    done
    for p in $lab_pids; do
        wait "$p" 2>/dev/null || :
    done
    lab_pids=
}
