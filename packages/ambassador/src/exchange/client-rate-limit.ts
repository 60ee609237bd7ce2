import { isIPv6 } from 'node:net';

interface Bucket {
  tokens: number;
  at: number;
}

/** Clients with a bucket of their own; a bucket takes some 200 bytes. */
const MAX_CLIENTS = 10_000;
/** Buckets that are checked for each new client when the table is full. */
const CHECKED = 8;

/**
 * A token bucket per client, in a bounded table. A bucket is removed only when it is full again, so
 * that no client gets a new burst early; if none is, new clients share one bucket.
 */
export class ClientRateLimit {
  readonly #rate: number;
  readonly #burst: number;
  readonly #buckets = new Map<string, Bucket>();
  readonly #shared: Bucket;
  readonly #maxClients: number;

  /** @param rate requests per second. @param burst requests at once. */
  constructor(rate: number, burst: number, maxClients: number = MAX_CLIENTS) {
    this.#rate = rate / 1000;
    this.#burst = burst;
    this.#maxClients = maxClients;
    this.#shared = { tokens: burst, at: 0 };
  }

  /** Takes one token at `now` (milliseconds). Returns 0, or the time until there is one. */
  take(client: string, now: number): number {
    const bucket = this.#bucket(client, now);
    bucket.tokens = this.#filled(bucket, now);
    bucket.at = now;
    if (bucket.tokens < 1) return (1 - bucket.tokens) / this.#rate;
    bucket.tokens--;
    return 0;
  }

  #filled({ tokens, at }: Bucket, now: number): number {
    return Math.min(this.#burst, tokens + (now - at) * this.#rate);
  }

  #bucket(client: string, now: number): Bucket {
    const known = this.#buckets.get(client);
    if (known !== undefined) return known;
    if (this.#buckets.size >= this.#maxClients) this.#removeFull(now);
    if (this.#buckets.size >= this.#maxClients) return this.#shared;
    const bucket = { tokens: this.#burst, at: now };
    this.#buckets.set(client, bucket);
    return bucket;
  }

  #removeFull(now: number) {
    let checked = 0;
    for (const [client, bucket] of this.#buckets) {
      if (++checked > CHECKED) return;
      this.#buckets.delete(client);
      // A bucket in use moves to the end, so that the next call checks others.
      if (this.#filled(bucket, now) < this.#burst) this.#buckets.set(client, bucket);
    }
  }
}

/**
 * Returns the part of an address that stands for one client: of IPv6, the network of 64 bits. A port,
 * which some proxies add, is removed.
 */
export function clientKey(text: string): string {
  const [, bracketed, dotted] = /^(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)$/.exec(text) ?? [];
  const address = bracketed ?? dotted ?? text;
  if (!isIPv6(address)) return address;
  // The parser of URLs has the canonical form (RFC 5952); it knows no zones.
  const canonical = new URL(`http://[${address.replace(/%.*/, '')}]`).hostname.slice(1, -1);
  const [head = '', tail = ''] = canonical.split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === '' ? [] : tail.split(':');
  // A client of IPv4 that the proxy sees through a socket of IPv6.
  if (groups.length === 0 && rest.length === 3 && rest[0] === 'ffff')
    return rest
      .slice(1)
      .map((group) => Number.parseInt(group, 16))
      .map((group) => `${group >> 8}.${group & 255}`)
      .join('.');
  const zeros = Array(8 - groups.length - rest.length).fill('0');
  return [...groups, ...zeros, ...rest].slice(0, 4).join(':');
}
