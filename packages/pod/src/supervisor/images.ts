import { errorText } from '@sidekit/core/tool';
import type { Engine, ImageInfo } from '../engine/engine.ts';
import type { ContainerSpec, PodSpec } from '../manifest/types.ts';

/** The reason why a container cannot be created, in the kubelet's words. */
export interface StartProblem {
  readonly reason: string;
  readonly message: string;
}

/**
 * Finds the image of a container by its pull policy. Without a policy only a missing image is pulled,
 * also one that is `latest`: an image that was built here has no registry to come from.
 */
export async function findImage(
  { image, imagePullPolicy = 'IfNotPresent' }: ContainerSpec,
  engine: Engine,
  onPull: () => void,
): Promise<ImageInfo | StartProblem> {
  const local = await engine.image(image);
  if (local && imagePullPolicy !== 'Always') return local;
  if (imagePullPolicy === 'Never') {
    return {
      reason: 'ErrImageNeverPull',
      message: `Container image "${image}" is not present with pull policy of Never`,
    };
  }
  onPull();
  try {
    await engine.pull(image);
  } catch (error) {
    return { reason: 'ErrImagePull', message: errorText(error) };
  }
  return (
    (await engine.image(image)) ?? {
      reason: 'ErrImagePull',
      message: `${image} is missing after its pull`,
    }
  );
}

/** Whether a container may run as the user it would run as (kubelet: verifyRunAsNonRoot). */
export function userProblem(
  { securityContext: own }: ContainerSpec,
  { securityContext: shared }: PodSpec,
  image: ImageInfo,
): StartProblem | undefined {
  if (!(own?.runAsNonRoot ?? shared?.runAsNonRoot)) return undefined;
  const user = own?.runAsUser ?? shared?.runAsUser;
  const problem = (message: string) => ({ reason: 'CreateContainerConfigError', message });
  if (user !== undefined) {
    return user === 0 ? problem("container's runAsUser breaks non-root policy") : undefined;
  }
  const name = image.user.split(':')[0] ?? '';
  if (/^[1-9]\d*$/.test(name)) return undefined;
  return name === '' || /^0+$/.test(name)
    ? problem('container has runAsNonRoot and image will run as root')
    : problem(
        `container has runAsNonRoot and image has non-numeric user (${name}), cannot verify user is non-root`,
      );
}
