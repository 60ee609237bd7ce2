/** A setting that an annotation `NAME.sidekit.dev/KEY` of the Pod gives to the sidecar. */
export interface Setting {
  readonly key: string;
  readonly variable: string;
}

/** A sidecar that is injected; its container and defaults are those of its component. */
export interface InjectedSidecar {
  readonly name: string;
  readonly settings: readonly Setting[];
  /** The annotation with the path at which the app's containers mount the sidecar's volume. */
  readonly mount?: { readonly key: string; readonly volume: string; readonly readOnly: boolean };
  /** The annotation with the name of a ConfigMap that replaces that of the component. */
  readonly configMap?: string;
}

/** In the order of their start, which does not depend on the order of policies. */
export const SIDECARS: readonly InjectedSidecar[] = [
  {
    name: 'wait-for',
    settings: [
      { key: 'targets', variable: 'WAIT_FOR_TARGET' },
      { key: 'timeout', variable: 'WAIT_FOR_TIMEOUT' },
    ],
  },
  {
    // The first sidecar, so it ends last.
    name: 'coordinator',
    settings: [],
    configMap: 'plan',
    mount: { key: 'shared', volume: 'sidekit-shared', readOnly: true },
  },
  {
    name: 'file-writer',
    settings: [
      { key: 'source', variable: 'FILE_WRITER_SOURCE' },
      { key: 'target', variable: 'FILE_WRITER_TARGET' },
      { key: 'url', variable: 'FILE_WRITER_URL' },
      { key: 'repository', variable: 'FILE_WRITER_REPOSITORY' },
      { key: 'ref', variable: 'FILE_WRITER_REF' },
      { key: 'interval', variable: 'FILE_WRITER_INTERVAL' },
    ],
    mount: { key: 'files', volume: 'sidekit-files', readOnly: true },
  },
  {
    name: 'adapter',
    settings: [
      { key: 'include', variable: 'ADAPTER_INCLUDE' },
      { key: 'format', variable: 'ADAPTER_FORMAT' },
      { key: 'output', variable: 'ADAPTER_OUTPUT' },
    ],
    mount: { key: 'logs', volume: 'sidekit-logs', readOnly: false },
  },
  { name: 'mq-producer', settings: [{ key: 'queue', variable: 'MQ_QUEUE' }] },
  {
    name: 'mq-consumer',
    settings: [
      { key: 'queue', variable: 'MQ_QUEUE' },
      { key: 'sink', variable: 'MQ_SINK' },
      { key: 'url', variable: 'MQ_URL' },
    ],
  },
  {
    name: 'ambassador',
    settings: [
      { key: 'upstream', variable: 'AMBASSADOR_UPSTREAM' },
      { key: 'listen', variable: 'AMBASSADOR_LISTEN' },
    ],
  },
];
