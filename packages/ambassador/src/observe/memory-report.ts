import { type Health, type Log, type Registry, throttle } from '@sidekit/core';
import type { MemoryBudget } from '../memory/memory-budget.ts';

/** Reports the memory budget: two metrics, a warning in `/readyz` and a log record. */
export function reportMemory(
  memory: MemoryBudget,
  { metrics, health, log }: { metrics: Registry; health: Health; log: Log },
): void {
  metrics
    .gauge({
      name: 'ambassador_memory_budget_bytes',
      help: 'Bytes that may wait in memory for slow peers; beyond, reading pauses.',
    })
    .set(memory.limit);
  metrics.gauge({
    name: 'ambassador_memory_waiting_bytes',
    help: 'Bytes that wait in memory for slow peers.',
    collect: (gauge) => gauge.set(memory.used),
  });
  const pauses = metrics.counter({
    name: 'ambassador_memory_pauses_total',
    help: 'Times at which reading paused because the memory budget was used up.',
  });
  const condition = health.condition('memory');
  condition.pass();
  const warn = throttle(10_000, (suppressed) =>
    log.warn('the memory budget is used up, bodies and streams wait', {
      event: 'memory_budget_used_up',
      budget: memory.limit,
      suppressed,
    }),
  );
  memory.onChange((held) => {
    if (!held) {
      condition.pass();
      return;
    }
    pauses.inc();
    condition.warn('the memory budget is used up by slow peers: bodies and streams wait');
    warn();
  });
}
