"""Networks of nodes for the measurements of this folder: lines, rings and random graphs, of our node or of another one, on loopback."""
import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "functional"))

from blocks import TRUE_ADDRESS  # noqa: E402
from framework import call, same_tip, wait_until  # noqa: E402

# No traffic but what a test asks for; the same options for both programs.
QUIET = ("-listenonion=0", "-dnsseed=0", "-fixedseeds=0", "-natpmp=0", "-discover=0", "-persistmempool=0", "-checkblockindex=0", "-debugexclude=libevent")


def line(n):
    return [(i, i + 1) for i in range(n - 1)]


def ring(n):
    return line(n) + [(n - 1, 0)]


def random_graph(n, seed=1, extra=0.5):
    """A random tree and half as many edges again."""
    r = random.Random(seed)
    edges = {(r.randrange(i), i) for i in range(1, n)}
    while len(edges) < (n - 1) * (1 + extra):
        a, b = sorted(r.sample(range(n), 2))
        edges.add((a, b))
    return sorted(edges)


GRAPHS = {"line": line, "ring": ring, "random graph": random_graph}


def distances(n, edges):
    """Steps between each two nodes."""
    far = n * n
    d = [[0 if i == j else far for j in range(n)] for i in range(n)]
    for a, b in edges:
        d[a][b] = d[b][a] = 1
    for k in range(n):
        for i in range(n):
            for j in range(n):
                d[i][j] = min(d[i][j], d[i][k] + d[k][j])
    return d


def start_all(nodes):
    with ThreadPoolExecutor(len(nodes)) as pool:
        list(pool.map(lambda node: node.start(), nodes))


def handshakes(node):
    return sum(1 for p in call(node, "getpeerinfo") if p["version"] != 0 and p["bytesrecv_per_msg"].get("pong"))


def connect(nodes, edges, v2=False):
    """a opens the connection of each edge (a, b); done when all handshakes and first pings are."""
    for a, b in edges:
        call(nodes[a], "addnode", "127.0.0.1:%d" % nodes[b].port, "onetry", v2)
    for i, node in enumerate(nodes):
        degree = sum(i in edge for edge in edges)
        wait_until(lambda node=node, degree=degree: handshakes(node) >= degree, 30, "connections of %s" % node.name)


def fund(nodes, blocks):
    """The first node mines spendable coins for everyone."""
    for start in range(0, blocks, 50):
        call(nodes[0], "generatetoaddress", min(50, blocks - start), TRUE_ADDRESS)
    same_tip(*nodes)
