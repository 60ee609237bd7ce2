import { type Collect, nearest, type Violation } from '@sidekit/core/schema';
import type { ClaimObject, NamedData, PlacedPod, PlacedService } from '../objects.ts';

/** Everything that may be referred to. */
export interface References {
  readonly pods: readonly PlacedPod[];
  readonly services: readonly PlacedService[];
  readonly configMaps: readonly NamedData[];
  readonly secrets: readonly NamedData[];
  readonly claims: readonly ClaimObject[];
  /** Objects that were named but faulty, as Kind/namespace/name. */
  readonly faulty: ReadonlySet<string>;
}

/** Reports a fault by its path in the Pod's spec. */
export type Fault = Collect;

/** A reference to a name that is not among the known ones, with the nearest of them. */
export function unknownName(name: string, rule: string, known: readonly string[]): Violation {
  return { value: name, rule, remedy: nearest(name, known) };
}

/** A reference to a claim of another file: its folder is kept under the same name. */
export function missingClaim(name: string, known: readonly string[]): Violation {
  const rule = 'is not a PersistentVolumeClaim of these manifests';
  const hint = nearest(name, known);
  return hint?.startsWith('did')
    ? { value: name, rule, remedy: hint }
    : { category: 'cluster', value: name, rule: `${rule}: a folder of this name is used` };
}

/** A reference to an object of another file: a container that waits for it never starts here. */
export function missingObject(kind: string, name: string, known: readonly string[]): Violation {
  const hint = nearest(name, known);
  return {
    category: 'unsupported',
    value: name,
    rule: `is not a ${kind} of these manifests`,
    remedy: hint?.startsWith('did') ? hint : `give the file that defines it too`,
  };
}
