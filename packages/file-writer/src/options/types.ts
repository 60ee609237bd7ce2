import { Broken, type Owner, parseSignal, scalar, type Type } from '@sidekit/core';

/** A file mode as chmod(1) takes it; quoted in YAML, where 0644 is a different number. */
export const octal: Type<number> = scalar(
  'octal mode',
  { type: 'string', pattern: '^0?[0-7]{3}$' },
  (input) =>
    typeof input === 'string' && /^0?[0-7]{3}$/.test(input)
      ? Number.parseInt(input, 8)
      : new Broken('must be a mode of three octal digits', 'write it as "0644", in quotes in YAML'),
  (mode) => mode.toString(8).padStart(4, '0'),
);

export const owner: Type<Owner> = scalar(
  'uid:gid',
  { type: 'string', pattern: '^\\d+:\\d+$' },
  (input) => {
    const match = typeof input === 'string' ? /^(\d{1,10}):(\d{1,10})$/.exec(input) : null;
    const [uid, gid] = [Number(match?.[1]), Number(match?.[2])];
    // (uid_t)-1 means "leave it" to chown(2).
    return uid < 0xffffffff && gid < 0xffffffff
      ? { uid, gid }
      : new Broken('must be a numeric user and group', 'write it as 1000:1000');
  },
  ({ uid, gid }) => `${uid}:${gid}`,
);

/** A range of HTTP statuses, both ends included. */
export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

export const statusRange: Type<StatusRange> = scalar(
  'status or range',
  { type: ['string', 'integer'], pattern: '^[1-5]\\d\\d(-[1-5]\\d\\d)?$' },
  (input) => {
    const match = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(String(input));
    if (!match) return new Broken('must be an HTTP status', 'write 204 or 200-299');
    const range = { from: Number(match[1]), to: Number(match[2] ?? match[1]) };
    return range.from <= range.to
      ? range
      : new Broken('must not go downwards', `write ${range.to}-${range.from}`);
  },
  ({ from, to }) => (from === to ? String(from) : `${from}-${to}`),
);

/** The way to notify the application. */
export type NotifyTarget =
  | { readonly kind: 'http'; readonly url: string }
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals; readonly name: string };

export const notifyTarget: Type<NotifyTarget> = scalar(
  'URL or signal:SIGNAL:PROCESS',
  { type: 'string', pattern: '^(https?://|signal:)' },
  (input) => {
    const text = typeof input === 'string' ? input : '';
    const [, signalName = '', name] = /^signal:([A-Za-z0-9]+):(.+)$/.exec(text) ?? [];
    const signal = parseSignal(signalName);
    if (signal && name) return { kind: 'signal', signal, name };
    if (/^https?:\/\//.test(text) && URL.canParse(text)) return { kind: 'http', url: text };
    return new Broken(
      'must be an http or https URL, or a signal to a process',
      'write http://127.0.0.1:8080/reload or signal:HUP:nginx',
    );
  },
  (target) =>
    target.kind === 'http'
      ? target.url
      : `signal:${target.signal.replace(/^SIG/, '')}:${target.name}`,
);

/** A URL to download, and the name of its file if there are several. */
export interface HttpResource {
  readonly url: string;
  readonly name: string;
}

export const httpSource: Type<HttpResource> = scalar(
  '[name=]URL',
  { type: 'string' },
  (input) => {
    const match =
      typeof input === 'string' ? /^(?:([\w][\w.-]*)=)?(https?:\/\/.+)$/.exec(input) : null;
    const url = match?.[2];
    if (url === undefined || !URL.canParse(url)) {
      return new Broken(
        'must be an http or https URL',
        'write https://host/path, or name=https://host/path for one of several',
      );
    }
    // A name with an escape is none of those that are allowed.
    const last = new URL(url).pathname.split('/').at(-1) ?? '';
    return { url, name: match?.[1] ?? (/^\w[\w.-]*$/.test(last) ? last : 'index') };
  },
  ({ url, name }) => `${name}=${url}`,
);
