import { readFileSync } from 'node:fs';
import type { Health, Log } from '@sidekit/core';
import type { Clock } from '../time/clock.ts';
import type { Listeners } from './listeners.ts';

/** Descriptors of the process itself: libraries, logs, the admin port. */
const OWN_DESCRIPTORS = 64;

/** Warns about settings that the machine cannot meet: in the log once, in `/readyz` always. */
export function watchLimits(
  { log, health }: { log: Log; health: Health },
  listeners: Listeners,
  clock: Clock,
): void {
  const names = health.condition('names');
  const descriptors = health.condition('descriptors');
  names.pass();
  descriptors.pass();
  const limit = descriptorLimit();
  let warned = 0;
  clock.watch({
    check: () => {
      const unresolved = listeners.clusters.flatMap(({ cluster }) => [...cluster.unresolved]);
      if (unresolved.length === 0) names.pass();
      else names.warn(`names of upstreams are not resolved: ${unresolved.join(', ')}`);
      const needed = listeners.maxConnections + OWN_DESCRIPTORS;
      if (needed <= limit) descriptors.pass();
      else {
        const problem = `--max-connections needs ${needed} file descriptors, but the process may have ${limit}: lower it or raise the limit`;
        descriptors.warn(problem);
        if (warned !== needed) log.warn(problem, { event: 'descriptor_limit', needed, limit });
        warned = needed;
      }
    },
  });
}

/** Returns the soft limit of open files (proc_pid_limits(5)). */
function descriptorLimit(): number {
  try {
    const line = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return line ? Number(line[1]) : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
