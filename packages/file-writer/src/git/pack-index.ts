import { randomInt } from 'node:crypto';

/** The place of one object in its pack. */
export interface Entry {
  /** The type number of gitformat-pack(5), 1 to 4, or that of a delta, 6 or 7. */
  readonly kind: number;
  /** The offset of the entry, and that of its compressed data. */
  readonly offset: number;
  readonly data: number;
  /** The size of the unpacked data: of the delta, if it is one. */
  readonly size: number;
  /** The length of the object itself. */
  readonly length: number;
  /** The offset of the base; undefined if it is named by id, or there is none. */
  readonly base: number | undefined;
}

/**
 * The objects of a pack by number, offset and id, in typed arrays: some 80 bytes an object, where
 * JavaScript objects would take the memory of the container.
 */
export class PackIndex {
  readonly #idBytes: number;
  readonly #kind: Uint8Array;
  readonly #offset: Float64Array;
  readonly #header: Uint8Array;
  readonly #size: Float64Array;
  readonly #length: Float64Array;
  readonly #base: Float64Array;
  readonly #type: Uint8Array;
  readonly #depth: Uint16Array;
  readonly #ids: Buffer;
  /** A hash table of numbers + 1, with linear probing. */
  readonly #table: Int32Array;
  // A server must not be able to choose ids that collide.
  readonly #factor = randomInt(2 ** 31) * 2 + 1;
  #count = 0;

  constructor(count: number, idBytes: number) {
    this.#idBytes = idBytes;
    this.#kind = new Uint8Array(count);
    this.#offset = new Float64Array(count);
    this.#header = new Uint8Array(count);
    this.#size = new Float64Array(count);
    this.#length = new Float64Array(count);
    this.#base = new Float64Array(count);
    this.#type = new Uint8Array(count);
    this.#depth = new Uint16Array(count);
    this.#ids = Buffer.alloc(count * idBytes);
    this.#table = new Int32Array(2 ** Math.ceil(Math.log2(2 * count + 1)));
  }

  get count(): number {
    return this.#count;
  }

  add(entry: Entry): number {
    const i = this.#count++;
    this.#kind[i] = entry.kind;
    this.#offset[i] = entry.offset;
    this.#header[i] = entry.data - entry.offset;
    this.#size[i] = entry.size;
    this.#length[i] = entry.length;
    this.#base[i] = entry.base ?? -1;
    return i;
  }

  entry(i: number): Entry {
    const [offset, base] = [this.#offset[i]!, this.#base[i]!];
    return {
      kind: this.#kind[i]!,
      offset,
      data: offset + this.#header[i]!,
      size: this.#size[i]!,
      length: this.#length[i]!,
      base: base < 0 ? undefined : base,
    };
  }

  /** Finds the object that starts at an offset. */
  at(offset: number): number | undefined {
    let [low, high] = [0, this.#count - 1];
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = this.#offset[middle]!;
      if (found === offset) return middle;
      if (found < offset) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  /** Records the id of an object; if two objects have the same, the first one stays. */
  identify(i: number, id: Buffer, type: number, depth: number): void {
    this.#type[i] = type;
    this.#depth[i] = depth;
    id.copy(this.#ids, i * this.#idBytes);
    const slot = this.#slot(id);
    if (this.#table[slot] === 0) this.#table[slot] = i + 1;
  }

  /** The type of an object, 1 to 4, once it is identified; else 0. */
  type(i: number): number {
    return this.#type[i]!;
  }

  /** How many deltas an identified object depends on. */
  depth(i: number): number {
    return this.#depth[i]!;
  }

  find(id: Buffer): number | undefined {
    const found = this.#table[this.#slot(id)]!;
    return found === 0 ? undefined : found - 1;
  }

  /** Returns the slot of an id, or the free one for it. */
  #slot(id: Buffer): number {
    const mask = this.#table.length - 1;
    const word = Math.imul(id.readInt32LE(0), this.#factor);
    for (let slot = (word ^ (word >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const found = this.#table[slot]!;
      if (found === 0) return slot;
      const start = (found - 1) * this.#idBytes;
      if (id.compare(this.#ids, start, start + this.#idBytes) === 0) return slot;
    }
  }
}
