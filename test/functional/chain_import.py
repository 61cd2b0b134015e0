"""Real blocks from files (-loadblock) give the tip and the coins that Bitcoin Core gives, and keep them over restart, -reindex and
-reindex-chainstate. Depends on the vectors; without them a mined regtest chain is rebuilt."""
import json
import os
import shutil

from blocks import REGTEST_GENESIS, TRUE_ADDRESS, Block, coinbase
from framework import equal, main, vectors, wait_until


def expectation(*path):
    data = vectors(*path)
    if not data:
        return None, None
    with open(data.replace(".dat", ".expected.json")) as f:
        return data, json.load(f)


def check(node, expected):
    """Tip and coins as in the file (its last muhash is the one of the tip)."""
    tip = expected["tip"]
    info = node.getblockchaininfo()
    for key in ("chain", "blocks", "bestblockhash", "bits", "target", "difficulty", "time", "mediantime", "chainwork"):
        equal(info[key], tip[key])
    equal(info["headers"], tip["blocks"])
    coins = node.gettxoutsetinfo()
    for key, value in expected["gettxoutsetinfo"].items():
        equal(coins[key], value)
    last = expected["gettxoutsetinfo_muhash"][-1]
    equal(last["height"], tip["blocks"])
    equal(node.gettxoutsetinfo("muhash")["muhash"], last["muhash"])
    for head in expected["getblockheader"]:
        got = node.getblockheader(head["hash"])
        equal({k: got[k] for k in head}, head)


def rebuilt(node, option):
    """The log since this start says whether something was built again."""
    def log():
        return node.log().rsplit("Setting nMinimumChainWork", 1)[1]

    if "-reindex" in option:
        wait_until(lambda: "Reindexing finished" in log(), what="the end of -reindex")
    equal("Reindexing finished" in log(), "-reindex" in option)
    equal("Wiping LevelDB in" in log(), bool(option))


def run_chain(t, chain, *path):
    data, expected = expectation(*path)
    if not data:
        return None
    node = t.node("-loadblock=" + data, chain=chain, start=False).start()
    wait_until(lambda: node.getblockcount() == expected["tip"]["blocks"], what="import of " + data)
    check(node, expected)
    node.stop()
    node.args.clear()
    for option in ((), ("-reindex",), ("-reindex-chainstate",), ()):
        node.start(*option)
        wait_until(lambda: node.getblockcount() == expected["tip"]["blocks"], what="%r again" % (option,))
        rebuilt(node, option)
        check(node, expected)
        node.stop()
    return node, expected


def run_mainnet_alt(t):
    """The alternative chain wins until the real one has more work: a reorganisation of 2016 blocks, down to genesis."""
    done = run_chain(t, "main", "chain", "mainnet-alt", "blocks-000000-002016.dat")
    data, expected = expectation("chain", "mainnet", "blocks-000000-004312.dat")
    if not done or not data:
        return
    node = done[0].start()
    at = 0
    with open(data, "rb") as f:
        raw = f.read()
    answers = []
    for height in range(2022):
        length = int.from_bytes(raw[at + 4:at + 8], "little")
        block = raw[at + 8:at + 8 + length]
        at += 8 + length
        if height:
            answers.append(node.submitblock(block.hex()))
            if height == 2019:
                equal(node.getbestblockhash(), done[1]["tip"]["bestblockhash"])
            elif height == 2020:
                equal(node.getblockcount(), 2020)
                equal(node.getchaintips()[1]["branchlen"], 2016)
    equal(answers, ["inconclusive"] * 2019 + [None] * 2)
    node.stop()
    node.start("-loadblock=" + data)
    wait_until(lambda: node.getblockcount() == 4312, what="the rest of the real chain")
    check(node, expected)
    node.stop()


def padded(records):
    """The same blocks in records that are longer than them: what follows a block is ignored."""
    out, at = b"", 0
    while records[at:at + 4] == records[:4]:
        length = int.from_bytes(records[at + 4:at + 8], "little")
        out += records[:4] + (length + 3).to_bytes(4, "little") + records[at + 8:at + 8 + length] + b"end"
        at += 8 + length
    return out


def run_own(t):
    """No vectors needed: blocks mined here, taken from this node's own block file, give the same again elsewhere."""
    node = t.node("-blocksxor=0")
    node.mine(120, TRUE_ADDRESS)
    before = node.utxo_hash(), node.utxo_hash("hash_serialized_3")
    node.stop()
    copy = os.path.join(t.dir, "bootstrap.dat")
    shutil.copy(os.path.join(node.net_dir, "blocks", "blk00000.dat"), copy)
    other = t.node("-loadblock=" + copy)
    wait_until(lambda: other.getblockcount() == 120, what="import")
    equal((other.utxo_hash(), other.utxo_hash("hash_serialized_3")), before)
    other.stop()
    with open(copy, "rb") as f:
        longer = padded(f.read())
    bad = Block(REGTEST_GENESIS, 1, 1300000000, base=coinbase(2)).solve().encode()  # names a wrong height, and stands before genesis
    longer = longer[:4] + len(bad).to_bytes(4, "little") + bad + longer
    with open(os.path.join(node.net_dir, "blocks", "blk00000.dat"), "wb") as f:
        f.write(longer)
    for option in ("-reindex", "-reindex-chainstate"):
        node.start(option)
        wait_until(lambda: node.getblockcount() == 120, what=option)
        rebuilt(node, [option])
        equal((node.utxo_hash(), node.utxo_hash("hash_serialized_3")), before)
        node.stop()


def run(t):
    run_own(t)
    run_chain(t, "main", "chain", "mainnet", "blocks-000000-004312.dat")
    run_chain(t, "regtest", "chain", "regtest", "blocks-000000-000150.dat")
    run_chain(t, "signet", "chain", "signet", "blocks-000000-000120.dat")
    run_mainnet_alt(t)


main(run)
