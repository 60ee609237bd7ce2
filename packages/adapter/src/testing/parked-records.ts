import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ParkedHeader } from '../state/parking.ts';
import { recordOf } from './otlp-record.ts';

/** A parked record as a JSON line has it, and whether the receiver refused it on its own. */
export interface ParkedRecord {
  readonly record: Record<string, unknown>;
  readonly alone: boolean;
}

/** Returns the records of all parked batches. */
export function parkedRecords(directory: string): ParkedRecord[] {
  let names: string[];
  try {
    names = readdirSync(directory).filter((name) => name.endsWith('.batch'));
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    const [first = '', ...lines] = readFileSync(join(directory, name), 'utf8').trim().split('\n');
    const { encoding, records } = JSON.parse(first) as ParkedHeader;
    return lines.map((line) => ({
      record: encoding === 'otlp' ? recordOf(JSON.parse(line)) : JSON.parse(line),
      alone: records === 1,
    }));
  });
}
