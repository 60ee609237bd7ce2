import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../run.ts';
import type { DemoTarget } from './target.ts';

interface ContainerStatus {
  readonly name: string;
  readonly containerID: string;
}

interface PodObject {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly podIP?: string;
    readonly containerStatuses: readonly ContainerStatus[];
    readonly initContainerStatuses: readonly ContainerStatus[];
  };
}

/** Runs the demo's Pods with `pod` on an engine. */
export function podTarget(engine: string): DemoTarget {
  const pod = (args: readonly string[], detached = false) =>
    run('node_modules/.bin/pod', args, { env: { POD_ENGINE: engine }, stderr: true, detached });
  /** The Pod of that name, or one that the workload of that name made. */
  const find = async (name: string): Promise<PodObject> => {
    const { items } = JSON.parse(await pod(['ps', '-o', 'json'])) as { items: PodObject[] };
    const found =
      items.find(({ metadata }) => metadata.name === name) ??
      items.find(({ metadata }) => metadata.name.startsWith(`${name}-`));
    if (!found) throw new Error(`no Pod ${name}`);
    return found;
  };
  const node = async (name: string, container: string, program: string) =>
    pod([
      ...['exec', (await find(name)).metadata.name, '-c', container],
      ...['--', '/nodejs/bin/node', '-e', program],
    ]);
  return {
    up: async (path) => void (await pod(['up', path, '--timeout', '90s'])),
    // A terminal's Ctrl-C must not reach it.
    down: async (path) => void (await pod(['down', '-f', path], true)),
    logs: async (name, container, previous = false) => {
      const words = ['logs', (await find(name)).metadata.name, '-c', container];
      return pod(previous ? [...words, '--previous'] : words);
    },
    allLogs: async (name) => pod(['logs', (await find(name)).metadata.name]),
    get: async (name, port, path) => {
      const { status } = await find(name);
      // From inside: the host has no route to the Pods of rootless Podman.
      const url = JSON.stringify(`http://${status.podIP}:${port}${path}`);
      const script = `fetch(${url}).then(async (page) => process.stdout.write(await page.text()))`;
      return node(name, status.containerStatuses[0]?.name ?? '', script);
    },
    node,
    remove: async (name) => void (await pod(['down', name, '--grace-period', '1'], true)),
    kill: async (name, container) => {
      const { containerStatuses, initContainerStatuses } = (await find(name)).status;
      const all = [...containerStatuses, ...initContainerStatuses];
      const id = all.find((one) => one.name === container)?.containerID ?? '';
      await run(engine, ['kill', '--signal', 'KILL', id.replace(/^\w+:\/\//, '')]);
    },
    apply: async (manifest) => {
      using directory = mkdtempDisposableSync(join(tmpdir(), 'sidekit-demo-'));
      const path = join(directory.path, 'manifest.yaml');
      writeFileSync(path, manifest);
      await pod(['up', path, '--timeout', '90s']);
    },
  };
}
