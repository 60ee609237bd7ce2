/** The label of all containers of all Pods; its value is the Pod's name. */
export const POD_LABEL = 'dev.sidekit.pod';

/** The label of a Pod's containers that its sandbox has not; its value is the container's name. */
export const CONTAINER_LABEL = 'dev.sidekit.container';

/** The label with the number of a container's run. */
export const ATTEMPT_LABEL = 'dev.sidekit.container.attempt';

/** The label of all containers that one store's Pods have; its value is the store's folder. */
const STORE_LABEL = 'dev.sidekit.pod.store';

/** Returns the label that selects all containers of a store, also those of forgotten Pods. */
export function storeLabel(root: string): string {
  return `${STORE_LABEL}=${root}`;
}

/** The label with the UID of a container's Pod. */
const UID_LABEL = 'dev.sidekit.pod.uid';

/** Returns the labels that all containers of a Pod carry; `own` selects those of this very Pod. */
export function podLabels({ pod, uid, store }: LabelledPod) {
  return {
    own: `${UID_LABEL}=${uid}`,
    all: { [POD_LABEL]: pod.metadata.name, [UID_LABEL]: uid, [STORE_LABEL]: store },
  };
}

interface LabelledPod {
  readonly pod: { readonly metadata: { readonly name: string } };
  readonly uid: string;
  /** The folder of the store that the Pod belongs to. */
  readonly store: string;
}
