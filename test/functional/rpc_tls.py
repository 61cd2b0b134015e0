"""JSON-RPC over TLS and over a unix socket."""
import json
import os
import socket
import ssl
import stat

from blocks import COIN, TRUE_ADDRESS, coins_of, spend
from framework import SLOW, contains, equal, main, wait_until
from rawhttp import request, status_of

COUNT = '{"jsonrpc":"2.0","id":1,"method":"getblockcount"}'


def ask(s, data):
    """One request and its answer, whose length is given."""
    s.sendall(data)
    got = b""
    while b"\r\n\r\n" not in got:
        more = s.recv(65536)
        equal(more != b"", True)
        got += more
    head, body = got.split(b"\r\n\r\n", 1)
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        more = s.recv(65536)
        equal(more != b"", True)
        body += more
    return status_of(got), body


def tls(t):
    node = t.node("-rpctlscert=rpc.cert", "-rpctlskey=rpc.key")
    cert, key = os.path.join(node.net_dir, "rpc.cert"), os.path.join(node.net_dir, "rpc.key")
    equal(stat.S_IMODE(os.stat(key).st_mode), 0o600)
    context = ssl.create_default_context(cafile=cert)
    one = request(node, COUNT).replace(b"Connection: close\r\n", b"")
    with socket.create_connection(("127.0.0.1", node.rpc_port), timeout=60 * SLOW) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as s:
            for _ in range(3):
                equal(ask(s, one), (200, b'{"jsonrpc":"2.0","result":0,"id":1}\n'))
            text = "x" * 3_000_000  # more than one record, buffer or read
            status, body = ask(s, request(node, json.dumps({"id": 1, "method": "echo", "params": [text]})).replace(b"Connection: close\r\n", b""))
            equal((status, json.loads(body)["result"] == [text]), (200, True))
            # Two at once, the first of which waits.
            s.sendall(request(node, '{"id":7,"method":"waitforblockheight","params":[1]}').replace(b"Connection: close\r\n", b"") +
                      request(node, '{"id":8,"method":"getblockcount"}'))
            node.mine(1)
            got = b""
            while True:
                more = s.recv(65536)
                if not more:
                    break
                got += more
            equal(got.index(b'"height":1') < got.index(b'"id":8'), True)
    equal(node.getblockcount(), 1)  # without TLS, from this machine
    # Somebody who speaks neither, or stops in the middle.
    for data in (b"\x16\x03\x01\xff\xff" + b"x" * 100, b"\x16", b"\x15\x03\x01\x00\x02\x02\x00"):
        with socket.create_connection(("127.0.0.1", node.rpc_port), timeout=60 * SLOW) as s:
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                s.recv(65536)
            except OSError:
                pass
    equal(node.getblockcount(), 1)
    with open(cert) as f:
        before = f.read()
    node.stop()
    node.start()
    with open(cert) as f:
        equal(f.read(), before)  # made once
    node.stop()
    os.unlink(key)
    node.spawn()
    equal(node.wait_end() != 0, True)
    contains(node.stderr(), "rpc.key")


def block_from_file(t):
    """A long block that is asked for again and again, over TLS and a unix socket."""
    path = os.path.join(t.dir, "rest.sock")
    node = t.node("-rest", "-rpctlscert=rpc.cert", "-rpctlskey=rpc.key", "-rpcbind=unix:" + path)
    node.mine(101, TRUE_ADDRESS)
    tx = spend(coins_of(node, 1, 1), [COIN, (0, b"\x6a\x4e" + (200_000).to_bytes(4, "little") + b"x" * 200_000)])
    block = node.generateblock(TRUE_ADDRESS, [tx.hex()])["hash"]
    want = (200, bytes.fromhex(node.getblock(block, 0)))
    one = b"GET /rest/block/%s.bin HTTP/1.1\r\nHost: x\r\n\r\n" % block.encode()
    context = ssl.create_default_context(cafile=os.path.join(node.net_dir, "rpc.cert"))
    with socket.create_connection(("127.0.0.1", node.rpc_port), timeout=60 * SLOW) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as s:
            for _ in range(6):
                equal(ask(s, one) == want, True)
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(60 * SLOW)
        s.connect(path)
        for _ in range(6):
            equal(ask(s, one) == want, True)
    node.stop()


def unix_socket(t):
    path = os.path.join(t.dir, "rpc.sock")
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(path)
    stale.close()
    node = t.node("-rpcbind=unix:" + path)
    equal(stat.S_IMODE(os.stat(path).st_mode), 0o600)
    for _ in range(2):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(60 * SLOW)
            s.connect(path)
            for _ in range(2):
                equal(ask(s, request(node, COUNT).replace(b"Connection: close\r\n", b"")), (200, b'{"jsonrpc":"2.0","result":0,"id":1}\n'))
            equal(ask(s, request(node, COUNT, token="a:b"))[0], 401)
    equal(node.getblockcount(), 0)  # the addresses are there as well
    # A second node does not take it away.
    other = t.node("-rpcbind=unix:" + path)
    contains(other.log(), "failed: " + path + " is in use")
    other.stop()
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
    node.stop()
    wait_until(lambda: not os.path.exists(path), what="the socket is removed")


def run(t):
    tls(t)
    block_from_file(t)
    unix_socket(t)


main(run)
