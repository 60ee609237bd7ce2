#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { main } from '@sidekit/core';
import { gitServer } from './git-server.ts';

// The image has Debian's git and its libraries next to the program.
const packaged = join(dirname(process.argv[1] ?? ''), 'debian');
const directory = existsSync(join(packaged, 'git')) ? packaged : undefined;

main(gitServer(directory ?? process.env.PATH ?? '', directory));
