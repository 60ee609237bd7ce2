import { validateHeaderName, validateHeaderValue } from 'node:http';
import {
  Broken,
  boolean,
  choice,
  duration,
  integer,
  list,
  map,
  object,
  option,
  parseSignal,
  scalar,
  type TypeOf,
  text,
  url,
} from '@sidekit/core';
import { isRecord, type Violation } from '@sidekit/core/schema';
import { statuses } from '@sidekit/targets';
import { absolutePath, name, processName, regularExpression, target } from './names.ts';
import { exactlyOne, objectWithRules, oneOf } from './rules.ts';

const signal = scalar<NodeJS.Signals>(
  'signal',
  { type: 'string' },
  (input) =>
    (typeof input === 'string' ? parseSignal(input) : undefined) ??
    new Broken('must be the name of a signal', 'write HUP, TERM or USR1'),
);

const mode = scalar<number>(
  'octal mode',
  { type: 'string', pattern: '^0?[0-7]{3}$' },
  (input) =>
    typeof input === 'string' && /^0?[0-7]{3}$/.test(input)
      ? Number.parseInt(input, 8)
      : new Broken('must be a mode of three octal digits', 'write it as "0644", in quotes'),
  (value) => value.toString(8).padStart(4, '0'),
);

/** How a target is checked, in steps and in triggers. */
export const targetFields = {
  target: option(target, { description: 'A target of wait-for.', required: true }),
  status: option(list(statuses), {
    description: 'With http and https: the statuses that count; any from 200 to 399 by default.',
    default: [],
  }),
  body: option(regularExpression, {
    description: 'With http and https: must match the first 64 KiB of the response.',
  }),
  caFile: option(absolutePath, {
    description: 'With https: PEM file of the authorities to trust instead of the system’s.',
  }),
  minMessages: option(integer(1), {
    description: 'With mq: the queue must hold at least this many messages.',
  }),
  tryTimeout: option(duration(10), { description: 'The time for one try.', default: 5000 }),
} as const;

/** The schemes with which a field of a target counts. */
const SCHEMES: Readonly<Record<string, readonly string[]>> = {
  status: ['http', 'https'],
  body: ['http', 'https'],
  caFile: ['https'],
  minMessages: ['mq'],
};

/** Reports the fields that would not count with the scheme of the target. */
export function checkTarget(
  given: Readonly<Record<string, unknown>>,
  complain: (at: readonly string[], violation: Violation) => void,
): void {
  if (typeof given.target !== 'string') return;
  const scheme = given.target.slice(0, given.target.indexOf(':'));
  for (const [field, schemes] of Object.entries(SCHEMES)) {
    if (given[field] === undefined || given[field] === null || schemes.includes(scheme)) continue;
    const rule = `needs a target with ${schemes.map((one) => `${one}:`).join(' or ')}`;
    complain([field], { rule, remedy: 'leave it out' });
  }
}

const http = objectWithRules(
  {
    url: option(url('http', 'https'), { description: 'The URL.', required: true }),
    method: option(choice('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'), {
      description: 'The method.',
      default: 'POST',
    }),
    status: option(list(statuses), {
      description: 'The statuses that are a success; 200-299 by default.',
      default: [[200, 299]],
    }),
    headers: option(map(text()), { description: 'More request headers.', secret: true }),
    bearerTokenFile: option(absolutePath, {
      description: 'A file with a bearer token to send; read at each request.',
    }),
    body: option(text(), { description: 'The request body.', secret: true }),
    caFile: option(absolutePath, {
      description: 'With https: PEM file of the authorities to trust instead of the system’s.',
    }),
  },
  ({ headers }, complain) => {
    if (!isRecord(headers)) return;
    for (const [name, value] of Object.entries(headers)) {
      // Without the value, which may be a secret.
      if (!isHeader(name, String(value))) complain(['headers', name], HEADER_FAULT);
      else if (OWN_HEADERS.has(name.toLowerCase())) complain(['headers', name], OWN_HEADER_FAULT);
    }
  },
);

/** RFC 9110 §5.1 and §5.5. */
const HEADER_FAULT = {
  rule: 'must be a header that HTTP allows',
  remedy: 'write a token as the name, and a value without control characters',
};

/** The framing of a message (RFC 9112 §6), and what concerns one connection only (RFC 9110 §7.6.1). */
const OWN_HEADERS = new Set([
  ...['connection', 'content-length', 'expect', 'keep-alive', 'proxy-connection', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade'],
]);
const OWN_HEADER_FAULT = {
  rule: 'must not be a header of the connection or of the length',
  remedy: 'leave it out: the coordinator sends what is needed',
};

function isHeader(name: string, value: string): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}

const ACTIONS = ['http', 'signal', 'wait', 'write', 'pause', 'letStop'] as const;

const fields = {
  name: option(name, { description: 'A name for logs and metrics; its action by default.' }),
  http: option(http, { description: 'Send an HTTP request.' }),
  signal: option(
    object({
      process: option(processName, {
        description: 'The process, by the name that ps shows; needs `shareProcessNamespace: true`.',
        required: true,
      }),
      signal: option(signal, { description: 'The signal, such as HUP.', required: true }),
      all: option(boolean, {
        description: 'Signal every process of that name; several are an error otherwise.',
        default: false,
      }),
    }),
    { description: 'Send a signal to a process of the Pod.' },
  ),
  wait: option(
    objectWithRules(
      {
        ...targetFields,
        not: option(boolean, { description: 'Wait until it is gone.', default: false }),
        interval: option(duration(10), {
          description: 'The pause between two tries.',
          default: 200,
        }),
      },
      checkTarget,
    ),
    { description: 'Wait for a condition.' },
  ),
  write: option(
    object({
      path: option(absolutePath, { description: 'The file.', required: true }),
      content: option(text(), { description: 'Its content.', required: true, secret: true }),
      mode: option(mode, { description: 'Its mode, in quotes.', default: 0o644 }),
    }),
    { description: 'Write a file, complete or not at all.' },
  ),
  pause: option(duration(0, 3_600_000), { description: 'Pause for this time.' }),
  letStop: option(name, {
    description: 'Let a participant stop: its `preStop` request to `/stop/NAME` is answered.',
  }),
  timeout: option(duration(1, 3_600_000), {
    description: 'The time for one attempt; a pause does not count.',
    default: 30_000,
  }),
  retries: option(integer(0, 100), {
    description: 'Further attempts after a failure, with full jitter up to 30s between them.',
    default: 0,
  }),
  repeatable: option(boolean, {
    description:
      'Whether it may run twice: after a crash that interrupted it, or by `retries`. The actions `wait`, `write`, `pause` and `letStop` always may.',
    default: false,
  }),
} as const;

/** A step of a sequence: one action. */
export const step = objectWithRules(
  fields,
  (given, complain) => {
    exactlyOne(given, ACTIONS, complain);
    const effect = given.http !== undefined || given.signal !== undefined;
    if (effect && Number(given.retries ?? 0) > 0 && given.repeatable !== true) {
      const rule = 'needs a step that may run twice';
      complain(['retries'], { value: given.retries, rule, remedy: 'add repeatable: true' });
    }
  },
  oneOf(ACTIONS),
);

/** A step of the `always` part, which a crash may run twice. */
export const alwaysStep = objectWithRules(
  fields,
  (given, complain) => {
    exactlyOne(given, ACTIONS, complain);
    const effect = given.http !== undefined || given.signal !== undefined;
    if (effect && given.repeatable !== true) {
      const rule = 'must be true in the always part, which a crash may run twice';
      complain(['repeatable'], { rule, remedy: 'add repeatable: true' });
    }
  },
  oneOf(ACTIONS),
);

export type Step = TypeOf<typeof step>;

/** Returns the name of a step for logs and metrics. */
export function stepName(one: Step): string {
  return one.name ?? ACTIONS.find((action) => one[action] !== undefined) ?? 'step';
}

/** Whether a step may run twice. */
export function isRepeatable(one: Step): boolean {
  return one.repeatable || (one.http === undefined && one.signal === undefined);
}
