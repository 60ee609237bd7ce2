import {
  adminTokenOption,
  commonOptions,
  defineOptions,
  duration,
  kubernetesServer,
  type OptionValues,
  option,
} from '@sidekit/core';
import { checkLeadership, leadership } from './lead/options.ts';
import { checkPlan, draftOf } from './plan/between.ts';
import { absolutePath, participants } from './plan/names.ts';
import { sequences } from './plan/sequence.ts';

/** The plan is the configuration file: its keys are options like any other. */
export const table = defineOptions({
  command: 'coordinator',
  summary: 'drives the lifecycle of the Pod’s other containers by a plan.',
  prefix: 'COORDINATOR',
  options: {
    sequences: option(sequences, {
      description: 'What to do, and when: at most 100 sequences of 100 steps.',
      default: [],
    }),
    participants: option(participants, {
      description:
        'The containers that stop when the plan lets them: each has a `preStop` request to `/stop/NAME`.',
      default: [],
    }),
    leadership: option(leadership, {
      description: 'The election of one leader among the replicas, through a Lease of Kubernetes.',
    }),
    stateDir: option(absolutePath, {
      description:
        'A directory of a volume of the Pod, for the journal and `state.json`. Only this container should write there.',
      required: true,
    }),
    stopGather: option(duration(100, 60_000), {
      description:
        'When all participants ask to stop within this time, the Pod stops; fewer are containers that restart alone, and may go on.',
      default: 3000,
    }),
    ...adminTokenOption,
    ...commonOptions(':9906'),
  },
  checkParts: ({ participants, stateDir, leadership }, written, report) => {
    const parts = {
      participants,
      stateDir,
      leadership: written.leadership ?? undefined,
      tokenFile: leadership?.tokenFile,
    };
    checkPlan(draftOf(written.sequences), parts, report);
    if (leadership) checkLeadership(leadership, kubernetesServer(), report);
  },
  examples: [
    ['coordinator --config /plan/plan.yaml --state-dir /state', 'The plan is a ConfigMap.'],
  ],
});

export type Options = OptionValues<typeof table.options>;
