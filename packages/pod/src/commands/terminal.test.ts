import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@sidekit/test-kit';
import { podOf } from '../lifecycle/testing/simulation.ts';
import { runProgram } from '../program.ts';
import type { PodRecord } from '../store/record.ts';
import { PodStore } from '../store/store.ts';

/** Sets the title of a window, and a line that looks like one of pod's own. */
const HOSTILE = 'no\u001b]0;title\u0007 \u009b2J\u202e\nweb   1/1   Running';
const SHOWN = String.raw`no\u001b]0;title\u0007 \u009b2J\u202e web   1/1   Running`;

test('what a container or a manifest says cannot steer the terminal, or pretend to be another line', async () => {
  using directory = temporaryDirectory('terminal');
  const folders = { root: directory.path, data: join(directory.path, 'volumes') };
  const folder = PodStore.open(folders).pod('web');
  mkdirSync(folder.path);
  folder.record = { pod: podOf('containers: [{name: a, image: x}]') } as PodRecord;
  folder.note({ time: '2026-01-01T00:00:00.000Z', reason: 'Unhealthy', message: HOSTILE });
  let printed = '';
  const around = {
    folders,
    live: true,
    colours: false,
    engine: undefined,
    program: '',
    environment: {},
    print: (text: string) => {
      printed += text;
    },
    onSignal: () => {},
  };
  await runProgram(['events', 'web'], around);
  assert.ok(printed.endsWith(`${SHOWN}\n`), printed);
  printed = '';
  await runProgram(['events', 'web', '-o', 'json'], around);
  assert.equal(JSON.parse(printed)[0].message, HOSTILE);
  assert.doesNotMatch(printed, /[^\P{Cc}\n]/u);
  printed = '';
  const manifest = join(directory.path, 'm.yaml');
  const name = JSON.stringify(HOSTILE.slice(0, 8));
  writeFileSync(
    manifest,
    `apiVersion: example.test/v1\nkind: Thing\nmetadata: {name: ${name}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, image: x}]}\n`,
  );
  await runProgram(['check', manifest], around);
  assert.match(printed, /note: .*Thing no\\u001b\]0;ti: /);
});
