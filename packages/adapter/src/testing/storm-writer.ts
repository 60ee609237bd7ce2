import { closeSync, copyFileSync, openSync, renameSync, truncateSync, writeSync } from 'node:fs';

/**
 * A program that writes numbered lines to one log and rotates it constantly.
 * Arguments: file, lines a second, seconds, milliseconds between rotations, rename|copytruncate.
 * Prints how many lines it wrote.
 */
const [path = '', rate = '0', seconds = '0', every = '0', manner = 'rename'] =
  process.argv.slice(2);
const total = Number(rate) * Number(seconds);
const started = performance.now();
let fd = openSync(path, 'a');
let written = 0;
let rotations = 0;

function rotate() {
  rotations++;
  const rotated = `${path}.${String(rotations).padStart(6, '0')}`;
  if (manner === 'copytruncate') {
    copyFileSync(path, rotated);
    truncateSync(path);
    return;
  }
  closeSync(fd);
  renameSync(path, rotated);
  fd = openSync(path, 'a');
}

function tick() {
  const elapsed = performance.now() - started;
  const due = Math.min(total, Math.floor((elapsed / 1000) * Number(rate)));
  let text = '';
  for (; written < due; written++) {
    text += `line ${written} of the storm, with some more text so that it has a usual length\n`;
  }
  if (text !== '') writeSync(fd, text);
  if (elapsed / Number(every) > rotations + 1) rotate();
  if (written < total) setTimeout(tick, 2);
  else process.stdout.write(`${written}\n`);
}
tick();
