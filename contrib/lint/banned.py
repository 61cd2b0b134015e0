#!/usr/bin/env python3
"""Refuses calls that are never needed here, leftovers, and files that outgrew their size (DESIGN: split by noun before 800 lines)."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CALLS = re.compile(r"(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atoll|alloca|rand|srand|random|tmpnam|mktemp|setjmp|longjmp)\s*\(")
WORDS = re.compile(r"\b(TODO|FIXME|XXX)\b")
FOLDERS = ("src", "include", "test/unit", "test/fuzz", "test/bench")
MAX_LINES = 800
MAX_FUNCTION = 120


def functions(lines):
    """(name line, length) of each function body: from a lone '{' in column 0 to the '}' in column 0."""
    start = None
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start is not None:
            yield start, number - start
            start = None


def main():
    names = sorted(os.path.relpath(os.path.join(path, file), ROOT) for folder in FOLDERS
                   for path, _, files in os.walk(os.path.join(ROOT, *folder.split("/"))) for file in files if file.endswith((".c", ".h")))
    bad = []
    for name in names:
        path = os.path.join(ROOT, name)
        with open(path) as f:
            lines = f.read().splitlines()
        if len(lines) > MAX_LINES:
            bad.append("%s: %d lines" % (name, len(lines)))
        for number, line in enumerate(lines, 1):
            code = re.sub(r'"(\\.|[^"\\])*"|/\*.*?\*/', "", line)
            code = "" if code.lstrip().startswith(("*", "/*", "//")) else code
            if CALLS.search(code) and "test/unit" not in name:
                bad.append("%s:%d: banned call: %s" % (name, number, line.strip()))
            if WORDS.search(line):
                bad.append("%s:%d: unfinished: %s" % (name, number, line.strip()))
        if name.endswith(".c"):
            for start, length in functions(lines):
                if length > MAX_FUNCTION:
                    bad.append("%s:%d: function of %d lines" % (name, start, length))
    for line in bad:
        print(line)
    print("banned: %d files, %d violations" % (len(names), len(bad)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
