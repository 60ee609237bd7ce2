#!/usr/bin/env node
import { main } from '@sidekit/core';
import { fileWriter } from './file-writer.ts';
import { THREAD_MARK } from './template/task.ts';

if (process.env[THREAD_MARK] === undefined) main(fileWriter(process.env));
// In an image, where all code is one file, the thread that renders a template starts here.
else void import('./template/thread.ts');
