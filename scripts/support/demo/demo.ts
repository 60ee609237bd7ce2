import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  bold,
  cut,
  dim,
  fold,
  green,
  heading,
  red,
  seconds,
  table,
  terminalWidth,
} from '../output.ts';
import { CommandError } from '../run.ts';
import { InOrder } from './in-order.ts';
import { awaitShown, podNames } from './shows.ts';
import { STAGES } from './stages.ts';
import { story } from './story.ts';
import { type DemoTarget, isStage, type StageTarget } from './target.ts';

/** The folder of the whole logs of the Pods. */
const LOGS = '.cache/demo';
/** How many manifests run at the same time where faults are caused: most of their time is waiting. */
const LANES = 2;

export interface DemoOptions {
  readonly keep: boolean;
  readonly signal: AbortSignal;
}

type Print = (line: string) => void;

interface Demo {
  readonly worked: boolean;
  readonly showed: string;
}

/** Returns the manifests of manifests/pods. */
export function demoNames(): string[] {
  return globSync('manifests/pods/*.yaml')
    .map((path) => basename(path, '.yaml'))
    .toSorted();
}

/** Runs manifests, shows what each did in their order, and ends with a table. */
export async function demonstrate(
  names: readonly string[],
  target: DemoTarget,
  options: DemoOptions,
): Promise<number> {
  const rows: string[][] = [];
  const output = new InOrder(console.log);
  const queue = names.map((name, index) => ({ name, index }));
  let failed = false;
  const lane = async () => {
    for (let next = queue.shift(); next && !options.signal.aborted; next = queue.shift()) {
      const { name, index } = next;
      const task = output.task();
      const start = performance.now();
      const demo = await present(name, target, options, task.write);
      const result = demo.worked
        ? green('worked')
        : red(options.signal.aborted ? 'stopped' : 'failed');
      rows[index] = [name, result, seconds(start), demo.showed];
      failed ||= !demo.worked;
      task.end();
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: isStage(target) ? LANES : 1 }, lane));
  heading('Result');
  const heads = ['Pod', 'result', 'time', 'what it showed'];
  for (const line of table([heads, ...rows.filter(Boolean)]).split('\n'))
    console.log(cut(line, width() + 2));
  if (rows.length > 1) console.log(dim(`  all together ${seconds(start)}`));
  return failed ? 1 : 0;
}

/** Runs one manifest, prints what its containers did, and says whether it showed what it promises. */
async function present(
  name: string,
  target: DemoTarget,
  { keep, signal }: DemoOptions,
  print: Print,
): Promise<Demo> {
  const path = `manifests/pods/${name}.yaml`;
  print(`\n${bold(name)}`);
  for (const line of fold(summary(path), width())) print(`  ${dim(line)}`);
  try {
    const showed = isStage(target)
      ? await perform(path, target, signal, print)
      : await run(path, target, signal, print);
    return { worked: true, showed: showed.join(', ') || 'Ready' };
  } catch (error) {
    if (signal.aborted) return { worked: false, showed: 'interrupted' };
    const { message } = error as Error;
    print(error instanceof CommandError ? message : String((error as Error).stack));
    return { worked: false, showed: message.split('\n')[0] ?? '' };
  } finally {
    // What an interrupted demo started is removed in any case.
    if (!keep || signal.aborted)
      await target.down(path).catch((error: Error) => print(error.message));
  }
}

async function run(path: string, target: DemoTarget, signal: AbortSignal, print: Print) {
  await target.up(path);
  return tellShown(path, target, signal, print);
}

/** Runs a manifest with its faults on stage. */
async function perform(path: string, target: StageTarget, signal: AbortSignal, print: Print) {
  const { start, faults = [], copy } = STAGES[basename(path, '.yaml')] ?? {};
  const copied = copy?.(target, path);
  copied?.catch(() => {});
  const started = await (start?.(target, path) ?? target.up(path));
  const shown = await tellShown(path, target, signal, print);
  for (const text of [started, await copied]) if (text) printFault(text, print);
  for (const fault of faults) printFault(await fault(target, path), print);
  return shown;
}

async function tellShown(path: string, target: DemoTarget, signal: AbortSignal, print: Print) {
  const shown = await awaitShown(path, target, signal);
  for (const name of podNames(path)) tell(name, await target.allLogs(name), print);
  return shown;
}

/** Prints what the containers did in a few lines; their whole logs are in a file. */
function tell(name: string, logs: string, print: Print) {
  const file = join(LOGS, `${name}.log`);
  mkdirSync(LOGS, { recursive: true });
  writeFileSync(file, logs);
  for (const line of story(logs, width())) print(`  ${line}`);
  print(dim(`  whole logs: ${file}`));
}

/** Prints the result of a fault. */
function printFault(text: string, print: Print) {
  for (const [i, line] of fold(text, width() - 2).entries())
    print(`  ${i === 0 ? green('↯') : ' '} ${line}`);
}

/** The columns that an indented line may take. */
function width(): number {
  return terminalWidth() - 4;
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
