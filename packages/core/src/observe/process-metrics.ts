import { readdirSync } from 'node:fs';
import { version } from '../version.ts';
import type { Health } from './health.ts';
import type { Registry } from './metrics.ts';

/** Registers what Prometheus' client guidelines ask of every process, and the build. */
export function registerProcessMetrics(registry: Registry, name: string): void {
  registry
    .gauges({ name: 'sidekit_build_info', help: 'The running sidecar and its version.' })
    .with({ name, version, node: process.versions.node })
    .set(1);
  registry.counter({
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time, in seconds.',
    collect: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
  });
  registry.gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory, in bytes.',
    collect: (gauge) => gauge.set(process.memoryUsage.rss()),
  });
  registry
    .gauge({
      name: 'process_start_time_seconds',
      help: 'Start of the process, in seconds since 1970.',
    })
    .set(Math.round(Date.now() / 1000 - process.uptime()));
  registry.gauge({
    name: 'process_open_fds',
    help: 'Open file descriptors.',
    collect: (gauge) => gauge.set(openDescriptors()),
  });
}

/** Registers the warnings of the health, by name, so that an alert can be made of them. */
export function registerHealthMetrics(registry: Registry, health: Health): void {
  const known = new Set<string>();
  registry.gauges({
    name: 'sidekit_health_warning',
    help: 'Whether a warning of /readyz is set, by its name.',
    collect: (family) => {
      const set = health.report('ready').warnings.map(({ name }) => name);
      for (const name of set) known.add(name);
      for (const name of known) family.with({ name }).set(set.includes(name) ? 1 : 0);
    },
  });
}

function openDescriptors(): number {
  try {
    // One of them is the descriptor that reads the directory.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return Number.NaN;
  }
}
