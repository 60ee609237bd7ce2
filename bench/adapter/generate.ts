import { closeSync, openSync, writeSync } from 'node:fs';

/** A small seeded generator (mulberry32): the same seed makes the same file everywhere. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36';
const METHODS = ['GET', 'GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE'] as const;
const STATUSES = [200, 200, 200, 200, 201, 204, 301, 304, 404, 500] as const;

/** One line of the combined format, 224 bytes with its line feed. */
export function combinedLine(random: () => number, i: number): string {
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)]!;
  const part = () => Math.floor(random() * 254) + 1;
  const second = Math.floor(i / 1000);
  const time = `21/Nov/2026:${two(Math.floor(second / 3600) % 24)}:${two(Math.floor(second / 60) % 60)}:${two(second % 60)} +0000`;
  const start = `10.${part()}.${part()}.${part()} - - [${time}] "${pick(METHODS)} /api/v1/items/${i}`;
  const end = ` HTTP/1.1" ${pick(STATUSES)} ${Math.floor(random() * 90_000) + 100} "-" "${AGENT}"\n`;
  const room = 224 - start.length - end.length - 3;
  return `${start}?q=${'abcdefghijklmnopqrstuvwxyz'.repeat(4).slice(0, Math.max(0, room))}${end}`;
}

/** One JSON line as a web service's logger writes it. */
export function jsonLine(random: () => number, i: number): string {
  return `${JSON.stringify({
    level: 30,
    time: 1_795_000_000_000 + i,
    pid: 17,
    hostname: 'shop-5d8f',
    req: { id: i, method: 'GET', url: `/api/v1/items/${i}`, remoteAddress: '10.1.2.3' },
    res: { statusCode: random() < 0.9 ? 200 : 404 },
    responseTime: Math.floor(random() * 1000) / 10,
    msg: 'request completed',
  })}\n`;
}

/** Writes `count` lines to a file and returns its size in bytes. */
export function writeLines(
  path: string,
  count: number,
  line: (random: () => number, i: number) => string,
  seed = 1,
): number {
  const random = seeded(seed);
  const fd = openSync(path, 'w');
  let size = 0;
  let text = '';
  for (let i = 0; i < count; i++) {
    text += line(random, i);
    if (text.length > 1 << 20 || i === count - 1) {
      size += writeSync(fd, text);
      text = '';
    }
  }
  closeSync(fd);
  return size;
}

function two(n: number): string {
  return String(n).padStart(2, '0');
}
