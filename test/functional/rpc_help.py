"""help knows every command; the client's table of what is JSON agrees with the parameters that the server knows."""
import os
import re

from framework import ROOT, equal, main


def client_table():
    """Out of the source: {(method, position, name)} of JSON parameters."""
    with open(os.path.join(ROOT, "src", "cli", "convert.c")) as f:
        source = f.read()
    found = set()
    for method, params in re.findall(r'\{"(\w+)",\s*((?:"[^"]*"\s*)+)\}', source):
        for item in "".join(re.findall(r'"([^"]*)"', params)).split():
            if not item.startswith("$"):
                position, name = item.lstrip("?").split(":")
                found.add((method, int(position), name))
    return found


def run(t):
    node = t.node()
    for line in node.help().splitlines():
        if line and not line.startswith("=="):
            name = line.split()[0]
            equal(node.help(name).splitlines()[0], line)
    equal(node.help("nothing"), "help: unknown command: nothing")

    known = node.help("dump_all_command_conversions")
    methods = {method for method, *_ in known}
    server = {(method, position, name) for method, position, name, text in known if not text}
    table = client_table()
    equal(sorted(server - table), [])
    strings = {(method, position, name) for method, position, name, text in known if text}
    equal(sorted(entry for entry in table & strings if entry[0] != "echojson"), [])
    equal(sorted(entry for entry in table - server - strings if entry[0] in methods and entry[0] != "echojson"), [])


main(run)
