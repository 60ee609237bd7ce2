import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  eventually,
  startProgram,
  type TestProcess,
  temporaryDirectory,
  testEarlyStop,
} from '@sidekit/test-kit';

const program = new URL('../testing/sidecar.ts', import.meta.url);

function serve(...args: string[]): TestProcess {
  return startProgram(program, ['serve', '--log-level', 'debug', ...args]);
}

async function status(sidecar: TestProcess, page: string): Promise<number> {
  const { port } = await sidecar.event('admin_listening');
  return (await fetch(`http://127.0.0.1:${port}${page}`)).status;
}

function messages(sidecar: TestProcess): unknown[] {
  return sidecar.log.map(({ msg }) => msg);
}

test('SIGTERM makes it not ready, ends the work, undoes in reverse order and exits 0', async () => {
  using directory = temporaryDirectory();
  const healthFile = join(directory.path, 'health.json');
  await using sidecar = serve('--health-file', healthFile);
  await sidecar.event('working');
  for (const page of ['/startupz', '/readyz', '/livez', '/metrics']) {
    assert.equal(await status(sidecar, page), 200, page);
  }
  const ready = () => JSON.parse(readFileSync(healthFile, 'utf8')).ready;
  await eventually(() => ready().status === 'ok', { what: 'the health file' });
  sidecar.kill('SIGTERM');
  assert.deepEqual(await sidecar.exited, { code: 0, signal: null }, sidecar.stderr);
  const expected = ['stopping', 'work ended', 'closed the last', 'closed the first', 'stopped'];
  assert.deepEqual(messages(sidecar).slice(-5), expected);
  assert.deepEqual(ready().reasons, [{ name: 'process', reason: 'stopping' }]);
});

test('while it stops it is not ready, and alive', async () => {
  await using sidecar = serve('--behave', 'stuck');
  await sidecar.event('working');
  sidecar.kill('SIGTERM');
  await sidecar.event('closed_last');
  assert.equal(await status(sidecar, '/readyz'), 503);
  assert.equal(await status(sidecar, '/livez'), 200);
});

test('a stop that hangs ends with the grace period, exit 70, and names the step', async () => {
  await using sidecar = serve('--behave', 'stuck', '--grace-period', '50ms');
  await sidecar.event('working');
  sidecar.kill('SIGTERM');
  assert.equal((await sidecar.exited).code, 70);
  assert.match(sidecar.stderr, /the grace period ended.*"step":"last started"/);
});

test('a second signal exits at once with 128 + the signal', async () => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    await using sidecar = serve('--behave', 'stuck', '--grace-period', '1h');
    await sidecar.event('working');
    sidecar.kill('SIGTERM');
    await sidecar.event('closed_last');
    sidecar.kill(signal);
    assert.deepEqual(await sidecar.exited, { code, signal: null });
  }
});

test('a thread that is blocked for good, as by a FIFO without a writer, does not delay the exit', async () => {
  using directory = temporaryDirectory();
  const fifo = join(directory.path, 'fifo');
  execFileSync('mkfifo', [fifo]);
  await using stopped = serve('--behave', 'fifo', '--source', fifo);
  await stopped.event('working');
  stopped.kill('SIGTERM');
  assert.deepEqual(await stopped.exited, { code: 0, signal: null }, stopped.stderr);
});

testEarlyStop(program, ['serve', '--grace-period', '30s']);

test('it says once that it is ready, when every condition holds', async () => {
  await using sidecar = serve();
  await sidecar.event('ready');
  assert.equal(await status(sidecar, '/readyz'), 200);
  sidecar.kill('SIGTERM');
  await sidecar.exited;
  const events = sidecar.log.flatMap(({ event }) => event ?? []);
  assert.deepEqual(events, [
    'starting',
    'admin_listening',
    'working',
    'ready',
    'stopping',
    'closed_last',
    'stopped',
  ]);
});

test('the start says version, user and the options that differ, without secrets', async () => {
  await using sidecar = serve('--token', 's3cret', '--source', 'http://anna:s3cret@host/');
  const start = await sidecar.event('starting');
  assert.match(String(start.version), /^\d+\.\d+\.\d+/);
  assert.equal(start.uid, process.getuid?.());
  assert.deepEqual(start.options, {
    token: 'redacted',
    source: 'http://redacted@host/',
    logLevel: 'debug',
  });
  await sidecar.event('working');
  assert.doesNotMatch(sidecar.stderr, /s3cret/);
});

test('work that is done ends the process with 0', async () => {
  await using sidecar = serve('--behave', 'end');
  assert.equal((await sidecar.exited).code, 0);
  assert.ok(messages(sidecar).includes('closed the first'));
});

test('work that awaits its own abort stops like any other', async () => {
  await using sidecar = serve('--behave', 'abort');
  await sidecar.event('working');
  sidecar.kill('SIGTERM');
  assert.equal((await sidecar.exited).code, 0, sidecar.stderr);
});

test('an expected error is one sentence with its exit code, after everything was undone', async () => {
  await using sidecar = serve('--behave', 'unavailable');
  assert.equal((await sidecar.exited).code, 69);
  assert.ok(messages(sidecar).includes('nobody came'));
  assert.ok(messages(sidecar).includes('closed the first'));
  assert.doesNotMatch(sidecar.stderr, /\bat .*sidecar\.ts/);
});

test('a mistake in the program is logged with its stack and exits 70, caught or not', async () => {
  for (const [behave, error] of [
    ['throw', 'a mistake in the program'],
    ['uncaught', 'forgotten'],
  ] as const) {
    await using sidecar = serve('--behave', behave);
    const record = await sidecar.logged('unexpected error');
    assert.equal(record.error, error);
    assert.match(String(record.stack), /sidecar\.ts/);
    assert.equal((await sidecar.exited).code, 70);
  }
});

test('an admin port that is taken is one sentence, exit 70, before the work begins', async () => {
  await using first = serve();
  const { port } = await first.event('admin_listening');
  await using second = serve('--admin', `127.0.0.1:${port}`);
  assert.equal((await second.exited).code, 70);
  assert.match(second.stderr, /--admin 127.*another process of the Pod listens there/);
  assert.ok(!messages(second).includes('working'));
});

test('a reader of the log that goes away does not end the work', async () => {
  await using sidecar = serve();
  const { port } = await sidecar.event('admin_listening');
  await sidecar.event('working');
  sidecar.child.stderr?.destroy();
  sidecar.kill('SIGTERM');
  const { code } = await sidecar.exited;
  assert.equal(code, 0);
  await assert.rejects(fetch(`http://127.0.0.1:${port}/livez`));
});

test('the process has the name of its command, by which neighbours find and signal it', async () => {
  await using sidecar = serve('--behave', 'well');
  await sidecar.event('starting');
  const { pid } = sidecar.child;
  assert.equal(readFileSync(`/proc/${pid}/comm`, 'utf8'), 'gadget serve\n');
  assert.match(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), /sidecar\.ts/);
});
