"""Long polls hold no thread and do not keep other commands out, but there are no more of them than -rpcthreads and -rpcworkqueue allow."""
import threading

from framework import Node, equal, main, wait_until


def poll(node, results):
    other = Node.__new__(Node)
    other.__dict__.update(node.__dict__, connection=None)
    results.append(other.post('{"jsonrpc":"2.0","id":1,"method":"waitfornewblock","params":[60000]}'))


def waiting(node):
    return sum(1 for c in node.getrpcinfo()["active_commands"] if c["method"] == "waitfornewblock")


def run(t):
    node = t.node("-rpcthreads=1", "-rpcworkqueue=1")
    for _ in range(2):  # places are free again after the polls ended
        results = []
        threads = [threading.Thread(target=poll, args=(node, results)) for _ in range(2)]
        for thread in threads:
            thread.start()
        wait_until(lambda: waiting(node) == 2, what="two long polls")
        refused = []
        poll(node, refused)
        equal(refused, [(503, "Work queue depth exceeded")])
        equal(waiting(node), 2)
        height = node.getblockcount()
        node.mine(1)
        for thread in threads:
            thread.join()
        equal([status for status, _ in results], [200, 200])
        equal(node.getblockcount(), height + 1)


main(run)
