import type { PodSpec } from '../schema/pod-schema.ts';

/** Makes every reference to a ConfigMap or Secret optional, for Pods that run without them. */
export function withOptionalReferences(spec: PodSpec): PodSpec {
  return mark(spec, ['volumes', 'containers', 'initContainers']) as PodSpec;
}

const REFERENCES = /^(configMap|secret|configMapRef|secretRef|configMapKeyRef|secretKeyRef)$/;

function mark(value: unknown, only?: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => mark(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => {
      if (only && !only.includes(key)) return [key, one];
      const marked = mark(one);
      const reference = REFERENCES.test(key) && typeof one === 'object' && one !== null;
      return [key, reference ? { ...(marked as object), optional: true } : marked];
    }),
  );
}
