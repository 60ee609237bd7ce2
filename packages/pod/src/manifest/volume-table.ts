import { fieldRef, resourceFieldRef } from './environment-table.ts';
import { checked, defaulted, list, optional, type Read, required, struct } from './reader.ts';
import { absolutePath, dataKey, dnsLabel, notEmpty, relativePath } from './rules.ts';
import { boolean, choice, integer, text } from './scalars.ts';
import { quantity } from './value-readers.ts';

const mode = integer(0, 0o777);

const items = optional(
  list(
    struct({
      key: required(text(dataKey)),
      path: required(text(relativePath)),
      mode: optional(mode),
    }),
  ),
);

const downwardItems = defaulted(
  list(
    checked(
      struct({
        path: required(text(relativePath)),
        fieldRef: optional(fieldRef),
        resourceFieldRef: optional(resourceFieldRef),
        mode: optional(mode),
      }),
      (value, fault) => {
        if (!value.fieldRef === !value.resourceFieldRef) {
          fault([], 'needs exactly one of fieldRef and resourceFieldRef');
        }
        if (value.resourceFieldRef && !value.resourceFieldRef.containerName) {
          fault(['resourceFieldRef', 'containerName'], 'required in a volume');
        }
      },
    ),
  ),
  [],
);

const optionalFlag = defaulted(boolean, false);

export const source = { items, optional: optionalFlag };

const projection = checked(
  struct(
    {
      configMap: optional(struct({ name: required(text(notEmpty)), ...source })),
      secret: optional(struct({ name: required(text(notEmpty)), ...source })),
      downwardAPI: optional(struct({ items: downwardItems })),
    },
    {
      refused: {
        serviceAccountToken: 'there is no API server to issue one',
        clusterTrustBundle: 'there is no API server to give one',
        podCertificate: 'there is no API server to issue one',
      },
    },
  ),
  (value, fault) => exactlyOne(value, fault, 'source'),
);

export const volume = checked(
  struct(
    {
      name: required(text(dnsLabel)),
      emptyDir: optional(
        struct({
          medium: defaulted(choice(['', 'Memory'], ['HugePages']), ''),
          sizeLimit: optional(quantity),
        }),
      ),
      configMap: optional(
        struct({ name: required(text(notEmpty)), ...source, defaultMode: defaulted(mode, 0o644) }),
      ),
      secret: optional(
        struct({
          secretName: required(text(notEmpty)),
          ...source,
          defaultMode: defaulted(mode, 0o644),
        }),
      ),
      downwardAPI: optional(struct({ items: downwardItems, defaultMode: defaulted(mode, 0o644) })),
      projected: optional(
        struct({
          sources: defaulted(list(projection), []),
          defaultMode: defaulted(mode, 0o644),
        }),
      ),
      hostPath: optional(
        struct({
          path: required(text(absolutePath)),
          type: defaulted(
            choice(
              ['', 'DirectoryOrCreate', 'Directory', 'FileOrCreate', 'File', 'Socket'],
              ['CharDevice', 'BlockDevice'],
            ),
            '',
          ),
        }),
      ),
    },
    {
      refused: [
        'persistentVolumeClaim',
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
  ),
  ({ name: _, ...sources }, fault) => exactlyOne(sources, fault, 'kind of volume'),
);

function exactlyOne(
  value: Readonly<Record<string, unknown>>,
  fault: (at: readonly string[], message: string) => void,
  what: string,
) {
  const given = Object.values(value).filter((one) => one !== undefined).length;
  if (given !== 1) fault([], `needs exactly one ${what}, not ${given}`);
}

export type Volume = Read<typeof volume>;

export type Projection = Read<typeof projection>;
