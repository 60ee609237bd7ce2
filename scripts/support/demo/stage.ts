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

/** The faults of each Pod that has some. */
export const SCENES: Readonly<Record<string, readonly Scene[]>> = {
  ambassador: [restartedUpstream],
  adapter: [rotatedLog, killedAdapter],
  'config-reload': [brokenConfiguration],
};

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

/** Requests while the application restarts: the ambassador answers each, and recovers. */
async function restartedUpstream(target: StageTarget): Promise<string> {
  await target.kill('ambassador', 'app');
  const start = performance.now();
  let refused = 0;
  await within('the application behind the ambassador', async () => {
    const text = await target.get('ambassador', 8080, '/');
    if (text.includes('Hello from')) return true;
    refused++;
    return false;
  });
  const time = seconds(start);
  return `app killed: ${refused} requests got an error status, none hung; served again after ${time}`;
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
