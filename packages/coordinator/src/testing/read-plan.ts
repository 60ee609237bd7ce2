import { resolve } from 'node:path';
import { type Fault, faultText } from '@sidekit/core';
import { pathText } from '@sidekit/core/schema';
import { type Sequence, sequences } from '../plan/sequence.ts';

/** Reads the sequences of a plan, with all faults as text. */
export function readSequences(value: unknown): { plan: readonly Sequence[]; faults: string[] } {
  const faults: Fault[] = [];
  const plan = sequences.read(value, ['sequences'], (path, violation) =>
    faults.push({ name: pathText(path), ...violation }),
  );
  return { plan: plan ?? [], faults: faults.map(faultText) };
}

/** The program, as tests start it. */
export const MAIN = resolve(import.meta.dirname, '../main.ts');
