#!/usr/bin/env python3
"""Commands of a real mefd for a real gba (TS-0003 8.3.9): mefctl issues them over its socket and over HTTPS, gba enrol
carries them out and ends with a certificate; mefd and gba are killed between a command and its result.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from bsf_lab import BUILD, check, make_cert, run, summary, write  # noqa: E402
from mefctl import Ctl  # noqa: E402
from mefd import CSE, MEF, MEFD_YAML, Lab, Session, fetch_path, later  # noqa: E402

GBA = os.path.abspath(os.path.join(BUILD, "ua/gba"))
ONE, KPM = "//sp.example.org/cse1/Cone", bytes(range(32, 64))
ADMIN = "sp.example.org"
YAML = MEFD_YAML + """admin: {{socket: ctl.sock, listen: 127.0.0.1:0, clients: [admin.example.org]}}
est: {{ca: none}}
commands_per_registration: 3
command_retry: 2h
"""
SIGN = """#!/bin/sh
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/csr"
[ ! -e "{dir}/slow" ] || sleep 5
printf 'subjectAltName=critical,%s\\nbasicConstraints=critical,CA:FALSE\\nkeyUsage=critical,digitalSignature\\n' \\
    "$EST_NAME" >"$work/ext"
openssl x509 -req -in "$work/csr" -CA "{dir}/external.pem" -CAkey "{dir}/external.key" -set_serial "0x$(openssl rand -hex 8)" \\
    -days 2 -sha256 -extfile "$work/ext"
"""
WHOM = [f"enrolee={ONE}", f"stakeholder={ADMIN}"]
CERT = ["cert-prov", *WHOM, "subject_type=ae", f"subject={ONE}", f"uri=https://{MEF}/.well-known/est"]
NODE = "urn:dev:ops:32473-node-7"
NODE_CERT = ["cert-prov", *WHOM, "subject_type=node", f"subject={NODE}", CERT[-1]]


class CommandLab(Lab):
    def __init__(self):
        super().__init__(YAML)

    def prepare(self):
        """A CA behind a command; the device with its key."""
        self.mefd.end()
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=external", "-keyout", f"{self.dir}/external.key", "-out", f"{self.dir}/external.pem")
        write(f"{self.dir}/ca.sh", SIGN.replace("{dir}", self.dir), 0o700)
        text = open(f"{self.dir}/mefd.yaml").read().replace(
            "ca: none", f"ca: command, command: [{self.dir}/ca.sh], certificates: external.pem")
        write(f"{self.dir}/mefd.yaml", text, 0o600)
        self.mefd.start()
        write(f"{self.dir}/kpm", f"opengaa-credential=1\nkind=kpm\nkey_id=one\nkey={KPM.hex()}\npeer={MEF}\n"
              "suite=ECDHE-PSK-CHACHA20-POLY1305\n", 0o600)

    def argv(self, *more):
        return [GBA, "enrol", "--framework", "psk", "--kpm-file", f"{self.dir}/kpm", "--mef", f"https://{MEF}",
                "--connect-to", "127.0.0.1:%d" % self.mefd.address("psk")[1], "--target", CSE, "--ca",
                f"{self.dir}/ca.pem", "--state", f"{self.dir}/state", "--originator", ONE, *more]

    def enrol(self, *more):
        """What gba says of commands, as JSON."""
        r = run(*self.argv("--json", *more))
        check("gba enrol", r.returncode == 0, (r.returncode, r.stderr))
        self.err = r.stderr
        self.out = json.loads(r.stdout or "{}")
        return [(c["class"], c["status"], c["reissued"]) for c in self.out.get("commands", [])]

    def pair(self, name="one"):
        return ["--cert-out", f"{self.dir}/{name}.pem", "--key-out", f"{self.dir}/{name}.key"]


def has_certificate(lab, name="one", of=ONE):
    text = run("openssl", "x509", "-in", f"{lab.dir}/{name}.pem", "-noout", "-text").stdout
    return f"URI:{of}\n" in text and run("openssl", "verify", "-CAfile", f"{lab.dir}/external.pem",
                                        f"{lab.dir}/{name}.pem").returncode == 0 and \
        os.stat(f"{lab.dir}/{name}.key").st_mode & 0o777 == 0o600


def states(ctl):
    rc, out = ctl("--json", "command", "list", f"enrolee={ONE}")
    return [(r["class"], r["state"], r.get("result")) for r in map(json.loads, out.splitlines())]


def issue(ctl, *argv, where=None):
    rc, out = ctl("--json", "command", "issue", *argv, where=where)
    check(f"issued: {argv[0]}", rc == 0, ctl.err)
    return json.loads(out)["id"] if rc == 0 else ""


def test_certificate(lab, ctl):
    check("no registration, no command", ctl("command", "issue", *CERT)[0] == 77 and "enrolee" in ctl.err, ctl.err)
    check("nothing yet", lab.enrol(*lab.pair()) == [], lab.out)
    check("ask again", lab.out.get("commands_retry_s") == 7200, lab.out)
    issue(ctl, *CERT)
    check("queued", states(ctl) == [("cert-prov", "queued", None)], states(ctl))
    check("carried out", lab.enrol(*lab.pair()) == [("CERT_PROV", 20, False)], (lab.out, lab.err))
    check("a certificate", has_certificate(lab))
    check("its result is known", states(ctl) == [("cert-prov", "done", 20)], states(ctl))
    old = open(f"{lab.dir}/one.pem").read()
    check("the second run gets nothing", lab.enrol(*lab.pair()) == [] and open(f"{lab.dir}/one.pem").read() == old, lab.out)
    r = by_certificate(lab, "one", "state2")
    check("it enrols by that certificate", r.returncode == 0, (r.returncode, r.stderr))


def test_refusals(lab, ctl):
    """What the device cannot do, in words too; what mefctl does not issue."""
    issue(ctl, *CERT)
    issue(ctl, "dev-cfg", *WHOM, "management=lwm2m", f"uri=coaps://{MEF}:5684")
    issue(ctl, "mo-node", *WHOM, "path=./auth/1", "object_type=authentication-profile", "suid=22")
    check("one too many", ctl("command", "issue", *CERT)[0] == 77 and "overload" in ctl.err, ctl.err)
    r = run(*lab.argv())
    check("in words", r.returncode == 0 and r.stdout.count("this class of commands is not supported") == 3, r.stdout)
    check("and to the MEF", [s[2] for s in states(ctl)[-3:]] == [41, 41, 41], states(ctl))
    issue(ctl, *CERT[:-1], f"uri=https://{MEF}/.well-known/est/label")
    issue(ctl, "cert-prov", *WHOM, "subject_type=ae", "subject=//sp.example.org/cse1/Cother", CERT[-1])
    check("not acceptable", lab.enrol(*lab.pair()) == [("CERT_PROV", 43, False)] * 2, lab.out)
    write(f"{lab.dir}/ca.sh", "#!/bin/sh\nexit 77\n", 0o700)
    issue(ctl, *CERT)
    check("the CA refuses", lab.enrol(*lab.pair()) == [("CERT_PROV", 100, False)], lab.out)
    write(f"{lab.dir}/ca.sh", SIGN.replace("{dir}", lab.dir), 0o700)
    issue(ctl, *CERT)
    check("no place for it", lab.enrol("--cert-out", "/nonexistent/c", "--key-out", "/nonexistent/k") ==
          [("CERT_PROV", 101, False)], lab.out)
    rows = [("another host", [*CERT[:-1], "uri=https://evil.example.org/"], 77, "uri"),
            ("not https", [*CERT[:-1], f"uri=http://{MEF}/"], 77, "uri"),
            ("SCEP", [*CERT, "protocol=scep"], 77, "protocol: this MEF serves no SCEP"),
            ("no such class", ["reboot", *WHOM], 77, "class"),
            ("a CSE that is none", ["cert-prov", *WHOM, "subject_type=cse", f"subject={ONE}", CERT[-1]], 77, "subject"),
            ("a node without a row", [*NODE_CERT[:-2], f"subject={NODE}9", CERT[-1]], 77, "no credential uri:"),
            ("a Node-ID that is no URI", [*NODE_CERT[:-2], "subject=node1", CERT[-1]], 77, "not the URI of a Node"),
            ("no members", ["cert-prov"], 77, "enrolee"), ("no class", [], 64, "usage")]
    for what, argv, code, why in rows:
        check(f"not issued: {what}", ctl("command", "issue", *argv)[0] == code and why in ctl.err, ctl.err)


def by_certificate(lab, name, state):
    return run(GBA, "enrol", "--framework", "cert", "--cert", f"{lab.dir}/{name}.pem", "--key", f"{lab.dir}/{name}.key", "--mef",
               f"https://{MEF}", "--connect-to", "127.0.0.1:%d" % lab.mefd.address("mef")[1], "--target", CSE, "--ca",
               f"{lab.dir}/ca.pem", "--state", f"{lab.dir}/{state}", "--json")


def test_node(lab, ctl):
    """A Node-ID certificate (TS-0003 10.1.1.8), from the row to the registrar: the node acts for the enrolee on it."""
    check("not issued before its row", ctl("command", "issue", *NODE_CERT)[0] == 77 and "subject" in ctl.err, ctl.err)
    rc, _ = ctl("add", "credential", f"enrolee={ONE}", "kind=cert", f"name=uri:{NODE}")
    check("the node of an enrolee", rc == 0, ctl.err)
    issue(ctl, *NODE_CERT)
    check("a device that is no such node", lab.enrol("--node-id", NODE + "8", *lab.pair("node")) == [("CERT_PROV", 43, False)] and
          not os.path.exists(f"{lab.dir}/node.pem"), lab.out)
    issue(ctl, *NODE_CERT)
    check("carried out", lab.enrol("--node-id", NODE, *lab.pair("node")) == [("CERT_PROV", 20, False)], (lab.out, lab.err))
    check("a certificate for the node", has_certificate(lab, "node", NODE))
    r = by_certificate(lab, "node", "node.state")
    check("it enrols by that certificate", r.returncode == 0, (r.returncode, r.stderr))
    a = lab.ask(fetch_path(json.loads(r.stdout or "{}").get("key_id", "")))
    check("as the enrolee it acts for", json.loads(a.body or b"{}").get("EnroleeID") == ONE, a.body)
    mef = ["--mef", f"https://{MEF}", "--connect-to", "127.0.0.1:%d" % lab.mefd.address("mef")[1], "--ca", f"{lab.dir}/ca.pem"]
    old = open(f"{lab.dir}/node.pem").read()
    r = run(GBA, "est", "renew", "--id", NODE, *mef, *lab.pair("node"))
    check("renewed by simplereenroll", r.returncode == 0 and has_certificate(lab, "node", NODE) and
          open(f"{lab.dir}/node.pem").read() != old, (r.returncode, r.stderr))
    r = run(GBA, "est", "enrol", "--id", NODE + "8", *mef, "--cert", f"{lab.dir}/node.pem", "--key", f"{lab.dir}/node.key",
            *lab.pair("other"))
    check("no other node's", r.returncode == 77 and not os.path.exists(f"{lab.dir}/other.pem"), (r.returncode, r.stderr))
    registrar = lab.takes_certificates("external", ONE, NODE)
    for name, good in (("node", True), ("one", False)):
        r = run(GBA, "connect", "%s:%d" % registrar.address("certificates"), "--cert", f"{lab.dir}/{name}.pem", "--key",
                f"{lab.dir}/{name}.key", "--ca", f"{lab.dir}/ca.pem", "--target", CSE, "--json")
        check(f"registrar: {name}", (r.returncode == 0 and ONE in r.stdout) == good and (r.returncode == 0) == good,
              (r.returncode, r.stdout, r.stderr))
    check("registrar ends with 0", registrar.end() == 0)
    check("the row goes, the node with it", ctl("remove", "credential", "kind=cert", f"name=uri:{NODE}")[0] == 0, ctl.err)
    check("it enrols no more", by_certificate(lab, "node", "node.state").returncode == 77)
    check("and gets no more", ctl("command", "issue", *NODE_CERT)[0] == 77 and "subject" in ctl.err, ctl.err)


def test_https_and_cancel(lab, ctl):
    make_cert(lab.dir, "ca", "admin", "DNS:admin.example.org")
    os.chmod(f"{lab.dir}/admin.key", 0o600)
    where = ["--url", "https://localhost:%d/" % lab.mefd.address("admin")[1], "--ca", f"{lab.dir}/ca.pem", "--cert",
             f"{lab.dir}/admin.pem", "--key", f"{lab.dir}/admin.key"]
    first = issue(ctl, *CERT, where=where)
    rc, out = ctl("command", "list", where=where)
    check("listed over HTTPS", rc == 0 and first in out and "queued" in out, (out, ctl.err))
    check("cancelled", ctl("command", "cancel", first, where=where)[0] == 0, ctl.err)
    check("only once", ctl("command", "cancel", first)[0] == 77 and "not found" in ctl.err, ctl.err)
    check("it is not given", lab.enrol(*lab.pair()) == [], lab.out)


def test_killed(lab, ctl):
    """Between a command and its result: mefd first, then gba."""
    cid = issue(ctl, *CERT)
    s = Session(lab, "one", KPM, "ECDHE-PSK-CHACHA20-POLY1305")
    a = s.ask("POST", "/-/", 4, json.dumps({"sec:mefcr": {"et": later(3600), "adfq": ADMIN}}), origin=ONE)
    cmd = a.fields["content-location"] + "/cmd"
    a = s.ask("GET", cmd, None, "", origin=ONE)
    check("given", cid.encode() in a.body and b'"cmsc":10' in a.body, a.body)
    lab.mefd.end(9)
    s.end()
    lab.mefd.start()
    check("mefd killed: given again", lab.enrol(*lab.pair("killed")) == [("CERT_PROV", 20, True)] and
          has_certificate(lab, "killed"), (lab.out, lab.err))
    issue(ctl, *CERT)
    write(f"{lab.dir}/slow", "")
    p = subprocess.Popen(lab.argv(*lab.pair("slow")), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(200):
        if states(ctl)[-1][1] == "outstanding":
            break
        time.sleep(0.05)
    p.kill()
    p.wait()
    os.unlink(f"{lab.dir}/slow")
    check("gba killed: outstanding", states(ctl)[-1][1] == "outstanding", states(ctl))
    check("gba killed: again, and done", lab.enrol(*lab.pair("slow")) == [("CERT_PROV", 20, True)] and
          has_certificate(lab, "slow"), (lab.out, lab.err))


def test_audit(lab, ctl):
    check("the audit log is as it was written", ctl("audit")[0] == 0, ctl.err)
    with open(f"{lab.dir}/mefd.db.audit") as f:
        events = [json.loads(x.split(" ", 1)[1]) for x in f]
    seen = {(e["what"], e.get("code")) for e in events if e["what"].startswith("command.")}
    check("it tells of commands", {("command.issue", None), ("command.give", 10), ("command.give", 11),
                                   ("command.result", 20), ("command.result", 41), ("command.result", 43),
                                   ("command.result", 100), ("command.result", 101), ("command.remove", None)} == seen, seen)
    check("with the registration they go", ctl("revoke", ONE)[0] == 0 and states(ctl) == [], states(ctl))


def main():
    lab = CommandLab()
    ctl = Ctl(lab)
    try:
        lab.prepare()
        rc, _ = ctl("--key-file", "-", "add", "device", f"id={ONE}", "kpm_id=one", f"targets={CSE}", stdin=KPM.hex())
        check("a device", rc == 0, ctl.err)
        test_certificate(lab, ctl)
        test_refusals(lab, ctl)
        test_node(lab, ctl)
        test_https_and_cancel(lab, ctl)
        test_killed(lab, ctl)
        test_audit(lab, ctl)
        text = lab.mefd.text()
        check("no key in the log", KPM.hex() not in text)
    finally:
        lab.end()
    return summary()


if __name__ == "__main__":
    sys.exit(main())
