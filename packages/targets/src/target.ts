import { nearest, parseAddress, type Report } from '@sidekit/core';
import { checkQueueName } from '@sidekit/posix-mq';
import { checkSegmentName, parseSemaphoreKey } from '@sidekit/shared-memory';

/** A target to wait for. */
export type Target =
  | { readonly kind: 'mq'; readonly text: string; readonly queue: string }
  | { readonly kind: 'shm'; readonly text: string; readonly segment: string }
  | { readonly kind: 'sem'; readonly text: string; readonly key: string }
  | { readonly kind: 'tcp'; readonly text: string; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly text: string; readonly path: string }
  | { readonly kind: 'http'; readonly text: string; readonly url: string }
  | { readonly kind: 'file'; readonly text: string; readonly path: string }
  | { readonly kind: 'dns'; readonly text: string; readonly host: string };

const SCHEMES = ['mq:', 'shm:', 'sem:', 'tcp:', 'unix:', 'http:', 'https:', 'file:', 'dns:'];

/** The longest path of a socket, in bytes (unix(7): sun_path less its NUL). */
const SOCKET_PATH = 107;

/** Parses a target as written on the command line; reports its faults. */
export function parseTarget(text: string, report: Report): Target | undefined {
  const fault = (rule: string, remedy?: string) => {
    report({ name: 'TARGET', value: text, rule, remedy });
    return undefined;
  };
  const scheme = text.slice(0, text.indexOf(':') + 1);
  const rest = text.slice(scheme.length);
  switch (scheme) {
    case 'mq:': {
      const broken = checkQueueName(rest);
      return broken ? fault(broken.rule, broken.remedy) : { kind: 'mq', text, queue: rest };
    }
    case 'shm:': {
      const broken = checkSegmentName(rest);
      return broken ? fault(broken.rule, broken.remedy) : { kind: 'shm', text, segment: rest };
    }
    case 'sem:':
      if (!isSemaphoreKey(rest))
        return fault(
          'must have a key',
          'write sem:0x5eed, sem:24301 or sem:/path:1 as for ftok(3)',
        );
      return { kind: 'sem', text, key: rest };
    case 'tcp:': {
      const address = parseAddress(rest.replace(/^\/\//, ''));
      if (!address || 'path' in address || address.host === undefined || address.port === 0) {
        return fault('must have a host and a port', 'write tcp:host:port');
      }
      return { kind: 'tcp', text, host: address.host, port: address.port };
    }
    case 'unix:':
    case 'file:': {
      const path = rest.replace(/^\/\/(?=\/)/, '');
      if (!path.startsWith('/')) return fault('must have an absolute path', `write ${scheme}/path`);
      if (path.includes('\0')) return fault('must not contain NUL', 'leave it out');
      if (scheme === 'unix:' && Buffer.byteLength(path) > SOCKET_PATH)
        return fault(`must have a path of at most ${SOCKET_PATH} bytes`, 'choose a shorter one');
      return { kind: scheme === 'unix:' ? 'unix' : 'file', text, path };
    }
    case 'http:':
    case 'https:':
      if (!/^\/\/[^/]/.test(rest) || !URL.canParse(text))
        return fault('must be a URL', `write ${scheme}//host:port/path`);
      return { kind: 'http', text, url: text };
    case 'dns:':
      if (!/^[A-Za-z0-9_]([A-Za-z0-9._-]{0,252})$/.test(rest))
        return fault('must be a host name', 'write dns:name');
      return { kind: 'dns', text, host: rest };
    default:
      return fault(
        'has no known scheme',
        nearest(scheme || `${text}:`, SCHEMES) ??
          'write mq:, shm:, sem:, tcp:, unix:, http://, https://, file: or dns:',
      );
  }
}

/** Whether a key is a number, or a path and project of a file that may be created later. */
function isSemaphoreKey(text: string): boolean {
  const [, project] = /^\/.*:(\d{1,3})$/.exec(text) ?? [];
  if (project !== undefined) return Number(project) >= 1 && Number(project) <= 255;
  return parseSemaphoreKey(text) !== undefined;
}
