import type { PostResponse } from '@sidekit/core';

interface Waiting {
  readonly answered: Promise<PostResponse>;
  letGo(): void;
}

/**
 * Holds the `preStop` requests of the participants until the plan lets each stop. The kubelet runs
 * the hooks of all containers together when a Pod ends, so requests of all participants mean a
 * stop; if only some arrive in time, those containers alone are restarting, and they may go on.
 */
export class StopGate {
  readonly #participants: readonly string[];
  readonly #gather: number;
  readonly #stop: () => void;
  readonly #alone: (participants: readonly string[]) => void;
  readonly #waiting = new Map<string, Waiting>();
  #timer: NodeJS.Timeout | undefined;
  #stopping = false;
  #open = false;
  /** Whom the plan has let stop before they asked. */
  readonly #let = new Set<string>();

  constructor(parts: {
    readonly participants: readonly string[];
    /** The time in which all participants must ask, in milliseconds. */
    readonly gather: number;
    /** Called when the Pod stops; `open` is to follow. */
    readonly stop: () => void;
    /** Called with the participants that restart alone. */
    readonly alone: (participants: readonly string[]) => void;
  }) {
    this.#participants = parts.participants;
    this.#gather = parts.gather;
    this.#stop = parts.stop;
    this.#alone = parts.alone;
  }

  /** Resolves when the participant may stop. */
  ask(participant: string): Promise<PostResponse> {
    if (this.#open || this.#let.has(participant)) return Promise.resolve({ body: 'stop\n' });
    const known = this.#waiting.get(participant);
    if (known) return known.answered;
    const { promise, resolve } = Promise.withResolvers<PostResponse>();
    const letGo = () => resolve({ body: 'stop\n' });
    this.#waiting.set(participant, { answered: promise, letGo });
    if (this.#stopping) return promise;
    if (this.#waiting.size === this.#participants.length) {
      this.begin();
      this.#stop();
    } else {
      this.#timer ??= setTimeout(() => this.#letRestart(), this.#gather);
    }
    return promise;
  }

  /** Begins a stop that was asked for otherwise: from now on only the plan lets participants stop. */
  begin(): void {
    clearTimeout(this.#timer);
    this.#stopping = true;
  }

  /** Lets a participant stop, also if it asks later in the same stop. */
  letStop(participant: string): void {
    if (this.#stopping) this.#let.add(participant);
    this.#waiting.get(participant)?.letGo();
    this.#waiting.delete(participant);
  }

  /** Lets all stop, now and later. */
  open(): void {
    clearTimeout(this.#timer);
    this.#open = true;
    for (const participant of this.#participants) this.letStop(participant);
  }

  #letRestart(): void {
    this.#timer = undefined;
    this.#alone([...this.#waiting.keys()]);
    for (const participant of [...this.#waiting.keys()]) this.letStop(participant);
  }
}
