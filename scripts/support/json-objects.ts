import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/**
 * Reads the objects that `-o json -w` of `pod` and kubectl prints: one after another, each with its
 * braces at the margin.
 */
export function eachObject<T>(input: Readable, take: (object: T) => void): void {
  let lines: string[] = [];
  createInterface({ input }).on('line', (line) => {
    lines.push(line);
    if (line !== '}') return;
    const object: T = JSON.parse(lines.join('\n'));
    lines = [];
    take(object);
  });
}
