"""A node that looks for peers by itself, in a world behind a SOCKS5 proxy that we play: eight full-relay and two block-relay peers in different
networks, anchors after a restart, feelers, the limit of -maxconnections, and no connection to what is banned or our own."""
import socket
import struct
import threading

from blocks import sha256d
from framework import main, wait_until
from p2p import MAGIC, frame, version_payload


class World:
    """A SOCKS5 proxy behind which every address is a small Bitcoin node."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.asked = []  # "address:port" of each connection
        self.open = []
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                s = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    @staticmethod
    def exactly(s, n):
        data = b""
        while len(data) < n:
            more = s.recv(n - len(data))
            if not more:
                raise ConnectionError
            data += more
        return data

    def serve(self, s):
        name = None
        try:
            count = self.exactly(s, 2)[1]
            methods = self.exactly(s, count)
            s.sendall(b"\x05\x02" if 2 in methods else b"\x05\x00")
            if 2 in methods:  # a name and a password of its own for each connection
                self.exactly(s, self.exactly(s, 2)[1])
                self.exactly(s, self.exactly(s, 1)[0])
                s.sendall(b"\x01\x00")
            kind = self.exactly(s, 4)[3]
            if kind == 1:
                host = socket.inet_ntoa(self.exactly(s, 4))
            elif kind == 3:
                host = self.exactly(s, self.exactly(s, 1)[0]).decode()
            else:
                host = socket.inet_ntop(socket.AF_INET6, self.exactly(s, 16))
            port = struct.unpack(">H", self.exactly(s, 2))[0]
            s.sendall(b"\x05\x00\x00\x01" + bytes(6))
            name = "%s:%d" % (host, port)
            with self.lock:
                self.asked.append(name)
                self.open.append(name)
            self.speak(s)
        except OSError:
            pass
        finally:
            s.close()
            with self.lock:
                if name in self.open:
                    self.open.remove(name)

    def speak(self, s):
        magic = MAGIC["regtest"]
        while True:
            head = self.exactly(s, 24)
            payload = self.exactly(s, struct.unpack_from("<I", head, 16)[0])
            command = head[4:16].rstrip(b"\0").decode()
            assert head[20:24] == sha256d(payload)[:4]
            if command == "version":
                s.sendall(frame(magic, "version", version_payload()) + frame(magic, "verack"))
            elif command == "ping":
                s.sendall(frame(magic, "pong", payload))


def by_type(node):
    types = {}
    for p in node.getpeerinfo():
        types.setdefault(p["connection_type"], []).append(p["addr"])
    return types


def slash16(addr):
    return addr.split(".")[:2]


def full(node):
    types = by_type(node)
    return len(types.get("outbound-full-relay", [])) == 8 and len(types.get("block-relay-only", [])) == 2


def run(t):
    world = World()
    n = t.node("-proxy=127.0.0.1:%d" % world.port, "-v2transport=0", "-dnsseed=0", "-fixedseeds=0", "-test=addrman", start=False)
    n.automatic = True
    n.start()
    for i in range(60):  # two in each /16
        n.addpeeraddress("%d.%d.1.%d" % (20 + i // 2, i // 2, i % 2 + 1), 8333, True)
    n.addpeeraddress("200.1.1.1", 22, True)  # a port for other things
    wait_until(lambda: full(n))
    peers = n.getpeerinfo()
    groups = [tuple(slash16(p["addr"])) for p in peers]
    assert len(set(groups)) == len(groups) == 10, groups
    assert "200.1.1.1:22" not in world.asked
    assert all(p["network"] == "ipv4" and not p["inbound"] for p in peers)
    assert n.getnetworkinfo()["connections_out"] == 10

    # feelers come about every two minutes, and only to addresses that were never connected to
    n.addpeeraddress("150.1.1.1", 8333, False)
    n.setmocktime(int(peers[0]["conntime"]) + 3600)
    wait_until(lambda: "150.1.1.1:8333" in world.asked, 30)
    wait_until(lambda: n.getaddrmaninfo()["ipv4"]["new"] == 0, 30)  # it is alive: tried
    n.setmocktime(0)

    # lost peers are replaced: those that the leap in time cost us, and one more
    wait_until(lambda: full(n))
    before = len(world.asked)
    n.disconnectnode(by_type(n)["outbound-full-relay"][0])
    wait_until(lambda: len(world.asked) > before and full(n))

    # block-relay peers are the first to be asked after a restart
    anchors = set(by_type(n)["block-relay-only"])
    before = len(world.asked)
    n.stop()
    n.start()
    wait_until(lambda: len(world.asked) >= before + 2, 30)
    assert set(world.asked[before:before + 2]) == anchors, (anchors, world.asked[before:])
    wait_until(lambda: set(by_type(n).get("block-relay-only", [])) == anchors, 30)

    # banned addresses are left alone
    n.stop()
    n.start("-maxconnections=3")
    wait_until(lambda: len(n.getpeerinfo()) == 3, 30)
    assert by_type(n).get("block-relay-only", []) == []
    for i in range(60):
        n.setban("%d.%d.0.0/16" % (20 + i // 2, i // 2), "add") if i % 2 == 0 else None
    wait_until(lambda: all(p["addr"].startswith("150.") for p in n.getpeerinfo()), 30)


main(run)
