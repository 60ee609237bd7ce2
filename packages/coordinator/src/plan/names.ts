import { Broken, list, path, refine, scalar, text } from '@sidekit/core';
import { parseTarget, type Target } from '@sidekit/targets';

/** A name of a sequence, a step, an event or a participant: a DNS label (RFC 1123). */
export const name = text('name', {
  matches: /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  rule: 'must be a name of lowercase letters, digits and dashes, at most 63',
  remedy: 'write a name such as reload-app',
});

/** The most participants: far more than a Pod has containers. */
const MOST_PARTICIPANTS = 100;

export const participants = refine(list(name), (names) => {
  if (new Set(names).size < names.length) {
    return new Broken('must not have a name twice', 'write each container once');
  }
  return names.length > MOST_PARTICIPANTS
    ? new Broken(`must have at most ${MOST_PARTICIPANTS} names`)
    : undefined;
});

export const absolutePath = refine(
  path,
  (value) => (value.startsWith('/') ? undefined : new Broken('must be absolute', 'write /path')),
  'absolute path',
);

/** A target of wait-for. */
export const target = scalar<Target>(
  'target',
  { type: 'string', pattern: '^(mq|shm|sem|tcp|unix|https?|file|dns):' },
  (input) => {
    let broken: Broken | undefined;
    const read = parseTarget(String(input), ({ rule, remedy }) => {
      broken = new Broken(rule, remedy);
    });
    return read ?? broken ?? new Broken('must be a target', 'write one such as tcp:127.0.0.1:80');
  },
  ({ text }) => text,
);

export const regularExpression = refine(text('regular expression'), (value) => {
  try {
    new RegExp(value);
    return undefined;
  } catch (error) {
    return new Broken(`must be a regular expression (${(error as Error).message})`);
  }
});

/** The name of a process, as ps shows it. */
export const processName = text('process name', {
  matches: /^[^\0-\x1f/]{1,255}$/,
  rule: 'must be the name of a process, 1 to 255 characters without /',
  remedy: 'write a name such as nginx',
});
