"""What the functional tests share: real nodes on loopback, an RPC client, waiting, temporary folders.

A test is a script with a function run(t) and `main(run)` at its end. Each test has a folder and ports of its own, so tests run side by side.
"""
import base64
import glob
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("FARTHING_BUILD", os.path.join(ROOT, "build"))
VECTORS = os.environ.get("FARTHING_VECTORS", os.path.join(os.path.dirname(ROOT), "shared", "vectors"))
SLOW = float(os.environ.get("FARTHING_TEST_SLOW", "1"))  # sanitizer builds: longer deadlines
SANITIZER = "FARTHING_SANITIZER" in os.environ  # nodes are built with one: memory and speed are not those of the program itself
ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"  # regtest, of the BIP173 example key


class RpcError(Exception):
    def __init__(self, code, message):
        super().__init__("%s (%d)" % (message, code))
        self.code = code
        self.message = message


def wait_until(condition, timeout=60, what="condition"):
    """Polls until condition() is true; the deadline is the only clock in a test."""
    deadline = time.monotonic() + timeout * SLOW
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("not within %g seconds: %s" % (timeout * SLOW, what))
        time.sleep(0.02)


def equal(got, expected):
    if got != expected:
        raise AssertionError("got %r, expected %r" % (got, expected))


def below(value, limit, what="value"):
    if not value < limit:
        raise AssertionError("%s is %r, not below %r" % (what, value, limit))


def contains(text, part):
    if part not in text:
        raise AssertionError("%r is not in %r" % (part, text))


def raises(code, text, call, *args, **kwargs):
    """The call must fail with that RPC error code, its message containing text."""
    try:
        result = call(*args, **kwargs)
    except RpcError as error:
        if error.code != code or text not in error.message:
            raise AssertionError("wrong error: %s" % error)
        return error.message
    raise AssertionError("no error, but %r" % (result,))


_next_port = [0]


def free_port():
    """A loopback port that nobody listens on: below the ephemeral range, spread by process id so that parallel tests do not meet."""
    while True:
        port = 11000 + (os.getpid() * 40 + _next_port[0]) % 20000
        _next_port[0] += 1
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Node:
    """One farthingd. node.getblockcount() and so on are RPC calls; keyword arguments are named ones."""

    def __init__(self, test, name, chain="regtest", args=(), program=None, debug="all"):
        self.test = test
        self.name = name
        self.chain = chain
        self.args = list(args)
        self.program = program or os.path.join(BUILD, "farthingd")  # another node may stand in for ours
        self.debug = debug
        self.automatic = False  # True: it looks for peers by itself
        self.dir = os.path.join(test.dir, name)
        self.net_dir = os.path.join(self.dir, {"main": "", "test": "testnet3"}.get(chain, chain))
        self.port = free_port()
        self.rpc_port = free_port()
        self.process = None
        self.connection = None
        self.last_used = 0.0
        os.makedirs(self.dir, exist_ok=True)

    # -- process --

    def command(self, extra=()):
        return [self.program, "-datadir=" + self.dir, "-chain=" + self.chain, "-printtoconsole=0", "-debug=" + self.debug, "-logtimemicros",
                "-port=%d" % self.port, "-rpcport=%d" % self.rpc_port, "-bind=127.0.0.1", "-listen=1", "-listenonion=0", "-rpcdoccheck",
                *([] if self.automatic else ["-connect=0"]), *self.args, *extra]

    def spawn(self, *extra):
        self.stderr_path = os.path.join(self.dir, "stderr")
        with open(self.stderr_path, "w") as err:
            self.process = subprocess.Popen(self.command(extra), stderr=err, stdout=err, stdin=subprocess.DEVNULL)
        return self

    def start(self, *extra):
        self.spawn(*extra)
        self.wait_ready()
        return self

    def wait_ready(self, timeout=60):
        def ready():
            if self.process.poll() is not None:
                raise AssertionError("%s ended with %d at its start: %s" % (self.name, self.process.returncode, self.stderr()))
            try:
                self.getblockcount()
                return True
            except (OSError, http.client.HTTPException):
                return False
            except RpcError as error:
                if error.code != -28:
                    raise
                return False
        wait_until(ready, timeout, "%s answers RPC" % self.name)

    def start_fails(self, *extra, code=1, text=""):
        """The node must end by itself with that code and a message containing text."""
        self.spawn(*extra)
        try:
            equal(self.wait_end(20), code)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("%s starts with %r" % (self.name, extra)) from None
        if text not in self.stderr():
            raise AssertionError("%r is not in %r" % (text, self.stderr()))

    def wait_end(self, timeout=60):
        code = self.process.wait(timeout * SLOW)
        self.process = None
        self.connection = None
        self.test.no_reports()
        return code

    def stop(self):
        call(self, "stop")
        equal(self.wait_end(), 0)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.wait_end()

    def stderr(self):
        with open(self.stderr_path) as f:
            return f.read()

    def log(self):
        with open(os.path.join(self.net_dir, "debug.log"), errors="replace") as f:
            return f.read()

    # -- RPC --

    def credentials(self):
        with open(os.path.join(self.net_dir, ".cookie")) as f:
            return f.read().strip()

    def post(self, body, path="/", credentials=None, headers=None, method="POST", timeout=120):
        """One HTTP exchange. Returns: status, body."""
        if self.connection is None or time.monotonic() - self.last_used > 20:  # the node closes connections that are idle for 30 seconds
            self.connection = http.client.HTTPConnection("127.0.0.1", self.rpc_port, timeout=timeout * SLOW)
        self.last_used = time.monotonic()
        token = base64.b64encode((credentials or self.credentials()).encode()).decode()
        try:
            self.connection.request(method, path, body, {"Authorization": "Basic " + token, "Content-Type": "application/json", **(headers or {})})
            answer = self.connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            self.connection = None
            raise

    def __getattr__(self, method):
        if method.startswith("_"):
            raise AttributeError(method)
        return lambda *args, **named: call(self, method, *args, **named)

    def cli_command(self):
        return [os.path.join(BUILD, "farthing-cli"), "-datadir=" + self.dir, "-chain=" + self.chain, "-rpcport=%d" % self.rpc_port]

    def cli(self, *words, stdin=None, code=0):
        """Runs farthing-cli against the node. Returns: its standard output."""
        done = subprocess.run([*self.cli_command(), *words], input=stdin, capture_output=True, text=True, timeout=60 * SLOW, check=False)
        if done.returncode != code:
            raise AssertionError("farthing-cli %r ended with %d: %s%s" % (words, done.returncode, done.stdout, done.stderr))
        return done.stdout if code == 0 else done.stderr

    # -- doing --

    def mine(self, n, address=ADDRESS):
        return call(self, "generatetoaddress", n, address)

    def connect(self, other):
        before = len(call(self, "getpeerinfo"))
        call(self, "addnode", "127.0.0.1:%d" % other.port, "onetry")
        wait_until(lambda: sum(1 for p in call(self, "getpeerinfo") if p["version"] != 0) > before, what="connection")

    def utxo_hash(self, kind="muhash"):
        info = call(self, "gettxoutsetinfo", kind)
        return info["bestblock"], info[kind if kind == "muhash" else "hash_serialized_3"]


def call(node, method, *args, **named):
    """One RPC call; named arguments go by name."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": named if named else list(args)})
    status, text = node.post(body)
    if not text:
        raise http.client.HTTPException("HTTP status %d" % status)
    answer = json.loads(text)
    if answer.get("error"):
        raise RpcError(answer["error"]["code"], answer["error"]["message"])
    return answer["result"]


class Test:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="farthing_test_")
        self.nodes = []
        self.report_path = os.path.join(self.dir, "sanitizer")
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            os.environ[name] = ":".join([*filter(None, [os.environ.get(name)]), "log_path=" + self.report_path])

    def no_reports(self):
        """Fails when a sanitizer reported about any program that the test started, also one that was killed, forked or expected to fail."""
        for path in glob.glob(self.report_path + ".*"):
            with open(path, errors="replace") as f:
                raise AssertionError("sanitizer report:\n" + f.read()[:20000])

    def node(self, *args, chain="regtest", start=True, program=None, debug="all"):
        node = Node(self, "node%d" % len(self.nodes), chain, args, program, debug)
        self.nodes.append(node)
        return node.start() if start else node

    def end(self):
        """The end of a test that passed: with a sanitizer the nodes stop in order, as leaks and races at shutdown are reported too."""
        for node in self.nodes if SANITIZER else ():
            if node.process is not None:
                node.process.terminate()
                equal(node.wait_end(), 0)
        self.close()
        self.no_reports()

    def close(self):
        for node in self.nodes:
            if node.process is not None:
                node.process.kill()
                node.process.wait()


def vectors(*path):
    """A file of the vectors, or None (said in one line) when the folder is missing."""
    full = os.path.join(VECTORS, *path)
    if os.path.exists(full):
        return full
    print("vectors: %s is missing, that part is left out" % full)
    return None


def same_tip(*nodes, timeout=60):
    def same():
        return len({n.getbestblockhash() for n in nodes}) == 1
    wait_until(same, timeout, "the same tip on all nodes")


class Skip(Exception):
    """What the test needs is not on this machine: raised with a line that says what."""


def main(run):
    test = Test()
    try:
        run(test)
        test.end()
    except Skip as skip:
        print(skip)
        test.close()
        shutil.rmtree(test.dir, ignore_errors=True)
        sys.exit(77)
    except BaseException:
        reason = traceback.format_exc()
        for node in test.nodes:
            for path in (os.path.join(node.dir, "stderr"), os.path.join(node.net_dir, "debug.log")):
                if os.path.exists(path):
                    with open(path, errors="replace") as f:
                        print("---- %s\n%s" % (path, "".join(f.readlines()[-60:])))
        print(reason)  # last: what the runner shows of a long output is its end
        test.close()
        if not os.environ.get("FARTHING_TEST_KEEP"):
            shutil.rmtree(test.dir, ignore_errors=True)
        sys.exit(1)
    shutil.rmtree(test.dir, ignore_errors=True)
