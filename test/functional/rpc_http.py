"""The RPC server as HTTP sees it: who may come in, status codes, the JSON-RPC dialects, malformed and enormous bodies, slow and many clients."""
import hashlib
import hmac
import json
import os
import socket

from framework import SLOW, below, contains, equal, main, wait_until
from rawhttp import memory, raw, request, status_of


COUNT = '{"jsonrpc":"2.0","id":1,"method":"getblockcount"}'


def rpcauth(user, password):
    salt = "0011223344556677"
    return "%s:%s$%s" % (user, salt, hmac.new(salt.encode(), password.encode(), hashlib.sha256).hexdigest())


def authentication(t):
    node = t.node("-rpcauth=" + rpcauth("ann", "pw:with$signs"), "-rpcauth=" + rpcauth("bob", "b"), "-rpcwhitelist=bob:getblockcount, uptime",
                  "-rpcwhitelistdefault=0")
    for who, status in (("ann:pw:with$signs", 200), ("bob:b", 200), ("ann:wrong", 401), ("ann:", 401), ("nobody:b", 401), (":", 401),
                        ("ann", 401), (node.credentials(), 200), ("__cookie__:" + "0" * 64, 401), ("x" * 5000 + ":y", 401)):
        equal((who[:30], node.post(COUNT, credentials=who)[0]), (who[:30], status))
        if status == 401:
            node.connection = None
    answer = raw(node, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
    equal(status_of(answer), 401)
    contains(answer, b'WWW-Authenticate: Basic realm="jsonrpc"')
    for header in ("Authorization: Basic !!!", "Authorization: Bearer abc", "Authorization: ", "Authorization: Basic " + "QUFB" * 2000):
        equal(status_of(raw(node, ("POST / HTTP/1.1\r\nHost: x\r\n%s\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}" % header).encode())) in
              (401, 400, 431), True)
    equal(node.post(json.dumps({"id": 1, "method": "getbestblockhash"}), credentials="bob:b")[0], 403)
    equal(node.post(json.dumps({"id": 1, "method": "uptime"}), credentials="bob:b")[0], 200)
    equal(node.post(json.dumps({"id": 1, "method": "getbestblockhash"}), credentials="ann:pw:with$signs")[0], 200)
    node.stop()
    equal(os.path.exists(os.path.join(node.net_dir, ".cookie")), False)
    # With a password of its own there is no cookie.
    plain = t.node("-rpcuser=carl", "-rpcpassword=p%&w", start=False)
    plain.credentials = lambda: "carl:p%&w"
    plain.start()
    equal(os.path.exists(os.path.join(plain.net_dir, ".cookie")), False)
    plain.stop()


def statuses(node):
    for method, path, status in (("GET", "/", 405), ("PUT", "/", 405), ("DELETE", "/", 405), ("POST", "/nowhere", 404), ("POST", "/", 200)):
        equal((method, path, status_of(raw(node, request(node, COUNT, method, path)))), (method, path, status))
    for body, status, code in ((COUNT.replace("getblockcount", "nosuch"), 200, -32601), ('{"id":1,"method":"nosuch"}', 404, -32601),
                               ('{"id":1,"method":"getblockhash","params":[-1]}', 500, -8), ('{"id":1,"method":"getblockhash","params":["x"]}', 500, -3),
                               ('{"id":1,"method":5}', 400, -32600), ('{"id":1}', 400, -32600), ("{", 500, -32700), ("", 500, -32700),
                               ("5", 500, -32700), ('"x"', 500, -32700), ('{"id":1,"method":"uptime","params":5}', 400, -32600),
                               ('{"jsonrpc":"3.0","id":1,"method":"uptime"}', 400, -32600)):
        got, text = node.post(body)
        equal((body, got, json.loads(text)["error"]["code"]), (body, status, code))


def dialects(node):
    def ask(body):
        status, text = node.post(json.dumps(body))
        return status, json.loads(text) if text else None

    equal(ask({"id": "a", "method": "getblockcount"}), (200, {"result": 0, "error": None, "id": "a"}))
    equal(ask({"jsonrpc": "2.0", "id": None, "method": "getblockcount"}), (200, {"jsonrpc": "2.0", "result": 0, "id": None}))
    equal(ask({"jsonrpc": "2.0", "method": "getblockcount"}), (204, None))  # a notification
    equal(ask([{"jsonrpc": "2.0", "method": "uptime"}] * 3), (204, None))
    equal(ask([]), (200, []))
    status, answers = ask([{"id": 1, "method": "getblockcount"}, {"jsonrpc": "2.0", "id": 2, "method": "nosuch"}, 5,
                           {"jsonrpc": "2.0", "method": "getblockcount"}, {"jsonrpc": "2.0", "id": 3, "method": "getblockhash", "params": {"height": 0}}])
    equal(status, 200)
    equal([a.get("id") for a in answers], [1, 2, 2, 3])  # what is no object is answered with the id before it, as by Bitcoin Core
    equal(answers[1]["error"]["code"], -32601)
    equal(answers[2]["error"]["code"], -32600)
    equal(answers[3]["result"], node.getblockhash(0))
    equal(ask({"id": 1, "method": "getblockhash", "params": {"args": [0]}})[1]["result"], node.getblockhash(0))
    equal(ask({"id": 1, "method": "getblockhash", "params": {"height": 0, "nosuch": 1}})[1]["error"]["code"], -8)
    equal(ask({"id": 1, "method": "getblockhash", "params": {"args": 5, "height": 0}})[0], 200)
    # Of equal names the first counts; parameters may not be given twice.
    status, text = node.post('{"id":1,"id":2,"method":"getblockcount","method":"nosuch"}')
    equal((status, json.loads(text)), (200, {"result": 0, "error": None, "id": 1}))
    status, text = node.post('{"id":1,"method":"getblockhash","params":{"height":0,"height":1}}')
    equal((status, json.loads(text)["error"]), (500, {"code": -8, "message": "Parameter height specified multiple times"}))
    # An id comes back as it was written.
    for written in ("1e3", "-0", "123456789012345678901234567890", "1.50", '"\\u00e9\\n"', "[1,{}]", "true"):
        status, text = node.post('{"id":%s,"method":"getblockcount"}' % written)
        equal((written, status, json.loads(text)["id"]), (written, 200, json.loads(written)))


def malformed(node):
    before = memory(node)
    wrong = []
    deep = "[" * 100_000
    for body in (deep, deep + "]" * 100_000, '{"id":1,"method":"getblockcount","params":' + deep, '{"a":' * 100_000, COUNT[:-1], COUNT[:20],
                 COUNT + "x", b'{"id":1,"method":"getblockcount\xff\xfe"}', b'{"id":"\xc3\x28","method":"uptime"}', b"\0" * 100,
                 b"\xef\xbb\xbf" + COUNT.encode(), '{"id":1,"method":"getblockhash","params":[1e999]}',
                 '{"id":1,"method":"getblockhash","params":[' + "9" * 100_000 + "]}", '{"id":1,"method":"getblockhash","params":[-0.5]}',
                 '{"id":1,"method":"getblockhash","params":[NaN]}', '{"id":1,"method":"' + "g" * 1_000_000 + '"}',
                 '{"id":1,"method":"\\ud800"}', '{"id":1,"method":"uptime\\u0000"}'):
        answer = raw(node, request(node, body))
        equal((body[:60], status_of(answer) in (400, 404, 500)), (body[:60], True))
        text = answer.split(b"\r\n\r\n", 1)[1]
        if text:
            equal(json.loads(text)["error"]["code"] < 0, True)
        equal(node.getblockcount(), 0)
    # 40 MB: more than is accepted, whether announced or sent.
    equal(status_of(raw(node, request(node, b" " * 40_000_000))) in (400, 413, None), True)
    equal(status_of(raw(node, request(node, b"", length=40_000_000_000))) in (400, 413, None), True)
    for data in (b"\0" * 1000, b"GET\n\n", b"POST / HTTP/9.9\r\n\r\n", b"x" * 100_000, b"POST / HTTP/1.1\r\n" + b"A: b\r\n" * 100_000 + b"\r\n",
                 request(node, COUNT, length=-1), request(node, COUNT, headers=["A" * 20_000])):
        status = status_of(raw(node, data))
        if status not in (None, 400, 401, 404, 405, 413, 431, 501, 505):
            wrong.append((data[:400], status))
        equal(node.getblockcount(), 0)
    equal(wrong, [])
    # A body that ends before its length: no answer but the end, no wait.
    equal(status_of(raw(node, request(node, COUNT, length=len(COUNT) + 10))) in (None, 400, 500), True)
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(COUNT), COUNT.encode())
    head = request(node, "", headers=["Transfer-Encoding: chunked"]).replace(b"Content-Length: 0\r\n", b"")
    equal(status_of(raw(node, head + chunks)), 200)
    below(memory(node) - before, 60_000, "growth in kB")


def particular_clients(node):
    """What single programs do."""
    # ckpool: bare line feeds, no id; it wants exactly this first line, and the answer on one line.
    head, body = raw(node, request(node, '{"method": "getblockcount"}', end="\n", headers=["Content-type: application/json"])).split(b"\r\n\r\n")
    equal(head.split(b"\r\n")[0], b"HTTP/1.1 200 OK")
    equal(body, b'{"result":0,"error":null}\n' if b'"id"' not in body else b'{"result":0,"error":null,"id":null}\n')
    # A wallet's path, as Bitcoin Core takes it for commands that need none.
    equal(status_of(raw(node, request(node, COUNT, path="/wallet/some%20name"))), 200)
    # HTTP/1.0: the connection ends with the answer, or goes on if that was asked for.
    old = request(node, COUNT).replace(b"HTTP/1.1", b"HTTP/1.0").replace(b"Connection: close\r\n", b"")
    answer = raw(node, old, half_close=False)
    equal((status_of(answer), b"Content-Length" in answer), (200, False))
    answer = raw(node, old.replace(b"Host: x", b"Connection: keep-alive") + old, half_close=False)
    equal((answer.count(b"HTTP/1.0 200 OK"), answer.count(b"Connection: keep-alive"), answer.count(b'"result":0')), (2, 1, 2))
    # HEAD has no body, whatever the answer would be.
    answer = raw(node, request(node, "", "HEAD"))
    equal((status_of(answer), answer.endswith(b"\r\n\r\n")), (405, True))
    # curl: asks before it sends a large body, and is told without it that it may not.
    for token, first, last in ((None, b"HTTP/1.1 100 Continue\r\n\r\n", 200), ("a:b", b"HTTP/1.1 401", 401)):
        with socket.create_connection(("127.0.0.1", node.rpc_port), timeout=30 * SLOW) as s:
            s.sendall(request(node, "", length=len(COUNT), headers=["Expect: 100-continue"], token=token))
            got = s.recv(4096)
            equal(got[:len(first)], first)
            if last == 200:
                s.sendall(COUNT.encode())
                equal(status_of(s.recv(4096)), 200)


def slow_clients(t):
    """Clients that send byte by byte or nothing occupy nobody but themselves and leave at -rpcservertimeout."""
    node = t.node("-rpcservertimeout=2", "-rpcthreads=2", "-rpcworkqueue=4")
    slow = []
    for i in range(100):
        s = socket.create_connection(("127.0.0.1", node.rpc_port), timeout=30 * SLOW)
        s.sendall(request(node, COUNT)[:(i * 7) % 150])
        slow.append(s)
    equal(node.getblockcount(), 0)  # at once, in spite of them
    for s in slow:
        try:
            while s.recv(4096):
                pass
        except ConnectionError:
            pass
        s.close()
    # Clients that leave while their command waits.
    waiting = []
    for _ in range(2):
        s = socket.create_connection(("127.0.0.1", node.rpc_port), timeout=30 * SLOW)
        s.sendall(request(node, '{"jsonrpc":"2.0","id":1,"method":"waitforblockheight","params":[1]}'))
        waiting.append(s)
    waiting[0].close()
    node.connection = None
    wait_until(lambda: node.post(COUNT)[0] == 200, what="RPC goes on")
    node.mine(1)
    contains(waiting[1].recv(4096), b'"height":1')
    node.stop()


def many_connections(node):
    sockets = [socket.create_connection(("127.0.0.1", node.rpc_port), timeout=30 * SLOW) for _ in range(300)]
    one = request(node, COUNT).replace(b"Connection: close\r\n", b"")
    for _ in range(3):
        for s in sockets:
            s.sendall(one)
        for s in sockets:
            contains(s.recv(4096), b'"result":0')
    # Two requests at once on a connection are answered in order.
    sockets[0].sendall(one.replace(b'"id":1', b'"id":7') + one.replace(b'"id":1', b'"id":8'))
    got = b""
    while got.count(b'"result"') < 2:
        got += sockets[0].recv(4096)
    below(got.index(b'"id":7'), got.index(b'"id":8'), "order of the answers")
    for s in sockets:
        s.close()
    equal(node.getblockcount(), 0)


def run(t):
    authentication(t)
    node = t.node()
    statuses(node)
    dialects(node)
    malformed(node)
    particular_clients(node)
    many_connections(node)
    node.stop()
    slow_clients(t)


main(run)
