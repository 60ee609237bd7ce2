import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { parse, stringify } from 'yaml';
import { lifecyclePod } from './lifecycle-pod.ts';
import { OwnStore, POD } from './own-store.ts';

// The command line of `pod` itself; a cluster has kubectl.
const local = process.env.POD_ENGINE === 'kube' ? describe.skip : describe;

const serving = (port: number) =>
  `containers: [{name: a, run: a http=${port}, ports: [{name: web, containerPort: ${port}}], readinessProbe: {tcpSocket: {port: ${port}}}}]`;

function service(name: string, spec: object): string {
  return stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec });
}

local('the pod command', { concurrency: 4 }, () => {
  test('every command has a --help, and exits with 0', async () => {
    await using store = new OwnStore();
    const commands = ['up', 'ps', 'logs', 'exec', 'events', 'volumes', 'check', 'debug', 'down'];
    for (const command of commands) {
      const help = await store.pod(command, '--help');
      assert.match(help, new RegExp(`^pod ${command}\\b`));
      assert.ok((await store.pod('--help')).includes(help), command);
    }
    assert.match(await store.pod('--version'), /^\d+\.\d+\.\d+/);
  });

  test('all faults of a call are reported at once with the nearest valid name, and it exits with 64', async () => {
    await using store = new OwnStore();
    const wrong = async (words: readonly string[], message: RegExp) => {
      const { code, stderr } = await store.try(words);
      assert.equal(code, 64, `${words.join(' ')}: ${stderr}`);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n +at /, 'no stack trace');
    };
    await wrong(['upp', 'x.yaml'], /upp.*is not a command.*did you mean up\?/s);
    await wrong(['delete', 'web'], /delete is not a command: use pod down POD/);
    await wrong(['up', '--tiemout', '1s', 'x.yaml'], /--tiemout.*did you mean --timeout\?/s);
    await wrong(
      ['up', '--timeout', 'soon', '--backoff-base', 'x', 'y'],
      /--timeout.*--backoff-base/s,
    );
    await wrong(['up'], /FILE is missing/);
    await wrong(['up', 'nowhere.yaml'], /nowhere\.yaml.*cannot be read/s);
    await wrong(
      ['up', '--engine', 'rkt', store.file('p.yaml', lifecyclePod('x', serving(1)))],
      /docker or podman/,
    );
    await wrong(['logs'], /POD is missing/);
    await wrong(['logs', 'web'], /no Pod web/);
    await wrong(['down'], /POD is missing/);
    await wrong(['down', 'web'], /no Pod web: there is none/);
    await wrong(['exec', 'web'], /COMMAND is missing/);
    await wrong(['ps', '-o', 'yaml'], /--output.*must be json/s);
  });

  test('all faults of all files are reported at once, nothing is started, and it exits with 64', async () => {
    await using store = new OwnStore();
    const faulty =
      'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: a}]}\n';
    const broken = store.file('broken.yaml', 'kind: Pod\n  metadata: [\n');
    const { code, stderr } = await store.try(['up', '-', broken], faulty);
    assert.equal(code, 64);
    assert.match(stderr, /^stdin:4:\d+: Pod x: spec\.containers\[0\]\.image: is missing$/m);
    assert.match(stderr, /broken\.yaml:1:\d+: /);
    assert.match(stderr, /^pod: nothing was started: \d+ faults$/m);
    assert.match((await store.try(['check', broken])).stderr, /^pod: \d+ faults?$/m);
    assert.deepEqual(readdirSync(join(store.directory, 'pods')), []);
  });

  test('ps shows what kubectl shows; -o json gives its list of Pods', async () => {
    await using store = new OwnStore();
    await store.pod('up', store.file('ps.yaml', lifecyclePod('lc-ps', serving(8080))));
    assert.match(
      await store.pod('ps'),
      /^NAME +READY +STATUS +RESTARTS +AGE +IP\nlc-ps +1\/1 +Running +0 +\d+s +[\d.]+\n$/,
    );
    const { kind, items } = JSON.parse(await store.pod('ps', '-o', 'json'));
    assert.equal(kind, 'List');
    const [{ metadata, spec, status }] = items;
    assert.equal(metadata.name, 'lc-ps');
    assert.equal(spec.containers[0].name, 'a');
    assert.equal(status.phase, 'Running');
    assert.equal(status.qosClass, 'BestEffort');
    assert.deepEqual(
      status.conditions.map(({ type, status: value }: Record<string, string>) => [type, value]),
      ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => [type, 'True']),
    );
    const [a] = status.containerStatuses;
    assert.match(a.containerID, /^(docker|podman):\/\/[0-9a-f]{64}$/);
    assert.ok(Date.parse(a.state.running.startedAt) >= Date.parse(status.startTime));
    assert.deepEqual([a.ready, a.started, a.restartCount, a.lastState], [true, true, 0, {}]);
  });

  test('logs of all containers have their names in front; -f continues over a restart', async () => {
    await using store = new OwnStore();
    const spec = `
restartPolicy: OnFailure
containers:
- {name: short, run: "short fail-runs=1,3 exit=300,0"}
- {name: longer, run: "longer exit=1500,0"}`;
    const path = store.file('logs.yaml', lifecyclePod('lc-logs', spec));
    await store.pod('up', path, '--timeout', '1ms').catch(() => {});
    const followed = await store.pod('logs', 'lc-logs', '-f');
    assert.match(followed, /^longer \| \d+\.\d+ longer starts$/m);
    assert.match(followed, /^short {2}\| \d+\.\d+ short exits with 3$/m);
    assert.match(followed, /^short {2}\| \d+\.\d+ short exits with 0$/m);
    assert.match(
      await store.pod('logs', 'lc-logs', '-c', 'short', '--previous'),
      /short exits with 3/,
    );
    const { code, stderr } = await store.try(['logs', 'lc-logs', '-c', 'shrt']);
    assert.equal(code, 64);
    assert.match(stderr, /no container shrt .*did you mean short\?/);
  });

  test('logs prints every line and byte of a flood, followed or not, also after its end', async () => {
    await using store = new OwnStore();
    const program = `let text = Buffer.from(Array.from({ length: 50000 }, (_, i) => 'line ' + i + '\\r\\n').join(''));
      while (text.length > 0) text = text.subarray(require('fs').writeSync(1, text))`;
    const words = ['/nodejs/bin/node', '-e', program.replaceAll(/\n\s*/g, ' ')];
    const spec = `
restartPolicy: Never
containers:
- {name: flood, command: ${JSON.stringify(words)}}
- {name: other, run: "other exit=0,0"}`;
    const path = store.file('flood.yaml', lifecyclePod('lc-flood', spec));
    await store.pod('up', path, '--timeout', '1ms').catch(() => {});
    const wanted = Array.from({ length: 50_000 }, (_, i) => `line ${i}\r\n`).join('');
    const alone = ['logs', 'lc-flood', '-c', 'flood'];
    assert.equal(await store.pod(...alone, '-f'), wanted, 'while it runs');
    assert.equal(await store.pod(...alone, '-f'), wanted, 'after its end');
    assert.equal(await store.pod(...alone), wanted);
    for (const more of [[], ['-f']]) {
      const both = await store.pod('logs', 'lc-flood', ...more);
      assert.equal(both.match(/^flood \| line \d+\r$/gm)?.length, 50_000, more.join());
    }
    assert.equal(await store.pod(...alone, '-f', '--tail', '2'), 'line 49998\r\nline 49999\r\n');
  });

  test('exec returns the exit code of the command; events show the timeline in milliseconds', async () => {
    await using store = new OwnStore();
    await store.pod('up', store.file('exec.yaml', lifecyclePod('lc-exec', serving(8080))));
    const node = ['lc-exec', '--', '/nodejs/bin/node', '-e'];
    const { code, stdout } = await store.try([
      'exec',
      ...node,
      'console.log(1 + 1); process.exit(3)',
    ]);
    assert.deepEqual([code, stdout], [3, '2\n']);
    assert.match(
      await store.pod('events', 'lc-exec'),
      /^TIME +CONTAINER +REASON +MESSAGE\n\+0\.\d{3}s +a +Started/,
    );
    const [first] = JSON.parse(await store.pod('events', 'lc-exec', '-o', 'json'));
    assert.equal(first.reason, 'Started');
  });

  test('up exits with 0 for a Pod that completes, 70 for one that fails, 69 for one that is not Ready in time', async () => {
    await using store = new OwnStore();
    const up = (name: string, spec: string, ...words: string[]) =>
      store.try(['up', store.file(`${name}.yaml`, lifecyclePod(name, spec)), ...words]);
    const ends = (code: number) =>
      `restartPolicy: Never\ncontainers: [{name: a, run: "a exit=50,${code}"}]`;
    const [good, bad] = await Promise.all([up('lc-up-good', ends(0)), up('lc-up-bad', ends(4))]);
    assert.equal(good.code, 0, good.stdout);
    assert.equal(bad.code, 70);
    assert.match(bad.stdout, /lc-up-bad: failed: container a exited with 4 \(Error\)/);
    const late = 'containers: [{name: a, run: a, readinessProbe: {tcpSocket: {port: 9}}}]';
    assert.equal((await up('lc-up-late', late, '--timeout', '1ms')).code, 69);
    await eventually(async () => /lc-up-late +0\/1 +Running/.test(await store.pod('ps')), {
      what: 'it runs',
      interval: 200,
    });
    const { code, stdout } = await up('lc-up-late', late, '--timeout', '100ms');
    assert.equal(code, 69);
    assert.match(stdout, /lc-up-late: not Ready within 0\.1 s: container a runs but is not ready/);
  });

  test('a missing image is reported at once, and it exits with 70', async () => {
    await using store = new OwnStore();
    const manifest = stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'lc-no-image' },
      spec: { containers: [{ name: 'a', image: 'sidekit/nowhere:1', imagePullPolicy: 'Never' }] },
    });
    const { code, stdout } = await store.try(['up', store.file('image.yaml', manifest)]);
    assert.equal(code, 70);
    assert.match(stdout, /ErrImageNeverPull .*sidekit\/nowhere:1/);
  });

  test('a Service is reached on 127.0.0.1 by its nodePort, and by its name from other Pods', async () => {
    await using store = new OwnStore();
    const nodePort = await freePort(30_000, 32_767);
    const web = lifecyclePod('lc-web', serving(8080)).replace(
      'name: lc-web',
      'name: lc-web\n  labels: {app: web}',
    );
    const ports = [{ name: 'web', port: 80, targetPort: 'web', nodePort }];
    const client = lifecyclePod('lc-client', 'containers: [{name: c, run: c}]');
    const all = [
      web,
      service('web', { type: 'NodePort', selector: { app: 'web' }, ports }),
      client,
    ];
    const output = await store.pod('up', store.file('service.yaml', all.join('---\n')));
    assert.match(output, new RegExp(`^web/web +http://127\\.0\\.0\\.1:${nodePort}$`, 'm'));
    assert.match(output, /^note: other Pods reach Service web as web:8080/m);
    assert.equal((await fetch(`http://127.0.0.1:${nodePort}/`)).status, 200);
    const ask =
      "fetch('http://web.default.svc.cluster.local:8080').then(({status}) => console.log(status))";
    assert.equal(
      await store.pod('exec', 'lc-client', '--', '/nodejs/bin/node', '-e', ask),
      '200\n',
    );
    const { code, stderr } = await store.try(
      ['up', '-'],
      all.join('---\n').replaceAll('lc-web', 'lc-wex').replaceAll('\n  name: web', '\n  name: wex'),
    );
    assert.equal(code, 70, stderr);
    assert.match(stderr, new RegExp(`nodePort ${nodePort} of 127\\.0\\.0\\.1 is taken`));
  });

  test('a hostPort is reached on this machine; a taken one fails the Pod with a message', async () => {
    await using store = new OwnStore();
    const port = await freePort();
    const spec = serving(8080).replace(
      'containerPort: 8080',
      `containerPort: 8080, hostPort: ${port}`,
    );
    const output = await store.pod('up', store.file('host.yaml', lifecyclePod('lc-host', spec)));
    assert.match(output, new RegExp(`^lc-host:8080 +http://127\\.0\\.0\\.1:${port}$`, 'm'));
    assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200);
    const { code, stdout } = await store.try(['up', '-'], lifecyclePod('lc-host-too', spec));
    assert.equal(code, 70, stdout);
    assert.match(stdout, new RegExp(`lc-host-too: failed: .*${port}`));
  });

  test('a CronJob runs once, and a note says so', async () => {
    await using store = new OwnStore();
    const pod = parse(
      lifecyclePod(
        'lc-cron',
        'restartPolicy: OnFailure\ncontainers: [{name: a, run: "a exit=50,0"}]',
      ).split('---')[0] ?? '',
    );
    const [, toolbox] = lifecyclePod('lc-cron', 'containers: []').split('---\n');
    const cron = {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'hello' },
      spec: { schedule: '* * * * *', jobTemplate: { spec: { template: { spec: pod.spec } } } },
    };
    const output = await store.pod(
      'up',
      store.file('cron.yaml', [stringify(cron), toolbox].join('---\n')),
    );
    assert.match(output, /^note: CronJob hello: its Job runs once, now/m);
    assert.match(await store.pod('ps'), /hello-\w{5} +0\/1 +Completed/);
  });

  test('a terminal gets a live line a container, without escape sequences elsewhere', async () => {
    await using store = new OwnStore();
    const path = store.file('live.yaml', lifecyclePod('lc-live', serving(8080)));
    assert.doesNotMatch(await store.pod('up', path), /\x1b/);
    await store.pod('down', 'lc-live');
    // script(1) of util-linux runs it on a terminal of its own.
    const child = spawn('script', ['-qec', `${POD} up ${path}`, '/dev/null'], {
      env: store.env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
    assert.equal(await new Promise((resolve) => child.once('close', resolve)), 0);
    assert.match(output, /✔.* lc-live\/a +ready/);
  });

  test('--foreground stays until Ctrl-C, and then ends the Pod', async () => {
    await using store = new OwnStore();
    const path = store.file('fore.yaml', lifecyclePod('lc-fore', serving(8080)));
    const up = spawn(POD, ['up', '--foreground', path], { env: store.env, stdio: 'ignore' });
    const ended = new Promise((resolve) => up.once('close', resolve));
    await eventually(async () => /1\/1 +Running/.test(await store.pod('ps')), {
      what: 'Ready',
      interval: 200,
    });
    up.kill('SIGINT');
    assert.equal(await ended, 130);
    assert.match(await store.pod('ps'), /^no Pods/);
  });
});

/** Finds a free port of a range; any by default. */
async function freePort(first = 0, last = 0): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const free = await tryPort(first + Math.floor(Math.random() * (last - first + 1)));
    if (free !== undefined) return free;
  }
  throw new Error(`no port from ${first} to ${last} is free`);
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}
