#!/usr/bin/env python3
"""Ua: curl as a UE at NAFs built on libgba-naf, and the gba command at them: Digest over HTTP and
HTTPS, PSK-TLS 1.2 and 1.3, keys that expire or are not known any more.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import os
import re
import shutil
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import bsf_lab  # noqa: E402
from bsf_lab import check, make_certificates, request, summary  # noqa: E402
from stranger import Curl, Device, Lab, Program, bootstrap  # noqa: E402

DIGEST = "0100000002"


def password(ue, fqdn, ua_id):
    return base64.b64encode(ue.key(fqdn, ua_id)).decode()


def test_naf(lab):
    return Program("tests/e2e/naf", lab["naf_fqdn"], lab["bsf_name"], lab["zn_url"], lab["ca"], lab["zn_client_cert"],
                   lab["zn_client_key"], lines=2)


def curl(lab, naf, scheme, user, secret, *more):
    """The user goes to curl by standard input, for keys do not belong on a command line."""
    port = naf.said[scheme].rsplit(":", 1)[1]
    with tempfile.NamedTemporaryFile("w") as config:
        config.write(f'user = "{user}:{secret}"\n')
        config.flush()
        return Curl("--digest", "-K", config.name, "--cacert", lab["ca"], "-A", "curl 3gpp-gba", "--resolve",
                    f"{lab['naf_fqdn']}:{port}:127.0.0.1", *more, f"{scheme}://{lab['naf_fqdn']}:{port}/a?b=c")


def test_curl(lab, naf):
    ue, _ = bootstrap(lab)
    rows = [
        ("http", "http", DIGEST, ()),
        ("TLS 1.2", "https", "010001c02b", ("--tls-max", "1.2", "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256")),
        ("TLS 1.3", "https", "0100011301", ("--tls13-ciphers", "TLS_AES_128_GCM_SHA256", "--tlsv1.3")),
        ("TLS 1.3, ChaCha20", "https", "0100011303", ("--tls13-ciphers", "TLS_CHACHA20_POLY1305_SHA256", "--tlsv1.3")),
    ]
    for what, scheme, ua_id, more in rows:
        a = curl(lab, naf, scheme, ue.btid, password(ue, lab["naf_fqdn"], ua_id), *more)
        check(f"curl, {what}: 200", a.status == 200 and a.answers == 2, (a.status, a.answers, a.error))
        check(f"curl, {what}: who", a.body == f"digest {ue.btid} 0\n".encode(), a.body)
        check(f"curl, {what}: rspauth", "rspauth=" in a.fields.get("authentication-info", ""), a.fields)
        a = curl(lab, naf, scheme, ue.btid, password(ue, lab["naf_fqdn"], "0100000007"), *more)
        check(f"curl, {what}: the key of another Ua id", a.status == 401, a.status)
    good = password(ue, lab["naf_fqdn"], DIGEST)
    a = curl(lab, naf, "http", ue.btid, good, "-T", lab["ca"])
    check("curl, PUT", a.status == 200 and a.body.startswith(f"digest {ue.btid} ".encode()), (a.status, a.body))
    unknown = base64.b64encode(b"\1" * 16).decode() + "@" + lab["bsf_name"]
    for what, user, status in (("unknown B-TID", unknown, 401), ("foreign domain", ue.btid + ".example", 403),
                               ("no B-TID", "joe", 401)):
        a = curl(lab, naf, "http", user, good)
        check(f"curl, {what}", a.status == status, (a.status, a.fields))


class Digest:
    """RFC 7616 for one challenge: either algorithm, either qop."""

    def __init__(self, lab, address, algorithm):
        self.lab, self.address, self.algorithm = lab, address, algorithm
        self.hash = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]
        self.first = request(address, None, host=lab["naf_fqdn"], target="/x", agent="e2e 3gpp-gba")
        self.challenges, self.opaque = self.first.head, ""

    def h(self, text):
        return self.hash(text.encode()).hexdigest()

    def response(self, ue, nonce, method, qop, nc, body):
        realm = f"3GPP-bootstrapping@{self.lab['naf_fqdn']}"
        a1 = self.h(f"{ue.btid}:{realm}:{password(ue, self.lab['naf_fqdn'], DIGEST)}")
        a2 = self.h(f"{method}:/x" + (":" + self.hash(body).hexdigest() if qop == "auth-int" else ""))
        return self.h(f"{a1}:{nonce}:{nc}:abcdef:{qop}:{a2}")

    def ask(self, ue, nonce, qop, nc, body=b"", spoil=""):
        response = spoil or self.response(ue, nonce, "POST", qop, nc, body)
        return request(self.address, f'Digest username="{ue.btid}", realm="3GPP-bootstrapping@{self.lab["naf_fqdn"]}", '
                       f'nonce="{nonce}", uri="/x", qop={qop}, nc={nc}, cnonce="abcdef", response="{response}", '
                       f'algorithm={self.algorithm}' + self.opaque, method="POST", target="/x", body=body,
                       host=self.lab["naf_fqdn"], agent="e2e 3gpp-gba")


def test_algorithms(lab, naf):
    ue, _ = bootstrap(lab)
    host, port = naf.said["http"].rsplit(":", 1)
    for algorithm in ("MD5", "SHA-256"):
        d = Digest(lab, (host, int(port)), algorithm)
        check(f"{algorithm} is offered", d.first.status == 401 and f"algorithm={algorithm}" in d.challenges, d.first.head)
        for qop in ("auth", "auth-int"):
            nonce = re.search(r'nonce="([^"]+)"', d.challenges).group(1)
            opaque = re.search(r'opaque="([^"]+)"', d.challenges)
            d.opaque = f', opaque="{opaque.group(1)}"' if opaque else ""
            nc = "00000001" if qop == "auth" else "00000002"
            a = d.ask(ue, nonce, qop, nc, b"hello")
            check(f"{algorithm}, {qop}: 200", a.status == 200 and a.body == f"digest {ue.btid} 5\n".encode(), a.status)
            info = a.params("authentication-info")
            check(f"{algorithm}, {qop}: rspauth", info.get("rspauth") == d.response(ue, nonce, "", qop, nc, a.body), info)
            check(f"{algorithm}, {qop}: replayed nc", d.ask(ue, nonce, qop, nc, b"hello").status == 401)
            a = d.ask(ue, nonce, qop, "00000009", b"hello", spoil="0" * 32)
            check(f"{algorithm}, {qop}: wrong response", a.status == 401, a.status)


def said(r):
    return (r.returncode, r.stdout, r.stderr[-400:])


def test_gba(lab, naf, folder):
    device = Device.of(lab, folder)
    at = ["--naf", lab["naf_fqdn"]]
    http, https = (f"{s}://{naf.said[s]}/" for s in ("http", "https"))
    data = f"{folder}/data"
    with open(data, "w") as f:
        f.write("hello")
    rows = [
        ("http", ["get", http], "digest"), ("put http", ["put", http, "--data", data], " 5"),
        ("https", ["get", https, "--ua-protocol", "http-digest"], None),
        ("https as the NAF asks", ["get", https], ""),
        ("PSK-TLS 1.2, ECDHE", ["get", https, "--ua-protocol", "psk-tls12:ccac"], "010001ccac"),
        ("PSK-TLS 1.2, DHE", ["get", https, "--ua-protocol", "psk-tls12:00aa"], "01000100aa"),
        ("PSK-TLS 1.2, plain", ["get", https, "--ua-protocol", "psk-tls12:00a8"], "01000100a8"),
        ("PSK-TLS 1.2, bare identity", ["get", https, "--ua-protocol", "psk-tls12:ccac", "--bare-identity"],
         "010001ccac"),
        ("PSK-TLS 1.3", ["get", https, "--ua-protocol", "psk-tls13"], "0100000007"),
        ("put PSK-TLS 1.3", ["put", https, "--data", data, "--ua-protocol", "psk-tls13"], "0100000007"),
    ]
    for what, argv, text in rows:
        r = device.run(*argv, *at)
        if text is None:  # the Ua id of plain HTTP is not that of the connection: the NAF's key is another
            check(f"gba, {what}: refused", r.returncode != 0, said(r))
        else:
            check(f"gba, {what}: accepted", r.returncode == 0 and text in r.stdout, said(r))
    runs = lab.log("bsfd").count(" ub.bootstrapped ")
    check("gba: one run for all", device.run("get", http, *at).returncode == 0 and
          lab.log("bsfd").count(" ub.bootstrapped ") == runs)


def test_forgotten(lab, naf, folder):
    """Other runs of the same subscriber end the device's session at the BSF (a bounded number lives)."""
    os.mkdir(folder)
    device = Device.of(lab, folder)
    check("gba: a session", device.run("bootstrap").returncode == 0)
    others = 8  # session.per_subscriber of the laboratory
    for _ in range(others):
        bootstrap(lab)
    for what, argv in (("Digest", ["get", f"http://{naf.said['http']}/"]),
                       ("PSK-TLS 1.2", ["get", f"https://{naf.said['https']}/", "--ua-protocol", "psk-tls12:ccac"]),
                       ("PSK-TLS 1.3", ["get", f"https://{naf.said['https']}/", "--ua-protocol", "psk-tls13"])):
        runs = lab.log("bsfd").count(" ub.bootstrapped ")
        r = device.run(*argv, "--naf", lab["naf_fqdn"])
        check(f"{what}, B-TID unknown: one more run", r.returncode == 0 and
              lab.log("bsfd").count(" ub.bootstrapped ") == runs + 1, said(r))
        for _ in range(others):
            bootstrap(lab)


def test_expiry(folder):
    certificates = make_certificates()
    b = bsf_lab.Bsfd(certificates, bsf_lab.NO_LIMITS + "\nsession: {lifetime: 10s, min_lifetime: 1s, max_lifetime: 10s}")
    naf = Program("tests/e2e/naf", "naf1.example.org", bsf_lab.NAME,
                  f"https://localhost:{b.address('zn')[1]}/bsf/requestBootstrappingInfo", f"{b.dir}/ca.pem",
                  f"{b.dir}/naf1.pem", f"{b.dir}/naf1.key", lines=2)
    os.mkdir(folder)
    device = Device(folder, {"impi": bsf_lab.IMPI, "algorithm": "xor", "k": bsf_lab.K.hex(), "mnc_len": 2}, "--bsf",
                    f"http://127.0.0.1:{b.address('ub')[1]}/", "--bsf-name", bsf_lab.NAME, "--ca", f"{b.dir}/ca.pem")
    seen = []
    for i in range(2):
        for more in ([], ["--ua-protocol", "psk-tls12:ccac"]):
            scheme = "https" if more else "http"
            r = device.run("get", f"{scheme}://{naf.said[scheme]}/", "--naf", "naf1.example.org", *more)
            check(f"round {i}, {scheme}: accepted", r.returncode == 0, said(r))
            seen.append(r.stdout.split()[1] if r.returncode == 0 else None)
        time.sleep(10.5 if i == 0 else 0)
    check("another B-TID once the key has expired", seen[0] != seen[2], seen)
    r = naf.end()
    check("the NAF ends", r[0] == 0, r)
    check("bsfd ends", b.end()[0] == 0)
    shutil.rmtree(certificates)


def main():
    lab = Lab("--zh=file")
    folder = tempfile.mkdtemp(prefix="ua-e2e.")
    try:
        naf = test_naf(lab)
        test_curl(lab, naf)
        test_algorithms(lab, naf)
        test_gba(lab, naf, folder)
        test_forgotten(lab, naf, folder + "/second")
        code, log = naf.end()
        check("the NAF ends", code == 0, log)
        check("the NAF's log has no key", lab["k"] not in log and lab["impi"] not in log, log)
    finally:
        check("the laboratory ends with 0, and no sanitizer spoke", lab.end())
    test_expiry(folder + "/third")
    shutil.rmtree(folder)
    return summary()


if __name__ == "__main__":
    sys.exit(main())
