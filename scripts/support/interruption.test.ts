import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { eventually, TestProcess } from '@sidekit/test-kit';

const here = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);
const PROGRAM = `
  import { spawn } from 'node:child_process';
  import { exitOnSignals, Interruption } from ${here('./interruption.ts')};
  import { temporaryFolder } from ${here('../../images/temporary.ts')};
  exitOnSignals();
  using folder = temporaryFolder('sidekit-interrupted-');
  const child = spawn('sleep', ['60']);
  console.log(folder.path, child.pid);
`;

function start(more: string) {
  return new TestProcess(process.execPath, ['--input-type=module', '-e', PROGRAM + more]);
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} ends a task, what it started, and its temporary folders`, async () => {
    await using task = start('await new Promise(() => {});');
    await eventually(() => task.stdout.includes('\n'), { what: 'the folder' });
    const [path = '', pid] = task.stdout.trim().split(' ');
    assert.ok(existsSync(path));
    task.kill(signal);
    assert.deepEqual(await task.exited, { code, signal: null }, task.stderr);
    assert.ok(!existsSync(path));
    await eventually(() => !existsSync(`/proc/${pid}`), { what: 'the end of the child' });
  });
}

test('what fails because the same Ctrl-C ended its child needs no message', async () => {
  const sync = `
    const { execFileSync } = await import('node:child_process');
    const { interruptedCode } = await import(${here('./interruption.ts')});
    const fail = (line) => {
      try { execFileSync('sh', ['-c', line]); } catch {}
      return interruptedCode();
    };`;
  // Without an interruption the process ends before it could print anything.
  await using plain = start(
    `${sync} await fail('kill -INT $PPID; kill -INT $$'); console.log('no');`,
  );
  assert.deepEqual(await plain.exited, { code: 130, signal: null }, plain.stderr);
  assert.doesNotMatch(plain.stdout, /no$/m);
  await using own = start(`${sync} {
    using interruption = new Interruption();
    console.log(await fail('exit 1'), await fail('kill -TERM $PPID; exit 1'));
    child.kill();
  }`);
  assert.deepEqual(await own.exited, { code: 0, signal: null }, own.stderr);
  assert.match(own.stdout, /^undefined 143$/m);
});

test('a task that cleans up by itself decides how a signal ends it', async () => {
  await using task = start(`{
    using interruption = new Interruption();
    console.log('ready');
    await new Promise((resolve) => interruption.signal.addEventListener('abort', resolve));
    console.log('cleaned up');
    process.exitCode = 3;
  }`);
  await eventually(() => task.stdout.includes('ready'), { what: 'the start' });
  task.kill('SIGINT');
  assert.deepEqual(await task.exited, { code: 3, signal: null }, task.stderr);
  assert.match(task.stdout, /cleaned up/);
});
