import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { celLiteral, Expression } from './cel.ts';
import { type InjectedSidecar, SIDECARS } from './sidecars.ts';

// biome-ignore lint/suspicious/noExplicitAny: manifests are data here
type Loose = any;

const CONTAINER = 'Object.spec.initContainers';

/** Writes the MutatingAdmissionPolicy of a sidecar and its binding, made from its component. */
export function injectionPolicy(sidecar: InjectedSidecar): string {
  const { name } = sidecar;
  const policy = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicy',
    metadata: { name: `${name}.sidekit.dev` },
    spec: {
      failurePolicy: 'Fail',
      reinvocationPolicy: 'Never',
      paramKind: { apiVersion: 'v1', kind: 'Namespace' },
      matchConstraints: {
        namespaceSelector: { matchLabels: { 'sidekit.dev/injection': 'enabled' } },
        objectSelector: { matchLabels: { [`sidekit.dev/${name}`]: 'true' } },
        resourceRules: [
          { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
        ],
      },
      matchConditions: [
        {
          name: 'not-a-system-namespace',
          expression: '!request.namespace.startsWith("kube-")',
        },
        {
          name: 'not-there-already',
          expression: `!object.spec.?initContainers.orValue([]).exists(c, c.name == "sidekit-${name}") && !object.spec.containers.exists(c, c.name == "sidekit-${name}")`,
        },
      ],
      variables: variables(sidecar),
      mutations: mutations(sidecar).map((expression) => ({
        patchType: 'JSONPatch',
        jsonPatch: { expression },
      })),
    },
  };
  const binding = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name: `${name}.sidekit.dev` },
    spec: {
      policyName: `${name}.sidekit.dev`,
      paramRef: {
        name: 'sidekit',
        parameterNotFoundAction: 'Deny',
      },
    },
  };
  const head = `# Made by \`npm run injection\` from manifests/components/${name}.\n`;
  return head + [policy, binding].map((one) => stringify(one, { lineWidth: 0 })).join('---\n');
}

function variables({ name }: InjectedSidecar) {
  const index = SIDECARS.findIndex((one) => one.name === name);
  const before = JSON.stringify(SIDECARS.slice(0, index).map((one) => `sidekit-${one.name}`));
  // After the last of them, wherever the Pod's own containers of these names are.
  const after = `${before}.map(name, variables.names.lastIndexOf(name) + 1).max()`;
  const listen = `variables.annotations[?"${name}.sidekit.dev/listen"].orValue(":8080")`;
  return [
    { name: 'annotations', expression: 'object.metadata.?annotations.orValue({})' },
    ...(index === 0
      ? [{ name: 'index', expression: '0' }]
      : [
          {
            name: 'names',
            expression: 'object.spec.?initContainers.orValue([]).map(c, c.name)',
          },
          { name: 'index', expression: after },
        ]),
    ...(name === 'ambassador'
      ? [
          {
            name: 'port',
            expression: `${listen}.matches("^[^:]*:[0-9]{1,5}$") ? int(${listen}.split(":")[1]) : 8080`,
          },
        ]
      : []),
  ];
}

/** Returns the environment: annotations, and the defaults of the component that they leave. */
function environment({ name, settings }: InjectedSidecar): string[] {
  const entry = (variable: string, value: string) =>
    `[${CONTAINER}.env{name: ${JSON.stringify(variable)}, value: ${value}}]`;
  const has = (key: string) => `"${name}.sidekit.dev/${key}" in variables.annotations`;
  const given = settings.map(({ key, variable }) => {
    const value = `variables.annotations["${name}.sidekit.dev/${key}"]`;
    return `(${has(key)} ? ${entry(variable, value)} : [])`;
  });
  const defaults = Object.entries(defaultsOf(name)).map(([variable, value]) => {
    const key = settings.find((one) => one.variable === variable)?.key;
    const replaced = key === undefined ? has('config') : `${has('config')} || ${has(key)}`;
    return `(${replaced} ? [] : ${entry(variable, JSON.stringify(value))})`;
  });
  return [...given, ...defaults];
}

/** Returns the ConfigMap of the user, which replaces the defaults. */
function environmentFrom(name: string): string {
  const type = `${CONTAINER}.envFrom`;
  const key = `"${name}.sidekit.dev/config"`;
  return `${key} in variables.annotations ? [${type}{configMapRef: ${type}.configMapRef{name: variables.annotations[${key}]}}] : []`;
}

function mutations(sidecar: InjectedSidecar): string[] {
  const { name, mount } = sidecar;
  const { container, volumes } = componentOf(name);
  const literal = celLiteral(injected(sidecar, container), CONTAINER, '  ');
  const added = `[JSONPatch{op: "add", path: "/spec/initContainers/" + string(variables.index), value:\n  ${literal}\n}]`;
  const all = [
    `(${ensureList('object.spec', 'initContainers', '"/spec/initContainers"')}) +\n${added}`,
  ];
  for (const volume of volumes) {
    const value = celLiteral(withConfigMap(sidecar, volume), 'Object.spec.volumes', '  ');
    all.push(
      `object.spec.?volumes.orValue([]).exists(v, v.name == "${volume.name}") ? [] :\n(${ensureList('object.spec', 'volumes', '"/spec/volumes"')}) +\n[JSONPatch{op: "add", path: "/spec/volumes/-", value: ${value}}]`,
    );
    if (!mount || mount.volume !== volume.name) continue;
    const type = 'Object.spec.containers.volumeMounts';
    const path = `variables.annotations["${name}.sidekit.dev/${mount.key}"]`;
    const one = `${type}{name: "${volume.name}", mountPath: ${path}${mount.readOnly ? ', readOnly: true' : ''}}`;
    const at = '"/spec/containers/" + string(i) + "/volumeMounts';
    // Not a list with the mount in it: the API server of 1.36 panics on lists of objects.
    const containers = 'object.spec.containers.transformList(i, c';
    const mountsIt = `c.?volumeMounts.orValue([]).exists(m, m.name == "${volume.name}")`;
    all.push(
      `!("${name}.sidekit.dev/${mount.key}" in variables.annotations) ? [] :\n${containers}, !has(c.volumeMounts), JSONPatch{op: "add", path: ${at}", value: []}) +\n${containers}, !${mountsIt}, JSONPatch{op: "add", path: ${at}/-", value: ${one}})`,
    );
  }
  return all;
}

/** A JSON patch that adds an empty list if there is none: only an existing list takes items. */
function ensureList(object: string, field: string, path: string): string {
  return `has(${object}.${field}) ? [] : [JSONPatch{op: "add", path: ${path}, value: []}]`;
}

/** Returns the component's container with the image, resources and settings of the injection. */
function injected(sidecar: InjectedSidecar, container: Loose): Loose {
  const image = container.image.replace(/^sidekit\/(.+):.*$/, '$1');
  const { envFrom: _envFrom, env = [], ports, ...rest } = container;
  const param = (key: string) => new Expression(parameter(key));
  const exposed =
    env.length > 0
      ? [`[${CONTAINER}.env{name: "AMBASSADOR_EXPOSED", value: string(variables.port)}]`]
      : [];
  return {
    ...rest,
    image: new Expression(`${parameter('registry')} + "/${image}:" + ${parameter('version')}`),
    env: new Expression([...environment(sidecar), ...exposed].join(' +\n    ') || '[]'),
    envFrom: new Expression(environmentFrom(sidecar.name)),
    ...(ports
      ? {
          ports: ports.map((port: Loose) =>
            port.name === 'ambassador'
              ? { ...port, containerPort: new Expression('variables.port') }
              : port,
          ),
        }
      : {}),
    resources: {
      requests: { cpu: param('cpu-request'), memory: param('memory-request') },
      limits: { memory: param('memory-limit') },
    },
  };
}

/** Returns a volume with the ConfigMap that an annotation names, if it is from one. */
function withConfigMap({ name, configMap: key }: InjectedSidecar, volume: Loose): Loose {
  if (!volume.configMap || key === undefined) return volume;
  const given = `variables.annotations[?"${name}.sidekit.dev/${key}"]`;
  const usual = JSON.stringify(volume.configMap.name);
  return { ...volume, configMap: { name: new Expression(`${given}.orValue(${usual})`) } };
}

/** An annotation of the namespace that holds the parameters. */
function parameter(key: string): string {
  return `params.metadata.annotations["sidekit.dev/${key}"]`;
}

function componentOf(name: string): { container: Loose; volumes: Loose[] } {
  const workload = parse(readFileSync(`manifests/components/${name}/workload.yaml`, 'utf8'));
  const { initContainers, volumes = [] } = workload.spec.template.spec;
  return { container: initContainers[0], volumes };
}

/** Returns the settings that the component's ConfigMap has. */
function defaultsOf(name: string): Record<string, string> {
  const text = readFileSync(`manifests/components/${name}/kustomization.yaml`, 'utf8');
  const [generator] = parse(text).configMapGenerator;
  return Object.fromEntries(
    ((generator.literals ?? []) as string[]).map((literal) => {
      const at = literal.indexOf('=');
      return [literal.slice(0, at), literal.slice(at + 1)];
    }),
  );
}
