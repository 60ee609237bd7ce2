import { createHash } from 'node:crypto';

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/**
 * A Pod's name as a controller makes it, `web-x7k2b`; but the same manifest gives the same names,
 * so that applying it again finds its Pods.
 */
export function generatedName(owner: string, part: string): string {
  const digest = createHash('sha256').update(`${owner}/${part}`).digest();
  const suffix = Array.from(digest.subarray(0, 5), (byte) => ALPHABET[byte % ALPHABET.length]).join(
    '',
  );
  return `${owner}-${suffix}`;
}
