"""A stranger at the laboratory of scripts/demo: a UE with Milenage of its own (AES by libcrypto), and
curl as NAF.  It knows of the laboratory what the key=value lines say, and shares no code with it.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from bsf_lab import NS, TMPI_DOMAIN, Ue, kdf, request, soap, xor  # noqa: E402

TOP = os.path.abspath(os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), "../..")))
BUILD = os.path.abspath(os.environ.get("top_builddir", "."))


SANITIZER = re.compile("Sanitizer|runtime error:")


class Lab(dict):
    """scripts/demo --keep-running; a mapping of its lines."""

    def __init__(self, *options):
        super().__init__()
        self.tmp = tempfile.mkdtemp(prefix="stranger.")
        env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
        self.errors = open(f"{self.tmp}/errors", "w+")
        self.process = subprocess.Popen(
            [f"{TOP}/scripts/demo", "--keep-running", f"--build={BUILD}", *options], stdout=subprocess.PIPE,
            stderr=self.errors, text=True, env=dict(env, TMPDIR=self.tmp, LAB_KEEP="1"))
        for line in self.process.stdout:
            key, _, value = line.rstrip("\n").partition("=")
            self[key] = value
        if "ready" not in self:
            self.errors.seek(0)
            sys.exit(f"the laboratory did not start:\n{self.errors.read()}\n0 passed, 1 failed, 0 skipped")
        self.dir = os.path.dirname(self["ca"])

    def address(self, key):
        host, port = re.match(r"(?:https?://)?([^:/]+):(\d+)", self[key]).groups()
        return host, int(port)

    def log(self, daemon):
        with open(f"{self.dir}/{daemon}.log") as f:
            return f.read()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.errors.close()
        told = [name for name in ("bsfd", "mefd", "registrar") if SANITIZER.search(self.log(name))]
        for name in told:
            print(self.log(name)[-4000:])
        shutil.rmtree(self.tmp)
        return code == 0 and not told


# ---- the card ------------------------------------------------------------------------------

CRYPTO = ctypes.CDLL("libcrypto.so.3")
CRYPTO.EVP_CIPHER_CTX_new.restype = ctypes.c_void_p
CRYPTO.EVP_aes_128_ecb.restype = ctypes.c_void_p


def aes(key, block):
    c = ctypes.c_void_p(CRYPTO.EVP_CIPHER_CTX_new())
    out, n = ctypes.create_string_buffer(32), ctypes.c_int()
    CRYPTO.EVP_EncryptInit_ex(c, ctypes.c_void_p(CRYPTO.EVP_aes_128_ecb()), None, key, None)
    CRYPTO.EVP_EncryptUpdate(c, out, ctypes.byref(n), block, 16)
    CRYPTO.EVP_CIPHER_CTX_free(c)
    return out.raw[:16]


class Milenage:
    """TS 35.206 4.1 with OPc, for one RAND."""

    def __init__(self, k, opc, rand):
        self.k, self.opc = k, opc
        self.temp = aes(k, xor(rand, opc))
        out2 = self.out(0, 1)
        self.ak, self.res = out2[:6], out2[8:]
        self.ck, self.ik, self.ak_star = self.out(32, 2), self.out(64, 4), self.out(96, 8)[:6]

    def out(self, rotation, constant):
        x, r = xor(self.temp, self.opc), rotation // 8
        return xor(aes(self.k, xor(x[r:] + x[:r], bytes(15) + bytes([constant]))), self.opc)

    def macs(self, sqn, amf):
        """MAC-A and MAC-S."""
        x = xor((sqn + amf) * 2, self.opc)
        out1 = xor(aes(self.k, xor(self.temp, x[8:] + x[:8])), self.opc)
        return out1[:8], out1[8:]


class SimUe(Ue):
    """Takes a 401 as the lab's card would, and answers it."""

    def __init__(self, lab, answer, username):
        super().__init__(answer, username)
        self.lab = lab
        self.card = Milenage(bytes.fromhex(lab["k"]), bytes.fromhex(lab["opc"]), self.rand)
        self.sqn, self.amf = xor(self.autn[:6], self.card.ak), self.autn[6:8]
        self.mac_ok = self.card.macs(self.sqn, self.amf)[0] == self.autn[8:]
        self.res, self.ks, self.btid = self.card.res, self.card.ck + self.card.ik, None

    def resynchronise(self, sqn):
        """An AUTS for a card that is at sqn."""
        octets = sqn.to_bytes(6, "big")
        self.auts = base64.b64encode(xor(octets, self.card.ak_star) + self.card.macs(octets, bytes(2))[1]).decode()
        self.res = b""

    def key(self, fqdn, ua_id, label=b"gba-me"):
        return kdf(self.ks, label, self.rand, self.lab["impi"].encode(), fqdn.encode() + bytes.fromhex(ua_id))

    @property
    def tmpi(self):
        return base64.b64encode(self.key(self.realm, "0100000100")[:24]).decode() + TMPI_DOMAIN


def first(lab, username=None, url="ub_url", **kw):
    field = f'Digest username="{username or lab["impi"]}", realm="{lab["bsf_name"]}", nonce="", uri="/", response=""'
    return request(lab.address(url), field, host=lab["bsf_name"], **kw)


def bootstrap(lab, username=None, url="ub_url", **kw):
    ue = SimUe(lab, first(lab, username, url, **kw), username or lab["impi"])
    answer = ue.answer(lab.address(url), **kw)
    found = re.search(rb"<(?:\w+:)?btid>([^<]*)<", answer.body)
    ue.btid = found.group(1).decode() if found else None
    return ue, answer


# ---- curl ----------------------------------------------------------------------------------

class Curl:
    """One run of curl: exit code, status, header fields, body."""

    def __init__(self, *arguments, body=None):
        p = subprocess.run(["curl", "-sS", "-i", "--max-time", "20", *arguments] +
                           (["--data-binary", "@-"] if body is not None else []),
                           input=body, capture_output=True, check=False)
        self.code, self.error = p.returncode, p.stderr.decode(errors="replace")
        blocks = p.stdout.split(b"\r\n\r\n")
        at = max((i for i, b in enumerate(blocks) if b.startswith(b"HTTP/")), default=None)
        self.status, self.fields, self.body = 0, {}, b""
        self.answers = sum(b.startswith(b"HTTP/") for b in blocks)
        if at is not None:
            lines = blocks[at].decode("latin-1").split("\r\n")
            self.status = int(lines[0].split()[1])
            self.fields = {k.strip().lower(): v.strip() for k, _, v in (x.partition(":") for x in lines[1:])}
            self.body = b"\r\n\r\n".join(blocks[at + 1:])


# ---- openssl -------------------------------------------------------------------------------

class SClient:
    """One session of openssl s_client: one request (default: for /) and its answer."""

    def __init__(self, address, identity, key, *more, host=None, ask=None):
        psk = ["-psk_identity", identity, "-psk", key.hex()] if identity is not None else []
        ask = ask or f"GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: s_client 3gpp-gba\r\nConnection: close\r\n\r\n"
        name = ["-servername", host] if host else ["-noservername"]
        p = subprocess.run(["openssl", "s_client", "-connect", "%s:%d" % address, *name, "-ign_eof", *psk, *more],
                           input=ask.encode(), capture_output=True, timeout=30, check=False)
        self.text = (p.stdout + p.stderr).decode(errors="replace")
        found = re.search(r"^New, .*Cipher is (\S+)", self.text, re.M)
        self.suite = found.group(1) if found and found.group(1) != "(NONE)" else None
        found = re.search(r"^HTTP/1.1 (\d+)[^\n]*\n(?:[^\n]+\n)*\r?\n?(.*)", self.text, re.M | re.S)
        self.status = int(found.group(1)) if found else 0
        self.alert = (re.findall(r"SSL alert number (\d+)", self.text) or [None])[0]


# ---- the NAF -------------------------------------------------------------------------------

def ask_zn(lab, body, cert=None, url=None, *more):
    """POST to Zn; cert is the path of PEM files without suffix, None the lab's own NAF, False none."""
    if cert is None:
        identity = ["--cert", lab["zn_client_cert"], "--key", lab["zn_client_key"]]
    else:
        identity = ["--cert", f"{cert}.pem", "--key", f"{cert}.key"] if cert else []
    return Curl("--cacert", lab["ca"], "-H", "Content-Type: text/xml; charset=utf-8", "-H", 'SOAPAction: ""', *identity,
                *more, url or lab["zn_url"], body=body)


def naf_id(fqdn, ua_id):
    return fqdn.encode() + bytes.fromhex(ua_id)


def element(body, name):
    found = re.search(rf"<(?:\w+:)?{name}(?: [^>]*)?>([^<]*)<".encode(), body)
    return found.group(1).decode() if found else None


def zn_body(lab, ue, ua_id, gsids=(), fqdn=None, envelope=True, ns=NS):
    return soap(ue.btid, naf_id(fqdn or lab["naf_fqdn"], ua_id), gsids, envelope, ns)


# ---- processes -----------------------------------------------------------------------------

class Program:
    """A program that says NAME=VALUE lines when it is ready and ends with its standard input."""

    def __init__(self, path, *arguments, lines=1):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([os.path.join(BUILD, path), *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log, text=True)
        said = [self.process.stdout.readline().rstrip("\n").partition("=") for _ in range(lines)]
        self.said = {k: v for k, _, v in said}

    def end(self):
        self.process.stdin.close()
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        self.log.seek(0)
        return code, self.log.read()


class Device:
    """The gba command with a soft USIM and a state folder of its own."""

    def __init__(self, folder, card, *common):
        self.folder, self.common = folder, ["--state", f"{folder}/state", "--usim", f"{folder}/usim", *common]
        self.run("usim", "new", "--file", f"{folder}/usim", input="".join(f"{k}={v}\n" for k, v in card.items()))

    @classmethod
    def of(cls, lab, folder):
        return cls(folder, {"imsi": lab["imsi"], "mnc_len": 2, "k": lab["k"], "opc": lab["opc"]}, "--bsf", lab["ub_url"],
                   "--bsf-name", lab["bsf_name"], "--ca", lab["ca"])

    def run(self, command, *arguments, **kw):
        common = [] if command == "usim" else self.common
        return subprocess.run([os.path.join(BUILD, "ua/gba"), command, *arguments, *common], capture_output=True,
                              text=True, timeout=120, check=False, **kw)
