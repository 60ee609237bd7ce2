/**
 * Prints what several tasks write in the order of the tasks: the first that is not over prints at
 * once, and what the others write is kept until it is their turn.
 */
export class InOrder {
  readonly #print: (line: string) => void;
  readonly #tasks: { readonly kept: string[]; over: boolean }[] = [];
  #front = 0;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  /** Adds the next task. */
  task(): { readonly write: (line: string) => void; readonly end: () => void } {
    const index = this.#tasks.length;
    const task = { kept: [] as string[], over: false };
    this.#tasks.push(task);
    return {
      write: (line) => {
        if (index === this.#front) this.#print(line);
        else task.kept.push(line);
      },
      end: () => {
        task.over = true;
        this.#advance();
      },
    };
  }

  #advance() {
    while (this.#tasks[this.#front]?.over) {
      this.#front++;
      for (const line of this.#tasks[this.#front]?.kept.splice(0) ?? []) this.#print(line);
    }
  }
}
