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

/** Returns the hashes that images were built with: of one call of the engine if it has all of them. */
export async function allBuiltInputs(
  engine: ContainerEngine,
  references: readonly string[],
): Promise<(string | undefined)[]> {
  const all = await run(engine.name, ['image', 'inspect', ...references]).catch(() => undefined);
  if (all === undefined)
    return Promise.all(references.map((reference) => builtInputs(engine, reference)));
  return (JSON.parse(all) as InspectedImage[]).map(inputsOf);
}

/** Returns the hash that an image was built with. */
export async function builtInputs(
  engine: ContainerEngine,
  reference: string,
): Promise<string | undefined> {
  const image = await inspectImage(engine, reference);
  return image && inputsOf(image);
}

function inputsOf({ Config }: InspectedImage): string | undefined {
  return Config.Labels?.[INPUTS_LABEL];
}
