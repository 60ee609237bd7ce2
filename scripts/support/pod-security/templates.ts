import type { Loose, PodTemplate } from './rules.ts';

/** The Pods that an object of Kubernetes makes: itself, its template's, or none. */
export function podTemplates(object: Loose): PodTemplate[] {
  switch (object?.kind) {
    case 'Pod':
      return [object];
    case 'Deployment':
    case 'StatefulSet':
    case 'DaemonSet':
    case 'ReplicaSet':
    case 'Job':
      return [object.spec.template];
    case 'CronJob':
      return [object.spec.jobTemplate.spec.template];
    case 'List':
      return object.items.flatMap(podTemplates);
    default:
      return [];
  }
}
