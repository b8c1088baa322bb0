#!/usr/bin/env python3
"""Foreign TLS on either side of an enrolment: stunnel ends the TLS of a registrar with the key that the registrar has
fetched from mefd (TS-0003 8.2.2.1, 8.3.2.1), and gnutls-cli enrols at mefd with a PSK and with a certificate.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import json
import re
import shutil
import socket
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
from bsf_lab import check, make_cert, summary, write  # noqa: E402
from mefd import CSE, CSE_FQDN, MEF, Lab, fetch_path, later, usage_key  # noqa: E402
from mefd_frameworks import CERT, KPM, KPM_ID, THIS, YAML, gba  # noqa: E402

SUITE = "PSK-AES128-CBC-SHA256"
CSE3 = "//sp.example.org/cse3"
skips = []


def skip(why):
    print(f"SKIP {why}")
    skips.append(why)


# ---- stunnel -----------------------------------------------------------------------------------

class Plain:
    """What stands behind the terminator: it answers what came through."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.served = 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            with s:
                text = b""
                while b"\r\n\r\n" not in text:
                    part = s.recv(4096)
                    if not part:
                        break
                    text += part
                if b"\r\n\r\n" in text:
                    self.served += 1
                    s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\nConnection: close\r\n\r\naccepted behind\n")

    def end(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


class Stunnel:
    """A terminator with one PSK and the one suite of TS-0003; another port if the probed one was taken."""

    def __init__(self, lab, name, key_id, key, behind):
        write(f"{lab.dir}/{name}.secrets", f"{key_id}:{key}\n", 0o600)
        for _ in range(5):
            self.port = free_port()
            write(f"{lab.dir}/{name}.conf", f"""foreground = yes
debug = 6
pid =
[registrar]
accept = 127.0.0.1:{self.port}
connect = 127.0.0.1:{behind}
sslVersionMin = TLSv1.2
sslVersionMax = TLSv1.2
ciphers = {SUITE}
PSKsecrets = {lab.dir}/{name}.secrets
""")
            self.log = f"{lab.dir}/{name}.log"
            with open(self.log, "wb") as log:
                self.process = subprocess.Popen(["stunnel4" if shutil.which("stunnel4") else "stunnel",
                                                 f"{lab.dir}/{name}.conf"], stdout=log, stderr=log)
            while self.process.poll() is None and "Configuration successful" not in self.text():
                try:
                    self.process.wait(0.1)
                except subprocess.TimeoutExpired:
                    pass
            if self.process.poll() is None:
                return
        sys.exit(f"stunnel does not start:\n{self.text()}\n0 passed, 1 failed, 0 skipped")

    def text(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def end(self):
        self.process.terminate()
        return self.process.wait(timeout=20)


def enrolled(lab, target, derive):
    """By gba, with a pre-provisioned key; the name of what that gave."""
    kpm = f"{lab.dir}/kpm"
    write(kpm, f"opengaa-credential=1\nkind=kpm\nkey_id={KPM_ID}\nkey={KPM.hex()}\npeer={MEF}\n", 0o600)
    code, j, err = gba(lab, "enrol", "--framework", "psk", "--mef", "https://127.0.0.1:%d" % lab.mefd.address("psk")[1],
                       "--mef-fqdn", MEF, "--target", target, "--derive", derive, "--kpm-file", kpm)
    check(f"{derive}: gba enrol", code == 0, (code, j, err))
    return j.get("key_id", "")


def fetched(lab, target, cert, key_id):
    """What the target has from mefd for that name, in hexadecimal."""
    a = lab.ask(fetch_path(key_id), origin=target, cert=cert)
    return base64.b64decode(json.loads(a.body or b"{}").get("Credential", "")).hex()


def test_stunnel(lab, target, cert, derive):
    if not (shutil.which("stunnel4") or shutil.which("stunnel")):
        return skip("stunnel is not installed (stunnel4)")
    key_id, behind = enrolled(lab, target, derive), Plain()
    key = fetched(lab, target, cert, key_id)
    check(f"{derive}: fetched", len(key) == 64, key_id)
    right = Stunnel(lab, "right", key_id, key, behind.port)
    code, j, err = gba(lab, "connect", f"127.0.0.1:{right.port}", "--psk", "--target", target)
    check(f"{derive}: stunnel with the key: accepted", code == 0 and "accepted behind" in j.get("answer", ""), (code, j, err))
    check(f"{derive}: by that credential", j.get("key_id") == key_id, j)
    check(f"{derive}: with the suite of TS-0003", SUITE in right.text(), right.text()[-800:])
    served = behind.served
    for what, name, psk in (("another key", key_id, "00" * 32), ("another name", "x" + key_id[1:], key)):
        wrong = Stunnel(lab, "wrong", name, psk, behind.port)
        code, j, err = gba(lab, "connect", f"127.0.0.1:{wrong.port}", "--psk", "--target", target)
        check(f"{derive}: stunnel with {what}: refused", code not in (0, None) and "answer" not in j and err, (code, j, err))
        check(f"{derive}: stunnel with {what}: ends", wrong.end() in (0, -15))
    check(f"{derive}: nothing came through", behind.served == served)
    check(f"{derive}: stunnel ends", right.end() in (0, -15))
    behind.end()
    return None


# ---- gnutls-cli --------------------------------------------------------------------------------

def gnutls_cli(lab, listener, origin, *options):
    """One registration by hand; all that was said."""
    body = json.dumps({"sec:mefcr": {"et": later(3600), "adfq": "gnutls.example.org"}})
    lines = ["POST /-/ HTTP/1.1", f"Host: {MEF}", "Connection: close", "X-M2M-RI: 11", "X-M2M-RVI: 3",
             f"X-M2M-Origin: {origin}", "Content-Type: application/json; ty=4", f"Content-Length: {len(body)}"]
    host, port = lab.mefd.address(listener)
    p = subprocess.run(["gnutls-cli", "--sni-hostname", MEF, "--keymatexport", "EXPORTER-oneM2M-Bootstrap",
                        "--keymatexportsize", "48", *options, "-p", str(port), host],
                       input="\r\n".join(lines) + "\r\n\r\n" + body, capture_output=True, text=True, timeout=60,
                       check=False)
    return p.stdout + p.stderr


def check_enrolled(lab, what, out, enrolee):
    """The target gets the key of what gnutls-cli exports, for whom it registered."""
    found = re.search(r"^- Key material: ([0-9a-f]{96})$", out, re.M)
    export = bytes.fromhex(found.group(1)) if found else bytes(48)
    a = lab.ask(fetch_path(export[:16].hex().upper() + "@" + MEF))
    j = json.loads(a.body or b"{}")
    check(f"gnutls-cli, {what}: the target's key is of its export",
          j.get("Credential") == base64.b64encode(usage_key(export[16:], "22", CSE_FQDN)).decode(), (found, a.body))
    check(f"gnutls-cli, {what}: Enrolee-ID", j.get("EnroleeID") == enrolee, a.body)


def rsc(text):
    found = re.search(r"^X-M2M-RSC: (\d+)", text, re.M | re.I)
    return int(found.group(1)) if found else None


def test_gnutls_psk(lab):
    of_00ae = "NONE:+VERS-TLS1.2:+COMP-NULL:+PSK:+AES-128-CBC:+SHA256:+SIGN-ALL"
    psk = ["--no-ca-verification", "--priority", of_00ae, "--pskusername", KPM_ID, "--pskkey"]
    out = gnutls_cli(lab, "psk", THIS, *psk, bytes(len(KPM)).hex())
    check("gnutls-cli, wrong Kpm: refused", rsc(out) is None, out[-600:])
    out = gnutls_cli(lab, "psk", THIS, *psk, KPM.hex())
    check("gnutls-cli, PSK: 2001", rsc(out) == 2001, out[-600:])
    check_enrolled(lab, "PSK", out, THIS)
    out = gnutls_cli(lab, "psk", THIS, *psk, KPM.hex())
    check("gnutls-cli, PSK, again: registered already", rsc(out) == 4117, out[-600:])
    out = gnutls_cli(lab, "psk", CERT, *psk, KPM.hex())
    check("gnutls-cli, PSK, another's name", rsc(out) == 4103, out[-600:])


def test_gnutls_certificate(lab):
    for name, ca, san in (("device", "ca", "DNS:device.example.org"), ("forged", "other_ca", "DNS:device.example.org"),
                          ("nobody", "ca", "DNS:nobody.example.org")):
        make_cert(lab.dir, ca, name, san)
    c023 = "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:-CIPHER-ALL:+AES-128-CBC:-MAC-ALL:+SHA256"

    def by(name):
        return gnutls_cli(lab, "mef", CERT, "--priority", c023, "--x509cafile", f"{lab.dir}/ca.pem", "--x509certfile",
                          f"{lab.dir}/{name}.pem", "--x509keyfile", f"{lab.dir}/{name}.key", "--verify-hostname", MEF)
    out = by("device")
    check("gnutls-cli, certificate: 2001", rsc(out) == 2001, out[-600:])
    check_enrolled(lab, "certificate", out, CERT)
    check("gnutls-cli, certificate: C023", re.search(r"\(ECDHE-[^)]*\)-\(ECDSA-SHA256\)-\(AES-128-CBC\)-\(SHA256\)", out), out[:1500])
    for name in ("forged", "nobody"):
        out = by(name)
        check(f"gnutls-cli, {name}: refused", rsc(out) not in (2001, 4117), out[-600:])


def main():
    lab = Lab(YAML.replace("targets:\n", f"targets:\n  - {{{{id: {CSE3}, derivation: kpsa}}}}\n", 1)
              .replace(f'kpm_id: {KPM_ID}, kpm: "{KPM.hex()}", targets: [', f'kpm_id: {KPM_ID}, kpm: "{KPM.hex()}", targets: [{CSE3}, '))
    try:
        make_cert(lab.dir, "ca", "cse3", "DNS:cse3.sp.example.org")
        test_stunnel(lab, CSE, "cse1", "usage")
        test_stunnel(lab, CSE3, "cse3", "kpsa")
        if shutil.which("gnutls-cli"):
            test_gnutls_psk(lab)
            test_gnutls_certificate(lab)
        else:
            skip("gnutls-cli is not installed (gnutls-bin)")
        check("the target still has its answers", lab.ask(fetch_path("00" * 16 + "@" + MEF)).status == 404)
    finally:
        codes, text = lab.end()
    check("daemons end with 0", codes == [0, 0], codes)
    check("no Kpm in the log", KPM.hex() not in text.lower())
    return summary(len(skips))


if __name__ == "__main__":
    sys.exit(main())
