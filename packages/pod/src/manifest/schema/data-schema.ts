import {
  boolean,
  type Collect,
  checked,
  defaulted,
  map,
  optional,
  type Reader,
  required,
  text,
} from '@sidekit/core/schema';
import { objectMeta } from './meta-schema.ts';
import { dataKey } from './rules.ts';
import { anything, struct } from './support.ts';
import { textOfMap } from './values.ts';

/** The most that a ConfigMap or Secret may hold, in bytes (core validation, MaxSecretSize). */
const MAX_DATA = 1024 * 1024;

/** The keys that a Secret of the type must have (core validation, ValidateSecret). */
const TYPE_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
};

const head = {
  apiVersion: required(text()),
  kind: required(text()),
  status: optional(anything),
  metadata: required(objectMeta),
  immutable: optional(boolean),
};

/** Reads bytes in base64. The value may be secret: a message does not repeat it. */
const base64: Reader<Buffer> = (value, path, report) => {
  if (value === null) return Buffer.alloc(0);
  if (typeof value === 'string') {
    const compact = value.replace(/[\r\n]/g, '');
    const decoded = Buffer.from(compact, 'base64');
    if (decoded.toString('base64') === compact) return decoded;
  }
  report(path, {
    rule: 'is not base64',
    remedy: 'put plain text under stringData (of a ConfigMap: data)',
  });
  return undefined;
};

/** Reads text whose value may be secret: a message does not repeat it. */
const secretText: Reader<string> = (value, path, report) =>
  textOfMap()(value, path, (at, violation) => report(at, { ...violation, value: undefined }));

export const configMap = checked(
  struct({
    ...head,
    data: defaulted(map(textOfMap(), dataKey), {}),
    binaryData: defaulted(map(base64, dataKey), {}),
  }),
  ({ data, binaryData }, report) => {
    for (const key of Object.keys(binaryData)) {
      if (Object.hasOwn(data, key)) {
        report(['binaryData', key], { rule: 'is also a key of data' });
      }
    }
    sizeRule([data, binaryData], report);
  },
);

export const secret = checked(
  struct({
    ...head,
    data: defaulted(map(base64, dataKey), {}),
    stringData: defaulted(map(secretText, dataKey), {}),
    type: defaulted(text(), 'Opaque'),
  }),
  ({ data, stringData, type }, report) => {
    const keys = Object.keys({ ...data, ...stringData });
    const needed = Object.hasOwn(TYPE_KEYS, type) ? (TYPE_KEYS[type] ?? []) : [];
    for (const key of needed) {
      if (!keys.includes(key)) report(['data', key], { rule: `is missing in a Secret of ${type}` });
    }
    if (
      type === 'kubernetes.io/basic-auth' &&
      !keys.some((key) => /^(username|password)$/.test(key))
    ) {
      report(['data'], { rule: `must have username or password in a Secret of ${type}` });
    }
    for (const key of needed) {
      if (!key.startsWith('.docker')) continue;
      const file = stringData[key] ?? data[key]?.toString();
      if (file !== undefined && !isJson(file))
        report(['data', key], { rule: `must be JSON in a Secret of ${type}` });
    }
    sizeRule([data, stringData], report);
  },
);

function sizeRule(parts: readonly Readonly<Record<string, string | Buffer>>[], report: Collect) {
  const values = parts.flatMap((part) => Object.values(part));
  const size = values.reduce((sum, value) => sum + Buffer.byteLength(value), 0);
  if (size > MAX_DATA) report(['data'], { rule: `must hold at most 1 MiB, not ${size} bytes` });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
