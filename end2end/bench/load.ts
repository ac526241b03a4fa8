import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, get, type IncomingMessage } from 'node:http';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test as base } from '@playwright/test';
import { freePort, Program } from '../support/program';
import { household, logIn, memory, onPostgres, UNTHROTTLED } from './household';
import { bar, median, printTable } from './table';
import { endings, throughput } from './two-instances';
import { CORES, inTurns, OTHER_CORES, rate, ROUNDS, SECONDS, serve, SERVER_CORE, wrk } from './wrk';

// A bar that does not hold is marked `missed` and fails nothing: it depends on the machine, and on what else that does. What fails is a
// measurement that could not be taken, such as one with an answer other than expected.

const run = promisify(execFile);
/** The example of that name, which does the same work with nothing around it. */
const BARE = process.env.BENCH_BARE ?? fileURLToPath(new URL('../../target/release/examples/bare', import.meta.url));
const ME = '/api/v1/users/me';
const CONNECTIONS = 32;
/** As many passwords as the program checks at a time by default. */
const PERMITS = Math.min(CORES, 4);
const PASSWORD_MIB = 64;
const FLOOD = 1000;
const FEW = 1000;
const MANY = Number(process.env.BENCH_USERS ?? 1_000_000);
const REQUESTS = 300;

interface Fixtures {
  /** Whatever has to be undone after a test, the last first. */
  afterwards: (undo: () => Promise<void>) => void;
}

const test = base.extend<Fixtures>({
  afterwards: async ({}, use) => {
    const undone: (() => Promise<void>)[] = [];
    await use(undo => undone.push(undo));
    for (const undo of undone.reverse()) await undo();
  },
});
test.setTimeout(1_200_000);

test('the machine', async () => {
  const { stdout: wrkVersion } = await run('wrk', ['-v']).catch(error => error);
  const { stdout: postgres } = await run('psql', ['--version']);
  printTable('Machine', [
    ['processor', '', `${cpus()[0]?.model.trim()}, ${CORES} cores`],
    ['memory', '', `${(totalmem() / 2 ** 30).toFixed(0)} GiB`],
    ['kernel', '', release()],
    ['tools', '', `${wrkVersion.split(' [')[0]}, ${postgres.trim()}, Node.js ${process.version}`],
    ['when', '', `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, load ${loadavg()[0]?.toFixed(1)} before`],
    ['one core', '', `the program has core ${SERVER_CORE}, wrk ${OTHER_CORES}; ${CONNECTIONS} connections, ${SECONDS} s, in turns, median of ${ROUNDS}`],
  ]);
});

for (const [database, share] of [['SQLite', 0.7], ['PostgreSQL', 0.5]] as const) {
  test(`session checks on ${database}`, async ({ afterwards }) => {
    const program = await Program.install(database === 'SQLite' ? '' : await onPostgres());
    afterwards(() => program.remove());
    const user = await program.createUser();
    await program.start(SERVER_CORE);
    const headers = { Cookie: await logIn(program.origin, user.email, user.password) };
    const directory = await mkdtemp(join(tmpdir(), 'mediamanager-auth-'));
    afterwards(() => rm(directory, { recursive: true }));
    const file = join(directory, 'answer');
    await writeFile(file, await written(program.origin + ME, headers));
    const bareOrigin = `http://127.0.0.1:${await freePort()}`;
    const bareServer = await serve([BARE, 'serve', new URL(bareOrigin).port, file], bareOrigin, SERVER_CORE);
    afterwards(bareServer.stop);

    const load = { connections: CONNECTIONS, headers, cores: OTHER_CORES };
    const [bare, ours] = await inTurns(() => rate(bareOrigin + ME, load), () => rate(program.origin + ME, load));
    printTable(`GET ${ME} with a session, ${database}, one core`, [
      ['bare axum, same bytes', perSecond(bare), ''],
      ['ours', perSecond(ours), ''],
      ['ours / bare', percent(ours / bare), bar(`≥ ${percent(share)}`, ours / bare >= share)],
    ]);
    await program.stop();
  });
}

test('the login page', async ({ afterwards }) => {
  const program = await Program.install();
  afterwards(() => program.remove());
  await program.createUser('--admin');
  await program.start(SERVER_CORE);
  const bareOrigin = `http://127.0.0.1:${await freePort()}`;
  const bareServer = await serve([BARE, 'page', new URL(bareOrigin).port], bareOrigin, SERVER_CORE);
  afterwards(bareServer.stop);

  const load = { connections: CONNECTIONS, cores: OTHER_CORES };
  const [bare, ours] = await inTurns(() => rate(`${bareOrigin}/login`, load), () => rate(`${program.origin}/login`, load));
  printTable('GET /login, one core', [
    ['bare Leptos page', perSecond(bare), ''],
    ['ours', perSecond(ours), bar('≥ 10000/s', ours >= 10_000)],
    ['ours / bare', percent(ours / bare), ''],
  ]);
  await program.stop();
});

test('logins', async ({ afterwards }) => {
  const { program, password } = await household(FEW);
  afterwards(() => program.remove());
  await program.start();
  const seconds = SECONDS * 2;
  // Few enough that nobody waits for so long as to be refused.
  const load = { connections: 4 * PERMITS, seconds, script: loginScript(password) };
  const bareArgon2 = async () => Number((await run(BARE, ['argon2', `${PERMITS}`, `${seconds}`])).stdout);
  const [bare, ours] = await inTurns(bareArgon2, () => rate(program.origin + LOGIN, load));
  printTable(`Logins with the right password, all ${CORES} cores, ${PERMITS} at a time`, [
    ['bare Argon2id', perSecond(bare), ''],
    ['ours', perSecond(ours), ''],
    ['ours / bare', percent(ours / bare), bar('≥ 95 %', ours / bare >= 0.95)],
  ]);
  await program.stop();
});

test('session checks during a flood of logins', async ({ afterwards }) => {
  const { program, password, people } = await household(FEW);
  afterwards(() => program.remove());
  await program.start();
  const checks = { connections: 4, headers: { Cookie: people[0]?.cookie ?? '' }, seconds: SECONDS * 2 };
  const idle = await memory(program.pid, 'VmRSS');
  const quiet = await wrk(program.origin + ME, checks);
  const flood = wrk(program.origin + LOGIN, { connections: FLOOD, seconds: SECONDS * 2 + 2, isFlood: true, script: loginScript(password) });
  const [logins, flooded] = await Promise.all([flood, wrk(program.origin + ME, checks)]);
  const most = await memory(program.pid, 'VmHWM');
  const budget = idle + PERMITS * PASSWORD_MIB + 64;
  printTable(`Session checks while ${FLOOD} connections log in without a pause, all ${CORES} cores, which wrk shares`, [
    ['logins', perSecond(logins.perSecond, 1), `${logins.refused} told to come back, ${logins.broken} without an answer`],
    ['checks without the flood', perSecond(quiet.perSecond), `p99 ${quiet.p99.toFixed(1)} ms`],
    ['checks during the flood', perSecond(flooded.perSecond), ''],
    ['p99 during the flood', `${flooded.p99.toFixed(1)} ms`, bar('< 250 ms', flooded.p99 < 250)],
    ['resident when idle', `${idle.toFixed(1)} MiB`, ''],
    ['resident at most', `${most.toFixed(1)} MiB`, bar(`≤ ${budget.toFixed(0)} MiB (idle + ${PERMITS} × ${PASSWORD_MIB} + 64)`, most <= budget)],
  ]);
  await program.stop();
});

test('many accounts', async ({ afterwards }) => {
  const homes: Awaited<ReturnType<typeof household>>[] = [];
  for (const accounts of [FEW, MANY]) {
    const home = await household(accounts);
    afterwards(() => home.program.remove());
    await home.program.start();
    homes.push(home);
  }
  // Every session is another one, so that each check asks the database.
  const agent = new Agent({ keepAlive: true });
  afterwards(async () => agent.destroy());
  const checks = await latencies(homes, ({ program, people }, number) => ask(program.origin + ME, { Cookie: people[number % people.length]?.cookie ?? '' }, agent));
  const logins = await latencies(homes, ({ program, people, password }, number) => logIn(program.origin, people[number % people.length]?.email ?? '', password));
  const rows = (what: string, [few = NaN, many = NaN]: number[]): [string, string, string][] => [
    [`${what}, ${FEW}`, `${few.toFixed(2)} ms`, ''],
    [`${what}, ${MANY}`, `${many.toFixed(2)} ms`, ''],
    ['many / few', (many / few).toFixed(2), bar('≤ 1.3', many / few <= 1.3)],
  ];
  printTable(`Accounts and sessions in the database, SQLite, medians of ${REQUESTS} requests one after the other`, [...rows('session check', checks), ...rows('login', logins)]);
  for (const { program } of homes) await program.stop();
});

test('two instances', async ({ afterwards }) => {
  const shared = `${await onPostgres()}${UNTHROTTLED}`;
  await endings(shared, afterwards);
  await throughput(shared, afterwards);
});

const LOGIN = '/api/v1/auth/cookie/login';

function loginScript(password: string): [string, ...string[]] {
  return ['login.lua', password, `${FEW}`];
}

/** An answer as `curl -i` prints it. */
async function written(url: string, headers: Record<string, string>): Promise<string> {
  const answer = await ask(url, headers);
  const fields = Array.from({ length: answer.rawHeaders.length / 2 }, (_, n) => `${answer.rawHeaders[2 * n]}: ${answer.rawHeaders[2 * n + 1]}\r\n`);
  return `HTTP/1.1 200 OK\r\n${fields.join('')}\r\n${answer.body}`;
}

async function ask(url: string, headers: Record<string, string>, agent?: Agent): Promise<{ rawHeaders: string[]; body: string }> {
  const [answer]: IncomingMessage[] = await once(get(url, { headers, ...(agent ? { agent } : {}) }), 'response');
  if (answer?.statusCode !== 200) throw new Error(`${url} answered ${answer?.statusCode}`);
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part);
  return { rawHeaders: answer.rawHeaders, body: Buffer.concat(parts).toString() };
}

/** Milliseconds of one request, for each of the homes, in turns. */
async function latencies<T>(homes: T[], request: (home: T, number: number) => Promise<unknown>): Promise<number[]> {
  const times: number[][] = homes.map(() => []);
  for (let number = 0; number < REQUESTS; number += 1) {
    for (const [index, home] of homes.entries()) {
      const started = performance.now();
      await request(home, number);
      times[index]?.push(performance.now() - started);
    }
  }
  return times.map(median);
}

function perSecond(rate: number, digits = rate < 1000 ? 1 : 0): string {
  return `${rate.toFixed(digits)}/s`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
