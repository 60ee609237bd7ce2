import { setImmediate } from 'node:timers/promises';
import { createInflate } from 'node:zlib';
import { formatSize } from '@sidekit/core';
import { Failure } from '../failure.ts';
import { through } from '../io/through.ts';
import { BaseCache } from './base-cache.ts';
import { applyDelta, applyLargeDelta, deltaHeader } from './delta.ts';
import { HEADER, REFERENCE_DELTA, readEntryHeader, TYPES } from './entry-header.ts';
import { type ObjectFormat, type ObjectType, objectHash } from './object-format.ts';
import { type Entry, PackIndex } from './pack-index.ts';
import type { Base, ScratchFile } from './scratch-file.ts';
import { collect, damaged, inflate, packedBound, translated } from './unpack.ts';

/** The longest chain of deltas that git creates (pack.depth). */
const DEPTH = 4095;
/**
 * How often the deltas that wait for a base are looked at. git writes bases first; chains in the
 * opposite order take two passes, since each pass goes the other way.
 */
const PASSES = 16;
/** Objects up to this size, in bytes, are unpacked in memory; larger ones go through files. */
const IN_MEMORY = 512 * 1024;
/** The size of the reads while the pack is indexed, in bytes. */
const READ_AHEAD = 256 * 1024;
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
  /** Ends the work between two objects, or two pieces of a large one. */
  readonly signal?: AbortSignal;
}

/**
 * A pack (gitformat-pack(5)) in a file: every object is verified against its id when the pack is
 * opened, and unpacked again when it is read. Memory holds an index, a small cache of bases, and
 * one object of at most IN_MEMORY bytes.
 */
export class Pack implements AsyncDisposable {
  readonly #file: ScratchFile;
  readonly #format: ObjectFormat;
  readonly #limits: PackLimits;
  readonly #cache: BaseCache;
  #index: PackIndex;
  #unpacked = 0;
  #sinceTurn = 0;

  private constructor(
    file: ScratchFile,
    format: ObjectFormat,
    limits: PackLimits,
    cache: BaseCache,
  ) {
    this.#file = file;
    this.#format = format;
    this.#limits = limits;
    this.#cache = cache;
    this.#index = new PackIndex(0, format.bytes);
  }

  /**
   * Indexes a pack, and closes its file at the end.
   * @param scratch returns names for files of large bases.
   * @throws {Failure} if the pack is invalid, or exceeds the limits.
   */
  static async open(
    file: ScratchFile,
    format: ObjectFormat,
    limits: PackLimits,
    scratch: () => string,
  ): Promise<Pack> {
    const pack = new Pack(file, format, limits, new BaseCache(scratch));
    try {
      await pack.#readEntries();
      await pack.#identifyDeltas();
    } catch (error) {
      await pack[Symbol.asyncDispose]();
      throw error;
    }
    return pack;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cache.close();
    await this.#file.close();
  }

  /** @returns the length of an object in bytes. @throws {Failure} if the pack has no such object. */
  length(id: string, type: ObjectType): number {
    return this.#index.entry(this.#find(id, type)).length;
  }

  /** Reads an object into memory. @throws {Failure} if there is none, or it exceeds the limit. */
  async read(id: string, type: ObjectType, limit: number): Promise<Buffer> {
    const i = this.#find(id, type);
    const { length } = this.#index.entry(i);
    if (length > limit) {
      throw new Failure('too_large', `the repository has a ${type} of ${length} bytes`);
    }
    return await collect(this.#content(i), length);
  }

  /** Unpacks an object of any size, with a bounded amount of memory. */
  stream(id: string, type: ObjectType): AsyncIterable<Uint8Array> {
    return this.#content(this.#find(id, type));
  }

  #find(id: string, type: ObjectType): number {
    const i = this.#index.find(Buffer.from(id, 'hex'));
    if (i !== undefined && TYPES[this.#index.type(i)] === type) return i;
    if (i !== undefined && type === 'commit') {
      const found = TYPES[this.#index.type(i)];
      throw new Failure('ref_missing', `--ref leads to a ${found}, not to a commit: correct it`);
    }
    throw new Failure('git_pack', `the git server left out the ${type} ${id}`);
  }

  async #readEntries(): Promise<void> {
    const { maxObjects } = this.#limits;
    const end = this.#file.length - this.#format.bytes;
    const head = this.#file.read(0, 12);
    const version = end >= 12 ? head.readUInt32BE(4) : 0;
    if (head.toString('latin1', 0, 4) !== 'PACK' || (version !== 2 && version !== 3)) {
      throw new Failure('git_pack', 'the git server sent no pack');
    }
    const count = head.readUInt32BE(8);
    if (count > maxObjects) {
      throw new Failure(
        'too_large',
        `the commit has ${count} objects: raise --max-files, or follow a smaller repository`,
      );
    }
    this.#index = new PackIndex(count, this.#format.bytes);
    let window: Buffer = Buffer.alloc(0);
    let start = 0;
    const bytes = (position: number, length: number) => {
      const last = Math.min(position + length, end);
      if (position < start || last > start + window.length) {
        start = position;
        window = this.#file.read(start, Math.min(Math.max(length, READ_AHEAD), end - start));
      }
      return window.subarray(position - start, last - start);
    };
    let position = 12;
    for (let i = 0; i < count; i++) {
      const head = this.#readHeader(position, bytes(position, HEADER));
      position = await this.#readData(head, end, bytes);
    }
    if (position !== end) throw new Failure('git_pack', 'the pack has bytes after its objects');
  }

  #readHeader(offset: number, bytes: Buffer): Entry {
    const entry = readEntryHeader(bytes, offset, this.#format);
    this.#checkSize(entry.size);
    if (entry.base !== undefined && this.#index.at(entry.base) === undefined) {
      throw new Failure('git_pack', 'a delta has no base');
    }
    return entry;
  }

  #checkSize(size: number): void {
    if (size <= this.#limits.maxSize) return;
    throw new Failure(
      'too_large',
      `the repository has an object of ${size} bytes: raise --max-size`,
    );
  }

  /** Adds an entry with the id or the length that its data gives. @returns the end of the data. */
  async #readData(
    entry: Entry,
    end: number,
    bytes: (position: number, length: number) => Buffer,
  ): Promise<number> {
    const { kind, data, size } = entry;
    const type = TYPES[kind];
    const hash = type && objectHash(this.#format, type, size);
    let start: Buffer = Buffer.alloc(0);
    let next: number;
    if (size <= IN_MEMORY / 4) {
      const { content, consumed } = inflate(bytes(data, packedBound(size)), size);
      hash?.update(content);
      start = content;
      next = data + consumed;
    } else {
      const engine = createInflate();
      let length = 0;
      for await (const chunk of this.#inflated(data, end, engine)) {
        length += chunk.length;
        if (length > size) throw damaged();
        hash?.update(chunk);
        if (start.length < HEADER) start = Buffer.concat([start, chunk.subarray(0, HEADER)]);
        await this.#spend(0, chunk.length);
      }
      if (length !== size) throw damaged();
      next = data + engine.bytesWritten;
    }
    if (hash) {
      this.#index.identify(this.#index.add(entry), hash.digest(), kind, 0);
    } else {
      const { resultSize } = deltaHeader(start);
      this.#checkSize(resultSize);
      this.#index.add({ ...entry, length: resultSize });
      await this.#spend(resultSize, 0);
    }
    await this.#spend(size, size);
    return next;
  }

  /** Counts unpacked bytes, and gives other tasks a turn from time to time. */
  async #spend(unpacked: number, work: number): Promise<void> {
    const { maxSize, signal } = this.#limits;
    this.#unpacked += unpacked;
    if (this.#unpacked > EXPANSION * maxSize) {
      throw new Failure(
        'too_large',
        `the commit takes more than ${EXPANSION} times ${formatSize(maxSize)} unpacked: raise --max-size`,
      );
    }
    this.#sinceTurn += work + TURN / TURN_OBJECTS;
    if (this.#sinceTurn <= TURN) return;
    this.#sinceTurn = 0;
    await setImmediate();
    signal?.throwIfAborted();
  }

  /** Computes the id of each delta; one waits for the base that it names by id. */
  async #identifyDeltas(): Promise<void> {
    const index = this.#index;
    let waiting: number[] = [];
    for (let i = 0; i < index.count; i++) if (index.type(i) === 0) waiting.push(i);
    for (let passes = 0; waiting.length > 0; passes++) {
      if (passes === PASSES) {
        throw new Failure('git_pack', 'the pack has deltas and their bases in no order');
      }
      const later: number[] = [];
      for (const i of waiting) {
        const base = this.#baseOf(i);
        if (base === undefined || index.type(base) === 0) {
          later.push(i);
          await this.#spend(0, 0);
          continue;
        }
        const [type, depth] = [index.type(base), index.depth(base) + 1];
        if (depth > DEPTH) throw new Failure('git_pack', 'the pack has an endless chain of deltas');
        const hash = objectHash(this.#format, TYPES[type]!, index.entry(i).length);
        for await (const chunk of this.#content(i)) {
          hash.update(chunk);
          await this.#spend(0, chunk.length);
        }
        index.identify(i, hash.digest(), type, depth);
      }
      if (later.length === waiting.length) {
        throw new Failure('git_pack', 'the git server sent a delta without its base');
      }
      waiting = later.reverse();
    }
  }

  /** The base of a delta; undefined if there is none, or it is not identified yet. */
  #baseOf(i: number): number | undefined {
    const { kind, base, data } = this.#index.entry(i);
    if (base !== undefined) return this.#index.at(base);
    if (kind !== REFERENCE_DELTA) return undefined;
    const { bytes } = this.#format;
    return this.#index.find(this.#file.read(data - bytes, bytes));
  }

  /** Unpacks an object. */
  async *#content(i: number): AsyncGenerator<Uint8Array> {
    const entry = this.#index.entry(i);
    const base = this.#baseOf(i);
    if (base === undefined) yield* this.#data(entry);
    else yield* this.#applied(entry, await this.#base(base));
  }

  /** Unpacks the data of an entry: in memory, or as a stream. */
  async *#data({ data, size }: Entry): AsyncGenerator<Uint8Array> {
    const end = this.#file.length - this.#format.bytes;
    if (size <= IN_MEMORY) yield inflate(this.#file.read(data, packedBound(size)), size).content;
    else yield* this.#inflated(data, end, createInflate());
  }

  async *#applied(entry: Entry, base: Base): AsyncGenerator<Uint8Array> {
    const { size, length } = entry;
    if (base instanceof Buffer && size <= IN_MEMORY && length <= IN_MEMORY) {
      yield applyDelta(base, await collect(this.#data(entry), size), length);
      return;
    }
    const delta = this.#data(entry);
    const { value: first } = await delta.next();
    const whole = (async function* () {
      yield first ?? Buffer.alloc(0);
      yield* delta;
    })();
    yield* applyLargeDelta(base, whole, deltaHeader(first ?? Buffer.alloc(0)));
  }

  /** Unpacks the base of a delta, which is a chain of others: into memory, or a file if it is large. */
  async #base(i: number): Promise<Base> {
    const chain: number[] = [];
    let at = i;
    let held = this.#cache.get(at);
    for (let next = this.#baseOf(at); !held && next !== undefined; next = this.#baseOf(at)) {
      chain.push(at);
      at = next;
      held = this.#cache.get(at);
    }
    held ??= await this.#keep(at, this.#data(this.#index.entry(at)));
    for (const one of chain.toReversed()) {
      held = await this.#keep(one, this.#applied(this.#index.entry(one), held));
    }
    return held;
  }

  async #keep(i: number, content: AsyncIterable<Uint8Array>): Promise<Base> {
    const { length } = this.#index.entry(i);
    await this.#spend(0, length);
    if (length > IN_MEMORY) return await this.#cache.keepInFile(i, content);
    return await this.#cache.keep(i, await collect(content, length));
  }

  #inflated(data: number, end: number, engine: ReturnType<typeof createInflate>) {
    return translated(through(this.#file.stream(data, end), engine));
  }
}
