import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '@sidekit/test-kit';
import { parseAllDocuments, stringify } from 'yaml';
import { type Session, testEngine } from '../engine/index.ts';

const NODE = '/nodejs/bin/node';
/** Whether all combinations are tried, by `npm run test:long`. */
export const LONG = process.env.SIDEKIT_LONG === '1';

const KILL = `
const { readFileSync, readdirSync } = require('node:fs');
for (const pid of readdirSync('/proc').filter(Number)) {
  try {
    if (readFileSync('/proc/' + pid + '/comm', 'utf8').trim() !== process.argv[1]) continue;
    process.kill(Number(pid), 'SIGKILL');
    console.log('killed');
  } catch {}
}`;

/** An object of a manifest, as far as these tests change it. */
export interface ManifestObject {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data: Record<string, string>;
  // biome-ignore lint/suspicious/noExplicitAny: a test knows its own manifest.
  readonly spec: any;
}

/** Applies manifests/pods/<name>.yaml after a change; its containers see each other's processes. */
export async function applyChanged(
  name: string,
  change: (objects: readonly ManifestObject[]) => void,
): Promise<Session> {
  const text = readFileSync(`manifests/pods/${name}.yaml`, 'utf8');
  const objects: ManifestObject[] = parseAllDocuments(text).map((one) => one.toJS());
  for (const { kind, spec } of objects) if (kind === 'Pod') spec.shareProcessNamespace = true;
  change(objects);
  using directory = temporaryDirectory('kills');
  const path = join(directory.path, `${name}-kills.yaml`);
  writeFileSync(path, objects.map((one) => stringify(one)).join('---\n'));
  return await testEngine().apply(path);
}

/** Kills the process of this name, from within a container that is to live on. */
export async function killProcess(
  session: Session,
  { pod, from, process }: { pod: string; from: string; process: string },
): Promise<void> {
  const { stdout, stderr } = await session.exec(pod, from, [NODE, '-e', KILL, process]);
  assert.equal(stdout.trim(), 'killed', `${process}: ${stderr}`);
}

/** Runs a script in a container and returns what it printed. */
export async function run(
  session: Session,
  pod: string,
  container: string,
  script: string,
): Promise<string> {
  const { stdout, stderr, code } = await session.exec(pod, container, [NODE, '-e', script]);
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

/** Returns how often a container was restarted. */
export async function restartsOf(session: Session, pod: string, name: string): Promise<number> {
  const { status } = await session.status(pod);
  const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  return all.find((one) => one.name === name)?.restartCount ?? 0;
}
