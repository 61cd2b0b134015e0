#!/usr/bin/env python3
"""Writes a man page on standard output, made from a program's own --help."""
import os
import re
import subprocess
import sys


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in ".'" else text


def main():
    program = sys.argv[1]
    name = os.path.basename(program)
    lines = subprocess.run([program, "-help"], capture_output=True, text=True, check=True).stdout.splitlines()
    version = lines[0].split()[-1]
    print('.TH %s 1 "" "%s %s" "User Commands"' % (name.upper(), name, version))
    print(".SH NAME\n%s \\- %s" % (name, "a Bitcoin full node" if name.endswith("d") else "sends commands to a Farthing node"))
    print(".SH SYNOPSIS")
    for line in lines:
        match = re.match(r"(?:Usage:|or:)\s+(.*)", line)
        if match:
            print(".B %s\n.br" % escape(match.group(1)))
    options = False
    for line in lines[1:]:
        if re.match(r"\S.*:$", line) and not line.startswith("Usage"):
            options = True
            print(".SH " + escape(line[:-1].upper()))
        elif not options or not line.strip():
            continue
        elif line.startswith("  -"):
            print(".TP\n.B " + escape(line.strip()))
        else:
            print(escape(line.strip()))


if __name__ == "__main__":
    main()
