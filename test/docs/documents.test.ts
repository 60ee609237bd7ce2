import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { command } from '../engine/command.ts';
import { type Need, type ShellBlock, shellBlocks } from './blocks.ts';
import { type Outcome, runOnHost } from './host.ts';
import { matchesOutput } from './output.ts';
import { runInSandbox } from './sandbox.ts';
import { clusterSurroundings, podSurroundings } from './surroundings.ts';
import { inTurn } from './turns.ts';

/**
 * Executes every shell block of the documentation. `POD_ENGINE=kube` executes those that need a
 * cluster, in a namespace of their own; `SIDEKIT_DOCS=long` also those that take minutes.
 */

const { POD_ENGINE: engine = 'podman', SIDEKIT_DOCS: extent } = process.env;
const TIMEOUT = extent === 'long' ? 900_000 : 300_000;

/** Documents whose commands run containers, or the project's own scripts. */
const ON_HOST = ['README.md', 'packages/pod/README.md', 'docs/*.md', 'docs/patterns/*.md'];
/** READMEs of packages whose commands run as processes. */
const IN_SANDBOX = ['packages/!(pod)/README.md'];

describe('every shell block works as it stands', { concurrency: 4 }, () => {
  for (const path of globSync(ON_HOST).toSorted()) {
    for (const group of groups(path)) {
      test(`${path}:${group[0]?.line}`, { timeout: TIMEOUT }, (context) =>
        onHost(context, path, group),
      );
    }
  }
  for (const path of globSync(IN_SANDBOX).toSorted()) {
    for (const block of shellBlocks(readFileSync(path, 'utf8'))) {
      test(`${path}:${block.line}`, { timeout: TIMEOUT }, async (context) => {
        if (await skipped(context, block.need)) return;
        const name = path.replaceAll('/', '-');
        check(path, block, await runInSandbox(name, block.script));
      });
    }
  }
});

test('every block is fenced as a language, so that none hides among the unnamed', () => {
  for (const path of globSync([...ON_HOST, ...IN_SANDBOX])) {
    // Fences come in pairs: each first one names its language.
    const fences = [...readFileSync(path, 'utf8').matchAll(/^ *```(.*)$/gm)];
    for (let i = 0; i < fences.length; i += 2) {
      assert.notEqual(fences[i]?.[1], '', `${path}: a block without a language`);
    }
  }
});

/** The blocks of one page, which go on from each other, by what they need. */
function groups(path: string): ShellBlock[][] {
  const blocks = shellBlocks(readFileSync(path, 'utf8'));
  const needs = [...new Set(blocks.map(({ need }) => need))];
  return needs.map((need) => blocks.filter((block) => block.need === need));
}

async function onHost(context: TestContext, path: string, blocks: readonly ShellBlock[]) {
  const need = blocks[0]?.need;
  if (await skipped(context, need)) return;
  const scripts = blocks.map(({ script }) => script).join('');
  // Two Pods of one name cannot run at once on one engine.
  const manifests = [...scripts.matchAll(/manifests\/\S+\.yaml/g)].map(([name]) => name);
  await inTurn(manifests, async () => {
    await using surroundings =
      need === 'cluster' ? await clusterSurroundings() : podSurroundings(engine);
    for (const block of blocks) {
      check(path, block, await runOnHost(block.script, surroundings.env, TIMEOUT));
    }
  });
}

function check(path: string, { line, script, output: shown }: ShellBlock, outcome: Outcome) {
  const { code, output } = outcome;
  assert.equal(code, 0, `${path}:${line} ended with ${code}:\n${script}\n${output}`);
  if (shown !== undefined && !matchesOutput(output, shown)) {
    assert.equal(output, shown, `${path}:${line} printed something else`);
  }
}

/** Skips a block that cannot run here, with the reason in the report. */
async function skipped(context: TestContext, need: Need | undefined): Promise<boolean> {
  const reason = await whyNot(need);
  if (reason !== undefined) context.skip(reason);
  return reason !== undefined;
}

async function whyNot(need: Need | undefined): Promise<string | undefined> {
  if (engine === 'kube') return need === 'cluster' ? undefined : 'it needs no cluster';
  if (need === 'cluster') return 'it needs a cluster: POD_ENGINE=kube npm run test:docs';
  if (need === 'minutes' && extent !== 'long') return 'it takes minutes: SIDEKIT_DOCS=long';
  if (need === 'compose') {
    const there = await command('docker', ['compose', 'version']).catch(() => ({ code: 1 }));
    if (engine !== 'docker' || there.code !== 0)
      return 'it needs docker compose and POD_ENGINE=docker';
  }
  return undefined;
}
