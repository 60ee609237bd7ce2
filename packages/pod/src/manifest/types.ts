/** What manifests ask for, in the words of Kubernetes' API: every default set, every field checked. */
export type {
  ContainerPort,
  ContainerSpec,
  EnvironmentSource,
  EnvironmentVariable,
  ExecAction,
  FieldRef,
  Hook,
  HttpGet,
  Probe,
  ResourceFieldRef,
  Resources,
  SecurityContext,
  TcpSocketAction,
  VolumeMount,
} from './container-table.ts';
export type {
  DataObjects,
  Metadata,
  NamedData,
  PodObject,
  ServiceObject,
  Workload,
} from './objects.ts';
export type { PodSecurityContext, PodSpec, Projection, Volume } from './pod-table.ts';
