"""dumptxoutset: snapshots of the tip and of older blocks. A snapshot rolled back to must be, byte for byte, the one that was taken there; its hash
that of gettxoutsetinfo; and an own reader of the format must find the coins in it. Chains, pools and pruning beside it are not disturbed."""
import hashlib
import os
import struct
import threading

from blocks import TRUE_ADDRESS, TRUE_OUTPUT, coins_of, next_block, spend
from framework import equal, main, raises


def path_of(node, name):
    return os.path.join(node.net_dir, name)


def content(node, name):
    with open(path_of(node, name), "rb") as f:
        return f.read()


class Reader:
    def __init__(self, data):
        self.data = data
        self.pos = 0

    def take(self, n):
        self.pos += n
        assert self.pos <= len(self.data)
        return self.data[self.pos - n:self.pos]

    def compact(self):
        first = self.take(1)[0]
        return first if first < 0xfd else int.from_bytes(self.take({0xfd: 2, 0xfe: 4, 0xff: 8}[first]), "little")

    def varint(self):
        n = 0
        while True:
            byte = self.take(1)[0]
            n = n << 7 | byte & 0x7f
            if not byte & 0x80:
                return n
            n += 1

    def script(self):
        kind = self.varint()
        size = {0: 20, 1: 20}.get(kind, 32 if kind < 6 else kind - 6)
        body = self.take(size)
        return {0: b"\x76\xa9\x14" + body + b"\x88\xac", 1: b"\xa9\x14" + body + b"\x87"}.get(kind, body)


def amount(code):
    """The databases' compressed amount."""
    if code == 0:
        return 0
    code, exponent = divmod(code - 1, 10)
    if exponent < 9:
        code, digit = divmod(code, 9)
        n = code * 10 + digit + 1
    else:
        n = code + 1
    return n * 10 ** exponent


def parse(data):
    """Returns: base hash as displayed, {(txid, n): (height, coinbase, satoshi, script)} in the order of the file."""
    r = Reader(data)
    equal(r.take(11), b"utxo\xff\x02\x00\xfa\xbf\xb5\xda")
    base = r.take(32)[::-1].hex()
    total = struct.unpack("<Q", r.take(8))[0]
    coins = {}
    while r.pos < len(data):
        txid = r.take(32)
        for _ in range(r.compact()):
            n, code = r.compact(), r.varint()
            coins[txid, n] = (code >> 1, code & 1, amount(r.varint()), r.script())
    equal(len(coins), total)
    return base, coins


def hash_of(coins):
    """hash_serialized_3, in the file's order but for outputs of one transaction, which go by number."""
    digest = hashlib.sha256()
    for (txid, n), (height, coinbase, value, script) in sorted(coins.items()):
        digest.update(txid + struct.pack("<IIqB", n, height << 1 | coinbase, value, len(script)) + script)
    return hashlib.sha256(digest.digest()).digest()[::-1].hex()


def mine_with_spends(node, first, n):
    """n blocks: coins made and spent in one block, made and spent later, many outputs of one transaction, unspendable ones."""
    for i, coin in enumerate(coins_of(node, first, first + n - 1)):
        wide = spend([coin], [10 ** 6] * (300 if i % 3 == 0 else 2) + [(5, b"\x6a\x01\x02"), 10 ** 8 + i])
        inner = spend([(wide.txid, 0), (wide.txid, 1)], [10 ** 6])
        equal(node.submitblock(next_block(node, [wide, inner] if i % 2 else [wide]).hex()), None)


def check_file(node, out, name, info):
    equal(out["path"], path_of(node, name))
    base, coins = parse(content(node, name))
    equal((base, out["base_hash"], out["base_height"]), (info["bestblock"], info["bestblock"], info["height"]))
    equal((out["txoutset_hash"], hash_of(coins)), (info["hash_serialized_3"],) * 2)
    equal((len(coins), out["coins_written"]), (info["txouts"],) * 2)
    equal(out["nchaintx"], node.getchaintxstats(1, out["base_hash"])["txcount"])
    equal(any(script == TRUE_OUTPUT for _, _, _, script in coins.values()), True)


def same_as_then(t):
    node = t.node("-txindex=0")
    node.mine(110, TRUE_ADDRESS)
    mine_with_spends(node, 1, 6)
    info = node.gettxoutsetinfo()
    check_file(node, node.dumptxoutset("then.dat", "latest"), "then.dat", info)
    mine_with_spends(node, 7, 8)
    tip, pool = node.getbestblockhash(), node.getrawmempool()

    base = info["height"]
    out = node.dumptxoutset(path="height.dat", rollback=base)
    check_file(node, out, "height.dat", info)
    equal(content(node, "height.dat"), content(node, "then.dat"))
    node.dumptxoutset("hash.dat", "rollback", {"rollback": info["bestblock"]})
    node.dumptxoutset("memory.dat", "", {"rollback": base, "in_memory": True})
    for name in "hash.dat", "memory.dat":
        equal(content(node, name), content(node, "then.dat"))
    node.dumptxoutset(path="tip.dat", rollback=node.getblockcount())
    equal(parse(content(node, "tip.dat"))[0], tip)
    node.dumptxoutset(path="genesis.dat", rollback=0)
    equal(parse(content(node, "genesis.dat"))[1], {})
    equal((node.getbestblockhash(), node.getrawmempool()), (tip, pool))
    equal([f for f in os.listdir(node.net_dir) if "temp_utxo" in f or "incomplete" in f], [])
    return node


def wrong_calls(node):
    raises(-8, "then.dat already exists. If you are sure this is what you want, move it out of the way first", node.dumptxoutset, "then.dat", "latest")
    raises(-8, "Couldn't open file /nowhere/x.incomplete for writing.", node.dumptxoutset, "/nowhere/x", "latest")
    raises(-8, 'Invalid snapshot type "" specified. Please specify "rollback" or "latest"', node.dumptxoutset, "x")
    raises(-8, 'Invalid snapshot type "latest" specified with rollback option', node.dumptxoutset, "x", "latest", {"rollback": 3})
    raises(-8, "Target block height 299 after current tip 124", node.dumptxoutset, "x", "rollback")
    raises(-8, "Target block height -1 is negative", node.dumptxoutset, path="x", rollback=-1)
    raises(-5, "Block not found", node.dumptxoutset, path="x", rollback="00" * 32)
    raises(-3, "not of expected type", node.dumptxoutset, path="x", rollback=3, in_memory=1)
    other = node.getblockhash(120)
    node.invalidateblock(other)
    node.mine(6)
    raises(-1, "not in the active chain", node.dumptxoutset, path="x", rollback=other)
    equal([f for f in os.listdir(node.net_dir) if f.startswith("x")], [])


def into_a_pipe(node):
    os.mkfifo(path_of(node, "pipe"))
    got = []

    def read():
        with open(path_of(node, "pipe"), "rb") as f:
            got.append(f.read())
    reader = threading.Thread(target=read)
    reader.start()
    node.dumptxoutset(path="pipe", rollback=110)
    reader.join()
    node.dumptxoutset(path="110.dat", rollback=110)
    equal(got, [content(node, "110.dat")])


def pruned(t):
    node = t.node("-prune=1", "-fastprune")
    node.mine(600, TRUE_ADDRESS)
    node.dumptxoutset(path="before.dat", rollback=100)
    equal(node.pruneblockchain(250) > 110, True)
    raises(-1, "Could not roll back to requested height since necessary block data is already pruned.", node.dumptxoutset, path="x", rollback=100)
    node.dumptxoutset(path="after.dat", rollback=500)


def run(t):
    node = same_as_then(t)
    wrong_calls(node)
    into_a_pipe(node)
    node.stop()
    pruned(t)


main(run)
