"""The address manager and bans through a node's life: RPC, peers.dat, banlist.json, network groups by an AS map."""
import json
import os
import time

from framework import equal, main, raises, wait_until
from p2p import Peer


def places(node):
    return {(table, place): (e["address"], e["port"], e["source"]) for table, all in node.getrawaddrman().items() for place, e in all.items()}


def address_manager(t):
    node = t.node("-test=addrman", "-checkaddrman=1")
    peers_dat = os.path.join(node.net_dir, "peers.dat")
    assert os.path.exists(peers_dat)  # written at once, so that a damaged disk is seen early

    raises(-30, "Invalid IP address", node.addpeeraddress, "1.2.3.4:80", 1)
    raises(-30, "Invalid IP address", node.addpeeraddress, "localhost", 1)
    raises(-1, "JSON integer out of range", node.addpeeraddress, "1.2.3.4", 65536)
    equal(node.addpeeraddress("10.0.0.1", 8333), {"error": "failed-adding-to-new", "success": False})
    equal(node.addpeeraddress("1.2.3.4", 8333, True), {"success": True})
    equal(node.addpeeraddress("1.2.5.45", 8333, True), {"error": "failed-adding-to-tried", "success": False})  # the same place
    equal(node.addpeeraddress("2803:0:1234:abcd::1", 45324), {"success": True})
    equal(places(node), {("new", "613/6"): ("2803:0:1234:abcd::1", 45324, "2803:0:1234:abcd::1"),
                         ("new", node_place(node, "1.2.5.45")): ("1.2.5.45", 8333, "1.2.5.45"),
                         ("tried", "6/33"): ("1.2.3.4", 8333, "1.2.3.4")})
    info = node.getaddrmaninfo()
    equal(list(info), ["ipv4", "ipv6", "onion", "i2p", "cjdns", "all_networks"])
    equal(info["ipv4"], {"new": 1, "tried": 1, "total": 2})
    equal(info["all_networks"], {"new": 2, "tried": 1, "total": 3})
    equal(len(node.getnodeaddresses(0)), 3)
    equal([a["address"] for a in node.getnodeaddresses(0, "IPv6")], ["2803:0:1234:abcd::1"])
    raises(-8, "Network not recognized: ether", node.getnodeaddresses, 1, "ether")
    raises(-8, "Address count out of range", node.getnodeaddresses, -1)

    before = places(node)
    node.stop()
    node.start()
    equal(places(node), before)

    node.stop()
    good = open(peers_dat, "rb").read()
    for damage, text in ((good[:-1], "AutoFile::read: end of file"), (good[:54] + bytes([good[54] ^ 1]) + good[55:], "Checksum mismatch, data corrupted"),
                         (good[:5] + b"\x00" + good[6:], "Corrupted addrman database: The compat value (0)"), (b"", "end of file")):
        open(peers_dat, "wb").write(damage)
        node.start_fails(text=text)
        equal(open(peers_dat, "rb").read(), damage)  # evidence is not overwritten
    open(peers_dat, "wb").write(good[:5] + b"\xff" + good[6:])
    node.start()
    equal(node.getnodeaddresses(0), [])
    assert open(peers_dat + ".bak", "rb").read().endswith(good[6:])


def node_place(node, address):
    return next(place for place, e in node.getrawaddrman()["new"].items() if e["address"] == address)


def as_map(t):
    # JUMP over the rest for addresses that begin with a one bit: there AS 3, else AS 2
    path = os.path.join(t.dir, "map")
    bits = "10" "0" "00000" "0" "0" "000000000000001" "0" "0" "000000000000010"
    open(path, "wb").write(bytes(sum(int(b) << i for i, b in enumerate(bits[at:at + 8])) for at in range(0, len(bits), 8)))
    node = t.node("-asmap=" + path, "-test=addrman")
    for address in ("1.2.3.4", "9.9.9.9", "2a00::1", "64:ff9b::102:304"):
        equal(node.addpeeraddress(address, 8333), {"success": True})
    equal({e["mapped_as"] for e in node.getrawaddrman()["new"].values()}, {2})
    equal(len({place.split("/")[0] for place in node.getrawaddrman()["new"]}), 1)  # one system, one bucket
    before = {p[0] for p in places(node).values()}
    peer = Peer(node)
    assert "mapped_as" not in node.getpeerinfo()[0]  # a local address belongs to nobody
    peer.close()
    node.stop()

    node.args = [a for a in node.args if not a.startswith("-asmap")]  # without the map they are put where prefixes say
    node.start()
    equal({p[0] for p in places(node).values()}, before)
    assert len({place.split("/")[0] for place in node.getrawaddrman()["new"]}) > 1
    node.stop()
    open(path, "ab").write(b"\x01")
    node.start_fails("-asmap=" + path, text='Could not parse asmap file "%s"' % path)
    node.start_fails("-asmap=nothing", text="Could not find asmap file \"%s\"" % os.path.join(node.net_dir, "nothing"))
    node.start_fails("-asmap", text="Embedded asmap data not available")


def bans(t):
    node = t.node()
    file = os.path.join(node.net_dir, "banlist.json")
    now = int(time.time())
    node.setmocktime(now)

    peer = Peer(node)
    node.setban("127.0.0.0/24", "add", 100)
    peer.wait_closed()
    Peer(node, handshake=False).wait_closed()
    assert "dropped (banned)" in node.log()
    raises(-23, "Error: IP/Subnet already banned", node.setban, "127.0.0.1/24", "add")
    raises(-23, "Error: IP/Subnet already banned", node.setban, "127.0.0.1", "add")
    node.setban("127.0.0.0/16", "add")  # not the same subnet
    raises(-30, "Error: Invalid IP/Subnet", node.setban, "127.0.0.0/33", "add")
    raises(-30, "Error: Invalid IP/Subnet", node.setban, "nobody", "add")
    raises(-8, "Error: Absolute timestamp is in the past", node.setban, "9.9.9.9", "add", now - 1, True)
    raises(-30, "Error: Unban failed", node.setban, "127.0.0.0", "remove")
    node.setban("9.9.9.9", "add", now + 50, True)
    node.setban("pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", "add", 100)
    equal(node.listbanned()[0], {"address": "9.9.9.9/32", "ban_created": now, "banned_until": now + 50, "ban_duration": 50,
                                 "time_remaining": 50})
    equal([b["address"] for b in node.listbanned()], ["9.9.9.9/32", "127.0.0.0/16", "127.0.0.0/24",
                                                      "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"])
    wait_until(lambda: len(json.load(open(file))["banned_nets"]) == 4, what="the bans are on disk")

    node.setmocktime(now + 51)
    equal(len(node.listbanned()), 3)
    node.kill()  # the file was written when the bans came
    node.start("-mocktime=%d" % (now + 51))
    equal([b["address"] for b in node.listbanned()][:2], ["127.0.0.0/16", "127.0.0.0/24"])
    node.setban("127.0.0.0/16", "remove")
    node.setmocktime(now + 101)
    Peer(node).sync()  # the last one that matters has ended
    node.setban("127.0.0.1", "add")
    node.clearbanned()
    equal(node.listbanned(), [])
    Peer(node).sync()
    node.stop()
    equal(json.load(open(file))["banned_nets"], [])

    open(file, "w").write("{")
    node.start()
    equal(node.listbanned(), [])
    assert "Recreating the banlist database" in node.log()
    node.stop()
    entry = {"version": 1, "ban_created": 1, "banned_until": now + 10**6, "address": "1.2.3.4/24"}
    json.dump({"banned_nets": [entry, dict(entry, version=2), dict(entry, address="x")]}, open(file, "w"))
    node.start()
    equal([b["address"] for b in node.listbanned()], ["1.2.3.0/24"])


def exempt(t):
    node = t.node("-whitelist=noban@127.0.0.1", "-bantime=7")
    now = int(time.time())
    node.setmocktime(now)
    node.setban("127.0.0.1", "add")
    equal(node.listbanned()[0]["banned_until"], now + 7)
    Peer(node).sync()


def run(t):
    address_manager(t)
    as_map(t)
    bans(t)
    exempt(t)


if __name__ == "__main__":
    main(run)
