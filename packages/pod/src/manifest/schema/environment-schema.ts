import {
  Broken,
  boolean,
  checked,
  defaulted,
  optional,
  type Read,
  required,
  text,
} from '@sidekit/core/schema';
import { parseQuantity } from './quantity.ts';
import { dataKey, dnsLabel, notEmpty, variableName } from './rules.ts';
import { choice, struct } from './support.ts';
import { given, quantity } from './values.ts';

const localReference = { name: required(text(notEmpty)), optional: defaulted(boolean, false) };

const keyReference = struct({ ...localReference, key: required(text(dataKey)) });

export const fieldRef = struct({
  fieldPath: required(text(fieldPathRule)),
  apiVersion: defaulted(choice(['v1']), 'v1'),
});

/** The divisors that the API server takes; 0 is none (core validation, divisors of resources). */
const CPU_DIVISORS = ['0', '1m', '1'].map(parseQuantity);
const DIVISORS = [
  '0',
  '1',
  '1k',
  '1Ki',
  ...[...'MGTPE'].flatMap((one) => [`1${one}`, `1${one}i`]),
].map(parseQuantity);

export const resourceFieldRef = checked(
  struct({
    resource: required(
      choice([
        'limits.cpu',
        'limits.memory',
        'limits.ephemeral-storage',
        'requests.cpu',
        'requests.memory',
        'requests.ephemeral-storage',
      ]),
    ),
    containerName: optional(text(dnsLabel)),
    divisor: defaulted(quantity, '1'),
  }),
  ({ resource, divisor }, report) => {
    const cpu = resource.endsWith('.cpu');
    if ((cpu ? CPU_DIVISORS : DIVISORS).includes(parseQuantity(divisor))) return;
    const rule = cpu ? 'must be 1 or 1m' : 'must be 1 with a suffix or none, such as 1Mi';
    report(['divisor'], { value: divisor, rule });
  },
);

function fieldPathRule(value: string): Broken | undefined {
  const known =
    /^(metadata\.(name|namespace|uid)|metadata\.(labels|annotations)(\['[^']+'\])?|spec\.(nodeName|serviceAccountName)|status\.(hostIP|hostIPs|podIP|podIPs))$/;
  return known.test(value) ? undefined : new Broken('is not a field that the downward API gives');
}

export const environmentVariable = checked(
  struct({
    name: required(text(variableName)),
    value: optional(text()),
    valueFrom: optional(
      struct(
        {
          configMapKeyRef: optional(keyReference),
          secretKeyRef: optional(keyReference),
          fieldRef: optional(fieldRef),
          resourceFieldRef: optional(resourceFieldRef),
        },
        { unsupported: ['fileKeyRef'] },
      ),
    ),
  }),
  ({ value, valueFrom }, report) => {
    if (!valueFrom) return;
    const count = given(valueFrom).length;
    if (count !== 1) report(['valueFrom'], { rule: `needs exactly one source, not ${count}` });
    if (value) report(['valueFrom'], { rule: 'may not be given together with a value' });
  },
);

export const environmentSource = checked(
  struct({
    prefix: optional(text((value) => (value === '' ? undefined : variableName(value)))),
    configMapRef: optional(struct(localReference)),
    secretRef: optional(struct(localReference)),
  }),
  ({ configMapRef, secretRef }, report) => {
    if (!configMapRef === !secretRef) {
      report([], { rule: 'needs exactly one of configMapRef and secretRef' });
    }
  },
);

export type FieldRef = Read<typeof fieldRef>;

export type ResourceFieldRef = Read<typeof resourceFieldRef>;

export type EnvironmentVariable = Read<typeof environmentVariable>;

export type EnvironmentSource = Read<typeof environmentSource>;
