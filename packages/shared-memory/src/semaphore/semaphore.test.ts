import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import { eventually, later, type TestProcess, temporaryDirectory } from '@sidekit/test-kit';
import {
  ftok,
  parseSemaphoreKey,
  removeSemaphore,
  Semaphore,
  type SemaphoreOptions,
  SharedMemoryError,
  semaphoreLimits,
} from '../index.ts';
import { compile, noCompiler } from '../testing/compiler.ts';
import { startScript } from '../testing/processes.ts';

const keys = new Set<number>();
let serial = 1;

afterEach(async () => {
  for (const key of keys) await removeSemaphore(key);
  keys.clear();
});

function newKey() {
  const key = (process.pid << 8) | serial++;
  keys.add(key);
  return key;
}

const create = (options: Partial<SemaphoreOptions> = {}) =>
  Semaphore.open({ key: newKey(), create: true, ...options });

const fails = (code: string, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SharedMemoryError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, words);
  return true;
};

/** A process that acquires the semaphore and prints `held`. */
function holder(key: number): TestProcess {
  return startScript(`
    const semaphore = await shm.Semaphore.open({ key: ${key} });
    await semaphore.acquire();
    console.log('held');
    setInterval(() => {}, 1000);`);
}

const held = (process: TestProcess) =>
  eventually(() => process.stdout.includes('held'), { what: `held: ${process.stderr}` });

test('units are acquired and released, and the value tells them', async () => {
  const semaphore = await create({ value: 3 });
  assert.equal(semaphore.created, true);
  assert.equal(semaphore.value, 3);
  assert.equal(semaphore.tryAcquire(2), true);
  assert.equal(semaphore.tryAcquire(2), false);
  assert.equal(semaphore.value, 1);
  semaphore.release(2);
  assert.equal(semaphore.value, 3);
});

test('acquire waits for a release, without blocking the event loop', async () => {
  const semaphore = await create();
  const other = await Semaphore.open({ key: semaphore.key });
  assert.equal(await semaphore.acquire(), true);
  const second = other.acquire();
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await eventually(() => turns > 20, { what: 'turns of the event loop' });
  clearInterval(timer);
  semaphore.release();
  assert.equal(await second, true);
  assert.equal(semaphore.value, 0);
});

test('the kernel gives back what a killed holder held', async () => {
  const semaphore = await create();
  await using first = holder(semaphore.key);
  await held(first);
  assert.equal(semaphore.value, 0);
  assert.equal(await semaphore.acquire({ timeout: 30 }), false);
  const waited = semaphore.acquire();
  first.kill('SIGKILL');
  assert.equal(await waited, true);
  semaphore.release();
  assert.equal(semaphore.value, 1);
});

test('an aborted wait holds nothing', async () => {
  const semaphore = await create({ value: 0 });
  const controller = new AbortController();
  const waited = semaphore.acquire({ signal: controller.signal });
  later(() => controller.abort(), 30);
  assert.equal(await waited, false);
  semaphore.release();
  // What the thread still took for the aborted wait it has given back.
  await eventually(() => semaphore.value === 1, { what: 'the unit' });
  assert.equal(await semaphore.acquire({ timeout: 10_000 }), true);
  assert.equal(await semaphore.acquire({ signal: AbortSignal.abort() }), false);
});

test('hold releases when its action throws', async () => {
  const semaphore = await create();
  await assert.rejects(
    semaphore.hold(() => {
      assert.equal(semaphore.value, 0);
      throw new Error('no');
    }),
    /no/,
  );
  assert.equal(semaphore.value, 1);
});

test('a removed semaphore ends the waits for it, with the reason', async () => {
  const semaphore = await create({ value: 0 });
  const waited = semaphore.acquire();
  later(() => semaphore.remove(), 30);
  // EIDRM if the thread was waiting just then, EINVAL if it came later.
  await assert.rejects(waited, /was removed \(sem(timed)?op: (EIDRM|EINVAL)\)/);
  assert.throws(() => semaphore.value, fails('EINVAL', /was removed/));
  assert.equal(await removeSemaphore(semaphore.key), false);
});

test('a set has several semaphores, each with its value', async () => {
  const first = await create({ size: 3, value: 2 });
  const third = await Semaphore.open({ key: first.key, index: 2 });
  first.tryAcquire(2);
  assert.deepEqual([first.value, third.value, third.created], [0, 2, false]);
  await assert.rejects(Semaphore.open({ key: first.key, index: 3 }), fails('EINVAL', /fewer/));
});

test('many that create at once start with the value once', async () => {
  const key = newKey();
  const all = await Promise.all(
    Array.from({ length: 20 }, () => Semaphore.open({ key, create: true, value: 5 })),
  );
  assert.equal(all.filter(({ created }) => created).length, 1);
  assert.deepEqual(new Set(all.map(({ value }) => value)), new Set([5]));
});

test('errors explain themselves', async () => {
  const key = newKey();
  await assert.rejects(Semaphore.open({ key }), fails('ENOENT', /open it with create/));
  const semaphore = await create({ key });
  await assert.rejects(create({ key, exclusive: true }), fails('EEXIST', /leave out exclusive/));
  assert.throws(() => semaphore.release(32_767), fails('ERANGE', /SEMVMX/));
  await assert.rejects(
    Semaphore.open({ key: 0, index: -1, mode: 0o7777, value: 40_000 }),
    (error: Error) => {
      for (const fault of ['key 0', 'index -1', 'mode 4095', 'value 40000'])
        assert.match(error.message, new RegExp(fault));
      return true;
    },
  );
  assert.throws(() => semaphore.tryAcquire(0), RangeError);
  assert.ok((semaphoreLimits()?.sets ?? 0) > 0);
});

test('ftok is that of the C library', { skip: noCompiler }, () => {
  using directory = temporaryDirectory();
  const program = `${directory.path}/ftok`;
  writeFileSync(
    `${program}.c`,
    '#define _GNU_SOURCE\n#include <stdio.h>\n#include <sys/ipc.h>\n' +
      'int main(int count, char **words) { return count < 2 || printf("%d", ftok(words[1], 200)) < 0; }',
  );
  compile(`${program}.c`, program);
  for (const path of ['/etc/passwd', '/proc', directory.path, program]) {
    assert.equal(String(ftok(path, 200)), execFileSync(program, [path], { encoding: 'utf8' }));
  }
});

test('keys are read as ipcs shows them', () => {
  assert.equal(parseSemaphoreKey('0x5eed'), 0x5eed);
  assert.equal(parseSemaphoreKey('0xffffffff'), -1);
  assert.equal(parseSemaphoreKey('4294967295'), -1);
  assert.equal(parseSemaphoreKey('/etc/passwd:7'), ftok('/etc/passwd', 7));
  for (const text of [
    '',
    '0',
    '-1',
    '4294967296',
    'x',
    '/etc/passwd',
    '/no/such:7',
    '/etc/passwd:0',
  ])
    assert.equal(parseSemaphoreKey(text), undefined, text);
});

test('a timeout ends in time among many waits that share the threads', async () => {
  const semaphore = await create({ value: 0 });
  const controller = new AbortController();
  const { signal } = controller;
  const others = Array.from({ length: 400 }, () => semaphore.acquire({ signal }));
  const start = performance.now();
  assert.equal(await semaphore.acquire({ timeout: 100 }), false);
  // Its turn would come after ten seconds.
  assert.ok(performance.now() - start < 5000);
  controller.abort();
  assert.deepEqual(new Set(await Promise.all(others)), new Set([false]));
});
