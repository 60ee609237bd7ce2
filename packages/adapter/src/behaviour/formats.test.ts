import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { valuesOf } from '@sidekit/core/testing';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { adapterTable } from '../options/table.ts';
import { dockerEnvelope, parseDocker } from '../parse/docker.ts';
import { scene } from '../testing/scene.ts';

const AT = '2026-11-26T10:00:00.5Z';

/** A line as Docker's json-file driver writes it. */
function docker(log: string, stream = 'stdout'): string {
  return `${JSON.stringify({ log, stream, time: AT })}\n`;
}

/** The records of a scene, without their key. */
function plain(records: readonly Record<string, unknown>[]) {
  return records.map(({ 'file.id': _id, offset: _offset, ...record }) => record);
}

test('one adapter reads files of several formats, by their globs', async () => {
  await using s = await scene((directory) => ({
    include: [join(directory, 'logs/*.log')],
    format: 'json',
    timezone: 'Europe/Berlin',
    formats: [
      { files: ['access*.log'], format: 'combined' },
      {
        files: [join(directory, 'logs/db.log')],
        format: 'regex',
        pattern: '^(?P<time>.{25}) (?P<message>.*)',
      },
      { files: ['utc.log'], format: 'json', timezone: 'UTC' },
    ],
  }));
  const append = (name: string, line: string) => appendFileSync(join(s.logs, name), `${line}\n`);
  append(
    'access-1.log',
    '10.0.0.1 - - [26/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "curl"',
  );
  append('db.log', '2026-11-26 10:00:00.12+00  started');
  append('app.log', '{"time":"2026-11-26 11:00:00","message":"local"}');
  append('utc.log', '{"time":"2026-11-26 10:00:00","message":"utc"}');
  await s.settle();
  const records = plain(s.receiver.records);
  const byMessage = (message: string) => records.find((one) => one.message === message);
  assert.equal(byMessage('local')?.time, '2026-11-26T10:00:00Z');
  assert.equal(byMessage('utc')?.time, '2026-11-26T10:00:00Z');
  assert.equal(byMessage('started')?.time, undefined);
  assert.deepEqual(
    records.find(({ path }) => path === '/'),
    {
      ...{ time: '2026-11-26T10:00:00Z', remote_addr: '10.0.0.1', method: 'GET', path: '/' },
      ...{ protocol: 'HTTP/1.1', status: 200, bytes: 5, user_agent: 'curl' },
    },
  );
  assert.equal(s.adapter.metric('log_http_requests_total'), 1);
  assert.equal(s.adapter.metric('adapter_parse_errors_total'), 0);
});

test("the parts of Docker's long messages are joined by stream, and events across them too", async () => {
  await using s = await scene({ format: 'docker', multilineStart: '^\\S' });
  s.write(docker('one ') + docker('error\n', 'stderr') + docker('two\n') + docker('  more\n'));
  s.write(docker('next\n') + docker('oops\n', 'stderr') + docker('unfinished'));
  await s.settle();
  assert.deepEqual(s.messages(), ['one two\n  more', 'error']);
  await s.restart('crash');
  s.write(docker(' part\n'));
  await s.settle();
  s.clock.now += 5000;
  await s.settle();
  const all = ['error', 'next', 'one two\n  more', 'oops', 'unfinished part'];
  assert.deepEqual(s.messages().toSorted(), all);
  const [first] = plain(s.receiver.records);
  assert.deepEqual(first, { time: AT, stream: 'stdout', message: 'one two\n  more' });
});

test('a line of the Docker format that is none is passed on raw, and joins nothing', async () => {
  await using s = await scene({ format: 'docker' });
  s.write(`${docker('a\n')}{"log":"x","stream":"other","time":"${AT}"}\nplain\n{"log":1}\n`);
  s.write(`{"log":"b\\n","stream":"stdout","time":"yesterday"}\n${docker('c\r\n')}`);
  await s.settle();
  assert.deepEqual(
    s.messages().filter((one) => one !== undefined),
    ['a', 'c'],
  );
  assert.equal(s.adapter.metric('adapter_parse_errors_total'), 4);
});

test('any message of any stream is the same after Docker has split it and it was joined', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      const line = JSON.stringify({ log: a, stream: 'stderr', time: AT, attrs: { tag: 'x' } });
      const record = parseDocker(dockerEnvelope.seal(line, a + b));
      const message = (a + b).replace(/\r$/, '');
      assert.deepEqual(record, { time: AT, stream: 'stderr', message, attrs: { tag: 'x' } });
    }),
    propertyParameters(100),
  );
});

test('JSON in the message of a container becomes fields, and other text stays a message', async () => {
  await using s = await scene({ format: 'cri', nestedFormat: 'json' });
  const line = (message: string) => `${AT} stdout F ${message}\n`;
  s.write(line('{"time":"2026-11-26T09:00:00Z","level":"info","msg":"hi","__proto__":{"a":1}}'));
  s.write(line('not JSON') + line('[1]') + line('{"level":"warn"}'));
  s.write(line('{"time":"soon","msg":"no time"}'));
  s.write(`${AT} stdout P {"msg":"in \n${AT} stdout F parts"}\n`);
  await s.settle();
  const records = plain(s.receiver.records);
  assert.equal(
    JSON.stringify(records[0]),
    '{"time":"2026-11-26T09:00:00Z","stream":"stdout","level":"info","msg":"hi","__proto__":{"a":1}}',
  );
  assert.deepEqual(records.slice(1), [
    { time: AT, stream: 'stdout', message: 'not JSON' },
    { time: AT, stream: 'stdout', message: '[1]' },
    { time: AT, stream: 'stdout', level: 'warn' },
    { time: AT, stream: 'stdout', 'original.time': 'soon', msg: 'no time' },
    { time: AT, stream: 'stdout', msg: 'in parts' },
  ]);
  assert.equal(s.adapter.metric('adapter_unparsed_fields_total'), 2);
});

test('requests in the log of a container are counted like those of an access log', async () => {
  await using s = await scene({ format: 'docker', nestedFormat: 'common' });
  s.write(docker('10.0.0.1 - - [26/Nov/2026:10:00:00 +0000] "GET /x HTTP/1.1" 503 5\n'));
  await s.settle();
  assert.equal(s.receiver.records[0]?.status, 503);
  assert.match(s.adapter.registry.render(), /log_http_requests_total{method="GET",status="5xx"} 1/);
});

test('formats that cannot work are refused with all their faults', () => {
  const refused = (data: Record<string, unknown>, rule: RegExp) =>
    assert.throws(() => valuesOf(adapterTable, { include: ['/x'], ...data }), rule);
  refused({ formats: [{ format: 'json' }] }, /files is missing/);
  refused({ formats: [{ files: ['a'], format: 'regex' }] }, /formats\[0\]\.pattern.*missing/);
  refused({ nestedFormat: 'regex' }, /--pattern.*missing/);
  refused(
    { format: 'regex', nestedFormat: 'regex', pattern: '(?P<a>x)' },
    /nestedFormat.*one pattern/,
  );
  refused({ nestedFormat: 'docker' }, /nestedFormat/);
});
