import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { bold, dim, green, heading, red, seconds, table } from '../output.ts';
import { CommandError } from '../run.ts';

/**
 * The annotation of a Pod or a Pod template with its promises, one a line: `CONTAINER: TEXT` is in
 * that container's log, `GET PORT/PATH: TEXT` in that response.
 */
const SHOWS = 'sidekit.dev/shows';

export interface Demo {
  readonly worked: boolean;
  readonly showed: string;
}

/** The place where the Pods of a demo run. */
export interface DemoTarget {
  /** Applies a manifest and waits until its Pods are Ready or have completed. */
  up(path: string): Promise<void>;
  /** Deletes the objects of a manifest. */
  down(path: string): Promise<void>;
  /** Returns the log of a container of the Pod, or of one that the workload of that name made. */
  logs(pod: string, container: string): Promise<string>;
  /** Returns the logs of all its containers. */
  allLogs(pod: string): Promise<string>;
  /** Returns the body of a response of the Pod. */
  get(pod: string, port: number, path: string): Promise<string>;
}

export interface DemoOptions {
  readonly keep: boolean;
  readonly signal: AbortSignal;
}

interface Promised {
  readonly pod: string;
  readonly text: string;
}

/** Returns the manifests of manifests/pods. */
export function demoNames(): string[] {
  return globSync('manifests/pods/*.yaml')
    .map((path) => basename(path, '.yaml'))
    .toSorted();
}

/** Runs manifests one after another, shows what each did, and ends with a table. */
export async function demonstrate(
  names: readonly string[],
  target: DemoTarget,
  options: DemoOptions,
): Promise<number> {
  const rows = [['Pod', 'result', 'time', 'what it showed']];
  let failed = false;
  for (const name of names) {
    if (options.signal.aborted) break;
    const path = `manifests/pods/${name}.yaml`;
    console.log(`\n${bold(name)}  ${dim(summary(path))}`);
    const start = performance.now();
    const demo = await runDemo(path, target, options);
    failed ||= !demo.worked;
    rows.push([name, demo.worked ? green('worked') : red('failed'), seconds(start), demo.showed]);
  }
  heading('Result');
  console.log(table(rows));
  return failed ? 1 : 0;
}

/** Runs one manifest, prints what its containers did, and says whether it showed what it promises. */
async function runDemo(path: string, target: DemoTarget, options: DemoOptions): Promise<Demo> {
  try {
    await target.up(path);
    const shown: string[] = [];
    for (const promise of promises(path))
      shown.push(await awaitShown(promise, target, options.signal));
    for (const { name } of subjects(path)) printLogs(name, await target.allLogs(name));
    return { worked: true, showed: shown.join(', ') || 'Ready' };
  } catch (error) {
    console.log(error instanceof CommandError ? error.message : error);
    return { worked: false, showed: (error as Error).message.split('\n')[0] ?? '' };
  } finally {
    // What an interrupted demo started is removed in any case.
    if (!options.keep || options.signal.aborted)
      await target.down(path).catch((error: Error) => console.log(error.message));
  }
}

async function awaitShown(
  { pod, text }: Promised,
  target: DemoTarget,
  signal: AbortSignal,
): Promise<string> {
  const [, subject = '', wanted = ''] = /^([^:]+): (.*)$/.exec(text) ?? [];
  const get = /^GET (\d+)(\/.*)$/.exec(subject);
  const read = () =>
    get ? target.get(pod, Number(get[1]), get[2] ?? '/') : target.logs(pod, subject);
  const deadline = performance.now() + 60_000;
  for (;;) {
    if ((await read().catch(() => '')).includes(wanted)) return text;
    if (signal.aborted) throw new Error('interrupted');
    if (performance.now() > deadline) throw new Error(`${pod} did not show ${text}`);
    await delay(100);
  }
}

function promises(path: string): Promised[] {
  return subjects(path).flatMap(({ name, annotations }) =>
    String(annotations?.[SHOWS] ?? '')
      .split('\n')
      .filter(Boolean)
      .map((text) => ({ pod: name, text })),
  );
}

interface Metadata {
  readonly name: string;
  readonly annotations?: Readonly<Record<string, string>>;
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

/** The first and last lines of each container: enough to see what it does. */
function printLogs(name: string, text: string) {
  const lines = text.trimEnd().split('\n');
  const few =
    lines.length <= 14
      ? lines
      : [...lines.slice(0, 7), `… ${lines.length - 12} more lines`, ...lines.slice(-5)];
  for (const line of few) console.log(dim(`  ${name}  ${line.slice(0, 150)}`));
}

/** Returns the first sentence of the manifest's own comment. */
function summary(path: string): string {
  const comment: string[] = [];
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (!line.startsWith('#')) break;
    comment.push(line.slice(1).trim());
  }
  return /^[^.]*\./.exec(comment.join(' '))?.[0] ?? '';
}
