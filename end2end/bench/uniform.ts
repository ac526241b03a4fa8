import { readFile, writeFile } from 'node:fs/promises';
import initSqlJs from 'sql.js';
import { MailServer } from '../support/mail-server';
import { Program } from '../support/program';
import { expect, test } from '../support/test';
import { median, printTable } from './table';

/** Requests of each kind, taken in turns (SR-020). */
const REQUESTS = 200;
/** Accounts of each kind: nine failures each stay below the delays of an account. */
const ACCOUNTS = 25;
const GOAL_RATIO = 1.1;
const KINDS = ['known', 'unknown', 'disabled', 'provider-only'] as const;

test('an answer takes as long whoever has the address', async () => {
  test.setTimeout(600_000);
  const mail = await MailServer.start();
  const program = await Program.install(mail.settings);
  try {
    await prepare(program);
    await program.start();
    const ask: Record<string, (address: string, number: number) => Promise<number>> = {
      'login': (address, number) => timed(program, number, '/login', new URLSearchParams({ email: address, password: 'a wrong password' }), 'application/x-www-form-urlencoded'),
      'forgot password': (address, number) => timed(program, number, '/api/v1/auth/forgot-password', JSON.stringify({ email: address }), 'application/json'),
    };
    for (const [what, request] of Object.entries(ask)) {
      const times = new Map<string, number[]>(KINDS.map(kind => [kind, []]));
      let number = 0;
      for (let turn = 0; turn < REQUESTS; turn += 1) {
        for (const kind of KINDS) times.get(kind)?.push(await request(`${kind}${turn % ACCOUNTS}@example.org`, (number += 1)));
      }
      const medians = KINDS.map(kind => median(times.get(kind) ?? []));
      const ratio = Math.max(...medians) / Math.min(...medians);
      printTable(`${what}: medians of ${REQUESTS} requests each`, [
        ...KINDS.map((kind, index): [string, string, string] => [kind, `${(medians[index] ?? 0).toFixed(2)} ms`, '']),
        ['largest ratio', ratio.toFixed(3), `goal ${GOAL_RATIO}`],
      ]);
      expect(ratio, what).toBeLessThanOrEqual(GOAL_RATIO);
    }
    await program.stop();
  } finally {
    await program.remove();
    await mail.stop();
  }
});

/** Puts the accounts into the database: one made properly, the others after its model. */
async function prepare(program: Program): Promise<void> {
  const model = await program.createUser();
  await program.start();
  await program.stop();
  const SQL = await initSqlJs();
  const db = new SQL.Database(await readFile(program.database));
  for (const kind of KINDS.filter(kind => kind !== 'unknown')) {
    for (let number = 0; number < ACCOUNTS; number += 1) {
      db.run(
        `INSERT INTO user SELECT randomblob(16), '${kind}${number}@example.org', hashed_password, ${kind === 'disabled' ? 0 : 1}, 0, 1 FROM user WHERE email = '${model.email}'`,
      );
    }
  }
  db.run(`INSERT INTO auth_user_account (user_id, created_at, email_verified_at, is_passwordless) SELECT id, 0, 0, email LIKE 'provider%' FROM user WHERE email <> '${model.email}'`);
  await writeFile(program.database, db.export());
}

/** Milliseconds until the whole answer is there. Every request comes from an address of its own, so that none uses up another's budget. */
async function timed(program: Program, number: number, path: string, body: BodyInit, type: string): Promise<number> {
  const headers = {
    'Content-Type': type,
    'Accept': 'application/json',
    'Sec-Fetch-Site': 'same-origin',
    'X-Forwarded-For': `198.18.${number >> 8}.${number & 255}`,
  };
  const started = performance.now();
  const answer = await fetch(program.origin + path, { method: 'POST', headers, body });
  await answer.text();
  const took = performance.now() - started;
  if (![202, 401].includes(answer.status)) throw new Error(`${path} answered ${answer.status}`);
  return took;
}
