"""Rules that miners activate by version bits (BIP9) and that the node does not know: told by RPC, in the log, and once to -alertnotify."""
import os

from blocks import Block, coinbase, make_chain
from framework import equal, main, wait_until

PERIOD, THRESHOLD, BIT = 144, 108, 4
INVALID = (
    "Warning: Found invalid chain more than 6 blocks longer than our best chain. This could be due to database corruption or "
    "consensus incompatibility with peers."
)
TEXT = "Unknown new rules activated (versionbit %d)" % BIT


def warnings(node):
    lists = [getattr(node, name)()["warnings"] for name in ("getblockchaininfo", "getmininginfo", "getnetworkinfo")]
    assert lists[0] == lists[1] == lists[2], lists
    return lists[0]


def signal(node, n):
    """n blocks that set the bit."""
    tip = node.getblockheader(node.getbestblockhash())
    prev, height, when = tip["hash"], tip["height"], tip["time"]
    for i in range(1, n + 1):
        block = Block(prev, height + i, when + i, version=0x20000000 | 1 << BIT).solve()
        equal(node.submitblock(block.hex()), None)
        prev = block.hash


def run(t):
    told = os.path.join(t.dir, "told")
    node = t.node("-alertnotify=echo %%s >> %s" % told)
    node.mine(PERIOD - 1)

    signal(node, THRESHOLD - 1)  # not enough: failed to lock in
    node.mine(PERIOD - THRESHOLD + 1 + PERIOD)
    equal(warnings(node), [])

    signal(node, THRESHOLD)
    node.mine(PERIOD - THRESHOLD)
    equal(warnings(node), [])  # locked in, not active yet
    node.mine(PERIOD - 1)
    equal(warnings(node), [])
    node.mine(1)
    equal(warnings(node), [TEXT])
    wait_until(lambda: os.path.exists(told) and open(told).read(), what="-alertnotify has run")
    node.mine(3)
    equal(open(told).read(), TEXT + "\n")

    node.stop()
    node.start()
    node.mine(1)
    equal(warnings(node), [TEXT])
    wait_until(lambda: open(told).read() == 2 * (TEXT + "\n"), what="-alertnotify has run again")


    invalid_branch(t)


def invalid_branch(t):
    """A branch that is invalid and has more than six blocks' work over the tip is told for as long as it is that far ahead."""
    told = os.path.join(t.dir, "told-branch")
    node = t.node("-alertnotify=echo %%s >> %s" % told)
    node.mine(2)
    blocks, prev, height, when = [], node.getbestblockhash(), 3, node.getblockheader(node.getbestblockhash())["time"]
    for i in range(7):
        blocks.append(Block(prev, height + i, when + i + 1, base=coinbase(height + i, value=51 * 10**8)).solve())
        prev = blocks[-1].hash
    for block in blocks:
        node.submitheader(block.hex()[:160])
    for block in reversed(blocks):
        node.submitblock(block.hex())
    equal(node.getblockcount(), 2)
    equal(warnings(node), [INVALID])
    wait_until(lambda: os.path.exists(told) and open(told).read() == INVALID + "\n", what="-alertnotify has run")
    node.mine(1)
    equal(warnings(node), [])
    # Nothing is told of blocks that the user gives up, nor of headers behind an invalid block.
    mined = node.mine(9)
    node.invalidateblock(mined[0])
    equal(warnings(node), [])
    node.reconsiderblock(mined[0])
    head = node.getblockheader(mined[-1])
    bad = Block(mined[-1], head["height"] + 1, head["time"] + 1, base=coinbase(head["height"] + 1, value=51 * 10**8)).solve()
    for block in [bad, *make_chain(bad.hash, head["height"] + 1, head["time"] + 2, 8)]:
        node.submitheader(block.hex()[:160])
    equal(node.submitblock(bad.hex()), "bad-cb-amount")
    equal(warnings(node), [])
    equal(open(told).read(), INVALID + "\n")
    node.mine(4)
    node.stop()
    node.start("-deprecatedrpc=warnings")
    equal(node.getblockchaininfo()["warnings"], "")


if __name__ == "__main__":
    main(run)
