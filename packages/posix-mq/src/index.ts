export { errnoName, PosixMQError } from './errors/error.ts';
export { QUEUE_DIRECTORY, type QueueLimits, queueBytes, queueLimits } from './limits.ts';
export { type BrokenName, checkQueueName } from './name.ts';
export type { Attributes } from './native/native.ts';
export { allocateSlab, type Slab } from './native/slab.ts';
export type { OpenOptions } from './open.ts';
export { PosixMQ, unlinkQueue } from './queue.ts';
