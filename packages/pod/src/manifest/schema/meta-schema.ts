import { checked, defaulted, optional, type Read, text } from '@sidekit/core/schema';
import { dnsLabel, dnsSubdomain, generateName } from './rules.ts';
import { anything, struct } from './support.ts';
import { annotations, labels } from './values.ts';

/** Fields that the API server sets; it ignores them in what is applied. */
const systemFields = {
  creationTimestamp: optional(anything),
  uid: optional(text()),
  resourceVersion: optional(anything),
  generation: optional(anything),
  managedFields: optional(anything),
  selfLink: optional(anything),
  deletionTimestamp: optional(anything),
  deletionGracePeriodSeconds: optional(anything),
};

const unhonoured = { cluster: ['finalizers', 'ownerReferences'] };

/** The metadata of an object. */
export const objectMeta = checked(
  struct(
    {
      // Missing together with generateName is reported below.
      name: defaulted(text(dnsSubdomain), ''),
      generateName: optional(text(generateName)),
      namespace: defaulted(text(dnsLabel), 'default'),
      labels: defaulted(labels, {}),
      annotations: defaulted(annotations, {}),
      ...systemFields,
    },
    unhonoured,
  ),
  ({ name, generateName }, report) => {
    if (name === '' && generateName === undefined) report(['name'], { rule: 'is missing' });
  },
);

/** The metadata of a template. */
export const templateMeta = struct(
  {
    name: optional(text(dnsSubdomain)),
    generateName: optional(text(generateName)),
    namespace: optional(text(dnsLabel)),
    labels: defaulted(labels, {}),
    annotations: defaulted(annotations, {}),
    ...systemFields,
  },
  unhonoured,
);

export type ObjectMeta = Read<typeof objectMeta>;
