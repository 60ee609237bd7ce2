import { randomFillSync } from 'node:crypto';
import { openSync, readSync } from 'node:fs';

/** Random bytes, filled by one system call at a time. */
const pool = Buffer.allocUnsafe(4096);
let used = pool.length;
let source: number | undefined;

const DIGITS: Readonly<Record<string, Buffer>> = {
  x: Buffer.from('0123456789abcdef', 'latin1'),
  y: Buffer.from('89ab89ab89ab89ab', 'latin1'),
};

/**
 * Creates texts by a template, in which each `x` becomes a random hexadecimal digit and each `y` one
 * of 8, 9, a and b. Each text is written into a buffer first and becomes one string, so no pieces
 * are left for the garbage collector.
 */
export function randomText(form: string): () => string {
  const text = Buffer.from(form, 'latin1');
  const places = [...form].flatMap((letter, place) => (letter in DIGITS ? [place] : []));
  const digits = places.map((place) => DIGITS[form[place]!]!);
  const needed = Math.ceil(places.length / 2);
  return () => {
    if (used + needed > pool.length) {
      refill();
      used = 0;
    }
    for (let i = 0; i < places.length; i++) {
      // Each byte gives two digits.
      const nibble = i & 1 ? pool[used++]! & 15 : pool[used]! >> 4;
      text[places[i]!] = digits[i]![nibble]!;
    }
    if (places.length & 1) used++;
    return text.toString('latin1');
  };
}

/** Reads from the kernel (random(4)): OpenSSL's generator is 4 MiB that plain HTTP does not need. */
function refill(): void {
  try {
    source ??= openSync('/dev/urandom', 'r');
    if (readSync(source, pool) === pool.length) return;
  } catch {
    // No descriptor is left, or there is no /dev.
  }
  randomFillSync(pool);
}
