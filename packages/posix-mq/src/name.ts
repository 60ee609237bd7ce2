/** The rule that a queue name breaks, and the remedy. */
export interface BrokenName {
  readonly rule: string;
  readonly remedy: string;
}

/**
 * Checks a name by mq_overview(7): one slash at its start, then 1–255 bytes without a slash or
 * NUL. Returns undefined if it is valid.
 */
export function checkQueueName(name: string): BrokenName | undefined {
  if (!name.startsWith('/')) {
    return { rule: 'must start with a slash', remedy: `write /${name}` };
  }
  const rest = name.slice(1);
  if (rest === '' || rest === '.' || rest === '..') {
    return { rule: 'must have a name after its slash', remedy: 'write /sidekit, for example' };
  }
  if (rest.includes('/')) {
    return {
      rule: 'must have no other slash than its first',
      remedy: `queues have no directories: write /${rest.replaceAll('/', '-')}`,
    };
  }
  if (rest.includes('\0')) {
    return { rule: 'must not contain a NUL byte', remedy: 'leave it out' };
  }
  // NAME_MAX of the queue file system.
  if (Buffer.byteLength(rest) > 255) {
    return { rule: 'must have at most 255 bytes after its slash', remedy: 'choose a shorter name' };
  }
  return undefined;
}
