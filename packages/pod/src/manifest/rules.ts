/** The rules of names and paths, as apimachinery's validation has them. */

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** RFC 1123 label: the name of a container, a volume, a Service. */
export function dnsLabel(value: string): string | undefined {
  return value.length <= 63 && LABEL.test(value)
    ? undefined
    : 'must be a DNS label: lower-case letters, digits and "-", at most 63';
}

/** RFC 1123 subdomain: the name of a Pod, a ConfigMap, a Secret. */
export function dnsSubdomain(value: string): string | undefined {
  return value.length <= 253 && SUBDOMAIN.test(value)
    ? undefined
    : 'must be a DNS name: lower-case letters, digits, "-" and ".", at most 253';
}

/** An IANA service name: the name of a port. */
export function portName(value: string): string | undefined {
  const good =
    value.length <= 15 &&
    /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(value) &&
    /[a-z]/.test(value) &&
    !value.includes('--');
  return good
    ? undefined
    : 'must be a port name: at most 15 lower-case letters, digits and single "-", with a letter';
}

/** Since Kubernetes 1.32 a variable may have any printable ASCII but "=". */
export function variableName(value: string): string | undefined {
  return /^[ -<>-~]+$/.test(value) ? undefined : 'must be printable ASCII without "="';
}

/** A key of a ConfigMap or Secret, which becomes a file name. */
export function dataKey(value: string): string | undefined {
  return /^[-._a-zA-Z0-9]{1,253}$/.test(value) && value !== '.' && !value.startsWith('..')
    ? undefined
    : 'must be a key: letters, digits, "-", "_" and "."';
}

/** A path inside a volume: not absolute, and nowhere "..". */
export function relativePath(value: string): string | undefined {
  if (value === '') return 'must not be empty';
  if (value.startsWith('/')) return 'must be a relative path';
  return value.split('/').includes('..') ? 'must not contain ".."' : undefined;
}

export function absolutePath(value: string): string | undefined {
  return value.startsWith('/') ? undefined : 'must be an absolute path';
}

export function mountPath(value: string): string | undefined {
  if (value === '') return 'must not be empty';
  return value.includes(':') ? 'must not contain ":"' : undefined;
}

export function notEmpty(value: string): string | undefined {
  return value.trim() === '' ? 'must not be empty' : undefined;
}
