#!/usr/bin/env python3
"""Foreign clients at mefd: curl as a target that fetches credentials (TS-0003), openssl s_client as an
enrolee that registers (TS-0003 8.3.5.2); and mefd when its BSF is gone.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import urllib.parse

sys.dont_write_bytecode = True
from bsf_lab import check, make_cert, run, summary  # noqa: E402
from stranger import BUILD, Curl, Device, Lab, SClient, bootstrap  # noqa: E402

UA = "01000100ae"
MEF = "mef.lab.test"
DEVICE = "//lab.test/cse1/Cdevice1"
SUITE = ("-tls1_2", "-cipher", "ECDHE-PSK-CHACHA20-POLY1305")


def quoted(key_id):
    return urllib.parse.quote(key_id, safe="")


def ask(lab, path, *more, cert="target", origin=True):
    identity = ["--cert", f"{lab.dir}/{cert}.pem", "--key", f"{lab.dir}/{cert}.key"] if cert else []
    field = ["-H", f"X-M2M-Origin: {lab['target_cse_id'] if origin is True else origin}"] if origin else []
    return Curl("--cacert", lab["ca"], "--path-as-is", *identity, *field, *more, lab["mef_url"] + path)


def fetch(lab, key_id, suid="22", query="", *more, **kw):
    return ask(lab, f"/fetchCredentials/{quoted(key_id)}/{suid}{query}", *more, **kw)


def members(a):
    try:
        return json.loads(a.body)
    except ValueError:
        return {}


def run_with(lab, marks):
    """A bootstrap whose B-TID holds the marks (base64 of a random RAND)."""
    for _ in range(300):
        ue, _ = bootstrap(lab)
        if all(m in ue.btid.split("@")[0] for m in marks):
            return ue
    sys.exit("RAND is not random")


def test_encodings(lab):
    ue = run_with(lab, "/+=")
    want = base64.b64encode(ue.key(lab["target_fqdn"], UA)).decode()
    forms = [("as a URL library does", quoted(ue.btid)), ("every octet", "".join(f"%{ord(c):02x}" for c in ue.btid)),
             ("only the slash", ue.btid.replace("/", "%2F")), ("small hexadecimal", quoted(ue.btid).lower()
                                                               if ue.btid.lower() == ue.btid else
                                                               re.sub("%..", lambda m: m.group().lower(), quoted(ue.btid)))]
    for what, text in forms:
        a = ask(lab, f"/fetchCredentials/{text}/22")
        check(f"KeID, {what}: 200", a.status == 200 and members(a).get("Credential") == want, (a.status, a.body))
    for what, text in (("a bare slash", ue.btid), ("twice encoded", quoted(quoted(ue.btid))),
                       ("cut escape", quoted(ue.btid) + "%4"), ("no escape", quoted(ue.btid).replace("%40", "%4g"))):
        a = ask(lab, f"/fetchCredentials/{text}/22")
        check(f"KeID, {what}: refused", a.status in (400, 404), (a.status, a.body))
    return ue


def test_forms(lab, ue):
    want = base64.b64encode(ue.key(lab["target_fqdn"], UA)).decode()
    a = fetch(lab, ue.btid)
    j = members(a)
    check("JSON: members", sorted(j) == ["Credential", "EnroleeID", "Lifetime", "Status"], j)
    check("JSON: values", j.get("Status") is True and j["Credential"] == want and j["EnroleeID"] == DEVICE, j)
    check("JSON: Lifetime in UTC", re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", j["Lifetime"]), j)
    check("JSON: not stored on the way", "no-store" in a.fields.get("cache-control", ""), a.fields)
    check("JSON: type", a.fields.get("content-type") == "application/json", a.fields)
    with tempfile.NamedTemporaryFile() as f:
        f.write(fetch(lab, ue.btid, "22", "", "-H", "Accept: application/xml").body)
        f.flush()
        for path, value in (("Credential", want), ("EnroleeID", DEVICE), ("Status", "true"), ("Lifetime", j["Lifetime"])):
            if shutil.which("xmllint"):
                said = run("xmllint", "--xpath", f"string(//*[local-name()='{path}'])", f.name).stdout.strip()
            else:
                f.seek(0)
                said = (re.findall(f"<{path}>([^<]*)<", f.read().decode()) or [""])[0]
            check(f"XML: {path}", said == value, said)
    for what, accept, kind in (("any", "*/*", "json"), ("both", "application/xml;q=0.1, application/json", "json"),
                               ("XML first", "application/json;q=0.2, application/xml", "xml")):
        a = fetch(lab, ue.btid, "22", "", "-H", f"Accept: {accept}")
        check(f"Accept, {what}", a.status == 200 and a.fields.get("content-type") == f"application/{kind}", a.fields)


def test_table(lab, ue):
    make_cert(lab.dir, "ca", "other_target", "DNS:cse2.lab.test")
    unknown = base64.b64encode(b"\3" * 16).decode() + "@" + lab["bsf_name"]
    rows = [
        ("SUID 22", ("22",), {}, 200), ("SUID 21", ("21",), {}, 403), ("SUID 23", ("23",), {}, 403),
        ("SUID 31", ("31",), {}, 403), ("SUID abc", ("abc",), {}, 400),
        ("SUID -1", ("-1",), {}, 400), ("no SUID", ("",), {}, 400), ("a third segment", ("22/x",), {}, 400),
        ("ua as pinned", ("22", "?ua=" + UA), {}, 200), ("ua in capitals", ("22", "?ua=01000100AE"), {}, 200),
        ("another ua", ("22", "?ua=0100000002"), {}, 403), ("ua of eight digits", ("22", "?ua=01000100"), {}, 400),
        ("another query", ("22", "?x=y"), {}, None), ("another's origin", ("22",), {"origin": "//lab.test/cse2"}, 403),
        ("no origin", ("22",), {"origin": None}, 403), ("the origin of an AE", ("22",), {"origin": DEVICE}, 403),
        ("a certificate of no target", ("22",), {"cert": "zn-client"}, 403),
        ("... with its own origin", ("22",), {"cert": "zn-client", "origin": "//lab.test/naf"}, 403),
        ("an unlisted target", ("22",), {"cert": "other_target", "origin": "//lab.test/cse2"}, 403),
        ("no certificate", ("22",), {"cert": None}, 0),
    ]
    for what, arguments, kw, status in rows:
        a = fetch(lab, ue.btid, *arguments, **kw)
        check(f"{what}: {status}", a.status == status or (status is None and a.status in (200, 400)), (a.status, a.body))
        check(f"{what}: no key", status in (200, None) or b'"Credential"' not in a.body, a.body)
    for what, key_id in (("unknown B-TID", unknown), ("unknown hex KeID", "0" * 32 + "@" + MEF), ("neither", "hello")):
        a = fetch(lab, key_id)
        j = members(a)
        check(f"{what}: 404", a.status == 404 and j.get("Status") is False and j.get("ErrorString") and len(j) == 2, a.body)
        a = fetch(lab, key_id, "22", "", "-H", "Accept: application/xml")
        check(f"{what}: 404 in XML", a.status == 404 and b"<Status>false</Status>" in a.body and
              b"<ErrorString>" in a.body, a.body)
    j = members(fetch(lab, ue.btid, "21"))
    check("403: form", j.get("Status") is False and j.get("ErrorString") and len(j) == 2, j)
    for method in ("PUT", "DELETE"):
        a = fetch(lab, ue.btid, "22", "", "-X", method)
        check(f"{method}: 405", a.status == 405, (a.status, a.body))
    check("a URI that is too long", fetch(lab, "a" * 20000).status in (414, 431))


def enrolee(lab, ue, method, path, body="", ty=None, form="json"):
    content = f"Content-Type: application/{form}{f'; ty={ty}' if ty else ''}\r\nContent-Length: {len(body)}\r\n" if body else ""
    request = f"{method} {path} HTTP/1.1\r\nHost: {MEF}\r\nConnection: close\r\nX-M2M-Origin: {DEVICE}\r\nX-M2M-RI: a1\r\n" \
              f"X-M2M-RVI: 3\r\nAccept: application/{form}\r\n{content}\r\n{body}"
    c = SClient(lab.address("mef_psk_url"), ue.btid, ue.key(MEF, "010001ccac"), *SUITE, host=MEF, ask=request)
    head = c.text[c.text.find("HTTP/1.1"):]
    found = re.search(r"(?i)^x-m2m-rsc: *(\d+)", head, re.M)
    c.rsc = int(found.group(1)) if found else 0
    found = re.search(r"(?i)^content-location: *(\S+)", head, re.M)
    c.location = found.group(1) if found else ""
    return c


def later(seconds):
    return time.strftime("%Y%m%dT%H%M%S", time.gmtime(time.time() + seconds))


def content(form, root, values):
    if form == "json":
        return json.dumps({"sec:" + root: values})
    inner = "".join(f"<{k}>{' '.join(v) if isinstance(v, list) else v}</{k}>" for k, v in values.items())
    return f'<sec:{root} xmlns:sec="http://www.onem2m.org/technical/xml-schemas">{inner}</sec:{root}>'


def test_registrations(lab, form):
    ue, _ = bootstrap(lab)
    c = enrolee(lab, ue, "POST", "/-/", content(form, "mefcr", {"et": later(3600), "adfq": "lab.test"}), 4, form)
    check(f"{form}: client registered", c.rsc == 2001 and c.location.startswith("/"), c.text[-500:])
    where = c.location
    c = enrolee(lab, ue, "GET", where, form=form)
    check(f"{form}: retrieved", c.rsc == 2000 and DEVICE in c.text.split("HTTP/1.1")[-1], c.text[-500:])
    c = enrolee(lab, ue, "PUT", where, content(form, "mefcr", {"et": later(7200), "lbl": ["red", "blue"]}), form=form)
    check(f"{form}: updated", c.rsc == 2004, c.text[-500:])
    c = enrolee(lab, ue, "GET", where, form=form)
    check(f"{form}: the update stays", "blue" in c.text, c.text[-500:])
    c = enrolee(lab, ue, "PUT", where, content(form, "mefcr", {"adfq": "evil.test"}), form=form)
    check(f"{form}: what must not change", c.rsc == 4000, c.text[-500:])
    key = base64.b64encode(os.urandom(32)).decode()
    c = enrolee(lab, ue, "POST", "/-/", content(form, "skr", {"et": later(600), "adfq": "lab.test", "suid": 22,
                                                              "tgis": [lab["target_cse_id"]], "kv": key}), 5, form)
    check(f"{form}: key registered", c.rsc == 2001, c.text[-500:])
    key_at = c.location
    fields = ("-H", "X-M2M-RI: t1", "-H", "X-M2M-RVI: 3", "-H", f"Accept: application/{form}")
    a = ask(lab, key_at, *fields)
    check(f"{form}: the target reads it", a.status == 200 and key.encode() in a.body, (a.status, a.body))
    c = enrolee(lab, ue, "PUT", key_at, content(form, "skr", {"et": later(900)}), form=form)
    check(f"{form}: key updated", c.rsc == 2004, c.text[-500:])
    check(f"{form}: key deleted", enrolee(lab, ue, "DELETE", key_at, form=form).rsc == 2002)
    check(f"{form}: key gone", ask(lab, key_at, *fields).status == 404)
    check(f"{form}: client deleted", enrolee(lab, ue, "DELETE", where, form=form).rsc == 2002)
    check(f"{form}: client gone", enrolee(lab, ue, "GET", where, form=form).rsc == 4004)


def test_exported(lab, folder):
    """A hex KeID: what gba enrol exported is what the target gets."""
    device = Device.of(lab, folder)
    r = device.run("enrol", "--gba-mef", "--mef", lab["mef_psk_url"], "--mef-fqdn", MEF, "--target", lab["target_cse_id"],
                   "--json", "--show-keys")
    check("enrolled", r.returncode == 0, r.stderr)
    j = json.loads(r.stdout or "{}")
    key_id = j.get("key_id", "")
    check("KeID: hex and the MEF's name", re.fullmatch(r"[0-9A-F]{32}@" + re.escape(MEF), key_id), key_id)
    a = fetch(lab, key_id)
    got = base64.b64decode(members(a).get("Credential", "")).hex()
    check("the target has the device's key", a.status == 200 and got == j.get("key"), (a.status, a.body))
    check("in small letters too", fetch(lab, key_id.lower()).status == 200)
    return key_id


def pid_of(lab, program):
    """Of a daemon this laboratory started: they have its TMPDIR."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as e, open(f"/proc/{pid}/cmdline", "rb") as c:
                if f"TMPDIR={lab.tmp}".encode() in e.read() and program in c.read().decode():
                    return int(pid)
        except OSError:
            pass
    return None


def test_dead_bsf(lab, key_id):
    known, _ = bootstrap(lab)
    check("before", fetch(lab, known.btid).status == 200)
    fresh, _ = bootstrap(lab)
    os.kill(pid_of(lab, "bsf/bsfd"), signal.SIGKILL)
    a = fetch(lab, fresh.btid)
    check("no BSF: not a key, and not 404", a.status in (500, 502, 503, 504) and b"Credential" not in a.body, (a.status, a.body))
    j = members(a)
    check("no BSF: form", j.get("Status") is False and j.get("ErrorString"), a.body)
    check("no BSF: keys of mefd's own are there", fetch(lab, key_id).status == 200)
    c = SClient(lab.address("mef_psk_url"), fresh.btid, fresh.key(MEF, "010001ccac"), *SUITE, host=MEF)
    check("no BSF: no new session", c.status == 0, c.text[-300:])


def main():
    lab, folder = Lab("--zh=file", "--gba=mef"), tempfile.mkdtemp(prefix="mef-e2e.")
    skipped = 0
    try:
        ue = test_encodings(lab)
        test_forms(lab, ue)
        test_table(lab, ue)
        for form in ("json", "xml"):
            test_registrations(lab, form)
        key_id = test_exported(lab, folder)
        test_dead_bsf(lab, key_id)
        log = lab.log("mefd")
        key = ue.key(lab["target_fqdn"], UA)
        check("the log: no IMPI, no key", lab["impi"] not in log and key.hex() not in log and
              base64.b64encode(key).decode() not in log)
    finally:
        check("the laboratory ends with 0, and no sanitizer spoke", lab.end())
        shutil.rmtree(folder)
    if shutil.which("jq"):
        names = run(f"{BUILD}/naf/mefd", "--print-names").stdout
        found = run("jq", "-e", '.resources[] | select(.long == "mefClientReg") | .type', input=names)
        check("--print-names: jq reads it", found.returncode == 0, found.stderr)
    else:
        print("SKIP jq is not installed")
        skipped = 1
    return summary(skipped)


if __name__ == "__main__":
    sys.exit(main())
