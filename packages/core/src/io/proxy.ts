import http from 'node:http';
import https from 'node:https';
import { BlockList, isIP } from 'node:net';
import { ExpectedError } from '../errors.ts';

export type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * The URL of the proxy that the environment names for requests to `url`: HTTP_PROXY, HTTPS_PROXY
 * and NO_PROXY, also in lower case, which goes first. NO_PROXY is read as by Go's httpproxy: `*`,
 * names with all their subdomains, `.name` for subdomains alone, addresses and CIDR ranges, each
 * with an optional port. Loopback and the Kubernetes API never go through a proxy.
 * @throws {ExpectedError} if the variable holds no URL of a proxy; its password is not shown.
 */
export function proxyFor(
  url: string | URL,
  environment: ProxyEnvironment = process.env,
): string | undefined {
  const target = new URL(url);
  const name = target.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const proxy = variable(name, environment);
  if (!proxy || isExempt(target, environment)) return undefined;
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
  // As in splitUser, a percent sign that escapes nothing stands for itself.
  const text = full.replace(/%(?![0-9a-f]{2})/gi, '%25');
  if (isProxyUrl(text)) return text;
  throw new ExpectedError(
    `${name} must be the URL of an HTTP proxy without a path, such as http://user:password@proxy.example:3128: escape other characters of the password as UTF-8, such as %2F for a slash`,
  );
}

/**
 * Whether a text is `scheme://[user:password@]host[:port]`. With more behind it, a password with a
 * slash would be taken for a path, and be shown as one.
 */
function isProxyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, pathname, search, hash } = new URL(text);
  if (!/^https?:$/.test(protocol) || pathname !== '/' || search !== '' || hash !== '') return false;
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

/**
 * Makes an agent that sends requests to `url` through the proxy that `proxyFor` finds: https in a
 * tunnel (CONNECT, RFC 9110 §9.3.6), http by an absolute request target. Undefined without a proxy.
 */
export function proxyAgent(
  url: string | URL,
  options: https.AgentOptions = {},
  environment: ProxyEnvironment = process.env,
): http.Agent | undefined {
  const proxy = proxyFor(url, environment);
  if (proxy === undefined) return undefined;
  const proxyEnv = { HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
  return new URL(url).protocol === 'https:'
    ? new https.Agent({ ...options, proxyEnv })
    : new http.Agent({ ...options, proxyEnv });
}

function variable(name: string, environment: ProxyEnvironment): string {
  return environment[name.toLowerCase()]?.trim() || environment[name]?.trim() || '';
}

function isExempt(target: URL, environment: ProxyEnvironment): boolean {
  const host = target.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (host === 'localhost' || host.endsWith('.localhost') || isLoopback(host)) return true;
  // connect(2) to the unspecified address is one to this host.
  if (host === '0.0.0.0' || host === '::') return true;
  const { KUBERNETES_SERVICE_HOST: api } = environment;
  if (isKubernetesName(host) || (api && matches(api.toLowerCase(), host, ''))) return true;
  const port = target.port || (target.protocol === 'https:' ? '443' : '80');
  return variable('NO_PROXY', environment)
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => matches(entry.toLowerCase(), host, port));
}

function isKubernetesName(host: string): boolean {
  return /^kubernetes(\.default(\.svc(\..+)?)?)?$/.test(host);
}

/** Made at first use: node:net loads BlockList only then. */
let loopback: BlockList | undefined;

/** Whether an address is one of the loopback interface, in IPv4, IPv6 or mapped form. */
export function isLoopback(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  if (loopback === undefined) {
    loopback = new BlockList();
    loopback.addSubnet('127.0.0.0', 8, 'ipv4');
    loopback.addAddress('::1', 'ipv6');
  }
  return loopback.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const [, name = entry, entryPort] =
    /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(entry) ?? ([] as (string | undefined)[]);
  if (entryPort !== undefined && entryPort !== port) return false;
  const plain = name.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  // An address may be written in several ways; a prefix that covers all of it compares the value.
  if (isIP(host))
    return inRange(plain, host) || inRange(`${plain}/${isIP(plain) === 4 ? 32 : 128}`, host);
  if (plain.startsWith('*.') || plain.startsWith('.')) {
    return host.endsWith(plain.replace(/^\*/, ''));
  }
  return host === plain || host.endsWith(`.${plain}`);
}

function inRange(range: string, host: string): boolean {
  const [, network = '', prefix = ''] = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(range) ?? [];
  const family = isIP(network);
  if (family === 0 || family !== isIP(host) || Number(prefix) > (family === 4 ? 32 : 128)) {
    return false;
  }
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(network, Number(prefix), type);
  return list.check(host, type);
}
