// The entry point of every image: runs the bundle with V8's code cache, which was made at build
// time by the same Node. A cache of another V8 is rejected and costs nothing but the time saved.
const { readFileSync, writeFileSync } = require('node:fs');
const { Script } = require('node:vm');

const scripts = new Map();

/** Runs a file of the image, which the build wrapped as Node wraps a CommonJS module. */
function run(name) {
  const filename = `${__dirname}/${name}.cjs`;
  const script = new Script(readFileSync(filename, 'utf8'), { filename, cachedData: cache(name) });
  scripts.set(name, script);
  const file = { exports: {} };
  script.runInThisContext().call(file.exports, file.exports, load, file, filename, __dirname);
  return file.exports;
}

/** Loads a package that is a file next to the bundle, or what Node knows. */
function load(id) {
  return /^\.\/.*\.cjs$/.test(id) ? run(id.slice(2, -4)) : require(id);
}

function cache(name) {
  try {
    return readFileSync(`${__dirname}/${name}.cache`);
  } catch {}
}

// Only the build sets it, to a folder that keeps what a warm-up run compiled.
const folder = process.env.SIDEKIT_WRITE_CODE_CACHE;
if (folder) {
  delete process.env.SIDEKIT_WRITE_CODE_CACHE;
  process.on('exit', () => {
    for (const [name, script] of scripts)
      writeFileSync(`${folder}/${name}.cache`, script.createCachedData());
  });
}

run('bundle');
