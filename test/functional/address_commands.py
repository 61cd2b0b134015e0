"""The commands of -addressindex: each takes scripts in every form and counts what is named twice once; bounds of height and pages; coinbases become
mature when the next block may spend them; options that a command does not know and an index that is not there are errors."""
import glob
import os

from address_index import INNER, KINDS, TPRV, synced
from blocks import TRUE_ADDRESS, TRUE_OUTPUT, TRUE_SCRIPT, Tx
from framework import RpcError, contains, equal, main, raises

MATURITY = 100
COMMANDS = ("getaddressbalance", "getaddressutxos", "getaddresshistory", "getaddresstxids", "getaddressmempool", "getaddressdeltas")
LISTS = {"getaddressutxos": "utxos", "getaddresshistory": "history", "getaddresstxids": "txids", "getaddressmempool": "deltas",
         "getaddressdeltas": "deltas"}


def ask(node, command, *args):
    return getattr(node, command)(*args)


def rows(node, command, *args):
    return ask(node, command, *args)[LISTS[command]]


def pay(node, coin, outputs, fee=2000):
    """Spends an output of a script that anyone may spend; what is left goes to the first output. Returns: the transaction, in the mempool."""
    txid, n, value, script = coin
    first, rest = outputs[0], outputs[1:]
    outs = [(value - fee - sum(v for v, _ in rest), first)] + rest
    tx = Tx([(txid, n, 0xfffffffd, b"", [INNER[script.hex()]])], outs)
    node.sendrawtransaction(tx.hex(), 0)
    return tx


def forms(node, t):
    """One key by all ways: as many answers as there are commands, each the same for all of them."""
    tpub = node.getdescriptorinfo("pkh(%s)" % TPRV)["descriptor"].split("(")[1].split(")")[0]
    plain = "wpkh(%s/0/*)" % tpub
    descriptor = node.getdescriptorinfo(plain)["descriptor"]
    addresses = node.deriveaddresses(descriptor, [0, 9])
    address = addresses[3]
    script = node.validateaddress(address)["scriptPubKey"]
    single = node.getdescriptorinfo("wpkh(%s/0/3)" % tpub)["descriptor"]
    node.mine(2, address)
    node.mine(1, TRUE_ADDRESS)
    coin = next(u for u in node.getaddressutxos(TRUE_ADDRESS)["utxos"] if u["confirmations"] >= MATURITY)
    pay(node, (coin["txid"], coin["outputIndex"], coin["satoshis"], TRUE_OUTPUT), [TRUE_OUTPUT, (70000, bytes.fromhex(script)), (30000, bytes.fromhex(script))])
    synced(node)
    same = [script, "addr(%s)" % address, "raw(%s)" % script, single, {"desc": single}, {"desc": plain, "range": [3, 3]}, {"desc": descriptor, "range": [3, 5]},
            {"desc": descriptor, "range": 8}, {"desc": tpub, "range": [0, 3]}, [address], [address, address],
            [address, script, single, {"desc": tpub, "range": 3}], [{"desc": tpub, "range": 5}, {"desc": descriptor, "range": 4}, "addr(%s)" % address]]
    for command in COMMANDS:
        one = ask(node, command, address)
        if command in LISTS:
            assert one[LISTS[command]], command
        for form in same:
            equal(ask(node, command, form), one)
        old = ask(node, command, {"addresses": [address]})
        for form in same:
            equal(ask(node, command, {"addresses": form if isinstance(form, list) else [form]}), old)
        # the range that leaves it out
        none = ask(node, command, {"desc": descriptor, "range": [4, 9]})
        equal(none["balance"] if command == "getaddressbalance" else none[LISTS[command]], [] if command in LISTS else 0)
    one = node.getaddressbalance(address)
    for whole in (tpub, descriptor, [tpub, address, descriptor]):  # as far as a range goes that nobody gave
        equal(node.getaddressbalance(whole), one)
    balance = node.getaddressbalance([tpub, address])
    equal((balance["unconfirmed"], balance["txs"], balance["utxos"], balance["immature"]), (100000, 2, 2, balance["balance"]))
    equal([d["satoshis"] for d in rows(node, "getaddressmempool", [{"desc": tpub, "range": 5}, address])], [70000, 30000])
    history = rows(node, "getaddresshistory", [{"desc": tpub, "range": 5}, address])
    equal([(h["received"], h["height"]) for h in history[-1:]], [(100000, 0)])
    node.mine(1, TRUE_ADDRESS)


def maturity(node):
    """Immature is what a transaction may not spend, to the block."""
    inner, script = KINDS[7]
    address = node.decodescript(script.hex())["address"]
    node.mine(1, address)
    coin = node.getaddressutxos(address)["utxos"][0]
    value = coin["satoshis"]
    equal(coin["coinbase"], True)
    node.mine(MATURITY - 2, TRUE_ADDRESS)
    tx = Tx([(coin["txid"], coin["outputIndex"], 0xfffffffd, b"", [inner])], [(value - 2000, TRUE_OUTPUT)])
    balance = node.getaddressbalance(address)
    equal((balance["immature"], balance["confirmed"]), (value, 0))
    raises(-26, "bad-txns-premature-spend-of-coinbase", node.sendrawtransaction, tx.hex())
    node.mine(1, TRUE_ADDRESS)
    balance = node.getaddressbalance(address)
    equal((balance["immature"], balance["confirmed"], balance["unconfirmed"]), (0, value, 0))
    node.sendrawtransaction(tx.hex())
    equal(node.getaddressbalance(address)["unconfirmed"], -value)
    lost = node.getbestblockhash()
    node.invalidateblock(lost)
    equal(node.getrawmempool(), [])
    balance = node.getaddressbalance(address)
    equal((balance["immature"], balance["confirmed"], balance["unconfirmed"]), (value, 0, 0))
    node.reconsiderblock(lost)
    equal(node.getaddressbalance(address)["immature"], 0)


def bounds(node):
    """Each list between heights is that part of the whole."""
    top = node.getblockcount()
    for command in ("getaddressutxos", "getaddresshistory", "getaddressdeltas", "getaddresstxids"):
        whole = rows(node, command, TRUE_ADDRESS, {"limit": 100000})
        heights = [r["height"] for r in rows(node, "getaddresshistory", TRUE_ADDRESS, {"limit": 100000})] if command == "getaddresstxids" \
            else [r["height"] for r in whole]
        for start, end in ((0, top), (50, 60), (60, 60), (top, top), (0, 0), (77, None), (None, 77), (top + 1, top + 9)):
            given = {k: v for k, v in (("start", start), ("end", end)) if v is not None}
            part = [r for r, h in zip(whole, heights) if (start or 0) <= h <= (top if end is None else end)]
            equal(rows(node, command, TRUE_ADDRESS, {"limit": 100000, **given}), part)
            old = ask(node, command, {"addresses": [TRUE_ADDRESS], **given})
            equal(len(old["history"] if command == "getaddresshistory" else old), len(part))
        collected, cursor = [], {}
        while True:
            answer = ask(node, command, TRUE_ADDRESS, {"limit": 7, "start": 20, "end": 90, **cursor})
            collected += answer[LISTS[command]]
            if "next" not in answer:
                break
            cursor = {"cursor": answer["next"]}
        equal(collected, [r for r, h in zip(whole, heights) if 20 <= h <= 90])


def mempool_pages(node):
    """Transactions in the order in which they came, whole ones, and on from where a page ended though it was mined meanwhile."""
    coins = [u for u in node.getaddressutxos(TRUE_ADDRESS, {"limit": 100000})["utxos"] if u["confirmations"] >= MATURITY and u["satoshis"] > 100000][:6]
    target, script = KINDS[9][1], KINDS[9][1].hex()
    now = node.getblockheader(node.getbestblockhash())["time"] + 1
    sent = []
    for i, coin in enumerate(coins):
        node.setmocktime(now + i // 2)  # two of the same second each
        sent.append(pay(node, (coin["txid"], coin["outputIndex"], coin["satoshis"], TRUE_OUTPUT), [TRUE_OUTPUT, (5000 + i, target), (6000 + i, target)]))
    whole = rows(node, "getaddressmempool", script)
    equal(ask(node, "getaddressmempool", {"addresses": [script]}), whole)
    equal([d["timestamp"] for d in whole], sorted(d["timestamp"] for d in whole))
    equal(sorted((d["txid"], d["index"], d["satoshis"]) for d in whole),
          sorted((tx.txid, n, tx.outputs[n][0]) for tx in sent for n in (1, 2)))
    for limit in (1, 2, 4, 5, 6, 7):
        collected, cursor = [], {}
        while True:
            answer = node.getaddressmempool(script, {"limit": limit, **cursor})
            equal((answer["height"], answer["hash"]), (node.getblockcount(), node.getbestblockhash()))
            page = answer["deltas"]
            assert len({d["txid"] for d in page}) <= limit
            collected += page
            if "next" not in answer:
                break
            equal(len({d["txid"] for d in page}), limit)
            cursor = {"cursor": answer["next"]}
        equal(collected, whole)
    equal(node.getaddressmempool({"addresses": [script], "limit": 2})["deltas"], whole[:4])
    equal(node.getaddressmempool([script, TRUE_ADDRESS], {"limit": 100})["deltas"] != whole, True)
    # the one that the cursor names goes away
    first = node.getaddressmempool(script, {"limit": 2})
    gone = next(tx for tx in sent if tx.txid == whole[4]["txid"])
    node.generateblock(TRUE_ADDRESS, [gone.hex()])
    equal(node.getaddressmempool(script, {"cursor": first["next"]})["deltas"], whole[6:])
    for wrong in ("7", "x:" + "00" * 32, "1:00", ":", "-1:" + "00" * 32, "3:4"):
        raises(-8, "A cursor is what", node.getaddressmempool, script, {"cursor": wrong})
    node.mine(1, TRUE_ADDRESS)
    equal(node.getaddressmempool(script, {"cursor": first["next"]})["deltas"], [])
    node.setmocktime(0)


def errors(t, node):
    """Options that a command has no use for; the index that is not there."""
    for command, key in (("getaddressbalance", "limit"), ("getaddressbalance", "cursor"), ("getaddressmempool", "start"), ("getaddressmempool", "end"),
                         ("getaddresshistory", "chainInfo"), ("getaddressdeltas", "page")):
        value = "1:1" if key == "cursor" else 1
        raises(-8, "Unexpected key " + key, getattr(node, command), TRUE_ADDRESS, {key: value})
        if key != "chainInfo":
            raises(-8, "Unexpected key " + key, getattr(node, command), {"addresses": [TRUE_ADDRESS], key: value})
    for command in COMMANDS:
        raises(-5, "", getattr(node, command), [TRUE_ADDRESS, "nonsense"])
        raises(-8, "No address", getattr(node, command), [])
    plain = t.node("-txindex")
    for command in COMMANDS:
        raises(-1, "-addressindex", getattr(plain, command), TRUE_ADDRESS)
    plain.stop()


def went_back_twice(t):
    """While the tip is old: blocks go and come again without another branch, and go to another place; every answer is that of the tip."""
    node = t.node("-addressindex")
    now = node.getblockheader(node.getbestblockhash())["time"]
    node.setmocktime(now + 60)
    node.mine(20, TRUE_ADDRESS)
    node.setmocktime(0)
    node.stop()
    node.start()
    synced(node)
    equal(node.getblockchaininfo()["initialblockdownload"], True)
    value = node.getaddressbalance(TRUE_ADDRESS)["balance"] // 20
    for low, high in ((11, 15), (3, 19), (18, 20)):
        hashes = [node.getblockhash(h) for h in (low, high)]
        node.invalidateblock(hashes[0])
        equal(node.getaddressbalance(TRUE_ADDRESS)["balance"], (low - 1) * value)
        node.reconsiderblock(hashes[0])
        node.invalidateblock(hashes[1])
        balance = node.getaddressbalance(TRUE_ADDRESS)
        equal((balance["height"], balance["balance"], balance["immature"]), (high - 1, (high - 1) * value, (high - 1) * value))
        node.reconsiderblock(hashes[1])
        balance = node.getaddressbalance(TRUE_ADDRESS)
        equal((balance["height"], balance["balance"], balance["immature"], balance["utxos"]), (20, 20 * value, 20 * value, 20))
    node.stop()


def damaged_table(node):
    """A byte of the largest table is another: either the start sees it or whoever reads it is told, and a later start has built the index anew."""
    keys = [script.hex() for _, script in KINDS] + [TRUE_ADDRESS]

    def answers():
        said = []
        for key in keys:
            for command in ("getaddressbalance", "getaddresshistory", "getaddressutxos"):
                try:
                    said.append(getattr(node, command)(key, *([] if command == "getaddressbalance" else [{"limit": 100000}])))
                except RpcError as error:
                    equal((error.code, error.message), (-20, "The address index is damaged: it is built anew at the next start of the node"))
                    said.append(None)
        return said

    before = answers()
    node.stop()
    node.start()
    synced(node)
    node.stop()
    tables = glob.glob(os.path.join(node.net_dir, "indexes", "addressindex", "*.ldb"))
    path = max(tables, key=os.path.getsize)
    with open(path, "r+b") as f:
        data = bytearray(f.read())
        for at in range(2000, len(data) - 2000, 3000):  # of each block of the table
            data[at] ^= 1
        f.seek(0)
        f.write(data)
    node.start()
    synced(node)
    found = None in answers()
    node.stop()
    node.start()
    synced(node)
    equal(answers(), before)
    contains(node.log(), "built anew")
    return found


def run(t):
    node = t.node("-addressindex")
    node.mine(110, TRUE_ADDRESS)
    forms(node, t)
    maturity(node)
    bounds(node)
    mempool_pages(node)
    errors(t, node)
    damaged_table(node)
    went_back_twice(t)


if __name__ == "__main__":
    main(run)
