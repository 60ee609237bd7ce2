/** `file-writer` as its image runs it, under the memory limit of the manifests. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { basename, join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import {
  eventually,
  freePort,
  type LimitedProcess,
  missingMemoryLimits,
  temporaryDirectory,
} from '@sidekit/test-kit';
import { GitRepository } from '../packages/file-writer/src/testing/git-repository.ts';
import { startGitServer } from '../packages/file-writer/src/testing/git-server.ts';
import { type LimitedImage, limitedImage, MIB } from './testing/limited-image.ts';

/** Templates and their data, of which each wants more memory than there is. */
const GREEDY: Readonly<Record<string, readonly [template: string, data?: unknown]>> = {
  'a long capture': [
    `{% capture a %}{% for i in (1..1000000) %}${'x'.repeat(200)}{% endfor %}{% endcapture %}{{ a }}`,
  ],
  'rows of a table': ['{% tablerow i in (1..4000000) cols:1 %}{{ i }}{% endtablerow %}'],
  'a text that doubles': [doubling('"xx"', 'replace: "x", "xx"')],
  'arrays that double': [doubling('(1..1000)', 'concat: a')],
  'an array in itself': [`${doubling('"1" | split: ""', 'push: a')}{{ a | json }}`],
  'groups of a large array': [
    doubling('d', 'group_by_exp: "x", "x" | concat: a'),
    Array.from({ length: 150_000 }, (_, i) => i),
  ],
  'many objects': [doubling('d', 'sort | concat: d'), Array(340_000).fill([])],
  'letters of a large text': [`${doubling('d | split: ""', 'concat: a')}`, 'x'.repeat(900_000)],
  'escapes of a large text': [doubling('d', 'url_encode'), '"'.repeat(500_000)],
};

function doubling(start: string, filters: string): string {
  return `{% assign a = ${start} %}{% for i in (1..64) %}{% assign a = a | ${filters} %}{% endfor %}{{ a }}`;
}

/** How long a large check may take, in milliseconds. */
const PATIENCE = 600_000;

const LONG = process.env.SIDEKIT_LONG === '1';
/** Making a repository of 500 MB takes git longer than all else. */
const onlyLong = { skip: !LONG && 'only in the long form' };
const FILES = 20_000;
const FILE_SIZE = 20 * 1024;
const BLOB = 100 * MIB;
const COMMITS = 10;
const URLS = LONG ? 1000 : 100;

describe('file-writer with 128 MiB', { skip: missingMemoryLimits }, () => {
  let image: LimitedImage;
  before(async () => {
    image = await limitedImage('file-writer');
  });
  after(() => image[Symbol.dispose]());

  const start = (target: string, args: readonly string[]) =>
    image.start([
      ...['--admin=127.0.0.1:0', `--target=${target}`, '--interval=1s', '--retry-max=1s'],
      ...['--max-size=2GiB', '--keep=0', '--keep-for=0s', '--timeout=10m', ...args],
    ]);

  test('follows a large git repository', onlyLong, async (context) => {
    using directory = temporaryDirectory('memory-git');
    const repository = new GitRepository(directory.path);
    // Large commits take git minutes otherwise; the server still sends deltas.
    for (const setting of ['gc.auto=0', 'core.compression=1', 'pack.window=3']) {
      repository.git('config', ...setting.split('='));
    }
    const text = randomBytes(FILE_SIZE / 2).toString('hex');
    for (let i = 0; i < FILES; i++) {
      // Half of a file compresses, as text does; the head makes every one different.
      repository.write(`d${i % 200}/f${i}.txt`, `${i} ${randomBytes(FILE_SIZE / 2)}${text}`);
    }
    repository.write('large.bin', randomBytes(BLOB));
    let commit = repository.push('all');
    await using server = await startGitServer(directory.path);
    const target = join(directory.path, 'site');
    await using writer = start(target, [
      ...['--source=git', `--repository=${server.url}/site.git`, '--ref=main'],
    ]);
    for (let number = 0; number < COMMITS; number++) {
      await eventually(() => basename(readlinkSync(target)).endsWith(commit), {
        what: `commit ${number}: ${writer.stderr.slice(-500)}`,
        timeout: PATIENCE,
        interval: 100,
      });
      if (number > 0) assert.equal(readFileSync(join(target, 'd0/f0.txt'), 'utf8'), `${number}`);
      repository.write('d0/f0.txt', `${number + 1}`);
      repository.write(`new/${number}.bin`, randomBytes(MIB));
      if (number + 1 < COMMITS) commit = repository.push(`${number}`);
    }
    assert.equal(readFileSync(join(target, 'large.bin')).length, BLOB);
    assertAlive(writer, context);
  });

  test('downloads many URLs as files of one version, and again when one changes', async (context) => {
    let changed = '';
    const server = createServer((request, response) => {
      const body = `${request.url}${changed}`.repeat(1000);
      response.writeHead(200, { etag: `"${body.length}"` }).end(body);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    using directory = temporaryDirectory('memory-urls');
    const target = join(directory.path, 'out');
    const names = Array.from({ length: URLS }, (_, i) => `f${i}`);
    await using writer = start(target, [
      ...[
        '--source=http',
        ...names.map((name) => `--url=${name}=http://127.0.0.1:${port}/${name}`),
      ],
    ]);
    const wanted = () => `/f${URLS - 1}${changed}`.repeat(1000);
    const published = () => readFileSync(join(target, `f${URLS - 1}`), 'utf8') === wanted();
    await eventually(published, { what: 'all files', timeout: PATIENCE });
    changed = '!';
    await eventually(published, { what: 'the change', timeout: PATIENCE });
    assert.equal(readdirSync(target).length, URLS);
    server.closeAllConnections();
    server.close();
    assertAlive(writer, context);
  });

  test('mirrors a directory of many files, and a change of one', onlyLong, async (context) => {
    using directory = temporaryDirectory('memory-dir');
    const [from, target] = [join(directory.path, 'from'), join(directory.path, 'out')];
    for (let i = 0; i < FILES; i++) {
      mkdirSync(join(from, `d${i % 200}`), { recursive: true });
      writeFileSync(join(from, `d${i % 200}/f${i}`), `${i}`.repeat(100));
    }
    await using writer = start(target, ['--source=dir', `--from=${from}`]);
    const last = join(target, `d${(FILES - 1) % 200}/f${FILES - 1}`);
    const published = (content: string) => () => readFileSync(last, 'utf8') === content;
    await eventually(published(`${FILES - 1}`.repeat(100)), { what: 'a file', timeout: PATIENCE });
    writeFileSync(join(from, `d${(FILES - 1) % 200}/f${FILES - 1}`), 'new');
    await eventually(published('new'), { what: 'the change', timeout: PATIENCE });
    const count = readdirSync(target, { recursive: true, withFileTypes: true });
    assert.equal(count.filter((entry) => entry.isFile()).length, FILES);
    assertAlive(writer, context);
  });

  test('survives webhooks without a signature that arrive slowly', async (context) => {
    using directory = temporaryDirectory('memory-sync');
    const secret = join(directory.path, 'secret');
    writeFileSync(secret, 'hush');
    const port = await freePort();
    await using writer = image.start([
      ...['--source=clock', `--target=${join(directory.path, 'out')}`],
      ...[`--admin=127.0.0.1:${port}`, `--sync-secret-file=${secret}`],
    ]);
    await writer.event('ready');
    const hooks: Socket[] = [];
    let [last, ended] = [0, 0];
    // Each request has five seconds: the first ones end while others arrive.
    await eventually(
      () => {
        if (performance.now() - last > 1000) {
          last = performance.now();
          for (let i = 0; i < 5; i++) {
            hooks.push(unfinishedHook(port).on('close', () => ended++));
          }
        }
        assert.equal(writer.kills, 0, 'killed by the memory limit');
        return ended >= 10;
      },
      { what: 'the end of the first webhooks', timeout: PATIENCE, interval: 100 },
    );
    for (const hook of hooks) hook.destroy();
    assertAlive(writer, context);
  });

  test('survives templates that want all memory, and renders the next one', async (context) => {
    using directory = temporaryDirectory('memory-template');
    const at = (name: string) => join(directory.path, name);
    const replace = (name: string, content: string) => {
      writeFileSync(at(`.${name}`), content);
      renameSync(at(`.${name}`), at(name));
    };
    replace('data.json', '0');
    replace('page', '');
    const target = at('out');
    await using writer = start(target, [
      ...['--source=template', `--template=${at('page')}`, `--data=d=${at('data.json')}`],
    ]);
    for (const [what, [template, data = 0]] of Object.entries(GREEDY)) {
      const before = writer.stderr.length;
      replace('data.json', JSON.stringify(data));
      replace('page', template);
      await eventually(() => writer.stderr.slice(before).includes('"reason":"template"'), {
        what: `the fault of ${what}: ${writer.stderr.slice(before)}`,
      });
      assert.equal(writer.kills, 0, `${what}: killed by the memory limit`);
      replace('data.json', '0');
      replace('page', `after ${what}`);
      await eventually(() => readFileSync(target, 'utf8') === `after ${what}`, {
        what: `the template after ${what}: ${writer.stderr.slice(before)}`,
      });
    }
    assertAlive(writer, context);
  });
});

/** Starts a webhook without a signature that never ends: almost 1 MiB in chunks of one byte. */
function unfinishedHook(port: number): Socket {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  const head = [
    'POST /sync HTTP/1.1',
    'host: 10.0.0.1',
    'via: 1.1 x',
    'transfer-encoding: chunked',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${'1\r\nx\r\n'.repeat(MIB - 1)}`);
  return socket;
}

function assertAlive(writer: LimitedProcess, context: TestContext): void {
  context.diagnostic(`peak: ${Math.round(writer.peak / MIB)} MiB`);
  assert.equal(writer.kills, 0, 'killed by the memory limit');
  assert.equal(writer.child.exitCode, null, writer.stderr);
  assert.equal(writer.child.signalCode, null, writer.stderr);
}
