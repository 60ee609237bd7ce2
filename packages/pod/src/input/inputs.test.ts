import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { UsageError } from '@sidekit/core/tool';
import { temporaryDirectory } from '@sidekit/test-kit';
import { ManifestError } from '../manifest/manifest-error.ts';
import { loadInputs, readInputs } from './inputs.ts';

const POD = (name: string, more = '') => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  containers: [{name: a, image: x}]
${more}`;

async function serve(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: (path: string) => `http://127.0.0.1:${port}${path}`,
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const refused = (names: readonly string[], message: RegExp) =>
  assert.rejects(loadInputs(names), (error) => {
    assert.ok(error instanceof UsageError);
    assert.match(error.message, message);
    return true;
  });

test('a folder is its manifests in the order of their names, without folders and hidden files', async () => {
  using directory = temporaryDirectory();
  const file = (name: string, text: string) => writeFileSync(join(directory.path, name), text);
  file('b.yml', POD('b'));
  file('a.yaml', POD('a'));
  file('c.json', JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } }));
  file('.#a.yaml', 'broken: [');
  file('notes.md', 'broken: [');
  mkdirSync(join(directory.path, 'd.yaml'));
  symlinkSync('nowhere', join(directory.path, 'e.yaml'));
  const { pods } = await readInputs([directory.path]);
  assert.deepEqual(
    pods.map(({ metadata }) => metadata.name),
    ['a', 'b'],
  );
});

test('a folder without manifests, one of kustomize and a huge file are refused, all at once', async () => {
  using directory = temporaryDirectory();
  const [empty, kustomize, huge] = ['empty', 'kustomize', 'huge'].map((name) =>
    join(directory.path, name),
  ) as [string, string, string];
  mkdirSync(empty);
  mkdirSync(kustomize);
  writeFileSync(join(kustomize, 'kustomization.yaml'), 'resources: []');
  writeFileSync(huge, Buffer.alloc(3 * 1024 * 1024 + 1, '#'));
  await refused(
    [empty, kustomize, huge, join(directory.path, 'none')],
    /empty.*without \.yaml.*\n?.*kubectl kustomize.*\n?.*larger than 3 MiB.*\n?.*ENOENT|ENOENT/s,
  );
  await refused([empty], /a folder without \.yaml, \.yml or \.json files/);
  await refused([kustomize], /kubectl kustomize .*kustomize \| pod up -/);
  await refused([huge], /larger than 3 MiB/);
  await refused(['/dev/zero'], /larger than 3 MiB/);
});

test('a manifest comes from a URL, also over a redirect, and its name hides the query', async () => {
  using server = await serve((request, response) => {
    if (request.url === '/moved?token=s3cret') {
      return response.writeHead(302, { location: '/pod.yaml?token=s3cret' }).end();
    }
    response.end(POD('far', '  hostNetwork: true'));
  });
  const [file] = await loadInputs([server.url('/moved?token=s3cret')]);
  assert.match(file?.text ?? '', /name: far/);
  assert.equal(file?.name, server.url('/moved'));
});

test('--allow-host is not for a manifest of a URL', async () => {
  using server = await serve((_, response) =>
    response.end(POD('far', '  volumes: [{name: v, hostPath: {path: /etc}}]')),
  );
  using directory = temporaryDirectory();
  const local = join(directory.path, 'near.yaml');
  writeFileSync(local, POD('near', '  volumes: [{name: v, hostPath: {path: /etc}}]'));
  const policy = { allowHost: true };
  assert.equal((await readInputs([local], policy)).pods.length, 1);
  await assert.rejects(readInputs([local, server.url('/')], policy), (error) => {
    assert.ok(error instanceof ManifestError);
    assert.equal(error.faults.length, 1);
    assert.match(String(error.faults), /Pod far: .*hostPath.*: --allow-host is not for URLs/);
    return true;
  });
});

test('a URL that leads elsewhere, loops, never ends or holds a password is refused without it', async () => {
  using server = await serve((request, response) => {
    switch (request.url) {
      case '/file':
        return response.writeHead(302, { location: 'file:///etc/passwd' }).end();
      case '/outside':
        return response.writeHead(302, { location: 'http://192.0.2.1/pod.yaml' }).end();
      case '/scheme':
        return response.writeHead(302, { location: 'https://127.0.0.1:1/' }).end();
      case '/loop':
        return response.writeHead(302, { location: '/loop' }).end();
      case '/missing':
        return response.writeHead(404).end();
      default: {
        const chunk = Buffer.alloc(65_536, '#');
        const more = () => response.write(chunk, (error) => error || more());
        more();
      }
    }
  });
  await refused([server.url('/file')], /file:.* is not allowed: only https/);
  await refused([server.url('/outside')], /192\.0\.2\.1 is not allowed/);
  await refused([server.url('/scheme')], /redirects to another scheme, https:/);
  await refused([server.url('/loop')], /more than 5 redirects/);
  await refused([server.url('/missing')], /answers 404/);
  await refused([server.url('/endless')], /larger than 3 MiB/);
  await refused(['http://192.0.2.1/pod.yaml'], /only https, and http from this machine/);
  await refused(['ftp://127.0.0.1/pod.yaml'], /only https/);
  await assert.rejects(loadInputs(['https://me:s3cret@127.0.0.1:1/x']), (error) => {
    assert.doesNotMatch(String((error as Error).message), /s3cret/);
    return true;
  });
});

test('a file that is not UTF-8 is refused: what it holds would be changed', async () => {
  using directory = temporaryDirectory('inputs');
  const path = join(directory.path, 'm.yaml');
  for (const bytes of [Buffer.from(`\ufeff${POD('a')}`, 'utf16le'), Buffer.from([0x61, 0xe9])]) {
    writeFileSync(path, bytes);
    await refused([path], /m\.yaml.*not UTF-8/);
  }
  writeFileSync(path, `\ufeff${POD('a')}`);
  assert.equal((await readInputs([path])).pods.length, 1);
});
