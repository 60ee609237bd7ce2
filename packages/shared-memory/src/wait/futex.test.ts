import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { afterEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { later } from '@sidekit/test-kit';
import { Segment, type SegmentOptions } from '../index.ts';
import { startScript } from '../testing/processes.ts';

const opened: Segment[] = [];
let serial = 0;

afterEach(() => {
  for (const segment of opened.splice(0)) {
    if (segment.closed) continue;
    segment.unlink();
    segment.close();
  }
});

async function open(options: Partial<SegmentOptions> = {}) {
  const name = `/sidekit-futex-${process.pid}-${serial++}`;
  const segment = await Segment.open({ name, create: true, size: 4096, ...options });
  opened.push(segment);
  return segment;
}

test('a word that differs already does not wait', async () => {
  const segment = await open();
  assert.equal(await segment.wait(8, 5), 'woken');
});

test('a wait ends when another process changes the word and wakes', async () => {
  const segment = await open();
  await using peer = startScript(
    `const segment = await shm.Segment.open({ name: process.argv[1] });
    process.stdin.once('data', () => {
      Atomics.store(new Int32Array(segment.buffer), 2, 1);
      console.log(segment.wake(8));
      process.exit();
    });
    console.log('ready');`,
    [segment.name],
  );
  const waited = segment.wait(8, 0);
  let ended = false;
  waited.then(() => (ended = true));
  await new Promise<void>((resolve) => peer.child.stdout?.once('data', () => resolve()));
  assert.equal(ended, false);
  peer.child.stdin?.write('\n');
  assert.equal(await waited, 'woken');
  assert.equal(Atomics.load(new Int32Array(segment.buffer), 2), 1);
});

test('a wait on a read-only map is woken', async () => {
  const segment = await open();
  const reader = await open({ name: segment.name, create: false, access: 'read' });
  const waited = reader.wait(0, 0);
  later(() => {
    Atomics.add(new Int32Array(segment.buffer), 0, 1);
    segment.wake(0);
  });
  assert.equal(await waited, 'woken');
  reader.close();
});

test('a change whose waker was killed before it woke is noticed', async () => {
  const segment = await open();
  const waited = segment.wait(0, 0);
  later(() => Atomics.store(new Int32Array(segment.buffer), 0, 7));
  assert.equal(await waited, 'woken');
});

test('a wait ends by its timeout, its signal, or the close of the segment', async () => {
  const segment = await open();
  const start = performance.now();
  assert.equal(await segment.wait(0, 0, { timeout: 50 }), 'timed-out');
  assert.ok(performance.now() - start >= 49);
  assert.equal(await segment.wait(0, 0, { signal: AbortSignal.abort() }), 'aborted');
  const controller = new AbortController();
  const aborted = segment.wait(0, 0, { signal: controller.signal });
  const closed = segment.wait(4, 0);
  later(() => controller.abort());
  assert.equal(await aborted, 'aborted');
  segment.unlink();
  segment.close();
  assert.equal(await closed, 'closed');
});

test('growing wakes those who wait, since their view of the memory is gone', async () => {
  const segment = await open();
  const waited = segment.wait(0, 0);
  later(() => segment.grow(8192));
  assert.equal(await waited, 'woken');
});

test('a hundred waits leave threads for files, and all of them end', async () => {
  const segment = await open();
  const waits = Array.from({ length: 100 }, (_, i) => segment.wait(i * 4, 0));
  for (let i = 0; i < 10; i++) {
    assert.ok((await readFile(fileURLToPath(import.meta.url))).length > 0);
  }
  const words = new Int32Array(segment.buffer);
  for (let i = 0; i < 100; i++) {
    Atomics.store(words, i, 1);
    segment.wake(i * 4);
  }
  assert.deepEqual(new Set(await Promise.all(waits)), new Set(['woken']));
});

test('a wait that comes while others block all threads does not wait for their slices', async () => {
  const segment = await open();
  const words = new Int32Array(segment.buffer);
  const controller = new AbortController();
  const { signal } = controller;
  const others = [segment.wait(0, 0, { signal }), segment.wait(4, 0, { signal })];
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    assert.equal(await segment.wait(8, 0, { timeout: 1 }), 'timed-out');
    times.push(performance.now() - start);
  }
  // A loaded machine may delay some; waiting for the others' slices would delay each.
  assert.ok(Math.min(...times) < 950, `a slice of one second passed each time: ${times}`);
  Atomics.store(words, 0, 1);
  segment.wake(0);
  assert.equal(await others[0], 'woken');
  controller.abort();
  assert.equal(await others[1], 'aborted');
});

test('a timeout ends in time among many waits that share the threads', async () => {
  const segment = await open();
  const controller = new AbortController();
  const { signal } = controller;
  const others = Array.from({ length: 400 }, (_, i) => segment.wait(i * 4, 0, { signal }));
  const start = performance.now();
  assert.equal(await segment.wait(2000, 0, { timeout: 100 }), 'timed-out');
  // Its turn would come after ten seconds.
  assert.ok(performance.now() - start < 5000);
  controller.abort();
  assert.deepEqual(new Set(await Promise.all(others)), new Set(['aborted']));
});

test('a word outside of the segment, or between two words, is refused', async () => {
  const segment = await open();
  for (const offset of [-4, 2, 4096, 1.5, Number.NaN]) {
    await assert.rejects(segment.wait(offset, 0), /multiple of four/);
    assert.throws(() => segment.wake(offset), /multiple of four/);
  }
});

test('waiting takes no processor time', async () => {
  const segment = await open();
  await segment.wait(0, 0, { timeout: 300 });
  const before = process.cpuUsage();
  const start = performance.now();
  await segment.wait(0, 0, { timeout: 2_000 });
  const { user, system } = process.cpuUsage(before);
  const share = (user + system) / 1000 / (performance.now() - start);
  assert.ok(share < 0.02, `${(share * 100).toFixed(2)}% of a core`);
});
