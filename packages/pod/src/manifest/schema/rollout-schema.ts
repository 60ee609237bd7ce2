import { checked, optional, type Reader } from '@sidekit/core/schema';
import { choice, noted, struct } from './support.ts';
import { int32 } from './values.ts';

/** How a controller rolls out: without a cluster of no effect, but read by the API's rules. */

/** A time in seconds or a number of revisions, 0 or more. */
export const rolloutNumber = optional(noted(int32(0)));

/** A number of Pods, or a share of them such as 25%. */
const share: Reader<string | number> = (value, path, report) => {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  if (typeof value === 'string' && /^[0-9]+%$/.test(value)) return value;
  report(path, { value, rule: 'must be a whole number or a percentage such as "25%"' });
  return undefined;
};

/** Reads the `strategy` of a Deployment (apps validation, ValidateDeploymentStrategy). */
export const strategy = noted(
  checked(
    struct({
      type: optional(choice(['RollingUpdate', 'Recreate'])),
      rollingUpdate: optional(
        struct({ maxSurge: optional(share), maxUnavailable: optional(share) }),
      ),
    }),
    ({ type, rollingUpdate }, report) => {
      if (rollingUpdate === undefined) return;
      if (type === 'Recreate')
        report(['rollingUpdate'], { rule: 'must not be set with type: Recreate' });
      if (isNone(rollingUpdate.maxSurge) && isNone(rollingUpdate.maxUnavailable))
        report(['rollingUpdate', 'maxUnavailable'], { rule: 'must not be 0 if maxSurge is 0' });
    },
  ),
);

function isNone(value: string | number | undefined): boolean {
  return value === 0 || value === '0%';
}
