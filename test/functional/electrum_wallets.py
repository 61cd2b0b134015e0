"""The examples of doc/wallets.md: its sh blocks are run as they stand, in one shell, and what they print must have what their "# ->" lines say."""
import os
import re
import shutil
import subprocess

from framework import BUILD, SLOW, contains, equal, free_port, main

DOC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "doc", "wallets.md")


def run(t):
    with open(DOC, encoding="utf-8") as f:
        blocks = re.findall(r"^```sh ?(\w*)\n(.*?)^```$", f.read(), re.M | re.S)
    equal([kind for kind, _ in blocks if kind], ["first", "last"])
    equal(len(blocks) >= 7, True)
    if not shutil.which("openssl") or not shutil.which("bash"):
        print("electrum_wallets: no openssl or no bash here; nothing tested")
        return
    blocks.sort(key=lambda block: {"first": 0, "last": 2}.get(block[0], 1))
    ports = {"60401": str(free_port()), "60402": str(free_port())}
    home = os.path.join(t.dir, "home")
    os.makedirs(os.path.join(home, ".farthing"))
    with open(os.path.join(home, ".farthing", "farthing.conf"), "w", encoding="ascii") as f:
        f.write("[regtest]\nport=%d\nrpcport=%d\nlisten=0\n" % (free_port(), free_port()))
    script = "set -e\n" + "".join("echo ==== %d\n%s\n" % (i, text) for i, (_, text) in enumerate(blocks))
    for old, new in ports.items():
        script = script.replace(old, new)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120 * SLOW,
                          env={"HOME": home, "PATH": BUILD + ":" + os.environ["PATH"]})
    equal((done.returncode, done.stderr if done.returncode else ""), (0, ""))
    parts = re.split(r"^==== \d+\n", done.stdout, flags=re.M)[1:]
    equal(len(parts), len(blocks))
    for (_, text), said in zip(blocks, parts):
        for expected in re.findall(r"^# -> (.*)$", text, re.M):
            contains(said, expected)


main(run)
