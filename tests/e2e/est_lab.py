"""A laboratory of EST (RFC 7030): mefd with a CA, clients of openssl, curl and our own.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
import mefd  # noqa: E402
from bsf_lab import BUILD, IMPI, K, SUBSCRIBERS, Answer, bootstrap, check, kdf, run, write  # noqa: E402
from mefd import CSE, MEF, Session  # noqa: E402

IMPI2 = "001010000000002@ims.mnc001.mcc001.3gppnetwork.org"
CSE7, CSE7_FQDN = "//sp.example.org/cse7", "cse7.sp.example.org"
METER, KPM_ID, KPM = "//sp.example.org/cse1/Cmeter", "meter", bytes(range(1, 33))
EST = "/.well-known/est/"
PKCS7 = "application/pkcs7-mime; smime-type=certs-only"
P256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
LAB = "est: {ca: lab, folder: lab-ca, life: 30d}\n"


class Lab(mefd.Lab):
    """mefd's laboratory with a second subscriber, a CSE, and the configuration of EST."""

    def __init__(self, est):
        self.more = est
        super().__init__()
        write(f"{self.dir}/subscribers.yaml", SUBSCRIBERS + f"  - impi: {IMPI2}\n    algorithm: xor\n    k: {K.hex()}\n"
              "    res_len: 16\n", 0o600)
        self.bsfd.end()
        self.bsfd.start()
        self.restart(est)

    def restart(self, est):
        text = open(f"{self.dir}/mefd.yaml").read().split("est:")[0]
        text = text.replace("psk: {listen: 127.0.0.1:0}", "psk: {listen: 127.0.0.1:0, plain_psk: true}")
        if IMPI2 not in text:
            text = text.replace("metrics:", f'  - {{impi: "{IMPI2}", id: {CSE7}, targets: [{CSE}]}}\n'
                                f'  - {{id: {METER}, kpm_id: {KPM_ID}, kpm: "{KPM.hex()}", targets: [{CSE}]}}\nmetrics:')
        text = re.sub(r"https://localhost:\d+/", "https://localhost:%d/" % self.bsfd.address("zn")[1], text)
        write(f"{self.dir}/mefd.yaml", text + est, 0o600)
        check("mefd ends with 0", self.mefd.end() == 0)
        self.mefd.start()

    def end_of_test(self):
        codes, text = self.end()
        check("daemons end with 0", codes == [0, 0], codes)
        check("no key in the log", "PRIVATE" not in text and KPM.hex() not in text.lower())

    def url(self):
        return "https://%s:%d%s" % (MEF, self.mefd.address("mef")[1], EST)

    def curl(self, op, *argv, cert="cse1", ca="ca"):
        """The answer of one request by curl."""
        head, body = f"{self.dir}/head", f"{self.dir}/body"
        for f in (head, body):
            if os.path.exists(f):
                os.unlink(f)
        r = run("curl", "-s", "--cacert", f"{self.dir}/{ca}.pem", "--connect-to",
                f"{MEF}::127.0.0.1:", "-D", head, "-o", body, *self.pair(cert), *argv, self.url() + op)
        raw = b"".join(open(f, "rb").read() if os.path.exists(f) else b"" for f in (head, body))
        return Answer(raw) if r.returncode == 0 else Answer(b"")

    def pair(self, name):
        return ["--cert", f"{self.dir}/{name}.pem", "--key", f"{self.dir}/{name}.key"] if name else []

    def csr(self, name, san, *argv, key=None, subject="/", config=None):
        """DER of a request that openssl makes; the key is NAME.key."""
        ask = ["openssl", "req", "-new", "-nodes", "-outform", "DER", "-out", f"{self.dir}/{name}.csr"]
        ask += ["-key", f"{self.dir}/{key}.key"] if key else ["-keyout", f"{self.dir}/{name}.key", *(argv or P256)]
        if key:
            ask += argv
        if san:
            ask += ["-addext", f"subjectAltName={san}"]
        ask += ["-config", config] if config else ["-subj", subject]  # -subj would leave attributes out
        r = run(*ask)
        assert r.returncode == 0, r.stderr
        if not key:
            os.chmod(f"{self.dir}/{name}.key", 0o600)
        return open(f"{self.dir}/{name}.csr", "rb").read()

    def enrol(self, op, der, cert="cse1", content="application/pkcs10", encode=True, **kw):
        write(f"{self.dir}/request.b64", base64.encodebytes(der).decode() if encode else der.decode("latin-1"))
        return self.curl(op, "-H", f"Content-Type: {content}", "-H", "Content-Transfer-Encoding: base64",
                         "--data-binary", f"@{self.dir}/request.b64", cert=cert, **kw)

    def take(self, answer, name):
        """The one certificate of an answer, as NAME.pem, and its text."""
        check(f"{name}: 200", answer.status == 200, (answer.status, answer.body[:200]))
        check(f"{name}: media type", answer.fields.get("content-type") == PKCS7, answer.fields)
        pems = certificates(answer.body)
        check(f"{name}: one certificate", len(pems) == 1, len(pems))
        if not pems:
            return ""
        write(f"{self.dir}/{name}.pem", pems[0])
        return run("openssl", "x509", "-in", f"{self.dir}/{name}.pem", "-noout", "-text").stdout


def certificates(body):
    """PEM of the certificates in a certs-only answer, by openssl."""
    try:
        der = base64.b64decode(body)
    except ValueError:
        return []
    r = subprocess.run(["openssl", "pkcs7", "-inform", "DER", "-print_certs"], input=der, capture_output=True)
    return re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", r.stdout.decode(), re.S)


def public_key(lab, name, kind="x509"):
    what = ["-in", f"{lab.dir}/{name}.pem", "-noout", "-pubkey"] if kind == "x509" else \
        ["-in", f"{lab.dir}/{name}.key", "-pubout"]
    return run("openssl", kind, *what).stdout


def verifies(lab, name, root="root", *argv):
    strict = ["-x509_strict"] if root == "root" else []
    return run("openssl", "verify", *strict, "-CAfile", f"{lab.dir}/{root}.pem", *argv,
               f"{lab.dir}/{name}.pem").returncode == 0


class EstSession(Session):
    """A prepared request through openssl s_client -psk."""

    def est(self, op, der=None, fields=()):
        body = base64.encodebytes(der).decode() if der else ""
        lines = [f"{'POST' if der else 'GET'} {EST}{op} HTTP/1.1", f"Host: {MEF}", *fields]
        if der:
            lines += ["Content-Type: application/pkcs10", "Content-Transfer-Encoding: base64",
                      f"Content-Length: {len(body)}"]
        at = len(self.out)
        self.p.stdin.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        self.p.stdin.flush()

        def complete(text):
            head, end, rest = text[text.find(b"HTTP/1.1", at):].partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            return b"HTTP/1.1" in text[at:] and end and length and len(rest) >= int(length.group(1))
        self.wait(complete)
        return Answer(self.out[max(self.out.find(b"HTTP/1.1", at), 0):])


def psk_session(lab, impi=IMPI):
    ue, answer = bootstrap(lab.bsfd.address("ub"), impi)
    assert answer.status == 200, answer.status
    key = kdf(ue.ks, b"gba-me", ue.rand, impi.encode(), MEF.encode() + bytes.fromhex("010001ccac"))
    return EstSession(lab, ue.btid, key)


def spoilt(der):
    return der[:-1] + bytes([der[-1] ^ 1])


GBA = os.path.abspath(os.path.join(BUILD, "ua/gba"))


def gba(lab, op, listener, *argv):
    return run(GBA, "est", op, "--mef", f"https://{MEF}", "--connect-to", "127.0.0.1:%d" % lab.mefd.address(listener)[1],
               "--ca", f"{lab.dir}/ca.pem", *argv)


def outputs(lab, name):
    return ["--cert-out", f"{lab.dir}/{name}.pem", "--key-out", f"{lab.dir}/{name}.key"]


def pair_is_good(lab, name, san, root="root"):
    text = run("openssl", "x509", "-in", f"{lab.dir}/{name}.pem", "-noout", "-text").stdout
    modes = {os.stat(f"{lab.dir}/{name}.{x}").st_mode & 0o777 for x in ("pem", "key")}
    return san in text and verifies(lab, name, root) and modes == {0o600} and \
        public_key(lab, name) == public_key(lab, name, "pkey") != ""


def kpm_file(lab, name, identity, key):
    write(f"{lab.dir}/{name}", f"opengaa-credential=1\nkind=kpm\nkey_id={identity}\nkey={key.hex()}\npeer={MEF}\n"
          "suite=ECDHE-PSK-CHACHA20-POLY1305\n", 0o600)
    return ["--kpm-file", f"{lab.dir}/{name}"]
