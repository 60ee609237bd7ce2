import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, onlyAddress } from './address.ts';

/** As the kernel prints it for a container with one network. */
const TABLE = `Main:
  +-- 0.0.0.0/1 2 0 2
     +-- 0.0.0.0/4 2 0 2
        |-- 0.0.0.0
           /0 universe UNICAST
        +-- 10.88.0.0/16 2 0 2
           +-- 10.88.0.0/21 2 0 2
              |-- 10.88.0.0
                 /16 link UNICAST
              |-- 10.88.6.122
                 /32 host LOCAL
           |-- 10.88.255.255
              /32 link BROADCAST
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
`;

test('the address of a network is neither loopback, nor broadcast, nor the network itself', () => {
  assert.equal(onlyAddress(`${TABLE}${TABLE.replace('Main', 'Local')}`), '10.88.6.122');
});

test('neither several addresses nor none give an address', () => {
  assert.equal(onlyAddress(TABLE + TABLE.replaceAll('10.88.6.122', '10.89.0.4')), undefined);
  assert.equal(onlyAddress(''), undefined);
});

test('a PID file that is missing or holds no number gives no address', () => {
  assert.equal(addressOf('/nonexistent'), undefined);
  assert.equal(addressOf('/proc/self/status'), undefined);
});
