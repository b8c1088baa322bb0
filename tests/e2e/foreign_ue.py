#!/usr/bin/env python3
"""A foreign UE at the laboratory, with Zh over Diameter where it is built: Ub over HTTP and HTTPS,
resynchronisation, TMPI; its keys are those a foreign NAF gets over Zn.  osmo-auc-gen, where
installed, says what Milenage should have given.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import os
import re
import shutil
import ssl
import sys

sys.dont_write_bytecode = True
from bsf_lab import check, run, summary  # noqa: E402
from stranger import BUILD, Lab, SimUe, ask_zn, bootstrap, element, first, zn_body  # noqa: E402

UA_IDS = ("0100000002", "01000100ae", "010001ccac", "0100000007")


def check_run(what, lab, ue, a):
    check(f"{what}: 200", a.status == 200, a.status)
    check(f"{what}: AUTN", ue.mac_ok)
    check(f"{what}: separation bit", ue.amf[0] & 0x80 == 0, ue.amf.hex())
    check(f"{what}: B-TID", ue.btid == base64.b64encode(ue.rand).decode() + "@" + lab["bsf_name"], ue.btid)
    info = a.params("authentication-info")
    check(f"{what}: rspauth", info.get("rspauth") == ue.digest("", a.body), info)
    check(f"{what}: Server", "3gpp-gba-tmpi" in a.fields.get("server", "").split(), a.fields)


def check_keys(what, lab, ue):
    for ua_id in UA_IDS:
        a = ask_zn(lab, zn_body(lab, ue, ua_id, (0, 1)))
        check(f"{what}, Zn for {ua_id}: 200", a.status == 200, (a.status, a.body))
        want = base64.b64encode(ue.key(lab["naf_fqdn"], ua_id)).decode()
        check(f"{what}, Zn for {ua_id}: Ks_NAF", element(a.body, "meKeyMaterial") == want, a.body)


def test_transports(lab):
    trusted = ssl.create_default_context(cafile=lab["ca"])
    for what, url, context in (("http", "ub_url", None), ("https", "ub_tls_url", trusted)):
        ue, a = bootstrap(lab, url=url, context=context)
        check_run(what, lab, ue, a)
        check_keys(what, lab, ue)


def test_resynchronisation(lab):
    ue = SimUe(lab, first(lab), lab["impi"])
    ahead = int.from_bytes(ue.sqn, "big") + (1 << 20)
    ue.resynchronise(ahead)
    second = ue.answer(lab.address("ub_url"))
    check("AUTS: another challenge", second.status == 401, second.status)
    fresh = SimUe(lab, second, lab["impi"])
    check("AUTS: another RAND", fresh.rand != ue.rand and fresh.mac_ok)
    check("AUTS: SEQ_MS + 1", int.from_bytes(fresh.sqn, "big") >> 5 == (ahead >> 5) + 1, fresh.sqn.hex())
    a = fresh.answer(lab.address("ub_url"))
    fresh.btid = element(a.body, "btid")
    check_run("after the AUTS", lab, fresh, a)
    check_keys("after the AUTS", lab, fresh)
    forged = SimUe(lab, first(lab), lab["impi"])
    forged.auts = base64.b64encode(bytes(14)).decode()
    forged.res = b""
    check("AUTS that does not verify", forged.answer(lab.address("ub_url")).status == 403)


def test_tmpi(lab):
    ue, _ = bootstrap(lab)
    older = ue.tmpi
    for i in range(3):
        ue, a = bootstrap(lab, ue.tmpi)
        check_run(f"TMPI, run {i}", lab, ue, a)
    check_keys("TMPI", lab, ue)
    check("an older TMPI", first(lab, older).status == 403)
    log = lab.log("bsfd")
    check("no identity in the log", lab["impi"] not in log and lab["imsi"] not in log and ue.tmpi not in log)


def test_oracle(lab):
    ue, a = bootstrap(lab)
    sqn = int.from_bytes(ue.sqn, "big")
    r = run("osmo-auc-gen", "-3", "-a", "MILENAGE", "-k", lab["k"], "-o", lab["opc"], "-f", lab["amf"], "-s", str(sqn), "-r",
            ue.rand.hex())
    said = dict(re.findall(r"^(\w+):\s*([0-9a-f]+)\s*$", r.stdout, re.M))
    check("osmo-auc-gen: AUTN", said.get("AUTN") == ue.autn.hex(), r.stdout)
    check("osmo-auc-gen: RES, CK, IK", (said.get("RES"), said.get("CK"), said.get("IK")) ==
          (ue.card.res.hex(), ue.card.ck.hex(), ue.card.ik.hex()), r.stdout)


def main():
    diameter = os.path.exists(f"{BUILD}/tests/mock-hss/mock-hss")
    lab = Lab() if diameter else Lab("--zh=file")
    skipped = 0
    try:
        for test in (test_transports, test_resynchronisation, test_tmpi):
            test(lab)
        if shutil.which("osmo-auc-gen"):
            test_oracle(lab)
        else:
            print("SKIP osmo-auc-gen: libosmocore-utils is not installed")
            skipped = 1
    finally:
        check("the laboratory ends with 0, and no sanitizer spoke", lab.end())
    return summary(skipped)


if __name__ == "__main__":
    sys.exit(main())
