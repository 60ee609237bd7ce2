/** A step of a path: a member or element of that name, or all of them. */
type Step = { readonly name: string } | '*';

/** A path to values in a JSON document. */
export type Path = readonly Step[];

/** A value that a path leads to. */
export interface Found {
  readonly value: unknown;
  /** The name or index that the last `*` stood for; empty if the path has none. */
  readonly key: string;
}

const STEP = /\.(\*|[^.[\]"*\s]+)|\[(?:(\*)|(\d{1,9})|"((?:[^"\\]|\\.)*)")\]/y;
const MOST_STEPS = 32;

/**
 * Parses `.`, `.queue.size`, `.workers[*].busy`, `.pools.*`, `.list[0]`, `.a["odd.name"]`; as in jq,
 * `.` is the document itself.
 * @returns undefined if the text is no path.
 */
export function parsePath(text: string): Path | undefined {
  if (text === '.') return [];
  const steps: Step[] = [];
  // `.[0]` and `[0]` are the same.
  let at = text.startsWith('.[') ? 1 : 0;
  while (at < text.length) {
    STEP.lastIndex = at;
    const match = STEP.exec(text);
    if (!match || steps.length === MOST_STEPS) return undefined;
    const [whole, plain, every, index, quoted] = match;
    if (plain === '*' || every === '*') steps.push('*');
    else if (quoted !== undefined) {
      const name = unquoted(quoted);
      if (name === undefined) return undefined;
      steps.push({ name });
    } else steps.push({ name: plain ?? index ?? '' });
    at += whole.length;
  }
  return steps.length > 0 ? steps : undefined;
}

/** Whether a path may lead to several values. */
export function isMany(path: Path): boolean {
  return path.includes('*');
}

/** Finds the values of a path, in the order of the document. Only own properties are followed. */
export function* find(value: unknown, path: Path, from = 0, key = ''): Generator<Found> {
  const step = path[from];
  if (step === undefined) {
    yield { value, key };
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (step === '*') {
    for (const name of Object.keys(value)) {
      yield* find((value as Record<string, unknown>)[name], path, from + 1, name);
    }
    return;
  }
  if (!Object.hasOwn(value, step.name)) return;
  // A list's length is a property of its own, but not one of the document.
  if (Array.isArray(value) && !/^\d+$/.test(step.name)) return;
  yield* find((value as Record<string, unknown>)[step.name], path, from + 1, key);
}

function unquoted(text: string): string | undefined {
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return undefined;
  }
}
