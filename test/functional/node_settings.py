"""settings.json: read at start, below the command line and above the config file, kept, and refused when it is damaged."""
import json
import os

from framework import contains, equal, main, raises


def run(t):
    node = t.node()
    path = os.path.join(node.net_dir, "settings.json")
    with open(path) as f:
        equal(list(json.load(f)), ["_warning_"])
    node.stop()

    mine = {"maxmempool": 7, "uacomment": ["one", "two"], "listen": False, "unheard": {"of": [1, None]}}
    with open(path, "w") as f:
        json.dump(mine, f)
    node.start()
    equal(node.getmempoolinfo()["maxmempool"], 7000000)
    contains(node.getnetworkinfo()["subversion"], "one; two")
    with open(os.path.join(node.net_dir, "debug.log")) as f:
        log = f.read()
    for line in (
        "Setting file arg: maxmempool = 7",
        'Setting file arg: uacomment = ["one","two"]',
        "Setting file arg: listen = false",
        "Ignoring unknown rw_settings value unheard",
    ):
        contains(log, line)
    node.stop()
    with open(path) as f:
        kept = json.load(f)
    del kept["_warning_"]
    equal(kept, mine)
    node.start("-maxmempool=9")
    equal(node.getmempoolinfo()["maxmempool"], 9000000)
    node.stop()

    for text, why in (
        ('{"a": 1', "does not contain valid JSON"),
        ("[1]", "Found non-object value [1] in settings file"),
        ('{"a": {"b": 1, "b": 2}, "c": ",\\"c\\":", "c": 3}', "Found duplicate key c in settings file"),
    ):
        with open(path, "w") as f:
            f.write(text)
        node.start_fails(text=why)
        with open(path) as f:
            equal(f.read(), text)
    node.start("-nosettings")
    node.stop()
    node.start("-settings=other.json")
    assert os.path.exists(os.path.join(node.net_dir, "other.json"))
    node.stop()
    implied(node)


def implied(node):
    """What one option means for another."""
    node.start("-nosettings", "-blocksonly", "-cjdnsreachable", "-externalip=fc00::5", "-externalip=1.2.3.4:5")
    equal(node.getmempoolinfo()["maxmempool"], 5000000)
    equal(sorted((a["address"], a["port"]) for a in node.getnetworkinfo()["localaddresses"]), [("1.2.3.4", 5), ("fc00::5", node.port)])
    # A clock that is far behind the chain makes no template that anybody would take.
    node.mine(1)
    node.setmocktime(node.getblockheader(node.getbestblockhash())["mediantime"] - 7200)
    raises(-1, "TestBlockValidity failed: time-too-new", node.getblocktemplate, {"rules": ["segwit"]})
    node.setmocktime(node.getblockheader(node.getbestblockhash())["mediantime"] - 7199)
    node.getblocktemplate({"rules": ["segwit"]})
    node.stop()
    node.start("-nosettings", "-blocksonly", "-maxmempool=9")
    equal(node.getmempoolinfo()["maxmempool"], 9000000)


if __name__ == "__main__":
    main(run)
