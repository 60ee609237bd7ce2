import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveOptions, UsageError } from '@sidekit/core';
import { temporaryDirectory } from '@sidekit/test-kit';
import { table } from '../options.ts';

async function faultsOf(plan: string): Promise<readonly string[]> {
  using directory = temporaryDirectory();
  const config = join(directory.path, 'plan.yaml');
  writeFileSync(config, plan);
  const inputs = { argv: ['--config', config], environment: {} };
  const error = await resolveOptions(table, inputs).catch((refused: unknown) => refused);
  if (!(error instanceof UsageError)) return [];
  return error.message.replaceAll(`${config}: `, '').split('\n');
}

/** Half of the faults are in a field alone, the others between parts of the plan. */
const FAULTY = `
stateDir: /state
stopGather: soon
participants: [app]
sequences:
  - name: One
    when: [{ leadership: lost }, { changed: /state/journal.json }, { event: 5 }]
    leaderOnly: perhaps
    steps:
      - { letStop: worker, timeout: '5' }
      - { write: { path: /state/x, content: y, mod: '0644' } }
    always:
      - { letStop: api }
`;

test('a plan names all of its faults at once, also those between its parts', async () => {
  const faults = await faultsOf(FAULTY);
  const wanted = [
    'stopGather "soon" must be a duration',
    'sequences[0].name "One" must be a name',
    'sequences[0].when[2].event 5 must be text',
    'sequences[0].leaderOnly "perhaps" must be true or false',
    'sequences[0].steps[0].timeout "5" must be a duration',
    'sequences[0].steps[1].write.mod ',
    'sequences[0] "One" needs the key leadership',
    'sequences[0].when[1].changed "/state/journal.json" is below stateDir',
    'sequences[0].steps[0].letStop "worker" is not one of participants',
    'sequences[0].steps[1].write.path "/state/x" is below stateDir',
    'sequences[0].always[0].letStop "api" is not one of participants',
  ];
  for (const start of wanted) {
    assert.ok(
      faults.some((fault) => fault.startsWith(start)),
      `${start} in\n${faults.join('\n')}`,
    );
  }
  assert.equal(faults.length, wanted.length, faults.join('\n'));
});

test('a part with a fault of its own causes no other fault', async () => {
  const plan = (participants: string, more: string) => `
stateDir: /state
participants: ${participants}
${more}
sequences:
  - name: a
    when: [{ leadership: gained }]
    steps: [{ letStop: worker }]
`;
  const start = (faults: readonly string[]) => faults.map((fault) => fault.split(' ')[0]);
  assert.deepEqual(start(await faultsOf(plan('[Worker]', 'leadership: { leese: x, lease: y }'))), [
    'participants',
    'leadership.leese',
  ]);
  assert.deepEqual(start(await faultsOf('stateDir: /state\nsequences: none\n')), ['sequences']);
  assert.deepEqual(start(await faultsOf('stateDir: /state\nsequences: [1, [], null]\n')), [
    'sequences[0]',
    'sequences[1]',
    'sequences[2]',
  ]);
  assert.deepEqual(start(await faultsOf('stateDir: /state\nsequences: []\n')), ['sequences']);
});
