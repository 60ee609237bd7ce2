import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { send } from '@sidekit/core';
import { eventually, freePort, startProgram, temporaryDirectory } from '@sidekit/test-kit';

const main = new URL('../main.ts', import.meta.url);

async function start(args: readonly string[]) {
  const port = await freePort();
  const program = startProgram(main, ['--admin', `127.0.0.1:${port}`, ...args]);
  const get = async (page: string) => {
    const { status, body } = await send(`http://127.0.0.1:${port}${page}`, { timeout: 2000 });
    return { status, text: body.toString() };
  };
  return {
    program,
    get,
    status: async (page: string) => (await get(page)).status,
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

async function serve(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('the first Pod of the article: a date at each interval, ready, then exit 0 on SIGTERM', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'html/index.html');
  await using writer = await start(['--source', 'clock', '--target', path, '--interval', '50ms']);
  await eventually(() => readFileSync(path, 'utf8').split('\n').length > 4, { what: 'four lines' });
  for (const line of readFileSync(path, 'utf8').trim().split('\n')) {
    assert.match(line, /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d UTC \d{4}$/);
  }
  for (const page of ['/startupz', '/readyz', '/livez'])
    assert.equal(await writer.status(page), 200);
  writer.program.kill();
  assert.deepEqual(await writer.program.exited, { code: 0, signal: null });
});

test('an outage before the first success is unready, after it keeps the content and readiness', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'out');
  let answer: string | undefined;
  await using server = await serve((_request, response) => {
    if (answer === undefined) response.writeHead(500);
    response.end(answer);
  });
  const args = [
    '--source',
    'http',
    '--url',
    `${server.url}x`,
    '--target',
    path,
    '--interval',
    '20ms',
    '--retry-max',
    '50ms',
  ];
  {
    await using writer = await start(args);
    assert.equal(
      (await writer.program.event('check_failed')).msg,
      `${server.url}x answered 500: check the log of the server`,
    );
    assert.equal(await writer.status('/readyz'), 503);
    assert.equal(await writer.status('/startupz'), 503);
    assert.equal(await writer.status('/livez'), 200);
    answer = 'good';
    await eventually(() => existsSync(path), { what: 'content' });
    await eventually(async () => (await writer.status('/readyz')) === 200, { what: 'readiness' });
    answer = undefined;
    await eventually(
      async () =>
        (await writer.get('/metrics')).text.includes(`file_writer_failing{target="${path}"} 1`),
      {
        what: 'the metric of the outage',
      },
    );
    const ready = await writer.get('/readyz');
    assert.equal(ready.status, 200);
    assert.match(ready.text, /"warnings":\[\{.*answered 500/);
    assert.match(
      (await writer.get('/metrics')).text,
      /file_writer_failures_total\{target=".*",reason="http_status"\} \d/,
    );
    assert.equal(readFileSync(path, 'utf8'), 'good');
    const lines = writer.program.log.filter(({ level }) => level === 'warn');
    assert.ok(lines.length <= 3, 'an outage is logged once, however often the check fails');
  }
  {
    await using writer = await start(args);
    assert.equal(
      (await writer.program.event('check_failed')).msg,
      `${server.url}x answered 500: check the log of the server`,
    );
    assert.equal(await writer.status('/readyz'), 503, 'earlier content is not enough by default');
  }
  await using writer = await start([...args, '--ready-when', 'stale']);
  await eventually(async () => (await writer.status('/readyz')) === 200, {
    what: 'readiness with old content',
  });
});

test('--once writes and exits 0, or explains the failure and exits 69', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'out');
  const from = join(directory.path, 'from');
  const args = ['--once', '--source', 'dir', '--from', from, '--target', path];
  {
    await using writer = await start([...args, '--once-timeout', '2s']);
    assert.equal((await writer.program.exited).code, 69);
    assert.match(
      writer.program.stderr,
      /not written within 2s: .*from cannot be read .*mount the volume there/,
    );
  }
  {
    await using writer = await start(args);
    await eventually(() => writer.program.log.some(({ level }) => level === 'warn'), {
      what: 'a first failure',
    });
    writeFileSync(from, 'data');
    assert.equal((await writer.program.exited).code, 0);
    assert.equal(readFileSync(path, 'utf8'), 'data');
  }
  rmSync(from);
  await using writer = await start([...args, '--once-timeout', '2s', '--ready-when', 'stale']);
  assert.equal((await writer.program.exited).code, 0, 'earlier content is enough');
});

test('--once that a signal stops, or that waits for its turn until the end, exits 69', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'out');
  const missing = ['--source', 'dir', '--from', join(directory.path, 'from'), '--target', path];
  {
    await using writer = await start(['--once', ...missing]);
    await eventually(() => writer.program.log.some(({ level }) => level === 'warn'), {
      what: 'a first failure',
    });
    writer.program.kill();
    assert.deepEqual(await writer.program.exited, { code: 69, signal: null });
    assert.match(writer.program.stderr, /stopped by a signal before these were written: .*out: /);
  }
  // One slot, taken by a server that never responds: the second file has not even started.
  await using server = await serve(() => {});
  const config = join(directory.path, 'config.json');
  const files = ['a', 'b'].map((name) => ({ target: join(directory.path, name) }));
  writeFileSync(
    config,
    JSON.stringify({ source: 'http', url: [server.url], once: true, concurrency: 1, files }),
  );
  await using writer = await start(['--config', config, '--once-timeout', '300ms']);
  assert.equal((await writer.program.exited).code, 69);
  assert.match(writer.program.stderr, /not written within 300ms: .*a: .*b: not in time/);
});

test('the application is notified after a change but not at first, and again after a refusal, a restart and a return to old content', async () => {
  using directory = temporaryDirectory();
  const [from, path] = [join(directory.path, 'from'), join(directory.path, 'out')];
  const calls: string[] = [];
  let status = 200;
  await using app = await serve((request, response) => {
    calls.push(`${request.method} ${readFileSync(path, 'utf8')} ${status}`);
    response.writeHead(status).end();
  });
  const args = [
    '--source',
    'dir',
    '--from',
    from,
    '--target',
    path,
    '--interval',
    '20ms',
    '--retry-max',
    '50ms',
    '--notify',
    `${app.url}reload`,
    '--notify-status',
    '200-202',
  ];
  const accepted = (text: string) =>
    eventually(() => calls.at(-1) === `POST ${text} 200`, {
      what: `a call with ${text} in ${calls}`,
    });
  writeFileSync(from, 'a');
  {
    await using writer = await start(args);
    await eventually(() => existsSync(join(directory.path, '.out.notified')), {
      what: 'the state',
    });
    assert.deepEqual(calls, []);
    writeFileSync(from, 'bb');
    await accepted('bb');
    writeFileSync(from, 'a');
    await accepted('a');
    status = 500;
    writeFileSync(from, 'ccc');
    await eventually(() => calls.filter((call) => call === 'POST ccc 500').length > 2, {
      what: 'three refusals',
    });
    assert.match((await writer.get('/metrics')).text, /file_writer_notification_pending\{.*\} 1/);
    writer.program.kill('SIGKILL');
    await writer.program.exited;
  }
  status = 200;
  calls.length = 0;
  await using writer = await start(args);
  await accepted('ccc');
  assert.equal(calls.length, 1);
  await eventually(
    async () => /notification_pending\{.*\} 0/.test((await writer.get('/metrics')).text),
    { what: 'nothing pending' },
  );
});

test('bad usage prints every fault and starts nothing', async () => {
  using directory = temporaryDirectory();
  await using writer = await start(['--source', 'http', '--target', directory.path + '/']);
  assert.equal((await writer.program.exited).code, 64);
  assert.match(
    writer.program.stderr,
    /--target .* must end with the name of a file.*\n.*--url is missing/,
  );
  assert.ok(!/ at .*\.ts/.test(writer.program.stderr), 'no stack trace');
});

test('many files are followed, and one that fails does not delay the others', async () => {
  using directory = temporaryDirectory();
  const config = join(directory.path, 'config.yaml');
  const files = Array.from({ length: 100 }, (_, i) => {
    writeFileSync(join(directory.path, `in${i}`), `content ${i}`);
    return `  - {from: ${directory.path}/in${i}, target: ${directory.path}/out/${i}}\n`;
  });
  rmSync(join(directory.path, 'in7'));
  writeFileSync(
    config,
    `source: dir\ninterval: 50ms\nconcurrency: 4\nmode: "0600"\nfiles:\n${files.join('')}`,
  );
  await using writer = await start(['--config', config]);
  await eventually(
    () => files.every((_, i) => i === 7 || existsSync(`${directory.path}/out/${i}`)),
    {
      what: 'all others',
    },
  );
  assert.equal(statSync(`${directory.path}/out/1`).mode & 0o777, 0o600);
  assert.equal(await writer.status('/readyz'), 503);
  writeFileSync(join(directory.path, 'in7'), 'late');
  await eventually(async () => (await writer.status('/readyz')) === 200, { what: 'readiness' });
});
