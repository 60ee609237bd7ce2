import { readFileSync } from 'node:fs';

/** Workloads that know nothing of sidecars, under *restricted*, and what they talk to. */

const VERSION = JSON.parse(readFileSync('package.json', 'utf8')).version;

export type Words = Readonly<Record<string, string>>;

/** Returns the labels that ask for sidecars, and the annotations with their settings. */
export function asks(sidecars: Readonly<Record<string, Words>>) {
  const names = Object.keys(sidecars);
  const all = Object.entries(sidecars).flatMap(([name, settings]) =>
    Object.entries(settings).map(([key, value]) => [`${name}.sidekit.dev/${key}`, value]),
  );
  return {
    labels: Object.fromEntries(names.map((name) => [`sidekit.dev/${name}`, 'true'])),
    annotations: Object.fromEntries(all),
  };
}

/** A Pod's specification of one container, under *restricted*. */
export function spec(image: string, container: object, more: object = {}) {
  return {
    enableServiceLinks: false,
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 10,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 20917,
      fsGroup: 20917,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: 'app',
        image: `sidekit/${image}:${VERSION}`,
        imagePullPolicy: 'IfNotPresent',
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        ...container,
      },
    ],
    ...more,
  };
}

export function deployment(
  name: string,
  asked: ReturnType<typeof asks>,
  pod: object,
  replicas = 1,
) {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels: { ...labels, ...asked.labels }, annotations: asked.annotations },
        spec: pod,
      },
    },
  };
}

export function job(name: string, asked: ReturnType<typeof asks>, pod: object) {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: {
      backoffLimit: 0,
      template: { metadata: asked, spec: { ...pod, restartPolicy: 'Never' } },
    },
  };
}

export function service(name: string, ports: readonly object[]) {
  const metadata = { name };
  return { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: { app: name }, ports } };
}

/** The demo application, with the access log in the directory that the adapter reads. */
export function webapp(...args: readonly string[]) {
  return spec('webapp', { args: [...args, '--access-log', '/var/log/app/access.log'] });
}

/** A receiver of OTLP that keeps what it is sent. */
export const COLLECTOR = [
  deployment('collector', asks({}), spec('webapp', { args: ['--listen', ':4318'] })),
  service('collector', [{ port: 4318 }]),
];

/** A git server with one page. */
export const GIT_SERVER = [
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'seed' },
    data: { 'index.html': 'from a commit' },
  },
  deployment(
    'git-server',
    asks({}),
    spec(
      'git-server',
      {
        args: ['--listen', ':8081', '--root', '/git', '--seed', '/seed'],
        volumeMounts: [
          { name: 'git', mountPath: '/git' },
          { name: 'seed', mountPath: '/seed' },
        ],
      },
      {
        volumes: [
          { name: 'git', emptyDir: {} },
          { name: 'seed', configMap: { name: 'seed' } },
        ],
      },
    ),
  ),
  service('git-server', [{ port: 8081 }]),
];

/** A plan: the coordinator writes a file when it starts. */
export const PLAN = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'shop-plan' },
  data: {
    'plan.yaml': JSON.stringify({
      sequences: [
        {
          name: 'begin',
          when: [{ start: true }],
          steps: [{ name: 'tell', write: { path: '/shared/started', content: 'by the plan' } }],
        },
      ],
    }),
  },
};
