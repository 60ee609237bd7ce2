import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, propertyParameters, startProgram } from '@sidekit/test-kit';
import fc from 'fast-check';
import { Receiver } from '../testing/receiver.ts';
import { scene } from '../testing/scene.ts';
import { strictLoki, strictOtlp } from '../testing/strict.ts';

const lines = (count: number) => Array.from({ length: count }, (_, i) => `line ${i}`);

/** The messages of a body, by kind of output. */
const MESSAGES: Readonly<Record<string, (body: string) => unknown[]>> = {
  '': (body) =>
    body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).message),
  'otlp:': (body) =>
    strictOtlp(body).map(({ body: text }) => (text as { stringValue: string }).stringValue),
  'loki:': (body) => strictLoki(body).map(({ line }) => JSON.parse(line).message),
};

for (const [output, messages] of Object.entries(MESSAGES)) {
  test(`blank lines make no body of output ${output || 'http'} larger than a batch`, async () => {
    await using s = await scene((_directory, url) => ({
      output: [`${output}${url}`],
      batchBytes: '64KiB',
      bufferBytes: '256KiB',
    }));
    s.write('\n'.repeat(30_000));
    await s.settle();
    const sizes = s.receiver.requests.map(({ body }) => Buffer.byteLength(body));
    assert.ok(Math.max(...sizes) <= 64 * 1024, `${Math.max(...sizes)} bytes`);
    const count = s.receiver.requests.reduce((sum, { body }) => sum + messages(body).length, 0);
    assert.equal(count, 30_000);
  });

  test(`a receiver of ${output || 'http'} with a limit on its bodies gets every record`, async () => {
    await using s = await scene((_directory, url) => ({ output: [`${output}${url}`] }));
    s.receiver.respond = (body) => (body.length > 10_000 ? { status: 413 } : undefined);
    const written = lines(5000);
    s.write(`${written.join('\n')}\n`);
    await s.settle();
    assert.deepEqual(
      s.receiver.requests.flatMap(({ body }) => messages(body)),
      written,
    );
    // The limit is remembered: most requests are accepted.
    assert.ok(s.receiver.requests.length > s.receiver.count * 0.8);
  });
}

/** Nearly as long as a line may be: with the added field it is too long. */
const LONG = 256 * 1024 - 100;
const LETTERS = 'x'.repeat(LONG - 40);
for (const [what, line] of [
  ['quotes', '"'.repeat(LONG)],
  ['control characters', '\x01'.repeat(LONG)],
  ['characters of two UTF-16 units', '🙂'.repeat(LONG / 4)],
  ['one field', JSON.stringify({ level: 'info', text: LETTERS })],
  [
    'one object',
    JSON.stringify({ level: 'info', list: LETTERS.slice(0, LONG / 4 - 30).split('') }),
  ],
  ['two long fields', JSON.stringify({ a: LETTERS.slice(LONG / 2), b: LETTERS.slice(LONG / 2) })],
  [
    'many fields',
    JSON.stringify(
      Object.fromEntries(Array.from({ length: LONG / 32 }, (_, i) => [`${i}`.padEnd(26), 42])),
    ),
  ],
] as const) {
  test(`a line of ${what} that is too long for Loki as JSON is split, and no record is refused`, async () => {
    await using s = await scene((_directory, url) => ({
      output: [`loki:${url}`],
      format: 'json',
      add: { service: 's'.repeat(200) },
    }));
    s.receiver.respond = (body) => {
      try {
        strictLoki(body);
        return undefined;
      } catch (error) {
        return { status: 400, body: String(error) };
      }
    };
    s.write(`{"first":1}\n${line}\n{"last":1}\n`);
    await s.settle();
    assert.equal(s.receiver.count, s.receiver.requests.length);
    const records = s.receiver.requests
      .flatMap(({ body }) => strictLoki(body))
      .map((entry) => JSON.parse(entry.line));
    const parts = records.slice(1, -1);
    assert.ok(parts.length > 1 && parts.length < 12, `${parts.length} parts`);
    assert.ok(parts.every(({ partial }) => partial));
    assert.equal(new Set(records.map(({ offset }) => offset)).size, records.length);
    const whole: Record<string, unknown> = {};
    for (const { partial, offset, 'file.id': _id, 'file.path': _path, ...part } of parts) {
      for (const [name, value] of Object.entries(part)) {
        const isShort = typeof value !== 'string' || value.length <= 256;
        whole[name] = isShort ? value : String(whole[name] ?? '') + value;
      }
    }
    const { raw, parse_error: _error, service, ...fields } = whole;
    assert.ok(service);
    if (raw === undefined) {
      const list = typeof fields.list === 'string' ? { list: JSON.parse(fields.list) } : {};
      assert.deepEqual({ ...fields, ...list }, JSON.parse(line));
    } else assert.equal(raw, line);
  });
}

test('records that a receiver refuses cost no other record, and few requests', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3000 }),
      fc.float({ min: 0, max: 1, noNaN: true }),
      async (count, where) => {
        await using s = await scene({ refused: 'park' });
        const bad = Math.floor(where * (count - 1));
        s.receiver.respond = (body) =>
          body.includes(`"line ${bad}"`) ? { status: 400, body: 'no' } : undefined;
        s.write(`${lines(count).join('\n')}\n`);
        await s.settle();
        assert.deepEqual(
          s.messages(),
          lines(count).filter((_, i) => i !== bad),
        );
        const batches = Math.ceil((count * 100) / (256 * 1024)) + 2;
        const most = Math.max(1, 4 * Math.log2(count)) + batches;
        assert.ok(s.receiver.count <= most, `${s.receiver.count} requests, not ${most}`);
        assert.equal(readdirSync(join(s.directory, 'state/parked')).length, 1);
      },
    ),
    propertyParameters(15),
  );
});

test('a receiver that refuses everything costs at most 4·log₂(n) requests for each batch', async () => {
  await using s = await scene();
  s.receiver.respond = () => ({ status: 400 });
  s.write(`${lines(1000).join('\n')}\n`);
  await s.settle();
  assert.ok(s.receiver.count <= 4 * Math.log2(1000), `${s.receiver.count} requests`);
  assert.equal(s.adapter.metric('adapter_dropped_records_total'), 1000);
});

for (const after of [
  '2147484',
  '4294968',
  '99999999999',
  'Fri, 31 Dec 9999 23:59:59 GMT',
  '-1',
  'x',
]) {
  test(`Retry-After ${after} causes no loop without a pause and no stop without an end`, async () => {
    await using s = await scene({ retryBase: '20ms', retryCap: '20ms' });
    for (let i = 0; i < 3; i++) {
      s.receiver.answers.push({ status: 429, headers: { 'retry-after': after } });
    }
    const started = performance.now();
    s.write('one\n');
    await s.settle();
    const took = performance.now() - started;
    assert.equal(s.adapter.metric('adapter_delivered_records_total'), 1);
    if (after.startsWith('2') || after.startsWith('F')) assert.ok(took >= 600, `${took} ms`);
  });
}

for (const kind of ['', 'loki:', 'otlp:'] as const) {
  for (const status of [429, 503]) {
    test(`a date in Retry-After of ${status} to ${kind || 'http:'} is waited for up to a cap, and one in the past is not`, async () => {
      await using s = await scene((_directory, url) => ({
        ...{ retryBase: '20ms', retryCap: '20ms' },
        output: [`${kind}${url}`],
      }));
      const dates = ['Fri, 31 Dec 9999 23:59:59 GMT', 'Sun, 06 Nov 1994 08:49:37 GMT'];
      for (const after of [...dates, ...dates, ...dates]) {
        s.receiver.answers.push({ status, headers: { 'retry-after': after } });
      }
      const started = performance.now();
      s.write('one\n');
      await s.settle();
      const took = performance.now() - started;
      assert.equal(s.adapter.metric('adapter_retries_total'), 6);
      assert.equal(s.adapter.metric('adapter_delivered_records_total'), 1);
      assert.ok(took >= 600, `${took} ms for three pauses of ten times the cap`);
    });
  }
}

test('a redirect is not followed, so that no credential leaves', async () => {
  await using elsewhere = await Receiver.start();
  await using s = await scene((_directory, url) => ({
    output: [],
    outputs: [{ to: url, headers: { authorization: 'Bearer secret' } }],
  }));
  s.receiver.answers.push({ status: 307, headers: { location: elsewhere.url } });
  s.write('one\n');
  await s.settle();
  assert.equal(elsewhere.count, 0);
  assert.equal(s.adapter.metric('adapter_delivered_records_total'), 1);
});

test('an output that is unavailable does not stop another, also across a restart', async () => {
  await using other = await Receiver.start();
  await using s = await scene((_directory, url) => ({
    output: [url, other.url],
    batchBytes: 1024,
    bufferBytes: 4096,
  }));
  const written = lines(2000);
  other.down = true;
  s.write(`${written.slice(0, 1000).join('\n')}\n`);
  const arrived = async (count: number) => {
    await eventually(
      async () => {
        await s.adapter.poll();
        return s.messages().length >= count;
      },
      { what: `${count} records` },
    );
  };
  await arrived(1000);
  await eventually(() => savedOffsets(s.directory).includes(statSync(s.live).size), {
    what: 'the state says what the first output has acknowledged',
  });
  await s.restart('crash');
  s.write(`${written.slice(1000).join('\n')}\n`);
  await arrived(2000);
  other.down = false;
  await s.settle();
  assert.deepEqual(s.messages(), written);
  assert.deepEqual(
    other.records.map(({ message }) => message),
    written,
  );
  // Both outputs read the lines, which are counted once since the restart.
  assert.ok(s.adapter.metric('adapter_lines_total') <= 2000);
});

test('a small trickle behind an unavailable output is collected in few batches', async () => {
  await using s = await scene();
  s.receiver.down = true;
  for (let i = 0; i < 200; i++) {
    s.write(`line ${i}\n`);
    await s.adapter.poll();
  }
  s.receiver.down = false;
  await s.settle();
  assert.deepEqual(s.messages(), lines(200));
  assert.ok(s.receiver.requests.length <= 3);
});

test('parked records are delivered again by --replay, and those that are refused again stay', async () => {
  await using s = await scene({ refused: 'park' });
  s.receiver.respond = (body) => (/line [13]"/.test(body) ? { status: 400 } : undefined);
  s.write(`${lines(5).join('\n')}\n`);
  await s.settle();
  const parked = join(s.directory, 'state/parked');
  assert.ok(readdirSync(parked).length > 0);
  s.receiver.respond = (body) => (body.includes('line 3"') ? { status: 400 } : undefined);
  await using replay = startProgram(new URL('../main.ts', import.meta.url), [
    ...['--include', s.live, '--output', s.receiver.url, '--state', join(s.directory, 'state')],
    ...['--admin', '127.0.0.1:0', '--replay'],
  ]);
  assert.deepEqual(await replay.exited, { code: 0, signal: null }, replay.stderr);
  assert.deepEqual(s.messages().toSorted(), ['line 0', 'line 1', 'line 2', 'line 4']);
  assert.equal(readdirSync(parked).length, 1);
});

for (const [name, content, header] of [
  ['bearerFile', 'token\n', 'Bearer token'],
  ['basicFile', 'user:password\n', 'Basic dXNlcjpwYXNzd29yZA=='],
  ['authorizationFile', 'Custom x\n', 'Custom x'],
] as const) {
  test(`${name} becomes the Authorization header`, async () => {
    await using s = await scene((directory) => {
      writeFileSync(join(directory, 'secret'), content);
      return { [name]: join(directory, 'secret') };
    });
    s.write('one\n');
    await s.settle();
    assert.equal(s.receiver.requests[0]?.headers.authorization, header);
  });
}

/** Reads the offsets that the outputs of the first file have acknowledged. */
function savedOffsets(directory: string): number[] {
  const state = JSON.parse(readFileSync(join(directory, 'state/state.json'), 'utf8'));
  const [{ offset, outputs = {} }] = state.generations;
  return [offset, ...Object.values<{ offset: number }>(outputs).map((mark) => mark.offset)];
}
