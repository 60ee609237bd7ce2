import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { DemoTarget } from './target.ts';

/** A fault that the demo causes in a running Pod, and the sentence that says how it was borne. */
type Scene = (target: StageTarget) => Promise<string>;

/** A target on which faults can be caused. */
export type StageTarget = Required<DemoTarget>;

export function isStage(target: DemoTarget): target is StageTarget {
  return target.kill !== undefined;
}

/** The longest time a scene takes, in milliseconds. */
const TIMEOUT = 60_000;

/** Records of the scene with a killed consumer, and how many it has taken when it is killed. */
const RECORDS = 500;
const KILLED_AFTER = 50;

/** The faults of each Pod that has some. */
export const SCENES: Readonly<Record<string, readonly Scene[]>> = {
  'message-queue-at-least-once': [killedConsumer],
  ambassador: [restartedUpstream],
  adapter: [rotatedLog, killedAdapter],
  'config-reload': [brokenConfiguration],
};

/** A consumer is killed in the middle of its work: it is started again, and every record arrives. */
async function killedConsumer(target: StageTarget): Promise<string> {
  const pod = 'killed-consumer';
  // Slow enough that there is a middle.
  const manifest = readFileSync('manifests/pods/message-queue-at-least-once.yaml', 'utf8')
    .replaceAll('message-queue-at-least-once', pod)
    .replace('--count=500', `--count=${RECORDS}\n        - --interval=20ms`);
  const records = async (container: string, previous = false) => {
    const log = await target.logs(pod, container, previous);
    return [...log.matchAll(/(?:Produced|Consumed): (\w+)/g)].map(([, record]) => record);
  };
  try {
    const applied = target.apply(manifest);
    applied.catch(() => {});
    await within(
      'the first records',
      async () => (await records('consumer')).length >= KILLED_AFTER,
    );
    await target.kill(pod, 'consumer');
    await applied;
    await within('the last record', async () => (await records('consumer')).at(-1) === 'done');
    const produced = await records('producer');
    const [before, after] = [await records('consumer', true), await records('consumer')];
    // One that was printed and not yet acknowledged comes again.
    const twice = before.length + after.length - produced.length;
    const arrived = [...before, ...after.slice(Math.max(0, twice))];
    if (twice < 0 || !arrived.every((record, i) => record === produced[i])) {
      throw new Error(`${before.length} and ${after.length} of ${produced.length} records arrived`);
    }
    const again = twice > 0 ? `, ${twice} of them twice` : ', each once';
    return `consumer killed after ${before.length} records, started again: ${RECORDS} of ${RECORDS} arrived in order${again}`;
  } finally {
    await target.remove(pod).catch(() => {});
  }
}

/** The log is renamed under the application's hands: what it writes before and after arrives. */
async function rotatedLog(target: StageTarget): Promise<string> {
  const ask = async (when: string) => {
    for (let i = 0; i < 5; i++) await target.get('adapter', 5000, `/?${when}-rotation=${i}`);
  };
  await ask('before');
  await target.node('adapter', 'webapp', "fs.renameSync('/logs/access.log', '/logs/access.log.1')");
  await ask('after');
  const start = performance.now();
  await within('the records around the rotation', async () => {
    const log = await target.logs('adapter', 'adapter');
    return ['before', 'after'].every((when) =>
      Array.from({ length: 5 }, (_, i) => `${when}-rotation=${i}`).every((one) =>
        log.includes(one),
      ),
    );
  });
  return `log rotated: 10 of 10 requests around it arrived, the last after ${seconds(start)}`;
}

/** Sends requests, one after another, for some seconds; prints how many got which status. */
const ASK = `const end = Date.now() + 5000;
const statuses = {};
let longest = 0;
while (Date.now() < end) {
  const start = Date.now();
  const { status } = await fetch('http://127.0.0.1:8080/', { signal: AbortSignal.timeout(20_000) });
  statuses[status] = (statuses[status] ?? 0) + 1;
  longest = Math.max(longest, Date.now() - start);
  await new Promise((resolve) => setTimeout(resolve, 20));
}
console.log(JSON.stringify({ statuses, longest }));`;

/** The application is killed under requests: the ambassador answers each, and recovers. */
async function restartedUpstream(target: StageTarget): Promise<string> {
  const asked = target.node('ambassador', 'proxy', ASK);
  await Promise.all([asked, target.kill('ambassador', 'app')]);
  const { statuses, longest } = JSON.parse(await asked);
  const all = Object.entries<number>(statuses);
  const count = all.reduce((sum, [, n]) => sum + n, 0);
  const told = all.map(([status, n]) => `${n} with ${status}`).join(', ');
  await within('the application behind the ambassador', async () =>
    (await target.get('ambassador', 8080, '/')).includes('Hello from'),
  );
  return `app killed under ${count} requests: ${told}; the longest took ${longest} ms; served again`;
}

/** A killed adapter continues where it was: no record is missing. */
async function killedAdapter(target: StageTarget): Promise<string> {
  await target.kill('adapter', 'adapter');
  for (let i = 0; i < 5; i++) await target.get('adapter', 5000, `/?while-down=${i}`);
  const start = performance.now();
  await within('the records of the time without an adapter', async () => {
    const log = await target.logs('adapter', 'adapter');
    return Array.from({ length: 5 }, (_, i) => `while-down=${i}`).every((one) => log.includes(one));
  });
  return `adapter killed: 5 of 5 requests of that time arrived after ${seconds(start)}`;
}

/** A template that cannot be rendered leaves the page as it was; the next one is published. */
async function brokenConfiguration(target: StageTarget): Promise<string> {
  const manifest = readFileSync('manifests/pods/config-reload.yaml', 'utf8');
  const page = () => target.get('config-reload', 5000, '/page.txt');
  const before = await page();
  await target.apply(manifest.replace('{{ settings.greeting }}', '{{ settings.greeting'));
  await within('the warning about the template', async () =>
    /"level":"(warn|error)"/.test(await target.logs('config-reload', 'renderer')),
  );
  if ((await page()) !== before) throw new Error('a broken template changed the page');
  await target.apply(manifest.replace('greeting: Hello', 'greeting: Goodbye'));
  const start = performance.now();
  await within('the corrected page', async () => (await page()).startsWith('Goodbye'));
  return `broken template: the page stayed as it was; corrected, it changed after ${seconds(start)}`;
}

async function within(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + TIMEOUT;
  while (!(await condition().catch(() => false))) {
    if (performance.now() > deadline) throw new Error(`not within ${TIMEOUT / 1000} s: ${what}`);
    await delay(50);
  }
}

function seconds(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}
