"""The calls that rpc_diff.py makes: for each command good arguments by hand (questions) and, from the list of its parameters, all forms and all kinds
of wrong ones (systematic); then what changes the nodes (changes), in an order that leaves both alike."""
import itertools

from blocks import TRUE_ADDRESS

BAD = [None, True, False, -1, 0, 1, 2, 3, 17, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 63, 2 ** 64, -2 ** 31, -2 ** 63, 0.5, 1.0, 1e-9, 1e22, "", " ", "0", "1", "-1", "1.0", "true",
       "zz", "abc", "00", "00" * 32, "ab" * 32, "AB" * 32, "0" * 63, "0" * 65, "0x" + "0" * 62, "g" * 64, "\u20ac", "a\nb", "nowhere", [], {}, [[]], [{}], [None], ["x"], [1], [""],
       {"x": 1}, {"": None}, [["x", [{"y": [None]}]]], ["00" * 32]]
NAMED_BAD = [None, True, 0.5, -1, "zz", [], {}]

# Commands whose good calls change something, wait, or stop the node; wrong values that do harm are left out in systematic().
TIMEOUTS = {"waitfornewblock": 0, "waitforblock": 1, "waitforblockheight": 1}
LEFT_OUT = {"stop": "ends the node", "rpc.discover": "asked for in documents()", "getopenrpcinfo": "asked for in documents()", "dumptxoutset": "writes files", "loadtxoutset": "reads files"}


def harmful(method, index, value):
    """Would this value, for this parameter, do more than be refused?"""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if method in TIMEOUTS and index == TIMEOUTS[method]:
        return value is None or number and value != 1 or value is False
    if method in ("generatetoaddress", "generatetodescriptor") and index == 0:
        return number and value > 0
    if method in ("generatetoaddress", "generatetodescriptor", "generateblock"):
        return index > 1
    if method in ("setmocktime", "mockscheduler"):
        return number and value >= 0
    return method in ("setnetworkactive", "logging") and not isinstance(value, str) and value not in ([[]], [{}], [None], [1])


def questions(s, methods):
    """For each command the lists of its good (or nearly good) arguments. s: samples."""
    blocks = [s[n] for n in ("best", "block", "busy", "odd_block", "genesis", "stale", "headeronly", "invalid", "none", "unknown")]
    txids = [s[n] for n in ("busy_txid", "busy_coinbase", "busy_last", "odd_txid", "odd_child", "pooled", "pooled_parent", "lone", "signed", "ready", "none", "unknown")]
    heights = [0, 1, s["height"], s["tip"], s["tip"] + 1, -1]
    bools = (True, False)
    q = {m: [] if m in ("getopenrpcinfo",) else [[]] for m in methods}
    q.update(
        getblock=[[b] for b in blocks] + [[b, v] for b in blocks for v in (0, 1, 2, 3, 4, -1, 100, True, False)],
        getblockheader=[[b] for b in blocks] + [[b, v] for b in blocks for v in bools],
        getblockhash=[[h] for h in heights],
        getblockfilter=[[b, *t] for b in blocks for t in ([], ["basic"], ["x"], ["Basic"])],
        getblockstats=[[b, *t] for b in blocks + heights for t in ([], [["avgfee"]], [["height", "blockhash", "feerate_percentiles"]], [["x"]], [[]])],
        getchaintxstats=[[], [1], [10], [s["tip"] - 1], [s["tip"]], [0], [-1]] + [[n, b] for n in (1, 2, 1000) for b in blocks],
        getdeploymentinfo=[[]] + [[b] for b in blocks],
        getblockfrompeer=[[b, n] for b in blocks for n in (0, 1)],
        gettxout=[[t, n, *m] for t in txids for n in (0, 1, 5, -1, 70000) for m in ([], [True], [False])] + [[*p] for p in s["unspent"]] +
                 [[*p, m] for p in s["spent"] for m in bools],
        gettxoutproof=[[[t], *b] for t in txids for b in ([], *[[x] for x in (s["busy"], s["best"], s["stale"], s["none"], s["headeronly"])])] +
                      [[[]], [[s["busy_txid"], s["busy_coinbase"]]], [[s["busy_txid"]] * 2], [[s["busy_txid"], s["odd_txid"]]]],
        verifytxoutproof=[[s["merkleblock"]], [s["merkleblock"] + "00"], [s["merkleblock"][:-2]], [s["merkleblock"][:160] + "00" * 6], [""], ["00" * 100]],
        gettxoutsetinfo=[[]] + [[t, *h, *u] for t in ("none", "hash_serialized_3", "muhash", "x") for h, u in
                                itertools.product(([], [None], [s["height"]], [s["best"]], [s["stale"]], [s["headeronly"]], [s["unknown"]], [s["tip"] + 1], [-1]),
                                                  ([], [True], [False])) if h or not u],
        gettxspendingprevout=[[[{"txid": t, "vout": n}], *o] for t, n in [*s["spent"], *s["unspent"][:2], (s["odd_txid"], 1), (s["pooled_parent"], 0), (s["none"], 0)]
                              for o in ([], [{"mempool_only": True}], [{"return_spending_tx": True}], [{"mempool_only": False, "return_spending_tx": True}], [{}], [None])] +
                             [[[]], [[{"txid": s["none"]}]], [[{"vout": 0}]], [[{"txid": s["none"], "vout": -1}]], [[{"txid": s["none"], "vout": 0, "x": 1}]],
                              [[{"txid": s["none"], "vout": "0"}]], [[{"txid": s["none"], "vout": 1.5}]], [[{"txid": 1, "vout": 0}]], [[{"txid": "zz", "vout": 0}]],
                              [[{"txid": s["none"], "vout": 0}], {"x": 1}], [[{"txid": s["none"], "vout": 0}], {"mempool_only": 1}]],
        getrawtransaction=[[t] for t in txids] + [[t, v, *b] for t in txids for v in (0, 1, 2, True, False, 3, -1)
                                                  for b in ([], [s["busy"]], [s["stale"]], [s["headeronly"]], [s["odd_block"]], [s["unknown"]], [None])] + [[s["genesis"]]],
        getrawmempool=[[], [False], [True], [True, False], [False, True], [True, True], [None, True]],
        getmempoolentry=[[t] for t in txids], getmempoolcluster=[[t] for t in txids],
        getmempoolancestors=[[t, *v] for t in txids for v in ([], [True], [False])], getmempooldescendants=[[t, *v] for t in txids for v in ([], [True], [False])],
        verifychain=[[], [0], [1, 5], [2, 5], [3, 5], [4, 5], [4, 0], [5, 3], [-1, 3], [0, -1]],
        scantxoutset=[["status"], ["abort"], ["start"], ["x"], ["start", []]] + [["start", o] for o in objects(s)],
        scanblocks=[["status"], ["abort"], ["start"], ["x"]] + [["start", o] for o in objects(s)] +
                   [["start", ["addr(%s)" % s["address"]], *r] for r in ([0], [s["height"]], [s["height"], s["tip"]], [5, 4], [-1], [s["tip"] + 1], [0, s["tip"] + 1], [0, 10, "basic"],
                                                                        [0, 10, "x"], [s["height"], s["tip"], "basic", {"filter_false_positives": True}], [0, 10, "basic", {"x": 1}],
                                                                        [0, 10, "basic", {"filter_false_positives": 1}])],
        getdescriptoractivity=[[b, o, *m] for b in ([s["best"]], [s["busy"], s["odd_block"]], [], [s["stale"]], [s["headeronly"]], [s["unknown"]], ["x"])
                               for o in (["addr(%s)" % s["address"]], ["raw(51)"], []) for m in ([], [True], [False])] + [[[s["odd_block"]], o] for o in objects(s)],
        waitfornewblock=[[1], [1, s["best"]], [1000, s["block"]], [1, "x"]], waitforblock=[[b, 1] for b in blocks], waitforblockheight=[[h, 1] for h in heights],
        getblocktemplate=templates(s), getnetworkhashps=[[], [1], [120, -1], [-1], [-1, 5], [10, s["height"]], [5, s["tip"] + 1], [0], [-2], [10, -2], [10, 0], [5, 1], [1000, 10]],
        getprioritisedtransactions=[[]], submitblock=[["00"], [s["bad_block_hex"]], [s["block_hex"]], [s["block_hex"][:-2]], [s["block_hex"] + "00"], [s["block_hex"], "x"], [s["header_hex"] + "00"]],
        submitheader=[["00"], [s["header_hex"]], [s["header_hex"] + "00"], [s["header_hex"][:-2]], ["00" * 80]],
        decoderawtransaction=decodes(s), decodescript=[[x] for x in s["scripts"]] + [["0"], ["zz"]],
        createrawtransaction=created(s), combinerawtransaction=[[[s["pooled_hex"]]], [[s["signed_hex"], s["signed_hex"]]], [[]], [["00"]], [[s["orphan_hex"]]], [[s["ready_hex"], "zz"]]],
        signrawtransactionwithkey=[[h, k, *p] for h in (s["pooled_hex"], s["orphan_hex"], s["ready_hex"]) for k in ([], [s["key"]]) for p in
                                   ([], [[]], [None, "ALL"], [None, "NONE|ANYONECANPAY"], [None, "x"], [None, "DEFAULT"], *[[[p]] for p in prevouts(s)])],
        testmempoolaccept=[[[h], *r] for h in (s["ready_hex"], s["free_hex"], s["replacing_hex"], s["orphan_hex"], s["pooled_hex"], s["signed_hex"], s["odd_hex"], s["burning_hex"])
                           for r in ([], [0], ["0.1"], [0.00001], [1], [1.1], ["x"], [-1], [None], [0.123456789])] +
                          [[[s["ready_hex"], s["top_hex"]]], [[s["top_hex"], s["ready_hex"]]], [[s["ready_hex"]] * 2], [[]], [["00"]], [[s["ready_hex"]] * 26], [["zz"]]],
        sendrawtransaction=[[h, *r] for h in (s["free_hex"], s["orphan_hex"], s["odd_hex"], s["burning_hex"], s["pooled_hex"], s["busy_hex"])
                            for r in ([], [0], [0.00000001, 0], [0, 0.00004], ["x"], [-1], [1.1], [0, "x"], [0, -1], [0, 22000000])] + [["00"], ["zz"], [""], [s["ready_hex"][:-2]]],
        submitpackage=[[[s["free_hex"], s["orphan_hex"]]], [[s["top_hex"], s["ready_hex"]]], [[s["free_hex"]] * 2], [[]], [["00", "00"]], [[s["free_hex"]] * 26], [[s["free_hex"]], "x"],
                       [[s["orphan_hex"]]], [[s["free_hex"]], 0, "x"], [["zz"]], [[s["free_hex"]]]],
        validateaddress=[[a] for a in addresses()], getdescriptorinfo=[[d] for d in descriptors(s)], deriveaddresses=derived(s),
        createmultisig=multisigs(), signmessagewithprivkey=[[s["key"], m] for m in ("", "a", "\u20ac\n", "x" * 1000)] + [["x", "m"], [s["key"][:-1], "m"]],
        verifymessage=signatures(), estimatesmartfee=[[n, *m] for n in (0, 1, 2, 6, 144, 1008, 1009, -1) for m in ([], ["unset"], ["economical"], ["CONSERVATIVE"], ["x"], [None])] +
        [[6, "unset", o] for o in ({}, {"block_policy_only": True}, {"x": 1}, None, {"block_policy_only": False}, {"verbosity": 2})],
        estimaterawfee=[[n, *t] for n in (0, 1, 2, 12, 48, 1008, 1009) for t in ([], [0], [0.5], [0.95], [1], [1.1], [-1])],
        getindexinfo=[[], ["txindex"], ["x"], ["basic block filter index"], ["coinstatsindex"], ["txospenderindex"], [""]], getmemoryinfo=[[], ["stats"], ["mallocinfo"], ["x"]],
        logging=[[["x"]], [[], ["x"]], [["net", "x"]]], help=[[], ["x"], [""], ["getblock getblock"], *[[m] for m in methods]], echo=[[], [1, "a", None, 0.5, 1e-8, [{}], {"a": 1}], list(range(10)), list(range(11))],
        echojson=[[1.0, 1e3, 12345678901234567890, -0.0, "\u20ac\u0001\\\"/"]], echoipc=[["x"]], getnodeaddresses=[[], [0], [1], [-1], [2, "ipv4"], [0, "x"], [0, "onion"], [0, "i2p"]],
        getaddednodeinfo=[[], ["x"], ["127.0.0.1"]], addnode=[["x", "x"], ["127.0.0.1:1", "remove"], ["a" * 300, "remove"]], disconnectnode=[["x"], ["", 0], ["x", 0], [], ["127.0.0.1:1"], ["", -1]],
        setban=[["x", "add"], ["127.0.0.1", "x"], ["1.2.3.4", "remove"], ["1.2.3.4/40", "add"], ["1.2.3.4", "add", 1, True]], generate=[[], [1]],
        sendmsgtopeer=[[0, "addr", "00"], [-1, "x" * 13, "00"], [0, "addr", "0"], [0, "x" * 13, "00"]], addconnection=[["127.0.0.1:1", "x", False], ["x", "outbound-full-relay", True]],
        addpeeraddress=[["x", 1], ["1.2.3.4", 70000], ["1.2.3.4", -1], ["", 1]], getorphantxs=[[], [0], [1], [2], [3], [-1], [True]], setnetworkactive=[[True]],
        pruneblockchain=[[1], [0], [-1], [10 ** 9]], importmempool=[["/nowhere"], ["/nowhere", {"x": 1}], ["/nowhere", {"use_current_time": 1}]], exportasmap=[["/nowhere/x"], [""]],
        abortprivatebroadcast=[[t] for t in txids[:3]], prioritisetransaction=[[s["none"], 1, 1], [s["none"], None], [s["none"], 0, 0], ["zz", 0, 1]],
        invalidateblock=[[s["unknown"]], [s["genesis"]]], reconsiderblock=[[s["unknown"]], [s["best"]]], preciousblock=[[s["unknown"]], [s["best"]], [s["headeronly"]]],
        mockscheduler=[[0], [3601], [-1]], setmocktime=[[-1]], generateblock=[[s["address"], ["zz"]], [s["address"], [s["none"]]], ["x", []], [s["address"], [1]], ["raw(51)", ["00"]]],
        generatetoaddress=[[0, s["address"]], [-1, s["address"]], [1, "x"], [1, "1" * 34], [1, s["address"], 0]], generatetodescriptor=[[0, "raw(51)"], [1, "x"], [1, "combo(%s)" % s["key"], 0]])
    q.update(psbt_questions(s))
    return {m: q[m] for m in methods if m not in LEFT_OUT}


def psbt_questions(s):
    every = s["psbts"]
    bad = ["", "x", "cHNidP8=", every[0][:-4], every[0] + "AAAA", every[0][:40] + "A" + every[0][41:], every[3][:-1]]
    keys = [[], ["wpkh(%s)" % s["key"]], ["combo(%s)" % s["key"], "tr(%s)" % s["key"]], ["x"], [{"desc": "wpkh(%s)" % s["key"]}], [{"desc": "x", "range": 1}], [1], [{}]]
    return {"decodepsbt": [[p] for p in every + bad], "analyzepsbt": [[p] for p in every + bad],
            "finalizepsbt": [[p, *e] for p in every + bad for e in ([], [False], [True])], "utxoupdatepsbt": [[p, *k] for p in every + bad for k in ([], *([k] for k in keys))],
            "combinepsbt": [[[a, b]] for a in every for b in (every[0], every[6], every[-1])] + [[[]], [every[:1]], [every[:2]], [bad[:2]], [[every[6], every[9], every[10]]]],
            "joinpsbts": [[[a, b]] for a in every for b in (every[1], every[4])] + [[[]], [every[:1]], [bad[:2]], [[every[4], every[3]]], [[every[1], every[2]]]],
            "descriptorprocesspsbt": [[p, k, *m] for p in every + bad for k in keys for m in ([], ["ALL", False, False], ["DEFAULT"], ["NONE|ANYONECANPAY", True], ["x"])],
            "createpsbt": [[*c, *v] for c in created(s) for v in ([],)] + [[[], [], 0, True, 2, v] for v in (0, 1, 2, 3, -1)],
            "converttopsbt": [[h, *m] for h in (s["pooled_hex"], s["orphan_hex"], s["signed_hex"], s["odd_hex"], s["coinbase_hex"], "00", "zz", "") for m in
                              ([], [True], [False], [True, True], [True, False], [None, True], [True, None, 0], [True, None, 2], [True, None, 1])]}


def objects(s):
    a = "addr(%s)" % s["address"]
    return [[a], ["raw(51)"], [a, "raw(51)"], [{"desc": a}], [{"desc": a, "range": 5}], ["x"], [{}], [1], [{"x": 1}], [None], ["combo(%s)" % s["key"]], ["tr(%s)" % s["key"]],
            ["pk(02" + "00" * 32 + ")"], ["addr(x)"], [a + "#00000000"], [a + "#"], [[]], [{"desc": 1}], [{"desc": a, "range": "x"}], [{"desc": a, "range": [5, 1]}],
            [{"desc": a, "range": -1}], [{"desc": a, "range": [0, 10 ** 7]}], ["raw(%s)" % h for h in s["scripts"] if h]]


def templates(s):
    ok = {"rules": ["segwit"]}
    return [[ok], [{}], [{"rules": []}], [{"rules": ["x"]}], [{"rules": "segwit"}], [{"rules": [1, "segwit"]}], [None], [{**ok, "mode": "x"}], [{**ok, "mode": 1}], [{**ok, "mode": None}],
            [{**ok, "mode": "template"}], [{"mode": "proposal"}], [{"mode": "proposal", "data": 1}], [{"mode": "proposal", "data": "00"}], [{"mode": "proposal", "data": s["block_hex"]}],
            [{"mode": "proposal", "data": s["bad_block_hex"]}], [{**ok, "longpollid": "x"}], [{**ok, "x": 1}], [{**ok, "capabilities": ["proposal", "x"]}],
            [{**ok, "capabilities": 1}], [{"rules": ["segwit", "signet"]}], [{**ok, "longpollid": s["unknown"] + "5"}], [{"mode": "proposal", "data": s["header_hex"] + "00"}]]


def decodes(s):
    raw = [s[n] for n in ("pooled_hex", "odd_hex", "orphan_hex", "signed_hex", "ready_hex", "busy_hex", "coinbase_hex")]
    out = [[h, *w] for h in raw for w in ([], [True], [False])] + [["00"], ["zz"], ["0"], [""], [raw[0] + "00"], [raw[0][:-2]], ["0100000000000000000000"], ["01000000000100" + "00" * 12]]
    for h in raw[:5]:
        for at in (0, 8, 9, 10, 12, 20, 90, len(h) // 2, len(h) - 9):
            out.append([h[:at] + "%x" % (15 - int(h[at], 16)) + h[at + 1:]])
    return out + [["%08x00000000000000" % v] for v in (1, 2 ** 31, 2 ** 32 - 1)]


def created(s):
    i, o = {"txid": s["none"], "vout": 0}, {s["address"]: 1}
    ins = [[i], [], [{**i, "sequence": 5}], [{**i, "sequence": -1}], [{**i, "sequence": 2 ** 32}], [{**i, "sequence": "5"}], [{"txid": "zz", "vout": 0}], [{"vout": 0}], [{"txid": s["none"]}],
           [{**i, "vout": -1}], [{**i, "vout": "0"}], [{**i, "vout": 2 ** 32}], [1], [None], [i, i], [{**i, "weight": 1}], [{**i, "x": 1}], [{**i, "vout": 1.5}], [{"txid": 1, "vout": 0}], {}, "x"]
    outs = [o, [o], [], {}, [o, o], {s["address"]: 0}, {s["address"]: -1}, {s["address"]: "0.1"}, {s["address"]: "x"}, {s["address"]: 0.123456789}, {s["address"]: 21000001}, {s["address"]: None},
            {"x": 1}, {"data": ""}, {"data": "00"}, {"data": "zz"}, {"data": "0"}, {"data": 1}, [{"data": "00"}, {"data": "01"}], [{"data": "00", s["address"]: 1}], [1], [None], [{}], [[]], "x",
            {s["address"]: 1e-8}, {s["address"]: "1e-8"}, {s["address"]: " 1"}, {s["address"]: "01"}, {s["address"]: True}, {s["address"]: []}, {"data": "00" * 300}, {"": 1}, [{"data": "ab"}, o]]
    more = [[0], [1], [2 ** 32 - 1], [2 ** 32], [-1], [0, True], [0, False], [0, True, 1], [0, True, 2], [0, True, 3], [0, True, 0], [0, True, 4], [0, None, 2 ** 32], [None, None, None], [5, False],
            [0, False, 3]]
    return [[a, o] for a in ins] + [[[i], b] for b in outs] + [[[i], o, *m] for m in more] + [[[{**i, "sequence": q}], o, 0, r] for q in (0, 2 ** 32 - 1, 2 ** 32 - 3) for r in (True, False)]


def prevouts(s):
    p = {"txid": "55" * 32, "vout": 1, "scriptPubKey": "51", "amount": 1}
    key = "76a914751e76e8199196d454941c45d1b3a323f1433bd688ac"
    return [p, {**p, "scriptPubKey": key}, {**p, "vout": -1}, {**p, "txid": "zz"}, {"txid": s["none"]}, {**p, "amount": "x"}, {**p, "scriptPubKey": "a9140000000000000000000000000000000000000000" + "87"},
            {**p, "scriptPubKey": "a914" + "00" * 20 + "87", "redeemScript": "51"}, {**p, "redeemScript": "zz"}, {k: v for k, v in p.items() if k != "amount"}, {**p, "x": 1}, {**p, "witnessScript": "51"},
            {**p, "scriptPubKey": "0020" + "00" * 32, "witnessScript": "51"}, {**p, "scriptPubKey": "0020" + "00" * 32}, {**p, "scriptPubKey": "0020" + "00" * 32, "redeemScript": "51", "witnessScript": "52"},
            {**p, "amount": -1}, {**p, "vout": 0}, {**p, "vout": "x"}, {**p, "scriptPubKey": 1}]


def addresses():
    good = [TRUE_ADDRESS, "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "bcrt1pfeesnyr2tx", "mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r", "2N7FuwuUuoTBrDFdrAZ9KxBmtqMLxce9i1C",
            "bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6", "bcrt1zw508d6qejxtdg4y5r3zarvaryvg6kdaj"]
    out = [*good, "", " ", "x", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "3P14159f73E4gFr7JterCCQh9QjiTjiZrG",
           "bcrt1" + "q" * 90, "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7k" + "ygt081", "BCRT1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KYGT080", "Bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",
           "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080 ", "1" * 25, "mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8s", "0" * 34, "\u20ac", "a" * 91, "bcrt1", "bcrt1q", "bcrt", "bcrt1gmk9yu",
           "bcrt1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4", "bcrt130xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqt8gp2"]
    for a in good[:4]:  # Bech32 says where one or two wrong characters stand
        for at in (0, 5, 6, 7, 12, len(a) - 2):
            out.append(a[:at] + ("q" if a[at] != "q" else "p") + a[at + 1:])
            out.append(a[:at] + "b" + a[at + 1:])
        out += [a[:8] + "z" + a[9:15] + "z" + a[16:], a[:-1], a + "q", a[:3] + a[4:]]
    return out


def descriptors(s):
    k = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    x = "tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosUCJZL5B"
    return ["addr(%s)" % s["address"], "raw(51)", "raw()", "raw(z)", "addr(x)", "pk(%s)" % k, "pkh(%s)" % k, "wpkh(%s)" % k, "combo(%s)" % k, "sh(wpkh(%s))" % k, "wsh(pk(%s))" % k, "sh(wsh(pkh(%s)))" % k,
            "tr(%s)" % k[2:], "rawtr(%s)" % k[2:], "multi(1,%s)" % k, "multi(2,%s,%s)" % (k, k), "sortedmulti(1,%s)" % k, "sh(multi(1,%s))" % k, "multi(0,%s)" % k, "multi(2,%s)" % k, "multi(a,%s)" % k,
            "wpkh(%s)" % s["key"], "pk(%s)" % s["key"], "tr(%s)" % s["key"], "pk()", "pk(%s" % k, "pk%s)" % k, "", "x", "pk(%s))" % k, "wpkh(04%s)" % k[2:], "pk(%s)" % k[:-1], "pk(05%s)" % k[2:],
            "pkh(%s)" % x, "pkh(%s/0)" % x, "pkh(%s/*)" % x, "pkh(%s/0h)" % x, "wpkh([00000000/0h]%s)" % k, "wpkh([0000000/0]%s)" % k, "wpkh([z]%s)" % k, "sh(sh(pk(%s)))" % k, "wsh(wsh(pk(%s)))" % k,
            "wsh(wpkh(%s))" % k, "sh(pk(%s))#" % k, "raw(51)#8lvh9jxk", "raw(51)#8lvh9jx", "raw(51)#8lvh9jxl", "raw(51)#8lvh9jxk#", "tr(%s,pk(%s))" % (k[2:], k[2:]), "wsh(and_v(v:pk(%s),older(5)))" % k,
            "sh(combo(%s))" % k, "sh(addr(x))", "multi(1)", "multi()", "multi_a(1,%s)" % k, "tr(%s,multi_a(1,%s))" % (k[2:], k[2:]), "pk(\u20ac)", "addr(\u20ac)", "sh()", "wsh()", "tr()", "combo()", "raw(5)",
            "multi(1%s)" % (("," + k) * 4), "sh(multi(1%s))" % (("," + k) * 16), "wsh(multi(1%s))" % (("," + k) * 21), "pkh(%s/<0;1>/*)" % x, "pkh(%s/2147483648)" % x, "pkh(%s/x)" % x, "pkh(%s//)" % x]


def derived(s):
    x = "tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosUCJZL5B"
    return [["raw(51)#8lvh9jxk"], ["raw(51)"], ["x"], ["raw(51)#8lvh9jxk", 5], ["raw(51)#8lvh9jxk", [0, 1]], ["addr(%s)" % s["address"]], ["pkh(%s/*)" % x], ["pkh(%s/*)" % x, 2], ["x", -1], ["x", [1, 0]],
            ["x", [0, 2 ** 31]], ["x", [0, 2000000]], ["x", "x"], ["x", [1]], ["x", [1, 2, 3]], ["x", ["a", "b"]], ["x", 2 ** 40]]


def multisigs():
    k = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    u = "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
    return ([[1, [k], *t] for t in ([], ["legacy"], ["bech32"], ["p2sh-segwit"], ["bech32m"], ["x"])] + [[1, [u], *t] for t in ([], ["legacy"], ["bech32"], ["p2sh-segwit"])] +
            [[0, [k]], [2, [k]], [1, []], [-1, [k]], [2, [k, k]], [1, ["x"]], [1, [k[:-2]]], [1, ["05" + k[2:]]], [1, [k] * 16], [1, [k] * 20], [1, [k] * 21], [1, [k] * 16, "bech32"], [1, [1]], [1, ["02" + "ff" * 32]],
             [1, [k] * 15, "legacy"], [1, [k, u], "bech32"]])


def signatures():
    a = "mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r"
    good = "INbVnW4e6PeRmsv2Qgu8NuopvrVjkcxob+sX8OcZG0SALhWybUjzMLPdAsXI46YZGb0KQTRii+wWIQzRpG/U+S0="
    return [[a, good, "x"], ["x", good, "x"], [a, "x", "x"], [a, "", "x"], [a, good[:-4], "x"], [TRUE_ADDRESS, good, "x"], [a, "A" * 87 + "=", "x"], [a, "####", "x"]]


def systematic(method, names, good):
    """Calls with wrong numbers of arguments, wrong types for each, named and mixed forms. names: of the parameters; good: sound argument lists."""
    n = len(names)
    base = next((g for g in sorted(good, key=len, reverse=True) if None not in g), []) if good else []
    if method in TIMEOUTS:
        base = [*base[:TIMEOUTS[method]], 1]
    if harmless_without(method):
        for k in range(n + 3):
            yield (base + [None] * (n + 3))[:k] if k > len(base) else base[:k]
    for i in range(min(len(base) + 1, n)):
        for value in BAD:
            if not harmful(method, i, value):
                yield [*base[:i], value, *base[i + 1:]]
    named = dict(zip(names, base))
    if base and method not in LEFT_OUT:
        yield named
        yield {"args": base}
        yield {"args": base[:1], **dict(list(named.items())[1:])}
        yield {"args": base, **named}
    yield {**named, "nosuchname": 1}
    yield {**named, "args": 1}
    yield {**named, "ARGS": []}
    for i, name in enumerate(names):
        for value in NAMED_BAD:
            if not harmful(method, i, value):
                yield {**named, name: value}
        if i >= len(base) - 1 and method not in TIMEOUTS and not harmful(method, i, None):
            yield {name: "x"}


def harmless_without(method):
    return method not in ("stop", "setnetworkactive", "waitfornewblock", "waitforblock", "waitforblockheight", "logging")
