import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { podTemplates } from '../../scripts/support/pod-security/templates.ts';
import { must } from '../engine/command.ts';
import type { Container, PodTemplate, Volume } from '../support/pod-spec.ts';

export const COMPONENTS = [
  'ambassador',
  'adapter',
  'file-writer',
  'mq-producer',
  'mq-consumer',
  'wait-for',
  'coordinator',
] as const;
export type Component = (typeof COMPONENTS)[number];

export interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** Renders a directory with `kubectl kustomize`. */
export async function kustomize(directory: string): Promise<string> {
  return must(process.env.KUBECTL ?? 'kubectl', ['kustomize', directory]);
}

export function parse(text: string): Rendered[] {
  return parseAllDocuments(text).map((document) => document.toJS() as Rendered);
}

/** The kinds of workload that a stranger may have. */
export const KINDS = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob'] as const;

/** A stranger's workload with one container and one init container of their own. */
export function workload(kind: (typeof KINDS)[number], labels: readonly string[]): object {
  const template = {
    metadata: { labels: { app: 'theirs' } },
    spec: {
      ...(kind === 'Job' || kind === 'CronJob' ? { restartPolicy: 'Never' } : {}),
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      initContainers: [theirs('migrate')],
      containers: [theirs('app')],
      volumes: [{ name: 'their-data', emptyDir: {} }] satisfies Volume[],
    },
  };
  const batch = kind === 'Job' || kind === 'CronJob';
  return {
    apiVersion: batch ? 'batch/v1' : 'apps/v1',
    kind,
    metadata: {
      name: 'theirs',
      labels: Object.fromEntries(labels.map((name) => [`sidekit.dev/${name}`, 'true'])),
    },
    spec:
      kind === 'CronJob'
        ? { schedule: '* * * * *', jobTemplate: { spec: { template } } }
        : { ...(batch ? {} : { selector: { matchLabels: { app: 'theirs' } } }), template },
  };
}

function theirs(name: string): Container {
  return {
    name,
    image: 'example.org/theirs:1',
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  };
}

/**
 * Renders a directory of files with Kustomize. `COMPONENTS/` in a file stands for the path of
 * manifests/components, as seen from the file's own directory.
 */
export async function renderFiles(files: Readonly<Record<string, string>>): Promise<string> {
  mkdirSync('dist', { recursive: true });
  const directory = mkdtempSync('dist/kustomize-');
  try {
    for (const [name, text] of Object.entries(files)) {
      const path = join(directory, name);
      mkdirSync(dirname(path), { recursive: true });
      const components = relative(resolve(dirname(path)), resolve('manifests/components'));
      writeFileSync(path, text.replaceAll('COMPONENTS/', `${components}/`));
    }
    return await kustomize(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Components in an order, and workloads that they apply to. */
export interface Overlay {
  readonly components: readonly Component[];
  readonly workloads: readonly object[];
}

/** Renders workloads with components in that order. */
export async function renderWith(
  components: readonly Component[],
  workloads: readonly object[],
): Promise<Rendered[]> {
  const [rendered = []] = await renderAll([{ components, workloads }]);
  return rendered;
}

/**
 * Renders overlays in a scratch directory beside the clone's own, each in a namespace of its own: a
 * run of kubectl for each would take most of a test's time.
 */
export async function renderAll(overlays: readonly Overlay[]): Promise<Rendered[][]> {
  const names = overlays.map((_, i) => `overlay-${i}`);
  const files = overlays.flatMap(({ components, workloads }, i): [string, object][] => [
    [
      `${names[i]}/kustomization.yaml`,
      {
        namespace: names[i],
        resources: workloads.map((_, j) => `${j}.yaml`),
        components: components.map((name) => `COMPONENTS/${name}`),
      },
    ],
    ...workloads.map((one, j): [string, object] => [`${names[i]}/${j}.yaml`, one]),
  ]);
  const all = [['kustomization.yaml', { resources: names }] as const, ...files];
  const text = await renderFiles(
    Object.fromEntries(all.map(([name, content]) => [name, JSON.stringify(content)])),
  );
  const rendered = parse(text);
  return names.map((name) => rendered.filter(({ metadata }) => metadata.namespace === name));
}

/** The one workload that was rendered. */
export function onlyTemplate(rendered: readonly Rendered[]): PodTemplate {
  const [template, ...more] = rendered.flatMap(podTemplates);
  if (!template || more.length > 0) throw new Error(`${more.length + 1} workloads`);
  return template;
}
