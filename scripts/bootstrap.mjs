/**
 * Entry point of `npm run …`: makes sure that the dependencies of the lock file are installed, then
 * runs scripts/<task>.ts on the Node that they bring. With `--help` it only prints what the task
 * does, which needs no packages. Plain JavaScript, since on a fresh clone only the machine's own Node
 * is there, whatever its version.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
const [task, ...args] = process.argv.slice(2);
if (args.includes('--help') || args.includes('-h')) {
  process.stdout.write(`${taskHelp(join('scripts', `${task}.ts`))}\n`);
  process.exit(0);
}
const stamp = 'node_modules/.sidekit-lock';
const lock = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  const start = Date.now();
  process.stdout.write('Installing npm packages (half a minute the first time) …\n');
  const code = await run('npm', ['ci', '--loglevel=error', '--no-audit', '--no-fund'], true);
  if (code !== 0) process.exit(code);
  writeFileSync(stamp, lock);
  process.stdout.write(`Installed in ${((Date.now() - start) / 1000).toFixed(1)} s.\n`);
}
process.exit(await run('node_modules/.bin/node', [join('scripts', 'run-task.ts'), task, ...args]));

function run(command, commandArgs, quiet = false) {
  return new Promise((resolve) => {
    const child = spawn(command, commandArgs, {
      stdio: quiet ? ['ignore', 'ignore', 'inherit'] : 'inherit',
      env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}` },
    });
    // The child gets the terminal's Ctrl-C itself and ends in order; this process waits for it.
    for (const signal of ['SIGINT', 'SIGTERM']) {
      process.on(signal, () => signal === 'SIGTERM' && child.kill(signal));
    }
    child.once('error', (error) => {
      process.stderr.write(`${command} cannot be run: ${error.message}\n`);
      resolve(1);
    });
    child.once('close', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}

/** The comment at the head of a task's script says what it does and which arguments it takes. */
function taskHelp(path) {
  const [, comment = ''] = /\/\*\*([\s\S]*?)\*\//.exec(readFileSync(path, 'utf8')) ?? [];
  return comment.replace(/^ *\* ?/gm, '').trim();
}
