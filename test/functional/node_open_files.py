"""The limit of open files: raised for the connections that are wanted; where the system does not let us, there are fewer connections, so that
peers cannot take the descriptors that databases and block files need."""
import resource

from framework import contains, equal, main
from p2p import Peer

WANTED = 9512  # 9,000 connections and what the node needs besides: more than the RPC server asks for


def soft_limit(node):
    with open("/proc/%d/limits" % node.process.pid) as f:
        return next(int(line.split()[3]) for line in f if line.startswith("Max open files"))


def run(test):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < WANTED:
        print("limit raised: not tested, the system allows %d open files" % hard)
    else:
        resource.setrlimit(resource.RLIMIT_NOFILE, (600, hard))
        node = test.node("-maxconnections=9000")
        equal(soft_limit(node), WANTED)
        assert "Reducing -maxconnections" not in node.log()
        node.stop()
    resource.setrlimit(resource.RLIMIT_NOFILE, (530, 530))
    node = test.node("-maxconnections=1000", "-inboundrelaypercent=100")
    equal(soft_limit(node), 530)
    contains(node.log(), "Reducing -maxconnections from 1000 to 18, because of system limitations.")
    # 11 of the 18 are for peers that the node chooses.
    peers = [Peer(node) for _ in range(7)]
    late = Peer(node, handshake=False)
    late.wait_closed()
    equal(len(node.getpeerinfo()), len(peers))
    for peer in [*peers, late]:
        peer.close()


main(run)
