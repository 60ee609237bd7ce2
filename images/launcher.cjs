// The entry point of every image: runs the bundle with V8's code cache, which was made at build
// time by the same Node. A cache of another V8 is rejected and costs nothing but the time saved.
const { readFileSync } = require('node:fs');
const { wrap } = require('node:module');
const { join } = require('node:path');
const { Script } = require('node:vm');

const filename = join(__dirname, 'bundle.cjs');
let cachedData;
try {
  cachedData = readFileSync(join(__dirname, 'bundle.cache'));
} catch {}
const script = new Script(wrap(readFileSync(filename, 'utf8')), {
  filename,
  cachedData,
});
const bundle = { exports: {} };
script
  .runInThisContext()
  .call(bundle.exports, bundle.exports, require, bundle, filename, __dirname);

// Only the build sets it, to keep what a warm-up run compiled.
const cacheFile = process.env.SIDEKIT_WRITE_CODE_CACHE;
if (cacheFile) {
  delete process.env.SIDEKIT_WRITE_CODE_CACHE;
  process.on('exit', () => require('node:fs').writeFileSync(cacheFile, script.createCachedData()));
}
