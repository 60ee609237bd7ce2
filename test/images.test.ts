import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { eventually } from '@sidekit/test-kit';
import { compressedLayers } from './compressed-size.ts';
import { command, must } from './engine/command.ts';

/** Checks every image from outside: only the image and the engine. */

const engine = process.env.POD_ENGINE === 'docker' ? 'docker' : 'podman';
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
/** In bytes, uncompressed: the base, and what an image adds to it. */
const BASE_BUDGET = 160 * 1024 * 1024;
const IMAGE_BUDGET = 8 * 1024 * 1024;

/** In bytes, compressed, where an image may add more than 2 MB: Debian's git, for a demo alone. */
const PULL_BUDGETS: Readonly<Record<string, number>> = { [`sidekit/git-server:${version}`]: 3e6 };

let images: string[] = [];
let limits: string[] = [];

before(async () => {
  const list = await must(engine, ['images', '--format', '{{.Repository}}:{{.Tag}}']);
  images = list
    .split('\n')
    .map((name) => name.replace(/^localhost\//, ''))
    .filter((name) => name.startsWith('sidekit/') && name.endsWith(`:${version}`));
  limits = engine === 'podman' ? podmanLimits() : [];
});

test('there are images to test', () => {
  assert.ok(images.length > 0, `no sidekit image of version ${version} in ${engine}`);
});

test('every image says what it is, and runs as a numeric user that is not root', async () => {
  for (const image of images) {
    const [{ Config: config }] = JSON.parse(await must(engine, ['image', 'inspect', image]));
    assert.match(config.User, /^[1-9]\d*:[1-9]\d*$/, image);
    assert.equal(config.Labels['org.opencontainers.image.version'], version, image);
    assert.equal(config.Labels['org.opencontainers.image.licenses'], 'Apache-2.0', image);
    assert.deepEqual(config.Entrypoint[0], '/nodejs/bin/node', image);
  }
});

test('all images share the base layers and keep their size budget', async () => {
  const bases = new Set<string>();
  for (const image of images) {
    const [{ RootFS: root, Size: size }] = JSON.parse(
      await must(engine, ['image', 'inspect', image]),
    );
    const [{ RootFS: baseRoot, Size: base }] = JSON.parse(
      await must(engine, ['image', 'inspect', `sidekit/base:${nodeVersion()}`]),
    );
    const { length } = baseRoot.Layers;
    assert.deepEqual(root.Layers.slice(0, length), baseRoot.Layers, image);
    bases.add(baseRoot.Layers.join());
    assert.ok(base < BASE_BUDGET, `base of ${base} B`);
    assert.ok(size - base < IMAGE_BUDGET, `${image} adds ${size - base} B`);
  }
  assert.equal(bases.size, 1);
});

test('all images together are within 60 MB to pull, and each adds at most 2 MB', async (context) => {
  const found = await compressedLayers(engine, images);
  assert.equal(found.size, images.length);
  const unique = new Map([...found.values()].flat().map(({ layer, size }) => [layer, size]));
  const total = [...unique.values()].reduce((sum, size) => sum + size, 0);
  assert.ok(total <= 60e6, `all together ${(total / 1e6).toFixed(1)} MB`);
  context.diagnostic(`all together ${(total / 1e6).toFixed(1)} MB`);
  const uses = (layer: string) =>
    [...found.values()].filter((layers) => layers.some((one) => one.layer === layer)).length;
  for (const [image, layers] of found) {
    const added = layers
      .filter(({ layer }) => uses(layer) === 1)
      .reduce((sum, { size }) => sum + size, 0);
    context.diagnostic(`${image} adds ${(added / 1e6).toFixed(2)} MB`);
    assert.ok(
      added <= (PULL_BUDGETS[image] ?? 2e6),
      `${image} adds ${(added / 1e6).toFixed(2)} MB`,
    );
  }
});

test('every image holds the licences of what it carries', async () => {
  for (const image of images) {
    const { code, stdout, stderr } = await command(engine, [
      ...['run', '--rm', ...limits, '--network=none', '--entrypoint=/nodejs/bin/node', image],
      ...['-p', "fs.readFileSync('/app/licences.txt', 'utf8')"],
    ]);
    assert.equal(code, 0, `${image}: ${stderr}`);
    assert.match(stdout, /Apache License/, image);
    // After each rule a package: its name, version, licence, and the licence's text.
    const [, ...packages] = stdout.split(/^-{80}\n/m);
    for (const text of packages) {
      const [head = '', ...body] = text.trim().split('\n');
      assert.match(head, /^\S+ \d+\.\d+\.\d+\S* \((MIT|ISC|BSD-[23]-Clause|Apache-2\.0)\)$/, image);
      assert.ok(body.join('\n').length > 200, `${image}: ${head} without its licence text`);
    }
  }
});

test('every image starts on a read-only root, without capabilities, as any user', async () => {
  for (const image of images) {
    const { code, stdout, stderr } = await start(image, ['--version']);
    assert.equal(code, 0, `${image}: ${stderr}`);
    assert.equal(stdout.trim(), version, image);
  }
});

test('no image holds a shell', async () => {
  for (const image of images) {
    for (const shell of ['/bin/sh', '/bin/bash', '/usr/bin/sh', '/busybox/sh']) {
      const { code } = await command(engine, [
        'run',
        '--rm',
        ...limits,
        `--entrypoint=${shell}`,
        image,
        '-c',
        'exit 0',
      ]);
      assert.notEqual(code, 0, `${image} has ${shell}`);
    }
  }
});

test('bad usage exits 64 with sentences and no stack trace', async () => {
  for (const image of images) {
    const { code, stderr } = await start(image, ['--no-such-flag']);
    assert.equal(code, 64, `${image}: ${stderr}`);
    assert.doesNotMatch(stderr, /\n\s+at /, image);
  }
});

test('SIGTERM ends the consumer with exit code 0', async () => {
  const name = `sidekit-image-test-${process.pid}`;
  const flags = [
    '-d',
    '--name',
    name,
    '--network=none',
    '--read-only',
    '--cap-drop=ALL',
    ...limits,
  ];
  await must(engine, ['run', ...flags, `sidekit/mq:${version}`, 'consumer']);
  try {
    await eventually(
      async () => (await command(engine, ['logs', name])).stderr.includes('starting'),
      {
        what: 'the start',
      },
    );
    await must(engine, ['kill', '--signal=SIGTERM', name]);
    assert.equal((await must(engine, ['wait', name])).trim(), '0');
  } finally {
    await command(engine, ['rm', '-f', name]);
  }
});

function start(image: string, args: readonly string[]) {
  const hardened = [
    '--read-only',
    '--cap-drop=ALL',
    '--security-opt=no-new-privileges',
    '--user=23456',
    '--network=none',
  ];
  return command(engine, ['run', '--rm', ...limits, ...hardened, image, ...args]);
}

function nodeVersion(): string {
  return JSON.parse(readFileSync('node_modules/node/package.json', 'utf8')).version;
}

/** Podman's default limits may be above what the caller may give. */
function podmanLimits(): string[] {
  const files = Number(
    /^Max open files +\S+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 1024,
  );
  return files >= 1_048_576
    ? []
    : [`--ulimit=nofile=${files}:${files}`, '--ulimit=nproc=4096:4096'];
}
