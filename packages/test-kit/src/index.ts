export { testPublishedSchema, testReadmeOptions } from './documentation.ts';
export { type EarlyStopOptions, testEarlyStop } from './early-stop.ts';
export {
  eventually,
  later,
  staysTrueFor,
  type WaitOptions,
} from './eventually.ts';
export {
  LimitedProcess,
  type LimitOptions,
  missingMemoryLimits,
} from './memory/limited-process.ts';
export { freePort } from './port.ts';
export {
  type ProcessOptions,
  programFile,
  startProgram,
  TestProcess,
  wallClockAt,
} from './process.ts';
export { propertyParameters } from './property.ts';
export { temporaryDirectory } from './temporary.ts';
