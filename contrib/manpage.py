#!/usr/bin/env python3
"""Writes a man page on standard output, made from a program's own -help: manpage.py PROGRAM

-help starts with name and version, the ways to call the program ("Usage:", "or:") and sentences that describe it; then each heading
stands alone on a line that is not indented, an option is indented by two blanks, and its text by more.
"""
import os
import re
import subprocess
import sys

PURPOSE = {"farthingd": "Bitcoin full node", "farthing-cli": "send commands to a running Farthing node"}
SEE_ALSO = {"farthingd": "farthing-cli", "farthing-cli": "farthingd"}
FILES = (("~/.farthing/farthing.conf", "Options, one name=value in a line, without the dash; bitcoin.conf where the datadir has that one."),
         ("~/.farthing/debug.log", "The node's log. Networks other than mainnet have a folder of their own below the datadir."),
         ("~/.farthing/.cookie", "User and password of RPC for the time that the node runs."))
EXIT = {"farthingd": "0 after a clean stop, 1 after an error, which is named on standard error and in the log.",
        "farthing-cli": "0 on success, 1 where no answer was had, otherwise the absolute value of the RPC error's code (modulo 256)."}


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("~", "\\(ti").replace("^", "\\(ha")
    return "\\&" + text if text.startswith((".", "'")) else text


def section(title):
    print(".SH " + escape(title.upper()))


def synopsis(line):
    """Literal words bold, what is to be replaced in roman: the brackets say so."""
    words = line.split()
    return "\\fB" + escape(words[0]) + "\\fR" + "".join(" " + escape(word) for word in words[1:])


def is_sentence(line):
    return re.match(r"(?!Usage:|or:)\S.*[^.]\.$", line) is not None


def print_options(lines):
    headed = False
    for line in lines:
        if re.match(r"(Usage|or):\s", line) or not line.strip() or is_sentence(line):
            continue
        if re.match(r"\S", line):
            section(line.rstrip(":"))
            headed = True
        elif not headed:
            continue
        elif re.match(r"  -\S", line):
            option, _, value = line.strip().partition("=")
            print(".TP\n\\fB" + escape(option) + "\\fR" + (escape("=" + value) if value else ""))
        else:
            print(escape(line.strip()))


def main():
    program = sys.argv[1]
    name = os.path.basename(program)
    lines = subprocess.run([program, "-help"], capture_output=True, text=True, check=True).stdout.splitlines()
    version = lines[0].split()[-1].lstrip("v")
    print('.TH %s 1 "" "Farthing %s" "User Commands"' % (escape(name.upper()), escape(version)))
    section("Name")
    print("%s \\- %s" % (escape(name), escape(PURPOSE.get(name, "part of Farthing"))))
    section("Synopsis")
    usages = [m.group(1) for m in (re.match(r"(?:Usage|or):\s+(.*)", line) for line in lines) if m]
    print("\n.br\n".join(synopsis(usage) for usage in usages))
    sentences = [line for line in lines[1:] if is_sentence(line)]
    if sentences:
        section("Description")
        print(escape(" ".join(sentences)))
    print_options(lines[1:])
    section("Exit status")
    print(escape(EXIT.get(name, "0 on success.")))
    section("Files")
    for path, what in FILES:
        print(".TP\n\\fI%s\\fR\n%s" % (escape(path), escape(what)))
    if name in SEE_ALSO:
        section("See also")
        print("\\fB%s\\fR(1)" % escape(SEE_ALSO[name]))


if __name__ == "__main__":
    main()
