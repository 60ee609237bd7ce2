import * as fileSystem from 'node:fs/promises';
import { type Context, defineSidecar, type Environment } from '@sidekit/core';
import { Follower } from './follow/follower.ts';
import { runOnce } from './follow/once.ts';
import { hasValidSignature } from './follow/signature.ts';
import { Slots } from './follow/slots.ts';
import { type Metrics, registerMetrics } from './metrics.ts';
import { Notifier } from './notify/notifier.ts';
import { notification } from './notify/send.ts';
import type { FileSpec } from './options/file-spec.ts';
import { fileSpecs, table } from './options/table.ts';
import { Target } from './publish/target.ts';
import { openSource } from './source/open.ts';

type FileWriterContext = Context<typeof table.options>;

/** Defines the sidecar; templates see `environment` as `env`. */
export function fileWriter(environment: Environment) {
  return defineSidecar({
    table,
    run: async (context) => {
      const { options, stopping } = context;
      const parts = {
        metrics: registerMetrics(context.metrics),
        slots: new Slots(options.concurrency),
        environment,
      };
      const followers = await Promise.all(
        fileSpecs(options).map((spec) => openFollower(spec, context, parts)),
      );
      const { syncSecretFile: secret } = options;
      const checkAll = () => {
        for (const follower of followers) follower.checkNow();
        return undefined;
      };
      context.admin.post('/sync', checkAll, {
        limit: 1024 * 1024,
        rate: 5,
        ...(secret ? { authorize: (request) => hasValidSignature(secret, request) } : {}),
      });
      if (options.once) return await runOnce(followers, options.onceTimeout, stopping);
      await Promise.all(followers.map((follower) => follower.follow(stopping)));
    },
  });
}

async function openFollower(
  spec: FileSpec,
  context: FileWriterContext,
  { metrics, slots, environment }: { metrics: Metrics; slots: Slots; environment: Environment },
): Promise<Follower> {
  const { health, stopping } = context;
  const log = context.log.with({ target: spec.target });
  const condition = health.condition(spec.target, 'startup', 'ready');
  const send = notification(spec);
  const notifier = send && new Notifier(send, spec, { write: spec, metrics, log, stopping });
  const appends = spec.source === 'clock' && spec.clockMode === 'append';
  const follower = new Follower({
    spec,
    source: await openSource(spec, environment),
    target: new Target({ ...spec, appends, fileSystem }),
    notifier,
    slots,
    condition,
    metrics,
    log,
  });
  await follower.open();
  return follower;
}
