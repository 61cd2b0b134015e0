"""The REST interface says what the commands say, in its three forms; genesis has no gaps; what is wrong gets Bitcoin Core's status and text."""
import hashlib
import http.client
import json
import os
import socket
import struct

from blocks import COIN, TRUE_ADDRESS, coins_of, spend
from framework import equal, main, raises, wait_until
from rawhttp import raw as exchange

GENESIS = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
NONE = "00" * 32
FORMATS = "output format not found (available: .bin, .hex, .json)"


class Rest:
    def __init__(self, node):
        self.connection = http.client.HTTPConnection("127.0.0.1", node.rpc_port, timeout=60)

    def get(self, path, body=None):
        self.connection.request("GET" if body is None else "POST", "/rest/" + path, body)
        answer = self.connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.getheader("Cache-Control"), answer.read()

    def json(self, path):
        status, kind, _, body = self.get(path)
        equal((status, kind), (200, "application/json"))
        return json.loads(body)

    def binary(self, path, body=None, forever=False):
        """The bytes, which .hex shows as well."""
        name, _, query = path.partition("?")
        query = query and "?" + query
        answers = [self.get(name + end + query, body and (body if end == ".bin" else body.hex())) for end in (".bin", ".hex")]
        cache = "public, immutable, max-age=86400" if forever else "no-store"
        equal([a[:3] for a in answers], [(200, "application/octet-stream", cache), (200, "text/plain", cache)])
        equal(answers[1][3].decode(), answers[0][3].hex() + "\n")
        return answers[0][3]

    def fails(self, status, text, path, body=None):
        equal(self.get(path, body), (status, "text/plain", "no-store", text.encode() + b"\r\n"))


def headers_and_blocks(node, rest):
    hashes = [node.getblockhash(h) for h in range(node.getblockcount() + 1)]
    tip = hashes[-1]
    raw = [bytes.fromhex(node.getblock(h, 0)) for h in hashes]
    for h in (0, 5, len(hashes) - 1):
        equal(rest.binary("block/" + hashes[h], forever=True), raw[h])
        equal(rest.json("block/%s.json" % hashes[h]), node.getblock(hashes[h], 3))
        equal(rest.json("block/notxdetails/%s.json" % hashes[h]), node.getblock(hashes[h], 1))
        equal(rest.binary("blockpart/%s?offset=4&size=76" % hashes[h], forever=True), raw[h][4:80])
        equal(rest.binary("blockpart/%s?offset=0&size=%d" % (hashes[h], len(raw[h])), forever=True), raw[h])
        equal(rest.get("blockhashbyheight/%d.bin" % h)[3], bytes.fromhex(hashes[h])[::-1])
        equal(rest.get("blockhashbyheight/%d.hex" % h)[3].decode(), hashes[h] + "\n")
        equal(rest.json("blockhashbyheight/%d.json" % h), {"blockhash": hashes[h]})
    for path in ("headers/%s?count=3" % hashes[2], "headers/3/" + hashes[2]):
        equal(rest.binary(path), b"".join(r[:80] for r in raw[2:5]))
    equal(rest.json("headers/%s.json" % hashes[2]), [node.getblockheader(h) for h in hashes[2:7]])
    equal(rest.binary("headers/2000/" + GENESIS), b"".join(r[:80] for r in raw))
    equal(rest.binary("headers/" + NONE), b"")
    for size in (0, len(raw[-1]) + 1, 2 ** 64 - 1):
        rest.fails(400, "Bad block part offset/size 0/%d for %s" % (size, tip), "blockpart/%s.bin?offset=0&size=%d" % (tip, size))
    rest.fails(400, "Block part offset missing or invalid", "blockpart/%s.bin?size=1" % tip)
    rest.fails(400, "Block part size missing or invalid", "blockpart/%s.bin?offset=1&size=-1" % tip)
    rest.fails(400, "JSON output is not supported for this request type", "blockpart/%s.json?offset=0&size=1" % tip)
    rest.fails(404, "Block height out of range", "blockhashbyheight/100000.json")
    rest.fails(400, "Invalid height: -1", "blockhashbyheight/-1.json")
    rest.fails(400, "Header count is invalid or out of acceptable range (1-2000): 2001", "headers/2001/%s.bin" % tip)
    rest.fails(400, "Header count is invalid or out of acceptable range (1-2000): 2\x00", "headers/%s.bin?count=2%%00" % tip)
    equal(rest.binary("headers/%s?count%%00=2&count=3" % hashes[2]), b"".join(r[:80] for r in raw[2:5]))
    rest.fails(400, "Block part size missing or invalid", "blockpart/%s.bin?offset=0&size=1%%00" % tip)
    rest.fails(400, 'The "verbose" query parameter must be either "true" or "false".', "mempool/contents.json?verbose=true%00")
    for path in ("block/", "spenttxouts/"):
        rest.fails(404, NONE + " not found", path + NONE + ".bin")
        rest.fails(400, "Invalid hash: ab", path + "ab.bin")
    rest.fails(400, "Invalid hash: %s.xml" % tip, "block/%s.xml" % tip)
    for path in ("block/", "headers/", "spenttxouts/", "blockfilter/basic/"):
        rest.fails(404, FORMATS, path + tip)


def asked_again(node, rest):
    """What is kept in memory of a block is as good as the block, and no answer without its file."""
    block = node.getblockhash(3)
    files = [os.path.join(node.net_dir, "blocks", name) for name in ("blk00000.dat", "rev00000.dat")]
    shown = [node.getblock(block, v) for v in (0, 1, 2, 3)]
    for _ in range(4):
        equal(rest.get("block/%s.bin" % block)[3], bytes.fromhex(shown[0]))
        equal(rest.get("block/notxdetails/%s.bin" % block)[3], bytes.fromhex(shown[0]))
        equal([node.getblock(block, v) for v in (0, 1, 2, 3)], shown)
    os.rename(files[0], files[0] + ".away")
    rest.fails(500, "I/O error reading " + block, "block/%s.bin" % block)
    for v in (0, 1, 2, 3):
        raises(-1, "Block not found on disk", node.getblock, block, v)
    os.rename(files[0] + ".away", files[0])
    os.rename(files[1], files[1] + ".away")
    equal(node.getblock(block, 1), shown[1])
    for v in (2, 3):
        raises(-32603, "Undo data expected but can't be read. This could be due to disk corruption or a conflict with a pruning event.", node.getblock, block, v)
    os.rename(files[1] + ".away", files[1])
    equal([node.getblock(block, v) for v in (0, 1, 2, 3)], shown)


def long_block(node, rest):
    """A block that is sent from a file in memory once it is asked for again and again: to many at a time, to who reads slowly, and its head alone."""
    coin, = coins_of(node, 2, 2)
    script = b"\x6a\x4e" + struct.pack("<I", 900_000) + bytes(range(250)) * 3600
    tx = spend([coin], [COIN, (0, script)])
    block = node.generateblock(TRUE_ADDRESS, [tx.hex()])["hash"]
    want = bytes.fromhex(node.getblock(block, 0))
    connections = [Rest(node) for _ in range(6)]
    for _ in range(3):
        for c in connections:  # none of them reads yet
            c.connection.request("GET", "/rest/block/%s.bin" % block)
        for c in connections:
            answer = c.connection.getresponse()
            equal((answer.status, answer.getheader("Content-Type"), answer.read() == want), (200, "application/octet-stream", True))
    rest.connection.request("HEAD", "/rest/block/%s.bin" % block)
    answer = rest.connection.getresponse()
    equal((answer.status, answer.getheader("Content-Length"), answer.read()), (200, str(len(want)), b""))
    equal(rest.get("block/%s.bin" % block)[3] == want, True)
    # More than a socket takes, and the next request right behind it.
    ask = b"GET /rest/block/%s.bin HTTP/1.1\r\nHost: x\r\n\r\n" % block.encode()
    got = exchange(node, ask * 20)
    equal((got.count(b"HTTP/1.1 200 OK\r\n"), got.count(want)), (20, 20))
    with socket.create_connection(("127.0.0.1", node.rpc_port)) as s:
        s.sendall(ask * 20)
        s.recv(1)
    equal(rest.get("block/%s.bin" % block)[3] == want, True)


def spent_outputs(node, rest):
    equal(rest.binary("spenttxouts/" + GENESIS, forever=True), b"\x01\x00")
    equal(rest.json("spenttxouts/%s.json" % GENESIS), [[]])
    tip = node.getbestblockhash()
    want = [[{k: i["prevout"][k] for k in ("value", "scriptPubKey")} for i in tx["vin"] if "prevout" in i] for tx in node.getblock(tip, 3)["tx"]]
    equal(rest.json("spenttxouts/%s.json" % tip), want)
    raw = b"".join(bytes([len(tx)]) + b"".join(struct.pack("<q", round(o["value"] * COIN)) + bytes([len(o["scriptPubKey"]["hex"]) // 2]) +
                                               bytes.fromhex(o["scriptPubKey"]["hex"]) for o in tx) for tx in want)
    equal(rest.binary("spenttxouts/" + tip, forever=True), bytes([len(want)]) + raw)


def filters(node, rest):
    tip = node.getbestblockhash()
    wait_until(lambda: node.getindexinfo()["basic block filter index"]["best_block_height"] == node.getblockcount(), what="the filter index")
    filter_ = node.getblockfilter(tip)
    data = bytes.fromhex(filter_["filter"])
    equal(rest.json("blockfilter/basic/%s.json" % tip), {"filter": filter_["filter"]})
    equal(rest.binary("blockfilter/basic/" + tip, forever=True), b"\x00" + bytes.fromhex(tip)[::-1] + bytes([len(data)]) + data)
    for path in ("blockfilterheaders/basic/%s" % tip, "blockfilterheaders/basic/7/%s" % tip):
        equal(rest.json(path + ".json"), [filter_["header"]])
        equal(rest.binary(path), bytes.fromhex(filter_["header"])[::-1])
    header = bytes.fromhex(node.getblockfilter(node.getblockhash(node.getblockcount() - 1))["header"])[::-1]
    inner = hashlib.sha256(hashlib.sha256(data).digest()).digest()
    equal(hashlib.sha256(hashlib.sha256(inner + header).digest()).hexdigest(), bytes.fromhex(filter_["header"])[::-1].hex())
    rest.fails(400, "Unknown filtertype x", "blockfilter/x/%s.bin" % tip)


def transactions(node, rest, mined, waiting):
    equal(rest.json("tx/%s.json" % waiting.txid)["txid"], waiting.txid)
    equal(rest.binary("tx/" + mined.txid), mined.encode())
    equal(rest.json("tx/%s.json" % mined.txid)["blockhash"], node.getbestblockhash())
    rest.fails(404, NONE + " not found", "tx/%s.json" % NONE)
    equal(rest.json("mempool/info.json"), node.getmempoolinfo())
    equal(rest.json("mempool/contents.json"), node.getrawmempool(True))
    equal(rest.json("mempool/contents.json?verbose=false&mempool_sequence=true"), node.getrawmempool(False, True))
    rest.fails(400, "Invalid URI format. Expected /rest/mempool/<info|contents>.json", "mempool/x.json")


def coins(node, rest, mined, waiting):
    points = [(waiting.txid, 0), (mined.txid, 0), (mined.txid, 1)]  # not mined; spent by it; unspent
    path = "/".join("%s-%d" % p for p in points)
    for prefix, bitmap, values in (("", "011", [20, 5]), ("checkmempool/", "101", [19, 5])):
        answer = rest.json("getutxos/%s%s.json" % (prefix, path))
        equal((answer["chainHeight"], answer["chaintipHash"], answer["bitmap"]), (node.getblockcount(), node.getbestblockhash(), bitmap))
        equal([u["value"] for u in answer["utxos"]], values)
    body = b"\x01\x03" + b"".join(bytes.fromhex(t)[::-1] + struct.pack("<I", n) for t, n in points)
    equal(rest.binary("getutxos/checkmempool/" + path), rest.binary("getutxos", body))
    data = rest.binary("getutxos", body)
    equal(data[:36], struct.pack("<I", node.getblockcount()) + bytes.fromhex(node.getbestblockhash())[::-1])
    equal(data[36:47], b"\x01\x05\x02\x00\x00\x00\x00\xff\xff\xff\x7f")
    rest.fails(400, "Error: empty request", "getutxos.json")
    rest.fails(400, "Parse error", "getutxos/%s-+1.json" % NONE)
    rest.fails(400, "Parse error", "getutxos.bin", b"\x01\xfe\xff\xff\xff\x01")
    rest.fails(400, "Combination of URI scheme inputs and raw post data is not allowed", "getutxos/%s.bin" % path, body)
    rest.fails(400, "Error: max outpoints exceeded (max: 15, tried: 16)", "getutxos/%s.json" % "/".join(["%s-0" % NONE] * 16))


def run(t):
    node = t.node("-rest", "-txindex", "-blockfilterindex", "-whitelist=noban@127.0.0.1")
    node.mine(110, TRUE_ADDRESS)
    coin, = coins_of(node, 1, 1)
    mined = spend([coin], [20 * COIN, 5 * COIN])
    node.sendrawtransaction(mined.hex(), 0)
    node.mine(1, TRUE_ADDRESS)
    waiting = spend([(mined.txid, 0)], [19 * COIN])
    node.sendrawtransaction(waiting.hex(), 0)
    rest = Rest(node)
    headers_and_blocks(node, rest)
    asked_again(node, rest)
    spent_outputs(node, rest)
    filters(node, rest)
    transactions(node, rest, mined, waiting)
    coins(node, rest, mined, waiting)
    long_block(node, rest)
    equal(rest.json("chaininfo.json"), node.getblockchaininfo())
    equal(rest.json("deploymentinfo.json"), node.getdeploymentinfo())
    rest.fails(400, "Block not found", "deploymentinfo/%s.json" % NONE)
    equal(rest.get("nothing")[:3], (404, "text/html; charset=ISO-8859-1", "no-store"))
    equal(Rest(t.node()).get("chaininfo.json")[0], 404)  # without -rest


main(run)
