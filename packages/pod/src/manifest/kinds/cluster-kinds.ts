/**
 * Kinds of Kubernetes' own API groups that only a cluster can honour. They cannot change what the
 * containers do here.
 */
const CLUSTER_KINDS: ReadonlySet<string> = new Set([
  'APIService',
  'CertificateSigningRequest',
  'ClusterRole',
  'ClusterRoleBinding',
  'ComponentStatus',
  'ControllerRevision',
  'CSIDriver',
  'CSINode',
  'CustomResourceDefinition',
  'EndpointSlice',
  'Endpoints',
  'FlowSchema',
  'HorizontalPodAutoscaler',
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
  'Role',
  'RoleBinding',
  'RuntimeClass',
  'ServiceAccount',
  'StorageClass',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'ValidatingWebhookConfiguration',
  'VolumeAttachment',
]);

/**
 * Whether an object is of a cluster-only kind: one of Kubernetes' own, or a custom resource, whose
 * group is a domain outside of `k8s.io`.
 */
export function isClusterKind(apiVersion: unknown, kind: string): boolean {
  if (CLUSTER_KINDS.has(kind)) return true;
  const group = typeof apiVersion === 'string' ? (/^([^/]+)\//.exec(apiVersion)?.[1] ?? '') : '';
  return group.includes('.') && !group.endsWith('.k8s.io');
}
