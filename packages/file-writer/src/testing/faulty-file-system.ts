import * as real from 'node:fs/promises';
import type { FileSystem } from '@sidekit/core';

/** The fault that is injected at the chosen call. */
export type Fault =
  /** The call returns this error; later ones work. */
  | { readonly kind: 'error'; readonly code: string }
  /** Nothing happens from this call on, as after a crash just before it. */
  | { readonly kind: 'stop' }
  /** The call happens, and nothing after it. */
  | { readonly kind: 'stop-after' }
  /** A write takes half of its bytes and then nothing happens, as on a crash inside it. */
  | { readonly kind: 'stop-half' };

export class Stopped extends Error {}

/** A file system that counts its calls and fails at one of them; `calls` lists the names. */
export interface FaultyFileSystem {
  readonly fileSystem: FileSystem;
  readonly calls: string[];
}

/**
 * @param at the index of the call (from 0) at which the fault happens; Infinity for none.
 * @param onStop called instead of pretending: a real process kills itself there.
 */
export function faultyFileSystem(
  at: number,
  fault: Fault = { kind: 'stop' },
  onStop: () => void = () => {},
): FaultyFileSystem {
  const calls: string[] = [];
  let stopped = false;
  const stop = () => {
    stopped = true;
    onStop();
    return new Stopped('stopped');
  };
  const guard = async <T>(name: string, call: () => Promise<T>, half?: () => Promise<unknown>) => {
    if (stopped) throw new Stopped('stopped');
    const number = calls.push(name) - 1;
    if (number !== at) return await call();
    if (fault.kind === 'error') throw errorOf(fault.code, name);
    if (fault.kind === 'stop-half' && half) await half();
    if (fault.kind === 'stop-after') {
      const result = await call();
      // Nobody else will close what the crashed process would have opened.
      if (name === 'open') await (result as real.FileHandle).close();
    }
    throw stop();
  };
  const wrapHandle = (handle: real.FileHandle): real.FileHandle =>
    new Proxy(handle, {
      get: (target, key) => {
        const method = Reflect.get(target, key);
        if (typeof method !== 'function') return method;
        return (...args: unknown[]) => {
          const call = async () => Reflect.apply(method, target, args);
          // close(2) frees the descriptor even if it fails, and so does the end of a process.
          if (key === 'close') return call().then(() => guard('close', async () => {}));
          const half = () => {
            const bytes = args[0] as Buffer;
            return target.write(bytes, 0, bytes.length >> 1);
          };
          return guard(String(key), call, key === 'write' ? half : undefined);
        };
      },
    });
  const fileSystem = new Proxy(real, {
    get: (target, key) => {
      const method = Reflect.get(target, key);
      if (typeof method !== 'function') return method;
      return (...args: unknown[]) =>
        guard(String(key), async () => {
          const result = await Reflect.apply(method, target, args);
          return key === 'open' ? wrapHandle(result as real.FileHandle) : result;
        });
    },
  });
  return { fileSystem, calls };
}

function errorOf(code: string, name: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: injected, ${name}`), { code });
}
