#!/usr/bin/env python3
"""mafd over real sockets (TS-0003 8.2.2.3, 8.8): openssl as client and as oracle of the exporter, gba as device, the
registrar as Entity B; Km pre-provisioned, from a real mefd, and by GBA from a real bsfd.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import json
import os
import signal
import sys

sys.dont_write_bytecode = True
from bsf_lab import BUILD, IMPI, NAME, check, exchange, make_cert, run, summary, write  # noqa: E402
from mefd import (BSFD_YAML, CSE, CSE_FQDN, DEVICE, MEF, MEFD_YAML, REGISTRAR, UA_00AE, Daemon, Lab, Session,  # noqa: E402
                  later, naf_key, openssl_says, usage_key)
import mefd  # noqa: E402

MAFD = os.path.abspath(os.path.join(BUILD, "naf/mafd"))
MEFCTL = os.path.abspath(os.path.join(BUILD, "naf/mefctl"))
GBA = os.path.abspath(os.path.join(BUILD, "ua/gba"))
MAF = "maf.example.org"
KM, KM_ID = bytes(range(32)), "Thing.1@" + MAF
THING, METER, GATE = (f"//sp.example.org/cse1/C{n}" for n in ("thing", "meter", "gate"))
KPM, KPM_ID = bytes(range(1, 25)), "meter@" + MEF
CONNECTION = "EXPORTER-oneM2M-Connection"
AE, ECDHE = "PSK-AES128-CBC-SHA256", "ECDHE-PSK-CHACHA20-POLY1305"

mefd.BSFD_YAML = BSFD_YAML.replace("zh:", f"""\
  - certificate: {MAF}
    fqdns: [{MAF}]
    ua_ids: ["01000100ae"]
    may_learn_impi: true
zh:""")
MEF_YAML = MEFD_YAML.replace("enrolees:", f"""\
  - {{{{id: {MAF}, suids: ["21"]}}}}
enrolees:
  - {{{{id: {METER}, kpm_id: {KPM_ID}, kpm: "{KPM.hex()}", targets: [{{cse}}, {MAF}]}}}}
  - {{{{id: {GATE}, kpm_id: gate, kpm: "{'5a' * 16}", targets: [{MAF}]}}}}""")
MAF_YAML = f"""
fqdn: {MAF}
sp: sp.example.org
listen: 127.0.0.1:0
psk: {{listen: 127.0.0.1:0}}
tls: {{certificate: maf.pem, key: maf.key, client_ca: ca.pem}}
zn:
  certificate: maf.pem
  key: maf.key
  bsfs: [{{domain: {NAME}, url: "https://localhost:%(zn)d/bsf/requestBootstrappingInfo", ca: ca.pem}}]
mefs: [{{fqdn: {MEF}, url: "https://localhost:%(mef)d", ca: ca.pem}}]
database: mafd.db
master_key: mafd.master
admin: {{socket: mafd.sock}}
targets: [{{id: {CSE}}}, {{id: //sp.example.org/cse2}}]
enrolees:
  - {{id: {THING}, km_id: {KM_ID}, km: "{KM.hex()}", targets: [{CSE}]}}
  - {{id: {METER}, targets: [{CSE}]}}
  - {{id: {DEVICE}, impi: "{IMPI}", targets: [{CSE}]}}
metrics: 127.0.0.1:0
"""
REGISTRAR_YAML = f"""
listen: 127.0.0.1:0
fqdn: {CSE_FQDN}
cse_id: {CSE}
cert: cse1.pem
key: cse1.key
maf: {{url: "https://localhost:%(maf)d", fqdn: {MAF}, ca: ca.pem}}
"""
SKR = {"adfq": "sp.example.org", "suid": 32, "tgis": [CSE]}


class MafLab(Lab):
    def __init__(self):
        super().__init__(MEF_YAML)
        make_cert(self.dir, "ca", "maf", f"DNS:{MAF},DNS:{NAME},DNS:localhost,IP:127.0.0.1")
        os.chmod(f"{self.dir}/maf.key", 0o600)
        write(f"{self.dir}/mafd.yaml", MAF_YAML % {"zn": self.bsfd.address("zn")[1], "mef": self.mefd.address("mef")[1]},
              0o600)
        self.mafd = Daemon(self.dir, MAFD, "mafd")
        write(f"{self.dir}/registrar.yaml", REGISTRAR_YAML % {"maf": self.mafd.address("maf")[1]})
        self.registrar = Daemon(self.dir, REGISTRAR, "registrar")

    def session(self, identity, key, cipher=ECDHE):
        return Session(self, identity, key, cipher, at=self.mafd.address("psk"), name=MAF, label=CONNECTION)

    def of_maf(self, path, **kw):
        return self.ask(path, at=self.mafd.address("maf"), fields=["X-M2M-RI: 9", "X-M2M-RVI: 3"], **kw)

    def end(self):
        text = self.mafd.text()
        codes = [self.registrar.end(), self.mafd.end()]
        more, of_mef = super().end()
        return codes + more, text + of_mef


def register(s, origin, admin="sp.example.org", seconds=3600):
    return s.ask("POST", "/-/", 3, json.dumps({"sec:mafcr": {"et": later(seconds), "adfq": admin}}), origin=origin)


def register_key(s, origin, **more):
    return s.ask("POST", "/-/", 5, json.dumps({"sec:skr": dict(SKR, et=later(600), **more)}), origin=origin)


def assigned(answer):
    try:
        return json.loads(answer.body)["sec:mafcr"].get("aski")
    except (ValueError, KeyError):
        return None


def test_provisioned(lab):
    s = lab.session(KM_ID, KM, AE)
    check("Km: session with 00AE", s.up, s.out[-300:])
    a = s.ask("GET", f"/_/{MAF}/-/", origin=THING)
    check("MAFBase", a.rsc == 2000 and json.loads(a.body)["sec:mafb"]["fqdn"] == MAF, a.body)
    check("no key before the registration", register_key(s, THING).rsc == 4004)
    a = register(s, THING)
    check("registered", a.rsc == 2001 and assigned(a) is None, a.body)
    reg = a.fields["content-location"]
    check("one registration a stakeholder", register(s, THING).rsc == 4117)
    check("of no MEF", s.ask("POST", "/-/", 4, json.dumps({"sec:mefcr": {"et": later(60), "adfq": "x.org"}}),
                             origin=THING).rsc == 4108)
    check("no commands", s.ask("GET", reg + "/cmd", origin=THING).rsc == 4004)
    for suid in (21, 22, 31, 42):
        check(f"SUID {suid} is not a MAF's", register_key(s, THING, suid=suid).rsc == 4102)
    check("SUID 33 is not allowed here", register_key(s, THING, suid=33).rsc == 4103)
    check("two targets", register_key(s, THING, tgis=[CSE, "//sp.example.org/cse2"]).rsc == 4102)
    check("a target not allowed", register_key(s, THING, tgis=["//sp.example.org/cse2"]).rsc == 4103)
    check("another's name", register_key(s, METER).rsc == 4103)
    a = register_key(s, THING)
    kc_id, kc = s.exported[:16].hex().upper(), s.exported[16:]
    check("key registered, named by the exporter", a.rsc == 2001 and a.fields["content-location"].endswith(kc_id), a.body)
    check("keyValue is not echoed", b"kv" not in a.body, a.body)
    b = lab.of_maf(f"/_/{MAF}/-/{kc_id}")
    j = json.loads(b.body or b"{}").get("sec:skr", {})
    check("Entity B gets Kc", j.get("kv") == base64.b64encode(kc).decode() and j.get("cr") == THING, b.body)
    check("and another does not", lab.of_maf(f"/_/{MAF}/-/{kc_id}", cert="cse2", origin="//sp.example.org/cse2").status == 403)
    check("nor A itself", s.ask("GET", f"/-/{kc_id}", origin=THING).rsc == 4103)
    check("fetchCredentials is an MEF's", lab.of_maf(f"/fetchCredentials/{kc_id}%40{MAF}/32").status == 404)
    s.end()
    at = lab.registrar.address("registrar")
    check("association with Kc", THING.encode() in openssl_says(at, f"{kc_id}@{MAF}", kc))
    check("another key under KcID", b"accepted" not in openssl_says(at, f"{kc_id}@{MAF}", bytes(32)))
    check("an unknown KcID", b"accepted" not in openssl_says(at, f"{'0' * 32}@{MAF}", kc))
    for what, identity, key in (("another Km", KM_ID, bytes(32)), ("no such KmID", "nobody@" + MAF, KM),
                                ("an MEF without row", "0" * 32 + "@mef.example.net", KM),
                                ("a KeID the MEF does not know", "0" * 32 + "@" + MEF, KM)):
        s = lab.session(identity, key)
        check(f"{what}: refused", not (s.up and s.ask("GET", "/-/", origin=THING).rsc == 2000), s.out[-200:])
        s.end()
    s = lab.session(KM_ID.lower(), KM)
    check("KmID in lower case (10.6)", s.up and s.ask("GET", reg, origin=THING).rsc == 2000, s.out[-200:])
    s.end()
    return f"{kc_id}@{MAF}", kc


def enrol_at_mef(lab, identity, kpm, origin):
    s = Session(lab, identity, kpm, ECDHE)
    a = s.ask("POST", "/-/", 4, json.dumps({"sec:mefcr": {"et": later(3000), "adfq": "sp.example.org"}}), origin=origin)
    check("enrolled with the MEF", a.rsc in (2001, 4117), a.fields)
    s.end()
    return s.exported[:16].hex().upper() + "@" + MEF, usage_key(s.exported[16:], "21", MAF)


def test_from_mef(lab):
    """8.8.2.3: KeID and SUID 21, then assignedSymmKeyID."""
    key_id, km = enrol_at_mef(lab, KPM_ID, KPM, METER)
    s = lab.session(key_id, km)
    check("KeID: session with Km of the MEF", s.up, s.out[-300:])
    a = register(s, METER)
    name = assigned(a)
    check("registered and named", a.rsc == 2001 and name and name.endswith("@" + MAF), a.body)
    reg = a.fields["content-location"]
    s.end()
    lab.mefd.end()
    s = lab.session(name, km)
    check("under its name, the MEF away", s.up and assigned(s.ask("GET", reg, origin=METER)) == name, s.out[-200:])
    a = register_key(s, METER)
    check("a key for B", a.rsc == 2001, a.body)
    check("association", METER.encode() in openssl_says(lab.registrar.address("registrar"),
                                                        s.exported[:16].hex() + "@" + MAF, s.exported[16:]))
    s.end()
    s = lab.session("1" * 32 + "@" + MEF, km)
    check("the MEF away: another KeID is refused", not s.up or s.ask("GET", "/-/", origin=METER).rsc != 2000)
    s.end()
    lab.mafd.end(signal.SIGKILL)
    lab.mafd.start()
    s = lab.session(name, km)
    check("after kill -9 too", s.up and assigned(s.ask("GET", reg, origin=METER)) == name, s.out[-200:])
    s.end()
    lab.mefd.start()
    again, newer = enrol_at_mef(lab, KPM_ID, KPM, METER)
    write(f"{lab.dir}/mafd.yaml", MAF_YAML % {"zn": lab.bsfd.address("zn")[1], "mef": lab.mefd.address("mef")[1]}, 0o600)
    lab.mafd.end()
    lab.mafd.start()
    s = lab.session(again, newer)
    check("enrolled anew", s.up and register(s, METER).rsc == 4117, s.out[-200:])
    a = s.ask("PUT", reg, body=json.dumps({"sec:mafcr": {"et": later(3600)}}), origin=METER)
    check("an update names the new Km", a.rsc == 2004 and assigned(a) == name, a.body)
    s.end()
    s = lab.session(name, newer)
    check("the name is of the new Km", s.up and s.ask("GET", reg, origin=METER).rsc == 2000, s.out[-200:])
    s.end()
    s = lab.session(name, km)
    check("and not of the old", not (s.up and s.ask("GET", reg, origin=METER).rsc == 2000))
    s.end()
    gate = enrol_at_mef(lab, "gate", b"\x5a" * 16, GATE)
    s = lab.session(*gate)
    check("an enrolee without row here: refused", not (s.up and s.ask("GET", "/-/", origin=GATE).rsc == 2000))
    s.end()


def test_vouched(lab):
    """A row at the MAF is not enough where the MEF's own row lists whom it may vouch for."""
    text = MAF_YAML % {"zn": lab.bsfd.address("zn")[1], "mef": lab.mefd.address("mef")[1]}
    for listed, who, good in ((METER, GATE, False), (METER, METER, True), ("//sp.example.org", GATE, True)):
        rows = text.replace(f"  - {{id: {METER}, t", f"  - {{id: {GATE}}}\n  - {{id: {METER}, t")
        write(f"{lab.dir}/mafd.yaml", rows.replace("ca: ca.pem}]\ndatabase", f"ca: ca.pem, enrolees: {listed}}}]\ndatabase"), 0o600)
        lab.mafd.end()
        lab.mafd.start()
        key_id, km = enrol_at_mef(lab, *((KPM_ID, KPM) if who == METER else ("gate", b"\x5a" * 16)), who)
        s = lab.session(key_id, km)
        check(f"{listed} listed, {who}: {good}", (s.up and s.ask("GET", "/-/", origin=who).rsc == 2000) == good, s.out[-200:])
        s.end()
        line = next((x for x in lab.mafd.text().splitlines() if "maf.km" in x and key_id in x), "")
        check("and it is logged", good == ("reason=FORBIDDEN" not in line) and good == ("do not list the client" not in line) and
              f"client={who}" in line, line)
    write(f"{lab.dir}/mafd.yaml", text, 0o600)
    lab.mafd.end()
    lab.mafd.start()


def test_gba(lab):
    """8.3.2.3: the MAF is the NAF; one suite."""
    ue = lab.bootstrap()
    km = naf_key(ue, MAF, UA_00AE)
    s = lab.session(ue.btid, km, AE)
    check("B-TID with 00AE", s.up, s.out[-300:])
    a = register(s, DEVICE)
    check("registered, the B-TID is KmID", a.rsc == 2001 and assigned(a) is None, a.body)
    check("a key for B", register_key(s, DEVICE).rsc == 2001)
    s.end()
    s = lab.session(ue.btid, naf_key(ue, MAF, bytes.fromhex("010001ccac")))
    check("B-TID with another suite: refused", not (s.up and s.ask("GET", "/-/", origin=DEVICE).rsc == 2000))
    s.end()


def gba(lab, *args):
    r = run(GBA, *args, "--state", f"{lab.dir}/state", "--ca", f"{lab.dir}/ca.pem", "--json")
    try:
        return r.returncode, json.loads(r.stdout or "{}"), r.stderr
    except ValueError:
        return r.returncode, {}, r.stderr


def test_gba_connect(lab):
    write(f"{lab.dir}/km", f"opengaa-credential=1\nkind=km\nkey_id={KM_ID}\nkey={KM.hex()}\npeer={MAF}\n", 0o600)
    write(f"{lab.dir}/registrar.yaml", REGISTRAR_YAML % {"maf": lab.mafd.address("maf")[1]})
    lab.registrar.end()
    lab.registrar.start()
    host, port = lab.registrar.address("registrar")
    url = "https://127.0.0.1:%d" % lab.mafd.address("psk")[1]
    by_maf = ("connect", f"{host}:{port}", "--maf", url, "--maf-fqdn", MAF, "--target", CSE)
    code, j, err = gba(lab, *by_maf)
    check("no Km: 77 and what to do", code != 0 and "no valid Km" in err, (code, err))
    check("import of Km", gba(lab, "credential", "import", "--file", f"{lab.dir}/km")[0] == 0)
    code, j, err = gba(lab, *by_maf)
    check("gba connect --maf", code == 0 and THING in j.get("answer", "") and j["key_id"].endswith("@" + MAF), (code, j, err))
    code, k, err = gba(lab, *by_maf)
    check("Kc is good for more than one session", code == 0 and k.get("key_id") == j["key_id"], (code, k, err))
    code, k, err = gba(lab, *by_maf, "--renew")
    check("--renew: another Kc", code == 0 and k.get("key_id") != j["key_id"], (code, k, err))
    listed = run(MEFCTL, "--socket", f"{lab.dir}/mafd.sock", "list", "key", "--json").stdout.upper()
    check("... and the one of before has ended", k["key_id"].split("@")[0] in listed and
          j["key_id"].split("@")[0] not in listed and err == "", (listed, err))
    code, k, err = gba(lab, "connect", f"{host}:{port}", "--maf", url, "--maf-fqdn", MAF, "--target",
                       "//sp.example.org/cse2")
    check("a target not allowed: 77, and what the MAF said", code == 77 and "refuses a key for this target" in err and
          "RSC 4103" in err and k.get("ok") is False and k.get("rsc") == 4103 and k.get("dbg"), (code, k, err))
    check("no name of the MAF: 64", gba(lab, *by_maf[:4], "--target", CSE)[0] == 64)
    check("--maf and --psk: 64", gba(lab, *by_maf, "--psk")[0] == 64)
    # Km of the MEF, by gba alone
    write(f"{lab.dir}/kpm", f"opengaa-credential=1\nkind=kpm\nkey_id={KPM_ID}\nkey={KPM.hex()}\npeer={MEF}\n", 0o600)
    code, j, err = gba(lab, "enrol", "--framework", "psk", "--mef", "https://127.0.0.1:%d" % lab.mefd.address("psk")[1],
                       "--mef-fqdn", MEF, "--target", MAF, "--usage", "21", "--admin", "sp.example.org", "--kpm-file",
                       f"{lab.dir}/kpm")
    check("gba enrol for the MAF", code == 0 and j["key_id"].endswith("@" + MEF), (code, j, err))
    code, k, err = gba(lab, *by_maf, "--renew")
    check("gba connect --maf with it", code == 0 and METER in k.get("answer", ""), (code, k, err))
    code, k, err = gba(lab, "credential", "export", "--target", MAF, "--out", f"{lab.dir}/km.out")
    check("Km has its name now", f"@{MAF}" in open(f"{lab.dir}/km.out").read(), err)
    code, k, err = gba(lab, *by_maf, "--renew")
    check("and serves under it", code == 0 and METER in k.get("answer", ""), (code, k, err))


def test_administration(lab, kc_id, kc):
    ctl = (MEFCTL, "--socket", f"{lab.dir}/mafd.sock")
    r = run(*ctl, "list", "key", "--json")
    check("mefctl lists keys, none in clear", r.returncode == 0 and THING in r.stdout and kc.hex() not in r.stdout.lower()
          and base64.b64encode(kc).decode() not in r.stdout, r.stderr)
    r = run(*ctl, "command", "issue", "cert-prov", f"enrolee={THING}", "stakeholder=sp.example.org", "subject_type=ae",
            f"subject={THING}", f"uri=https://{MAF}/.well-known/est")
    check("mefctl issues no commands here", r.returncode == 77 and "a MAF has no commands: not supported" in r.stderr, r.stderr)
    check("mefctl revokes", run(*ctl, "revoke", METER).returncode == 0)
    r = run(*ctl, "list", "credential", "--json")
    check("Km's of MEFs go with it", METER not in r.stdout and KM_ID.lower() in r.stdout.lower(), r.stdout)
    r = run(*ctl, "audit")
    check("audit log is as it was written", r.returncode == 0, r.stdout + r.stderr)
    log = open(f"{lab.dir}/mafd.db.audit").read()
    for event in ("km.keep", "km.name", "key.create", "key.give", "registration.create"):
        check(f"audit: {event}", f'"{event}"' in log)
    a = exchange(lab.mafd.address("metrics"), b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    check("metrics", b"mafd_requests_total" in a.body and b"mefd_" not in a.body, a.body[:300])


def test_placed(lab):
    """A.1 of pre-provisioning: the same file at the device and, sealed, at the MAF."""
    ctl = (MEFCTL, "--socket", f"{lab.dir}/mafd.sock")
    placed, key = "//sp.example.org/cse1/Cplaced", bytes(range(32, 64))
    text = f"opengaa-credential=1\nkind=km\nkey_id=placed@{MAF}\nkey={key.hex()}\npeer={MAF}\nentity={placed}\n"
    write(f"{lab.dir}/placed", text, 0o600)
    write(f"{lab.dir}/file.seal", "5a" * 32, 0o600)
    write(f"{lab.dir}/other.seal", "5b" * 32, 0o600)
    state = ("--state", f"{lab.dir}/placed.state")
    check("imported", run(GBA, "credential", "import", "--file", f"{lab.dir}/placed", *state).returncode == 0)
    check("exported, sealed", run(GBA, "credential", "export", "--target", MAF, "--out", f"{lab.dir}/sealed",
                                  "--file-seal", f"{lab.dir}/file.seal", *state).returncode == 0)
    check("enrolee", run(*ctl, "add", "enrolee", f"id={placed}").returncode == 0)
    check("instruction", run(*ctl, "add", "instruction", f"enrolee={placed}", f"target={CSE}").returncode == 0)
    for what, args, code in (("sealed, without its key", ("--file", f"{lab.dir}/sealed"), 65),
                             ("another key", ("--file", f"{lab.dir}/sealed", "--file-seal", f"{lab.dir}/other.seal"), 65),
                             ("no such file", ("--file", f"{lab.dir}/none"), 74),
                             ("for no one", ("--file", f"{lab.dir}/km"), 77)):
        r = run(*ctl, "add", "credential", *args)
        check(f"{what}: {code}", r.returncode == code and r.stderr, (r.returncode, r.stderr))
    os.chmod(f"{lab.dir}/placed", 0o644)
    check("others may read it: 74", run(*ctl, "add", "credential", "--file", f"{lab.dir}/placed").returncode == 74)
    check("no other noun", run(*ctl, "add", "enrolee", f"id={placed}x", "--file", f"{lab.dir}/sealed").returncode == 64)
    r = run(*ctl, "add", "credential", "--file", f"{lab.dir}/sealed", "--file-seal", f"{lab.dir}/file.seal",
            f"enrolee={placed}")
    check("placed", r.returncode == 0, r.stderr)
    s = lab.session("placed@" + MAF, key, AE)
    check("and good", s.up and register(s, placed).rsc == 2001, s.out[-200:])
    s.end()


def test_generated(lab):
    """The same without a hand on the key: mefctl makes it, the device has it from the file."""
    ctl = (MEFCTL, "--socket", f"{lab.dir}/mafd.sock")
    made, seal = "//sp.example.org/cse1/Cmade", f"{lab.dir}/file.seal"
    check("enrolee", run(*ctl, "add", "enrolee", f"id={made}").returncode == 0)
    check("instruction", run(*ctl, "add", "instruction", f"enrolee={made}", f"target={CSE}").returncode == 0)
    write(f"{lab.dir}/registrar.yaml", REGISTRAR_YAML % {"maf": lab.mafd.address("maf")[1]})
    lab.registrar.end()
    lab.registrar.start()
    at = "%s:%d" % lab.registrar.address("registrar")
    for what, more, opens in (("plain", (f"peer={MAF}",), ()),
                              ("sealed", (f"name=made.1@{MAF}", "--out-seal", seal), ("--file-seal", seal))):
        path, state = f"{lab.dir}/made.{what}", ("--state", f"{lab.dir}/made.{what}.state")
        r = run(*ctl, "add", "credential", "--generate", "--out", path, f"enrolee={made}", "kind=km", *more)
        check(f"{what}: a Km and its file, 0600", r.returncode == 0 and os.stat(path).st_mode & 0o777 == 0o600, r.stderr)
        r = run(GBA, "credential", "import", "--file", path, *opens, *state)
        check(f"{what}: imported", r.returncode == 0, r.stderr)
        r = run(GBA, "connect", at, "--maf", "https://127.0.0.1:%d" % lab.mafd.address("psk")[1], "--maf-fqdn", MAF,
                "--target", CSE, "--ca", f"{lab.dir}/ca.pem", "--json", *state)
        check(f"{what}: an association by the MAF", r.returncode == 0 and made in json.loads(r.stdout or "{}").get("answer", ""),
              r.stdout + r.stderr)
    with open(f"{lab.dir}/made.sealed", "rb") as f:
        check("sealed is sealed", f.read().startswith(b"OpenGAA sealed 1\n"))


def test_options(lab):
    check("check-config", run(MAFD, "--config", f"{lab.dir}/mafd.yaml", "--check-config").returncode == 0)
    text = open(f"{lab.dir}/mafd.yaml").read()
    for what, old, new in (("a target that is an AE", f"id: {CSE}}}", f"id: {CSE}/Cx}}"),
                           ("SUID 31", f"id: {CSE}}}", f'id: {CSE}, suids: ["31"]}}'),
                           ("Km without a name", f"km_id: {KM_ID}, ", ""), ("est is an MEF's", "database", "est: {ca: lab}\ndatabase"),
                           ("unknown target", f"targets: [{CSE}]", "targets: [/cse9]")):
        write(f"{lab.dir}/bad.yaml", text.replace(old, new), 0o600)
        r = run(MAFD, "--config", f"{lab.dir}/bad.yaml", "--check-config")
        check(f"{what}: 78", r.returncode == 78 and r.stderr, (r.returncode, r.stderr))


def test_files(lab):
    """What is read when a client comes is looked at before, with its place in the configuration."""
    text = open(f"{lab.dir}/mafd.yaml").read()
    good, bad = "ca: ca.pem}]\ndatabase", f"{lab.dir}/bad.yaml"
    at = text.index(good)
    write(f"{lab.dir}/empty.pem", "")
    write(f"{lab.dir}/cut.pem", open(f"{lab.dir}/ca.pem").read()[:-60])
    check("one root file", text.count(good) == 1)
    for what, name in (("no such file", "nothing.pem"), ("empty", "empty.pem"), ("cut short", "cut.pem"),
                       ("a key", "maf.key"), ("a folder", ".")):
        write(bad, text.replace(good, good.replace("ca.pem", name)), 0o600)
        place = f"{bad}:{text.count(chr(10), 0, at) + 1}:{at - text.rfind(chr(10), 0, at)}: mefs[0].ca: "
        for more in (["--check-config"], []):
            r = run(MAFD, "--config", bad, *more)
            check(f"mefs.ca, {what}: 78 and the place {more}", r.returncode == 78 and r.stderr.startswith(place) and
                  len(r.stderr) > len(place) + 1, (r.returncode, r.stderr, place))
    for entry in ("/cse1/Cmeter", "sp.example.org", "//sp.example.org/", '""'):
        write(bad, text.replace(good, good.replace("ca.pem", f"ca.pem, enrolees: [{METER}, {entry}]")), 0o600)
        r = run(MAFD, "--config", bad, "--check-config")
        check(f"mefs.enrolees {entry}: 78 and the place", r.returncode == 78 and ": mefs[0].enrolees: one is neither" in r.stderr, r.stderr)
    write(bad, text.replace(good, good.replace("ca.pem", "ca.pem, enrolees: []")), 0o600)
    r = run(MAFD, "--config", bad, "--check-config")
    check("an empty list is not anybody: 78", r.returncode == 78 and ": mefs[0].enrolees: 0 entries" in r.stderr, r.stderr)
    write(bad, text.replace(f"{{fqdn: {MEF}, url: \"https:", f"{{fqdn: {MEF}, url: \"http:"), 0o600)
    r = run(MAFD, "--config", bad, "--check-config")
    check("mefs.url: 78 and the place", r.returncode == 78 and ": mefs[0].url: must begin" in r.stderr, r.stderr)
    for option, old, new in (("tls", "key: maf.key, client_ca", "key: nothing.key, client_ca"),
                             ("tls", "client_ca: ca.pem", "client_ca: nothing.pem"),
                             ("zn", "  certificate: maf.pem\n", "  certificate: nothing.pem\n"), ("zn", "ca: ca.pem}]\nmefs", "ca: nothing.pem}]\nmefs")):
        check(f"{option}: is in it", old in text)
        write(bad, text.replace(old, new), 0o600)
        r = run(MAFD, "--config", bad, "--check-config")
        check(f"{option}, no such file: 78 and its name", r.returncode == 78 and "nothing." in r.stderr, (r.returncode, r.stderr))


def main():
    lab = MafLab()
    try:
        kc_id, kc = test_provisioned(lab)
        test_from_mef(lab)
        test_vouched(lab)
        test_gba(lab)
        test_gba_connect(lab)
        test_administration(lab, kc_id, kc)
        test_placed(lab)
        test_generated(lab)
        test_options(lab)
        test_files(lab)
    finally:
        codes, text = lab.end()
    check("daemons end with 0", codes == [0, 0, 0, 0], codes)
    for secret in (KM, KPM, kc):
        check("no key in a log", base64.b64encode(secret).decode() not in text and secret.hex() not in text.lower())
    return summary()


if __name__ == "__main__":
    sys.exit(main())
