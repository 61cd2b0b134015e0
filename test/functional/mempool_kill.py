"""kill -9 with a full mempool: the next start loads what was last saved. In the middle of a save: the old file or the new one, never a broken one."""
import os
import threading
import time

from blocks import COIN, TRUE_ADDRESS, coins_of, spend
from framework import RpcError, equal, main

SIZE = 95000  # of a transaction: 5 MB are full soon
KILLS = 12


class Sender:
    """Large transactions, each better paid than the one before."""

    def __init__(self, node):
        node.generatetoaddress(240, TRUE_ADDRESS)
        self.node = node
        self.coins = coins_of(node, 1, 130)
        self.rate = 1

    def send(self):
        self.rate += 1
        data = b"\x6a\x4d" + (SIZE - 200).to_bytes(2, "little") if SIZE < 65536 else b"\x6a\x4e" + (SIZE - 200).to_bytes(4, "little")
        tx = spend([self.coins.pop()], [(0, data + bytes(SIZE - 200)), 50 * COIN - self.rate * SIZE])
        return self.node.sendrawtransaction(tx.hex(), 0)


def no_errors(node, since):
    for line in node.log()[since:].splitlines():
        for word in ("[error]", "[warning]", "Failed", "orrupt"):
            if word in line:
                raise AssertionError(line)


def restart(node):
    """Returns: the pool that was loaded, once it is."""
    since = len(node.log())
    node.start()
    while not node.getmempoolinfo()["loaded"]:
        time.sleep(0.01)
    no_errors(node, since)
    return set(node.getrawmempool())


def run(t):
    node = t.node("-maxmempool=5", "-debug=0")
    sender = Sender(node)
    node.gettxoutsetinfo()  # writes the coins to the disk: without them the transactions would spend nothing
    while node.getmempoolinfo()["mempoolminfee"] == node.getmempoolinfo()["minrelaytxfee"]:
        sender.send()
    saved = set(node.getrawmempool())
    path = node.savemempool()["filename"]
    for _ in range(3):  # each pushes another one out
        sender.send()
    assert set(node.getrawmempool()) != saved
    node.kill()
    equal(restart(node), saved)

    outcomes = set()
    old = saved
    for i in range(KILLS):
        sender.send()
        new = set(node.getrawmempool())

        def save():
            try:
                node.savemempool()
            except (OSError, RpcError, ValueError, AttributeError, TypeError):
                pass  # it is killed meanwhile
            except Exception as error:  # http.client's, of an answer that does not come
                assert type(error).__module__ == "http.client", error

        before = os.stat(path)
        thread = threading.Thread(target=save)
        thread.start()
        if i % 3 == 0:  # as soon as it writes
            while not os.path.exists(path + ".new") and os.stat(path).st_ino == before.st_ino:
                pass
        else:
            time.sleep(0.002 * i)
        process = node.process
        process.kill()
        thread.join()
        node.wait_end()
        pool = restart(node)
        assert pool in (old, new), (len(pool), len(old), len(new))
        outcomes.add(pool == new)
        # What is loaded may be the old one: from now on that is what the file holds.
        old = pool
    print("after %d kills in a save: %s" % (KILLS, sorted("new file" if o else "old file" for o in outcomes)))
    node.stop()
    equal(restart(node), old)


main(run)
