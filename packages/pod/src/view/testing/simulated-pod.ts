import { type PodStatusObject, statusOf } from '../../lifecycle/status.ts';
import { type Behaviour, podOf, Simulation } from '../../lifecycle/testing/simulation.ts';
import type { RecordedEvent } from '../timeline.ts';

export interface SimulatedPod {
  readonly status: PodStatusObject;
  readonly events: readonly RecordedEvent[];
}

export interface SimulatedOptions {
  readonly name: string;
  /** The Pod's `spec` as YAML. */
  readonly spec: string;
  readonly behaviour?: (container: string, attempt: number) => Behaviour;
  /** How long it has run, in milliseconds. */
  readonly age: number;
  /** When a termination was requested, in milliseconds since it began. */
  readonly terminateAt?: number;
}

/** A Pod as the supervisor records it, `age` milliseconds after it began, on a simulated clock. */
export function simulatedPod(options: SimulatedOptions): SimulatedPod {
  const { name, spec, behaviour, age, terminateAt } = options;
  const base = podOf(spec);
  const pod = { ...base, metadata: { ...base.metadata, name } };
  const simulation = new Simulation({ spec: pod.spec }, behaviour);
  if (terminateAt !== undefined) simulation.at(terminateAt, { type: 'terminate' });
  simulation.run(age);
  const begin = Date.now() - age;
  const time = (at: number) => new Date(begin + at).toISOString();
  const events = simulation.actions.flatMap(({ at, action }): RecordedEvent[] => {
    if (action.type === 'signal') {
      const { container, signal } = action;
      return [
        { time: time(at), reason: 'Signal', container, message: `${signal} sent to ${container}` },
      ];
    }
    if (action.type !== 'note') return [];
    const { reason, container, message } = action;
    return [{ time: time(at), reason, ...(container ? { container } : {}), message }];
  });
  const status = statusOf(pod, simulation.machine, {
    uid: name,
    createdAt: 0,
    engine: 'podman',
    podIP: '10.88.0.7',
    now: age,
  });
  return { status: shifted(status, begin), events };
}

/** Moves the times of the simulated clock, which begins in 1970, to the real one. */
function shifted(status: PodStatusObject, begin: number): PodStatusObject {
  const text = JSON.stringify(status).replace(/"(1970-[\dT:.-]+Z)"/g, (_, time) =>
    JSON.stringify(new Date(Date.parse(time) + begin).toISOString()),
  );
  return JSON.parse(text);
}
