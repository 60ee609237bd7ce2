import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { Failure } from '../failure.ts';
import { openPack } from '../testing/pack.ts';
import { applyDelta, applyLargeDelta, deltaHeader } from './delta.ts';
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
      await using pack = await openPack(packOf(content), LIMITS);
      assert.ok((await pack.read(oidOf(content), 'blob', 10_000)).equals(content));
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
          await using pack = await openPack(bad, LIMITS);
          const read = await pack.read(oidOf(content), 'blob', 10_000);
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
  await assert.rejects(openPack(packOf(Buffer.alloc(5000)), { ...LIMITS, maxSize: 1000 }), {
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

test('a large delta gives the same result as one in memory, however its stream is cut', async () => {
  const base = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i % 251));
  const copy = fc.record({
    offset: fc.nat(base.length - 1),
    count: fc.integer({ min: 1, max: 80_000 }),
  });
  const literal = fc.uint8Array({ minLength: 1, maxLength: 127 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(copy, literal), { maxLength: 12 }),
      fc.integer({ min: 21, max: 400 }),
      async (parts, size) => {
        const delta = deltaOf(base, parts);
        const expected = applyDelta(base, delta, 10_000_000);
        async function* pieces() {
          for (let at = 0; at < delta.length; at += size) yield delta.subarray(at, at + size);
        }
        const chunks: Uint8Array[] = [];
        for await (const one of applyLargeDelta(base, pieces(), deltaHeader(delta))) {
          chunks.push(one);
        }
        assert.ok(Buffer.concat(chunks).equals(expected));
      },
    ),
    propertyParameters(100),
  );
});

/** Encodes copies and literals as git does. */
function deltaOf(
  base: Buffer,
  parts: readonly (Uint8Array | { readonly offset: number; readonly count: number })[],
): Buffer {
  let size = 0;
  const instructions = parts.map((part) => {
    if (part instanceof Uint8Array) {
      size += part.length;
      return Buffer.from([part.length, ...part]);
    }
    const count = Math.min(part.count, base.length - part.offset);
    size += count;
    const bytes = Buffer.alloc(8);
    bytes[0] = 0xff;
    bytes.writeUInt32LE(part.offset, 1);
    bytes.writeUIntLE(count, 5, 3);
    return bytes;
  });
  return Buffer.concat([sizeOf(base.length), sizeOf(size), ...instructions]);
}

function sizeOf(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | (rest >= 128 ? 128 : 0));
    if (rest < 128) return Buffer.from(bytes);
  }
}

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
