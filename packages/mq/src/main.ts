#!/usr/bin/env node
import { main } from '@sidekit/core';
import { consumer } from './consumer/consumer.ts';
import { producer } from './producer/producer.ts';

void main({ producer, consumer });
