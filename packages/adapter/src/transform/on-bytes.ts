import type { FastParser } from '../parse/fast.ts';
import type { MemberEdits } from '../parse/member-edits.ts';
import { KEY_FIELDS } from '../pipeline/record-key.ts';
import { ByteEdits } from './byte-edits.ts';
import type { TransformOptions } from './transform.ts';

/** The fields of a fast parser's records, as far as they are known in advance. */
export interface KnownFields {
  /** Fields that a record may have. */
  readonly possible: readonly string[];
  /** Fields that every record has. */
  readonly certain: readonly string[];
}

/** Does to JSON bytes what `transformer` does to a record. */
export interface ByteTransform {
  /** Members, each with a comma before it, that follow a record's own. */
  readonly added: string;
  /** Names whose presence in a line requires a record. */
  readonly reserved: readonly string[];
  /** Undefined if nothing is renamed, dropped or redacted. */
  readonly edits: MemberEdits | undefined;
}

/** Names that the parsers set, that are special in JavaScript, or that the key uses. */
const SPECIAL = new Set(['time', '__proto__', ...KEY_FIELDS]);

/**
 * Returns undefined if the options need a record: patterns to redact, and fields that take each
 * other's names.
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
  // A line that was counted must leave at least one field.
  if (certain.length > 0 && certain.every((name) => drop.includes(name))) return undefined;
  const isEdited = from.length + drop.length + redactFields.length > 0;
  return {
    added: membersOf(add),
    reserved,
    edits: isEdited ? { rename, drop, redactFields } : undefined,
  };
}

function membersOf(add: Readonly<Record<string, string>>): string {
  const members = JSON.stringify(add).slice(1, -1);
  return members === '' ? '' : `,${members}`;
}

/** A parser whose records are edited while they are copied to the payload. */
export class EditedParser implements FastParser {
  readonly overhead: number;
  readonly #parser: FastParser;
  readonly #edits: ByteEdits;
  #record: Buffer = Buffer.allocUnsafeSlow(4096);

  constructor(parser: FastParser, edits: MemberEdits) {
    this.#parser = parser;
    this.#edits = new ByteEdits(edits);
    this.overhead = parser.overhead + this.#edits.overhead;
  }

  write(input: Buffer, start: number, end: number, out: Buffer, at: number): number {
    const room = end - start + this.#parser.overhead;
    if (this.#record.length < room) this.#record = Buffer.allocUnsafeSlow(room * 2);
    const length = this.#parser.write(input, start, end, this.#record, 0);
    return length === -1 ? -1 : this.#edits.apply(this.#record, length, out, at);
  }
}
