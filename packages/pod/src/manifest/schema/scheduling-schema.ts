import {
  checked,
  defaulted,
  list,
  map,
  optional,
  type Reader,
  required,
  text,
} from '@sidekit/core/schema';
import { dnsSubdomain, labelValue, qualifiedName } from './rules.ts';
import { selector } from './selector-schema.ts';
import { choice, noted, struct } from './support.ts';
import { int32, quantity } from './values.ts';

/** Fields that choose a node: of no effect on one machine, but read by the API's rules (ValidatePodSpec). */

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const;

const toleration = checked(
  struct({
    key: optional(text(qualifiedName)),
    operator: optional(choice(['Equal', 'Exists'])),
    value: optional(text(labelValue)),
    effect: optional(choice(['', ...EFFECTS])),
    tolerationSeconds: optional(int32(-(2 ** 31))),
  }),
  ({ key = '', operator = 'Equal', value = '', effect, tolerationSeconds }, report) => {
    if (key === '' && operator !== 'Exists')
      report(['operator'], { value: operator, rule: 'must be Exists without a key' });
    if (operator === 'Exists' && value !== '')
      report(['value'], { value, rule: 'must be empty with operator: Exists' });
    if (tolerationSeconds !== undefined && effect !== 'NoExecute')
      report(['effect'], { value: effect, rule: 'must be NoExecute with tolerationSeconds' });
  },
);

const requirement = checked(
  struct({
    key: required(text(qualifiedName)),
    operator: required(choice(['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'])),
    values: defaulted(list(text()), []),
  }),
  ({ operator, values }, report) => {
    const rule = {
      In: values.length > 0 ? '' : 'must have an item',
      NotIn: values.length > 0 ? '' : 'must have an item',
      Gt: values.length === 1 ? '' : 'must be one number',
      Lt: values.length === 1 ? '' : 'must be one number',
      Exists: values.length === 0 ? '' : 'must be empty',
      DoesNotExist: values.length === 0 ? '' : 'must be empty',
    }[operator];
    if (rule) report(['values'], { rule: `${rule} with ${operator}` });
  },
);

const nodeTerm = struct({
  matchExpressions: defaulted(list(requirement), []),
  matchFields: defaulted(list(requirement), []),
});

const weight = required(int32(1, 100));

const nodeAffinity = struct({
  requiredDuringSchedulingIgnoredDuringExecution: optional(
    struct({ nodeSelectorTerms: required(list(nodeTerm, { min: 1 })) }),
  ),
  preferredDuringSchedulingIgnoredDuringExecution: optional(
    list(struct({ weight, preference: required(nodeTerm) })),
  ),
});

const podTerm = struct({
  topologyKey: required(text(qualifiedName)),
  labelSelector: optional(selector),
  namespaceSelector: optional(selector),
  namespaces: optional(list(text(dnsSubdomain))),
  matchLabelKeys: optional(list(text(qualifiedName))),
  mismatchLabelKeys: optional(list(text(qualifiedName))),
});

const podAffinity = struct({
  requiredDuringSchedulingIgnoredDuringExecution: optional(list(podTerm)),
  preferredDuringSchedulingIgnoredDuringExecution: optional(
    list(struct({ weight, podAffinityTerm: required(podTerm) })),
  ),
});

const spread = struct({
  maxSkew: required(int32(1)),
  topologyKey: required(text(qualifiedName)),
  whenUnsatisfiable: required(choice(['DoNotSchedule', 'ScheduleAnyway'])),
  labelSelector: optional(selector),
  minDomains: optional(int32(1)),
  matchLabelKeys: optional(list(text(qualifiedName))),
  nodeAffinityPolicy: optional(choice(['Honor', 'Ignore'])),
  nodeTaintsPolicy: optional(choice(['Honor', 'Ignore'])),
});

const name: Reader<string> = text(dnsSubdomain);

/** The fields of a Pod that choose its node, or its place in a queue. */
export const schedulingFields = {
  affinity: optional(
    noted(
      struct({
        nodeAffinity: optional(nodeAffinity),
        podAffinity: optional(podAffinity),
        podAntiAffinity: optional(podAffinity),
      }),
    ),
  ),
  nodeName: optional(noted(name)),
  overhead: optional(noted(map(quantity, qualifiedName))),
  preemptionPolicy: optional(noted(choice(['PreemptLowerPriority', 'Never']))),
  priority: optional(noted(int32(-(2 ** 31)))),
  priorityClassName: optional(noted(name)),
  tolerations: optional(noted(list(toleration))),
  topologySpreadConstraints: optional(noted(list(spread))),
};
