import { nearest } from '@sidekit/core/tool';
import type { NamedData, PlacedPod, PlacedService } from './objects.ts';
import type { Path } from './reader.ts';

/** Everything that may be referred to. */
export interface References {
  readonly pods: readonly PlacedPod[];
  readonly services: readonly PlacedService[];
  readonly configMaps: readonly NamedData[];
  readonly secrets: readonly NamedData[];
  /** Objects that were named but faulty, as Kind/namespace/name. */
  readonly faulty: ReadonlySet<string>;
}

/** Reports a fault by its path in the Pod's spec. */
export type Fault = (path: Path, message: string) => void;

/** The end of a sentence about an unknown name: the nearest that is known. */
export function hint(name: string, known: readonly string[]): string {
  const text = nearest(name, known);
  return text ? `: ${text}` : '';
}
