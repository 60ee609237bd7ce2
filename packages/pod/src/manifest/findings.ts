import type { Violation } from '@sidekit/core/schema';
import { violationText } from '@sidekit/core/tool';
import type { Category } from './schema/support.ts';

/** Decides what to do with parts of a manifest that need a cluster, are unsupported or reach the host. */
export interface Policy {
  /** Refuses also what has no effect without a cluster; false by default. */
  readonly strict?: boolean;
  /** `warn` skips what is not supported, with a note; `refuse` by default. */
  readonly unsupported?: 'refuse' | 'warn';
  /** Honours what reaches the host: hostPath, privileged, host namespaces, added capabilities. */
  readonly allowHost?: boolean;
}

const SKIP_REMEDIES: Readonly<Record<Category, string>> = {
  cluster: 'remove it, or run without --strict',
  unsupported: 'remove it, or skip it with --unsupported=warn',
  host: 'allow it with --allow-host',
};

/** The faults and notes of a set of manifests, sorted by a policy, each one once. */
export class Findings {
  readonly #faults: Set<string>;
  readonly #notes: Set<string>;
  readonly #hostAccess: Set<string>;
  readonly policy: Policy;
  readonly #stranger: boolean;

  constructor(policy: Policy, shared?: Findings) {
    this.policy = policy;
    this.#stranger = shared !== undefined;
    this.#faults = shared ? shared.#faults : new Set();
    this.#notes = shared ? shared.#notes : new Set();
    this.#hostAccess = shared ? shared.#hostAccess : new Set();
  }

  /** Returns the same findings, for a file of another machine: it never reaches the host. */
  ofStranger(): Findings {
    return new Findings({ ...this.policy, allowHost: false }, this);
  }

  /** Adds a violation; `place` is its file, position, object and path. */
  add(place: string, violation: Violation): void {
    const category = violation.category as Category | undefined;
    if (category === 'host') this.#hostAccess.add(`${place}: ${violationText(violation)}`);
    if (category === undefined) {
      this.#faults.add(`${place}: ${violationText(violation)}`);
    } else if (!this.#tolerates(category)) {
      const remedy =
        this.#stranger && category === 'host'
          ? 'download the manifest and read it first: --allow-host is not for URLs'
          : violation.remedy || SKIP_REMEDIES[category];
      this.#faults.add(`${place}: ${violationText({ ...violation, remedy })}`);
    } else if (category !== 'host') {
      const { remedy, ...rest } = violation;
      const reason = category === 'cluster' && remedy ? ` (${remedy})` : '';
      this.#notes.add(`note: ${place}: ${violationText(rest)}${reason}: skipped`);
    }
  }

  /** Adds a note that is no violation. */
  note(text: string): void {
    this.#notes.add(`note: ${text}`);
  }

  get faults(): readonly string[] {
    return [...this.#faults];
  }

  get notes(): readonly string[] {
    return [...this.#notes];
  }

  /** The parts that reach the host, honoured or not. */
  get hostAccess(): readonly string[] {
    return [...this.#hostAccess];
  }

  #tolerates(category: Category): boolean {
    const { strict = false, unsupported = 'refuse', allowHost = false } = this.policy;
    if (category === 'host') return allowHost;
    return category === 'cluster' ? !strict : unsupported === 'warn';
  }
}
