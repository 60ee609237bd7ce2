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
  readonly metadata: { readonly name: string };
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

/** Renders workloads with components in that order, in a scratch directory beside the clone's own. */
export async function renderWith(
  components: readonly Component[],
  workloads: readonly object[],
): Promise<Rendered[]> {
  mkdirSync('dist', { recursive: true });
  const directory = mkdtempSync('dist/kustomize-');
  try {
    const at = (path: string) => relative(resolve(directory), resolve(path));
    writeFileSync(
      join(directory, 'kustomization.yaml'),
      JSON.stringify({
        resources: workloads.map((_, i) => `${i}.yaml`),
        components: components.map((name) => at(`manifests/components/${name}`)),
      }),
    );
    workloads.forEach((one, i) => {
      writeFileSync(join(directory, `${i}.yaml`), JSON.stringify(one));
    });
    return parse(await kustomize(directory));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The one workload that was rendered. */
export function onlyTemplate(rendered: readonly Rendered[]): PodTemplate {
  const [template, ...more] = rendered.flatMap(podTemplates);
  if (!template || more.length > 0) throw new Error(`${more.length + 1} workloads`);
  return template;
}
