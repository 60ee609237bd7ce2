import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { CORPUS, recordedVerdicts, VERDICTS, type Verdict } from './testing/corpus.ts';

/**
 * Asks the API server of the current kubectl context for its verdict on the corpus; every request is
 * a dry run. `SIDEKIT_UPDATE=1` records what it says.
 */

const { POD_ENGINE: engine, SIDEKIT_UPDATE: update } = process.env;
const skip = engine === 'kube' ? false : 'it needs a cluster: POD_ENGINE=kube';

/** The API behind `kubectl proxy`: one process, as a `kubectl create` for each takes minutes. */
let proxy: ChildProcess;
let api = '';

async function startProxy(): Promise<void> {
  proxy = spawn('kubectl', ['proxy', '--port=0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  assert.ok(proxy.stdout);
  const [line] = await once(createInterface({ input: proxy.stdout }), 'line');
  api = `http://${/127\.0\.0\.1:\d+/.exec(line)?.[0]}`;
}

async function get<A>(path: string): Promise<A | undefined> {
  const response = await fetch(`${api}${path}`);
  return response.ok ? ((await response.json()) as A) : undefined;
}

interface Resource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** Returns where objects of the kind are created; nothing if the server has no such kind. */
async function collection(apiVersion: string, kind: string): Promise<string | undefined> {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const list = await get<{ resources: Resource[] }>(group);
  const found = list?.resources.find((one) => one.kind === kind && !one.name.includes('/'));
  if (found === undefined) return undefined;
  return `${group}${found.namespaced ? '/namespaces/default' : ''}/${found.name}`;
}

/** Creates the object by a dry run, with the field validation that kubectl asks for. */
async function verdict(manifest: string): Promise<Verdict> {
  const { apiVersion, kind } = parse(manifest, { version: '1.1', merge: true, uniqueKeys: false });
  const path = await collection(apiVersion, kind);
  if (path === undefined)
    return { accepted: false, reason: `no matches for kind ${kind} in version ${apiVersion}` };
  const response = await fetch(`${api}${path}?dryRun=All&fieldValidation=Strict`, {
    method: 'POST',
    headers: { 'content-type': 'application/yaml', accept: 'application/json' },
    body: manifest,
  });
  const { code, message } = (await response.json()) as { code?: number; message?: string };
  if (response.ok) return { accepted: true };
  assert.ok([400, 403, 422].includes(code ?? 0), `${code}: ${message}`);
  return { accepted: false, reason: String(message).slice(0, 300) };
}

describe('the recorded verdicts are those of the API server', { skip }, () => {
  const { verdicts } = recordedVerdicts();
  const found: Record<string, Verdict> = {};
  before(startProxy);
  for (const [title, manifest] of CORPUS) {
    test(title, async () => {
      const said = await verdict(manifest);
      found[title] = said;
      if (!update) assert.equal(said.accepted, verdicts[title]?.accepted, said.reason ?? '');
    });
  }
  after(async () => {
    if (skip) return;
    if (update) {
      const server = (await get<{ gitVersion: string }>('/version'))?.gitVersion;
      const text = { server, verdicts: found };
      writeFileSync(VERDICTS, `${JSON.stringify(text, null, 2)}\n`);
    }
    proxy.kill();
    await once(proxy, 'exit');
  });
});
