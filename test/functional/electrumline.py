"""A small client of the Electrum protocol: JSON lines over TCP or TLS, and what to check answers with."""
import hashlib
import json
import socket
import ssl

from blocks import internal, sha256d
from framework import SLOW


class ElectrumError(Exception):
    def __init__(self, error):
        super().__init__("%s (%d)" % (error["message"], error["code"]))
        self.code, self.message = error["code"], error["message"]


class Client:
    """client.call("server.ping") and so on. Notifications wait in .notes until they are asked for."""

    def __init__(self, port, version="1.4", tls=False, s=None):
        self.s = s or socket.create_connection(("127.0.0.1", port), timeout=60 * SLOW)
        if tls:
            context = ssl.create_default_context(cafile=tls)
            self.s = context.wrap_socket(self.s, server_hostname="localhost")
        self.file = self.s.makefile("rb")
        self.next_id = 0
        self.notes = []
        self.version = None
        if version:
            self.version = self.call("server.version", "test", version)[1]

    def send(self, data):
        self.s.sendall(data)

    def line(self):
        """The next line, parsed; None at the end."""
        text = self.file.readline()
        return json.loads(text) if text else None

    def request(self, method, *params, **named):
        self.next_id += 1
        return {"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": named if named else list(params)}

    def answer(self, number):
        while True:
            got = self.line()
            if got is None:
                raise EOFError
            if isinstance(got, dict) and got.get("id") == number and "method" not in got:
                break
            self.notes.append(got)
        if "error" in got:
            raise ElectrumError(got["error"])
        return got["result"]

    def call(self, method, *params, **named):
        r = self.request(method, *params, **named)
        self.send(json.dumps(r).encode() + b"\n")
        return self.answer(r["id"])

    def many(self, calls):
        """Sends all at once, one line each; the answers in order."""
        requests = [self.request(method, *params) for method, *params in calls]
        self.send(b"".join(json.dumps(r).encode() + b"\n" for r in requests))
        return [self.answer(r["id"]) for r in requests]

    def batch(self, calls):
        requests = [self.request(method, *params) for method, *params in calls]
        self.send(json.dumps(requests).encode() + b"\n")
        while True:
            got = self.line()
            if isinstance(got, list):
                return got
            self.notes.append(got)

    def note(self, method=None):
        """The next notification (of that method; others are thrown away)."""
        while True:
            got = self.notes.pop(0) if self.notes else self.line()
            if got is None:
                raise EOFError
            if method is None or got["method"] == method:
                return got["params"]

    def close(self):
        self.file.close()
        self.s.close()


def script_hash(script):
    return hashlib.sha256(script).digest()[::-1].hex()


def other_script(k):
    """Another output that anyone may spend, and what spends it."""
    inner = b"\x02" + k.to_bytes(2, "little") + b"\x75\x51"
    return b"\x00\x20" + hashlib.sha256(inner).digest(), inner


def status_of(history):
    if not history:
        return None
    return hashlib.sha256("".join("%s:%d:" % (h["tx_hash"], h["height"]) for h in history).encode()).hexdigest()


def root_of(leaf, branch, position):
    """Where a Merkle branch leads."""
    h = internal(leaf)
    for other in branch:
        h = sha256d(internal(other) + h if position & 1 else h + internal(other))
        position >>= 1
    return h[::-1].hex()


def tree_root(leaves):
    level = [internal(x) for x in leaves]
    while len(level) > 1:
        level = [sha256d(level[i] + level[min(i + 1, len(level) - 1)]) for i in range(0, len(level), 2)]
    return level[0][::-1].hex()
