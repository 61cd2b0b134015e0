#!/usr/bin/env python3
"""Writes what is made from tables and help texts: doc/rpc.md, doc/man/*.1 and contrib/completions/*.

reference.py BUILD [--check]: from the programs in BUILD; with --check nothing is written, and the exit status is 1 if a file is not up to date.
"""
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CATEGORIES = {"blockchain": "Blocks, coins and the memory pool", "control": "The program itself", "mining": "Mining", "network": "Peers and addresses",
              "rawtransactions": "Transactions and PSBTs", "util": "Helpers", "zmq": "ZeroMQ", "signer": "External signers", "wallet": "Wallet",
              "hidden": "For tests and debugging"}
HEAD = """# RPC commands

Made by `make docs` from the tables beside the commands (`src/rpc/doc.h`); a test runs each example. How to reach the server, what differs from
Bitcoin Core and which thread a command runs on: `doc/rpc-differences.md`. The same texts: `farthing-cli help <command>`; for programs:
`farthing-cli getopenrpcinfo`.

Examples are for `farthing-cli`; over HTTP the same is `{"jsonrpc": "2.0", "id": 1, "method": "getblockhash", "params": [100]}`, parameters by name in
an object. Hashes, addresses and keys in them are samples of the main network.
"""


def anchor(text):
    return re.sub(r"[^a-z0-9_ -]", "", text.lower()).replace(" ", "-")


def block(text):
    return "```text\n%s\n```\n" % text.strip("\n")


def command_section(c):
    lines = ["### %s\n" % c["name"], block(c["usage"]), c["help"].strip().replace("<", "\\<") + ("\n\nNot in Bitcoin Core.\n" if c["own"] else "\n")]
    if c["arguments"]:
        lines.append(block(c["arguments"]))
    if not c["results"]:  # it only says what to use instead
        return "\n".join(lines)
    lines.append(block(c["results"]))
    shown = []
    for e in c["examples"]:
        words = e["words"] if len(e["words"]) < 400 else e["words"][:160] + "..."
        shown.append("farthing-cli " + words + ("  # error %d: %s" % (e["error"], e["why"]) if e["error"] else ""))
    lines.append("```sh\n%s\n```\n" % "\n".join(shown))
    return "\n".join(lines)


def rpc_md(commands):
    assert all(x["category"] in CATEGORIES for x in commands)
    categories = [c for c in CATEGORIES if any(x["category"] == c for x in commands)]
    out = [HEAD]
    for category in categories:
        names = sorted(x["name"] for x in commands if x["category"] == category)
        out.append("**[%s](#%s)**:\n%s\n" % (CATEGORIES[category], anchor(CATEGORIES[category]),
                                            ",\n".join("[%s](#%s)" % (n, anchor(n)) for n in names)))
    for category in categories:
        out.append("## %s\n" % CATEGORIES[category])
        if category == "hidden":
            out.append("`help` does not list these; they may change.\n")
        out += [command_section(c) for c in sorted(commands, key=lambda x: x["name"]) if c["category"] == category]
    return "\n".join(out)


# -- completions --

def client_options(build):
    """[(name, takes a value, text)] out of the client's -help."""
    text = subprocess.run([os.path.join(build, "farthing-cli"), "-help"], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^  -([a-z0-9]+)(=\S+)?\n((?: {7}.*\n)*)", text, re.M)
    return [(name, bool(value), " ".join(line.strip() for line in lines.splitlines())) for name, value, lines in found]


def first_line(text):
    line = re.split(r"(?<=[a-z0-9)])\.(?: |$)|\n", text.strip())[0]
    return line if len(line) <= 90 else line[:87] + "..."


def fill(template, **values):
    with open(os.path.join(HERE, template)) as f:
        text = f.read()
    for key, value in values.items():
        text = text.replace("@%s@" % key.upper(), value)
    return text


def wrap(words, indent):
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) > 120:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return ("\n" + " " * indent).join(lines)


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def zsh_text(text):
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")


FILES = ("conf", "datadir", "rpccookiefile", "rpctlsca")
VALUES = {"color": "always auto never", "chain": "main test testnet4 signet regtest"}


def zsh_value(name):
    return "_files" if name in FILES else "(%s)" % VALUES[name] if name in VALUES else ""


def fish_value(name):
    return "-r" if name in FILES else "-x -a '%s'" % VALUES[name] if name in VALUES else "-x"


def completions(commands, options):
    names = sorted(c["name"] for c in commands)
    shown = sorted((c for c in commands if c["category"] != "hidden"), key=lambda c: c["name"])
    option_words = ["-" + name + ("=" if value else "") for name, value, _ in options]
    zsh_options = [quoted("-%s[%s]%s" % (name + ("=-" if value else ""), zsh_text(first_line(text)), ":%s:%s" % (name, zsh_value(name)) if value else ""))
                   for name, value, text in options]
    zsh_commands = [quoted("%s:%s" % (c["name"].replace(":", "\\:"), first_line(c["help"]))) for c in shown]
    fish = ["complete -c farthing-cli -o %s %s -d %s" % (name, fish_value(name) if value else "", quoted(first_line(text)).replace("'\\''", "\\'"))
            for name, value, text in options]
    fish += ["complete -c farthing-cli -n __farthing_cli_wants_command -a %s -d %s" % (c["name"], quoted(first_line(c["help"])).replace("'\\''", "\\'"))
             for c in shown]
    return {"contrib/completions/farthing-cli.bash": fill("bash.in", options=wrap(option_words, 8), commands=("\n" + 8 * " ").join(names)),
            "contrib/completions/_farthing-cli": fill("zsh.in", options="\n        ".join(zsh_options), commands="\n        ".join(zsh_commands)),
            "contrib/completions/farthing-cli.fish": fill("fish.in", lines="\n".join(line.replace("  ", " ") for line in fish))}


def files(build):
    dump = subprocess.run([os.path.join(build, "reference-dump")], capture_output=True, text=True, check=True).stdout
    commands = json.loads(dump)["commands"]
    out = {"doc/rpc.md": rpc_md(commands), **completions(commands, client_options(build))}
    for program in ("farthingd", "farthing-cli"):
        page = subprocess.run([sys.executable, os.path.join(HERE, "..", "manpage.py"), os.path.join(build, program)],
                              capture_output=True, text=True, check=True).stdout
        out["doc/man/%s.1" % program] = page
    return out


def main():
    build, check, stale = sys.argv[1], "--check" in sys.argv[2:], []
    for name, text in files(build).items():
        path = os.path.join(ROOT, name)
        old = None
        if os.path.exists(path):
            with open(path) as f:
                old = f.read()
        if old == text:
            continue
        stale.append(name)
        if not check:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as f:
                f.write(text)
    for name in stale:
        print("%s: %s" % (name, "not up to date (make docs)" if check else "written"))
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
