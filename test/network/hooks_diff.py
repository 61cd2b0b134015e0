#!/usr/bin/env python3
"""The commands that a node runs (-startupnotify, -blocknotify, -alertnotify, -shutdownnotify) beside another node's: both go through the same starts, failures
and chains, and must have run the same commands as often, no more and no less."""
import argparse
import os
import re
import signal
import subprocess

import topology  # noqa: F401  (the path to the functional tests' modules)
from blocks import TRUE_ADDRESS, make_chain
from framework import equal, main, wait_until

GENESIS_TIME = 1296688602


class Hooked:
    def __init__(self, t, program):
        self.node = t.node(program=program, start=False, debug="none")
        self.path = os.path.join(self.node.dir, "ran")

    def options(self):
        line = "echo %%s >> %s" % self.path
        return ["-startupnotify=" + line % "no", "-startupnotify=" + line % "up", "-blocknotify=" + line % "block-%s", "-alertnotify=" + line % "alert-%s", "-shutdownnotify=" + line % "down1", "-shutdownnotify=" + line % "down2"]

    def ran(self, least=0):
        """What was run since; commands run on their own, so that as many as are due are waited for."""
        def enough():
            if not os.path.exists(self.path):
                return least == 0
            with open(self.path) as f:
                return f.read().count("\n") >= least
        wait_until(enough, 20, "%d commands" % least)
        if not os.path.exists(self.path):
            return []
        with open(self.path) as f:
            found = f.read().split("\n")[:-1]
        os.remove(self.path)
        return found


def life(hooked):
    """[(what was done, what was run)]; at each stop all that ran before has ended."""
    node, out = hooked.node, []

    def take(what, least=0):
        out.append((what, sorted(re.sub(r"-[0-9a-f]{64}", lambda m: "-" + name_of[m[0][1:]], line) for line in hooked.ran(least))))
    name_of = {}

    def fails(*words):
        node.spawn(*hooked.options(), *words)
        try:
            out.append((words, node.wait_end(10)))
        except subprocess.TimeoutExpired:
            node.process.terminate()
            node.wait_end()
            out.append((words, "starts"))
        take(words)
    for words in (["-port=0"], ["-maxmempool=x"], ["-blocksdir=/nowhere"], ["-nosuch"], ["-par=x", "-prune=5"], ["-rpcbind=1.2.3.4", "-rpcallowip=x"], ["-conf=none"], ["-debuglogfile=/nowhere/x"], ["-pid=/nowhere/x"], ["-bind=1.2.3.4:5"],
                  ["-debug=moon"], ["-chain=x"]):
        fails(*words)
    for words in (["-version"], ["-help"]):
        node.spawn(*hooked.options(), *words)
        node.wait_end(60)
        take(words)
    node.start(*hooked.options())
    take("start", 1)
    other = node.process
    node.spawn(*hooked.options())  # the folder is taken
    node.wait_end(60)
    node.process = other
    take("a second node")
    old = make_chain(node.getbestblockhash(), 0, GENESIS_TIME + 600, 5, b"old")
    for i, block in enumerate(old):
        name_of[block.hash] = "old%d" % i
        equal(node.submitblock(block.hex()), None)
    equal(node.getblockchaininfo()["initialblockdownload"], True)
    take("blocks of old times")
    mined = node.generatetoaddress(3, TRUE_ADDRESS)
    name_of.update({h: "mined%d" % i for i, h in enumerate(mined)})
    take("blocks of today", 3)
    node.invalidateblock(mined[1])
    take("invalidateblock", 1)
    node.reconsiderblock(mined[1])
    take("reconsiderblock", 2)
    head = node.getblockheader(mined[0])
    side = make_chain(mined[0], head["height"], head["time"] + 1, 3, b"side")
    for i, block in enumerate(side):
        name_of[block.hash] = "side%d" % i
        node.submitblock(block.hex())
    take("another branch", 1)
    node.preciousblock(mined[2])
    take("preciousblock of less work")
    node.invalidateblock(side[2].hash)
    take("invalidateblock of the tip", 2)
    node.preciousblock(mined[2])
    node.preciousblock(side[1].hash)
    take("preciousblock", 1)
    node.stop()
    take("stop", 2)
    node.start(*hooked.options())
    take("start again", 1)
    node.process.send_signal(signal.SIGTERM)
    equal(node.wait_end(), 0)
    take("SIGTERM", 2)
    node.start(*hooked.options(), "-reindex")
    node.stop()
    take("-reindex", 3)
    node.start(*hooked.options(), "-nostartupnotify", "-noblocknotify", "-noshutdownnotify", "-noalertnotify")
    node.generatetoaddress(1, TRUE_ADDRESS)
    node.stop()
    take("none")
    node.start("-startupnotify=false", "-blocknotify=", "-shutdownnotify=false", "-shutdownnotify=")
    node.stop()
    return out


def run(t):
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--other", required=True, help="daemon of another node")
    o = p.parse_args()
    ours, theirs = (life(Hooked(t, program)) for program in (None, o.other))
    wrong = 0
    for a, b in zip(ours, theirs):
        print("%-45s %s%s" % (a[0], a[1], "" if a == b else "   DIFFERS: theirs %s" % (b[1],)))
        wrong += a != b
    equal(len(ours), len(theirs))
    equal(wrong, 0)


if __name__ == "__main__":
    main(run)
