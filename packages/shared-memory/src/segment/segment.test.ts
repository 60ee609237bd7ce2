import assert from 'node:assert/strict';
import {
  mkdirSync,
  readFileSync,
  rmdirSync,
  statfsSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, test } from 'node:test';
import {
  checkSegmentName,
  listSegments,
  Segment,
  type SegmentOptions,
  SharedMemoryError,
  statSegment,
  unlinkSegment,
} from '../index.ts';

const opened: Segment[] = [];
let serial = 0;

afterEach(() => {
  for (const segment of opened.splice(0)) {
    segment.close();
    unlinkSegment(segment.name);
  }
});

const newName = () => `/sidekit-test-${process.pid}-${serial++}`;

async function open(options: Partial<SegmentOptions> = {}) {
  const segment = await Segment.open({ name: newName(), create: true, size: 4096, ...options });
  opened.push(segment);
  return segment;
}

const fails = (code: string, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SharedMemoryError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, words);
  return true;
};

test('what one side writes the other reads, and a new segment is zero', async () => {
  const one = await open();
  const other = await Segment.open({ name: one.name });
  assert.deepEqual([one.created, other.created], [true, false]);
  assert.deepEqual(new Uint8Array(other.buffer), new Uint8Array(4096));
  Atomics.store(new Int32Array(one.buffer), 3, 77);
  assert.equal(Atomics.load(new Int32Array(other.buffer), 3), 77);
  other.close();
});

test('the mode holds whatever the umask', async () => {
  const before = process.umask(0o077);
  try {
    const segment = await open({ mode: 0o660 });
    assert.equal(statSync(`/dev/shm${segment.name}`).mode & 0o777, 0o660);
    const text = await open({ mode: '0644' });
    assert.equal(statSync(`/dev/shm${text.name}`).mode & 0o777, 0o644);
  } finally {
    process.umask(before);
  }
});

test('memory is reserved when a segment is created, so that a full volume is an error then', async () => {
  const segment = await open({ size: 1 << 20 });
  assert.ok(statSync(`/dev/shm${segment.name}`).blocks * 512 >= 1 << 20);
  const { blocks, bsize } = statfsSync('/dev/shm');
  const name = newName();
  const size = blocks * bsize + 4096;
  await assert.rejects(Segment.open({ name, create: true, size }), fails('ENOSPC', /B left of/));
  assert.equal(statSegment(name), undefined);
});

test('after close every view is detached', async () => {
  const segment = await open();
  const { buffer } = segment;
  const words = new Int32Array(buffer);
  segment.close();
  segment.close();
  assert.equal(buffer.detached, true);
  assert.equal(words.length, 0);
  assert.equal(segment.size, 0);
  assert.throws(() => segment.identity(), fails('EBADF', /is closed/));
  assert.throws(() => segment.wake(0), fails('EBADF', /is closed/));
  await assert.rejects(segment.wait(0, 0), fails('EBADF', /is closed/));
});

test('a segment grows, keeps what it holds and detaches the old views', async () => {
  const segment = await open();
  const old = new Uint8Array(segment.buffer);
  old[4095] = 9;
  const reader = await Segment.open({ name: segment.name, access: 'read' });
  segment.grow(10_000);
  assert.equal(old.length, 0);
  assert.equal(segment.size, 10_000);
  assert.equal(new Uint8Array(segment.buffer)[4095], 9);
  new Uint8Array(segment.buffer)[9_999] = 5;
  assert.equal(reader.size, 4096);
  reader.grow(10_000);
  assert.equal(new Uint8Array(reader.buffer)[9_999], 5);
  assert.throws(() => reader.grow(20_000), fails('EINVAL', /has 10000 B/));
  assert.throws(() => segment.grow(4096), fails('EINVAL', /cannot shrink/));
  reader.close();
});

test('exclusive creation, absence and removal are notified apart', async () => {
  const segment = await open();
  const { name } = segment;
  await assert.rejects(
    Segment.open({ name, create: true, exclusive: true, size: 1 }),
    fails('EEXIST', /exists already/),
  );
  (await Segment.open({ name, exclusive: true })).close();
  assert.equal(segment.identity().links, 1);
  segment.unlink();
  assert.equal(segment.identity().links, 0);
  assert.throws(() => segment.unlink(), fails('ENOENT', /does not exist/));
  assert.equal(unlinkSegment(name), false);
  await assert.rejects(Segment.open({ name }), fails('ENOENT', /open it with create/));
});

test('what is not a segment is refused, not opened', async () => {
  const name = newName();
  const path = `/dev/shm${name}`;
  writeFileSync(path, '');
  await assert.rejects(Segment.open({ name }), fails('EINVAL', /has 0 B/));
  unlinkSync(path);
  symlinkSync('/etc/passwd', path);
  await assert.rejects(Segment.open({ name }), fails('ELOOP', /symbolic link/));
  unlinkSync(path);
  mkdirSync(path);
  await assert.rejects(Segment.open({ name, access: 'read' }), fails('EINVAL', /regular file/));
  rmdirSync(path);
});

test('a wrong size, name or mode is refused with its rule', async () => {
  for (const size of [0, -1, 1.5, Number.NaN, 2 ** 37, undefined as unknown as number]) {
    await assert.rejects(open({ size }), fails('EINVAL', /whole number from 1/));
  }
  await assert.rejects(open({ mode: '999' }), fails('EINVAL', /octal/));
  await assert.rejects(open({ mode: 0o4755 }), fails('EINVAL', /octal/));
  for (const name of ['x', '/', '/..', '/a/b', '/\0', `/${'x'.repeat(256)}`]) {
    assert.ok(checkSegmentName(name), name);
    await assert.rejects(Segment.open({ name }), fails('EINVAL', /must/));
    assert.throws(() => unlinkSegment(name), fails('EINVAL', /must/));
  }
  assert.equal(checkSegmentName(`/${'x'.repeat(255)}`), undefined);
});

test('segments are listed with size, mode and owner', async () => {
  const segment = await open({ size: 12_345, mode: 0o640 });
  const found = listSegments().find(({ name }) => name === segment.name);
  const { uid, gid } = statSync(`/dev/shm${segment.name}`);
  assert.deepEqual(found, { name: segment.name, size: 12_345, mode: 0o640, uid, gid });
});

test('many that create at once get the same segment', async () => {
  const name = newName();
  const all = await Promise.all(Array.from({ length: 20 }, () => open({ name })));
  assert.equal(all.filter(({ created }) => created).length, 1);
  assert.equal(new Set(all.map((one) => one.identity().inode)).size, 1);
});

test('descriptors and mappings do not pile up', async () => {
  const count = () => readFileSync('/proc/self/maps', 'utf8').split('sidekit-test-').length;
  const before = count();
  for (let i = 0; i < 300; i++) {
    const segment = await Segment.open({ name: newName(), create: true, size: 8192 });
    segment.grow(65_536);
    segment.unlink();
    segment.close();
  }
  assert.equal(count(), before);
});

test('a segment that a peer truncated is seen in its identity', async () => {
  const segment = await open({ size: 8192 });
  truncateSync(`/dev/shm${segment.name}`, 10);
  assert.equal(segment.identity().size, 10);
});
