import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { inflateSync } from 'node:zlib';
import { formatSize } from '@sidekit/core';
import { Failure } from '../failure.ts';
import { applyDelta } from './delta.ts';

export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag';

export interface GitObject {
  readonly type: ObjectType;
  readonly data: Buffer;
}

const TYPES: Readonly<Record<number, ObjectType>> = { 1: 'commit', 2: 'tree', 3: 'blob', 4: 'tag' };
const OFFSET_DELTA = 6;
const REFERENCE_DELTA = 7;
/** The longest chain of deltas that git creates (pack.depth). */
const DEPTH = 4095;
/** The size of the cache of unpacked bases, in bytes. */
const CACHE = 32 * 1024 * 1024;
/** Other tasks get a turn after so many unpacked bytes, or so many objects. */
const TURN = 1024 * 1024;
const TURN_OBJECTS = 1000;
/** How many times larger than the largest content all objects together may be. */
const EXPANSION = 10;

/** Limits of a pack: the server that sends it is not trusted. */
export interface PackLimits {
  /** The largest object, in bytes; all of them together may take ten times as much. */
  readonly maxSize: number;
  readonly maxObjects: number;
  /** Ends the work between two objects. */
  readonly signal?: AbortSignal;
}

interface Entry {
  readonly kind: number;
  readonly size: number;
  /** The offset of the compressed data. */
  readonly data: number;
  readonly base: number | string | undefined;
}

/**
 * A pack (gitformat-pack(5)) in memory: every object is verified against its id when the pack is
 * opened, and unpacked again when it is read, so that memory holds the packed size.
 */
export class Pack {
  readonly #bytes: Buffer;
  readonly #limits: PackLimits;
  readonly #entries = new Map<number, Entry>();
  readonly #offsets = new Map<string, number>();
  readonly #cache = new Map<number, GitObject>();
  #cached = 0;
  #unpacked = 0;
  #sinceTurn = 0;

  private constructor(bytes: Buffer, limits: PackLimits) {
    this.#bytes = bytes;
    this.#limits = limits;
  }

  /** @throws {Failure} if the pack is invalid, or exceeds the limits. */
  static async open(bytes: Buffer, limits: PackLimits): Promise<Pack> {
    const pack = new Pack(bytes, limits);
    await pack.#index();
    return pack;
  }

  get size(): number {
    return this.#offsets.size;
  }

  /** @throws {Failure} if the pack has no such object. */
  read(oid: string, type: ObjectType): Buffer {
    const offset = this.#offsets.get(oid);
    const object = offset === undefined ? undefined : this.#unpack(offset, 0);
    if (object?.type === type) return object.data;
    throw new Failure('git_pack', `the git server left out the ${type} ${oid}`);
  }

  async #index(): Promise<void> {
    const bytes = this.#bytes;
    const end = bytes.length - 20;
    const version = end >= 12 ? bytes.readUInt32BE(4) : 0;
    if (bytes.toString('latin1', 0, 4) !== 'PACK' || (version !== 2 && version !== 3)) {
      throw new Failure('git_pack', 'the git server sent no pack');
    }
    const sum = createHash('sha1').update(bytes.subarray(0, end)).digest();
    if (!sum.equals(bytes.subarray(end))) throw new Failure('git_pack', 'the pack is damaged');
    const count = bytes.readUInt32BE(8);
    if (count > this.#limits.maxObjects) {
      throw new Failure(
        'too_large',
        `the commit has ${count} objects: raise --max-files, or follow a smaller repository`,
      );
    }
    let position = 12;
    for (let i = 0; i < count; i++) {
      const { entry, next } = this.#readEntry(position, end);
      this.#entries.set(position, entry);
      position = next;
      await this.#spend(entry.size);
    }
    if (position !== end) throw new Failure('git_pack', 'the pack has bytes after its objects');
    await this.#identify();
  }

  /** Counts unpacked bytes, and gives other tasks a turn from time to time. */
  async #spend(bytes: number): Promise<void> {
    const { maxSize, signal } = this.#limits;
    this.#unpacked += bytes;
    if (this.#unpacked > EXPANSION * maxSize) {
      throw new Failure(
        'too_large',
        `the commit takes more than ${EXPANSION} times ${formatSize(maxSize)} unpacked: raise --max-size`,
      );
    }
    this.#sinceTurn += bytes + TURN / TURN_OBJECTS;
    if (this.#sinceTurn <= TURN) return;
    this.#sinceTurn = 0;
    await setImmediate();
    signal?.throwIfAborted();
  }

  /** Computes the id of each object; a delta waits for the base that it names by id. */
  async #identify(): Promise<void> {
    let waiting = [...this.#entries.keys()];
    while (waiting.length > 0) {
      const later: number[] = [];
      for (const offset of waiting) {
        if (!this.#hasBase(offset)) {
          later.push(offset);
          continue;
        }
        const { type, data } = this.#unpack(offset, 0);
        const hash = createHash('sha1').update(`${type} ${data.length}\0`).update(data);
        const oid = hash.digest('hex');
        // The first wins: a delta that reproduces its own base would otherwise depend on itself.
        if (!this.#offsets.has(oid)) this.#offsets.set(oid, offset);
        await this.#spend(data.length);
      }
      if (later.length === waiting.length) {
        throw new Failure('git_pack', 'the git server sent a delta without its base');
      }
      waiting = later;
    }
  }

  #hasBase(offset: number): boolean {
    for (let depth = 0, at = offset; ; depth++) {
      const base = this.#entries.get(at)?.base;
      if (base === undefined) return true;
      const next = typeof base === 'string' ? this.#offsets.get(base) : base;
      if (next === undefined) return false;
      if (depth > DEPTH) throw new Failure('git_pack', 'the pack has an endless chain of deltas');
      at = next;
    }
  }

  #readEntry(start: number, end: number): { entry: Entry; next: number } {
    const bytes = this.#bytes;
    let position = start;
    const next = () => {
      if (position >= end) throw new Failure('git_pack', 'the pack ends too early');
      return bytes[position++]!;
    };
    let byte = next();
    const kind = (byte >> 4) & 7;
    let size = byte & 15;
    for (let factor = 16; byte >= 128; factor *= 128) {
      byte = next();
      size += (byte & 127) * factor;
    }
    if (size > this.#limits.maxSize) {
      throw new Failure(
        'too_large',
        `the repository has an object of ${size} bytes: raise --max-size`,
      );
    }
    let base: number | string | undefined;
    if (kind === OFFSET_DELTA) {
      byte = next();
      let back = byte & 127;
      while (byte >= 128) {
        byte = next();
        back = (back + 1) * 128 + (byte & 127);
      }
      base = start - back;
      if (!this.#entries.has(base)) throw new Failure('git_pack', 'a delta has no base');
    } else if (kind === REFERENCE_DELTA) {
      base = bytes.toString('hex', position, position + 20);
      position += 20;
    } else if (!TYPES[kind]) {
      throw new Failure('git_pack', `the pack has an object of the unknown kind ${kind}`);
    }
    const { consumed } = this.#inflate(position, size);
    return { entry: { kind, size, data: position, base }, next: position + consumed };
  }

  #unpack(offset: number, depth: number): GitObject {
    const known = this.#cache.get(offset);
    if (known) return known;
    const { kind, size, data, base } = this.#entries.get(offset)!;
    const content = this.#inflate(data, size).content;
    let object: GitObject;
    if (base === undefined) {
      object = { type: TYPES[kind]!, data: content };
    } else {
      const from = this.#unpack(
        typeof base === 'string' ? this.#offsets.get(base)! : base,
        depth + 1,
      );
      object = { type: from.type, data: applyDelta(from.data, content, this.#limits.maxSize) };
    }
    if (depth > 0) this.#remember(offset, object);
    return object;
  }

  /** Caches a base; the oldest ones are evicted. */
  #remember(offset: number, object: GitObject): void {
    if (object.data.length > CACHE / 4) return;
    this.#cache.set(offset, object);
    this.#cached += object.data.length;
    for (const [oldest, { data }] of this.#cache) {
      if (this.#cached <= CACHE) return;
      this.#cache.delete(oldest);
      this.#cached -= data.length;
    }
  }

  #inflate(position: number, size: number): { content: Buffer; consumed: number } {
    try {
      // The pack does not record the compressed length; the overhead of deflate bounds it.
      const bound = size + Math.ceil(size / 1000) + 64;
      const { buffer, engine } = inflateSync(this.#bytes.subarray(position, position + bound), {
        info: true,
        chunkSize: Math.max(64, Math.min(size + 1, 1024 * 1024)),
        maxOutputLength: Math.max(size, 1),
      } as object) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
      if (buffer.length === size) return { content: buffer, consumed: engine.bytesWritten };
    } catch {}
    throw new Failure('git_pack', 'the pack has damaged data');
  }
}
