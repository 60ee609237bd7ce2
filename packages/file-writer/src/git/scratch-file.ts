import { readSync } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import type { Chunks } from '@sidekit/core';

const CHUNK = 64 * 1024;

/** Random access to the content of an object: a Buffer, or a file. */
export interface Base {
  readonly length: number;
  copy(target: Buffer, targetStart: number, start: number, end: number): number;
}

/**
 * A file without a name: it is removed right after it is created, so that its space is free as soon
 * as it is closed, or the process ends for whatever reason.
 */
export class ScratchFile implements Base {
  readonly #handle: FileHandle;
  #length = 0;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** @throws the error of the chunks, or of open(2) or write(2), such as ENOSPC. */
  static async receive(path: string, chunks: Chunks): Promise<ScratchFile> {
    const file = new ScratchFile(await open(path, 'wx+', 0o600));
    try {
      await unlink(path);
      for await (const chunk of chunks) await file.#append(chunk);
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get length(): number {
    return this.#length;
  }

  async #append(chunk: Uint8Array): Promise<void> {
    for (let offset = 0; offset < chunk.length; ) {
      const { bytesWritten } = await this.#handle.write(
        chunk,
        offset,
        chunk.length - offset,
        this.#length,
      );
      offset += bytesWritten;
      this.#length += bytesWritten;
    }
  }

  /** Reads up to `length` bytes, fewer only at the end. Synchronous: they are in the page cache. */
  read(position: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.#length - position)));
    this.copy(buffer, 0, position, position + buffer.length);
    return buffer;
  }

  copy(target: Buffer, targetStart: number, start: number, end: number): number {
    for (let at = start; at < end; ) {
      const read = readSync(this.#handle.fd, target, targetStart + at - start, end - at, at);
      if (read === 0) throw new Error('a scratch file is shorter than expected');
      at += read;
    }
    return end - start;
  }

  async *stream(position: number, end = this.#length): AsyncGenerator<Uint8Array> {
    for (let at = position; at < end; ) {
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK, end - at));
      const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) throw new Error('a scratch file is shorter than expected');
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
