import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, staysTrueFor, temporaryDirectory } from '@sidekit/test-kit';
import { elapsed, killTree } from './processes.ts';
import { runtimeOf } from './runtime.ts';
import { isRunc, runtimeExec } from './runtime-exec.ts';

/** A runtime that runs the command as its child, as runc does, after the lines of a test. */
function fakeRuntime(before = '') {
  const folder = temporaryDirectory('runtime');
  const program = join(folder.path, 'runc');
  writeFileSync(program, `#!/bin/sh\n${before}\nshift 2\n"$@"\n`);
  chmodSync(program, 0o755);
  return {
    folder: folder.path,
    run: (argv: readonly string[], timeout = 60_000) =>
      runtimeExec({ program, environment: {} }, { container: 'c', argv, timeout, limit: 10 }),
    [Symbol.dispose]: () => folder.remove(),
  };
}

test('a command returns its exit code and the beginning of its output', async () => {
  using runtime = fakeRuntime();
  assert.deepEqual(await runtime.run(['/bin/sh', '-c', 'echo out; echo 0123456789; exit 255']), {
    type: 'exited',
    code: 255,
    output: 'out\n012345',
  });
});

test('a command that the runtime cannot start is an error, not an exit code', async () => {
  const line = 'time="2026-11-27T07:33:24Z" level=error msg="exec failed: \\"/x\\": no such file"';
  using runtime = fakeRuntime(`echo '${line}' >&2; exit 255`);
  await assert.rejects(runtime.run(['/x']), /^ExpectedError: exec failed: "\/x": no such file$/);
  const missing = { program: '/missing/runc', environment: {} };
  const request = { container: 'c', argv: ['x'], timeout: 1000, limit: 10 };
  await assert.rejects(runtimeExec(missing, request), /does not start/);
});

test('the time of a command counts from its start, and not from the call of the runtime', async () => {
  using folder = temporaryDirectory('runtime');
  const gate = join(folder.path, 'gate');
  assert.equal(spawnSync('mkfifo', [gate]).status, 0);
  // The program prepares a process of its own, which then becomes the command.
  const program = join(folder.path, 'runc');
  copyFileSync('/bin/bash', program);
  const script = join(folder.path, 'script');
  writeFileSync(script, `shift; (read line < '${gate}'; exec "$@"); exit`);
  let settled = false;
  const result = runtimeExec(
    { program, environment: { BASH_ENV: script } },
    { container: 'c', argv: ['/bin/sleep', '1'], timeout: 4000, limit: 10 },
  );
  result.finally(() => {
    settled = true;
  });
  await staysTrueFor(() => !settled, 4500, { what: 'no verdict' });
  writeFileSync(gate, 'go\n');
  assert.deepEqual(await result, { type: 'exited', code: 0, output: '' });
});

test('a process is that of the command once its program is not runc any more', () => {
  // As seen with runc 1.1: /usr/bin/runc may be a link, and the mount of the file is detached.
  for (const program of ['/usr/sbin/runc', '/', '/memfd:runc_cloned:/proc/self/exe (deleted)'])
    assert.ok(isRunc(program), program);
  for (const program of ['/nodejs/bin/node', '/bin/trunc']) assert.ok(!isRunc(program), program);
});

test('a late command is killed with what it started', async () => {
  using runtime = fakeRuntime();
  const file = join(runtime.folder, 'pid');
  const result = await runtime.run(['/bin/sh', '-c', `sleep 600 & echo $! > ${file}; wait`], 1000);
  assert.equal(result.type, 'timeout');
  const running = async () => result.type === 'timeout' && (await result.running());
  await eventually(async () => !(await running()), { what: 'the command has ended' });
  const pid = Number(readFileSync(file, 'utf8'));
  await eventually(() => elapsed(pid) === undefined, { what: 'the descendant has ended' });
});

test('a process that another thread of the command started is killed with it', async () => {
  const program = `new (require('node:worker_threads').Worker)(
    "require('child_process').spawn('sleep', ['600']).on('spawn', function () {" +
    " console.log(this.pid) }); setInterval(() => {}, 1e6)", { eval: true })`;
  const parent = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(parent.stdout, 'data');
  killTree(parent.pid ?? 0);
  await eventually(() => elapsed(Number(line)) === undefined, { what: 'the process has ended' });
});

test('the monitor of a container names its runtime, if that is runc', async () => {
  using folder = temporaryDirectory('monitor');
  const script = join(folder.path, 'conmon');
  writeFileSync(script, 'sleep 600 & echo $!; wait\n');
  for (const [program, found] of [
    ['/opt/runc', { program: '/opt/runc', environment: { HOME: '/a' } }],
    ['/usr/bin/crun', undefined],
  ] as const) {
    const monitor = spawn('/bin/sh', [script, '-c', 'id', '-r', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { HOME: '/a', SECRET: 'x' },
    });
    const [line] = await once(monitor.stdout, 'data');
    try {
      assert.deepEqual(runtimeOf('id', Number(line)), found);
      assert.equal(runtimeOf('another', Number(line)), undefined);
    } finally {
      killTree(monitor.pid ?? 0);
    }
  }
  assert.equal(runtimeOf('id', 2 ** 22 + 1), undefined);
});
