import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Control, type Report, State, type Task } from './control.ts';

/** A thread of the model test, seen from the test. */
export class Actor {
  readonly #control = new Int32Array(
    new SharedArrayBuffer(Control.words * Int32Array.BYTES_PER_ELEMENT),
  );
  readonly #worker = new Worker(new URL('./actor.ts', import.meta.url), {
    workerData: this.#control.buffer,
  });
  /** Asleep in the kernel: it has compared the word. */
  sleeping = false;

  get state(): number {
    return Atomics.load(this.#control, Control.state);
  }

  /** The word that it wakes or waits for. */
  get index(): number {
    return this.#control[Control.index] as number;
  }

  get expected(): number {
    return this.#control[Control.expected] as number;
  }

  /** Starts a task and runs it up to its first step. @returns its report, once it is done. */
  start(task: Task): Promise<Report> {
    this.sleeping = false;
    this.#control.fill(0, Control.kill);
    Atomics.store(this.#control, Control.state, State.running);
    const report = once(this.#worker, 'message').then(([value]) => value as Report);
    this.#worker.postMessage(task);
    this.#settle();
    return report;
  }

  /** Lets it do one step. */
  go(): void {
    this.sleeping = false;
    Atomics.store(this.#control, Control.state, State.running);
    Atomics.add(this.#control, Control.turn, 1);
    Atomics.notify(this.#control, Control.turn);
    this.#settle();
  }

  /** Kills it where it is; `go` brings it back unless it is killed for good. */
  kill(forGood = false): void {
    Atomics.store(this.#control, Control.kill, forGood ? Control.forGood : 1);
    this.go();
  }

  close(): Promise<number> {
    return this.#worker.terminate();
  }

  #settle() {
    while (Atomics.load(this.#control, Control.state) === State.running) {
      const result = Atomics.wait(this.#control, Control.state, State.running, 60_000);
      if (result === 'timed-out') throw new Error('a participant does not come to its next step');
    }
  }
}
