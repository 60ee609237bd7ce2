import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import type { PodStatus } from '../engine/engine.ts';
import { type Session, testEngine } from '../engine/index.ts';
import { lifecycle } from './lifecycle-pod.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

/**
 * Applies a manifest as Kubernetes' documentation has it; only the images are ours, which have
 * Node instead of a shell.
 */
async function documented(name: string): Promise<Session> {
  const text = readFileSync(`test/lifecycle/documented/${name}.yaml`, 'utf8');
  const directory = mkdtempSync(join(tmpdir(), 'sidekit-documented-'));
  const path = join(directory, `${name}.yaml`);
  writeFileSync(path, text.replaceAll(/(sidekit\/[\w-]+):[\d.]+/g, `$1:${version}`));
  try {
    return await testEngine().apply(path, { security: 'privileged', keepEvidence: false });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const exitCodes = ({ status }: PodStatus) =>
  status.containerStatuses?.map(({ state }) => state.terminated?.exitCode);

lifecycle("examples of Kubernetes' documentation", () => {
  test('two containers share a volume: one writes the page and ends, the other serves it', async () => {
    await using session = await documented('two-containers');
    const done = ({ status }: PodStatus) =>
      status.containerStatuses?.find(({ name }) => name === 'debian-container')?.state.terminated;
    await session.when('two-containers', 'has its page', (pod) => Boolean(done(pod)));
    const { status, body } = await eventually(
      () => session.http('two-containers', 8080, '/index.html'),
      { what: 'the page', interval: 300 },
    );
    assert.deepEqual([status, body], [200, 'Hello from the debian container']);
    assert.equal((await session.status('two-containers')).status.phase, 'Running');
  });

  test('two streaming sidecars print one log file each', async () => {
    await using session = await documented('counter');
    await session.ready('counter');
    await session.logged('counter', 'count-log-1', /5: first/);
    await session.logged('counter', 'count-log-2', /INFO 5/);
  });

  test('a Deployment with a log shipper as its sidecar', async () => {
    await using session = await documented('myapp');
    const { metadata } = await session.ready('myapp');
    assert.equal(metadata.labels?.app, 'myapp');
    await session.logged('myapp', 'logshipper', /logging/);
  });

  test('a Job completes though its sidecar would run for ever, and loses no line', async () => {
    await using session = await documented('myjob');
    const pod = await session.completed('myjob');
    assert.equal(pod.status.phase, 'Succeeded');
    assert.match(await session.finalLog('myjob', 'logshipper'), /logging/);
    assert.equal(pod.metadata.labels?.['job-name'], 'myjob');
  });

  test('an init container prepares the page that the application serves', async () => {
    await using session = await documented('init-demo');
    await session.ready('init-demo');
    const { body } = await eventually(() => session.http('init-demo', 8080, '/index.html'), {
      what: 'the page',
      interval: 300,
    });
    assert.match(body, /\d{2}:\d{2}/);
  });

  test('handlers of lifecycle events: postStart by exec, preStop by httpGet', async () => {
    await using session = await documented('lifecycle-demo');
    await session.ready('lifecycle-demo');
    const { body } = await eventually(() => session.http('lifecycle-demo', 8080, '/message'), {
      what: 'the message',
      interval: 300,
    });
    assert.equal(body, 'Hello from the postStart handler');
    await session.remove('lifecycle-demo');
  });

  test('a liveness command that fails restarts the container', async () => {
    await using session = await documented('liveness-exec');
    const restarted = ({ status }: PodStatus) =>
      (status.containerStatuses?.[0]?.restartCount ?? 0) >= 1;
    const { status } = await session.when('liveness-exec', 'was restarted', restarted);
    assert.equal(status.phase, 'Running');
  });

  test('startup, liveness and readiness probes over HTTP and TCP, by the names of ports', async () => {
    await using session = await documented('liveness-http');
    const { status } = await session.ready('liveness-http');
    assert.deepEqual(
      status.containerStatuses?.map(({ restartCount, started }) => [restartCount, started]),
      [[0, true]],
    );
  });

  test('the downward API describes the Pod in files and variables', async () => {
    await using session = await documented('downward');
    assert.deepEqual(exitCodes(await session.completed('downward')), [0]);
    const { annotations, ...fields } = JSON.parse(
      await session.finalLog('downward', 'client-container'),
    );
    assert.deepEqual(fields, {
      labels: 'cluster="test-cluster1"\nzone="us-est-coast"',
      cpu: '250',
      memory: '32',
      name: 'downward',
      namespace: true,
      ip: true,
      account: 'default',
      request: String(32 * 2 ** 20),
      limit: '1',
    });
    // A cluster adds annotations of its own, kubectl apply's first of all.
    assert.match(annotations, /^build="two"\nbuilder="john-doe"/);
  });

  test('containers that share the process namespace see each other', async () => {
    await using session = await documented('share-processes');
    await session.ready('share-processes');
    // A process that has ended meanwhile, such as the engine's for this one, is left out.
    const program = `
      for (const pid of fs.readdirSync('/proc').filter(Number)) {
        try { console.log(fs.readFileSync('/proc/' + pid + '/cmdline', 'utf8')) } catch {}
      }`;
    const argv = ['/nodejs/bin/node', '-e', program];
    // The first one names itself once it runs.
    await eventually(
      async () => {
        const { stdout } = await session.exec('share-processes', 'shell', argv);
        return [/webapp/, /setInterval/, /\/pause/].every((one) => one.test(stdout));
      },
      { what: 'all processes are listed' },
    );
  });

  test('a projected volume puts a Secret, the downward API and a ConfigMap in one directory', async () => {
    await using session = await documented('projected');
    assert.deepEqual(exitCodes(await session.completed('projected')), [0]);
    const lines = (await session.finalLog('projected', 'container-test')).trim().split('\n');
    assert.deepEqual(lines.slice(-4), [
      'labels 644 app="volume-test"',
      'my-group/my-username 644 admin',
      'my-group/my-config 644 some configuration',
      'EROFS',
    ]);
  });

  test('two containers share one volume by subPath, each its own part', async () => {
    await using session = await documented('my-lamp-site');
    assert.deepEqual(exitCodes(await session.completed('my-lamp-site')), [0, 0]);
    assert.equal((await session.finalLog('my-lamp-site', 'mysql')).trim(), 'table');
    assert.equal((await session.finalLog('my-lamp-site', 'php')).trim(), 'page');
  });

  test('a security context: user, groups, capabilities, a read-only root, a sysctl', async () => {
    await using session = await documented('security-context');
    assert.deepEqual(exitCodes(await session.completed('security-context')), [0]);
    assert.deepEqual(JSON.parse(await session.finalLog('security-context', 'sec-ctx-demo')), {
      user: 1000,
      group: 3000,
      groups: [2000, 3000, 4000],
      file: [1000, 2000],
      privileges: '1',
      // An added one stays in the bounding set; it is neither effective nor ambient.
      capabilities: ['0000000000000400', '0000000000000000', '0000000000000000'],
      root: 'EROFS',
      sysctl: '443',
    });
  });

  test('a ConfigMap gives variables, arguments and files', async () => {
    await using session = await documented('configmap-demo');
    assert.deepEqual(exitCodes(await session.completed('configmap-demo')), [0]);
    assert.equal(
      await session.finalLog('configmap-demo', 'demo'),
      '3 user-interface.properties 3,$(PLAYER_INITIAL_LIVES),$(NOWHERE) game.properties,user-interface.properties enemy.types=aliens,monsters\nplayer.maximum-lives=5\n\n',
    );
  });

  test('each example has its test', () => {
    const tests = readFileSync(import.meta.filename, 'utf8');
    const names = globSync('test/lifecycle/documented/*.yaml').map((path) =>
      basename(path, '.yaml'),
    );
    assert.deepEqual(
      names.filter((name) => !tests.includes(`documented('${name}')`)),
      [],
    );
  });
});
