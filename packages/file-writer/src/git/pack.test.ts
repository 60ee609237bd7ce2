import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { Failure } from '../failure.ts';
import { applyDelta } from './delta.ts';
import { Pack } from './pack.ts';
import { packet, readPackets } from './pkt-line.ts';

/** A pack with one blob. */
function packOf(content: Buffer): Buffer {
  const head = Buffer.from('PACK\0\0\0\x02\0\0\0\x01', 'latin1');
  const size = [0x30 | (content.length & 15)];
  for (let rest = content.length >> 4; rest > 0; rest >>= 7) {
    size[size.length - 1]! |= 0x80;
    size.push(rest & 127);
  }
  const body = Buffer.concat([head, Buffer.from(size), deflateSync(content)]);
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

const LIMITS = { maxSize: 10_000, maxObjects: 100 };

const oidOf = (content: Buffer) =>
  createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');

test('any blob is read back from a pack by its id', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), async (bytes) => {
      const content = Buffer.from(bytes);
      const pack = await Pack.open(packOf(content), LIMITS);
      assert.ok(pack.read(oidOf(content), 'blob').equals(content));
    }),
    propertyParameters(100),
  );
});

test('a damaged pack is refused with a sentence, never read wrong', async () => {
  const content = Buffer.from('some content '.repeat(20));
  const good = packOf(content);
  await fc.assert(
    fc.asyncProperty(
      fc.nat(good.length - 1),
      fc.integer({ min: 1, max: 255 }),
      fc.boolean(),
      async (at, change, resum) => {
        const bad = Buffer.from(good);
        bad[at]! ^= change;
        if (resum)
          createHash('sha1')
            .update(bad.subarray(0, -20))
            .digest()
            .copy(bad, bad.length - 20);
        try {
          const pack = await Pack.open(bad, LIMITS);
          const read = pack.read(oidOf(content), 'blob');
          assert.ok(read.equals(content));
        } catch (error) {
          assert.ok(error instanceof Failure, String(error));
        }
      },
    ),
    propertyParameters(300),
  );
});

test('an object larger than the limit is refused before it is unpacked', async () => {
  await assert.rejects(Pack.open(packOf(Buffer.alloc(5000)), { ...LIMITS, maxSize: 1000 }), {
    reason: 'too_large',
  });
});

test('any delta gives a result of its own length or is refused', () => {
  const base = Buffer.from('0123456789'.repeat(10));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const delta = Buffer.concat([Buffer.from([base.length, 20]), bytes]);
      try {
        assert.equal(applyDelta(base, delta, 1000).length, 20);
      } catch (error) {
        assert.ok(error instanceof Failure);
      }
    }),
    propertyParameters(500),
  );
});

test('packets are found however the stream is cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ maxLength: 30 })),
      fc.integer({ min: 1, max: 7 }),
      async (texts, size) => {
        const bytes = Buffer.from(`${texts.map(packet).join('')}0000`);
        async function* pieces() {
          for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
        }
        const found: string[] = [];
        for await (const one of readPackets(pieces())) found.push(one.toString());
        assert.deepEqual(found, [...texts, 'flush']);
      },
    ),
    propertyParameters(100),
  );
});

test('bytes that are not a packet, and a stream that ends inside one, are refused', async () => {
  for (const text of ['<html>', '000', '0009ab']) {
    const read = async () => {
      for await (const _ of readPackets(
        (async function* () {
          yield Buffer.from(text);
        })(),
      ));
    };
    await assert.rejects(read(), { reason: 'git_protocol' }, text);
  }
});
