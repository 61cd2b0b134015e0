"""Everything at once: RPC commands on many connections, blocks and transactions, reorganizations, peers that come and go, and in the midst of it
the node is told to stop. Each command answers or fails by the rules, the node ends in order and its state is whole. Under the thread sanitizer
this is where locks and shared state meet."""
import copy
import http.client
import os
import random
import signal
import threading
import time

from blocks import COIN, TRUE_ADDRESS, coins_of, make_chain, next_block, spend
from framework import RpcError, equal, main, same_tip
from p2p import TX, WITNESS_BLOCK, WITNESS_TX, Peer, inv, locator

READERS = 6
BLOCKS = 40
# Codes that a command may rightly fail with here: gone or not there yet, in use, refused, or stopping.
EXPECTED = (-1, -5, -8, -25, -26, -27, -9, -29, -34)


def commands(node, rng, coin):
    """Pairs of method and arguments, with what is on the chain and in the mempool by now."""
    height = node.getblockcount()
    block = node.getblockhash(rng.randrange(max(0, height - 20), height + 1))
    pool = node.getrawmempool()
    txid = rng.choice(pool) if pool else coin[0]
    return [
        ("getblock", block, 3), ("getblock", block, 0), ("getblockheader", block), ("getblockstats", block), ("getblockchaininfo",),
        ("getchaintips",), ("getchaintxstats",), ("getchainstates",), ("getdeploymentinfo",), ("getmempoolinfo",), ("getrawmempool", True),
        ("getmempoolentry", txid), ("getmempoolancestors", txid, True), ("getmempooldescendants", txid, True), ("getmempoolcluster", txid),
        ("getrawtransaction", txid, 2), ("gettxout", coin[0], coin[1]), ("gettxoutsetinfo", "muhash"), ("gettxoutsetinfo", "hash_serialized_3"),
        ("scantxoutset", "start", ["addr(%s)" % TRUE_ADDRESS]), ("scantxoutset", "status"), ("scantxoutset", "abort"),
        ("gettxoutproof", [node.getblock(block)["tx"][0]], block), ("gettxspendingprevout", [{"txid": coin[0], "vout": coin[1]}]),
        ("verifychain", 4, 6), ("waitfornewblock", 20), ("waitforblockheight", height + 1, 50), ("savemempool",), ("getmemoryinfo",),
        ("getrpcinfo",), ("logging", [], ["net"]), ("logging", ["net"]), ("uptime",), ("getblocktemplate", {"rules": ["segwit"]}), ("getmininginfo",),
        ("getnetworkhashps",), ("getprioritisedtransactions",), ("prioritisetransaction", txid, 0, 100), ("getpeerinfo",), ("getnettotals",),
        ("getnetworkinfo",), ("getconnectioncount",), ("ping",), ("getaddednodeinfo",), ("addnode", "127.0.0.1:1", "onetry"), ("help", "getblock"),
        ("preciousblock", block), ("getorphantxs", 2), ("disconnectnode", "", 999_999), ("validateaddress", TRUE_ADDRESS),
        ("importmempool", os.path.join(node.net_dir, "mempool.dat")),
    ]


class Crowd:
    """Threads that each have a connection of their own; the first that fails for no good reason is told by end()."""

    def __init__(self, node, seed):
        self.node = node
        self.seed = seed
        self.stopping = threading.Event()
        self.failure = None
        self.threads = []

    def add(self, work):
        node = copy.copy(self.node)
        node.connection = None
        rng = random.Random(self.seed + len(self.threads))
        self.threads.append(threading.Thread(target=self.run, args=(work, node, rng)))
        self.threads[-1].start()

    def run(self, work, node, rng):
        while not self.stopping.is_set():
            try:
                work(node, rng)
            except RpcError as error:
                if error.code not in EXPECTED:
                    self.failed(error)
            except (OSError, http.client.HTTPException, AssertionError) as error:
                if not self.stopping.wait(0.5):
                    self.failed(error)

    def failed(self, error):
        self.failure = self.failure or error
        self.stopping.set()

    def end(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        if self.failure:
            raise AssertionError("a command failed: %r" % self.failure) from self.failure


def read(coins):
    def work(node, rng):
        method, *args = rng.choice(commands(node, rng, rng.choice(coins)))
        getattr(node, method)(*args)
    return work


def come_and_go(node, rng):
    """A peer that asks, tells and leaves, at times in the middle of a message."""
    peer = Peer(node)
    try:
        tip = node.getbestblockhash()
        peer.send("getheaders", locator(node.getblockhash(max(0, node.getblockcount() - 5))))
        peer.send("getdata", inv(WITNESS_BLOCK, tip))
        peer.send("getdata", inv(WITNESS_TX, *node.getrawmempool()[:20]))
        peer.send("inv", inv(TX, rng.randbytes(32).hex()))
        peer.send("tx", spend([(rng.randbytes(32).hex(), 0)], [COIN]).encode())
        if rng.random() < 0.5:
            peer.raw(rng.randbytes(10))
        elif rng.random() < 0.5:
            peer.sync()
    finally:
        peer.close()


def mine(node, crowd, coins, blocks):
    """Transactions, blocks with them, and now and then a reorganization."""
    for i in range(blocks):
        if crowd.stopping.is_set():
            return
        for _ in range(3):
            coin = coins.pop()
            try:
                node.sendrawtransaction(spend([coin], [20 * COIN, 29 * COIN]).encode().hex(), 0)
            except RpcError as error:
                if error.code not in EXPECTED:
                    raise
        if i % 3:
            node.generatetoaddress(1, TRUE_ADDRESS)
        else:
            node.submitblock(next_block(node).hex())
        if i % 10 == 9:
            old = node.getblockheader(node.getblockhash(node.getblockcount() - 2))
            node.invalidateblock(old["hash"])
            for block in make_chain(old["previousblockhash"], old["height"] - 1, old["time"], 2, b"%d" % i):
                equal(node.submitblock(block.hex()), None)
            node.reconsiderblock(old["hash"])


def busy(node, seed, stop):
    """A crowd around the node until its chain has grown; then stop() ends it while the crowd goes on."""
    coins = coins_of(node, 1, node.getblockcount() - 100)
    crowd = Crowd(node, seed)
    for _ in range(READERS):
        crowd.add(read(list(coins)))
    crowd.add(come_and_go)
    crowd.add(come_and_go)
    try:
        mine(node, crowd, [c for c in coins if node.gettxout(*c)], BLOCKS)
        crowd.stopping.set()  # from here on a command may meet the end
        stop()
        equal(node.wait_end(), 0)
    finally:
        crowd.end()


def run(t):
    seed = int(os.environ.get("FARTHING_SEED", time.time_ns() % 10 ** 9))
    print("FARTHING_SEED=%d" % seed)
    node = t.node("-debug=0", "-rpcthreads=4")
    follower = t.node("-prune=1", "-fastprune")
    node.mine(400, TRUE_ADDRESS)
    follower.connect(node)
    busy(node, seed, lambda: node.process.send_signal(signal.SIGTERM))
    node.start()
    busy(node, seed + 100, lambda: node.cli("stop"))
    node.start()
    equal(node.verifychain(4, 0), True)
    follower.connect(node)
    same_tip(node, follower)
    node.stop()
    follower.stop()


main(run)
