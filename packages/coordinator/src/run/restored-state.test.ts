import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY } from '../journal/journal.ts';
import { readSequences } from '../testing/read-plan.ts';
import { restoredState } from './restored-state.ts';

const { plan } = readSequences([
  {
    name: 'reload',
    when: [{ event: 'reload' }, { changed: '/config' }, { condition: { target: 'file:/up' } }],
    steps: [{ pause: '1ms' }],
  },
]);

test('what the plan no longer has is forgotten, and what it has is kept', () => {
  const ended = { result: 'succeeded', at: '2026-11-27T00:00:00Z' } as const;
  const kept = {
    ...EMPTY,
    started: true,
    pending: ['reload'],
    last: { reload: ended },
    observed: { leadership: 'gained', 'reload[1] /config': 'a', 'reload[2] file:/up': 'true' },
  };
  const state = {
    ...kept,
    pending: ['gone', 'reload', 'reload'],
    last: { gone: ended, ...kept.last },
    observed: {
      ...kept.observed,
      'reload[0] /config': 'b',
      'reload[1] /before': 'b',
      'gone[0] /config': 'b',
    },
  };
  assert.deepEqual(restoredState(state, plan), kept);
  assert.deepEqual(restoredState(state, []).observed, { leadership: 'gained' });
});
