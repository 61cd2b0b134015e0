"""Signals and life cycle: SIGTERM and SIGINT keep the state and end with 0, SIGHUP reopens the log; -daemon, -daemonwait, pid file, -stopatheight,
the notify commands and systemd's notify socket."""
import os
import shutil
import signal
import socket
import subprocess

from blocks import TRUE_ADDRESS, make_chain
from framework import BUILD, ROOT, SLOW, contains, equal, main, wait_until


def state(node):
    return node.getbestblockhash(), node.utxo_hash()


def stop_signals(node):
    for number in (signal.SIGTERM, signal.SIGINT):
        node.start()
        node.mine(3, TRUE_ADDRESS)
        before = state(node)
        node.process.send_signal(number)
        equal(node.wait_end(), 0)
        contains(node.log().splitlines()[-1], "Shutdown done")
        equal(node.stderr(), "")
        node.start()
        equal(state(node), before)
        node.stop()
    # While commands wait, and several times over.
    node.start()
    waiting = subprocess.Popen([*node.cli_command(), "waitfornewblock"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: any(c["method"] == "waitfornewblock" for c in node.getrpcinfo()["active_commands"]), what="the waiting command")
    for _ in range(3):
        node.process.send_signal(signal.SIGTERM)
    equal(node.wait_end(), 0)
    waiting.wait(30 * SLOW)


def hang_up(node):
    node.start()
    log = os.path.join(node.net_dir, "debug.log")
    os.rename(log, log + ".old")
    node.process.send_signal(signal.SIGHUP)
    wait_until(lambda: (node.uptime(), os.path.exists(log))[1], what="a new log file")
    block = node.mine(1, TRUE_ADDRESS)[0]
    contains(node.log(), block)
    with open(log + ".old", errors="replace") as f:
        equal(block in f.read(), False)
    node.stop()


def pid_file(node):
    path = os.path.join(node.net_dir, "farthingd.pid")
    node.start()
    with open(path) as f:
        equal(f.read(), "%d\n" % node.process.pid)
    node.stop()
    equal(os.path.exists(path), False)
    own = os.path.join(node.dir, "own.pid")
    node.start("-pid=" + own)
    equal(os.path.exists(own), True)
    node.stop()
    equal(os.path.exists(own), False)
    node.start_fails("-pid=" + os.path.join(node.dir, "none", "x.pid"), text="Unable to create the PID file")


def daemon(node):
    pid_path = os.path.join(node.net_dir, "farthingd.pid")
    for option in ("-daemon", "-daemonwait"):
        done = subprocess.run(node.command([option]), capture_output=True, text=True, timeout=60 * SLOW, check=False)
        equal((done.returncode, done.stderr), (0, ""))
        contains(done.stdout, "starting")
        if option == "-daemonwait":
            equal(node.uptime() >= 0, True)  # answers at once
        wait_until(lambda: os.path.exists(pid_path), what="the pid file")
        with open(pid_path) as f:
            pid = int(f.read())
        equal(os.getsid(pid) != os.getsid(0), True)
        node.cli("-rpcwait", "getblockcount")
        node.connection = None
        node.cli("stop")
        wait_until(lambda: not os.path.exists("/proc/%d" % pid) or zombie(pid), what="the end of the daemon")
        equal(os.path.exists(pid_path), False)
        node.connection = None
    # A failure reaches the caller of -daemonwait.
    done = subprocess.run(node.command(["-daemonwait", "-port=0"]), capture_output=True, text=True, timeout=60 * SLOW, check=False)
    equal(done.returncode, 1)
    contains(done.stderr, "Invalid port")


def end_daemon(node):
    """A daemon leaves the test's session: after a failure it has to be ended by its id."""
    path = os.path.join(node.net_dir, "farthingd.pid")
    if node.process is None and os.path.exists(path):
        with open(path) as f:
            os.kill(int(f.read()), signal.SIGKILL)


def zombie(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def stop_at_height(node):
    node.start()
    target = node.getblockcount() + 5
    node.stop()
    node.start("-stopatheight=%d" % target)
    try:
        node.mine(20, TRUE_ADDRESS)
    except Exception:  # the node may end before the answer
        pass
    equal(node.wait_end(), 0)
    node.start()
    equal(node.getblockcount() >= target, True)
    equal(node.getblockcount() < target + 15, True)
    node.stop()


def notifications(node):
    out = {name: os.path.join(node.dir, name) for name in ("started", "blocks", "ended", "too")}
    options = ["-startupnotify=echo up > %s" % out["started"], "-blocknotify=echo %%s >> %s" % out["blocks"], "-shutdownnotify=echo down > %s" % out["ended"], "-shutdownnotify=echo too > %s" % out["too"]]

    # A start that fails is an end, too; mistakes in the command line are none, nor is a look at the help.
    for words, begun in ((["-port=0"], True), (["-blocksdir=/nowhere"], True), (["-nosuch"], False), (["-conf=none"], False)):
        node.start_fails(*options, *words)
        equal([os.path.exists(out[name]) for name in ("started", "ended", "too")], [False, begun, begun])
        for name in ("ended", "too") if begun else ():
            os.remove(out[name])
    node.spawn(*options, "-version")
    equal(node.wait_end(), 0)
    equal([os.path.exists(path) for path in out.values()], [False] * 4)

    node.start(*options)
    wait_until(lambda: os.path.exists(out["started"]), what="-startupnotify")
    mined = node.mine(3, TRUE_ADDRESS)

    def told():
        if not os.path.exists(out["blocks"]):
            return False
        with open(out["blocks"]) as f:
            return sorted(f.read().split()) == sorted(mined)

    wait_until(told, what="-blocknotify for each block")
    equal(os.path.exists(out["ended"]), False)
    node.stop()
    with open(out["ended"]) as f:  # waited for
        equal(f.read(), "down\n")
    equal(os.path.exists(out["too"]), True)


def old_blocks(t):
    """-blocknotify says nothing of what comes in initial block download."""
    node = t.node(start=False)
    path = os.path.join(node.dir, "blocks")
    node.start("-blocknotify=echo %%s >> %s" % path)
    genesis = node.getblockheader(node.getbestblockhash())
    for block in make_chain(genesis["hash"], 0, genesis["time"] + 600, 5):
        equal(node.submitblock(block.hex()), None)
    equal(node.getblockchaininfo()["initialblockdownload"], True)
    mined = node.mine(1, TRUE_ADDRESS)
    wait_until(lambda: os.path.exists(path) and os.path.getsize(path) > 64, what="-blocknotify")
    node.stop()
    with open(path) as f:
        equal(f.read().split(), mined)


def systemd(t, node):
    path = os.path.join(t.dir, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        s.settimeout(30 * SLOW)
        os.environ["NOTIFY_SOCKET"] = path
        os.environ["WATCHDOG_USEC"] = "200000"
        try:
            node.start("-reindex")
        finally:
            del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"]
        told = []
        while b"READY=1" not in told or told.count(b"WATCHDOG=1") < 3:
            told.append(s.recv(4096))
        equal(b"STOPPING=1" in told, False)
        status = [text for text in told[:told.index(b"READY=1")] if text.startswith(b"STATUS=")]
        assert status, told
        node.stop()
        while b"STOPPING=1" not in told:
            told.append(s.recv(4096))


def unit(t):
    """systemd takes the unit file as it is, but for where the program lies."""
    if not shutil.which("systemd-analyze"):
        print("systemd-analyze is missing: the unit file is not looked at")
        return
    path = os.path.join(t.dir, "farthingd.service")
    with open(os.path.join(ROOT, "contrib", "systemd", "farthingd.service")) as f:
        text = f.read()
    contains(text, "\nType=notify\n")
    with open(path, "w") as f:
        f.write(text.replace("/usr/local/bin/farthingd", os.path.join(BUILD, "farthingd")))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", path], capture_output=True, text=True, check=False)
    equal((done.returncode, [line for line in (done.stdout + done.stderr).split("\n") if "farthingd" in line]), (0, []))


def run(t):
    node = t.node(start=False)
    stop_signals(node)
    hang_up(node)
    pid_file(node)
    try:
        daemon(node)
    except BaseException:
        end_daemon(node)
        raise
    stop_at_height(node)
    notifications(node)
    old_blocks(t)
    systemd(t, node)
    unit(t)


main(run)
