"""The stratum server, with a client written from the protocol's description: work, blocks, shares that are refused, difficulty, other tips, and
clients that misbehave."""
import hashlib
import json
import socket
import struct
import time

from blocks import COIN, TRUE_ADDRESS, coins_of, spend
from framework import ADDRESS, SLOW, below, contains, equal, free_port, main, wait_until

TEST_ADDRESS = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
DIFFICULTY_1 = 0xffff << 208


def sha256d(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


class Job:
    def __init__(self, params):
        self.id, prev, self.coinb1, self.coinb2, branch, version, self.bits, self.time, self.clean = params
        swapped = bytes.fromhex(prev)
        self.prev = b"".join(swapped[i:i + 4][::-1] for i in range(0, 32, 4))
        self.branch = [bytes.fromhex(h) for h in branch]
        self.version = int(version, 16)

    def network_target(self):
        bits = int(self.bits, 16)
        return (bits & 0x7fffff) << 8 * ((bits >> 24) - 3)


class Miner:
    """A client: reads lines as they come, keeps the newest job."""

    def __init__(self, port, user=ADDRESS, password="x", mask=None, agent="test/1"):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20 * SLOW)
        self.buffer = b""
        self.user = user
        self.ids = 0
        self.job = None
        self.difficulty = None
        self.clean = []
        self.count = 0
        self.mask = 0
        if mask is not None:
            answer = self.ask("mining.configure", [["version-rolling"], {"version-rolling.mask": "%08x" % mask}])
            equal(answer["result"]["version-rolling"], True)
            self.mask = int(answer["result"]["version-rolling.mask"], 16)
        if agent:
            result = self.ask("mining.subscribe", [agent])["result"]
            equal([topic[0] for topic in result[0]], ["mining.set_difficulty", "mining.notify"])
            self.extra1, self.extra2_size = bytes.fromhex(result[1]), result[2]
            equal(len(self.extra1), 4)
            equal(self.extra2_size, 8)
            if user:
                equal(self.ask("mining.authorize", [user, password])["result"], True)
                self.until(lambda: self.job)

    def line(self):
        """The next line; None at the end."""
        while b"\n" not in self.buffer:
            data = self.socket.recv(65536)
            if not data:
                return None
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def read(self):
        message = self.line()
        if message is None:
            raise ConnectionResetError
        if message.get("method") == "mining.notify":
            self.job = Job(message["params"])
            self.clean.append(self.job.clean)
        elif message.get("method") == "mining.set_difficulty":
            (self.difficulty,) = message["params"]
        return message

    def until(self, condition):
        while not condition():
            self.read()

    def send(self, method, params):
        self.ids += 1
        self.socket.sendall(json.dumps({"id": self.ids, "method": method, "params": params}).encode() + b"\n")
        return self.ids

    def ask(self, method, params):
        number = self.send(method, params)
        while True:
            message = self.read()
            if message.get("id") == number:
                return message

    def target(self):
        return max(int(DIFFICULTY_1 / self.difficulty), self.job.network_target())

    def header(self, job, extra2, when, nonce, bits):
        root = sha256d(bytes.fromhex(job.coinb1) + self.extra1 + extra2 + bytes.fromhex(job.coinb2))
        for other in job.branch:
            root = sha256d(root + other)
        version = (job.version & ~self.mask) | bits
        return struct.pack("<I", version) + job.prev + root + struct.pack("<III", when, int(job.bits, 16), nonce)

    def search(self, good=True, bits=0, later=0, job=None):
        """The parameters of a share that meets the target (or not), and the hash of its header."""
        job = job or self.job
        self.count += 1
        extra2 = struct.pack("<Q", self.count)
        when = int(job.time, 16) + later
        target = self.target()
        for nonce in range(1 << 32):
            found = sha256d(self.header(job, extra2, when, nonce, bits))
            if (int.from_bytes(found, "little") <= target) == good:
                params = [self.user, job.id, extra2.hex(), "%08x" % when, "%08x" % nonce]
                return params + (["%08x" % bits] if self.mask else []), found[::-1].hex()

    def submit(self, params):
        """Returns: the error's code, 0 for a share that was taken."""
        answer = self.ask("mining.submit", params)
        if answer["result"] is True:
            equal(answer["error"], None)
            return 0
        equal(answer["result"], None)
        return answer["error"][0]

    def gone(self):
        try:
            while self.line() is not None:
                pass
        except ConnectionResetError:
            pass
        return True


def finds_blocks(node, port):
    miner = Miner(port, ADDRESS + ".rig1")
    equal(miner.clean, [True])
    for height in range(1, 20):  # heights in one byte and in two
        params, block_hash = miner.search()
        job = miner.job
        equal(miner.submit(params), 0)
        wait_until(lambda: node.getbestblockhash() == block_hash, what="the block")
        equal(node.getblockcount(), height)
        miner.until(lambda: miner.job.id != job.id)
        equal(miner.job.clean, True)
        equal(miner.job.prev[::-1].hex(), block_hash)
    block = node.getblock(node.getbestblockhash(), 2)
    equal(block["tx"][0]["vout"][0]["scriptPubKey"]["address"], ADDRESS)
    contains(bytes.fromhex(block["tx"][0]["vin"][0]["coinbase"]), b"/Farthing/")
    info = node.getstratuminfo()
    equal(info["blocks"], 19)
    equal(info["accepted"], 19)
    equal(info["height"], 20)
    (client,) = info["clients"]
    equal(client["user"], ADDRESS + ".rig1")
    equal(client["agent"], "test/1")
    equal(client["authorized"], True)
    miner.socket.close()
    wait_until(lambda: node.getstratuminfo()["clients"] == [], what="the client's end")
    equal(node.getstratuminfo()["accepted"], 19)
    # Two clients, each paid for its own block, with other extra nonces.
    one, two = Miner(port, ADDRESS), Miner(port, TRUE_ADDRESS)
    assert one.extra1 != two.extra1
    for miner, address in ((one, ADDRESS), (two, TRUE_ADDRESS)):
        height = node.getblockcount()
        old = two.job.id
        params, block_hash = miner.search()
        equal(miner.submit(params), 0)
        wait_until(lambda: node.getblockcount() == height + 1, what="the block")
        equal(node.getblock(block_hash, 2)["tx"][0]["vout"][0]["scriptPubKey"]["address"], address)
        two.until(lambda: two.job.id != old)


def with_transactions(node, port):
    node.generatetoaddress(120, TRUE_ADDRESS)
    height = node.getblockcount()
    sent = [node.sendrawtransaction(spend([coin], [49 * COIN]).hex(), 0) for coin in coins_of(node, height - 115, height - 111)]
    miner = Miner(port)
    # The work at hand may be older than the transactions: what comes with the next tip is not.
    tip = node.generateblock(TRUE_ADDRESS, [sent[0]])["hash"]
    miner.until(lambda: miner.job.prev[::-1].hex() == tip)
    equal(len(miner.job.branch), 3)
    params, block_hash = miner.search()
    equal(miner.submit(params), 0)
    wait_until(lambda: node.getbestblockhash() == block_hash, what="the block")
    block = node.getblock(block_hash, 2)
    equal(sorted(tx["txid"] for tx in block["tx"][1:]), sorted(sent[1:]))
    equal(block["tx"][0]["vout"][0]["value"], node.getblockstats(block_hash, ["subsidy", "totalfee"])["subsidy"] / COIN + len(sent[1:]))
    equal(node.getrawmempool(), [])


def refreshed(node, port):
    """Work upon the same tip is made anew when it is older than 30 seconds: what has come into the pool since is in it then."""
    now = int(time.time())
    node.setmocktime(now)
    miner = Miner(port)
    old = miner.job
    height = node.getblockcount()
    sent = node.sendrawtransaction(spend(coins_of(node, height - 105, height - 105), [49 * COIN]).hex(), 0)
    for seconds in (31, 62):
        node.setmocktime(now + seconds)
        miner.until(lambda: miner.job.id != old.id)
        equal((miner.job.clean, miner.job.prev), (False, old.prev))
        if len(miner.job.branch) == 1:
            break
        old = miner.job  # the first may have been under way when the transaction came
    equal(len(miner.job.branch), 1)
    assert int(miner.job.time, 16) >= now + 31
    equal(node.getmininginfo()["currentblocktx"], 1)
    params, block_hash = miner.search()
    equal(miner.submit(params), 0)
    wait_until(lambda: node.getbestblockhash() == block_hash, what="the block")
    equal(node.getblock(block_hash)["tx"][1:], [sent])
    node.setmocktime(0)


def refused(node, port):
    miner = Miner(port)
    height = node.getblockcount()
    low, _ = miner.search(good=False)
    equal(miner.submit(low), 23)
    # Malformed, from the wrong worker, of an unknown job, out of time, with version bits that were not negotiated.
    good, _ = miner.search()
    for i, value, code in ((0, TRUE_ADDRESS, 24), (1, "ffff", 21), (1, "", 21), (1, "-1", 21), (2, "00", 20), (2, "zz" * 8, 20), (3, "0", 20), (4, "123456789", 20),
                           (3, "%08x" % (int(miner.job.time, 16) + 3 * 3600), 20), (3, "00000001", 20), (1, 5, 20)):
        params = list(good)
        params[i] = value
        equal(miner.submit(params), code)
    equal(miner.submit(good + ["00002000"]), 20)
    equal(miner.submit(good[:4]), 20)
    equal(miner.submit([]), 24)
    equal(node.getblockcount(), height)
    # A good one twice: the second time it is a duplicate, or stale if the next block came in between.
    first = miner.job
    equal(miner.submit(good), 0)
    contains((21, 22), miner.submit(good))
    miner.until(lambda: miner.job.id != first.id)
    wait_until(lambda: node.getblockcount() == height + 1, what="the block")
    equal(miner.submit(good), 21)
    stale, _ = miner.search(job=first)
    equal(miner.submit(stale), 21)
    # Order of the conversation.
    bare = Miner(port, agent=None)
    equal(bare.submit(good), 25)
    equal(bare.ask("mining.authorize", ["nowhere.rig", "x"])["error"][0], 24)
    equal(bare.ask("mining.authorize", [TEST_ADDRESS, "x"])["error"][0], 24)
    bare.ask("mining.subscribe", [])
    equal(bare.submit(good), 24)
    equal(bare.ask("mining.authorize", [ADDRESS, "x"])["result"], True)
    equal(bare.ask("mining.authorize", [ADDRESS + ".other", "x"])["result"], True)
    equal(bare.ask("mining.authorize", [TRUE_ADDRESS, "x"])["error"][0], 24)
    equal(bare.ask("mining.nothing", [])["error"][0], 20)
    equal(bare.ask("mining.ping", [])["result"], "pong")
    equal(bare.ask("mining.extranonce.subscribe", [])["result"], True)


def version_rolling(node, port):
    miner = Miner(port, mask=0xffffffff)
    equal(miner.mask, 0x1fffe000)
    height = node.getblockcount()
    params, block_hash = miner.search(bits=0x00246000)
    outside = params[:5] + ["80000000"]
    equal(miner.submit(outside), 20)
    equal(miner.submit(params), 0)
    wait_until(lambda: node.getblockcount() == height + 1, what="the block")
    equal(node.getblockheader(block_hash)["version"], 0x20246000)
    answer = Miner(port, agent=None).ask("mining.configure", [["minimum-difficulty", "unknown"], {"minimum-difficulty.value": 2}])
    equal(answer["result"], {"minimum-difficulty": True})


def new_tip(node, port):
    miner = Miner(port)
    delays = []
    for _ in range(10):
        start = time.monotonic()
        (block_hash,) = node.generatetoaddress(1, TRUE_ADDRESS)
        miner.until(lambda name=block_hash: miner.job.prev[::-1].hex() == name)  # its first job may have been for the block before
        delays.append(time.monotonic() - start)
        equal(miner.job.clean, True)
    below(sorted(delays)[5], 0.05 * SLOW * 4, "seconds until work upon a new tip, mining of the block included")
    # Back to an older tip as well.
    tip = node.getbestblockhash()
    node.invalidateblock(tip)
    miner.until(lambda: miner.job.prev[::-1].hex() == node.getbestblockhash())
    node.reconsiderblock(tip)
    miner.until(lambda: miner.job.prev[::-1].hex() == tip)


def variable_difficulty(test):
    """A network with a real difficulty, of which shares are a small part."""
    port = free_port()
    node = test.node("-stratum=127.0.0.1:%d" % port, "-stratumdifficulty=0.000002", chain="testnet4")
    miner = Miner(port, TEST_ADDRESS)
    equal(miner.difficulty, 0.000002)
    equal(miner.ask("mining.suggest_difficulty", [1e-7])["result"], True)
    miner.until(lambda: miner.difficulty == 1e-7)
    first = miner.job  # the one before that
    miner.until(lambda: miner.job.id != first.id)
    easy = miner.job
    # Shares of this job count at its difficulty, also when the next is harder.
    equal(miner.ask("mining.suggest_difficulty", ["nothing"])["error"][0], 20)
    for _ in range(20):
        equal(miner.submit(miner.search()[0]), 0)
    again, _ = miner.search()
    equal(miner.submit(again), 0)
    equal(miner.submit(again), 22)
    low, _ = miner.search(good=False)
    equal(miner.submit(low), 23)
    # So many in a second: harder, by a bounded step, without taking the job away.
    miner.until(lambda: miner.difficulty > 1e-7)
    below(miner.difficulty, 1.7e-6, "difficulty after one step")
    assert miner.difficulty > 1.5e-6, miner.difficulty
    miner.until(lambda: miner.job.id != easy.id)
    equal(miner.job.clean, False)
    hard = miner.difficulty
    miner.difficulty = 1e-7
    late, _ = miner.search(job=easy)
    equal(miner.submit(late), 0)
    miner.difficulty = hard
    (client,) = node.getstratuminfo()["clients"]
    equal(client["accepted"], 22)
    equal(client["rejected"], 2)
    assert client["hashespersec"] > 0 and client["best"] > 1e-7, client
    # The password sets it too, and it never is above the network's.
    equal(Miner(port, TEST_ADDRESS, "x,d=0.5").difficulty, 0.5)
    equal(Miner(port, TEST_ADDRESS, "d=1000000").difficulty, 1)
    equal(Miner(port, TEST_ADDRESS, "d=0").difficulty, 0.000002)
    equal(round(Miner(port, TEST_ADDRESS, "d=1e-300").difficulty * 2 ** 24, 6), 1)
    node.stop()


def hostile(node, port, data):
    """What the server must hang up on, and go on serving others."""
    with socket.create_connection(("127.0.0.1", port), timeout=20 * SLOW) as s:
        try:
            s.sendall(data)
            while s.recv(65536):
                pass
        except (ConnectionResetError, BrokenPipeError):
            pass
    equal(node.getgenerate(), False)


def misbehaving(test):
    port = free_port()
    node = test.node("-stratum=127.0.0.1:%d" % port, "-stratumtimeout=2")
    hostile(node, port, b"GET / HTTP/1.1\r\nHost: me\r\n\r\n")
    hostile(node, port, b"x" * 5000)
    hostile(node, port, b'{"id":1,"method":"mining.subscribe","params":["' + b"a" * 5000 + b'"]}\n')
    hostile(node, port, b"[" * 4000 + b"\n")
    hostile(node, port, b"\n" * 200)
    hostile(node, port, b'{"id":1,"method":{"a":[]},"params":5}\n')
    hostile(node, port, b'{"id":1,"method":"mining.nothing"}\n' * 200)
    hostile(node, port, b'{"id":1,"method":"mining.submit","params":[]}\n' * 200)
    hostile(node, port, b"")  # silence
    hostile(node, port, b'{"id":1,"method":"mining.subscribe","params":[]}\n')
    # One that asks and does not read.
    with socket.create_connection(("127.0.0.1", port), timeout=20 * SLOW) as deaf:
        try:
            while True:
                deaf.sendall((b'{"id":"' + b"a" * 3000 + b'","method":"mining.ping","params":[]}\n') * 30)
        except OSError:
            pass
    wait_until(lambda: node.getstratuminfo()["clients"] == [], what="an end of all")
    # As many as are let in, and one more.
    crowd = [socket.create_connection(("127.0.0.1", port), timeout=20 * SLOW) for _ in range(514)]
    equal(crowd[-1].recv(1), b"")
    for s in crowd:
        s.close()
    wait_until(lambda: node.getstratuminfo()["clients"] == [], what="an end of the crowd")
    miner = Miner(port)
    equal(miner.submit(miner.search()[0]), 0)
    wait_until(lambda: node.getblockcount() == 1, what="the block")
    miner.gone()  # it says nothing more
    node.stop()


def options(test):
    node = test.node(start=False)
    node.start_fails("-stratum=nowhere", text="Cannot resolve -stratum address: 'nowhere'")
    node.start_fails("-stratum=127.0.0.1:%d" % free_port(), "-stratumdifficulty=-1", text="Invalid -stratumdifficulty")
    test.node(chain="signet", start=False).start_fails("-stratum", text="signature")


def run(test):
    options(test)
    port, other = free_port(), free_port()
    node = test.node("-stratum=127.0.0.1:%d" % port, "-stratum=127.0.0.1:%d" % other)
    Miner(other)
    finds_blocks(node, port)
    with_transactions(node, port)
    refreshed(node, port)
    refused(node, port)
    version_rolling(node, port)
    new_tip(node, port)
    equal(node.verifychain(4, 0), True)
    idle = Miner(port)
    node.stop()
    equal(idle.gone(), True)
    variable_difficulty(test)
    misbehaving(test)


main(run)
