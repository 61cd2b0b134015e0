"""Clients that mean harm: slow-loris, endless heads, bodies of strangers, 10,000 connections, texts made to be dear, clients that do not read. The node
goes on serving others and its memory stays bounded."""
import resource
import socket
import threading

from framework import SANITIZER, SLOW, below, contains, equal, main, wait_until
from rawhttp import memory, raw, request, status_of

COUNT = '{"jsonrpc":"2.0","id":1,"method":"getblockcount"}'
GROWTH = 10**9 if SANITIZER else 100_000  # kB; a sanitizer keeps what was freed


def connect(node):
    return socket.create_connection(("127.0.0.1", node.rpc_port), timeout=60 * SLOW)


def serves(node):
    """A client that has nothing to do with all this."""
    node.connection = None
    equal(node.getblockcount(), 0)


def ended(s):
    """Has the node hung up?"""
    s.setblocking(False)
    try:
        return s.recv(65536) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def slow_loris(t):
    """A byte every now and then does not keep a connection beyond -rpcservertimeout; nor do bytes of a body that nobody wants."""
    node = t.node("-rpcservertimeout=2")
    stranger = request(node, "", length=10_000_000, token="a:b")
    clients = [connect(node) for _ in range(200)]
    for i, s in enumerate(clients):
        s.sendall(stranger if i % 2 else b"POST / HTTP/1.1\r\nX: ")

    def drip():
        for s in clients:
            try:
                s.send(b"x")
            except OSError:
                pass
        return all(ended(s) for s in clients)

    serves(node)
    wait_until(drip, 30, "slow clients are thrown out while they go on sending")
    serves(node)
    node.stop()


def endless(node):
    before = memory(node)
    for part in (b"A" * 65536, b"A: b\r\n" * 10_000, b"\r\n" * 30_000):
        with connect(node) as s:
            try:
                s.sendall(b"POST / HTTP/1.1\r\n" if part[:1] == b"A" else b"")
                for _ in range(100_000):
                    s.sendall(part)
                raise AssertionError("gigabytes of head were read")
            except OSError:
                pass
    serves(node)
    # Bodies of those who may not call are read and forgotten.
    clients = [connect(node) for _ in range(20)]
    body = b" " * 4_000_000
    for s in clients:
        s.sendall(request(node, body, length=len(body) + 1, token="a:b"))
    below(memory(node) - before, GROWTH, "growth in kB by 80 MB of strangers' bodies")
    for s in clients:
        s.sendall(b" ")
    for s in clients:
        equal(status_of(s.recv(4096)), 401)
        s.close()
    serves(node)


def dear_texts(node):
    before = memory(node)
    for body in ("[" + "{}," * 1_000_000 + "{}]", "[" + "[]," * 5_000_000 + "[]]", '{"params":' + "[" * 500_000, "[" * 513 + "]" * 513,
                 '{"id":1,"method":"echo","params":["' + "\\" * 1_000_001 + '"]}', b'{"method":"\xf4\x90\x80\x80"}', '{"a":"\\udc00"}'):
        node.connection = None
        status, _ = node.post(body)
        equal((body[:20], status), (body[:20], 500))
    node.connection = None
    status, text = node.post('{"id":1,"method":"getblockhash","params":[' + "1" * 1_000_000 + "]}")
    equal(status, 500)
    contains(text, "JSON integer out of range")
    below(memory(node) - before, 3 * GROWTH, "growth in kB by texts that would take gigabytes")
    serves(node)


def connections(node):
    """10,000 connections: those that do nothing make room, one that is served stays."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(10_000, hard - 500)
    before = memory(node)
    served = connect(node)
    one = request(node, COUNT).replace(b"Connection: close\r\n", b"")
    flood, failed = [], 0
    for i in range(count):
        s = socket.socket()
        s.settimeout(60 * SLOW)
        try:
            s.connect(("127.0.0.1", node.rpc_port))
            if i % 3 == 0:
                s.sendall(b"POST / HTTP/1.1\r\n")
        except OSError:
            failed += 1
        flood.append(s)
        if i % 500 == 0:
            served.sendall(one)
            contains(served.recv(4096), b'"result":0')
            with connect(node) as other:
                other.sendall(one)
                contains(other.recv(4096), b'"result":0')
    below(failed, count // 10, "connections refused")
    below(memory(node) - before, GROWTH, "growth in kB by %d connections" % count)
    still_open = sum(not ended(s) for s in flood)
    below(still_open, 2100, "connections open at a time")
    below(0, still_open, "nobody, not even the last")
    serves(node)
    for s in flood:
        s.close()
    served.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def guesses(node):
    """A house full of people who try passwords does not shut out one who knows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    wrong = request(node, COUNT, token="a:b")
    clients = []
    for i in range(min(2200, hard - 500)):
        s = connect(node)
        s.sendall(wrong)
        clients.append(s)
        if i % 550 == 549:
            serves(node)
    serves(node)
    for s in clients:
        s.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def not_reading(node):
    """A client that sends calls and never reads an answer fills neither the node's memory nor its time."""
    before = memory(node)
    text = "x" * 500_000
    call = request(node, '{"id":1,"method":"echo","params":["%s"]}' % text).replace(b"Connection: close\r\n", b"")
    clients = [connect(node) for _ in range(20)]
    for s in clients:
        s.setblocking(False)
        sent = 0
        try:
            while sent < 50_000_000:
                sent += s.send(call)
        except BlockingIOError:
            pass
        below(sent, 50_000_000, "bytes taken of somebody who does not read")
    serves(node)
    below(memory(node) - before, GROWTH, "growth in kB by clients that do not read")
    for s in clients:
        s.close()
    # Many small calls at once are all answered, in order, to one who reads.
    n = 5000
    with connect(node) as s:
        calls = b"".join(request(node, '{"id":%d,"method":"getblockcount"}' % i).replace(b"Connection: close\r\n", b"") for i in range(n))
        writer = threading.Thread(target=s.sendall, args=(calls,))
        writer.start()
        got = b""
        while got.count(b'"result":0') < n:
            more = s.recv(1 << 20)
            equal(more != b"", True)
            got += more
        writer.join()
    ids = [int(part.split(b"}")[0]) for part in got.split(b'"id":')[1:]]
    equal(ids, list(range(n)))


def gone(node):
    """Who hangs up while he waits is not waited for."""
    def waiting():
        return [c["method"] for c in node.getrpcinfo()["active_commands"]].count("waitfornewblock")

    clients = [connect(node) for _ in range(10)]
    for s in clients:
        s.sendall(request(node, '{"id":1,"method":"waitfornewblock"}'))
    wait_until(lambda: waiting() == 10, what="ten wait")
    for s in clients:
        s.close()
    wait_until(lambda: waiting() == 0, what="nobody waits any more")


def queue(t):
    """More calls than threads and queue take are refused at once, and the node goes on."""
    node = t.node("-rpcthreads=1", "-rpcworkqueue=1")
    hashes = node.mine(1)
    call = request(node, '[' + ",".join(['{"id":1,"method":"getblock","params":["%s",3]}' % hashes[0]] * (2_000 if SANITIZER else 20_000)) + ']')
    statuses = []
    lock = threading.Lock()

    def ask():
        status = status_of(raw(node, call))
        with lock:
            statuses.append(status)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for th in threads:
        th.start()
    for th in threads:
        th.join()
    equal((sorted(set(statuses)), statuses.count(200) >= 1), ([200, 503], True))
    equal(node.getblockcount(), 1)
    node.stop()


def run(t):
    slow_loris(t)
    node = t.node()
    for part in (endless, dear_texts, not_reading, gone, connections, guesses):
        part(node)
    node.stop()
    queue(t)


main(run)
