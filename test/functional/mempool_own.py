"""A transaction that came in through RPC is announced again until a peer has fetched it; relay fees as they are in force; the pool's clusters."""
import time

from framework import equal, main, raises, wait_until

WIF = "cUeKHd5orzT3mz8P9pxyREHfsWtVfgsfDjiZZBcjUBAaGk1BTj7N"


def run(t):
    a = t.node("-incrementalrelayfee=0.00000234")
    b = t.node()
    equal(a.getmempoolinfo()["minrelaytxfee"], 0.00000234)
    equal(a.getnetworkinfo()["relayfee"], 0.00000234)
    equal(a.getnetworkinfo()["incrementalfee"], 0.00000234)

    address = a.deriveaddresses(a.getdescriptorinfo("wpkh(%s)" % WIF)["descriptor"])[0]
    a.generatetoaddress(1, address)
    a.mine(100)
    coin = a.getblock(a.getblockhash(1))["tx"][0]
    raw = a.createrawtransaction([{"txid": coin, "vout": 0}], [{address: "49.999"}])
    txid = a.sendrawtransaction(a.signrawtransactionwithkey(raw, [WIF])["hex"])
    equal(a.getmempoolentry(txid)["unbroadcast"], True)
    weight = a.getmempoolentry(txid)["weight"]
    equal(a.getmempoolcluster(txid), {"clusterweight": weight, "txcount": 1,
                                      "chunks": [{"chunkfee": 0.001, "chunkweight": weight, "txs": [txid]}]})

    a.connect(b)
    wait_until(lambda: b.getblockcount() == 101, what="blocks")
    saved = a.savemempool()["filename"]
    a.stop()  # the mark survives
    a.start()
    equal(a.getmempoolinfo()["unbroadcastcount"], 1)
    a.mockscheduler(15 * 60)  # also as the first thing after a start
    wait_until(lambda: "Announcing 1 transactions again that no peer has taken yet" in a.log(), 5, "the announcement to nobody")
    now = int(time.time()) - 400 * 86400  # a clock that is set changes nothing about it
    a.setmocktime(now)
    a.connect(b)

    def fetched():
        nonlocal now
        now += 10  # not so much at a time that pings are overdue
        a.setmocktime(now)
        a.mockscheduler(15 * 60)
        return txid in b.getrawmempool()
    wait_until(fetched, what="the announcement")
    equal(b.importmempool(saved), {})  # there already; marks are taken over only if asked for
    equal(b.getmempoolinfo()["unbroadcastcount"], 0)
    equal(b.importmempool(saved, {"apply_unbroadcast_set": True}), {})
    equal(b.getmempoolinfo()["unbroadcastcount"], 1)
    raises(-1, "Unable to import mempool file", b.importmempool, saved + ".none")
    wait_until(lambda: a.getmempoolinfo()["unbroadcastcount"] == 0, what="the end of the announcements")
    equal(a.getmempoolentry(txid)["unbroadcast"], False)


main(run)
