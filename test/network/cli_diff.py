#!/usr/bin/env python3
"""farthing-cli beside another client: both are run with the same words against both nodes and against a server of canned answers; exit code, standard
output and standard error must be equal but for the programs' names. What may differ, with the reason, is in ALLOWED."""
import argparse
import json
import os
import pty
import re
import select
import socket
import subprocess
import threading
import time

import topology  # noqa: F401  (the path to the functional tests' modules)
from cli_cases import NETWORK, batch, cases, canned, config_cases, raw_answers
from framework import BUILD, SLOW, free_port, main
from p2p import Peer

NAMES = (("bitcoin-cli", "CLI"), ("farthing-cli", "CLI"), ("bitcoind", "DAEMON"), ("farthingd", "DAEMON"), ("Bitcoin Core", "NAME"), ("Farthing", "NAME"))
# (a regular expression for the words of the call, the reason, what both may have said)
def helped(a, b):
    """Both end with a text that lists the arguments or results: its first line counts."""
    return a[0] == b[0] and all("\nResult" in x[2] for x in (a, b)) and a[2].split("\n")[:3] == b[2].split("\n")[:3]


def but_for(*texts):
    """The answers are equal but for these, regular expressions."""
    def same(a, b):
        for text in texts:
            a, b = ((x[0], re.sub(text, "", x[1]), re.sub(text, "", x[2])) for x in (a, b))
        return a == b
    return same


ALLOWED = [
    (r"(nodes: )?(\S+ )*(--?help|-\?|-h|--?version|-help-debug|-nohelp|-help=0)( .*)?|", "the programs' own help", lambda a, b: a[0] == b[0] and a[1] and b[1]),
    (r"(\S+ )*-netinfo (h|help)( .*)?", "the same in other words", lambda a, b: a[0] == b[0] == 0 and len(a[1]) > 1000 < len(b[1])),
    (r"(\S+ )*--?getinfo.*", "a list of warnings is shown, too", lambda a, b: a[0] == b[0] == 0 and a[1].split("Warnings:")[0] == b[1].split("Warnings:")[0] and b[1].rstrip().endswith(" (none)")),
    (r"-netinfo|-addrinfo", "nodes of old versions: a text that names no program", lambda a, b: "requires a node" in a[2] and " requires DAEMON" in b[2]),
    (r"(\S+ )*-generate( .*)?", "without a wallet there is -miningaddress", lambda a, b: "wallet" in a[2] and ("no wallet" in b[2] or "Method not found" in b[2])),
    (r"-netinfo|-getinfo", "an answer without what it must have", lambda a, b: a[:2] == (1, "") and b[0] in (1, -11) and a[2] == "error: Batch result missing\n"),
    (r"getblockcount", "an answer that is no JSON-RPC", lambda a, b: a[:2] == b[:2] == (1, "") and a[2].startswith("error: ") and b[2].startswith("error: JSON ")),
    (r"getblockcount", "an error with the code 0 goes to standard error", lambda a, b: a == (0, "", b[1]) and a[2].startswith("error code: 0")),
    (r"-generate", "an error of generatetoaddress is one", lambda a, b: a[0] == 5 and b[1].endswith('"blocks": null\n}\n')),
    (r"nodes: (\S+ )*(help .*)", "the nodes' own help", lambda a, b: a[0] == b[0]),
    (r"nodes: .*", "texts of help, but for the first line", helped),
    (r"nodes: estimatesmartfee .*", "more of our own", but_for(r',\n  "mempool": \{[^}]*\}')),
    (r"nodes: getblocktemplate .*", "a member that pools still read; an opaque text", but_for(r'\n    "flags": ""', r'"longpollid": "\w+"')),
    (r"nodes: .*-?-(getinfo|netinfo)", "the programs' names, warnings of a test build", but_for("NAME:[0-9.]+/", "(?s)Warnings: .*")),
    (r"nodes: -rpcwallet\S* .*", "the other one has no wallets", lambda a, b: a[0] == 0 and b == (1, "", "error: no response from server\n")),
    (r"(nodes: )?(-named )?echojson .*|.*result.*|getblockcount", "numbers beyond 64 bits, -0 and equal names in an object, which only echojson answers with",
     lambda a, b: re.search(r'-0\b|\d{19}|"a": 1,\n +"a": 2|^1\n|"a": 2', b[1]) and a[0] == b[0] == 0),
    (r"(-named )?(echojson|getblockhash|getblockstats) (arg1=)?-", "a sign alone is no JSON", lambda a, b: b[2].endswith("Parse error\n")),
    (r"-datadir=? .*", "the default datadir", but_for(r"\(/\S+conf\)")),
    (r".*", "one line says that the options name two networks", lambda a, b: a[0] == b[0] and "EXCEPTION" in b[2] and a[2][7:-1] in b[2]),
    (r"conf .*", "a folder is no cookie file", lambda a, b: "Failed to read cookie file" in a[2] and "were invalid" in b[2]),
    (r"conf .*", "a zero byte in a configuration file", lambda a, b: a[2].endswith(": zero byte\n")),
]


class Client:
    def __init__(self, name, program):
        self.name, self.program = name, program

    def run(self, words, stdin=None, terminal=False):
        command = [self.program, *words]
        if terminal:
            return self.on_terminal(command, stdin)
        done = subprocess.run(command, input=stdin if stdin is not None else b"", capture_output=True, timeout=60 * SLOW, check=False)
        return done.returncode, done.stdout.decode("latin1"), done.stderr.decode("latin1")

    def on_terminal(self, command, stdin):
        """Standard input and output are a terminal, where standard error goes as well."""
        master, slave = pty.openpty()
        process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        if stdin:
            select.select([master], [], [], 10 * SLOW)  # until it asks
            os.write(master, stdin)
        out = b""
        while True:
            try:
                piece = os.read(master, 65536)
            except OSError:
                break
            if not piece:
                break
            out += piece
        os.close(master)
        return process.wait(), out.decode("latin1"), ""


class Fake:
    """A server on loopback that sends the bytes it is given, whatever was asked, and keeps the request."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.answers, self.requests = [b""], []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.listener.accept()
            with connection:
                self.requests.append(self.read(connection))
                answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
                try:
                    connection.sendall(answer)
                except OSError:
                    pass

    @staticmethod
    def read(connection):
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536)
        head, body = data.split(b"\r\n\r\n", 1)
        length = int(re.search(rb"Content-Length: (\d+)", head)[1])
        while len(body) < length:
            body += connection.recv(65536)
        return head.split(b"\r\n")[0], body

    def ask(self, client, words, answers):
        self.answers, self.requests = answers, []
        return client.run(["-datadir=" + words[0], "-regtest", "-rpcport=%d" % self.port, "-rpcuser=u", "-rpcpassword=p", *words[1:]]), list(self.requests)


def ok(result, error=None, id=1):
    return {"result": result, "error": error, "id": id} if error is not None else {"jsonrpc": "2.0", "result": result, "id": id}


def http(value, status=200):
    body = value if isinstance(value, bytes) else json.dumps(value).encode() + b"\n"
    return b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(body)) + body


class Diff:
    def __init__(self, clients, show):
        self.clients, self.show = clients, show
        self.count = self.bad = 0
        self.allowed = {}

    @staticmethod
    def tidy(text, more):
        for old, new in (*more, *NAMES):
            text = text.replace(old, new)
        return re.sub(r"(?<=client )v\S+", "V", text)

    def compare(self, what, a, b, more=()):
        """a: ours, b: theirs; (code, stdout, stderr)"""
        a, b = ((code, self.tidy(out, more), self.tidy(err, more)) for code, out, err in (a, b))
        self.count += 1
        if a == b:
            return
        for words, reason, condition in ALLOWED:
            if re.fullmatch(words, what, re.S) and condition(a, b):
                self.allowed[reason] = self.allowed.get(reason, 0) + 1
                return
        self.bad += 1
        print("DIFFER: %s\n  ours   %r\n  theirs %r" % (what, *([part[:self.show] if isinstance(part, str) else part for part in x] for x in (a, b))), flush=True)


def against_nodes(diff, nodes):
    """Each call four times: both clients with each node."""
    for words, stdin, terminal in cases(nodes[0]):
        answers = []
        for node in nodes:
            place = ["-datadir=" + node.dir, "-chain=regtest", "-rpcport=%d" % node.rpc_port]
            told = [client.run([*place, *words], stdin, terminal) for client in diff.clients]
            diff.compare(" ".join(words), *told, more=[(node.dir, "DIR"), (str(node.rpc_port), "PORT"), (str(node.port), "PORT")])
            answers.append(told)
        if words and "-rpcuser=__cookie__" not in words and not re.match(r"-netinfo|-getinfo|help|uptime|-rpcwait|stop|-generate", " ".join(w for w in words if not w.startswith(("-color", "-rpcwallet")))):
            mine = [answer[0] for answer in answers]
            more = [(x, name) for node in nodes for x, name in ((node.dir, "DIR"), (str(node.rpc_port), "PORT"), (str(node.port), "PORT"))]
            diff.compare("nodes: " + " ".join(words), *mine, more=more)


def against_fake(diff, folder):
    fake = Fake()
    now = int(time.time())
    for words, replies in canned(now):
        replies = [reply if isinstance(reply, bytes) else http(reply) for reply in replies]
        for _ in range(5):  # ages are shown in seconds: until both were asked within one
            told = [fake.ask(client, [folder, *words], replies) for client in diff.clients]
            if words[0] != "-netinfo" or diff.tidy(told[0][0][1], []) == diff.tidy(told[1][0][1], []):
                break
        diff.compare(" ".join(words), *[answer for answer, _ in told], more=[(str(fake.port), "PORT")])
        diff.compare("requests of " + " ".join(words), *[(0, "\n".join("%s %s" % (line.decode(), normal(body)) for line, body in requests), "") for _, requests in told])
    for answer in raw_answers():
        told = [fake.ask(client, [folder, "getblockcount"], [answer])[0] for client in diff.clients]
        diff.compare("raw %r" % answer[:100], *told, more=[(str(fake.port), "PORT")])


def normal(body):
    """Empty lists of parameters and none are the same to a node."""
    def tidy(request):
        return {k: v for k, v in request.items() if k != "params" or v not in (None, [], {})}
    value = json.loads(body)
    return json.dumps([tidy(v) for v in value] if isinstance(value, list) else tidy(value), sort_keys=True)


def with_files(diff, t, nodes):
    """Configuration files: each case has a folder, which both clients read."""
    for i, (files, words) in enumerate(config_cases(nodes[0])):
        folder = os.path.join(t.dir, "conf%d" % i)
        os.makedirs(os.path.join(folder, "sub"))
        for name, text in files.items():
            with open(os.path.join(folder, name), "w") as f:
                f.write(text.replace("DIR", folder))
        told = [client.run(["-datadir=" + folder, *(w.replace("DIR", folder) for w in words)]) for client in diff.clients]
        diff.compare("conf %s: %s" % (json.dumps(files), " ".join(words)), *told, more=[(folder, "DIR"), (str(nodes[0].rpc_port), "PORT")])


def waiting(diff, folder):
    """-rpcwait: a node that never comes, one that warms up first, one that comes late."""
    port = free_port()
    base = ["-datadir=" + folder, "-regtest", "-rpcuser=u", "-rpcpassword=p", "-rpcwait"]
    told = [client.run([*base, "-rpcport=%d" % port, "-rpcwaittimeout=1", "getblockcount"]) for client in diff.clients]
    diff.compare("rpcwait, nobody", *told, more=[(str(port), "PORT")])
    fake = Fake()
    warm = http({"error": {"code": -28, "message": "Loading"}, "id": 1, "result": None}, 500)
    for words, answers in ((["getblockcount"], [warm, http(ok(5))]), (["-rpcwaittimeout=1", "getblockcount"], [warm]), (["-norpcwait", "getblockcount"], [warm]), (["getblockcount"], [b"", http(ok(6))]),
                           (["-netinfo"], [http([{"error": {"code": -28, "message": "Loading"}, "id": i, "result": None} for i in (0, 1)]), http(batch([], NETWORK))]), (["-netinfo", "x"], [warm])):
        told = [fake.ask(client, [folder, "-rpcwait", *words], answers)[0] for client in diff.clients]
        diff.compare("rpcwait " + " ".join(words), *told, more=[(str(fake.port), "PORT")])


def run(t):
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--other", required=True, help="folder of another node's daemon (bitcoind) and client (bitcoin-cli)")
    p.add_argument("--show", type=int, default=600, help="characters shown of each output")
    o = p.parse_args()
    options = ("-rest", "-mocktime=1700000000", "-dnsseed=0", "-discover=0", "-rpcworkqueue=64")
    nodes = [t.node(*options, debug="none"), t.node(*options, program=os.path.join(o.other, "bitcoind"), debug="none")]
    clients = [Client("ours", os.path.join(BUILD, "farthing-cli")), Client("theirs", os.path.join(o.other, "bitcoin-cli"))]
    diff = Diff(clients, o.show)
    for node in nodes:
        open(os.path.join(node.dir, "bitcoin.conf"), "w").close()
        node.generatetodescriptor(3, "raw(51)")
    peers = [Peer(node) for node in nodes]
    against_nodes(diff, nodes)
    against_fake(diff, nodes[0].dir)
    with_files(diff, t, nodes)
    waiting(diff, nodes[0].dir)
    for peer in peers:
        peer.close()
    print("%d comparisons" % diff.count)
    for reason, n in sorted(diff.allowed.items()):
        print("%7d allowed: %s" % (n, reason))
    print("%d unexpected differences" % diff.bad)
    if diff.bad:
        raise AssertionError("%d differences" % diff.bad)


if __name__ == "__main__":
    main(run)
