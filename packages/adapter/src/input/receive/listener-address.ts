import {
  type Address,
  Broken,
  formatAddress,
  parseAddress,
  scalar,
  type Type,
} from '@sidekit/core';

/** The address of a listener, with its transport. */
export type ListenerAddress =
  | { readonly transport: 'udp' | 'tcp'; readonly host: string | undefined; readonly port: number }
  | { readonly transport: 'unix'; readonly path: string };

type Transport = ListenerAddress['transport'];

/** `udp:HOST:PORT`, `tcp:HOST:PORT` or `unix:/path`, as far as the transport is allowed. */
export function listenerAddress(...transports: readonly Transport[]): Type<ListenerAddress> {
  const forms = transports.map((one) => (one === 'unix' ? 'unix:/path' : `${one}::5514`));
  const remedy = `write ${forms.join(', ')}; without a host it is 127.0.0.1`;
  return scalar(
    'listener',
    { type: 'string' },
    (input) => {
      const address = typeof input === 'string' ? read(input) : undefined;
      return address && transports.includes(address.transport)
        ? address
        : new Broken('must be an address with its transport', remedy);
    },
    listenerText,
  );
}

/** The address as a user writes it. */
export function listenerText(address: ListenerAddress): string {
  const { transport } = address;
  return transport === 'unix'
    ? `unix:${address.path}`
    : `${transport}:${formatAddress(address as Address)}`;
}

function read(input: string): ListenerAddress | undefined {
  const transport = input.slice(0, input.indexOf(':'));
  if (transport !== 'udp' && transport !== 'tcp' && transport !== 'unix') return undefined;
  const address = parseAddress(transport === 'unix' ? input : input.slice(transport.length + 1));
  if (!address) return undefined;
  if ('path' in address) {
    return transport === 'unix' ? { transport, path: address.path } : undefined;
  }
  return transport === 'unix' ? undefined : { transport, ...address };
}
