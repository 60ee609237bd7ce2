import type { FastParser } from '../parse/fast.ts';
import { KEY_FIELDS } from '../pipeline/record-key.ts';
import { ByteEdits } from './byte-edits.ts';
import type { TransformOptions } from './transform.ts';

/** What a fast parser's records have, as far as it is known before a line is read. */
export interface KnownFields {
  /** Those that a line may become. */
  readonly possible: readonly string[];
  /** Those that every line becomes. */
  readonly certain: readonly string[];
}

/** The same as `transformer` does to a record, for records that are bytes from the start. */
export interface ByteTransform {
  /** What is added: members, each with a comma before it, that follow a record's own. */
  readonly added: string;
  /** A line with one of these names has to become a record. */
  readonly reserved: readonly string[];
  /** Makes a parser rename, drop and redact what it writes. */
  readonly around: (parser: FastParser) => FastParser;
}

/** Names that parsing sets by itself, that are no member like others, or that the key takes. */
const SPECIAL = new Set(['time', '__proto__', ...KEY_FIELDS]);

/**
 * Undefined where the options ask for what needs the record: patterns to redact, and fields that
 * take each other's names.
 */
export function byteTransform(
  options: TransformOptions,
  { possible, certain }: KnownFields,
): ByteTransform | undefined {
  const { rename, drop, add, redact, redactPatterns, redactFields } = options;
  if (redact.length + redactPatterns.length > 0) return undefined;
  const from = Object.keys(rename);
  const to = Object.values(rename);
  const reserved = [...to, ...Object.keys(add)];
  const clash =
    new Set(reserved).size < reserved.length ||
    // Objects list names that are numbers first.
    reserved.some((name) => SPECIAL.has(name) || possible.includes(name) || /^\d/.test(name)) ||
    to.some((name) => from.includes(name) || drop.includes(name) || redactFields.includes(name)) ||
    from.some((name) => drop.includes(name));
  if (clash) return undefined;
  // Were nothing left of a line that was counted, it could not be handed on.
  if (certain.length > 0 && certain.every((name) => drop.includes(name))) return undefined;
  const edits =
    from.length + drop.length + redactFields.length > 0
      ? new ByteEdits({ rename, drop, redactFields })
      : undefined;
  return {
    added: membersOf(add),
    reserved,
    around: (parser) => (edits ? new EditedParser(parser, edits) : parser),
  };
}

function membersOf(add: Readonly<Record<string, string>>): string {
  const members = JSON.stringify(add).slice(1, -1);
  return members === '' ? '' : `,${members}`;
}

/** A parser whose records are edited on their way to the payload. */
class EditedParser implements FastParser {
  readonly overhead: number;
  readonly #parser: FastParser;
  readonly #edits: ByteEdits;
  #record: Buffer = Buffer.allocUnsafeSlow(4096);

  constructor(parser: FastParser, edits: ByteEdits) {
    this.#parser = parser;
    this.#edits = edits;
    this.overhead = parser.overhead + edits.overhead;
  }

  write(input: Buffer, start: number, end: number, out: Buffer, at: number): number {
    const room = end - start + this.#parser.overhead;
    if (this.#record.length < room) this.#record = Buffer.allocUnsafeSlow(room * 2);
    const length = this.#parser.write(input, start, end, this.#record, 0);
    return length === -1 ? -1 : this.#edits.apply(this.#record, length, out, at);
  }
}
