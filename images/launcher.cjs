// The entry point of every image: runs the bundle with V8's code cache, which was made at build
// time by the same Node. A cache of another V8 is rejected and costs nothing but the time saved.
const { readFileSync } = require('node:fs');
const { Script } = require('node:vm');

const filename = `${__dirname}/bundle.cjs`;
const script = new Script(readFileSync(filename, 'utf8'), { filename, cachedData: codeCache() });
const bundle = { exports: {} };
// The build wrapped the bundle in the function that Node would wrap a CommonJS module in.
script
  .runInThisContext()
  .call(bundle.exports, bundle.exports, require, bundle, filename, __dirname);

function codeCache() {
  try {
    return readFileSync(`${__dirname}/bundle.cache`);
  } catch {}
}

// Only the build sets it, to keep what a warm-up run compiled.
const cacheFile = process.env.SIDEKIT_WRITE_CODE_CACHE;
if (cacheFile) {
  delete process.env.SIDEKIT_WRITE_CODE_CACHE;
  process.on('exit', () => require('node:fs').writeFileSync(cacheFile, script.createCachedData()));
}
