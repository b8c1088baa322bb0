#!/usr/bin/env python3
"""Enrolment again (TS-0003 6.1.2.1, 8.3.5.2.6, 10.7): another service provider, interrupted on the way; a credential
that ends, and one that is good for long enough; with a real mefd and two registrars.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from bsf_lab import BUILD, check, make_cert, run, summary, write  # noqa: E402
from mefd import CSE, CSE_FQDN, MEF, MEFD_YAML, Lab, openssl_says  # noqa: E402

GBA = os.path.abspath(os.path.join(BUILD, "ua/gba"))
MEFCTL = os.path.abspath(os.path.join(BUILD, "naf/mefctl"))
OTHER, OTHER_FQDN = "//other.example.net/cse9", "cse9.other.example.net"
KPM, KPM_ID, THIS = bytes(range(1, 25)), "thiskey@" + MEF, "//sp.example.org/cse1/Cthis"
LIFE = 4
YAML = MEFD_YAML.replace("enrolees:", f"""\
  - {{{{id: {OTHER}}}}}
stakeholders: [sp.example.org, other.example.net]
admin: {{{{socket: mefd.sock}}}}
enrolees:
  - {{{{id: {THIS}, kpm_id: {KPM_ID}, kpm: "{KPM.hex()}", targets: [{{cse}}, "{OTHER}"]}}}}
  - {{{{id: //sp.example.org/cse1/Ccert, certificates: ["dns:device.example.org"], targets: [{{cse}}, "{OTHER}"]}}}}""")


def gba(lab, state, *args):
    r = subprocess.run([GBA, *args, "--state", f"{lab.dir}/{state}", "--ca", f"{lab.dir}/ca.pem", "--json"],
                       capture_output=True, text=True, timeout=60)
    try:
        return r.returncode, json.loads(r.stdout or "{}"), r.stderr
    except ValueError:
        return r.returncode, {}, r.stderr


def accepted(registrar, key_id, key):
    return b"accepted" in openssl_says(registrar.address("registrar"), key_id, key)


def exported(lab, state, target):
    path = f"{lab.dir}/{state}.out"
    gba(lab, state, "credential", "export", "--target", target, "--out", path, "--force")
    lines = dict(line.split("=", 1) for line in open(path).read().splitlines())
    return lines["key_id"], bytes.fromhex(lines["key"])


def ways(lab):
    write(f"{lab.dir}/kpm", f"opengaa-credential=1\nkind=kpm\nkey_id={KPM_ID}\nkey={KPM.hex()}\npeer={MEF}\n", 0o600)
    psk = "https://127.0.0.1:%d" % lab.mefd.address("psk")[1]
    cert = "https://localhost:%d" % lab.mefd.address("mef")[1]
    return {"psk": ("enrol", "--framework", "psk", "--mef", psk, "--mef-fqdn", MEF, "--kpm-file", f"{lab.dir}/kpm"),
            "cert": ("enrol", "--framework", "cert", "--mef", cert, "--mef-fqdn", MEF, "--cert",
                     f"{lab.dir}/device.pem", "--key", f"{lab.dir}/device.key")}


def test_change(lab, old, new):
    for way in ways(lab):
        command = ways(lab)[way]
        code, j, err = gba(lab, way, *command, "--target", CSE)
        check(f"{way}: enrolled", code == 0, (code, err))
        key_id, key = exported(lab, way, CSE)
        check(f"{way}: accepted", accepted(old, key_id, key))
        # interrupted: the new enrolment stands, what was before does not end, and both are good
        lab.mefd.end()
        code, j, err = gba(lab, way, *command, "--target", OTHER, "--admin", "other.example.net", "--replaces", CSE)
        check(f"{way}: the MEF is away", code == 69, (code, err))
        lab.mefd.start()
        command = ways(lab)[way]
        for r, name, fqdn, cse_id, cert in ((old, "old", CSE_FQDN, CSE, "cse1"), (new, "new", OTHER_FQDN, OTHER, "cse9")):
            write(f"{lab.dir}/{name}.yaml", open(f"{lab.dir}/{name}.yaml").read().split("mef:")[0] +
                  f'mef: {{url: "https://localhost:{lab.mefd.address("mef")[1]}", fqdn: {MEF}, ca: ca.pem}}\n')
            r.end()
            r.start()
        check(f"{way}: the old one is good as before", accepted(old, key_id, key))
        code, j, err = gba(lab, way, *command, "--target", OTHER, "--admin", "other.example.net")
        check(f"{way}: enrolled with the other provider", code == 0, (code, err))
        check(f"{way}: until it is left, the old one is good", accepted(old, key_id, key))
        check(f"{way}: and still the device's", exported(lab, way, CSE)[0] == key_id)
        code, j, err = gba(lab, way, *command, "--target", OTHER, "--admin", "other.example.net", "--replaces", CSE)
        check(f"{way}: and left", code == 0, (code, err))
        new_id, new_key = exported(lab, way, OTHER)
        check(f"{way}: the new one is accepted", accepted(new, new_id, new_key))
        check(f"{way}: the old one is revoked", not accepted(old, key_id, key))
        code, j, err = gba(lab, way, "connect", "127.0.0.1:%d" % old.address("registrar")[1], "--psk", "--target", CSE)
        check(f"{way}: and wiped", code != 0 and "no valid credential" in err, (code, err))
        r = run(MEFCTL, "--socket", f"{lab.dir}/mefd.sock", "list", "registration", "--json")
        mine = [json.loads(x) for x in r.stdout.splitlines()]
        mine = [x["stakeholder"] for x in mine if x["enrolee"].endswith({"psk": "Cthis", "cert": "Ccert"}[way])]
        check(f"{way}: one registration is left", mine == ["other.example.net"], mine)
        code, j, err = gba(lab, way, *command, "--target", OTHER, "--admin", "other.example.net", "--replaces", CSE)
        check(f"{way}: once more is no harm", code == 0, (code, err))
        code, j, err = gba(lab, way, *command, "--target", OTHER, "--replaces", OTHER)
        check(f"{way}: the same stakeholder is not left", code == 0 and accepted(new, *exported(lab, way, OTHER)), (code, err))


def test_stakeholder_gone(lab, old, new):
    """The operator has removed the old stakeholder: there is nothing to leave but the credential."""
    command = ways(lab)["psk"]
    check("enrolled", gba(lab, "gone", *command, "--target", CSE)[0] == 0)
    key_id, key = exported(lab, "gone", CSE)
    lab.mefd.end()
    text = open(f"{lab.dir}/mefd.yaml").read().replace("stakeholders: [sp.example.org, ", "stakeholders: [")
    write(f"{lab.dir}/mefd.yaml", text, 0o600)
    lab.mefd.start()
    r = run(MEFCTL, "--socket", f"{lab.dir}/mefd.sock", "list", "enrolment", "--json")
    check("with its row went what was under it", r.returncode == 0 and key_id not in r.stdout, r.stdout)
    log = open(f"{lab.dir}/mefd.db.audit").read() if run(MEFCTL, "--socket", f"{lab.dir}/mefd.sock", "audit").returncode == 0 else ""
    check("and that is told", re.search(rf'"who":"configuration","what":"enrolment.end","for":"{THIS}","key_id":"{key_id}"', log), log[-600:])
    command = ways(lab)["psk"]
    code, j, err = gba(lab, "gone", *command, "--target", OTHER, "--admin", "other.example.net", "--replaces", CSE)
    check("left, for the MEF does not know it any more", code == 0, (code, err))
    code, j, err = gba(lab, "gone", "connect", "127.0.0.1:1", "--psk", "--target", CSE)
    check("and wiped", code != 0 and "no valid credential" in err, (code, err))


def test_expiry(lab):
    """10.7: Ke ends, its keys with it; the device enrols again, also before."""
    lab.mefd.end()
    write(f"{lab.dir}/mefd.yaml", open(f"{lab.dir}/mefd.yaml").read() + f"enrolment_life: {LIFE}s\nregistration_life: {LIFE}s\n",
          0o600)
    lab.mefd.start()
    registrar = lab.start_registrar(lab.asks_mef(), "late", "cse9", OTHER_FQDN, OTHER)
    command = (*ways(lab)["psk"], "--target", OTHER, "--admin", "other.example.net")
    code, first, err = gba(lab, "late", *command)
    check("enrolled for a short time", code == 0, (code, err))
    key_id, key = exported(lab, "late", OTHER)
    code, j, err = gba(lab, "late", *command, "--unless-valid-for", "3600")
    check("it ends within the hour: enrolled again", code == 0 and j["key_id"] != first["key_id"], (code, j, err))
    code, k, err = gba(lab, "late", *command, "--unless-valid-for", "0")
    check("good enough: nothing is done", code == 0 and k["key_id"] == j["key_id"], (code, k, err))
    deadline = time.monotonic() + 60
    while accepted(registrar, key_id, key) and time.monotonic() < deadline:
        time.sleep(0.2)
    check("the first key has ended", not accepted(registrar, key_id, key))
    while gba(lab, "late", "connect", "127.0.0.1:1", "--psk", "--target", OTHER)[2].count("no valid credential") == 0 \
            and time.monotonic() < deadline:
        time.sleep(0.2)
    r = run(MEFCTL, "--socket", f"{lab.dir}/mefd.sock", "list", "enrolment", "--json")
    while key_id in r.stdout and time.monotonic() < deadline:
        time.sleep(0.2)
        r = run(MEFCTL, "--socket", f"{lab.dir}/mefd.sock", "list", "enrolment", "--json")
    check("and is gone from the database", r.returncode == 0 and key_id not in r.stdout, r.stdout)
    code, j, err = gba(lab, "late", *command)
    check("enrolled after the end", code == 0 and accepted(registrar, *exported(lab, "late", OTHER)), (code, err))
    check("registrar ends with 0", registrar.end() == 0)


def test_usage(lab):
    command = ways(lab)["psk"]
    for what, args in (("--unless-valid-for takes a number", ("--unless-valid-for", "soon")),
                       ("--replaces-admin alone", ("--replaces-admin", "sp.example.org"))):
        check(f"{what}: 64", gba(lab, "usage", *command, "--target", CSE, *args)[0] == 64)
    code, j, err = gba(lab, "usage", *command, "--target", OTHER, "--admin", "other.example.net", "--replaces", "/cse1")
    check("whose it was, nobody said: 64", code != 0, (code, err))


def main():
    lab = Lab(YAML)
    make_cert(lab.dir, "ca", "device", "DNS:device.example.org")
    make_cert(lab.dir, "ca", "cse9", f"DNS:{OTHER_FQDN}")
    for name in ("device", "cse9"):
        os.chmod(f"{lab.dir}/{name}.key", 0o600)
    old = lab.start_registrar(lab.asks_mef(), "old")
    new = lab.start_registrar(lab.asks_mef(), "new", "cse9", OTHER_FQDN, OTHER)
    try:
        test_change(lab, old, new)
        test_stakeholder_gone(lab, old, new)
        test_usage(lab)
        test_expiry(lab)
    finally:
        codes = [d.end() for d in (old, new)]
        more, text = lab.end()
    check("daemons end with 0", codes + more == [0, 0, 0, 0], (codes, more))
    check("no key in the log", KPM.hex() not in text.lower())
    return summary()


if __name__ == "__main__":
    sys.exit(main())
