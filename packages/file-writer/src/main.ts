#!/usr/bin/env node
import { isMainThread } from 'node:worker_threads';
import { main } from '@sidekit/core';
import { fileWriter } from './file-writer.ts';

if (isMainThread) main(fileWriter(process.env));
// In an image, where all code is one file, the thread that renders a template starts here.
else void import('./template/thread.ts');
