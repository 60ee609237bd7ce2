import { Broken } from '@sidekit/core/schema';

/** The ranges of cron's fields, and the names that months and days have. */
const FIELDS: readonly (readonly [min: number, max: number, names: readonly string[]])[] = [
  [0, 59, []],
  [0, 23, []],
  [1, 31, []],
  [1, 12, 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')],
  [0, 6, 'sun mon tue wed thu fri sat'.split(' ')],
];

/** A CronJob's schedule: five fields, or a word such as `@hourly` (robfig/cron, standard parser). */
export function schedule(value: string): Broken | undefined {
  if (/^@(yearly|annually|monthly|weekly|daily|midnight|hourly|every \S+)$/.test(value)) {
    return undefined;
  }
  const fields = value.trim().split(/\s+/);
  const good =
    fields.length === FIELDS.length &&
    fields.every((field, index) => field.split(',').every((part) => isPart(part, index)));
  return good
    ? undefined
    : new Broken('must be a schedule of five fields', 'write it as */5 * * * *');
}

/** One part of a field: `*`, `5`, `1-5`, `mon-fri`, each with an optional step. */
function isPart(part: string, index: number): boolean {
  const [min, max, names] = FIELDS[index]!;
  const [, range = '', step] = /^([^/]+)(?:\/(\d+))?$/.exec(part) ?? [];
  if (range === '' || step === '0') return false;
  if (range === '*' || range === '?') return true;
  const ends = range.split('-').map((end) => {
    const name = names.indexOf(end.toLowerCase());
    return name >= 0 ? name + min : /^\d+$/.test(end) ? Number(end) : Number.NaN;
  });
  const [first = Number.NaN, last = first] = ends;
  return ends.length <= 2 && first >= min && last <= max && first <= last;
}

/** A CronJob's time zone: a name of the IANA database. */
export function timeZone(value: string): Broken | undefined {
  const broken = new Broken(
    'must be a time zone of the IANA database',
    'write it as Europe/Zurich',
  );
  // Intl takes offsets too, and names in any case.
  if (!/^[A-Z][\w+-]*(\/[\w+-]+)*$/.test(value)) return broken;
  try {
    new Intl.DateTimeFormat('en', { timeZone: value });
    return undefined;
  } catch {
    return broken;
  }
}
