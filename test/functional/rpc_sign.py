"""Transactions are signed with keys that the caller gives, for all standard outputs; signatures made apart are combined; messages."""
from framework import equal, main, raises

WIFS = ["cUeKHd5orzT3mz8P9pxyREHfsWtVfgsfDjiZZBcjUBAaGk1BTj7N", "cVKpPfVKSJxKqVpE9awvXNWuLHCa5j5tiE7K6zbUSptFpTEtiFrA"]
FEE = 0.0001


def public(node, wif):
    return node.getdescriptorinfo("pkh(%s)" % wif)["descriptor"].split("(")[1].split(")")[0]


def address_of(node, descriptor):
    return node.deriveaddresses(node.getdescriptorinfo(descriptor)["descriptor"])[0]


def fund(node, address):
    block = node.getblock(node.generatetoaddress(1, address)[0], 2)
    return {"txid": block["tx"][0]["txid"], "vout": 0, "script": block["tx"][0]["vout"][0]["scriptPubKey"]["hex"],
            "value": block["tx"][0]["vout"][0]["value"]}


def spend(node, coin, target):
    return node.createrawtransaction([{"txid": coin["txid"], "vout": coin["vout"]}], [{target: "%.8f" % (coin["value"] - FEE)}])


def prevout(coin, **scripts):
    return [{"txid": coin["txid"], "vout": coin["vout"], "scriptPubKey": coin["script"], "amount": coin["value"], **scripts}]


def good(node, signed):
    equal(signed["complete"], True)
    equal(node.testmempoolaccept([signed["hex"]])[0]["allowed"], True)


def single_keys(node, coins, target):
    for name, coin in coins.items():
        raw = spend(node, coin, target)
        good(node, node.signrawtransactionwithkey(raw, WIFS[:1]))
        bad = node.signrawtransactionwithkey(raw, WIFS[1:])
        equal(bad["complete"], False)
        equal(len(bad["errors"]), 1)
        for kind in ("NONE", "SINGLE|ANYONECANPAY"):
            good(node, node.signrawtransactionwithkey(raw, WIFS[:1], None, kind))
        raises(-8, "'%s' is not a valid sighash parameter." % name, node.signrawtransactionwithkey, raw, WIFS, None, name)


def multisigs(node, made, coins, target):
    for kind, coin in coins.items():
        raw = spend(node, coin, target)
        raises(-8, "Missing redeemScript/witnessScript", node.signrawtransactionwithkey, raw, WIFS, prevout(coin))
        raises(-8, "does not match scriptPubKey", node.signrawtransactionwithkey, raw, WIFS, prevout(coin, redeemScript="51"))
        known = prevout(coin, redeemScript=made[kind]["redeemScript"])
        parts = [node.signrawtransactionwithkey(raw, [wif], known) for wif in WIFS]
        equal([p["complete"] for p in parts], [False, False])
        both = node.combinerawtransaction([p["hex"] for p in parts])
        equal(both, node.combinerawtransaction([parts[1]["hex"], parts[0]["hex"]]))
        equal(both, node.signrawtransactionwithkey(parts[0]["hex"], WIFS[1:], known)["hex"])
        good(node, {"complete": True, "hex": both})
        for result in node.testmempoolaccept([both, both]):
            equal(result["package-error"], "package-contains-duplicates")
        other = node.signrawtransactionwithkey(spend(node, coin, made["legacy"]["address"]), WIFS, known)["hex"]
        equal([r["package-error"] for r in node.testmempoolaccept([both, other])], ["conflict-in-package"] * 2)
        child = node.createrawtransaction([{"txid": node.decoderawtransaction(both)["txid"], "vout": 0}], [{target: "1"}])
        equal([r["package-error"] for r in node.testmempoolaccept([child, both])], ["package-not-sorted"] * 2)
    raises(-8, "Transaction number 2 not compatible", node.combinerawtransaction, [both, raw[:-8] + "01000000"])
    raises(-22, "At least two transactions", node.combinerawtransaction, [both])


def messages(node):
    address = address_of(node, "pkh(%s)" % WIFS[0])
    signature = node.signmessagewithprivkey(WIFS[0], "This is just a test message")
    equal(signature, "INbVnW4e6PeRmsv2Qgu8NuopvrVjkcxob+sX8OcZG0SALhWybUjzMLPdAsXI46YZGb0KQTRii+wWIQzRpG/U+S0=")
    equal(node.verifymessage(address, signature, "This is just a test message"), True)
    equal(node.verifymessage(address, signature, "This is another message"), False)
    equal(node.verifymessage(address, "AAAA", "x"), False)
    raises(-3, "Malformed base64 encoding", node.verifymessage, address, signature[:-1], "x")
    raises(-3, "Address does not refer to key", node.verifymessage, address_of(node, "wpkh(%s)" % WIFS[0]), signature, "x")
    raises(-5, "Invalid private key", node.signmessagewithprivkey, "x", "x")


def run(t):
    node = t.node()
    keys = [public(node, wif) for wif in WIFS]
    singles = {name: fund(node, address_of(node, "%s(%s)" % (name, keys[0]))) for name in ("pkh", "wpkh", "tr")}
    made = {kind: node.createmultisig(2, keys, kind) for kind in ("legacy", "p2sh-segwit", "bech32")}
    shared = {kind: fund(node, m["address"]) for kind, m in made.items()}
    target = address_of(node, "wpkh(%s)" % keys[1])
    node.mine(100)
    equal(made["bech32"]["descriptor"].split("#")[0], "wsh(multi(2,%s,%s))" % tuple(keys))
    equal(address_of(node, made["p2sh-segwit"]["descriptor"]), made["p2sh-segwit"]["address"])
    raises(-8, "not enough keys supplied (got 2 keys, but need at least 3 to redeem)", node.createmultisig, 3, keys)
    raises(-5, "must be cryptographically valid", node.createmultisig, 1, ["02" + "00" * 32])
    single_keys(node, singles, target)
    multisigs(node, made, shared, target)
    messages(node)


main(run)
