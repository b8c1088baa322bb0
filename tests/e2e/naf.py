#!/usr/bin/env python3
"""The example NAF (libgba-naf) with a real bsfd: curl as a UE with Ua Digest, which shares no code
with either.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import os
import shutil
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
from bsf_lab import BUILD, IMPI, NAME, Bsfd, bootstrap, check, kdf, make_certificates, request, run, summary  # noqa: E402

PROGRAM = os.path.abspath(os.path.join(BUILD, "doc/examples/naf_minimal"))
FQDN = "naf1.example.org"
REALM = f"3GPP-bootstrapping@{FQDN}"


class Naf:
    def __init__(self, bsfd):
        d = bsfd.dir
        self.p = subprocess.Popen([PROGRAM, FQDN, "0", NAME, f"https://localhost:{bsfd.address('zn')[1]}"
                                   "/bsf/requestBootstrappingInfo", f"{d}/ca.pem", f"{d}/naf1.pem", f"{d}/naf1.key"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.p.stdout.readline().split("=")[1])

    def curl(self, *argv, path="/x", times=1):
        """Statuses of `times` requests on one connection, and all that curl prints."""
        url = f"http://{FQDN}:{self.port}{path}"
        r = run("curl", "-s", "-v", "--noproxy", "*", "--resolve", f"{FQDN}:{self.port}:127.0.0.1", *argv, *[url] * times)
        text = r.stdout + r.stderr
        return [int(x.split()[2]) for x in text.splitlines() if x.startswith("< HTTP/1.1")], text

    def end(self):
        self.p.stdin.close()
        return self.p.wait(timeout=20)


def password(ue):
    key = kdf(ue.ks, b"gba-me", ue.rand, IMPI.encode(), FQDN.encode() + bytes.fromhex("0100000002"))
    return base64.b64encode(key).decode()


def test_ua(bsfd, naf):
    ue, _ = bootstrap(bsfd.address("ub"))
    login = f"{ue.btid}:{password(ue)}"
    status, text = naf.curl()
    check("challenged", status == [401] and f'realm="{REALM}"' in text, text)
    status, text = naf.curl("--digest", "-u", login, times=3)
    check("accepted", status == [401, 200] * 3, status)
    check("one connection", "Closing connection" not in text, text)
    check("who", text.count(f"Hello, {ue.btid}") == 3, text)
    check("rspauth", text.count("Authentication-Info: ") == 3 and "rspauth=" in text, text)
    check("algorithm", "algorithm=SHA-256" in text, text)
    status, text = naf.curl("--digest", "-u", login, path="/a/b?c=d%20e&f")
    check("path and query", status == [401, 200], text)
    status, text = naf.curl("--digest", "-u", f"{ue.btid}:{base64.b64encode(bytes(32)).decode()}")
    check("wrong key", set(status) == {401} and "Hello" not in text, status)
    status, text = naf.curl("--digest", "-u", f"{base64.b64encode(bytes(16)).decode()}@{NAME}:x")
    check("unknown B-TID", set(status) == {401}, status)
    status, _ = naf.curl("--digest", "-u", f"{ue.btid.split('@')[0]}@bsf.example.net:x")
    check("B-TID of a foreign domain", status == [401, 403], status)
    status, _ = naf.curl("--digest", "-u", "user:password")
    check("no B-TID", set(status) == {401}, status)
    check("another host", naf.curl("-H", "Host: evil.example.org")[0] == [421])
    check("another of two fields", naf.curl("-H", "Authorization: Digest x=y", "-H", "Host: " + FQDN)[0] == [400])
    return login


def sha256(*parts):
    return hashlib.sha256(":".join(parts).encode()).hexdigest()


def test_counts(bsfd, naf):
    """One nonce, several counts, by hand: curl asks for a new nonce each time."""
    ue, _ = bootstrap(bsfd.address("ub"))
    at = ("127.0.0.1", naf.port)
    p = request(at, host=FQDN, target="/y").params("www-authenticate")

    def ask(nc, cnonce="abc"):
        ha1 = sha256(ue.btid, REALM, password(ue))
        response = sha256(ha1, p["nonce"], nc, cnonce, "auth", sha256("GET", "/y"))
        return request(at, f'Digest username="{ue.btid}", realm="{REALM}", nonce="{p["nonce"]}", uri="/y", qop=auth, '
                       f'nc={nc}, cnonce="{cnonce}", response="{response}", algorithm=SHA-256', host=FQDN, target="/y")
    for nc, status in (("00000001", 200), ("00000002", 200), ("00000002", 401), ("00000010", 200), ("00000009", 401)):
        a = ask(nc)
        check(f"nc {nc}: {status}", a.status == status, a.status)
        check(f"nc {nc}: stale", ("stale=true" in a.fields.get("www-authenticate", "")) == (status == 401), a.fields)


def test_bsf_away(bsfd, naf, login):
    late, _ = bootstrap(bsfd.address("ub"))
    bsfd.process.send_signal(signal.SIGTERM)
    bsfd.process.wait(timeout=20)
    status, _ = naf.curl("--digest", "-u", login)
    check("a known key needs no BSF", status == [401, 200], status)
    status, text = naf.curl("--digest", "-u", f"{late.btid}:{password(late)}")
    check("a new one does", status == [401, 503] and "Retry-After" in text, status)


def main():
    certificates = make_certificates()
    bsfd = Bsfd(certificates)
    naf = Naf(bsfd)
    try:
        login = test_ua(bsfd, naf)
        test_counts(bsfd, naf)
        test_bsf_away(bsfd, naf, login)
        check("ends with 0", naf.end() == 0)
    finally:
        naf.p.kill()
        bsfd.end()
        shutil.rmtree(certificates)
    return summary()


if __name__ == "__main__":
    sys.exit(main())
