import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { scene } from '../testing/scene.ts';

const AT = '2026-11-21T05:05:00.000000000Z';
const cri = (text: string) => `${AT} stdout F ${text}\n`;

/** Creates a node's log directories: /var/log/containers has links into /var/log/pods. */
async function node() {
  const s = await scene((directory) => ({
    format: 'cri',
    include: [join(directory, 'containers/*.log')],
    fileFields: ['path'],
  }));
  const pod = join(s.directory, 'pods/ns_shop-0_uid/app');
  mkdirSync(join(s.directory, 'containers'));
  mkdirSync(pod, { recursive: true });
  return Object.assign(s, { pod, link: join(s.directory, 'containers/shop-0_ns_app-1.log') });
}

/** Changes the target of a link as the kubelet does: a new link replaces the old one. */
function flip(link: string, target: string): void {
  symlinkSync(target, `${link}.tmp`);
  renameSync(`${link}.tmp`, link);
}

test('a link is followed to its file, whose records have the path of the file', async () => {
  await using s = await node();
  writeFileSync(join(s.pod, '0.log'), cri('one'));
  symlinkSync(join(s.pod, '0.log'), s.link);
  await s.settle();
  assert.deepEqual(s.messages(), ['one']);
  assert.equal(s.receiver.records[0]?.['file.path'], join(s.pod, '0.log'));
});

test('when a link moves to the next container’s file, both files are read to the end', async () => {
  await using s = await node();
  writeFileSync(join(s.pod, '0.log'), cri('one'));
  symlinkSync(join(s.pod, '0.log'), s.link);
  await s.settle();
  appendFileSync(join(s.pod, '0.log'), cri('last words'));
  writeFileSync(join(s.pod, '1.log'), cri('two'));
  flip(s.link, join(s.pod, '1.log'));
  await s.settle();
  appendFileSync(join(s.pod, '1.log'), cri('three'));
  await s.settle();
  assert.deepEqual(s.messages().toSorted(), ['last words', 'one', 'three', 'two']);
  assert.ok(s.messages().indexOf('two') < s.messages().indexOf('three'));
});

test('the kubelet’s rotation behind a link loses and doubles nothing', async () => {
  await using s = await node();
  const live = join(s.pod, '0.log');
  writeFileSync(live, cri('one'));
  symlinkSync(live, s.link);
  await s.settle();
  appendFileSync(live, cri('two'));
  renameSync(live, `${live}.20261121-050500`);
  const old = `${live}.20261121-040500.gz`;
  writeFileSync(old, gzipSync(cri('long gone')));
  utimesSync(old, 0, 0);
  writeFileSync(live, cri('three'));
  await s.settle();
  assert.deepEqual(s.messages(), ['one', 'two', 'three']);
});

test('a link that leads nowhere is waited for, and one that leads to itself harms nothing', async () => {
  await using s = await node();
  symlinkSync(join(s.pod, '0.log'), s.link);
  symlinkSync(`${s.link}.loop.log`, `${s.link}.loop.log`);
  await s.settle();
  writeFileSync(join(s.pod, '0.log'), cri('one'));
  s.clock.now += 11_000;
  await s.settle();
  assert.deepEqual(s.messages(), ['one']);
});

test('two names of one file are one log', async () => {
  await using s = await node();
  writeFileSync(join(s.pod, '0.log'), cri('one'));
  symlinkSync(join(s.pod, '0.log'), s.link);
  symlinkSync(join(s.pod, '0.log'), s.link.replace('-1.log', '-2.log'));
  await s.settle();
  assert.deepEqual(s.messages(), ['one']);
});
