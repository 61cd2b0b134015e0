#!/usr/bin/env python3
"""A chain of blocks made of this node's templates, with transactions of many kinds, each accepted by another node, too: getblocktemplate, a block put
together and solved as a miner's program does it, submitblock to the other node first and then to ours. The other one sees blocks alone: its pool is
empty, so that it judges each transaction in its block."""
import argparse
import sys
import time

import topology  # noqa: F401  (the path to the functional tests' modules)
from blocks import Block, coinbase
from framework import RpcError, equal, main
from txstream import Stream

OPTIONS = ("-persistmempool=0", "-dnsseed=0", "-fixedseeds=0", "-natpmp=0", "-discover=0", "-checkblockindex=0", "-acceptnonstdtxn=0")
RULES = {"rules": ["segwit"]}


class Given:
    """A transaction as a template gives it."""

    def __init__(self, entry):
        self.data, self.txid, self.wtxid = bytes.fromhex(entry["data"]), entry["txid"], entry["hash"]
        self.inputs = [(None, 0, 0, b"", [b"w"] if entry["hash"] != entry["txid"] else [])]  # whether there is a witness is all that a block asks

    def encode(self):
        return self.data


class Chain(Stream):
    """Transactions go to the first node, blocks to the other one first."""

    def __init__(self, seed, ours, theirs, signed):
        self.theirs = theirs
        super().__init__(seed, [ours], self.to_ours, signed)

    def to_ours(self, method, *params):
        if method == "submitblock":
            equal(self.theirs.submitblock(*params), None)
        try:
            return "ok", getattr(self.nodes[0], method)(*params)
        except RpcError as error:
            return "error", error.code, error.message

    def set_time(self, seconds):
        super().set_time(seconds)
        self.theirs.setmocktime(self.time)

    def some_transactions(self):
        for _ in range(self.r.choice((0, 3, 10, 20, 40))):
            self.r.choices((self.send, self.package, self.prioritise, self.chain, self.tree), (60, 14, 2, 0.4, 0.4))[0]()

    def block_of_template(self):
        """Returns: how many transactions it has."""
        t = self.nodes[0].getblocktemplate(RULES)
        given = [Given(e) for e in t["transactions"]]
        base = coinbase(t["height"], t["coinbasevalue"], extra=b"%d" % self.serial)
        self.serial += 1
        block = Block(t["previousblockhash"], t["height"], t["curtime"], given, base=base, version=t["version"], bits=int(t["bits"], 16))
        outputs = [script.hex() for _, script in base.outputs]
        if any(g.txid != g.wtxid for g in given):
            equal(outputs[-1], t["default_witness_commitment"])
        for g in given:
            assert g.txid in self.m.pool, g.txid
            self.m.known[g.txid] = self.m.pool[g.txid]
        equal(self.submit(block.solve(), [self.m.pool[g.txid] for g in given]), ("ok", None))
        equal(self.theirs.getbestblockhash(), block.hash)
        equal(self.nodes[0].getbestblockhash(), block.hash)
        return len(given)


def run(t):
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--other", required=True, help="daemon of another node")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("-n", type=int, default=1000, help="blocks")
    p.add_argument("--signed", type=float, default=0.3, help="share of coins that need signatures")
    options = p.parse_args()
    ours = t.node(*OPTIONS, debug="none")
    theirs = t.node(*OPTIONS, program=options.other, debug="none")
    chain = Chain(options.seed, ours, theirs, options.signed)
    chain.fund()
    start, transactions, fullest = time.monotonic(), 0, 0
    for i in range(options.n):
        chain.some_transactions()
        chain.set_time(chain.r.choice((6, 6, 60, 600)))  # a template is kept for five seconds
        n = chain.block_of_template()
        transactions, fullest = transactions + n, max(fullest, n)
        chain.m.sync_pool(set(ours.getrawmempool()))
        chain.refill()
        equal(theirs.getblockcount(), ours.getblockcount())
        if (i + 1) % 100 == 0:
            print("%d blocks, %d transactions, height %d, %.0f s" % (i + 1, transactions, chain.g.height, time.monotonic() - start), flush=True)
    # Neither has anything against the whole of it.
    equal((ours.verifychain(4, 0), theirs.verifychain(4, 0)), (True, True))
    equal(ours.gettxoutsetinfo("muhash")["muhash"], theirs.gettxoutsetinfo("muhash")["muhash"])
    print("seed %d: %d blocks of templates with %d transactions, at most %d, accepted by both; %d of %d sent transactions were taken" %
          (options.seed, options.n, transactions, fullest, chain.accepted, chain.done))
    sys.stdout.flush()


if __name__ == "__main__":
    main(run)
