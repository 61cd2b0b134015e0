"""Electrum itself (Debian's package) against the node's own server: a wallet is made, sees a payment unconfirmed and confirmed, sends one back,
follows a reorganisation, goes on after a restart of the server, and is restored from its seed. Passes with one line where Electrum is not installed."""
import json
import os
import shutil
import subprocess

from blocks import COIN, TRUE_ADDRESS, coins_of, make_chain, spend
from framework import SLOW, equal, free_port, main, wait_until

FEE = 10_000


class Electrum:
    """One wallet in a folder of its own, and the daemon that serves it."""

    def __init__(self, t, port, python, program, seed=None):
        self.home = os.path.join(t.dir, "electrum-again" if seed else "electrum")
        self.words = [python, program, "--regtest", "-D", self.home]
        self.port = port
        self.command(*(["restore", "--offline", seed] if seed else ["create", "--offline"]))
        self.command("setconfig", "--offline", "log_to_file", "false")
        self.command("setconfig", "--offline", "rpcport", str(free_port()))

    def command(self, *words):
        def run():
            return subprocess.run([*self.words, *words], capture_output=True, text=True, timeout=120 * SLOW,
                                  env={"HOME": self.home, "PATH": "/usr/bin:/bin", "PYTHONUTF8": "1"})
        done = run()
        if "Cannot read config file" in done.stderr:  # the daemon was writing it
            done = run()
        equal((words[0], done.returncode, done.stderr if done.returncode else ""), (words[0], 0, ""))
        text = done.stdout.strip()
        try:
            return json.loads(text)
        except ValueError:
            return text

    def start(self):
        self.command("daemon", "-d", "--oneserver", "-s", "127.0.0.1:%d:t" % self.port)
        self.command("load_wallet")

    def height(self):
        info = self.command("getinfo")
        return info["blockchain_height"] if info["connected"] else None

    def balance(self):
        """Satoshi: confirmed, unconfirmed."""
        got = self.command("getbalance")
        return tuple(round(float(got.get(k, "0")) * COIN) for k in ("confirmed", "unconfirmed"))

    def history(self):
        return {h["txid"]: h["height"] for h in self.command("onchain_history")["transactions"]}


def seek(what, got, expected):
    wait_until(lambda: got() == expected, timeout=150, what=what)  # it tries again to connect each minute


def run(t):
    program = shutil.which("electrum", path="/usr/bin")
    python = "/usr/bin/python3"
    if not program or not os.path.exists(python):
        print("electrum_client: Electrum is not installed (apt-get install electrum); nothing tested")
        return
    port = free_port()
    node = t.node("-electrum=127.0.0.1:%d" % port)
    node.mine(110, TRUE_ADDRESS)
    wallet = Electrum(t, port, python, program)
    wallet.start()
    try:
        use(node, wallet)
    finally:
        wallet.command("stop")
    # All of it from the seed alone.
    seed = wallet.command("getseed", "--offline")
    equal(len(seed.split()), 12)
    again = Electrum(t, port, python, program, seed)
    again.start()
    try:
        seek("the balance of the restored wallet", again.balance, wallet.last_balance)
        seek("its history", again.history, wallet.last_history)
    finally:
        again.command("stop")


def use(node, wallet):
    seek("the tip", wallet.height, 110)
    address = wallet.command("getunusedaddress")
    script = bytes.fromhex(node.validateaddress(address)["scriptPubKey"])
    equal(wallet.balance(), (0, 0))
    # A payment: unconfirmed, then confirmed.
    payment = spend(coins_of(node, 1, 1), [(50 * COIN - FEE, script)])
    node.sendrawtransaction(payment.hex())
    seek("the payment", wallet.balance, (0, 50 * COIN - FEE))
    node.mine(1, TRUE_ADDRESS)
    seek("its block", wallet.balance, (50 * COIN - FEE, 0))
    equal(wallet.history(), {payment.txid: 111})
    # One back.
    sent = wallet.command("payto", TRUE_ADDRESS, "20", "--feerate", "5")
    txid = wallet.command("broadcast", sent)
    equal(node.getrawmempool(), [txid])
    fee = round(node.getmempoolentry(txid)["fees"]["base"] * COIN)
    left = 30 * COIN - FEE - fee
    seek("the change", lambda: sum(wallet.balance()), left)
    node.mine(1, TRUE_ADDRESS)
    seek("the change's block", wallet.balance, (left, 0))
    equal(wallet.history(), {payment.txid: 111, txid: 112})
    # Another branch, in which neither is; then one block with both.
    tip = node.getblockheader(node.getblockhash(110))
    for block in make_chain(tip["hash"], 110, tip["time"] + 1, 4, extra=b"other"):
        node.submitblock(block.hex())
    equal(node.getblockcount(), 114)
    seek("the other branch", wallet.height, 114)
    seek("both unconfirmed again", lambda: sorted(wallet.history().values()), [-1, 0])
    node.mine(1, TRUE_ADDRESS)
    seek("both in the other branch", wallet.history, {payment.txid: 115, txid: 115})
    equal(wallet.balance(), (left, 0))
    # The server goes, comes back, and tells of what happened since.
    node.stop()
    seek("the end of the connection", wallet.height, None)
    node.start()
    node.sendrawtransaction(spend(coins_of(node, 2, 2), [(50 * COIN - FEE, script)]).hex())
    node.mine(1, TRUE_ADDRESS)
    seek("the new connection", wallet.height, 116)
    seek("the second payment", wallet.balance, (left + 50 * COIN - FEE, 0))
    equal(wallet.command("is_synchronized"), True)
    wallet.last_balance, wallet.last_history = wallet.balance(), wallet.history()


main(run)
