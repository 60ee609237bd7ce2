import type { LogLine, PodsMessage, PodView, Sample } from '../model.ts';
import type { PodSource } from '../source.ts';

/** A source whose Pods, logs and samples a test sets. */
export class FakeSource implements PodSource {
  readonly #pods = new Map<string, PodView>();
  readonly #listeners = new Set<(message: PodsMessage) => void>();
  readonly #followers = new Map<(line: LogLine) => void, string>();
  samples: readonly Sample[] = [];
  closed = false;

  set(...pods: readonly PodView[]): void {
    for (const pod of pods) this.#pods.set(pod.name, pod);
    this.#tell({ changed: pods, removed: [] });
  }

  remove(name: string): void {
    this.#pods.delete(name);
    this.#tell({ changed: [], removed: [name] });
  }

  log(pod: string, line: LogLine): void {
    for (const [follower, name] of this.#followers) if (name === pod) follower(line);
  }

  get followed(): readonly string[] {
    return [...this.#followers.values()];
  }

  get watched(): number {
    return this.#listeners.size;
  }

  watch(onChange: (message: PodsMessage) => void): () => void {
    this.#listeners.add(onChange);
    onChange({ changed: [...this.#pods.values()], removed: [] });
    return () => this.#listeners.delete(onChange);
  }

  followLogs(pod: string, onLine: (line: LogLine) => void): () => void {
    this.#followers.set(onLine, pod);
    return () => this.#followers.delete(onLine);
  }

  async sample(): Promise<readonly Sample[]> {
    return this.samples;
  }

  close(): void {
    this.closed = true;
  }

  #tell(message: PodsMessage) {
    for (const listener of this.#listeners) listener(message);
  }
}
