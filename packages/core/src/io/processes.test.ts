import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, TestProcess, temporaryDirectory } from '@sidekit/test-kit';
import {
  findProcesses,
  type ProcessIdentity,
  parseSignal,
  sendSignal,
  signalByName,
} from './processes.ts';

const isRoot = process.getuid?.() === 0;

/** Starts `sleep` under a name of its own. */
function sleeping(directory: string, name: string, options: { uid?: number } = {}): TestProcess {
  const program = join(directory, name);
  copyFileSync('/bin/sleep', program);
  return new TestProcess(program, ['3600'], options);
}

async function found(name: string, count = 1): Promise<ProcessIdentity[]> {
  const find = async () => {
    const all = await findProcesses(name);
    return all.length === count ? all : undefined;
  };
  return await eventually(find, { what: `${count} processes named ${name}` });
}

test('signals are read with or without SIG', () => {
  assert.equal(parseSignal('HUP'), 'SIGHUP');
  assert.equal(parseSignal('sigusr1'), 'SIGUSR1');
  for (const bad of ['', 'SIG', 'NOPE', '1', 'toString']) assert.equal(parseSignal(bad), undefined);
});

test('a process gets the signal by its name, also by one longer than the kernel keeps', async () => {
  using directory = temporaryDirectory();
  for (const name of ['sk-short', 'sk-longer-than-fifteen']) {
    await using sleeper = sleeping(directory.path, name);
    await found(name);
    const [signalled] = await signalByName(name, 'SIGHUP');
    assert.equal(signalled?.pid, sleeper.child.pid);
    assert.deepEqual(await sleeper.exited, { code: null, signal: 'SIGHUP' });
  }
});

test('names that only differ behind what the kernel keeps are distinguished', async () => {
  using directory = temporaryDirectory();
  await using other = sleeping(directory.path, 'sk-longer-than-b');
  await found('sk-longer-than-b');
  assert.deepEqual(await findProcesses('sk-longer-than-a'), []);
  const script = join(directory.path, 'sk-longer-than-a');
  writeFileSync(script, '#!/bin/sh\nread -r line\n', { mode: 0o755 });
  await using interpreted = new TestProcess(script, []);
  const [one] = await found('sk-longer-than-a');
  assert.equal(one?.pid, interpreted.child.pid);
  const title = 'printf sk-longer-than-c > /proc/$$/comm; read -r line';
  const renamed = `exec -a 'sk-longer-than-c: master process' bash -c '${title}'`;
  await using titled = new TestProcess('bash', ['-c', renamed]);
  const [master] = await found('sk-longer-than-c');
  assert.equal(master?.pid, titled.child.pid);
  assert.equal(other.child.exitCode, null);
});

test('none and several are errors with a remedy, unless all are wanted', async () => {
  using directory = temporaryDirectory();
  await assert.rejects(signalByName('sk-nobody', 'SIGHUP'), /shareProcessNamespace: true/);
  await using first = sleeping(directory.path, 'sk-twin');
  await using second = new TestProcess(join(directory.path, 'sk-twin'), ['3600']);
  await found('sk-twin', 2);
  await assert.rejects(signalByName('sk-twin', 'SIGHUP'), /2 processes are named sk-twin \(PIDs/);
  assert.equal((await signalByName('sk-twin', 'SIGHUP', { all: true })).length, 2);
  assert.equal((await first.exited).signal, 'SIGHUP');
  assert.equal((await second.exited).signal, 'SIGHUP');
});

test('of a process and the workers that it forked, the process is found', async () => {
  using directory = temporaryDirectory();
  const script = join(directory.path, 'master.sh');
  writeFileSync(script, '(exec -a sk-master sleep 3600) >&- 2>&- <&- & echo $!; wait\n');
  await using master = new TestProcess('bash', ['-c', `exec -a sk-master bash ${script}`]);
  const worker = await eventually(() => Number(master.stdout), { what: 'a worker' });
  using _ = { [Symbol.dispose]: () => void process.kill(worker) };
  const [only] = await found('sk-master');
  assert.equal(only?.pid, master.child.pid);
});

test('this process and PID 1 are never found, by whatever name', async () => {
  const own = await findProcesses('node');
  assert.ok(own.every(({ pid }) => pid !== process.pid && pid > 1));
});

test('another process that has the PID by now gets no signal', async () => {
  using directory = temporaryDirectory();
  await using sleeper = sleeping(directory.path, 'sk-reused');
  const [identity] = await found('sk-reused');
  assert.ok(identity);
  assert.equal(await sendSignal({ ...identity, startTime: '1' }, 'SIGKILL'), false);
  assert.equal(await sendSignal({ ...identity, uid: identity.uid + 1 }, 'SIGKILL'), false);
  assert.equal(await sendSignal(identity, 'SIGTERM'), true);
  assert.equal((await sleeper.exited).signal, 'SIGTERM');
  assert.equal(await sendSignal(identity, 'SIGTERM'), false);
});

test('a process of another user is explained', { skip: !isRoot && 'needs root' }, async () => {
  using directory = temporaryDirectory();
  await using sleeper = sleeping(directory.path, 'sk-root');
  await found('sk-root');
  const module = new URL('./processes.ts', import.meta.url).href;
  const program = `import { signalByName } from '${module}';
    process.setuid(65534);
    await signalByName('sk-root', 'SIGHUP').catch((error) => console.log(error.message));`;
  await using asker = new TestProcess(process.execPath, ['--input-type=module', '-e', program]);
  assert.equal((await asker.exited).code, 0, asker.stderr);
  assert.match(asker.stdout, /belongs to user 0, and this is user 65534.*the same runAsUser/);
  assert.equal(sleeper.child.exitCode, null);
});

test('all processes that can be signalled are, whatever keeps others from it', {
  skip: !isRoot && 'needs root',
}, async () => {
  using directory = temporaryDirectory();
  chmodSync(directory.path, 0o755);
  await using first = sleeping(directory.path, 'sk-mixed');
  const program = join(directory.path, 'sk-mixed');
  await using own = new TestProcess(program, ['3600'], { uid: 65534 });
  await using last = new TestProcess(program, ['3600']);
  await found('sk-mixed', 3);
  const module = new URL('./processes.ts', import.meta.url).href;
  // The second try leaves out the process that the first one reached: its line says so.
  const asking = `import { signalByName } from '${module}';
    process.setuid(65534);
    const reached = new Set();
    const ask = () => signalByName('sk-mixed', 'SIGSTOP', { all: true, reached });
    await ask().catch((error) => console.log(error.message, reached.size));
    process.kill(${own.child.pid}, 'SIGCONT');
    await ask().catch((error) => console.log(error.message, reached.size));`;
  await using asker = new TestProcess(process.execPath, ['--input-type=module', '-e', asking]);
  assert.equal((await asker.exited).code, 0, asker.stderr);
  const [one, two] = asker.stdout.trim().split('\n');
  for (const line of [one, two]) {
    for (const { child } of [first, last])
      assert.match(`${line}`, new RegExp(`process ${child.pid} `));
    assert.match(`${line}`, / 1$/);
    assert.doesNotMatch(`${line}`, new RegExp(`process ${own.child.pid} `));
  }
  // A second SIGSTOP would have stopped it again.
  assert.match(readFileSync(`/proc/${own.child.pid}/stat`, 'utf8'), /\) S /);
});
