"""What rpc_diff.py asks below the commands: the JSON-RPC envelope in all versions, batches, notifications, paths and methods of HTTP, and each path of the
REST interface. Statuses, headers and bytes are compared."""
import base64
import http.client
import json
import struct

OK = {"method": "getblockcount", "params": []}
VARIANTS = [None, 0, 1, -1, 1.5, "x", "", True, [], {}, [1], {"a": 1}, 10 ** 30]


class Web:
    """Exchanges as bytes."""

    def __init__(self, pair):
        self.pair = pair

    def one(self, node, method, path, body, headers, login):
        connection = http.client.HTTPConnection("127.0.0.1", node.rpc_port, timeout=20)
        try:
            all_headers = {"Authorization": "Basic " + base64.b64encode((login if login is not None else node.credentials()).encode()).decode()} if login != "" else {}
            connection.request(method, path, body, {**all_headers, **headers})
            answer = connection.getresponse()
            kept = sorted((k, v) for k, v in answer.getheaders() if k not in ("Date", "Content-Length"))
            return answer.status, kept, answer.read()
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__, [], b""
        finally:
            connection.close()

    def ask(self, what, method, path, body=None, headers=None, login=None):
        a, b = (self.one(node, method, path, body, headers or {}, login) for node in self.pair.nodes)
        detail = "%s %s %r %r %r" % (method, path, (body or b"")[:200], headers, login)
        for name, x, y in zip(("status", "headers", "text"), a, b):
            if name == "headers" and x != y:
                self.pair.report(what, "headers", sorted(set(x) - set(y)), sorted(set(y) - set(x)), detail)
        texts = [(status, body if isinstance(body, str) else body.decode("latin1")) for status, _, body in (a, b)]
        self.pair.of[what] += 1
        self.pair.compare(what, detail, *texts)


def envelopes():
    """Bodies that are JSON."""
    out = [OK]
    for v in VARIANTS + ["1.0", "1.1", "2.0", "3.0", "2"]:
        out += [{**OK, "jsonrpc": v}, {**OK, "jsonrpc": v, "id": 1}]
    for v in VARIANTS:
        out += [{**OK, "id": v}, {**OK, "id": v, "jsonrpc": "2.0"}, {"method": v, "id": 1}, {"method": v, "id": 1, "jsonrpc": "2.0"}, {**OK, "params": v, "id": 1},
                {"method": "getblockhash", "params": v, "id": 1, "jsonrpc": "2.0"}, {"method": "getblockhash", "params": v}, v]
    out += [{}, {"id": 1}, {"jsonrpc": "2.0"}, {"jsonrpc": "2.0", "id": 1}, {"params": []}, {"method": "nosuch", "id": 1}, {"method": "nosuch", "id": 1, "jsonrpc": "2.0"},
            {"method": "nosuch", "jsonrpc": "2.0"}, {"method": "getinfo", "id": 1}, {"method": "getinfo", "id": 1, "jsonrpc": "2.0"}, {"method": "getblockhash", "params": [10 ** 9], "jsonrpc": "2.0"},
            {**OK, "extra": 1}, {**OK, "result": 1, "error": 2}, {"method": "GETBLOCKCOUNT"}, {"method": "getblockcount "}, {"Method": "getblockcount"}]
    single = [OK, {**OK, "id": 1}, {**OK, "id": "a", "jsonrpc": "2.0"}, {**OK, "jsonrpc": "2.0"}, {"method": "nosuch", "id": 2}, {"method": "nosuch", "id": 2, "jsonrpc": "2.0"}, {"method": "nosuch", "jsonrpc": "2.0"},
              {"method": "getblockhash", "params": [-1], "id": 3}, {"method": "getblockhash", "params": [-1], "id": 3, "jsonrpc": "2.0"}, {"method": "getblockhash", "params": ["x"], "id": None, "jsonrpc": "2.0"},
              1, None, "x", [], {}, [OK], {"method": 1, "id": 5}, {"method": "getblock", "params": {"blockhash": "x", "nosuch": 1}, "id": {}, "jsonrpc": "2.0"}, {**OK, "jsonrpc": "4", "id": 1}]
    out += [[], single, *([x] for x in single), *([x, OK] for x in single), [OK] * 50, [{**OK, "jsonrpc": "2.0"}] * 3]
    return out


TEXTS = [b"", b" ", b"\n", b"{", b"}", b"[", b"]", b"nul", b"null", b"nullx", b"tru", b"\"", b"\"x", b"'x'", b"{'a':1}", b"{\"a\"}", b"{\"a\":}", b"{\"a\":1,}", b"[1,]", b"[,1]", b"[1 2]", b"{} {}", b"{}x",
         b"\xef\xbb\xbf{}", b"{\"method\":\"getblockcount\",\"method\":\"nosuch\"}", b"{\"method\":\"nosuch\",\"method\":\"getblockcount\",\"id\":1,\"id\":2}", b"{\"method\":\"echo\",\"params\":[01]}",
         b"{\"method\":\"echo\",\"params\":[1.]}", b"{\"method\":\"echo\",\"params\":[.5]}", b"{\"method\":\"echo\",\"params\":[+1]}", b"{\"method\":\"echo\",\"params\":[1e]}", b"{\"method\":\"echo\",\"params\":[-]}",
         b"{\"method\":\"echo\",\"params\":[1e5,1E+5,-0,0.0,1e-400,123456789012345678901234567890]}", b"{\"method\":\"echo\",\"params\":[NaN]}", b"{\"method\":\"echo\",\"params\":[Infinity]}",
         b"{\"method\":\"echo\",\"params\":[\"\\u0041\\n\\t\\/\\\\\\\"\\b\\f\\r\"]}", b"{\"method\":\"echo\",\"params\":[\"\\ud83d\\ude00\"]}", b"{\"method\":\"echo\",\"params\":[\"\\ud83d\"]}",
         b"{\"method\":\"echo\",\"params\":[\"\\ude00\"]}", b"{\"method\":\"echo\",\"params\":[\"\\x41\"]}", b"{\"method\":\"echo\",\"params\":[\"\\u00\"]}", b"{\"method\":\"echo\",\"params\":[\"\xff\"]}",
         b"{\"method\":\"echo\",\"params\":[\"\xe2\x82\xac\xf0\x9f\x98\x80\x7f\"]}", b"{\"method\":\"echo\",\"params\":[\"\xe2\x82\"]}", b"{\"method\":\"echo\",\"params\":[\"\xc0\x80\"]}", b"{\"method\":\"echo\",\"params\":[\"a\nb\"]}",
         b"{\"method\":\"echo\",\"params\":[\"\\u0000a\"]}", b"{\"method\":\"echo\",\"params\":[\"\\u0001\\u001f\\u007f\\u0080\"]}", b"{\"method\":\"echo\",\"params\":[\"\xed\xa0\x80\"]}",
         b"{\"method\":\"echo\",\"params\":[\"a\x00b\"]}", b"{\"method\":\"echo\x00\",\"params\":[]}", b"[" * 500 + b"]" * 500, b"[" * 513 + b"]" * 513, b"{\"a\":" * 600 + b"1" + b"}" * 600,
         b"{\"method\":\"echo\",\"params\":" + b"[" * 510 + b"]" * 510 + b"}", b"{\"method\":\"echo\",\"params\":" + b"[" * 511 + b"]" * 511 + b"}", b"{\"method\":\"echo\",\"params\":" + b"[" * 512 + b"]" * 512 + b"}",
         b"{\"method\":\"echo\",\"params\":{\"arg1\":5,\"arg1\":6}}", b"{\"method\":\"echo\",\"params\":{\"arg1\":5,\"args\":[1]}}", b"{\"method\":\"echo\",\"params\":{\"arg0\":5,\"args\":[1]}}",
         b"{\"method\":\"echo\",\"params\":{\"args\":[1],\"args\":[2]}}", b"{\"method\":\"echo\",\"params\":{\"arg9\":1}}", b"{\"method\":\"echo\",\"params\":[{\"a\":1,\"a\":2,\"b\":{\"c\":1,\"c\":{}}}]}",
         b"/* */ {}", b"{\"id\":\"\\u20ac\",\"method\":\"getblockcount\"}", b"\xff\xfe", b"{\"method\":\"getblockcount\",\"id\":[1,{\"a\":null}]}"]


def http_calls(pair, world):
    web = Web(pair)
    for body in envelopes():
        web.ask("envelope", "POST", "/", json.dumps(body).encode())
    for body in TEXTS:
        web.ask("envelope", "POST", "/", body)
    body = json.dumps({**OK, "id": 1}).encode()
    for path in ("/", "//", "/x", "/?x=1", "/wallet", "/wallet/", "/wallet/x", "/wallet/x/y", "/wallet/%20", "/wallet/?x", "/rest", "/rest/", "*", "/wallets/x", "/%2f", "/../"):
        what = "wallet path" if path.startswith("/wallet/") else "path"
        web.ask(what, "POST", path, body)
        web.ask(what, "GET", path)
    for method in ("GET", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "FOO"):
        web.ask("method", method, "/", body if method in ("PUT", "PATCH") else None)
    for kind in ("text/plain", "application/json", "application/json-rpc", "application/x-www-form-urlencoded", ""):
        web.ask("type", "POST", "/", body, {"Content-Type": kind})
    for login in ("", "x", "x:y", ":", "__cookie__:", "__cookie__:zz"):
        web.ask("login", "POST", "/", body, login=login)
    for value in ("", "Basic", "Basic ", "Basic x", "basic eDp5", "Bearer x", "Basic  eDp5", "Basic eDp5=", "Basic !"):
        web.ask("login", "POST", "/", body, {"Authorization": value}, login="")
    web.ask("login", "POST", "/", b"{", login="x:y")
    for method, path, data in rest_paths(world.s):
        web.ask("rest body" if data else "rest", method, path, data)


def rest_paths(s):
    """(HTTP method, path, body)"""
    ends = (".json", ".hex", ".bin", "", ".xml", ".", ".JSON", ".json.bin", "/.json")
    blocks = [s[n] for n in ("best", "block", "busy", "odd_block", "genesis", "stale", "headeronly", "invalid", "none", "unknown")] + ["", "x", s["best"][:-1], s["best"] + "0", s["best"].upper(), "0x" + s["best"][2:]]
    txids = [s[n] for n in ("busy_txid", "busy_coinbase", "odd_txid", "pooled", "ready", "none", "unknown")] + ["", "x", s["none"][:-1]]
    out = []
    for end in ends:
        for b in blocks:
            out += ["%s/%s%s" % (p, b, end) for p in ("block", "block/notxdetails", "headers", "headers/3", "headers/2001", "headers/0", "headers/x", "headers/-1", "spenttxouts", "blockfilter/basic", "blockfilter/x",
                                                      "blockfilterheaders/basic", "blockfilterheaders/basic/3", "blockfilterheaders/x/3", "deploymentinfo", "blockpart")]
            out += ["headers/%s%s?count=%s" % (b, end, c) for c in ("1", "2000", "2001", "0", "-1", "x", "")]
            out += ["blockfilterheaders/basic/%s%s?count=%s" % (b, end, c) for c in ("1", "2001", "x")]
        for q in ("offset=0&size=80", "offset=1&size=1", "offset=0&size=0", "offset=0", "size=1", "offset=x&size=1", "offset=0&size=100000000", "offset=-1&size=1", "offset=80&size=1&x=1", "offset=0&size=18446744073709551615",
                  "offset=18446744073709551615&size=2", "offset=%30&size=80", "offset=0&offset=1&size=4", "offset=+0&size=1", "offset=00&size=080", "", "&&", "offset=0&size=80#x"):
            out += ["blockpart/%s%s?%s" % (b, end, q) for b in (s["busy"], s["none"], "x")]
        out += ["tx/%s%s" % (t, end) for t in txids]
        out += ["blockhashbyheight/%s%s" % (h, end) for h in (0, 1, s["tip"], s["tip"] + 1, -1, "x", "", "1x", "+1", "01", 2 ** 31, 2 ** 32, 2 ** 64)]
        out += ["%s%s" % (p, end) for p in ("chaininfo", "deploymentinfo", "deploymentinfo/", "mempool/info", "mempool/contents", "mempool/x", "mempool", "mempool/", "chaininfo/x", "nosuch", "getutxos", "getutxos/", "getutxos/checkmempool")]
        out += ["mempool/contents%s?%s" % (end, q) for q in ("verbose=false", "verbose=true", "verbose=x", "mempool_sequence=true", "verbose=false&mempool_sequence=true", "verbose=false&mempool_sequence=false", "verbose=0",
                                                             "verbose=", "mempool_sequence=x", "verbose=true&mempool_sequence=false")]
        points = ["%s-%d" % p for p in s["unspent"]] + ["%s-%d" % p for p in s["spent"]] + ["%s-0" % s["pooled"], "%s-0" % s["none"]]
        lists = [points[:1], points[:5], points[7:], points, points[:15], points[:1] * 16, ["x"], ["%s" % s["none"]], ["%s-" % s["none"]], ["%s-x" % s["none"]], ["%s--1" % s["none"]], ["%s-4294967296" % s["none"]],
                 ["%s-+1" % s["none"]], ["x-0"], ["-0"], ["%s-0-0" % s["none"]], ["%s-0" % s["none"][:-1]], ["", points[0]], [points[0], ""]]
        out += ["getutxos/%s%s%s" % (c, "/".join(ps), end) for ps in lists for c in ("", "checkmempool/")]
    wanted = [("GET", "/rest/" + p, None) for p in out]
    raw = [bytes.fromhex(t)[::-1] + struct.pack("<I", n) for t, n in [*s["unspent"], *s["spent"]]]
    bodies = [b"", b"\x00", b"\x01", b"\x00\x00", b"\x01\x01" + raw[0], b"\x00\x02" + raw[0] + raw[-1], b"\x01\x02" + raw[0], b"\x00\x01" + raw[0] + b"\x00", b"\x05\x01" + raw[0], b"\x01\xfd\xff\xff", b"\x00\x10" + raw[0] * 16,
              b"\x00\x0f" + raw[0] * 15, b"x"]
    for end in (".bin", ".hex", ".json", ""):
        for b in bodies:
            wanted += [("POST", "/rest/getutxos" + end, b), ("POST", "/rest/getutxos/checkmempool" + end, b.hex().encode()), ("POST", "/rest/getutxos/checkmempool/%s-0%s" % (s["none"], end), b)]
    wanted += [(m, "/rest/chaininfo.json", None) for m in ("POST", "PUT", "DELETE", "OPTIONS", "FOO")] + [("GET", p, None) for p in (
        "/rest/chaininfo.json?x=1", "/rest/chaininfo.json#x", "/rest//chaininfo.json", "/REST/chaininfo.json", "/rest/block%2f" + s["best"] + ".bin", "/rest/blockhashbyheight/%30.json", "/rest/chaininfo.json/",
        "/rest/chaininfo.json?x=%zz", "/rest/chaininfo%2ejson", "/rest/tx/" + s["pooled"] + ".json?x.bin")]
    return wanted
