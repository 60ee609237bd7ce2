import type { ContainerEngine } from '../engine.ts';
import { run } from '../run.ts';

/** The image label with a hash of everything that went into it. */
export const INPUTS_LABEL = 'dev.sidekit.inputs';

interface InspectedImage {
  readonly Config: { readonly Labels?: Readonly<Record<string, string>> | null };
}

/** Returns an image of the engine, or undefined if it has none of that name. */
export async function inspectImage(
  engine: ContainerEngine,
  reference: string,
): Promise<InspectedImage | undefined> {
  const text = await run(engine.name, ['image', 'inspect', reference]).catch(() => '[]');
  return (JSON.parse(text) as InspectedImage[])[0];
}

/** Returns the hash that an image was built with. */
export async function builtInputs(
  engine: ContainerEngine,
  reference: string,
): Promise<string | undefined> {
  return (await inspectImage(engine, reference))?.Config.Labels?.[INPUTS_LABEL];
}
