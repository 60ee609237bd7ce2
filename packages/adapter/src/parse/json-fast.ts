import { DEEPEST } from './depth.ts';
import type { FastParser, Sliceable } from './fast.ts';
import {
  BACKSLASH,
  bytesOf,
  CLOSE,
  CLOSE_LIST,
  COMMA,
  isDigit,
  MINUS,
  numberEnd,
  OPEN,
  OPEN_LIST,
  QUOTE,
  SPACE,
  stringEnd,
  wordEnd,
} from './json-bytes.ts';
import { JsonMembers } from './json-members.ts';
import { KnownKeys, PLAIN_KEY, RESERVED_KEY } from './known-keys.ts';
import { KnownTime } from './known-time.ts';
import { type MemberEdits, NO_EDITS } from './member-edits.ts';
import { anyTime } from './time.ts';
import { type TimeZone, UTC } from './time-zone.ts';

/**
 * Converts JSON lines from bytes to bytes. Loggers usually write what
 * `JSON.stringify(JSON.parse(line))` returns, except for spaces after commas and colons; if that is
 * certain, the spaces are removed, and only the time and edited members are rewritten. Certain means: no escapes but the
 * short ones, numbers in the form that JSON.stringify writes, no duplicate keys, none that starts
 * with a digit (objects list numbers first), and none of the record's key.
 */
export class FastJson implements FastParser {
  readonly overhead: number;
  readonly #zone: TimeZone;
  /** The number of fields that may hold the time. */
  readonly #candidates: number;
  /** The index of `time` among the fields. */
  readonly #time: number;
  readonly #keys: KnownKeys;
  readonly #members: JsonMembers;
  readonly #known = new KnownTime();
  /** For each open container: whether it is an object, the index of its first key, and its member. */
  readonly #isObject = new Uint8Array(DEEPEST + 1);
  readonly #firstKey = new Uint32Array(DEEPEST + 1);
  readonly #memberOf = new Int32Array(DEEPEST + 1);
  /** True if there are spaces between the tokens of the line. */
  #spaced = false;

  /**
   * @param timeFields fields that may hold the time; the first that does counts.
   * @param reserved names of top-level members whose lines go to the other parser.
   * @param zone the zone of times without one.
   * @param edits what is done to members other than `time`.
   */
  constructor(
    timeFields: readonly string[],
    reserved: readonly string[],
    zone: TimeZone = UTC,
    edits: MemberEdits = NO_EDITS,
  ) {
    this.#zone = zone;
    const fields = timeFields.includes('time') ? timeFields : [...timeFields, 'time'];
    this.#time = fields.indexOf('time');
    this.#candidates = timeFields.length;
    const { drop, redactFields } = edits;
    const renamed = Object.keys(edits.rename);
    const names = [...new Set([...fields, ...renamed, ...drop, ...redactFields])];
    const roles = names.map((name) => ({
      field: fields.indexOf(name),
      rename: renamed.indexOf(name),
      drop: drop.includes(name),
      redact: redactFields.includes(name),
    }));
    const deep = roles.push({ field: -1, rename: -1, drop: false, redact: true }) - 1;
    this.#members = new JsonMembers(roles, Object.values(edits.rename));
    this.overhead = this.#members.overhead;
    this.#keys = new KnownKeys(
      [...reserved.map((name) => [name, RESERVED_KEY] as const), ...names.map(pair)],
      redactFields.map((name) => [name, deep] as const),
    );
  }

  write(input: Buffer, start: number, end: number, out: Buffer, at: number): number {
    if (end - start < 4 || input[start] !== OPEN) return -1;
    if (!this.#scan(input, start, end)) return -1;
    const members = this.#members;
    const own = members.ofField(this.#time);
    for (let field = 0; field < this.#candidates; field++) {
      const member = field === this.#time ? own : own === -1 ? members.ofField(field) : -1;
      if (member === -1) continue;
      const from = members.valueAt(member);
      const to = members.valueEnd(member);
      if (member === own && this.#known.isUsual(input, from + 1, to - 1)) break;
      const time = this.#timeIn(input, from, to);
      if (time === null) return -1;
      if (time === undefined) continue;
      const moved = member !== own;
      return members.write(input, start, end - 1, out, at, this.#spaced, member, time, moved);
    }
    return members.write(input, start, end - 1, out, at, this.#spaced, -1, undefined, false);
  }

  /**
   * Returns the time in a value as the parser that makes records reads it: undefined if it is none,
   * null if only that parser can decide.
   */
  #timeIn(input: Buffer, from: number, to: number): Uint8Array | null | undefined {
    const first = input[from]!;
    if (first === OPEN || first === OPEN_LIST) return undefined;
    if (first === QUOTE) {
      for (let k = from + 1; k < to; k++) {
        if (input[k]! >= 0x80 || input[k] === BACKSLASH) return null;
      }
      return this.#known.any(input, from + 1, to - 1, this.#zone);
    }
    const time = this.#known.ofEpoch(input, from, to);
    if (time !== undefined) return time;
    const number = Number((input as Sliceable).latin1Slice(from, to));
    const text = Number.isNaN(number) ? undefined : anyTime(number);
    return text === undefined ? undefined : bytesOf(text);
  }

  /** Whether the line is one object in the form that JSON.stringify writes; notes its members. */
  #scan(input: Buffer, start: number, end: number): boolean {
    const isObject = this.#isObject;
    const firstKey = this.#firstKey;
    const memberOf = this.#memberOf;
    const keys = this.#keys;
    const members = this.#members;
    let depth = 1;
    isObject[1] = 1;
    firstKey[1] = 0;
    keys.begin();
    members.clear();
    this.#spaced = false;
    // The depth of a container that is removed or replaced as a whole, and its member.
    let edited = 0;
    let editedMember = -1;
    let i = start + 1;
    for (;;) {
      let member = -1;
      if (input[i] === SPACE) i = this.#behindSpaces(input, i);
      if (isObject[depth] === 1) {
        const name = i;
        i = keys.read(input, i, firstKey[depth]!);
        if (i === -1) return false;
        if (input[i] === SPACE) i = this.#behindSpaces(input, i);
        if (keys.meaning !== PLAIN_KEY) {
          if (edited === 0) {
            member = members.add(keys.meaning, name, i);
            if (member === -1) return false;
          } else if (members.roleOf(editedMember).rename !== -1) {
            // It is redacted in a member that is moved.
            return false;
          }
        }
      }
      const first = input[i]!;
      if (first === QUOTE) {
        i = stringEnd(input, i + 1);
      } else if (first === OPEN || first === OPEN_LIST) {
        const close = first === OPEN ? CLOSE : CLOSE_LIST;
        i++;
        if (input[i] !== close) {
          if (++depth > DEEPEST) return false;
          isObject[depth] = first === OPEN ? 1 : 0;
          firstKey[depth] = keys.next;
          memberOf[depth] = member;
          if (member !== -1 && members.isEdited(member)) {
            edited = depth;
            editedMember = member;
          }
          continue;
        }
        i++;
      } else {
        i = first === MINUS || isDigit(first) ? numberEnd(input, i) : wordEnd(input, i);
      }
      if (i === -1 || i >= end) return false;
      if (member !== -1) members.end(member, i);
      while (input[i] === (isObject[depth] === 1 ? CLOSE : CLOSE_LIST)) {
        i++;
        if (depth === 1) return i === end;
        if (memberOf[depth] !== -1) members.end(memberOf[depth]!, i);
        if (depth === edited) edited = 0;
        depth--;
      }
      if (input[i] !== COMMA) return false;
      i++;
    }
  }

  #behindSpaces(input: Buffer, at: number): number {
    this.#spaced = true;
    let i = at;
    while (input[i] === SPACE) i++;
    return i;
  }
}

/** A name and its place, which is what it means. */
function pair(name: string, meaning: number): readonly [string, number] {
  return [name, meaning];
}
