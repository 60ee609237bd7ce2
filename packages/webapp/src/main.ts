#!/usr/bin/env node
import { main } from '@sidekit/core';
import { hangups, webapp } from './webapp.ts';

process.on('SIGHUP', () => hangups.emit('hangup'));
main(webapp);
