import { optional, type Read, type Reader, required, text } from '@sidekit/core/schema';
import { claim } from './claim-schema.ts';
import {
  cronJobSpec,
  daemonSetSpec,
  deploymentSpec,
  jobSpec,
  replicaSetSpec,
  replicationControllerSpec,
  statefulSetSpec,
} from './controller-schema.ts';
import { configMap, secret } from './data-schema.ts';
import { objectMeta } from './meta-schema.ts';
import { podSpec } from './pod-schema.ts';
import { dnsLabel } from './rules.ts';
import { service } from './service-schema.ts';
import { anything, struct } from './support.ts';

const object = <T>(spec: Reader<T>) =>
  struct({
    apiVersion: required(text()),
    kind: required(text()),
    status: optional(anything),
    metadata: required(objectMeta),
    spec: required(spec),
  });

const namespace = struct({
  apiVersion: required(text()),
  kind: required(text()),
  status: optional(anything),
  metadata: required(
    struct({
      name: required(text(dnsLabel)),
      labels: optional(anything),
      annotations: optional(anything),
      creationTimestamp: optional(anything),
    }),
  ),
  spec: optional(anything),
});

/** The kinds that are honoured: their API version and how they are read. */
export const KINDS = {
  Pod: { apiVersion: 'v1', read: object(podSpec) },
  Deployment: { apiVersion: 'apps/v1', read: object(deploymentSpec) },
  ReplicaSet: { apiVersion: 'apps/v1', read: object(replicaSetSpec) },
  ReplicationController: { apiVersion: 'v1', read: object(replicationControllerSpec) },
  DaemonSet: { apiVersion: 'apps/v1', read: object(daemonSetSpec) },
  StatefulSet: { apiVersion: 'apps/v1', read: object(statefulSetSpec) },
  Job: { apiVersion: 'batch/v1', read: object(jobSpec) },
  CronJob: { apiVersion: 'batch/v1', read: object(cronJobSpec) },
  ConfigMap: { apiVersion: 'v1', read: configMap },
  Secret: { apiVersion: 'v1', read: secret },
  Service: { apiVersion: 'v1', read: service },
  PersistentVolumeClaim: { apiVersion: 'v1', read: claim },
  Namespace: { apiVersion: 'v1', read: namespace },
} as const;

export type Kind = keyof typeof KINDS;
export type ManifestOf<K extends Kind> = Read<(typeof KINDS)[K]['read']>;
export type ConfigMapManifest = ManifestOf<'ConfigMap'>;
export type SecretManifest = ManifestOf<'Secret'>;
export type ServiceManifest = ManifestOf<'Service'>;
export type ClaimManifest = ManifestOf<'PersistentVolumeClaim'>;
