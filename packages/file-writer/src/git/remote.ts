import { Failure } from '../failure.ts';
import {
  bodyOf,
  type Exchange,
  type ExchangeOptions,
  exchange,
  isSameServer,
} from '../http/exchange.ts';
import { show } from '../http/show.ts';
import { statusFailure } from '../http/status.ts';
import { type ObjectFormat, SHA1, SHA256 } from './object-format.ts';
import { DELIMITER, FLUSH, lineOf, packet, readPackets } from './pkt-line.ts';
import { findRef } from './refs.ts';

/** The largest list of refs, in bytes, and what a line of it takes besides its text. */
const REFS_LIMIT = 8 * 1024 * 1024;
const LINE = 16;
/** The path of the first request, below that of the repository (gitprotocol-http(5)). */
const DISCOVERY = '/info/refs';

type Options = Pick<ExchangeOptions, 'credentials' | 'idleTimeout' | 'signal' | 'caFile'>;

/** The service that a server offers, and its URL after redirects. */
interface Service {
  readonly url: URL;
  readonly version: 0 | 2;
  readonly format: ObjectFormat;
  /** Whether the format is named in requests: servers before git 2.28 refuse it. */
  readonly namesFormat: boolean;
  /** The refs, with protocol 0 only. */
  readonly refs: ReadonlyMap<string, string>;
  readonly options: Options;
}

/** One commit with all its files, without history. */
export interface CommitPack {
  readonly format: ObjectFormat;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * A client of the upload-pack service of a repository over smart HTTP (gitprotocol-http(5)):
 * protocol 2 if the server speaks it, else 0. Implements only what following one ref needs.
 */
export class GitRemote {
  readonly #url: URL;

  constructor(url: string) {
    this.#url = new URL(url);
    this.#url.pathname = this.#url.pathname.replace(/\/+$/, '');
  }

  /**
   * Resolves a branch, tag, full ref name or HEAD to its current commit.
   * @throws {Failure} if there is no such ref, with the names of some branches.
   */
  async resolve(ref: string, options: Options): Promise<string> {
    const service = await this.#discover(options);
    const { version, refs } = service;
    const names = version === 2 ? await listRefs(service, ref) : refs;
    const commit = findRef(names, ref);
    if (commit !== undefined) return commit;
    const all = version === 2 ? await listRefs(service, undefined) : refs;
    const branches = [...all.keys()].flatMap((name) => /^refs\/heads\/(.+)$/.exec(name)?.[1] ?? []);
    if (branches.length === 0) {
      throw new Failure(
        'ref_missing',
        `${show(this.#url)} has no branch or tag ${ref}, nor any branch: push one, or correct --ref`,
      );
    }
    const some = branches.slice(0, 5).join(', ');
    throw new Failure(
      'ref_missing',
      `${show(this.#url)} has no branch or tag ${ref} (there are: ${some}): correct --ref, or was it deleted?`,
    );
  }

  /** Requests the pack of one commit. @throws {Failure} */
  async fetchCommit(commit: string, options: Options): Promise<CommitPack> {
    const service = await this.#discover(options);
    const body = service.version === 2 ? fetchCommand(commit, service) : wantCommand(commit);
    const response = await post(service, body);
    return { format: service.format, chunks: packOf(response, service.version) };
  }

  /** Asks for the service, and follows a redirect as git does: all that follows goes there. */
  async #discover(options: Options): Promise<Service> {
    const response = await exchange(serviceUrl(this.#url, DISCOVERY, 'service=git-upload-pack'), {
      ...options,
      headers: { 'git-protocol': 'version=2' },
    });
    const type = response.headers['content-type'] ?? '';
    if (response.status !== 200) {
      response.body.destroy();
      throw statusFailure(response, '--credentials');
    }
    if (!type.startsWith('application/x-git-upload-pack-advertisement')) {
      response.body.destroy();
      const problem = type.startsWith('text/plain')
        ? 'serves its files only (the dumb protocol): serve it with git http-backend'
        : 'is not a git repository over smart HTTP';
      throw new Failure(
        'git_protocol',
        `${show(this.#url)} ${problem} (it answered ${type || 'nothing'}), or correct --repository`,
      );
    }
    const url = new URL(response.url);
    const lines = await readLines(response);
    if (!url.pathname.endsWith(DISCOVERY)) {
      throw new Failure(
        'redirect',
        `${show(this.#url)} redirects to ${show(url)}, which is not the same service of another repository: correct --repository`,
      );
    }
    url.pathname = url.pathname.slice(0, -DISCOVERY.length);
    url.searchParams.delete('service');
    const version = lines.includes('version 2') ? 2 : 0;
    const sent = isSameServer(this.#url, url) ? options : { ...options, credentials: undefined };
    const common = { url, version, options: sent } as const;
    if (version === 0) return { ...common, ...parseRefs(lines), namesFormat: false };
    const name = lines.find((line) => line.startsWith('object-format='))?.split('=')[1];
    const format = formatOf(name ?? SHA1.name, this.#url);
    return { ...common, format, namesFormat: name !== undefined, refs: new Map() };
  }
}

function serviceUrl(base: URL, path: string, query?: string): string {
  const url = new URL(base);
  // The root has a slash even if nothing follows it.
  url.pathname = url.pathname.replace(/\/$/, '') + path;
  if (query !== undefined) url.search = url.search ? `${url.search}&${query}` : query;
  return url.href;
}

function formatOf(name: string, url: URL): ObjectFormat {
  for (const format of [SHA1, SHA256]) if (format.name === name) return format;
  throw new Failure('git_protocol', `${show(url)} uses the unknown object format ${name}`);
}

async function listRefs(
  service: Service,
  ref: string | undefined,
): Promise<ReadonlyMap<string, string>> {
  const prefixes =
    ref === undefined
      ? ['refs/heads/']
      : ref === 'HEAD' || ref.startsWith('refs/')
        ? [ref]
        : [`refs/heads/${ref}`, `refs/tags/${ref}`];
  const body = [
    ...commandHead('ls-refs', service),
    packet('peel\n'),
    ...prefixes.map((prefix) => packet(`ref-prefix ${prefix}\n`)),
    FLUSH,
  ].join('');
  const refs = new Map<string, string>();
  for (const line of await readLines(await post(service, body))) {
    const [id = '', name = '', ...attributes] = line.split(' ');
    const peeled = attributes.find((one) => one.startsWith('peeled:'))?.slice('peeled:'.length);
    refs.set(name, peeled ?? id);
  }
  return refs;
}

async function post({ url, version, options }: Service, body: string): Promise<Exchange> {
  const response = await exchange(serviceUrl(url, '/git-upload-pack'), {
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

/** Extracts the pack from the side bands: 1 carries it, 2 progress, 3 the fatal error. */
async function* packOf(response: Exchange, version: 0 | 2): AsyncGenerator<Uint8Array> {
  let inPack = version === 0;
  for await (const one of readPackets(bodyOf(response))) {
    if (typeof one === 'string') continue;
    const line = inPack && one[0]! <= 3 ? '' : lineOf(one);
    if (line.startsWith('ERR ')) throw refused(response.url, line.slice(4));
    if (line === 'packfile') inPack = true;
    if (!inPack || line !== '') continue;
    if (one[0] === 3) throw refused(response.url, lineOf(one.subarray(1)));
    if (one[0] === 1) yield one.subarray(1);
  }
}

function commandHead(command: string, { namesFormat, format }: Service): string[] {
  return [
    packet(`command=${command}\n`),
    ...(namesFormat ? [packet(`object-format=${format.name}`)] : []),
    DELIMITER,
  ];
}

/** Encodes the request for one commit without its parents: protocol 2, gitprotocol-v2(5). */
function fetchCommand(commit: string, service: Service): string {
  return [
    ...commandHead('fetch', service),
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
  let ended = false;
  for await (const one of readPackets(bodyOf(response))) {
    ended = one === 'flush';
    // An empty packet counts too: a list of nothing else would never end.
    size += LINE + (typeof one === 'string' ? 0 : one.length);
    if (size > REFS_LIMIT)
      throw new Failure(
        'too_large',
        `${show(response.url)} lists too many refs: name one with --ref`,
      );
    if (typeof one === 'string') continue;
    const line = lineOf(one);
    if (line.startsWith('ERR ')) throw refused(response.url, line.slice(4));
    if (!line.startsWith('# service=')) lines.push(line);
  }
  // Without it a list that was cut between two packets would seem complete.
  if (!ended) throw new Failure('cut', `${show(response.url)} ended before its list did`);
  return lines;
}

/** Parses `<id> <name>[\0capabilities]`; a peeled tag follows as `<name>^{}` and replaces the tag. */
function parseRefs(lines: readonly string[]) {
  const refs = new Map<string, string>();
  let format = SHA1;
  for (const line of lines) {
    const [id = '', name = ''] = (line.split('\0', 1)[0] ?? '').split(' ');
    if (id.length === 2 * SHA256.bytes) format = SHA256;
    if (/^[0-9a-f]{40,64}$/.test(id)) refs.set(name.replace(/\^\{\}$/, ''), id);
  }
  return { refs, format };
}

function refused(url: URL, message: string): Failure {
  return new Failure('git_refused', `${show(url)} refused: ${message.trim()}`);
}
