export { testPublishedSchema, testReadmeOptions } from './documentation.ts';
export { freePort } from './port.ts';
export { type ProcessOptions, startProgram, TestProcess } from './process.ts';
export { propertyParameters } from './property.ts';
export { temporaryDirectory } from './temporary.ts';
export { type UntilOptions, until } from './until.ts';
