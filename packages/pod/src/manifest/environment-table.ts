import { checked, defaulted, optional, type Read, required, struct } from './reader.ts';
import { dataKey, dnsLabel, notEmpty, variableName } from './rules.ts';
import { boolean, choice, only, text } from './scalars.ts';
import { quantity } from './value-readers.ts';

const localReference = { name: required(text(notEmpty)), optional: defaulted(boolean, false) };

const keyReference = struct({ ...localReference, key: required(text(dataKey)) });

export const fieldRef = struct({
  fieldPath: required(text(fieldPathRule)),
  apiVersion: defaulted(only('v1'), 'v1'),
});

export const resourceFieldRef = struct({
  resource: required(
    choice(
      ['limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory'],
      ['limits.ephemeral-storage', 'requests.ephemeral-storage'],
    ),
  ),
  containerName: optional(text(dnsLabel)),
  divisor: defaulted(quantity, '1'),
});

function fieldPathRule(value: string): string | undefined {
  const known =
    /^(metadata\.(name|namespace|uid)|metadata\.(labels|annotations)(\['[^']+'\])?|spec\.(nodeName|serviceAccountName)|status\.(hostIP|hostIPs|podIP|podIPs))$/;
  return known.test(value) ? undefined : 'is not a field that the downward API gives';
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
        { refused: ['fileKeyRef'] },
      ),
    ),
  }),
  ({ value, valueFrom }, fault) => {
    if (!valueFrom) return;
    const given = Object.values(valueFrom).filter((source) => source !== undefined).length;
    if (given !== 1) fault(['valueFrom'], `needs exactly one source, not ${given}`);
    if (value) fault(['valueFrom'], 'may not be given beside a value');
  },
);

export const environmentSource = checked(
  struct({
    prefix: optional(text()),
    configMapRef: optional(struct(localReference)),
    secretRef: optional(struct(localReference)),
  }),
  ({ configMapRef, secretRef }, fault) => {
    if (!configMapRef === !secretRef) fault([], 'needs exactly one of configMapRef and secretRef');
  },
);

export type FieldRef = Read<typeof fieldRef>;

export type ResourceFieldRef = Read<typeof resourceFieldRef>;

export type EnvironmentVariable = Read<typeof environmentVariable>;

export type EnvironmentSource = Read<typeof environmentSource>;
