import type { Source } from '../output/encoding.ts';
import type { LogRecord } from '../parse/parser.ts';

type FileField = 'id' | 'offset' | 'path';

/** The field names of the key; a record that has one of them is written by `add`. */
export const KEY_FIELDS: readonly string[] = ['offset', 'file.id', 'file.path'];

/** The prefix under which an application's own fields of these names are kept. */
const KEPT = 'original.';
const OFFSET = Buffer.from(',"offset":');

/**
 * Adds the origin to each record. `file.id` and `offset` together are the same for every delivery
 * of a line and for no other line, so that a receiver can recognise duplicates.
 */
export class RecordKey {
  /** The most bytes that `write` needs. */
  readonly room: number;
  readonly #lead: string;
  readonly #id: boolean;
  readonly #path: boolean;
  readonly #offset: boolean;
  readonly #prefixes = new Map<Source, Buffer>();
  #last: Source | undefined;
  #prefix: Buffer = Buffer.alloc(0);

  /** @param lead JSON members, each after a comma, that `write` puts before the key. */
  constructor(fields: readonly FileField[], lead = '') {
    this.#lead = lead;
    this.room = 32 * 1024 + Buffer.byteLength(lead);
    this.#id = fields.includes('id');
    this.#path = fields.includes('path');
    this.#offset = fields.includes('offset');
  }

  /** Whether the key can follow a record's own fields: it has some, and none of the key's names. */
  isFree(record: LogRecord): boolean {
    if (record.offset !== undefined || record['file.id'] !== undefined) return false;
    if (record['file.path'] !== undefined) return false;
    for (const _ in record) return true;
    return false;
  }

  /** Adds the fields to a record. */
  add(source: Source, offset: number, record: LogRecord): void {
    if (source.id === '') return;
    if (this.#path) this.#set(record, 'file.path', source.log);
    if (this.#id) this.#set(record, 'file.id', source.id);
    if (this.#offset) this.#set(record, 'offset', offset);
  }

  /** Changes the offset of a record that has its key. */
  renumber(source: Source, offset: number, record: LogRecord): void {
    if (this.#offset && source.id !== '') record.offset = offset;
  }

  /** Writes the fields after others, closes the object and the line, and returns the new end. */
  write(source: Source, offset: number, out: Buffer, at: number): number {
    if (source !== this.#last) this.#turnTo(source);
    const prefix = this.#prefix;
    let o = at;
    for (let k = 0; k < prefix.length; k++) out[o++] = prefix[k]!;
    if (this.#offset && source.id !== '') {
      for (let k = 0; k < OFFSET.length; k++) out[o++] = OFFSET[k]!;
      o = digits(out, o, offset);
    }
    out[o++] = 0x7d;
    out[o++] = 0x0a;
    return o;
  }

  forget(source: Source): void {
    this.#prefixes.delete(source);
    if (this.#last === source) this.#last = undefined;
  }

  #set(record: LogRecord, name: string, value: unknown): void {
    if (Object.hasOwn(record, name)) {
      const own = record[name];
      // The line's own field is kept under another name, and the key is put at the end.
      delete record[name];
      record[KEPT + name] = own;
    }
    record[name] = value;
  }

  #turnTo(source: Source): void {
    let prefix = this.#prefixes.get(source);
    if (!prefix) {
      const record: LogRecord = {};
      if (this.#path && source.id !== '') record['file.path'] = source.log;
      if (this.#id && source.id !== '') record['file.id'] = source.id;
      const text = JSON.stringify(record).slice(1, -1);
      prefix = Buffer.from(text === '' ? this.#lead : `${this.#lead},${text}`);
      this.#prefixes.set(source, prefix);
    }
    this.#last = source;
    this.#prefix = prefix;
  }
}

function digits(out: Buffer, at: number, value: number): number {
  let length = 1;
  for (let limit = 10; value >= limit; limit *= 10) length++;
  let rest = value;
  for (let i = at + length - 1; i >= at; i--) {
    const next = Math.floor(rest / 10);
    out[i] = 0x30 + rest - next * 10;
    rest = next;
  }
  return at + length;
}
