import { list, optional, type Read, required, text } from '@sidekit/core/schema';
import { objectMeta } from './meta-schema.ts';
import { dnsLabel } from './rules.ts';
import { anything, choice, struct } from './support.ts';
import { annotations, labels, quantity } from './values.ts';

/** Reads the spec of a PersistentVolumeClaim. Every claim is a kept folder here. */
const claimSpec = struct(
  {
    accessModes: required(
      list(choice(['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod']), {
        min: 1,
      }),
    ),
    resources: required(
      struct({
        requests: required(struct({ storage: required(quantity) })),
        limits: optional(struct({ storage: optional(quantity) })),
      }),
    ),
    volumeMode: optional(choice(['Filesystem'], ['Block'])),
  },
  {
    cluster: ['storageClassName', 'selector', 'volumeName', 'volumeAttributesClassName'],
    unsupported: ['dataSource', 'dataSourceRef'],
  },
);

const head = { apiVersion: optional(text()), kind: optional(text()), status: optional(anything) };

export const claim = struct({ ...head, metadata: required(objectMeta), spec: required(claimSpec) });

/** Reads a claim that a StatefulSet makes for each of its Pods. */
export const claimTemplate = struct({
  ...head,
  metadata: required(
    struct({
      name: required(text(dnsLabel)),
      labels: optional(labels),
      annotations: optional(annotations),
      creationTimestamp: optional(anything),
    }),
  ),
  spec: required(claimSpec),
});

export type ClaimTemplate = Read<typeof claimTemplate>;
