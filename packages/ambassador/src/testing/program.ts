import { readdirSync, readFileSync } from 'node:fs';
import { eventually, freePort, programFile, TestProcess } from '@sidekit/test-kit';
import { request } from './upstream.ts';

const MAIN = programFile(new URL('../main.ts', import.meta.url));
/** The flags of the images, which the use of memory depends on. */
const NODE_FLAGS = ['--max-semi-space-size=2'];

/** Runs the ambassador as a process, with its admin port. */
export class TestProgram implements AsyncDisposable {
  readonly process: TestProcess;
  /** The port of the listener of `serving`. */
  readonly port: number;
  readonly #admin: string;

  private constructor(process: TestProcess, admin: string, port: number) {
    this.process = process;
    this.#admin = admin;
    this.port = port;
  }

  /** Starts one. @param flags more flags of Node.js. */
  static async start(
    args: readonly string[],
    port = 0,
    flags: readonly string[] = [],
  ): Promise<TestProgram> {
    const admin = `127.0.0.1:${await freePort()}`;
    const program = new TestProcess(process.execPath, [
      ...[...NODE_FLAGS, ...flags, MAIN, ...args],
      ...['--admin', admin],
    ]);
    await eventually(
      () =>
        program.log.some(({ event }) => event === 'listening') || program.child.exitCode !== null,
      { what: 'the start of the program' },
    ).catch(async (error) => {
      await program[Symbol.asyncDispose]();
      throw error;
    });
    if (program.child.exitCode !== null) throw new Error(`it ended: ${program.stderr}`);
    return new TestProgram(program, `http://${admin}`, port);
  }

  /** Starts one with a listener in front of `upstream`. */
  static async serving(upstream: string, ...args: string[]): Promise<TestProgram> {
    const port = await freePort();
    const listener = ['--listen', `127.0.0.1:${port}`, '--upstream', upstream];
    return TestProgram.start([...listener, ...args], port);
  }

  /** Starts one with a listener in front of `upstream` that reports its garbage collections. */
  static async tracing(upstream: string): Promise<TestProgram> {
    const port = await freePort();
    const listener = ['--listen', `127.0.0.1:${port}`, '--upstream', upstream];
    return TestProgram.start(listener, port, ['--trace-gc-nvp']);
  }

  /**
   * Counts the bytes that collections of the young generation have moved to the old one so far: only
   * a full collection frees them. It needs `tracing`.
   */
  get promoted(): number {
    const all = this.process.stdout.matchAll(/"promoted":(\d+)/g);
    return [...all].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** Sends a request to the admin port. */
  ask(path: string): ReturnType<typeof request> {
    return request(this.#admin + path);
  }

  /** Returns the value of the metric whose line starts with `start`. */
  async metric(start: string): Promise<number> {
    const { body } = await this.ask('/metrics');
    const line = body.split('\n').find((one) => one.startsWith(start));
    return line === undefined ? 0 : Number(line.split(' ').at(-1));
  }

  /** The resident memory, in bytes. */
  get resident(): number {
    const text = readFileSync(`/proc/${this.process.child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(text)?.[1]) * 1024;
  }

  get descriptors(): number {
    return readdirSync(`/proc/${this.process.child.pid}/fd`).length;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.process[Symbol.asyncDispose]();
  }
}
