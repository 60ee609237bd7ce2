#!/usr/bin/env node
import { main } from '@sidekit/core';
import { consumer } from './consumer.ts';
import { producer } from './producer.ts';

void main({ producer, consumer });
