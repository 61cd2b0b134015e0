#!/usr/bin/env python3
"""Checks the layers of contrib/lint/layers.txt: every #include, and every symbol that a module's archive takes from another one.

Usage: layers.py [BUILD]   (BUILD: where lib<module>.a stand; without it only the includes are checked)
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXTERNAL = {"openssl": ("openssl/",), "secp256k1": ("secp256k1",), "leveldb": ("leveldb/",), "event2": ("event2/",), "json-c": ("json-c/",),
            "zmq": ("zmq.h",)}


def read_layers():
    modules, external = {}, {}
    with open(os.path.join(ROOT, "contrib", "lint", "layers.txt")) as f:
        for line in f:
            line = line.split("#")[0].strip()
            if not line:
                continue
            name, rest = line.split(":", 1)
            mine, outside = rest.split("|", 1)
            modules[name.strip()] = set(mine.split())
            external[name.strip()] = set(outside.split())
    return modules, external


def sources(module):
    for folder in ("src", "include"):
        for path, _, names in os.walk(os.path.join(ROOT, folder, module)):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.join(path, name)


def check_includes(modules, external):
    bad = []
    for module, allowed in modules.items():
        for path in sources(module):
            with open(path) as f:
                for number, line in enumerate(f, 1):
                    match = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
                    if not match:
                        continue
                    header = match.group(1)
                    where = "%s:%d: " % (os.path.relpath(path, ROOT), number)
                    owner = header.split("/")[0]
                    if owner in modules and "/" in header:
                        if owner != module and owner not in allowed:
                            bad.append(where + "%s may not include %s" % (module, header))
                        elif owner != module and not os.path.exists(os.path.join(ROOT, "include", header)):
                            bad.append(where + "%s is private to %s" % (header, owner))
                    for library, prefixes in EXTERNAL.items():
                        if header.startswith(prefixes) and library not in external[module]:
                            bad.append(where + "%s may not use %s" % (module, library))
    return bad


def symbols(archive):
    defined, undefined = set(), {}
    member = ""
    text = subprocess.run(["nm", "-A", "-g", archive], capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        place, rest = line.rsplit(":", 1)
        member = place.split(":")[-1]
        parts = rest.split()
        if len(parts) >= 2 and parts[-2] == "U":
            undefined.setdefault(parts[-1], member)
        elif len(parts) == 3 and parts[1] in "TDBRVWC":
            defined.add(parts[2])
    return defined, undefined


def check_symbols(modules, build):
    owner, needs, bad = {}, {}, []
    for module in modules:
        archive = os.path.join(build, "lib%s.a" % module)
        if not os.path.exists(archive):
            continue
        defined, needs[module] = symbols(archive)
        for name in defined:
            if owner.setdefault(name, module) != module:
                bad.append("%s is defined in %s and in %s" % (name, owner[name], module))
    for module, undefined in needs.items():
        for name, member in sorted(undefined.items()):
            other = owner.get(name, module)
            if other != module and other not in modules[module]:
                bad.append("%s (%s) uses %s of %s" % (module, member, name, other))
    return bad


def main():
    modules, external = read_layers()
    bad = check_includes(modules, external)
    if len(sys.argv) > 1:
        bad += check_symbols(modules, sys.argv[1])
    for line in bad:
        print(line)
    print("layers: %d modules, %d violations" % (len(modules), len(bad)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
