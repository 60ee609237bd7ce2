import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { run } from '../run.ts';
import type { DemoTarget } from './target.ts';

const TIMEOUT = '--timeout=120s';

/** Runs the demo's Pods on the cluster of the current kubectl context. */
export function kubeTarget(): DemoTarget {
  const kubectl = (args: readonly string[]) => run('kubectl', args);
  /** The name of the Pod, or of one that the workload of that name made. */
  const find = async (name: string): Promise<string> => {
    const names = (await kubectl(['get', 'pods', '-o', 'name'])).trim().split('\n');
    const found = names.includes(`pod/${name}`)
      ? `pod/${name}`
      : names.find((one) => one.startsWith(`pod/${name}-`));
    if (found === undefined) throw new Error(`no Pod ${name}`);
    return found;
  };
  return {
    async up(path) {
      await kubectl(['apply', '-f', path]);
      for (const { kind, metadata, spec } of objects(path)) {
        const target = `${kind.toLowerCase()}/${metadata.name}`;
        const wait = (condition: string) =>
          kubectl(['wait', `--for=${condition}`, target, TIMEOUT]);
        if (kind === 'Deployment') await wait('condition=Available');
        if (kind === 'Job') await wait('condition=Complete');
        if (kind !== 'Pod') continue;
        await wait(
          spec?.restartPolicy === 'Never' || spec?.restartPolicy === 'OnFailure'
            ? 'jsonpath={.status.phase}=Succeeded'
            : 'condition=Ready',
        );
      }
    },
    down: async (path) => void (await kubectl(['delete', '-f', path, '--ignore-not-found'])),
    logs: async (name, container, previous = false) =>
      kubectl(['logs', await find(name), '-c', container, `--previous=${previous}`]),
    allLogs: async (name) => kubectl(['logs', await find(name), '--all-containers', '--prefix']),
    get: async (name, port, path) => {
      const pod = (await find(name)).slice('pod/'.length);
      const { metadata } = JSON.parse(await kubectl(['get', 'pod', pod, '-o', 'json']));
      return kubectl([
        'get',
        '--raw',
        `/api/v1/namespaces/${metadata.namespace}/pods/${pod}:${port}/proxy${path}`,
      ]);
    },
  };
}

interface ManifestObject {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly restartPolicy?: string };
}

function objects(path: string): ManifestObject[] {
  return parseAllDocuments(readFileSync(path, 'utf8')).map((document) => document.toJS());
}
