"""For secrets.sh: `watch DIR` collects the command lines of all processes whose TMPDIR is below DIR;
`look DIR` computes every key of the runs left there and looks for them.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import glob
import os
import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from bsf_lab import check, kdf, summary  # noqa: E402
from stranger import BUILD, Milenage  # noqa: E402

# What the demo's laboratory is made of (scripts/lab.sh).
IMSI = "001010123456789"
IMPI = IMSI + "@ims.mnc001.mcc001.3gppnetwork.org"
K, OPC = "465b5ce8b199b49faa5f0a2ee238a6bc", "cd63cb71954a9f4e48a5994e37a02baf"
FQDNS = ("naf.lab.test", "cse1.lab.test", "mef.lab.test")
UA_IDS = ("0100000002", "01000100ae", "010001ccac", "01000100aa", "0100000007")
# Where secrets belong, or where the UE keeps its own.
PRIVATE = re.compile(r"/(usim[^/]*|state/.*|wrong|mock-hss\.yaml|subscribers\.yaml.*|mefd\.(db.*|master)|[^/]*\.key)$")


def watch(folder):
    mark, seen = f"TMPDIR={folder}/".encode(), set()
    with open(f"{folder}/processes", "wb", buffering=0) as out:
        while True:
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open(f"/proc/{pid}/cmdline", "rb") as c, open(f"/proc/{pid}/environ", "rb") as e:
                        line, environ = c.read(), e.read()
                except OSError:
                    continue
                if mark in environ and line not in seen:
                    seen.add(line)
                    out.write(line.replace(b"\0", b" ") + b"\n")
            time.sleep(0.01)


def writings(key):
    """A key as octets, and as text that stands for it."""
    b64 = base64.b64encode(key).rstrip(b"=")
    return {key, key.hex().encode(), key.hex().upper().encode(), b64, b64.replace(b"+", b"-").replace(b"/", b"_"),
            key.hex(" ").encode(), key.hex(":").encode()}


def keys_of(rand):
    card = Milenage(bytes.fromhex(K), bytes.fromhex(OPC), rand)
    ks = card.ck + card.ik
    keys = {"CK": card.ck, "IK": card.ik, "RES": card.res, "Ks": ks}
    for fqdn in FQDNS:
        for ua_id in UA_IDS:
            keys[f"Ks_NAF of {fqdn} {ua_id}"] = kdf(ks, b"gba-me", rand, IMPI.encode(), fqdn.encode() + bytes.fromhex(ua_id))
    return keys


def credentials(lab):
    """What the device has: by its own account, which is not a log."""
    p = subprocess.run([f"{BUILD}/ua/gba", "show", "--json", "--show-keys", "--usim", f"{lab}/usim", "--state", f"{lab}/state"],
                       capture_output=True, text=True, check=False)
    found = re.findall(r'"key": *"([0-9a-f]{64})"', p.stdout)
    return {f"key {i} of the device": bytes.fromhex(h) for i, h in enumerate(found)}


def look_at(way, folder, processes):
    lab = glob.glob(f"{folder}/opengaa.*")[0]
    everything = [p for p in glob.glob(f"{lab}/**", recursive=True) if os.path.isfile(p)]
    read = {p: open(p, "rb").read() for p in everything + [f"{folder}/stdout", f"{folder}/stderr"]}
    text = b"".join(read.values())
    rands = {base64.b64decode(b) for b in re.findall(rb"(?<![A-Za-z0-9+/])([A-Za-z0-9+/]{22}==)@bsf", text)}
    secrets = {"K": bytes.fromhex(K), "OPc": bytes.fromhex(OPC)}
    for rand in rands:
        secrets.update({f"{name} ({rand.hex()[:6]})": key for name, key in keys_of(rand).items()})
    check(f"{way}: there are runs to look at", len(rands) >= 1, rands)
    with open(f"{lab}/mefd.master", "rb") as f:
        secrets["master key of mefd"] = bytes.fromhex(f.read().strip().decode())
    device = credentials(lab)
    check(f"{way}: the device has keys", device)
    check(f"{way}: and one is computed here", set(device.values()) & set(secrets.values()))
    secrets.update(device)
    public = {p: t for p, t in read.items() if not PRIVATE.search(p)}
    public["process list"] = processes
    for path, found in public.items():
        told = [name for name, key in secrets.items() if any(w in found for w in writings(key))]
        check(f"{way}: no key in {os.path.basename(path)}", not told, told)
    logs = [p for p in public if p.endswith((".log", ".out"))] + ["process list"]
    for path in logs:
        for name, word in (("IMPI", IMPI), ("IMSI", IMSI)):
            check(f"{way}: no {name} in {os.path.basename(path)}", word.encode() not in public[path], path)
    check(f"{way}: debug lines were looked at", any(b" debug " in read[p] for p in logs[:-1]))
    for path in glob.glob(f"{lab}/mefd.db*"):
        told = [name for name, key in secrets.items() if name != "master key of mefd" and any(w in read[path] for w in writings(key))]
        check(f"{way}: keys are sealed in {os.path.basename(path)}", not told, told)
    for path in everything:
        if PRIVATE.search(path):
            check(f"{way}: {os.path.basename(path)}: 0600", os.stat(path).st_mode & 0o777 == 0o600, path)


def look(folder):
    with open(f"{folder}/processes", "rb") as f:
        processes = f.read()
    for program in (b"bsf/bsfd", b"naf/mefd", b"ua/gba", b"registrar", b"openssl"):
        check(f"{program.decode()} was seen", program in processes)
    for way in ("native", "mef"):
        with open(f"{folder}/{way}/status") as f:
            status = f.read().strip()
        with open(f"{folder}/{way}/stderr") as f:
            check(f"{way}: the demo works", status == "0", f.read()[-2000:])
        look_at(way, f"{folder}/{way}", processes)
    return summary()


if __name__ == "__main__":
    if sys.argv[1] == "watch":
        watch(sys.argv[2])
    sys.exit(look(sys.argv[2]))
