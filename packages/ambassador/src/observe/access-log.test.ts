import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, temporaryDirectory } from '@sidekit/test-kit';
import { TestProxy } from '../testing/proxy.ts';
import { request, TestUpstream } from '../testing/upstream.ts';

/** Sends twenty requests, every fourth for an error, and returns the lines of the log. */
async function logged(options: Record<string, unknown>, lines: number): Promise<string[]> {
  using directory = temporaryDirectory('access-log');
  const path = join(directory.path, 'access.log');
  await using upstream = await TestUpstream.start((incoming, response) => {
    response.writeHead(incoming.url === '/bad' ? 500 : 200).end();
  });
  await using proxy = await TestProxy.start({
    upstream: [upstream.url],
    accessLogFile: path,
    ...options,
  });
  for (let i = 0; i < 20; i++) await request(`${proxy.url}${i % 4 === 0 ? '/bad' : '/good'}`);
  const read = () => readFileSync(path, 'utf8').trimEnd().split('\n');
  await eventually(() => read().length >= lines && read()[0] !== '', { what: `${lines} lines` });
  return read();
}

test('only errors are logged if configured so', async () => {
  const lines = await logged({ accessLog: 'errors' }, 5);
  assert.equal(lines.length, 5);
  for (const line of lines) assert.equal(JSON.parse(line).status, 500);
});

test('one request in ten is logged if configured so', async () => {
  const lines = await logged({ accessLog: 'sampled', accessLogSample: 10 }, 2);
  assert.equal(lines.length, 2);
});
