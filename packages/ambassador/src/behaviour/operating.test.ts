import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { eventually, startProgram } from '@sidekit/test-kit';
import { TestProgram } from '../testing/program.ts';
import { request, TestUpstream } from '../testing/upstream.ts';

const MAIN = new URL('../main.ts', import.meta.url);

test('a full disk under the access log is a metric and a warning, and requests go on', async () => {
  await using upstream = await TestUpstream.start((_request, response) => response.end('ok'));
  await using program = await TestProgram.serving(
    upstream.url,
    ...['--access-log', 'all', '--access-log-file', '/dev/full'],
  );
  assert.equal((await request(program.url)).status, 200);
  const lost = 'ambassador_access_log_lines_dropped_total';
  await eventually(async () => (await program.metric(lost)) === 1, { what: 'a lost line' });
  assert.match((await program.ask('/readyz')).body, /access log are lost: .*ENOSPC/);
  assert.equal((await program.process.event('access_log_dropped')).level, 'warn');
  assert.equal((await request(program.url)).status, 200);
});

test('a name that is not resolved is a warning in /readyz', async () => {
  await using program = await TestProgram.serving('http://no-such-name.invalid:80');
  await eventually(
    async () => (await program.ask('/readyz')).body.includes('no-such-name.invalid'),
    { what: 'the warning' },
  );
});

test('more connections than file descriptors is a warning', async () => {
  await using program = await TestProgram.serving(
    'http://127.0.0.1:1',
    ...['--max-connections', '1000000'],
  );
  const { needed, limit } = await program.process.event('descriptor_limit');
  assert.ok(Number(needed) > Number(limit));
  assert.match((await program.ask('/readyz')).body, /--max-connections needs \d+ file descriptors/);
});

test('a connect without a free descriptor gets 503, and ejects no endpoint', async () => {
  await using upstream = await TestUpstream.start((_request, response) => response.end('ok'));
  await using program = await TestProgram.serving(
    upstream.url,
    ...['--eject-after', '1', '--retry-connect-for', '0s', '--health-interval', '0s'],
  );
  const { pid } = program.process.child;
  const allow = (descriptors: number) =>
    execFileSync('prlimit', [`--nofile=${descriptors}:4096`, '--pid', `${pid}`]);
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  let next = 0;
  while (open.has(next)) next++;
  // One for the client, and none for the upstream.
  allow(next + 1);
  assert.equal((await request(program.url)).status, 503);
  allow(4096);
  assert.equal((await request(program.url)).status, 200);
});

test('each kind of malformed upstream has its own sentence, all at once', async () => {
  const faults = [
    ['127.0.0.1:5000', 'must begin with a scheme'],
    ['ftp://a', 'must have one of the schemes http, https, h2c, tcp, tls'],
    ['http://a/path', 'must have no path'],
    ['http://redacted@a', 'must have no user or password'],
    ['http://a?x', 'must have no query'],
    ['http://:80', 'must have a host'],
    ['http://a:99999', 'must have a port from 1 to 65535'],
    ['tcp://a', 'must have a port'],
    ['unix:x', 'must have an absolute path'],
    ['http://a b', 'must have a valid host'],
    ['http://1.2.3.4.5', 'must have a valid host'],
    ['http://999.1.1.1:80', 'must have a valid host'],
    ['http://a..b:80', 'must have a valid host'],
    ['http://::1:80', 'must have a valid host'],
    ['http://a:x', 'must have a port from 1 to 65535'],
    [`http://${'a'.repeat(64)}`, 'must have a valid host'],
  ] as const;
  const upstreams = faults.flatMap(([upstream]) => [
    '--upstream',
    upstream.replace('redacted', 'user'),
  ]);
  await using program = startProgram(MAIN, ['--listen', ':8080', ...upstreams]);
  assert.equal((await program.exited).code, 64);
  for (const [upstream, rule] of faults)
    assert.ok(program.stderr.includes(`"${upstream}" ${rule}`), `${upstream}: ${program.stderr}`);
});

test('an upstream that is the listener itself is refused', async () => {
  const own = ['--listen', ':8080', '--upstream', 'http://localhost:8080'];
  await using program = startProgram(MAIN, own);
  assert.equal((await program.exited).code, 64);
  assert.match(program.stderr, /is the address of its own listener/);
});
