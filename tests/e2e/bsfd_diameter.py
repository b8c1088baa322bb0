#!/usr/bin/env python3
"""bsfd with Zh over Diameter and mock-hss: what each failure of the HSS becomes on Ub.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
from bsf_lab import (BUILD, IMPI, NO_LIMITS, SUBSCRIBERS, Bsfd, Ue, bootstrap, check, first,  # noqa: E402
                     make_certificates, read_ports, request, soap, summary, write, zn)

MOCK_HSS = os.path.abspath(os.path.join(BUILD, "tests/mock-hss/mock-hss"))
NAF_ID = b"naf1.example.org" + bytes.fromhex("0100000002")


class Hss:
    def __init__(self, subscribers=SUBSCRIBERS):
        self.dir = tempfile.mkdtemp(prefix="mock-hss-e2e.")
        write(f"{self.dir}/hss.yaml", "identity: hss.example\nrealm: example\nlisten: 127.0.0.1:0\n"
              f"control: {self.dir}/control\n" + subscribers, 0o600)
        self.log = open(f"{self.dir}/log", "w")
        self.process = subprocess.Popen(
            [MOCK_HSS, "--config", f"{self.dir}/hss.yaml", "--ports-file", f"{self.dir}/ports"],
            stdout=self.log, stderr=self.log)
        ports = read_ports(f"{self.dir}/ports", self.process)
        self.address = next(iter(ports.values()))[0]

    def tell(self, command):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(f"{self.dir}/control")
            s.sendall(command.encode() + b"\n")
            return s.recv(4096).decode()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        shutil.rmtree(self.dir)


def zh(hss):
    return f"""  diameter:
    identity: bsf.example
    realm: example
    deadline: 2s
    attempt_timeout: 1s
    peers:
      - {{identity: hss.example, realm: example, address: "{hss.address}"}}"""


def wait_healthy(b, wanted):
    for _ in range(300):
        a = request(b.address("metrics"), target="/health", agent=None)
        if (a.status == 200) == wanted:
            return json.loads(a.body)
        time.sleep(0.05)
    return {}


FAULTS = [
    ("unknown subscriber", "error * 5401 1", 403, "SUBSCRIBER_UNKNOWN"),
    ("user unknown", "error * 5001 1", 403, "SUBSCRIBER_UNKNOWN"),
    ("unable to comply", "error * 5012 1", 503, "ZH_"),
    ("too busy", "error * 3004 1", 503, ""),
    ("no answer", "drop * 4", 503, "ZH_TIMEOUT"),
]


def test_faults(b, hss):
    for what, fault, status, reason in FAULTS:
        reply = hss.tell(fault)
        check(f"{what}: the fault is set", reply.startswith("ok"), reply)
        mark = len(b.text())
        a = first(b.address("ub"))
        check(f"{what}: status", a.status == status, a.status)
        check(f"{what}: Retry-After", ("retry-after" in a.fields) == (status == 503), a.fields)
        check(f"{what}: Server token", "3gpp-gba-tmpi" in a.fields.get("server", ""), a.fields)
        check(f"{what}: log", f"reason={reason}" in b.text()[mark:], b.text()[mark:])
        hss.tell("clear")
    reply = hss.tell("error " + "a" * 300 + " 5012 1")
    check("an IMPI over the limit", reply.startswith("error "), reply)
    check("... and its answer stays one line", hss.tell("clear").strip() == "ok")
    check("all is well again", bootstrap(b.address("ub"))[1].status == 200)


def test_runs(b, hss):
    ue, a = bootstrap(b.address("ub"))
    check("bootstrap", a.status == 200 and ue.mac_ok, a.status)
    check("key over Zn", zn(b, soap(ue.btid, NAF_ID, (0,))).status == 200)
    ue = Ue(first(b.address("ub")))
    ue.make_auts(100000)
    fresh = Ue(ue.answer(b.address("ub")))
    check("resynchronisation", int.from_bytes(fresh.sqn, "big") >> 5 == 100001, fresh.sqn.hex())
    check("... and the run goes on", fresh.answer(b.address("ub")).status == 200)
    ue = Ue(first(b.address("ub")))
    ue.auts = "AAAAAAAAAAAAAAAAAAA="
    check("an AUTS that does not verify", ue.answer(b.address("ub")).status == 403)


def test_many_at_once(b, hss):
    """Requests that wait for the HSS hold no thread: a slow HSS does not stop the others."""
    hss.tell(f"delay {IMPI} 1000")
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(first(b.address("ub")).status)) for _ in range(20)]
    for t in threads:
        t.start()
    check("another request meanwhile", request(b.address("ub")).status == 400)
    check("... does not wait for them", len(statuses) < len(threads), statuses)
    for t in threads:
        t.join()
    check("twenty waiting requests", statuses.count(401) >= 1 and len(statuses) == 20, statuses)
    hss.tell("clear")


def test_drain(b, hss):
    """SIGTERM lets a waiting request have its answer."""
    ue = Ue(first(b.address("ub")))
    ue.answer(b.address("ub"))
    hss.tell(f"delay {IMPI} 800")
    result = []
    t = threading.Thread(target=lambda: result.append(first(b.address("ub")).status))
    before = hss.tell("stats")
    t.start()
    for _ in range(300):
        if hss.tell("stats") != before:
            break  # the HSS holds the question: the request is in flight
        time.sleep(0.01)
    code, log = b.end()
    t.join()
    check("drained", code == 0, code)
    check("the waiting request was answered", result == [401], result)
    hss.tell("clear")


def test_twice():
    """A subscriber who is there twice is named by his place in the file."""
    folder = tempfile.mkdtemp(prefix="mock-hss-e2e.")
    row = "  - {impi: twice@example.org, algorithm: xor, k: 00112233445566778899aabbccddeeff}\n"
    write(f"{folder}/hss.yaml", "subscribers:\n" + 2 * row, 0o600)
    r = subprocess.run([MOCK_HSS, "--config", f"{folder}/hss.yaml", "--check-config"], capture_output=True, text=True)
    check("a subscriber twice: 78", r.returncode == 78, r.returncode)
    check("... is said", re.search(r"hss\.yaml:3:\d+: subscribers\[1\]\.impi: .*twice", r.stderr), r.stderr)
    check("... without the IMPI", "twice@example" not in r.stdout + r.stderr, r.stderr)
    shutil.rmtree(folder)


def test_warnings():
    """As bsfd's zh.file: of the separation bit in an AMF and of a RES under 64 bits, and of nothing else."""
    row = "  - {{impi: {}@example.org, algorithm: xor, k: 00112233445566778899aabbccddeeff{}}}\n"
    hss = Hss("subscribers:\n" + row.format("plain", ", amf: '7fff', res_len: 8") +
              row.format("bit", ", amf: '8000'") + row.format("short", ", res_len: 4"))
    with open(f"{hss.dir}/log") as f:
        log = f.read()
    check("AMF 8000: a warning", re.findall(r"warning subscribers\.amf_separation_bit impi=[0-9a-f]+\n", log) and
          log.count("amf_separation_bit") == 1, log)
    check("RES of 4 octets: a warning", re.findall(r"warning subscribers\.short_res impi=[0-9a-f]+ octets=4\n", log) and
          log.count("short_res") == 1, log)
    check("without the IMPIs", "@example.org" not in log, log)
    hss.end()


def main():
    test_twice()
    test_warnings()
    certificates = make_certificates()
    hss = Hss()
    limits = NO_LIMITS + "\nsession: {repeat_window: 0}"
    b = Bsfd(certificates, limits, zh=zh(hss))
    health = wait_healthy(b, True)
    check("health", health.get("zh") == "diameter" and health.get("zh_healthy") is True, health)
    for test in (test_runs, test_faults, test_many_at_once, test_drain):
        test(b, hss)
    b = Bsfd(certificates, limits, zh=zh(hss))
    wait_healthy(b, True)
    hss.end()
    wait_healthy(b, False)
    a = first(b.address("ub"))
    check("no HSS", a.status == 503 and "retry-after" in a.fields, a.status)
    check("end without HSS", b.end()[0] == 0)
    shutil.rmtree(certificates)
    return summary()


if __name__ == "__main__":
    sys.exit(main())
