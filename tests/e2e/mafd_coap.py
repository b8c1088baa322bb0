#!/usr/bin/env python3
"""mafd over CoAP and DTLS (TS-0003 8.2.2.3, 8.8): registration, keys and refusals with pre-provisioned Km's, by coap.py over
tests/e2e/dtls_peer, openssl s_client as oracle of the exporter, and libcoap's coap-client.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import json
import os
import re
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
import mefd  # noqa: E402
from bsf_lab import BUILD, NAME, check, exchange, make_ca, make_cert, summary, write  # noqa: E402
from coap import DELETE, FR, GET, POST, PUT, RQI, TY, Peer, SClient  # noqa: E402
from mefd import CSE, CSE_FQDN, Daemon, later  # noqa: E402
from mefd_coap import BASE, coap_client  # noqa: E402

MAFD = os.path.abspath(os.path.join(BUILD, "naf/mafd"))
MAF = "maf.example.org"
THING, METER = "//sp.example.org/cse1/Cthing", "//sp.example.org/cse1/Cmeter"
KM_ID, KM = "Thing.1@" + MAF, b"fedcba9876543210"
METER_ID, METER_KM = "meter@" + MAF, bytes(range(32))
CSE2 = "//sp.example.org/cse2"
CONNECTION = "EXPORTER-oneM2M-Connection"
SUITE = "PSK-AES128-CCM8:@SECLEVEL=0"

MAF_YAML = f"""
fqdn: {MAF}
sp: sp.example.org
listen: 127.0.0.1:0
tls: {{certificate: maf.pem, key: maf.key, client_ca: ca.pem}}
coap: {{listen: 127.0.0.1:0, certificates: true}}
database: mafd.db
master_key: mafd.master
targets: [{{id: {CSE}}}, {{id: {CSE2}}}]
enrolees:
  - {{id: {THING}, km_id: {KM_ID}, km: "{KM.hex()}", targets: [{CSE}]}}
  - {{id: {METER}, km_id: {METER_ID}, km: "{METER_KM.hex()}", targets: [{CSE}]}}
metrics: 127.0.0.1:0
"""


class Lab(mefd.Lab):
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="mafd-coap.")
        make_ca(self.dir, "ca")
        make_cert(self.dir, "ca", "maf", f"DNS:{MAF},DNS:{NAME},DNS:localhost,IP:127.0.0.1")
        make_cert(self.dir, "ca", "cse1", f"DNS:{CSE_FQDN}")
        make_cert(self.dir, "ca", "cse2", "DNS:cse2.sp.example.org")
        make_cert(self.dir, "ca", "stranger", "DNS:stranger.example.org")
        for f in os.listdir(self.dir):
            if f.endswith(".key"):
                os.chmod(f"{self.dir}/{f}", 0o600)
        write(f"{self.dir}/mafd.yaml", MAF_YAML, 0o600)
        self.mafd = Daemon(self.dir, MAFD, "mafd")

    def at(self):
        return self.mafd.ports["coap"][0]

    def peer(self, identity=KM_ID, key=KM, **kw):
        return Peer(self.at(), identity=identity.encode().hex(), key=key.hex(), **kw)

    def target(self, name):
        return Peer(self.at(), priority="c0ae", cert=f"{self.dir}/{name}.pem", cert_key=f"{self.dir}/{name}.key", patience=3000)

    def https(self, path, **kw):
        return self.ask("/" + "/".join(path), at=self.mafd.address("maf"), fields=["X-M2M-RI: 9", "X-M2M-RVI: 3"], **kw)

    def page(self, path):
        request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        return exchange(self.mafd.address("metrics"), request.encode()).body.decode()

    def count(self, metric):
        found = re.search(rf"^{re.escape(metric)} (\d+)$", self.page("/metrics"), re.M)
        return int(found.group(1)) if found else None

    def end(self):
        code, text = self.mafd.end(), self.mafd.text()
        shutil.rmtree(self.dir)
        return code, text


def registration(admin="sp.example.org", **more):
    return json.dumps({"sec:mafcr": dict(more, et=later(3600), adfq=admin)}).encode()


def key_registration(suid=32, targets=(CSE,)):
    return json.dumps({"sec:skr": {"et": later(600), "adfq": "sp.example.org", "suid": suid, "tgis": list(targets)}}).encode()


# ---- procedures ------------------------------------------------------------------------------

def test_registration(lab):
    p = lab.peer()
    check("Km: C0A8", p.up and p.suite == "c0a8", p.said)
    a = p.ask(GET, ["_", MAF, "-", ""], fr=THING)
    check("MAFBase", a.status == "2.05" and a.rsc == 2000 and json.loads(a.payload)["sec:mafb"]["fqdn"] == MAF, a.payload)
    check("no key before the registration", p.ask(POST, BASE, 5, key_registration(), fr=THING).rsc == 4004)
    check("of no MEF", p.ask(POST, BASE, 4, registration().replace(b"mafcr", b"mefcr"), fr=THING).rsc == 4108)
    a = p.ask(POST, BASE, 3, registration(), fr=THING)
    check("registered", a.status == "2.01" and a.rsc == 2001 and json.loads(a.payload)["sec:mafcr"]["cr"] == THING, a.payload)
    at = a.location
    check("where it is", len(at) == 4 and at[:3] == ["_", MAF, "-"], at)
    check("one a stakeholder", p.ask(POST, BASE, 3, registration(), fr=THING).rsc == 4117)
    check("retrieved", p.ask(GET, at, fr=THING).rsc == 2000)
    a = p.ask(PUT, at, body=json.dumps({"sec:mafcr": {"lbl": ["a"]}}).encode(), fr=THING)
    check("updated", a.rsc == 2004 and b'"lbl":["a"]' in a.payload, a.payload)
    check("no commands", p.ask(GET, at + ["cmd"], fr=THING).rsc == 4004)
    q = lab.peer(METER_ID, METER_KM)
    check("another's registration", q.up and q.ask(GET, at, fr=METER).rsc == 4103, q.said)
    check("another cannot delete it", q.ask(DELETE, at, fr=METER).rsc == 4103)
    check("another's name", q.ask(GET, at, fr=THING).rsc == 4103)
    q.end()
    other = p.ask(POST, BASE, 3, registration("other.example.org"), fr=THING).location
    check("deleted", p.ask(DELETE, other, fr=THING).rsc == 2002 and p.ask(GET, other, fr=THING).rsc == 4004)
    check("ends well", p.end() == 0)


def test_keys(lab):
    """THING is registered.  Kc and KcID are what both ends export."""
    p = lab.peer()
    for suid in (21, 22, 31, 42):
        check(f"SUID {suid} is not a MAF's", p.ask(POST, BASE, 5, key_registration(suid), fr=THING).rsc == 4102)
    check("SUID 33 is not allowed here", p.ask(POST, BASE, 5, key_registration(33), fr=THING).rsc == 4103)
    check("a target not allowed", p.ask(POST, BASE, 5, key_registration(targets=[CSE2]), fr=THING).rsc == 4103)
    check("in another's name", p.ask(POST, BASE, 5, key_registration(), fr=METER).rsc == 4103)
    a = p.ask(POST, BASE, 5, key_registration(), fr=THING)
    check("key registered", a.status == "2.01" and a.rsc == 2001 and b'"kv"' not in a.payload, a.payload)
    at, kc = a.location, p.connection[16:]
    check("named by the exporter", at[-1] == p.connection[:16].hex().upper(), at)
    check("one export a session", p.ask(POST, BASE, 5, key_registration(), fr=THING).rsc == 4105)
    check("not for A itself", p.ask(GET, at, fr=THING).rsc == 4103)
    p.end()
    q = lab.peer(METER_ID, METER_KM)
    check("not for another client", q.ask(GET, at, fr=METER).rsc == 4103)
    check("nor can it delete the key", q.ask(DELETE, at, fr=METER).rsc == 4103)
    check("without a registration of its own", q.ask(POST, BASE, 5, key_registration(), fr=METER).rsc == 4004)
    q.end()
    want = base64.b64encode(kc).decode()
    t = lab.target("cse1")
    a = t.ask(GET, at, fr=CSE)
    j = json.loads(a.payload or b"{}").get("sec:skr", {})
    check("Entity B gets Kc", t.suite == "c0ae" and a.rsc == 2000 and j.get("kv") == want and j.get("cr") == THING, a.payload)
    check("a target registers no key", t.ask(POST, BASE, 5, key_registration(), fr=CSE).rsc == 4103)
    t.end()
    j = json.loads(lab.https(at).body or b"{}").get("sec:skr", {})
    check("the same over HTTPS", j.get("kv") == want, j)
    t = lab.target("cse2")
    a = t.ask(GET, at, fr=CSE2)
    check("not for another target", a.status == "4.03" and a.rsc == 4103 and want.encode() not in a.payload, a.payload)
    t.end()
    return kc


def test_openssl(lab):
    """The exporter of a client that shares no library with mafd."""
    s = SClient(lab.at(), "-psk", KM.hex(), "-psk_identity", KM_ID, "-cipher", SUITE, label=CONNECTION)
    check("openssl: PSK-AES128-CCM8", s.up and s.suite == "PSK-AES128-CCM8", s.out[-300:])
    a = s.ask(POST, BASE, 5, key_registration(), fr=THING)
    kc_id, kc = s.bootstrap[:16].hex().upper(), s.bootstrap[16:]
    check("openssl: a key, named by the exporter", a.rsc == 2001 and a.location[-1] == kc_id, (a.status, a.payload))
    s.end()
    j = json.loads(lab.https(["_", MAF, "-", kc_id]).body or b"{}").get("sec:skr", {})
    check("openssl: Kc", j.get("kv") == base64.b64encode(kc).decode(), j)


def test_handshakes(lab):
    for what, identity, key in (("wrong key", KM_ID, METER_KM), ("unknown identity", "nobody@" + MAF, KM),
                                ("another's identity", METER_ID, KM), ("a KeID of no MEF here", "0" * 32 + "@mef.example.net", KM)):
        p = lab.peer(identity, key, patience=1500)
        check(f"{what}: refused, no telling", not p.up and p.alert == "-1", p.said)
        p.end()
    p = lab.target("stranger")
    check("a certificate without row: the handshake ends", not p.up or p.ask(GET, BASE).code == 0, p.said)
    p.end()
    p = lab.peer(KM_ID.lower())
    check("KmID in lower case (10.6)", p.up and p.ask(GET, BASE, fr=THING).rsc == 2000, p.said)
    p.end()


def test_coap_client(lab):
    """libcoap, with both of its TLS libraries; what it prints of the answer counts (see mefd_coap.py)."""
    if not shutil.which("coap-client-gnutls"):
        print("skipped: no coap-client (libcoap3-bin)")
        return 1
    base, psk = f"coaps://{lab.at()}/-/", ["-u", KM_ID, "-k", KM.decode()]
    for flavour in ("gnutls", "openssl"):
        out = coap_client(flavour, base, "-m", "get", "-O", f"{RQI},c-1", *psk)
        check(f"{flavour}: MAFBase", re.search(r"t:ACK c:2.05 .*307:.x07.xD0", out, re.I) and "sec:mafb" in out, out[-1500:])
        out = coap_client(flavour, base, "-m", "get", "-O", f"{RQI},c-1", "-O", f"{FR},{METER}", *psk)
        check(f"{flavour}: another's name", re.search(r"t:ACK c:4.03 .*307:.x10.x07", out, re.I), out[-1500:])
        out = coap_client(flavour, base, "-m", "get", "-u", KM_ID, "-k", "not the right key")
        check(f"{flavour}: wrong key", "c:2.05" not in out and "c:4.0" not in out, out[-500:])
    write(f"{lab.dir}/body", registration("libcoap.example.org").decode())
    out = coap_client("gnutls", base, "-m", "post", "-t", "50", "-f", f"{lab.dir}/body", "-O", f"{TY},0x03", "-O", f"{RQI},c-2", *psk)
    check("registered", re.search(r"c:2.01 .*307:.x07.xD1", out, re.I), out[-1500:])
    return 0


def test_metrics(lab):
    names = ('mafd_coap_handshakes_total{result="ok"}', 'mafd_requests_total{result="ok"}', 'mafd_requests_total{result="refused"}')
    before = [lab.count(name) for name in names]
    check("all are there", None not in before, (before, lab.page("/metrics")))
    p = lab.peer()
    check("one served, one refused", p.ask(GET, BASE, fr=THING).rsc == 2000 and p.ask(GET, BASE, fr=METER).rsc == 4103)
    after = [lab.count(name) for name in names]
    check("one more of each", None not in before and after == [n + 1 for n in before], (before, after))
    check("refused handshakes", (lab.count('mafd_coap_handshakes_total{result="refused"}') or 0) > 0, lab.page("/metrics"))
    check("sessions", (lab.count("mafd_coap_sessions") or 0) > 0, lab.page("/metrics"))
    check("health", json.loads(lab.page("/health")).get("coap_sessions", 0) > 0, lab.page("/health"))
    p.end()
    check("nothing is named after mefd", "mefd" not in lab.page("/metrics"), lab.page("/metrics"))
    check("log lines", "mef.primitive over=coap" in lab.mafd.text())


def main():
    lab = Lab()
    try:
        test_registration(lab)
        kc = test_keys(lab)
        test_openssl(lab)
        test_handshakes(lab)
        skipped = test_coap_client(lab)
        test_metrics(lab)
    finally:
        code, text = lab.end()
    check("ends with 0", code == 0, code)
    check("no key in the log", all(k.hex() not in text.lower() and base64.b64encode(k).decode() not in text
                                   for k in (KM, METER_KM, kc)))
    return summary(skipped)


if __name__ == "__main__":
    sys.exit(main())
