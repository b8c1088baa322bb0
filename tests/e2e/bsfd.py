#!/usr/bin/env python3
"""bsfd over real sockets: every answer of Ub and Zn by table, by a client that shares no code
with it (bsf_lab.py).

SPDX-License-Identifier: Apache-2.0
"""
import base64
import json
import os
import re
import shutil
import signal
import socket
import ssl
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True
from bsf_lab import (BARRED, BSFD, CONFIG, IMPI, ISIM_NAME, K, NAME, NO_LIMITS, SUBSCRIBERS, TMPI_DOMAIN,  # noqa: E402
                     ZH_FILE, Bsfd, Ue, bootstrap, check, exchange, first, kdf, make_certificates, request, run, soap, summary,
                     write, zn)

# ---- Ub ------------------------------------------------------------------------------------

def test_bootstrap(b):
    plain = ssl.create_default_context(cafile=f"{b.dir}/ca.pem")
    for what, address, context in (("http", b.address("ub"), None), ("ipv6", b.address("ub", 1), None),
                                   ("https", b.address("ub_tls"), plain)):
        time.sleep(0.001)
        ue, a = bootstrap(address, context=context)
        check(f"{what}: status", a.status == 200, a.status)
        check(f"{what}: AUTN", ue.mac_ok)
        check(f"{what}: type", a.fields.get("content-type") == "application/vnd.3gpp.bsf+xml", a.fields)
        check(f"{what}: B-TID", ue.btid == base64.b64encode(ue.rand).decode() + "@" + NAME, ue.btid)
        info = a.params("authentication-info")
        check(f"{what}: rspauth", info.get("rspauth") == ue.digest("", a.body), info)
        check(f"{what}: info", info.get("qop") == "auth-int" and info.get("nc") == "00000001" and
              info.get("cnonce") == ue.cnonce, info)
        life = re.search(rb"<lifetime>(.*?)</lifetime>", a.body).group(1).decode()
        left = time.mktime(time.strptime(life, "%Y-%m-%dT%H:%M:%SZ")) - time.mktime(time.gmtime())
        check(f"{what}: lifetime of the GUSS", 7190 < left <= 7201, left)
        check(f"{what}: no-store", "no-store" in a.fields.get("cache-control", ""), a.fields)


def test_challenge_form(b):
    a = first(b.address("ub"))
    p = a.params("www-authenticate")
    check("challenge: realm", p["realm"] == NAME, p)
    check("challenge: one qop", 'qop="auth-int"' in a.fields["www-authenticate"], a.fields)
    check("challenge: token", "algorithm=AKAv1-MD5" in a.fields["www-authenticate"], a.fields)
    check("challenge: no comma in a value", a.fields["www-authenticate"].count(",") == 4, a.fields)
    check("challenge: ISIM name", first(b.address("ub"), host=ISIM_NAME + ":8080")
          .params("www-authenticate")["realm"] == ISIM_NAME)
    check("challenge: foreign Host", first(b.address("ub"), host="evil.example")
          .params("www-authenticate")["realm"] == NAME)
    ue, answer = bootstrap(b.address("ub"), host=ISIM_NAME)
    check("ISIM name: B-TID", answer.status == 200 and ue.btid.endswith("@" + ISIM_NAME), ue.btid)
    check("ISIM name: TMPI", first(b.address("ub"), ue.tmpi, host=ISIM_NAME).status == 401)


F = f'realm="{NAME}", nonce="", uri="/", response=""'
U = f'username="{IMPI}", '
UNREADABLE = [
    ("no Authorization", None, 400, "NO_AUTHORIZATION"),
    ("Basic", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", 400, "NOT_DIGEST"),
    ("malformed", f'Digest username="{IMPI}', 400, "SYNTAX"),
    ("malformed list", f"Digest {U[:-2]} {F}", 400, "SYNTAX"),
    ("repeated parameter", f"Digest {U}{U}{F}", 400, "REPEATED"),
    ("repeated nonce", f'Digest {U}{F}, nonce="x"', 400, "REPEATED"),
    ("empty username", f'Digest username="", {F}', 400, "EMPTY_USERNAME"),
    ("no username", f"Digest {F}", 400, "EMPTY_USERNAME"),
    ("unknown algorithm", f"Digest {U}{F}, algorithm=FOO", 400, "ALGORITHM"),
    ("algorithm MD5", f"Digest {U}{F}, algorithm=MD5", 400, "ALGORITHM"),
    ("-sess", f"Digest {U}{F}, algorithm=AKAv1-MD5-sess", 400, "ALGORITHM"),
    ("AKAv2", f"Digest {U}{F}, algorithm=AKAv2-SHA-256", 400, "ALGORITHM"),
    ("no realm", f'Digest {U}nonce="", uri="/", response=""', 400, "MISSING"),
    ("unknown subscriber", f'Digest username="nobody@example.org", {F}', 403, "SUBSCRIBER_UNKNOWN"),
    ("no NAI", f'Digest username="nobody", {F}', 403, "SUBSCRIBER_UNKNOWN"),
    ("barred subscriber", f'Digest username="{BARRED}", {F}', 403, "SUBSCRIBER_BARRED"),
    ("unknown TMPI", f'Digest username="{"A" * 32}{TMPI_DOMAIN}", {F}', 403, "TMPI_UNKNOWN"),
    # counter-tests of parsers that look for names instead of reading
    ("xnonce is not nonce", f'Digest {U}xnonce="evil", {F}', 401, "ub.challenged"),
    ("nonce inside a value", f'Digest {U}opaque="z, nonce=inner", {F}', 401, "ub.challenged"),
    ("escaped quote", f'Digest {U}x="a\\", nonce=\\"b", {F}', 401, "ub.challenged"),
    ("token form", f"digest {U}{F}, algorithm=\"AKAv1-MD5\", unknown=1,,", 401, "ub.challenged"),
]


def test_unreadable(b):
    for what, field, status, reason in UNREADABLE:
        mark = len(b.text())
        a = request(b.address("ub"), field)
        check(f"{what}: status", a.status == status, a.status)
        check(f"{what}: Server token", "3gpp-gba-tmpi" in a.fields.get("server", "").split(), a.fields)
        check(f"{what}: reason in the log", reason in b.text()[mark:], b.text()[mark:])
        if reason == "TMPI_UNKNOWN":
            check("problem", a.fields.get("content-type") == "application/problem+json" and
                  json.loads(a.body).get("cause") == "TMPI_UNKNOWN" and json.loads(a.body)["status"] == 403, a.body)
        else:
            check(f"{what}: empty body", a.body == b"", a.body)


def test_http(b):
    ok = f"Digest {U}{F}"
    rows = [
        ("path", dict(target="/foo"), 404), ("path with dots", dict(target="/../"), 404),
        ("favicon", dict(target="/favicon.ico"), 404),
        ("POST", dict(method="POST"), 405), ("HEAD", dict(method="HEAD"), 405), ("PUT", dict(method="PUT"), 405),
        ("POST elsewhere", dict(method="POST", target="/x"), 404),
        ("absolute form", dict(target=f"http://{NAME}/"), 401),
        ("absolute form without path", dict(target=f"http://{NAME}"), 401),
        ("query", dict(target="/?a=b"), 401),
        ("big body", dict(body=b"x" * 5000), 413), ("small body", dict(body=b"x" * 100), 401),
        ("big header", dict(fields=["X: " + "y" * 20000]), 431),
        ("length and chunks", dict(fields=["Content-Length: 3", "Transfer-Encoding: chunked"]), 400),
        ("two Authorizations", dict(fields=["Authorization: Digest x=y"]), 400),
        ("unknown fields", dict(fields=["X-TMUS-IMEI: 1", "Accept: */*", "Date: now"]), 401),
    ]
    for what, kw, status in rows:
        a = request(b.address("ub"), ok, **kw)
        check(f"{what}: status", a.status == status, a.status)
        check(f"{what}: Server token", "3gpp-gba-tmpi" in a.fields.get("server", "").split(), a.fields)
        if status == 405:
            check(f"{what}: Allow", a.fields.get("allow") == "GET", a.fields)
    started = time.time()
    with socket.create_connection(b.address("ub"), timeout=10) as s:  # a slow client
        s.sendall(b"GET / HTTP/1.1\r\n")
        try:
            while time.time() - started < 8 and s.send(b"X") == 1:
                time.sleep(0.2)
                s.settimeout(0.01)
                try:
                    if s.recv(1) == b"":
                        break
                except socket.timeout:
                    pass
        except OSError:
            pass
    check("slow client is ended", time.time() - started < 7, time.time() - started)


CHUNKED = "Transfer-Encoding: chunked"
REFUSED_BY_LIBRARY = [
    *[("GET / HTTP/1.1", f"Content-Length: {x}", "", 400, "CONTENT_LENGTH") for x in ("+0", "-1", "0x1", "0, 0", "")],
    ("GET / HTTP/1.1", "Content-Length: " + "9" * 23, "", 413, "CONTENT_LENGTH"),
    ("GET / HTTP/1.1", "X: " + "y" * 40000, "", 431, "HEADER_TOO_LARGE"),
    ("GET /" + "y" * 40000 + " HTTP/1.1", "X: y", "", 431, "HEADER_TOO_LARGE"),
    ("GET / HTTP/1.1", "X\0: y", "", 400, "HTTP"),
    ("GET / HTTP/1.1", "no colon", "", 400, "HTTP"),
    ("GET / HTTP/1.1", CHUNKED, "zz\r\nabc\r\n0\r\n\r\n", 400, "CHUNK"),
    ("GET /", "X: y", "", 400, "REQUEST_LINE"),
    ("GET / HTTP/2.0", "X: y", "", 505, "HTTP_VERSION"),
]


def first_line_without_space(b, data, at_end):
    mark = len(b.text())
    with socket.create_connection(b.address("ub")) as s:
        s.settimeout(10)
        s.sendall(data)
        if at_end:
            s.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: s.recv(4096), b""))
    check(f"{data}: one answer, 400", answer.startswith(b"HTTP/1.1 400 ") and answer.count(b"HTTP/1.1") == 1, answer)
    check(f"{data}: one line in the log", b.text()[mark:].count("why=REQUEST_LINE") == 1, b.text()[mark:])


def test_refused_by_library(b):
    context = ssl.create_default_context(cafile=f"{b.dir}/ca.pem")
    for line, field, body, status, reason in REFUSED_BY_LIBRARY:
        for name, tls in (("ub", None), ("ub_tls", context)):
            mark = len(b.text())
            data = f"{line}\r\nHost: {NAME}\r\n{field}\r\n\r\n{body}".encode("latin-1")
            a = exchange(b.address(name), data, tls)
            what = f"{name}: {line[:20]} {field[:30]}"
            check(f"{what}: status", a.status == status, a.head)
            check(f"{what}: one empty answer", a.body == b"", a.body)
            check(f"{what}: Server token", "3gpp-gba-tmpi" in a.fields.get("server", "").split(), a.fields)
            check(f"{what}: reason in the log", reason in b.text()[mark:], b.text()[mark:])
    for tail in (b"\r\n\r\n", b"\r\nHost: x\r\n\r\nmore"):
        for at_end in (False, True):
            first_line_without_space(b, b"rubbish" + tail, at_end)
    mark = len(b.text())
    socket.create_connection(b.address("ub")).close()
    exchange(b.address("ub"), f"GET / HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n".encode())
    check("who says nothing is not refused", "REQUEST_LINE" not in b.text()[mark:], b.text()[mark:])
    page = exchange(b.address("metrics"), b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").body
    check("counted", b'bsf_ub_refused_total{reason="HTTP_VERSION"} 2' in page)


def spoil(**changes):
    def apply(ue):
        for key, value in changes.items():
            setattr(ue, key, value)
    return apply


def flip(ue):
    ue.res = bytes([ue.res[0] ^ 1]) + ue.res[1:]


def other_rand(ue):
    ue.nonce = base64.b64encode(bytes(16) + ue.autn).decode()


ANSWERS = [
    ("wrong RES", flip, 401, "RES", True),
    ("qop auth", spoil(qop="auth"), 401, "QOP", True),
    ("no qop", spoil(drop=["qop"]), 401, "QOP", True),
    ("nc 2", spoil(nc="00000002"), 401, "NC", True),
    ("no nc", spoil(drop=["nc"]), 401, "NC", True),
    ("other realm", spoil(realm=ISIM_NAME), 401, "BINDING", True),
    ("other opaque", spoil(opaque="0" * 32), 401, "BINDING", True),
    ("no opaque", spoil(drop=["opaque"]), 401, "BINDING", True),
    ("no algorithm", spoil(drop=["algorithm"]), 401, "BINDING", True),
    ("other uri", spoil(uri="/x"), 401, "BINDING", True),
    ("unknown nonce", other_rand, 401, "NONCE", False),
    ("foreign nonce", spoil(nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"), 401, "NONCE", False),
    ("no cnonce", spoil(drop=["cnonce"]), 400, "MISSING", False),
    ("no response", spoil(drop=["response"]), 400, "MISSING", False),
    ("algorithm MD5", spoil(algorithm="MD5"), 400, "ALGORITHM", False),
    ("MAC failure", spoil(response=""), 403, "UE_MAC_FAILURE", False),
    ("AUTS that does not verify", spoil(auts="AAAAAAAAAAAAAAAAAAA="), 403, "AUTS", False),
    ("AUTS too short", spoil(auts="AAAA"), 400, "SYNTAX", False),
    ("trailing slash", spoil(uri=f"http://{NAME}"), 200, "OK", False),
    ("unknown parameter", spoil(extra=', x-y="z"'), 200, "OK", False),
    ("with a body", spoil(body=b"hello"), 200, "OK", False),
]


def test_answers(b):
    address = b.address("ub")
    for what, apply, status, reason, same in ANSWERS:
        challenge = first(address)
        ue = Ue(challenge)
        apply(ue)
        mark = len(b.text())
        a = ue.answer(address)
        check(f"{what}: status", a.status == status, a.status)
        check(f"{what}: reason in the log", f"reason={reason}" in b.text()[mark:], b.text()[mark:])
        if status == 401:
            again = a.params("www-authenticate")["nonce"] == challenge.params("www-authenticate")["nonce"]
            check(f"{what}: {'the same' if same else 'a live'} challenge", again or not same)
        if status not in (200, 403):
            check(f"{what}: the run is alive", Ue(challenge).answer(address).status == 200)
        # leave no unanswered challenge to the next row
        last = Ue(first(address))
        last.answer(address)


def test_three_wrong_answers(b):
    address = b.address("ub")
    challenge = first(address)
    ue = Ue(challenge)
    flip(ue)
    check("wrong answers", [ue.answer(address).status for _ in range(3)] == [401, 401, 403])
    flip(ue)
    check("used up", ue.answer(address).status == 401)
    check("nobody is locked out", bootstrap(address)[1].status == 200)


def test_replay(b):
    address = b.address("ub")
    ue, a = bootstrap(address)
    check("first", a.status == 200)
    a = ue.answer(address)
    check("replay", a.status == 401 and a.params("www-authenticate")["nonce"] != ue.nonce, a.status)


def test_repeated_first(b):
    address = b.address("ub")
    nonces = {first(address).params("www-authenticate")["nonce"] for _ in range(5)}
    check("repeated first requests get one challenge", len(nonces) == 1, nonces)


def test_resync(b):
    address = b.address("ub")
    ue = Ue(first(address))
    ue.make_auts(100000)
    second = ue.answer(address)
    check("AUTS: a new challenge", second.status == 401, second.status)
    fresh = Ue(second)
    check("AUTS: SEQ_MS + 1", int.from_bytes(fresh.sqn, "big") >> 5 == 100001, fresh.sqn.hex())
    again = Ue(second)
    again.make_auts(100002)
    check("second AUTS", again.answer(address).status == 403)
    check("the same AUTS again", ue.answer(address).status == 403)
    check("the run goes on", fresh.answer(address).status == 200)


def test_tmpi(b):
    address = b.address("ub")
    ue, a = bootstrap(address)
    second, a = bootstrap(address, ue.tmpi)
    check("TMPI as username", a.status == 200, a.status)
    third, a = bootstrap(address, second.tmpi)
    check("TMPI replaced", a.status == 200, a.status)
    check("an old TMPI", first(address, ue.tmpi).status == 403)
    ue, a = bootstrap(address, agent="old client")
    check("no token, no TMPI", first(address, ue.tmpi).status == 403)


# ---- Zn ------------------------------------------------------------------------------------

NAF_ID = b"naf1.example.org" + bytes.fromhex("0100000002")


def check_refusals(b):
    """A client that TLS refuses is told why, and so is the log."""
    host, port = b.address("zn")
    for version in "-tls1_2", "-tls1_3":
        for cert, alert, reason in (
                (None, "certificate required" if version == "-tls1_3" else "handshake failure", "no certificate"),
                ("rogue", "unknown ca", "certificate of an unknown CA")):
            pair = ["-cert", f"{b.dir}/{cert}.pem", "-key", f"{b.dir}/{cert}.key"] if cert else []
            r = run(*["openssl", "s_client", "-connect", f"{host}:{port}", version, "-ign_eof"] + pair,
                    input="GET / HTTP/1.0\r\n\r\n")
            check(f"Zn: {version}, {cert}: alert", alert in r.stderr + r.stdout, r.stderr)
            check(f"Zn: {version}, {cert}: logged", f'tls.refused peer=127.0.0.1 reason="{reason}"' in b.text())


def test_zn(b):
    ue, a = bootstrap(b.address("ub"))
    key = kdf(ue.ks, b"gba-me", ue.rand, IMPI.encode(), NAF_ID)
    for envelope in (True, False):
        a = zn(b, soap(ue.btid, NAF_ID, (0, 1), envelope, "urn:x"))
        check("Zn: status", a.status == 200, a.status)
        found = re.search(rb"<(?:\w+:)?meKeyMaterial>([^<]*)<", a.body)
        check("Zn: key", found and base64.b64decode(found.group(1)) == key, a.body)
        check("Zn: form of the request", (b"Envelope" in a.body) == envelope, a.body)
        check("Zn: namespace of the request", b"urn:x" in a.body, a.body)
        check("Zn: USSs", b"sip:a@" in a.body and b"sip:b@" in a.body and b"hidden" not in a.body, a.body)
        check("Zn: no IMPI", IMPI.encode() not in a.body, a.body)
        check("Zn: no gbaType", b"gbaType" not in a.body, a.body)
    naf2 = b"naf2.example.org" + bytes.fromhex("0100000002")
    a = zn(b, soap(ue.btid, naf2), "naf2")
    check("Zn: IMPI by policy", a.status == 200 and IMPI.encode() in a.body, a.body)
    unknown = base64.b64encode(bytes(16)).decode() + "@" + NAME
    rows = [
        ("another's FQDN", soap(ue.btid, naf2), "naf1", 500, "5402"),
        ("trusted but unlisted", soap(ue.btid, NAF_ID), "unlisted", 500, "5402"),
        ("the name in CN only", soap(ue.btid, NAF_ID), "cn_only", 500, "5402"),
        ("Ua id not in the row", soap(ue.btid, b"naf1.example.org" + bytes.fromhex("0100000007")), "naf1", 500, "5402"),
        ("default Ua id", soap(ue.btid, b"naf1.example.org" + bytes(5)), "naf1", 500, "5402"),
        ("TMPI's Ua id", soap(ue.btid, b"naf1.example.org" + bytes.fromhex("0100000100")), "naf1", 500, "5402"),
        ("a BSF name", soap(ue.btid, NAME.encode() + bytes.fromhex("0100000002")), "naf1", 500, "5402"),
        ("upper case FQDN", soap(ue.btid, b"NAF1.example.org" + bytes.fromhex("0100000002")), "naf1", 500, "5402"),
        ("unknown B-TID", soap(unknown, NAF_ID), "naf1", 500, "5403"),
        ("malformed B-TID", soap("rubbish", NAF_ID), "naf1", 500, "5403"),
        ("empty B-TID", soap("", NAF_ID), "naf1", 500, "5403"),
        ("long B-TID", soap("A" * 600, NAF_ID), "naf1", 500, "5403"),
        ("empty NAF_Id", soap(ue.btid, b""), "naf1", 500, "5402"),
        ("long NAF_Id", soap(ue.btid, b"a" * 300), "naf1", 500, "5402"),
        ("longer NAF_Id", soap(ue.btid, b"a" * 2000), "naf1", 500, "5402"),
        ("not XML", b"hello", "naf1", 400, None),
        ("a DTD", b'<!DOCTYPE x [<!ENTITY a "b">]>' + soap(ue.btid, NAF_ID), "naf1", 400, None),
        ("no request", b"<x/>", "naf1", 400, None),
        ("over the cap", soap(ue.btid, NAF_ID) + b" " * 70000, "naf1", 413, None),
    ]
    for what, body, cert, status, code in rows:
        a = zn(b, body, cert)
        check(f"Zn, {what}: status", a.status == status, a.status)
        if code:
            check(f"Zn, {what}: fault", f"<code>{code}</code>".encode() in re.sub(rb"<\w+:code", b"<code", a.body) and
                  b"Fault" in a.body, a.body)
    body = soap(ue.btid, NAF_ID).replace(
        b"<e:Body>", b'<e:Header><t xmlns="urn:t" e:mustUnderstand="1"/></e:Header><e:Body>')
    a = zn(b, body, "naf1")
    check("Zn: a header that must be understood", a.status == 500 and b"<faultcode>e:MustUnderstand<" in a.body and
          b"<detail>" not in a.body, a.body)
    a = zn(b, soap(ue.btid, NAF_ID), "many")
    check("Zn: the last of many names", a.status == 200, (a.status, a.body))
    check_refusals(b)
    check("Zn: no certificate", zn(b, soap(ue.btid, NAF_ID), None).status == 0)
    check("Zn: a stranger's certificate", zn(b, soap(ue.btid, NAF_ID), "rogue").status == 0)
    a = zn(b, b"", method="GET")
    check("Zn: GET", a.status == 405 and a.fields.get("allow") == "POST", a.status)
    check("Zn: path", zn(b, soap(ue.btid, NAF_ID), target="/bsf/other").status == 404)
    bootstrap(b.address("ub"))
    bootstrap(b.address("ub"))
    check("Zn: of three sessions the oldest ended", b"5403" in zn(b, soap(ue.btid, NAF_ID)).body)


# ---- the daemon ----------------------------------------------------------------------------

def test_pages(b):
    a = request(b.address("metrics"), target="/metrics", agent=None)
    check("metrics", a.status == 200 and b'bsf_ub_refused_total{reason="NO_AUTHORIZATION"}' in a.body, a.status)
    check("metrics: sessions", b"\nbsf_sessions " in a.body)
    a = request(b.address("metrics"), target="/health", agent=None)
    check("health", a.status == 200 and json.loads(a.body)["zh"] == "file", a.body)


def test_expiry():
    b = Bsfd(CERTS, NO_LIMITS + "\nsession: {lifetime: 1s, min_lifetime: 1s, max_lifetime: 1s, challenge_lifetime: 3s,"
             " repeat_window: 0}")
    ue = Ue(first(b.address("ub")))
    time.sleep(3.2)
    mark = len(b.text())
    check("expired nonce", ue.answer(b.address("ub")).status == 401)
    check("expired nonce: reason", "reason=NONCE" in b.text()[mark:], b.text()[mark:])
    ue, a = bootstrap(b.address("ub"))
    time.sleep(2.2)
    check("expired B-TID", b"5403" in zn(b, soap(ue.btid, NAF_ID)).body)
    a = request(b.address("metrics"), target="/metrics", agent=None)
    check("swept", b"\nbsf_sessions 0" in a.body, a.body[-300:])
    check("end", b.end()[0] == 0)


def half_closed(address, fields):
    """The answer to a first request of one who shuts down his side at once and reads to the end."""
    with socket.create_connection(address) as s:
        s.settimeout(15)
        s.sendall(f'GET / HTTP/1.1\r\nHost: {NAME}\r\n{fields}Authorization: Digest username="{IMPI}", realm="{NAME}", '
                  'nonce="", uri="/", response=""\r\n\r\n'.encode())
        s.shutdown(socket.SHUT_WR)
        try:
            return b"".join(iter(lambda: s.recv(65536), b""))[:12]
        except OSError as e:
            return repr(e).encode()


def test_half_closed():
    b = Bsfd(CERTS, NO_LIMITS + "\nsession: {repeat_window: 0}")
    for fields in ("", "Connection: close\r\n"):
        with ThreadPoolExecutor(8) as pool:
            answers = Counter(pool.map(lambda _: half_closed(b.address("ub"), fields), range(200)))
        check(f"half-closed, {fields!r}: an answer and an end", answers == {b"HTTP/1.1 401": 200}, answers)
    check("end", b.end()[0] == 0)


def test_limits():
    b = Bsfd(CERTS, "rate_limits: {subscriber: {burst: 3, per_minute: 1}, address: {burst: 6, per_minute: 60}}\n"
             "session: {repeat_window: 0}")
    address = b.address("ub")
    seen = [first(address) for _ in range(4)]
    check("subscriber's limit", [a.status for a in seen] == [401, 401, 401, 503], [a.status for a in seen])
    check("Retry-After", 1 <= int(seen[3].fields.get("retry-after", "0")) <= 60, seen[3].fields)
    seen = [first(address, f"x{i}@example.org").status for i in range(5)]
    check("address's limit", seen[-1] == 503 and seen[0] == 403, seen)
    check("limit: log", "reason=RATE_LIMITED" in b.text())
    check("end", b.end()[0] == 0)


def test_decoy():
    b = Bsfd(CERTS, NO_LIMITS + "\nunknown_subscriber: decoy")
    address = b.address("ub")
    real, decoy = first(address), first(address, "nobody@example.org")
    check("decoy: status", decoy.status == 401)
    check("decoy: form", sorted(real.fields) == sorted(decoy.fields) and
          len(real.fields["www-authenticate"]) == len(decoy.fields["www-authenticate"]), decoy.fields)
    check("decoy: barred too", first(address, BARRED).status == 401)
    ue = Ue(decoy, "nobody@example.org")
    check("decoy: answers", [ue.answer(address).status for _ in range(3)] == [401, 401, 403])
    check("end", b.end()[0] == 0)


def test_insecure_zn():
    b = Bsfd(CERTS, zn="  insecure: true\n  insecure_naf: naf1.example.org")
    ue, a = bootstrap(b.address("ub"))
    a = request(b.address("zn"), method="POST", target="/bsf/requestBootstrappingInfo", body=soap(ue.btid, NAF_ID))
    check("insecure Zn", a.status == 200, a.status)
    code, log = b.end()
    check("insecure Zn: warning", "insecure_zn" in log, log)
    check("end", code == 0)


def test_many_addresses():
    b = Bsfd(CERTS)
    b.process.send_signal(signal.SIGTERM)
    b.process.wait(20)
    with open(f"{b.dir}/bsfd.yaml") as f:
        text = f.read()
    write(f"{b.dir}/bsfd.yaml", text.replace("\nzn:\n", "\n  - listen: 127.0.0.1:0" * 70 + "\nzn:\n"))
    mark = len(b.text())
    b.start()
    check("all addresses in the ports file", len(b.ports["ub"]) == 72, len(b.ports["ub"]))
    check("and in the log", b.text()[mark:].count("daemon.listen name=ub ") == 72)
    check("the last one answers", bootstrap(b.address("ub", 71))[1].status == 200)
    check("end", b.end()[0] == 0)


def test_restart():
    """Sequence numbers go on after an end by SIGKILL."""
    b = Bsfd(CERTS)
    last = int.from_bytes(Ue(first(b.address("ub"))).sqn, "big")
    b.process.send_signal(signal.SIGKILL)
    b.process.wait()
    b.start()
    check("SQN after SIGKILL", int.from_bytes(Ue(first(b.address("ub"))).sqn, "big") > last)
    check("end", b.end()[0] == 0)


def test_configuration():
    folder = tempfile.mkdtemp(prefix="bsfd-e2e.")
    write(f"{folder}/subscribers.yaml", SUBSCRIBERS, 0o600)
    good = CONFIG.format(name=NAME, isim=ISIM_NAME, zn="  insecure: true\n  insecure_naf: x.example",
                         zh=ZH_FILE, more="")
    good = good.replace("    tls: {cert: server.pem, key: server.key}\n", "")
    rows = [
        ("good", good, 0, ""),
        ("unknown option", good + "\nnonsense: 1\n", 78, "nonsense"),
        ("Zn without TLS", good.replace("  insecure: true\n  insecure_naf: x.example", ""), 78, "zn"),
        ("BSF name as FQDN", good.replace("fqdns: [naf1.example.org]", f"fqdns: [{NAME}]"), 78, "BSF name"),
        ("upper case name", good.replace("names: [bsf", "names: [BSF"), 78, "names"),
        ("bad Ua id", good.replace('"0100000002"', '"01"'), 78, "ua_ids"),
        ("TMPI's Ua id", good.replace('"0100000002"', '"0100000100"'), 78, "TMPI"),
        ("no Zh", good.replace("file: {subscribers: subscribers.yaml}", ""), 78, "zh"),
        ("lifetimes", good + "\nsession: {lifetime: 1s}\n", 78, "session.lifetime"),
        ("bad address", good.replace('"[::1]:0"', '"::1:0"'), 78, "listen"),
        ("byte order mark", "\ufeff" + good.lstrip("\n"), 0, ""),
        ("no certificate", good.replace('"[::1]:0"', '"[::1]:0"\n    tls: {cert: none.pem, key: k}'),
         78, "none.pem"),
        ("no such user", good + "\nuser: no-such-user\n", 78, "no-such-user"),
        ("no subscribers", good.replace("subscribers.yaml", "none.yaml"), 78, "none.yaml"),
    ]
    for what, text, code, says in rows:
        write(f"{folder}/bsfd.yaml", text)
        r = run(BSFD, "--config", f"{folder}/bsfd.yaml", "--check-config")
        check(f"--check-config, {what}", r.returncode == code and says in r.stderr, (r.returncode, r.stderr))
        if code and what != "no subscribers":
            check(f"--check-config, {what}: place", re.search(r"bsfd\.yaml:\d+:\d+: ", r.stderr), r.stderr)
    os.chmod(f"{folder}/subscribers.yaml", 0o644)
    write(f"{folder}/bsfd.yaml", good)
    r = run(BSFD, "--config", f"{folder}/bsfd.yaml", "--check-config")
    check("subscribers readable by all", r.returncode == 78 and "0600" in r.stderr, r.stderr)
    check("... and no key in the message", K.hex() not in r.stderr)
    os.chmod(f"{folder}/subscribers.yaml", 0o600)
    check("--version", run(BSFD, "--version").returncode == 0)
    r = run(BSFD, "--help")
    check("--help", r.returncode == 0 and "unknown_subscriber" in r.stdout)
    r = run(BSFD, "--print-config-sample")
    check("--print-config-sample", r.returncode == 0 and "rate_limits" in r.stdout)
    sample = r.stdout
    r = run(BSFD, "--config", "-", "--check-config", input=sample)
    check("the sample lacks only the subscribers", r.returncode == 78 and "/etc/opengaa/FILE" in r.stderr and
          r.stderr.count("\n") == 1, r.stderr)
    r = run(BSFD, "--config", "-", "--check-config", input=sample.replace("subscribers: /etc/opengaa/FILE",
            f"subscribers: {folder}/subscribers.yaml"))
    check("with them it is a configuration", r.returncode == 0, r.stderr)
    check("no option", run(BSFD).returncode == 64)
    top = os.environ.get("top_srcdir", ".")
    for name, mode in (("bsfd.yaml", 0o644), ("subscribers.yaml", 0o600)):
        shutil.copy(f"{top}/doc/examples/{name}", folder)
        os.chmod(f"{folder}/{name}", mode)
    r = run(BSFD, "--config", f"{folder}/bsfd.yaml", "--check-config")
    check("doc/examples/bsfd.yaml", r.returncode == 0, r.stderr)
    shutil.rmtree(folder)


def main():
    b = Bsfd(CERTS)
    for test in (test_bootstrap, test_challenge_form, test_unreadable, test_http,
                 test_refused_by_library, test_answers,
                 test_three_wrong_answers, test_replay, test_repeated_first, test_resync, test_tmpi, test_zn,
                 test_pages):
        last = Ue(first(b.address("ub")))  # leave no unanswered challenge to the next test
        last.answer(b.address("ub"))
        test(b)
    code, log = b.end()
    check("SIGTERM", code == 0, code)
    check("no key in the log", K.hex() not in log and IMPI not in log)
    for test in (test_expiry, test_half_closed, test_limits, test_decoy, test_insecure_zn,
                 test_many_addresses, test_restart, test_configuration):
        test()
    shutil.rmtree(CERTS)
    return summary()


if __name__ == "__main__":
    CERTS = make_certificates()
    sys.exit(main())
