import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timedLine } from './log-line.ts';

const TIME = '2026-11-26T22:56:24.385829400Z';
const LATER = '2026-11-26T22:56:24.385829500Z';
const NOW = Date.parse('2026-11-26T23:00:00Z');

test('a line is its time and its text', () => {
  assert.deepEqual(timedLine(`${TIME} To be`, NOW), { time: TIME, text: 'To be' });
  assert.deepEqual(timedLine(`${TIME} `, NOW), { time: TIME, text: '' });
});

test('the times of further parts of a line are taken out', () => {
  assert.equal(timedLine(`${TIME} Produced: d${LATER} 3`, NOW).text, 'Produced: d3');
  assert.equal(timedLine(`${TIME} a${TIME} b${LATER} c`, NOW).text, 'abc');
  assert.equal(timedLine(`${TIME} d${LATER} 1${LATER} 2`, NOW).text, 'd12');
});

test('times that the program wrote stay: they are before that of the line, of the future, or shorter', () => {
  for (const text of [
    '2026-11-26T22:56:24.385829399Z started',
    'until 2027-01-01T00:00:00.000000000Z it is valid',
    'at 2026-11-26T22:56:25.386Z it ended',
    `at ${LATER}`,
  ]) {
    assert.equal(timedLine(`${TIME} ${text}`, NOW).text, text);
  }
});
