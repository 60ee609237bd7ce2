import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandError, run } from '../run.ts';
import { PodWatch } from './pod-watch.ts';
import type { StageTarget } from './target.ts';

/** How long a Pod's address may take to answer before it counts as out of reach, in milliseconds. */
const REACH = 3000;
/** How long a response may take, in milliseconds. */
const TIMEOUT = 20_000;
/** Exit code of `pod up` whose Pods are not Ready in time. */
const NOT_READY = 69;

/** Runs the demo's Pods with `pod` on an engine, until it is disposed of. */
export function podTarget(engine: string, signal: AbortSignal): StageTarget & AsyncDisposable {
  const watch = new PodWatch({ ...process.env, POD_ENGINE: engine });
  let reachable: boolean | undefined;
  const pod = (args: readonly string[], detached = false) =>
    run('node_modules/.bin/pod', args, { env: { POD_ENGINE: engine }, stderr: true, detached });
  const idOf = (name: string, container: string) =>
    bareId(watch.container(name, container).containerID);
  const node = (name: string, container: string, program: string) =>
    run(engine, ['exec', idOf(name, container), '/nodejs/bin/node', '-e', program]);
  const applied = async (manifest: string, timeout: string) => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'sidekit-demo-'));
    const path = join(directory.path, 'manifest.yaml');
    writeFileSync(path, manifest);
    await pod(['up', path, '--timeout', timeout]);
  };

  return {
    signal,
    up: async (path) => void (await pod(['up', path, '--timeout', '90s'])),
    // A terminal's Ctrl-C must not reach it.
    down: async (path) => void (await pod(['down', '-f', path], true)),
    logs: async (name, container, previous = false) => {
      const { containerID, lastState } = watch.container(name, container);
      const id = previous ? (lastState?.terminated?.containerID ?? '') : containerID;
      return run(engine, ['logs', bareId(id)], { stderr: true });
    },
    allLogs: (name) => pod(['logs', name]),
    get: async (name, port, path) => {
      const { podIP, containerStatuses = [] } = watch.pod(name).status;
      const url = `http://${podIP}:${port}${path}`;
      if (reachable !== false) {
        try {
          const response = await fetch(url, {
            signal: AbortSignal.timeout(reachable ? TIMEOUT : REACH),
          });
          reachable = true;
          return await response.text();
        } catch (error) {
          if (reachable || isUp(error)) throw error;
          // From inside: the host has no route to the Pods of rootless Podman.
          reachable = false;
        }
      }
      const script = `fetch(${JSON.stringify(url)}).then(async (page) => process.stdout.write(await page.text()))`;
      return node(name, containerStatuses[0]?.name ?? '', script);
    },
    node,
    remove: async (name) => {
      await pod(['down', name, '--grace-period', '1'], true);
      watch.forget(name);
    },
    kill: async (name, container) =>
      void (await run(engine, ['kill', '--signal', 'KILL', idOf(name, container)])),
    apply: (manifest) => applied(manifest, '90s'),
    begin: (manifest) =>
      applied(manifest, '1ms').catch((error: unknown) => {
        if (!(error instanceof CommandError && error.code === NOT_READY)) throw error;
      }),
    restarts: async (name, container) => watch.container(name, container).restartCount,
    [Symbol.asyncDispose]: () => watch[Symbol.asyncDispose](),
  };
}

/** A container's id without the runtime in front of it. */
function bareId(id: string): string {
  return id.replace(/^\w+:\/\//, '');
}

/** Whether the host of an address answered, although nothing listens there. */
function isUp(error: unknown): boolean {
  const { cause } = error as { cause?: NodeJS.ErrnoException };
  return cause?.code === 'ECONNREFUSED' || cause?.code === 'ECONNRESET';
}
