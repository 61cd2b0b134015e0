"""Every failure at the start ends with exit code 1 and an error on standard error that names what is wrong, and nothing stored is lost: with
the cause removed the node starts at the same tip with the same coins."""
import contextlib
import glob
import os
import shutil
import socket
import subprocess

from blocks import TRUE_ADDRESS, coins_of, next_block, spend
from framework import BUILD, SLOW, contains, equal, main, wait_until


def state(node):
    return node.getbestblockhash(), node.utxo_hash(), node.utxo_hash("hash_serialized_3")


def same_after(node, before, *options):
    """Starts it, compares and stops it again."""
    node.start(*options)
    if options:  # what it builds again takes a moment
        wait_until(lambda: node.getbestblockhash() == before[0], what="the same tip after %r" % (options,))
    equal(state(node), before)
    node.stop()


def fails(node, texts, *options):
    """The node ends with 1, its error names all of texts; nothing but "Error:" lines, warnings and the advice to rebuild is printed."""
    node.start_fails(*options)
    for text in [texts] if isinstance(texts, str) else texts:
        contains(node.stderr(), text)
    if "Please restart with -reindex" not in node.stderr():
        contains(node.stderr(), "Error")


def bad_options(node):
    long_name = "a" * 10_000
    wrong = []
    for option, texts in {
            "-nosuchoption": "Invalid parameter -nosuchoption",
            "-" + long_name: "Invalid parameter -aaaa",
            "stray": "Command line contains unexpected token 'stray'",
            "-chain=moon": "moon",
            "-port=0": "Invalid port specified in -port: '0'",
            "-port=65536": "Invalid port specified in -port: '65536'",
            "-port=-1": "Invalid port specified in -port: '-1'",
            "-port=abc": "Invalid port specified in -port: 'abc'",
            "-rpcport=abc": "Invalid port specified in -rpcport: 'abc'",
            "-rpcport=70000": "Invalid port specified in -rpcport: '70000'",
            "-bind=nowhere.invalid.": ["Cannot resolve -bind address", "nowhere.invalid."],
            "-bind=127.0.0.1:notaport": "127.0.0.1:notaport",
            "-bind=192.0.2.1": "Unable to bind to 192.0.2.1",
            "-whitebind=127.0.0.1": "-whitebind",
            "-whitelist=256.0.0.1": "256.0.0.1",
            "-whitelist=moon@127.0.0.1": "Invalid P2P permission: 'moon'",
            "-assumevalid=xyz": ["assumevalid", "xyz"],
            "-minimumchainwork=xyz": ["minimum work", "xyz"],
            "-minrelaytxfee=abc": "Invalid amount for -minrelaytxfee=<amount>: 'abc'",
            "-blockmintxfee=-1": "Invalid amount for -blockmintxfee=<amount>: '-1'",
            "-dustrelayfee=1e99": "Invalid amount for -dustrelayfee=<amount>: '1e99'",
            "-blockmaxweight=5000000": "-blockmaxweight (5000000)",
            "-maxmempool=1": "-maxmempool must be at least",
            "-prune=100": "Prune configured below the minimum of 550",
            "-testactivationheight=moon@5": "moon",
            "-testactivationheight=segwit": "segwit",
            "-vbparams=moon:0:1": "moon",
            "-debug=moon": "Unsupported logging category -debug=moon",
            "-loglevel=moon": "moon",
            "-uacomment=(": "contains unsafe characters",
            "-rpcauth=short": "Unable to start HTTP server. See debug log for details.",
            "-rpcallowip=300.0.0.0/8": "300.0.0.0/8",
            "-conf=missing.conf": ["missing.conf", "could not be opened"],
            "-blocksdir=" + os.path.join(node.dir, "nodir"): ["Specified blocks directory", "nodir"],
            "-datadir=" + os.path.join(node.dir, "nodir"): ["Specified data directory", "nodir", "does not exist"],
    }.items():
        try:
            fails(node, texts, option)
        except AssertionError as error:
            wrong.append("%s: %s" % (option[:80], error))
    equal(wrong, [])
    fails(node, "RFC4193 is allowed only if -cjdnsreachable=0", "-cjdnsreachable", "-rpcallowip=fc00:db8::/80")


def config_files(node, before):
    path = os.path.join(node.dir, "farthing.conf")
    wrong = []
    for text, texts in {
            "regtest=1\nnonsense\n": ["line 2", "nonsense"],
            "[regtest]\n-server=1\n": ["-server=1"],
            "includeconf=missing.conf\n": ["missing.conf"],
            "includeconf=/\n": ["/"],
            "minrelaytxfee=abc\n": "Invalid amount for -minrelaytxfee=<amount>: 'abc'",
            "rpcpassword=a#b\n": ["#"],
            "\xff\xfe\x00\x01=\x02\n" + "x" * 100_000: ["onfig"],
            "conf=other.conf\n": ["conf cannot be set in the configuration file"],
    }.items():
        with open(path, "w", encoding="latin1") as f:
            f.write(text)
        try:
            fails(node, texts)
        except AssertionError as error:
            wrong.append("%r: %s" % (text[:60], error))
    equal(wrong, [])
    # An option of no use is a warning only.
    with open(path, "w") as f:
        f.write("nosuchkey=1\n")
    same_after(node, before)
    contains(node.log(), "nosuchkey")
    os.remove(path)
    os.mkdir(path)
    fails(node, "farthing.conf")
    os.rmdir(path)
    same_after(node, before)


def datadirs(t, node, before):
    # Twice on one folder.
    node.start()
    second = subprocess.run(node.command(["-rpcport=1", "-port=1"]), capture_output=True, text=True, timeout=60 * SLOW, check=False)
    equal(second.returncode, 1)
    contains(second.stderr, "Cannot obtain a lock on directory " + node.net_dir)
    equal(state(node), before)
    node.stop()

    # A file in place of the folder, or of a part of it.
    as_file = os.path.join(t.dir, "file")
    with open(as_file, "w") as f:
        f.write("x")
    fails(node, as_file, "-datadir=" + as_file)
    for name in ("chainstate", "blocks"):
        path = os.path.join(node.net_dir, name)
        os.rename(path, path + ".away")
        with open(path, "w") as f:
            f.write("x")
        fails(node, name)
        os.remove(path)
        os.rename(path + ".away", path)
        same_after(node, before)

    # The blocks and coins of another network.
    fails(node, ["genesis", "network"], "-datadir=" + foreign(t, node))
    same_after(node, before)


def foreign(t, node):
    """A datadir whose regtest folder holds what the main chain stored."""
    other = t.node(chain="main")
    other.stop()
    target = os.path.join(t.dir, "foreign")
    os.makedirs(os.path.join(target, "regtest"))
    for name in ("blocks", "chainstate"):
        shutil.copytree(os.path.join(other.net_dir, name), os.path.join(target, "regtest", name))
    return target


def as_nobody(node, options=()):
    return subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *node.command(options)], capture_output=True, text=True,
                          timeout=60 * SLOW, check=False)


def permissions(t, node, before):
    if os.getuid() != 0 or not shutil.which("setpriv"):
        print("permissions: not root or no setpriv, that part is left out")
        return
    os.chmod(t.dir, 0o755)
    probe = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", os.path.join(BUILD, "farthingd"), "-version"],
                           capture_output=True, check=False)
    if probe.returncode != 0:
        print("permissions: another user cannot run the program, that part is left out")
        return
    os.chmod(node.dir, 0o700)
    done = as_nobody(node)
    equal(done.returncode, 1)
    contains(done.stderr, node.dir)
    # Readable, but not writable.
    os.chmod(node.dir, 0o755)
    for folder, _, files in os.walk(node.dir):
        os.chmod(folder, 0o755)
        for name in files:
            os.chmod(os.path.join(folder, name), 0o644)
    done = as_nobody(node)
    equal(done.returncode, 1)
    contains(done.stderr, node.net_dir)
    contains(done.stderr.lower(), "permission")
    same_after(node, before)


def mounts(t, node, before):
    """A read-only datadir and a full disk, on small file systems of our own."""
    point = os.path.join(t.dir, "mount")
    os.mkdir(point)
    if os.getuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", point], stderr=subprocess.DEVNULL,
                                          check=False).returncode != 0:
        print("mounts: cannot mount a tmpfs, that part is left out")
        return
    try:
        shutil.copytree(os.path.join(node.dir, "regtest"), os.path.join(point, "regtest"))
        options = ["-datadir=" + point]
        subprocess.run(["mount", "-o", "remount,ro", point], check=True)
        fails(node, point, *options)
        contains(node.stderr(), "Read-only file system")
        subprocess.run(["mount", "-o", "remount,rw", point], check=True)
        full_disk(t, node, before, point)
    finally:
        subprocess.run(["umount", "-l", point], check=False)


def full_disk(t, node, before, point):
    other = t.node("-datadir=" + point, start=False)
    other.net_dir = os.path.join(point, "regtest")
    other.start("-debug=0", "-debuglogfile=0")
    equal(state(other), before)
    filler = os.path.join(point, "filler")
    with open(filler, "wb", buffering=0) as f:  # nothing is left over that closing would have to write
        try:
            while True:
                f.write(bytes(1 << 16))
        except OSError:
            pass
    # Mining goes on in memory for a while; what must be written stops the node with a message and code 1.
    kept = []
    try:
        for _ in range(60):
            kept += other.generatetoaddress(100, TRUE_ADDRESS)
            other.gettxoutsetinfo("none")  # writes the coins
    except Exception as error:  # the connection breaks, or the command fails: the node is ending
        print("full disk: %s" % error)
    else:
        raise AssertionError("mined %d blocks on a full disk" % len(kept))
    equal(other.wait_end(), 1)
    contains(other.stderr(), "Error")
    equal("disk space" in other.stderr().lower() or "no space left" in other.stderr().lower(), True)
    # Still full: refused; with room again: what was flushed is there.
    other.start_fails("-debuglogfile=0", text="isk space")
    os.remove(filler)
    other.start("-debuglogfile=0")
    equal(other.getblock(before[0])["confirmations"] > 0, True)
    equal(other.verifychain(4, 0), True)
    other.stop()


def damage(path, how):
    """Damages a file and gives its old content back."""
    with open(path, "rb") as f:
        content = f.read()
    if how == "delete":
        os.remove(path)
    else:
        with open(path, "wb") as f:
            f.write(how(content))
    return content


def restore(path, content):
    with open(path, "wb") as f:
        f.write(content)


def flipped(content):
    middle = len(content) // 2
    return bytes(b ^ 0xff if abs(i - middle) < 32 else b for i, b in enumerate(content))


def databases(node, before):
    """LevelDB: without CURRENT or manifest, a flipped or truncated table."""
    same_after(node, before)
    for folder in ("chainstate", os.path.join("blocks", "index")):
        base = os.path.join(node.net_dir, folder)
        # Everything from logs into a table, so that there is one to damage.
        saved = base + ".saved"
        shutil.copytree(base, saved)
        cases = [("CURRENT", "delete"), ("CURRENT", lambda c: b"rubbish\n"), ("MANIFEST-*", flipped), ("MANIFEST-*", "delete")]
        if glob.glob(os.path.join(base, "*.ldb")):
            cases += [("*.ldb", flipped), ("*.ldb", lambda c: c[:len(c) // 2]), ("*.ldb", "delete")]
        else:
            raise AssertionError("no table in " + base)
        for pattern, how in cases:
            path = max(glob.glob(os.path.join(base, pattern)), key=os.path.getsize)
            damage(path, how)
            try:
                node.start_fails()
            except AssertionError as error:
                raise AssertionError("%s %s: %s" % (folder, pattern, error)) from None
            contains(node.stderr(), "Error")
            # A table may be read only by the check of the last blocks.
            contains(node.stderr(), "database" if pattern == "*.ldb" else base)
            contains(node.stderr(), "reindex")
            shutil.rmtree(base)
            shutil.copytree(saved, base)
            same_after(node, before)
            shutil.rmtree(base)
            shutil.copytree(saved, base)
        # And what the message advises works.
        damage(max(glob.glob(os.path.join(base, "*.ldb")), key=os.path.getsize), flipped)
        same_after(node, before, "-reindex-chainstate" if folder == "chainstate" else "-reindex")
        shutil.rmtree(saved)


def block_files(node, before):
    blocks = os.path.join(node.net_dir, "blocks")
    blk, rev, xor = (os.path.join(blocks, name) for name in ("blk00000.dat", "rev00000.dat", "xor.dat"))
    end = max(i for i, b in enumerate(open(rev, "rb").read()) if b) if os.path.exists(rev) else 0

    for path in (blk, rev):
        content = damage(path, "delete")
        if path == blk:
            fails(node, ["Error", "blk00000.dat"])
        else:
            fails(node, "Corrupted block database detected", "-checklevel=4")
        restore(path, content)
        same_after(node, before)

        content = damage(path, lambda c: c[:4000])  # the last blocks are gone
        fails(node, "Corrupted block database detected")
        restore(path, content)
        same_after(node, before)

    # A flipped bit in the last block and in the last undo record: found by the check at the start.
    node.start()
    where = node.getblock(node.getbestblockhash(), 0)
    node.stop()
    key = open(xor, "rb").read()
    plain = bytes.fromhex(where)
    content = open(blk, "rb").read()
    clear = bytes(b ^ key[i % 8] for i, b in enumerate(content))
    at = clear.index(plain)
    damage(blk, lambda c: c[:at + 100] + bytes([c[at + 100] ^ 1]) + c[at + 101:])
    fails(node, "Corrupted block database detected")
    restore(blk, content)
    clear_rev = bytes(b ^ key[i % 8] for i, b in enumerate(open(rev, "rb").read()))
    end = len(clear_rev.rstrip(b"\0"))
    content = damage(rev, lambda c: c[:end - 10] + bytes([c[end - 10] ^ 1]) + c[end - 9:])
    fails(node, "Corrupted block database detected")
    restore(rev, content)
    same_after(node, before)

    # A block deep in the chain: not read at the start, found by verifychain.
    node.start()
    deep = bytes.fromhex(node.getblock(node.getblockhash(10), 0))
    node.stop()
    at = clear.index(deep)
    content = damage(blk, lambda c: c[:at + 90] + bytes([c[at + 90] ^ 1]) + c[at + 91:])
    node.start()
    equal(node.verifychain(3, 6), True)
    equal(node.verifychain(3, 0), False)
    equal(state(node), before)
    node.stop()
    restore(blk, content)
    same_after(node, before)

    # Another key, a short one, none.
    for how, texts in ((lambda c: bytes(b ^ 1 for b in c), ["orrupt"]), (lambda c: c[:5], ["xor.dat"]), (lambda c: b"", ["xor.dat"])):
        content = damage(xor, how)
        fails(node, texts)
        restore(xor, content)
        same_after(node, before)


def load_files(t, node, before):
    """-loadblock: rubbish, another network's blocks and a missing file leave the chain as it is, and the log names them."""
    rubbish = os.path.join(t.dir, "rubbish.dat")
    with open(rubbish, "wb") as f:
        f.write(os.urandom(300_000))
    foreign_chain = os.path.join(t.dir, "foreign.dat")
    with open(foreign_chain, "wb") as f:
        f.write((bytes.fromhex("f9beb4d9") + (285).to_bytes(4, "little") + bytes(285)) * 50)
    huge = os.path.join(t.dir, "huge.dat")
    with open(huge, "wb") as f:
        f.write((bytes.fromhex("fabfb5da") + b"\xff\xff\xff\x7f" + bytes(80) + b"\xff" * 9 + bytes(1000)) * 50)
    for path in (rubbish, foreign_chain, huge, os.path.join(t.dir, "nofile.dat")):
        same_after(node, before, "-loadblock=" + path)
        contains(node.log(), path)


def ports(node, before):
    with contextlib.ExitStack() as stack:
        taken = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = taken.getsockname()[1]
        fails(node, ["Unable to bind to 127.0.0.1:%d on this computer" % port], "-port=%d" % port)
        # RPC listens on both loopback addresses; one of them is enough.
        if socket.has_ipv6:
            with contextlib.suppress(OSError):
                stack.enter_context(socket.create_server(("::1", port), family=socket.AF_INET6))
        fails(node, ["RPC", str(port)], "-rpcport=%d" % port)
        contains(node.log(), "Binding RPC on address 127.0.0.1:%d failed: Unable to bind to 127.0.0.1:%d on this computer" % (port, port))
    same_after(node, before)


def run(t):
    node = t.node()
    node.mine(110, TRUE_ADDRESS)
    for i, coin in enumerate(coins_of(node, 1, 9)):
        equal(node.submitblock(next_block(node, [spend([coin], [10 ** 8 + i, 10 ** 9])]).hex()), None)
    before = state(node)
    node.stop()
    bad_options(node)
    same_after(node, before)
    config_files(node, before)
    datadirs(t, node, before)
    ports(node, before)
    permissions(t, node, before)
    block_files(node, before)
    load_files(t, node, before)
    databases(node, before)
    mounts(t, node, before)
    same_after(node, before)


main(run)
