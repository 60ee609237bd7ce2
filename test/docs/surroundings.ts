import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { eventually } from '@sidekit/test-kit';
import { command, must } from '../engine/command.ts';

/** The environment in which the blocks of one page run; disposing it removes what they left. */
export interface Surroundings extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>;
}

/** Pods of the `pod` command that meet nobody else's. */
export function podSurroundings(engine: string): Surroundings {
  const directory = mkdtempSync(join(tmpdir(), 'sidekit-docs-'));
  const env = {
    PATH: `${resolve('node_modules/.bin')}:${process.env.PATH}`,
    SIDEKIT_POD_DIR: directory,
    POD_ENGINE: engine,
    npm_config_loglevel: 'error',
    // A block that runs this very test runs its short form.
    SIDEKIT_DOCS: '',
  };
  return {
    env,
    async [Symbol.asyncDispose]() {
      await must('node_modules/.bin/pod', ['down', '--all'], { env: { ...process.env, ...env } });
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A namespace of its own, the current one of a kubeconfig of its own. */
export async function clusterSurroundings(): Promise<Surroundings> {
  const directory = mkdtempSync(join(tmpdir(), 'sidekit-docs-'));
  const namespace = `sidekit-docs-${randomBytes(4).toString('hex')}`;
  const path = join(directory, 'kubeconfig');
  writeFileSync(path, await must('kubectl', ['config', 'view', '--raw', '--flatten']));
  const env = { KUBECONFIG: path };
  const kubectl = (...args: string[]) => must('kubectl', args, { env: { ...process.env, ...env } });
  await kubectl('create', 'namespace', namespace);
  // Pods are refused until the namespace's ServiceAccount is there.
  const account = ['get', 'serviceaccount', 'default', '-n', namespace];
  await eventually(() => kubectl(...account), { what: 'the default ServiceAccount' });
  await kubectl('config', 'set-context', '--current', `--namespace=${namespace}`);
  return {
    env,
    async [Symbol.asyncDispose]() {
      await command('kubectl', ['delete', 'namespace', namespace, '--wait=false']);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
