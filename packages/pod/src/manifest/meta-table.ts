import { defaulted, map, optional, type Read, required, struct } from './reader.ts';
import { dnsLabel, dnsSubdomain } from './rules.ts';
import { anything, text } from './scalars.ts';

const systemFields = {
  creationTimestamp: optional(anything),
  uid: optional(text()),
  resourceVersion: optional(anything),
  generation: optional(anything),
  managedFields: optional(anything),
  selfLink: optional(anything),
};

export const objectMeta = struct(
  {
    name: required(text(dnsSubdomain)),
    namespace: defaulted(text(dnsLabel), 'default'),
    labels: defaulted(map(text()), {}),
    annotations: defaulted(map(text()), {}),
    ...systemFields,
  },
  {
    refused: [
      'generateName',
      'finalizers',
      'ownerReferences',
      'deletionTimestamp',
      'deletionGracePeriodSeconds',
    ],
  },
);

export const templateMeta = struct(
  {
    name: optional(text(dnsSubdomain)),
    namespace: optional(text(dnsLabel)),
    labels: defaulted(map(text()), {}),
    annotations: defaulted(map(text()), {}),
    ...systemFields,
  },
  { refused: ['generateName', 'finalizers', 'ownerReferences'] },
);

export type ObjectMeta = Read<typeof objectMeta>;
