import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { send } from '@sidekit/core';
import { eventually, freePort, startProgram, temporaryDirectory } from '@sidekit/test-kit';

const main = new URL('../main.ts', import.meta.url);

/** An address of this host that is not loopback. */
const elsewhere = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === 'IPv4' && !one.internal)?.address;

test('POST /sync makes the next check due now: from loopback, with a token or a signature', async () => {
  using directory = temporaryDirectory();
  const at = (name: string) => join(directory.path, name);
  const port = await freePort();
  writeFileSync(at('from'), '0');
  writeFileSync(at('token'), 's3cret-token\n');
  writeFileSync(at('secret'), 'webhook secret\n');
  await using writer = startProgram(main, [
    ...['--admin', `:${port}`, '--source=dir', `--from=${at('from')}`, `--target=${at('out')}`],
    ...['--interval=1h', `--admin-token-file=${at('token')}`, `--sync-secret-file=${at('secret')}`],
  ]);
  await writer.event('ready');
  const post = async (host: string, headers: Record<string, string> = {}, body = '{}') => {
    const request = { method: 'POST', headers, body, timeout: 5000 };
    // A request that the rate limit refuses is repeated, as its Retry-After asks.
    return await eventually(
      async () => {
        const { status } = await send(`http://${host}:${port}/sync`, request);
        return status === 429 ? undefined : status;
      },
      { what: 'a request within the rate' },
    );
  };
  const body = '{"ref": "refs/heads/main"}';
  const signature = createHmac('sha256', 'webhook secret').update(body).digest('hex');
  const accepted: [string, Record<string, string>][] = [['127.0.0.1', {}]];
  if (elsewhere) {
    accepted.push(
      [elsewhere, { authorization: 'Bearer s3cret-token' }],
      [elsewhere, { 'x-hub-signature-256': `sha256=${signature}` }],
      [elsewhere, { 'x-hub-signature': `sha256=${signature}` }],
      [elsewhere, { 'x-gitea-signature': signature }],
    );
  }
  for (const [i, [host, headers]] of accepted.entries()) {
    writeFileSync(at('from'), `content ${i}`);
    assert.equal(await post(host, headers, body), 202);
    await eventually(() => readFileSync(at('out'), 'utf8') === `content ${i}`, { what: 'content' });
  }
  if (elsewhere) {
    for (const headers of [
      {},
      { authorization: 'Bearer wrong' },
      { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` },
      { 'x-hub-signature-256': 'sha256=' },
    ]) {
      assert.equal(await post(elsewhere, headers as Record<string, string>, body), 403);
    }
  }
  assert.equal(await post('127.0.0.1', { origin: 'http://evil.example' }), 403);
  assert.doesNotMatch(writer.stderr, /s3cret|webhook secret/);
});
