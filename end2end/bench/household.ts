import { createHmac, randomBytes } from 'node:crypto';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Program } from '../support/program';

const run = promisify(execFile);
const FILL = fileURLToPath(new URL('fill.py', import.meta.url));

/** Everybody logs in from one address here, which the throttles are there to stop. */
export const UNTHROTTLED = '[policy.throttle]\nenabled = false\n';

/** An installation with many accounts, all with the same password, and a session of each. Not started. */
export interface Household {
  program: Program;
  password: string;
  /** Some of them, spread over the whole database. The cookie is one of a session that is there. */
  people: { email: string; cookie: string }[];
}

/** Makes one with the program's own command, and `accounts` after its model. */
export async function household(accounts: number): Promise<Household> {
  const secret = randomBytes(32).toString('hex');
  const program = await Program.install(`auth.token_secret = "${secret}"\n${UNTHROTTLED}`);
  try {
    const { email, password } = await program.createUser();
    const { stdout } = await run('python3', [FILL, program.database, email, `${accounts}`]);
    const people: [string, string, string][] = JSON.parse(stdout);
    return { program, password, people: people.map(([email, user, session]) => ({ email, cookie: cookieFor(secret, user, session) })) };
  } catch (error) {
    await program.remove();
    throw error;
  }
}

/** What the program gives a browser at a login: a token signed with HS256. */
function cookieFor(secret: string, user: string, session: string): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { sub: uuid(user), aud: ['fastapi-users:auth'], jti: uuid(session), iat: now, exp: now + 86_400 };
  const signed = [{ typ: 'JWT', alg: 'HS256' }, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `fastapiusersauth=${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

function uuid(hex: string): string {
  return hex.toLowerCase().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Logs in over the contract; the cookie. */
export async function logIn(origin: string, email: string, password: string): Promise<string> {
  const answer = await fetch(`${origin}/api/v1/auth/cookie/login`, { method: 'POST', body: new URLSearchParams({ username: email, password }) });
  const cookie = answer.headers.get('set-cookie')?.split(';')[0];
  if (answer.status !== 204 || !cookie) throw new Error(`the login was answered ${answer.status}: ${await answer.text()}`);
  return cookie;
}

/** MiB of a process: resident now (`VmRSS`), or the most it has ever been (`VmHWM`). */
export async function memory(pid: number, which: 'VmRSS' | 'VmHWM'): Promise<number> {
  const kib = new RegExp(`^${which}:\\s+(\\d+) kB$`, 'm').exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kib === undefined) throw new Error(`no ${which} of process ${pid}`);
  return Number(kib) / 1024;
}

/** Seconds of processor time that a process has used. */
export async function processorTime(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
  // In user and system mode, in hundredths of a second on every Linux there is.
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** A new PostgreSQL database beside those of `.ci/with-postgres`, as a setting. */
export async function onPostgres(): Promise<string> {
  const server = process.env.TEST_POSTGRES_URL;
  if (!server) throw new Error('TEST_POSTGRES_URL is not set: run it with .ci/with-postgres');
  const name = `bench_${randomBytes(6).toString('hex')}`;
  await run('psql', ['--quiet', '--no-psqlrc', '--dbname', server, '--command', `CREATE DATABASE ${name}`]);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return `[server]\ndatabase_url = "${url}"\n`;
}
