import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExpectedError } from '@sidekit/core/tool';
import { PodFolder } from './folder.ts';

/** The folder of all Pods of this user. */
export class PodStore {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
    mkdirSync(join(root, 'pods'), { recursive: true, mode: 0o700 });
    const { uid } = statSync(root);
    if (process.getuid && uid !== process.getuid()) {
      throw new ExpectedError(
        `${root} belongs to UID ${uid}: set SIDEKIT_POD_DIR to a folder of your own`,
      );
    }
  }

  get pods(): PodFolder[] {
    return readdirSync(join(this.root, 'pods'))
      .toSorted()
      .map((name) => this.pod(name));
  }

  pod(name: string): PodFolder {
    return new PodFolder(join(this.root, 'pods', name));
  }

  /** @throws {ExpectedError} naming the Pods there are. */
  existing(name: string): PodFolder {
    const found = this.pods.find((pod) => pod.name === name);
    if (found) return found;
    const all = this.pods.map((pod) => pod.name).join(', ');
    throw new ExpectedError(
      `no Pod ${name}: ${all ? `there are ${all}` : 'none runs; start one with pod up FILE'}`,
      64,
    );
  }

  /** The folder in which Ready Pods publish their address per Service. */
  get endpoints(): string {
    return join(this.root, 'endpoints');
  }

  /** The folder of a Pod's volumes: on disk, since the state folder may be in memory. */
  volumes(pod: string, uid: string): string {
    return join(tmpdir(), `sidekit-pod-${process.getuid?.() ?? 0}-volumes`, `${pod}-${uid}`);
  }
}
