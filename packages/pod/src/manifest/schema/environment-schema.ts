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
import { dataKey, dnsLabel, notEmpty, variableName } from './rules.ts';
import { choice, struct } from './support.ts';
import { given, quantity } from './values.ts';

const localReference = { name: required(text(notEmpty)), optional: defaulted(boolean, false) };

const keyReference = struct({ ...localReference, key: required(text(dataKey)) });

export const fieldRef = struct({
  fieldPath: required(text(fieldPathRule)),
  apiVersion: defaulted(choice(['v1']), 'v1'),
});

export const resourceFieldRef = struct({
  resource: required(choice(['limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory'])),
  containerName: optional(text(dnsLabel)),
  divisor: defaulted(quantity, '1'),
});

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
