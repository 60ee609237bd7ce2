import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { dim } from './output.ts';
import { CommandError, run } from './run.ts';

/**
 * What a manifest promises to show, in the annotation `sidekit.dev/shows` of a Pod:
 * `CONTAINER: TEXT` stands in that container's log, `GET PORT/PATH: TEXT` in that answer.
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
    for (const name of podNames(path)) printLogs(name, await pod(['logs', name]));
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
  if (!get) return pod(['logs', name, '-c', subject]);
  const { items } = JSON.parse(await pod(['ps', name, '-o', 'json']));
  const response = await fetch(`http://${items[0].status.podIP}:${get[1]}${get[2]}`);
  return response.text();
}

function promises(path: string): Promised[] {
  return objects(path).flatMap(({ kind, metadata }) => {
    const text = kind === 'Pod' ? metadata.annotations?.[SHOWS] : undefined;
    return text === undefined
      ? []
      : String(text)
          .split('\n')
          .filter(Boolean)
          .map((line) => ({ pod: metadata.name, text: line }));
  });
}

function podNames(path: string): string[] {
  return objects(path).flatMap(({ kind, metadata }) => (kind === 'Pod' ? [metadata.name] : []));
}

function objects(
  path: string,
): { kind: string; metadata: { name: string; annotations?: Record<string, string> } }[] {
  return parseAllDocuments(readFileSync(path, 'utf8')).map((document) => document.toJS());
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
