import { dirname } from 'node:path';
import { formatSize } from '@sidekit/core';
import type { Content } from '../content.ts';
import { Failure } from '../failure.ts';
import { appendLine } from './append.ts';
import { explainWrite } from './explain.ts';
import { fileTrace, publishFile, readPublishedFile } from './file.ts';
import type { Outcome, Published, WriteSettings } from './settings.ts';
import { linkTrace, publishTree, readPublishedTree } from './tree.ts';
import { sweep } from './versions.ts';

/** The path that readers use: knows what is published there, and publishes new content. */
export class Target {
  readonly settings: WriteSettings;
  readonly #replaced = new Map<string, number>();
  #current: Published | undefined;

  constructor(settings: WriteSettings) {
    this.settings = settings;
  }

  /** The published content as far as known; undefined if there is none. */
  get current(): Published | undefined {
    return this.#current;
  }

  /** Removes leftovers of a crash and finds earlier content. @returns how many leftovers there were. */
  async open(): Promise<number> {
    const swept = await sweep(this.settings);
    this.#current =
      (await readPublishedTree(this.settings)) ?? (await readPublishedFile(this.settings));
    return swept;
  }

  /** Checks whether the published content is still there, untouched by others. */
  async intact(): Promise<boolean> {
    if (!this.#current) return false;
    const link = await linkTrace(this.settings);
    return this.#current.trace === (link || (await fileTrace(this.settings)));
  }

  /** Makes the content visible, complete or not at all. @throws {Failure} with the remedy. */
  async publish(content: Content): Promise<Outcome> {
    const { target, directoryMode, fileSystem } = this.settings;
    // A target that others have changed in the meantime does not have the current content.
    const current = (await this.intact()) ? this.#current : undefined;
    await this.#refuseSpecial();
    try {
      await fileSystem.mkdir(dirname(target), { recursive: true, mode: directoryMode });
      const outcome = await this.#write(content, current);
      this.#current = outcome;
      content.published?.();
      return outcome;
    } catch (error) {
      throw explainWrite(error, target);
    }
  }

  /** A rename(2) would replace a FIFO, socket or device, such as /dev/null, by a file. */
  async #refuseSpecial(): Promise<void> {
    const { target, fileSystem } = this.settings;
    const stats = await fileSystem.lstat(target).catch(() => undefined);
    if (!stats || stats.isFile() || stats.isDirectory() || stats.isSymbolicLink()) return;
    throw new Failure(
      'not_a_file',
      `${target} is a FIFO, socket or device, which is not replaced: give another target`,
    );
  }

  #write(content: Content, current: Published | undefined): Promise<Outcome> {
    if (content.kind === 'tree')
      return publishTree(content, current, this.settings, this.#replaced);
    if (content.kind === 'file') return publishFile(content, current, this.settings);
    const bytes = Buffer.byteLength(content.text);
    if (bytes > this.settings.maxSize) {
      throw new Failure(
        'too_large',
        `a line of ${bytes} bytes is larger than ${formatSize(this.settings.maxSize)}: raise --max-size`,
      );
    }
    return appendLine(content, this.settings);
  }
}
