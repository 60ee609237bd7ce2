import { mkdir, stat } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { hostname } from 'node:os';
import { basename, dirname } from 'node:path';
import { rfc3339, Sha256 } from '@sidekit/core';
import { Failure } from '../failure.ts';
import { explainWrite } from '../publish/explain.ts';

/** The longest name that is not replaced by its hash, in bytes: sun_path of unix(7) holds 108. */
const SHORT = 80;
/** The longest time to ask the owner of a lock, in milliseconds. */
const OWNER_TIME = 1000;

/**
 * Keeps a second writer away from a target until this process ends. The lock is an abstract Unix
 * socket (unix(7)) named after the directory's inode: all containers of a Pod share them with the
 * network namespace, and the kernel releases it whatever ends the process. Pods that share a
 * volume are not kept apart.
 * @throws {Failure} with the owner if another process has the lock.
 */
export async function lockTarget(target: string, directoryMode: number): Promise<void> {
  const name = await lockName(target, directoryMode);
  if (process.platform !== 'linux') return;
  const owner = `process ${process.pid} on ${hostname()}, since ${rfc3339(Date.now())}`;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(owner);
    socket.setTimeout(OWNER_TIME, () => socket.destroy());
  });
  server.maxConnections = 8;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path: name }, resolve);
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new Failure(
      'locked',
      `${target} is written by another file-writer (${await askOwner(name)}): give each its own target`,
    );
  }
  server.unref();
}

async function lockName(target: string, mode: number): Promise<string> {
  const directory = dirname(target);
  try {
    await mkdir(directory, { recursive: true, mode });
    const { dev, ino } = await stat(directory, { bigint: true });
    const id = `${dev}:${ino}:${basename(target)}`;
    const short = Buffer.byteLength(id) <= SHORT ? id : new Sha256().update(id).digest();
    return `\0sidekit-file-writer-${short}`;
  } catch (error) {
    throw explainWrite(error, target);
  }
}

function askOwner(name: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ path: name });
    socket.setTimeout(OWNER_TIME, () => socket.destroy());
    socket.setEncoding('utf8').on('data', (part) => {
      text = (text + part).slice(0, 200);
    });
    socket.on('error', () => {}).on('close', () => resolve(text || 'its owner does not answer'));
  });
}
