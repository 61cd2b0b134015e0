"""The events of -logformat=json: those in the source and those that doc/logging.md lists are the same, with the same fields; all that can be brought about
stand in the log of a node with these fields. And the lines of the text form that programs look for, with what the options put in front of them."""
import json
import os
import re
import time

from blocks import TRUE_ADDRESS, Block, coinbase, make_chain
from framework import ROOT, contains, equal, main, same_tip, wait_until

ALWAYS = {"time", "level", "thread", "event", "message"}
OF_SOME = {"category", "mocktime"}


def in_source():
    """{event: [its fields, wherever it is written]}"""
    found = {}
    for folder, _, names in os.walk(os.path.join(ROOT, "src")):
        for name in names:
            if not name.endswith(".c"):
                continue
            with open(os.path.join(folder, name)) as f:
                text = f.read()
            for m in re.finditer(r'LOG_EVENT\("(\w+)"((?:,\s*\{"\w+",[^{}]*\})*)\)', text):
                found.setdefault(m[1], []).append(re.findall(r'\{"(\w+)",', m[2]))
            equal(len(re.findall(r"\bLOG_EVENT\(", text)), len(re.findall(r'LOG_EVENT\("(\w+)"(?:,\s*\{"\w+",[^{}]*\})*\)', text)))  # none of a form that is not seen here
    return found


def in_document():
    """{event: (level and category, fields)}"""
    with open(os.path.join(ROOT, "doc", "logging.md")) as f:
        rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \| ([^|]*) \| [^|]* \|$", f.read(), re.M)
    return {event: (how, re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", fields))) for event, how, fields in rows}


def lines(node):
    return [json.loads(line) for line in node.log().splitlines()]


def produce(t):
    """Two nodes that talk; blocks, an invalid chain that is far ahead, a broken disk."""
    a, b = (t.node("-logformat=json", "-debug=net", "-debug=cmpctblock", debug="validation") for _ in range(2))
    a.mine(2, TRUE_ADDRESS)
    a.connect(b)
    same_tip(a, b)
    for _ in range(4):  # from the second on by compact blocks
        a.mine(1, TRUE_ADDRESS)
        same_tip(a, b)
    tip = b.getblockheader(b.getbestblockhash())
    bad = Block(tip["hash"], tip["height"] + 1, tip["time"] + 1, base=coinbase(tip["height"] + 1, 51 * 10 ** 8)).solve()
    branch = [bad, *make_chain(bad.hash, tip["height"] + 1, tip["time"] + 2, 8)]
    for block in branch:
        b.submitheader(block.header().hex())
    for block in reversed(branch):  # all are there when the first one is found to be invalid
        b.submitblock(block.hex())
    a.stop()
    wait_until(lambda: not b.getpeerinfo(), what="the peer's end")
    b.stop()
    out = lines(a) + lines(b)
    # A block file that is gone: the node says so and ends.
    os.remove(os.path.join(a.net_dir, "blocks", "blk00000.dat"))
    a.spawn("-checkblocks=6", "-checklevel=4")
    equal(a.wait_end(), 1)
    return out + lines(a)


def events(t):
    source, document = in_source(), in_document()
    equal(sorted(source), sorted(document))
    for event, places in source.items():
        for fields in places:
            equal((event, fields), (event, document[event][1]))
    seen = {}
    for line in produce(t):
        name = line["event"]
        equal(sorted(ALWAYS - set(line)), [])
        extra = set(line) - ALWAYS - OF_SOME
        if name == "log":
            equal((line["message"], extra), (line["message"], set()))
            continue
        equal((name, sorted(extra)), (name, sorted(document[name][1])))
        contains(document[name][0], line["level"])
        if line["level"] == "debug":
            contains(document[name][0], line["category"])
        seen[name] = line
    equal(sorted(set(document) - set(seen)), [])
    equal({seen["header"]["compact"], seen["warning"]["kind"], seen["block_invalid"]["reason"]}, {1, "invalid_chain", "bad-cb-amount"})


def text_lines(t):
    """What mempool.space reads, and what stands in front of a line."""
    a, b = t.node(debug="none"), t.node("-nologtimemicros", "-debug=cmpctblock", debug="none")
    a.mine(1, TRUE_ADDRESS)
    a.connect(b)
    for _ in range(4):
        a.mine(1, TRUE_ADDRESS)
        same_tip(a, b)
    tip = b.getbestblockhash()
    for node, second in ((a, r"\.\d{6}Z"), (b, "Z")):
        wanted = ["UpdateTip: new best=" + tip]
        if node is b:
            wanted += ["Saw new cmpctblock header hash=" + tip, "Saw new header hash=[0-9a-f]{64}", r"\[cmpctblock\] Initialized PartiallyDownloadedBlock for block " + tip]
        for text in wanted:
            if not re.search(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d%s %s" % (second, text), node.log(), re.M):
                raise AssertionError("no line with %s" % text)
    a.stop()
    b.stop()
    fronts = ((("-logthreadnames", "-logsourcelocations"), r"\S+Z \[\w+\] \[src/\w+/\w+\.c:\d+\] \[\w+\] UpdateTip: "), (("-logtimestamps=0",), "UpdateTip: "), (("-logtimestamps=0", "-loglevelalways"), r"\[all:info\] UpdateTip: "),
              (("-mocktime=%d" % (time.time() + 60),), r"\S+Z \(mocktime: 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ\) UpdateTip: "), (("-logtimestamps=0", "-debug=rpc"), r"\[rpc\] ThreadRPCServer method="),
              (("-logtimestamps=0", "-debug=rpc", "-loglevelalways"), r"\[rpc:debug\] ThreadRPCServer method="))
    for options, form in fronts:
        mark = len(a.log())
        a.start(*options)
        a.mine(1, TRUE_ADDRESS)
        a.stop()
        if not re.search("^" + form, a.log()[mark:], re.M):
            raise AssertionError("%s: no line %s" % (options, form))
    # What is left out is off, and its lines are not there.
    mark = len(a.log())
    a.start("-debug=all", "-debugexclude=rpc", "-debugexclude=http", "-loglevel=info")
    equal([name for name, on in a.logging().items() if not on], ["http", "rpc"])
    a.stop()
    equal([line for line in a.log()[mark:].splitlines() if re.search(r"\[(rpc|http)[:\]]", line)], [])
    for options, text in ((("-debugexclude=moon",), "Unsupported logging category -debugexclude=moon."), (("-loglevel=moon",), "loglevel=moon"), (("-loglevel=net:moon",), "loglevel=net:moon")):
        try:
            a.start_fails(*options, text=text)
        except AssertionError as error:
            raise AssertionError("%s: %s" % (options, error)) from None


def run(t):
    events(t)
    text_lines(t)


main(run)
