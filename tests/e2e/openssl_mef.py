#!/usr/bin/env python3
"""gba with openssl s_server as MEF, as MAF and as target: the other end of the exporter, so that what s_server prints is what
the device must have derived (TS-0003 8.3.2.1, 8.3.2.2, 8.2.2.3, 10.3). Requests are read from its standard output, answers
written to its standard input.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import hmac
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
from bsf_lab import BUILD, check, make_ca, make_cert, summary, write  # noqa: E402

GBA = os.path.abspath(os.path.join(BUILD, "ua/gba"))
MEF, MAF, CSE, CSE_FQDN = "mef.example.org", "maf.example.org", "//sp.example.org/cse1", "cse1.sp.example.org"
KPM, KPM_ID = bytes(range(1, 25)), "thiskey@" + MEF
KM, KM_ID = bytes(range(64, 96)), "km.7@" + MAF
BOOTSTRAP, CONNECTION = "EXPORTER-oneM2M-Bootstrap", "EXPORTER-oneM2M-Connection"
PLAIN, FORWARD, C023 = "PSK-AES128-CBC-SHA256", "ECDHE-PSK-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-SHA256"
NO_MORE = {"sec:mefcc": {"cmdi": "none", "cmsc": 10, "cmdd": {"cci": 0, "cmda": {"nmca": {"rdu": "PT1H"}}}}}


class Server:
    """One s_server. Each request has its answer from what(server, method, path, type, content): (RSC, body, location)."""

    def __init__(self, suite, label, *proof, what=None):
        self.p = subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:0", "-tls1_2", "-cipher", suite, "-keymatexport",
                                   label, "-keymatexportlen", "48", *proof], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
        self.out, self.at, self.what, self.asked = b"", 0, what, []
        self.changed = threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()
        with self.changed:
            self.changed.wait_for(lambda: re.search(rb"ACCEPT [^\n]*:\d+\n", self.out) or self.p.poll() is not None, 10)
        found = re.search(rb"ACCEPT [^\n]*:(\d+)\n", self.out)
        assert found, self.out
        self.port = int(found.group(1))

    def read(self):
        while part := self.p.stdout.read1(65536):
            with self.changed:
                self.out += part
                while self.what and self.serve():
                    pass
                self.changed.notify()

    def serve(self):
        """Answers the next request, if it is whole."""
        head = re.compile(rb"(GET|POST|PUT) (\S+) HTTP/1\.[01]\r\n(.*?)\r\n\r\n", re.S).search(self.out, self.at)
        if not head:
            return False
        fields = dict(re.findall(r"(?m)^([^:\r\n]+): *([^\r\n]*)", head.group(3).decode().lower()))
        end = head.end() + int(fields.get("content-length", 0))
        if len(self.out) < end:
            return False
        self.at = end
        content = json.loads(self.out[head.end():end] or b"{}")
        kind = re.search(r"ty=(\d+)", fields.get("content-type", ""))
        self.asked.append((head.group(1).decode(), head.group(2).decode()))
        rsc, body, location = self.what(self, *self.asked[-1], int(kind.group(1)) if kind else None, content)
        text = json.dumps(body)
        lines = [f"HTTP/1.1 {200 if rsc == 2000 else 201}", f"X-M2M-RSC: {rsc}", f"X-M2M-RI: {fields['x-m2m-ri']}",
                 "Content-Type: application/json", f"Content-Length: {len(text)}"]
        lines += [f"Content-Location: {location}"] if location else []
        self.p.stdin.write(("\r\n".join(lines) + "\r\n\r\n" + text).encode())
        self.p.stdin.flush()
        return True

    @property
    def exported(self):
        """Of the session with the last request; of the last session, where nothing was asked."""
        found = re.findall(rb"Keying material: ([0-9A-F]{96})", self.out[:self.at] if self.at else self.out)
        return bytes.fromhex(found[-1].decode()) if found else b""

    def end(self):
        self.p.kill()
        self.p.wait()


def mef(server, method, path, kind, content):
    """An MEF that takes every registration and has no commands."""
    if method == "GET" and path.endswith("/cmd"):
        return 2000, NO_MORE, None
    assert (method, kind) == ("POST", 4), (method, path, kind)
    server.export = server.exported  # Ke is of the session of the registration
    sent = content["sec:mefcr"]
    return 2001, {"sec:mefcr": {"ri": "r1", "et": sent["et"], "adfq": sent["adfq"]}}, "/-/r1"


def maf(server, method, path, kind, content):
    """A MAF that takes registrations and says of each key what s_server exports."""
    if kind == 3:
        sent = content["sec:mafcr"]
        return 2001, {"sec:mafcr": {"ri": "r1", "et": sent["et"], "adfq": sent["adfq"]}}, "/-/r1"
    assert (method, kind) == ("POST", 5), (method, path, kind)
    server.export = server.exported
    relative = server.export[:16].hex().upper()
    sent = content["sec:skr"]
    return 2001, {"sec:skr": {"ri": relative, "et": sent["et"], "adfq": sent["adfq"], "suid": sent["suid"],
                              "tgis": sent["tgis"]}}, f"/-/{relative}"


def lying_maf(server, *request):
    rsc, body, location = maf(server, *request)
    if "sec:skr" in body:
        body["sec:skr"]["ri"] = "00" * 16
    return rsc, body, location


# ---- what it must be, from the text of TS-0003 ------------------------------------------------

def usage_key(ke):
    text = b"oneM2M Enrolment Key to Usage-Constrained Symmetric Key derivation"
    return hmac.new(ke, text + b"22" + CSE_FQDN.encode(), hashlib.sha256).digest()


def kpsa(ke):
    text = b"oneM2M Enrolment Key to Provisioned Secure Connection Key derivation"
    return hmac.new(ke, text + CSE.encode(), hashlib.sha256).digest()


def km(ke):
    return hmac.new(ke, b"oneM2M Enrolment Key to Master Credential derivation" + MAF.encode(), hashlib.sha256).digest()


# ---- the device -------------------------------------------------------------------------------

def gba(folder, *args):
    r = subprocess.run([GBA, *args, "--state", f"{folder}/state", "--ca", f"{folder}/ca.pem", "--json"], capture_output=True,
                       text=True, timeout=60, check=False)
    return r.returncode, json.loads(r.stdout or "{}"), r.stderr


def exported_file(folder, target):
    out = f"{folder}/out"
    code, _, err = gba(folder, "credential", "export", "--target", target, "--out", out, "--force")
    check(f"gba credential export {target}", code == 0, (code, err))
    return dict(line.split("=", 1) for line in open(out).read().splitlines()) if code == 0 else {}


def check_enrolled(folder, what, server, target, key, code, j, err):
    """KeID and key of the device are those of s_server's export."""
    key_id = server.export[:16].hex().upper() + "@" + MEF
    check(f"{what}: enrolled, without a word", code == 0 and err == "", (code, err))
    check(f"{what}: registration, then commands", [m for m, _ in server.asked] == ["POST", "GET"], server.asked)
    check(f"{what}: KeID is s_server's", j.get("key_id") == key_id, (j, key_id))
    check(f"{what}: the key is of s_server's export", exported_file(folder, target).get("key") == key(server.export[16:]).hex())
    check(f"{what}: s_server knows the identity", b"PSK warning" not in server.out, server.out[-500:])
    return key_id


def check_associated(folder, what, key_id, key, *how):
    """gba connect with a target that has what s_server exported; with another key it fails."""
    for kind, psk, good in (("its key", key, True), ("another key", bytes([key[0] ^ 1]) + key[1:], False)):
        target = Server(PLAIN, BOOTSTRAP, "-nocert", "-psk", psk.hex(), "-psk_identity", key_id, "-www")
        code, j, err = gba(folder, "connect", f"127.0.0.1:{target.port}", "--target", CSE, *how)
        check(f"{what}: a target with {kind}", (code == 0 and "<HTML>" in j.get("answer", "").upper()) == good and (code == 0) == good,
              (code, j, err))
        check(f"{what}: by that name", not good or (j.get("key_id") == key_id and b"PSK warning" not in target.out), target.out[-500:])
        target.end()


def test_psk(folder):
    write(f"{folder}/kpm", f"opengaa-credential=1\nkind=kpm\nkey_id={KPM_ID}\nkey={KPM.hex()}\npeer={MEF}\n", 0o600)
    seen = set()
    for suite, derive, target, key in ((PLAIN, "usage", CSE, usage_key), (FORWARD, "usage", CSE, usage_key),
                                       (PLAIN, "km", MAF, km), (PLAIN, "kpsa", CSE, kpsa)):
        what = f"Kpm, {suite}, {derive}"
        server = Server(suite, BOOTSTRAP, "-nocert", "-psk", KPM.hex(), "-psk_identity", KPM_ID, what=mef)
        got = gba(folder, "enrol", "--framework", "psk", "--kpm-file", f"{folder}/kpm", "--mef", f"https://127.0.0.1:{server.port}",
                  "--mef-fqdn", MEF, "--target", target, "--admin", "sp.example.org", "--derive", derive)
        key_id = check_enrolled(folder, what, server, target, key, *got)
        check(f"{what}: suite", f"CIPHER is {suite}".encode() in server.out, server.out[-500:])
        if target == CSE:
            check_associated(folder, what, key_id, key(server.export[16:]), "--psk")
        seen.add(key_id)
        server.end()
    check("each session has a KeID of its own", len(seen) == 4, seen)
    server = Server(PLAIN, BOOTSTRAP, "-nocert", "-psk", KPM[::-1].hex(), "-psk_identity", KPM_ID, what=mef)
    code, j, err = gba(folder, "enrol", "--framework", "psk", "--kpm-file", f"{folder}/kpm", "--mef",
                       f"https://127.0.0.1:{server.port}", "--mef-fqdn", MEF, "--target", CSE)
    check("s_server with another Kpm: refused", code in (76, 77) and not server.asked and "key_id" not in j, (code, j, err))
    server.end()


def test_certificate(folder):
    make_cert(folder, "ca", "mef", f"DNS:{MEF},DNS:localhost,IP:127.0.0.1")
    make_cert(folder, "ca", "device", "URI:urn:dev:ops:32473-meter-7")
    make_cert(folder, "other_ca", "rogue", f"DNS:{MEF},DNS:localhost")
    os.chmod(f"{folder}/device.key", 0o600)
    for name, good in (("mef", True), ("rogue", False)):
        server = Server(C023, BOOTSTRAP, "-cert", f"{folder}/{name}.pem", "-key", f"{folder}/{name}.key", "-CAfile",
                        f"{folder}/ca.pem", "-Verify", "1", "-verify_return_error", what=mef)
        got = gba(folder, "enrol", "--framework", "cert", "--cert", f"{folder}/device.pem", "--key", f"{folder}/device.key",
                  "--mef", f"https://localhost:{server.port}", "--mef-fqdn", MEF, "--target", CSE)
        if good:
            key_id = check_enrolled(folder, "certificates", server, CSE, usage_key, *got)
            check_associated(folder, "certificates", key_id, usage_key(server.export[16:]), "--psk")
        else:
            check("an MEF of another CA: refused", got[0] == 76 and not server.asked, got)
        server.end()


def refused_address(s):
    """Where nobody listens: bound, and that is all."""
    s.bind(("127.0.0.1", 0))
    return "127.0.0.1:%d" % s.getsockname()[1]


def test_maf(folder):
    """Kc is got in one run, with nobody at the target; then the target has what s_server exported."""
    write(f"{folder}/km", f"opengaa-credential=1\nkind=km\nkey_id={KM_ID}\nkey={KM.hex()}\npeer={MAF}\n", 0o600)
    code, _, err = gba(folder, "credential", "import", "--file", f"{folder}/km", "--force")
    check("import of Km", code == 0, err)
    proof = ("-nocert", "-psk", KM.hex(), "-psk_identity", KM_ID)
    liar, server = Server(PLAIN, CONNECTION, *proof, what=lying_maf), Server(PLAIN, CONNECTION, *proof, what=maf)
    with socket.socket() as s:
        nobody = refused_address(s)
        how = ("--maf", f"https://127.0.0.1:{liar.port}", "--maf-fqdn", MAF)
        code, j, err = gba(folder, "connect", nobody, "--target", CSE, *how)
        check("a MAF that names another key", code == 76 and "another key" in err and "key_id" not in j, (code, j, err))
        how = ("--maf", f"https://127.0.0.1:{server.port}", "--maf-fqdn", MAF)
        code, j, err = gba(folder, "connect", nobody, "--target", CSE, *how)
        check("Kc, and nobody at the target", code == 69 and len(server.asked) == 2, (code, j, err, server.asked))
    check("s_server knows Km's name", b"PSK warning" not in server.out, server.out[-500:])
    check_associated(folder, "MAF", server.export[:16].hex().upper() + "@" + MAF, server.export[16:], *how)
    check("with the Kc of before", len(server.asked) == 2, server.asked)
    liar.end()
    server.end()


def main():
    folder = tempfile.mkdtemp(prefix="openssl-mef.")
    make_ca(folder, "ca")
    make_ca(folder, "other_ca")
    try:
        test_psk(folder)
        test_certificate(folder)
        test_maf(folder)
    finally:
        shutil.rmtree(folder)
    return summary()


if __name__ == "__main__":
    sys.exit(main())
