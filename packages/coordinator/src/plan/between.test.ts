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

test('names that are given twice, fields that would not count, and files in each other’s place are refused', async () => {
  const faults = await faultsOf(`
stateDir: /state
participants: [app, app]
leadership: { lease: web, tokenFile: /state/journal.json }
sequences:
  - name: one
    when: [{ condition: { target: 'file:/x', minMessages: 5 } }]
    steps:
      - wait: { target: 'tcp:127.0.0.1:80', status: [200], body: x, caFile: /ca }
      - wait: { target: 'http://127.0.0.1/', status: [200], body: x, caFile: /ca }
      - { write: { path: /x, content: [s3cret] } }
      - { http: { url: 'http://127.0.0.1/', body: { key: s3cret }, headers: { key: [s3cret] } } }
`);
  const steps = 'sequences[0].steps';
  for (const start of [
    'participants ["app","app"] must not have a name twice',
    'leadership.tokenFile "/state/journal.json" is below stateDir',
    'sequences[0].when[0].condition.minMessages needs a target with mq:',
    `${steps}[0].wait.status needs a target with http: or https:`,
    `${steps}[0].wait.body needs a target with http: or https:`,
    `${steps}[0].wait.caFile needs a target with https:`,
    `${steps}[1].wait.caFile needs a target with https:`,
    `${steps}[2].write.content must be text`,
    `${steps}[3].http.body must be text`,
    `${steps}[3].http.headers.key must be text`,
  ]) {
    assert.ok(
      faults.some((fault) => fault.startsWith(start)),
      `${start} in\n${faults.join('\n')}`,
    );
  }
  assert.doesNotMatch(faults.join('\n'), /s3cret/);
});

test('too many sequences are one fault', async () => {
  const one = '  - { name: x, when: [{ event: go }], steps: [{ pause: 1s }] }\n';
  const faults = await faultsOf(`stateDir: /state\nsequences:\n${one.repeat(101)}`);
  assert.deepEqual(faults, ['sequences 101 must be a list of 0 to 100 items: write - lines']);
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
