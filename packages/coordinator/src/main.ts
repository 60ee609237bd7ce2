#!/usr/bin/env node
import { main } from '@sidekit/core';
import { coordinator } from './coordinator.ts';

main(coordinator);
