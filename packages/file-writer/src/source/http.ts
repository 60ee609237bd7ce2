import { splitUser } from '@sidekit/core';
import type { Content, TreeEntry } from '../content.ts';
import { Failure } from '../failure.ts';
import { readOptionFile } from '../http/credentials.ts';
import { type Download, download } from '../http/download.ts';
import type { Validators } from '../http/download-options.ts';
import { show } from '../http/show.ts';
import type { HttpResource } from '../options/types.ts';
import type { Source } from './source.ts';

export interface HttpSourceOptions {
  readonly url: readonly HttpResource[];
  readonly header: Readonly<Record<string, string>> | undefined;
  readonly bearerTokenFile: string | undefined;
  readonly sha256: string | undefined;
  readonly caFile: string | undefined;
  readonly idleTimeout: number;
}

/** Delivers one URL as a file, or several as the files of one directory. */
export function httpSource(options: HttpSourceOptions): Source {
  const known = new Map<string, Validators>();
  const get = async (address: string, signal: AbortSignal, validators?: Validators) => {
    // As a header, it also goes to where the server redirects to on itself.
    const { url, authorization } = splitUser(address);
    const credentials = {
      ...(authorization === undefined ? {} : { authorization }),
      ...(await credentialsOf(options)),
    };
    const pinned = options.sha256 !== undefined;
    return await download(url.href, { ...options, signal, validators, credentials, pinned });
  };

  const one = async (url: string, signal: AbortSignal, fresh: boolean) => {
    const response = await get(url, signal, fresh ? undefined : known.get(url));
    return response && fileContent(url, response);
  };
  const fileContent = (url: string, response: Download): Content => ({
    kind: 'file',
    chunks: response.chunks,
    sha256: options.sha256,
    published: () => void known.set(url, response.validators),
  });

  const several = async (signal: AbortSignal, fresh: boolean): Promise<Content | undefined> => {
    // All of them are downloaded as soon as one has changed: they belong together.
    if (!fresh && (await allUnchanged(signal))) return undefined;
    const seen = new Map<string, Validators>();
    async function* entries(): AsyncGenerator<TreeEntry> {
      for (const { url, name } of options.url) {
        const response = await get(url, signal);
        if (!response)
          throw new Failure('http_status', `${show(url)} answered 304 to an unconditional request`);
        yield { path: name, chunks: response.chunks };
        seen.set(url, response.validators);
      }
    }
    return {
      kind: 'tree',
      entries: entries(),
      published: () => {
        for (const [url, validators] of seen) known.set(url, validators);
      },
    };
  };
  const allUnchanged = async (signal: AbortSignal) => {
    for (const { url } of options.url) {
      const validators = known.get(url);
      if (!validators) return false;
      const response = await get(url, signal, validators);
      if (!response) continue;
      response.cancel();
      return false;
    }
    return true;
  };

  return {
    poll: ({ signal, fresh }) => {
      const [first, ...rest] = options.url;
      return first && rest.length === 0 ? one(first.url, signal, fresh) : several(signal, fresh);
    },
  };
}

async function credentialsOf({ header, bearerTokenFile }: HttpSourceOptions) {
  if (bearerTokenFile === undefined) return header;
  const remedy = 'mount the Secret or token there';
  const token = (await readOptionFile('--bearer-token-file', bearerTokenFile, remedy)).trim();
  // RFC 6750 §2.1 allows less, but servers differ.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new Failure(
      'credentials',
      `--bearer-token-file ${bearerTokenFile} must hold one token of printable characters: ${remedy}`,
    );
  }
  return { ...header, authorization: `Bearer ${token}` };
}
