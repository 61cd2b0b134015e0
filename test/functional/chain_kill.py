"""kill -9 at random moments of an import, while mining over RPC and while syncing from a peer: the node always starts again by itself and
ends with the same tip and the same coins. Depends on the vectors for real blocks; without them a mined chain is imported."""
import os
import random
import shutil
import time

from blocks import Block, TRUE_ADDRESS, coins_of, make_chain, next_block, spend
from framework import SLOW, equal, main, same_tip, vectors, wait_until

SMALL_CACHE = ("-dbcache=4", "-checkblocks=20", "-checklevel=4")


def kill_at_random(node, seconds):
    """Some moment of the node's life, from its first system call on."""
    time.sleep(random.uniform(0, seconds))
    node.kill()


def mine_with_spends(node, n):
    """n blocks that also spend: undo data and deleted coins matter."""
    node.mine(110, TRUE_ADDRESS)
    for i, coin in enumerate(coins_of(node, 1, n)):
        equal(node.submitblock(next_block(node, [spend([coin], [10 ** 8 + i, 2 * 10 ** 8 + i])]).hex()), None)


def import_file(t):
    data = vectors("chain", "mainnet", "blocks-000000-004312.dat")
    if data:
        return "main", data, 4312
    node = t.node("-blocksxor=0")
    mine_with_spends(node, 10)
    height = node.getblockcount()
    node.stop()
    data = os.path.join(t.dir, "bootstrap.dat")
    shutil.copy(os.path.join(node.net_dir, "blocks", "blk00000.dat"), data)
    return "regtest", data, height


def kill_import(t):
    chain, data, height = import_file(t)
    reference = t.node("-loadblock=" + data, chain=chain)
    start = time.monotonic()
    wait_until(lambda: reference.getblockcount() == height, what="the import without a kill")
    whole = 0.3 * SLOW + time.monotonic() - start
    expected = reference.getbestblockhash(), reference.utxo_hash(), reference.utxo_hash("hash_serialized_3")
    reference.stop()

    node = t.node("-loadblock=" + data, *SMALL_CACHE, chain=chain, start=False)
    for i in range(12):
        # Early, late, in the middle: stretched so that some kills meet the start and some the end.
        node.spawn(*(["-reindex-chainstate"] if i == 9 else ["-reindex"] if i == 6 else []))
        kill_at_random(node, whole * (i % 4 + 1) / 3)
    node.start()
    wait_until(lambda: node.getblockcount() == height, what="the import after all kills")
    equal((node.getbestblockhash(), node.utxo_hash(), node.utxo_hash("hash_serialized_3")), expected)
    node.stop()
    node.args.clear()  # the deepest check wants a larger cache than the smallest
    node.start()
    equal(node.verifychain(4, 0), True)
    node.stop()


def kill_mining(t):
    """What generatetoaddress and submitblock answered may be lost with the cache, but the state is one that was."""
    node = t.node(*SMALL_CACHE)
    history = {}

    def note():
        height = node.getblockcount()
        history[node.getblockhash(height)] = node.utxo_hash()[1]
        return height

    node.mine(101, TRUE_ADDRESS)
    note()
    node.stop()
    node.start()
    for _ in range(4):
        coins = coins_of(node, 1, 60)
        for coin in coins:
            unspent = node.gettxout(coin[0], coin[1])
            if unspent and unspent["confirmations"] > 100:
                equal(node.submitblock(next_block(node, [spend([coin], [10 ** 8])]).hex()), None)
                note()
            if len(history) % 5 == 0:
                break
            node.mine(1, TRUE_ADDRESS)
            note()
        node.kill()
        node.start()
        wait_until(lambda: node.getbestblockhash() in history, 10, "a tip that was seen before the kill")
        equal(node.utxo_hash()[1], history[node.getbestblockhash()])
        equal(node.verifychain(4, 0), True)
        equal(node.getblockcount() >= 101, True)
    node.stop()


def kill_syncing(t):
    source = t.node()
    mine_with_spends(source, 6)
    tip = source.getblockheader(source.getbestblockhash())
    for block in make_chain(tip["hash"], tip["height"], tip["mediantime"] + 1, 500):
        equal(source.submitblock(block.hex()), None)
    node = t.node(*SMALL_CACHE, start=False)
    for i in range(5):
        node.start("-connect=127.0.0.1:%d" % source.port)
        kill_at_random(node, 0.15 * i)
    node.start("-connect=127.0.0.1:%d" % source.port)
    same_tip(source, node)
    equal(node.utxo_hash(), source.utxo_hash())
    node.stop()
    node.args.clear()
    node.start()
    equal(node.verifychain(4, 0), True)


def run(t):
    seed = int(os.environ.get("FARTHING_SEED", time.time_ns() % 10 ** 9))
    print("FARTHING_SEED=%d" % seed)
    random.seed(seed)
    kill_import(t)
    kill_mining(t)
    kill_syncing(t)


main(run)
