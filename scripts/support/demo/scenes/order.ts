import { readFileSync } from 'node:fs';
import { CommandError } from '../../run.ts';
import { within } from '../within.ts';
import { type Scene, since, startedAgain, without } from './scene.ts';

/** The Services are late: the Pod waits for them in its init containers. */
export const lateServices: Scene = async (target, path) => {
  await target.begin(without(readFileSync(path, 'utf8'), 'myservice', 'mydb'));
  await within(target, 'init-myservice at its wait', async () =>
    (await target.logs('myapp-pod', 'init-myservice')).includes('myservice'),
  );
  const start = performance.now();
  await target.up(path);
  return `myservice and mydb were missing: myapp waited in its init containers, and was Ready ${since(start)} after they were applied`;
};

/** The data has been tampered with: its checksum keeps the application from starting with it. */
export const tamperedData: Scene = async (target, path) => {
  const manifest = readFileSync(path, 'utf8');
  await target.begin(manifest.replace('"price": 3', '"price": 0'));
  await within(target, 'the refusal', async () =>
    /"level":"(warn|error)".*sha256/.test(await target.logs('data-loader', 'loader')),
  );
  const start = performance.now();
  await target.up(path);
  return `data with a wrong checksum: refused, and the application did not start; with the right data it was Ready after ${since(start)}`;
};

/** The sidecar of a Job is killed while the work waits for it. */
export const killedSidecar: Scene = async (target, path) => {
  const job = 'job-with-sidecar';
  await target.begin(without(readFileSync(path, 'utf8'), 'products'));
  await within(target, 'the loader at work', async () =>
    (await target.logs(job, 'loader')).includes('starting'),
  );
  await target.kill(job, 'proxy');
  await startedAgain(target, job, 'proxy');
  const start = performance.now();
  await target.up(path);
  return `proxy killed while the Job ran and products was missing: it was started again, and the Job completed ${since(start)} after products was applied`;
};

/** A native sidecar is killed: it comes back alone. */
export const killedNativeSidecar: Scene = async (target) => {
  await target.kill('coordination', 'writer');
  const after = await startedAgain(target, 'coordination', 'writer');
  await within(target, 'its health file', async () => {
    const health = JSON.parse(await target.get('coordination', 5000, '/writer.json'));
    return health.ready.status === 'ok';
  });
  const app = await target.restarts('coordination', 'app');
  if (app > 0) throw new Error(`the application was restarted ${app} times`);
  return `writer, a native sidecar, killed: started again after ${after}, and app went on without a restart`;
};

/** The worker is killed before the plan is needed: the plan pauses and resumes the new process. */
export const killedWorker: Scene = async (target, path) => {
  const manifest = readFileSync(path, 'utf8');
  await target.kill('coordinator', 'worker');
  await startedAgain(target, 'coordinator', 'worker');
  await target.apply(manifest.replace('greeting = Hello', 'greeting = Goodbye'));
  const start = performance.now();
  await within(target, 'the plan', async () =>
    /"event":"sequence_succeeded"/.test(await target.logs('coordinator', 'coordinator')),
  );
  const settings = await target.get('coordinator', 5000, '/settings');
  if (!settings.includes('Goodbye')) throw new Error('the application has its old settings');
  return `worker killed, then the settings changed: the plan paused the new worker, reloaded app and resumed it after ${since(start)}`;
};

/** Takes memory until the container's limit, or says that there is none. */
const GREEDY = `if (process.constrainedMemory() > 2 ** 40) console.log('no limit');
else for (const kept = []; kept.length < 64; ) kept.push(Buffer.alloc(2 ** 24, 1));`;

/** A process that takes more than its container's limit is killed, and nobody else. */
export const greedyProcess: Scene = async (target) => {
  const killed = await target.node('resources', 'writer', GREEDY).then(
    (said) => (said.includes('no limit') ? 'this machine sets no limits' : undefined),
    (error: unknown) => {
      if (error instanceof CommandError && error.code === 137) return '';
      throw error;
    },
  );
  if (killed === undefined) throw new Error('a process took more than the limit of its container');
  if (killed !== '') return killed;
  const others = await Promise.all(
    ['web', 'proxy'].map((container) => target.restarts('resources', container)),
  );
  if (others.some((count) => count > 0)) throw new Error('another container was killed');
  return 'a process in writer took more than its 128Mi: it was killed (137), web and proxy were not';
};
