/** Prints a table with one aligned row per measurement: what, how much, and the limit or goal beside it. */
export function printTable(title: string, rows: [what: string, measured: string, limit: string][]): void {
  const width = Math.max(24, ...rows.map(([what]) => what.length)) + 2;
  console.log(`\n${title}`);
  for (const [what, measured, limit] of rows) console.log(`  ${what.padEnd(width)}${measured.padStart(12)}   ${limit}`.trimEnd());
}

/** What stands beside a figure that has a bar. */
export function bar(words: string, held: boolean): string {
  return `bar ${words}${held ? '' : ', missed'}`;
}

export function median(numbers: number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error('nothing was measured');
  return middle;
}
