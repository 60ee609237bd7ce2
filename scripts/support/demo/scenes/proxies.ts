import type { StageTarget } from '../target.ts';
import { within } from '../within.ts';
import { type Scene, since, startedAgain } from './scene.ts';

/** Requests while a fault lasts, and the pause between two, in milliseconds. */
const REQUESTS = 100;
const PAUSE = 20;

interface Asked {
  readonly count: number;
  /** How many had each status, in words. */
  readonly told: string;
  /** The longest time of one, in milliseconds. */
  readonly longest: number;
}

/** Sends requests one after another from inside of the Pod, while something happens. */
async function askWhile(
  target: StageTarget,
  [pod, container]: readonly [string, string],
  { setup, ask }: { readonly setup?: string; readonly ask: string },
  happening: () => Promise<unknown>,
): Promise<Asked> {
  const program = `${setup ?? ''}
const ask = ${ask};
const statuses = {};
let longest = 0;
for (let i = 0; i < ${REQUESTS}; i++) {
  const start = Date.now();
  const status = await ask();
  statuses[status] = (statuses[status] ?? 0) + 1;
  longest = Math.max(longest, Date.now() - start);
  await new Promise((resolve) => setTimeout(resolve, ${PAUSE}));
}
console.log(JSON.stringify({ statuses, longest }));
process.exit();`;
  const [answer] = await Promise.all([target.node(pod, container, program), happening()]);
  const { statuses, longest } = JSON.parse(answer);
  const all = Object.entries<number>(statuses);
  const count = all.reduce((sum, [, n]) => sum + n, 0);
  return { count, longest, told: all.map(([status, n]) => `${n} with ${status}`).join(', ') };
}

const get = (url: string) =>
  `async () => (await fetch('${url}', { signal: AbortSignal.timeout(20_000) })).status`;

/** The application is killed under requests: the ambassador answers each, and recovers. */
export const restartedUpstream: Scene = async (target) => {
  const { count, told, longest } = await askWhile(
    target,
    ['ambassador', 'proxy'],
    { ask: get('http://127.0.0.1:8080/') },
    () => target.kill('ambassador', 'app'),
  );
  await within(target, 'the application behind the ambassador', async () =>
    (await target.get('ambassador', 8080, '/')).includes('Hello from'),
  );
  return `app killed under ${count} requests: ${told}; the longest took ${longest} ms; served again`;
};

/** One of two applications is killed: the other one answers as before. */
export const restartedNeighbour: Scene = async (target) => {
  const { count, told } = await askWhile(
    target,
    ['multi-port', 'shop'],
    { ask: get('http://127.0.0.1:8080/') },
    () => target.kill('multi-port', 'office'),
  );
  await within(target, 'the office behind its port', async () =>
    (await target.get('multi-port', 8081, '/')).includes('Hello from'),
  );
  return `office killed: of ${count} requests to shop meanwhile ${told}; office served again`;
};

/** Calls `demo.Echo/Say` over one HTTP/2 connection; gives the call's gRPC status. */
const CALLS = `const { connect } = await import('node:http2');
const session = connect('http://127.0.0.1:8080');
const HELLO = Buffer.from('00000000070a0568656c6c6f', 'hex');`;
const CALL = `() => new Promise((resolve, reject) => {
  const stream = session.request({ ':method': 'POST', ':path': '/demo.Echo/Say',
    'content-type': 'application/grpc', te: 'trailers', 'grpc-timeout': '20S' });
  let status = 'none';
  const read = (fields) => { status = fields['grpc-status'] ?? status; };
  stream.on('response', read).on('trailers', read).on('error', reject).resume();
  stream.on('close', () => resolve(status));
  stream.end(HELLO);
})`;

/** The service is killed under calls, which are repeated on a route that says that they may be. */
export const restartedService: Scene = async (target) => {
  const { count, told, longest } = await askWhile(
    target,
    ['grpc', 'proxy'],
    { setup: CALLS, ask: CALL },
    () => target.kill('grpc', 'app'),
  );
  return `app killed under ${count} gRPC calls: ${told}; the longest took ${longest} ms`;
};

/** The service outside is killed: the last page stays, and is fetched again when it is back. */
export const restartedOutside: Scene = async (target) => {
  const page = () => target.get('ambassador-egress', 5000, '/page.html');
  await target.kill('external-db', 'tls');
  const before = await page();
  if (!before.includes('Hello from external-db')) throw new Error('the page was lost');
  const start = performance.now();
  await within(target, 'the page of after the outage', async () => {
    const now = await page();
    return now !== before && now.includes('Hello from external-db');
  });
  return `external-db killed: the page stayed, and was fetched again after ${since(start)}`;
};

/** The application is killed while a record is on its way to it: the record arrives all the same. */
export const recordOnItsWay: Scene = async (target) => {
  await target.kill('everything', 'web');
  const start = performance.now();
  const post = `const { status } = await fetch('http://127.0.0.1:8181/', { method: 'POST', body: 'order 8' });
if (status !== 202) throw new Error(status);`;
  await target.node('everything', 'proxy', post);
  await within(target, 'the order at the application', async () =>
    (await target.get('everything', 8080, '/sink')).includes('order 8'),
  );
  await startedAgain(target, 'everything', 'web');
  return `web killed, an order posted meanwhile: it waited in the queue and arrived after ${since(start)}`;
};
