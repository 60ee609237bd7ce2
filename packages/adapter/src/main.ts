#!/usr/bin/env node
import { main } from '@sidekit/core';
import { adapter } from './adapter.ts';

void main(adapter);
