import type { CheckOptions } from '../options.ts';
import type { Target } from '../target.ts';

/**
 * Tries a target once, as `Check` of attempt.ts says. The code of a scheme is loaded when it is used.
 */
export async function check(
  target: Target,
  options: CheckOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  switch (target.kind) {
    case 'mq':
      return (await import('./mq.ts')).checkQueue(target.queue, options.minMessages);
    case 'shm':
      return (await import('./shared-memory.ts')).checkSegment(target.segment);
    case 'sem':
      return (await import('./shared-memory.ts')).checkSemaphore(target.key);
    case 'tcp':
      return (await import('./connect.ts')).checkConnection(target, signal);
    case 'unix':
      return (await import('./connect.ts')).checkConnection({ path: target.path }, signal);
    case 'http':
      return (await import('./http.ts')).checkHttp(target.url, options, signal);
    case 'file':
      return (await import('./file.ts')).checkFile(target.path);
    case 'dns':
      return (await import('./dns.ts')).checkName(target.host);
  }
}
