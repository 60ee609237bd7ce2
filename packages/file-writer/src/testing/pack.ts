import { join } from 'node:path';
import { temporaryDirectory } from '@sidekit/test-kit';
import { SHA1 } from '../git/object-format.ts';
import { Pack, type PackLimits } from '../git/pack.ts';
import { ScratchFile } from '../git/scratch-file.ts';

/** Opens a pack from memory; the files that it needs have no names, so nothing is left to remove. */
export async function openPack(bytes: Buffer, limits: PackLimits): Promise<Pack> {
  using directory = temporaryDirectory('pack');
  let files = 0;
  const scratch = () => join(directory.path, String(files++));
  const file = await ScratchFile.receive(scratch(), [bytes]);
  return await Pack.open(file, SHA1, limits, scratch);
}
