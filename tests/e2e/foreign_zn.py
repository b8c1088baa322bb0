#!/usr/bin/env python3
"""curl as a NAF on Zn: who may ask for what (TS 33.220 4.5.3, TS 29.109 Annex D), in the laboratory
and with a bsfd whose keys expire at once.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import bsf_lab  # noqa: E402
from bsf_lab import NS, check, make_ca, make_cert, make_certificates, soap, summary  # noqa: E402
from stranger import Curl, Lab, ask_zn, bootstrap, element, naf_id, zn_body  # noqa: E402

DIGEST = "0100000002"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


def fault(a):
    """The code of a SOAP 1.1 fault in its whole form, else what was seen."""
    shape = re.search(rb"<(\w+):Envelope[^>]*\"" + SOAP.encode() + rb"\".*<\1:Fault.*<faultcode>.*<faultstring>.*<detail>.*"
                      rb"<(?:\w+:)?requestBootstrappingInfoFault.*<(?:\w+:)?code>(\d+)</(?:\w+:)?code>"
                      rb"<(?:\w+:)?text>[^<]+</(?:\w+:)?text>", a.body, re.S)
    return (a.status, shape.group(2).decode()) if shape else (a.status, a.body)


def test_answers(lab, ue):
    key = base64.b64encode(ue.key(lab["naf_fqdn"], DIGEST)).decode()
    for envelope in (True, False):
        for ns in (NS, "urn:3gpp:gba:GBAService:2009"):
            what = f"{'envelope' if envelope else 'bare'}, {ns}"
            a = ask_zn(lab, zn_body(lab, ue, DIGEST, (0, 1, 7), envelope=envelope, ns=ns))
            check(f"{what}: 200", a.status == 200, (a.status, a.error))
            check(f"{what}: type", a.fields.get("content-type", "").startswith("text/xml"), a.fields)
            check(f"{what}: key", element(a.body, "meKeyMaterial") == key, a.body)
            check(f"{what}: form", (SOAP.encode() in a.body) == envelope, a.body)
            check(f"{what}: namespace", f'"{ns}"'.encode() in a.body, a.body)
            check(f"{what}: no IMPI", lab["impi"].encode() not in a.body, a.body)
            check(f"{what}: no gbaType, no UICC key", b"gbaType" not in a.body and b"uiccKey" not in a.body, a.body)
            life = element(a.body, "keyExpiryTime") or ""
            check(f"{what}: expiry", re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", life), a.body)
            created = element(a.body, "bootstrappingInfoCreationTime") or ""
            check(f"{what}: created", created < life, a.body)


def test_uss(lab, ue):
    """The lab's GUSS has 0 for everyone and 1 for a group the lab's NAF is not of."""
    rows = [((), b"", b"sip:device@"), ((0,), b"sip:device@", b"tel:"), ((1,), b"", b"tel:"),
            ((0, 1), b"sip:device@", b"tel:"), ((7,), b"", b"sip:device@")]
    for gsids, there, hidden in rows:
        a = ask_zn(lab, zn_body(lab, ue, DIGEST, gsids))
        text = a.body + (base64.b64decode(element(a.body, "ussList") or "") if b"&lt;" not in a.body else b"")
        check(f"GSIDs {gsids}: 200", a.status == 200, a.status)
        check(f"GSIDs {gsids}: the USS", there in text, a.body)
        check(f"GSIDs {gsids}: no other", hidden not in text, a.body)
        check(f"GSIDs {gsids}: no bsfInfo", b"lifeTime" not in text, a.body)


def test_policy(lab, ue):
    folder = lab.dir
    make_cert(folder, "ca", "unlisted", "DNS:unlisted.lab.test")
    make_cert(folder, "ca", "wildcard", "DNS:*.lab.test")
    make_ca(folder, "other_ca")
    make_cert(folder, "other_ca", "rogue", f"DNS:{lab['naf_fqdn']}")
    make_cert(folder, "ca", "common_name", None)
    good = zn_body(lab, ue, DIGEST)
    rand = ue.btid.split("@")[0]
    rows = [
        ("trusted but unlisted", good, "unlisted", "5402"),
        ("a wildcard in a certificate", good, "wildcard", "5402"),
        ("a name in CN alone", good, "common_name", "5402"),
        ("another's FQDN", zn_body(lab, ue, DIGEST, fqdn=lab["target_fqdn"]), None, "5402"),
        ("a name below one's own", zn_body(lab, ue, DIGEST, fqdn="x." + lab["naf_fqdn"]), None, "5402"),
        ("a name that ends with one's own", zn_body(lab, ue, DIGEST, fqdn="x" + lab["naf_fqdn"]), None, "5402"),
        ("a BSF's name", zn_body(lab, ue, DIGEST, fqdn=lab["bsf_name"]), None, "5402"),
        ("a Ua id not of the row", zn_body(lab, ue, "0100000000"), None, "5402"),
        ("the Ua id of TMPI", zn_body(lab, ue, "0100000100"), None, "5402"),
        ("another target's Ua id", zn_body(lab, ue, DIGEST, fqdn=lab["target_fqdn"]), "target", "5402"),
        ("no Ua id", soap(ue.btid, lab["naf_fqdn"].encode()), None, "5402"),
        ("NAF_Id of 3 octets", soap(ue.btid, b"abc"), None, "5402"),
        ("unknown B-TID", soap(base64.b64encode(bytes(16)).decode() + "@" + lab["bsf_name"],
                               naf_id(lab["naf_fqdn"], DIGEST)), None, "5403"),
        ("malformed B-TID", soap("rubbish", naf_id(lab["naf_fqdn"], DIGEST)), None, "5403"),
        ("B-TID of another domain", soap(rand + "@bsf.example", naf_id(lab["naf_fqdn"], DIGEST)), None, "5403"),
        ("unknown B-TID for an unlisted NAF", soap("rubbish", naf_id(lab["naf_fqdn"], DIGEST)), "unlisted", "5402"),
    ]
    for what, body, cert, code in rows:
        a = ask_zn(lab, body, cert and f"{folder}/{cert}")
        check(f"{what}: {code}", fault(a) == (500, code), fault(a))
        check(f"{what}: no key", b"meKeyMaterial" not in a.body, a.body)
    for what, cert in (("no certificate", False), ("a certificate of another CA", f"{folder}/rogue")):
        a = ask_zn(lab, good, cert)
        check(f"{what}: no answer", a.code != 0 and a.status == 0, (a.code, a.status))
    a = ask_zn(lab, zn_body(lab, ue, "01000100ae", fqdn=lab["target_fqdn"]), f"{folder}/target")
    check("a NAF that may not learn the IMPI", a.status == 200 and lab["impi"].encode() not in a.body, a.body)
    a = ask_zn(lab, zn_body(lab, ue, "01000100ae", fqdn=lab["target_fqdn"]), f"{folder}/mef-zn")
    check("a proxy that may", a.status == 200 and element(a.body, "impi") == lab["impi"], a.body)


def test_rubbish(lab, ue):
    good = zn_body(lab, ue, DIGEST)
    rows = [
        ("not XML", b"hello", 400), ("empty", b"", 400), ("cut off", good[:-20], 400), ("no request in it", b"<x/>", 400),
        ("a DTD", b'<!DOCTYPE x [<!ENTITY a "b">]>' + good, 400),
        ("an entity", b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>', 400),
        ("NUL", good.replace(b"<e:Body>", b"<e:Body>\0"), 400),
        ("not UTF-8", b'<?xml version="1.0" encoding="utf-8"?>' + good.replace(b"<btid>", b"<btid>\xff\xfe"), 400),
        ("NAF_Id not base64", re.sub(rb"<nafid>.*</nafid>", b"<nafid>**</nafid>", good), 400),
        ("empty B-TID", re.sub(rb"<btid>.*</btid>", b"<btid></btid>", good), 500),  # the fault 5403
        ("two B-TIDs", good.replace(b"<nafid>", b"<btid>x</btid><nafid>", 1), 400),
        ("deep", b"<a>" * 5000 + b"</a>" * 5000, 400),
        ("over the cap", b"<a>" + b"x" * 3000000 + b"</a>", 413),
    ]
    for what, body, status in rows:
        a = ask_zn(lab, body)
        check(f"{what}: {status}", a.status == status or (what == "NAF_Id not base64" and fault(a) == (500, "5402")),
              (a.status, a.body[:200], a.error))
    a = ask_zn(lab, good, None, None, "-X", "GET")
    check("GET: 405", a.status == 405 and a.fields.get("allow") == "POST", (a.status, a.fields))
    check("another path: 404", ask_zn(lab, good, url=lab["zn_url"] + "/x").status == 404)
    a = Curl(lab["zn_url"].replace("https:", "http:"), body=good)
    check("http to the TLS port", a.status == 0, a.status)
    for version in ("-tls1", "-tls1_1"):
        r = subprocess.run(["openssl", "s_client", "-connect", "%s:%d" % lab.address("zn_url"), version, "-cipher",
                            "ALL:@SECLEVEL=0"], input=b"", capture_output=True, timeout=20, check=False)
        check(f"{version} is refused", b"Cipher is (NONE)" in r.stdout or r.returncode != 0, r.stdout[-300:])
    check("and Zn still answers", ask_zn(lab, good).status == 200)


def test_slow(lab):
    """A client that never ends its request does not hold a thread for ever, nor the others."""
    address = lab.address("zn_url")
    context = ssl.create_default_context(cafile=lab["ca"])
    context.load_cert_chain(lab["zn_client_cert"], lab["zn_client_key"])
    idle = [socket.create_connection(address, timeout=30) for _ in range(20)]
    slow = context.wrap_socket(idle[0], server_hostname="localhost")
    slow.sendall(b"POST /bsf/requestBootstrappingInfo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n<")
    ue, _ = bootstrap(lab)
    check("others are answered", ask_zn(lab, zn_body(lab, ue, DIGEST)).status == 200)
    for s in idle[1:] + [slow]:
        s.close()


def test_expiry(certificates):
    b = bsf_lab.Bsfd(certificates, bsf_lab.NO_LIMITS + "\nsession: {lifetime: 6s, min_lifetime: 1s, max_lifetime: 6s}")
    lab = {"ca": f"{b.dir}/ca.pem", "zn_client_cert": f"{b.dir}/naf1.pem", "zn_client_key": f"{b.dir}/naf1.key",
           "zn_url": f"https://localhost:{b.address('zn')[1]}/bsf/requestBootstrappingInfo"}
    ue, _ = bsf_lab.bootstrap(b.address("ub"))
    body = soap(ue.btid, naf_id("naf1.example.org", DIGEST))
    check("a key that is valid", ask_zn(lab, body).status == 200)
    time.sleep(6.3)
    check("expired B-TID: 5403", fault(ask_zn(lab, body)) == (500, "5403"))
    check("end", b.end()[0] == 0)


def test_insecure(certificates):
    b = bsf_lab.Bsfd(certificates, zn="  insecure: true\n  insecure_naf: naf1.example.org")
    ue, _ = bsf_lab.bootstrap(b.address("ub"))
    url = f"http://127.0.0.1:{b.address('zn')[1]}/bsf/requestBootstrappingInfo"
    check("plain HTTP as configured", Curl(url, body=soap(ue.btid, naf_id("naf1.example.org", DIGEST))).status == 200)
    check("... as that NAF alone", fault(Curl(url, body=soap(ue.btid, naf_id("naf2.example.org", DIGEST)))) ==
          (500, "5402"))
    code, log = b.end()
    check("... with a warning", "insecure_zn" in log and code == 0, log)
    check("plain HTTP by mistake: 78", starts_without_tls(certificates) == 78)


def starts_without_tls(certificates):
    text = bsf_lab.CONFIG.format(name=bsf_lab.NAME, isim=bsf_lab.ISIM_NAME, zn="", zh=bsf_lab.ZH_FILE, more="")
    bsf_lab.write(f"{certificates}/bsfd.yaml", text)
    bsf_lab.write(f"{certificates}/subscribers.yaml", bsf_lab.SUBSCRIBERS, 0o600)
    return bsf_lab.run(bsf_lab.BSFD, "--config", f"{certificates}/bsfd.yaml").returncode


def main():
    lab = Lab("--zh=file")
    try:
        ue, _ = bootstrap(lab)
        for test in (test_answers, test_uss, test_policy, test_rubbish):
            test(lab, ue)
        test_slow(lab)
        log = lab.log("bsfd")
        check("neither key nor IMPI in the log", lab["impi"] not in log and lab["k"] not in log and
              base64.b64encode(ue.key(lab["naf_fqdn"], DIGEST)).decode() not in log)
    finally:
        check("the laboratory ends with 0, and no sanitizer spoke", lab.end())
    certificates = make_certificates()
    test_expiry(certificates)
    test_insecure(certificates)
    shutil.rmtree(certificates)
    return summary()


if __name__ == "__main__":
    sys.exit(main())
