/** Prints a table with one aligned row per measurement: what, how much, and the limit or goal beside it. */
export function printTable(title: string, rows: [what: string, measured: string, limit: string][]): void {
  console.log(`\n${title}`);
  for (const [what, measured, limit] of rows) console.log(`  ${what.padEnd(26)}${measured.padStart(12)}   ${limit}`);
}

export function median(numbers: number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error('nothing was measured');
  return middle;
}
