import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import type { DemoTarget } from './target.ts';
import { within } from './within.ts';

/**
 * The annotation of a Pod or a Pod template with its promises, one a line: `CONTAINER: TEXT` is in
 * that container's log, `GET PORT/PATH: TEXT` in that response.
 */
const SHOWS = 'sidekit.dev/shows';

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
  await within({ signal }, `${pod} shows ${text}`, async () => (await read()).includes(wanted));
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
