import type { ProxyEnvironment } from './proxy.ts';

/** The directory where Kubernetes mounts the credentials of a Pod: `token`, `ca.crt`, `namespace`. */
export const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Returns the `https` URL of the API server that every container is given; undefined elsewhere. */
export function kubernetesServer(environment: ProxyEnvironment = process.env): string | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  if (!host || !port) return undefined;
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
