"""With every kind of debug log and -logips, nothing that clients of the Electrum server do ties an address to whoever asked for it: no line has a
client's address, or what it asked for, be it answered, refused, told later or broken off."""
import hashlib
import os
import socket

from blocks import COIN, TRUE_ADDRESS, coins_of, spend
from electrumline import Client, ElectrumError, other_script, script_hash
from framework import SLOW, equal, free_port, main

FEE = 10_000


def ask(c, node, script, txid, raw):
    """Everything about one script."""
    mine, address = script_hash(script), node.decodescript(script.hex())["address"]
    for method in ("subscribe", "get_history", "get_balance", "get_mempool", "listunspent", "get_first_use", "get_status", "unsubscribe"):
        c.call("blockchain.scripthash." + method, mine)
        c.call("blockchain.address." + method, address)
    c.call("blockchain.address.get_scripthash", address)
    c.call("blockchain.scripthash.subscribe", mine)
    c.call("blockchain.address.subscribe", address)
    c.call("blockchain.transaction.get", txid)
    c.call("blockchain.transaction.get", txid, True)
    c.call("blockchain.utxo.get_info", txid, 0)
    c.batch([("blockchain.scripthash.get_history", mine), ("blockchain.scripthash.get_history", mine[:-1]), ("no.such", mine)])
    for bad in (("blockchain.scripthash.get_history", mine + "0"), ("blockchain.address.get_history", address + "x"),
                ("blockchain.transaction.get", "11" * 32), ("blockchain.transaction.get_merkle", txid, 5), ("blockchain.transaction.broadcast", raw[:-2])):
        try:
            c.call(*bad)
            raise AssertionError("%s was answered" % (bad,))
        except ElectrumError:
            pass
    return [mine, address, script.hex(), hashlib.sha256(script).hexdigest()]


def run(t):
    port, tls_port = free_port(), free_port()
    node = t.node("-electrum=127.0.0.1:%d" % port, "-electrumtls=127.0.0.1:%d" % tls_port, "-logips", "-txindex", "-logsourcelocations",
                  "-loglevel=trace")
    node.mine(110, TRUE_ADDRESS)
    said, seen = [], []
    for k, (at, version, tls) in enumerate(((port, "1.4.2", False), (tls_port, "1.6", os.path.join(node.net_dir, "electrum.crt"))), 1):
        script = other_script(k)[0]
        tx = spend(coins_of(node, k, k), [(50 * COIN - FEE, script)])
        node.sendrawtransaction(tx.hex())
        start = len(node.log())
        c = Client(at, version, tls=tls)
        seen.append("%s:%d" % c.s.getsockname()[:2])
        secrets = ask(c, node, script, tx.txid, tx.hex())
        said += secrets
        asked = node.log()[start:]
        equal((tx.txid in asked, tx.wtxid in asked), (False, False))  # later it is in a block, which is in the log
        node.mine(1, TRUE_ADDRESS)
        equal(c.note("blockchain.scripthash.subscribe")[0] in secrets, True)
        # Ends: by nonsense, in the middle of a line, while there is much to tell.
        c.send(b'{"id":1,"method":"blockchain.scripthash.get_history","params":["%s"' % secrets[0].encode())
        c.close()
        broken = socket.create_connection(("127.0.0.1", at), timeout=60 * SLOW)
        seen.append("%s:%d" % broken.getsockname())
        broken.sendall(b'{"id":1,"method":"blockchain.scripthash.%s' % secrets[0].encode() + b"\n")
        while True:
            try:
                if not broken.recv(4096):
                    break
            except ConnectionError:
                break
        broken.close()
    node.stop()
    for line in node.log().splitlines():
        for what in said + seen:
            if what in line:
                raise AssertionError("%s is in the log: %s" % (what, line))


main(run)
