import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertyParameters } from '@sidekit/test-kit';
import fc from 'fast-check';
import { one } from '../testing/mostly-usual.ts';
import { accessParser } from './access.ts';
import { FastAccess } from './access-fast.ts';

function fast(format: 'common' | 'combined', line: string): string | undefined {
  const input = Buffer.from(line);
  const parser = new FastAccess(format);
  const out = Buffer.alloc(input.length + parser.overhead);
  const end = parser.write(input, 0, input.length, out, 0);
  assert.ok(end <= out.length, 'it stays within its room');
  return end === -1 ? undefined : `${out.toString('utf8', 0, end)}}`;
}

const line = fc
  .tuple(
    one('10.0.0.1', '::1', '-', 'example.com', 'a"b'),
    one('-', 'ident', ''),
    one('-', 'frank', 'frank smith', 'f[r', 'ü'),
    one(
      '21/Nov/2026:05:05:00 +0000',
      '01/Jan/2027:00:00:00 -0730',
      '99/Nov/2026:05:05:00 +0000',
      '21/Nov/2026:05:05:60 +0000',
    ),
    one('GET', 'POST', 'PATCH', 'GETS', 'G', 'PROPFIND', ''),
    one('/', '/a?b=c', '/ü', '/a\\x22b', '/a\\"b', '/a b', '*', '/\u00a0x'),
    one('HTTP/1.1', 'HTTP/2.0', 'HTTP/2', 'HTTP/1', 'RTSP/1.0', ''),
    one('200', '404', '000', '20', '2000', '-'),
    one('0', '-', '12345', '007', '9999999999999999', '1e3'),
    one('-', 'http://x/', '', 'a\\"b', '\u2028', '--'),
    one('-', 'curl/8', 'Mözilla "', '', 'tab\there'),
    one('', ' ', ' 0.005', ' 1', ' "x"', 'x'),
  )
  .map(
    ([host, ident, user, time, method, path, protocol, status, bytes, referer, agent, rest]) =>
      `${host} ${ident} ${user} [${time}] "${method} ${path} ${protocol}" ${status} ${bytes} "${referer}" "${agent}"${rest}`,
  );

test('what the fast parser takes, the other parser reads to the same bytes', () => {
  let taken = 0;
  fc.assert(
    fc.property(line, fc.constantFrom('common' as const, 'combined' as const), (text, format) => {
      const whole = text.toWellFormed().replaceAll('\n', ' ');
      const given = format === 'common' ? whole.replace(/ "[^"]*" "[^"]*".*$/s, '') : whole;
      const quick = fast(format, given);
      if (quick === undefined) return;
      taken++;
      assert.equal(quick, JSON.stringify(accessParser(format)(given)));
    }),
    propertyParameters(5000),
  );
  assert.ok(taken > 500, `${taken} lines were plain`);
});

test('the usual line is a plain one', () => {
  const usual =
    '10.1.2.3 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326 "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"';
  assert.deepEqual(JSON.parse(fast('combined', usual) ?? ''), {
    time: '2000-10-10T20:55:36Z',
    remote_addr: '10.1.2.3',
    remote_user: 'frank',
    method: 'GET',
    path: '/apache_pb.gif',
    protocol: 'HTTP/1.0',
    status: 200,
    bytes: 2326,
    referer: 'http://www.example.com/start.html',
    user_agent: 'Mozilla/4.08 [en] (Win98; I ;Nav)',
  });
});
