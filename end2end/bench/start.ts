import { readFile } from 'node:fs/promises';
import { Program } from '../support/program';
import { expect, test } from '../support/test';
import { median, printTable } from './table';

const STARTS = 10;
const GOAL_MS = 200;
const GOAL_MIB = 40;

test('the program starts fast and stays small', async () => {
  const program = await Program.install();
  try {
    await program.createUser('--admin');
    const times: number[] = [];
    const sizes: number[] = [];
    for (let n = 0; n < STARTS; n += 1) {
      times.push(await program.start());
      sizes.push(await residentMib(program.pid));
      await program.stop();
    }
    const size = median(sizes);
    printTable(`Start on an existing SQLite database, median of ${STARTS}`, [
      ['until the first answer', `${Math.round(median(times))} ms`, `goal ${GOAL_MS} ms`],
      ['resident when idle', `${size.toFixed(1)} MiB`, `limit ${GOAL_MIB} MiB`],
    ]);
    // The time depends on what else the machine does; the memory does not.
    expect(size, 'MiB resident').toBeLessThanOrEqual(GOAL_MIB);
  } finally {
    await program.remove();
  }
});

/** Linux only, like the containers this is about. */
async function residentMib(pid: number): Promise<number> {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}
