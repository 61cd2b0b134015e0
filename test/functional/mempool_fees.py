"""Fee estimates: learned from blocks, kept in fees/ over restarts, refused when stale or damaged; the pool's own estimate and its histogram."""
import os

from blocks import COIN, TRUE_ADDRESS, coins_of, spend
from framework import equal, main, raises

FEE = 20000


def histogram(node):
    pool = node.getrawmempool(True)
    bins = node.getmempoolfeehistogram()
    equal(sum(size for _, size in bins), sum(e["vsize"] for e in pool.values()))
    equal([rate for rate, _ in bins], sorted((rate for rate, _ in bins), reverse=True))
    return bins


def run(t):
    node = t.node("-acceptnonstdtxn=1")
    nothing = node.estimatesmartfee(6)
    equal(nothing["errors"], ["Insufficient data or no feerate found"])
    equal(nothing["blocks"], 0)
    equal(nothing["mempool"], {"1": 0.000001, "3": 0.000001, "6": 0.000001})
    equal(node.estimatesmartfee(6, "unset", {"fee_rate_estimator": "MEMPOOL_policy"})["errors"],
          ["mempool_policy: Not enough recent block data for fee rate estimation"])
    raises(-8, "must be one of", node.estimatesmartfee, 6, "cheap")
    raises(-8, "Invalid conf_target, must be between 1 and 1008", node.estimatesmartfee, 0)
    raises(-8, "Invalid threshold", node.estimaterawfee, 6, 1.01)
    raises(-3, "Unexpected key x", node.estimatesmartfee, 6, "unset", {"x": 1})
    equal(node.getmempoolfeehistogram(), [])

    node.generatetoaddress(250, TRUE_ADDRESS)
    coins = coins_of(node, 1, 130)
    for _ in range(13):  # ten a block, all mined at once
        for _ in range(10):
            tx = spend([coins.pop()], [50 * COIN - FEE])
            txid = node.sendrawtransaction(tx.hex(), 0)
        rate = round(FEE * 1000 // node.getmempoolentry(txid)["vsize"] / COIN, 8)
        equal(len(histogram(node)), 1)
        equal(histogram(node)[0][0], rate * 1e5)
        node.generatetoaddress(1, TRUE_ADDRESS)
    blocks = {"fee_rate_estimator": "block_policy"}
    equal(node.estimatesmartfee(2, "economical", blocks)["feerate"], rate)
    equal(node.estimatesmartfee(100, "conservative", blocks)["blocks"], 6)
    raw = node.estimaterawfee(2)
    equal(sorted(raw), ["long", "medium", "short"])
    for name in ("short", "medium"):
        equal(raw[name]["feerate"], rate)
        equal(raw[name]["pass"]["withintarget"], raw[name]["pass"]["totalconfirmed"])
    equal(raw["long"]["errors"], ["Insufficient data or no feerate found which meets threshold"])  # 145 are the least there
    either = node.estimatesmartfee(2, "economical", {"verbosity": 2})
    equal((either["estimator"], either["feerate"], either["blocks"]), ("mempool_policy", 0.000001, 2))  # nothing waits
    window = either["mempool_health_statistics"]
    equal([b["block_height"] for b in window], [263, 262, 261, 260, 259, 258])
    equal(window[0]["block_weight"], window[0]["mempool_txs_weight"])

    # Over a restart, and from the place where older nodes kept the file.
    folder = os.path.join(node.dir, "regtest", "fees")
    path, old = os.path.join(folder, "block_policy_estimates.dat"), os.path.join(node.dir, "regtest", "fee_estimates.dat")
    node.stop()
    equal(sorted(os.listdir(folder)), ["block_policy_estimates.dat", "mempool_policy_estimator.dat"])
    os.rename(path, old)
    node.start()
    equal(os.path.exists(old), False)
    equal(node.estimaterawfee(2), raw)
    equal(node.estimatesmartfee(2, "economical", {"verbosity": 2})["mempool_health_statistics"], window)
    os.remove(path)
    node.mockscheduler(3600)  # written hourly
    equal(os.path.exists(path), True)

    node.stop()
    before = os.path.getmtime(path) - 61 * 3600
    os.utime(path, (before, before))
    node.start()
    equal("errors" in node.estimatesmartfee(2), True)
    node.stop()  # writes what it knows: nothing
    with open(path, "r+b") as f:
        f.truncate(1000)
    node.start()
    equal("errors" in node.estimatesmartfee(2), True)
    equal("Failed to read fee estimates" in node.log(), True)
    node.stop()
    node.start("-blocksonly")
    raises(-32603, "Fee estimation disabled", node.estimatesmartfee, 2)
    raises(-32603, "Fee estimation disabled", node.estimaterawfee, 2)
    equal(node.getmempoolfeehistogram(), [])
    node.stop()

    main_chain = t.node(start=False, chain="main")
    main_chain.start_fails("-acceptstalefeeestimates", text="acceptstalefeeestimates is not supported on main chain.")


main(run)
