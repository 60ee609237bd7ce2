import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogRecord } from './parser.ts';
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

for (const [stamp, time] of [
  ['Nov 21 2026 10:00:00', '2026-11-21T10:00:00Z'],
  ['Nov 21 10:00:00 2024', '2024-11-21T10:00:00Z'],
  ['Nov  1 2024 10:00:00.123', '2024-11-01T10:00:00.123Z'],
  ['Nov 1 2024 10:00:00', '2024-11-01T10:00:00Z'],
  ['2026-11-21 10:00:00', '2026-11-21T10:00:00Z'],
  ['2026-11-21T10:00:00.5+02:00', '2026-11-21T08:00:00.5Z'],
] as const) {
  test(`the year of ${stamp} is no host name`, () => {
    const rest = { time, hostname: 'host', app_name: 'app', proc_id: '7', message: 'm' };
    assert.deepEqual(parse(`${stamp} host app[7]: m`), rest);
    assert.equal((parse(`<13>${stamp} app: m`) as LogRecord).time, time);
  });
}

test('a number that is no year stays a host name or a tag', () => {
  const hostOf = (line: string) => (parse(line) as LogRecord).hostname;
  assert.equal(hostOf('Nov 21 10:00:00 3026 app: m'), '3026');
  assert.equal(hostOf('Nov 21 10:00:00 20260 app: m'), '20260');
  assert.equal((parse('Nov 21 10:00:00 2026: m') as LogRecord).app_name, '2026');
});

for (const [stamp, time] of [
  ['Nov 21 2026 10:00:00 UTC', '2026-11-21T10:00:00Z'],
  ['Nov 21 10:00:00 GMT 2024', '2024-11-21T10:00:00Z'],
  ['Nov 21 2026 10:00:00.5 CEST', '2026-11-21T08:00:00.5Z'],
  ['Nov 21 2026 10:00:00 -0330', '2026-11-21T13:30:00Z'],
  ['Nov 21 2026 10:00:00+02:00', '2026-11-21T08:00:00Z'],
  ['Nov 21 2026 10:00:00Z', '2026-11-21T10:00:00Z'],
  ['2026-11-21 10:00:00 EST', '2026-11-21T15:00:00Z'],
  ['2026-11-21 10:00:00 +02', '2026-11-21T08:00:00Z'],
] as const) {
  test(`the zone of ${stamp} is no host name`, () => {
    const rest = { time, app_name: 'app', message: 'm' };
    const inTokyo = syslogParser(timeZone('Asia/Tokyo'));
    assert.deepEqual(inTokyo(`${stamp} host app: m`), { ...rest, hostname: 'host' });
    assert.deepEqual((inTokyo(`<13>${stamp} app: m`) as LogRecord).time, time);
  });
}

test('a zone with a colon, as network devices write it, is no tag', () => {
  assert.deepEqual(parse('<189>Nov 21 2026 10:00:00.123 CET: %SYS-5-CONFIG_I: done'), {
    ...{ facility: 'local7', severity: 'notice', time: '2026-11-21T09:00:00.123Z' },
    ...{ app_name: '%SYS-5-CONFIG_I', message: 'done' },
  });
});

test('a name that is no zone, or one of several, stays a host name', () => {
  for (const host of ['IST', 'UTC1', 'WEB', 'utc', '+2']) {
    assert.equal((parse(`Nov 21 10:00:00 ${host} app: m`) as LogRecord).hostname, host);
  }
});
