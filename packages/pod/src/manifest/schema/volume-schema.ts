import {
  boolean,
  checked,
  defaulted,
  list,
  optional,
  type Read,
  type Reader,
  required,
  text,
} from '@sidekit/core/schema';
import { fieldRef, resourceFieldRef } from './environment-schema.ts';
import { dataKey, dnsLabel, filePath, hostPath, notEmpty } from './rules.ts';
import { choice, reachesHost, struct } from './support.ts';
import { given, int32, quantity } from './values.ts';

const mode = int32(0, 0o777);

const items = optional(
  list(
    struct({
      key: required(text(dataKey)),
      path: required(text(filePath)),
      mode: optional(mode),
    }),
  ),
);

const downwardItems = defaulted(
  list(
    checked(
      struct({
        path: required(text(filePath)),
        fieldRef: optional(fieldRef),
        resourceFieldRef: optional(resourceFieldRef),
        mode: optional(mode),
      }),
      (value, report) => {
        if (!value.fieldRef === !value.resourceFieldRef) {
          report([], { rule: 'needs exactly one of fieldRef and resourceFieldRef' });
        }
        if (/^(spec|status)\./.test(value.fieldRef?.fieldPath ?? '')) {
          report(['fieldRef', 'fieldPath'], { rule: 'must be a field of metadata in a volume' });
        }
        if (value.resourceFieldRef && !value.resourceFieldRef.containerName) {
          report(['resourceFieldRef', 'containerName'], { rule: 'is missing in a volume' });
        }
      },
    ),
  ),
  [],
);

const source = { items, optional: defaulted(boolean, false) };

const projection = checked(
  struct(
    {
      configMap: optional(struct({ name: required(text(notEmpty)), ...source })),
      secret: optional(struct({ name: required(text(notEmpty)), ...source })),
      downwardAPI: optional(struct({ items: downwardItems })),
    },
    {
      unsupported: {
        serviceAccountToken: 'there is no API server to issue one',
        clusterTrustBundle: 'there is no API server to give one',
        podCertificate: 'there is no API server to issue one',
      },
    },
  ),
  (value, report) => {
    const count = given(value).length;
    if (count > 1) report([], { rule: `needs exactly one source, not ${count}` });
  },
);

const defaultMode = defaulted(mode, 0o644);

/** An API server takes any medium; a kubelet mounts those that it knows. */
const medium: Reader<string> = (value, path, report) =>
  /^HugePages(-|$)/.test(String(value))
    ? choice(['', 'Memory'], [String(value)])(value, path, report)
    : text()(value, path, report);

const volumeSource = struct(
  {
    name: required(text(dnsLabel)),
    emptyDir: optional(
      struct({
        medium: defaulted(medium, ''),
        sizeLimit: optional(quantity),
      }),
    ),
    configMap: optional(struct({ name: required(text(notEmpty)), ...source, defaultMode })),
    secret: optional(struct({ secretName: required(text(notEmpty)), ...source, defaultMode })),
    downwardAPI: optional(struct({ items: downwardItems, defaultMode })),
    projected: optional(
      checked(
        struct({ sources: defaulted(list(projection), []), defaultMode }),
        ({ sources }, report) => {
          const taken = new Set<string>();
          for (const [index, { configMap, secret, downwardAPI }] of sources.entries()) {
            const items = (configMap ?? secret ?? downwardAPI)?.items ?? [];
            for (const { path } of items) {
              if (taken.has(path))
                report(['sources', index], {
                  value: path,
                  rule: 'is a path of another source, too',
                });
              taken.add(path);
            }
          }
        },
      ),
    ),
    persistentVolumeClaim: optional(
      struct({ claimName: required(text(notEmpty)), readOnly: defaulted(boolean, false) }),
    ),
    hostPath: optional(
      reachesHost(
        struct({
          path: required(text(hostPath)),
          type: defaulted(
            choice(
              ['', 'DirectoryOrCreate', 'Directory', 'FileOrCreate', 'File', 'Socket'],
              ['CharDevice', 'BlockDevice'],
            ),
            '',
          ),
        }),
        () => true,
      ),
    ),
  },
  {
    unsupported: [
      'ephemeral',
      'csi',
      'image',
      'nfs',
      'iscsi',
      'fc',
      'gitRepo',
      'cephfs',
      'rbd',
      'glusterfs',
      'awsElasticBlockStore',
      'azureDisk',
      'azureFile',
      'cinder',
      'flexVolume',
      'flocker',
      'gcePersistentDisk',
      'photonPersistentDisk',
      'portworxVolume',
      'quobyte',
      'scaleIO',
      'storageos',
      'vsphereVolume',
    ],
  },
);

/**
 * Reads a volume. One without a source is an emptyDir, as for the API server; so is one whose
 * source is not supported, if that is tolerated.
 */
export const volume: Reader<Read<typeof volumeSource>> = (value, path, report) => {
  const read = volumeSource(value, path, report);
  if (read === undefined) return undefined;
  const { name: _, ...sources } = read;
  const count = given(sources).length;
  if (count === 0) return { ...read, emptyDir: { medium: '', sizeLimit: undefined } };
  if (count === 1) return read;
  report(path, { rule: `needs exactly one kind of volume, not ${count}` });
  return undefined;
};

export type Volume = Read<typeof volume>;

export type Projection = Read<typeof projection>;
