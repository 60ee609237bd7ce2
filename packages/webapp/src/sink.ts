/** Keeps what was posted, for tests and demonstrations that need a receiver; bounded. */
export class Sink {
  readonly #bodies: string[] = [];
  #bytes = 0;
  #received = 0;

  static readonly limit = 16 * 1024 * 1024;

  add(body: string): void {
    this.#received++;
    this.#bodies.push(body);
    this.#bytes += body.length;
    while (this.#bytes > Sink.limit) this.#bytes -= this.#bodies.shift()?.length ?? this.#bytes;
  }

  get received(): number {
    return this.#received;
  }

  /** All bodies that are kept, oldest first, one a line where they hold no line feeds. */
  get text(): string {
    return this.#bodies.map((body) => (body.endsWith('\n') ? body : `${body}\n`)).join('');
  }
}
