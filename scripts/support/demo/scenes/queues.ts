import { readFileSync } from 'node:fs';
import type { StageTarget } from '../target.ts';
import { within } from '../within.ts';
import { type Scene, since } from './scene.ts';

/** Records of the scenes with a killed consumer, and how many it has taken when it is killed. */
const RECORDS = 500;
const KILLED_AFTER = 50;
/** Slow enough that there is a middle. */
const INTERVAL = '10ms';

interface Arrived {
  readonly produced: readonly string[];
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** A consumer is killed in the middle of its work: it is started again, and every record arrives. */
export const killedConsumer: Scene = async (target, path) => {
  const manifest = readFileSync(path, 'utf8');
  const slower = manifest.replace(
    '--count=500',
    `--count=${RECORDS}\n        - --interval=${INTERVAL}`,
  );
  const { produced, before, after } = await killConsumer(target, slower);
  // One that was printed and not yet acknowledged comes again.
  const twice = before.length + after.length - produced.length;
  const arrived = [...before, ...after.slice(Math.max(0, twice))];
  if (twice < 0 || !arrived.every((record, i) => record === produced[i])) {
    throw new Error(`${before.length} and ${after.length} of ${produced.length} records arrived`);
  }
  const again = twice > 0 ? `, ${twice} of them twice` : ', each once';
  return `consumer killed after ${before.length} records, started again: ${RECORDS} of ${RECORDS} arrived in order${again}`;
};

/** As above without a journal: what the consumer had received and not printed is lost, and no more. */
export const killedConsumerOfRing: Scene = async (target, path) => {
  const manifest = readFileSync(path, 'utf8');
  const slower = manifest
    .replace('restartPolicy: Never', 'restartPolicy: OnFailure')
    .replace('--count, "5000"', `--count, "${RECORDS}", --interval, ${INTERVAL}`);
  const { produced, before, after } = await killConsumer(target, slower);
  const arrived = [...before, ...after];
  const lost = produced.length - arrived.length;
  const tail = produced.slice(before.length + lost);
  if (lost < 0 || !before.every((one, i) => one === produced[i]) || tail.join() !== after.join()) {
    throw new Error(`${before.length} and ${after.length} of ${produced.length} records arrived`);
  }
  return `consumer killed after ${before.length} records, started again: it found its place in the ring, ${lost} records were lost (at-most-once)`;
};

/** Runs a copy of the Pod of a manifest and kills its consumer. */
async function killConsumer(target: StageTarget, manifest: string): Promise<Arrived> {
  const [, name = ''] = /^ {2}name: (\S+)$/m.exec(manifest) ?? [];
  const pod = `${name}-killed`;
  const records = async (container: string, previous = false) => {
    const log = await target.logs(pod, container, previous);
    return [...log.matchAll(/(?:Produced|Consumed): (\w+)/g)].map(([, record = '']) => record);
  };
  try {
    await target.begin(manifest.replaceAll(name, pod));
    await within(
      target,
      'the first records',
      async () => (await records('consumer')).length >= KILLED_AFTER,
    );
    await target.kill(pod, 'consumer');
    await within(
      target,
      'the last record',
      async () => (await records('consumer')).at(-1) === 'done',
    );
    return {
      produced: await records('producer'),
      before: await records('consumer', true),
      after: await records('consumer'),
    };
  } finally {
    await target.remove(pod).catch(() => {});
  }
}

/** The holder of the semaphore is killed: the kernel gives it back, and the other one has its turn. */
export const killedHolder: Scene = async (target, path) => {
  await target.begin(readFileSync(path, 'utf8'));
  const second = () => target.logs('semaphore', 'second');
  await within(target, 'the second one at its wait', async () =>
    (await second()).includes('another process has it'),
  );
  await target.kill('semaphore', 'first');
  const start = performance.now();
  await within(target, 'its turn', async () =>
    (await second()).includes('second one has its turn'),
  );
  const after = since(start);
  await target.up(path);
  return `first killed while it had the semaphore: the kernel gave it back, second had its turn after ${after}`;
};
