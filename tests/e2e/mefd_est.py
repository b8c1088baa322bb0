#!/usr/bin/env python3
"""Certificates by EST (RFC 7030) from a real mefd with the lab CA: curl with certificates, prepared requests through openssl
s_client with a PSK (curl has none), gba est, requests and verification by openssl.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import mefd  # noqa: E402
from bsf_lab import IMPI, bootstrap, check, exchange, kdf, make_cert, run, summary, write  # noqa: E402
from est_lab import (  # noqa: E402
    CSE7_FQDN, GBA, IMPI2, KPM, KPM_ID, LAB, Lab, METER, P256, PKCS7, certificates, gba, kpm_file, outputs, pair_is_good,
    psk_session, public_key, spoilt, verifies)
from mefd import CSE, CSE_FQDN, DEVICE, MEF  # noqa: E402



# ---- certificates on the TLS side -------------------------------------------------------------

def test_cacerts(lab):
    a = lab.curl("cacerts")
    check("cacerts", a.status == 200 and a.fields.get("content-type") == PKCS7, (a.status, a.fields))
    check("base64 is said", a.fields.get("content-transfer-encoding") == "base64", a.fields)
    check("lines are short", max(len(x) for x in a.body.splitlines()) <= 76)
    pems = certificates(a.body)
    check("the root", len(pems) == 1 and pems[0] == open(f"{lab.dir}/lab-ca/root.pem").read(), len(pems))
    write(f"{lab.dir}/root.pem", pems[0])
    text = run("openssl", "x509", "-in", f"{lab.dir}/root.pem", "-noout", "-text").stdout
    for part in ("CA:TRUE, pathlen:0", "X509v3 Name Constraints: critical", "DNS:sp.example.org", "prime256v1",
                 "ecdsa-with-SHA256", "Certificate Sign, CRL Sign", "X509v3 Subject Key Identifier"):
        check(f"root: {part}", part in text, text)
    check("also without a row", lab.curl("cacerts", cert="stranger").status == 200)
    for f, mode in (("root.key", 0o600), ("root.pem", 0o644), ("crl.pem", 0o644), ("issued", 0o600)):
        check(f"{f}: mode", os.stat(f"{lab.dir}/lab-ca/{f}").st_mode & 0o777 == mode)
    # curl has the MEF's own root; without a certificate TLS ends
    check("no certificate, no EST", lab.curl("cacerts", cert=None).status == 0)


def test_csrattrs(lab):
    a = lab.curl("csrattrs")
    check("csrattrs", a.status == 200 and a.fields.get("content-type") == "application/csrattrs", a.fields)
    r = subprocess.run(["openssl", "asn1parse", "-inform", "DER"], input=base64.b64decode(a.body), capture_output=True)
    text = r.stdout.decode()
    check("csrattrs: form", all(x in text for x in ("prime256v1", "Extension Request", "X509v3 Subject Alternative Name",
                                                    "ecdsa-with-SHA256")), text)
    check("csrattrs: the name to ask for", CSE_FQDN.encode().hex().upper() in text, text)
    check("csrattrs: no challengePassword", "challengePassword" not in text, text)


def test_enrol(lab):
    der = lab.csr("est1", f"DNS:{CSE_FQDN}", subject="/CN=registrar 1")
    text = lab.take(lab.enrol("simpleenroll", der), "est1")
    check("verifies", verifies(lab, "est1") and verifies(lab, "est1", "root", "-purpose", "sslclient") and
          verifies(lab, "est1", "root", "-purpose", "sslserver"))
    check("the request's key", public_key(lab, "est1") == public_key(lab, "est1", "pkey") != "")
    for part in (f"DNS:{CSE_FQDN}", "Digital Signature", "TLS Web Client Authentication", "TLS Web Server Authentication",
                 "CA:FALSE", "ecdsa-with-SHA256", "CN = registrar 1", "X509v3 Authority Key Identifier"):
        check(f"certificate: {part}", part in text, text)
    check("certificate: the life of the configuration",
          run("openssl", "x509", "-in", f"{lab.dir}/est1.pem", "-noout", "-checkend", str(29 * 86400)).returncode == 0 and
          run("openssl", "x509", "-in", f"{lab.dir}/est1.pem", "-noout", "-checkend", str(31 * 86400)).returncode == 1)
    record = open(f"{lab.dir}/lab-ca/issued").read().split()
    serial = run("openssl", "x509", "-in", f"{lab.dir}/est1.pem", "-noout", "-serial").stdout.strip().split("=")[1]
    check("record", record[0].upper() == serial and record[2] == CSE, (record, serial))
    # the registrar is known to the MEF by its new certificate
    a = lab.ask(mefd.fetch_path("00" * 16 + "@" + MEF), cert="est1")
    check("accepted by mefd as the target", a.status == 404 and b'"Status":false' in a.body.replace(b" ", b""),
          (a.status, a.body))


def test_renewal(lab):
    der = lab.csr("est2", f"DNS:{CSE_FQDN}", subject="/CN=registrar 1")
    first = open(f"{lab.dir}/est1.pem").read()
    lab.take(lab.enrol("simplereenroll", der, cert="est1"), "est2")
    check("renewed: verifies", verifies(lab, "est2") and open(f"{lab.dir}/est2.pem").read() != first)
    same_key = lab.csr("est3", f"DNS:{CSE_FQDN}", key="est2", subject="/CN=registrar 1")
    shutil.copy(f"{lab.dir}/est2.key", f"{lab.dir}/est3.key")
    lab.take(lab.enrol("simplereenroll", same_key, cert="est2"), "est3")
    rows = [
        ("a certificate of another CA", der, "cse1"),
        ("another subject", lab.csr("x", f"DNS:{CSE_FQDN}"), "est2"),
        ("another name", lab.csr("x", "DNS:cse2.sp.example.org", subject="/CN=registrar 1"), "est2"),
    ]
    for what, bad, cert in rows:
        a = lab.enrol("simplereenroll", bad, cert=cert)
        check(f"renewal with {what}: 403", a.status == 403 and a.fields.get("content-type") == "text/plain" and a.body,
              (a.status, a.fields))
    check("renewal by a PSK: 403", in_psk(lab, "simplereenroll", der) == 403)


def in_psk(lab, op, der):
    s = psk_session(lab)
    status = s.est(op, der).status
    s.end()
    return status


def test_refusals(lab):
    good = lab.csr("good", f"DNS:{CSE_FQDN}")
    rows = [
        ("the name of another", lab.csr("x", "DNS:cse2.sp.example.org"), 403),
        ("a name below", lab.csr("x", f"DNS:a.{CSE_FQDN}"), 403),
        ("a wildcard", lab.csr("x", "DNS:*.sp.example.org"), 403),
        ("the wrong type of name", lab.csr("x", f"URI:{CSE}"), 403),
        ("two names", lab.csr("x", f"DNS:{CSE_FQDN},DNS:cse2.sp.example.org"), 400),
        ("an address beside", lab.csr("x", f"DNS:{CSE_FQDN},IP:127.0.0.1"), 400),
        ("no name", lab.csr("x", None, subject=f"/CN={CSE_FQDN}"), 400),
        ("another's commonName", lab.csr("x", f"DNS:{CSE_FQDN}", subject="/CN=cse2.sp.example.org"), 403),
        ("an RSA key", lab.csr("x", f"DNS:{CSE_FQDN}", "-newkey", "rsa:2048"), 400),
        ("P-384", lab.csr("x", f"DNS:{CSE_FQDN}", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"), 400),
        ("Ed25519", lab.csr("x", f"DNS:{CSE_FQDN}", "-newkey", "ed25519"), 400),
        ("SHA-384", lab.csr("x", f"DNS:{CSE_FQDN}", *P256, "-sha384"), 400),
        ("a CA", lab.csr("x", f"DNS:{CSE_FQDN}", *P256, "-addext", "basicConstraints=critical,CA:TRUE"), 400),
        ("name constraints", lab.csr("x", f"DNS:{CSE_FQDN}", *P256, "-addext", "nameConstraints=permitted;DNS:x"), 400),
        ("a bad signature", spoilt(good), 400),
        ("a tail", good + b"\0", 400),
        ("a head only", good[:-1], 400),
        ("garbage", os.urandom(300), 400),
        ("nothing", b"\n", 400),
    ]
    before = open(f"{lab.dir}/lab-ca/issued").read()
    for what, der, status in rows:
        a = lab.enrol("simpleenroll", der)
        check(f"{what}: {status}", a.status == status and a.fields.get("content-type") == "text/plain", (a.status, a.body))
    more = [
        ("not base64", lab.enrol("simpleenroll", b"hello, world", encode=False), 400),
        ("PEM", lab.enrol("simpleenroll", b"-----BEGIN CERTIFICATE REQUEST-----\nMIH\n", encode=False), 400),
        ("over the cap", lab.enrol("simpleenroll", b"A" * 12000, encode=False), 413),
        ("far over the cap", lab.enrol("simpleenroll", b"A" * 200000, encode=False), 413),
        ("another media type", lab.enrol("simpleenroll", good, content="application/octet-stream"), 415),
        ("a certificate without row", lab.enrol("simpleenroll", good, cert="stranger"), 403),
        ("a certificate of others", lab.enrol("simpleenroll", good, cert="rogue"), 0),
        ("GET", lab.curl("simpleenroll"), 405), ("POST", lab.enrol("cacerts", good), 405),
        ("serverkeygen", lab.enrol("serverkeygen", good), 501), ("fullcmc", lab.enrol("fullcmc", good), 501),
        ("a label", lab.curl("label/cacerts"), 404), ("nothing", lab.curl(""), 404),
    ]
    for what, a, status in more:
        check(f"{what}: {status}", a.status == status, (a.status, a.body[:100]))
    check("Allow", lab.curl("simpleenroll").fields.get("allow") == "POST" and
          lab.enrol("csrattrs", good).fields.get("allow") == "GET")
    check("nothing was issued", open(f"{lab.dir}/lab-ca/issued").read() == before)


# ---- over the PSK session ---------------------------------------------------------------------

def test_psk(lab):
    s = psk_session(lab)
    check("PSK session", s.up, s.out[-300:])
    a = s.est("cacerts")
    check("PSK: cacerts", certificates(a.body) == [open(f"{lab.dir}/root.pem").read()], a.status)
    a = s.est("csrattrs")
    check("PSK: the AE-ID to ask for", b"\x86" + bytes([len(DEVICE)]) + DEVICE.encode() in base64.b64decode(a.body), a.body)
    der = lab.csr("ae", f"URI:{DEVICE}")
    text = lab.take(s.est("simpleenroll", der), "ae")
    check("AE: no server", "TLS Web Client" in text and "TLS Web Server" not in text, text)
    check("AE: the name is critical without a subject", "Alternative Name: critical\n" in text and f"URI:{DEVICE}" in text)
    check("AE: verifies", verifies(lab, "ae", "root", "-purpose", "sslclient"))
    for what, san, status in (("of a CSE", f"DNS:{CSE_FQDN}", 403), ("of another AE", "URI://sp.example.org/cse1/Cx", 403)):
        a = s.est("simpleenroll", lab.csr("x", san))
        check(f"PSK: the name {what}: {status}", a.status == status, a.status)
    check("the session goes on", s.est("cacerts").status == 200)
    s.end()
    s = psk_session(lab, IMPI2)
    text = lab.take(s.est("simpleenroll", lab.csr("cse7", f"DNS:{CSE7_FQDN}")), "cse7")
    check("a CSE enrols by PSK", f"DNS:{CSE7_FQDN}" in text and verifies(lab, "cse7"), text)
    s.end()
    check("the log knows no IMPI", IMPI not in lab.mefd.text() and IMPI2 not in lab.mefd.text())


def test_renewal_of_enrolees(lab):
    """They come to the other listener with what they got by PSK."""
    for name, san in (("ae", f"URI:{DEVICE}"), ("cse7", f"DNS:{CSE7_FQDN}")):
        lab.take(lab.enrol("simplereenroll", lab.csr(name + "2", san), cert=name), name + "2")
        check(f"{name}: renewed", verifies(lab, name + "2"))
        check(f"{name}: not another's", lab.enrol("simplereenroll", lab.csr("x", f"DNS:{CSE_FQDN}"), cert=name).status == 403)
    a = lab.ask(mefd.fetch_path("00" * 16 + "@" + MEF), cert="ae", origin=DEVICE)
    check("an enrolee is no target", a.status == 403, a.status)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_foreign_server(lab):
    """A TLS server that trusts the lab CA takes the device's certificate, and shows one of its own."""
    port = free_port()
    server = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", f"{lab.dir}/est2.pem", "-key",
                               f"{lab.dir}/est2.key", "-CAfile", f"{lab.dir}/root.pem", "-Verify", "1",
                               "-verify_return_error", "-www", "-naccept", "2"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    for _ in range(100):
        if server.poll() is None and run("sh", "-c", f"grep -qi :{port:04X} /proc/net/tcp").returncode == 0:
            break
        time.sleep(0.1)

    def ask(name):
        context = ssl.create_default_context(cafile=f"{lab.dir}/root.pem")
        context.load_cert_chain(f"{lab.dir}/{name}.pem", f"{lab.dir}/{name}.key")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as s, \
                    context.wrap_socket(s, server_hostname=CSE_FQDN) as t:
                t.sendall(b"GET / HTTP/1.0\r\n\r\n")
                return t.recv(100)
        except (OSError, ssl.SSLError) as e:
            return repr(e).encode()
    try:
        got = ask("ae")
        check("the device's certificate is accepted", got.startswith(b"HTTP/1.0 200"), got)
        got = ask("cse1")
        check("one of another CA is not", not got.startswith(b"HTTP/1.0 200"), got)
    finally:
        server.kill()
        server.wait()


# ---- our own client ---------------------------------------------------------------------------

def test_gba_psk(lab):
    """A device that has nothing but a key: a certificate, and its renewal with that certificate."""
    ue, _ = bootstrap(lab.bsfd.address("ub"))
    key = kdf(ue.ks, b"gba-me", ue.rand, IMPI.encode(), MEF.encode() + bytes.fromhex("010001ccac"))
    psk = kpm_file(lab, "kpm", ue.btid, key)
    r = gba(lab, "cacerts", "psk", *psk)
    check("gba cacerts", r.returncode == 0 and r.stdout == open(f"{lab.dir}/root.pem").read(), (r.returncode, r.stderr))
    r = gba(lab, "csrattrs", "psk", *psk, "--out", f"{lab.dir}/attrs")
    check("gba csrattrs", r.returncode == 0 and DEVICE.encode() in open(f"{lab.dir}/attrs", "rb").read(), r.stderr)
    r = gba(lab, "enrol", "psk", *psk, "--id", DEVICE, *outputs(lab, "dev"), "--json")
    check("gba enrol", r.returncode == 0 and '"name": "%s"' % DEVICE in r.stdout, (r.returncode, r.stderr, r.stdout))
    check("gba enrol: the pair", pair_is_good(lab, "dev", f"URI:{DEVICE}"))
    check("no key is printed", key.hex() not in r.stdout + r.stderr and "PRIVATE" not in r.stdout + r.stderr)
    old = open(f"{lab.dir}/dev.pem").read(), open(f"{lab.dir}/dev.key").read()
    r = gba(lab, "renew", "mef", "--id", DEVICE, *outputs(lab, "dev"))
    check("gba renew", r.returncode == 0, (r.returncode, r.stderr))
    new = open(f"{lab.dir}/dev.pem").read(), open(f"{lab.dir}/dev.key").read()
    check("gba renew: a new pair", pair_is_good(lab, "dev", f"URI:{DEVICE}") and old[0] != new[0] and old[1] != new[1])
    check("gba renew: nothing aside", not any(x.endswith(".next") for x in os.listdir(lab.dir)))
    rows = [
        ("another identifier", 77, ("enrol", "psk", *psk, "--id", "//sp.example.org/cse1/Cx")),
        ("a renewal of another", 77, ("renew", "mef", "--id", "//sp.example.org/cse1/Cx")),
        ("a wrong key", 76, ("enrol", "psk", *kpm_file(lab, "wrong", ue.btid, bytes(32)), "--id", DEVICE)),
        ("an unknown identity", 76, ("enrol", "psk", *kpm_file(lab, "who", "nobody@" + MEF, key), "--id", DEVICE)),
        ("the listener of certificates", 76, ("enrol", "mef", *psk, "--id", DEVICE)),
        ("a certificate without row", 77, ("enrol", "mef", *lab.pair("stranger"), "--id", DEVICE)),
    ]
    for what, status, argv in rows:
        r = gba(lab, *argv, *outputs(lab, "dev"))
        check(f"gba with {what}: {status}", r.returncode == status and r.stderr, (r.returncode, r.stderr))
    # in TLS 1.3 the server says no after the client's handshake, and libmicrohttpd says nothing at all
    r = gba(lab, "enrol", "mef", *lab.pair("rogue"), "--id", CSE, *outputs(lab, "dev"))
    check("gba with a certificate of others: 69 or 76", r.returncode in (69, 76), (r.returncode, r.stderr))
    check("the old pair stays", new == (open(f"{lab.dir}/dev.pem").read(), open(f"{lab.dir}/dev.key").read()))
    os.chmod(f"{lab.dir}/kpm", 0o644)
    check("a key others may read: 78", gba(lab, "cacerts", "psk", *psk).returncode == 78)
    os.chmod(f"{lab.dir}/dev.key", 0o644)
    r = gba(lab, "renew", "mef", "--id", DEVICE, *outputs(lab, "dev"))
    check("a private key others may read: 78", r.returncode == 78 and "others may read" in r.stderr, (r.returncode, r.stderr))
    os.chmod(f"{lab.dir}/dev.key", 0o600)


def test_whole_way(lab):
    """From Kpm to a certificate, by the certificate to a credential, and in with it at a registrar that has a certificate
    of the same CA; before and after a restart of the MEF, which knows the device by its certificate still."""
    kpm = f"{lab.dir}/meter_kpm"
    write(kpm, f"opengaa-credential=1\nkind=kpm\nkey_id={KPM_ID}\nkey={KPM.hex()}\npeer={MEF}\nentity={METER}\n", 0o600)
    mef = ["--mef", "https://localhost:%d" % lab.mefd.address("mef")[1], "--mef-fqdn", MEF]
    enrol = ["enrol", "--framework", "cert", "--target", CSE, "--state", f"{lab.dir}/state", "--ca", f"{lab.dir}/ca.pem",
             "--json", *lab.pair("meter")]
    mefd.make_cert(lab.dir, "ca", "meter", f"URI:{METER}")
    os.chmod(f"{lab.dir}/meter.key", 0o600)
    r = run(GBA, *enrol, *mef)
    check("before EST the name is nobody's: 77", r.returncode == 77, (r.returncode, r.stderr))
    r = gba(lab, "enrol", "psk", "--kpm-file", kpm, "--id", METER, *outputs(lab, "meter"))
    check("gba est by Kpm", r.returncode == 0 and pair_is_good(lab, "meter", f"URI:{METER}"), (r.returncode, r.stderr))
    for when in ("at once", "after a restart"):
        if when != "at once":
            check("mefd ends with 0", lab.mefd.end() == 0)
            lab.mefd.start()
            mef[1] = "https://localhost:%d" % lab.mefd.address("mef")[1]
        r = run(GBA, *enrol, *mef)
        check(f"gba enrol by that certificate, {when}", r.returncode == 0, (r.returncode, r.stderr))
        registrar = lab.start_registrar(lab.asks_mef(), cert="est2")
        host, port = registrar.address("registrar")
        r = run(GBA, "connect", f"{host}:{port}", "--psk", "--target", CSE, "--state", f"{lab.dir}/state", "--json")
        check(f"the registrar lets it in, {when}", r.returncode == 0 and METER in json.loads(r.stdout or "{}").get("answer", ""),
              (r.returncode, r.stdout, r.stderr))
        check("registrar ends with 0", registrar.end() == 0)
    r = gba(lab, "renew", "mef", "--id", METER, *outputs(lab, "meter"))
    check("gba est renew after that", r.returncode == 0 and pair_is_good(lab, "meter", f"URI:{METER}"), r.stderr)


def test_gba_certificate(lab):
    r = gba(lab, "enrol", "mef", *lab.pair("cse1"), "--id", CSE, *outputs(lab, "reg"))
    check("gba: a CSE by its certificate", r.returncode == 0 and pair_is_good(lab, "reg", f"DNS:{CSE_FQDN}"), r.stderr)
    # an interrupted switch is finished by the next run, also by one that fails
    for x in ("pem", "key"):
        shutil.copy(f"{lab.dir}/reg.{x}", f"{lab.dir}/half.{x}.next")
        write(f"{lab.dir}/half.{x}", "old", 0o600)
    r = run(GBA, "est", "renew", "--mef", "https://127.0.0.1:1", "--ca", f"{lab.dir}/ca.pem", "--id", CSE, *outputs(lab, "half"))
    check("nobody there: 69", r.returncode == 69, (r.returncode, r.stderr))
    check("the switch is finished", pair_is_good(lab, "half", f"DNS:{CSE_FQDN}"))
    r = gba(lab, "renew", "mef", *lab.pair("reg"), "--id", CSE, "--cert-out", f"{lab.dir}/one.pem", "--key-out",
            f"{lab.dir}/one.pem")
    check("one file for both", r.returncode == 0 and run("openssl", "pkey", "-in", f"{lab.dir}/one.pem", "-pubout").stdout ==
          public_key(lab, "one"), r.stderr)
    before = sorted(os.listdir(lab.dir))
    r = gba(lab, "enrol", "mef", *lab.pair("cse1"), "--id", CSE, "--cert-out", "/nonexistent/c", "--key-out", f"{lab.dir}/k")
    check("no folder: 74, nothing half", r.returncode == 74 and sorted(os.listdir(lab.dir)) == before, (r.returncode, r.stderr))
    for what, argv in (("no operation", ()), ("another operation", ("revoke",)), ("no MEF", ("enrol", "--id", CSE)),
                       ("no id", ("enrol", "--mef", "https://x", "--cert-out", "a", "--key-out", "b")),
                       ("no credential", ("cacerts", "--mef", "https://x")),
                       ("a certificate without a key", ("cacerts", "--mef", "https://x", "--cert", "c")),
                       ("renewal by Kpm", ("renew", "--mef", "https://x", "--kpm-file", "k", "--id", CSE, "--cert-out", "a",
                                           "--key-out", "b")),
                       ("both credentials", ("cacerts", "--mef", "https://x", "--cert", "c", "--key", "k", "--kpm-file", "f"))):
        r = run(GBA, "est", *argv)
        check(f"{what}: 64", r.returncode == 64 and r.stderr, (r.returncode, r.stderr))
    r = gba(lab, "cacerts", "mef", *lab.pair("cse1"), "--ca", f"{lab.dir}/other_ca.pem")
    check("a MEF of others: 76", r.returncode == 76, (r.returncode, r.stderr))
    make_cert(lab.dir, "ca", "wildcard", "DNS:*.example.org")
    os.chmod(f"{lab.dir}/wildcard.key", 0o600)
    text = open(f"{lab.dir}/mefd.yaml").read()
    write(f"{lab.dir}/mefd.yaml", text.replace("server.pem", "wildcard.pem").replace("server.key", "wildcard.key"), 0o600)
    lab.mefd.end()
    lab.mefd.start()
    r = gba(lab, "cacerts", "mef", *lab.pair("cse1"))
    check("a MEF with a wildcard: 76", r.returncode == 76 and "hostname mismatch" in r.stderr, (r.returncode, r.stderr))
    write(f"{lab.dir}/mefd.yaml", text, 0o600)
    lab.mefd.end()
    lab.mefd.start()
    check("with its name: 0", gba(lab, "cacerts", "mef", *lab.pair("cse1")).returncode == 0)


# ---- the daemon -------------------------------------------------------------------------------

def test_restart(lab):
    root = open(f"{lab.dir}/lab-ca/root.pem").read()
    record = open(f"{lab.dir}/lab-ca/issued").read()
    lab.mefd.end(signal.SIGKILL)
    lab.mefd.start()
    check("the root stays", certificates(lab.curl("cacerts").body) == [root])
    check("the record stays", open(f"{lab.dir}/lab-ca/issued").read() == record)
    lab.take(lab.enrol("simplereenroll", lab.csr("est4", f"DNS:{CSE_FQDN}", subject="/CN=registrar 1"), cert="est3"), "est4")
    with open(f"{lab.dir}/mefd.yaml") as f, open(f"{lab.dir}/second.yaml", "w") as second:
        second.write(f.read().replace("database: mefd.db", "database: second.db"))
    os.chmod(f"{lab.dir}/second.yaml", 0o600)
    r = run(mefd.MEFD, "--config", f"{lab.dir}/second.yaml", "--ports-file", f"{lab.dir}/second.ports")
    check("no second daemon at this CA", r.returncode == 78 and "another process" in r.stderr, (r.returncode, r.stderr))
    r = run("openssl", "crl", "-in", f"{lab.dir}/lab-ca/crl.pem", "-CAfile", f"{lab.dir}/root.pem", "-noout")
    check("the CRL is the CA's", "verify OK" in r.stderr, r.stderr)
    check("and good for openssl", run("openssl", "verify", "-crl_check", "-CAfile", f"{lab.dir}/root.pem", "-CRLfile",
                                      f"{lab.dir}/lab-ca/crl.pem", f"{lab.dir}/est4.pem").returncode == 0)


CRL = """[ca]
default_ca = a
[a]
database = {dir}/index
crlnumber = {dir}/crlnumber
default_md = sha256
default_crl_days = 30
certificate = {dir}/lab-ca/root.pem
private_key = {dir}/lab-ca/root.key
"""


def test_revocation(lab):
    """Who is on the CA's CRL has no session any more.  openssl writes the CRL here."""
    write(f"{lab.dir}/crl.cnf", CRL.format(dir=lab.dir))
    write(f"{lab.dir}/index", "")
    write(f"{lab.dir}/crlnumber", "1000\n")
    check("before", lab.curl("cacerts", cert="est1").status == 200)
    for argv in (["-revoke", f"{lab.dir}/est1.pem"], ["-gencrl", "-out", f"{lab.dir}/lab-ca/crl.pem"]):
        r = run("openssl", "ca", "-config", f"{lab.dir}/crl.cnf", *argv)
        check(f"openssl ca {argv[0]}", r.returncode == 0, r.stderr)
    lab.mefd.process.send_signal(signal.SIGHUP)
    for _ in range(100):
        if lab.curl("cacerts", cert="est1").status == 0:
            break
        time.sleep(0.05)
    check("revoked: no session", lab.curl("cacerts", cert="est1").status == 0)
    check("others go on", lab.curl("cacerts", cert="est4").status == 200 and lab.curl("cacerts", cert="ae").status == 200)
    check("ends with 0", lab.mefd.end() == 0)
    lab.mefd.start()
    check("also after a restart", lab.curl("cacerts", cert="est1").status == 0)
    check("the CRL is as it was",
          run("openssl", "crl", "-in", f"{lab.dir}/lab-ca/crl.pem", "-noout", "-crlnumber").stdout.strip() ==
          "crlNumber=0x1000")


def main():
    lab = Lab(LAB)
    try:
        test_cacerts(lab)
        test_csrattrs(lab)
        test_enrol(lab)
        test_renewal(lab)
        test_refusals(lab)
        test_psk(lab)
        test_renewal_of_enrolees(lab)
        test_foreign_server(lab)
        test_gba_psk(lab)
        test_gba_certificate(lab)
        test_whole_way(lab)
        test_restart(lab)
        test_revocation(lab)
        a = exchange(lab.mefd.address("metrics"), b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        check("metrics", b'mefd_est_total{result="ok"}' in a.body and b"mefd_certificates_total" in a.body, a.body[:200])
    finally:
        lab.end_of_test()
    return summary()


if __name__ == "__main__":
    sys.exit(main())
