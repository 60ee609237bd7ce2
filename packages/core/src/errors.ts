/**
 * The exit codes of every sidecar; the numbers above 0 are those of BSD's sysexits.h.
 */
export const ExitCode = {
  /** Finished, or stopped by a signal in time. */
  ok: 0,
  /** EX_USAGE: the configuration is wrong; nothing was started. */
  usage: 64,
  /** EX_UNAVAILABLE: something waited for did not come in time, or a service does not answer. */
  unavailable: 69,
  /** EX_SOFTWARE: anything else that ended the program. */
  internal: 70,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** A fault of the input, with the rule that it breaks and the remedy. */
export interface Fault {
  /** The option, key or path at fault, as the user wrote it: `--queue`, `MQ_QUEUE`, `listeners[0].listen`. */
  readonly name: string;
  /** The offending value; absent if there is none or it is secret. */
  readonly value?: unknown;
  /** The rule that is broken, as a clause: `must start with a slash`. */
  readonly rule: string;
  /** The remedy, as an imperative sentence without its full stop. */
  readonly remedy?: string | undefined;
}

/** An error that the user can fix: printed as one sentence, never with a stack trace. */
export class ExpectedError extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = ExitCode.internal, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.exitCode = exitCode;
  }
}

/** The most faults that are shown: one missing quote, or one wrong list, can cause thousands. */
const MOST_SHOWN = 100;

/** The first hundred faults, and how many more there are. */
export function shownFaults(faults: readonly string[]): readonly string[] {
  const more = faults.length - MOST_SHOWN;
  return more > 0 ? [...faults.slice(0, MOST_SHOWN), `and ${more} more`] : faults;
}

/** Everything that is wrong with the configuration, at once; a hundred faults are shown. Exit code 64. */
export class UsageError extends ExpectedError {
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(shownFaults(faults.map(faultText)).join('\n'), ExitCode.usage);
    this.faults = faults;
  }
}

/** Something waited for did not come in time, or a service does not answer. Exit code 69. */
export class UnavailableError extends ExpectedError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, ExitCode.unavailable, options);
  }
}

/** A fault as one line: `--queue "nope" must start with a slash: write /nope`. */
export function faultText({ name, ...violation }: Fault): string {
  return `${name} ${violationText(violation)}`;
}

/** A broken rule in words, without the name: `"nope" must start with a slash: write /nope`. */
export function violationText({ value, rule, remedy }: Omit<Fault, 'name'>): string {
  const shown = value === undefined ? '' : `${abbreviated(value)} `;
  return `${shown}${rule}${remedy ? `: ${remedy}` : ''}`;
}

function abbreviated(value: unknown): string {
  // Of numbers, JSON has neither .inf nor .nan of YAML.
  const json = typeof value === 'number' ? undefined : JSON.stringify(value);
  const text = withoutPasswords(json ?? String(value));
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

/**
 * Hides what stands before the `@` of URLs: a password, or a token in the place of the user.
 * `http://anna:s3cret@host/` → `http://redacted@host/`.
 */
export function withoutPasswords(text: string): string {
  return text.replace(/\/\/[^/?#\s"@,]+@/g, '//redacted@');
}

/**
 * Hides the queries of URLs, of a list with commas too: a signed URL has its signature there.
 * `http://host/x?sig=abc` → `http://host/x?redacted`.
 */
export function withoutQueries(text: string): string {
  return text.replace(/(:\/\/[^\s"?#]*\?)(?:(?!,(?:[\w.-]+=)?\w+:\/\/)[^\s"#])+/g, '$1redacted');
}

/** Control characters except tabs and ends of lines, and those that reorder a line. */
const HIDDEN = /[^\P{Cc}\t\n]|[\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Writes what a terminal would obey as an escape of JSON: `\u001b[2J` does not clear the screen. For texts
 * of others, such as a name in a file or the output of a command.
 */
export function visible(text: string): string {
  return text.replace(HIDDEN, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The message of anything that can be thrown, causes included, on one line. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message || (error as NodeJS.ErrnoException).code || error.name;
  const inner = error instanceof AggregateError ? error.errors.map(errorText).join('; ') : '';
  const message = error.message || !inner ? own : inner;
  return error.cause === undefined ? message : `${message}: ${errorText(error.cause)}`;
}
