import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { command, must } from '../engine/command.ts';
import { lifecyclePod } from './lifecycle-pod.ts';
import { OwnStore, POD } from './own-store.ts';

// The command line of `pod` itself; a cluster has other tools for it.
const local = process.env.POD_ENGINE === 'kube' ? test.skip : test;
const { POD_ENGINE: engine = 'podman' } = process.env;
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const patience = { timeout: 120_000, interval: 200 };

/** A Pod that serves its files, with a ConfigMap mounted. */
function pod(name: string, greeting: string, more = ''): string {
  const spec = `
terminationGracePeriodSeconds: 1
volumes: [{name: settings, configMap: {name: ${name}-settings}}]
containers:
- name: a
  run: a
  volumeMounts: [{name: settings, mountPath: /settings}]
  ${more}`;
  const settings = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}-settings}\ndata: {greeting: ${greeting}}\n`;
  return lifecyclePod(name, spec, settings);
}

/** `pod up --watch` of files, and what it has printed. */
function watching(store: OwnStore, ...files: string[]) {
  const child = spawn(POD, ['up', '--watch', '--timeout', '240s', ...files], {
    env: store.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const state = { output: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (state.output += text));
  }
  return {
    ended,
    interrupt: () => child.kill('SIGINT'),
    prints: (pattern: RegExp) =>
      eventually(() => pattern.test(state.output), { what: String(pattern), ...patience }).catch(
        (error) => {
          throw new Error(`${error.message} in ${state.output}`);
        },
      ),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

local(
  'up --watch applies files again, reports faults, removes what is gone, and ends with Ctrl-C',
  async () => {
    await using store = new OwnStore();
    const file = store.file('watch.yaml', pod('lc-watch', 'hello'));
    const other = store.file('other.yaml', pod('lc-watch-other', 'x'));
    await using up = watching(store, file, other);
    await up.prints(/watching for changes/);
    const read = () =>
      store.pod(
        'exec',
        'lc-watch',
        '--',
        '/nodejs/bin/node',
        '-p',
        "fs.readFileSync('/settings/greeting', 'utf8')",
      );
    const uid = () =>
      readFileSync(join(store.directory, 'pods/lc-watch/record.json'), 'utf8').match(
        /"uid":"([^"]+)"/,
      )?.[1];
    const first = uid();
    assert.equal(await read(), 'hello\n');

    writeFileSync(file, pod('lc-watch', 'goodbye'));
    await eventually(async () => (await read()) === 'goodbye\n', {
      what: 'the new file',
      ...patience,
    });
    assert.equal(uid(), first, 'a changed ConfigMap replaces no Pod');

    writeFileSync(file, 'kind: Pod\n  broken: [');
    await up.prints(/watch\.yaml:\d+:\d+: .*nothing was changed; waiting for the next change/s);
    assert.match(await store.pod('ps'), /lc-watch +1\/1 +Running/);

    writeFileSync(file, pod('lc-watch', 'goodbye', 'env: [{name: NEW, value: "1"}]'));
    await eventually(
      async () => uid() !== first && /lc-watch +1\/1 +Running/.test(await store.pod('ps')),
      { what: 'the changed Pod is replaced', ...patience },
    );

    writeFileSync(other, pod('lc-watch-new', 'x'));
    await up.prints(/lc-watch-other: removed, no longer wanted/);
    await eventually(async () => /lc-watch-new +1\/1 +Running/.test(await store.pod('ps')), {
      what: 'the new Pod runs',
      ...patience,
    });
    up.interrupt();
    assert.equal(await up.ended, 130);
    assert.match(await store.pod('ps'), /^no Pods/);
  },
);

local('up --watch replaces a Pod whose image was built again, and watches a folder', async () => {
  await using store = new OwnStore();
  const image = `localhost/sidekit-watch-test:${process.pid}`;
  const build = async (label: string) => {
    const { code, stderr } = await command(engine, ['build', '-q', '-t', image, '-'], {
      input: `FROM sidekit/wait-for:${version}\nLABEL test=${label}\n`,
    });
    assert.equal(code, 0, stderr);
  };
  await build('one');
  try {
    const manifest = pod('lc-image', 'x').replace(`sidekit/wait-for:${version}`, image);
    store.file('manifest.yaml', manifest);
    await using up = watching(store, store.directory);
    await up.prints(/watching for changes/);
    await build('two');
    await up.prints(/lc-image: replaced, its image has changed/);
    await eventually(async () => /lc-image +1\/1 +Running/.test(await store.pod('ps')), {
      what: 'the new one runs',
      ...patience,
    });
    const second = store.file('second.yaml', pod('lc-image-two', 'x'));
    await eventually(async () => /lc-image-two +1\/1 +Running/.test(await store.pod('ps')), {
      what: 'a new file is applied',
      ...patience,
    });
    rmSync(second);
    await up.prints(/lc-image-two: removed, no longer wanted/);
  } finally {
    await store.pod('down', '--all', '--grace-period', '1s');
    await must(engine, ['rmi', '-f', image]);
  }
});

local('what cannot be watched is refused', async () => {
  await using store = new OwnStore();
  const { code, stderr } = await store.try(['up', '--watch', '-', 'https://example.com/s3cret']);
  assert.equal(code, 64);
  assert.match(stderr, /stdin cannot be watched.*a URL cannot be watched/s);
  assert.doesNotMatch(stderr, /s3cret/);
});
