#!/usr/bin/env python3
"""PSK-TLS by foreign clients, openssl s_client and gnutls-cli: at the registrar, whose one suite is 00AE,
at a NAF on libgba-naf, and at mefd's PSK listener.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
from bsf_lab import check, summary  # noqa: E402
from stranger import Lab, Program, SClient, bootstrap  # noqa: E402

OF_00AE = "01000100ae"
SECLEVEL = ":@SECLEVEL=0"


TLS12 = ("-tls1_2", "-cipher")


def test_registrar(lab):
    at = lab.address("registrar_addr")
    ue, _ = bootstrap(lab)
    key = ue.key(lab["target_fqdn"], OF_00AE)
    c = SClient(at, ue.btid, key, *TLS12, "PSK-AES128-CBC-SHA256")
    check("registrar: 00AE", c.suite == "PSK-AES128-CBC-SHA256" and c.status == 200, c.text[-600:])
    check("registrar: who", f"accepted {ue.btid} at {lab['target_cse_id']}" in c.text, c.text[-300:])
    check("registrar: no ticket", "session ticket" not in c.text)
    check("registrar: extended master secret", "Extended master secret: yes" in c.text, c.text[-600:])
    again = SClient(at, ue.btid, key, *TLS12, "PSK-AES128-CBC-SHA256", host=lab["target_fqdn"])
    check("registrar: again, with SNI", again.status == 200)
    check("registrar: all suites offered, 00AE taken",
          SClient(at, ue.btid, key, *TLS12, "PSK" + SECLEVEL).suite == "PSK-AES128-CBC-SHA256")
    unknown = base64.b64encode(b"\2" * 16).decode() + "@" + lab["bsf_name"]
    rows = [("wrong key", ue.btid, bytes(32)), ("the key of another Ua id", ue.btid, ue.key(lab["target_fqdn"], "010001ccac")),
            ("the key of another NAF", ue.btid, ue.key(lab["naf_fqdn"], OF_00AE)),
            ("the prefix of 33.222", "3GPP-bootstrapping;" + ue.btid, key), ("unknown B-TID", unknown, key),
            ("no B-TID", "joe", key), ("a B-TID of another domain", ue.btid + ".example", key),
            ("a long identity", "A" * 250 + ue.btid[-5:], key), ("a space behind", ue.btid + " ", key)]
    for what, identity, psk in rows:
        c = SClient(at, identity, psk, *TLS12, "PSK-AES128-CBC-SHA256")
        check(f"registrar, {what}: refused", c.suite is None or c.status == 0, c.text[-400:])
        check(f"registrar, {what}: no answer", c.status == 0 and "accepted" not in c.text, c.text[-400:])
    for suite in ("PSK-AES128-GCM-SHA256", "PSK-AES256-GCM-SHA384", "PSK-AES256-CBC-SHA384", "PSK-AES128-CBC-SHA",
                  "PSK-CHACHA20-POLY1305", "ECDHE-PSK-CHACHA20-POLY1305", "ECDHE-PSK-AES128-CBC-SHA256",
                  "DHE-PSK-AES128-GCM-SHA256", "DHE-PSK-AES128-CBC-SHA256", "PSK-AES128-CCM8"):
        c = SClient(at, ue.btid, key, *TLS12, suite + SECLEVEL)
        check(f"registrar, {suite}: refused", c.suite is None and c.status == 0, c.text[-300:])
    for what, more in (("TLS 1.3", ("-tls1_3",)), ("TLS 1.1", ("-tls1_1", "-cipher", "PSK" + SECLEVEL))):
        c = SClient(at, ue.btid, key, *more)
        check(f"registrar, {what}: refused", c.suite is None and c.status == 0, c.text[-300:])
    c = SClient(at, ue.btid, key, *TLS12, "PSK-AES128-CBC-SHA256", host="other.lab.test")
    check("registrar, another SNI: refused", c.status == 0, c.text[-300:])
    check("registrar, certificates: refused", SClient(at, None, b"", "-tls1_2").suite is None)
    check("registrar: still there", SClient(at, ue.btid, key, *TLS12, "PSK-AES128-CBC-SHA256").status == 200)


SUITES = [("PSK-AES128-GCM-SHA256", "00a8"), ("PSK-AES128-CBC-SHA256", "00ae"), ("DHE-PSK-AES128-GCM-SHA256", "00aa"),
          ("ECDHE-PSK-CHACHA20-POLY1305", "ccac"), ("ECDHE-PSK-AES128-CBC-SHA256", "c037")]


def test_naf(lab, naf):
    host, port = naf.said["https"].rsplit(":", 1)
    at, ue = (host, int(port)), bootstrap(lab)[0]
    for suite, code in SUITES:
        key = ue.key(lab["naf_fqdn"], "010001" + code)
        for what, identity in (("prefixed", "3GPP-bootstrapping;" + ue.btid), ("bare", ue.btid)):
            c = SClient(at, identity, key, *TLS12, suite, host=lab["naf_fqdn"])
            check(f"NAF, {suite}, {what}", c.suite == suite and f"psk {ue.btid} 010001{code}" in c.text, c.text[-400:])
        c = SClient(at, ue.btid, ue.key(lab["naf_fqdn"], "0100000007"), *TLS12, suite, host=lab["naf_fqdn"])
        check(f"NAF, {suite}: the key of TLS 1.3 is another", c.status == 0, c.text[-300:])
    key = ue.key(lab["naf_fqdn"], "0100000007")
    for suite in ("TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"):
        c = SClient(at, "3GPP-bootstrapping;" + ue.btid, key, "-tls1_3", "-ciphersuites", suite, host=lab["naf_fqdn"])
        check(f"NAF, TLS 1.3, {suite}", f"psk {ue.btid} 0100000007" in c.text, c.text[-400:])
    c = SClient(at, ue.btid, bytes(32), "-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256", host=lab["naf_fqdn"])
    check("NAF, TLS 1.3, wrong key", "psk " not in c.text.split("HTTP/1.1")[-1] and c.status == 0, c.text[-300:])
    c = SClient(at, "3GPP-bootstrapping;" + ue.btid, ue.key(lab["naf_fqdn"], "010001ccac"), *TLS12, SUITES[3][0],
                host="other.test")
    check("NAF, another SNI: refused", c.status != 200, c.text[-300:])
    hint = SClient(at, ue.btid, bytes(32), *TLS12, "PSK-AES128-GCM-SHA256", "-msg", host=lab["naf_fqdn"])
    check("NAF: hint of 33.222", bytes("3GPP-bootstrapping", "ascii").hex(" ")[:23] in hint.text, hint.text[:600])


def test_gnutls(lab, naf):
    host, port = naf.said["https"].rsplit(":", 1)
    ue = bootstrap(lab)[0]
    for version, exchange, ua_id in (("TLS1.2", "PSK", "01000100a8"), ("TLS1.3", "ECDHE-PSK", "0100000007")):
        priorities = f"NORMAL:-VERS-ALL:+VERS-{version}:-KX-ALL:+{exchange}:-CIPHER-ALL:+AES-128-GCM"
        for key, works in ((ue.key(lab["naf_fqdn"], ua_id), True), (bytes(32), False)):
            ask = f"GET / HTTP/1.1\r\nHost: {lab['naf_fqdn']}\r\nConnection: close\r\n\r\n"
            p = subprocess.run(["gnutls-cli", "--pskusername", "3GPP-bootstrapping;" + ue.btid, "--pskkey", key.hex(),
                                "--sni-hostname", lab["naf_fqdn"], "--no-ca-verification", "--priority", priorities,
                                "-p", port, host], input=ask, capture_output=True, text=True, timeout=30, check=False)
            there = f"psk {ue.btid} {ua_id}" in p.stdout
            check(f"gnutls-cli, {version}, {'right' if works else 'wrong'} key", there == works,
                  p.stdout[-300:] + p.stderr[-300:])


def test_mefd(lab):
    at, ue = lab.address("mef_psk_url"), bootstrap(lab)[0]
    for suite, code in (SUITES[3], SUITES[2]):
        key = ue.key("mef.lab.test", "010001" + code)
        rows = (("right key", ue.btid, key, True), ("prefixed", "3GPP-bootstrapping;" + ue.btid, key, True),
                ("wrong key", ue.btid, bytes(32), False), ("unknown", "joe", key, False))
        for what, identity, psk, works in rows:
            c = SClient(at, identity, psk, *TLS12, suite, host="mef.lab.test")
            check(f"mefd, {suite}, {what}", (c.status != 0) == works, c.text[-400:])
    for what, more in (("TLS 1.3", ("-tls1_3",)), ("plain PSK", (*TLS12, "PSK-AES128-CBC-SHA256")),
                       ("no extended master secret", (*TLS12, SUITES[3][0], "-no_ems"))):
        code = "0100000007" if what == "TLS 1.3" else OF_00AE if what == "plain PSK" else "010001ccac"
        c = SClient(at, ue.btid, ue.key("mef.lab.test", code), *more, host="mef.lab.test")
        check(f"mefd, {what}: refused", c.status in (0, 403), c.text[-400:])


def main():
    lab, skipped = Lab("--zh=file"), 0
    try:
        naf = Program("tests/e2e/naf", lab["naf_fqdn"], lab["bsf_name"], lab["zn_url"], lab["ca"], lab["zn_client_cert"],
                      lab["zn_client_key"], lines=2)
        test_registrar(lab)
        test_naf(lab, naf)
        test_mefd(lab)
        if shutil.which("gnutls-cli"):
            test_gnutls(lab, naf)
        else:
            print("SKIP gnutls-cli: gnutls-bin is not installed")
            skipped = 1
        code, log = naf.end()
        check("the NAF ends", code == 0, log)
        check("no identity in clear", lab["impi"] not in log + lab.log("registrar") + lab.log("mefd"))
    finally:
        check("the laboratory ends with 0, and no sanitizer spoke", lab.end())
    return summary(skipped)


if __name__ == "__main__":
    sys.exit(main())
