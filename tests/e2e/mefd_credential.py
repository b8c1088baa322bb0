#!/usr/bin/env python3
"""mefd with its master key as a systemd credential: $CREDENTIALS_DIRECTORY is all that it needs of systemd.

SPDX-License-Identifier: Apache-2.0
"""
import os
import sys

sys.dont_write_bytecode = True
from bsf_lab import check, run, summary, write  # noqa: E402
from mefctl import KPM, ONE, Ctl, enrol  # noqa: E402
from mefd import CSE, MEFD, MEFD_YAML, Lab, fetch_path  # noqa: E402

CREDENTIAL = "mefd.master"
YAML = MEFD_YAML.replace("master_key: mefd.master", f"master_key_credential: {CREDENTIAL}") + f"""\
  - {{{{id: {ONE}, kpm_id: one, kpm: "{KPM.hex()}", targets: [{CSE}]}}}}
metrics: 127.0.0.1:0
admin: {{{{socket: ctl.sock}}}}
"""
YAML = YAML.replace("metrics: 127.0.0.1:0\n", "", 1)
KEY = bytes(range(64, 96))


def set_key(folder, key, mode=0o400, name=CREDENTIAL):
    path = f"{folder}/{name}"
    if os.path.exists(path):
        os.unlink(path)
    write(path, key.hex() + "\n", mode)


def refused(lab, what, why):
    r = run(MEFD, "--config", f"{lab.dir}/mefd.yaml", env=os.environ)
    check(f"{what}: 78", r.returncode == 78 and why in r.stderr + r.stdout, (r.returncode, r.stderr, r.stdout))


def main():
    folder = f"/tmp/mefd-credentials.{os.getpid()}"
    os.mkdir(folder, 0o700)
    os.environ["CREDENTIALS_DIRECTORY"] = folder
    set_key(folder, KEY)
    lab = Lab(YAML)
    try:
        ctl = Ctl(lab)
        s, a = enrol(lab, "one")
        check("enrols", s.up and a.rsc == 2001, s.out[-200:])
        key_id = s.exported[:16].hex().upper() + "@mef.example.org"
        s.end()
        check("no file of a key", not [f for f in os.listdir(lab.dir) if "master" in f], os.listdir(lab.dir))
        rc, out = ctl("rekey")
        check("rekey says why not, and what to do", rc != 0 and "systemd" in ctl.err and "master_key" in ctl.err, ctl.err)
        check("and leaves nothing", os.listdir(folder) == [CREDENTIAL], os.listdir(folder))
        lab.mefd.end()
        lab.mefd.start()
        check("opens again", lab.ask(fetch_path(key_id)).status == 200)
        lab.mefd.end()
        set_key(folder, KEY, 0o444)
        refused(lab, "others may read it", "others may read it")
        set_key(folder, bytes(32))
        refused(lab, "another key", "sealed under another master key")
        os.unlink(f"{folder}/{CREDENTIAL}")
        refused(lab, "no such credential", "No such file")
        del os.environ["CREDENTIALS_DIRECTORY"]
        refused(lab, "no credentials", "LoadCredential=")
        for what, old, new in (("both", "database:", "master_key: m\ndatabase:"),
                               ("none", f"master_key_credential: {CREDENTIAL}\n", "")):
            text = open(f"{lab.dir}/mefd.yaml").read()
            write(f"{lab.dir}/bad.yaml", text.replace(old, new), 0o600)
            r = run(MEFD, "--config", f"{lab.dir}/bad.yaml", "--check-config")
            check(f"{what}: 78", r.returncode == 78 and "master_key" in r.stderr, r.stderr)
        # what ADMIN.md says: into a file, rekey, and the new one is the credential
        text = open(f"{lab.dir}/mefd.yaml").read()
        write(f"{lab.dir}/mefd.yaml", text.replace(f"master_key_credential: {CREDENTIAL}", "master_key: m"), 0o600)
        set_key(lab.dir, KEY, 0o600, "m")
        lab.mefd.start()
        check("rekeyed as a file", ctl("rekey")[0] == 0, ctl.err)
        lab.mefd.end()
        os.environ["CREDENTIALS_DIRECTORY"] = folder
        set_key(folder, bytes.fromhex(open(f"{lab.dir}/m").read()))
        os.unlink(f"{lab.dir}/m")
        write(f"{lab.dir}/mefd.yaml", text, 0o600)
        lab.mefd.start()
        check("opens under the new one", lab.ask(fetch_path(key_id)).status == 200)
    finally:
        lab.end()
        for f in os.listdir(folder):
            os.unlink(f"{folder}/{f}")
        os.rmdir(folder)
    return summary()


if __name__ == "__main__":
    sys.exit(main())
