import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  eventually,
  freePort,
  startProgram,
  TestProcess,
  temporaryDirectory,
} from '@sidekit/test-kit';

const main = new URL('../main.ts', import.meta.url);

/** Starts a process of this name that prints a line at each SIGHUP. */
async function startApp(name: string, uid?: number): Promise<TestProcess> {
  // The handler comes first: a process of this name may get the signal at once.
  const program = `process.on('SIGHUP', () => console.log('reloaded'));
    process.title = ${JSON.stringify(name)};
    setInterval(() => {}, 1e6); console.log('started');`;
  const app = new TestProcess(process.execPath, ['-e', program], uid === undefined ? {} : { uid });
  await eventually(() => app.stdout.includes('started'), { what: 'the application' });
  return app;
}

const reloads = ({ stdout }: TestProcess) => stdout.split('reloaded').length - 1;

test('a process gets a signal after each change, and not after the first sync', async () => {
  using directory = temporaryDirectory();
  const [from, target] = [join(directory.path, 'from'), join(directory.path, 'out')];
  const name = `sk-app-${process.pid}`;
  await using app = await startApp(name);
  writeFileSync(from, '0');
  await using writer = startProgram(main, [
    ...['--admin=127.0.0.1:0', '--source=dir', `--from=${from}`, `--target=${target}`],
    ...['--interval=20ms', '--retry-max=100ms', `--notify=signal:HUP:${name}`],
  ]);
  await eventually(() => existsSync(join(directory.path, '.out.notified')), { what: 'state' });
  for (let i = 1; i <= 3; i++) {
    // A write in place may be read half way, which is a change of its own.
    writeFileSync(`${from}.new`, `content ${i}`);
    renameSync(`${from}.new`, from);
    await eventually(() => reloads(app) >= i, { what: `reload ${i}` });
    assert.equal(readFileSync(target, 'utf8'), `content ${i}`);
  }
  assert.equal(reloads(app), 3);
  await eventually(() => writer.log.filter(({ event }) => event === 'notified').length === 3, {
    what: 'three records',
  });
});

test('a missing process, several of one name and a failing check are explained, then repeated', async () => {
  using directory = temporaryDirectory();
  const [from, target] = [join(directory.path, 'from'), join(directory.path, 'out')];
  const name = `sk-two-${process.pid}`;
  let status = 503;
  const server = createServer((_request, response) => response.writeHead(status).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  const { port } = server.address() as AddressInfo;
  const start = (...args: string[]) =>
    startProgram(main, [
      ...['--admin=127.0.0.1:0', '--source=dir', `--from=${from}`, `--target=${target}`],
      ...['--interval=20ms', '--retry-max=100ms', `--notify=signal:SIGHUP:${name}`],
      ...['--notify-first', ...args],
    ]);
  writeFileSync(from, '0');
  {
    await using writer = start(`--notify-check=http://127.0.0.1:${port}/health`);
    const failed = await writer.event('notify_failed');
    assert.match(String(failed.error), /no process is named .*shareProcessNamespace: true/);
    await using app = await startApp(name);
    await eventually(() => reloads(app) >= 2, { what: 'a signal that is repeated' });
    assert.ok(!writer.log.some(({ event }) => event === 'notified'));
    status = 200;
    await writer.event('notified');
  }
  writeFileSync(from, '1');
  await using first = await startApp(name);
  await using second = await startApp(name);
  {
    await using writer = start();
    const failed = await writer.event('notify_failed');
    assert.match(String(failed.error), /2 processes are named/);
  }
  await using writer = start('--notify-all');
  await writer.event('notified');
  await eventually(() => reloads(first) > 0 && reloads(second) > 0, { what: 'both reloads' });
});

test('one process that may not be signalled keeps no other from one signal for each change', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, async () => {
  using directory = temporaryDirectory();
  const [from, target] = [join(directory.path, 'from'), join(directory.path, 'out')];
  const name = `sk-mix-${process.pid}`;
  const admin = `127.0.0.1:${await freePort()}`;
  await using foreign = await startApp(name);
  await using own = await startApp(name, 65534);
  writeFileSync(from, '0', { mode: 0o644 });
  chmodSync(directory.path, 0o777);
  await using writer = startProgram(
    main,
    [
      ...[`--admin=${admin}`, '--source=dir', `--from=${from}`, `--target=${target}`],
      ...['--interval=20ms', '--retry-max=20ms', `--notify=signal:HUP:${name}`],
      ...['--notify-all', '--notify-first'],
    ],
    { uid: 65534 },
  );
  const failed = await writer.event('notify_failed');
  assert.match(String(failed.error), new RegExp(`process ${foreign.child.pid} belongs to user 0`));
  await eventually(() => reloads(own) === 1, { what: 'the signal' });
  const tries = async () => await failedNotifications(admin);
  const before = await tries();
  await eventually(async () => (await tries()) > before + 5, { what: 'more tries' });
  assert.equal(reloads(own), 1, 'tries after a failure leave out whom the signal has reached');
  writeFileSync(`${from}.new`, '1', { mode: 0o644 });
  renameSync(`${from}.new`, from);
  await eventually(() => reloads(own) === 2, { what: 'the signal of the second change' });
  assert.equal(reloads(foreign), 0);
  foreign.child.kill();
  await writer.event('notified');
  assert.equal(reloads(own), 2);
});

async function failedNotifications(admin: string): Promise<number> {
  const text = await (await fetch(`http://${admin}/metrics`)).text();
  return Number(/notifications_total\{[^}]*failed[^}]*\} (\d+)/.exec(text)?.[1] ?? 0);
}
