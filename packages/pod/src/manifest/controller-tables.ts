import { templateMeta } from './meta-table.ts';
import { podSpec } from './pod-table.ts';
import { checked, defaulted, map, optional, type Read, required, struct } from './reader.ts';
import { notEmpty } from './rules.ts';
import { boolean, choice, integer, only, text } from './scalars.ts';

/** The specs of what makes Pods of a template; a fault's path begins in the spec. */

const template = struct({
  metadata: defaulted(templateMeta, { labels: {}, annotations: {} } as never),
  spec: required(podSpec),
});

const selector = struct(
  { matchLabels: defaulted(map(text()), {}) },
  { refused: ['matchExpressions'] },
);

const always = { selector: required(selector), template: required(template) };
const replicas = defaulted(integer(0, 100), 1);
// No rollouts: nothing to keep a history of.
const revisionHistoryLimit = optional(integer(0));

export const deploymentSpec = checked(
  struct(
    {
      ...always,
      replicas,
      revisionHistoryLimit,
      strategy: optional(
        struct(
          { type: optional(choice(['Recreate'], ['RollingUpdate'])) },
          { refused: ['rollingUpdate'] },
        ),
      ),
      progressDeadlineSeconds: optional(integer(1)),
    },
    { refused: ['minReadySeconds', 'paused'] },
  ),
  (spec, fault) => templateRules(spec, fault, ['Always']),
);

export const replicaSetSpec = checked(
  struct({ ...always, replicas }, { refused: ['minReadySeconds'] }),
  (spec, fault) => templateRules(spec, fault, ['Always']),
);

export const daemonSetSpec = checked(
  struct({ ...always, revisionHistoryLimit }, { refused: ['minReadySeconds', 'updateStrategy'] }),
  (spec, fault) => templateRules(spec, fault, ['Always']),
);

export const statefulSetSpec = checked(
  struct(
    {
      ...always,
      replicas,
      revisionHistoryLimit,
      serviceName: optional(text()),
      podManagementPolicy: defaulted(choice(['OrderedReady', 'Parallel']), 'OrderedReady'),
    },
    {
      refused: [
        'volumeClaimTemplates',
        'updateStrategy',
        'minReadySeconds',
        'ordinals',
        'persistentVolumeClaimRetentionPolicy',
      ],
    },
  ),
  (spec, fault) => templateRules(spec, fault, ['Always']),
);

export const jobSpec = checked(
  struct(
    {
      template: required(template),
      completions: optional(integer(1, 100)),
      parallelism: optional(integer(1, 100)),
      completionMode: optional(only('NonIndexed')),
      backoffLimit: optional(integer(0)),
      activeDeadlineSeconds: optional(integer(1)),
      selector: optional(selector),
    },
    {
      refused: {
        ttlSecondsAfterFinished: 'an ended Pod is kept for its logs until pod down removes it',
        suspend: '',
        manualSelector: '',
        podFailurePolicy: '',
        podReplacementPolicy: '',
        successPolicy: '',
        backoffLimitPerIndex: '',
        maxFailedIndexes: '',
        managedBy: '',
      },
    },
  ),
  (spec, fault) => templateRules(spec, fault, ['Never', 'OnFailure']),
);

/** Its Job runs once, at once, as by `kubectl create job --from=cronjob/…`: no field of time applies. */
export const cronJobSpec = struct({
  schedule: required(text(notEmpty)),
  jobTemplate: required(struct({ metadata: optional(templateMeta), spec: required(jobSpec) })),
  timeZone: optional(text()),
  concurrencyPolicy: optional(choice(['Allow', 'Forbid', 'Replace'])),
  suspend: optional(boolean),
  startingDeadlineSeconds: optional(integer(0)),
  successfulJobsHistoryLimit: optional(integer(0)),
  failedJobsHistoryLimit: optional(integer(0)),
});

function templateRules(
  spec: {
    readonly template: Read<typeof template>;
    readonly selector?: { readonly matchLabels: Readonly<Record<string, string>> } | undefined;
  },
  fault: (at: readonly string[], message: string) => void,
  policies: readonly string[],
) {
  const { restartPolicy } = spec.template.spec;
  if (!policies.includes(restartPolicy)) {
    fault(
      ['template', 'spec', 'restartPolicy'],
      `${JSON.stringify(restartPolicy)} must be ${policies.join(' or ')} here`,
    );
  }
  for (const [key, value] of Object.entries(spec.selector?.matchLabels ?? {})) {
    if (spec.template.metadata.labels[key] === value) continue;
    fault(
      ['selector', 'matchLabels', key],
      `${JSON.stringify(value)} is not a label of the template`,
    );
  }
}

export type ControllerSpec = Pick<Read<typeof replicaSetSpec>, 'template'>;
export type StatefulSetSpec = Read<typeof statefulSetSpec>;
export type JobSpec = Read<typeof jobSpec>;
