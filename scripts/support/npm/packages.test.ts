import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually, TestProcess, temporaryDirectory } from '@sidekit/test-kit';
import { ensureMessageQueues } from '../mqueue.ts';
import { run } from '../run.ts';
import { buildPackages } from './build.ts';
import { publishedPackages, readManifest } from './manifest.ts';

/** Packs every package, installs the tarballs into an empty project, and uses them as a stranger. */

const NODE_24 = '24.21.0';
const TYPESCRIPT = ['7.0.2', '6.0.3'];
const { devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
const libraries = publishedPackages().filter((name) => readManifest(name).exports);
const programs = publishedPackages().filter((name) => readManifest(name).bin);

const directory = temporaryDirectory('npm');
const project = join(directory.path, 'project');
const bin = join(project, 'node_modules/.bin');
const nodes = [dirname(process.execPath), resolve(project, `node_modules/node-24/bin`)];
/** The files of each package by its name, as npm packs them. */
const packed = new Map<string, string[]>();

before(
  async () => {
    await ensureMessageQueues();
    const tarballs: string[] = [];
    for (const cwd of await buildPackages(join(directory.path, 'packages'))) {
      const text = await run('npm', ['pack', '--json', '--pack-destination', directory.path], {
        cwd,
      });
      const [entry] = Object.values<{ name: string; filename: string; files: { path: string }[] }>(
        JSON.parse(text),
      );
      assert.ok(entry, text);
      packed.set(
        entry.name,
        entry.files.map(({ path }) => path),
      );
      const file = readdirSync(directory.path).find(
        (one) => one === entry.filename.replace('/', '-').replace('@', ''),
      );
      tarballs.push(join(directory.path, file ?? entry.filename));
    }
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');
    await run(
      'npm',
      [
        ...[
          'install',
          '--no-audit',
          '--no-fund',
          '--prefer-offline',
          '--loglevel=error',
          ...tarballs,
        ],
        `@types/node@${devDependencies['@types/node']}`,
        `node-24@npm:node-linux-${process.arch}@${NODE_24}`,
        ...TYPESCRIPT.map((version) => `typescript-${major(version)}@npm:typescript@${version}`),
      ],
      { cwd: project },
    );
    for (const name of libraries) writeFileSync(join(project, `${name}.ts`), example(name));
  },
  { timeout: 300_000 },
);
after(() => directory.remove());

function major(version: string): string {
  return version.split('.')[0] ?? '';
}

/** The first TypeScript example of a package's README. */
function example(name: string): string {
  const readme = readFileSync(join('packages', name, 'README.md'), 'utf8');
  const [, code] = /^```ts\n([\s\S]*?)^```$/m.exec(readme) ?? [];
  assert.ok(code, `the README of ${name} has no example`);
  return code;
}

test('every package has its code, declarations, README and licence, and nothing of its tests', () => {
  for (const [name, files] of packed) {
    for (const file of ['README.md', 'LICENSE', 'package.json'])
      assert.ok(files.includes(file), name);
    assert.ok(
      files.some((path) => path.endsWith('.d.ts')),
      name,
    );
    const unwanted = files.filter((path) =>
      /\.test\.|testing|behaviour|corpus|(?<!\.d)\.ts$/.test(path),
    );
    assert.deepEqual(unwanted, [], name);
  }
});

/** The machine's own Node, if it is older than the one that the packages need. */
const old = ['/usr/bin/node', '/usr/local/bin/node'].find((path) => {
  const { stdout = '' } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  return Number(/^v(\d+)/.exec(stdout ?? '')?.[1] ?? 24) < 24;
});

test('a Node that is too old gets a sentence instead of a stack trace', {
  skip: old === undefined && 'there is no old Node',
}, () => {
  for (const name of [...programs.map((one) => join(bin, one)), 'packages/pod/src/pod.mjs']) {
    const { status, stderr } = spawnSync(old ?? '', [name, '--version'], { encoding: 'utf8' });
    assert.match(stderr, /^[\w-]+ needs Node 24 or newer: this is Node \S+\n$/, name);
    assert.equal(status, 64);
  }
});

test('every README has the line that installs the package', () => {
  for (const name of publishedPackages()) {
    const readme = readFileSync(join('packages', name, 'README.md'), 'utf8');
    assert.match(readme, new RegExp(`np(m install|x) @sidekit/${name}\\b`), name);
  }
});

for (const version of TYPESCRIPT) {
  test(`the examples of the READMEs pass tsc --strict of TypeScript ${version}`, async () => {
    const tsc = join(project, `node_modules/typescript-${major(version)}/bin/tsc`);
    const flags = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'esnext'];
    const files = libraries.map((name) => `${name}.ts`);
    await run(process.execPath, [tsc, ...flags, '--types', 'node', ...files], { cwd: project });
  });
}

for (const [i, path] of nodes.entries()) {
  const label = i === 0 ? 'the Node of this clone' : `Node ${NODE_24}`;
  const node = join(path, 'node');
  const env = { PATH: `${path}${delimiter}${process.env.PATH}` };

  test(`with ${label}: import and require find the same exports`, async () => {
    for (const name of libraries) {
      const specifier = `@sidekit/${name}`;
      const print = 'console.log(Object.keys(m).sort().join())';
      const imported = await run(
        node,
        ['--input-type=module', '-e', `import * as m from '${specifier}';${print}`],
        { cwd: project },
      );
      const required = await run(
        node,
        ['--input-type=commonjs', '-e', `const m = require('${specifier}');${print}`],
        { cwd: project },
      );
      assert.ok(imported.length > 2, name);
      assert.equal(required.replace(/\b__esModule,|\bmodule\.exports,/g, ''), imported, name);
    }
  });

  test(`with ${label}: every program runs from node_modules`, async () => {
    for (const name of programs) {
      const { version } = readManifest(name);
      const printed = await run(join(bin, name), ['--version'], { cwd: project, env });
      assert.equal(printed.trim(), version, name);
    }
  });

  for (const [name, shown] of [
    ['core', /"event":"ready"/],
    ['posix-mq', /hello/],
    ['shared-memory', /hello/],
  ] as const) {
    test(`with ${label}: the example of ${name} does what its README says`, async () => {
      await using program = new TestProcess(node, [`${name}.ts`], {
        cwd: project,
        env,
      });
      await eventually(() => shown.test(program.stdout + program.stderr), {
        what: `${shown} from the example`,
      });
    });
  }
}
