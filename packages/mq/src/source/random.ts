import { pause } from '@sidekit/core';
import { allocateSlab } from '@sidekit/posix-mq';
import { measureLines } from '../queue/lines.ts';
import { type Block, HEADROOM, type Source, type SourceStart } from './source.ts';

const RECORDS_A_BLOCK = 1000;

export interface RandomOptions extends SourceStart {
  readonly count: number;
  /** The pause between two numbers, in milliseconds. */
  readonly interval: number;
}

/** Makes `count` random numbers below 256 in hex, as the article's program does. */
export async function randomSource({ count, interval, position }: RandomOptions): Promise<Source> {
  const slab = await allocateSlab(HEADROOM + 3 * RECORDS_A_BLOCK);
  const ends = new Uint32Array(RECORDS_A_BLOCK);
  let made = position;
  return {
    finite: true,
    close: () => {},
    read: (stopping) => {
      if (made >= count || stopping.aborted) return undefined;
      if (interval === 0 || made === 0) return next();
      return pause(interval, stopping).then((full) => (full ? next() : undefined));
    },
  };

  function next(): Block {
    const records = interval > 0 ? 1 : Math.min(RECORDS_A_BLOCK, count - made);
    let text = '';
    for (let i = 0; i < records; i++) text += `${Math.floor(Math.random() * 256).toString(16)}\n`;
    made += records;
    const end = HEADROOM + slab.bytes.write(text, HEADROOM, 'latin1');
    return {
      slab,
      start: HEADROOM,
      end,
      position: made,
      ends,
      ...measureLines(slab.bytes, HEADROOM, end, ends),
    };
  }
}
