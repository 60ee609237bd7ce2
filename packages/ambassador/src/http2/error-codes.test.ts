import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import { test } from 'node:test';
import * as codes from './error-codes.ts';

test('error codes and flags of HTTP/2 have the values that Node gives them', () => {
  for (const [name, value] of Object.entries(codes)) {
    assert.equal(constants[`NGHTTP2_${name}` as keyof typeof constants], value, name);
  }
});
