"""farthing-cli: arguments, named arguments, standard input, exit codes, -getinfo, -netinfo, -addrinfo, -rpcwait and what it says when it cannot get in."""
import hashlib
import json
import os
import ssl
import subprocess

from blocks import TRUE_ADDRESS
from framework import BUILD, SLOW, contains, equal, main
from p2p import Peer

def conventions(node):
    equal(node.cli("getblockcount"), "0\n")
    equal(node.cli("getblockhash", "0"), node.getblockhash(0) + "\n")  # a number by the method's table, a string printed bare
    equal(json.loads(node.cli("getblock", node.getblockhash(0), "1")), node.getblock(node.getblockhash(0), 1))
    contains(node.cli("getblockchaininfo"), '\n  "blocks": 0,\n')
    equal(node.cli("ping"), "")  # null prints nothing
    equal(json.loads(node.cli("-named", "generatetoaddress", "nblocks=2", "address=" + TRUE_ADDRESS))[1], node.getbestblockhash())
    equal(node.cli("-named", "getblockhash", "2"), node.getbestblockhash() + "\n")  # without "=" it is positional
    equal(node.cli("-stdin", "getblockhash", stdin="1\n"), node.getblockhash(1) + "\n")
    equal(json.loads(node.cli("-stdin", "getblock", stdin=node.getblockhash(1) + "\n1\n"))["height"], 1)
    equal(node.cli("-", "-skipped", "getblockhash", "1"), node.getblockhash(1) + "\n")
    equal(node.cli("-ipcconnect=0", "-rpccookiefile=", "getblockcount"), "2\n")
    equal(json.loads(node.cli("echo", "1", "a b", "[1]", "null")), ["1", "a b", "[1]", "null"])
    equal(json.loads(node.cli("echojson", "1", '"a b"', "[1]", "null")), [1, "a b", [1], None])

def exit_codes(node):
    for words, code, text in ((("getblockhash", "-1"), 8, "error code: -8\nerror message:\nBlock height out of range\n"),
                              (("nosuch",), 89, "error code: -32601\nerror message:\nMethod not found\n"),
                              (("getblockhash",), 1, "error code: -1\nerror message:\n"),
                              (("getblock", "00" * 32), 5, "error code: -5\nerror message:\nBlock not found\n"),
                              (("getblockhash", "notjson"), 1, "Error parsing JSON"),
                              ((), 1, "too few parameters"),
                              (("-nosuch", "getblockcount"), 1, "Invalid parameter -nosuch"),
                              (("-rpcport=1", "getblockcount"), 1, "Could not connect to the server"),
                              (("-rpcport=x", "getblockcount"), 1, "Invalid port provided in -rpcport: x"),
                              (("-rpcport=+1", "getblockhash", "notjson"), 1, "Invalid port provided in -rpcport: +1"),
                              (("-rpcconnect=127.0.0.1: 1", "getblockcount"), 1, "Invalid port provided in -rpcconnect: 127.0.0.1: 1"),
                              (("-rpcconnect=[::1", "getblockcount"), 1, "(Could not resolve host: [::1)"),
                              (("-nocolor", "-getinfo"), 1, "Negating of -color is meaningless"),
                              (("-norpcid", "getblockcount"), 1, "Negating of -rpcid is meaningless"),
                              (("-rpcid", "getblockcount"), 1, "Can not set -rpcid with no value"),
                              (("-norpcwaittimeout", "getblockcount"), 1, "Negating of -rpcwaittimeout is meaningless"),
                              (("-ipcconnect=unix", "-rpcconnect=127.0.0.1", "getblockcount"), 1, "cannot both be enabled"),
                              (("-rpcport=1", "-getinfo", "-color=moon"), 1, "Could not connect to the server"),
                              (("-rpcuser=a", "-rpcpassword=b", "getblockcount"), 1, "Incorrect rpcuser or rpcpassword"),
                              (("-datadir=" + os.path.join(node.dir, "none"), "getblockcount"), 1, "does not exist")):
        contains(node.cli(*words, code=code), text)
    for words in (("-version",), ("-help",), ("-nohelp", "getblockcount")):
        done = subprocess.run([os.path.join(BUILD, "farthing-cli"), *words], capture_output=True, text=True, check=False)
        equal(done.returncode, 0)
        contains(done.stdout, "RPC client")

def passwords(t):
    node = t.node("-rpcuser=u", "-rpcpassword=secret", start=False)
    node.credentials = lambda: "u:secret"
    node.start()
    equal(node.cli("-rpcuser=u", "-stdinrpcpass", "getblockcount", stdin="secret\n"), "0\n")
    contains(node.cli("-rpcuser=u", "-stdinrpcpass", "getblockcount", stdin="wrong\n", code=1), "Incorrect rpcuser or rpcpassword")
    contains(node.cli("getblockcount", code=1), "ookie")  # neither password nor cookie
    with open(os.path.join(node.dir, "farthing.conf"), "w") as f:
        f.write("port=8333\n[regtest]\nrpcuser=u\nrpcpassword=secret\n")
    equal(node.cli("getblockcount"), "0\n")  # in which part of the file the node's own options stand is not the client's matter
    node.stop()

def bad_cookie(node):
    path = os.path.join(node.net_dir, ".cookie")
    good = node.credentials()
    with open(path, "w") as f:
        f.write("__cookie__:" + "0" * 64)
    contains(node.cli("getblockcount", code=1), "ookie")
    os.remove(path)
    contains(node.cli("getblockcount", code=1), "ookie")
    own = os.path.join(node.dir, "own.cookie")
    with open(own, "w") as f:
        f.write(good)
    equal(node.cli("-rpccookiefile=" + own, "getblockcount"), "2\n")
    os.rename(own, path)

def getinfo(node):
    text = node.cli("-getinfo")
    for line in ("Chain: regtest", "Blocks: 2", "Headers: 2", "Verification progress: "):
        contains(text, line)
    equal("\x1b[" in text, False)
    contains(node.cli("-getinfo", "-color=always"), "\x1b[")
    contains(node.cli("-getinfo", "extra", code=1), "-getinfo takes no arguments")
    contains(node.cli("-getinfo", "-color=moon", code=1), "Invalid value for -color option")

def netinfo(node):
    lines = node.cli("-netinfo").splitlines()
    contains(lines[0], "Farthing client v")
    contains(lines[0], " regtest - server 70017/Satoshi:")
    contains("\n".join(lines), "Local services: network, witness")
    peer = Peer(node)
    lines = node.cli("-netinfo", "4").splitlines()
    contains(lines[0], " - services nw")
    equal(lines[3].split()[:3], ["in", "npr", "nw"])
    contains(lines[3], peer.name)
    contains(lines[3], "/test-peer:1/")
    equal([line.split()[-2:] for line in lines if line.startswith("in  ")], [["1", "1"]])  # one npr, one in all
    equal(len(node.cli("-netinfo", "4", "outonly").splitlines()), len(lines) - 4)  # no table
    contains(node.cli("-netinfo", "5000", code=1), "invalid -netinfo level argument: 5000")
    contains(node.cli("-netinfo", "help"), "mping")
    contains(node.cli("-netinfo", "-getinfo", code=1), "Only one of -getinfo, -netinfo may be specified.")
    peer.close()
    node.addpeeraddress("1.2.3.4", 8333)
    equal(json.loads(node.cli("-addrinfo"))["addresses_known"], {"ipv4": 1, "ipv6": 0, "onion": 0, "i2p": 0, "cjdns": 0, "total": 1})
    contains(node.cli("-addrinfo", "x", code=1), "-addrinfo takes no arguments")

def waiting(node):
    node.stop()
    contains(node.cli("-rpcwait", "-rpcwaittimeout=1", "getblockcount", code=1), "timeout on transient error")
    client = subprocess.Popen([*node.cli_command(), "-rpcwait", "getblockcount"], stdout=subprocess.PIPE, text=True)
    node.start()
    equal(client.communicate(timeout=60 * SLOW)[0], "2\n")
    equal(client.returncode, 0)
    # While the node still loads, batches are waited for, too.
    node.stop()
    client = subprocess.Popen([*node.cli_command(), "-rpcwait", "-getinfo"], stdout=subprocess.PIPE, text=True)
    node.start()
    contains(client.communicate(timeout=60 * SLOW)[0], "Blocks: 2\n")
    equal(client.returncode, 0)
    equal(node.cli("stop"), "Farthing stopping\n")
    equal(node.wait_end(), 0)

def other_ways(t):
    """A unix socket; TLS with the node's certificate, by its file and by its fingerprint."""
    node = t.node("-rpcbind=127.0.0.1", "-rpcbind=127.0.0.2", "-rpcallowip=127.0.0.1", "-rpcbind=unix:rpc.sock", "-rpctlscert=rpc.cert", "-rpctlskey=rpc.key")
    for path in ("rpc.sock", os.path.join(node.net_dir, "rpc.sock")):
        equal(node.cli("-rpcconnect=unix:" + path, "getblockcount"), "0\n")
    contains(node.cli("-rpcconnect=unix:none.sock", "getblockcount", code=1), "none.sock (Could not connect to the server)")
    cert = os.path.join(node.net_dir, "rpc.cert")
    with open(cert) as f:
        fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(f.read())).hexdigest()
    for options in (("-rpctlsca=rpc.cert",), ("-rpctls", "-rpctlsca=" + cert), ("-rpctls", "-rpctlscert=rpc.cert"),
                    ("-rpctlsca=rpc.cert", "-rpcconnect=localhost"), ("-rpctlsfingerprint=" + fingerprint.upper(),)):
        equal(node.cli(*options, "getblockcount"), "0\n")
        equal(len(json.loads(node.cli(*options, "getblock", node.getbestblockhash()))["tx"]), 1)
    for options, text in ((("-rpctls",), "self-signed certificate"), (("-rpctlsfingerprint=" + "0" * 64,), "another fingerprint"),
                          (("-rpctlsca=none.cert",), "Could not read certificates"), (("-rpctlsca=rpc.cert", "-rpcconnect=127.0.0.2"), "IP address mismatch")):
        contains(node.cli(*options, "getblockcount", code=1), text)
    node.stop()

def generate(t):
    node = t.node()
    contains(node.cli("-generate", code=1), "no wallet to pay to")
    made = json.loads(node.cli("-miningaddress=" + TRUE_ADDRESS, "-generate", "3", "1000000"))
    equal((made["address"], made["blocks"][2]), (TRUE_ADDRESS, node.getbestblockhash()))
    with open(os.path.join(node.dir, "farthing.conf"), "w") as f:
        f.write("[regtest]\nminingaddress=%s\n" % TRUE_ADDRESS)
    equal(len(json.loads(node.cli("-generate"))["blocks"]), 1)
    contains(node.cli("-generate", "0", code=1), "must be an integer value greater than zero")
    contains(node.cli("-generate", "x", code=1), "Error parsing JSON: x")
    contains(node.cli("-generate", "1", "2", "3", code=1), "too many arguments")
    contains(node.cli("-stdinwalletpassphrase", "getblockcount", code=1), "only applicable for walletpassphrase(change)")
    contains(node.cli("-stdinwalletpassphrase", "walletpassphrase", "60", stdin="secret\n", code=89), "Method not found")
    contains(node.cli("-ipcconnect=unix", "getblockcount", code=1), "not built with IPC support")

def run(t):
    node = t.node()
    conventions(node)
    exit_codes(node)
    bad_cookie(node)
    getinfo(node)
    netinfo(node)
    waiting(node)
    passwords(t)
    generate(t)
    other_ways(t)

main(run)
