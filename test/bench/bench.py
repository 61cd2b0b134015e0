#!/usr/bin/env python3
"""Measures the node and prints one table; with --other, another node's daemon on the same chain in the same run.

The chain is made once (BUILD/bench/chain.dat, deterministic). Work is timed from the start of the process to its end, final flush included.
"""
import argparse
import base64
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MINING = ("mining, kernels in a bare loop", "mining, the node with one thread")
INDEXES = ("-addressindex", "-txindex")
MINER = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Daemon:
    """A node process whose wall time, CPU time and peak memory are measured."""

    def __init__(self, program, folder, *args):
        self.dir = folder
        self.rpc_port, self.port = free_port(), free_port()
        os.makedirs(folder, exist_ok=True)
        self.start = time.monotonic()
        self.process = subprocess.Popen(
            [program, *([] if any(a.startswith("-chain=") for a in args) else ["-regtest"]), "-datadir=" + folder, "-printtoconsole=0", "-checkblockindex=0", "-port=%d" % self.port, "-rpcport=%d" % self.rpc_port,
             *(["-bind=127.0.0.1:%d" % self.port] if "-listen=1" in args else []), "-listenonion=0", "-dnsseed=0", "-fixedseeds=0", "-natpmp=0", "-persistmempool=0", *args],
            stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def wait(self):
        """Returns: wall seconds, CPU seconds, peak MB."""
        _, status, usage = os.wait4(self.process.pid, 0)
        wall = time.monotonic() - self.start
        self.process.returncode = os.waitstatus_to_exitcode(status)
        if self.process.returncode != 0:
            raise SystemExit("%s ended with %d" % (self.process.args[0], self.process.returncode))
        return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.rpc_port, timeout=600)

    def headers(self):
        with open(os.path.join(self.dir, "testnet4" if "-chain=testnet4" in self.process.args else "regtest", ".cookie")) as f:
            return {"Authorization": "Basic " + base64.b64encode(f.read().strip().encode()).decode(), "Content-Type": "application/json"}

    def call(self, method, *params):
        connection = self.connection()
        connection.request("POST", "/", json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}), self.headers())
        answer = json.loads(connection.getresponse().read())
        connection.close()
        if answer.get("error"):
            raise RuntimeError(answer["error"])
        return answer["result"]

    def ready(self):
        while True:
            try:
                self.call("getblockcount")
                return self
            except (OSError, http.client.HTTPException, RuntimeError, ValueError):
                if self.process.poll() is not None:
                    raise SystemExit("%s ended at its start" % self.process.args[0])
                time.sleep(0.05)

    def until_tip(self, tip):
        while self.call("getbestblockhash") != tip:
            time.sleep(0.05)

    def cpu(self):
        with open("/proc/%d/stat" % self.process.pid) as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        with open("/proc/%d/status" % self.process.pid) as f:
            facts = dict(line.split(":", 1) for line in f)
        return int(facts["VmRSS"].split()[0]) / 1024, int(facts["Threads"])


def make_chain(build, name="chain.dat", *shape):
    path = os.path.join(build, "bench", name)
    if not os.path.exists(path + ".json"):
        print("making the chain (about a minute, once)...", flush=True)
        facts = subprocess.run([os.path.join(build, "bench", "bench_chain"), path, *shape], check=True, capture_output=True, text=True).stdout
        with open(path + ".json", "w") as f:
            f.write(facts)
    with open(path + ".json") as f:
        return path, json.load(f)


def make_transactions(build, kind):
    """A chain of its own and 20,000 transactions that spend its coins."""
    path = os.path.join(build, "bench", "spend-" + kind)
    if not os.path.exists(path + ".json"):
        facts = subprocess.run([os.path.join(build, "bench", "bench_chain"), path + ".dat", "70", "1", "0", path + ".txt", "20000", kind],
                               check=True, capture_output=True, text=True).stdout
        with open(path + ".json", "w") as f:
            f.write(facts)
    return path


def send_transactions(program, build, folder, kind):
    """All of them by sendrawtransaction over four connections. Returns: a row of the table."""
    path = make_transactions(build, kind)
    import_chain(program, folder, path + ".dat", "-assumevalid=0")
    node = Daemon(program, folder, "-connect=0", "-listen=0", "-checkmempool=0").ready()
    time.sleep(1)
    memory, cpu = node.memory()[0], node.cpu()
    sent = json.loads(subprocess.run([os.path.join(build, "bench", "bench_send"), str(node.rpc_port), os.path.join(folder, "regtest", ".cookie"),
                                      path + ".txt", "4"], check=True, capture_output=True, text=True).stdout)
    cpu = node.cpu() - cpu
    grown = (node.memory()[0] - memory) * 1e6 * 1.048576 / sent["taken"]
    info = node.call("getmempoolinfo")
    if sent["taken"] != sent["sent"] or info["size"] != sent["sent"]:
        raise SystemExit("%s: %d of %d transactions were taken" % (program, sent["taken"], sent["sent"]))
    node.call("stop")
    node.wait()
    return (None, None, None, "%.0f/s" % (sent["sent"] / sent["seconds"]), "%.0f us CPU" % (cpu * 1e6 / sent["sent"]),
            "%d bytes usage" % (info["usage"] / info["size"]), "%.0f bytes RSS each" % grown)


def import_chain(program, folder, chain, *args):
    shutil.rmtree(folder, ignore_errors=True)
    return Daemon(program, folder, "-connect=0", "-listen=0", "-loadblock=" + chain, "-stopafterblockimport", *args).wait()


def sync_chain(program, folder, source, tip):
    """From a node that has the chain to a fresh one over P2P; the fresh one is measured."""
    shutil.rmtree(folder, ignore_errors=True)
    server = Daemon(program, source, "-connect=0", "-listen=1").ready()
    client = Daemon(program, folder, "-listen=0", "-connect=127.0.0.1:%d" % server.port, "-assumevalid=0").ready()
    client.until_tip(tip)
    wall = time.monotonic() - client.start
    client.call("stop")
    _, cpu, memory = client.wait()
    server.call("stop")
    server.wait()
    return wall, cpu, memory


def rpc_rate(node, connections, call, seconds):
    """Calls a second over that many keep-alive connections; raw sockets, so that the client costs little."""
    head = "".join("%s: %s\r\n" % item for item in node.headers().items())
    body = json.dumps(call)
    request = ("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n%sContent-Length: %d\r\n\r\n%s" % (head, len(body), body)).encode()
    end = time.monotonic() + seconds
    counts = [0] * connections

    def work(i):
        with socket.create_connection(("127.0.0.1", node.rpc_port)) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while time.monotonic() < end:
                s.sendall(request)
                data = s.recv(1 << 20)
                split = data.find(b"\r\n\r\n")
                while split < 0:
                    data += s.recv(1 << 20)
                    split = data.find(b"\r\n\r\n")
                lower = data[:split].lower()
                at = lower.index(b"content-length:") + 15
                length = int(lower[at:].split(b"\r\n")[0])
                left = length - (len(data) - split - 4)
                while left > 0:
                    left -= len(s.recv(min(left, 1 << 20)))
                counts[i] += 1

    threads = [threading.Thread(target=work, args=(i,)) for i in range(connections)]
    start = time.monotonic()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return sum(counts) / (time.monotonic() - start)


LUA = """%s
local asked, n
init = function()
    asked = {%s}
    n = math.random(#asked)
end
request = function()
    n = n %% #asked + 1
    return asked[n]
end
"""


def wrk_rate(node, connections, requests, seconds):
    """Calls a second, what each costs the node, and the time that 99 of 100 take at most, by wrk. requests: bodies, or paths to get, in turn.
    Returns: text, None without wrk."""
    if not shutil.which("wrk"):
        return None
    requests = [requests] if isinstance(requests, str) else requests
    asked = ("wrk.format('GET', '%s')" % r if r.startswith("/") else "wrk.format('POST', '/', nil, [==[%s]==])" % r for r in requests)
    cpu = node.cpu()
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(LUA % ("\n".join('wrk.headers["%s"] = "%s"' % item for item in node.headers().items()), ",".join(asked)))
        script.flush()
        out = subprocess.run(["wrk", "-c", str(connections), "-t", "2", "-d", "%ds" % max(1, seconds), "--latency", "--timeout", "60s", "-s", script.name,
                              "http://127.0.0.1:%d/" % node.rpc_port], capture_output=True, text=True, check=True).stdout
    found = {line.split()[0]: line.split()[1] for line in out.splitlines() if line.strip().startswith(("Requests/sec:", "99%"))}
    count = next(int(line.split()[0]) for line in out.splitlines() if "requests in" in line)
    return "%.0f/s, %.3f ms CPU each, p99 %s" % (float(found["Requests/sec:"]), 1000 * (node.cpu() - cpu) / max(count, 1), found["99%"])


def rpc_rows(node, block, seconds):
    rows = {}
    one = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "getblockcount", "params": []})
    for label, connections, body in (("RPC getblockcount, 8 connections", 8, one), ("RPC batch of 100 getblockcount, 8 connections", 8, "[%s]" % ",".join([one] * 100))):
        text = wrk_rate(node, connections, body, seconds) or "%.0f/s" % rpc_rate(node, connections, json.loads(body), seconds)
        rows[label] = (None, None, None, text)
    for verbosity in (1, 2):
        call = {"jsonrpc": "2.0", "id": 1, "method": "getblock", "params": [block, verbosity]}
        rows["RPC getblock %d, 2 connections" % verbosity] = (None, None, None, "%.0f/s" % rpc_rate(node, 2, call, seconds))
    return rows


def block_rates(node, seconds):
    """What eight clients get of one block of 2,000 transactions, and of 200 of them in turn; and a ninth that asks for little meanwhile."""
    rows, hashes = {}, [node.call("getblockhash", h) for h in range(115, 315)]
    one = json.dumps({"id": 1, "method": "getblockcount", "params": []})
    for label, some in (("one block", hashes[100:101]), ("200 blocks in turn", hashes)):
        for verbosity in (1, 2):
            bodies = [json.dumps({"id": 1, "method": "getblock", "params": [h, verbosity]}) for h in some]
            rows["getblock %d, %s" % (verbosity, label)] = (None, None, None, wrk_rate(node, 8, bodies, seconds))
        rows["REST block.bin, " + label] = (None, None, None, wrk_rate(node, 8, ["/rest/block/%s.bin" % h for h in some], seconds))
    rows["getblockcount"] = (None, None, None, wrk_rate(node, 8, one, seconds))
    rows["100 getblockcount in a batch"] = (None, None, None, wrk_rate(node, 8, "[%s]" % ",".join([one] * 100), seconds))
    busy = threading.Thread(target=wrk_rate, args=(node, 10, bodies, seconds + 1))
    busy.start()
    rows["getblockcount while ten ask for getblock 2"] = (None, None, None, wrk_rate(node, 8, one, seconds))
    busy.join()
    return rows


def measure_rpc(program, work, build, seconds):
    path, facts = make_chain(build, "chain2000.dat", "215", "2000", "2020")
    name = os.path.join(work, os.path.basename(program))
    import_chain(program, name, path, "-assumevalid=" + facts["tip"])
    node = Daemon(program, name, "-connect=0", "-listen=0", "-rest").ready()
    rows = block_rates(node, seconds)
    node.call("stop")
    node.wait()
    rows.update(rpc_while_importing(program, name + "-busy", path, seconds))
    return rows


def rpc_while_importing(program, folder, chain, seconds):
    """How the node answers while it verifies blocks at full speed."""
    node = Daemon(program, folder, "-connect=0", "-listen=0", "-assumevalid=0", "-loadblock=" + chain).ready()
    one = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "getblockcount", "params": []})
    text = wrk_rate(node, 8, one, seconds) or "%.0f/s" % rpc_rate(node, 8, json.loads(one), seconds)
    node.call("stop")
    node.wait()
    return {"RPC getblockcount while importing": (None, None, None, text)}


def mine(program, build, folder):
    """The search for nonces, one thread: the kernels in a bare loop, and the node's own miner. Millions a second of the processor's time."""
    *lines, chosen = subprocess.run([os.path.join(build, "bench", "bench_mining")], check=True, capture_output=True, text=True).stdout.splitlines()
    rates = dict(line.split() for line in lines)
    node = Daemon(program, folder, "-chain=testnet4", "-connect=0", "-listen=0", "-miningaddress=" + MINER).ready()
    node.call("setgenerate", True, 1)
    time.sleep(1)
    cpu, start = node.cpu(), time.monotonic()
    time.sleep(10)
    rate = node.call("gethashespersec") / 1e6 / ((node.cpu() - cpu) / (time.monotonic() - start))
    node.call("stop")
    node.wait()
    return {MINING[0]: (None, None, None, ", ".join("%s %s MH/s" % item for item in rates.items())),
            MINING[1]: (None, None, None, "%s %.2f MH/s (%.0f%%)" % (chosen, rate, 100 * rate / float(rates[chosen])))}


def measure(program, work, build, chain, facts, seconds):
    name = os.path.join(work, os.path.basename(program))
    rows = {}
    print("  import, all scripts", flush=True)
    rows["import, all scripts verified"] = import_chain(program, name + "-full", chain, "-assumevalid=0")
    print("  import, assumevalid", flush=True)
    rows["import, assumevalid"] = import_chain(program, name + "-assumed", chain, "-assumevalid=" + facts["tip"])
    print("  sync over P2P", flush=True)
    rows["P2P sync, all scripts verified"] = sync_chain(program, name + "-synced", name + "-full", facts["tip"])
    print("  RPC", flush=True)
    node = Daemon(program, name + "-full", "-connect=0", "-listen=0", "-rest").ready()
    time.sleep(1)
    memory, threads = node.memory()
    rows["idle node"] = (None, None, memory, "%d threads, %.1f MB program" % (threads, os.path.getsize(program) / 1e6))
    block = node.call("getblockhash", 300)
    rows.update(rpc_rows(node, block, seconds))
    rows.update(measure_blocks(node))
    node.call("stop")
    node.wait()
    rows.update(rpc_while_importing(program, name + "-busy", chain, seconds))
    rows.update(measure_transactions(program, work, build))
    return rows


def sync_indexed(program, folder, chain, *args):
    """From the start to the end of a clean stop, which is asked for when the chain and all indexes are at the tip."""
    shutil.rmtree(folder, ignore_errors=True)
    node = Daemon(program, folder, "-connect=0", "-listen=0", "-loadblock=" + chain, *args).ready()
    while not node.call("getmempoolinfo")["loaded"] or any(x["best_block_height"] != node.call("getblockcount") for x in node.call("getindexinfo").values()):
        time.sleep(0.1)
    node.call("stop")
    return node.wait()


def measure_indexes(program, work, chain, facts, rounds):
    """What the indexes cost, by runs without and with them that take turns; of each the least of all rounds."""
    rows = {}
    for label, assumed in (("all scripts verified", "0"), ("assumevalid", facts["tip"])):
        print("  indexes,", label, flush=True)
        runs = ([], [])
        for _ in range(rounds):
            for found, options in zip(runs, ((), INDEXES)):
                found.append(sync_indexed(program, os.path.join(work, "indexes"), chain, "-assumevalid=" + assumed, *options))
        without, with_them = ([min(column) for column in zip(*found)] for found in runs)
        rows["sync without indexes, " + label] = tuple(without)
        rows["sync with %s, %s" % (" ".join(INDEXES), label)] = (
            *with_them, "%.2f of the time, %.2f of the CPU time, %.2f of the memory" % tuple(b / a for a, b in zip(without, with_them)))
    rows.update(measure_history(program, os.path.join(work, "history")))
    return rows


def measure_history(program, folder, count=100000, calls=500):
    """The balance of one address by one connection, the longest of a hundred of them left out."""
    print("  balance of an address with a history", flush=True)
    node = Daemon(program, folder, "-connect=0", "-listen=0", "-addressindex").ready()
    start = int(time.time())
    for i in range(count // 1000):
        node.call("setmocktime", start + 1000 * i)
        node.call("generatetoaddress", 1000, ADDRESS)
    while node.call("getindexinfo")["addressindex"]["best_block_height"] != count:
        time.sleep(0.1)
    connection, headers, took = node.connection(), node.headers(), []
    body = json.dumps({"id": 1, "method": "getaddressbalance", "params": [ADDRESS]})
    cpu = node.cpu()
    for _ in range(calls):
        start = time.monotonic()
        connection.request("POST", "/", body, headers)
        answer = json.loads(connection.getresponse().read())
        took.append(1000 * (time.monotonic() - start))
        if answer["error"] or not answer["result"]["received"]:
            raise SystemExit("getaddressbalance: %s" % answer)
    cpu = node.cpu() - cpu
    connection.close()
    node.call("stop")
    node.wait()
    took.sort()
    return {"getaddressbalance, %d transactions" % count:
            (None, None, None, "median %.2f ms, p99 %.2f ms, %.2f ms CPU each" % (took[calls // 2], took[calls * 99 // 100], 1000 * cpu / calls))}


def measure_blocks(node):
    """What one connection gets of 100 different full blocks, and what each costs the node."""
    hashes = [node.call("getblockhash", h) for h in range(200, 300)]
    asked = {"getblock %d" % v: [("POST", "/", json.dumps({"id": 1, "method": "getblock", "params": [h, v]})) for h in hashes] for v in (1, 2, 3)}
    for path in ("block/%s.bin", "block/%s.json", "spenttxouts/%s.bin"):
        asked["REST " + path % "*"] = [("GET", "/rest/" + path % h, None) for h in hashes]
    rows, connection, headers = {}, node.connection(), node.headers()
    for label, requests in asked.items():
        start, cpu = time.monotonic(), node.cpu()
        for method, path, body in requests:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise SystemExit("%s: HTTP status %d" % (path, answer.status))
        count, wall = len(requests), time.monotonic() - start
        rows["%s, %d blocks in turn" % (label, count)] = (None, None, None, "%.0f/s, %.2f ms CPU each" % (count / wall, 1000 * (node.cpu() - cpu) / count))
    connection.close()
    return rows


def measure_transactions(program, work, build):
    print("  transactions", flush=True)
    name = os.path.join(work, os.path.basename(program))
    return {"sendrawtransaction, 4 connections, %s" % kind: send_transactions(program, build, name + "-" + kind, kind) for kind in ("p2wpkh", "mixed")}


def show(results):
    names = list(results)
    print("\n| work | " + " | ".join(names) + " |\n|---" * 1 + "|---" * len(names) + "|")
    for row in results[names[0]]:
        cells = []
        for name in names:
            wall, cpu, memory, *text = results[name][row]
            parts = list(text)
            if wall is not None:
                parts.append("%.2f s wall, %.1f s CPU" % (wall, cpu))
            if memory is not None:
                parts.append("%.0f MB" % memory)
            cells.append(", ".join(parts))
        print("| %s | %s |" % (row, " | ".join(cells)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--other", help="another node's daemon with the same options, measured in the same run", default=os.environ.get("BENCH_OTHER"))
    parser.add_argument("--transactions", action="store_true", help="only how transactions are taken in")
    parser.add_argument("--indexes", action="store_true", help="only what the indexes cost; ours alone")
    parser.add_argument("--rounds", type=int, default=1, help="of the runs without and with indexes")
    parser.add_argument("--rpc", action="store_true", help="only how blocks are shown, by wrk")
    parser.add_argument("--seconds", type=float, default=5, help="for each RPC rate")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    part = options.transactions or options.rpc or options.indexes
    chain, facts = (None, None) if part and not options.indexes else make_chain(build)
    if chain:
        print("chain: %(height)d blocks, %(transactions)d transactions, %(inputs)d inputs, %(bytes)d bytes" % facts)
    work = tempfile.mkdtemp(prefix="farthing_bench_")
    results = {}
    try:
        for program in [os.path.join(build, "farthingd")] + ([options.other] if options.other and not options.indexes else []):
            print(program, flush=True)
            results[os.path.basename(program)] = (measure_transactions(program, work, build) if options.transactions else
                                                  measure_indexes(program, work, chain, facts, options.rounds) if options.indexes else
                                                  measure_rpc(program, work, build, options.seconds) if options.rpc else
                                                  measure(program, work, build, chain, facts, options.seconds))
        if not part:
            for name in results:
                results[name].update({row: (None, None, None, "-") for row in MINING})
            ours = measure_indexes(os.path.join(build, "farthingd"), work, chain, facts, options.rounds)
            for name in results:
                results[name].update({row: (None, None, None, "-") for row in ours})
            results["farthingd"].update(ours)
            print("  mining", flush=True)
            results["farthingd"].update(mine(os.path.join(build, "farthingd"), build, os.path.join(work, "mining")))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    show(results)


if __name__ == "__main__":
    main()
