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

/** The place that readers look at: what is published there, and publishing more. */
export class Target {
  readonly settings: WriteSettings;
  #current: Published | undefined;

  constructor(settings: WriteSettings) {
    this.settings = settings;
  }

  /** What is published as far as known; undefined where nothing is. */
  get current(): Published | undefined {
    return this.#current;
  }

  /** Sweeps what a crash left, and finds earlier content. Returns how much was swept. */
  async open(): Promise<number> {
    const swept = await sweep(this.settings);
    this.#current =
      (await readPublishedTree(this.settings)) ?? (await readPublishedFile(this.settings));
    return swept;
  }

  /** Whether what was published is still there, untouched by others. */
  async intact(): Promise<boolean> {
    if (!this.#current) return false;
    const link = await linkTrace(this.settings);
    return this.#current.trace === (link || (await fileTrace(this.settings)));
  }

  /** Makes the content visible, whole. @throws {Failure} saying what to do. */
  async publish(content: Content): Promise<Outcome> {
    const { target, directoryMode, fileSystem } = this.settings;
    // What others did to it meanwhile is not the current content.
    const current = (await this.intact()) ? this.#current : undefined;
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

  #write(content: Content, current: Published | undefined): Promise<Outcome> {
    if (content.kind === 'tree') return publishTree(content, current, this.settings);
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
