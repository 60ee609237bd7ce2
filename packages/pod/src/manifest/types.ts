/** What manifests ask for, in the words of Kubernetes' API: every default set, every field checked. */
export type { ContainerPort, ContainerSpec, Resources, VolumeMount } from './container-table.ts';
export type {
  EnvironmentSource,
  EnvironmentVariable,
  FieldRef,
  ResourceFieldRef,
} from './environment-table.ts';
export type {
  DataObjects,
  Metadata,
  NamedData,
  PodObject,
  ServiceObject,
  Workload,
} from './objects.ts';
export type { PodSpec } from './pod-table.ts';
export type { ExecAction, Hook, HttpGet, Probe, TcpSocketAction } from './probe-table.ts';
export type { PodSecurityContext, SecurityContext } from './security-table.ts';
export type { Projection, Volume } from './volume-table.ts';
