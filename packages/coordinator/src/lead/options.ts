import {
  boolean,
  duration,
  type Fault,
  formatDuration,
  object,
  option,
  SERVICE_ACCOUNT,
  type TypeOf,
  text,
} from '@sidekit/core';
import { absolutePath, name } from '../plan/names.ts';

/** How much later than its period an attempt may come: client-go's jitter factor. */
const JITTER = 1.2;
const DAY = 86_400_000;

const leaseName = text('name', {
  matches: /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?){0,60}$/,
  rule: 'must be the name of an object: DNS labels with dots between them',
  remedy: 'write a name such as web-leader',
});

/** The election of one leader among the replicas of a workload. */
export const leadership = object({
  lease: option(leaseName, {
    description: 'The name of the Lease, which must exist.',
    required: true,
  }),
  namespace: option(name, { description: 'Its namespace; that of the Pod by default.' }),
  duration: option(duration(1000, DAY), {
    description: 'How long other replicas wait after the last renewal; more than `renewDeadline`.',
    default: 15_000,
  }),
  renewDeadline: option(duration(1, DAY), {
    description:
      'How long this replica leads after its last renewal; more than 1.2 times `retryPeriod`.',
    default: 10_000,
  }),
  retryPeriod: option(duration(1, DAY), {
    description: 'The pause between two renewals, and at least that between two attempts.',
    default: 2000,
  }),
  tokenFile: option(absolutePath, {
    description:
      'A file that exists while this replica leads, with a number that is greater for each term: for fencing.',
  }),
  ready: option(boolean, {
    description: 'Whether `/readyz` fails while this replica does not lead.',
    default: false,
  }),
  serviceAccount: option(absolutePath, {
    description: 'The directory with `token`, `ca.crt` and `namespace`.',
    default: SERVICE_ACCOUNT,
  }),
});

export type LeadershipOptions = TypeOf<typeof leadership>;

/** Checks that there is an API server, and that a term ends before another replica can begin one. */
export function checkLeadership(
  { lease, duration: lasts, renewDeadline, retryPeriod }: LeadershipOptions,
  server: string | undefined,
  report: (fault: Fault) => void,
): void {
  if (server === undefined) {
    report({
      name: 'leadership.lease',
      value: lease,
      rule: 'needs KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT',
      remedy: 'run it in a cluster',
    });
  }
  if (lasts <= renewDeadline) {
    report({
      name: 'leadership.duration',
      value: formatDuration(lasts),
      rule: `must be longer than renewDeadline, ${formatDuration(renewDeadline)}`,
      remedy: 'write half as much again, such as 15s for 10s',
    });
  }
  if (renewDeadline <= JITTER * retryPeriod) {
    report({
      name: 'leadership.renewDeadline',
      value: formatDuration(renewDeadline),
      rule: `must be longer than 1.2 times retryPeriod, ${formatDuration(retryPeriod)}`,
      remedy: 'leave time for several retries, such as 10s for 2s',
    });
  }
}
