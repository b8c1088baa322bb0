#!/usr/bin/env python3
"""What one address may cost mefd: handshakes, and questions to its BSF.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import os
import re
import socket
import sys

sys.dont_write_bytecode = True
from bsf_lab import NAME, check, request, summary  # noqa: E402
from mefd import MEFD_YAML, Lab, Session, enrol, naf_key, MEF  # noqa: E402

HANDSHAKES = 40
YAML = MEFD_YAML.replace("metrics:", f"""rate_limits:
  handshakes: {{{{burst: {HANDSHAKES}, per_minute: 1}}}}
  btids: {{{{burst: 3, per_minute: 1}}}}
metrics:""")


def counted(lab, what):
    text = request(lab.mefd.address("metrics"), target="/metrics", agent=None).body.decode()
    found = re.search(rf'^mefd_limited_total{{what="{what}"}} (\d+)$', text, re.M)
    return int(found.group(1)) if found else None


def works(s):
    good = s.up and s.ask("GET", "/-/").rsc == 2000
    s.end()
    return good


def test_btids(lab):
    ue, other = lab.bootstrap(), lab.bootstrap()
    check("a B-TID", works(enrol(lab, ue)))
    key = naf_key(ue, MEF, bytes.fromhex("010001ccac"))
    unknown, limited, asked = None, b"", 0
    while b"internal error" not in limited and asked < 20:  # a slow machine gets a token back now and then
        unknown = base64.b64encode(os.urandom(16)).decode() + "@" + NAME
        s = Session(lab, unknown, key)
        s.wait(lambda text: False)
        limited, asked = s.out, asked + 1
        s.end()
    check("made-up B-TIDs: an alert that is not about the B-TID", b"internal error" in limited, limited[-300:])
    check("not before the burst is used up", asked >= 3, asked)
    check("counted", (counted(lab, "btid") or 0) >= 1)
    check("what is known is free", works(enrol(lab, ue)))
    check("a good one meets the limit of its address too", not works(enrol(lab, other)))
    text = lab.mefd.text()
    check("the log tells", re.search(r"mef\.psk_refused .*peer=127\.0\.0\.1", text), text[-600:])
    check("and no B-TID in full", unknown not in text)


def closed_at_once(address):
    s = socket.create_connection(address)
    s.settimeout(0.2)
    try:
        return s, s.recv(1) == b""
    except ConnectionResetError:
        return s, True
    except TimeoutError:
        return s, False


def test_handshakes(lab):
    address, sockets, closed = lab.mefd.address("mef"), [], False
    while not closed and len(sockets) < 4 * HANDSHAKES:
        s, closed = closed_at_once(address)
        sockets.append(s)
    check("handshakes: one too many is closed", closed, len(sockets))
    s, closed = closed_at_once(lab.mefd.address("psk"))
    sockets.append(s)
    check("counted", (counted(lab, "handshake") or 0) >= 1)
    check("another address has its own", not closed_at_once(lab.mefd.address("mef", 1))[1])
    check("the log tells", "RATE_OF_ADDRESS" in lab.mefd.text())
    for s in sockets:
        s.close()


def main():
    lab = Lab(YAML)
    try:
        test_btids(lab)
        test_handshakes(lab)
    finally:
        codes, _ = lab.end()
    check("daemons end with 0", codes == [0, 0], codes)
    return summary()


if __name__ == "__main__":
    sys.exit(main())
