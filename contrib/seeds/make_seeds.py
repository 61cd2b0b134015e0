#!/usr/bin/env python3
"""Writes src/net/seeds.c: addresses that a node tries when it knows no others.

Input: one text file for each network, one "host:port" a line ('#' begins a comment): IPv4, [IPv6] (fc.. is CJDNS), Tor v3 (.onion) and I2P
(.b32.i2p). At most LIMIT of them are taken for a network: each kind gets the same number of places, and what a kind does not need goes to the
others; within a kind the places are spread evenly over the sorted list, so that neighbours in one address range rarely come together.

usage: make_seeds.py FOLDER > src/net/seeds.c      (FOLDER holds nodes_main.txt, nodes_test.txt, nodes_signet.txt, nodes_testnet4.txt)
"""
import base64
import ipaddress
import os
import sys

LIMIT = 512
NETWORKS = [("main", "nodes_main.txt"), ("test", "nodes_test.txt"), ("testnet4", "nodes_testnet4.txt"), ("signet", "nodes_signet.txt")]
IPV4, IPV6, ONION, I2P, CJDNS = 1, 2, 4, 5, 6  # BIP155
COLUMNS = 128


def parse(text):
    """Returns (network, address bytes, port)."""
    host, _, port = text.rpartition(":")
    port = int(port)
    if not 0 <= port <= 65535:
        raise ValueError("port")
    if host.endswith(".onion"):
        raw = base64.b32decode(host[:-6].upper())
        if len(raw) != 35 or raw[34] != 3:
            raise ValueError("not a version 3 onion address")
        return ONION, raw[:32], port
    if host.endswith(".b32.i2p"):
        return I2P, base64.b32decode(host[:-8].upper() + "===="), port
    if host.startswith("["):
        raw = ipaddress.IPv6Address(host.strip("[]")).packed
        return (CJDNS if raw[0] == 0xFC else IPV6), raw, port
    return IPV4, ipaddress.IPv4Address(host).packed, port


def read(path):
    kinds = {}
    with open(path, encoding="ascii") as f:
        for number, line in enumerate(f, 1):
            text = line.split("#")[0].strip()
            if not text:
                continue
            try:
                network, raw, port = parse(text.split()[0])
            except ValueError as e:
                sys.exit(f"{path}:{number}: {text}: {e}")
            kinds.setdefault(network, set()).add((raw, port))
    return {network: sorted(entries) for network, entries in kinds.items()}


def spread(entries, n):
    return [entries[i * len(entries) // n] for i in range(n)]


def select(kinds):
    chosen, left, places = [], sorted(kinds, key=lambda k: len(kinds[k])), LIMIT
    while left:
        network = left[0]
        n = min(len(kinds[network]), places // len(left))
        chosen += [(network, raw, port) for raw, port in spread(kinds[network], n)]
        places -= n
        left.pop(0)
    return sorted(chosen)


def encode(chosen):
    """Each as in an addrv2 message: network id, length, address, port (big endian)."""
    return b"".join(bytes([network, len(raw)]) + raw + port.to_bytes(2, "big") for network, raw, port in chosen)


def lines(data):
    line = "   "
    for byte in data:
        item = f" {byte}," if line.endswith("   ") else f"{byte},"
        if len(line) + len(item) > COLUMNS:
            yield line
            line, item = "   ", f" {byte},"
        line += item
    yield line


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print("/* seeds.c - fixed seeds: addresses that a node tries when it knows no others. Written by contrib/seeds/make_seeds.py; do not edit.")
    print(" * Each entry: BIP155 network id, length, address, port. */")
    print('#include "net/seeds.h"\n\n#include <stdlib.h>\n#include <string.h>\n\n#include "util/mem.h"\n\n/* clang-format off */')
    for name, file in NETWORKS:
        chosen = select(read(os.path.join(sys.argv[1], file)))
        print(f"static const uint8_t seeds_{name}[] = {{ /* {len(chosen)} */")
        print("\n".join(lines(encode(chosen))))
        print("};")
    print("static const struct {\n    const char *chain;\n    const uint8_t *data;\n    size_t len;\n} lists[] = {")
    for name, _ in NETWORKS:
        print(f'    {{"{name}", seeds_{name}, sizeof(seeds_{name})}},')
    print("};\n/* clang-format on */\n")
    print(CODE, end="")


CODE = """\
size_t seeds_fixed(struct net_addr **out, const char *chain)
{
    const uint8_t *p, *end;
    size_t n = 0, i = 0;

    *out = NULL;
    while (i < ARRAY_LEN(lists) && strcmp(lists[i].chain, chain) != 0)
        i++;
    if (i == ARRAY_LEN(lists))
        return 0;
    p = lists[i].data;
    end = p + lists[i].len;
    *out = xcalloc(lists[i].len / 8, sizeof(**out)); /* the shortest entry has 8 bytes */
    for (; p < end; n++) {
        struct net_addr *a = &(*out)[n];
        size_t len = p[1];
        a->network = (enum net_network)p[0];
        memcpy(a->ip, p + 2, len);
        a->port = (uint16_t)(p[2 + len] << 8 | p[3 + len]);
        p += 4 + len;
    }
    return n;
}
"""

if __name__ == "__main__":
    main()
