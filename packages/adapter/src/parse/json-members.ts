import { bytesOf, COMMA, compact, copy, copyLong, quoted } from './json-bytes.ts';
import { REDACTED } from './member-edits.ts';

const PUT = bytesOf(JSON.stringify(REDACTED));
const TIME = bytesOf('"time":');

/** The part that a member of some name plays in a line. */
export interface Role {
  /** Its index among the time fields; -1 for others. */
  readonly field: number;
  /** Its index among the renamed members; -1 if it keeps its name. */
  readonly rename: number;
  readonly drop: boolean;
  readonly redact: boolean;
}

/** Lines with more members that have a role are left to the other parser. */
const MOST = 128;

/** The members of a line that have a role, in their order, and how the line is written with them. */
export class JsonMembers {
  /** The most bytes that a record is longer than its line. */
  readonly overhead: number;
  readonly #roles: readonly Role[];
  /** The new names, as JSON, each with its colon. */
  readonly #renamed: readonly Uint8Array[];
  readonly #role = new Uint32Array(MOST);
  readonly #keyAt = new Uint32Array(MOST);
  readonly #valueAt = new Uint32Array(MOST);
  readonly #valueEnd = new Uint32Array(MOST);
  /** The member of each renamed name, or -1. */
  readonly #renamedAs: Int32Array;
  #count = 0;

  /** @param renamed the new names. */
  constructor(roles: readonly Role[], renamed: readonly string[]) {
    this.#roles = roles;
    this.#renamed = renamed.map((name) => bytesOf(`${JSON.stringify(name)}:`));
    this.#renamedAs = new Int32Array(renamed.length);
    const redacted = roles.some(({ redact }) => redact) ? MOST * PUT.length : 0;
    // A time may be longer than what it was written as, and has a name of its own.
    this.overhead = this.#renamed.reduce((sum, { length }) => sum + length + 1, 64 + redacted);
  }

  clear(): void {
    this.#count = 0;
  }

  /** Notes a member; returns its number, or -1 if there are too many. */
  add(role: number, keyAt: number, valueAt: number): number {
    const member = this.#count;
    if (member === MOST) return -1;
    this.#role[member] = role;
    this.#keyAt[member] = keyAt;
    this.#valueAt[member] = valueAt;
    this.#count = member + 1;
    return member;
  }

  end(member: number, at: number): void {
    this.#valueEnd[member] = at;
  }

  /** Returns the member that is a time field, or -1. */
  ofField(field: number): number {
    for (let member = 0; member < this.#count; member++) {
      if (this.roleOf(member).field === field) return member;
    }
    return -1;
  }

  roleOf(member: number): Role {
    return this.#roles[this.#role[member]!]!;
  }

  /** Whether a member is removed or replaced, unless it is the time. */
  isEdited(member: number): boolean {
    const { rename, drop, redact } = this.roleOf(member);
    return drop || redact || rename !== -1;
  }

  valueAt(member: number): number {
    return this.#valueAt[member]!;
  }

  valueEnd(member: number): number {
    return this.#valueEnd[member]!;
  }

  /**
   * Writes the line without its closing brace.
   * @param spaced whether there are spaces between its tokens.
   * @param timed the member with the time, or -1.
   * @param time its time, unless the value is that already.
   * @param moved whether the member is not called `time`.
   * @returns the position after it, or -1 if nothing is left.
   */
  write(
    input: Buffer,
    start: number,
    end: number,
    out: Buffer,
    at: number,
    spaced: boolean,
    timed: number,
    time: Uint8Array | undefined,
    moved: boolean,
  ): number {
    let o = at;
    let copied = start;
    this.#renamedAs.fill(-1);
    for (let member = 0; member < this.#count; member++) {
      const { rename, drop, redact } = this.roleOf(member);
      const isTime = member === timed;
      if ((isTime && moved) || (!isTime && (drop || rename !== -1))) {
        if (!isTime && rename !== -1) this.#renamedAs[rename] = member;
        o = tokens(input, copied, this.#keyAt[member]!, out, o, spaced);
        copied = this.#valueEnd[member]!;
        if (input[copied] === COMMA) copied++;
      } else if (isTime ? time !== undefined : redact) {
        o = tokens(input, copied, this.#valueAt[member]!, out, o, spaced);
        o = isTime ? quoted(time!, out, o) : copy(PUT, 0, PUT.length, out, o);
        copied = this.#valueEnd[member]!;
      }
    }
    o = tokens(input, copied, end, out, o, spaced);
    // Removing the last member left the comma before it.
    if (out[o - 1] === COMMA) o--;
    if (moved) {
      if (o > at + 1) out[o++] = COMMA;
      o = quoted(time!, out, copy(TIME, 0, TIME.length, out, o));
    }
    for (let k = 0; k < this.#renamed.length; k++) {
      const member = this.#renamedAs[k]!;
      if (member === -1) continue;
      const name = this.#renamed[k]!;
      if (o > at + 1) out[o++] = COMMA;
      o = copy(name, 0, name.length, out, o);
      o = tokens(input, this.#valueAt[member]!, this.#valueEnd[member]!, out, o, spaced);
    }
    return o === at + 1 ? -1 : o;
  }
}

/** Copies a part of a line that starts outside a string. */
function tokens(
  input: Buffer,
  from: number,
  to: number,
  out: Buffer,
  at: number,
  spaced: boolean,
): number {
  return spaced ? compact(input, from, to, out, at) : copyLong(input, from, to, out, at);
}
