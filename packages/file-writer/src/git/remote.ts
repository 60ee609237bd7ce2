import { Failure } from '../failure.ts';
import { bodyOf, type Exchange, type ExchangeOptions, exchange } from '../http/exchange.ts';
import { show } from '../http/show.ts';
import { statusFailure } from '../http/status.ts';
import { DELIMITER, FLUSH, lineOf, packet, readPackets } from './pkt-line.ts';
import { findRef } from './refs.ts';

/** The largest list of refs, in bytes. */
const REFS_LIMIT = 32 * 1024 * 1024;

type Options = Pick<ExchangeOptions, 'credentials' | 'idleTimeout' | 'signal' | 'caFile'>;

/**
 * A client of the upload-pack service of a repository over smart HTTP (gitprotocol-http(5)):
 * protocol 2 if the server speaks it, else 0. Implements only what following one ref needs.
 */
export class GitRemote {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url.replace(/\/+$/, '');
  }

  /**
   * Resolves a branch, tag, full ref name or HEAD to its current commit.
   * @throws {Failure} if there is no such ref, with the names of some branches.
   */
  async resolve(ref: string, options: Options): Promise<string> {
    const { version, refs } = await this.#advertisement(options);
    const names = version === 2 ? await this.#listRefs(ref, options) : refs;
    const commit = findRef(names, ref);
    if (commit !== undefined) return commit;
    const all = version === 2 ? await this.#listRefs(undefined, options) : refs;
    const branches = [...all.keys()].flatMap((name) => /^refs\/heads\/(.+)$/.exec(name)?.[1] ?? []);
    const some = branches.length === 0 ? 'no branches' : branches.slice(0, 5).join(', ');
    throw new Failure(
      'ref_missing',
      `${show(this.#url)} has no branch or tag ${ref} (there are: ${some}): correct --ref, or was it deleted?`,
    );
  }

  /** Downloads the pack of one commit and all its files, without history. @throws {Failure} */
  async *fetchCommit(commit: string, options: Options): AsyncGenerator<Uint8Array> {
    const { version } = await this.#advertisement(options);
    const body = version === 2 ? fetchCommand(commit) : wantCommand(commit);
    const response = await this.#post(body, version, options);
    let inPack = version === 0;
    for await (const one of readPackets(bodyOf(response))) {
      if (typeof one === 'string') continue;
      const line = inPack && one[0]! <= 3 ? '' : lineOf(one);
      if (line.startsWith('ERR ')) throw this.#refused(line.slice(4));
      if (line === 'packfile') inPack = true;
      if (!inPack || line !== '') continue;
      // Side bands: 1 carries the pack, 2 progress, 3 the fatal error.
      if (one[0] === 3) throw this.#refused(lineOf(one.subarray(1)));
      if (one[0] === 1) yield one.subarray(1);
    }
  }

  async #advertisement(options: Options) {
    const url = new URL(this.#url);
    const query = url.search ? `${url.search}&` : '?';
    const response = await exchange(
      `${url.origin}${url.pathname}/info/refs${query}service=git-upload-pack`,
      { ...options, headers: { 'git-protocol': 'version=2' } },
    );
    const type = response.headers['content-type'] ?? '';
    if (
      response.status !== 200 ||
      !type.startsWith('application/x-git-upload-pack-advertisement')
    ) {
      response.body.destroy();
      if (response.status !== 200) throw statusFailure(response, '--credentials');
      throw new Failure(
        'git_protocol',
        `${show(this.#url)} is not a git repository over smart HTTP (it answered ${type || 'nothing'}): correct --repository`,
      );
    }
    const lines = await readLines(response);
    if (lines.includes('version 2')) {
      const format = lines.find((line) => line.startsWith('object-format='));
      if (format && format !== 'object-format=sha1') {
        throw new Failure(
          'git_protocol',
          `${show(this.#url)} uses ${format}: only SHA-1 repositories are read`,
        );
      }
      return { version: 2, refs: new Map<string, string>() } as const;
    }
    return { version: 0, refs: parseRefs(lines) } as const;
  }

  async #listRefs(ref: string | undefined, options: Options): Promise<Map<string, string>> {
    const prefixes =
      ref === undefined
        ? ['refs/heads/']
        : ref === 'HEAD' || ref.startsWith('refs/')
          ? [ref]
          : [`refs/heads/${ref}`, `refs/tags/${ref}`];
    const body = [
      packet('command=ls-refs\n'),
      packet('object-format=sha1'),
      DELIMITER,
      packet('peel\n'),
      ...prefixes.map((prefix) => packet(`ref-prefix ${prefix}\n`)),
      FLUSH,
    ].join('');
    const lines = await readLines(await this.#post(body, 2, options));
    const refs = new Map<string, string>();
    for (const line of lines) {
      const [oid = '', name = '', ...attributes] = line.split(' ');
      const peeled = attributes.find((one) => one.startsWith('peeled:'))?.slice('peeled:'.length);
      refs.set(name, peeled ?? oid);
    }
    return refs;
  }

  async #post(body: string, version: 0 | 2, options: Options): Promise<Exchange> {
    const url = new URL(this.#url);
    const response = await exchange(`${url.origin}${url.pathname}/git-upload-pack${url.search}`, {
      ...options,
      method: 'POST',
      body: Buffer.from(body),
      headers: {
        'content-type': 'application/x-git-upload-pack-request',
        accept: 'application/x-git-upload-pack-result',
        ...(version === 2 ? { 'git-protocol': 'version=2' } : {}),
      },
    });
    if (response.status === 200) return response;
    response.body.destroy();
    throw statusFailure(response, '--credentials');
  }

  #refused(message: string): Failure {
    return new Failure('git_refused', `${show(this.#url)} refused: ${message.trim()}`);
  }
}

/** Encodes the request for one commit without its parents: protocol 2, gitprotocol-v2(5). */
function fetchCommand(commit: string): string {
  return [
    packet('command=fetch\n'),
    packet('object-format=sha1'),
    DELIMITER,
    packet('ofs-delta\n'),
    packet('no-progress\n'),
    packet(`want ${commit}\n`),
    packet('deepen 1\n'),
    packet('done\n'),
    FLUSH,
  ].join('');
}

/** Encodes the same request in protocol 0, gitprotocol-pack(5). */
function wantCommand(commit: string): string {
  const capabilities = 'side-band-64k ofs-delta no-progress shallow agent=sidekit';
  return [
    packet(`want ${commit} ${capabilities}\n`),
    packet('deepen 1\n'),
    FLUSH,
    packet('done\n'),
  ].join('');
}

async function readLines(response: Exchange): Promise<string[]> {
  const lines: string[] = [];
  let size = 0;
  for await (const one of readPackets(bodyOf(response))) {
    if (typeof one === 'string') continue;
    size += one.length;
    if (size > REFS_LIMIT)
      throw new Failure(
        'too_large',
        `${show(response.url)} lists too many refs: name one with --ref`,
      );
    const line = lineOf(one);
    if (line.startsWith('ERR '))
      throw new Failure('git_refused', `${show(response.url)} refused: ${line.slice(4)}`);
    if (!line.startsWith('# service=')) lines.push(line);
  }
  return lines;
}

/** Parses `<oid> <name>[\0capabilities]`; a peeled tag follows as `<name>^{}` and replaces the tag. */
function parseRefs(lines: readonly string[]): Map<string, string> {
  const refs = new Map<string, string>();
  for (const line of lines) {
    const [oid = '', name = ''] = (line.split('\0', 1)[0] ?? '').split(' ');
    if (/^[0-9a-f]{40}$/.test(oid)) refs.set(name.replace(/\^\{\}$/, ''), oid);
  }
  return refs;
}
