"""A lab for tests of bsfd over real sockets: starts daemons, and has a UE and a NAF of its own.

The UE has its own AKA (the TS 34.108 test algorithm), Digest and KDF: no code of the daemon.
One process per configuration; each is ended by its process id.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import hashlib
import hmac
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

BUILD = os.environ.get("top_builddir", ".")
BSFD = os.path.abspath(os.path.join(BUILD, "bsf/bsfd"))
NAME = "bsf.mnc001.mcc001.pub.3gppnetwork.org"
ISIM_NAME = "bsf.ims.mnc001.mcc001.pub.3gppnetwork.org"
IMPI = "001010000000001@ims.mnc001.mcc001.3gppnetwork.org"
BARRED = "barred@example.org"
K = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
TMPI_DOMAIN = "@tmpi.bsf.3gppnetwork.org"
NS = "http://www.3gpp.org/GBAService"

counts = {"passed": 0, "failed": 0}


def check(what, good, got=""):
    counts["passed" if good else "failed"] += 1
    if not good:
        print(f"FAIL {what}: {got}", flush=True)


def summary(skipped=0):
    """Prints the closing line; the exit code."""
    print(f"{counts['passed']} passed, {counts['failed']} failed, {skipped} skipped")
    return 1 if counts["failed"] or not counts["passed"] else 0


# ---- a lab ---------------------------------------------------------------------------------

SUBSCRIBERS = f"""
subscribers:
  - impi: {IMPI}
    algorithm: xor
    k: {K.hex()}
    res_len: 16
    guss: |
      <guss><bsfInfo><lifeTime>7200</lifeTime></bsfInfo><ussList>
      <uss id="0" type="0"><uids><uid>sip:a@example.org</uid></uids></uss>
      <uss id="1" type="1" nafGroup="A"><uids><uid>sip:b@example.org</uid></uids></uss>
      <uss id="1" type="1" nafGroup="B"><uids><uid>sip:hidden@example.org</uid></uids></uss>
      </ussList></guss>
  - impi: {BARRED}
    algorithm: xor
    k: {K.hex()}
    barred: true
"""

CONFIG = """
names: [{name}, {isim}]
ub:
  - listen: 127.0.0.1:0
  - listen: "[::1]:0"
  - listen: 127.0.0.1:0
    tls: {{cert: server.pem, key: server.key}}
zn:
  listen: 127.0.0.1:0
{zn}
nafs:
  - certificate: naf1.example.org
    fqdns: [naf1.example.org]
    ua_ids: ["0100000002", "010001****"]
    gsids: ["0", "1"]
    groups: [A]
  - certificate: naf2.example.org
    fqdns: [naf2.example.org]
    ua_ids: ["0100000002"]
    may_learn_impi: true
zh:
{zh}
metrics: 127.0.0.1:0
http: {{deadline: 2s}}
{more}
"""
ZH_FILE = "  file: {subscribers: subscribers.yaml}"
ZN_TLS = "  tls: {cert: server.pem, key: server.key, client_ca: ca.pem}"
NO_LIMITS = "rate_limits: {subscriber: {burst: 0}, address: {burst: 0}}"


def write(path, text, mode=0o644):
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


def run(*argv, **kw):
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, **kw)


def make_ca(folder, ca):
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-subj", f"/CN={ca}", "-days", "2", "-keyout", f"{folder}/{ca}.key", "-out", f"{folder}/{ca}.pem")


def make_cert(folder, ca, name, san):
    write(f"{folder}/{name}.ext", f"subjectAltName={san}\n" if san else "basicConstraints=CA:FALSE\n")
    run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
        "/CN=naf1.example.org", "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.csr")
    run("openssl", "x509", "-req", "-in", f"{folder}/{name}.csr", "-CA", f"{folder}/{ca}.pem", "-CAkey",
        f"{folder}/{ca}.key", "-CAcreateserial", "-days", "2", "-extfile", f"{folder}/{name}.ext", "-out",
        f"{folder}/{name}.pem")


def make_certificates():
    """A folder with a CA and certificates of the BSF, of NAFs, and of a stranger."""
    folder = tempfile.mkdtemp(prefix="bsfd-e2e.")
    make_ca(folder, "ca")
    make_ca(folder, "other_ca")
    make_cert(folder, "ca", "server", f"DNS:{NAME},DNS:localhost,IP:127.0.0.1,IP:::1")
    make_cert(folder, "ca", "naf1", "DNS:naf1.example.org")
    make_cert(folder, "ca", "naf2", "DNS:naf2.example.org")
    make_cert(folder, "ca", "unlisted", "DNS:naf9.example.org")
    make_cert(folder, "ca", "cn_only", None)
    others = ",".join(f"URI:urn:x{i},DNS:other{i}.example.org" for i in range(40))
    make_cert(folder, "ca", "many", others + ",RID:1.2.3.4,DNS:naf1.example.org")
    make_cert(folder, "other_ca", "rogue", "DNS:naf1.example.org")
    return folder


def read_ports(path, process):
    """name -> addresses, of a ports file that the process is about to write."""
    for _ in range(6000):
        if os.path.exists(path) or process.poll() is not None:
            break
        time.sleep(0.01)
    ports = {}
    with open(path) as f:
        for line in f:
            key, value = line.strip().split("=", 1)
            ports.setdefault(key, []).append(value)
    return ports


class Bsfd:
    """One bsfd in its own folder."""

    def __init__(self, certificates, more=NO_LIMITS, zn=ZN_TLS, zh=ZH_FILE, subscribers=SUBSCRIBERS):
        self.dir = tempfile.mkdtemp(prefix="bsfd-e2e.")
        for f in os.listdir(certificates):
            shutil.copy(os.path.join(certificates, f), self.dir)
        os.chmod(f"{self.dir}/server.key", 0o600)
        write(f"{self.dir}/subscribers.yaml", subscribers, 0o600)
        write(f"{self.dir}/bsfd.yaml", CONFIG.format(name=NAME, isim=ISIM_NAME, zn=zn, zh=zh, more=more))
        self.log = open(f"{self.dir}/log", "w+")
        self.start()

    def start(self):
        if os.path.exists(f"{self.dir}/ports"):
            os.unlink(f"{self.dir}/ports")
        self.process = subprocess.Popen(
            [BSFD, "--config", f"{self.dir}/bsfd.yaml", "--ports-file", f"{self.dir}/ports"],
            stderr=self.log, stdout=self.log)
        self.ports = read_ports(f"{self.dir}/ports", self.process)

    def address(self, name, i=0):
        host, port = self.ports[name][i].rsplit(":", 1)
        return host.strip("[]"), int(port)

    def text(self):
        with open(f"{self.dir}/log") as f:
            return f.read()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=20)
        text = self.text()
        shutil.rmtree(self.dir)
        return code, text


# ---- HTTP ----------------------------------------------------------------------------------

class Answer:
    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        self.head = head.decode("latin-1")
        lines = self.head.split("\r\n")
        self.status = int(lines[0].split()[1]) if lines[0].startswith("HTTP/") else 0
        self.fields = {}
        for line in lines[1:]:
            key, _, value = line.partition(":")
            self.fields[key.strip().lower()] = value.strip()

    def params(self, field):
        return dict((k, q if q else v) for k, q, v in
                    re.findall(r'([a-z]+)=(?:"([^"]*)"|([^", ]+))', self.fields.get(field, "")))


def exchange(address, data, context=None):
    s = socket.create_connection(address, timeout=10)
    if context is not None:
        s = context.wrap_socket(s, server_hostname=NAME)
    with s:
        s.sendall(data)
        raw = b""
        try:
            while True:
                part = s.recv(65536)
                if not part:
                    break
                raw += part
        except (ConnectionError, ssl.SSLError):
            pass
    return Answer(raw)


def request(address, authorization=None, method="GET", target="/", host=NAME, agent="e2e 3gpp-gba-tmpi",
            fields=(), body=b"", context=None):
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close"]
    if agent:
        lines.append(f"User-Agent: {agent}")
    if authorization is not None:
        lines.append(f"Authorization: {authorization}")
    if body:
        lines.append(f"Content-Length: {len(body)}")
    lines += fields
    return exchange(address, ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body, context)


# ---- the UE --------------------------------------------------------------------------------

def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def md5(*parts):
    return hashlib.md5(b"".join(parts)).hexdigest()


def kdf(key, *params):
    s = b"\x01" + b"".join(p + len(p).to_bytes(2, "big") for p in params)
    return hmac.new(key, s, hashlib.sha256).digest()


class Ue:
    """Takes a 401 and answers it; every attribute may be spoilt before print()."""

    def __init__(self, answer, username=IMPI):
        p = answer.params("www-authenticate")
        self.username, self.realm, self.nonce, self.opaque = username, p["realm"], p["nonce"], p["opaque"]
        self.algorithm, self.qop, self.nc, self.cnonce, self.uri = p["algorithm"], p["qop"], "00000001", \
            "6629fae49393a053", "/"
        self.auts = self.response = None
        self.drop, self.extra, self.body = [], "", b""
        octets = base64.b64decode(self.nonce)
        self.rand, self.autn = octets[:16], octets[16:32]
        self.open_autn()

    def open_autn(self):
        """The card's work: res, ks, ak, sqn, mac_ok."""
        x = xor(K, self.rand)
        self.res, self.ks = x, x[1:] + x[:1] + x[2:] + x[:2]
        self.ak = x[3:9]
        self.sqn = xor(self.autn[:6], self.ak)
        self.mac_ok = xor(x[:8], self.sqn + self.autn[6:8]) == self.autn[8:]

    def make_auts(self, seq):
        sqn = (seq << 5).to_bytes(6, "big")
        x = xor(K, self.rand)
        self.auts = base64.b64encode(xor(sqn, self.ak) + xor(x[:8], sqn + b"\0\0")).decode()
        self.res = b""

    def digest(self, method, body):
        ha1 = md5(f"{self.username}:{self.realm}:".encode(), self.res)
        ha2 = md5(f"{method}:{self.uri}:{md5(body)}".encode())
        return md5(f"{ha1}:{self.nonce}:{self.nc}:{self.cnonce}:{self.qop}:{ha2}".encode())

    def print(self):
        response = self.digest("GET", self.body) if self.response is None else self.response
        params = [("username", f'"{self.username}"'), ("realm", f'"{self.realm}"'), ("nonce", f'"{self.nonce}"'),
                  ("uri", f'"{self.uri}"'), ("qop", self.qop), ("nc", self.nc), ("cnonce", f'"{self.cnonce}"'),
                  ("response", f'"{response}"'), ("opaque", f'"{self.opaque}"'), ("algorithm", self.algorithm)]
        if self.auts is not None:
            params.append(("auts", f'"{self.auts}"'))
        return "Digest " + ", ".join(f"{k}={v}" for k, v in params if k not in self.drop) + self.extra

    def answer(self, address, **kw):
        return request(address, self.print(), body=self.body, **kw)


def first(address, username=IMPI, **kw):
    return request(address, f'Digest username="{username}", realm="{NAME}", nonce="", uri="/", response=""', **kw)


def bootstrap(address, username=IMPI, card=Ue, **kw):
    ue = card(first(address, username, **kw), username)
    answer = ue.answer(address, **kw)
    found = re.search(rb"<btid>([^<]*)</btid>", answer.body)
    ue.btid = found.group(1).decode() if found else None
    ue.tmpi = base64.b64encode(kdf(ue.ks, b"gba-me", ue.rand, IMPI.encode(),
                                   ue.realm.encode() + bytes.fromhex("0100000100"))[:24]).decode() + TMPI_DOMAIN
    return ue, answer


# ---- the NAF -------------------------------------------------------------------------------

def soap(btid, naf_id, gsids=(), envelope=True, ns=NS):
    inner = f'<requestBootstrappingInfoRequest xmlns="{ns}"><btid>{btid}</btid>' \
            f"<nafid>{base64.b64encode(naf_id).decode()}</nafid>" + \
            "".join(f"<gsid>{g}</gsid>" for g in gsids) + \
            "<gbaUAware>False</gbaUAware></requestBootstrappingInfoRequest>"
    if not envelope:
        return inner.encode()
    return (f'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{inner}</e:Body>'
            f"</e:Envelope>").encode()


def client(b, cert):
    c = ssl.create_default_context(cafile=f"{b.dir}/ca.pem")
    if cert:
        c.load_cert_chain(f"{b.dir}/{cert}.pem", f"{b.dir}/{cert}.key")
    return c


def zn(b, body, cert="naf1", target="/bsf/requestBootstrappingInfo", method="POST"):
    try:
        return request(b.address("zn"), method=method, target=target, body=body, agent=None,
                       fields=["Content-Type: text/xml"], context=client(b, cert))
    except (ssl.SSLError, ConnectionError):
        return Answer(b"")
