"""loadtxoutset: a node goes on from a snapshot, fetches what follows it, and validates history behind it; killed and restarted at any moment it
comes to the same coins. The chain is the one of 200 blocks whose snapshot is known on regtest."""
import os
import random
import shutil
import time

from blocks import REGTEST_GENESIS, TRUE_OUTPUT, Block, Tx, coins_of, next_block, script_number, spend, subsidy
from framework import SLOW, equal, main, raises, same_tip, wait_until

BASE = 200
BASE_HASH = "385901ccbd69dff6bbd00065d01fb8a9e464dede7cfe0372443884f9b1dcf6b9"
SET_HASH = "17dcc016d188d16068907cdeb38b75691a118d43053b8cd6a25969419381d13a"
LOAD_ERROR = "Unable to load UTXO snapshot: "


def known_chain():
    chain, prev = [], REGTEST_GENESIS
    for height in range(1, BASE + 1):
        base = Tx([("00" * 32, 0xffffffff, 0xfffffffe, script_number(height) + b"\x00", [])], [(subsidy(height), TRUE_OUTPUT)],
                  locktime=height - 1)
        chain.append(Block(prev, height, 1296688602 + height, base=base, version=4).solve())
        prev = chain[-1].hash
    equal(prev, BASE_HASH)
    return chain


def source(t, chain):
    """A node with the known chain and 60 blocks more, and the snapshot's path."""
    node = t.node()
    for block in chain:
        equal(node.submitblock(block.hex()), None)
    out = node.dumptxoutset("known.dat", "latest")
    equal((out["txoutset_hash"], out["nchaintx"], out["base_hash"]), (SET_HASH, BASE + 1, BASE_HASH))
    for i, coin in enumerate(coins_of(node, 1, 60)):
        equal(node.submitblock(next_block(node, [spend([coin], [10 ** 8 + i, 2 * 10 ** 8])]).hex()), None)
    return node, out["path"]


def give_headers(node, chain):
    for block in chain:
        node.submitheader(block.header().hex())


def folders(node):
    return {name for name in os.listdir(node.net_dir) if name.startswith("chainstate")}


def states(node):
    return [(s["blocks"], s["validated"], s.get("snapshot_blockhash")) for s in node.getchainstates()["chainstates"]]


def services(node):
    return "NETWORK" in node.getnetworkinfo()["localservicesnames"]


def refused_files(t, node, path):
    with open(path, "rb") as f:
        good = f.read()
    bad = os.path.join(t.dir, "bad.dat")

    def load(content, code, text):
        with open(bad, "wb") as f:
            f.write(content)
        raises(code, text, node.loadtxoutset, bad)
        equal(folders(node), {"chainstate"})
    load(b"", -22, "Unable to parse metadata: ")
    load(good[:20], -22, "Unable to parse metadata: ")
    load(b"x" + good[1:], -22, "Invalid UTXO set snapshot magic bytes.")
    load(good[:5] + b"\1\0" + good[7:], -22, "Version of snapshot 1 does not match any of the supported versions.")
    load(good[:7] + b"\xf9\xbe\xb4\xd9" + good[11:], -22, "The network of the snapshot (main) does not match the network of this node (regtest).")
    load(good[:11] + bytes(32) + good[43:], -32603, "The following snapshot heights are available: 110, 200, 299. (%s)" % bad)
    population = LOAD_ERROR + "Population failed: "
    load(good[:-1], -32603, population + "Bad snapshot format or truncated snapshot after deserializing 199 coins")
    load(good + b"\0", -32603, population + "Bad snapshot - coins left over after deserializing 200 coins")
    load(good[:43] + (2 ** 64 - 1).to_bytes(8, "little") + good[51:], -32603, "after deserializing 200 coins")
    load(good[:51] + b"\xff" * 32 + good[83:], -32603, population + "Bad snapshot content hash: expected %s, got " % SET_HASH)
    load(good[:51 + 32] + b"\xfe\xff\xff\xff\1" + good[84:], -32603, population + "Mismatch in coins count")
    # a script that is said to be longer than any file
    load(good[:51 + 34] + b"\x02\x00" + b"\xfe\xff\xff\x7f" + good[84:], -32603, population)
    for _ in range(20):
        at = random.randrange(51, len(good))
        load(good[:at] + bytes([good[at] ^ 1 << random.randrange(8)]) + good[at + 1:], -32603, population)


def load(node, path):
    out = node.loadtxoutset(path)
    equal((out["coins_loaded"], out["tip_hash"], out["base_height"], out["path"]), (BASE, BASE_HASH, BASE, path))


def expect_loaded(node, history):
    equal(states(node), [(history, True, None), (BASE, False, BASE_HASH)])
    equal((node.getblockcount(), node.getbestblockhash()), (BASE, BASE_HASH))
    equal(node.gettxoutsetinfo("hash_serialized_3")["hash_serialized_3"], SET_HASH)
    equal(services(node), False)
    info = node.getblockchaininfo()["backgroundvalidation"]
    equal((info["snapshotheight"], info["blocks"]), (BASE, history))
    raises(-1, "Block not available (not fully downloaded)", node.getblock, BASE_HASH)
    equal(node.verifychain(4, 0), False)  # there is nothing to verify yet


def expect_complete(node, other):
    wait_until(lambda: len(states(node)) == 1, what="validation of history")
    equal(states(node)[0][1], True)
    wait_until(lambda: services(node), what="the service")
    same_tip(node, other)
    equal(node.utxo_hash("hash_serialized_3"), other.utxo_hash("hash_serialized_3"))
    equal("backgroundvalidation" in node.getblockchaininfo(), False)


def expect_swapped(node, other):
    equal(folders(node), {"chainstate"})
    equal([s[:2] for s in states(node)], [(other.getblockcount(), True)])
    equal(node.utxo_hash("hash_serialized_3"), other.utxo_hash("hash_serialized_3"))
    equal(node.verifychain(4, 0), True)


def undisturbed(t, other, chain, path):
    """Loading, a restart before anything else came, validation, the swap of the folders, and what a reindex makes of it."""
    node = t.node("-blockfilterindex=1")
    raises(-32603, LOAD_ERROR + "The base block header (%s) must appear in the headers chain." % BASE_HASH, node.loadtxoutset, path)
    raises(-8, "Couldn't open file /nowhere for reading.", node.loadtxoutset, "/nowhere")
    for block in chain[:50]:
        equal(node.submitblock(block.hex()), None)
    give_headers(node, chain)
    refused_files(t, node, path)
    load(node, path)
    expect_loaded(node, 50)
    raises(-32603, LOAD_ERROR + "Can't activate a snapshot-based chainstate more than once", node.loadtxoutset, path)
    node.stop()
    equal(folders(node), {"chainstate", "chainstate_snapshot"})
    with open(os.path.join(node.net_dir, "chainstate_snapshot", "base_blockhash"), "rb") as f:
        equal(f.read()[::-1].hex(), BASE_HASH)
    node.start()
    expect_loaded(node, 50)
    # nothing may lead away from the snapshot while history is not there
    raises(-20, "", node.invalidateblock, chain[-1].hash)
    equal(node.getblockcount(), BASE)
    node.connect(other)
    expect_complete(node, other)
    wait_until(lambda: node.getindexinfo()["basic block filter index"] == {"synced": True, "best_block_height": other.getblockcount()},
               what="the index")
    node.stop()
    equal(folders(node), {"chainstate", "chainstate_snapshot"})
    node.start()
    expect_swapped(node, other)
    return node


def halfway_swapped(node, other):
    """A crash between the renamings of the folders."""
    node.stop()
    base = os.path.join(node.net_dir, "chainstate")
    os.rename(base, base + "_snapshot")
    os.mkdir(base + "_todelete")
    node.start()
    expect_swapped(node, other)
    node.stop()
    node.start("-reindex")
    same_tip(node, other)
    node.stop()


def forgotten_by_reindex(t, other, chain, path):
    node = t.node()
    give_headers(node, chain)
    os.mkdir(os.path.join(node.net_dir, "chainstate_snapshot"))  # what a crash while loading leaves
    load(node, path)
    expect_loaded(node, 0)
    for option in "-reindex-chainstate", "-reindex":
        node.stop()
        node.start(option)
        equal((folders(node), node.getblockcount(), services(node)), ({"chainstate"}, 0, True))
        give_headers(node, chain)
        load(node, path)
        for height in range(BASE + 1, BASE + 11):  # what was built upon the snapshot is there, and of no use without it
            equal(node.submitblock(other.getblock(other.getblockhash(height), 0)), None)
    node.stop()
    shutil.rmtree(os.path.join(node.net_dir, "chainstate_snapshot"))
    node.start()
    equal(node.getblockcount(), 0)
    node.connect(other)
    same_tip(node, other)
    expect_swapped(node, other)
    node.stop()


def unknown_snapshot(t):
    node = t.node()
    node.stop()
    folder = os.path.join(node.net_dir, "chainstate_snapshot")
    os.mkdir(folder)
    node.start()  # not a snapshot without its base
    node.stop()
    with open(os.path.join(folder, "base_blockhash"), "wb") as f:
        f.write(b"z" * 32)
    node.start_fails(text="Assumeutxo data not found for the given blockhash '%s'." % ("7a" * 32))


def other_branch(t, other, path, chain):
    """The node stood on a branch that the snapshot is not on."""
    node = t.node()
    node.mine(150)
    give_headers(node, chain)
    load(node, path)
    expect_loaded(node, 150)
    node.connect(other)
    expect_complete(node, other)
    node.stop()


def killed(t, other, chain, path):
    for attempt in range(3):
        node = t.node("-dbcache=4", "-blockfilterindex=1")
        give_headers(node, chain)
        if attempt == 0:
            node.stop()
            node.start()
        load(node, path)
        for _ in range(4):
            node.kill()
            node.start()
            node.connect(other)
            time.sleep(random.uniform(0, 0.15 * SLOW))
        node.kill()
        node.start()
        node.connect(other)
        expect_complete(node, other)
        node.kill()
        node.start()
        expect_swapped(node, other)
        node.stop()


def pruned(t, other, chain, path):
    node = t.node("-prune=1", "-fastprune")
    give_headers(node, chain)
    load(node, path)
    equal(services(node), False)
    node.pruneblockchain(100)
    node.connect(other)
    wait_until(lambda: len(states(node)) == 1, what="validation of history")
    same_tip(node, other)
    node.stop()
    node.start()
    expect_swapped(node, other)
    equal(services(node), False)
    node.stop()


def run(t):
    chain = known_chain()
    other, path = source(t, chain)
    raises(-32603, LOAD_ERROR + "Population failed: Work does not exceed active chainstate.", other.loadtxoutset, path)
    halfway_swapped(undisturbed(t, other, chain, path), other)
    forgotten_by_reindex(t, other, chain, path)
    unknown_snapshot(t)
    other_branch(t, other, path, chain)
    pruned(t, other, chain, path)
    killed(t, other, chain, path)


main(run)
