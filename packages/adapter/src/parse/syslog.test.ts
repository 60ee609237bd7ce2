import assert from 'node:assert/strict';
import { test } from 'node:test';
import { syslogParser } from './syslog.ts';
import { timeZone } from './time-zone.ts';

const parse = syslogParser();

test('a local message without a host name keeps its tag, and its host name if it has one', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: new Date('2026-11-26T12:00:00Z') });
  const time = '2026-11-26T10:00:00Z';
  const level = { facility: 'user', severity: 'notice' };
  assert.deepEqual(parse('<13>Nov 26 10:00:00 app[7]: started: yes'), {
    ...{ ...level, time, app_name: 'app', proc_id: '7', message: 'started: yes' },
  });
  assert.deepEqual(parse('<13>Nov 26 10:00:00 app: hi'), {
    ...{ ...level, time, app_name: 'app', message: 'hi' },
  });
  assert.deepEqual(parse('<13>Nov 26 10:00:00 host app: hi'), {
    ...{ ...level, time, hostname: 'host', app_name: 'app', message: 'hi' },
  });
  assert.deepEqual(parse('<13>Nov 26 10:00:00 fe80::1 app: hi'), {
    ...{ ...level, time, hostname: 'fe80::1', app_name: 'app', message: 'hi' },
  });
});

test('a message with a priority and no header is a message; without a priority it is none', () => {
  const level = { facility: 'kern', severity: 'emerg' };
  assert.deepEqual(parse('<0>just text'), { ...level, message: 'just text' });
  assert.deepEqual(parse('<0>'), { ...level, message: '' });
  assert.equal(typeof parse('just text'), 'string');
  assert.equal(typeof parse('<192>text'), 'string');
  assert.equal(typeof parse('<0>1 what follows is no header'), 'string');
});

test('a time of RFC 5424 without its zone is one of the zone that is set', () => {
  const inBerlin = syslogParser(timeZone('Europe/Berlin'));
  for (const [stamp, time] of [
    ['2026-11-26T10:00:00', '2026-11-26T09:00:00Z'],
    ['2026-11-26T10:00:00.25', '2026-11-26T09:00:00.25Z'],
    ['2026-11-26T10:00:00Z', '2026-11-26T10:00:00Z'],
  ]) {
    const record = inBerlin(`<14>1 ${stamp} h a - - - hi`);
    assert.equal(typeof record === 'object' && record.time, time);
  }
});
