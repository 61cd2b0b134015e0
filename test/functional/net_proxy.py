"""Connections through proxies: a real SOCKS5 server (microsocks), one of our own that leads everywhere to one node, Tor's control port with its
SOCKS listener, and an I2P router's SAM bridge (fakes that speak the protocols' other side)."""
import base64
import hashlib
import hmac
import os
import shutil
import socket
import stat
import subprocess
import threading

from framework import contains, equal, free_port, main, wait_until

ONION = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
PLACE = "15.61.23.23:1234"  # a public address that nothing here leads to but the proxy


def pipe(a, b):
    """Bytes from a to b until either ends."""
    try:
        while data := a.recv(65536):
            b.sendall(data)
    except OSError:
        pass
    for s in (a, b):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def join(a, b):
    threading.Thread(target=pipe, args=(a, b), daemon=True).start()
    threading.Thread(target=pipe, args=(b, a), daemon=True).start()


def exactly(s, n):
    data = b""
    while len(data) < n:
        part = s.recv(n - len(data))
        if not part:
            raise OSError("closed")
        data += part
    return data


class Server:
    """Accepts on a loopback port or a unix socket and calls serve(connection) in a thread of its own."""

    def __init__(self, path=None):
        self.socket = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self.socket.bind(path or ("127.0.0.1", 0))
        self.socket.listen()
        self.port = None if path else self.socket.getsockname()[1]
        self.connections = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                s = self.socket.accept()[0]
            except OSError:
                return
            self.connections.append(s)
            threading.Thread(target=self.run, args=(s,), daemon=True).start()

    def run(self, s):
        try:
            self.serve(s)
        except OSError:
            s.close()

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)  # wakes accept
        self.socket.close()
        for s in self.connections:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Socks(Server):
    """SOCKS5 with optional credentials; whatever is asked for is the node's port."""

    def __init__(self, node, path=None):
        self.node = node
        self.asked, self.credentials, self.code = [], [], 0
        super().__init__(path)

    def serve(self, s):
        methods = exactly(s, exactly(s, 2)[1])
        s.sendall(b"\x05\x02" if 2 in methods else b"\x05\x00")
        if 2 in methods:
            user = exactly(s, exactly(s, 2)[1])
            self.credentials.append((user, exactly(s, exactly(s, 1)[0])))
            s.sendall(b"\x01\x00")
        equal(exactly(s, 4), b"\x05\x01\x00\x03")
        host = exactly(s, exactly(s, 1)[0]).decode()
        self.asked.append("%s:%d" % (host, int.from_bytes(exactly(s, 2), "big")))
        if self.code:
            s.sendall(bytes([5, self.code, 0, 1]) + bytes(6))
            s.close()
            return
        other = socket.create_connection(("127.0.0.1", self.node.port))
        # The answer and the first bytes of the peer may come in one piece: none of them may get lost.
        s.sendall(b"\x05\x00\x00\x03\x04name\x00\x50")
        join(s, other)


class Tor(Server):
    """The control port: cookie authentication, the SOCKS listener, one onion service."""

    def __init__(self, cookie_path, socks_port):
        self.cookie = os.urandom(32)
        with open(cookie_path, "wb") as f:
            f.write(self.cookie)
        self.cookie_path, self.socks_port = cookie_path, socks_port
        self.onions, self.bad = [], 0
        super().__init__()

    def hash(self, which, nonces):
        return hmac.new(b"Tor safe cookie authentication %s hash" % which, self.cookie + nonces, hashlib.sha256).hexdigest()

    def serve(self, s):
        lines, nonces = s.makefile("rb"), b""
        for line in lines:
            words = line.decode().split()
            if words[0] == "PROTOCOLINFO":
                answer = '250-PROTOCOLINFO 1\r\n250-AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE="%s"\r\n250 OK' % self.cookie_path
            elif words[0] == "AUTHCHALLENGE":
                nonces = bytes.fromhex(words[2]) + os.urandom(32)
                answer = "250 AUTHCHALLENGE SERVERHASH=%s SERVERNONCE=%s" % (self.hash(b"server-to-controller", nonces), nonces[32:].hex())
            elif words[0] == "AUTHENTICATE":
                good = words[1] == self.hash(b"controller-to-server", nonces)
                self.bad += not good
                answer = "250 OK" if good else "515 Authentication failed"
            elif words[0] == "GETINFO":
                answer = '250-net/listeners/socks="unix:/nowhere" "127.0.0.1:%d"\r\n250 OK' % self.socks_port
            else:
                self.onions.append(words[1:])
                key = "" if words[1] != "NEW:ED25519-V3" else "250-PrivateKey=ED25519-V3:c2VjcmV0\r\n"
                answer = "250-ServiceID=%s\r\n%s250 OK" % (ONION[:56], key)
            s.sendall(answer.encode() + b"\r\n")


class I2p(Server):
    """A SAM bridge: every destination leads to the node. Destinations are 391 bytes of one value."""

    def __init__(self, node):
        self.node, self.keys, self.made, self.accepting = node, [], 0, []
        super().__init__()

    @staticmethod
    def key(n):
        return base64.b64encode(bytes([n]) * 385 + b"\x00\x04" + bytes([n]) * 100, altchars=b"-~").decode()

    @staticmethod
    def address(n):
        return base64.b32encode(hashlib.sha256(bytes([n]) * 385 + b"\x00\x04" + bytes([n]) * 4).digest()).decode().lower().rstrip("=") + ".b32.i2p"

    def serve(self, s):
        def line():
            data = b""
            while not data.endswith(b"\n"):
                data += exactly(s, 1)
            words = data.decode().split()
            return words[:2], dict(w.split("=", 1) for w in words[2:] if "=" in w)

        while True:
            command, args = line()
            if command == ["HELLO", "VERSION"]:
                s.sendall(b"HELLO REPLY RESULT=OK VERSION=3.1\n")
            elif command == ["DEST", "GENERATE"]:
                self.made += 1
                s.sendall(b"DEST REPLY PUB=x PRIV=%s\n" % self.key(1).encode())
            elif command == ["SESSION", "CREATE"]:
                transient = args["DESTINATION"] == "TRANSIENT"
                key = self.key(len(self.keys) + 100) if transient else args["DESTINATION"]
                self.keys.append(args["DESTINATION"])
                s.sendall(b"SESSION STATUS RESULT=OK DESTINATION=%s\n" % key.encode())
            elif command == ["NAMING", "LOOKUP"]:
                s.sendall(b"NAMING REPLY RESULT=OK NAME=%s VALUE=%s\n" % (args["NAME"].encode(), self.key(9).encode()))
            elif command == ["STREAM", "CONNECT"]:
                other = socket.create_connection(("127.0.0.1", self.node.port))
                s.sendall(b"STREAM STATUS RESULT=OK\n")
                join(s, other)
                return
            elif command == ["STREAM", "ACCEPT"]:
                s.sendall(b"STREAM STATUS RESULT=OK\n")
                self.accepting.append(s)
                return

    def incoming(self):
        """A peer connects through the router."""
        wait_until(lambda: self.accepting, what="STREAM ACCEPT")
        s = self.accepting.pop(0)
        other = socket.create_connection(("127.0.0.1", self.node.port))
        dest = base64.b64encode(bytes([7]) * 385 + b"\x00\x04" + bytes([7]) * 4, altchars=b"-~")
        s.sendall(dest + b"\n")
        return s, other


def peer_named(node, name):
    def there():
        return [p for p in node.getpeerinfo() if p["addr"] == name and p["version"] != 0]
    wait_until(there, what="connection to " + name)
    return there()[0]


def networks(node):
    return {n["name"]: n for n in node.getnetworkinfo()["networks"]}


def real_server(test, far):
    if not shutil.which("microsocks"):
        print("microsocks is not installed: the part with a real SOCKS5 server is left out")
        return
    ports = [free_port(), free_port()]
    servers = [subprocess.Popen(["microsocks", "-i", "127.0.0.1", "-p", str(ports[0])], stderr=subprocess.DEVNULL),
               subprocess.Popen(["microsocks", "-i", "127.0.0.1", "-p", str(ports[1]), "-u", "user", "-P", "pass"], stderr=subprocess.DEVNULL)]
    try:
        for port in ports:
            wait_until(lambda p=port: socket.socket().connect_ex(("127.0.0.1", p)) == 0, what="microsocks")
        node = test.node("-proxy=127.0.0.1:%d" % ports[0])
        name = "localhost:%d" % far.port
        node.addnode(name, "onetry")
        peer = peer_named(node, name)
        equal((peer["network"], peer["inbound"]), ("not_publicly_routable", False))
        contains(node.log(), "SOCKS5 connected localhost")
        # One that wants the credentials of somebody: ours are random. It is reported, and the node goes on.
        node.stop()
        node.args[-1] = "-proxy=127.0.0.1:%d" % ports[1]
        node.start()
        node.addnode(name, "onetry")
        wait_until(lambda: "Proxy authentication unsuccessful" in node.log(), what="refusal")
        equal(node.getconnectioncount(), 0)
        node.stop()
    finally:
        for server in servers:
            server.terminate()
            server.wait()


def fake_server(test, far):
    """Addresses, names and credentials as they come to the proxy; a proxy behind a unix socket; one that refuses."""
    path = os.path.join(test.dir, "socks")
    tcp, unix = Socks(far), Socks(far, path)
    node = test.node("-proxy=127.0.0.1:%d" % tcp.port, "-onion=unix:" + path, "-cjdnsreachable")
    equal(networks(node)["onion"]["proxy"], "unix:" + path)
    for address, network in ((PLACE, "ipv4"), ("[1233:3432:2434:2343:3234:2345:6546:4534]:5443", "ipv6"), ("[fc00::8]:8888", "cjdns"),
                             (ONION + ":8333", "onion"), ("node.noumenon:8333", "not_publicly_routable")):
        node.addnode(address, "onetry")
        equal(peer_named(node, address)["network"], network)
    equal(tcp.asked, ["15.61.23.23:1234", "1233:3432:2434:2343:3234:2345:6546:4534:5443", "fc00::8:8888", "node.noumenon:8333"])
    equal(unix.asked, [ONION + ":8333"])
    used = tcp.credentials + unix.credentials
    equal(len(set(used)), 5)
    equal([u for u, p in used if u != p], [])
    tcp.code = 5
    node.addnode("host.that.refuses:1", "onetry")
    wait_until(lambda: "Socks5() connect to host.that.refuses:1 failed: connection refused" in node.log(), what="refusal")
    node.stop()
    # Nothing leaves past the proxy, and no name is looked up, when it is away.
    tcp.close()
    node.start()
    node.addnode("node.noumenon:8333", "onetry")
    wait_until(lambda: "connect() to 127.0.0.1:%d failed" % tcp.port in node.log(), what="failure")
    equal(node.getconnectioncount(), 0)
    node.stop()
    unix.close()


def tor(test, far):
    socks = Socks(far)
    control = Tor(os.path.join(test.dir, 'cookie "quoted"').replace('"', ""), socks.port)
    node = test.node("-listenonion=1", "-torcontrol=127.0.0.1:%d" % control.port, start=False)
    node.args.append("-bind=127.0.0.1:%d=onion" % free_port())
    node.start()
    wait_until(lambda: node.getnetworkinfo()["localaddresses"], what="onion service")
    equal(node.getnetworkinfo()["localaddresses"], [{"address": ONION, "port": 18444, "score": 4}])
    equal(networks(node)["onion"], {"name": "onion", "limited": False, "reachable": True, "proxy": "127.0.0.1:%d" % socks.port,
                                    "proxy_randomize_credentials": True})
    target = node.args[-1][len("-bind="):-len("=onion")]
    equal(control.onions, [["NEW:ED25519-V3", "PoWDefensesEnabled=1", "Port=18444," + target]])
    key = os.path.join(node.net_dir, "onion_v3_private_key")
    with open(key) as f:
        equal(f.read(), "ED25519-V3:c2VjcmV0")
    equal(stat.S_IMODE(os.stat(key).st_mode), 0o600)
    node.addnode(ONION + ":8333", "onetry")
    equal(peer_named(node, ONION + ":8333")["network"], "onion")
    # What comes in by the onion listener came through Tor.
    s = socket.create_connection(("127.0.0.1", int(target.split(":")[1])))
    wait_until(lambda: [p for p in node.getpeerinfo() if p["inbound"] and p["network"] == "onion"], what="inbound onion peer")
    s.close()
    # Tor goes away: the address is forgotten; it comes back, and the key is the same.
    for s in control.connections:
        s.shutdown(socket.SHUT_RDWR)
    wait_until(lambda: len(control.onions) == 2, what="reconnection")
    equal(control.onions[1][0], "ED25519-V3:c2VjcmV0")
    control.close()
    wait_until(lambda: not node.getnetworkinfo()["localaddresses"], what="address forgotten")
    equal(control.bad, 0)
    node.stop()
    socks.close()


def i2p(test, far):
    node = test.node(start=False)
    router = I2p(far)
    node.args.append("-i2psam=127.0.0.1:%d" % router.port)
    node.start()
    mine = I2p.address(1)
    wait_until(lambda: node.getnetworkinfo()["localaddresses"], what="I2P address")
    equal(node.getnetworkinfo()["localaddresses"], [{"address": mine, "port": 0, "score": 4}])
    equal((networks(node)["i2p"]["reachable"], router.made), (True, 1))
    key = os.path.join(node.net_dir, "i2p_private_key")
    equal(stat.S_IMODE(os.stat(key).st_mode), 0o600)
    there = I2p.address(5)
    node.addnode(there, "onetry")
    peer = peer_named(node, there)
    equal((peer["network"], peer["addrbind"]), ("i2p", mine + ":0"))
    # A peer comes in: the far node's connection, through our own fake router.
    s, other = router.incoming()
    wait_until(lambda: [p for p in node.getpeerinfo() if p["inbound"] and p["addr"] == I2p.address(7) + ":0"], what="inbound I2P peer")
    s.close()
    other.close()
    router.incoming()[0].close()  # it accepts again
    node.stop()
    # The same destination after a restart, and others without it: one for each connection.
    node.start()
    wait_until(lambda: node.getnetworkinfo()["localaddresses"], what="I2P address")
    equal((node.getnetworkinfo()["localaddresses"][0]["address"], router.made), (mine, 1))
    node.stop()
    before = len(router.keys)
    node.args.append("-i2pacceptincoming=0")
    node.start()
    for n in (5, 6):
        node.addnode(I2p.address(n), "onetry")
        peer_named(node, I2p.address(n))
    equal(router.keys[before:], ["TRANSIENT", "TRANSIENT"])
    equal(len({p["addrbind"] for p in node.getpeerinfo()}), 2)
    equal(node.getnetworkinfo()["localaddresses"], [])
    node.stop()
    router.close()


def run(t):
    far = t.node()
    far.mine(1)
    fake_server(t, far)
    tor(t, far)
    i2p(t, far)
    real_server(t, far)


main(run)
