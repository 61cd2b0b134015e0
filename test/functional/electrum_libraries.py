"""Electrum client libraries of the npm registry as they come, over TCP and TLS: electrum-client, and @mempool/electrum-client, on which wallets and
explorers are built. Looked for in NODE_PATH and in build/npm/node_modules, where contrib/install-deps.sh puts them."""
import os
import shutil
import subprocess

from blocks import COIN, TRUE_ADDRESS, coins_of, spend
from electrumline import other_script, script_hash, status_of
from framework import BUILD, SLOW, Skip, equal, free_port, main

LIBRARIES = ("electrum-client", "@mempool/electrum-client")
FEE = 10_000

SCRIPT = """
const assert = require('assert');
const [library, protocol, port, script, raw, txid, value, status, best, batches] = process.argv.slice(1);
const Client = require(library);
const notes = [], waiting = [];
const note = method => new Promise(resolve => waiting.push([method, resolve]) && look());
const look = () => waiting.forEach((w, i) => {
  const k = notes.findIndex(n => n[0] === w[0]);
  if (k >= 0) { waiting.splice(i, 1); w[1](notes.splice(k, 1)[0][1]); }
});
(async () => {
  const options = library[0] === '@' ? {rejectUnauthorized: false} : undefined; // the other takes them for a socket
  const client = new Client(Number(port), 'localhost', protocol, options, {onLog: () => {}, onError: e => { throw e; }});
  for (const m of ['blockchain.headers.subscribe', 'blockchain.scripthash.subscribe'])
    client.subscribe.on(m, params => { notes.push([m, params]); look(); });
  await client.connect();
  assert.deepStrictEqual((await client.server_version('test', '1.4'))[1], '1.4');
  assert(/own node/.test(await client.server_banner()));
  assert.deepStrictEqual(await client.serverPeers_subscribe(), []);
  const tip = await client.blockchainHeaders_subscribe();
  assert.deepStrictEqual(tip, {height: Number(best), hex: tip.hex});
  const none = await client.blockchainScripthash_subscribe(script);
  assert.strictEqual(none && none.result, null); // one of them shows the whole answer where the result is null
  assert.deepStrictEqual(await client.blockchainScripthash_getHistory(script), []);
  assert.deepStrictEqual(await client.blockchainScripthash_getBalance(script), {confirmed: 0, unconfirmed: 0});
  await assert.rejects(client.blockchainTransaction_broadcast('00'), e => /TX decode failed/.test(JSON.stringify(e) + e.message));
  // A payment.
  assert.strictEqual(await client.blockchainTransaction_broadcast(raw), txid);
  assert.deepStrictEqual(await note('blockchain.scripthash.subscribe'), [script, status]);
  assert.deepStrictEqual(await client.blockchainScripthash_getMempool(script), [{tx_hash: txid, height: 0, fee: 10000}]);
  assert.deepStrictEqual(await client.blockchainScripthash_getBalance(script), {confirmed: 0, unconfirmed: Number(value)});
  assert.strictEqual(await client.blockchainTransaction_get(txid), raw);
  console.log('paid');
  // Its block.
  const [header] = await note('blockchain.headers.subscribe');
  assert.strictEqual(header.height, tip.height + 1);
  assert.strictEqual((await note('blockchain.scripthash.subscribe'))[0], script);
  assert.deepStrictEqual(await client.blockchainScripthash_getHistory(script), [{tx_hash: txid, height: header.height}]);
  const coin = {tx_hash: txid, tx_pos: 0, height: header.height, value: Number(value)};
  assert.deepStrictEqual(await client.blockchainScripthash_listunspent(script), [coin]);
  assert.strictEqual((await client.blockchainTransaction_getMerkle(txid, header.height)).pos, 1);
  assert.strictEqual(await client.blockchainEstimatefee(2), -1);
  assert.strictEqual(await client.blockchain_relayfee(), 0.000001);
  if (batches === '1') {
    const got = await client.blockchainScripthash_getBalanceBatch([script, script]);
    assert.deepStrictEqual(got.map(a => a.result), [0, 1].map(() => ({confirmed: Number(value), unconfirmed: 0})));
    assert.deepStrictEqual((await client.blockchainTransaction_getBatch([txid, txid], true)).map(a => a.result.confirmations), [1, 1]);
    assert.strictEqual((await client.server_features()).hash_function, 'sha256');
    assert.deepStrictEqual(await client.mempool_getFeeHistogram(), []);
  }
  client.close();
  console.log('done');
  process.exit(0);
})().catch(e => { console.error(e); process.exit(1); });
"""


def paths(library):
    return [p for p in [*os.environ.get("NODE_PATH", "").split(":"), os.path.join(BUILD, "npm", "node_modules"),
                        os.path.join(os.path.dirname(BUILD), "npm", "node_modules")] if p and os.path.exists(os.path.join(p, library))]


def use(node, library, protocol, port, k):
    script = other_script(k)[0]
    tx = spend(coins_of(node, k, k), [(50 * COIN - FEE, script)])
    status = status_of([{"tx_hash": tx.txid, "height": 0}])
    words = [library, protocol, port, script_hash(script), tx.hex(), tx.txid, 50 * COIN - FEE, status, node.getblockcount(), int(library[0] == "@")]
    with subprocess.Popen(["node", "-e", SCRIPT, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "NODE_PATH": ":".join(paths(library))}) as process:
        try:
            paid = process.stdout.readline()
            if paid == "paid\n":
                node.mine(1, TRUE_ADDRESS)
            out, err = process.communicate(timeout=60 * SLOW)
        finally:
            process.kill()
    if (paid, out, process.returncode) != ("paid\n", "done\n", 0):
        raise AssertionError("%s over %s: %d\n%s%s%s" % (library, protocol, process.returncode, paid, out, err))


def run(t):
    libraries = [x for x in LIBRARIES if paths(x)] if shutil.which("node") else []
    if not libraries:
        raise Skip("electrum_libraries: no Node.js with %s here; nothing tested" % " or ".join(LIBRARIES))
    port, tls_port = free_port(), free_port()
    node = t.node("-electrum=127.0.0.1:%d" % port, "-electrumtls=127.0.0.1:%d" % tls_port)
    node.mine(110, TRUE_ADDRESS)
    k = 0
    for library in LIBRARIES:
        if library not in libraries:
            print("electrum_libraries: no %s here: left out" % library)
            continue
        for protocol, to in (("tcp", port), ("tls", tls_port)):
            k += 1
            use(node, library, protocol, to, k)
    equal(node.getblockcount(), 110 + k)


main(run)
