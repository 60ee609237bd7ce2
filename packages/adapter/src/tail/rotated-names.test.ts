import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Owners } from './owners.ts';
import { hasDate } from './rotated-names.ts';

const owners = new Owners(['old']);
owners.add('/logs/app.log');
owners.add('/logs/app-2.log');
owners.add('/logs/app-20261126.log');
owners.add('/logs/plain');

for (const [name, owner] of [
  ['app.log.1', '/logs/app.log'],
  ['app.log.old', '/logs/app.log'],
  ['app.log-20261127', '/logs/app.log'],
  ['app.log20261127', '/logs/app.log'],
  ['app.log1796000000', '/logs/app.log'],
  ['app.log-27.11.2026-05', '/logs/app.log'],
  ['app.log.1.gz', '/logs/app.log'],
  ['app.log20261127.gz', '/logs/app.log'],
  ['app.1.log', '/logs/app.log'],
  ['app-20261127.log', '/logs/app.log'],
  ['app20261127.log', '/logs/app.log'],
  ['app1796000000.log', '/logs/app.log'],
  ['app_27.11.2026-05.log', '/logs/app.log'],
  ['app-11-27-2026.log', '/logs/app.log'],
  ['app-261127-1796000000.log', '/logs/app.log'],
  ['app-2026-11-27T05:06:07Z.log', '/logs/app.log'],
  ['app-W48.log', '/logs/app.log'],
  ['app-2026-W48.log.gz', '/logs/app.log'],
  ['app-2.1.log', '/logs/app-2.log'],
  ['app-20261126-05.log', '/logs/app.log'],
  ['app-20261126.log.1', '/logs/app-20261126.log'],
  ['plain20261127', '/logs/plain'],
  ['app-2.log', '/logs/app-2.log'],
  ['app.log2', undefined],
  ['app2.log', undefined],
  ['app-web.log', undefined],
  ['app-v2.log', undefined],
  ['application.log', undefined],
  ['app.log.1.tmp', undefined],
  ['other-20261127.log', undefined],
] as const) {
  test(`${name} ${owner === undefined ? 'is of no log' : `belongs to ${owner}`}`, () => {
    assert.equal(owners.ownerOf(name, '/logs')?.log, owner);
  });
}

test('a date is found in every order of its parts, and not in the name of a directory', () => {
  for (const one of [
    'app-20261127.log',
    'app-2026-11-27.log',
    'app-2026.11.27.log',
    'app_27.11.2026.log',
    'app-11-27-2026.log',
    'app-261127.log',
    'app-2026112705.log',
    'app-1796000000.log',
    'app20261127T050607.log',
  ]) {
    assert.ok(hasDate(`/logs/${one}`), one);
  }
  for (const one of ['2026-11-27/app-7.log', 'worker-4711.log', 'worker-987654.log', 'a-1.2.3.log'])
    assert.ok(!hasDate(`/logs/${one}`), one);
});
