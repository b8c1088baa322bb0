#!/usr/bin/env python3
"""The administration of mefd by mefctl: rows of every kind, imports of thousands of devices, revocation, the
audit log, a new master key, and mefd killed in the middle of any of these.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import csv
import glob
import json
import os
import random
import re
import resource
import socket
import stat
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
from bsf_lab import BUILD, check, make_cert, summary, write  # noqa: E402
from mefd import CSE, MEF, MEFD, MEFD_YAML, Lab, Session, fetch_path, later  # noqa: E402

CTL = os.path.abspath(os.path.join(BUILD, "naf/mefctl"))
GBA = os.path.abspath(os.path.join(BUILD, "ua/gba"))
YAML = MEFD_YAML + """admin: {{socket: ctl.sock, listen: 127.0.0.1:0, clients: [admin.example.org]}}
"""
KPM = bytes(range(32, 64))
ONE, TWO = "//sp.example.org/cse1/Cone", "//sp.example.org/cse1/Ctwo"
MADE = "//sp.example.org/cse1/Cmade"


class Ctl:
    def __init__(self, lab):
        self.lab, self.socket = lab, f"{lab.dir}/ctl.sock"

    def __call__(self, *args, stdin=None, where=None):
        r = subprocess.run([CTL, *(where or ["--socket", self.socket]), *args], capture_output=True, text=True,
                           input=stdin, timeout=120, errors="surrogateescape")
        self.err = r.stderr
        return r.returncode, r.stdout

    def rows(self, *args):
        rc, out = self("--json", "list", *args)
        assert rc == 0, self.err
        return [json.loads(line) for line in out.splitlines()]

    def raw(self, text):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect(self.socket)
            s.sendall(text)
            return s.makefile("rb").readline()


def enrol(lab, kpm_id, key=KPM, admin="sp.example.org"):
    origin = {"one": ONE, "two": TWO}.get(kpm_id) or f"//sp.example.org/cse1/Cdev{int(kpm_id[3:]):06}"
    s = Session(lab, kpm_id, key, "ECDHE-PSK-CHACHA20-POLY1305")
    if not s.up:
        return s, None
    return s, s.ask("POST", "/-/", 4, json.dumps({"sec:mefcr": {"et": later(3600), "adfq": admin}}), origin=origin)


def fetched(lab, s):
    return lab.ask(fetch_path(s.exported[:16].hex().upper() + "@" + MEF))


def test_options(lab, ctl):
    """What --help lists and what mefctl(8) explains are the same options."""
    rc, text = ctl("--help")
    listed = set(re.findall(r"(?m)^  --([a-z-]+)", text))
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../doc/man/mefctl.8")) as f:
        page = f.read().split(".SH OPTIONS", 1)[1].split(".SH ", 1)[0].replace("\\-", "-")
    heads = re.findall(r"(?m)^\.TP\n(.*)", page)
    explained = {name for head in heads for name in re.findall(r"--([a-z-]+)", head)}
    check("--help", rc == 0 and len(listed) > 15, text)
    check("the options of --help and of the page", listed == explained, listed ^ explained)
    check("--version", ctl("--version", where=["--json"])[0] == 0, ctl.err)


def test_json_failures(lab, ctl):
    """With --json every failure is one object, with the exit status and the line that there are without."""
    d, (host, port) = lab.dir, lab.mefd.address("admin")
    write(f"{d}/open.key", KPM.hex(), 0o644)
    write(f"{d}/bad.csv", "id,kpm_id\nx\n", 0o600)
    write(f"{d}/not.credential", "hello\n", 0o600)
    here, gone = ["--socket", ctl.socket], ["--socket", f"{d}/gone.sock"]
    away = ["--url", f"https://{host}:{port}/", "--ca", f"{d}/client.pem"]
    rows = [  # what, where, words, status, error, at
        ("no socket", gone, ["list", "stakeholder"], 69, "UNREACHABLE", f"{d}/gone.sock"),
        ("no option", here, ["--bogus", "list", "stakeholder"], 64, "ARGUMENT", "--bogus"),
        ("an option without its value", here, ["list", "stakeholder", "--socket"], 64, "ARGUMENT", "--socket"),
        ("no command", here, [], 64, "ARGUMENT", None),
        ("another command", here, ["frob"], 64, "ARGUMENT", "frob"),
        ("list what?", here, ["list"], 64, "ARGUMENT", "list"),
        ("revoke whom?", here, ["revoke"], 64, "ARGUMENT", "revoke"),
        ("import what?", here, ["import"], 64, "ARGUMENT", "import"),
        ("audit of what?", here, ["audit", "x"], 64, "ARGUMENT", "audit"),
        ("rekey more", here, ["rekey", "x"], 64, "ARGUMENT", "rekey"),
        ("command", here, ["command", "issue"], 64, "ARGUMENT", "command"),
        ("no member", here, ["add", "enrolee", "x"], 64, "ARGUMENT", "x"),
        ("a key as a word", here, ["add", "credential", "key=00"], 64, "ARGUMENT", "key"),
        ("batches of nothing", here, ["--batch", "0", "list", "enrolee"], 64, "ARGUMENT", None),
        ("no key file", here, ["--key-file", f"{d}/gone", "add", "credential"], 74, "IO", f"{d}/gone"),
        ("an open key file", here, ["--key-file", f"{d}/open.key", "add", "credential"], 74, "IO", f"{d}/open.key"),
        ("no credential file", here, ["--file", f"{d}/not.credential", "add", "credential"], 65, "SYNTAX",
         f"{d}/not.credential, line 1"),
        ("no import", here, ["import", f"{d}/gone"], 74, "IO", f"{d}/gone"),
        ("not UTF-8", here, ["import", os.fsencode(d) + b"/\xff"], 74, "IO", f"{d}/?"),
        ("a bad table", here, ["import", f"{d}/bad.csv"], 65, "SYNTAX", f"{d}/bad.csv:2:2"),
        ("no token", here, ["--resume", "x", "import", f"{d}/none.csv"], 64, "ARGUMENT", "x"),
        ("TLS", away, ["list", "enrolee"], 69, "UNREACHABLE", None),
        ("http", ["--url", "http://localhost/"], ["list", "enrolee"], 69, "UNREACHABLE", None),
        ("the daemon's", here, ["remove", "enrolee", f"id={MADE}x"], 77, "NOT_FOUND", "enrolee"),
    ]
    write(f"{d}/none.csv", "id\n", 0o600)
    for what, where, words, status, error, at in rows:
        people, _ = ctl(*words, where=where)
        line = ctl.err
        rc, out = ctl(*words, where=where + ["--json"])
        check(f"{what}: {status}", rc == status and people == status, (rc, people, out, ctl.err))
        o = json.loads(out) if out.count("\n") == 1 else {}
        check(f"{what}: one object", o.get("ok") is False and o.get("error") == error and o.get("at") == at and
              len(o.get("text", "")) > 3, out)
        if status != 77:
            check(f"{what}: the same line for people", ctl.err == line and line, (ctl.err, line))
            check(f"{what}: its words", "usage: " in line or line.rstrip("\n").endswith(o.get("text", "x")), (out, line))
    for words in (["list", "target"], ["--json", "list", "target"], ["--help"], ["--version"]):
        with open("/dev/full", "w") as full:
            r = subprocess.run([CTL, *here, *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=20)
        check(f"no room for the answer: {words}", r.returncode == 74 and "No space left" in r.stderr, (r.returncode, r.stderr))
    rc, out = ctl("list", "stakeholder", "x", "--json")
    check("--json stands anywhere", rc == 64 and json.loads(out)["at"] == "x", out)
    rc, out = ctl("command", "issue", "cert-prov", f"enrolee={ONE}", "stakeholder=a b", "subject_type=ae")
    check("words for people", rc == 77 and ctl.err == "mefctl: stakeholder: not an FQDN\n", ctl.err)


def test_rows(lab, ctl):
    check("the socket is its owner's", stat.S_IMODE(os.stat(ctl.socket).st_mode) == 0o600)
    good = [("target", "id=//sp.example.org/cse9", "suids=22"), ("enrolee", f"id={ONE}"),
            ("instruction", f"enrolee={ONE}", f"target={CSE}", "expires=2099-01-01T00:00:00Z"),
            ("credential", f"enrolee={ONE}", "kind=cert", "name=dns:One.example.org"),
            ("credential", f"enrolee={ONE}", "kind=gba", "name=1@ims.example.org")]
    for row in good:
        check(f"add {row[0]}", ctl("add", *row)[0] == 0, ctl.err)
        check(f"add {row[0]} again", ctl("add", *row)[0] == 77 and "exists" in ctl.err, ctl.err)
    rc, _ = ctl("--key-file", "-", "add", "credential", f"enrolee={ONE}", "kind=psk", "name=one", stdin=KPM.hex() + "\n")
    check("add a key from standard input", rc == 0, ctl.err)
    bad = [("no such noun", 77, "what", ["add", "thing", "id=x"]),
           ("no member", 77, "id", ["add", "enrolee"]),
           ("a member too many", 77, "not supported", ["add", "enrolee", f"id={TWO}", "colour=red"]),
           ("not an Enrolee-ID", 77, "id", ["add", "enrolee", "id=a b"]),
           ("of an unknown enrolee", 77, "enrolee", ["add", "credential", f"enrolee={TWO}", "kind=gba", "name=x@y"]),
           ("of an unknown target", 77, "target", ["add", "instruction", f"enrolee={ONE}", "target=//nobody.example/x"]),
           ("more than the target may", 77, "suids", ["add", "instruction", f"enrolee={ONE}",
                                                      "target=//sp.example.org/cse9", "suids=22,23"]),
           ("a kind that is none", 77, "kind", ["add", "credential", f"enrolee={ONE}", "kind=sim", "name=x"]),
           ("no key", 77, "key", ["add", "credential", f"enrolee={ONE}", "kind=psk", "name=x"]),
           ("a key as argument", 64, "key-file", ["add", "credential", f"enrolee={ONE}", "kind=psk", "name=x", "key=00"]),
           ("no time", 77, "expires", ["add", "instruction", f"enrolee={ONE}", f"target={CSE}", "expires=soon"]),
           ("no command", 64, "usage", ["paint"]), ("no arguments", 64, "usage", []),
           ("of the configuration", 77, "forbidden", ["remove", "target", f"id={CSE}"]),
           ("not there", 77, "not found", ["remove", "enrolee", f"id={TWO}"])]
    for what, code, why, args in bad:
        check(f"refused: {what}", ctl(*args)[0] == code and why in ctl.err, ctl.err)
    check("list of targets", {r["id"]: r["origin"] for r in ctl.rows("target")} ==
          {CSE: "configuration", "//sp.example.org/cse2": "configuration",
           "//sp.example.org/cse9": "administration"}, ctl.rows("target"))
    creds = ctl.rows("credential", f"enrolee={ONE}")
    check("credentials, without a key", sorted(c["kind"] for c in creds) == ["cert", "gba", "psk"] and
          KPM.hex() not in json.dumps(creds), creds)
    rc, out = ctl("list", "credential", f"enrolee={ONE}")
    check("as a table", out.splitlines()[0].split() == ["kind", "name", "enrolee", "origin"], out)
    raw = [b"", b"{", b"[]", b"null", b'{"do":1}', b'{"do":"add","do":"add"}', b'{"do":"list","what":"key","max":-1}',
           b'{"do":"batch","import":"x","rows":[1]}', b'{"do":"batch","import":"x","rows":{}}', b"\0", b"\xff" * 100]
    for line in raw:
        check(f"rubbish {line[:40]!r}", json.loads(ctl.raw(line + b"\n"))["ok"] is False)
    check("a line too long", json.loads(ctl.raw(b"x" * (5 << 20) + b"\n"))["error"] == "TOO_LONG")
    check("and life goes on", ctl("list", "target")[0] == 0)


def test_right_removed(lab, ctl, s):
    """An instruction that goes stops what was registered under it, and counts again when it is back."""
    a = s.ask("POST", "/-/", 5, json.dumps({"sec:skr": {"et": later(600), "adfq": "sp.example.org", "suid": 22, "tgis": [CSE]}}), origin=ONE)
    check("it registers a key", a.rsc == 2001, a.body)
    at, fields = a.fields.get("content-location", ""), ["X-M2M-RI: 1", "X-M2M-RVI: 3"]
    row = ["instruction", f"enrolee={ONE}", f"target={CSE}"]
    a = lab.ask(at, fields=fields)
    check("which its target retrieves", a.status == 200 and b'"kv"' in a.body, a.body)
    check("the instruction goes", ctl("remove", *row)[0] == 0, ctl.err)
    a = lab.ask(at, fields=fields)
    check("and the key with it, for the target", a.status == 403 and b"not allowed any more" in a.body and b'"kv"' not in a.body, a.body)
    check("as by fetchCredentials", fetched(lab, s).status == 403)
    check("it comes back", ctl("add", *row, "expires=2099-01-01T00:00:00Z")[0] == 0 and lab.ask(at, fields=fields).status == 200, ctl.err)


def test_life_of_an_enrolee(lab, ctl):
    s, a = enrol(lab, "one")
    check("who was added enrols", s.up and a.rsc == 2001, s.out[-300:])
    check("its key is the target's", json.loads(fetched(lab, s).body)["EnroleeID"] == ONE)
    e, g = ctl.rows("enrolment", f"enrolee={ONE}"), ctl.rows("registration", f"enrolee={ONE}")
    check("listed", len(e) == 1 and len(g) == 1 and g[0]["stakeholder"] == "sp.example.org", (e, g))
    test_right_removed(lab, ctl, s)
    check("revoked", ctl("revoke", ONE)[0] == 0, ctl.err)
    check("nothing is left of it", not ctl.rows("enrolment") and not ctl.rows("registration"))
    check("and no key is given", fetched(lab, s).status == 404)
    s.end()
    s, a = enrol(lab, "one")
    check("it may enrol again", a.rsc == 2001, a.fields)
    s.end()
    check("its credential goes", ctl("remove", "credential", "kind=psk", "name=one")[0] == 0, ctl.err)
    s, a = enrol(lab, "one")
    check("and does not enrol any more", not s.up or a.rsc != 2001, (ctl.rows("credential", f"enrolee={ONE}"), a and a.fields))
    check("the enrolee goes with all it has", ctl("remove", "enrolee", f"id={ONE}")[0] == 0 and
          not ctl.rows("credential", f"enrolee={ONE}") and not ctl.rows("registration"), ctl.err)


def test_stakeholders(lab, ctl):
    ctl("--key-file", "-", "add", "device", f"id={TWO}", "kpm_id=two", f"targets={CSE}", stdin=KPM.hex())
    check("a stakeholder", ctl("add", "stakeholder", "fqdn=SP.example.org")[0] == 0, ctl.err)
    s, a = enrol(lab, "two", admin="other.example.org")
    check("another's registration is refused", a.rsc == 4103, a.fields)
    s.end()
    s, a = enrol(lab, "two")
    check("its own is not", a.rsc == 2001, a.fields)
    check("it leaves", ctl("remove", "stakeholder", "fqdn=sp.example.org")[0] == 0, ctl.err)
    check("and its registrations with it", not ctl.rows("registration") and fetched(lab, s).status == 404)
    s.end()


def lines_of(path):
    with open(path) as f:
        return dict(line.split("=", 1) for line in f.read().splitlines())


def generate(ctl, out, *members, seal=None, options=(), where=None):
    return ctl("--generate", "--out", out, *(["--out-seal", seal] if seal else []), *options, "add", "credential", *members,
               where=where)


def enrols_by(lab, path, *seal):
    """gba has nothing but the file."""
    return subprocess.run([GBA, "enrol", "--framework", "psk", "--kpm-file", path, *seal, "--mef",
                           "https://127.0.0.1:%d" % lab.mefd.address("psk")[1], "--mef-fqdn", MEF, "--target", CSE, "--ca",
                           f"{lab.dir}/ca.pem", "--state", path + ".state", "--json"], capture_output=True, text=True,
                          timeout=60)


def test_generate(lab, ctl):
    """A key that the operator never sees: mefctl makes it, the device has it from the file."""
    plain, sealed, seal = (f"{lab.dir}/{n}" for n in ("made", "made.sealed", "file.seal"))
    write(seal, "5a" * 32, 0o600)
    ctl("add", "enrolee", f"id={MADE}")
    ctl("add", "instruction", f"enrolee={MADE}", f"target={CSE}")
    rc, out = generate(ctl, plain, f"enrolee={MADE}", "kind=kpm", f"peer={MEF}", "expires=2099-01-01T00:00:00Z")
    made = lines_of(plain)
    check("a Kpm and its file, 0600", rc == 0 and stat.S_IMODE(os.stat(plain).st_mode) == 0o600, ctl.err)
    check("of which KpmID is told, the key not", f"name: {made['key_id']}\n" == out and made["key"] not in ctl.err, out)
    check("the file says whose it is, with whom, how long", made["kind"] == "kpm" and made["entity"] == MADE and
          made["peer"] == MEF and made["expires"] == "2099-01-01T00:00:00Z" and len(made["key"]) == 64, list(made))
    check("KpmID is made of chance", len(made["key_id"]) == 32 + 1 + len(MEF) and made["key_id"].endswith("@" + MEF))
    rows = ctl.rows("credential", f"enrolee={MADE}")
    check("the row", [(r["kind"], r["name"].lower(), r["expires"]) for r in rows] ==
          [("psk", made["key_id"].lower(), made["expires"])], rows)
    r = enrols_by(lab, plain)
    check("the device enrols by the file", r.returncode == 0 and "key_id" in r.stdout, r.stdout + r.stderr)
    rc, out = generate(ctl, sealed, f"enrolee={MADE}", "kind=kpm", f"name=made@{MEF}", seal=seal, options=["--json"])
    with open(sealed, "rb") as f:
        octets = f.read()
    check("sealed, under a name that is given", rc == 0 and json.loads(out) == {"ok": True, "name": f"made@{MEF}"} and
          octets.startswith(b"OpenGAA sealed 1\n") and b"key" not in octets, out + ctl.err)
    check("0600 too", stat.S_IMODE(os.stat(sealed).st_mode) == 0o600)
    check("without the seal it is nothing", enrols_by(lab, sealed).returncode != 0)
    r = enrols_by(lab, sealed, "--file-seal", seal)
    check("with it the device enrols", r.returncode == 0, r.stdout + r.stderr)
    text = lab.mefd.text() + "".join(audit_lines(lab))
    check("no key in the log", made["key"] not in text and
          base64.b64encode(bytes.fromhex(made["key"])).decode() not in text)


def test_generate_refused(lab, ctl):
    new, locked, seal = f"{lab.dir}/new", f"{lab.dir}/locked", f"{lab.dir}/file.seal"
    good = (f"enrolee={MADE}", "kind=kpm", f"peer={MEF}")
    before = ctl.rows("credential")
    write(f"{lab.dir}/open.seal", "5a" * 32, 0o644)
    write(f"{lab.dir}/short.seal", "5a", 0o600)
    write(f"{lab.dir}/there", "precious", 0o600)
    os.symlink(f"{lab.dir}/nowhere", f"{lab.dir}/link")
    bad = [("no such enrolee", 77, "enrolee", new, (f"enrolee={TWO}x", *good[1:]), None),
           ("no enrolee", 77, "enrolee", new, good[1:], None),
           ("a name that is taken", 77, "exists", new, (*good, f"name=made@{MEF}"), None),
           ("another MEF's", 77, "peer", new, (*good[:2], "peer=mef.other.example"), None),
           ("a member too many", 77, "not supported", new, (*good, "colour=red"), None),
           ("no peer", 64, "peer", new, good[:2], None),
           ("a peer that is none", 64, "peer", new, (*good[:2], "peer=a..b"), None),
           ("no kind", 64, "kind", new, (good[0], good[2]), None),
           ("a kind of the daemon's", 64, "kpm", new, (good[0], "kind=psk", good[2]), None),
           ("a Kpsa", 64, "kpm", new, (good[0], "kind=kpsa", good[2]), None),
           ("a blank in the name", 64, "name", new, (*good, "name=a b"), None),
           ("a line in the name", 64, "name", new, (*good, "name=a\nkey=00"), None),
           ("a name too long", 64, "name", new, (*good, "name=" + "a" * 600), None),
           ("no time", 64, "expires", new, (*good, "expires=soon"), None),
           ("a key as argument", 64, "key-file", new, (*good, "key=00"), None),
           ("no such folder", 74, "No such file", f"{lab.dir}/none/new", good, None),
           ("a file that is there", 74, "exists", f"{lab.dir}/there", good, None),
           ("a link to nothing", 74, "exists", f"{lab.dir}/link", good, None),
           ("a folder that nobody may write", 74, "/sys/new", "/sys/new", good, None),
           ("no seal", 74, "none.seal", new, good, f"{lab.dir}/none.seal"),
           ("a seal that others may read", 74, "0600", new, good, f"{lab.dir}/open.seal"),
           ("a seal too short", 65, "32 octets", new, good, f"{lab.dir}/short.seal")]
    if os.getuid() != 0:  # whom no mode stops
        os.mkdir(locked, 0o500)
        bad.append(("a folder that is not writable", 74, "denied", f"{locked}/new", good, None))
    for what, code, why, out, members, key in bad:
        rc, text = generate(ctl, out, *members, seal=key)
        check(f"not generated: {what}", rc == code and why in ctl.err and not text, (rc, ctl.err, text))
        check(f"no file: {what}", not os.path.exists(new) and not os.path.exists(f"{lab.dir}/nowhere"))
    limit = 50  # octets of a file: only a part goes in
    r = subprocess.run([CTL, "--socket", ctl.socket, "--generate", "--out", new, "add", "credential", *good],
                       capture_output=True, text=True, timeout=60,
                       preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    check("a limit of files: 74, and no part of a file", r.returncode == 74 and "File too large" in r.stderr and
          not os.path.exists(new), (r.returncode, r.stderr))
    check("what was there is as it was", open(f"{lab.dir}/there").read() == "precious")
    usage = [("no --out", ["--generate", "add", "credential", *good]),
             ("--out alone", ["--out", new, "add", "credential", *good]),
             ("--out-seal alone", ["--out-seal", seal, "add", "credential", *good]),
             ("another noun", ["--generate", "--out", new, "add", "enrolee", f"id={MADE}x"]),
             ("to remove", ["--generate", "--out", new, "remove", "credential", *good]),
             ("a key of one's own", ["--generate", "--out", new, "--key-file", seal, "add", "credential", *good]),
             ("a file of one's own", ["--generate", "--out", new, "--file", seal, "add", "credential", *good])]
    for what, args in usage:
        check(f"usage: {what}", ctl(*args)[0] == 64 and "usage" in ctl.err and not os.path.exists(new), ctl.err)
    check("and no row", ctl.rows("credential") == before)


def test_generate_unanswered(lab, ctl):
    """The file is on the disk before the daemon is asked, and stays unless there is certainly no row."""
    path, at = f"{lab.dir}/lost", f"{lab.dir}/lost.sock"
    good = (f"enrolee={MADE}", "kind=kpm", f"peer={MEF}")
    seen = {}

    def daemon(listener, answer):
        s, _ = listener.accept()
        with s, s.makefile("rwb") as f:
            seen["request"] = json.loads(f.readline())
            seen["file"] = lines_of(path)
            f.write(answer)

    for what, answer, code, kept in (("hung up", b"", 69, True), ("not understood", b"what?\n", 76, True),
                                     ("neither good nor bad", b"{}\n", 76, True),
                                     ("refused", b'{"ok":false,"error":"IO","text":"no"}\n', 77, False)):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(at)
            listener.listen()
            t = threading.Thread(target=daemon, args=(listener, answer), daemon=True)
            t.start()
            rc, out = generate(ctl, path, *good, where=["--socket", at])
            t.join(20)
        os.unlink(at)
        check(f"{what}: the file was there before", seen["file"]["key"] == seen["request"]["key"] and
              seen["file"]["key_id"] == seen["request"]["name"] and seen["request"]["peer"] == MEF, list(seen["request"]))
        check(f"{what}: {code}", rc == code and seen["request"]["key"] not in out + ctl.err, (rc, ctl.err))
        check(f"{what}: the file {'stays' if kept else 'goes'}", os.path.exists(path) == kept)
        if kept:
            check(f"{what}: says what to do", path in ctl.err and seen["file"]["key_id"] in ctl.err and
                  "may be there or not" in ctl.err and "list credential" in ctl.err, ctl.err)
            rc, out = ctl("--file", path, "add", "credential")
            check(f"{what}: places it later", rc == 0, ctl.err)
            os.unlink(path)
    for what, where in (("no daemon", ["--socket", f"{lab.dir}/none.sock"]), ("no HTTPS", ["--url", "https://localhost:1/"])):
        check(f"{what}: 69 and no file", generate(ctl, path, *good, where=where)[0] == 69 and not os.path.exists(path), ctl.err)


def devices(path, n, first=0, bad=None):
    with open(path, "w", newline="") as f:
        w = csv.writer(f)
        w.writerow(["id", "kpm_id", "kpm", "certificates", "targets", "expires"])
        for i in range(first, first + n):
            w.writerow([f"//sp.example.org/cse1/Cdev{i:06}", f"dev{i}", "xx" if i == bad else f"{i:064x}",
                        f"dns:dev{i}.example.org uri:urn:dev:{i}", CSE, "2099-01-01T00:00:00Z"])
    os.chmod(path, 0o600)


def count(ctl):
    return sum(1 for r in ctl.rows("enrolee") if "/Cdev0" in r["id"])


def test_import_interrupted(lab, ctl):
    """mefctl killed in the middle: whoever reads its JSON has the token all the same."""
    path, at = f"{lab.dir}/devices.csv", f"{lab.dir}/silent.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(at)
        listener.listen()
        p = subprocess.Popen([CTL, "--socket", at, "--json", "import", path], stdout=subprocess.PIPE, text=True)
        s, _ = listener.accept()
        with s:
            asked = json.loads(s.makefile("rb").readline())
            p.kill()
            out = p.communicate(timeout=20)[0]
    os.unlink(at)
    check("the token of an import that was killed", out == json.dumps({"resume": asked["import"]}).replace(" ", "") + "\n", out)


def test_import(lab, ctl):
    path = f"{lab.dir}/devices.csv"
    devices(path, 2500, bad=1234)
    rc, out = ctl("import", path)
    check("a bad row costs its batch", rc == 77 and "1500 added, 0 in already, 1000 refused" in out, out + ctl.err)
    check("and is named", "line 1236: kpm: malformed message" in out, out)
    token = ctl.err.split("--resume ")[1].split()[0]
    check("by the thousand", count(ctl) == 1500, count(ctl))
    devices(path, 2500)
    rc, out = ctl("import", "--resume", token, path)
    check("the rest comes in when it is mended", rc == 0 and "1000 added, 1500 in already, 0 refused" in out, out)
    check("all", count(ctl) == 2500)
    rc, out = ctl("--json", "import", path)
    lines = [json.loads(x) for x in out.splitlines()]
    check("the token is first", list(lines[0]) == ["resume"] and lines[0]["resume"] == lines[-1]["resume"], out)
    check("twice is refused", rc == 77 and lines[-1]["refused"] == 2500 and lines[1]["refused"] == "EXISTS", out)
    check("an import that is refused in part has failed", lines[-1]["ok"] is False and lines[-1]["error"] == "REFUSED" and
          lines[-1]["text"], out)
    write(f"{lab.dir}/devices.json", json.dumps([{"id": "//sp.example.org/cse1/Cjson", "targets": [CSE]}]), 0o600)
    rc, out = ctl("--json", "import", f"{lab.dir}/devices.json")
    check("from JSON", rc == 0 and json.loads(out.splitlines()[-1])["ok"] is True, out + ctl.err)
    test_import_interrupted(lab, ctl)
    bad = [("no header", ""), ("an open quote", 'id,kpm_id\n"a,b\n'), ("cells too many", "id\na,b,c\n"),
           ("cells too few", "id,kpm_id\na\n"), ("no array", "[1"), ("a NUL", "id\na\0b\n")]
    for what, text in bad:
        write(f"{lab.dir}/bad.csv", text, 0o600)
        check(f"a file with {what}", ctl("import", f"{lab.dir}/bad.csv")[0] == 65, ctl.err)
    check("no file", ctl("import", f"{lab.dir}/none")[0] == 74)
    check("a file that cannot be read is not an empty one", ctl("import", lab.dir)[0] == 74 and lab.dir in ctl.err, ctl.err)
    write(f"{lab.dir}/bad.csv", "id,kpm_id,kpm\na,b,c\n/x,y,00ff00ff,\n", 0o600)
    check("where and why, without the key", ctl("import", f"{lab.dir}/bad.csv")[0] == 65 and
          "bad.csv:3:15: more cells" in ctl.err and "00ff" not in ctl.err, ctl.err)
    write(f"{lab.dir}/bad.csv", '[{"id":"/x","kpm":"00ff00ff" 1}]', 0o600)
    check("nor in JSON", ctl("import", f"{lab.dir}/bad.csv")[0] == 65 and "bad.csv:1:" in ctl.err and
          "00ff" not in ctl.err, ctl.err)
    devices(f"{lab.dir}/open.csv", 1)
    os.chmod(f"{lab.dir}/open.csv", 0o640)
    check("keys that others may read", ctl("import", f"{lab.dir}/open.csv")[0] == 65 and "0600" in ctl.err, ctl.err)
    s, a = enrol(lab, "dev7", (7).to_bytes(32, "big"))
    check("one of them enrols", s.up and a.rsc == 2001, s.out[-200:])
    s.end()


def test_https(lab, ctl):
    make_cert(lab.dir, "ca", "admin", "DNS:other.example.org,DNS:Admin.example.org")
    os.chmod(f"{lab.dir}/admin.key", 0o600)
    host, port = lab.mefd.address("admin")
    for name, code in (("admin", 0), ("cse1", 77)):
        rc, out = ctl("list", "target", where=["--url", f"https://localhost:{port}/", "--ca", f"{lab.dir}/ca.pem",
                                               "--cert", f"{lab.dir}/{name}.pem", "--key", f"{lab.dir}/{name}.key"])
        check(f"HTTPS as {name}", rc == code, ctl.err)
    rc, out = ctl("list", "target", where=["--url", f"https://localhost:{port}/", "--ca", f"{lab.dir}/ca.pem"])
    check("HTTPS as nobody", rc == 69, ctl.err)


def audit_lines(lab):
    with open(f"{lab.dir}/mefd.db.audit") as f:
        return f.read().splitlines()


def test_audit(lab, ctl):
    rc, out = ctl("audit")
    n = int(out.split(":")[1])
    lines = audit_lines(lab)
    check("the log is as it was written", rc == 0 and n == len(lines), out + ctl.err)
    events = [json.loads(line.split(" ", 1)[1]) for line in lines]
    what = {e["what"] for e in events}
    check("it tells of changes and of keys", {"target.add", "enrolee.add", "credential.add", "device.add",
                                              "enrolment.keep", "registration.create", "key.fetch", "enrolee.revoke",
                                              "credential.remove", "stakeholder.remove"} <= what, what)
    give = next(e for e in events if e["what"] == "key.fetch")
    check("who, for whom, which", give["who"] == CSE and give["for"] == ONE and give["key_id"].endswith("@" + MEF), give)
    check("until when", give["expires"] > give["time"], give)
    i = next(n for n, e in enumerate(events) if e["what"] == "enrolee.revoke")
    check("what went with a revocation", {e["what"] for e in events[i + 1:i + 4]} == {"enrolment.end", "registration.end", "key.end"} and
          all(e["for"] == ONE and e["key_id"] for e in events[i + 1:i + 4]), events[i:i + 4])
    right = next(e for e in events if e["what"] == "instruction.add" and e["for"] == ONE)
    check("what is allowed", right["target"] == CSE and right["suids"] == [22] and right["expires"].startswith("2099"), right)
    check("the administrator by uid", any(e["who"] == f"admin:{os.getuid()}" for e in events))
    check("no key", KPM.hex() not in "".join(lines))
    check("nobody else reads it", stat.S_IMODE(os.stat(f"{lab.dir}/mefd.db.audit").st_mode) == 0o600)
    whole = "\n".join(lines) + "\n"
    changed = [("a changed line", whole.replace('"target.add"', '"target.bad"', 1), 1),
               ("a line taken out", "\n".join(lines[:4] + lines[5:]) + "\n", 5),
               ("lines cut off", "\n".join(lines[:-3]) + "\n", len(lines) - 2), ("an empty file", "", 1),
               ("a line more", whole + lines[-1] + "\n", len(lines) + 1)]
    for why, text, at in changed:
        write(f"{lab.dir}/mefd.db.audit", text, 0o600)
        rc, out = ctl("audit")
        first = next((i for i, e in enumerate(events) if e["what"] == "target.add"), 0)
        at = first + 1 if why == "a changed line" else at
        check(f"{why} shows", rc == 77 and f"line {at}:" in ctl.err, (ctl.err, at))
    write(f"{lab.dir}/mefd.db.audit", whole, 0o600)
    check("and the right one is right", ctl("audit", "verify")[0] == 0, ctl.err)


def test_rekey(lab, ctl):
    before = open(f"{lab.dir}/mefd.master").read()
    rc, out = ctl("rekey")
    check("a new master key", rc == 0 and int(out.split(":")[1]) >= 2500, out + ctl.err)
    check("is in its file", open(f"{lab.dir}/mefd.master").read() != before and
          not os.path.exists(f"{lab.dir}/mefd.master.next"))
    s, a = enrol(lab, "dev8", (8).to_bytes(32, "big"))
    check("keys open", s.up, s.out[-200:])
    s.end()
    lab.mefd.end()
    lab.mefd.start()
    s, a = enrol(lab, "dev9", (9).to_bytes(32, "big"))
    check("also after a restart", s.up, s.out[-200:])
    s.end()


def test_killed(lab, ctl):
    path = f"{lab.dir}/more.csv"
    devices(path, 2000, first=10000)
    token = "0123456789abcdef-50"
    for i in range(8):
        job = subprocess.Popen([CTL, "--socket", ctl.socket, "import", "--resume", token, path],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        rekey = subprocess.Popen([CTL, "--socket", ctl.socket, "rekey"], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0.02, 0.4))
        lab.mefd.end(9)
        job.wait(timeout=60)
        rekey.wait(timeout=60)
        lab.mefd.start()
        rc, out = ctl("audit")
        check(f"killed {i}: the log is whole", rc == 0, ctl.err)
        n = sum(1 for r in ctl.rows("enrolee") if "/Cdev01" in r["id"])
        check(f"killed {i}: whole batches", n % 50 == 0, n)
        s, a = enrol(lab, f"dev{20 + i}", (20 + i).to_bytes(32, "big"))
        check(f"killed {i}: keys open", s.up, s.out[-200:])
        s.end()
    rc, out = ctl("import", "--resume", token, path)
    check("the import ends", rc == 0 and sum(1 for r in ctl.rows("enrolee") if "/Cdev01" in r["id"]) == 2000, out)
    check("no key's file is left over", not glob.glob(f"{lab.dir}/*.next"))


def test_full_at_start(lab, ctl):
    """Files that may grow to a limit only: mefd runs, or says why it does not."""
    ended = 0
    for how, limit in ((15, 0), (15, 4096), (15, 33000), (15, 40000), (9, 4096), (9, 33000), (9, 40000)):
        for i in range(20):  # what a killed one leaves in the write-ahead log
            ctl("add", "enrolee", f"id={ONE}-{how}-{limit}-{i}")
        check(f"before files of {limit}", ctl("audit")[0] == 0, ctl.err)  # and no line waits
        lab.mefd.end(how)
        r = subprocess.Popen([MEFD, "--config", f"{lab.dir}/mefd.yaml"], stderr=subprocess.PIPE, text=True,
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        time.sleep(0.5)
        r.terminate()
        text = r.communicate(timeout=20)[1]
        ended += r.returncode != 0
        check(f"files of {limit} after {how}", r.returncode == 0 or (r.returncode == 71 and " error " in text), (r.returncode, text))
        lab.mefd.start()
    check("there are such limits", ended > 0)
    check("and it goes on", ctl("audit")[0] == 0, ctl.err)


def main():
    lab = Lab(YAML)
    ctl = Ctl(lab)
    try:
        test_options(lab, ctl)
        test_json_failures(lab, ctl)
        test_rows(lab, ctl)
        test_life_of_an_enrolee(lab, ctl)
        test_stakeholders(lab, ctl)
        test_import(lab, ctl)
        test_generate(lab, ctl)
        test_generate_refused(lab, ctl)
        test_generate_unanswered(lab, ctl)
        test_https(lab, ctl)
        test_audit(lab, ctl)
        test_rekey(lab, ctl)
        test_killed(lab, ctl)
        test_full_at_start(lab, ctl)
        text = lab.mefd.text()
        check("no key in the log", KPM.hex() not in text and base64.b64encode(KPM).decode() not in text)
    finally:
        lab.end()
    return summary()


if __name__ == "__main__":
    sys.exit(main())
