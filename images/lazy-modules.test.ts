import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { TestProcess, temporaryDirectory } from '@sidekit/test-kit';
import { hostArchitecture } from './architecture.ts';
import { bundle } from './bundle.ts';
import { IMAGES } from './catalog.ts';
import { nodeBinary } from './node-binary.ts';

/** Writes at the end which modules were loaded, and whether the data of Intl were. */
const WITNESS = `
  let intl = false;
  for (const name of ['Collator', 'DateTimeFormat', 'NumberFormat', 'Segmenter']) {
    Intl[name] = new Proxy(Intl[name], {
      construct(...args) {
        intl = true;
        return Reflect.construct(...args);
      },
    });
  }
  process.on('exit', () => {
    const loaded = process.moduleLoadList.map((name) => name.replace('NativeModule ', 'node:'));
    require('node:fs').writeFileSync(process.env.WITNESS, JSON.stringify({ loaded, intl }));
  });`;

const STRICT: readonly string[] = ['ambassador', 'adapter', 'file-writer', 'coordinator'];

// Together they are more than 20 MiB of resident memory, which each sidecar of each Pod would pay.
for (const image of IMAGES.filter(({ name }) => STRICT.includes(name))) {
  test(`${image.name} starts without Intl, OpenSSL, HTTP/2 and compression`, async () => {
    using directory = temporaryDirectory();
    const at = (name: string) => join(directory.path, name);
    await bundle(image, at('bundle'), hostArchitecture());
    writeFileSync(at('witness.cjs'), WITNESS);
    writeFileSync(at('config.yaml'), JSON.stringify(image.warmUpConfig ?? {}));
    const config = image.warmUpConfig ? ['--config', at('config.yaml')] : [];
    await using child = new TestProcess(
      nodeBinary(),
      ['-r', at('witness.cjs'), at('bundle/main.cjs'), ...image.warmUp, ...config],
      { env: { WITNESS: at('loaded.json') } },
    );
    await child.event('ready');
    child.kill();
    assert.equal((await child.exited).code, 0, child.stderr);
    const { loaded, intl } = JSON.parse(readFileSync(at('loaded.json'), 'utf8'));
    assert.ok(loaded.includes('node:http'), 'the list shows what is loaded');
    for (const name of ['crypto', 'tls', 'https', 'http2', 'zlib'])
      assert.ok(!loaded.includes(`node:${name}`), `${name} is loaded`);
    assert.equal(intl, false, 'Intl is used');
  });
}
