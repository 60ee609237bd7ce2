/** Prints `Produced: …` lines for sent records, a burst at a time. */
export class Printer {
  #text = '';

  add(bytes: Buffer, start: number, end: number): void {
    this.#text += `Produced: ${bytes.toString('utf8', start, end)}\n`;
    if (this.#text.length > 16_384) this.flush();
  }

  flush(): void {
    if (this.#text === '') return;
    process.stdout.write(this.#text);
    this.#text = '';
  }
}
