import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { PodStatusObject } from '../lifecycle/status.ts';
import { CachedJson, GrowingLines } from './cached-file.ts';
import type { PodRecord } from './record.ts';
import { isAlive, temporaryPath } from './temporary.ts';
import { Unwritable } from './unwritable.ts';

/** One line of a Pod's timeline. */
export interface TimelineEntry {
  readonly time: string;
  readonly reason: string;
  readonly container?: string;
  readonly message: string;
}

/** The folder of one Pod: its record, status and timeline. */
export class PodFolder {
  readonly path: string;
  readonly #record: CachedJson<PodRecord>;
  readonly #status: CachedJson<PodStatusObject>;
  readonly #timeline: GrowingLines<TimelineEntry>;

  constructor(path: string) {
    this.path = path;
    this.#record = new CachedJson(this.file('record.json'));
    this.#status = new CachedJson(this.file('status.json'));
    this.#timeline = new GrowingLines(this.file('events.jsonl'));
  }

  get name(): string {
    return this.path.split('/').at(-1) ?? '';
  }

  /**
   * The supervisor's socket: not in the Pod's folder, since a Pod's name may be longer than the
   * path of a socket (108 bytes, unix(7)).
   */
  get socket(): string {
    return join(this.path, '../../sockets', this.record.uid.slice(0, 13));
  }

  readonly file = (name: string): string => join(this.path, name);

  get exists(): boolean {
    return existsSync(this.file('record.json'));
  }

  /** Whether it is claimed, by a command that has not recorded its Pod or one that removes it. */
  get claimed(): boolean {
    return existsSync(this.path);
  }

  /** Creates the folder. @returns true for the one caller that created it. */
  claim(): boolean {
    try {
      mkdirSync(this.path, { mode: 0o700 });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  }

  /** @throws Error if the Pod is gone. */
  get record(): PodRecord {
    const record = this.#record.read();
    if (!record) throw new Error(`${this.path} holds no Pod any more`);
    return record;
  }

  set record(record: PodRecord) {
    this.#write('record.json', record);
  }

  get status(): PodStatusObject | undefined {
    return this.#status.read();
  }

  set status(status: PodStatusObject) {
    this.#write('status.json', status);
  }

  /** The Pod that its Job created after it; set before this Pod's supervisor exits. */
  get successor(): string | undefined {
    try {
      return readFileSync(this.file('successor'), 'utf8');
    } catch {
      return undefined;
    }
  }

  set successor(name: string) {
    writeFileSync(this.file('successor'), name);
  }

  note(entry: TimelineEntry): void {
    appendFileSync(this.file('events.jsonl'), `${JSON.stringify(entry)}\n`);
  }

  get timeline(): readonly TimelineEntry[] {
    return this.#timeline.read();
  }

  /** Whether this Pod's supervisor is alive. */
  get supervised(): boolean {
    const pid = this.#pid;
    if (pid === undefined) return false;
    try {
      process.kill(pid, 0);
      // The PID may belong to another process by now.
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('supervise');
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT' && !existsSync('/proc/self');
    }
  }

  /** The supervisor's process id: replaced at once, since an empty file would mean that none runs. */
  set pid(pid: number) {
    this.#write('pid', pid);
  }

  get #pid(): number | undefined {
    try {
      return Number(readFileSync(this.file('pid'), 'utf8'));
    } catch {
      return undefined;
    }
  }

  /** Whether the Pod of a uid is here: another one of its name may have followed it. */
  holds(uid: string): boolean {
    return this.#record.read()?.uid === uid;
  }

  /**
   * Lets one command alone remove the Pod of a uid: a second one, a moment later, would remove the next
   * Pod of its name. The PID is in a symbolic link, since a full disk has no room for a file's content.
   * @returns false if another command is removing it, or has.
   */
  claimRemoval(uid: string): boolean {
    const lock = this.file('removing');
    try {
      symlinkSync(String(process.pid), lock);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Also its own, after a removal that failed.
      if (code !== 'EEXIST' || ownerOf(lock) === process.pid) return this.holds(uid);
      if (ownerOf(lock) === undefined) rmSync(lock, { force: true });
      return false;
    }
    if (this.holds(uid)) return true;
    rmSync(lock, { force: true });
    return false;
  }

  /** Removes the folder as a whole, and the socket of a supervisor that was killed. */
  remove(): void {
    if (this.exists) rmSync(this.socket, { force: true });
    let gone = temporaryPath(join(this.path, '../..'), 'removed');
    try {
      renameSync(this.path, gone);
    } catch {
      gone = this.path;
    }
    rmSync(gone, { recursive: true, force: true });
  }

  #write(name: string, value: unknown) {
    // The command that starts a supervisor, and the supervisor, may write at the same time.
    const temporary = this.file(`${name}.${process.pid}.new`);
    try {
      writeFileSync(temporary, JSON.stringify(value), { mode: 0o600 });
      renameSync(temporary, this.file(name));
    } catch (error) {
      throw new Unwritable(this.file(name), error);
    }
  }
}

/** Returns the PID that a link names; undefined if there is no such process. */
function ownerOf(link: string): number | undefined {
  try {
    const pid = Number(readlinkSync(link));
    return isAlive(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
}
