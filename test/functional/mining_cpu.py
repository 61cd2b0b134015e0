"""The node's own miner: -gen and -miningaddress, setgenerate, getgenerate, gethashespersec."""
from blocks import TRUE_ADDRESS
from framework import ADDRESS, equal, main, raises, wait_until

TEST_ADDRESS = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"


def run(test):
    node = test.node(start=False)
    node.start_fails("-gen", text="-gen needs an address to mine to (-miningaddress)")
    node.start_fails("-gen", "-miningaddress=" + TEST_ADDRESS, text="Invalid -miningaddress")
    signet = test.node(chain="signet", start=False)
    signet.start_fails("-gen", "-miningaddress=" + TEST_ADDRESS, text="signature")

    # Nobody to pay: it stays off.
    node.start("-gen=0")
    equal(node.getgenerate(), False)
    equal(node.gethashespersec(), 0)
    raises(-1, "-miningaddress", node.setgenerate, True)
    raises(-3, "", node.setgenerate, "yes")
    equal(node.getblockcount(), 0)
    node.stop()

    # From the start, and off while it runs.
    node.start("-gen", "-miningaddress=" + ADDRESS)
    equal(node.getgenerate(), True)
    wait_until(lambda: node.getblockcount() > 20, what="mined blocks")
    wait_until(lambda: node.gethashespersec() > 0, what="a rate")
    equal(node.setgenerate(False), None)
    equal(node.getgenerate(), False)
    equal(node.gethashespersec(), 0)
    node.generatetoaddress(1, TRUE_ADDRESS)  # what was under way is over
    height = node.getblockcount()
    block = node.getblock(node.getblockhash(height - 1), 2)
    equal(block["tx"][0]["vout"][0]["scriptPubKey"]["address"], ADDRESS)
    equal(node.getblockcount(), height)
    equal(node.verifychain(4, 0), True)

    # Two threads go on upon a tip from elsewhere.
    node.invalidateblock(node.getblockhash(5))
    equal(node.getblockcount(), 4)
    node.cli("setgenerate", "true", "2")
    wait_until(lambda: node.getblockcount() > 10, what="blocks of two threads")
    node.setgenerate(True, 0)
    equal(node.getgenerate(), False)
    node.setgenerate(True, -1)
    equal(node.getgenerate(), True)
    node.stop()

    # A network whose difficulty is a real one: nothing is found soon, but it searches.
    other = test.node("-gen=1", "-miningaddress=" + TEST_ADDRESS, chain="testnet4")
    wait_until(lambda: other.gethashespersec() > 1000, what="a search")
    other.stop()


main(run)
