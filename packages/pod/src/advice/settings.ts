import { environmentOf } from '../engine/environment.ts';
import { expand } from '../manifest/expand.ts';
import { inNamespace } from '../manifest/objects.ts';
import type { ContainerSpec, PodObject, Workload } from '../manifest/types.ts';

/** A container with what its program is given: the words of its command line and its environment. */
export interface Configured {
  readonly container: ContainerSpec;
  readonly words: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
}

/** Returns the containers that run next to each other, native sidecars first. */
export function configured(
  pod: PodObject,
  { configMaps, secrets }: Pick<Workload, 'configMaps' | 'secrets'>,
): Configured[] {
  const { namespace } = pod.metadata;
  const data = {
    configMaps: inNamespace(configMaps, namespace),
    secrets: inNamespace(secrets, namespace),
  };
  // No Pod runs yet, and what depends on one is no setting that this reads.
  const context = { pod, uid: '', podIP: '' };
  return containersOf(pod.spec).map((container) => {
    const environment = environmentOf(container, context, data);
    const words = [...container.command, ...container.args].map((word) =>
      expand(word, (name) => environment.get(name)),
    );
    return { container, words, environment };
  });
}

/** Returns an option's values: those of every such flag, or of the variable, separated by commas. */
export function options(
  { words, environment }: Configured,
  flag: string,
  variable: string,
): string[] {
  const given = words.flatMap((word, i) => {
    if (word === flag) return words[i + 1] ?? [];
    return word.startsWith(`${flag}=`) ? word.slice(flag.length + 1) : [];
  });
  if (given.length > 0) return given;
  const values = environment.get(variable)?.split(',') ?? [];
  return values.map((value) => value.trim()).filter(Boolean);
}

/** Returns the containers of a Pod that run until it ends. */
export function containersOf({ initContainers, containers }: PodObject['spec']): ContainerSpec[] {
  return [...initContainers.filter(({ restartPolicy }) => restartPolicy), ...containers];
}
