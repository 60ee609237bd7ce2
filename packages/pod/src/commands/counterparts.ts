/** The commands of kubectl and of engines that have another name here, or none. */
const COUNTERPARTS: Readonly<Record<string, string>> = {
  apply: 'pod up FILE',
  create: 'pod up FILE',
  run: 'pod up FILE',
  replace: 'pod up FILE',
  start: 'pod up FILE',
  play: 'pod up FILE',
  rollout: 'pod up FILE replaces changed Pods',
  scale: 'change replicas and pod up FILE',
  wait: 'pod up waits until its Pods are Ready',
  get: 'pod ps',
  list: 'pod ps',
  ls: 'pod ps',
  describe: 'pod events POD, or pod ps POD -o json',
  delete: 'pod down POD',
  rm: 'pod down POD',
  stop: 'pod down POD',
  kill: 'pod down POD --grace-period 0',
  log: 'pod logs POD',
  attach: 'pod logs POD -f',
  cp: 'pod exec POD -- cat FILE',
  'port-forward': 'pod up prints an address of 127.0.0.1 for every containerPort',
  validate: 'pod check FILE',
  lint: 'pod check FILE',
  top: 'docker stats, or podman stats',
};

/** Returns the command here for a habit from kubectl or an engine. */
export function counterpart(name: string): string | undefined {
  return Object.hasOwn(COUNTERPARTS, name) ? `use ${COUNTERPARTS[name]}` : undefined;
}
