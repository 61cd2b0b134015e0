"""Reorganisations between nodes on diverging chains with spends, depth 1, 10 and 150; invalidateblock and reconsiderblock; what the mempool
holds afterwards."""
from blocks import COIN, TRUE_ADDRESS, TRUE_OUTPUT, coins_of, coinbase, next_block, spend
from framework import equal, main, raises, same_tip, wait_until


def mine_spending(node, coins, n, extra):
    """n blocks; each of the first ones spends one of coins. extra makes the branch differ from others."""
    for i in range(n):
        height = node.getblockcount() + 1
        txs = [spend([coins[i]], [20 * COIN, 5 * COIN - i])] if i < len(coins) else []
        block = next_block(node, txs, base=coinbase(height, extra=extra))
        equal(node.submitblock(block.hex()), None)


def disconnect(a, b):
    for node in (a, b):
        for peer in node.getpeerinfo():
            try:
                node.disconnectnode(nodeid=peer["id"])
            except Exception:  # the other side was first
                pass
    wait_until(lambda: not a.getpeerinfo() and not b.getpeerinfo(), what="disconnection")


def reorg_between(a, b, coins, depth):
    """a mines depth blocks, b one more; when they meet, a gives its own up."""
    fork = a.getbestblockhash()
    disconnect(a, b)
    mine_spending(a, coins[:5], depth, b"a%d" % depth)
    lost = a.getbestblockhash()
    lost_coins = a.utxo_hash("hash_serialized_3")
    mine_spending(b, coins[3:8], depth + 1, b"b%d" % depth)
    a.connect(b)
    same_tip(a, b)
    equal(a.getblockcount(), b.getblockcount())
    equal(a.utxo_hash(), b.utxo_hash())
    equal(a.utxo_hash("hash_serialized_3"), b.utxo_hash("hash_serialized_3"))
    tips = {tip["hash"]: tip for tip in a.getchaintips()}
    equal((tips[lost]["branchlen"], tips[lost]["status"]), (depth, "valid-fork"))
    equal(a.getblockheader(lost)["confirmations"], -1)
    equal(a.verifychain(4, depth + 5), True)

    # Back to the lost branch by hand, and forth again.
    winner = a.getbestblockhash()
    first = a.getblockhash(a.getblockheader(fork)["height"] + 1)
    a.invalidateblock(first)
    equal(a.getbestblockhash(), lost)
    equal(a.utxo_hash("hash_serialized_3"), lost_coins)
    equal({tip["hash"]: tip["status"] for tip in a.getchaintips()}[winner], "invalid")
    a.reconsiderblock(first)
    equal(a.getbestblockhash(), winner)
    equal(a.utxo_hash(), b.utxo_hash())


def reorg_survives_restart(t, a):
    before = a.getbestblockhash(), a.utxo_hash()
    a.stop()
    a.start()
    equal((a.getbestblockhash(), a.utxo_hash()), before)


def mempool_after_reorg(a, coins):
    """Transactions of disconnected blocks come back, but those of the coinbases that are gone and those in conflict do not."""
    a.mine(1, TRUE_ADDRESS)  # with what earlier reorganisations left in the mempool
    equal(a.getrawmempool(), [])
    fork = a.getbestblockhash()
    height = a.getblockcount()
    kept = spend([coins[0]], [30 * COIN])
    child = spend([(kept.txid, 0)], [29 * COIN])
    conflicted = spend([coins[1]], [30 * COIN])
    equal(a.sendrawtransaction(kept.hex(), 0), kept.txid)
    equal(a.sendrawtransaction(conflicted.hex(), 0), conflicted.txid)
    mined = a.mine(1, TRUE_ADDRESS)[0]
    equal(a.getrawmempool(), [])
    equal(a.sendrawtransaction(child.hex(), 0), child.txid)

    a.invalidateblock(mined)
    equal(a.getbestblockhash(), fork)
    equal(sorted(a.getrawmempool()), sorted([kept.txid, child.txid, conflicted.txid]))
    equal(a.getmempoolentry(child.txid)["depends"], [kept.txid])

    # Another branch spends the same coin otherwise.
    rival = spend([coins[1]], [31 * COIN])
    block = next_block(a, [rival], base=coinbase(height + 1, extra=b"rival"))
    equal(a.submitblock(block.hex()), None)
    equal(sorted(a.getrawmempool()), sorted([kept.txid, child.txid]))
    raises(-25, "bad-txns-inputs-missingorspent", a.sendrawtransaction, conflicted.hex(), 0)

    # A spend of a coinbase that is mature only in the longer chain leaves when the chain becomes shorter.
    young = a.getblockcount() - 99
    coin = coins_of(a, young, young)[0]
    immature = spend([coin], [1 * COIN])
    equal(a.testmempoolaccept([immature.hex()], 0)[0]["allowed"], True)
    equal(a.sendrawtransaction(immature.hex(), 0), immature.txid)
    a.invalidateblock(block.hash)
    equal(immature.txid in a.getrawmempool(), False)
    equal(rival.txid in a.getrawmempool(), True)
    equal(kept.txid in a.getrawmempool(), True)
    a.reconsiderblock(mined)
    wait_until(lambda: a.getblockcount() == height + 1, what="one of the two blocks again")


def invalid_descendants(a):
    """A block below an invalidated one stays out, whatever its work."""
    tip = a.getbestblockhash()
    blocks = a.mine(3, TRUE_ADDRESS)
    a.invalidateblock(blocks[0])
    equal(a.getbestblockhash(), tip)
    equal(a.getblockheader(blocks[2])["confirmations"], -1)
    raises(-5, "Block not found", a.invalidateblock, "00" * 32)
    a.reconsiderblock(blocks[2])
    equal(a.getbestblockhash(), blocks[2])


def run(t):
    a = t.node()
    b = t.node()
    a.connect(b)
    a.mine(130, TRUE_ADDRESS)
    same_tip(a, b)
    coins = coins_of(a, 1, 30)
    equal(a.gettxout(*coins[0])["scriptPubKey"]["hex"], TRUE_OUTPUT.hex())
    for i, depth in enumerate((1, 10, 150)):
        reorg_between(a, b, coins[8 * i:8 * i + 8], depth)
    disconnect(a, b)
    reorg_survives_restart(t, a)
    mempool_after_reorg(a, coins[26:30])
    invalid_descendants(a)


main(run)
