#!/usr/bin/env python3
"""GBA over the AKA of 3GPP2 (S.S0055-A): bsfd with zh.file, a UE whose card is the reference of
tests/vectors/aka_3gpp2.py, and the gba command with a soft USIM: bootstrap, keys, resynchronisation.

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
sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../vectors"))
import aka_3gpp2  # noqa: E402
from bsf_lab import NAME, Bsfd, Ue, bootstrap, check, first, kdf, make_certificates, soap, summary, zn  # noqa: E402
from stranger import Device  # noqa: E402

K = bytes.fromhex("ad1b5a159be86b2ca66c7ae40bba9b9d")
DEFAULT, OWN_FMK, SHORT = "310006912345678@example.org", "310006912345679@example.org", "310006912345680@example.org"
CARDS = {DEFAULT: (b"AHAG", 16), OWN_FMK: (b"Open", 16), SHORT: (b"AHAG", 8)}
SUBSCRIBERS = f"""
subscribers:
  - {{impi: {DEFAULT}, algorithm: 3gpp2, k: {K.hex()}}}
  - {{impi: {OWN_FMK}, algorithm: 3gpp2, k: {K.hex()}, fmk: {b"Open".hex()}}}
  - {{impi: {SHORT}, algorithm: 3gpp2, k: {K.hex()}, res_len: 8}}
"""
FQDN = "naf1.example.org"


class Ue3gpp2(Ue):
    """The lab's UE with the other card."""

    def open_autn(self):
        fmk, res_len = CARDS[self.username]
        self.card = aka_3gpp2.Card(K, self.rand, fmk, res_len)
        self.res, self.ks, self.ak = self.card.res, self.card.ks, self.card.ak
        self.sqn = aka_3gpp2.xor(self.autn[:6], self.ak)
        self.mac_ok = self.card.mac_a(self.sqn, self.autn[6:8]) == self.autn[8:]

    def make_auts(self, seq):
        self.auts = base64.b64encode(self.card.auts((seq << 5).to_bytes(6, "big"))).decode()
        self.res = b""


def zn_key(b, btid, ua_id):
    """What bsfd tells the NAF."""
    a = zn(b, soap(btid, FQDN.encode() + bytes.fromhex(ua_id)))
    found = re.search(rb"<(?:\w+:)?meKeyMaterial>([^<]*)<", a.body)
    return base64.b64decode(found.group(1)) if a.status == 200 and found else a.status


def test_bootstrap(b):
    for impi, (_, res_len) in CARDS.items():
        ue, a = bootstrap(b.address("ub"), impi, Ue3gpp2)
        check(f"{impi}: AUTN", ue.mac_ok)
        check(f"{impi}: size of RES", len(ue.res) == res_len, len(ue.res))
        check(f"{impi}: 200", a.status == 200, a.status)
        check(f"{impi}: B-TID", ue.btid == f"{base64.b64encode(ue.rand).decode()}@{NAME}", ue.btid)
        check(f"{impi}: rspauth", a.params("authentication-info").get("rspauth") == ue.digest("", a.body), a.fields)
        for ua_id in ("0100000002", "01000100ae"):
            key = kdf(ue.ks, b"gba-me", ue.rand, impi.encode(), FQDN.encode() + bytes.fromhex(ua_id))
            check(f"{impi}: key of {ua_id}", zn_key(b, ue.btid, ua_id) == key)


def test_refusals(b):
    address = b.address("ub")
    ue = Ue3gpp2(first(address, DEFAULT), DEFAULT)
    good, ue.res = ue.res, ue.res[:8]
    check("RES cut short", ue.answer(address).status == 401)
    ue.res = aka_3gpp2.Card(K, ue.rand, b"Open").res
    check("RES of another FMK", ue.answer(address).status == 401)
    ue.res = good
    check("the run goes on", ue.answer(address).status == 200)


def test_resync(b):
    address = b.address("ub")
    for impi in CARDS:
        ue = Ue3gpp2(first(address, impi), impi)
        ue.make_auts(100000)
        second = ue.answer(address)
        check(f"{impi}: AUTS, a new challenge", second.status == 401, second.status)
        fresh = Ue3gpp2(second, impi)
        check(f"{impi}: AUTN after AUTS", fresh.mac_ok)
        check(f"{impi}: SEQ_MS + 1", int.from_bytes(fresh.sqn, "big") >> 5 == 100001, fresh.sqn.hex())
        check(f"{impi}: 200", fresh.answer(address).status == 200)
    ue = Ue3gpp2(first(address, DEFAULT), DEFAULT)
    ue.card = aka_3gpp2.Card(K, ue.rand, b"Open")
    ue.make_auts(200000)
    check("AUTS of another FMK", ue.answer(address).status == 403)


def device_of(b, folder, impi, **more):
    os.mkdir(folder)
    return Device(folder, {"impi": impi, "algorithm": "3gpp2", "k": K.hex(), **more}, "--bsf",
                  f"http://127.0.0.1:{b.address('ub')[1]}/", "--bsf-name", NAME, "--ca", f"{b.dir}/ca.pem")


def test_gba(b, folder):
    for i, (impi, more) in enumerate(((DEFAULT, {}), (OWN_FMK, {"fmk": b"Open".hex()}), (SHORT, {"res_len": "8"}))):
        # SQN ahead of bsfd's, which test_resync left at SEQ 100001: the device resynchronises.
        device = device_of(b, f"{folder}/{i}", impi, sqn="00000fffffe0", **more)
        shown = json.loads(device.run("usim", "show", "--file", f"{device.folder}/usim", "--json").stdout)
        check(f"gba, {impi}: the card", shown["algorithm"] == "3gpp2" and shown["impi"] == impi, shown)
        r = device.run("bootstrap", "--trace")
        check(f"gba, {impi}: bootstrap", r.returncode == 0, r.stderr)
        check(f"gba, {impi}: resynchronised", r.stderr.count("<-- 401") == 2, r.stderr)
        for ua_id, more_options in (("0100000002", ()), ("01000100ae", ("--ua-protocol", "psk-tls12:00ae"))):
            key = json.loads(device.run("key", "--naf", FQDN, *more_options, "--json", "--show-keys").stdout)
            check(f"gba, {impi}: key of {ua_id}", zn_key(b, key["btid"], ua_id) == bytes.fromhex(key["key"]), key["btid"])
        r = device.run("bootstrap", "--trace")
        check(f"gba, {impi}: in step", r.returncode == 0 and r.stderr.count("<-- 401") == 1, r.stderr)
    r = device_of(b, f"{folder}/stranger", DEFAULT, fmk=b"Open".hex()).run("bootstrap")
    check("gba, another FMK: no AUTN", r.returncode == 76 and "AUTN" in r.stderr, (r.returncode, r.stderr))
    r = device_of(b, f"{folder}/constant", DEFAULT, opc=K.hex()).run("bootstrap")
    check("gba, opc= with 3gpp2: no card", r.returncode == 78, (r.returncode, r.stderr))


def main():
    certificates, folder = make_certificates(), tempfile.mkdtemp(prefix="3gpp2-e2e.")
    b = Bsfd(certificates, subscribers=SUBSCRIBERS)
    try:
        test_bootstrap(b)
        test_refusals(b)
        test_resync(b)
        test_gba(b, folder)
    finally:
        code, log = b.end()
        shutil.rmtree(certificates)
        shutil.rmtree(folder)
    check("bsfd ends", code == 0, code)
    check("no key in the log", K.hex() not in log and DEFAULT not in log)
    return summary()


if __name__ == "__main__":
    sys.exit(main())
