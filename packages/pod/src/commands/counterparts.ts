/** Counterparts here of the commands of kubectl and of engines that have another name, or none. */
const COMMANDS: Readonly<Record<string, string>> = {
  apply: 'use pod up FILE',
  create: 'use pod up FILE',
  run: 'use pod up FILE',
  replace: 'use pod up FILE',
  start: 'use pod up FILE',
  play: 'use pod up FILE',
  kube: 'use pod up FILE',
  diff: 'pod up FILE changes only what differs',
  edit: 'change the file, then pod up FILE',
  patch: 'change the file, then pod up FILE',
  set: 'change the file, then pod up FILE',
  scale: 'change replicas in the file, then pod up FILE',
  rollout: 'pod up FILE replaces changed Pods',
  restart: 'use pod down POD, then pod up FILE',
  wait: 'pod up waits until its Pods are Ready',
  get: 'use pod ps',
  list: 'use pod ps',
  ls: 'use pod ps',
  describe: 'use pod events POD, or pod ps POD -o json',
  inspect: 'use pod ps POD -o json',
  delete: 'use pod down POD',
  rm: 'use pod down POD',
  stop: 'use pod down POD',
  kill: 'use pod down POD --grace-period 0',
  log: 'use pod logs POD',
  attach: 'use pod logs POD -f',
  cp: 'use pod exec POD -- cat FILE',
  'port-forward': 'pod up prints an address of 127.0.0.1 for every containerPort',
  proxy: 'pod up prints an address of 127.0.0.1 for every containerPort',
  validate: 'use pod check FILE',
  lint: 'use pod check FILE',
  top: 'use pod view, docker stats, or podman stats',
  stats: 'use pod view, docker stats, or podman stats',
  version: 'use pod --version',
};

/** The same for flags of kubectl, as they are written. */
const FLAGS: Readonly<Record<string, string>> = {
  '-A': 'it is the default: Pods of all namespaces are listed',
  '--all-namespaces': 'it is the default: Pods of all namespaces are listed',
  '-n': 'leave it out: the names of Pods tell them apart here',
  '--namespace': 'leave it out: the names of Pods tell them apart here',
  '-l': 'name a workload instead, such as deploy/web',
  '--selector': 'name a workload instead, such as deploy/web',
  '--force': 'use --grace-period 0',
  '--now': 'use --grace-period 1',
  '--dry-run': 'use pod check FILE',
  '--wait': 'leave it out: the command waits',
  '-k': 'use kubectl kustomize FOLDER | pod up -',
  '--kustomize': 'use kubectl kustomize FOLDER | pod up -',
  '-R': 'name the folders themselves',
  '--recursive': 'name the folders themselves',
};

/** Returns what to use here for a command of kubectl or of an engine. */
export function counterpart(name: string): string | undefined {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
}

/** Returns what to use here for a flag of kubectl. */
export function flagCounterpart(name: string): string | undefined {
  return Object.hasOwn(FLAGS, name) ? FLAGS[name] : undefined;
}
