import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { MAX_HEAD, readHead } from './head.ts';

const read = (text: string) => readHead(Buffer.from(text, 'latin1'));

/** Builds a head of version 2. */
function binary(command: number, family: number, addresses: number[], tlvs = 0): Buffer {
  const head = Buffer.from('\r\n\r\n\0\r\nQUIT\n\0\0\0\0', 'latin1');
  head[12] = command;
  head[13] = family;
  head.writeUInt16BE(addresses.length + tlvs, 14);
  return Buffer.concat([head, Buffer.from(addresses), Buffer.alloc(tlvs, 0xee)]);
}

const V4 = [192, 0, 2, 1, 10, 0, 0, 1, 0, 80, 1, 187];
const V6 = [0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 1, ...Array(20).fill(0)];

test('heads of version 1 are read strictly', () => {
  const good: [string, string | undefined][] = [
    ['PROXY TCP4 192.0.2.1 10.0.0.1 56324 443\r\n', '192.0.2.1'],
    ['PROXY TCP6 2001:db8::1 ::1 0 65535\r\n', '2001:db8::1'],
    ['PROXY UNKNOWN\r\n', undefined],
    ['PROXY UNKNOWN any thing\r\n', undefined],
  ];
  for (const [text, address] of good)
    assert.deepEqual(read(`${text}GET /`), { length: text.length, address }, text);
  for (const text of [
    'PROXY TCP4 192.0.2.256 10.0.0.1 1 2\r\n',
    'PROXY TCP4 ::1 10.0.0.1 1 2\r\n',
    'PROXY TCP6 192.0.2.1 10.0.0.1 1 2\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n',
    'PROXY TCP4 192.0.2.1 10.0.0.1 01 2\r\n',
    'PROXY TCP4 192.0.2.1 10.0.0.1 1 65536\r\n',
    'PROXY TCP4 192.0.2.1 10.0.0.1 1 2 3\r\n',
    'PROXY TCP4  192.0.2.1 10.0.0.1 1 2\r\n',
    'PROXY TCP4 192.0.2.1 10.0.0.1 1\r\n',
    'PROXY UDP4 192.0.2.1 10.0.0.1 1 2\r\n',
    'PROXY unknown\r\n',
    'proxy TCP4 192.0.2.1 10.0.0.1 1 2\r\n',
    `PROXY UNKNOWN ${'x'.repeat(92)}\r\n`,
    'GET / HTTP/1.1\r\n',
    '\r\n\r\n\0\r\nquit',
  ])
    assert.equal(typeof read(text), 'string', text);
});

test('heads of version 2 are read strictly, and TLVs are skipped', () => {
  for (const tlvs of [0, 3, MAX_HEAD - 28]) {
    const head = binary(0x21, 0x11, V4, tlvs);
    assert.deepEqual(readHead(head), { length: head.length, address: '192.0.2.1' });
  }
  const v6 = binary(0x21, 0x21, V6);
  assert.deepEqual(readHead(v6), { length: v6.length, address: '2001:db8::1' });
  const mapped = binary(0x21, 0x21, [...Array(10).fill(0), 255, 255, ...V4, ...Array(12).fill(0)]);
  assert.deepEqual(readHead(mapped), { length: mapped.length, address: '192.0.2.1' });
  for (const [command, family, addresses] of [
    [0x20, 0x00, []],
    [0x20, 0x11, []],
    [0x20, 0x11, [1, 2, 3]],
    [0x20, 0x99, [1, 2, 3]],
    [0x21, 0x00, []],
    [0x21, 0x31, Array(216).fill(0)],
  ] as const) {
    const head = binary(command, family, [...addresses]);
    assert.deepEqual(readHead(head), { length: head.length, address: undefined });
  }
  for (const head of [
    binary(0x11, 0x11, V4),
    binary(0x22, 0x11, V4),
    binary(0x21, 0x41, V4),
    binary(0x21, 0x11, V4.slice(1)),
    binary(0x21, 0x21, V4),
    binary(0x21, 0x11, V4, MAX_HEAD - 27),
  ])
    assert.equal(typeof readHead(head), 'string', head.toString('hex'));
});

test('an incomplete head is never read, whatever follows it, and no bytes fail', () => {
  for (const head of [
    binary(0x21, 0x11, V4, 9),
    Buffer.from('PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\n'),
  ])
    for (let length = 0; length < head.length; length++)
      assert.equal(readHead(head.subarray(0, length)), undefined);
  const start = fc.constantFrom(binary(0x21, 0x11, []), Buffer.from('PROXY '), Buffer.alloc(0));
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: MAX_HEAD }), (prefix, bytes) => {
      const head = readHead(Buffer.concat([prefix, bytes]).subarray(0, MAX_HEAD));
      if (typeof head === 'object') assert.ok(head.length <= MAX_HEAD);
      // A full buffer is decided.
      if (prefix.length + bytes.length >= MAX_HEAD) assert.notEqual(head, undefined);
    }),
    propertyParameters(2000),
  );
});
