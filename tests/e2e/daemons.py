#!/usr/bin/env python3
"""What an operator may meet with bsfd, mefd, mock-hss and the registrar: mistakes in a configuration, an
HSS that hangs, a full disk, files others can read, an end with a request in flight, IPv6, `user:`.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
import bsf_lab  # noqa: E402
import mefd  # noqa: E402
from bsf_lab import (BSFD, BUILD, CONFIG, ISIM_NAME, NAME, NO_LIMITS, SUBSCRIBERS, ZH_FILE, ZN_TLS, Bsfd, Ue,  # noqa: E402
                     bootstrap, check, first, make_cert, make_certificates, request, run, soap, summary, write, zn)

NAF_ID = b"naf1.example.org" + bytes.fromhex("0100000002")
MOCK_HSS = os.path.join(BUILD, "tests/mock-hss/mock-hss")
REGISTRAR = os.path.join(BUILD, "tests/registrar/registrar")
EACH = "{}\nsession: {{repeat_window: 0}}".format(NO_LIMITS)
skips = []


def freeze(process):
    """Stops it, and waits until each of its threads is: a signal takes its time on a busy machine."""
    process.send_signal(signal.SIGSTOP)
    for _ in range(500):
        states = []
        for task in os.listdir(f"/proc/{process.pid}/task"):
            with open(f"/proc/{process.pid}/task/{task}/stat") as f:
                states.append(f.read().rpartition(")")[2].split()[0])
        if set(states) == {"T"}:
            return
        time.sleep(0.01)


def skip(why):
    print(f"SKIP {why}")
    skips.append(why)


# ---- configurations ------------------------------------------------------------------------

HSS = "identity: hss.example\nrealm: example\nlisten: 127.0.0.1:0\n" + SUBSCRIBERS
REG = "listen: 127.0.0.1:0\nfqdn: cse1.example\ncse_id: //example/cse1\ncert: server.pem\nkey: server.key\n"


def mistakes(required):
    """Of every schema: (what, change of the text)."""
    return [
        ("unknown option", lambda t: t + "nonsense: 1\n"),
        ("an option twice", lambda t: t + re.search(r"(?m)^\w+:.*\n", t).group()),
        ("a list where a map is", lambda t: t + "log: [1]\n"),
        ("no such choice", lambda t: t + "log: {level: loud}\n"),
        ("out of range", lambda t: t + "drain_timeout: 1000000d\n"),
        ("no duration", lambda t: t + "drain_timeout: soon\n"),
        ("no address", lambda t: t + "metrics: nowhere\n"),
        ("a required option", lambda t: re.sub(rf"(?m)^{required}:.*\n(  .*\n)*", "", t)),
        ("not YAML", lambda t: t + "]\n"),
        ("a tab", lambda t: t + "\tlog: {}\n"),
        ("empty", lambda t: ""),
        ("a list", lambda t: "- a\n- b\n"),
        ("not UTF-8", lambda t: t.encode() + b"log: \xff\xfe\n"),
        ("an alias for ever", lambda t: t + "log: &a {format: *a}\n"),
    ]


def test_configurations(folder):
    bsf = CONFIG.format(name=NAME, isim=ISIM_NAME, zn=ZN_TLS, zh=ZH_FILE, more="")
    mef = mefd.MEFD_YAML.format(mef=mefd.MEF, bsf=NAME, zn=1, cse=mefd.CSE, impi=bsf_lab.IMPI, device=mefd.DEVICE)
    rows = [("bsfd", BSFD, bsf.replace("metrics: 127.0.0.1:0\n", ""), "names"),
            ("mefd", mefd.MEFD, mef.replace("metrics: 127.0.0.1:0\n", ""), "fqdn"), ("registrar", REGISTRAR, REG, "fqdn")]
    if os.path.exists(MOCK_HSS):
        rows.append(("mock-hss", MOCK_HSS, HSS, "subscribers"))
    write(f"{folder}/subscribers.yaml", SUBSCRIBERS, 0o600)
    make_cert(folder, "ca", "mef", f"DNS:{mefd.MEF},DNS:mef.example")  # the second as in the sample
    make_cert(folder, "ca", "server", f"DNS:{NAME},DNS:{mefd.MEF},DNS:localhost,IP:127.0.0.1,IP:::1")
    path = f"{folder}/d.yaml"
    for name, program, good, required in rows:
        write(path, good.lstrip("\n"), 0o600)
        r = run(program, "--config", path, "--check-config")
        check(f"{name}: good", r.returncode == 0, r.stderr)
        for what, change in mistakes(required):
            text = change(good.lstrip("\n"))
            with open(path, "wb") as f:
                f.write(text if isinstance(text, bytes) else text.encode())
            r = run(program, "--config", path, "--check-config")
            check(f"{name}, {what}: 78", r.returncode == 78, (r.returncode, r.stderr))
            check(f"{name}, {what}: place and reason", re.match(re.escape(path) + r":\d+:\d+: \S.*", r.stderr), r.stderr)
            check(f"{name}, {what}: no key", bsf_lab.K.hex() not in r.stderr, r.stderr)
        check(f"{name}: no file", run(program, "--config", f"{folder}/none").returncode == 78)
        check(f"{name}: a folder", run(program, "--config", folder).returncode == 78)
        check(f"{name}: unknown option of the command line", run(program, "--frobnicate").returncode == 64)
        check(f"{name}: --version", run(program, "--version").returncode == 0)
        sample = run(program, "--print-config-sample").stdout
        check(f"{name}: a sample", f"{required}:" in sample)
        if name in ("mefd", "mock-hss"):  # the files that mefd's names are here
            r = run(os.path.abspath(program), "--config", "-", "--check-config", input=sample, cwd=folder)
            check(f"{name}: it is a configuration as it is", r.returncode == 0, r.stderr)


def refused_with_place(program, path, text, what, begin):
    """78 of --check-config and of the start alike, and one line: FILE:LINE:COL: path: words."""
    write(path, text, 0o600)
    for more in (["--check-config"], []):
        r = run(program, "--config", path, *more)
        check(f"{what}: 78 {more}", r.returncode == 78, (r.returncode, r.stderr))
        found = re.match(re.escape(path) + r":\d+:\d+: (\S+: [^\n]* [^\n]*)\n", r.stderr)
        check(f"{what}: place and reason {more}", found and found.group(1).startswith(begin), r.stderr)


def test_places_bsfd(folder):
    """A mistake that more than the form of one value shows has its place too: in the files of TLS ..."""
    good = CONFIG.format(name=NAME, isim=ISIM_NAME, zn=ZN_TLS, zh=ZH_FILE, more="").lstrip("\n")
    write(f"{folder}/garbage.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    ub, server, ca = "cert: server.pem", "key: server.key", "client_ca: ca.pem"
    diameter = "diameter: {{identity: b, realm: r, tls_cert: {}, tls_key: {}, tls_ca: {}, peers: [{{identity: h, realm: r, address: 'h:1'}}]}}"
    rows = [("no certificate", ub, "cert: none.pem", "ub[2].tls.cert: "), ("garbage", ub, "cert: garbage.pem", "ub[2].tls.cert: "),
            ("no key", server, "key: none.key", "ub[2].tls.key: "), ("another's key", server, "key: mef.key", "ub[2].tls.cert: "),
            ("no roots", ca, "client_ca: none.pem", "zn.tls.client_ca: "), ("no certificate in it", ca, "client_ca: d.yaml", "zn.tls.client_ca: "),
            ("no CRL", ca, f"{ca}, crl: ca.pem", "zn.tls.crl: "), ("no user", "names:", "user: no-such-user\nnames:", "user: there is no user")]
    if os.path.exists(MOCK_HSS):
        zh = "file: {subscribers: subscribers.yaml}"
        rows += [("no Diameter certificate", zh, diameter.format("none.pem", "server.key", "ca.pem"), "zh.diameter.tls_cert: "),
                 ("no Diameter roots", zh, diameter.format("server.pem", "server.key", "none.pem"), "zh.diameter.tls_ca: ")]
    for what, old, new, begin in rows:
        check(f"bsfd, {what}: is in it", old in good, good)
        refused_with_place(BSFD, f"{folder}/d.yaml", good.replace(old, new, 1), f"bsfd, {what}", begin)


def test_places_mefd(folder):
    """... and each row that needs a look at others, or at the name of this MEF."""
    good = mefd.MEFD_YAML.format(mef=mefd.MEF, bsf=NAME, zn=1, cse=mefd.CSE, impi=bsf_lab.IMPI, device=mefd.DEVICE)
    cse, device, path = f"id: {mefd.CSE}}}", f"id: {mefd.DEVICE},", f"{folder}/d.yaml"
    for what, old, new, begin in (
            ("two kinds of SUID", 'suids: ["22"]', 'suids: ["21", "22"]', "targets[1].suids: 21 "),
            ("no SUID", 'suids: ["22"]', 'suids: ["22", "7"]', "targets[1].suids[1]: "),
            ("TMPI's Ua id", cse, f"{cse[:-1]}, ua_protocol: '0100000100'}}", "targets[0].ua_protocol: "),
            ("another's name", cse, f"{cse[:-1]}, fqdn: other.example.org}}", "targets[0].fqdn: "),
            ("an AE as target", cse, f"{cse[:-1]}/Cx}}", "targets[0].id: "),
            ("a target twice", "//sp.example.org/cse2", mefd.CSE, "targets[1].id: is there twice"),
            ("no Enrolee-ID", device, "id: //,", "enrolees[0].id: "),
            ("no IMPI", f'impi: "{bsf_lab.IMPI}"', 'impi: "a b"', "enrolees[0].impi: "),
            ("a key's name alone", device, f"{device} kpm_id: a@b,", "enrolees[0].kpm_id: "),
            ("no subjectAltName", device, f"{device} certificates: [a],", "enrolees[0].certificates[0]: "),
            ("a target's name", device, f"{device} certificates: ['dns:cse1.sp.example.org'],", "enrolees[0].certificates[0]: has one dNSName "),
            ("no digest", device, f"{device} public_keys: ['00'],", "enrolees[0].public_keys[0]: "),
            ("no such target", f"targets: [{mefd.CSE}]", f"targets: [{mefd.CSE}, /cse9]", "enrolees[0].targets[1]: "),
            ("a target of it twice", f"targets: [{mefd.CSE}]", f"targets: [{mefd.CSE}, {mefd.CSE}]", "enrolees[0].targets[1]: "),
            ("no stakeholder", "database:", "stakeholders: [a.example, 'b c']\ndatabase:", "stakeholders[1]: "),
            ("no BSF domain", f"domain: {NAME}", "domain: 'a b'", "zn.bsfs[0].domain: "),
            ("http", "url: \"https", "url: \"http", "zn.bsfs[0].url: "),
            ("no roots", "Info\", ca: ca.pem", "Info\"", "zn.bsfs[0].ca: "),
            ("no certificate", "certificate: server.pem", "certificate: none.pem", "tls.certificate: "),
            ("no key for Zn", "key: mef.key", "key: none.key", "zn.key: "),
            ("no roots of the BSF", "Info\", ca: ca.pem", "Info\", ca: none.pem", "zn.bsfs[0].ca: "),
            ("no address", '["127.0.0.1:0", "[::1]:0"]', '["127.0.0.1:0", "::1:0"]', "listen[1]: "),
            ("no address of psk", "psk: {listen: 127.0.0.1:0}", "psk: {listen: h}", "psk.listen: "),
            ("no address for CoAP", "database:", "coap: {listen: h}\ndatabase:", "coap.listen: "),
            ("no address for mefctl", "database:", "admin: {listen: h, clients: a.b}\ndatabase:", "admin.listen: "),
            ("a certificate alone", "  key: mef.key\n", "", "zn.certificate: "),
            ("nobody for mefctl", "database:", "admin: {listen: '[::1]:0'}\ndatabase:", "admin.clients: missing; "),
            ("no anchors", "database:", "est: {ca: lab, folder: f, anchors: none.pem}\ndatabase:", "est.anchors: "),
            ("no domain", "database:", "est: {ca: lab, folder: f, domains: [a.example, 'b c']}\ndatabase:", "est.domains[1]: "),
            ("no command", "database:", "est: {ca: command, command: [/no/ca], certificates: ca.pem}\ndatabase:", "est.command[0]: "),
            ("no certificates", "database:", "est: {ca: command, command: [/bin/true], certificates: ca.key}\ndatabase:", "est.certificates: "),
            ("no name", f"fqdn: {mefd.MEF}", "fqdn: 'a b'", "fqdn: "), ("no provider", "sp: sp.example.org", "sp: 'a b'", "sp: ")):
        check(f"mefd, {what}: is in it", good.count(old) >= 1)
        refused_with_place(mefd.MEFD, path, good.lstrip("\n").replace(old, new, 1), f"mefd, {what}", begin)


def test_places_mock_hss(folder):
    """... and what only the AuC finds."""
    path = f"{folder}/d.yaml"
    for what, text, begin in (("no identity", HSS.replace("hss.example", '"a b"'), "identity: "),
                              ("no realm", HSS.replace("realm: example", 'realm: ""'), "realm: "),
                              ("an IMPI twice", HSS.replace(bsf_lab.BARRED, bsf_lab.IMPI), "subscribers[1].impi: the subscriber is there twice"),
                              ("no GUSS", HSS.replace("<guss>", "<gus>"), "subscribers[0].guss: "),
                              ("no GUSS file", HSS + "    guss_file: none.xml\n", "subscribers[1].guss_file: "),
                              ("a GUSS file that is none", HSS + "    guss_file: d.yaml\n", "subscribers[1].guss_file: "),
                              ("no time", HSS.replace("    guss:", "    guss_timestamp: noon\n    guss:"), "subscribers[0].guss_timestamp: "),
                              ("no certificate", "tls_cert: none.pem\ntls_key: server.key\n" + HSS, "tls_cert: "),
                              ("RES too short", HSS.replace("res_len: 16", "res_len: 3"), "subscribers[0].res_len: ")):
        refused_with_place(MOCK_HSS, path, text, f"mock-hss, {what}", begin)


# ---- files ---------------------------------------------------------------------------------

def ends_with(program, config):
    """The exit code of a daemon that should not come up, and what it says."""
    p = subprocess.Popen([program, "--config", config], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        said = p.communicate(timeout=10)[1]
    except subprocess.TimeoutExpired:
        p.kill()
        said = p.communicate()[1]
        return None, said
    return p.returncode, said


def test_modes(certificates):
    b = Bsfd(certificates)
    b.process.send_signal(signal.SIGTERM)
    check("end", b.process.wait(20) == 0)
    os.chmod(f"{b.dir}/subscribers.yaml", 0o640)
    code, said = ends_with(BSFD, f"{b.dir}/bsfd.yaml")
    check("subscribers for the group: refused", code == 78 and "0600" in said, (code, said))
    os.chmod(f"{b.dir}/subscribers.yaml", 0o600)
    check("the file of sequence numbers: 0600", os.stat(f"{b.dir}/subscribers.yaml.sqn").st_mode & 0o777 == 0o600)
    os.chmod(f"{b.dir}/server.key", 0o644)
    b.start()
    check("a TLS key for all: a warning", "server.key" in b.text(), b.text())
    check("... end", b.end()[0] == 0)


def test_mef_modes(lab):
    code, said = ends_with(mefd.MEFD, f"{lab.dir}/mefd.yaml")
    check("a second daemon on one database: refused", code == 78 and "another daemon has it open" in str(said),
          (code, said))
    with open(f"{lab.dir}/mefd.yaml") as f:
        write(f"{lab.dir}/long.yaml", f.read().replace("database: mefd.db", "database: " + f"{lab.dir}/".ljust(4093, "a")))
    code, said = ends_with(mefd.MEFD, f"{lab.dir}/long.yaml")
    check("no room for a name beside the database: refused", code == 78 and "the name is too long" in str(said), (code, str(said)[-300:]))
    lab.mefd.end()
    for name in ("mefd.master", "mefd.db"):
        check(f"{name}: 0600", os.stat(f"{lab.dir}/{name}").st_mode & 0o777 == 0o600)
    os.chmod(f"{lab.dir}/mefd.master", 0o644)
    code, said = ends_with(mefd.MEFD, f"{lab.dir}/mefd.yaml")
    check("master key for all: refused", code == 78, (code, said))
    os.chmod(f"{lab.dir}/mefd.master", 0o600)
    with open(f"{lab.dir}/mefd.master", "rb") as f:
        key = f.read()
    write(f"{lab.dir}/mefd.master", "00" * 32, 0o600)
    code, said = ends_with(mefd.MEFD, f"{lab.dir}/mefd.yaml")
    check("another master key: refused", code not in (0, None), (code, said))
    with open(f"{lab.dir}/mefd.master", "wb") as f:
        f.write(key)
    lab.mefd.start()


# ---- the HSS hangs -------------------------------------------------------------------------

def test_stopped_hss(certificates):
    from bsfd_diameter import Hss, wait_healthy, zh
    hss = Hss()
    b = Bsfd(certificates, EACH, zh=zh(hss))
    wait_healthy(b, True)
    check("before", bootstrap(b.address("ub"))[1].status == 200)
    freeze(hss.process)
    for i in range(3):
        a = first(b.address("ub"))
        check(f"HSS stopped, {i}: 503 before the client gives up", a.status == 503 and "retry-after" in a.fields, a.status)
    check("the rest works meanwhile", request(b.address("ub")).status == 400)
    a = request(b.address("metrics"), target="/metrics", agent=None)
    check("metrics meanwhile", a.status == 200 and b"bsf_" in a.body, a.status)
    hss.process.send_signal(signal.SIGCONT)
    wait_healthy(b, True)
    status = 0
    for _ in range(100):
        status = first(b.address("ub")).status
        if status == 401:
            break
        time.sleep(0.1)
    check("and again", bootstrap(b.address("ub"))[1].status == 200, status)
    check("end", b.end()[0] == 0)
    hss.end()


# ---- the end -------------------------------------------------------------------------------

def test_drain(lab):
    """mefd ends while a target waits for a BSF that hangs: the target has an answer first."""
    ue = lab.bootstrap()
    freeze(lab.bsfd.process)
    answers = []
    t = threading.Thread(target=lambda: answers.append(lab.ask(mefd.fetch_path(ue.btid))))
    t.start()
    time.sleep(0.5)
    code = lab.mefd.end()
    t.join()
    lab.bsfd.process.send_signal(signal.SIGCONT)
    check("mefd drains: exit 0", code == 0, lab.mefd.text()[-500:])
    check("... the target was answered", [a.status for a in answers] == [503], [a.status for a in answers])
    lab.mefd.start()
    check("... and mefd is back", lab.ask(mefd.fetch_path(ue.btid)).status == 200)
    for how in (signal.SIGINT, signal.SIGTERM):
        check(f"{how.name}: 0", lab.mefd.end(how) == 0)
        lab.mefd.start()


def check_pages(address, prefix):
    a = request(address, target="/metrics", agent=None)
    check("metrics", a.status == 200 and prefix in a.body, a.body[:200])
    lines = [x for x in a.body.decode().splitlines() if x and not x.startswith("#")]
    check("metrics: form", all(re.fullmatch(r'[a-z_:][a-z0-9_:]*(\{[^}]*\})? [0-9.eE+-]+', x) for x in lines), lines)
    a = request(address, target="/health", agent=None)
    check("health", a.status == 200 and isinstance(json.loads(a.body), dict), a.body)
    check("another page", request(address, target="/x", agent=None).status == 404)


# ---- a full disk ---------------------------------------------------------------------------

class Disk:
    """A small file system; needs a mount namespace of one's own."""

    def __init__(self, size):
        self.path = tempfile.mkdtemp(prefix="disk.")
        self.there = run("mount", "-t", "tmpfs", "-o", f"size={size}", "none", self.path).returncode == 0

    def fill(self):
        with open(f"{self.path}/filler", "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"x" * 4096)
            except OSError:
                pass

    def free(self):
        os.unlink(f"{self.path}/filler")

    def end(self):
        if self.there:
            run("umount", self.path)
        os.rmdir(self.path)


def test_full_disk_sqn(certificates, disk):
    b = Bsfd(certificates, EACH, zh=f"  file: {{subscribers: subscribers.yaml, sqn: {disk.path}/sqn, step: 1}}")
    last = int.from_bytes(Ue(first(b.address("ub"))).sqn, "big")
    disk.fill()
    statuses = set()
    for _ in range(300):
        a = first(b.address("ub"))
        statuses.add(a.status)
        if a.status != 401:
            break
        sqn = int.from_bytes(Ue(a).sqn, "big")
        check("a number goes up", sqn > last, (sqn, last))
        last = sqn
    check("disk full: 503, never a number that is not on disk", statuses == {401, 503}, statuses)
    disk.free()
    a = first(b.address("ub"))
    check("space again: another number", a.status == 401 and int.from_bytes(Ue(a).sqn, "big") > last, a.status)
    last = int.from_bytes(Ue(a).sqn, "big")
    b.process.send_signal(signal.SIGKILL)
    b.process.wait()
    b.start()
    check("after a crash too", int.from_bytes(Ue(first(b.address("ub"))).sqn, "big") > last)
    check("end", b.end()[0] == 0)


def test_full_disk_mef(disk):
    lab = mefd.Lab()
    lab.mefd.end()
    text = open(f"{lab.dir}/mefd.yaml").read()
    write(f"{lab.dir}/mefd.yaml", text.replace("database: mefd.db", f"database: {disk.path}/mefd.db")
          .replace("master_key: mefd.master", f"master_key: {disk.path}/master"))
    lab.mefd.start()
    content = {"et": mefd.later(3600), "adfq": "sp.example.org", "suid": 22, "tgis": [mefd.CSE]}

    def register():
        s = mefd.enrol(lab, lab.bootstrap())
        kv = base64.b64encode(os.urandom(32)).decode()
        a = s.ask("POST", "/-/", 5, json.dumps({"sec:skr": dict(content, kv=kv)}))
        s.end()
        return a, kv
    s = mefd.enrol(lab, lab.bootstrap())
    a = s.ask("POST", "/-/", 4, json.dumps({"sec:mefcr": {"et": mefd.later(3600), "adfq": "sp.example.org"}}))
    check("registered", a.rsc == 2001, a.body)
    s.end()
    kept, value = register()
    check("a key", kept.rsc == 2001, kept.body)
    disk.fill()
    seen = {register()[0].rsc for _ in range(3)}
    check("disk full: 5000", seen == {5000}, seen)
    fields = ["X-M2M-RI: 8", "X-M2M-RVI: 3"]
    a = lab.ask(kept.fields["content-location"], fields=fields)
    check("disk full: no key leaves without its line in the audit log", a.status == 500 and
          value.encode() not in a.body, (a.status, a.body))
    disk.free()
    a = lab.ask(kept.fields["content-location"], fields=fields)
    check("what was stored is there", value.encode() in a.body, (a.status, a.body))
    check("space again", register()[0].rsc == 2001)
    lab.mefd.end(signal.SIGKILL)
    lab.mefd.start()
    a = lab.ask(kept.fields["content-location"], fields=fields)
    check("after a crash too", value.encode() in a.body, (a.status, a.body))
    codes, _ = lab.end()
    check("end", codes == [0, 0], codes)


# ---- addresses, users ----------------------------------------------------------------------

def test_ipv6(certificates):
    config = CONFIG.replace("listen: 127.0.0.1:0", 'listen: "[::1]:0"').replace("metrics: 127.0.0.1:0", 'metrics: "[::1]:0"')
    original, bsf_lab.CONFIG = bsf_lab.CONFIG, config
    try:
        b = Bsfd(certificates)
    finally:
        bsf_lab.CONFIG = original
    for name in ("ub", "ub_tls", "zn", "metrics"):
        check(f"IPv6: {name}", b.address(name)[0] == "::1", b.ports)
    ue, a = bootstrap(b.address("ub"))
    check("IPv6: Ub", a.status == 200, a.status)
    check("IPv6: Zn", zn(b, soap(ue.btid, NAF_ID)).status == 200)
    check_pages(b.address("metrics"), b"bsf_")
    check("end", b.end()[0] == 0)


def test_user(certificates):
    b = Bsfd(certificates, EACH)
    b.process.send_signal(signal.SIGTERM)
    b.process.wait(20)
    nobody = pwd.getpwnam("nobody")
    for f in ("", "subscribers.yaml.sqn", "subscribers.yaml.sqn.lock"):
        if os.path.exists(f"{b.dir}/{f}"):
            os.chown(f"{b.dir}/{f}", nobody.pw_uid, nobody.pw_gid)
    with open(f"{b.dir}/bsfd.yaml", "a") as f:
        f.write("\nuser: nobody\n")
    b.start()
    with open(f"/proc/{b.process.pid}/status") as f:
        status = f.read()
    uid = str(nobody.pw_uid)
    check("user: all ids", re.search(r"^Uid:\s+(.*)$", status, re.M).group(1).split() == [uid] * 4, status)
    check("user: no group of root", "0" not in re.search(r"^Groups:(.*)$", status, re.M).group(1).split(), status)
    check("user: no capability", re.search(r"^CapEff:\s+0+$", status, re.M), status)
    ue, a = bootstrap(b.address("ub"))
    check("user: bootstraps", a.status == 200, a.status)
    check("user: Zn", zn(b, soap(ue.btid, NAF_ID)).status == 200)
    check("end", b.end()[0] == 0)
    b = Bsfd(certificates, EACH)
    b.process.send_signal(signal.SIGTERM)
    b.process.wait(20)
    with open(f"{b.dir}/bsfd.yaml", "a") as f:
        f.write("\nuser: nobody\n")
    code, said = ends_with(BSFD, f"{b.dir}/bsfd.yaml")
    check("user: cannot write beside its SQN file", code == 71 and "zh.file.sqn_file" in said, (code, said))
    shutil.rmtree(b.dir)
    b = Bsfd(certificates)
    check("root stays root: a warning", "root" in b.text(), b.text())
    check("end", b.end()[0] == 0)
    config = f"{certificates}/user.yaml"
    write(config, CONFIG.format(name=NAME, isim=ISIM_NAME, zn=ZN_TLS, zh=ZH_FILE, more="user: no-such-user"))
    write(f"{certificates}/subscribers.yaml", SUBSCRIBERS, 0o600)
    code, said = ends_with(BSFD, config)
    check("user: no such user", code in (71, 78) and "no-such-user" in said, (code, said))


def main():
    certificates = make_certificates()
    test_configurations(certificates)
    test_places_bsfd(certificates)
    test_places_mefd(certificates)
    test_modes(certificates)
    test_ipv6(certificates)
    if os.path.exists(MOCK_HSS):
        test_places_mock_hss(certificates)
        test_stopped_hss(certificates)
    else:
        skip("an HSS that hangs: built without Diameter")
    lab = mefd.Lab()
    try:
        test_mef_modes(lab)
        check_pages(lab.mefd.address("metrics"), b"mefd_")
        test_drain(lab)
    finally:
        codes, _ = lab.end()
    check("mefd and bsfd end with 0", codes == [0, 0], codes)
    disk = Disk("512k") if os.environ.get("own_mounts") else None
    if disk and disk.there:
        test_full_disk_sqn(certificates, disk)
        disk.end()
        disk = Disk("2m")
        test_full_disk_mef(disk)
    else:
        skip("a full disk: no file system can be mounted here")
    if disk:
        disk.end()
    if os.getuid() == 0:
        test_user(certificates)
    else:
        skip("user: neither root nor a user namespace with other users (uidmap, /etc/subuid)")
    shutil.rmtree(certificates)
    return summary(len(skips))


if __name__ == "__main__":
    own = ["unshare", "-m"] + ([] if os.getuid() == 0 else ["--map-root-user", "--map-auto"])
    if not os.environ.get("own_mounts") and run(*own, "true").returncode == 0:
        os.execvpe("unshare", own + [sys.executable, os.path.abspath(__file__)], dict(os.environ, own_mounts="1"))
    sys.exit(main())
