/** The rules of names and paths, as apimachinery's validation has them. */
import { Broken } from '@sidekit/core/schema';

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** RFC 1123 label: the name of a container, a volume, a Service. */
export function dnsLabel(value: string): Broken | undefined {
  return value.length <= 63 && LABEL.test(value)
    ? undefined
    : new Broken('must be a DNS label: lower-case letters, digits and "-", at most 63');
}

/** RFC 1123 subdomain: the name of a Pod, a ConfigMap, a Secret. */
export function dnsSubdomain(value: string): Broken | undefined {
  return value.length <= 253 && SUBDOMAIN.test(value)
    ? undefined
    : new Broken('must be a DNS name: lower-case letters, digits, "-" and ".", at most 253');
}

/** The beginning of a generated name, which the API server completes with five characters. */
export function generateName(value: string): Broken | undefined {
  return dnsSubdomain(`${value.slice(0, 248)}x`);
}

/** A qualified name, the key of a label: `app.kubernetes.io/name`. */
export function qualifiedName(value: string): Broken | undefined {
  const slash = value.indexOf('/');
  const [prefix, name] =
    slash === -1 ? [undefined, value] : [value.slice(0, slash), value.slice(slash + 1)];
  const good =
    name.length <= 63 &&
    QUALIFIED.test(name) &&
    (prefix === undefined || (prefix.length <= 253 && SUBDOMAIN.test(prefix)));
  return good
    ? undefined
    : new Broken(
        'must be a qualified name: letters, digits, "-", "_" and ".", at most 63, after an optional DNS name and "/"',
      );
}

/** The key of an annotation: a qualified name in any case. */
export function annotationKey(value: string): Broken | undefined {
  return qualifiedName(value.toLowerCase());
}

/** The value of a label. */
export function labelValue(value: string): Broken | undefined {
  return value === '' || (value.length <= 63 && QUALIFIED.test(value))
    ? undefined
    : new Broken(
        'must be a label value: letters, digits, "-", "_" and ".", at most 63, an alphanumeric at either end',
      );
}

/** An IANA service name: the name of a port. */
export function portName(value: string): Broken | undefined {
  const good =
    value.length <= 15 &&
    /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(value) &&
    /[a-z]/.test(value) &&
    !value.includes('--');
  return good
    ? undefined
    : new Broken(
        'must be a port name: at most 15 lower-case letters, digits and single "-", with a letter',
      );
}

/** Since Kubernetes 1.32 a variable may have any printable ASCII but "=". */
export function variableName(value: string): Broken | undefined {
  return /^[ -<>-~]+$/.test(value) ? undefined : new Broken('must be printable ASCII without "="');
}

/** A key of a ConfigMap or Secret, which becomes a file name. */
export function dataKey(value: string): Broken | undefined {
  return /^[-._a-zA-Z0-9]{1,253}$/.test(value) && value !== '.' && !value.startsWith('..')
    ? undefined
    : new Broken('must be a key: letters, digits, "-", "_" and ".", not beginning with ".."');
}

/** A path inside a volume: not absolute, and nowhere "..". */
export function relativePath(value: string): Broken | undefined {
  if (value === '') return new Broken('must not be empty');
  if (value.startsWith('/')) return new Broken('must be a relative path');
  return noBacksteps(value);
}

/** A file that is made in a volume: a relative path that does not begin with "..". */
export function filePath(value: string): Broken | undefined {
  return (
    relativePath(value) ??
    (value.startsWith('..') ? new Broken('must not begin with ".."') : undefined)
  );
}

function absolutePath(value: string): Broken | undefined {
  return value.startsWith('/') ? undefined : new Broken('must be an absolute path');
}

/** A path of the host: nowhere "..". */
export function hostPath(value: string): Broken | undefined {
  return absolutePath(value) ?? noBacksteps(value);
}

export function notEmpty(value: string): Broken | undefined {
  return value.trim() === '' ? new Broken('must not be empty') : undefined;
}

/** The name of an HTTP header (a token of RFC 9110 §5.6.2), as probes take it. */
export function headerName(value: string): Broken | undefined {
  return /^[-A-Za-z0-9]+$/.test(value)
    ? undefined
    : new Broken('must be a header name: letters, digits and "-"');
}

function noBacksteps(value: string): Broken | undefined {
  return value.split('/').includes('..') ? new Broken('must not contain ".."') : undefined;
}
