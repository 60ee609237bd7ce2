import type { Health, Log, OptionValues, Registry } from '@sidekit/core';
import type { receiveOptions } from '../../options/receive.ts';
import type { ReceivedInput } from '../spool/open-spools.ts';
import type { Spool } from '../spool/spool.ts';
import { type ConnectionAddress, listenForConnections } from './connections.ts';
import { type Listener, listenForDatagrams } from './datagrams.ts';
import { type ListenerAddress, listenerText } from './listener-address.ts';
import { receiveMetrics } from './received.ts';

interface Parts {
  readonly options: OptionValues<typeof receiveOptions> & { readonly maxLine: number };
  readonly log: Log;
  readonly metrics: Registry;
  readonly health: Health;
}

/** The most bytes of a message that are kept. */
const LARGEST_MESSAGE = 64 * 1024;

/**
 * Opens all listeners, of which each adds to the spool of its input.
 * @returns the function that closes them.
 * @throws {ExpectedError} with a remedy if an address cannot be listened on.
 */
export async function receive(
  { options, log, metrics: registry, health }: Parts,
  spools: ReadonlyMap<ReceivedInput, Spool>,
): Promise<() => Promise<void>> {
  const metrics = receiveMetrics(registry);
  const listeners: Listener[] = [];
  const close = async () => {
    await Promise.all(listeners.map((listener) => listener.close()));
  };
  // A line holds at most twice the bytes of its message, and the time of its arrival.
  const limit = Math.min(LARGEST_MESSAGE, Math.floor((options.maxLine - 20) / 2));
  const inputs: [ReceivedInput, string, readonly ListenerAddress[]][] = [
    ['syslog', '--syslog', options.syslog],
    ['json', '--json-lines', options.jsonLines],
  ];
  const wanted = inputs.flatMap(([input, option, addresses]) =>
    addresses.map((address) => ({
      ...{ input, option, address },
      ready: health.condition(listenerText(address), 'startup', 'ready'),
    })),
  );
  registry.counter({
    name: 'adapter_dropped_datagrams_total',
    help: 'Datagrams that the kernel dropped because a receive buffer was full.',
    collect: () => listeners.reduce((sum, one) => sum + (one.kernelDrops?.() ?? 0), 0),
  });
  try {
    for (const { input, option, address, ready } of wanted) {
      const parts = { option, spool: spools.get(input)!, limit, metrics, log };
      const { transport } = address;
      const listener =
        transport === 'udp'
          ? await listenForDatagrams({ ...address, transport }, parts)
          : await listenForConnections(address as ConnectionAddress, {
              ...parts,
              counted: input === 'syslog',
              mostConnections: options.listenConnections,
              idle: options.listenIdle,
            });
      listeners.push(listener);
      ready.pass();
      const { address: bound, receiveBuffer } = listener;
      log.info('receiving messages', { event: 'receiving', input, address: bound, receiveBuffer });
    }
  } catch (error) {
    await close();
    throw error;
  }
  return close;
}
