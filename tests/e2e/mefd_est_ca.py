#!/usr/bin/env python3
"""EST (RFC 7030) from a real mefd: requests bound to their session, an external CA behind a command that fails in every way,
its queue, a full disk, and options that cannot be.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import os
import socket
import ssl
import sys
import threading
import time

sys.dont_write_bytecode = True
import mefd  # noqa: E402
from bsf_lab import Answer, check, exchange, run, summary, write  # noqa: E402
from daemons import Disk  # noqa: E402
from est_lab import EST, LAB, Lab, certificates, gba, outputs, pair_is_good, psk_session, spoilt, verifies  # noqa: E402
from mefd import CSE, CSE_FQDN, DEVICE, MEF  # noqa: E402



def own_mounts():
    """A mount namespace of one's own, where that can be had."""
    if os.getuid() == 0 and not os.environ.get("own_mounts") and run("unshare", "-m", "true").returncode == 0:
        os.execvpe("unshare", ["unshare", "-m", sys.executable, os.path.abspath(__file__)], dict(os.environ, own_mounts="1"))


def in_background(what):
    answers = []
    t = threading.Thread(target=lambda: answers.append(what()), daemon=True)
    t.start()
    return t, answers


# ---- challengePassword ------------------------------------------------------------------------

def linked(lab, version, binding, spoil=False, cert="cse1"):
    """One connection: its channel binding goes into the request that is sent over it."""
    context = ssl.create_default_context(cafile=f"{lab.dir}/ca.pem")
    context.load_cert_chain(f"{lab.dir}/{cert}.pem", f"{lab.dir}/{cert}.key")
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(lab.mefd.address("mef"), timeout=10) as raw, \
            context.wrap_socket(raw, server_hostname=MEF) as s:
        value = s.get_channel_binding("tls-unique") if binding else b"nothing at all"
        password = base64.b64encode((spoilt(value) if spoil else value)).decode()
        write(f"{lab.dir}/link.cnf", "[req]\ndistinguished_name=dn\nattributes=attrs\nprompt=no\nreq_extensions=ext\n[dn]\n"
              f"CN=linked\n[ext]\nsubjectAltName=DNS:{CSE_FQDN}\n[attrs]\nchallengePassword={password}\n")
        der = lab.csr("linked", None, config=f"{lab.dir}/link.cnf")
        body = base64.b64encode(der)
        s.sendall(f"POST {EST}simpleenroll HTTP/1.1\r\nHost: {MEF}\r\nContent-Type: application/pkcs10\r\n"
                  f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        got = b""
        while True:
            part = s.recv(65536)
            if not part:
                return Answer(got)
            got += part


def test_link(lab):
    a = lab.curl("csrattrs")
    check("csrattrs: challengePassword", b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07" in base64.b64decode(a.body), a.body)
    r = gba(lab, "enrol", "mef", *lab.pair("cse1"), "--id", CSE, *outputs(lab, "linked_gba"))
    check("gba cannot bind: 76", r.returncode == 76 and "challengePassword" in r.stderr, (r.returncode, r.stderr))
    a = linked(lab, ssl.TLSVersion.TLSv1_2, True)
    check("bound to its session", a.status == 200, (a.status, a.body))
    a = linked(lab, ssl.TLSVersion.TLSv1_2, True, spoil=True)
    check("bound to another", a.status == 403, a.status)
    a = linked(lab, ssl.TLSVersion.TLSv1_2, False)
    check("bound to nothing", a.status == 403, a.status)
    a = lab.enrol("simpleenroll", lab.csr("x", f"DNS:{CSE_FQDN}"))
    check("no challengePassword", a.status == 403, a.status)


# ---- a CA behind a command --------------------------------------------------------------------

COMMAND = """est:
  ca: command
  command: [{dir}/ca.sh, an argument]
  certificates: external.pem
  anchors: ca.pem
  command_limit: 3s
  queue: 1
"""
SIGN = """cat >"$work/csr"
echo "$EST_PROFILE $EST_NAME $EST_ID $EST_DAYS $1" >"$dir/told"
printf 'subjectAltName=critical,%s\\nbasicConstraints=critical,CA:FALSE\\nkeyUsage=critical,digitalSignature\\n' \\
    "$EST_NAME" >"$work/ext"
openssl x509 -req -in "$work/csr" -CA "$dir/external.pem" -CAkey "$dir/external.key" -set_serial "0x$(openssl rand -hex 8)" \\
    -days "$EST_DAYS" -sha256 -extfile "$work/ext"
"""


def command(lab, body):
    write(f"{lab.dir}/ca.sh", f"#!/bin/sh\nset -eu\ndir={lab.dir}\nwork=$(mktemp -d)\ntrap 'rm -rf \"$work\"' EXIT\n" + body,
          0o700)


def test_command(lab):
    der = lab.csr("ext1", f"DNS:{CSE_FQDN}")
    command(lab, SIGN)
    text = lab.take(lab.enrol("simpleenroll", der), "ext1")
    check("external: verifies", verifies(lab, "ext1", "external"), text)
    told = open(f"{lab.dir}/told").read()
    check("external: what it is told", told == f"cse DNS:{CSE_FQDN} {CSE} 365 an argument\n", told)
    pems = certificates(lab.curl("cacerts").body)
    check("external: cacerts, and the MEF's own root", pems == [open(f"{lab.dir}/{x}.pem").read() for x in
                                                               ("external", "ca")], pems)
    lab.take(lab.enrol("simplereenroll", lab.csr("ext2", f"DNS:{CSE_FQDN}"), cert="ext1"), "ext2")
    s = psk_session(lab)
    text = lab.take(s.est("simpleenroll", lab.csr("extae", f"URI:{DEVICE}")), "extae")
    check("external: an AE by PSK", f"URI:{DEVICE}" in text and verifies(lab, "extae", "external"), text)
    s.end()
    rows = [("refuses", "exit 77", 403), ("asks to come again", "exit 75", 503), ("fails", "echo no luck >&2; exit 3", 500),
            ("prints nothing", "exit 0", 500), ("prints garbage", "echo hello", 500),
            ("prints another's certificate", f"cat {lab.dir}/ext2.pem", 500), ("dies", "kill -9 $$", 500),
            ("prints for ever", "exec yes", 500), ("hangs", "sleep 100", 503)]
    for what, body, status in rows:
        command(lab, body)
        a = lab.enrol("simpleenroll", der)
        check(f"the command {what}: {status}", a.status == status and a.fields.get("content-type") == "text/plain",
              (a.status, a.body))
        check(f"the command {what}: Retry-After", ("retry-after" in a.fields) == (status == 503), a.fields)
        check(f"the command {what}: no certificate", b"MII" not in a.body)
    check("what it said is in the log", "no luck" in lab.mefd.text())
    test_queue(lab, der)
    os.unlink(f"{lab.dir}/ca.sh")
    check("no command: 503", lab.enrol("simpleenroll", der).status == 503)
    command(lab, SIGN)
    check("there again: 200", lab.enrol("simpleenroll", der).status == 200)


def plain_enrol(lab, der, cert="cse1"):
    body = base64.b64encode(der)
    context = ssl.create_default_context(cafile=f"{lab.dir}/ca.pem")
    context.load_cert_chain(f"{lab.dir}/{cert}.pem", f"{lab.dir}/{cert}.key")
    return exchange(lab.mefd.address("mef"), f"POST {EST}simpleenroll HTTP/1.1\r\nHost: {MEF}\r\nContent-Type: "
                    f"application/pkcs10\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body, context)


def test_queue(lab, der):
    """One is being made, one waits, the next is told to come again; nobody is kept from other things."""
    command(lab, 'touch "$dir/begun"\nwhile [ ! -e "$dir/go" ]; do sleep 0.05; done\n' + SIGN)
    for f in ("begun", "go"):
        if os.path.exists(f"{lab.dir}/{f}"):
            os.unlink(f"{lab.dir}/{f}")
    first = in_background(lambda: plain_enrol(lab, der))
    while not os.path.exists(f"{lab.dir}/begun"):
        time.sleep(0.02)
    waiting = [first, in_background(lambda: plain_enrol(lab, der))]
    a = Answer(b"")
    for _ in range(50):  # until the second has come into the queue
        third = in_background(lambda: plain_enrol(lab, der))
        third[0].join(0.5)
        if third[1]:
            a = third[1][0]
            break
        waiting.append(third)
    check("queue full: 503", a.status == 503 and a.fields.get("retry-after"), (a.status, a.fields))
    check("cacerts meanwhile", lab.curl("cacerts").status == 200)
    write(f"{lab.dir}/go", "")
    for t, answers in waiting:
        t.join(20)
        check("who waited is served", answers and answers[0].status in (200, 503), answers)
    check("the first of them with a certificate", first[1] and first[1][0].status == 200)


def test_gba_busy(lab):
    """Behind a CA that is busy, and one that wants the session linked."""
    command(lab, "exit 75")
    r = gba(lab, "enrol", "mef", *lab.pair("cse1"), "--id", CSE, *outputs(lab, "busy"))
    check("gba at a busy CA: 69", r.returncode == 69 and "try again in" in r.stderr, (r.returncode, r.stderr))
    command(lab, SIGN)
    r = gba(lab, "enrol", "mef", *lab.pair("cse1"), "--id", CSE, *outputs(lab, "busy"))
    check("gba at an external CA", r.returncode == 0 and pair_is_good(lab, "busy", f"DNS:{CSE_FQDN}", "external"), r.stderr)


def test_full_disk(lab):
    """No certificate that is not in the record.  Needs a mount namespace of one's own."""
    disk = Disk("128k") if os.environ.get("own_mounts") else None
    if disk is None or not disk.there:
        print("skipped: a full disk: no file system can be mounted here")
        return 1
    try:
        lab.restart(f"est: {{ca: lab, folder: {disk.path}/ca}}\n")
        der = lab.csr("full", f"DNS:{CSE_FQDN}")
        check("room: 200", lab.enrol("simpleenroll", der).status == 200)
        with open(f"{disk.path}/ca/issued", "ab") as f:  # nearly the whole of its page
            line = b"00" * 16 + b" 1 filler\n"
            f.write(line * ((4096 - f.tell()) // len(line) - 3))
        disk.fill()
        seen = {lab.enrol("simpleenroll", der).status for _ in range(8)}
        check("disk full: 503 in the end", 503 in seen and seen <= {200, 503}, seen)
        a = lab.enrol("simpleenroll", der)
        check("disk full: Retry-After, no certificate", a.status == 503 and "retry-after" in a.fields and b"MII" not in a.body,
              (a.status, a.fields))
        record = open(f"{disk.path}/ca/issued").read()
        check("disk full: whole lines only", record.endswith("\n") and all(len(x.split()) == 3 for x in record.splitlines()))
        check("disk full: the log says so", "No space left on device" in lab.mefd.text())
        disk.free()
        check("room again: 200", lab.enrol("simpleenroll", der).status == 200)
        lab.restart("est: {ca: none}\n")
    finally:
        disk.end()
    return 0


def test_options(lab):
    text = open(f"{lab.dir}/mefd.yaml").read()
    check("check-config makes no CA", run(mefd.MEFD, "--config", f"{lab.dir}/mefd.yaml", "--check-config").returncode == 0)
    rows = [("no folder", "est: {ca: lab}"), ("no command", "est: {ca: command, certificates: ca.pem}"),
            ("no certificates", f"est: {{ca: command, command: [{lab.dir}/ca.sh]}}"),
            ("no such command", "est: {ca: command, command: [/no/such/ca], certificates: ca.pem}"),
            ("a command without a path", "est: {ca: command, command: [ls], certificates: ca.pem}"),
            ("certificates that are none", "est: {ca: command, command: [/bin/true], certificates: ca.key}"),
            ("domains that are none", "est: {ca: lab, folder: f, domains: ['not a name']}"),
            ("anchors that are none", "est: {ca: lab, folder: f, anchors: ca.key}"),
            ("another CA", "est: {ca: acme}")]
    for what, est in rows:
        write(f"{lab.dir}/bad.yaml", text.split("est:")[0] + est + "\n", 0o600)
        r = run(mefd.MEFD, "--config", f"{lab.dir}/bad.yaml", "--check-config")
        check(f"{what}: 78", r.returncode == 78 and r.stderr, (r.returncode, r.stderr))
    check("check-config made no folder", not os.path.exists(f"{lab.dir}/f"))
    lab.restart("est: {ca: none}\n")
    check("without a CA there is no EST", lab.curl("cacerts").status == 404)


def main():
    lab = Lab(LAB.replace("}", ", challenge_password: true}"))
    try:
        test_link(lab)
        mefd.make_ca(lab.dir, "external")
        command(lab, SIGN)
        lab.restart(COMMAND.format(dir=lab.dir))
        test_command(lab)
        test_gba_busy(lab)
        skipped = test_full_disk(lab)
        test_options(lab)
    finally:
        lab.end_of_test()
    return summary(skipped)


if __name__ == "__main__":
    own_mounts()
    sys.exit(main())
