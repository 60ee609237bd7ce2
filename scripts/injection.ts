/** `npm run injection`: makes the policies of manifests/injection from the components. */
import { writeFileSync } from 'node:fs';
import { injectionPolicy } from './support/injection/policy.ts';
import { SIDECARS } from './support/injection/sidecars.ts';

export function main(): number {
  for (const sidecar of SIDECARS)
    writeFileSync(`manifests/injection/${sidecar.name}.yaml`, injectionPolicy(sidecar));
  return 0;
}
