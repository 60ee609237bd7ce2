/** A rule that a segment name breaks, and what to write instead. */
export interface BrokenName {
  readonly rule: string;
  readonly remedy: string;
}

/**
 * Checks a name by shm_open(3): one slash at its start, then 1–255 bytes without a slash or NUL.
 * Returns undefined if it is good.
 */
export function checkSegmentName(name: string): BrokenName | undefined {
  if (!name.startsWith('/')) {
    return { rule: 'must start with a slash', remedy: `write /${name}` };
  }
  const rest = name.slice(1);
  if (rest === '' || rest === '.' || rest === '..') {
    return { rule: 'must have a name after its slash', remedy: 'write /sidekit, for example' };
  }
  if (rest.includes('/')) {
    return {
      rule: 'must have no slash but its first',
      remedy: `segments have no directories: write /${rest.replaceAll('/', '-')}`,
    };
  }
  if (rest.includes('\0')) {
    return { rule: 'must not hold a NUL byte', remedy: 'leave it out' };
  }
  // NAME_MAX of tmpfs.
  if (Buffer.byteLength(rest) > 255) {
    return { rule: 'must have at most 255 bytes after its slash', remedy: 'choose a shorter name' };
  }
  return undefined;
}
