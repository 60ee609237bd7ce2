/** The objects of manifests, in the words of Kubernetes' API: every default set, every field checked. */

export type {
  ClaimObject,
  ControllerRef,
  DataObjects,
  Metadata,
  NamedData,
  PodObject,
  ServiceObject,
  Workload,
} from './objects.ts';
export type {
  ContainerPort,
  ContainerSpec,
  Resources,
  VolumeMount,
} from './schema/container-schema.ts';
export type {
  EnvironmentSource,
  EnvironmentVariable,
  FieldRef,
  ResourceFieldRef,
} from './schema/environment-schema.ts';
export type { PodSpec } from './schema/pod-schema.ts';
export type {
  ExecAction,
  GrpcAction,
  Hook,
  HttpGet,
  Probe,
  TcpSocketAction,
} from './schema/probe-schema.ts';
export type { PodSecurityContext, SecurityContext } from './schema/security-schema.ts';
export type { Projection, Volume } from './schema/volume-schema.ts';
