"""What well-known clients ask of a node, in their own ways, and what they read from the answers: doc/clients.md says how to set each up."""
import base64
import json
import socket
import struct
import sys

from blocks import COIN, TRUE_ADDRESS, TRUE_OUTPUT, coins_of, internal, spend
from framework import call, equal, free_port, main, raises, wait_until
from p2p import WITNESS_BLOCK, WITNESS_TX, Peer, inv, locator

GENESIS = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"


def has(answer, **members):
    """Members must be there, with that type (or one of several)."""
    for name, kind in members.items():
        if name not in answer or not isinstance(answer[name], kind) or (kind is int and isinstance(answer[name], bool)):
            raise AssertionError("%s is not a %s in %r" % (name, kind, answer))
    return answer


def batch(node, *calls, path="/"):
    """A JSON-RPC batch as Electrum servers and NBXplorer send it."""
    body = json.dumps([{"method": m, "params": p, "id": i} for i, (m, p) in enumerate(calls)])
    status, text = node.post(body, path)
    equal(status, 200)
    answers = json.loads(text)
    equal([a["id"] for a in answers], list(range(len(calls))))
    return answers


def exchange(node, head, body):
    """Bytes as they come over a plain socket."""
    token = base64.b64encode(node.credentials().encode()).decode()
    with socket.create_connection(("127.0.0.1", node.rpc_port), 60) as s:
        s.sendall((head % (token, len(body)) + body).encode())
        data = b""
        while b"\n" not in data.partition(b"\r\n\r\n")[2]:
            more = s.recv(65536)
            assert more, data
            data += more
    return data.decode()


def electrs(node, hashes, tx):
    """romanz/electrs 0.12 indexes over REST; others of that name over RPC batches."""
    import http.client
    rest = http.client.HTTPConnection("127.0.0.1", node.rpc_port, timeout=60)

    def get(path):
        rest.request("GET", "/rest/" + path)
        answer = rest.getresponse()
        equal(answer.status, 200)
        return answer.read()

    for h in GENESIS, hashes[-1]:  # genesis is how it finds out whether the node is able to
        assert get("spenttxouts/%s.bin" % h)
        equal(get("blockpart/%s.bin?offset=0&size=80" % h), get("headers/1/%s.bin" % h))
    equal(get("blockhashbyheight/1.bin"), bytes.fromhex(hashes[1])[::-1])
    equal(len(get("headers/2000/%s.bin" % hashes[0])), 80 * len(hashes))
    equal(get("headers/2000/%s.bin" % ("11" * 32)), b"")
    has(node.getblockchaininfo(), blocks=int, headers=int, initialblockdownload=bool, pruned=bool)
    has(node.getnetworkinfo(), relayfee=float)
    has(node.getmempoolinfo(), loaded=bool)
    has(node.estimatesmartfee(6), blocks=int)
    entry, raw = batch(node, ("getmempoolentry", [tx.txid]), ("getrawtransaction", [tx.txid]))
    has(entry["result"], vsize=int, fees=dict, depends=list)
    equal(raw["result"], tx.hex())
    equal(call(node, "getrawtransaction", tx.txid, True, None)["txid"], tx.txid)


def fulcrum(node, hashes):
    info = has(node.getnetworkinfo(), version=int, subversion=str, relayfee=float)
    assert info["subversion"].startswith("/Satoshi:") and info["version"] >= 280000, info
    equal(node.getblockhash(0), GENESIS)
    has(node.getblockchaininfo(), chain=str, blocks=int, headers=int, bestblockhash=str, difficulty=(int, float), mediantime=int,
        verificationprogress=(int, float), initialblockdownload=bool, chainwork=str, size_on_disk=int, pruned=bool, warnings=(str, list))
    assert isinstance(node.uptime(), int)
    assert isinstance(node.getzmqnotifications(), list)
    equal(node.getblock(hashes[1], False), node.getblock(hashes[1], 0))  # a boolean for a number
    assert isinstance(node.getrawmempool(False), list)
    has(node.getmempoolinfo(), mempoolminfee=float, minrelaytxfee=float, incrementalrelayfee=float, unbroadcastcount=int, fullrbf=bool)
    raises(-25, "maxburnamount", node.sendrawtransaction, burning(), 0.1, 0)


def burning():
    """A transaction that burns a coin, in hex."""
    return "0200000001" + "22" * 32 + "00000000" + "00" + "ffffffff" + "01" + struct.pack("<q", COIN).hex() + "026a00" + "00000000"


def lnd(node, hashes, coin, tx):
    raises(-32601, "Method not found", node.getinfo)  # its presence would mean btcd
    assert "taproot" in node.getdeploymentinfo()["deployments"]
    kinds = {n["type"] for n in node.getzmqnotifications()}
    assert {"pubrawblock", "pubrawtx"} <= kinds, kinds
    header = has(node.getblockheader(hashes[-1], True), hash=str, height=int, confirmations=int, time=int, previousblockhash=str)
    equal(header["height"], len(hashes) - 1)
    has(node.getnetworkinfo(), connections_in=int, connections_out=int)
    equal(node.gettxout(coin[0], coin[1], True), None)  # spent in the pool
    has(node.gettxout(coin[0], coin[1], False), value=float, scriptPubKey=dict)
    equal(node.gettxspendingprevout([{"txid": coin[0], "vout": coin[1]}])[0]["spendingtxid"], tx.txid)
    equal(node.testmempoolaccept([tx.hex()])[0]["reject-reason"], "txn-already-in-mempool")
    orphan = spend([("22" * 32, 0)], [COIN])
    equal(node.testmempoolaccept([orphan.hex()])[0]["reject-reason"], "missing-inputs")  # it tells errors apart by these words
    raises(-25, "bad-txns-inputs-missingorspent", node.sendrawtransaction, orphan.hex())
    other = spend([coin], [(40 * COIN, TRUE_OUTPUT)])
    equal(node.testmempoolaccept([other.hex()])[0]["reject-reason"], "max-fee-exceeded")
    raises(-25, "maxfeerate", node.sendrawtransaction, other.hex())
    cheap = spend([coin], [(50 * COIN - 10000, TRUE_OUTPUT)], locktime=1)
    equal(node.testmempoolaccept([cheap.hex()])[0]["reject-reason"], "insufficient fee")
    wrong = spend([coin], [(50 * COIN - 100000, TRUE_OUTPUT)])
    wrong.inputs[0] = wrong.inputs[0][:4] + ([b"\x52"],)
    equal(node.testmempoolaccept([wrong.hex()])[0]["reject-reason"], "mempool-script-verify-flag-failed (Witness program hash mismatch)")
    for mode in "ECONOMICAL", "CONSERVATIVE":
        has(node.estimatesmartfee(6, mode), blocks=int)
    for peer in node.getpeerinfo():
        has(peer, minfeefilter=float, inflight=list)


def lightningd(node, coin, confirmed):
    """Core Lightning runs the command-line client."""
    info = json.loads(node.cli("-rpcwait", "-rpcwaittimeout=1", "getnetworkinfo"))
    assert info["localrelay"] is True and info["version"] >= 220000
    equal(node.cli("-rpcclienttimeout=60", "-stdin", "getblockhash", stdin="0\n"), GENESIS + "\n")
    equal(node.cli("-stdin", "getblock", stdin="%s\n0\n" % GENESIS).strip()[:8], "01000000")
    equal(node.cli("-stdin", "gettxout", stdin="%s\n%d\n" % (coin[0], coin[1])), "")  # null prints nothing
    equal(node.cli("-stdin", "gettxout", stdin="%s\n0\n" % ("00" * 32)), "")
    node.cli("-stdin", "sendrawtransaction", stdin="00\n", code=22)
    node.cli("-rpcport=%d" % free_port(), "getblockcount", code=1)
    has(json.loads(node.cli("-stdin", "estimatesmartfee", stdin="6\nCONSERVATIVE\n")), blocks=int)
    for text in '"mempoolminfee": 0.00000100', '"minrelaytxfee": 0.00000100':  # it reads decimals with its own parser: no exponent
        assert text in node.cli("getmempoolinfo"), text
    assert '"value": 49.99990000' in node.cli("-stdin", "gettxout", stdin="%s\n0\n" % confirmed.txid)
    node.cli("-stdin", "sendrawtransaction", stdin=confirmed.hex() + "\n0\n", code=27)  # in the chain: taken for sent
    node.cli("-stdin", "getblockhash", stdin="100000\n", code=8)  # no such block yet
    for peer in json.loads(node.cli("getpeerinfo")):
        assert bytes.fromhex(peer["services"])[-1] & 1, peer


def nbxplorer(node, hashes):
    """A junk argument tells whether a command is there: any error but 'method not found' will do."""
    names = ("scantxoutset", "signrawtransactionwithkey", "testmempoolaccept", "getblockfrompeer", "estimatesmartfee", "generatetoaddress")
    for answer in batch(node, *[(name, ["random"]) for name in names]):
        assert answer["error"]["code"] not in (-32601, -32), answer
    for address in "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6":
        assert node.validateaddress(address)["isvalid"], address
    has(node.getnetworkinfo(), incrementalfee=float, localaddresses=list)
    has(node.getindexinfo("txindex")["txindex"], synced=bool, best_block_height=int)
    has(node.getblockheader(hashes[2]), confirmations=int, merkleroot=str)
    for answer in batch(node, *[("getblockfrompeer", [hashes[1], 99]), ("gettxout", ["00" * 32, 0])]):
        assert "error" in answer and "result" in answer
    scan = has(node.scantxoutset("start", ["addr(%s)" % TRUE_ADDRESS]), success=bool, unspents=list, total_amount=float)
    assert scan["success"] and scan["unspents"]
    equal(node.scantxoutset("status"), None)
    equal(node.scantxoutset("abort"), False)
    raises(-32601, "Method not found", call, node, "loadwallet", "x")  # taken for "not supported"


def nbxplorer_peer(node, hashes, tx):
    """It is a peer too, finds itself in getpeerinfo by its user agent and wants to be trusted there."""
    peer = Peer(node, agent=b"/NBXplorer-7301/", services=0)
    me = [p for p in node.getpeerinfo() if p["subver"] == "/NBXplorer-7301/"]
    equal(len(me), 1)
    has(me[0], id=int, addr=str, services=str, servicesnames=list, lastsend=int, lastrecv=int, bytessent=int, bytesrecv=int, conntime=int,
        timeoffset=int, version=int, inbound=bool, synced_blocks=int, synced_headers=int, inflight=list, permissions=list)
    assert "noban" in me[0]["permissions"], me
    peer.send("sendheaders")
    peer.send("getheaders", locator(hashes[0]))
    headers = peer.wait_for("headers")
    equal((headers[0], len(headers)), (len(hashes) - 1, 1 + 81 * (len(hashes) - 1)))
    wanted = hashes[1:11]  # ten blocks at a time
    peer.send("getdata", inv(WITNESS_BLOCK, *wanted))
    for h in wanted:
        raw = bytes.fromhex(node.getblock(h, 0))
        peer.wait_for("block", lambda payload, raw=raw: payload == raw)
    peer.send("mempool")  # what the permission of that name allows
    peer.wait_for("inv", lambda payload: internal(tx.txid) in payload)
    peer.send("getdata", inv(WITNESS_TX, tx.txid))
    equal(peer.wait_for("tx"), tx.encode())
    peer.close()


def explorers(node, hashes, tx):
    """mempool.space's backend and btc-rpc-explorer."""
    block = node.getblock(hashes[-1], 2)
    has(block["tx"][0]["vout"][0]["scriptPubKey"], asm=str, hex=str, type=str)
    has(block["tx"][-1], fee=float)
    stats = node.getblockstats(hashes[-1])
    for name in ("feerate_percentiles", "swtotal_size", "swtotal_weight", "utxo_size_inc", "avgfeerate", "subsidy", "totalfee"):
        assert name in stats, name
    for tip in node.getchaintips():
        has(tip, height=int, hash=str, branchlen=int, status=str)
    has(node.gettxoutsetinfo("none", 2, True), height=int, bestblock=str, txouts=int, total_amount=float)
    has(node.gettxoutsetinfo("none", 2, True)["block_info"], prevout_spent=(int, float), unspendable=(int, float))
    has(node.gettxoutsetinfo("muhash"), muhash=str)
    entry = node.getrawmempool(True)[tx.txid]
    for fields in entry, node.getmempoolentry(tx.txid):
        has(fields, vsize=int, weight=int, time=int, height=int, descendantcount=int, descendantsize=int, ancestorcount=int,
            ancestorsize=int, wtxid=str, fees=dict, depends=list, spentby=list, **{"bip125-replaceable": bool})
    has(node.validateaddress(TRUE_ADDRESS), isvalid=bool, address=str, scriptPubKey=str, isscript=bool, iswitness=bool)
    has(node.getrawtransaction(block["tx"][-1]["txid"], 2), fee=float, blockhash=str, time=int)
    has(node.getchaintxstats(), txcount=int, window_tx_count=int)
    equal({line.split("==")[1].strip() for line in node.help().splitlines() if line.startswith("==")} >=
          {"Blockchain", "Control", "Mining", "Network", "Rawtransactions", "Util"}, True)
    log = node.log()
    line = next(line for line in log.splitlines() if "UpdateTip: new best=" + hashes[-1] in line)
    assert line[4] == line[7] == "-" and line[10] == "T" and "Z " in line, line


def miners(node):
    """ckpool's bare line feeds, cpuminer, DATUM, public-pool's named arguments."""
    body = json.dumps({"method": "getblocktemplate",
                       "params": [{"capabilities": ["coinbasetxn", "workid", "coinbase/append"], "rules": ["segwit"]}]})
    text = exchange(node, "POST / HTTP/1.1\nAuthorization: Basic %s\nHost: localhost\nContent-type: application/json\nContent-Length: %d\n\n", body)
    assert text.startswith("HTTP/1.1 200 OK"), text[:60]
    line = text.partition("\r\n\r\n")[2]
    assert line.startswith("{") and line.endswith("}\n") and line.count("\n") == 1
    answer = json.loads(line)
    equal(answer["error"], None)
    template = has(answer["result"], previousblockhash=str, target=str, version=int, curtime=int, bits=str, height=int, coinbasevalue=int,
                   coinbaseaux=dict, rules=list, transactions=list, mutable=list, longpollid=str, mintime=int, sigoplimit=int, sizelimit=int,
                   weightlimit=int, default_witness_commitment=str)
    for tx in template["transactions"]:
        has(tx, txid=str, hash=str, fee=int, sigops=int, weight=int, data=str)
    assert template["transactions"]
    equal(node.getblocktemplate(template_request={"rules": ["segwit"]})["height"], template["height"])
    for name in ("height", "coinbasevalue", "mintime", "sigoplimit", "curtime", "sizelimit", "weightlimit", "version"):
        assert template[name], name  # DATUM takes a zero for a missing member
    raises(-22, "Block decode failed", node.submitblock, hexdata="00")
    equal(node.submitblock(hexdata=node.getblock(node.getbestblockhash(), 0)), "duplicate")
    equal(node.preciousblock(node.getbestblockhash()), None)
    has(node.getmininginfo(), blocks=int, difficulty=(int, float), networkhashps=(int, float), pooledtx=int)
    has(node.getrpcinfo(), active_commands=list)
    request = {"method": "getblocktemplate", "params": {"template_request": {"rules": ["segwit"], "mode": "template",
                                                                             "capabilities": ["serverlist", "proposal"]}}, "id": "rpc-bitcoin"}
    status, text = node.post(json.dumps({**request, "jsonrpc": "1.0"}))
    equal((status, json.loads(text)["result"]["height"]), (200, template["height"]))
    status, text = node.post(json.dumps({**request, "jsonrpc": 1.0}))  # as that library sent it before it was mended: Bitcoin Core refuses it
    equal((status, json.loads(text)["error"]["message"]), (400, "jsonrpc field must be a string"))


def monitors(node, hashes):
    """The Prometheus exporter."""
    has(node.getmemoryinfo("stats")["locked"], used=int, free=int, total=int, locked=int, chunks_used=int, chunks_free=int)
    has(node.getnettotals(), totalbytesrecv=int, totalbytessent=int)
    has(node.getnetworkinfo(), protocolversion=int, connections=int)
    equal(node.setban("192.0.2.0/24", "add"), None)
    has(node.listbanned()[0], address=str, ban_created=int, banned_until=int)
    for n in -1, 1, 120:
        assert node.getnetworkhashps(n) >= 0
    for n in 2, 3, 5, 20:
        has(node.estimatesmartfee(n), blocks=int)
    wanted = ["subsidy", "totalfee", "txs", "total_weight", "total_size", "height", "ins", "outs"]
    equal(sorted(node.getblockstats(hashes[-1], wanted)), sorted(wanted))


def desktop(node, hashes):
    """Sparrow's and Specter's node side: named arguments and batches on wallet paths that no wallet answers."""
    status, text = node.post(json.dumps({"jsonrpc": "2.0", "id": 7, "method": "getblockheader", "params": {"blockhash": hashes[1], "verbose": False}}),
                             "/wallet/cormorant")
    equal((status, json.loads(text)["result"][:8]), (200, "00000020"))
    both = batch(node, ("getblockchaininfo", []), ("getmininginfo", []), path="/wallet/specter")
    has(both[0]["result"], time=int, blocks=int)
    has(node.getblockfilter(hashes[1]), filter=str, header=str)
    proof = node.gettxoutproof([node.getblock(hashes[1])["tx"][0]])
    equal(node.verifytxoutproof(proof), node.getblock(hashes[1])["tx"])
    raises(-32601, "Method not found", call, node, "listwallets")


def run(t):
    zmq = free_port()
    node = t.node("-whitelist=noban,download,mempool,relay@127.0.0.1", "-txindex", "-coinstatsindex", "-blockfilterindex", "-rest", "-zmqpubrawblock=tcp://127.0.0.1:%d" % zmq,
                  "-zmqpubrawtx=tcp://127.0.0.1:%d" % zmq, "-zmqpubhashblock=tcp://127.0.0.1:%d" % zmq)
    if "getzmqnotifications" not in node.help():
        print("skipped: this build has no ZeroMQ")
        sys.exit(77)
    node.mine(102, TRUE_ADDRESS)
    peer = t.node()
    node.connect(peer)
    confirmed, coin = coins_of(node, 1, 2)
    first = spend([confirmed], [(50 * COIN - 10000, TRUE_OUTPUT)])
    node.sendrawtransaction(first.hex())
    node.mine(1, TRUE_ADDRESS)
    tx = spend([coin], [(50 * COIN - 10000, TRUE_OUTPUT)])
    node.sendrawtransaction(tx.hex())
    wait_until(lambda: all(i["synced"] for i in node.getindexinfo().values()), what="indexes")
    hashes = [node.getblockhash(h) for h in range(node.getblockcount() + 1)]

    electrs(node, hashes, tx)
    fulcrum(node, hashes)
    lnd(node, hashes, coin, tx)
    lightningd(node, coin, first)
    nbxplorer(node, hashes)
    nbxplorer_peer(node, hashes, tx)
    explorers(node, hashes, tx)
    miners(node)
    monitors(node, hashes)
    desktop(node, hashes)


if __name__ == "__main__":
    main(run)
