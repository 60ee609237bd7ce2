// The program of the lifecycle Pods' containers, on Node alone: `toolbox.cjs NAME [key=value …]`.
//
//   exit=MS,CODE     ends by itself
//   exit-at=NAME,N   ends with 0 once container NAME has started N times
//   term=MS          ends with 0 so long after SIGTERM; term=ignore never does (0 by default)
//   fail-runs=N,CODE ends at once with CODE in its first N runs
//   http=PORT        serves 200, from ready-after=MS after its start and until ready-until=MS, and
//                    only while ready-if=PATH exists, and not once ready-unless=PATH does
//   say=TEXT         records TEXT at its start; ${NAME} is a variable, @PATH a file's content
//   watch=PATH       records the content of a file each time it changes
//   fill=PATH        writes 64 MiB, a MiB at a time
//
// `toolbox.cjs probe NAME fail=N` fails its first N calls; `toolbox.cjs hook NAME MS` takes MS.
//
// Each event is a line `<ms> <container> <event>` on stdout and in /state/log. A container repeats
// those so far when it starts and when it ends: all logs together hold the whole timeline.
const fs = require('node:fs');

const LOG = '/state/log';
const [mode, ...rest] = process.argv.slice(2);
const clock = () => (performance.timeOrigin + performance.now()).toFixed(3);
function record(name, event) {
  const line = `${clock()} ${name} ${event}\n`;
  fs.writeSync(1, line);
  fs.appendFileSync(LOG, line);
}
function count(file) {
  fs.appendFileSync(file, '.');
  return fs.readFileSync(file, 'utf8').length;
}

if (mode === 'probe') {
  const [name, option] = rest;
  const failures = Number(option.slice('fail='.length));
  process.exit(count(`/state/probe-${name}`) <= failures ? 1 : 0);
} else if (mode === 'hook') {
  const [name, ms] = rest;
  record(name, 'begins');
  setTimeout(() => record(name, 'ends'), Number(ms));
} else run(mode, Object.fromEntries(rest.map((word) => word.split(/=(.*)/s))));

function run(name, options) {
  const repeat = () => fs.existsSync(LOG) && fs.writeSync(1, fs.readFileSync(LOG));
  repeat();
  const nth = count(`/state/runs-${name}`);
  record(name, 'starts');
  const end = (code) => {
    record(name, `exits with ${code}`);
    repeat();
    process.exit(code);
  };
  process.on('SIGTERM', () => {
    record(name, 'gets SIGTERM');
    if (options.term !== 'ignore') setTimeout(() => end(0), Number(options.term ?? 0));
  });
  setInterval(() => {}, 1e6);
  if (options.say) {
    const text = options.say
      .replace(/\$\{(\w+)\}/g, (_, variable) => process.env[variable] ?? '(unset)')
      .replace(/@(\S+)/g, (_, path) => fs.readFileSync(path, 'utf8').trim());
    record(name, `says ${text}`);
  }
  if (options['fail-runs']) {
    const [runs, code] = options['fail-runs'].split(',').map(Number);
    if (nth <= runs) return end(code);
  }
  if (options.exit) {
    const [ms, code] = options.exit.split(',').map(Number);
    setTimeout(() => end(code), ms);
  }
  if (options['exit-at']) {
    const [other, times] = options['exit-at'].split(',');
    const started = () => fs.readFileSync(LOG, 'utf8').split(` ${other} starts\n`).length - 1;
    setInterval(() => started() >= Number(times) && end(0), 20);
  }
  if (options.http) serve(options);
  if (options.watch) watch(name, options.watch);
  if (options.fill) fill(options.fill, 64);
}

function serve({ http, 'ready-after': after = 0, 'ready-until': until = Infinity, ...options }) {
  const began = performance.now();
  const server = require('node:http').createServer((_, response) => {
    const age = performance.now() - began;
    const open = !options['ready-if'] || fs.existsSync(options['ready-if']);
    const closed = fs.existsSync(options['ready-unless'] ?? '');
    response.writeHead(age >= after && age < until && open && !closed ? 200 : 503).end();
  });
  server.listen(Number(http));
}

function fill(path, mebibytes) {
  if (mebibytes === 0) return;
  fs.appendFileSync(path, Buffer.alloc(1 << 20));
  setTimeout(fill, 10, path, mebibytes - 1);
}

function watch(name, path) {
  let last = '';
  setInterval(() => {
    const text = fs.readFileSync(path, 'utf8').trim();
    if (text !== last) record(name, `sees ${text}`);
    last = text;
  }, 20);
}
