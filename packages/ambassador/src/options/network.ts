import { BlockList, isIP } from 'node:net';
import { Broken, scalar, type Type } from '@sidekit/core';

/** A block of addresses: `10.0.0.0/8`, `fd00::/8`, or one address. */
export const network: Type<string> = scalar('CIDR', { type: 'string' }, (input) => {
  const good = typeof input === 'string' && parts(input) !== undefined;
  return good ? input : new Broken('must be a block of addresses', 'write 10.0.0.0/8 or ::1');
});

function parts(
  text: string,
): { address: string; bits: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits)))
    return undefined;
  const most = version === 4 ? 32 : 128;
  const length = bits === undefined ? most : Number(bits);
  return length > most
    ? undefined
    : { address, bits: length, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/** Returns a function that tells whether an address is in one of the blocks. */
export function membership(blocks: readonly string[]): (address: string) => boolean {
  if (blocks.length === 0) return () => false;
  const members = new BlockList();
  for (const block of blocks) {
    const { address, bits, family } = parts(block)!;
    members.addSubnet(address, bits, family);
  }
  return (address) => {
    const version = isIP(address);
    return version !== 0 && members.check(address, version === 4 ? 'ipv4' : 'ipv6');
  };
}
