/** `node scripts/bootstrap.mjs check-words [PATH…]`: the word check alone, below some paths. */
import { wordFaults } from './checks/words.ts';

export function main(paths: readonly string[]): number {
  const faults = wordFaults('.', paths);
  for (const fault of faults) console.log(fault);
  console.log(faults.length === 0 ? 'no refused words' : `${faults.length} refused words`);
  return faults.length === 0 ? 0 : 1;
}
