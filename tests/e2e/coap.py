"""CoAP for tests: messages of RFC 7252 and of TS-0008 in Python, over DTLS sessions of others (dtls_peer,
openssl s_client).  It shares no code with common/.

SPDX-License-Identifier: Apache-2.0
"""
import os
import queue
import re
import subprocess
import threading

BUILD = os.path.abspath(os.environ.get("top_builddir", "."))
CON, NON, ACK, RST = range(4)
GET, POST, PUT, DELETE = 1, 2, 3, 4
LOCATION_PATH, URI_PATH, CONTENT_FORMAT, MAX_AGE, URI_QUERY, ACCEPT, BLOCK2, BLOCK1, SIZE2, SIZE1 = \
    8, 11, 12, 14, 15, 17, 23, 27, 28, 60
TY, RVI, FR, RQI, RSC = 267, 271, 279, 283, 307
JSON, XML = 50, 41


def uint(v):
    return v.to_bytes((v.bit_length() + 7) // 8, "big")


def extended(v):
    if v < 13:
        return v, b""
    return (13, bytes([v - 13])) if v < 269 else (14, (v - 269).to_bytes(2, "big"))


class Message:
    def __init__(self, code=GET, options=(), payload=b"", kind=CON, mid=1, token=b"\x01"):
        self.code, self.options, self.payload, self.kind, self.mid, self.token = \
            code, list(options), payload, kind, mid, token

    def print(self):
        out = bytes([0x40 | self.kind << 4 | len(self.token), self.code]) + self.mid.to_bytes(2, "big") + self.token
        last = 0
        for number, value in sorted(self.options, key=lambda o: o[0]):
            (d, dx), (n, nx) = extended(number - last), extended(len(value))
            out += bytes([d << 4 | n]) + dx + nx + value
            last = number
        return out + (b"\xff" + self.payload if self.payload else b"")

    @classmethod
    def read(cls, octets):
        m = cls(octets[1], [], b"", octets[0] >> 4 & 3, int.from_bytes(octets[2:4], "big"))
        at = 4 + (octets[0] & 15)
        m.token, number = octets[4:at], 0

        def more(nibble, at):
            if nibble < 13:
                return nibble, at
            return (octets[at] + 13, at + 1) if nibble == 13 else (int.from_bytes(octets[at:at + 2], "big") + 269, at + 2)
        while at < len(octets) and octets[at] != 0xff:
            first = octets[at]
            delta, at = more(first >> 4, at + 1)
            length, at = more(first & 15, at)
            number += delta
            m.options.append((number, octets[at:at + length]))
            at += length
        m.payload = octets[at + 1:]
        return m

    def all(self, number):
        return [v for n, v in self.options if n == number]

    def one(self, number):
        return (self.all(number) or [None])[0]

    def number(self, number):
        v = self.one(number)
        return None if v is None else int.from_bytes(v, "big")

    @property
    def status(self):
        return f"{self.code >> 5}.{self.code & 31:02}"

    @property
    def rsc(self):
        return self.number(RSC)

    @property
    def location(self):
        return [v.decode() for v in self.all(LOCATION_PATH)]


NOBODY = Message(0)


class Peer:
    """A session of tests/e2e/dtls_peer, and requests of oneM2M over it."""

    def __init__(self, address, **options):
        argv = [os.path.join(BUILD, "tests/e2e/dtls_peer"), address] + [f"{k}={v}" for k, v in options.items()]
        self.p = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.said = self.p.stdout.readline().strip()
        self.up = self.said.startswith("up ")
        words = dict(w.split("=", 1) for w in self.said.split()[1:] if "=" in w)
        self.suite, self.alert = words.get("suite"), words.get("alert")
        self.bootstrap, self.connection = (bytes.fromhex(words.get(k, "")) for k in ("bootstrap", "connection"))
        self.mid = 100

    def raw(self, octets):
        """One datagram and what came for it: octets, None, or "closed"."""
        self.p.stdin.write(octets.hex() + "\n" if octets is not None else "?\n")
        self.p.stdin.flush()
        word, _, value = self.p.stdout.readline().strip().partition(" ")
        return bytes.fromhex(value) if word == "got" else None if word == "none" else "closed"

    def exchange(self, m):
        a = self.raw(m.print())
        return Message.read(a) if isinstance(a, bytes) else NOBODY

    def ask(self, code, path, ty=None, body=b"", fr=None, form=JSON, rqi="7", rvi="3", more=(), kind=CON):
        self.mid += 1
        return self.exchange(Message(code, primitive(path, ty, body, fr, form, rqi, rvi) + list(more), body, kind, self.mid))

    def send_large(self, code, path, ty, body, szx=6, **kw):
        """In blocks: the last answer."""
        size, form = 16 << szx, kw.get("form", JSON)
        for at in range(0, len(body), size):
            part, more = body[at:at + size], at + size < len(body)
            self.mid += 1
            options = primitive(path, ty, body, kw.get("fr"), form, kw.get("rqi", "7"), "3") + \
                [(BLOCK1, uint(at // size << 4 | more << 3 | szx))]
            a = self.exchange(Message(code, options, part, CON, self.mid))
            if more and a.status != "2.31":
                break
        return a

    def end(self):
        self.p.stdin.close()
        code = self.p.wait(timeout=20)
        self.p.stdout.close()
        return code


def primitive(path, ty, body, fr, form, rqi, rvi):
    options = [(URI_PATH, s.encode()) for s in path]
    options += [(TY, uint(ty))] if ty is not None else []
    options += [(CONTENT_FORMAT, uint(form))] if body and form is not None else []
    options += [(FR, fr.encode())] if fr is not None else []
    options += [(RQI, rqi.encode())] if rqi is not None else []
    return options + ([(RVI, rvi.encode())] if rvi is not None else [])


class SClient(Peer):
    """The same over openssl s_client, which also says what it exports."""

    def __init__(self, address, *options, label="EXPORTER-oneM2M-Bootstrap"):
        self.p = subprocess.Popen(
            ["openssl", "s_client", "-dtls1_2", "-connect", address, "-nocommands", "-ign_eof", "-keymatexport", label,
             "-keymatexportlen", "48", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        self.out, self.parts, self.mid = b"", queue.Queue(), 100
        threading.Thread(target=self.read, daemon=True).start()
        self.wait(rb"Keying material: [0-9A-F]{96}[\s\S]*---\n|errno|error|alert")
        found = re.search(rb"Keying material: ([0-9A-F]{96})", self.out)
        self.up = found is not None and b"Cipher is (NONE)" not in self.out
        self.bootstrap = bytes.fromhex(found.group(1).decode()) if found else b""
        found = re.search(rb"Cipher is (\S+)", self.out)
        self.suite = found.group(1).decode() if found else None

    def read(self):
        while True:
            part = self.p.stdout.read1(65536)
            self.parts.put(part)
            if not part:
                return

    def wait(self, pattern, seconds=10):
        while not re.search(pattern, self.out):
            try:
                part = self.parts.get(timeout=seconds)
            except queue.Empty:
                return
            if not part:
                return
            self.out += part

    def raw(self, octets):
        self.p.stdin.write(octets)
        self.p.stdin.flush()
        try:
            return self.parts.get(timeout=5) or "closed"
        except queue.Empty:
            return None

    def end(self):
        self.p.kill()
        return self.p.wait()
