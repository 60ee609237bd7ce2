/** An object that knows its place in a list. */
export interface Listed {
  /** The index; -1 outside a list. */
  place: number;
}

/**
 * Holds objects that come and go with every request. A Set is no place for them: whenever deleted
 * entries fill its table it gets another, and V8 frees the former table, with all that was in it, only
 * at its next full collection. So most requests would outlive the young generation.
 */
export class LiveList<T extends Listed> {
  readonly #all: T[] = [];

  get size(): number {
    return this.#all.length;
  }

  add(one: T): void {
    one.place = this.#all.length;
    this.#all.push(one);
  }

  /** Removes an object, if it is in the list; the last one takes its place. */
  delete(one: T): void {
    const { place } = one;
    if (this.#all[place] !== one) return;
    one.place = -1;
    const last = this.#all.pop()!;
    if (last === one) return;
    last.place = place;
    this.#all[place] = last;
  }

  /** Calls `callback` with each object; it may delete objects, of which those not yet visited are skipped. */
  visit(callback: (one: T) => void): void {
    for (let i = this.#all.length - 1; i >= 0; i--) {
      const one = this.#all[i];
      if (one !== undefined) callback(one);
    }
  }
}
