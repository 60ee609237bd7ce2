import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  eventually,
  freePort,
  startProgram,
  staysTrueFor,
  temporaryDirectory,
} from '@sidekit/test-kit';
import { stringify } from 'yaml';
import { LeaseServer } from '../testing/lease-server.ts';
import { MAIN } from '../testing/read-plan.ts';

/** Short times, so that a test takes seconds; the clock that counts is the real one. */
const TIMES = { duration: '4s', renewDeadline: '3s', retryPeriod: '200ms' };

/** Records which replica did what, in order. */
async function recorder() {
  const acts: string[] = [];
  const server = createServer((request, response) => {
    acts.push((request.url ?? '').slice(1));
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const dispose = () => {
    server.closeAllConnections();
    server.close();
  };
  return { acts, url: `http://127.0.0.1:${port}`, [Symbol.dispose]: dispose };
}

function sequences(name: string, url: string): object[] {
  const tell = (what: string) => ({
    http: { url: `${url}/${name}-${what}` },
    timeout: '1s',
    repeatable: true,
  });
  return [
    { name: 'gained', when: [{ leadership: 'gained' }], steps: [tell('gained')] },
    { name: 'lost', when: [{ leadership: 'lost' }], steps: [tell('lost')] },
    { name: 'work', when: [{ interval: '100ms' }], leaderOnly: true, steps: [tell('work')] },
  ];
}

/** Starts a replica; its state directory survives a restart, as in a Pod. */
async function replica(
  name: string,
  { directory, api, url }: { directory: string; api: LeaseServer; url: string },
  more: object = {},
) {
  const config = join(directory, `${name}.yaml`);
  const tokenFile = join(directory, `${name}.token`);
  const port = await freePort();
  const election = { lease: 'web', serviceAccount: api.serviceAccount, tokenFile, ...TIMES };
  const plan = {
    stateDir: join(directory, name),
    admin: `127.0.0.1:${port}`,
    leadership: { ...election, ...more },
    sequences: sequences(name, url),
  };
  writeFileSync(config, stringify(plan));
  const program = startProgram(MAIN, ['--config', config], { env: api.environment });
  await program.event('ready');
  const get = async (path: string) => await fetch(`http://127.0.0.1:${port}${path}`);
  return {
    program,
    get,
    token: () => (existsSync(tokenFile) ? Number(readFileSync(tokenFile, 'utf8')) : undefined),
    leads: async () => (await get('/leader')).status === 200,
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

async function setUp() {
  const directory = temporaryDirectory('leadership');
  const api = await LeaseServer.start(directory.path);
  const world = await recorder();
  return {
    api,
    acts: world.acts,
    parts: { directory: directory.path, api, url: world.url },
    [Symbol.asyncDispose]: async () => {
      world[Symbol.dispose]();
      await api[Symbol.asyncDispose]();
      directory.remove();
    },
  };
}

test('one of two replicas leads, and the other follows at once when it stops', async () => {
  await using world = await setUp();
  const { acts, api, parts } = world;
  await using one = await replica('one', parts);
  await eventually(one.leads, { what: 'a leader' });
  assert.equal(one.token(), 1);
  await using two = await replica('two', parts);
  await eventually(() => acts.includes('one-work'), { what: 'work of the leader' });
  await two.program.event('sequence_skipped');
  assert.equal((await two.get('/leader')).status, 404);
  assert.equal((await two.get('/readyz')).status, 200, 'ready without leading');
  assert.equal(two.token(), undefined);
  const metrics = await (await one.get('/metrics')).text();
  assert.match(metrics, /^coordinator_leader 1$/m);
  assert.match(metrics, /^coordinator_leadership_changes_total\{change="gained"\} 1$/m);

  const held = api.spec;
  assert.match(String(held.renewTime), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  assert.equal(held.leaseDurationSeconds, 4);
  one.program.kill('SIGTERM');
  assert.deepEqual(await one.program.exited, { code: 0, signal: null });
  assert.equal(one.token(), undefined);
  await eventually(two.leads, { what: 'the second leader', timeout: 3000 });
  assert.equal(two.token(), 2);
  await eventually(() => acts.includes('two-gained'), { what: 'its sequence' });
  assert.ok(!acts.includes('one-lost'), 'a stop is not a loss');
});

test('a killed leader is followed when its lease has ended, and says lost at its restart', async () => {
  await using world = await setUp();
  const { acts, parts } = world;
  await using one = await replica('one', parts);
  await eventually(() => acts.includes('one-gained'), { what: 'a leader' });
  await using two = await replica('two', parts);
  one.program.kill('SIGKILL');
  const start = performance.now();
  await eventually(two.leads, { what: 'the second leader' });
  assert.ok(performance.now() - start > 3000, 'not before the first could have ended');
  await using again = await replica('one', parts);
  await eventually(() => acts.includes('one-lost'), { what: 'the end of the first term' });
  assert.equal(again.token(), undefined, 'no token of an earlier process');
  assert.equal(await again.leads(), false);
});

test('a leader that was stopped by SIGSTOP beyond its lease does nothing afterwards', async () => {
  await using world = await setUp();
  const { acts, parts } = world;
  await using one = await replica('one', parts);
  await eventually(() => acts.includes('one-work'), { what: 'work of the first leader' });
  await using two = await replica('two', parts);
  one.program.kill('SIGSTOP');
  await eventually(() => acts.includes('two-work'), { what: 'work of the second leader' });
  const before = acts.length;
  one.program.kill('SIGCONT');
  await one.program.event('leadership_lost');
  await eventually(() => acts.includes('one-lost'), { what: 'the sequence for the loss' });
  const works = () => !acts.slice(before).includes('one-work');
  await staysTrueFor(works, 1000, { what: 'no work of the former leader' });
  assert.equal(await one.leads(), false);
  assert.equal(one.token(), undefined);
  assert.equal(two.token(), 2);
});

test('an API that fails, is silent or refuses ends the term in time, with a reason and a remedy', async () => {
  await using world = await setUp();
  const { api, parts } = world;
  await using one = await replica('one', parts, { ready: true });
  const ready = async () => (await one.get('/readyz')).status === 200;
  for (const [fault, pattern] of [
    [() => (api.failWith = 503), /answered 503/],
    [() => (api.failWith = 403), /answered 403: give the service account a Role with get and upd/],
    [() => (api.token = 'token-2'), /answered 401: check the mounted token/],
    [() => (api.failWith = 302), /answered 302/],
    [() => (api.silent = true), /no complete answer within 1500 ms/],
  ] as const) {
    await eventually(one.leads, { what: `a leader before ${pattern}` });
    await eventually(ready, { what: 'readiness of the leader' });
    fault();
    await eventually(async () => !(await one.leads()), { what: `the end of the term: ${pattern}` });
    assert.equal(await ready(), false);
    const lease = async () => {
      const { warnings } = JSON.parse(await (await one.get('/readyz')).text());
      return warnings.find(({ name }: { name: string }) => name === 'lease')?.reason ?? '';
    };
    await eventually(async () => pattern.test(await lease()), { what: `the reason ${pattern}` });
    Object.assign(api, { failWith: 0, token: 'token-1', silent: false });
  }
  await eventually(one.leads, { what: 'a leader at last' });
  assert.ok(Number(one.token()) >= 6, 'a token for each term');
  assert.doesNotMatch(one.program.stderr, /token-[12]/);
});

test('a Lease that is missing is explained, and taken when it appears', async () => {
  await using world = await setUp();
  const { api, parts } = world;
  const { lease } = api;
  api.lease = undefined;
  await using one = await replica('one', parts);
  const failed = await one.program.event('lease_failed');
  assert.match(String(failed.error), /own\/web does not exist: apply it with the manifest/);
  api.lease = lease;
  await eventually(one.leads, { what: 'a leader' });
});

test('without a place for its token, a replica does not lead', async () => {
  await using world = await setUp();
  await using one = await replica('one', world.parts, { tokenFile: '/proc/none/token' });
  await one.program.event('token_file_failed');
  await staysTrueFor(async () => !(await one.leads()), 500, { what: 'no leader' });
  assert.ok(!world.acts.some((act) => act.startsWith('one')));
});

test('outside a cluster an election is refused with a remedy', async () => {
  await using world = await setUp();
  const environment = { KUBERNETES_SERVICE_HOST: '', KUBERNETES_SERVICE_PORT: '' };
  const config = join(world.parts.directory, 'plan.yaml');
  const stateDir = join(world.parts.directory, 'state');
  writeFileSync(
    config,
    stringify({ stateDir, admin: '127.0.0.1:0', leadership: { lease: 'web' } }),
  );
  await using program = startProgram(MAIN, ['--config', config], { env: environment });
  assert.equal((await program.exited).code, 64);
  assert.match(program.stderr, /leadership\.lease.*KUBERNETES_SERVICE_HOST.*run it in a cluster/);
});
