import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { dim } from './output.ts';
import { CommandError, run } from './run.ts';

/**
 * The annotation of a Pod or a Pod template with its promises, one a line: `CONTAINER: TEXT` is in
 * that container's log, `GET PORT/PATH: TEXT` in that response.
 */
export const SHOWS = 'sidekit.dev/shows';

export interface Demo {
  readonly worked: boolean;
  readonly showed: string;
}

export interface DemoOptions {
  readonly engine: string;
  readonly keep: boolean;
}

interface Promised {
  readonly pod: string;
  readonly text: string;
}

/** Runs one manifest, prints what its containers did, and says whether it showed what it promises. */
export async function runDemo(path: string, { engine, keep }: DemoOptions): Promise<Demo> {
  const pod = (args: readonly string[]) =>
    run('node_modules/.bin/pod', args, { env: { POD_ENGINE: engine }, stderr: true });
  try {
    await pod(['up', path, '--timeout', '90s']);
    const shown: string[] = [];
    for (const promise of promises(path)) shown.push(await awaitShown(promise, pod));
    for (const { name } of subjects(path)) {
      const { metadata } = await find(name, pod);
      printLogs(metadata.name, await pod(['logs', metadata.name]));
    }
    return { worked: true, showed: shown.join(', ') || 'Ready' };
  } catch (error) {
    console.log(error instanceof CommandError ? error.message : error);
    return { worked: false, showed: (error as Error).message.split('\n')[0] ?? '' };
  } finally {
    if (!keep) await pod(['down', '-f', path]).catch((error: Error) => console.log(error.message));
  }
}

type PodCommand = (args: readonly string[]) => Promise<string>;

async function awaitShown({ pod: name, text }: Promised, pod: PodCommand): Promise<string> {
  const [, subject = '', wanted = ''] = /^([^:]+): (.*)$/.exec(text) ?? [];
  const deadline = performance.now() + 60_000;
  for (;;) {
    const seen = await look(subject, name, pod).catch(() => '');
    if (seen.includes(wanted)) return text;
    if (performance.now() > deadline) throw new Error(`${name} did not show ${text}`);
    await delay(100);
  }
}

async function look(subject: string, name: string, pod: PodCommand): Promise<string> {
  const get = /^GET (\d+)(\/.*)$/.exec(subject);
  const { metadata, status } = await find(name, pod);
  if (!get) return pod(['logs', metadata.name, '-c', subject]);
  const response = await fetch(`http://${status.podIP}:${get[1]}${get[2]}`);
  return response.text();
}

interface PodObject {
  readonly metadata: { readonly name: string };
  readonly status: { readonly podIP?: string };
}

/** The Pod of that name, or one that the workload of that name made. */
async function find(name: string, pod: PodCommand): Promise<PodObject> {
  const { items } = JSON.parse(await pod(['ps', '-o', 'json'])) as { items: PodObject[] };
  const found =
    items.find(({ metadata }) => metadata.name === name) ??
    items.find(({ metadata }) => metadata.name.startsWith(`${name}-`));
  if (!found) throw new Error(`no Pod ${name}`);
  return found;
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
