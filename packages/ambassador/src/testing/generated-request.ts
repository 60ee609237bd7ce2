import fc from 'fast-check';
import { KNOWN_METHODS } from '../http/methods.ts';

const method = fc.constantFrom(...KNOWN_METHODS, 'get', 'TRACE', 'FOO');
const target = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.stringMatching(/^\/(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9A-F]{2}){0,24}$/),
  },
  { weight: 1, arbitrary: fc.constantFrom('*', 'http://a/x', '/a b', '/%', '/#x', '', '/\x80') },
);
const version = fc.oneof(
  { weight: 12, arbitrary: fc.constant('HTTP/1.1') },
  { weight: 1, arbitrary: fc.constantFrom('HTTP/1.0', 'HTTP/2.0', 'HTTP/1.1 ', '') },
);
const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/);
const value = fc.oneof(
  { weight: 8, arbitrary: fc.stringMatching(/^[ -~]{0,20}$/) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '\t',
      ' a ',
      '\xe9\xff',
      'a\x00b',
      'a\rb',
      'a\nb',
      'a\r\n b',
      '\x7f',
    ),
  },
);
const special = fc.constantFrom(
  'Connection: close',
  'Connection: keep-alive',
  'Connection: x-a, te',
  'Connection: host',
  'TE: trailers',
  'Upgrade: h2c',
  'Expect: 200',
  'Keep-Alive: 5',
  'Via: 1.0 x',
  'X-Forwarded-For: 1.1.1.1',
  'X-Request-Id: given',
  'Traceparent: bad',
  'Host: b',
  'Host : a',
  ' folded',
  'Transfer-Encoding: identity',
  'Content-Length: +1',
  'Content-Length: 1',
  'nocolon',
  ': x',
  '__proto__: x',
);
const field = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(token, fc.constantFrom(':', ': ', ':  ', ' :'), value)
      .map((parts) => parts.join('')),
  },
  { weight: 2, arbitrary: special },
);
const body = fc.oneof(
  { weight: 4, arbitrary: fc.constant(['', '']) },
  {
    weight: 3,
    arbitrary: fc
      .stringMatching(/^[ -~]{0,40}$/)
      .map((text) => [`Content-Length: ${text.length}\r\n`, text]),
  },
  {
    weight: 2,
    arbitrary: fc
      .stringMatching(/^[a-z]{1,15}$/)
      .map((text) => [
        'Transfer-Encoding: chunked\r\n',
        `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`,
      ]),
  },
  {
    weight: 1,
    arbitrary: fc.constant(['Content-Length: 3\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n']),
  },
);
/** Generates a raw request, valid or mangled; `X-Test: @` is the place for its name. */
export const rawRequest: fc.Arbitrary<string> = fc
  .tuple(
    method,
    target,
    version,
    fc.array(field, { maxLength: 5 }),
    body,
    fc.constantFrom('\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\n'),
  )
  .map(
    ([verb, path, protocol, fields, [framing, content], end]) =>
      [`${verb} ${path} ${protocol}`, 'Host: a', 'X-Test: @', ...fields].join(end) +
      `${end}${framing}${end}${content}`,
  );
