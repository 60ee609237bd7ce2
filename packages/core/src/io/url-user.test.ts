import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitUser } from './url-user.ts';

test('user and password of a URL become a header, whatever percent signs they have', () => {
  for (const [user, pair] of [
    ['user:pass', 'user:pass'],
    ['user:100%', 'user:100%'],
    ['user:%zz%41', 'user:%zzA'],
    ['user:100%25', 'user:100%'],
    ['a%20b:c%3Ad', 'a b:c:d'],
    ['user:p%C3%A9', 'user:pé'],
    ['user:é', 'user:é'],
    [':token', ':token'],
    ['token', 'token:'],
    ['a:b:c', 'a:b:c'],
  ] as const) {
    const { url, authorization } = splitUser(`https://${user}@host:8443/path?query`);
    assert.equal(url.href, 'https://host:8443/path?query');
    assert.equal(authorization, `Basic ${Buffer.from(pair).toString('base64')}`, user);
  }
  const bytes = splitUser('http://%E9@host/').authorization;
  assert.equal(bytes, `Basic ${Buffer.from([0xe9, 0x3a]).toString('base64')}`);
  assert.equal(splitUser('http://host/').authorization, undefined);
});
