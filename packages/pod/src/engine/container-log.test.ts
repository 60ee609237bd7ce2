import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readlinkSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, temporaryDirectory } from '@sidekit/test-kit';
import { type LogRequest, readLog } from './container-log.ts';
import { Engine } from './engine.ts';
import { fakeEngine } from './testing/fake-engine.ts';

const entry = (second: number, text: string, tag = 'F') =>
  `2026-11-27T20:10:${String(second).padStart(2, '0')}.000000000+00:00 stdout ${tag} ${text}\n`;

async function read(
  path: string,
  request: Partial<LogRequest>,
  wait: () => Promise<void> | void = () => {},
): Promise<string> {
  await using fake = await fakeEngine((_, response) => {
    response.end(JSON.stringify({ HostConfig: { LogConfig: { Path: path } } }));
  });
  const place = { socket: fake.socket, version: '1.40', rootless: false, direct: true };
  const engine = new Engine({ name: 'podman', ...place });
  let text = '';
  await readLog(engine, { id: 'c', timestamps: false, ...request }, (parts) => {
    for (const part of parts) text += `${part.text}${part.last ? '\n' : ''}`;
    return wait();
  });
  return text;
}

const linux = {
  skip: process.platform !== 'linux' && 'the file is on this machine on Linux alone',
};

test(
  'what a container writes until its end is read, however late that is seen',
  linux,
  async () => {
    using folder = temporaryDirectory('container-log');
    const path = join(folder.path, 'ctr.log');
    writeFileSync(path, entry(1, 'begun'));
    let checks = 0;
    const running = () => {
      checks++;
      // Its last words, and its end, between two checks.
      if (checks === 3) for (let i = 0; i < 50_000; i++) lines.push(entry(2, `line ${i}`));
      if (checks === 3) appendFileSync(path, lines.join(''));
      return checks < 3;
    };
    const lines: string[] = [];
    const text = await read(path, { running });
    assert.equal(text.split('\n').length, 50_002);
    assert.match(text, /^begun\nline 0\n/);
    assert.match(text, /\nline 49999\n$/);
  },
);

test('tail counts whole lines, and since is compared with their times', linux, async () => {
  using folder = temporaryDirectory('container-log');
  const path = join(folder.path, 'ctr.log');
  const parts = [
    entry(1, 'a'),
    entry(2, 'b', 'P'),
    entry(2, 'c'),
    entry(3, 'd'),
    entry(4, 'e', 'P'),
  ];
  writeFileSync(path, parts.join(''));
  assert.equal(await read(path, { tail: 0 }), '');
  assert.equal(await read(path, { tail: 1 }), 'e');
  assert.equal(await read(path, { tail: 2 }), 'd\ne');
  assert.equal(await read(path, { tail: 3 }), 'bc\nd\ne');
  assert.equal(await read(path, { tail: 1000 }), 'a\nbc\nd\ne');
  assert.equal(await read(path, { since: new Date('2026-11-27T20:10:03Z') }), 'd\ne');
});

test('a log that fills several files while its reader waits is complete', linux, async () => {
  using folder = temporaryDirectory('container-log');
  const path = join(folder.path, 'ctr.log');
  writeFileSync(path, entry(1, '1'));
  const replaced = async (text: string) => {
    const held = openFiles(folder.path);
    writeFileSync(`${path}.tmp`, entry(1, text));
    renameSync(`${path}.tmp`, path);
    await eventually(() => openFiles(folder.path) === held + 1, { what: `file ${text} is open` });
  };
  let slow = true;
  const text = await read(path, {}, async () => {
    if (slow) for (const text of ['2', '3', '4']) await replaced(text);
    slow = false;
  });
  assert.equal(text, '1\n2\n3\n4\n');
  assert.equal(openFiles(folder.path), 0);
});

/** Returns how many files of a folder this process has open, removed ones too. */
function openFiles(folder: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(join('/proc/self/fd', fd)).startsWith(folder);
    } catch {
      return false;
    }
  }).length;
}
