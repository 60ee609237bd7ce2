#!/usr/bin/env node
import { main } from '@sidekit/core';
import { webapp } from './webapp.ts';

main(webapp);
