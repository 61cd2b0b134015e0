"""A fixed random stream of transactions, packages, questions, blocks and reorganisations against one node that checks its mempool at every step.
What is built sound must be accepted, a known fault must be called by its name, the pool's sums must be those of its transactions; and all verdicts
together must be the ones that Bitcoin Core 31.99 gave (--program shows those of another daemon; test/network/mempool_diff.py finds differences)."""
import hashlib
import json
import sys

import txgen
from blocks import COIN, TRUE_OUTPUT, subsidy
from framework import RpcError, call, equal, main
from txstream import Stream

SEED, ROUNDS, CALLS = 7, 15, 100
VERDICTS = "0b5dee5c1b035f33218e11451f2a740e"

NAMED = [(txgen.with_output(-1, TRUE_OUTPUT), "bad-txns-vout-negative"), (txgen.with_output(21_000_000 * COIN + 1, TRUE_OUTPUT), "bad-txns-vout-toolarge"),
         (txgen.with_output(2**63 - 1, TRUE_OUTPUT), "bad-txns-vout-toolarge"), (txgen.with_output(500 * COIN, TRUE_OUTPUT), "bad-txns-in-belowout"),
         (txgen.with_output(1000, b"\x51" * 34), "scriptpubkey"), (txgen.two_dusts, "dust"), (txgen.witness(lambda g, w: [*w, b"\x50"]), "mempool-script-verify-flag-failed"),
         (txgen.witness(lambda g, w: [b"\x01", *w]), "mempool-script-verify-flag-failed"), (txgen.sig(lambda g, e: b"\x61"), "scriptsig-not-pushonly"),
         (txgen.sig(lambda g, e: b"\x51" * 1651), "scriptsig-size"), (txgen.locked(lambda g: 0xfffffffe, lambda g: g.height + 1), "non-final"),
         (txgen.locked(lambda g: 0xffff, lambda g: 0), "non-BIP68-final"), (lambda g, base, coin: txgen.changed(g, base, inputs=base.tx.inputs * 2), "bad-txns-inputs-duplicate"),
         (lambda g, base, coin: txgen.changed(g, base, outputs=[]), "bad-txns-vout-empty"), (lambda g, base, coin: txgen.changed(g, base, version=4), "version"),
         (lambda g, base, coin: g.build([coin], [g.true], 50), "min relay fee not met"), (lambda g, base, coin: g.build([g.missing()], [g.true], 1000), "bad-txns-inputs-missingorspent")]


def true_coin(g, node):
    """A mature confirmed coin that is spent by OP_TRUE and by nobody yet (the generator forgets what malformed transactions spent)."""
    while True:
        coin = g.confirmed()
        if coin.kind is g.true and (not coin.height or coin.height + 100 <= g.height) and node.gettxout(*coin.point):
            return coin


def by_construction(stream, node):
    """One that must be good and one that must be bad."""
    g = stream.g
    good = g.build([true_coin(g, node)], [g.true, g.true], g.r.choice((100, 1000, 2000)))
    equal(stream.ask("sendrawtransaction", good.hex, 0), ("ok", good.txid))
    stream.m.add(good)
    coin = true_coin(g, node)
    fault, reason = g.r.choice(NAMED)
    answer = stream.ask("sendrawtransaction", fault(g, g.build([coin], [g.true, g.true], 1000), coin).hex, 0)
    if answer[0] != "error" or not answer[2].startswith(reason):
        raise AssertionError("%r instead of %s" % (answer, reason))


def sums(node, stream):
    """The pool as a whole is what its transactions make of it."""
    entries, info, m = node.getrawmempool(True), node.getmempoolinfo(), stream.m
    m.sync_pool(set(entries))
    equal(info["size"], len(entries))
    if set(m.pool) != set(entries):
        return  # a malformed one was sound after all
    equal(round(info["total_fee"] * COIN), sum(item.fee for item in m.pool.values()))
    for txid, e in entries.items():
        item = m.pool[txid]
        equal(round(e["fees"]["base"] * COIN), item.fee)
        equal(e["vsize_bip141"], item.vsize)
        equal(e["ancestorcount"], len(stream.closure(item, [])))
        equal(e["descendantcount"], len(stream.g.family(item)))
        equal(sorted(e["spentby"]), sorted({m.spent[c.point] for c in item.outputs if c.point in m.spent}))


def no_name_twice(node, stream):
    """The results of a package that holds a transaction twice: objects of JSON have each name once."""
    g = stream.g
    parent = g.build([true_coin(g, node)], [g.true], 1000)
    child = g.build(parent.outputs, [g.true], 1000)
    _, text = node.post(json.dumps({"id": 1, "method": "submitpackage", "params": [[parent.hex, parent.hex, child.hex]]}))
    equal(json.loads(text)["result"]["package_msg"], "package-contains-duplicates")
    equal(text.count('"%s":' % parent.tx.wtxid), 1)


def run(t):
    program = sys.argv[2] if sys.argv[1:2] == ["--program"] else None
    node = t.node("-checkmempool=1", "-acceptnonstdtxn=0", "-persistmempool=0", program=program, debug="none")
    digest = hashlib.sha256()

    def ask(method, *params):
        try:
            answer = "ok", call(node, method, *params)
        except RpcError as error:
            answer = "error", error.code, error.message
        if method in ("sendrawtransaction", "testmempoolaccept", "submitpackage", "submitblock"):
            said = dict(answer[1], **{"replaced-transactions": sorted(answer[1]["replaced-transactions"])}) if method == "submitpackage" and answer[0] == "ok" else answer[1:]
            digest.update(json.dumps([method, said]).encode())
        return answer

    stream = Stream(SEED, [node], ask, 0)
    stream.fund()
    for _ in range(ROUNDS):
        for _ in range(CALLS):
            stream.step()
        by_construction(stream, node)
        sums(node, stream)
    no_name_twice(node, stream)
    stream.set_time(10)
    template = node.getblocktemplate({"rules": ["segwit"]})
    if sum(tx["weight"] for tx in template["transactions"]) < 3_900_000:
        equal(template["coinbasevalue"], subsidy(template["height"]) + sum(tx["fee"] for tx in template["transactions"]))
    digest.update(json.dumps(sorted(node.getrawmempool())).encode())
    print("%d transactions, %d accepted, %d blocks: %s" % (stream.done, stream.accepted, stream.g.height, digest.hexdigest()[:32]))
    if not program:
        equal(digest.hexdigest()[:32], VERDICTS)


main(run)
