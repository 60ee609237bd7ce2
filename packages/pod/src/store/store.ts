import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PodFolder } from './folder.ts';
import { PortClaims } from './port-claims.ts';
import { privateFolder } from './private-folder.ts';
import { isLeftover, temporaryPath } from './temporary.ts';

/** The two folders of a store; both belong to one user, and nobody else can enter them. */
export interface StoreFolders {
  /** Records, status and timelines of the Pods; may be in memory. */
  readonly root: string;
  /** Volumes of the Pods, on disk. */
  readonly data: string;
}

/** The Pods of one user. */
export class PodStore {
  readonly root: string;
  readonly data: string;

  constructor({ root, data }: StoreFolders) {
    this.root = root;
    this.data = data;
  }

  /** Opens a store, and creates its folders. @throws {ExpectedError} if they are not private. */
  static open(folders: StoreFolders): PodStore {
    const { root, data } = folders;
    for (const path of [root, data, join(root, 'pods'), join(root, 'sockets')]) privateFolder(path);
    const store = new PodStore(folders);
    store.#removeLeftovers();
    return store;
  }

  get pods(): PodFolder[] {
    return readdirSync(join(this.root, 'pods'))
      .toSorted()
      .map((name) => this.pod(name));
  }

  pod(name: string): PodFolder {
    return new PodFolder(join(this.root, 'pods', name));
  }

  /** Returns a path for something that this process removes, or moves into a Pod's folder. */
  temporary(name: string): string {
    return temporaryPath(this.root, name);
  }

  /** Removes what a command that was killed has left. */
  #removeLeftovers() {
    PortClaims.removeLeftovers(this.ports);
    for (const name of readdirSync(this.root)) {
      if (!isLeftover(name)) continue;
      try {
        rmSync(join(this.root, name), { recursive: true, force: true });
      } catch {
        // Another command removes it, too, or the next one can.
      }
    }
  }

  /** The folder in which Ready Pods publish their address per Service. */
  get endpoints(): string {
    return join(this.root, 'endpoints');
  }

  /** The folder of claimed ports. */
  get ports(): string {
    return join(this.root, 'ports');
  }

  /** The folder of a Pod's volumes. */
  volumes(uid: string): string {
    return join(this.data, uid);
  }
}
