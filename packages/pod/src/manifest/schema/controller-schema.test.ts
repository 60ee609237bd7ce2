import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readWorkload } from '../workload.ts';

test('the selector of a Job matches its template, and is there if it is manual', () => {
  const job = (fields: string) => {
    const text = `apiVersion: batch/v1
kind: Job
metadata: {name: j}
spec: {${fields}, template: {metadata: {labels: {a: b}}, spec: {restartPolicy: Never, containers: [{name: a, image: x}]}}}
`;
    try {
      readWorkload([{ name: 'm', text }]);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(job('selector: {matchLabels: {a: b}}, manualSelector: true'), '');
  assert.equal(job('selector: {}'), '');
  assert.match(job('selector: {matchLabels: {a: c}}'), /matchLabels\.a: "c" is not a label of/);
  assert.match(job('manualSelector: true'), /spec\.selector: is missing/);
});
