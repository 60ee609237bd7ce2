import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('./writer-program.ts', import.meta.url));

/** Runs a writer that is killed at random moments and started again; `stop` returns the number of kills. */
export function writerThatIsKilled(path: string, shape: string): { stop(): Promise<number> } {
  let kills = 0;
  let running = true;
  let child = start(path, shape);
  const killing = (async () => {
    while (running) {
      // After some progress: a busy machine may start it slowly.
      await Promise.race([ended(child), published(child, Math.random() * 200)]);
      await pause(Math.random() * 20);
      child.kill('SIGKILL');
      await ended(child);
      kills++;
      if (running) child = start(path, shape);
    }
  })();
  return {
    stop: async () => {
      running = false;
      child.kill('SIGKILL');
      await killing;
      return kills;
    },
  };
}

function start(path: string, shape: string) {
  return spawn(process.execPath, [program, path, shape], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Resolves when the writer has published so many versions; it prints a dot for each. */
function published(child: ReturnType<typeof start>, count: number): Promise<void> {
  let seen = 0;
  return new Promise((resolve) => {
    child.stdout.on('data', (dots: Buffer) => {
      seen += dots.length;
      if (seen > count) resolve();
    });
  });
}

function ended(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', resolve));
}
