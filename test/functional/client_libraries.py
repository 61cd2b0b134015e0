"""Client libraries as they come: python3-bitcoinlib of Debian, and bitcoin-core of the npm registry (looked for in NODE_PATH and in
build/npm/node_modules, where `npm install --prefix build/npm bitcoin-core` puts it)."""
import os
import shutil
import subprocess

from blocks import TRUE_ADDRESS
from framework import BUILD, SLOW, Skip, equal, main

BITCOINLIB = """
import sys
import bitcoin, bitcoin.rpc
from bitcoin.core import COIN, CMutableTransaction, CMutableTxIn, CMutableTxOut, COutPoint, CTxInWitness, CTxWitness, CScriptWitness, b2lx, lx, x
from bitcoin.core.script import CScript
url, address = sys.argv[1:]
bitcoin.SelectParams("regtest")
proxy = bitcoin.rpc.Proxy(service_url=url, timeout=60)
assert proxy.getblockcount() == 101
tip = proxy.getbestblockhash()
assert proxy.getblockhash(101) == tip
block = proxy.getblock(tip)
assert block.GetHash() == tip and len(block.vtx) == 1
assert proxy.getblockheader(tip).GetHash() == tip
first = proxy.getblock(proxy.getblockhash(1)).vtx[0]
coin = COutPoint(first.GetTxid(), 0)
out = proxy.gettxout(coin)
assert out["txout"].nValue == 50 * COIN, out
tx = CMutableTransaction([CMutableTxIn(coin)], [CMutableTxOut(50 * COIN - 10000, first.vout[0].scriptPubKey)], nVersion=2)
tx.wit = CTxWitness([CTxInWitness(CScriptWitness([b"\\x51"]))])
txid = proxy.sendrawtransaction(tx)
assert proxy.getrawmempool() == [txid]
assert proxy.getrawtransaction(txid).GetTxid() == txid
assert proxy.getrawtransaction(txid, verbose=True)["tx"].GetTxid() == txid
mined = list(proxy.generatetoaddress(1, address))
assert txid in [t.GetTxid() for t in proxy.getblock(mined[0]).vtx]
try:
    proxy.getblock(lx("11" * 32))
    sys.exit("no error for an unknown block")
except IndexError:
    pass
try:
    proxy.sendrawtransaction(tx)
    sys.exit("no error for a mined transaction")
except bitcoin.rpc.JSONRPCError as error:
    assert error.error["code"] in (-27, -25), error.error
try:
    proxy.call("getinfo")
    sys.exit("getinfo is there")
except bitcoin.rpc.JSONRPCError as error:
    assert error.error["code"] == -32601, error.error
print("done")
"""

NPM = """
const Client = require('bitcoin-core');
const assert = require('assert');
const [port, username, password, address] = process.argv.slice(2);
(async () => {
  const client = new Client({host: 'http://127.0.0.1:' + port, username, password, timeout: 60000});
  const info = await client.getBlockchainInformation();
  assert.strictEqual(info.chain, 'regtest');
  const height = await client.getBlockCount();
  const best = await client.getBestBlockHash();
  assert.strictEqual(await client.getBlockHash(height), best);
  const block = await client.getBlock(best, 2);
  assert.strictEqual(block.height, height);
  const batch = await client.command([{method: 'getblockhash', parameters: [0]}, {method: 'getblockhash', parameters: [height]}]);
  assert.strictEqual(batch[1], best);
  const named = new Client({host: 'http://127.0.0.1:' + port, username, password, version: '0.17.0', timeout: 60000});
  assert.strictEqual(await named.getBlockHash({height: 0}), batch[0]);
  const mined = await client.generateToAddress(1, address);
  assert.strictEqual(mined.length, 1);
  await assert.rejects(client.getBlockHash(100000), e => e.code === -8 && /out of range/.test(e.message));
  await assert.rejects(client.command('nosuchthing'), e => e.code === -32601);
  const rest = await client.getBlockByHash(best, {extension: 'json'});
  assert.strictEqual(rest.hash, best);
  const headers = await client.getBlockHeadersByHash(best, 1, {extension: 'json'});
  assert.strictEqual(headers[0].height, height);
  const wrong = new Client({host: 'http://127.0.0.1:' + port, username, password: 'wrong', timeout: 60000});
  await assert.rejects(wrong.getBlockCount(), e => e.code === 401);
  console.log('done');
})().catch(e => { console.error(e); process.exit(1); });
"""


def finish(command, text, **more):
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120 * SLOW, check=False, **more)
    if done.returncode or done.stdout.strip() != "done":
        raise AssertionError("%r: %d\n%s%s" % (command, done.returncode, done.stdout, done.stderr))


def has_bitcoinlib():
    return os.path.exists("/usr/bin/python3") and subprocess.run(["/usr/bin/python3", "-c", "import bitcoin.rpc"], stderr=subprocess.DEVNULL,
                                                                 check=False).returncode == 0


def npm_paths():
    return [p for p in [*os.environ.get("NODE_PATH", "").split(":"), os.path.join(BUILD, "npm", "node_modules")]
            if p and os.path.exists(os.path.join(p, "bitcoin-core"))]


def run(t):
    done = 0
    node = t.node("-rest", "-rpcuser=someone", "-rpcpassword=secret", start=False)
    node.credentials = lambda: "someone:secret"
    node.start()
    equal(len(node.mine(101, TRUE_ADDRESS)), 101)
    if has_bitcoinlib():
        url = "http://someone:secret@127.0.0.1:%d" % node.rpc_port
        finish(["/usr/bin/python3", "-", url, TRUE_ADDRESS], BITCOINLIB)
        done += 1
    else:
        print("python3-bitcoinlib is not installed: left out")
    if shutil.which("node") and npm_paths():
        finish(["node", "-", str(node.rpc_port), "someone", "secret", TRUE_ADDRESS], NPM, env={**os.environ, "NODE_PATH": ":".join(npm_paths())})
        done += 1
    else:
        print("no Node.js with bitcoin-core here: left out")
    node.stop()
    if not done:
        raise Skip("client_libraries: nothing tested")


if __name__ == "__main__":
    main(run)
