#!/usr/bin/env python3
"""The provisioning frameworks of TS-0003 8.3.2 without a SIM: a pre-provisioned key (8.3.2.1) and certificates
(8.3.2.2), by openssl as enrolee and as oracle of the exporter, with a real mefd and registrar; and by gba.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import json
import os
import socket
import subprocess
import sys

sys.dont_write_bytecode = True
from bsf_lab import BUILD, check, make_cert, summary, write  # noqa: E402
from mefd import (CSE, CSE_FQDN, MEF, MEFD_YAML, Lab, Session, fetch_path, later,  # noqa: E402
                  openssl_says, usage_key)

GBA = os.path.abspath(os.path.join(BUILD, "ua/gba"))
KPM, KPM_ID = bytes(range(1, 25)), "thiskey@" + MEF
NODE, MN_CSE = "urn:gsma:imei:90420156-025763-0", "//sp.example.org/mn7"
M2M_DEVICE = "other:0.2.481.1:0605329756ce1b"  # TS-0003 10.1.1.4.1: M2M Device Indication ID, and the rest as an OID
METER, METER_KPM_ID = "//sp.example.org/cse1/Cmeter", "meter"
YAML = MEFD_YAML.replace("metrics:", f"""\
  - {{{{id: {METER}, kpm_id: {METER_KPM_ID}, kpm: "{'5a' * 16}", targets: [{{cse}}]}}}}
  - {{{{id: //sp.example.org/cse1/Cthis, kpm_id: {KPM_ID}, kpm: "{KPM.hex()}", targets: [{{cse}}]}}}}
  - {{{{id: //sp.example.org/cse1/Cnone, kpm_id: none, kpm: "{KPM.hex()}"}}}}
  - {{{{id: //sp.example.org/cse1/Ccert, certificates: ["dns:device.example.org", "uri://sp.example.org/cse1/Ccert",
       "uri:{NODE}", "{M2M_DEVICE}"], targets: [{{cse}}]}}}}
  - {{{{id: {MN_CSE}, certificates: ["dns:mn7.sp.example.org"], targets: [{{cse}}]}}}}
metrics:""")
THIS, CERT = "//sp.example.org/cse1/Cthis", "//sp.example.org/cse1/Ccert"


def register(s, origin):
    return s.ask("POST", "/-/", 4, json.dumps({"sec:mefcr": {"et": later(3600), "adfq": "sp.example.org"}}),
                 origin=origin)


def fetched(lab, s):
    a = lab.ask(fetch_path(s.exported[:16].hex().upper() + "@" + MEF))
    return json.loads(a.body or b"{}")


def test_kpm(lab):
    for cipher in ("PSK-AES128-CBC-SHA256", "DHE-PSK-AES128-CBC-SHA256", "ECDHE-PSK-CHACHA20-POLY1305"):
        s = Session(lab, KPM_ID, KPM, cipher)
        check(f"{cipher}: session", s.up, s.out[-300:])
        a = register(s, THIS)
        check(f"{cipher}: registered", a.rsc in (2001, 4117), a.fields)
        j = fetched(lab, s)
        check(f"{cipher}: the target's key is of the exported Ke", j.get("Credential") ==
              base64.b64encode(usage_key(s.exported[16:], "22", CSE_FQDN)).decode(), j)
        check(f"{cipher}: Enrolee-ID", j.get("EnroleeID") == THIS, j)
        s.end()
    s = Session(lab, KPM_ID.upper(), KPM, "PSK-AES128-CBC-SHA256")
    check("KpmID in upper case", s.up, s.out[-300:])
    check("another's name", register(s, METER).rsc == 4103)
    s.end()
    rows = [("wrong Kpm", KPM_ID, bytes(24)), ("unknown KpmID", "nobody@" + MEF, KPM),
            ("Kpm of another", METER_KPM_ID, KPM), ("KpmID cut short", KPM_ID[:7], KPM),
            ("KpmID with more", KPM_ID + "x", KPM), ("blank in it", "this key", KPM)]
    for what, identity, key in rows:
        s = Session(lab, identity, key, "PSK-AES128-CBC-SHA256")
        works = s.up and s.ask("GET", "/-/").rsc == 2000
        check(f"{what}: refused", not works, s.out[-200:])
        check(f"{what}: no alert tells which", b"alert" not in s.out, s.out[-200:])
        s.end()
    s = Session(lab, "none", KPM, "PSK-AES128-CBC-SHA256")
    check("registers without a target", register(s, "//sp.example.org/cse1/Cnone").rsc == 2001)
    check("but no target has its key", fetched(lab, s).get("Status") is False)
    s.end()


def test_certificate(lab):
    make_cert(lab.dir, "ca", "device", "DNS:device.example.org")
    make_cert(lab.dir, "ca", "device_uri", "DNS:x.example.org,URI://sp.example.org/cse1/Ccert")
    make_cert(lab.dir, "ca", "device_many", ",".join(f"DNS:x{i}.example.org" for i in range(40)) +
              ",RID:1.2.3.4,DNS:device.example.org")
    make_cert(lab.dir, "ca", "device_m2m", "otherName:0.2.481.1;OID:1.10.3030.10011")
    make_cert(lab.dir, "ca", "device_m2m_8", "otherName:0.2.481.1;OID:1.10.3030.10012")
    make_cert(lab.dir, "ca", "node", f"URI:{NODE}")
    make_cert(lab.dir, "ca", "node_8", f"URI:{NODE}8")
    make_cert(lab.dir, "ca", "mn7", "DNS:mn7.sp.example.org")
    make_cert(lab.dir, "ca", "device_cased", "URI://sp.example.org/CSE1/Ccert")
    make_cert(lab.dir, "ca", "wild", "DNS:*.example.org")
    make_cert(lab.dir, "other_ca", "forged", "DNS:device.example.org")
    make_cert(lab.dir, "ca", "cn_only", None)
    for name, who in (("device", CERT), ("device_uri", CERT), ("device_many", CERT), ("device_m2m", CERT), ("node", CERT),
                      ("mn7", MN_CSE)):
        for cipher in ("ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"):
            s = Session(lab, None, None, cipher, cert=name)
            check(f"{name} {cipher}: session", s.up, s.out[-300:])
            a = register(s, who)
            check(f"{name} {cipher}: registered", a.rsc in (2001, 4117), (a.status, a.fields))
            j = fetched(lab, s)
            check(f"{name} {cipher}: the target's key", j.get("Credential") ==
                  base64.b64encode(usage_key(s.exported[16:], "22", CSE_FQDN)).decode() and
                  j.get("EnroleeID") == who, j)
            s.end()
    for name in ("device_cased", "device_m2m_8", "node_8", "mn7", "wild", "forged", "cn_only", "stranger"):
        s = Session(lab, None, None, "ECDHE-ECDSA-AES128-GCM-SHA256", cert=name)
        a = register(s, CERT) if s.up else None
        check(f"{name}: refused", a is None or a.rsc not in (2001, 4117), a and a.rsc)
        check(f"{name}: an alert says why", (b"alert unknown ca" in s.out) == (name == "forged"), s.out[-300:])
        s.end()
    s = Session(lab, None, None, "ECDHE-ECDSA-AES128-GCM-SHA256", cert="cse1")
    check("a target is no enrolee", s.ask("POST", "/-/", 5, json.dumps({"sec:skr": {
        "et": later(60), "adfq": "sp.example.org", "suid": 22, "tgis": [CSE]}}), origin=CSE).rsc == 4103)
    s.end()


# ---- the device's own command, and the registrar ----------------------------------------------

def gba(lab, *args):
    r = subprocess.run([GBA, *args, "--state", f"{lab.dir}/state", "--ca", f"{lab.dir}/ca.pem", "--json"],
                       capture_output=True, timeout=60)
    try:
        return r.returncode, json.loads(r.stdout or b"{}"), r.stderr
    except ValueError:
        return r.returncode, {}, r.stderr


def test_gba(lab):
    registrar = lab.start_registrar(lab.asks_mef())
    host, port = registrar.address("registrar")
    kpm = f"{lab.dir}/kpm"
    write(kpm, f"opengaa-credential=1\nkind=kpm\nkey_id={KPM_ID}\nkey={KPM.hex()}\npeer={MEF}\n", 0o600)
    psk_url = "https://127.0.0.1:%d" % lab.mefd.address("psk")[1]
    url = "https://localhost:%d" % lab.mefd.address("mef")[1]
    by_psk = ("enrol", "--framework", "psk", "--mef", psk_url, "--mef-fqdn", MEF, "--target", CSE, "--kpm-file", kpm)
    by_cert = ("enrol", "--framework", "cert", "--mef", url, "--mef-fqdn", MEF, "--target", CSE,
               "--cert", f"{lab.dir}/device.pem", "--key", f"{lab.dir}/device.key")
    for what, command, enrolee in (("psk", by_psk, THIS), ("cert", by_cert, CERT)):
        code, j, err = gba(lab, *command)
        check(f"gba enrol by {what}", code == 0 and j.get("key_id", "").endswith("@" + MEF) and "key" not in j,
              (code, j, err))
        code, k, err = gba(lab, "connect", f"{host}:{port}", "--psk", "--target", CSE)
        check(f"gba connect after {what}", code == 0 and enrolee in k.get("answer", ""), (code, k, err))
        check(f"with that credential ({what})", k.get("key_id") == j.get("key_id"), (j, k))
    code, j, err = gba(lab, "credential", "export", "--target", CSE, "--out", f"{lab.dir}/exported")
    check("exported, 0600", code == 0 and os.stat(f"{lab.dir}/exported").st_mode & 0o777 == 0o600, (code, err))
    lines = dict(line.split("=", 1) for line in open(f"{lab.dir}/exported").read().splitlines())
    out = openssl_says((host, port), lines["key_id"], bytes.fromhex(lines["key"]))
    check("and used by another program", b"accepted" in out, out)
    for what, more in (("entity", "entity=//sp.example.org/cse1/Cdevice\n"), ("nothing more", ""),
                       ("all", f"entity={CSE}/Cx\nsuite=PSK-AES128-CBC-SHA256\nexpires=2099-01-01T00:00:00Z\n")):
        path = f"{lab.dir}/round"
        entity, rest = (more.split("\n", 1) + [""])[:2] if more.startswith("entity") else ("", more)
        text = f"opengaa-credential=1\nkind=kpsa\nkey_id=round@{MEF}\nkey={KPM.hex().ljust(64, '0')[:64]}\n" + \
            (entity + "\n" if entity else "") + f"peer={CSE}2\nfqdn=cse12.sp.example.org\n" + rest
        write(path, text, 0o600)
        code, j, err = gba(lab, "credential", "import", "--file", path)
        check(f"imported, {what}", code == 0 and j.get("entity", "") == entity.partition("=")[2], (code, j, err))
        code, j, err = gba(lab, "credential", "export", "--target", CSE + "2", "--out", path, "--force")
        check(f"exported as it was, {what}", code == 0 and open(path).read() == text, (open(path).read(), text, err))
    write(kpm, open(kpm).read().replace("0102", "0202"), 0o600)
    code, j, err = gba(lab, *by_psk)
    check("a wrong Kpm is refused", code in (76, 77), (code, err))
    check("without an answer nothing of one", j.get("ok") is False and "rsc" not in j and b"RSC" not in err, (j, err))
    os.chmod(kpm, 0o644)
    code, j, err = gba(lab, *by_psk)
    check("a Kpm that others may read: 78", code == 78 and b"others may read" in err, (code, err))
    check("no --kpm-file: 64", gba(lab, *by_psk[:-2])[0] == 64)
    code, j, err = gba(lab, *by_cert[:-4], "--cert", f"{lab.dir}/stranger.pem", "--key", f"{lab.dir}/stranger.key")
    check("a certificate without row: 77", code == 77, (code, err))
    check("what the MEF said, for people", err.decode().splitlines()[1:] ==
          ["gba: HTTP 403, RSC 4106 ORIGINATOR_HAS_NOT_REGISTERED: not an entity of this function"], err)
    check("and for programs", j == {"ok": False, "error": "REFUSED", "text": j.get("text"), "http_status": 403, "rsc": 4106,
                                    "rsc_name": "ORIGINATOR_HAS_NOT_REGISTERED", "dbg": "not an entity of this function"} and
          "the MEF refuses the registration" in j["text"], j)
    check("registrar ends with 0", registrar.end() == 0)


def test_name_of_mef(lab):
    """8.3.2.2, 8.1.2.5: the MEF's certificate has its FQDN as it stands, whatever the URL's host is."""
    text = open(f"{lab.dir}/mefd.yaml").read()
    for name, san, code in (("own", f"DNS:localhost,DNS:{MEF}", 0), ("of_host", "DNS:localhost", 76),
                            ("of_other", "DNS:localhost,DNS:mef2.example.org", 76),
                            ("wildcard", "DNS:localhost,DNS:*.example.org", 76)):
        make_cert(lab.dir, "ca", name, san)
        os.chmod(f"{lab.dir}/{name}.key", 0o600)
        write(f"{lab.dir}/mefd.yaml", text.replace("server.pem", f"{name}.pem").replace("server.key", f"{name}.key"), 0o600)
        lab.mefd.end()
        lab.mefd.start()
        at = lab.mefd.address("mef")[1]
        for url, more in ((f"https://localhost:{at}", ["--mef-fqdn", MEF]), (f"https://{MEF}", ["--connect-to", f"127.0.0.1:{at}"])):
            out, j, err = gba(lab, "enrol", "--framework", "cert", "--mef", url, *more, "--target", CSE, "--cert",
                              f"{lab.dir}/device.pem", "--key", f"{lab.dir}/device.key")
            check(f"a MEF with {san} at {url}: {code}", out == code and (code == 0 or b"hostname mismatch" in err), (out, err))
    write(f"{lab.dir}/mefd.yaml", text, 0o600)
    lab.mefd.end()
    lab.mefd.start()


def test_certificate_association(lab):
    """TS-0003 8.2.2.2, by gba and by openssl as enrolee."""
    make_cert(lab.dir, "ca", "meter", f"URI:{METER}")
    os.chmod(f"{lab.dir}/meter.key", 0o600)
    registrar = lab.takes_certificates("ca", METER, METER)
    host, port = registrar.address("certificates")

    def connect(cert, ca="ca", *more):
        return subprocess.run([GBA, "connect", f"{host}:{port}", "--cert", f"{lab.dir}/{cert}.pem", "--key",
                               f"{lab.dir}/{cert}.key", "--ca", f"{lab.dir}/{ca}.pem", "--json",
                               *(more or ["--target", CSE])], capture_output=True, text=True)
    r = connect("meter")
    check("gba connect by certificate", r.returncode == 0 and METER in json.loads(r.stdout)["answer"], r.stderr)
    r = connect("meter", "ca", "--target-fqdn", CSE_FQDN.upper(), "--suites", "ECDHE-ECDSA-AES128-SHA256")
    check("with the mandatory suite or better", r.returncode == 0, r.stderr)
    for what, argv, code in (("another CA's roots", ("meter", "other_ca"), 76),
                             ("another target's name", ("meter", "ca", "--target-fqdn", "cse2.sp.example.org"), 76),
                             ("nobody's certificate", ("stranger",), 77), ("another CA's certificate", ("rogue",), 77),
                             ("no such file", ("none",), 78)):
        r = connect(*argv)
        check(f"refused: {what}", r.returncode == code and r.stderr, (r.returncode, r.stderr))
    os.chmod(f"{lab.dir}/meter.key", 0o640)
    check("a key others may read", connect("meter").returncode == 78)
    os.chmod(f"{lab.dir}/meter.key", 0o600)
    r = subprocess.run(["openssl", "s_client", "-connect", f"{host}:{port}", "-cert", f"{lab.dir}/meter.pem", "-key",
                        f"{lab.dir}/meter.key", "-CAfile", f"{lab.dir}/ca.pem", "-tls1_2", "-cipher",
                        "ECDHE-ECDSA-AES128-SHA256", "-servername", CSE_FQDN, "-verify_hostname", CSE_FQDN,
                        "-verify_return_error", "-ign_eof", "-quiet"], input=b"GET / HTTP/1.0\r\n\r\n", capture_output=True)
    check("openssl with C023", METER.encode() in r.stdout, r.stdout[-200:] + r.stderr[-300:])
    check("registrar ends with 0", registrar.end() == 0)
    # targets of others: the name is the target's own (8.1.2.5, 10.1.1: no wildcards), and both ends show themselves
    make_cert(lab.dir, "ca", "wild_cse", "DNS:*.sp.example.org")
    for name, asks, code, why in (("cse1", ["-Verify", "1"], 0, ""), ("wild_cse", ["-Verify", "1"], 76, "hostname mismatch"),
                                  ("cse1", [], 76, "asks for no certificate")):
        for version in ("-tls1_2", "-tls1_3"):
            host, port, server = s_server(lab, name, version, *asks)
            r = connect("meter")
            server.kill()
            server.communicate()
            check(f"{name} {asks} {version}: {code}", r.returncode == code and why in r.stderr, (r.returncode, r.stderr))


def s_server(lab, name, *argv):
    """openssl as a target that shows a certificate; where it listens, and the process."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    server = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-www", "-cert", f"{lab.dir}/{name}.pem",
                               "-key", f"{lab.dir}/{name}.key", "-CAfile", f"{lab.dir}/ca.pem", *argv],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    while not server.stdout.readline().startswith(b"ACCEPT"):
        assert server.poll() is None
    return "127.0.0.1", port, server


def main():
    lab = Lab(YAML)
    try:
        test_kpm(lab)
        test_certificate(lab)
        test_gba(lab)
        test_name_of_mef(lab)
        test_certificate_association(lab)
    finally:
        codes, text = lab.end()
    check("daemons end with 0", codes == [0, 0], codes)
    check("and so does the log", 'tls.refused peer=127.0.0.1 reason="certificate of an unknown CA"' in text)
    check("no Kpm in the log", KPM.hex() not in text.lower())
    return summary()


if __name__ == "__main__":
    sys.exit(main())
