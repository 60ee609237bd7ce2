/** FIFOs, sockets and devices in place of files: opening them could wait for ever. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { startProgram, temporaryDirectory } from '@sidekit/test-kit';
import { Target } from '../publish/target.ts';
import { writeSettings } from '../testing/write-settings.ts';
import { dirSource } from './dir.ts';

const main = new URL('../main.ts', import.meta.url);

test('a FIFO or device for any input is refused before it is opened', async () => {
  using directory = temporaryDirectory('fifo');
  const fifo = join(directory.path, 'fifo');
  execFileSync('mkfifo', [fifo]);
  writeFileSync(join(directory.path, 'page'), 'text');
  const server = createServer((_request, response) => response.end('content'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`;
  const page = join(directory.path, 'page');
  const runs = [fifo, '/dev/zero'].flatMap((path) => [
    ['--source=dir', `--from=${path}`],
    ['--source=template', `--template=${path}`],
    ['--source=template', `--template=${page}`, `--data=a=${path}`],
    ['--source=http', `--url=${url}`, `--bearer-token-file=${path}`],
    ['--source=git', `--repository=${url}`, `--credentials=${path}`],
  ]);
  const refusals = runs.map(async (args, i) => {
    const target = join(directory.path, `out${i}`);
    await using program = startProgram(main, [
      ...['--admin=127.0.0.1:0', '--once', '--once-timeout=5s', `--target=${target}`],
      ...args,
    ]);
    assert.deepEqual(await program.exited, { code: 69, signal: null }, args.join(' '));
    assert.match(program.stderr, /not a regular file|neither a file nor a directory/);
  });
  await Promise.all(refusals);
});

test('a FIFO as target is neither opened nor replaced', async () => {
  using directory = temporaryDirectory('fifo');
  const path = join(directory.path, 'target');
  execFileSync('mkfifo', [path]);
  const target = new Target(writeSettings(path));
  await target.open();
  const chunks = [Buffer.from('content')];
  for (const content of [
    { kind: 'line', text: 'x\n' },
    { kind: 'file', chunks },
    { kind: 'tree', entries: [{ path: 'a', chunks }] },
  ] as const) {
    await assert.rejects(target.publish(content), { reason: 'not_a_file' }, content.kind);
  }
  assert.ok(lstatSync(path).isFIFO());
});

test('a directory is not mirrored into itself', async () => {
  using directory = temporaryDirectory('inside');
  const from = join(directory.path, 'from');
  mkdirSync(join(from, 'sub'), { recursive: true });
  symlinkSync('from/sub', join(directory.path, 'other'));
  const request = { signal: new AbortController().signal, fresh: false };
  for (const target of [join(from, 'to'), join(from, 'new/to'), join(directory.path, 'other/to')]) {
    await assert.rejects(dirSource({ from, target, maxFiles: 10 }).poll(request), {
      reason: 'unsafe_path',
      message: /is inside .*: give a target elsewhere/,
    });
  }
  const beside = join(directory.path, 'from-2');
  assert.ok(await dirSource({ from, target: beside, maxFiles: 10 }).poll(request));
});

test('special files inside a directory are left out with a remark', async () => {
  using directory = temporaryDirectory('fifo');
  const [from, path] = [join(directory.path, 'from'), join(directory.path, 'to')];
  mkdirSync(from);
  execFileSync('mkfifo', [join(from, 'fifo')]);
  writeFileSync(join(from, 'file'), 'content');
  const source = dirSource({ from, maxFiles: 10 });
  const content = await source.poll({ signal: new AbortController().signal, fresh: false });
  await new Target(writeSettings(path)).publish(content!);
  assert.deepEqual(readdirSync(path), ['file']);
  assert.ok(content?.kind === 'tree');
  assert.match(content.warnings?.().join() ?? '', /1 FIFOs, sockets or devices/);
});

test('names that are not UTF-8 are mirrored byte by byte', async () => {
  using directory = temporaryDirectory('bytes');
  const [from, path] = [join(directory.path, 'from'), join(directory.path, 'to')];
  mkdirSync(Buffer.from(`${from}/d\xff`, 'latin1'), { recursive: true });
  writeFileSync(Buffer.from(`${from}/d\xff/caf\xe9`, 'latin1'), 'one');
  writeFileSync(Buffer.from(`${from}/caf\xe8`, 'latin1'), 'two');
  symlinkSync(Buffer.from('caf\xe8', 'latin1'), join(from, 'link'));
  const source = dirSource({ from, maxFiles: 10 });
  const content = await source.poll({ signal: new AbortController().signal, fresh: false });
  await new Target(writeSettings(path)).publish(content!);
  assert.equal(readFileSync(Buffer.from(`${path}/d\xff/caf\xe9`, 'latin1'), 'utf8'), 'one');
  assert.equal(readFileSync(join(path, 'link'), 'utf8'), 'two');
});

test('links that lead out of a directory are refused, or skipped with a count', async () => {
  using directory = temporaryDirectory('links');
  const [from, path] = [join(directory.path, 'from'), join(directory.path, 'to')];
  mkdirSync(from);
  symlinkSync('/etc/passwd', join(from, 'out'));
  symlinkSync('file', join(from, 'in'));
  writeFileSync(join(from, 'file'), 'content');
  const poll = async () =>
    (await dirSource({ from, maxFiles: 10 }).poll({
      signal: new AbortController().signal,
      fresh: false,
    }))!;
  await assert.rejects(new Target(writeSettings(path)).publish(await poll()), {
    reason: 'unsafe_path',
    message: /--links skip/,
  });
  const outcome = await new Target(writeSettings(path, { links: 'skip' })).publish(await poll());
  assert.equal(outcome.skippedLinks, 1);
  assert.deepEqual(readdirSync(path), ['file', 'in']);
});
