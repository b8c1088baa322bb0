#!/usr/bin/env python3
"""mefd over CoAP and DTLS: registration, keys and refusals by clients that share no code with it: coap.py over
tests/e2e/dtls_peer, openssl s_client (also as oracle of the exporter), and libcoap's coap-client.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
from bsf_lab import NAME, Answer, check, exchange, make_ca, make_cert, run, summary, write  # noqa: E402
from coap import (ACCEPT, ACK, BLOCK1, BLOCK2, BUILD, CONTENT_FORMAT, DELETE, FR, GET, JSON, MAX_AGE, NON, POST, PUT,  # noqa: E402
                  RQI, RST, RVI, SIZE1, SIZE2, TY, URI_PATH, URI_QUERY, XML, Message, Peer, SClient, primitive, uint)
from mefd import CSE, CSE_FQDN, DEVICE, MEF, MEFD, Daemon, later, usage_key  # noqa: E402

KPM_ID, KPM = f"device1@{MEF}", b"0123456789abcdef"
OTHER_ID, OTHER_KPM = f"device2@{MEF}", bytes(range(32))
OTHER = "//sp.example.org/cse1/Cother"
BASE = ["-", ""]

MEFD_YAML = """
fqdn: {mef}
sp: sp.example.org
listen: 127.0.0.1:0
tls: {{certificate: server.pem, key: server.key, client_ca: ca.pem}}
zn:
  certificate: server.pem
  key: server.key
  bsfs: [{{domain: bsf.example.org, url: "https://localhost:9/", ca: ca.pem}}]
coap:
  listen: ["127.0.0.1:0", "[::1]:0"]
  certificates: {certificates}
  unknown_identity_alert: {alert}
est: {{ca: lab, folder: mefd.ca}}
database: mefd.db
master_key: mefd.master
targets:
  - {{id: {cse}, suids: ["22", "24"]}}
  - {{id: //sp.example.org/cse2}}
enrolees:
  - {{id: {device}, kpm_id: {kpm_id}, kpm: {kpm}, certificates: ["uri:{device}"], public_keys: ["{raw}"], targets: [{cse}]}}
  - {{id: {other}, kpm_id: {other_id}, kpm: {other_kpm}, targets: [{cse}]}}
metrics: 127.0.0.1:0
"""


def make_raw(folder, name):
    """A raw key pair; the digest by which the other end knows it."""
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{folder}/{name}.key")
    run("openssl", "ec", "-in", f"{folder}/{name}.key", "-pubout", "-out", f"{folder}/{name}.pub")
    der = subprocess.run(["openssl", "ec", "-in", f"{folder}/{name}.key", "-pubout", "-outform", "DER"],
                         capture_output=True, check=True).stdout
    return hashlib.sha256(der).hexdigest()


class Lab:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="mefd-coap.")
        make_ca(self.dir, "ca")
        make_ca(self.dir, "other_ca")
        make_cert(self.dir, "ca", "server", f"DNS:{NAME},DNS:{MEF},DNS:localhost,IP:127.0.0.1,IP:::1")
        make_cert(self.dir, "ca", "cse1", f"DNS:{CSE_FQDN}")
        make_cert(self.dir, "ca", "cse2", "DNS:cse2.sp.example.org")
        make_cert(self.dir, "ca", "device", f"URI:{DEVICE}")
        make_cert(self.dir, "ca", "stranger", "DNS:stranger.example.org,URI://sp.example.org/cse1/Cnobody")
        make_cert(self.dir, "other_ca", "rogue", f"URI:{DEVICE}")
        raw = make_raw(self.dir, "raw")
        make_raw(self.dir, "unknown")
        for f in os.listdir(self.dir):
            if f.endswith(".key"):
                os.chmod(f"{self.dir}/{f}", 0o600)
        for name, certificates, alert in (("mefd", "true", "false"), ("plain", "false", "true")):
            text = MEFD_YAML.format(mef=MEF, cse=CSE, device=DEVICE, other=OTHER, kpm_id=KPM_ID, kpm=KPM.hex(),
                                    other_id=OTHER_ID, other_kpm=OTHER_KPM.hex(), raw=raw, certificates=certificates,
                                    alert=alert)
            write(f"{self.dir}/{name}.yaml", text.replace("mefd.", f"{name}."), 0o600)
        self.mefd = Daemon(self.dir, MEFD, "mefd")

    def address(self, i=0):
        return self.mefd.ports["coap"][i]

    def peer(self, identity=KPM_ID, key=KPM, i=0, **kw):
        identity = identity if isinstance(identity, bytes) else identity.encode()
        return Peer(self.address(i), identity=identity.hex(), key=key.hex(), **kw)

    def with_cert(self, name, **kw):
        return Peer(self.address(), priority="c0ae", cert=f"{self.dir}/{name}.pem", cert_key=f"{self.dir}/{name}.key",
                    patience=3000, **kw)

    def https(self, target, cert="cse1", origin=CSE):
        context = ssl.create_default_context(cafile=f"{self.dir}/ca.pem")
        context.load_cert_chain(f"{self.dir}/{cert}.pem", f"{self.dir}/{cert}.key")
        host, port = self.mefd.ports["mef"][0].rsplit(":", 1)
        lines = [f"GET {target} HTTP/1.1", f"Host: {MEF}", "Connection: close", f"X-M2M-Origin: {origin}", "X-M2M-RI: 1"]
        try:
            return exchange((host, int(port)), ("\r\n".join(lines) + "\r\n\r\n").encode(), context)
        except (ssl.SSLError, ConnectionError):
            return Answer(b"")

    def page(self, path):
        host, port = self.mefd.ports["metrics"][0].rsplit(":", 1)
        return exchange((host, int(port)), f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()).body

    def end(self):
        code, text = self.mefd.end(), self.mefd.text()
        shutil.rmtree(self.dir)
        return code, text


def registration(admin="sp.example.org", seconds=3600, **more):
    return json.dumps({"sec:mefcr": dict(more, et=later(seconds), adfq=admin)}).encode()


def key_registration(suid=22, targets=(CSE,), admin="sp.example.org", **more):
    return json.dumps({"sec:skr": dict(more, et=later(3600), adfq=admin, suid=suid, tgis=list(targets))}).encode()


# ---- procedures ------------------------------------------------------------------------------

def test_registration(lab):
    p = lab.peer()
    check("C0A8", p.up and p.suite == "c0a8", p.said)
    a = p.ask(POST, ["_", MEF, "-", ""], 4, registration(), fr=DEVICE)
    check("created", a.status == "2.01" and a.rsc == 2001 and a.kind == ACK, (a.status, a.payload))
    check("identifiers", a.one(RQI) == b"7" and a.one(RVI) == b"3", a.options)
    check("not to be cached", a.number(MAX_AGE) == 0, a.options)
    check("format", a.number(CONTENT_FORMAT) == JSON and json.loads(a.payload)["sec:mefcr"]["cr"] == DEVICE, a.payload)
    check("where it is", a.location[:3] == ["_", MEF, "-"] and len(a.location) == 4, a.location)
    at = a.location
    key_id, ke = p.bootstrap[:16].hex().upper() + "@" + MEF, p.bootstrap[16:]
    j = json.loads(lab.https(f"/fetchCredentials/{key_id.replace('@', '%40')}/22").body or b"{}")
    check("the Ke that the session exports", j.get("Credential") ==
          base64.b64encode(usage_key(ke, "22", CSE_FQDN)).decode() and j.get("EnroleeID") == DEVICE, j)
    a = p.ask(POST, BASE, 4, registration(), fr=DEVICE)
    check("one a stakeholder", a.status == "4.03" and a.rsc == 4117 and a.location == at, (a.status, a.rsc))
    a = p.ask(GET, at, fr=DEVICE, more=[(ACCEPT, uint(XML))])
    check("retrieved as XML", a.status == "2.05" and a.rsc == 2000 and a.payload.startswith(b"<?xml") and
          a.number(CONTENT_FORMAT) == XML, a.payload)
    a = p.ask(GET, at[2:], fr=DEVICE, more=[(ACCEPT, uint(10001))])
    check("in the format of oneM2M", a.number(CONTENT_FORMAT) == 10001, a.options)
    a = p.ask(PUT, at, body=json.dumps({"sec:mefcr": {"lbl": ["a", "b"]}}).encode(), fr=DEVICE)
    check("updated", a.status == "2.04" and a.rsc == 2004 and b'"lbl":["a","b"]' in a.payload, a.payload)
    a = p.ask(GET, at + ["cmd"], fr=DEVICE)
    check("command", a.rsc == 2000 and b"mefcc" in a.payload, a.payload)
    a = p.ask(GET, at, fr=DEVICE, more=[(URI_QUERY, b"rcn=0")])
    check("rcn=0", a.status == "2.05" and not a.payload and a.number(CONTENT_FORMAT) is None, a.options)
    a = p.ask(GET, at, kind=NON)
    check("unconfirmable, no originator", a.kind == NON and a.rsc == 2000, (a.kind, a.rsc))
    check("another's name", p.ask(GET, at, fr=OTHER).rsc == 4103)
    q = lab.peer(OTHER_ID, OTHER_KPM, i=1)
    check("IPv6", q.up, q.said)
    check("another's registration", q.ask(GET, at, fr=OTHER).rsc == 4103)
    check("another cannot delete it", q.ask(DELETE, at, fr=OTHER).rsc == 4103)
    q.end()
    a = p.ask(DELETE, at, fr=DEVICE)
    check("deleted", a.status == "2.02" and a.rsc == 2002, (a.status, a.rsc))
    check("gone", p.ask(GET, at, fr=DEVICE).status == "4.04")
    check("Ke gone", lab.https(f"/fetchCredentials/{key_id.replace('@', '%40')}/22").status == 404)
    check("ends well", p.end() == 0)


def test_keys(lab):
    p = lab.peer()
    check("registered", p.ask(POST, BASE, 4, registration(), fr=DEVICE).rsc == 2001)
    a = p.ask(POST, BASE, 5, key_registration(), fr=DEVICE)
    check("key registered", a.rsc == 2001 and b'"kv"' not in a.payload, a.payload)
    at = a.location
    check("RelativeKeyID is of the exporter", at[-1] == p.connection[:16].hex().upper(), at)
    check("one export a session", p.ask(POST, BASE, 5, key_registration(), fr=DEVICE).rsc == 4105)
    a = p.ask(GET, at, fr=DEVICE)
    check("not for its source", a.status == "4.03" and b"kv" not in a.payload, a.payload)
    t = lab.with_cert("cse1")
    a = t.ask(GET, at, fr=CSE)
    want = base64.b64encode(p.connection[16:]).decode()
    check("for its target", a.rsc == 2000 and json.loads(a.payload)["sec:skr"]["kv"] == want, a.payload)
    j = json.loads(lab.https("/" + "/".join(at)).body or b"{}").get("sec:skr", {})
    check("the same over HTTPS", j.get("kv") == want, j)
    check("a target registers no key", t.ask(POST, BASE, 5, key_registration(), fr=CSE).rsc == 4103)
    t.end()
    t = lab.with_cert("cse2")
    a = t.ask(GET, at, fr="//sp.example.org/cse2")
    check("not for another target", a.status == "4.03" and a.rsc == 4103 and b"kv" not in a.payload, a.payload)
    t.end()
    check("not for a target of others",
          p.ask(POST, BASE, 5, key_registration(targets=["//sp.example.org/cse2"]), fr=DEVICE).rsc == 4103)
    check("deleted", p.ask(DELETE, at, fr=DEVICE).rsc == 2002)
    p.end()


def test_refusals(lab):
    p = lab.peer()
    body = registration("refusals.example.org")
    options = primitive(BASE, 4, body, DEVICE, JSON, "7", "3")

    def with_(*more, drop=()):
        return [o for o in options if o[0] not in drop] + list(more)
    rows = [  # what, code, options, payload, status, RSC
        ("critical, unknown", POST, with_((65001, b"")), body, "4.02", 4000),
        ("critical, of RFC 7252 but not ours", POST, with_((1, b"x")), body, "4.02", 4000),
        ("elective, unknown", GET, [(65000, b"x" * 40)] + primitive(BASE, None, b"", DEVICE, None, "7", "3"), b"",
         "2.05", 2000),
        ("RQI twice", POST, with_((RQI, b"8")), body, "4.02", 4000),
        ("FR twice", POST, with_((FR, DEVICE.encode())), body, "4.02", 4000),
        ("TY twice", POST, with_((TY, b"\4")), body, "4.02", 4000),
        ("format twice", POST, with_((CONTENT_FORMAT, b"2")), body, "4.02", 4000),
        ("TY of three octets", POST, with_((TY, b"\0\0\4"), drop=[TY]), body, "4.02", 4000),
        ("TY with a zero before", POST, with_((TY, b"\0\x63"), drop=[TY]), body, "4.03", 4108),
        ("FR of 256 octets", POST, with_((FR, b"a" * 256), drop=[FR]), body, "4.02", 4000),
        ("RVI of three", POST, with_((RVI, b"2.0"), drop=[RVI]), body, "4.02", 4000),
        ("a proxy", GET, with_((35, b"coap://example.org/x"), drop=[TY, CONTENT_FORMAT]), b"", "5.05", 5001),
        ("NUL in FR", POST, with_((FR, DEVICE.encode() + b"\0"), drop=[FR]), body, "4.00", 4000),
        ("no RQI", POST, with_(drop=[RQI]), body, "4.00", 4000),
        ("empty RQI", POST, with_((RQI, b""), drop=[RQI]), body, "4.00", 4000),
        ("RQI of 128", POST, with_((RQI, b"1" * 128), drop=[RQI]), body, "4.00", 4000),
        ("release 1", POST, with_((RVI, b"1"), drop=[RVI]), body, "5.01", 4001),
        ("CBOR", POST, with_((CONTENT_FORMAT, b"\x3c"), drop=[CONTENT_FORMAT]), body, "4.15", 4015),
        ("no format", POST, with_(drop=[CONTENT_FORMAT]), body, "4.15", 4015),
        ("accept CBOR", POST, with_((ACCEPT, b"\x3c")), body, "4.06", 5207),
        ("no such type", POST, with_((TY, b"\x63"), drop=[TY]), body, "4.03", 4108),
        ("no body", POST, options, b"", "4.00", 4000),
        ("not JSON", POST, options, b"{", "4.00", 4000),
        ("not this resource", POST, options, b'{"sec:skr":{}}', "4.00", 4000),
        ("attribute missing", POST, options, b'{"sec:mefcr":{"adfq":"x.org"}}', "4.00", 4000),
        ("attribute unknown", POST, options, body.replace(b"adfq", b"adqf"), "4.00", 4000),
        ("FETCH", 5, options, body, "4.05", 4005),
        ("DELETE of the base", DELETE, with_(drop=[TY, CONTENT_FORMAT]), b"", "4.05", 4005),
        ("no path", GET, with_(drop=[TY, CONTENT_FORMAT, URI_PATH]), b"", "4.04", 4004),
        ("a path of others", GET, with_((URI_PATH, b".well-known"), (URI_PATH, b"core"),
                                        drop=[TY, CONTENT_FORMAT, URI_PATH]), b"", "4.04", 4004),
        ("slash in a segment", GET, with_((URI_PATH, b"a/b"), drop=[TY, CONTENT_FORMAT]), b"", "4.00", 4000),
        ("another MEF", GET, with_(*[(URI_PATH, s) for s in (b"_", b"mef.example.net", b"-")],
                                   drop=[TY, CONTENT_FORMAT, URI_PATH]), b"", "4.04", 4004),
        ("fetchCredentials", GET, with_(*[(URI_PATH, s) for s in (b"fetchCredentials", b"0@x", b"22")],
                                        drop=[TY, CONTENT_FORMAT, URI_PATH]), b"", "4.04", 4004),
        ("rcn=10", POST, with_((URI_QUERY, b"rcn=10")), body, "4.00", 4000),
        ("rcn twice", POST, with_((URI_QUERY, b"rcn=1"), (URI_QUERY, b"rcn=1")), body, "4.00", 4000),
        ("later", POST, with_((URI_QUERY, b"rt=2")), body, "5.01", 5206),
        ("operation against the method", GET, with_((URI_QUERY, b"op=4"), drop=[TY, CONTENT_FORMAT]), b"", "4.00", 4000),
        ("no such operation", POST, with_((URI_QUERY, b"op=9")), body, "4.05", 4005),
        ("41 options", GET, options + [(65000, b"")] * 40, b"", "4.00", None),
    ]
    for what, code, opts, payload, status, rsc in rows:
        p.mid += 1
        a = p.exchange(Message(code, opts, payload, mid=p.mid))
        check(f"{what}: {status}", a.status == status and a.rsc == rsc, (a.status, a.rsc, a.payload))
        if rsc is not None and rsc >= 4000:
            check(f"{what}: its own identifier", a.one(RQI) == (None if "RQI" in what else b"7"), a.options)
            check(f"{what}: its reason", len(json.loads(a.payload)["m2m:dbg"]) > 5, a.payload)
    for octets, answer in ((b"\x40\0\x12\x34", bytes.fromhex("70001234")), (b"\x4f\1\x12\x34", bytes.fromhex("70001234")),
                           (b"\x40\1\x12\x34\xff", bytes.fromhex("70001234")), (b"\x50\1\x12\x34\xff", None),
                           (b"\x40\x45\x12\x34", bytes.fromhex("70001234")), (b"", None), (b"\0", None)):
        if octets:
            check(f"{octets.hex()}", p.raw(octets) == answer)
    check("and still serves", p.ask(GET, BASE, fr=DEVICE).rsc == 2000)
    p.end()


def test_blocks(lab):
    p = lab.peer(OTHER_ID, OTHER_KPM)
    labels = [f"{i:02}" + "x" * 126 for i in range(16)]
    body = registration("blocks.example.org", lbl=labels)
    a = p.send_large(POST, BASE, 4, body, fr=OTHER)
    check("created in blocks", a.status == "2.01" and a.rsc == 2001 and a.number(BLOCK1) == 0x26, (a.status, a.options))
    check("answered in blocks", a.number(BLOCK2) == 0x0e and a.number(SIZE2) > 2048, a.options)
    whole, at = a.payload, a.location
    for n in range(1, 3):
        a = p.ask(POST, BASE, 4, b"x", fr=OTHER, more=[(BLOCK2, uint(n << 4 | 6))])
        check(f"block {n}", a.status == "2.01" and a.rsc == 2001, (a.status, a.options))
        whole += a.payload
    check("the whole of it", json.loads(whole)["sec:mefcr"]["lbl"] == labels, whole)
    whole, n, more = b"", 0, True
    while more and n < 100:
        a = p.ask(GET, at, fr=OTHER, more=[(BLOCK2, uint(n << 4 | 1))])
        whole, n, more = whole + a.payload, n + 1, bool((a.number(BLOCK2) or 0) & 8)
    check("retrieved in blocks of 32", json.loads(whole)["sec:mefcr"]["lbl"] == labels, whole)
    check("only once", p.send_large(POST, BASE, 4, body, szx=2, fr=OTHER).rsc == 4117)
    a = p.send_large(PUT, at, None, json.dumps({"sec:mefcr": {"lbl": labels}}).encode() + b" " * 13000, fr=OTHER)
    check("16 KiB less a little", a.rsc == 2004, (a.status, a.payload))
    a = p.send_large(PUT, at, None, b" " * 17000, fr=OTHER)
    check("more than 16 KiB", a.status == "4.13" and a.number(SIZE1) == 16384, (a.status, a.options))
    check("with its reason", a.rsc == 4000 and json.loads(a.payload) == {"m2m:dbg": "body too large"}, (a.rsc, a.payload))
    a = p.ask(PUT, at, body=b" " * 16, fr=OTHER, more=[(BLOCK1, b"\x08"), (SIZE1, uint(16385))])
    check("said to be more", a.status == "4.13", a.status)
    a = p.ask(PUT, at, body=b" " * 16, fr=OTHER, more=[(BLOCK1, b"\x10")])
    check("a block out of nothing", a.status == "4.08" and a.rsc == 4000, (a.status, a.rsc))
    a = p.ask(PUT, at, body=b" " * 16, fr=OTHER, more=[(BLOCK1, b"\x0f")])
    check("reserved size", a.status == "4.00", a.status)
    check("deleted", p.ask(DELETE, at, fr=OTHER).rsc == 2002)
    p.end()


def test_repeated(lab):
    p = lab.peer(OTHER_ID, OTHER_KPM)
    body = registration("again.example.org")
    m = Message(POST, primitive(BASE, 4, body, OTHER, JSON, "9", "3"), body, mid=4711, token=b"tok")
    lines = lab.mefd.text().count("mef.primitive")
    first, second = p.raw(m.print()), p.raw(m.print())
    a = Message.read(first)
    check("created", a.rsc == 2001 and a.token == b"tok" and a.mid == 4711, a.options)
    check("the same octets again", first == second, second)
    check("done once", lab.mefd.text().count("mef.primitive") == lines + 1)
    check("and it is there", p.ask(GET, a.location, fr=OTHER).rsc == 2000)
    m.mid = 4712
    check("with another id it is another", p.exchange(m).rsc == 4117)
    check("deleted", p.ask(DELETE, a.location, fr=OTHER).rsc == 2002)
    m.mid = 4711
    check("and still the same", p.raw(m.print()) == first)
    check("nothing came of it", p.ask(GET, a.location, fr=OTHER).rsc == 4004)
    p.end()


# ---- handshakes ------------------------------------------------------------------------------

def test_handshakes(lab):
    ok = lab.peer()
    check("of all priorities it is C0A8", ok.up)
    ok.end()
    common = "NONE:+COMP-NULL:+SIGN-ALL:+GROUP-ALL:+MAC-ALL"
    rows = [
        ("NORMAL with PSK", {"priority": "NORMAL:+PSK:+ECDHE-PSK:+DHE-PSK:+AES-128-CCM-8"}, True),
        ("wrong key", {"key": b"0123456789abcdeX"}, False),
        ("key cut short", {"key": KPM[:15]}, False),
        ("unknown identity", {"identity": f"nobody@{MEF}"}, False),
        ("identity cut short", {"identity": KPM_ID[:-1]}, False),
        ("identity that goes on", {"identity": KPM_ID + "x"}, False),
        ("identity that goes on behind a NUL", {"identity": KPM_ID.encode() + b"\0x"}, False),
        ("identity that begins with NUL", {"identity": b"\0" + KPM_ID.encode()}, False),
        ("another's identity", {"identity": OTHER_ID}, False),
        ("identity of 513", {"identity": b"a" * 513}, False),
        ("identity of 3000", {"identity": b"a" * 3000}, False),
        ("no extended master secret", {"priority": common + ":+VERS-DTLS1.2:+PSK:+AES-128-CCM-8:%NO_SESSION_HASH"}, False),
        ("DTLS 1.0", {"priority": common + ":+VERS-DTLS1.0:+PSK:+AES-128-CBC"}, False),
        ("CBC", {"priority": common + ":+VERS-DTLS1.2:+PSK:+AES-128-CBC"}, False),
        ("GCM", {"priority": common + ":+VERS-DTLS1.2:+PSK:+AES-128-GCM"}, False),
        ("CCM with a whole tag", {"priority": common + ":+VERS-DTLS1.2:+PSK:+AES-128-CCM"}, False),
        ("ECDHE-PSK", {"priority": common + ":+VERS-DTLS1.2:+ECDHE-PSK:+AES-128-CBC"}, False),
    ]
    for what, kw, up in rows:
        p = lab.peer(patience=1500, **kw)
        works = p.up and p.ask(GET, BASE, fr=DEVICE).rsc == 2000
        check(f"{what}: {'works' if up else 'refused'}", works == up, p.said)
        if "unknown" in what or "wrong" in what:
            check(f"{what}: no telling", p.alert == "-1", p.said)
        p.end()
    check("no word of the keys", KPM.hex() not in lab.mefd.text())


def test_plain(lab):
    """Without certificates, and with the alert for unknown identities."""
    d = Daemon(lab.dir, MEFD, "plain")
    at = d.ports["coap"][0]
    p = Peer(at, identity=KPM_ID.encode().hex(), key=KPM.hex())
    check("PSK", p.up and p.ask(GET, BASE, fr=DEVICE).rsc == 2000, p.said)
    p.end()
    p = Peer(at, identity=b"nobody".hex(), key=KPM.hex(), patience=1500)
    check("unknown_psk_identity", p.alert == "115", p.said)
    p.end()
    p = Peer(at, priority="c0ae", cert=f"{lab.dir}/device.pem", cert_key=f"{lab.dir}/device.key", patience=1500)
    check("no certificates", not p.up and p.alert == "40", p.said)
    p.end()
    p = Peer(at, identity=KPM_ID.encode().hex(), key=KPM.hex())
    check("again", p.up)
    ended = threading.Thread(target=lambda: check("SIGTERM: 0", d.end() == 0, d.text()[-500:]))
    ended.start()
    check("the drain says goodbye", p.raw(None) == "closed")
    ended.join()
    p.end()


def test_certificates(lab):
    p = lab.with_cert("device")
    check("C0AE", p.up and p.suite == "c0ae", p.said)
    a = p.ask(POST, BASE, 4, registration("cert.example.org"), fr=DEVICE)
    check("an AE registers", a.rsc == 2001, a.payload)
    key_id = p.bootstrap[:16].hex().upper() + "%40" + MEF
    j = json.loads(lab.https(f"/fetchCredentials/{key_id}/22").body or b"{}")
    check("and has a Ke", j.get("Credential") == base64.b64encode(usage_key(p.bootstrap[16:], "22", CSE_FQDN)).decode(), j)
    a = p.ask(POST, BASE, 5, key_registration(admin="cert.example.org"), fr=DEVICE)
    check("a key", a.rsc == 2001, a.payload)
    t = lab.with_cert("cse1")
    b = t.ask(GET, a.location, fr=CSE)
    check("for a target by its certificate", b.rsc == 2000 and
          json.loads(b.payload)["sec:skr"]["kv"] == base64.b64encode(p.connection[16:]).decode(), b.payload)
    t.end()
    p.end()
    for name in ("stranger", "rogue"):
        p = lab.with_cert(name)
        check(f"{name}: the handshake ends", not p.up or p.ask(GET, BASE).code == 0, p.said)
        p.end()
    p = Peer(lab.address(), priority="c0ae", patience=3000)
    check("no certificate", not p.up or p.ask(GET, BASE).code == 0, p.said)
    p.end()
    p = lab.with_cert("device", identity=KPM_ID.encode().hex(), key=KPM.hex())
    check("a certificate beside a key", p.up and p.suite == "c0ae", p.said)
    p.end()


def test_est(lab):
    """A certificate that mefd issued itself is good over CoAP."""
    r = run("openssl", "req", "-new", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout",
            f"{lab.dir}/issued.key", "-subj", "/", "-addext", f"subjectAltName=URI:{DEVICE}", "-outform", "DER",
            "-out", f"{lab.dir}/csr")
    check("a request", r.returncode == 0, r.stderr)
    write(f"{lab.dir}/csr.b64", base64.encodebytes(open(f"{lab.dir}/csr", "rb").read()).decode())
    r = run("curl", "-sS", "--cacert", f"{lab.dir}/ca.pem", "--cert", f"{lab.dir}/device.pem", "--key",
            f"{lab.dir}/device.key", "-H", "Content-Type: application/pkcs10", "--data-binary", f"@{lab.dir}/csr.b64",
            f"https://{lab.mefd.ports['mef'][0]}/.well-known/est/simpleenroll")
    check("issued", r.returncode == 0, (r.stdout[-200:], r.stderr))
    p7 = f"-----BEGIN PKCS7-----\n{r.stdout.strip()}\n-----END PKCS7-----\n"
    write(f"{lab.dir}/issued.p7", p7)
    write(f"{lab.dir}/issued.pem", run("openssl", "pkcs7", "-in", f"{lab.dir}/issued.p7", "-print_certs").stdout)
    p = lab.with_cert("issued")
    check("C0AE by it", p.up and p.ask(GET, BASE, fr=DEVICE).rsc == 2000, p.said)
    p.end()


def test_raw_keys(lab):
    p = Peer(lab.address(), priority="raw", raw_public=f"{lab.dir}/raw.pub", raw_key=f"{lab.dir}/raw.key", patience=3000)
    check("raw public key", p.up and p.suite == "c0ae", p.said)
    a = p.ask(POST, BASE, 4, registration("raw.example.org"), fr=DEVICE)
    check("registers", a.rsc == 2001, a.payload)
    key_id = p.bootstrap[:16].hex().upper() + "%40" + MEF
    j = json.loads(lab.https(f"/fetchCredentials/{key_id}/22").body or b"{}")
    check("and has a Ke", j.get("EnroleeID") == DEVICE, j)
    p.end()
    p = Peer(lab.address(), priority="raw", raw_public=f"{lab.dir}/unknown.pub", raw_key=f"{lab.dir}/unknown.key",
             patience=3000)
    check("unknown key: the handshake ends", not p.up or p.ask(GET, BASE).code == 0, p.said)
    p.end()


# ---- strangers -------------------------------------------------------------------------------

def test_openssl(lab):
    s = SClient(lab.address(), "-psk", KPM.hex(), "-psk_identity", KPM_ID, "-cipher", "PSK-AES128-CCM8:@SECLEVEL=0")
    check("openssl: PSK-AES128-CCM8", s.up and s.suite == "PSK-AES128-CCM8", s.out[-300:])
    a = s.ask(POST, BASE, 4, registration("openssl.example.org"), fr=DEVICE)
    check("openssl: registered", a.rsc == 2001, (a.status, a.payload))
    key_id, ke = s.bootstrap[:16].hex().upper() + "%40" + MEF, s.bootstrap[16:]
    j = json.loads(lab.https(f"/fetchCredentials/{key_id}/22").body or b"{}")
    check("openssl: it exports the same",
          j.get("Credential") == base64.b64encode(usage_key(ke, "22", CSE_FQDN)).decode(), j)
    s.end()
    s = SClient(lab.address(), "-cert", f"{lab.dir}/device.pem", "-key", f"{lab.dir}/device.key", "-CAfile",
                f"{lab.dir}/ca.pem", "-verify_return_error", "-cipher", "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0")
    check("openssl: ECDHE-ECDSA-AES128-CCM8", s.up and s.suite == "ECDHE-ECDSA-AES128-CCM8", s.out[-300:])
    a = s.ask(POST, BASE, 4, registration("openssl-cert.example.org"), fr=DEVICE)
    check("openssl: registered by certificate", a.rsc == 2001, (a.status, a.payload))
    key_id, ke = s.bootstrap[:16].hex().upper() + "%40" + MEF, s.bootstrap[16:]
    j = json.loads(lab.https(f"/fetchCredentials/{key_id}/22").body or b"{}")
    check("openssl: the same there",
          j.get("Credential") == base64.b64encode(usage_key(ke, "22", CSE_FQDN)).decode(), j)
    s.end()


def coap_client(flavour, url, *options):
    """libcoap knows only its own options: it shows what came (-v 7) and then rejects it for the oneM2M ones."""
    r = subprocess.run([f"coap-client-{flavour}", "-v", "7", "-B", "2", *options, url], capture_output=True, text=True,
                       timeout=60, check=False)
    return r.stdout + r.stderr


def test_coap_client(lab):
    """libcoap with both of its TLS libraries: handshakes, messages, a body in blocks."""
    if not shutil.which("coap-client-gnutls"):
        print("skipped: no coap-client (libcoap3-bin)")
        return 1
    base = f"coaps://{lab.address()}/-/"
    psk = ["-u", KPM_ID, "-k", KPM.decode()]
    for flavour in ("gnutls", "openssl"):
        out = coap_client(flavour, base, "-m", "get", "-O", f"{RQI},c-1", "-O", f"{RVI},3", *psk)
        check(f"{flavour}: GET", re.search(r"t:ACK c:2.05 .*307:.x07.xD0", out, re.I), out[-1500:])
        out = coap_client(flavour, base, "-m", "get", "-O", f"{RQI},c-1", "-O", f"{FR},{OTHER}", *psk)
        check(f"{flavour}: another's name", re.search(r"t:ACK c:4.03 .*307:.x10.x07", out, re.I), out[-1500:])
        out = coap_client(flavour, base, "-m", "get", "-u", KPM_ID, "-k", "not the right key")
        check(f"{flavour}: wrong key", "c:2.05" not in out and "c:4.0" not in out, out[-500:])
    body = registration("libcoap.example.org", lbl=[f"{i}" + "y" * 100 for i in range(16)])
    write(f"{lab.dir}/body", body.decode())
    out = coap_client("gnutls", base, "-m", "post", "-t", "50", "-f", f"{lab.dir}/body", "-b", "256", "-O", f"{TY},0x04",
                      "-O", f"{RQI},c-2", "-O", f"{RVI},3", *psk)
    check("a body in blocks", "c:2.31" in out and re.search(r"c:2.01 .*307:.x07.xD1", out, re.I), out[-1500:])
    out = coap_client("gnutls", base, "-m", "get", "-O", f"{RQI},c-1", "-M", f"{lab.dir}/raw.key", "-R", f"{lab.dir}/ca.pem")
    check("raw public key", re.search(r"t:ACK c:2.05 .*307:.x07.xD0", out, re.I), out[-1500:])
    out = coap_client("gnutls", base, "-m", "get", "-O", f"{RQI},c-1", "-M", f"{lab.dir}/unknown.key", "-R", f"{lab.dir}/ca.pem")
    check("unknown raw public key", "c:2.05" not in out, out[-500:])
    for flavour in ("gnutls", "openssl"):
        out = coap_client(flavour, base.replace("127.0.0.1", "localhost"), "-m", "get", "-O", f"{RQI},c-1", "-O",
                          f"{FR},{CSE}", "-c", f"{lab.dir}/cse1.pem", "-j", f"{lab.dir}/cse1.key", "-R", f"{lab.dir}/ca.pem")
        check(f"{flavour}: certificate", re.search(r"t:ACK c:2.05 .*307:.x07.xD0", out, re.I), out[-1500:])
    return 0


def test_cleartext(lab):
    host, port = lab.address().rsplit(":", 1)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(0.3)
    s.connect((host, int(port)))
    for octets in (Message(GET, primitive(BASE, None, b"", DEVICE, None, "7", "3")).print(), b"", b"\x16\xfe\xfd", os.urandom(100)):
        s.send(octets)
        try:
            check("no answer in the clear", False, s.recv(2000))
        except (TimeoutError, ConnectionRefusedError):
            check("no answer in the clear", True)
    s.close()
    t = socket.socket()
    check("no TCP", t.connect_ex((host, int(port))) != 0)
    t.close()


# ---- the daemon ------------------------------------------------------------------------------

def test_pages(lab):
    p = lab.peer()
    p.ask(GET, BASE, fr=DEVICE)
    health = json.loads(lab.page("/health"))
    check("health", health.get("coap_sessions", 0) >= 1 and health.get("database") == "ok", health)
    metrics = lab.page("/metrics").decode()
    for name in ('mefd_coap_handshakes_total{result="ok"}', 'mefd_coap_handshakes_total{result="refused"}',
                 'mefd_coap_sessions ', 'mefd_requests_total{result="ok"}'):
        found = re.search(re.escape(name) + r"\s*(\d+)", metrics)
        check(f"metrics: {name}", found and int(found.group(1)) > 0, metrics[:300])
    check("log lines", "mef.primitive over=coap" in lab.mefd.text() and "coap.handshake peer=127.0.0.1:" in lab.mefd.text())
    p.end()


def test_restart(lab):
    p = lab.peer()
    a = p.ask(POST, BASE, 4, registration("restart.example.org"), fr=DEVICE)
    check("registered", a.rsc == 2001)
    lab.mefd.end(signal.SIGKILL)
    lab.mefd.start()
    q = lab.peer()
    check("kept over kill -9", q.ask(GET, a.location, fr=DEVICE).rsc == 2000)
    p.end()
    q.end()


def test_options(lab):
    text = open(f"{lab.dir}/mefd.yaml").read()
    raw = re.search(r'public_keys: \["(\w+)', text).group(1)
    write(f"{lab.dir}/good.yaml", text, 0o600)
    r = run(MEFD, "--config", f"{lab.dir}/good.yaml", "--check-config")
    check("check-config", r.returncode == 0, r.stderr)
    for what, old, new in (("KpmID twice", OTHER_ID, KPM_ID), ("raw key cut short", 'public_keys: ["', 'public_keys: ["00", "'),
                           ("a raw key of two", f"kpm_id: {OTHER_ID}", f"public_keys: [{raw}], kpm_id: {OTHER_ID}"),
                           ("a raw key twice", "public_keys: [", f"public_keys: [{raw.upper()}, "),
                           ("KpmID alone", f", kpm: {OTHER_KPM.hex()}", ""), ("short key", OTHER_KPM.hex(), "00ff"),
                           ("no such file", "certificates: true", "certificates: true\n  key: nothing.key"),
                           ("range", "certificates: true", "certificates: true\n  sessions: 0"),
                           ("unknown option", "certificates:", "certs:")):
        check(f"{what}: is in it", old in text)
        write(f"{lab.dir}/bad.yaml", text.replace(old, new), 0o600)
        r = run(MEFD, "--config", f"{lab.dir}/bad.yaml", "--check-config")
        check(f"{what}: 78", r.returncode == 78 and r.stderr, (r.returncode, r.stderr))
    write(f"{lab.dir}/bad.yaml", text, 0o644)
    check("keys for everybody to read: 78", run(MEFD, "--config", f"{lab.dir}/bad.yaml", "--check-config").returncode == 78)
    write(f"{lab.dir}/bad.yaml", text.replace('["127.0.0.1:0", "[::1]:0"]', '"192.0.2.1:5684"').replace("mefd.ca", "bad.ca")
          .replace("database: mefd.db", "database: bad.db"), 0o600)
    r = run(MEFD, "--config", f"{lab.dir}/bad.yaml")
    check("an address of others", r.returncode not in (0, 78) and "coap.listen" in r.stderr, (r.returncode, r.stderr))


def main():
    lab = Lab()
    skipped = 0
    try:
        test_registration(lab)
        test_keys(lab)
        test_refusals(lab)
        test_blocks(lab)
        test_repeated(lab)
        test_handshakes(lab)
        test_plain(lab)
        test_certificates(lab)
        test_est(lab)
        test_raw_keys(lab)
        test_openssl(lab)
        skipped += test_coap_client(lab)
        test_cleartext(lab)
        test_pages(lab)
        test_restart(lab)
        test_options(lab)
    finally:
        code, text = lab.end()
    check("ends with 0", code == 0, code)
    check("no key in the log", all(k.hex() not in text.lower() and base64.b64encode(k).decode() not in text
                                   for k in (KPM, OTHER_KPM)))
    check("no sanitizer", "Sanitizer" not in text and "runtime error" not in text, text[-2000:])
    return summary(skipped)


if __name__ == "__main__":
    sys.exit(main())
