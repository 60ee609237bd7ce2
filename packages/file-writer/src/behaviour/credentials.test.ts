import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { startProgram, temporaryDirectory } from '@sidekit/test-kit';

const main = new URL('../main.ts', import.meta.url);
/** Used in every place that may contain a credential. */
const SECRET = 's3cret';

test('no credential reaches the log, whatever the result of the request', async () => {
  using directory = temporaryDirectory('credentials');
  const file = (name: string, text: string) => {
    const path = join(directory.path, name);
    writeFileSync(path, text);
    return path;
  };
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.headers.authorization} ${request.url}`);
    const { pathname } = new URL(request.url ?? '/', 'http://x');
    if (pathname === '/moved') response.writeHead(302, { location: `/gone?t=${SECRET}` }).end();
    else response.writeHead(Number(pathname.slice(1)) || 404).end('content');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const token = file('token', SECRET);
  const credentials = file('credentials', `user:${SECRET}`);

  const http = (path: string) => [
    '--source=http',
    `--url=http://127.0.0.1:${port}/${path}?sig=${SECRET}`,
    `--bearer-token-file=${token}`,
    `--header=x-key=${SECRET}`,
  ];
  const runs: readonly (readonly string[])[] = [
    http('200'),
    http('401'),
    http('503'),
    http('moved'),
    ['--source=http', `--url=http://user:${SECRET}@127.0.0.1:1/x?sig=${SECRET}`],
    [
      '--source=git',
      `--repository=http://127.0.0.1:${port}/401?token=${SECRET}`,
      `--credentials=${credentials}`,
    ],
    [...http('200'), `--notify=http://127.0.0.1:${port}/503?key=${SECRET}`, '--notify-first'],
  ];
  for (const [i, args] of runs.entries()) {
    await using program = startProgram(main, [
      ...['--admin=127.0.0.1:0', '--log-level=debug', '--once', '--once-timeout=500ms'],
      `--target=${join(directory.path, `target-${i}`)}`,
      ...args,
    ]);
    await program.exited;
    assert.match(program.stderr, /"event":"starting"/, 'the run started');
    assert.doesNotMatch(program.stderr, new RegExp(SECRET), args.join(' '));
  }
  assert.ok(
    asked.some((one) => one.startsWith(`Bearer ${SECRET} `)),
    'the token was used',
  );
  server.close();
});
