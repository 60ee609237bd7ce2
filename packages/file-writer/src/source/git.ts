import { basename, join } from 'node:path';
import { splitUser, temporaryPath } from '@sidekit/core';
import { Allowance, type TreeEntry } from '../content.ts';
import { Pack } from '../git/pack.ts';
import { isCommitId } from '../git/refs.ts';
import { GitRemote } from '../git/remote.ts';
import { ScratchFile } from '../git/scratch-file.ts';
import { filesOf, type Skipped } from '../git/tree.ts';
import { basicAuthorization } from '../http/credentials.ts';
import { versionsDirectory } from '../publish/versions.ts';
import type { Source } from './source.ts';

export interface GitSourceOptions {
  readonly repository: string;
  /** The target: files that are needed meanwhile are created next to its versions. */
  readonly target: string;
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

type Access = Parameters<GitRemote['fetchCommit']>[1] & { readonly signal: AbortSignal };

/** Follows a branch or tag; delivers the files of its newest commit, without history. */
export function gitSource(options: GitSourceOptions): Source {
  const { ref, repository } = options;
  const { url, authorization } = splitUser(repository);
  const remote = new GitRemote(url.href);
  let published: string | undefined;
  return {
    poll: async ({ signal, fresh }) => {
      if (isCommitId(ref) && published === ref && !fresh) return undefined;
      const credentials =
        (await basicAuthorization(options.credentials)) ??
        (authorization === undefined ? undefined : { authorization });
      const access = { ...options, signal, credentials };
      const commit = isCommitId(ref) ? ref : await remote.resolve(ref, access);
      if (commit === published && !fresh) return undefined;
      const skipped = { submodules: 0, lfsPointers: 0 };
      return {
        kind: 'tree',
        label: commit,
        entries: entriesOf(remote, commit, access, options, skipped),
        warnings: () => warningsOf(skipped),
        published: () => {
          published = commit;
        },
      };
    },
  };
}

/** Downloads the pack into a file on the volume, and unpacks the files of the commit. */
async function* entriesOf(
  remote: GitRemote,
  commit: string,
  access: Access,
  { target, subpath, maxSize, maxFiles }: GitSourceOptions,
  skipped: Skipped,
): AsyncGenerator<TreeEntry> {
  const { signal } = access;
  const scratch = () => temporaryPath(join(versionsDirectory(target), basename(target)));
  const { format, chunks } = await remote.fetchCommit(commit, access);
  const file = await ScratchFile.receive(scratch(), limited(chunks, maxSize));
  const limits = { maxSize, maxObjects: OBJECTS_PER_FILE * maxFiles, signal };
  await using pack = await Pack.open(file, format, limits, scratch);
  // The path is in bytes, as the names in trees are.
  const bytes = subpath === undefined ? undefined : Buffer.from(subpath).toString('latin1');
  yield* filesOf(pack, commit, { subpath: bytes, maxFiles, signal }, skipped);
}

async function* limited(chunks: AsyncIterable<Uint8Array>, limit: number) {
  const allowance = new Allowance(limit);
  for await (const chunk of chunks) {
    allowance.take(chunk.length);
    yield chunk;
  }
}

function warningsOf({ submodules, lfsPointers }: Skipped): string[] {
  return [
    ...(submodules > 0
      ? [`${submodules} submodules were left out: follow each with a file of its own under files`]
      : []),
    ...(lfsPointers > 0
      ? [
          `${lfsPointers} files are pointers of Git LFS, not their content: download it with the source http, or store it in the repository`,
        ]
      : []),
  ];
}
