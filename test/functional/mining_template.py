"""getblocktemplate keeps its template: a new tip changes it at once, a changed pool after five seconds; long polls; what miners read."""
import json
import threading
import time

from blocks import COIN, TRUE_ADDRESS, Block, coinbase, coins_of, spend, subsidy
from framework import Node, contains, equal, main, raises, wait_until

RULES = {"rules": ["segwit"]}


def ids(node):
    return [tx["txid"] for tx in node.getblocktemplate(RULES)["transactions"]]


def cached(node, now):
    coins = coins_of(node, 1, 3)
    first, second = (spend([coin], [49 * COIN]) for coin in coins[:2])
    node.sendrawtransaction(first.hex(), 0)
    equal(ids(node), [first.txid])
    before = node.getblocktemplate(RULES)
    node.sendrawtransaction(second.hex(), 0)
    node.setmocktime(now + 5)
    same = node.getblocktemplate(RULES)
    equal([tx["txid"] for tx in same["transactions"]], [first.txid])
    equal(same["longpollid"], before["longpollid"])
    equal(same["curtime"], now + 5)  # the time moves on in any case
    node.setmocktime(now + 6)
    other = node.getblocktemplate(RULES)
    equal(sorted(tx["txid"] for tx in other["transactions"]), sorted([first.txid, second.txid]))
    equal(other["longpollid"] == before["longpollid"], False)
    equal(other["coinbasevalue"], subsidy(other["height"]) + 2 * COIN)
    # Nothing has changed: nothing is made, however late it is.
    node.setmocktime(now + 3600)
    equal(node.getblocktemplate(RULES)["longpollid"], other["longpollid"])
    # A fee delta is a change.
    node.prioritisetransaction(second.txid, None, -COIN)
    node.setmocktime(now + 3607)
    equal(ids(node), [first.txid])
    node.prioritisetransaction(second.txid, None, COIN)
    # A new tip counts at once, with what the pool has then.
    (tip,) = node.generatetoaddress(1, TRUE_ADDRESS)
    equal(node.getrawmempool(), [])
    third = spend([(first.txid, 0)], [48 * COIN])
    node.sendrawtransaction(third.hex(), 0)
    after = node.getblocktemplate(RULES)
    equal((after["previousblockhash"], [tx["txid"] for tx in after["transactions"]]), (tip, [third.txid]))
    node.invalidateblock(tip)
    equal(set(ids(node)), {first.txid, second.txid, third.txid})
    node.reconsiderblock(tip)
    equal(ids(node), [third.txid])


def poll(node, request, results):
    other = Node.__new__(Node)
    other.__dict__.update(node.__dict__, connection=None)
    body = {"jsonrpc": "2.0", "id": 1, "method": "getblocktemplate", "params": [request]}
    results.append((json.loads(other.post(json.dumps(body))[1])["result"], time.monotonic()))


def waiting(node):
    return sum(1 for c in node.getrpcinfo()["active_commands"] if c["method"] == "getblocktemplate")


def long_poll(node):
    now = node.getblocktemplate(RULES)
    # An id of another tip, and one that names none: answered at once.
    equal(node.getblocktemplate({**RULES, "longpollid": "11" * 32 + "0"})["longpollid"], now["longpollid"])
    raises(-8, "longpollid must be of length 64 (not 3, for 'abc')", node.getblocktemplate, {**RULES, "longpollid": "abc"})
    raises(-8, "longpollid must be hexadecimal string", node.getblocktemplate, {**RULES, "longpollid": "x" * 64})
    results = []
    threads = [threading.Thread(target=poll, args=(node, {**RULES, "longpollid": i}, results)) for i in (now["longpollid"], True)]
    for thread in threads:
        thread.start()
    wait_until(lambda: waiting(node) == 2, what="two long polls")
    node.sendrawtransaction(spend([coins_of(node, 3, 3)[0]], [49 * COIN]).hex(), 0)
    equal(waiting(node), 2)  # a transaction alone is no reason before the minute is over
    (tip,) = node.generatetoaddress(1, TRUE_ADDRESS)
    done = time.monotonic()
    for thread in threads:
        thread.join()
    for result, when in results:
        equal((result["previousblockhash"], result["transactions"]), (tip, []))
        equal(when - done < 20, True)


def fields(node):
    """What the programs read that miners use (cpuminer, ckpool, DATUM, public-pool)."""
    coins = coins_of(node, 4, 5)
    parent = spend([coins[0]], [49 * COIN])
    child = spend([coins[1], (parent.txid, 0)], [96 * COIN])
    for tx in (parent, child):
        node.sendrawtransaction(tx.hex(), 0)
    node.generatetoaddress(1, TRUE_ADDRESS)
    grand = spend([(child.txid, 0)], [95 * COIN])
    node.sendrawtransaction(grand.hex(), 0)
    request = {"capabilities": ["coinbasetxn", "workid", "coinbase/append"], "rules": ["segwit"]}
    made = node.getblocktemplate(template_request=request)
    for name, kind in (("version", int), ("curtime", int), ("mintime", int), ("height", int), ("coinbasevalue", int), ("sigoplimit", int),
                       ("sizelimit", int), ("weightlimit", int), ("bits", str), ("target", str), ("previousblockhash", str), ("rules", list),
                       ("mutable", list), ("default_witness_commitment", str), ("noncerange", str)):
        equal((name, type(made[name]), bool(made[name])), (name, kind, True))
    equal(made["coinbaseaux"], {"flags": ""})
    equal((made["sigoplimit"], made["sizelimit"], made["weightlimit"]), (80000, 4000000, 4000000))
    equal(len(made["bits"]), 8)
    (tx,) = made["transactions"]
    equal((tx["txid"], tx["hash"], tx["data"], tx["fee"], tx["depends"]), (grand.txid, grand.wtxid, grand.hex(), COIN, []))
    equal(tx["weight"], 3 * len(grand.encode(False)) + len(grand.encode()))
    contains(made["rules"], "!segwit")
    for rules in ([1], ["segwit", {}]):
        raises(-3, "is not of expected type string", node.getblocktemplate, {"rules": rules})
    raises(-8, "rule set", node.getblocktemplate, {"rules": []})
    raises(-8, "Invalid mode", node.getblocktemplate, {"mode": 1, "rules": ["segwit"]})
    raises(-3, "Missing data String key for proposal", node.getblocktemplate, {"mode": "proposal"})
    block = Block(made["previousblockhash"], made["height"], made["curtime"], [grand], base=coinbase(made["height"], made["coinbasevalue"]))
    equal(node.submitblock(block.solve().hex()), None)


def limits(t):
    node = t.node("-blockmaxweight=20000", "-blockreservedweight=2000", "-blockmintxfee=0.001", "-printpriority=1")
    node.generatetoaddress(104, TRUE_ADDRESS)
    coins = coins_of(node, 1, 4)
    cheap = spend([coins[0]], [50 * COIN - 100])
    big = spend([coins[1]], [(49 * COIN, b"\x6a\x4d" + (8000).to_bytes(2, "little") + bytes(8000))])
    small = spend([coins[2]], [50 * COIN - 90000])
    for tx in (cheap, big, small):
        node.sendrawtransaction(tx.hex(), 0, 50)
    equal(ids(node), [small.txid])
    info = node.getmininginfo()
    equal((info["currentblocktx"], info["pooledtx"], float(info["blockmintxfee"])), (1, 3, 0.001))
    contains(node.log(), "BTC/kvB txid " + small.txid)
    node.generateblock(TRUE_ADDRESS, [cheap.txid])
    info = node.getmininginfo()
    equal((info["currentblocktx"], info["currentblockweight"]), (0, 2000))  # what is listed is not chosen
    node.stop()
    for option, text in (("-blockreservedweight=1999", "-blockreservedweight (1999) is lower than minimum safety value of (2000)"),
                         ("-blockreservedweight=4000001", "-blockreservedweight (4000001) exceeds consensus maximum block weight (4000000)"),
                         ("-blockmaxweight=4000001", "-blockmaxweight (4000001) exceeds consensus maximum block weight (4000000)"),
                         ("-blockmaxweight=1000", "-blockreservedweight (2000) exceeds -blockmaxweight (1000)"),
                         ("-blockmintxfee=x", "Invalid amount for -blockmintxfee=<amount>: 'x'")):
        node.start_fails(option, text=text)


def run(t):
    node = t.node()
    now = int(time.time())
    node.setmocktime(now)
    node.generatetoaddress(110, TRUE_ADDRESS)
    now += 1000  # past the median of the blocks, which are a second apart
    node.setmocktime(now)
    cached(node, now)
    long_poll(node)
    fields(node)
    node.stop()
    limits(t)


main(run)
