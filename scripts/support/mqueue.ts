import { existsSync, readFileSync } from 'node:fs';
import { step } from './output.ts';
import { run } from './run.ts';

/** Mounts the file system of POSIX message queues where a bare machine has not (mq_overview(7)). */
export async function ensureMessageQueues(): Promise<void> {
  if (/ mqueue /.test(readFileSync('/proc/mounts', 'utf8'))) return;
  if (process.getuid?.() !== 0) {
    throw new Error(
      'no mqueue file system is mounted: as root, mkdir -p /dev/mqueue && mount -t mqueue mqueue /dev/mqueue',
    );
  }
  await step('mount /dev/mqueue', async () => {
    if (!existsSync('/dev/mqueue')) await run('mkdir', ['/dev/mqueue']);
    await run('mount', ['-t', 'mqueue', 'mqueue', '/dev/mqueue']);
  });
}
