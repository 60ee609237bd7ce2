import {
  boolean,
  type Collect,
  checked,
  defaulted,
  list,
  map,
  optional,
  type Read,
  required,
  text,
} from '@sidekit/core/schema';
import { claimTemplate } from './claim-schema.ts';
import { templateMeta } from './meta-schema.ts';
import { podSpec } from './pod-schema.ts';
import { rolloutNumber, strategy } from './rollout-schema.ts';
import { schedule, timeZone } from './schedule.ts';
import { matches, selector } from './selector-schema.ts';
import { choice, noted, struct } from './support.ts';
import { int32, textOfMap } from './values.ts';

/** The specs of controllers, which make Pods from a template; a fault's path begins in the spec. */

const template = struct({
  metadata: defaulted(templateMeta, {
    name: undefined,
    generateName: undefined,
    namespace: undefined,
    labels: {},
    annotations: {},
  } as Read<typeof templateMeta>),
  spec: required(podSpec),
});

const always = { selector: required(selector), template: required(template) };
const replicas = defaulted(int32(0, 100), 1);

export const deploymentSpec = checked(
  struct(
    {
      ...always,
      replicas,
      strategy: optional(strategy),
      minReadySeconds: rolloutNumber,
      revisionHistoryLimit: rolloutNumber,
      progressDeadlineSeconds: rolloutNumber,
    },
    { unsupported: ['paused'] },
  ),
  (spec, report) => {
    templateRules(spec, report, ['Always']);
    const { minReadySeconds = 0, progressDeadlineSeconds = 600 } = spec;
    if (progressDeadlineSeconds <= minReadySeconds)
      report(['progressDeadlineSeconds'], { rule: 'must be greater than minReadySeconds' });
  },
);

export const replicaSetSpec = checked(
  struct({ ...always, replicas, minReadySeconds: rolloutNumber }),
  (spec, report) => templateRules(spec, report, ['Always']),
);

/** Its selector is of equalities alone, and by default the labels of the template. */
export const replicationControllerSpec = checked(
  struct({
    replicas,
    selector: optional(map(textOfMap())),
    template: required(template),
    minReadySeconds: rolloutNumber,
  }),
  ({ selector: given, template, ...spec }, report) =>
    templateRules(
      {
        ...spec,
        template,
        selector: { matchLabels: given ?? template.metadata.labels, matchExpressions: [] },
      },
      (at, violation) =>
        report(at[1] === 'matchLabels' ? ['selector', ...at.slice(2)] : at, violation),
      ['Always'],
    ),
);

export const daemonSetSpec = checked(
  struct(
    { ...always, minReadySeconds: rolloutNumber, revisionHistoryLimit: rolloutNumber },
    { cluster: ['updateStrategy'] },
  ),
  (spec, report) => templateRules(spec, report, ['Always']),
);

export const statefulSetSpec = checked(
  struct(
    {
      ...always,
      replicas,
      serviceName: optional(text()),
      podManagementPolicy: defaulted(choice(['OrderedReady', 'Parallel']), 'OrderedReady'),
      ordinals: defaulted(struct({ start: defaulted(int32(0), 0) }), { start: 0 }),
      volumeClaimTemplates: defaulted(list(claimTemplate), []),
      minReadySeconds: rolloutNumber,
      revisionHistoryLimit: rolloutNumber,
    },
    {
      cluster: {
        updateStrategy: '',
        persistentVolumeClaimRetentionPolicy: 'folders are kept until pod down --volumes',
      },
    },
  ),
  (spec, report) => templateRules(spec, report, ['Always']),
);

export const jobSpec = checked(
  struct(
    {
      template: required(template),
      completions: optional(int32(1, 100)),
      parallelism: optional(int32(1, 100)),
      completionMode: optional(choice(['NonIndexed'], ['Indexed'])),
      backoffLimit: optional(int32(0)),
      activeDeadlineSeconds: optional(int32(0)),
      selector: optional(selector),
      manualSelector: optional(boolean),
      ttlSecondsAfterFinished: optional(
        noted(int32(0), 'an ended Pod is kept for its logs until pod down removes it'),
      ),
    },
    {
      cluster: ['podReplacementPolicy'],
      unsupported: [
        'suspend',
        'podFailurePolicy',
        'successPolicy',
        'backoffLimitPerIndex',
        'maxFailedIndexes',
        'managedBy',
      ],
    },
  ),
  (spec, report) => {
    templateRules(spec, report, ['Never', 'OnFailure']);
    if (spec.manualSelector && !spec.selector) report(['selector'], { rule: 'is missing' });
  },
);

/** Its Job runs once, at once, as by `kubectl create job --from=cronjob/…`: no field of time applies. */
export const cronJobSpec = struct({
  schedule: required(text(schedule)),
  jobTemplate: required(struct({ metadata: optional(templateMeta), spec: required(jobSpec) })),
  timeZone: optional(text(timeZone)),
  concurrencyPolicy: optional(choice(['Allow', 'Forbid', 'Replace'])),
  suspend: optional(boolean),
  startingDeadlineSeconds: optional(int32(0)),
  successfulJobsHistoryLimit: optional(int32(0)),
  failedJobsHistoryLimit: optional(int32(0)),
});

function templateRules(
  spec: {
    readonly template: Read<typeof template>;
    readonly selector?: unknown;
  },
  report: Collect,
  policies: readonly string[],
) {
  const { restartPolicy } = spec.template.spec;
  if (!policies.includes(restartPolicy)) {
    report(['template', 'spec', 'restartPolicy'], {
      value: restartPolicy,
      rule: `must be ${policies.join(' or ')} here`,
    });
  }
  if (spec.selector === undefined) return;
  const { matchLabels, matchExpressions } = spec.selector as Read<typeof selector>;
  const { labels } = spec.template.metadata;
  // An API server adds the Job's uid to its selector.
  const generated = policies.includes('Never');
  if (!generated && Object.keys(matchLabels).length + matchExpressions.length === 0) {
    report(['selector'], { rule: 'must not be empty' });
  }
  for (const [key, value] of Object.entries(matchLabels)) {
    if (labels[key] === value) continue;
    report(['selector', 'matchLabels', key], { value, rule: 'is not a label of the template' });
  }
  if (!matches({ matchLabels: {}, matchExpressions }, labels)) {
    report(['selector', 'matchExpressions'], { rule: 'must match the labels of the template' });
  }
}

export type ControllerSpec = Pick<Read<typeof replicaSetSpec>, 'template'>;
export type StatefulSetSpec = Read<typeof statefulSetSpec>;
export type JobSpec = Read<typeof jobSpec>;
