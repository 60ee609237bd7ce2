import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errorText } from '@sidekit/core';
import { Allowance } from '../content.ts';
import { Failure } from '../failure.ts';
import { Pack } from '../git/pack.ts';
import { isCommitId } from '../git/refs.ts';
import { GitRemote } from '../git/remote.ts';
import { filesOf } from '../git/tree.ts';
import type { Source } from './source.ts';

export interface GitSourceOptions {
  readonly repository: string;
  readonly ref: string;
  readonly subpath: string | undefined;
  readonly credentials: string | undefined;
  readonly caFile: string | undefined;
  readonly idleTimeout: number;
  readonly maxSize: number;
  readonly maxFiles: number;
}

/** The maximum number of objects of one commit per file: its blob, and directories above it. */
const OBJECTS_PER_FILE = 4;

/** Follows a branch or tag; delivers the files of its newest commit, without history. */
export function gitSource(options: GitSourceOptions): Source {
  const { ref, subpath, maxSize, maxFiles } = options;
  const { url, user } = splitUser(options.repository);
  const remote = new GitRemote(url);
  let published: string | undefined;
  return {
    poll: async ({ signal, fresh }) => {
      if (isCommitId(ref) && published === ref && !fresh) return undefined;
      const access = { ...options, signal, credentials: authorization(options.credentials, user) };
      const commit = isCommitId(ref) ? ref : await remote.resolve(ref, access);
      if (commit === published && !fresh) return undefined;
      const pack = await Pack.open(await download(remote, commit, access, maxSize), {
        maxSize,
        maxObjects: OBJECTS_PER_FILE * maxFiles,
        signal,
      });
      return {
        kind: 'tree',
        label: commit,
        entries: filesOf(pack, commit, { subpath, maxFiles }),
        published: () => {
          published = commit;
        },
      };
    },
  };
}

async function download(
  remote: GitRemote,
  commit: string,
  access: Parameters<GitRemote['fetchCommit']>[1],
  maxSize: number,
): Promise<Buffer> {
  const allowance = new Allowance(maxSize);
  const chunks: Uint8Array[] = [];
  for await (const chunk of remote.fetchCommit(commit, access)) {
    allowance.take(chunk.length);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, allowance.used);
}

/** Removes `user:password@` from a URL, so that no message contains it. */
function splitUser(repository: string): { url: string; user: string | undefined } {
  const url = new URL(repository);
  const user =
    url.username && `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = '';
  url.password = '';
  return { url: url.href, user: user || undefined };
}

function authorization(path: string | undefined, user: string | undefined) {
  const pair = path === undefined ? user : readCredentials(path);
  if (pair === undefined) return undefined;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

function readCredentials(path: string): string {
  const read = (...parts: string[]) => readFileSync(join(path, ...parts), 'utf8').trim();
  let pair: string;
  try {
    pair = statSync(path).isDirectory() ? `${read('username')}:${read('password')}` : read();
  } catch (error) {
    throw new Failure(
      'credentials',
      `--credentials ${path} cannot be read (${errorText(error)}): mount a Secret with username and password there`,
    );
  }
  if (/^[^:\s]+:\S+$/.test(pair)) return pair;
  throw new Failure('credentials', `--credentials ${path} must hold user:password in one line`);
}
