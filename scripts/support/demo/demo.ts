import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { bold, cut, dim, fold, green, heading, red, seconds, table } from '../output.ts';
import { CommandError } from '../run.ts';
import { isStage, SCENES, type StageTarget } from './stage.ts';
import { story } from './story.ts';
import type { DemoTarget } from './target.ts';

/**
 * The annotation of a Pod or a Pod template with its promises, one a line: `CONTAINER: TEXT` is in
 * that container's log, `GET PORT/PATH: TEXT` in that response.
 */
const SHOWS = 'sidekit.dev/shows';

/** The folder of the whole logs of the Pods. */
const LOGS = '.cache/demo';

export interface Demo {
  readonly worked: boolean;
  readonly showed: string;
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
  const { signal } = options;
  let failed = false;
  for (const name of names) {
    if (signal.aborted) break;
    const path = `manifests/pods/${name}.yaml`;
    console.log(`\n${bold(name)}`);
    for (const line of fold(summary(path), width())) console.log(`  ${dim(line)}`);
    const start = performance.now();
    const demo = await runDemo(path, target, options);
    failed ||= !demo.worked;
    const result = demo.worked ? green('worked') : red(signal.aborted ? 'stopped' : 'failed');
    rows.push([name, result, seconds(start), demo.showed]);
  }
  heading('Result');
  for (const line of table(rows).split('\n')) console.log(cut(line, width() + 2));
  return failed ? 1 : 0;
}

/** Runs one manifest, prints what its containers did, and says whether it showed what it promises. */
async function runDemo(path: string, target: DemoTarget, options: DemoOptions): Promise<Demo> {
  try {
    await target.up(path);
    const shown: string[] = [];
    for (const promise of promises(path))
      shown.push(await awaitShown(promise, target, options.signal));
    for (const { name } of subjects(path)) tell(name, await target.allLogs(name));
    const scenes = isStage(target) ? (SCENES[basename(path, '.yaml')] ?? []) : [];
    for (const scene of scenes) perform(await scene(target as StageTarget));
    return { worked: true, showed: shown.join(', ') || 'Ready' };
  } catch (error) {
    if (options.signal.aborted) return { worked: false, showed: 'interrupted' };
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

/** Prints how a fault was borne. */
function perform(text: string) {
  for (const [i, line] of fold(text, width() - 2).entries()) {
    console.log(`  ${i === 0 ? green('↯') : ' '} ${line}`);
  }
}

/** The columns of the terminal that an indented line may take. */
function width(): number {
  return Math.min(Math.max(process.stdout.columns || 80, 40), 200) - 4;
}

/** Prints what the containers did in a few lines; their whole logs are in a file. */
function tell(name: string, logs: string) {
  const file = join(LOGS, `${name}.log`);
  mkdirSync(LOGS, { recursive: true });
  writeFileSync(file, logs);
  for (const line of story(logs, width())) console.log(`  ${line}`);
  console.log(dim(`  whole logs: ${file}`));
}

/** Returns the first sentence of the manifest's own comment. */
function summary(path: string): string {
  const comment: string[] = [];
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (!line.startsWith('#')) break;
    comment.push(line.slice(1).trim());
  }
  return /^.*?\.(?= |$)/.exec(comment.join(' '))?.[0] ?? '';
}
