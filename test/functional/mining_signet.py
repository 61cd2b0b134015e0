"""A signet of our own: blocks are signed with -signetkey, for the kinds of challenges that there are; without the key none is accepted."""
import hashlib

from blocks import Block, coinbase
from framework import contains, equal, main, raises

G1 = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"  # of the keys 1 and 2
G2 = "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
G1_HASH = "751e76e8199196d454941c45d1b3a323f1433bd6"
ADDRESS = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
TRIES = 1000000000
KINDS = {  # challenge, keys that satisfy it
    "p2pk": ("21" + G1 + "ac", (1,)),
    "p2pkh": ("76a914" + G1_HASH + "88ac", (1,)),
    "p2wpkh": ("0014" + G1_HASH, (1,)),
    "1 of 2": ("5121" + G1 + "21" + G2 + "52ae", (2,)),
    "2 of 2": ("5221" + G1 + "21" + G2 + "52ae", (2, 1)),
    "true": ("51", ()),
    "taproot": ("5120" + G1[2:], (1,)),
}


def wif(secret):
    """A private key of the test networks, for a compressed public key."""
    data = b"\xef" + secret.to_bytes(32, "big") + b"\x01"
    data += hashlib.sha256(hashlib.sha256(data).digest()).digest()[:4]
    n, text = int.from_bytes(data, "big"), ""
    while n:
        n, digit = divmod(n, 58)
        text = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[digit] + text
    return text


def template_block(node):
    """A block out of a template, without a solution."""
    made = node.getblocktemplate({"rules": ["segwit", "signet"]})
    base = coinbase(made["height"], made["coinbasevalue"])
    base.inputs = [base.inputs[0][:4] + ([bytes(32)],)]
    base.outputs.append((0, bytes.fromhex(made["default_witness_commitment"])))
    return Block(made["previousblockhash"], made["height"], made["curtime"], base=base, version=made["version"], bits=int(made["bits"], 16))


def run(t):
    signed = {}
    for kind, (challenge, keys) in KINDS.items():
        node = t.node("-signetchallenge=" + challenge, *["-signetkey=" + wif(k) for k in keys], chain="signet")
        equal(node.getmininginfo()["signet_challenge"], challenge)
        text = template_block(node).hex()
        if keys:
            signed[kind] = node.signsignetblock(text)
            equal(signed[kind] == text, kind == "taproot")  # its rules are not in force for challenges: there is nothing to be signed
            raises(-22, "Block decode failed", node.signsignetblock, "00")
            for key in keys:
                equal(wif(key) in node.log(), False)
        else:
            raises(-1, "no key", node.signsignetblock, text)
        if kind in ("true", "1 of 2"):
            # With proof of work, which takes a while: by address, by list, and with nothing to be found in time.
            hashes = node.generatetoaddress(1, ADDRESS, TRIES)
            equal(node.getbestblockhash(), hashes[0])
            equal(node.generatetoaddress(1, ADDRESS, 1), [])
            script = node.getblock(hashes[0], 2)["tx"][0]["vout"][1]["scriptPubKey"]["hex"]
            equal("ecc7daa2" in script, kind != "true")
        node.stop()
    # Another key: the block is made, but refused, by others and by oneself.
    node = t.node("-signetchallenge=" + KINDS["p2pk"][0], "-signetkey=" + wif(2), chain="signet")
    raises(-25, "do not satisfy", node.signsignetblock, template_block(node).hex())
    raises(-8, "signet rule set", node.getblocktemplate, {"rules": ["segwit"]})
    node.stop()
    node.start_fails("-signetkey=abc", text="Invalid -signetkey: no private key of this network")
    other = t.node(start=False)
    other.start_fails("-signetkey=" + wif(1), text="-signetkey needs a signet")
    contains("".join(signed), "p2pk")


main(run)
