"""What may differ between the answers of rpc_diff.py's two nodes and why: (command, path in the answer, reason, a condition of ours and theirs or None);
the first two are regular expressions. doc/rpc-differences.md says the same in words."""


def test_build(ours, theirs):
    return ours == [] and len(theirs) == 1 and "pre-release test build" in theirs[0] or isinstance(ours, str) and theirs.startswith("This is a pre-release test build")


def no_map(ours, theirs):
    """Ours says that it has none."""
    return ours in (None, 500) or ours == "No embedded ASMap data available" or isinstance(ours, tuple) and dict(ours)["message"] == "No embedded ASMap data available"


def same_hash(ours, theirs):
    """An opaque text: the tip and a number."""
    return ours[:64] == theirs[:64]


def longer(ours, theirs):
    return len(ours) > len(theirs)


def more_named(ours, theirs):
    """Lists of names: ours has all of theirs."""
    return theirs is None or set(theirs) <= set(ours)


ENTRY = r"getmempoolentry|getrawmempool|getmempoolancestors|getmempooldescendants"
ALLOWED = [
    (r"getpeerinfo", r"\.result\[\]\.startingheight more", "a member that clients still read", None),
    (ENTRY, r"\.result(\.H)?\.bip125-replaceable more", "a member that clients still read", None),
    (r"getmempoolinfo", r"\.result\.fullrbf more", "a member that clients still read", None),
    (r"getmempoolinfo", r"\.result\.usage", "memory", None),
    (r"getmemoryinfo", r"\.result.*", "memory", None),
    (r"getdeploymentinfo", r"\.result\.deployments\.taproot more", "a member that clients still read", None),
    (r"uptime", r"\.result", "times", None),
    (r"getrpcinfo", r"\.result\.active_commands\[\]\.duration", "times", None),
    (r"getblockchaininfo", r"\.result\.size_on_disk", "sizes of files", None),
    (r"estimatesmartfee", r"\.result\.mempool more", "more of our own", None),
    (r"getnetworkinfo", r"\.result\.subversion", "names the program", None),
    (r"getblocktemplate", r"\.result\.coinbaseaux\.flags more", "a member that pools still read", None),
    (r"getblockchaininfo|getnetworkinfo|getmininginfo", r"\.result\.warnings", "the other one is a test build", test_build),
    (r"getblocktemplate", r"\.result\.longpollid", "an opaque text", same_hash),
    (r"getblocktemplate", r"\.error\.message", "names the program", lambda ours, theirs: ours == "Farthing is not connected!" and theirs == "Bitcoin Core is not connected!"),
    (r"exportasmap", r"status|\.result.*|\.error.*", "the other one has a map of its own", no_map),
    (r"getchainstates", r"\.result\.chainstates\[\]\.coins_(db|tip)_cache_bytes", "memory", None),
    (r"getnettotals", r"\.result\.timemillis", "times", None),
    (r"getnetworkinfo", r"\.result\.inv_buckets\..*_tok", "without peers nothing is announced", None),
    (r"getnetworkinfo", r"\.result\.localaddresses\[\]\.port", "ports", None),
    (r"gettxoutsetinfo", r"\.result\.disk_size", "sizes of files", None),
    (r"getpeerinfo", r"\.result\[\]\.(addr|addrbind|bytessent|bytessent_per_msg\.version)", "ports; the length of the program's name", None),
    (r"getpeerinfo", r"\.result\[\]\.timeoffset", "times", lambda ours, theirs: abs(int(ours) - int(theirs)) <= 2),
    (r"getnettotals", r"\.result\.totalbytes(sent|recv)", "ports; the length of the program's name", None),
    (r"getnodeaddresses", r"\.result\[\]\..*", "picked at random", None),
    (r"combinerawtransaction", r"\.result", "signatures of taproot keys are kept", longer),
    (r"documents", r"\.result\.info\..*|.*\.(description|summary)( more| missing)?", "names the program", None),
    (r"documents", r".*\.(bip125-replaceable|fullrbf|startingheight|mempool) more|.*\.required", "a member that clients still read", more_named),
    (r"documents", r".*\.return_spending_tx\..*", "a default that is a value", None),
    (r"documents", r".*\.(gettxout|decodepsbt)\..*\.properties order", "the document has the members in the order of the answer", None),
    (r"help", r"\.result", "commands of our own", lambda ours, theirs: ours.startswith("== ")),
    (r"envelope", r".*", "JSON that is no UTF-8", lambda ours, theirs: theirs in (200, ["\0"]) or isinstance(ours, tuple) and dict(ours).get("message") == "Parse error"),
    (r"envelope", r"\.result\[\].*", "the first of equal names counts", None),
    (r"wallet path", r".*", "the other one has no wallets", None),
    (r"rest body", r"status|headers|text", "BIP64's form of a body, which the other one misreads", None),
    (r"rest", r"\.warnings", "the other one is a test build", test_build),
    (r"rest", r"(\.fullrbf|\.deployments\.taproot|(\.H)?\.bip125-replaceable) more", "a member that clients still read", None),
    (r"rest", r"\.usage", "memory", None),
    (r"rest", r"\.size_on_disk", "sizes of files", None),
]
