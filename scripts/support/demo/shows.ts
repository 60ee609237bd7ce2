import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import type { DemoTarget } from './target.ts';

/**
 * The annotation of a Pod or a Pod template with its promises, one a line: `CONTAINER: TEXT` is in
 * that container's log, `GET PORT/PATH: TEXT` in that response.
 */
const SHOWS = 'sidekit.dev/shows';
/** How long a promise may take, and the pause between two checks, in milliseconds. */
const TIMEOUT = 60_000;
const INTERVAL = 100;

interface Metadata {
  readonly name: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Returns the names of the Pods of a manifest; of a workload its own name. */
export function podNames(path: string): string[] {
  return subjects(path).map(({ name }) => name);
}

/**
 * Waits until the Pods of a manifest show what it promises.
 * @returns the promises.
 * @throws Error that names the first that does not come.
 */
export async function awaitShown(
  path: string,
  target: DemoTarget,
  signal: AbortSignal,
): Promise<string[]> {
  const shown: string[] = [];
  for (const { name, annotations } of subjects(path)) {
    for (const text of String(annotations?.[SHOWS] ?? '')
      .split('\n')
      .filter(Boolean)) {
      await awaitOne(name, text, target, signal);
      shown.push(text);
    }
  }
  return shown;
}

async function awaitOne(pod: string, text: string, target: DemoTarget, signal: AbortSignal) {
  const [, subject = '', wanted = ''] = /^([^:]+): (.*)$/.exec(text) ?? [];
  const get = /^GET (\d+)(\/.*)$/.exec(subject);
  const read = () =>
    get ? target.get(pod, Number(get[1]), get[2] ?? '/') : target.logs(pod, subject);
  const deadline = performance.now() + TIMEOUT;
  for (;;) {
    if ((await read().catch(() => '')).includes(wanted)) return;
    if (signal.aborted) throw new Error('interrupted');
    if (performance.now() > deadline) throw new Error(`${pod} did not show ${text}`);
    await delay(INTERVAL);
  }
}

/** The Pods and the Pod templates of a manifest, the latter by the name of their workload. */
function subjects(path: string): Metadata[] {
  return parseAllDocuments(readFileSync(path, 'utf8')).flatMap((document) => {
    const { kind, metadata, spec } = document.toJS() as {
      kind: string;
      metadata: Metadata;
      spec?: { template?: { metadata?: Omit<Metadata, 'name'> } };
    };
    if (kind === 'Pod') return metadata;
    return spec?.template ? { ...spec.template.metadata, name: metadata.name } : [];
  });
}
