import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { PosixMQ, unlinkQueue } from '@sidekit/posix-mq';
import { removeSemaphore, Segment, Semaphore, unlinkSegment } from '@sidekit/shared-memory';
import {
  eventually,
  freePort,
  startProgram,
  TestProcess,
  temporaryDirectory,
} from '@sidekit/test-kit';

const main = new URL('../main.ts', import.meta.url);
const fast = ['--interval', '20ms'];

function listen(server: Server, port = 0): Promise<number> {
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

test('a port that opens later is waited for, and said', async () => {
  const port = await freePort();
  await using program = startProgram(main, [`tcp:127.0.0.1:${port}`, ...fast]);
  await eventually(() => program.stderr.includes('ECONNREFUSED'), { what: 'a first refusal' });
  // The name by which neighbours in a shared process namespace find it.
  assert.equal(readFileSync(`/proc/${program.child.pid}/comm`, 'utf8'), 'wait-for\n');
  const server = createTcpServer();
  await listen(server, port);
  assert.equal((await program.exited).code, 0);
  assert.match(program.stderr, /wait-for: tcp:127\.0\.0\.1:\d+: there after/);
  server.close();
});

test('a URL must answer with the status and body that are asked for', async () => {
  let body = 'starting';
  const server = createServer((_request, response) =>
    response.writeHead(body === 'ready' ? 201 : 503).end(body),
  );
  const port = await listen(server);
  await using program = startProgram(main, [
    `http://127.0.0.1:${port}/`,
    '--status',
    '201',
    '--body',
    '^rea',
    ...fast,
  ]);
  await eventually(() => program.stderr.includes('status 503'), { what: 'a first 503' });
  body = 'ready';
  assert.equal((await program.exited).code, 0);
  server.close();
});

test('a range of statuses counts, and a wrong one is bad usage', async () => {
  const server = createServer((_request, response) => response.writeHead(204).end()).unref();
  const port = await listen(server);
  const once = ['--once', `http://127.0.0.1:${port}/`, '--status'];
  await using range = startProgram(main, [...once, '200-299', '--status', '404']);
  assert.equal((await range.exited).code, 0, range.stderr);
  await using other = startProgram(main, [...once, '205-299', '--status', '404']);
  assert.equal((await other.exited).code, 69);
  assert.match(other.stderr, /status 204/);
  for (const wrong of ['299-200', '20', '2xx', '600', '200-']) {
    await using program = startProgram(main, [...once, wrong]);
    assert.equal((await program.exited).code, 64, wrong);
    assert.match(
      program.stderr,
      /must be a status from 100 to 599 or a range: write 204 or 200-299/,
    );
  }
  server.close();
});

test('a queue is waited for until another process creates it', async () => {
  const name = `/wait-for-test-${process.pid}`;
  await using program = startProgram(main, [`mq:${name}`, ...fast]);
  await eventually(() => program.stderr.includes('no such queue yet'), { what: 'a first try' });
  const queue = await PosixMQ.open({ name, create: true });
  try {
    assert.equal((await program.exited).code, 0);
  } finally {
    queue.close();
    await unlinkQueue(name);
  }
});

test('a segment and a semaphore are waited for until another process creates them', async () => {
  const name = `/wait-for-test-${process.pid}`;
  const key = 0x5eed0000 + (process.pid & 0xffff);
  await using program = startProgram(main, [`shm:${name}`, `sem:${key}`, ...fast]);
  await eventually(() => /no such segment yet.*no such semaphore yet/s.test(program.stderr), {
    what: 'a first try',
  });
  using _segment = await Segment.open({ name, create: true, size: 4096 });
  await Semaphore.open({ key, create: true });
  try {
    assert.equal((await program.exited).code, 0, program.stderr);
  } finally {
    unlinkSegment(name);
    await removeSemaphore(key);
  }
});

test('files and names are waited for', async () => {
  using directory = temporaryDirectory('wait-for');
  const path = join(directory.path, 'ok');
  await using program = startProgram(main, [`file:${path}`, 'dns:localhost', ...fast]);
  await eventually(() => program.stderr.includes('no such file yet'), { what: 'a first try' });
  writeFileSync(path, '');
  assert.equal((await program.exited).code, 0);
});

test('a target that is not there in time ends the wait with 69 and the reason', async () => {
  const port = await freePort();
  await using program = startProgram(main, [
    `tcp:127.0.0.1:${port}`,
    '--timeout',
    '100ms',
    ...fast,
  ]);
  assert.equal((await program.exited).code, 69);
  assert.match(
    program.stderr,
    /timed out after .*: tcp:127\.0\.0\.1:\d+: (connect ECONNREFUSED|no answer in time)/,
  );
});

for (const [signal, number] of [
  ['SIGTERM', 15],
  ['SIGINT', 2],
] as const) {
  test(`${signal} ends the wait at once, with 128 + its number, and nothing after it runs`, async () => {
    const port = await freePort();
    const target = `tcp:127.0.0.1:${port}`;
    await using program = startProgram(main, [target, '--timeout', '0', '--', 'echo', 'ran']);
    await eventually(() => program.stderr.includes('ECONNREFUSED'), { what: 'a first try' });
    program.kill(signal);
    assert.equal((await program.exited).code, 128 + number);
    assert.match(program.stderr, new RegExp(`stopped by ${signal}`));
    assert.equal(program.stdout, '');
  });
}

test('the command takes the place of the process, with its arguments and exit code', async () => {
  await using program = startProgram(main, [
    'file:/',
    '--',
    process.execPath,
    '-e',
    'console.log(process.pid, process.argv[1]); process.exit(7)',
    'x',
  ]);
  assert.equal((await program.exited).code, 7);
  assert.equal(program.stdout.trim(), `${program.child.pid} x`);
});

test('bad usage names every fault and exits 64 before anything is tried', async () => {
  await using program = startProgram(main, ['mq:x', 'tcp:y', '--timeout', 'soon', '--anyy']);
  assert.equal((await program.exited).code, 64);
  for (const fault of [
    '--anyy is not a known flag',
    'must start with a slash',
    'must have a host and a port',
    '--timeout "soon"',
  ]) {
    assert.ok(program.stderr.includes(fault), `${fault} in ${program.stderr}`);
  }
  assert.doesNotMatch(program.stderr, /\n\s+at /);
});

test('targets may come from the environment as well as from operands', async () => {
  const port = await freePort();
  const closed = `tcp:127.0.0.1:${port}`;
  await using program = startProgram(main, ['file:/', '--once'], {
    env: { WAIT_FOR_TARGET: `dns:localhost,${closed}` },
  });
  assert.equal((await program.exited).code, 69);
  assert.match(program.stderr, /file:\/: there/);
  assert.match(program.stderr, /dns:localhost: there/);
  assert.match(program.stderr, new RegExp(`not there: ${closed}`));
});

test('without any target, or with a wrong one in the environment, nothing is tried', async () => {
  await using none = startProgram(main, []);
  assert.equal((await none.exited).code, 64);
  assert.match(none.stderr, /TARGET is missing: give one, .* or set WAIT_FOR_TARGET/);
  await using wrong = startProgram(main, ['file:/'], { env: { WAIT_FOR_TARGET: 'tcp:db' } });
  assert.equal((await wrong.exited).code, 64);
  assert.match(wrong.stderr, /must have a host and a port/);
});

test('a command that is not there is bad usage', async () => {
  await using program = startProgram(main, ['file:/', '--', 'no-such-command-here']);
  assert.equal((await program.exited).code, 64);
  assert.match(program.stderr, /there is no such program/);
});

test('a URL of https is there if its certificate is trusted', async () => {
  using directory = temporaryDirectory('wait-for');
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(directory.path, name)) as [
    string,
    string,
  ];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  execFileSync('openssl', [...made, ...subject, '-days', '2', '-keyout', key, '-out', cert], {
    stdio: 'pipe',
  });
  const server = createTlsServer(
    { key: readFileSync(key), cert: readFileSync(cert) },
    (_request, response) => response.end('ok'),
  );
  const url = `https://localhost:${await listen(server)}/`;
  await using distrusting = startProgram(main, ['--once', url]);
  assert.equal((await distrusting.exited).code, 69);
  assert.match(distrusting.stderr, /self-signed certificate/);
  await using trusting = startProgram(main, ['--once', url, '--ca-file', cert]);
  assert.equal((await trusting.exited).code, 0, trusting.stderr);
  server.close();
});

test('a Unix socket is there if something listens on it', async () => {
  using directory = temporaryDirectory('wait-for');
  const path = join(directory.path, 's');
  await using program = startProgram(main, [`unix:${path}`, ...fast]);
  await eventually(() => program.stderr.includes('ENOENT'), { what: 'a first try' });
  const server = createTcpServer();
  server.listen(path);
  assert.equal((await program.exited).code, 0);
  server.close();
});

test('--not does not take a file that it may not see for one that is gone', async () => {
  using directory = temporaryDirectory('wait-for');
  const inner = join(directory.path, 'inner');
  mkdirSync(inner);
  writeFileSync(join(inner, 'lock'), '');
  chmodSync(inner, 0o700);
  chmodSync(directory.path, 0o755);
  assert.equal(process.getuid?.(), 0, 'this test needs root, to try as another user');
  const nobody = { uid: 65_534, gid: 65_534 };
  await using denied = startProgram(main, ['--not', '--once', `file:${inner}/lock`], nobody);
  assert.equal((await denied.exited).code, 69);
  assert.match(denied.stderr, /EACCES/);
  await using there = startProgram(main, ['--not', '--once', `file:${inner}/lock`]);
  assert.equal((await there.exited).code, 69);
  await using gone = startProgram(main, ['--not', '--once', `file:${inner}/none`]);
  assert.equal((await gone.exited).code, 0);
});

test('the password of a URL is not printed', async () => {
  const port = await freePort();
  await using program = startProgram(main, ['--once', `http://anna:s3cret@127.0.0.1:${port}/`]);
  assert.equal((await program.exited).code, 69);
  assert.match(program.stderr, /http:\/\/redacted@127\.0\.0\.1/);
  assert.doesNotMatch(program.stderr, /s3cret/);
});

test('the command gets its signals and its output as from a shell', async () => {
  // SIGPIPE and SIGXFSZ must not stay ignored, nor stderr non-blocking (proc(5)).
  const script = 'grep SigIgn: /proc/self/status; grep flags: /proc/self/fdinfo/2';
  await using program = startProgram(main, ['file:/', '--', 'sh', '-c', script]);
  await using plain = new TestProcess('sh', ['-c', script]);
  assert.equal((await program.exited).code, 0);
  await plain.exited;
  const [ignored, flags] = [...program.stdout.matchAll(/:\s*(\w+)/g)].map(([, digits]) => digits);
  const bit = (signal: number) => (BigInt(`0x${ignored}`) >> BigInt(signal - 1)) & 1n;
  assert.deepEqual([bit(13), bit(25)], [0n, 0n], program.stdout);
  const O_NONBLOCK = 0o4000;
  const before = Number.parseInt(/flags:\s*(\d+)/.exec(plain.stdout)?.[1] ?? '', 8);
  assert.equal(Number.parseInt(flags ?? '', 8) & O_NONBLOCK, before & O_NONBLOCK);
});

test('a command that the kernel refuses is one sentence', async () => {
  using directory = temporaryDirectory('wait-for');
  await using folder = startProgram(main, ['file:/', '--', directory.path]);
  assert.equal((await folder.exited).code, 64);
  const script = join(directory.path, 'no-shebang');
  writeFileSync(script, 'echo hello\n', { mode: 0o755 });
  await using refused = startProgram(main, ['file:/', '--', script]);
  assert.equal((await refused.exited).code, 70);
  assert.match(refused.stderr, /command ".*no-shebang" cannot be run \(ENOEXEC/);
  assert.doesNotMatch(refused.stderr, /\n\s+at /);
});

test('twelve targets are waited for without a warning of the runtime', async () => {
  const names = Array.from({ length: 12 }, (_, i) => `file:/no-such-file-${i}`);
  await using program = startProgram(main, [...names, '--timeout', '100ms', ...fast]);
  assert.equal((await program.exited).code, 69);
  assert.ok(
    program.stderr
      .trimEnd()
      .split('\n')
      .every((line) => line.startsWith('wait-for: ')),
    program.stderr,
  );
});

test('--max-interval below --interval is bad usage', async () => {
  await using program = startProgram(main, [
    'file:/',
    '--interval',
    '1s',
    '--max-interval',
    '10ms',
  ]);
  assert.equal((await program.exited).code, 64);
  assert.match(program.stderr, /--max-interval "10ms" must be at least --interval, which is 1s/);
});

test('commands with one semaphore take turns, also after one was killed with it', async () => {
  const key = 0x5eee0000 + (process.pid & 0xffff);
  const args = ['--acquire', `${key}`, ...fast, '--', process.execPath, '-e'];
  try {
    const holding = 'console.log("holding"); setInterval(() => {}, 1000)';
    await using first = startProgram(main, [...args, holding]);
    await eventually(() => first.stdout === 'holding\n', { what: `the first ${first.stderr}` });
    await using second = startProgram(main, [...args, 'console.log("my turn")']);
    await eventually(() => second.stderr.includes('another process has it'), { what: 'a wait' });
    await using late = startProgram(main, ['--timeout', '100ms', ...args, '']);
    assert.equal((await late.exited).code, 69);
    assert.match(late.stderr, /timed out after .*: another process has the semaphore/);
    assert.equal(second.stdout, '');
    first.kill('SIGKILL');
    assert.equal((await second.exited).code, 0, second.stderr);
    assert.equal(second.stdout, 'my turn\n');
  } finally {
    await removeSemaphore(key);
  }
});

test('a semaphore without a command is bad usage', async () => {
  await using program = startProgram(main, ['--acquire', '0x5eed', 'file:/']);
  assert.equal((await program.exited).code, 64);
  assert.match(program.stderr, /--acquire needs a command/);
  await using wrong = startProgram(main, ['--acquire', 'x', '--', 'true']);
  assert.equal((await wrong.exited).code, 64);
  assert.match(wrong.stderr, /--acquire "x" must be the key of a semaphore/);
});
