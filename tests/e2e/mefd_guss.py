#!/usr/bin/env python3
"""Rights by the GUSS (enrolee_policy of mefd) over real sockets, from the subscriber's record to the target's key: by a
B-TID and by a Ke, with each policy; with mock-hss behind bsfd where it was built, else with bsfd's file. And which key of a
GBA_U record a target gets.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import mefd  # noqa: E402
from bsf_lab import BUILD, IMPI, K, Ue, bootstrap, check, kdf, read_ports, summary, write  # noqa: E402
from mefd import (BSFD_YAML, CSE, CSE_FQDN, DEVICE, MEF, MEFD_YAML, UA_00AE, Lab, enrol, fetch_path, later,  # noqa: E402
                  naf_key, usage_key)

MOCK_HSS = os.path.abspath(os.path.join(BUILD, "tests/mock-hss/mock-hss"))
UNINSTRUCTED = "//sp.example.org/cse1/Cuninstructed"


def subscribers(uss, more=""):
    return f"""
subscribers:
  - impi: {IMPI}
    algorithm: xor
    k: {K.hex()}
    res_len: 16
    guss: |
      <guss xmlns="urn:3gpp:gba:GBAGUSSSchema-R9:2010-02"><bsfInfo><lifeTime>7200</lifeTime>{more}</bsfInfo><ussList>
      <uss id="0" type="0"><uids><uid>sip:a@example.org</uid></uids></uss>
      {uss}
      </ussList></guss>
"""


def uss(*uids, gsid=1000001):
    return f'<uss id="{gsid}" type="0"><uids>' + "".join(f"<uid>{u}</uid>" for u in uids) + "</uids></uss>"


class UiccUe(Ue):
    """A card in GBA_U: RES comes with its last bit flipped (TS 33.220 5.3.2)."""

    def open_autn(self):
        super().open_autn()
        self.res = self.res[:-1] + bytes([self.res[-1] ^ 1])


class Hss:
    def __init__(self, text):
        self.dir = tempfile.mkdtemp(prefix="mock-hss-e2e.")
        write(f"{self.dir}/hss.yaml", "identity: hss.example\nrealm: example\nlisten: 127.0.0.1:0\n" + text, 0o600)
        self.log = open(f"{self.dir}/log", "w")
        self.process = subprocess.Popen([MOCK_HSS, "--config", f"{self.dir}/hss.yaml", "--ports-file", f"{self.dir}/ports"],
                                        stdout=self.log, stderr=self.log)
        self.address = next(iter(read_ports(f"{self.dir}/ports", self.process).values()))[0]

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        shutil.rmtree(self.dir)


class GussLab(Lab):
    """What the HSS says of the device, and mefd's policy."""

    def __init__(self, record, policy, gsid="", instructed=True, bsf_gsids='["1000001"]', target="", hss=True):
        self.hss = Hss(record) if hss and os.path.exists(MOCK_HSS) else None
        bsfd_yaml, before = BSFD_YAML, (mefd.BSFD_YAML, mefd.SUBSCRIBERS)
        bsfd_yaml = bsfd_yaml.replace("may_learn_impi: true", f"may_learn_impi: true\n    gsids: {bsf_gsids}")
        if self.hss:
            bsfd_yaml = bsfd_yaml.replace("zh: {file: {subscribers: subscribers.yaml}}", f"""zh:
  diameter:
    identity: bsf.example
    realm: example
    peers: [{{identity: hss.example, realm: example, address: "{self.hss.address}"}}]""")
        yaml = MEFD_YAML.replace("database:", f"enrolee_policy: {policy}\n{gsid}database:")
        yaml = yaml.replace("{{id: {cse}}}", "{{id: {cse}%s}}" % target)
        if not instructed:
            yaml = yaml.replace("id: {device}, targets: [{cse}]", "id: {device}")
        mefd.BSFD_YAML, mefd.SUBSCRIBERS = bsfd_yaml, record
        try:
            super().__init__(yaml)
        finally:
            mefd.BSFD_YAML, mefd.SUBSCRIBERS = before

    def bootstrap(self, card=Ue):
        for _ in range(100):  # until the HSS is there
            ue, answer = bootstrap(self.bsfd.address("ub"), card=card)
            if answer.status == 200:
                return ue
            time.sleep(0.05)
        raise AssertionError(answer.status)

    def end(self):
        super().end()
        if self.hss:
            self.hss.end()


def register(s):
    return s.ask("POST", "/-/", 4, json.dumps({"sec:mefcr": {"et": later(3600), "adfq": "sp.example.org"}})).rsc


def key(s):
    body = {"et": later(3600), "adfq": "sp.example.org", "suid": 22, "tgis": [CSE]}
    return s.ask("POST", "/-/", 5, json.dumps({"sec:skr": body}))


def is_5402(a):
    j = json.loads(a.body or b"{}")
    return a.status == 403 and j.get("Status") is False and "Credential" not in j and "not authorized" in j["ErrorString"]


def test_may(what, **how):
    """The target gets the device's key: by its B-TID, by the Ke of its session and what it registers there."""
    lab = GussLab(**how)
    try:
        ue = lab.bootstrap()
        a = lab.ask(fetch_path(ue.btid))
        check(f"{what}: by the B-TID", a.status == 200 and json.loads(a.body).get("Credential") ==
              base64.b64encode(naf_key(ue, CSE_FQDN, UA_00AE)).decode(), (a.status, a.body, lab.mefd.text()[-500:]))
        s = enrol(lab, ue)
        check(f"{what}: registers", register(s) == 2001, s.out[-300:])
        check(f"{what}: registers a key", key(s).rsc == 2001, s.out[-300:])
        s.end()
        key_id, ke = s.exported[:16].hex().upper() + "@" + MEF, s.exported[16:]
        lab.mefd.end()
        lab.mefd.start()
        a = lab.ask(fetch_path(key_id))
        check(f"{what}: by the Ke, after a restart", a.status == 200 and json.loads(a.body).get("Credential") ==
              base64.b64encode(usage_key(ke, "22", CSE_FQDN)).decode(), (a.status, a.body))
        lab.mefd.end()  # the audit log's file is up to date then
        text = open(f"{lab.dir}/mefd.db.audit").read()
        check(f"{what}: audited", text.count('"key.fetch"') == 2 and '"enrolment.keep"' in text and IMPI not in text, text)
    finally:
        lab.end()


def test_may_not(what, registers, **how):
    lab = GussLab(**how)
    try:
        ue = lab.bootstrap()
        a = lab.ask(fetch_path(ue.btid))
        check(f"{what}: 5402 by the B-TID", is_5402(a), (a.status, a.body))
        check(f"{what}: logged as 5402", "reason=NOT_AUTHORIZED diameter=5402" in lab.mefd.text(), lab.mefd.text()[-500:])
        s = enrol(lab, ue)
        check(f"{what}: the session is there", s.up, s.out[-300:])
        rsc = register(s)
        check(f"{what}: registration {registers}", rsc == registers, rsc)
        a = key(s)
        check(f"{what}: no key for that target", a.rsc == 4103 and b"5402" in a.body, (a.rsc, a.body))
        s.end()
        a = lab.ask(fetch_path(s.exported[:16].hex().upper() + "@" + MEF))
        check(f"{what}: no key of the Ke", is_5402(a) if registers == 2001 else a.status == 404, (a.status, a.body))
        lab.mefd.end()
        text = open(f"{lab.dir}/mefd.db.audit").read()
        check(f"{what}: nothing was given", '"key.' not in text, text)
    finally:
        lab.end()


def test_forbidden_by_instruction():
    lab = GussLab(subscribers(uss(CSE_FQDN)), "both", instructed=False)
    try:
        a = lab.ask(fetch_path(lab.bootstrap().btid))
        check("both, USS without instruction: 403", a.status == 403 and not is_5402(a), (a.status, a.body))
    finally:
        lab.end()


def test_gba_u():
    """The record is of a GBA_U subscriber: Ks_ext_NAF, or for clients in the UICC Ks_int_NAF and nothing else."""
    for target, use, record in (("", b"gba-me", "<uiccType>GBA_U</uiccType>"),
                                (", naf_key: uicc", b"gba-u", "<uiccType>GBA_U</uiccType>"),
                                (", naf_key: uicc", None, "")):
        lab = GussLab(subscribers("", record), "config", target=target, bsf_gsids="[]")
        try:
            ue = lab.bootstrap(UiccUe if record else Ue)
            a = lab.ask(fetch_path(ue.btid))
            what = f"{record or 'GBA_ME'}{target}"
            if use is None:
                check(f"{what}: no other key", a.status == 404 and b"Credential" not in a.body, (a.status, a.body))
                continue
            want = kdf(ue.ks, use, ue.rand, IMPI.encode(), CSE_FQDN.encode() + UA_00AE)
            check(f"{what}: key", json.loads(a.body or b"{}").get("Credential") == base64.b64encode(want).decode(),
                  (a.status, a.body))
        finally:
            lab.end()


def main():
    test_may("guss, FQDN", record=subscribers(uss(CSE_FQDN.upper())), policy="guss", instructed=False)
    test_may("guss, CSE-ID among others", record=subscribers(uss("cse9.example.org", "/x", CSE)), policy="guss",
             instructed=False)
    test_may("both", record=subscribers(uss(CSE)), policy="both")
    test_may("another GSID", record=subscribers(uss(CSE, gsid=1234567)), policy="guss", gsid="gsid: 1234567\n",
             bsf_gsids='["1234567"]', instructed=False, hss=False)
    test_may("config, no USS", record=subscribers(""), policy="config")
    test_may_not("no such USS", 4103, record=subscribers(uss(CSE, gsid=1000002)), policy="guss")
    test_may_not("USS of another target", 2001, record=subscribers(uss("cse2.sp.example.org")), policy="guss")
    test_may_not("uid of the wrong form", 2001, record=subscribers(uss("/cse1", "https://" + CSE_FQDN)), policy="both")
    test_may_not("a BSF that does not let mefd see it", 4103, record=subscribers(uss(CSE)), policy="guss",
                 bsf_gsids="[]", hss=False)
    test_forbidden_by_instruction()
    test_gba_u()
    return summary()


if __name__ == "__main__":
    sys.exit(main())
