#!/usr/bin/env python3
"""mefd over real sockets, with a real bsfd: both ways of enrolment by GBA, by clients that share no
code with it (bsf_lab.py, openssl s_client as PSK enrolee and as oracle of the exporter).

SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from xml.etree import ElementTree

sys.dont_write_bytecode = True
from bsf_lab import (BSFD, BUILD, IMPI, NAME, SUBSCRIBERS, Answer, bootstrap, check, exchange, kdf,  # noqa: E402
                     make_ca, make_cert, read_ports, run, summary, write)

MEFD = os.path.abspath(os.path.join(BUILD, "naf/mefd"))
REGISTRAR = os.path.abspath(os.path.join(BUILD, "tests/registrar/registrar"))
MEF = "mef.example.org"
CSE, CSE_FQDN = "//sp.example.org/cse1", "cse1.sp.example.org"
DEVICE = "//sp.example.org/cse1/Cdevice"
UA_00AE = bytes.fromhex("01000100ae")

BSFD_YAML = f"""
names: [{NAME}]
ub: [{{listen: 127.0.0.1:0}}]
zn:
  listen: 127.0.0.1:0
  tls: {{cert: server.pem, key: server.key, client_ca: ca.pem}}
nafs:
  - certificate: {MEF}
    fqdns: [{MEF}, {CSE_FQDN}]
    ua_ids: ["010001****"]
    may_learn_impi: true
  - certificate: {CSE_FQDN}
    fqdns: [{CSE_FQDN}]
    ua_ids: ["01000100ae"]
zh: {{file: {{subscribers: subscribers.yaml}}}}
rate_limits: {{subscriber: {{burst: 0}}, address: {{burst: 0}}}}
"""
MEFD_YAML = """
fqdn: {mef}
sp: sp.example.org
listen: ["127.0.0.1:0", "[::1]:0"]
psk: {{listen: 127.0.0.1:0}}
tls: {{certificate: server.pem, key: server.key, client_ca: ca.pem}}
zn:
  certificate: mef.pem
  key: mef.key
  bsfs: [{{domain: {bsf}, url: "https://localhost:{zn}/bsf/requestBootstrappingInfo", ca: ca.pem}}]
database: mefd.db
master_key: mefd.master
device_config_uri: 3:coaps://{mef}:5684
targets:
  - {{id: {cse}}}
  - {{id: //sp.example.org/cse2, suids: ["22"]}}
enrolees:
  - {{impi: "{impi}", id: {device}, targets: [{cse}]}}
metrics: 127.0.0.1:0
"""


class Daemon:
    def __init__(self, folder, program, name):
        self.folder, self.program, self.name = folder, program, name
        self.log = open(f"{folder}/{name}.log", "w+")
        self.start()

    def start(self):
        ports = f"{self.folder}/{self.name}.ports"
        if os.path.exists(ports):
            os.unlink(ports)
        self.process = subprocess.Popen([self.program, "--config", f"{self.folder}/{self.name}.yaml",
                                         "--ports-file", ports], stdout=self.log, stderr=self.log)
        self.ports = read_ports(ports, self.process)

    def address(self, name, i=0):
        host, port = self.ports[name][i].rsplit(":", 1)
        return host.strip("[]"), int(port)

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(timeout=20)

    def text(self):
        with open(f"{self.folder}/{self.name}.log") as f:
            return f.read()


class Lab:
    def __init__(self, yaml=MEFD_YAML):
        self.dir = tempfile.mkdtemp(prefix="mefd-e2e.")
        make_ca(self.dir, "ca")
        make_ca(self.dir, "other_ca")
        make_cert(self.dir, "ca", "server", f"DNS:{NAME},DNS:{MEF},DNS:localhost,IP:127.0.0.1,IP:::1")
        make_cert(self.dir, "ca", "mef", f"DNS:{MEF}")
        make_cert(self.dir, "ca", "cse1", f"DNS:{CSE_FQDN}")
        make_cert(self.dir, "ca", "cse2", "DNS:cse2.sp.example.org")
        make_cert(self.dir, "ca", "stranger", "DNS:stranger.example.org")
        make_cert(self.dir, "other_ca", "rogue", f"DNS:{CSE_FQDN}")
        for f in os.listdir(self.dir):
            if f.endswith(".key"):
                os.chmod(f"{self.dir}/{f}", 0o600)
        write(f"{self.dir}/subscribers.yaml", SUBSCRIBERS, 0o600)
        write(f"{self.dir}/bsfd.yaml", BSFD_YAML)
        self.bsfd = Daemon(self.dir, BSFD, "bsfd")
        write(f"{self.dir}/mefd.yaml", yaml.format(mef=MEF, bsf=NAME, zn=self.bsfd.address("zn")[1], cse=CSE,
                                                   impi=IMPI, device=DEVICE), 0o600)
        self.mefd = Daemon(self.dir, MEFD, "mefd")

    def bootstrap(self):
        ue, answer = bootstrap(self.bsfd.address("ub"))
        assert answer.status == 200, answer.status
        return ue

    def ask(self, target, origin=CSE, cert="cse1", fields=(), method="GET", body=b"", i=0, at=None):
        context = ssl.create_default_context(cafile=f"{self.dir}/ca.pem")
        if cert:
            context.load_cert_chain(f"{self.dir}/{cert}.pem", f"{self.dir}/{cert}.key")
        lines = [f"{method} {target} HTTP/1.1", f"Host: {MEF}", "Connection: close"]
        if origin is not None:
            lines.append(f"X-M2M-Origin: {origin}")
        if body:
            lines.append(f"Content-Length: {len(body)}")
        lines += fields
        try:
            return exchange(at or self.mefd.address("mef", i), ("\r\n".join(lines) + "\r\n\r\n").encode() + body, context)
        except (ssl.SSLError, ConnectionError):
            return Answer(b"")

    def asks_mef(self):
        """A registrar's source of keys: this mefd."""
        return f'mef: {{url: "https://localhost:{self.mefd.address("mef")[1]}", fqdn: {MEF}, ca: ca.pem}}\n'

    def start_registrar(self, more, name="registrar", cert="cse1", fqdn=CSE_FQDN, cse_id=CSE):
        write(f"{self.dir}/{name}.yaml", f"listen: 127.0.0.1:0\nfqdn: {fqdn}\ncse_id: {cse_id}\ncert: {cert}.pem\n"
              f"key: {cert}.key\n{more}")
        return Daemon(self.dir, REGISTRAR, name)

    def takes_certificates(self, roots, enrolee, uri):
        """A registrar that takes certificates of those roots; the one with that URI is the enrolee's."""
        return self.start_registrar(f"listen_certificates: 127.0.0.1:0\nclient_ca: {roots}.pem\n"
                                    f'enrolees: [{{id: {enrolee}, certificates: ["uri:{uri}"]}}]\n')

    def end(self):
        codes = [d.end() for d in (self.mefd, self.bsfd)]
        text = self.mefd.text()
        shutil.rmtree(self.dir)
        return codes, text


def naf_key(ue, fqdn, ua_id):
    return kdf(ue.ks, b"gba-me", ue.rand, IMPI.encode(), fqdn.encode() + ua_id)


def fetch_path(key_id, suid=22, more=""):
    return f"/fetchCredentials/{urllib.parse.quote(key_id, safe='')}/{suid}{more}"


# ---- the target asks -------------------------------------------------------------------------

def test_gba_record(lab):
    ue = lab.bootstrap()
    key = base64.b64encode(naf_key(ue, CSE_FQDN, UA_00AE)).decode()
    for what, kw in (("absolute", {}), ("SP-relative", {"origin": "/cse1"}), ("ipv6", {"i": 1})):
        a = lab.ask(fetch_path(ue.btid), **kw)
        check(f"{what}: status", a.status == 200, a.status)
        j = json.loads(a.body or b"{}")
        check(f"{what}: members", sorted(j) == ["Credential", "EnroleeID", "Lifetime", "Status"], j)
        check(f"{what}: key", j.get("Credential") == key, j)
        check(f"{what}: enrolee", j.get("Status") is True and j.get("EnroleeID") == DEVICE, j)
        left = time.mktime(time.strptime(j["Lifetime"], "%Y-%m-%dT%H:%M:%SZ")) - time.mktime(time.gmtime())
        check(f"{what}: lifetime is that of Ks", 7100 < left <= 7201, left)
        check(f"{what}: never the IMPI", IMPI.encode() not in a.body and b"00101" not in a.body, a.body)
    a = lab.ask(fetch_path(ue.btid), fields=["Accept: application/xml"])
    check("XML", a.status == 200 and f"<Credential>{key}</Credential>".encode() in a.body and
          a.fields["content-type"] == "application/xml", a.body)
    check("the log knows no IMPI and no key", IMPI not in lab.mefd.text() and key not in lab.mefd.text())


def test_fetch_refusals(lab):
    ue = lab.bootstrap()
    unknown = base64.b64encode(bytes(16)).decode() + "@" + NAME
    rows = [
        ("ua as pinned", fetch_path(ue.btid, 22, "?ua=01000100ae"), {}, 200),
        ("another ua", fetch_path(ue.btid, 22, "?ua=0100000002"), {}, 403),
        ("ua of nine digits", fetch_path(ue.btid, 22, "?ua=01000100a"), {}, 400),
        ("SUID 21", fetch_path(ue.btid, 21), {}, 403), ("SUID 23", fetch_path(ue.btid, 23), {}, 403),
        ("SUID of letters", fetch_path(ue.btid, "x"), {}, 400),
        ("no SUID", "/fetchCredentials/" + urllib.parse.quote(ue.btid, safe=""), {}, 400),
        ("slash not encoded", "/fetchCredentials/a/b@c/22", {}, 400),
        ("another's origin", fetch_path(ue.btid), {"origin": "//sp.example.org/cse2"}, 403),
        ("no origin", fetch_path(ue.btid), {"origin": None}, 403),
        ("origin of another provider", fetch_path(ue.btid), {"origin": "//evil.example/cse1"}, 403),
        ("not for this target", fetch_path(ue.btid), {"cert": "cse2", "origin": "//sp.example.org/cse2"}, 403),
        ("a certificate without row", fetch_path(ue.btid), {"cert": "stranger"}, 403),
        ("no certificate", fetch_path(ue.btid), {"cert": None}, 0),
        ("a certificate of others", fetch_path(ue.btid), {"cert": "rogue"}, 0),
        ("unknown B-TID", fetch_path(unknown), {}, 404),
        ("domain without row", fetch_path(ue.btid.split("@")[0] + "@bsf.example.net"), {}, 404),
        ("unknown KeID", fetch_path("00" * 16 + "@" + MEF), {}, 404),
        ("KeID of another MEF", fetch_path("00" * 16 + "@mef.example.net"), {}, 404),
        ("no key identifier", fetch_path("hello"), {}, 404),
        ("NUL", "/fetchCredentials/a%00b/22", {}, 400),
        ("POST", fetch_path(ue.btid), {"method": "POST"}, 405),
        ("another path", "/", {}, 404),
    ]
    for what, target, kw, status in rows:
        a = lab.ask(target, **kw)
        check(f"{what}: status", a.status == status, a.status)
        if status in (403, 404) and target != "/":
            j = json.loads(a.body or b"{}")
            check(f"{what}: form", j.get("Status") is False and j.get("ErrorString") and len(j) == 2, j)
    check("two origins", lab.ask(fetch_path(ue.btid), fields=[f"X-M2M-Origin: {CSE}"]).status == 400)


# ---- the enrolee registers -------------------------------------------------------------------

class Session:
    """openssl s_client with a PSK, or with a certificate (name of its files); knows what it exports."""

    def __init__(self, lab, identity, key, cipher="ECDHE-PSK-CHACHA20-POLY1305", version="-tls1_2", conf=None,
                 cert=None, at=None, name=MEF, label="EXPORTER-oneM2M-Bootstrap"):
        host, port = at or lab.mefd.address("mef" if cert else "psk")
        proof = ["-cert", f"{lab.dir}/{cert}.pem", "-key", f"{lab.dir}/{cert}.key"] if cert else \
            ["-psk", key.hex(), "-psk_identity", identity]
        argv = ["openssl", "s_client", "-connect", f"{host}:{port}", version, *proof, "-servername", name, "-nocommands", "-ign_eof", "-keymatexport", label,
                "-keymatexportlen", "48"] + (["-cipher", cipher] if version == "-tls1_2" else [])
        env = dict(os.environ, OPENSSL_CONF=conf) if conf else None
        self.p = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  env=env)
        self.out, self.lock = b"", threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()
        self.wait(lambda t: b"Keying material: " in t and b"---\n" in t.split(b"Keying material: ")[-1])
        found = re.search(rb"Keying material: ([0-9A-F]{96})", self.out)
        self.exported = bytes.fromhex(found.group(1).decode()) if found else None
        self.at = len(self.out)

    def read(self):
        while True:
            part = self.p.stdout.read1(65536)
            with self.lock:
                self.out += part
                self.lock.notify()
                if not part:
                    self.p.wait()
                    return

    def wait(self, ready):
        with self.lock:
            self.lock.wait_for(lambda: ready(self.out) or self.p.poll() is not None, 10)

    @property
    def up(self):
        return self.exported is not None and b"Cipher is (NONE)" not in self.out

    def ask(self, method, path, ty=None, body="", origin=DEVICE, content="application/json", more=()):
        lines = [f"{method} {path} HTTP/1.1", f"Host: {MEF}", "X-M2M-RI: 7", "X-M2M-RVI: 3", *more]
        if origin:
            lines.append(f"X-M2M-Origin: {origin}")
        if body:
            lines += [f"Content-Type: {content}" + (f"; ty={ty}" if ty else ""), f"Content-Length: {len(body)}"]
        at = len(self.out)
        try:
            self.p.stdin.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
            self.p.stdin.flush()
        except OSError:  # the session is gone
            pass

        def complete(text):
            head, end, rest = text[text.find(b"HTTP/1.1", at):].partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            return b"HTTP/1.1" in text[at:] and end and length and len(rest) >= int(length.group(1))
        self.wait(complete)
        a = Answer(self.out[max(self.out.find(b"HTTP/1.1", at), 0):])
        a.rsc = int(a.fields.get("x-m2m-rsc", 0))
        return a

    def end(self):
        self.p.kill()
        self.p.wait()


def later(seconds):
    return time.strftime("%Y%m%dT%H%M%S", time.gmtime(time.time() + seconds))


def enrol(lab, ue, cipher="ECDHE-PSK-CHACHA20-POLY1305", suite="ccac"):
    return Session(lab, ue.btid, naf_key(ue, MEF, bytes.fromhex("010001" + suite)), cipher)


def usage_key(ke, suid, fqdn):
    text = b"oneM2M Enrolment Key to Usage-Constrained Symmetric Key derivation"
    return hmac.new(ke, text + suid.encode() + fqdn.encode(), hashlib.sha256).digest()


def test_enrolment(lab):
    ue = lab.bootstrap()
    s = enrol(lab, ue)
    check("PSK session", s.up, s.out[-300:])
    a = s.ask("POST", f"/_/{MEF}/-/", 4, json.dumps({"sec:mefcr": {"et": later(3600), "adfq": "sp.example.org"}}))
    check("registered", a.status == 201 and a.rsc == 2001, a.fields)
    check("RI and RVI", a.fields.get("x-m2m-ri") == "7" and a.fields.get("x-m2m-rvi") == "3", a.fields)
    location = a.fields.get("content-location", "")
    key_id, ke = s.exported[:16].hex().upper() + "@" + MEF, s.exported[16:]
    j = json.loads(lab.ask(fetch_path(key_id)).body)
    check("usage-constrained key of the exported Ke",
          j.get("Credential") == base64.b64encode(usage_key(ke, "22", CSE_FQDN)).decode(), j)
    check("Enrolee-ID", j.get("EnroleeID") == DEVICE, j)
    check("KeID in lower case", lab.ask(fetch_path(key_id.lower())).status == 200)
    check("Ke is not for every target",
          lab.ask(fetch_path(key_id), cert="cse2", origin="//sp.example.org/cse2").status == 403)
    a = s.ask("POST", "/-/", 4, json.dumps({"m2m:mefClientReg": {"et": later(60), "adminFQDN": "sp.example.org"}}))
    check("one registration a stakeholder", a.rsc == 4117, a.fields)
    check("and where it is", a.fields.get("content-location") == location, a.fields)
    check("another's name", s.ask("GET", "/-/", origin=CSE).rsc == 4103)
    check("no originator", s.ask("GET", "/-/", origin=None).rsc == 2000)
    a = s.ask("GET", location)
    check("retrieved", a.rsc == 2000 and json.loads(a.body)["sec:mefcr"]["cr"] == DEVICE, a.body)
    s.end()
    return ue, location, key_id, ke


def test_keys(lab, ue):
    s = enrol(lab, ue, "DHE-PSK-AES128-GCM-SHA256", "00aa")
    check("DHE-PSK", s.up, s.out[-300:])
    reg = {"et": later(3600), "adfq": "sp.example.org", "suid": 22, "tgis": [CSE]}
    a = s.ask("POST", "/-/", 5, json.dumps({"sec:skr": reg}))
    check("key registered", a.rsc == 2001, a.body)
    first = a.fields.get("content-location", "")
    check("one export a session", s.ask("POST", "/-/", 5, json.dumps({"sec:skr": reg})).rsc == 4105)
    given = base64.b64encode(bytes(range(32))).decode()
    a = s.ask("POST", "/-/", 5, f'<x:symmKeyReg xmlns:x="http://www.onem2m.org/technical/xml-schemas"><et>{later(60)}'
              f"</et><adfq>sp.example.org</adfq><suid>22</suid><tgis>{CSE}</tgis><kv>{given}</kv></x:symmKeyReg>",
              content="application/xml")
    check("XML in and out", a.rsc == 2001 and a.body.startswith(b"<?xml"), a.body)
    second = a.fields.get("content-location", "")
    fields = ["X-M2M-RI: 8", "X-M2M-RVI: 3"]
    j = json.loads(lab.ask(first, fields=fields).body).get("sec:skr", {})
    check("exported key for the target", len(base64.b64decode(j.get("kv", ""))) == 32 and j.get("suid") == 22, j)
    j = json.loads(lab.ask(second, fields=fields).body).get("sec:skr", {})
    check("the client's key for the target", j.get("kv") == given and j.get("cr") == DEVICE, j)
    a = lab.ask(first, fields=fields, cert="cse2", origin="//sp.example.org/cse2")
    check("not for another", a.status == 403 and b"kv" not in a.body, a.body)
    check("the source deletes", s.ask("DELETE", second).rsc == 2002)
    check("gone", lab.ask(second, fields=fields).status == 404)
    a = s.ask("POST", "/-/", 5, json.dumps({"sec:skr": dict(reg, tgis=["//sp.example.org/cse2"])}))
    check("target not allowed", a.rsc == 4103, a.body)
    check("not JSON", s.ask("POST", "/-/", 4, "{").rsc == 4000)
    check("content type", s.ask("POST", "/-/", 4, "{}", content="text/plain").rsc == 4015)
    check("unknown type", s.ask("POST", "/-/", 99, "{}").rsc == 4108)
    check("not allowed", s.ask("DELETE", "/-/").rsc == 4005)
    s.end()
    s = enrol(lab, ue, "DHE-PSK-AES128-GCM-SHA256", "00aa")
    third = s.ask("POST", "/-/", 5, json.dumps({"sec:skr": reg})).fields.get("content-location", "")
    check("another session, another key", third not in ("", first), third)
    check("... deleted, it is spent all the same", s.ask("DELETE", third).rsc == 2002 and
          s.ask("POST", "/-/", 5, json.dumps({"sec:skr": reg})).rsc == 4105)
    s.end()
    return first


def test_handshakes(lab):
    ue = lab.bootstrap()
    key = naf_key(ue, MEF, bytes.fromhex("010001ccac"))
    wrong = bytes(31) + b"\1"
    unknown = base64.b64encode(b"\1" * 16).decode() + "@" + NAME
    rows = [
        ("with prefix", ("3GPP-bootstrapping;" + ue.btid, key), {}, True),
        ("wrong key", (ue.btid, wrong), {}, False),
        ("key of another suite", (ue.btid, naf_key(ue, MEF, UA_00AE)), {}, False),
        ("unknown B-TID", (unknown, key), {}, False),
        ("no B-TID", ("joe", key), {}, False),
        ("PSK without forward secrecy", (ue.btid, naf_key(ue, MEF, UA_00AE)),
         {"cipher": "PSK-AES128-CBC-SHA256"}, False),
        ("TLS 1.3", (ue.btid, naf_key(ue, MEF, bytes.fromhex("0100000007"))), {"version": "-tls1_3"}, False),
        ("certificates", (ue.btid, key), {"cipher": "ECDHE-ECDSA-AES128-GCM-SHA256"}, False),
    ]
    for what, args, kw, up in rows:
        s = Session(lab, *args, **kw)
        works = s.up and s.ask("GET", "/-/").rsc == 2000
        check(f"{what}: {'works' if up else 'refused'}", works == up, s.out[-200:])
        s.end()
    write(f"{lab.dir}/no_ems.cnf", "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n"
          "[c]\nOptions = -ExtendedMasterSecret\n")
    s = Session(lab, ue.btid, key, conf=f"{lab.dir}/no_ems.cnf")
    a = s.ask("GET", "/-/")
    check("no extended master secret: refused", b"Extended master secret: no" in s.out and a.status == 403,
          (a.status, s.out[-400:]))
    check("in the form of the binding", a.rsc == 4106 and a.fields.get("x-m2m-ri") == "7" and b"m2m:dbg" in a.body,
          (a.fields, a.body))
    s.end()
    s = enrol(lab, ue)
    check("no session ticket", b"session ticket" not in s.out)
    s.end()


def test_front_refusals(lab):
    """What the front refuses has the form of the binding: a status code, the request's identifier, a reason."""
    s = enrol(lab, lab.bootstrap())
    xml, long = "application/xml", "{" + " " * 17000
    rows = [  # what, request, status, RSC, identifier, type, reason
        ("origin twice", ("GET", "/-/"), dict(more=[f"X-M2M-Origin: {DEVICE}"]), 400, 4000, "7", "X-M2M-Origin: repeated"),
        ("identifier twice", ("GET", "/-/"), dict(more=["X-M2M-RI: 8"]), 400, 4000, None, "X-M2M-RI: repeated"),
        ("release twice, XML", ("GET", "/-/"), dict(more=["x-m2m-rvi: 3", f"Accept: {xml}"]), 400, 4000, "7",
         "X-M2M-RVI: repeated"),
        ("too large", ("POST", "/-/", 4, long), {}, 413, 4000, "7", "body too large"),
        ("too large, XML", ("POST", "/-/", 4, long), dict(content=xml), 413, 4000, "7", "body too large"),
        ("no method of it", ("PATCH", "/-/", 4, "{}"), {}, 405, 4005, "7", "no method of this binding"),
        ("another type", ("POST", "/-/", 4, "{}"), dict(content="text/plain"), 415, 4015, "7", "Content-Type: "),
        ("another Accept", ("GET", "/-/"), dict(more=["Accept: text/html"]), 406, 5207, "7", "Accept: "),
        ("no content", ("PUT", "/-/x"), dict(more=["Content-Type: application/json"]), 400, 4000, "7", "no content"),
        ("no content, XML", ("PUT", "/-/x"), dict(more=[f"Content-Type: {xml}"]), 400, 4000, "7", "no content"),
        ("bad path", ("GET", "/-/a%2fb"), {}, 400, 4000, "7", "bad path"),
        ("rcn", ("GET", "/-/?rcn=x"), {}, 400, 4000, "7", "bad or repeated rcn"),
        ("later", ("GET", "/-/?rt=1"), {}, 501, 5206, "7", "only blocking requests"),
        ("no FQDN", ("GET", "/_//-/"), {}, 404, 4004, "7", "not of this function"),
    ]
    for what, args, kw, status, rsc, ri, why in rows:
        a = s.ask(*args, **kw)
        in_xml = xml in str(kw)
        check(f"{what}: {status}, {rsc}", a.status == status and a.rsc == rsc, (a.status, a.rsc, a.body))
        check(f"{what}: identifier", a.fields.get("x-m2m-ri") == ri, a.fields)
        check(f"{what}: form", a.fields.get("content-type") == (xml if in_xml else "application/json"), a.fields)
        text = ElementTree.fromstring(a.body).text if in_xml else json.loads(a.body)["m2m:dbg"]
        check(f"{what}: reason", text.startswith(why), a.body)
    a = s.ask("GET", "/-/")
    check("and still serves", a.rsc == 2000 and json.loads(a.body)["sec:mefb"].get("dcu") == f"3:coaps://{MEF}:5684", a.body)
    a = s.ask("GET", "/elsewhere", more=["X-M2M-RI: 8"])
    check("elsewhere it is plain", a.status == 400 and a.rsc == 0 and
          a.fields["content-type"] == "application/problem+json", (a.status, a.fields))
    s.end()


# ---- the daemon ------------------------------------------------------------------------------

def test_restart(lab, location, key_id, ke, first):
    check("SIGTERM: 0", lab.mefd.end() == 0, lab.mefd.text()[-300:])
    lab.mefd.start()
    want = base64.b64encode(usage_key(ke, "22", CSE_FQDN)).decode()
    check("Ke survives", json.loads(lab.ask(fetch_path(key_id)).body).get("Credential") == want)
    lab.mefd.end(signal.SIGKILL)
    lab.mefd.start()
    check("also kill -9", json.loads(lab.ask(fetch_path(key_id)).body).get("Credential") == want)
    check("keys survive", lab.ask(first, fields=["X-M2M-RI: 8", "X-M2M-RVI: 3"]).status == 200)
    s = enrol(lab, lab.bootstrap())
    check("registrations survive", s.ask("GET", location).rsc == 2000)
    check("de-registered", s.ask("DELETE", location).rsc == 2002)
    s.end()
    check("Ke gone", lab.ask(fetch_path(key_id)).status == 404)
    check("keys gone", lab.ask(first, fields=["X-M2M-RI: 8", "X-M2M-RVI: 3"]).status == 404)
    for f in ("mefd.db", "mefd.master"):
        check(f"{f}: 0600", os.stat(f"{lab.dir}/{f}").st_mode & 0o777 == 0o600)


# ---- the registrar ---------------------------------------------------------------------------

def openssl_says(address, identity, key, *more):
    r = subprocess.run(["openssl", "s_client", "-connect", "%s:%d" % address, "-tls1_2", "-psk", key.hex(),
                        "-psk_identity", identity, "-quiet", "-nocommands", *more], capture_output=True, timeout=30,
                       input=b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    return r.stdout


def gnutls_says(address, identity, key):
    r = subprocess.run(["gnutls-cli", "--pskusername", identity, "--pskkey", key.hex(), "--priority",
                        "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+PSK:+SHA256", "-p", str(address[1]), address[0]],
                       capture_output=True, timeout=30, input=b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    return r.stdout


def test_registrar(lab):
    """Both sources of a target's key, with clients of two other TLS libraries."""
    asks_bsf = f'zn: [{{domain: {NAME}, ca: ca.pem, url: "https://localhost:{lab.bsfd.address("zn")[1]}' \
        '/bsf/requestBootstrappingInfo"}]\n'
    ue = lab.bootstrap()
    key = naf_key(ue, CSE_FQDN, UA_00AE)
    s = enrol(lab, ue)
    s.ask("POST", "/-/", 4, json.dumps({"sec:mefcr": {"et": later(3600), "adfq": "r.example.org"}}))
    s.end()
    key_id, usage = s.exported[:16].hex().upper() + "@" + MEF, usage_key(s.exported[16:], "22", CSE_FQDN)
    for name, source, rows in (("byzn", asks_bsf, [(ue.btid, key)]),
                               ("bymef", lab.asks_mef(), [(ue.btid, key), (key_id, usage)])):
        registrar = lab.start_registrar(source, name)
        at = registrar.address("registrar")
        for identity, psk in rows:
            check(f"{name}: openssl", b"accepted" in openssl_says(at, identity, psk), identity)
            if shutil.which("gnutls-cli"):
                check(f"{name}: gnutls-cli", b"accepted" in gnutls_says(at, identity, psk), identity)
            check(f"{name}: wrong key", b"accepted" not in openssl_says(at, identity, bytes(31) + b"\1"))
            check(f"{name}: another suite",
                  b"accepted" not in openssl_says(at, identity, psk, "-cipher", "PSK-AES128-GCM-SHA256"))
        check(f"{name}: unknown identity", b"accepted" not in openssl_says(at, "nobody@" + MEF, key))
        check(f"{name}: a prefix is not oneM2M's",
              b"accepted" not in openssl_says(at, "3GPP-bootstrapping;" + ue.btid, key))
        check(f"{name}: ends with 0", registrar.end() == 0)


def test_health(lab):
    a = exchange(lab.mefd.address("metrics"), b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    check("health", a.status == 200 and json.loads(a.body).get("database") == "ok", a.body)
    a = exchange(lab.mefd.address("metrics"), b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    check("metrics", b'mefd_fetches_total{result="ok"}' in a.body, a.body[:200])


def test_bsf_away(lab):
    known, late = lab.bootstrap(), lab.bootstrap()
    check("asked once", lab.ask(fetch_path(known.btid)).status == 200)
    lab.bsfd.end()
    check("a known key needs no BSF", lab.ask(fetch_path(known.btid)).status == 200)
    a = lab.ask(fetch_path(late.btid))
    check("a new one does", a.status == 503 and "retry-after" in a.fields and
          json.loads(a.body).get("Status") is False, (a.status, a.fields))
    lab.bsfd.start()


def test_options(lab):
    check("the log tells each target's Ua id", f"mef.target id={CSE} ua=01000100ae" in lab.mefd.text(),
          lab.mefd.text()[:500])
    names = json.loads(run(MEFD, "--print-names").stdout)
    check("print-names", {r["long"] for r in names["resources"]} >= {"MEFBase", "mefClientReg", "symmKeyReg"}, names)
    check("check-config", run(MEFD, "--config", f"{lab.dir}/mefd.yaml", "--check-config").returncode == 0)
    text = open(f"{lab.dir}/mefd.yaml").read()
    for what, old, new in (("no such file", "server.pem", "nothing.pem"),
                           ("a target that is an AE", f"id: {CSE}}}", f"id: {CSE}/Cx}}"),
                           ("21 and 22", '["22"]', '["21", "22"]'),
                           ("unknown target", f"targets: [{CSE}]", "targets: [/cse9]"),
                           ("deviceConfigURI of another host", f"3:coaps://{MEF}", "3:coaps://example.org"),
                           ("deviceConfigURI without a number", "3:coaps", "coaps"),
                           ("unknown option", "database", "datenbank"), ("range", "sp: sp", "connections: 0\nsp: sp")):
        write(f"{lab.dir}/bad.yaml", text.replace(old, new))
        r = run(MEFD, "--config", f"{lab.dir}/bad.yaml", "--check-config")
        check(f"{what}: 78", r.returncode == 78 and r.stderr, (r.returncode, r.stderr))


def test_name(lab):
    """A certificate without the MEF's name: devices will refuse it, and the operator learns it first."""
    text, bad = open(f"{lab.dir}/mefd.yaml").read(), f"{lab.dir}/bad.yaml"
    make_cert(lab.dir, "ca", "mef2", "DNS:mef2.example.net")
    make_cert(lab.dir, "ca", "near", f"URI:https://{MEF},DNS:*.example.org,DNS:{MEF}.example.org,IP:127.0.0.1")
    for name in ("mef2", "near"):
        os.chmod(f"{lab.dir}/{name}.key", 0o600)
    text = text.replace("database: mefd.db", "database: other.db").replace("mefd.master", "other.master")
    text = re.sub("device_config_uri: .*\n", "", text)
    tls = "certificate: server.pem, key: server.key"
    coap = "coap: {{listen: 127.0.0.1:0, certificates: true, certificate: {0}.pem, key: {0}.key}}\ndatabase"
    rows = [("another's", tls, tls.replace("server", "mef2"), "mef2.pem"),
            ("similar", tls, tls.replace("server", "near"), "near.pem"),
            ("another FQDN", f"fqdn: {MEF}\n", "fqdn: mef2.example.org\n", "server.pem"),
            ("over CoAP", "database", coap.format("near"), "near.pem"),
            ("the FQDN in capitals", f"fqdn: {MEF}\n", f"fqdn: {MEF.upper()}\n", None)]
    for what, old, new, file in rows:
        check(f"{what}: is in it", text.count(old) >= 1)
        write(bad, text.replace(old, new, 1), 0o600)
        r = run(MEFD, "--config", bad, "--check-config")
        warned = re.search(r" warning mef\.certificate file=\S*/(\S+) no_dns_name=mef2?\.example\.org ", r.stderr)
        check(f"{what}: warned of", (warned.group(1) if warned else None) == file, r.stderr)
        check(f"{what}: 0 all the same", r.returncode == 0, r.stderr)


def main():
    lab = Lab()
    try:
        test_gba_record(lab)
        test_fetch_refusals(lab)
        ue, location, key_id, ke = test_enrolment(lab)
        first = test_keys(lab, ue)
        test_handshakes(lab)
        test_front_refusals(lab)
        test_restart(lab, location, key_id, ke, first)
        test_options(lab)
        test_name(lab)
        test_registrar(lab)
        test_health(lab)
        test_bsf_away(lab)
    finally:
        codes, text = lab.end()
    check("daemons end with 0", codes == [0, 0], codes)
    check("no key in the log", base64.b64encode(ke).decode() not in text and ke.hex() not in text.lower())
    if not shutil.which("gnutls-cli"):
        print("SKIP gnutls-cli at the registrar: gnutls-bin is not installed")
    return summary(0 if shutil.which("gnutls-cli") else 1)


if __name__ == "__main__":
    sys.exit(main())
