/** ustar archives (POSIX.1-1988), as engines import and unpack them. */

interface Entry {
  readonly name: string;
  readonly mode: number;
  readonly group: number;
  /** Type flag: a file or a folder. */
  readonly type: '0' | '5';
  readonly content: Buffer;
}

/** Returns an archive of one file that belongs to root. */
export function fileTar(name: string, mode: number, content: Buffer): Buffer {
  return archive([{ name, mode, group: 0, type: '0', content }]);
}

/** Returns an archive of folders that belong to root and a group. */
export function folderTar(names: readonly string[], mode: number, group: number): Buffer {
  const content = Buffer.alloc(0);
  return archive(names.map((name) => ({ name: `${name}/`, mode, group, type: '5', content })));
}

function archive(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ content, ...entry }) => {
    const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
    return [header(entry, content.length), content, padding];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

function header({ name, mode, group, type }: Omit<Entry, 'content'>, size: number): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, offset: number, width: number) =>
    block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, offset, 'latin1');
  block.write(name, 0, 'latin1');
  octal(mode, 100, 8);
  octal(0, 108, 8);
  if (group < 0o10000000) octal(group, 116, 8);
  else {
    // GNU's form of a number that has no room in octal: base 256, with the first bit set.
    block.writeUInt32BE(0x80000000, 116);
    block.writeUInt32BE(group, 120);
  }
  octal(size, 124, 12);
  octal(0, 136, 12);
  block.fill(' ', 148, 156);
  block.write(type, 156, 'latin1');
  block.write('ustar\0', 257, 'latin1');
  block.write('00', 263, 'latin1');
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return block;
}
