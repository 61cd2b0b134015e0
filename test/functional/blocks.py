"""Transactions and blocks for the functional tests: coins that anyone may spend (P2WSH of OP_TRUE), so that no test needs a signature."""
import hashlib
import struct
import time

TRUE_SCRIPT = b"\x51"
TRUE_WITNESS = [TRUE_SCRIPT]
TRUE_OUTPUT = b"\x00\x20" + hashlib.sha256(TRUE_SCRIPT).digest()
TRUE_ADDRESS = "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85"  # the regtest address of TRUE_OUTPUT
COIN = 100_000_000
REGTEST_BITS = 0x207FFFFF
REGTEST_GENESIS = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"


def sha256d(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def display(internal):
    return internal[::-1].hex()


def internal(hex_hash):
    return bytes.fromhex(hex_hash)[::-1]


def compact(n):
    if n < 0xfd:
        return struct.pack("<B", n)
    if n <= 0xffff:
        return b"\xfd" + struct.pack("<H", n)
    if n <= 0xffffffff:
        return b"\xfe" + struct.pack("<I", n)
    return b"\xff" + struct.pack("<Q", n)


def var_bytes(data):
    return compact(len(data)) + data


def push(data):
    return bytes([len(data)]) + data


def script_number(n):
    """A push of n the way BIP34 wants it in a coinbase."""
    if 1 <= n <= 16:
        return bytes([0x50 + n])
    if n == 0:
        return b"\x00"
    size = (n.bit_length() + 8) // 8
    return push(n.to_bytes(size, "little"))


class Tx:
    """inputs: (txid as displayed, output, sequence, scriptSig, witness items); outputs: (satoshi, script)."""

    def __init__(self, inputs, outputs, version=2, locktime=0):
        self.inputs = inputs
        self.outputs = outputs
        self.version = version
        self.locktime = locktime

    def encode(self, witness=True):
        witness = witness and any(i[4] for i in self.inputs)
        out = struct.pack("<i", self.version) + (b"\x00\x01" if witness else b"") + compact(len(self.inputs))
        for txid, n, sequence, script, _ in self.inputs:
            out += internal(txid) + struct.pack("<I", n) + var_bytes(script) + struct.pack("<I", sequence)
        out += compact(len(self.outputs)) + b"".join(struct.pack("<q", value) + var_bytes(script) for value, script in self.outputs)
        if witness:
            for entry in self.inputs:
                out += compact(len(entry[4])) + b"".join(var_bytes(item) for item in entry[4])
        return out + struct.pack("<I", self.locktime)

    def hex(self):
        return self.encode().hex()

    @property
    def txid(self):
        return display(sha256d(self.encode(False)))

    @property
    def wtxid(self):
        return display(sha256d(self.encode()))


def spend(coins, outputs, sequence=0xfffffffd, **more):
    """A transaction that spends coins [(txid, output)] of TRUE_OUTPUT. outputs: satoshi values, or (satoshi, script)."""
    return Tx([(txid, n, sequence, b"", TRUE_WITNESS) for txid, n in coins],
              [o if isinstance(o, tuple) else (o, TRUE_OUTPUT) for o in outputs], **more)


def merkle_root(hashes):
    while len(hashes) > 1:
        if len(hashes) % 2:
            hashes = hashes + hashes[-1:]
        hashes = [sha256d(hashes[i] + hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


def target_of(bits):
    return (bits & 0xffffff) << (8 * ((bits >> 24) - 3))


def subsidy(height):
    return 50 * COIN >> (height // 150)


def coinbase(height, value=None, extra=b"", script=TRUE_OUTPUT):
    """The coinbase of a regtest block; extra makes it another one."""
    outputs = [(subsidy(height) if value is None else value, script)]
    signature = script_number(height) + push(b"ft" + extra)
    return Tx([("00" * 32, 0xffffffff, 0xffffffff, signature, [])], outputs)


class Block:
    def __init__(self, prev, height, when, txs=(), base=None, version=0x20000000, bits=REGTEST_BITS):
        self.prev = prev
        self.height = height
        self.time = when
        self.version = version
        self.bits = bits
        self.nonce = 0
        self.txs = [base or coinbase(height), *txs]
        self.root = None
        self.commit()

    def commit(self):
        """Witness commitment (BIP141) and merkle root."""
        first = self.txs[0]
        if any(any(i[4] for i in tx.inputs) for tx in self.txs[1:]):
            hashes = [bytes(32)] + [internal(tx.wtxid) for tx in self.txs[1:]]
            first.inputs = [first.inputs[0][:4] + ([bytes(32)],)]
            first.outputs = [o for o in first.outputs if not o[1].startswith(b"\x6a\x24\xaa\x21\xa9\xed")]
            first.outputs.append((0, b"\x6a\x24\xaa\x21\xa9\xed" + sha256d(merkle_root(hashes) + bytes(32))))
        self.root = merkle_root([internal(tx.txid) for tx in self.txs])

    def header(self):
        return struct.pack("<i", self.version) + internal(self.prev) + self.root + struct.pack("<III", self.time, self.bits, self.nonce)

    def solve(self):
        target = target_of(self.bits)
        while int.from_bytes(sha256d(self.header()), "little") > target:
            self.nonce += 1
        return self

    def unsolve(self):
        """A nonce that does not reach the target."""
        while int.from_bytes(sha256d(self.header()), "little") <= target_of(self.bits):
            self.nonce += 1
        return self

    def encode(self):
        return self.header() + compact(len(self.txs)) + b"".join(tx.encode() for tx in self.txs)

    def hex(self):
        return self.encode().hex()

    @property
    def hash(self):
        return display(sha256d(self.header()))


def next_block(node, txs=(), **more):
    """A solved block on the node's tip."""
    tip = node.getbestblockhash()
    head = node.getblockheader(tip)
    when = max(head["mediantime"] + 1, int(time.time()))
    return Block(tip, head["height"] + 1, when, txs, **more).solve()


def make_chain(prev, height, when, n, extra=b""):
    """n solved empty blocks on prev (a hash) at the given height, a second apart."""
    chain = []
    for i in range(n):
        block = Block(prev, height + 1 + i, when + i, base=coinbase(height + 1 + i, extra=extra)).solve()
        chain.append(block)
        prev = block.hash
    return chain


def coins_of(node, first, last):
    """The coinbase coins [(txid, 0)] of blocks first..last of a chain whose blocks pay to TRUE_ADDRESS."""
    return [(node.getblock(node.getblockhash(h))["tx"][0], 0) for h in range(first, last + 1)]
