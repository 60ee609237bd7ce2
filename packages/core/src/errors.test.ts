import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ExitCode,
  ExpectedError,
  errorText,
  faultText,
  shownFaults,
  UnavailableError,
  UsageError,
  withoutPasswords,
  withoutQueries,
} from './errors.ts';

test('a fault is one line with name, value, rule and remedy', () => {
  const fault = { name: '--queue', value: 'nope', rule: 'must start with a slash' };
  assert.equal(faultText(fault), '--queue "nope" must start with a slash');
  assert.equal(faultText({ ...fault, remedy: 'write /nope' }), `${faultText(fault)}: write /nope`);
  assert.equal(faultText({ name: 'x', rule: 'is missing' }), 'x is missing');
  assert.equal(faultText({ name: 'x', value: 'y'.repeat(500), rule: 'r' }).length, 124);
});

test('a hundred faults are shown, and all are counted', () => {
  const faults = Array.from({ length: 120 }, (_, i) => ({ name: `k${i}`, rule: 'is unknown' }));
  const { message } = new UsageError(faults);
  assert.equal(message.split('\n').length, 101);
  assert.match(message, /^k0 is unknown\n[\s\S]*\nk99 is unknown\nand 20 more$/);
  assert.deepEqual(shownFaults(['a', 'b']), ['a', 'b']);
});

test('each kind of error has its exit code', () => {
  assert.equal(new ExpectedError('x').exitCode, ExitCode.internal);
  assert.equal(new UnavailableError('x').exitCode, 69);
  assert.equal(new UsageError([]).exitCode, 64);
  assert.equal(new UnavailableError('x').name, 'UnavailableError');
});

test('an error is written on one line with its causes', () => {
  const cause = Object.assign(new Error(''), { code: 'ECONNREFUSED' });
  assert.equal(errorText(new Error('a', { cause })), 'a: ECONNREFUSED');
  assert.equal(errorText(new AggregateError([new Error('x'), new Error('y')])), 'x; y');
  assert.equal(errorText('text'), 'text');
});

test('what stands before the @ of a URL is hidden', () => {
  assert.equal(withoutPasswords('http://a:b@h/x?y=c@d'), 'http://redacted@h/x?y=c@d');
  assert.equal(withoutPasswords('https://token@h'), 'https://redacted@h');
  assert.equal(withoutPasswords('http://h/a@b'), 'http://h/a@b');
  assert.equal(withoutPasswords('http://a@h,http://b:c@i'), 'http://redacted@h,http://redacted@i');
});

test('queries of URLs are hidden, in lists too', () => {
  assert.equal(withoutQueries('http://h/x?sig=a,b&c=d'), 'http://h/x?redacted');
  assert.equal(
    withoutQueries('a=http://h/x?t=1,b=https://i/?u=2,3,http://j'),
    'a=http://h/x?redacted,b=https://i/?redacted,http://j',
  );
  assert.equal(withoutQueries('"http://h/?a#f"'), '"http://h/?redacted#f"');
  assert.equal(withoutQueries('http://h/x and ?'), 'http://h/x and ?');
});
