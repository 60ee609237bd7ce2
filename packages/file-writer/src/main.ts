#!/usr/bin/env node
import { main } from '@sidekit/core';
import { fileWriter } from './file-writer.ts';

main(fileWriter(process.env));
