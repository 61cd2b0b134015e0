"""Mining over RPC: generatetoaddress, generateblock, submitblock and its answers, getblocktemplate and proposals."""
from blocks import (COIN, REGTEST_GENESIS, TRUE_ADDRESS, TRUE_OUTPUT, Block, Tx, coinbase, coins_of, internal, merkle_root, next_block, spend, subsidy)
from framework import contains, equal, main, raises


def generate(node):
    equal(node.getblockcount(), 0)
    hashes = node.generatetoaddress(110, TRUE_ADDRESS)
    equal(len(hashes), 110)
    equal([node.getblockhash(h) for h in (1, 110)], [hashes[0], hashes[-1]])
    base = node.getblock(hashes[-1], 2)["tx"][0]
    equal(base["vout"][0]["scriptPubKey"]["hex"], TRUE_OUTPUT.hex())
    equal(base["vout"][0]["value"], 50)
    raises(-5, "Error: Invalid address", node.generatetoaddress, 1, "nowhere")
    equal(node.generatetoaddress(0, TRUE_ADDRESS), [])
    # Too few tries: no block, no error.
    equal(node.generatetoaddress(1, TRUE_ADDRESS, 0), [])
    equal(node.getblockcount(), 110)
    descriptor = node.getdescriptorinfo("raw(51)")["descriptor"]
    (mined,) = node.generatetodescriptor(1, descriptor)
    equal(node.getblock(mined, 2)["tx"][0]["vout"][0]["scriptPubKey"]["hex"], "51")


def generate_block(node):
    coins = coins_of(node, 1, 6)
    first = spend([coins[0]], [49 * COIN])
    second = spend([(first.txid, 0)], [48 * COIN])
    other = spend([coins[1]], [49 * COIN])
    node.sendrawtransaction(other.hex(), 0)
    made = node.generateblock(TRUE_ADDRESS, [first.hex(), second.hex()])
    block = node.getblock(made["hash"], 1)
    equal(block["tx"][1:], [first.txid, second.txid])
    equal(node.getrawmempool(), [other.txid])  # only what was named is taken
    equal(node.getblock(made["hash"], 2)["tx"][0]["vout"][0]["value"], subsidy(112) / COIN)  # and its fees are not
    made = node.generateblock(TRUE_ADDRESS, [other.txid])
    equal(node.getblock(made["hash"])["tx"][1:], [other.txid])
    equal(node.getrawmempool(), [])
    # Not submitted: the block comes back, the tip stays.
    tip = node.getbestblockhash()
    third = spend([coins[2]], [49 * COIN])
    made = node.generateblock(TRUE_ADDRESS, [third.hex()], False)
    equal(node.getbestblockhash(), tip)
    equal(node.submitblock(made["hex"]), None)
    equal(node.getbestblockhash(), made["hash"])
    contains(node.getblock(made["hash"])["tx"], third.txid)
    # Wrong order, a spent coin, an unknown transaction, rubbish.
    a = spend([coins[3]], [49 * COIN])
    b = spend([(a.txid, 0)], [48 * COIN])
    raises(-25, "bad-txns-inputs-missingorspent", node.generateblock, TRUE_ADDRESS, [b.hex(), a.hex()])
    raises(-25, "bad-txns-inputs-missingorspent", node.generateblock, TRUE_ADDRESS, [first.hex()])
    raises(-5, "not in mempool", node.generateblock, TRUE_ADDRESS, ["00" * 32])
    raises(-22, "Transaction decode failed", node.generateblock, TRUE_ADDRESS, ["0102"])
    raises(-5, "Invalid address or descriptor", node.generateblock, "nowhere", [])
    equal(node.getbestblockhash(), made["hash"])


def submit(node):
    tip = node.getbestblockhash()
    height = node.getblockcount() + 1
    when = node.getblockheader(tip)["time"] + 1

    good = next_block(node)
    equal(node.submitblock(good.hex() + "00ff"), None)  # bytes behind a block are ignored
    equal(node.submitblock(good.hex()), "duplicate")
    equal(node.getbestblockhash(), good.hash)
    side = Block(tip, height, when, base=coinbase(height, extra=b"side")).solve()
    equal(node.submitblock(side.hex()), "inconclusive")  # equal work, second
    equal(node.getbestblockhash(), good.hash)

    tip, height, when = good.hash, height + 1, good.time + 1
    coins = coins_of(node, 7, 12)
    young = coins_of(node, 100, 100)[0]
    wrong_height = coinbase(height + 5)
    wrong_root = Block(tip, height, when)
    wrong_root.root = bytes(32)
    no_coinbase = Block(tip, height, when, base=spend([coins[0]], [COIN]))
    two = Block(tip, height, when, [coinbase(height, extra=b"2")])
    bad_commitment = Block(tip, height, when, [spend([coins[0]], [COIN])])
    first = bad_commitment.txs[0]
    first.outputs[-1] = (0, first.outputs[-1][1][:-1] + bytes([first.outputs[-1][1][-1] ^ 1]))
    no_commitment = Block(tip, height, when, [spend([coins[0]], [COIN])])
    no_commitment.txs[0].outputs.pop()
    no_commitment.txs[0].inputs[0] = no_commitment.txs[0].inputs[0][:4] + ([],)
    for block in (bad_commitment, no_commitment):
        block.root = merkle_root([internal(tx.txid) for tx in block.txs])
    cases = {
        "high-hash": Block(tip, height, when).unsolve(),
        "bad-diffbits": Block(tip, height, when, bits=0x207ffffe).solve(),
        "time-too-old": Block(tip, height, node.getblockheader(tip)["mediantime"]).solve(),
        "time-too-new": Block(tip, height, when + 3 * 3600).solve(),
        "bad-version(0x00000001)": Block(tip, height, when, version=1).solve(),
        "prev-blk-not-found": Block("11" * 32, height, when).solve(),
        "bad-txnmrklroot": wrong_root.solve(),
        "bad-cb-missing": no_coinbase.solve(),
        "bad-cb-multiple": two.solve(),
        "bad-cb-height": Block(tip, height, when, base=wrong_height).solve(),
        "bad-cb-amount": Block(tip, height, when, base=coinbase(height, 50 * COIN + 1)).solve(),
        "bad-cb-length": Block(tip, height, when, base=coinbase(height, extra=b"x" * 70 + b"\x4d\x00\x00" * 10)).solve(),
        "bad-txns-inputs-missingorspent": Block(tip, height, when, [spend([("77" * 32, 0)], [COIN])]).solve(),
        "bad-txns-premature-spend-of-coinbase": Block(tip, height, when, [spend([young], [COIN])]).solve(),
        "bad-txns-in-belowout": Block(tip, height, when, [spend([coins[0]], [51 * COIN])]).solve(),
        "bad-txns-inputs-duplicate": Block(tip, height, when, [spend([coins[0], coins[0]], [COIN])]).solve(),
        "bad-txns-nonfinal": Block(tip, height, when, [spend([coins[0]], [COIN], sequence=0, locktime=height + 5)]).solve(),
        "bad-txns-vout-negative": Block(tip, height, when, [spend([coins[0]], [-1])]).solve(),
        "bad-witness-merkle-match": bad_commitment.solve(),
        "unexpected-witness": no_commitment.solve(),
        "block-script-verify-flag-failed": Block(tip, height, when, [Tx([(*coins[0], 0, b"", [b"\x00"])], [(COIN, TRUE_OUTPUT)])]).solve(),
    }
    wrong = []
    for reason, block in cases.items():
        answer = node.submitblock(block.hex())
        if not (answer or "").startswith(reason):
            wrong.append((reason, answer))
        equal(node.getbestblockhash(), tip)
    equal(wrong, [])
    equal(node.submitblock(cases["bad-cb-amount"].hex()), "duplicate-invalid")
    raises(-22, "Block decode failed", node.submitblock, "00")
    raises(-22, "Block decode failed", node.submitblock, good.hex()[:-2])
    raises(-22, "Block decode failed", node.submitblock, "zz")
    child = Block(good.hash, height, when).solve()
    raises(-25, "Must submit previous header", node.submitheader, Block("22" * 32, height, when).solve().header().hex())
    raises(-22, "Block header decode failed", node.submitheader, "00" * 79)
    equal(node.submitheader(child.header().hex()), None)
    equal({x["hash"]: x["status"] for x in node.getchaintips()}[child.hash], "headers-only")
    equal(node.submitblock(child.hex()), None)


def template(node):
    raises(-8, "getblocktemplate must be called with the segwit rule set", node.getblocktemplate, {})
    coins = coins_of(node, 13, 14)
    parent = spend([coins[0]], [49 * COIN])
    child = spend([(parent.txid, 0)], [47 * COIN])
    for tx in (parent, child):
        node.sendrawtransaction(tx.hex(), 0)
    made = node.getblocktemplate({"rules": ["segwit"]})
    tip = node.getbestblockhash()
    height = node.getblockcount() + 1
    equal((made["previousblockhash"], made["height"]), (tip, height))
    equal(made["coinbasevalue"], subsidy(height) + 3 * COIN)
    equal([t["txid"] for t in made["transactions"]], [parent.txid, child.txid])
    equal(made["transactions"][1]["depends"], [1])
    equal([t["fee"] for t in made["transactions"]], [1 * COIN, 2 * COIN])
    equal(made["transactions"][0]["data"], parent.hex())
    # Built from the template alone, as a pool does.
    base = coinbase(height, made["coinbasevalue"])
    block = Block(tip, height, made["curtime"], [parent, child], base=base, version=made["version"], bits=int(made["bits"], 16))
    equal(block.txs[0].outputs[-1][1].hex(), made["default_witness_commitment"])
    equal(node.getblocktemplate({"mode": "proposal", "data": block.unsolve().hex(), "rules": ["segwit"]}), None)
    greedy = Block(tip, height, made["curtime"], [parent], base=coinbase(height, made["coinbasevalue"]))
    equal(node.getblocktemplate({"mode": "proposal", "data": greedy.hex(), "rules": ["segwit"]}), "bad-cb-amount")
    stale = Block(REGTEST_GENESIS, 1, made["curtime"])
    equal(node.getblocktemplate({"mode": "proposal", "data": stale.hex(), "rules": ["segwit"]}), "inconclusive-not-best-prevblk")
    raises(-22, "Block decode failed", node.getblocktemplate, {"mode": "proposal", "data": "00", "rules": ["segwit"]})
    raises(-8, "Invalid mode", node.getblocktemplate, {"mode": "moon", "rules": ["segwit"]})
    equal(node.getbestblockhash(), tip)  # proposals change nothing
    equal(node.submitblock(block.solve().hex()), None)
    equal(node.getrawmempool(), [])
    info = node.getmininginfo()
    equal(info["blocks"], height)
    equal(info["chain"], "regtest")


def run(t):
    node = t.node()
    generate(node)
    generate_block(node)
    submit(node)
    template(node)
    node.stop()


main(run)
