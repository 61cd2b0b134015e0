"""What one client of the Electrum server may take from others: time (silence, handshakes, lines that do not end, answers that are not read), memory
(long lines, answers to many short lines, notifications, batches), work, subscriptions, connections."""
import json
import resource
import select
import socket
import time

from blocks import TRUE_ADDRESS, coins_of, spend
from electrumline import Client, ElectrumError, other_script, script_hash, status_of
from framework import SANITIZER, SLOW, below, contains, equal, free_port, main, wait_until

EXCESSIVE = -101
PER_TX = 2200  # outputs
HELLO, IDLE, STUCK = 61, 601, 61


def bare(port, receive=None):
    """A connection that says nothing."""
    s = socket.socket()
    if receive:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    s.settimeout(60 * SLOW)
    s.connect(("127.0.0.1", port))
    return s


def deaf(port):
    """A client that will not read what it asks for: little room for it."""
    return Client(port, s=bare(port, 4096))


def is_closed(s):
    if not select.select([s], [], [], 0)[0]:
        return False
    try:
        return s.recv(65536) == b""
    except ConnectionError:
        return True


def closes(s, what):
    wait_until(lambda: is_closed(s), 20, "the server hangs up on " + what)


def memory(node, what="VmRSS"):
    """Resident MiB."""
    with open("/proc/%d/status" % node.process.pid, encoding="ascii") as f:
        return int(next(line for line in f if line.startswith(what)).split()[1]) / 1024


def forget_peak(node):
    with open("/proc/%d/clear_refs" % node.process.pid, "w", encoding="ascii") as f:
        f.write("5")


def pay(node, coins, scripts, less):
    """Four transactions of 100 kB: what is large to ask for, and scripts to subscribe to. They replace those that paid the scripts more."""
    txs = [spend([coin], [(20_000 - less, s) for s in scripts[i * PER_TX:(i + 1) * PER_TX]]) for i, coin in enumerate(coins)]
    return [node.sendrawtransaction(tx.hex(), 0) for tx in txs]


def large(c, txid):
    return json.dumps(c.request("blockchain.transaction.get", txid)).encode() + b"\n"


# -- time: the node's clock is set --

class Clock:
    def __init__(self, node, port):
        self.node, self.port, self.now = node, port, int(time.time())
        node.setmocktime(self.now)

    def pass_by(self, seconds):
        """Returns when the server has looked at all clients at the new time, by which somebody who came before must have gone."""
        self.now += seconds
        witness = bare(self.port) if seconds >= HELLO else None
        Client(self.port).close()  # accepted after the witness
        self.node.setmocktime(self.now)
        if witness:
            closes(witness, "a witness")


def silence(clock, port, tls_port):
    silent, half, shy = bare(port), bare(tls_port), Client(tls_port, None, tls=clock.node.net_dir + "/electrum.crt")
    half.sendall(b"\x16\x03\x01")  # the beginning of a handshake
    started = Client(port, None)
    started.send(b'{"id":1,"method":')
    client = Client(port)
    clock.pass_by(HELLO - 10)
    equal([is_closed(s) for s in (silent, half, started.s)], [False] * 3)
    clock.pass_by(HELLO)
    for s, what in ((silent, "a silent client"), (half, "a handshake that does not end"), (started.s, "a first line that does not end")):
        closes(s, what)
    equal(shy.line(), None)
    # A word now and then is enough.
    equal(client.call("server.ping"), None)
    clock.pass_by(IDLE - 10)
    equal(is_closed(client.s), False)
    equal(client.call("server.ping"), None)
    clock.pass_by(IDLE - 10)
    equal(is_closed(client.s), False)
    clock.pass_by(IDLE)
    closes(client.s, "an idle client")


def long_lines(clock, port):
    text = b'{"id":7,"method":"blockchain.transaction.broadcast","params":["' + b"00" * 40_000 + b'"]}\n'
    holders = [Client(port) for _ in range(32)]
    for c in holders:
        c.send(text[:-2])
    log = clock.node.log
    late = Client(port)
    wait_until(lambda: late.call("server.ping") is None)
    late.send(text)  # waits for one of the few places
    equal([Client(port).call("server.ping") for _ in range(20)], [None] * 20)
    equal(select.select([late.s], [], [], 0)[0], [])
    clock.pass_by(HELLO)
    clock.pass_by(HELLO)
    for c in holders:
        closes(c.s, "a long line that does not end")
    contains(late.line()["error"]["message"], "TX decode failed")
    contains(log(), "a long line takes too long")
    late.close()


def stuck(clock, port, txid):
    """Answers that nobody takes."""
    c = deaf(port)
    c.send(large(c, txid) * 60)

    def gone():
        clock.pass_by(STUCK)
        return "leaves: it does not read\n" in clock.node.log()
    wait_until(gone, what="the end of who does not read")
    c.close()


# -- memory --

def lines(port):
    def refused(c, data):
        try:
            c.send(data)
        except ConnectionError:
            return
        closes(c.s, "a line of %d bytes" % len(data))
    refused(Client(port, None), b" " * 20_000)
    refused(Client(port, None), b"GET / HTTP/1.1\n")
    refused(Client(port), b"x" * 2_300_000)
    c = Client(port)
    c.send(b"[" * 60_000 + b"\n")
    equal(c.line()["error"]["code"], EXCESSIVE)
    closes(c.s, "too many values")
    c = Client(port, None)  # as long as they may be
    c.send(b" " * 15_000 + b'{"id":1,"method":"server.version","params":["x","1.4"]}\n')
    equal(c.line()["id"], 1)
    c.send(b" " * 2_000_000 + b'{"id":2,"method":"server.ping"}\n')
    equal(c.line()["id"], 2)
    c.close()


def answers(node, port, txid):
    """Many short lines, each with a long answer: they are made as they are taken; all come, in order."""
    forget_peak(node)
    before, c = memory(node), deaf(port)
    requests = [c.request("blockchain.transaction.get", txid) for _ in range(500)]
    c.send(b"".join(json.dumps(r).encode() + b"\n" for r in requests))
    other = Client(port)
    equal([other.call("server.ping") for _ in range(200)], [None] * 200)
    sizes = set()
    for r in requests:
        got = c.line()
        equal(got["id"], r["id"])
        sizes.add(len(got["result"]))
    equal(len(sizes), 1)
    below(150_000, sizes.pop())
    if not SANITIZER:
        below(memory(node, "VmHWM") - before, 24, "MiB for 95 MB of answers")
    c.close()
    other.close()


def batches(port, txid):
    c = Client(port)
    got = c.batch([("blockchain.transaction.get", txid)] * 140)  # more than may be said at once
    codes = [a["error"]["code"] if "error" in a else 0 for a in got]
    equal((codes[0], codes[-1], codes == sorted(codes, reverse=True)), (0, EXCESSIVE, True))
    below(sum(len(a.get("result", "")) for a in got), 26 << 20, "bytes of answers")
    equal(c.call("server.ping"), None)
    c = Client(port, "1.6")
    got = c.batch([("blockchain.transaction.broadcast_package", ["00"] * 20)] * 400)  # more than may be done at once
    codes = [a["error"]["code"] for a in got]
    equal((codes[0], codes[-1]), (1, EXCESSIVE))
    contains(got[-1]["error"]["message"], "excessive resource usage")
    c.close()


def notifications(node, port):
    """Who subscribed to thousands of scripts and never reads is sent no more than a few megabytes of what happens to them. Returns: transactions
    that happened."""
    scripts, coins = [other_script(k)[0] for k in range(4 * PER_TX)], coins_of(node, 1, 4)
    c, reader, before = deaf(port), Client(port), memory(node)
    hashes = [script_hash(s) for s in scripts]
    for one in (c, reader):
        for part in range(0, len(hashes), 1000):
            equal({a["result"] for a in one.batch([("blockchain.scripthash.subscribe", h) for h in hashes[part:part + 1000]])}, {None})
    rounds = 0

    def gone():
        nonlocal txs, rounds
        rounds += 1
        txs = pay(node, coins, scripts, 10 * rounds)
        wanted = {x: status_of([{"tx_hash": txs[i // PER_TX], "height": 0}]) for i, x in enumerate(hashes)}
        while wanted:
            x, status = reader.note()
            if status == wanted.get(x):
                del wanted[x]
        return "leaves: it does not read what it wanted to be told" in node.log()
    txs = []
    wait_until(gone, what="the end of who does not listen")
    below(rounds, 12, "rounds")
    if not SANITIZER:
        below(memory(node) - before, 60, "MiB for notifications that are not read")
    equal(reader.call("server.ping"), None)
    reader.close()
    c.close()
    node.mine(1, TRUE_ADDRESS)
    return txs


def room(node, port, txid):
    """Eight clients with 23 MB of answers each, unread: too much together; others are answered, and the worst go."""
    clients = [deaf(port) for _ in range(8)]
    other = Client(port)
    for c in clients:
        c.send(json.dumps([c.request("blockchain.transaction.get", txid) for _ in range(118)]).encode() + b"\n")

    def gone():
        equal(other.call("server.banner")[:7], "Welcome")
        return "leaves: it does not read, and room is needed" in node.log()
    wait_until(gone, what="room")
    for c in [*clients, other]:
        c.close()


# -- work, subscriptions, connections --

def work(port):
    """2,000 units each, of which 3,000,000 are saved and 250,000 come a second."""
    c, n = Client(port), 1800
    requests = [c.request("blockchain.transaction.broadcast", "00") for _ in range(n)]
    start = time.monotonic()
    c.send(b"".join(json.dumps(r).encode() + b"\n" for r in requests))
    other = Client(port)
    equal(other.call("server.ping"), None)
    for r in requests:
        equal(c.line()["id"], r["id"])
    below((n * 2000 - 3_000_000) / 250_000, time.monotonic() - start, "seconds for more work than a client may ask for")
    other.close()
    c.close()


def subscriptions(port):
    c = Client(port)
    for part in range(25):
        got = c.batch([("blockchain.scripthash.subscribe", script_hash(b"%d" % (2000 * part + k))) for k in range(2000)])
        equal({a.get("result", "") for a in got}, {None})
    try:
        c.call("blockchain.scripthash.subscribe", script_hash(b"one more"))
        raise AssertionError("50,001 subscriptions")
    except ElectrumError as e:
        equal(e.code, EXCESSIVE)
    equal(c.call("blockchain.scripthash.subscribe", script_hash(b"7")), None)  # no new one
    c.close()


def connections(t):
    port = free_port()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    node = t.node("-electrum=127.0.0.1:%d" % port, "-maxconnections=8", start=False)
    resource.setrlimit(resource.RLIMIT_NOFILE, (680, limits[1]))
    hard = "ulimit -H -n 680; exec \"$@\""
    node.command = lambda extra=(), words=node.command: ["sh", "-c", hard, "sh", *words(extra)]
    node.start()
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    contains(node.log(), "Electrum server: 72 clients at most")
    clients = [Client(port) for _ in range(72)]
    closes(bare(port), "one too many")
    clients.pop().close()
    wait_until(lambda: not is_closed(bare(port)) and hello(port), what="room for another")
    equal([c.call("server.ping") for c in clients], [None] * 71)
    for c in clients:
        c.close()
    node.stop()


def hello(port):
    try:
        return Client(port).version == "1.4"
    except (OSError, EOFError):
        return False


def run(t):
    port, tls_port = free_port(), free_port()
    node = t.node("-electrum=127.0.0.1:%d" % port, "-electrumtls=127.0.0.1:%d" % tls_port, "-txindex", debug="rpc")
    node.mine(110, TRUE_ADDRESS)
    lines(port)
    txs = notifications(node, port)
    answers(node, port, txs[0])
    batches(port, txs[0])
    room(node, port, txs[0])
    work(port)
    if not SANITIZER:  # the unit test counts as well
        subscriptions(port)
    clock = Clock(node, port)
    silence(clock, port, tls_port)
    long_lines(clock, port)
    stuck(clock, port, txs[0])
    node.setmocktime(0)
    node.stop()
    connections(t)


main(run)
