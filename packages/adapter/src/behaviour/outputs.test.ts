import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, temporaryDirectory } from '@sidekit/test-kit';
import { HandDriven } from '../testing/hand-driven.ts';
import { Receiver } from '../testing/receiver.ts';

async function delivering(options: (url: string, directory: string) => Record<string, unknown>) {
  const directory = temporaryDirectory('output');
  const receiver = await Receiver.start();
  const live = join(directory.path, 'app.log');
  const adapter = new HandDriven(
    directory.path,
    { include: [live], ...options(receiver.url, directory.path) },
    { now: 1_795_000_000_000 },
  );
  return {
    receiver,
    directory: directory.path,
    adapter,
    write: (text: string) => appendFileSync(live, text),
    [Symbol.asyncDispose]: async () => {
      await adapter.crash();
      await receiver[Symbol.asyncDispose]();
      directory.remove();
    },
  };
}

test('JSON arrays, compressed, with own headers', async () => {
  await using s = await delivering((url) => ({
    outputs: [{ to: `${url}/in`, format: 'json', gzip: true, headers: { 'x-own': 'yes' } }],
  }));
  s.write('one\ntwo\n');
  await s.adapter.settle();
  const [request] = s.receiver.requests;
  assert.equal(request?.url, '/in');
  assert.equal(request?.headers['x-own'], 'yes');
  const records = JSON.parse(request?.body ?? '') as { message: string }[];
  assert.deepEqual(
    records.map(({ message }) => message),
    ['one', 'two'],
  );
});

test('Loki gets one stream with its labels and the time of each record', async () => {
  await using s = await delivering((url) => ({
    format: 'json',
    fileFields: [],
    outputs: [{ to: `loki:${url}`, labels: { app: 'shop' } }],
  }));
  s.write('{"time":"2026-11-21T05:05:00.123456789Z","msg":"a"}\n{"msg":"b"}\n');
  await s.adapter.settle();
  const [request] = s.receiver.requests;
  assert.equal(request?.url, '/loki/api/v1/push');
  assert.deepEqual(JSON.parse(request?.body ?? ''), {
    streams: [
      {
        stream: { app: 'shop', filename: join(s.directory, 'app.log') },
        values: [
          ['1795237500123456789', '{"time":"2026-11-21T05:05:00.123456789Z","msg":"a"}'],
          ['1795000000000000000', '{"msg":"b"}'],
        ],
      },
    ],
  });
});

test('OTLP gets log records with time, severity, body and attributes', async () => {
  await using s = await delivering((url) => ({
    format: 'json',
    fileFields: [],
    outputs: [{ to: `otlp:${url}`, resource: { 'service.name': 'shop' } }],
  }));
  s.write(
    '{"time":"2026-11-21T05:05:00Z","level":"error","msg":"a","n":1,"f":0.5,"o":{"x":[true]}}\n',
  );
  await s.adapter.settle();
  const [request] = s.receiver.requests;
  assert.equal(request?.url, '/v1/logs');
  const [resource] = JSON.parse(request?.body ?? '').resourceLogs;
  assert.deepEqual(resource.resource.attributes, [
    { key: 'service.name', value: { stringValue: 'shop' } },
  ]);
  assert.deepEqual(resource.scopeLogs[0].logRecords, [
    {
      observedTimeUnixNano: '1795000000000000000',
      timeUnixNano: '1795237500000000000',
      severityText: 'error',
      severityNumber: 17,
      body: { stringValue: 'a' },
      attributes: [
        { key: 'n', value: { intValue: '1' } },
        { key: 'f', value: { doubleValue: 0.5 } },
        {
          key: 'o',
          value: {
            kvlistValue: {
              values: [{ key: 'x', value: { arrayValue: { values: [{ boolValue: true }] } } }],
            },
          },
        },
      ],
    },
  ]);
});

for (const status of [301, 307, 401, 403, 404, 408, 409, 429, 500, 501, 502, 503, 504]) {
  test(`a delivery is retried after ${status}, which does not lose a record`, async () => {
    await using s = await delivering((url) => ({ output: [`otlp:${url}`] }));
    s.receiver.answers.push({ status, headers: { 'retry-after': '0' } });
    s.write('one\n');
    await s.adapter.settle();
    assert.equal(s.adapter.metric('adapter_retries_total'), 1);
    assert.equal(s.adapter.metric('adapter_delivered_records_total'), 1);
  });
}

for (const status of [400, 413, 422]) {
  test(`a record that is refused with ${status} is not retried: it is dropped and counted`, async () => {
    await using s = await delivering((url) => ({ output: [`otlp:${url}`] }));
    s.receiver.answers.push({ status, body: 'no' });
    s.write('one\n');
    await s.adapter.settle();
    assert.equal(s.receiver.requests.length, 1);
    assert.equal(s.adapter.metric('adapter_dropped_records_total'), 1);
  });
}

test('a partial success is a success, and what was rejected is counted', async () => {
  await using s = await delivering((url) => ({ output: [`otlp:${url}`] }));
  s.receiver.answers.push({
    status: 200,
    body: '{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"too old"}}',
  });
  s.write('one\ntwo\n');
  await s.adapter.settle();
  assert.equal(s.receiver.requests.length, 1);
  assert.equal(s.adapter.metric('adapter_delivered_records_total'), 1);
  assert.equal(s.adapter.metric('adapter_dropped_records_total'), 1);
});

for (const claimed of ['1e99', -1e99, '0.5', 'NaN', '"x"', '{"a":1}', null]) {
  test(`a receiver that claims to have rejected ${claimed} records does not spoil the counters`, async () => {
    await using s = await delivering((url) => ({ output: [`otlp:${url}`] }));
    const body = `{"partialSuccess":{"rejectedLogRecords":${claimed},"errorMessage":7}}`;
    s.receiver.answers.push({ status: 200, body });
    s.write('one\ntwo\n');
    await s.adapter.settle();
    const count = (name: string) => s.adapter.metric(`adapter_${name}_records_total`) || 0;
    const [delivered, dropped] = [count('delivered'), count('dropped')];
    assert.equal(delivered + dropped, 2);
    assert.ok(delivered >= 0 && dropped >= 0, `${delivered} delivered, ${dropped} dropped`);
    assert.equal(s.receiver.count, 1);
  });
}

test('what was refused is parked where that is asked for', async () => {
  await using s = await delivering((url) => ({ output: [url], refused: 'park', fileFields: [] }));
  s.receiver.answers.push({ status: 400 });
  s.write('one\n');
  await s.adapter.settle();
  const parked = join(s.directory, 'state/parked');
  const [name = ''] = readdirSync(parked);
  const [header = '', record] = readFileSync(join(parked, name), 'utf8').split('\n');
  assert.deepEqual(JSON.parse(header), {
    output: s.receiver.url + '/',
    encoding: 'ndjson',
    records: 1,
    reason: '400',
  });
  assert.equal(record, '{"message":"one"}');
});

test('several outputs get everything, each in its own time; the state waits for the last', async () => {
  await using s = await delivering((url, directory) => ({
    output: [url, `file:${directory}/out.json`],
  }));
  s.receiver.down = true;
  s.write('one\n');
  await s.adapter.poll();
  const out = join(s.directory, 'out.json');
  await eventually(() => existsSync(out) && readFileSync(out, 'utf8').includes('one'), {
    what: 'the file has the record',
  });
  assert.match(readFileSync(join(s.directory, 'state/state.json'), 'utf8'), /"offset":0/);
  s.receiver.down = false;
  await s.adapter.settle();
  assert.equal(s.receiver.records.length, 1);
  assert.match(readFileSync(join(s.directory, 'state/state.json'), 'utf8'), /"offset":4/);
});

test('a stop delivers the rest to each output, whether or not another accepts anything', async () => {
  await using dead = await Receiver.start();
  await using s = await delivering((url) => ({
    ...{ output: [url, dead.url], gracePeriod: '60s' },
    ...{ batchBytes: 1024, bufferBytes: 4096 },
  }));
  dead.down = true;
  const lines = Array.from({ length: 1000 }, (_, i) => `line number ${i}`);
  s.write(`${lines.join('\n')}\n`);
  s.receiver.respond = (body) => {
    // Without this the stop would last as long as the grace period.
    if (body.includes(lines.at(-1)!)) dead.down = false;
    return undefined;
  };
  await s.adapter.stop();
  for (const { records } of [s.receiver, dead])
    assert.deepEqual(
      records.map(({ message }) => message),
      lines,
    );
});

test('a file output rotates itself between batches, and repairs a torn end', async () => {
  await using s = await delivering((_url, directory) => {
    writeFileSync(join(directory, 'out.json'), '{"whole":1}\n{"to');
    return {
      fileFields: [],
      outputs: [{ to: `file:${directory}/out.json`, maxSize: 64, keep: 2 }],
    };
  });
  for (let i = 0; i < 10; i++) {
    s.write(`line number ${i}\n`);
    await s.adapter.settle();
  }
  const read = (name: string) => readFileSync(join(s.directory, name), 'utf8');
  const names = readdirSync(s.directory).filter((name) => name.startsWith('out.json'));
  assert.deepEqual(names.toSorted(), ['out.json', 'out.json.1', 'out.json.2']);
  for (const name of names) for (const line of read(name).trim().split('\n')) JSON.parse(line);
  assert.match(read('out.json'), /line number 9/);
});

test('fields are renamed, dropped, redacted and added, and declared metrics are counted', async () => {
  await using s = await delivering((url) => ({
    format: 'json',
    fileFields: [],
    output: [url],
    rename: { msg: 'message' },
    drop: ['pid'],
    redact: ['credit-card', 'bearer-token', 'email'],
    redactFields: ['password'],
    redactPatterns: ['s3cr[e3]t'],
    add: { pod: 'shop-0' },
    metrics: [
      { name: 'orders_total', labels: { kind: 'kind' } },
      { name: 'took', type: 'histogram', field: 'took', buckets: [1, 2] },
    ],
    metricLabelSets: 1,
  }));
  s.write(
    '{"msg":"card 4111 1111 1111 1111, not 4111 1111 1111 1112","pid":1,"kind":"a","took":1.5,"o":{"password":"x","mail":"to a.b@example.com","auth":"Bearer abcdefgh.ijk"}}\n{"msg":"s3cret","kind":"b"}\n',
  );
  await s.adapter.settle();
  assert.deepEqual(s.receiver.records, [
    {
      kind: 'a',
      took: 1.5,
      o: { password: '[redacted]', mail: 'to [redacted]', auth: 'Bearer [redacted]' },
      message: 'card [redacted], not 4111 1111 1111 1112',
      pod: 'shop-0',
    },
    { kind: 'b', message: '[redacted]', pod: 'shop-0' },
  ]);
  const text = s.adapter.registry.render();
  assert.match(text, /^orders_total\{kind="a"\} 1$/m);
  assert.match(text, /^orders_total\{kind="__other__"\} 1$/m);
  assert.match(text, /^took_bucket\{le="2"\} 1$/m);
});

test('the Authorization header is read from its file for each request, and waited for', async () => {
  await using s = await delivering((url, directory) => ({
    outputs: [{ to: url, authorizationFile: join(directory, 'token') }],
  }));
  s.write('one\n');
  await s.adapter.poll();
  await s.adapter.until('adapter_retries_total', (count) => count > 0);
  assert.match(JSON.stringify(s.adapter.health.report('ready').warnings), /token/);
  writeFileSync(join(s.directory, 'token'), 'Bearer first\n');
  await s.adapter.settle();
  // Mounted tokens are exchanged while the adapter runs.
  writeFileSync(join(s.directory, 'token'), 'Bearer second\n');
  s.write('two\n');
  await s.adapter.settle();
  assert.deepEqual(
    s.receiver.requests.map(({ headers }) => headers.authorization),
    ['Bearer first', 'Bearer second'],
  );
});

test('a field can be added from a file of the downward API', async () => {
  await using s = await delivering((url, directory) => {
    writeFileSync(join(directory, 'node'), 'node-7\n');
    return { output: [url], fileFields: [], add: { node: `file:${directory}/node`, zone: 'b' } };
  });
  s.write('one\n');
  await s.adapter.settle();
  assert.deepEqual(s.receiver.records, [{ message: 'one', node: 'node-7', zone: 'b' }]);
});

test('a missing file of the downward API is refused at the start, with the remedy', () => {
  using directory = temporaryDirectory('output');
  const options = {
    include: [join(directory.path, 'app.log')],
    add: { node: 'file:/nowhere/node' },
  };
  assert.throws(
    () => new HandDriven(directory.path, options, { now: 0 }),
    /--add node=file:\/nowhere\/node cannot be read .*ENOENT.*mount the file/s,
  );
});

test('records are kept and dropped by field and pattern, and counted', async () => {
  await using s = await delivering((url) => ({
    format: 'json',
    output: [url],
    keepRecords: ['level=error', 'path~^/api/'],
    dropRecords: ['path~healthz$'],
  }));
  const records = [
    { level: 'error', n: 1 },
    { level: 'info', n: 2 },
    { path: '/api/x', n: 3 },
    { path: '/api/healthz', n: 4 },
  ];
  s.write(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  await s.adapter.settle();
  assert.deepEqual(
    s.receiver.records.map(({ n }) => n),
    [1, 3],
  );
  assert.equal(s.adapter.metric('adapter_filtered_records_total'), 2);
});

test('sampling keeps its share of the keys, and all records of a key or none', async () => {
  await using s = await delivering((url) => ({
    format: 'json',
    output: [url],
    sampleRate: 0.25,
    sampleKey: 'trace',
  }));
  for (let i = 0; i < 4000; i++) s.write(`{"trace":"t${i % 1000}"}\n`);
  await s.adapter.settle();
  const counts = new Map<unknown, number>();
  for (const { trace } of s.receiver.records) counts.set(trace, (counts.get(trace) ?? 0) + 1);
  assert.ok([...counts.values()].every((count) => count === 4));
  assert.ok(counts.size > 200 && counts.size < 300, `${counts.size} of 1000 keys`);
});
