/**
 * Kinds of Kubernetes' own API groups that only a cluster can honour. They cannot change what the
 * containers do here.
 */
const CLUSTER_KINDS: ReadonlySet<string> = new Set([
  'APIService',
  'CertificateSigningRequest',
  'ClusterRole',
  'ClusterRoleBinding',
  'ClusterTrustBundle',
  'ComponentStatus',
  'ControllerRevision',
  'CSIDriver',
  'CSINode',
  'CSIStorageCapacity',
  'CustomResourceDefinition',
  'DeviceClass',
  'EndpointSlice',
  'Endpoints',
  'FlowSchema',
  'HorizontalPodAutoscaler',
  'IPAddress',
  'Ingress',
  'IngressClass',
  'Lease',
  'LimitRange',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
  'MutatingWebhookConfiguration',
  'NetworkPolicy',
  'PersistentVolume',
  'PodDisruptionBudget',
  'PodSecurityPolicy',
  'PodTemplate',
  'PriorityClass',
  'PriorityLevelConfiguration',
  'ResourceQuota',
  'ResourceClaim',
  'ResourceClaimTemplate',
  'ResourceSlice',
  'Role',
  'RoleBinding',
  'RuntimeClass',
  'ServiceAccount',
  'ServiceCIDR',
  'StorageClass',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'ValidatingWebhookConfiguration',
  'VolumeAttachment',
  'VolumeAttributesClass',
]);

/** Kubernetes' own API groups below `k8s.io`: in any other group, a kind is a custom resource. */
const OWN_GROUPS: ReadonlySet<string> = new Set([
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'internal.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
  'storagemigration.k8s.io',
]);

/** Whether an object is of a cluster-only kind: one of Kubernetes' own, or a custom resource. */
export function isClusterKind(apiVersion: unknown, kind: string): boolean {
  if (CLUSTER_KINDS.has(kind)) return true;
  const group = typeof apiVersion === 'string' ? (/^([^/]+)\//.exec(apiVersion)?.[1] ?? '') : '';
  return group.includes('.') && !OWN_GROUPS.has(group);
}
