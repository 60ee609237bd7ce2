/** Keeps posted bodies, up to a limit, for tests and demonstrations that need a receiver. */
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

  /** All kept bodies, oldest first, each followed by a line feed. */
  get text(): string {
    return this.#bodies.map((body) => (body.endsWith('\n') ? body : `${body}\n`)).join('');
  }
}
