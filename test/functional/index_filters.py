"""-blockfilterindex: filters over RPC for active and abandoned blocks, after restarts, kill -9, a reindex and beside pruning; what the node says
about values that it does not know. Depends on the vectors for real blocks."""
import json
import random
import time

from blocks import TRUE_ADDRESS, make_chain
from framework import contains, equal, main, raises, vectors, wait_until

NAME = "basic block filter index"


def synced(node):
    height = node.getblockcount()
    wait_until(lambda: node.getindexinfo() == {NAME: {"synced": True, "best_block_height": height}}, what="the index at %d" % height)


def filters(node, hashes):
    return [node.getblockfilter(h) for h in hashes]


def active(node):
    return [node.getblockhash(h) for h in range(node.getblockcount() + 1)]


def branch_on(node, height, n):
    """n blocks on the active block of that height."""
    base = node.getblockheader(node.getblockhash(height))
    blocks = make_chain(base["hash"], height, base["mediantime"] + 1, n, extra=b"branch")
    for block in blocks:
        node.submitblock(block.hex())


def rpc(t):
    node = t.node("-blockfilterindex")
    node.mine(20, TRUE_ADDRESS)
    synced(node)
    old = active(node)
    branch_on(node, 15, 8)
    equal(node.getblockcount(), 23)
    new = active(node)
    everything = filters(node, old + new)
    equal(len({f["header"] for f in everything}), 21 + 8)  # one for each block
    equal(node.getblockfilter(new[3], "basic"), node.getblockfilter(blockhash=new[3], filtertype="basic"))
    synced(node)
    equal(node.getindexinfo(NAME), node.getindexinfo())
    equal(node.getindexinfo("txindex"), {})
    raises(-5, "Block not found", node.getblockfilter, "00" * 31 + "01")
    raises(-5, "Unknown filtertype", node.getblockfilter, new[0], "extended")
    raises(-8, "blockhash must be of length 64", node.getblockfilter, "00")
    # a block that never was in the active chain
    base = node.getblockheader(new[5])
    side = make_chain(base["hash"], 5, base["mediantime"] + 1, 1, extra=b"side")[0]
    equal(node.submitblock(side.hex()), "inconclusive")
    raises(-5, "Filter not found. Block was not connected to active chain.", node.getblockfilter, side.hash)

    node.stop()
    node.start()
    equal(filters(node, old + new), everything)
    node.kill()
    node.start()
    equal(filters(node, active(node)), everything[21:21 + node.getblockcount() + 1])
    node.stop()
    node.start("-reindex")
    wait_until(lambda: node.getblockcount() == 23, what="the reindex")
    synced(node)
    equal(filters(node, new), everything[21:])
    contains(node.log(), "Wiping LevelDB in %s/indexes/blockfilter/basic/db" % node.net_dir)
    node.stop()
    node.start("-reindex-chainstate")
    wait_until(lambda: node.getblockcount() == 23, what="the chain state")
    equal(filters(node, new), everything[21:])
    node.stop()

    node.args.clear()
    for off in ("-blockfilterindex=0", "-noblockfilterindex", "-server"):
        node.start(off)
        equal(node.getindexinfo(), {})
        raises(-1, "Index is not enabled for filtertype basic", node.getblockfilter, new[0])
        equal("blockfilterindex" in node.stderr(), False)
        node.mine(3)
        node.stop()
    node.start_fails("-blockfilterindex=extended", text="Unknown -blockfilterindex value extended.")
    for on in ("-blockfilterindex=1", "-blockfilterindex=basic"):
        node.start(on)
        equal(len(filters(node, active(node))), 33)
        synced(node)
        node.stop()


def killed(t):
    """Killed while it mines, again and again: the index is whole every time."""
    node = t.node("-blockfilterindex", "-dbcache=4")
    reference = t.node("-blockfilterindex")
    for _ in range(6):
        node.mine(random.randint(1, 60))
        branch_on(node, max(0, node.getblockcount() - 3), 5)  # a kill may have taken all that was not flushed
        time.sleep(random.uniform(0, 0.1))
        node.kill()
        node.start()
        hashes = active(node)
        filters(node, hashes)
        synced(node)
    # Blocks that a kill took from the tree are still in the files, where the reindex below finds them: this chain has more work than all of them.
    node.mine(400)
    synced(node)
    hashes = active(node)
    for h in hashes[1:]:
        reference.submitblock(node.getblock(h, 0))
    synced(reference)
    equal(filters(node, hashes), filters(reference, hashes))
    # nothing of the index: all of it is made again, while the chain goes on
    node.stop()
    node.args.clear()
    node.start("-blockfilterindex", "-reindex")
    wait_until(lambda: node.getbestblockhash() == hashes[-1], what="the reindex")
    equal(filters(node, hashes), filters(reference, hashes))
    node.stop()
    reference.stop()


def pruned(t):
    """What the index still needs is not pruned; an index that comes too late is refused."""
    node = t.node("-fastprune", "-prune=1", "-blockfilterindex")
    node.mine(600)
    synced(node)
    before = filters(node, active(node))
    reached = node.pruneblockchain(310)
    equal(reached > 0, True)
    equal(filters(node, active(node)), before)
    node.stop()
    node.start()
    equal(filters(node, active(node)), before)
    node.stop()
    node.args.remove("-blockfilterindex")
    node.start()
    node.mine(500)
    node.pruneblockchain(800)
    node.stop()
    node.start_fails("-blockfilterindex", text="basic block filter index best block of the index goes beyond pruned data (including undo data). "
                     "Please disable the index or reindex (which will download the whole blockchain again)")


def real_blocks(t):
    data = vectors("chain", "mainnet", "blocks-000000-004312.dat")
    if not data:
        return
    with open(vectors("chain", "mainnet", "blocks-000000-004312.expected.json")) as f:
        expected = json.load(f)["getblockfilter"]
    node = t.node("-blockfilterindex", "-loadblock=" + data, chain="main")
    wait_until(lambda: node.getblockcount() == 4312, what="the import")
    for e in expected:
        equal(node.getblockfilter(e["hash"]), {"filter": e["filter"], "header": e["header"]})
    node.stop()


def run(t):
    rpc(t)
    killed(t)
    pruned(t)
    real_blocks(t)


main(run)
