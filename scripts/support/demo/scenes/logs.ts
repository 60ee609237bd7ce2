import type { StageTarget } from '../target.ts';
import { within } from '../within.ts';
import { type Scene, since, startedAgain } from './scene.ts';

/** Requests that a scene follows. */
const REQUESTS = 5;

const texts = (what: string) => Array.from({ length: REQUESTS }, (_, i) => `${what}=${i}`);

async function ask(target: StageTarget, pod: string, what: string): Promise<void> {
  for (const text of texts(what)) await target.get(pod, 5000, `/?${text}`);
}

/** How many of the requests are in a text. */
function found(text: string, what: string): number {
  return texts(what).filter((one) => text.includes(one)).length;
}

/** The log is renamed under the application's hands: what it writes before and after arrives. */
export const rotatedLog: Scene = async (target) => {
  await ask(target, 'adapter', 'before-rotation');
  await target.node('adapter', 'webapp', "fs.renameSync('/logs/access.log', '/logs/access.log.1')");
  await ask(target, 'adapter', 'after-rotation');
  const start = performance.now();
  await within(target, 'the records around the rotation', async () => {
    const log = await target.logs('adapter', 'adapter');
    return found(log, 'before-rotation') + found(log, 'after-rotation') === 2 * REQUESTS;
  });
  return `log rotated: ${2 * REQUESTS} of ${2 * REQUESTS} requests around it arrived, the last after ${since(start)}`;
};

/** A killed adapter continues at its place: no record is missing. */
export const killedAdapter: Scene = async (target) => {
  await target.kill('adapter', 'adapter');
  await ask(target, 'adapter', 'while-down');
  const start = performance.now();
  await within(target, 'the records of the time without an adapter', async () => {
    return found(await target.logs('adapter', 'adapter'), 'while-down') === REQUESTS;
  });
  return `adapter killed: ${REQUESTS} of ${REQUESTS} requests of that time arrived after ${since(start)}`;
};

/** The receiver is away: the adapter keeps its place in the log, and sends when it is back. */
export const deadReceiver: Scene = async (target, path) => {
  await target.remove('otlp-receiver');
  await ask(target, 'adapter-otlp', 'while-away');
  await target.up(path);
  const start = performance.now();
  await within(target, 'the records of the outage', async () => {
    return found(await target.get('otlp-receiver', 4318, '/sink'), 'while-away') === REQUESTS;
  });
  return `receiver removed: ${REQUESTS} of ${REQUESTS} requests of that time arrived ${since(start)} after its return`;
};

/** A line that is no StatsD is counted, and the next one is a metric all the same. */
export const malformedMetric: Scene = async (target) => {
  const send = `const socket = require('node:dgram').createSocket('udp4');
const send = (text, done) => socket.send(text, 8125, '127.0.0.1', done);
send('not a metric', () => send('demo.after:1|c', () => socket.close()));`;
  await target.node('monitoring-adapter', 'webapp', send);
  await within(target, 'the count of the malformed line, and the metric after it', async () => {
    const text = await target.get('monitoring-adapter', 9902, '/metrics');
    return (
      /^adapter_statsd_dropped_values_total\{cause="malformed"\} 1$/m.test(text) &&
      /^demo_after 1$/m.test(text)
    );
  });
  return 'a line that is no StatsD: dropped and counted, and the next one is a metric';
};

/** UDP is not confirmed: what is sent while the adapter is down may be lost, and no more. */
export const killedReceiver: Scene = async (target) => {
  const arrived = async (what: string) => found(await target.logs('syslog', 'adapter'), what);
  await target.kill('syslog', 'adapter');
  await ask(target, 'syslog', 'while-down');
  await startedAgain(target, 'syslog', 'adapter');
  await within(target, 'syslog again', async () => {
    await target.get('syslog', 5000, '/?again');
    return (await target.logs('syslog', 'adapter')).includes('/?again');
  });
  await ask(target, 'syslog', 'after-restart');
  await within(
    target,
    'the messages after the restart',
    async () => (await arrived('after-restart')) === REQUESTS,
  );
  return `adapter killed: UDP does not repeat, so ${await arrived('while-down')} of ${REQUESTS} messages of that time arrived; ${REQUESTS} of ${REQUESTS} after its restart`;
};
