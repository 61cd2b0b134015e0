"""Outputs of many kinds and what spends them, without signatures but for those that a node signs (signrawtransactionwithkey)."""
import hashlib

from blocks import TRUE_OUTPUT, push

KEY = "cUeKHd5orzT3mz8P9pxyREHfsWtVfgsfDjiZZBcjUBAaGk1BTj7N"
P = 2**256 - 2**32 - 977
G = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798, 0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and a[1] != b[1]:
        return None
    m = 3 * a[0] * a[0] * pow(2 * a[1], -1, P) if a == b else (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (m * m - a[0] - b[0]) % P
    return x, (m * (a[0] - x) - a[1]) % P


def times(point, n):
    out = None
    while n:
        out = add(out, point) if n & 1 else out
        point = add(point, point)
        n >>= 1
    return out


def tagged(tag, data):
    head = hashlib.sha256(tag).digest()
    return hashlib.sha256(head + head + data).digest()


def hash160(data):
    return hashlib.new("ripemd160", hashlib.sha256(data).digest()).digest()


def long_push(data):
    n = len(data)
    return push(data) if n < 76 else b"\x4c" + bytes([n]) + data if n < 256 else b"\x4d" + n.to_bytes(2, "little") + data


def p2sh(script):
    return b"\xa9\x14" + hash160(script) + b"\x87"


def p2wsh(script):
    return b"\x00\x20" + hashlib.sha256(script).digest()


class Kind:
    """How an output of this kind looks and is spent; sign: by the node, with the scripts that it needs to know."""

    def __init__(self, name, script, sig=b"", witness=(), sign=None):
        self.name = name
        self.script = script
        self.sig = sig
        self.witness = list(witness)
        self.sign = sign


def taproot(name, leaf, items=(), version=0xc0):
    """Spent by its only script; the key is the generator point."""
    root = tagged(b"TapLeaf", bytes([version]) + push(leaf))
    inner = G[0].to_bytes(32, "big")
    out = add(G, times(G, int.from_bytes(tagged(b"TapTweak", inner + root), "big")))
    control = bytes([version | (out[1] & 1)]) + inner
    return Kind(name, b"\x51\x20" + out[0].to_bytes(32, "big"), b"", [*items, leaf, control])


def branch(sigops, n):
    """A script in which n sigops stand where nothing runs."""
    return b"\x00\x63" + sigops * n + b"\x68\x51"


def wsh(name, script, *items):
    return Kind(name, p2wsh(script), b"", [*items, script])


def wrapped(name, script, *items):
    return Kind(name, p2sh(script), b"".join(map(long_push, items)) + long_push(script))


def signed(node):
    """Kinds of one key, as the node's descriptors describe them."""
    out = []
    for name in ("pk", "pkh", "wpkh", "sh(wpkh", "tr", "multi"):
        text = {"sh(wpkh": "sh(wpkh(%s))", "multi": "multi(1,%s)"}.get(name, name + "(%s)") % KEY
        public = node.getdescriptorinfo(text)["descriptor"]
        key = public[public.rindex("(") + 1:public.index(")")].split(",")[-1]
        if name == "pk":
            script = push(bytes.fromhex(key)) + b"\xac"
        elif name == "multi":
            script = b"\x51" + push(bytes.fromhex(key)) + b"\x51\xae"
        else:
            script = bytes.fromhex(node.validateaddress(node.deriveaddresses(public)[0])["scriptPubKey"])
        redeem = {"redeemScript": (b"\x00\x14" + hash160(bytes.fromhex(key))).hex()} if name == "sh(wpkh" else {}
        out.append(Kind(name.replace("(", "-"), script, sign=redeem))
    return out


def kinds(node):
    """Returns: (kinds that can be spent by the rules, kinds that policy does not let be spent or made)."""
    true = b"\x51"
    good = [
        Kind("true", TRUE_OUTPUT, b"", [true]), wrapped("sh", true), Kind("sh-wsh", p2sh(TRUE_OUTPUT), push(TRUE_OUTPUT), [true]),
        Kind("p2a", bytes.fromhex("51024e73")), wrapped("sh-15-sigops", branch(b"\xac", 15)), wsh("wsh-sigops", branch(b"\xae", 20)),
        wsh("wsh-many-sigops", branch(b"\xae", 190)), wsh("csv-3", b"\x53\xb2\x75\x51"), wsh("cltv-100", b"\x01\x64\xb1\x75\x51"),
        wsh("wsh-80", b"\x75\x51", bytes(80)), wsh("wsh-100-items", b"\x75" * 100 + true, *[b"x"] * 100), taproot("tap", true),
        taproot("tap-80", b"\x75\x51", [bytes(80)]), *signed(node)]
    bad = [
        wrapped("sh-16-sigops", branch(b"\xac", 16)), wsh("wsh-81", b"\x75\x51", bytes(81)), wsh("wsh-101-items", b"\x75" * 101 + true, *[b"x"] * 101),
        wsh("if", b"\x63\x51\x67\x51\x68", b"\x02"), wsh("nop", b"\xb9\x51"), wsh("false", b"\x00"), wsh("two", b"\x51\x51"),
        taproot("tap-81", b"\x75\x51", [bytes(81)]), taproot("tap-success", b"\x50"), taproot("tap-version", true, version=0xc2),
        Kind("witness-2", b"\x52\x20" + bytes(32)), Kind("bare", true), Kind("bare-drop", b"\x75\x51", push(b"abc")), Kind("p2a-witness", bytes.fromhex("51024e73"), b"", [b"x"]),
        wrapped("sh-two", b"\x51\x51"), Kind("sh-empty", p2sh(true)), Kind("sh-nop", p2sh(true), b"\x61\x01\x51"), Kind("sh-wrong", p2sh(true), b"\x01\x52"),
        Kind("sh-wsh-extra", p2sh(TRUE_OUTPUT), b"\x51" + push(TRUE_OUTPUT), [true])]
    return good, bad
