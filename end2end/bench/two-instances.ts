import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, Program } from '../support/program';
import { logIn, processorTime } from './household';
import { bar, median, printTable } from './table';
import { CORES, inTurns, OTHER_CORES, rate, serve } from './wrk';

const ME = '/api/v1/users/me';
const ENDINGS = 10;
const POLL_MS = 5;
const KNOWN_WITHIN_MS = 1000;
const GIVE_UP_MS = 10_000;
const CONNECTIONS = 32;

/** Some of the machine's cores, as for `taskset`. */
interface Cores {
  list: string;
  count: number;
}

type Afterwards = (undo: () => Promise<void>) => void;

/** Two installations on one database, with one secret. */
async function install(settings: string, afterwards: Afterwards): Promise<[Program, Program]> {
  const secret = `auth.token_secret = "${randomBytes(32).toString('hex')}"\n`;
  const both: [Program, Program] = [await Program.install(secret + settings), await Program.install(secret + settings)];
  for (const program of both) afterwards(() => program.remove());
  return both;
}

/** How long a session that was ended on one instance lives on the other, which has just seen it alive. */
export async function endings(settings: string, afterwards: Afterwards): Promise<void> {
  const [here, there] = await install(settings, afterwards);
  const user = await here.createUser();
  for (const program of [here, there]) await program.start();
  const times: number[] = [];
  for (let n = 0; n < ENDINGS; n += 1) {
    const Cookie = await logIn(here.origin, user.email, user.password);
    const check = async () => (await fetch(there.origin + ME, { headers: { Cookie } })).status;
    // At another point of the second every time, because that is what the program remembers it for.
    await delay((1000 / ENDINGS) * n);
    if ((await check()) !== 200) throw new Error('a new session is not known on the other instance');
    const ended = await fetch(`${here.origin}/api/v1/auth/cookie/logout`, { method: 'POST', headers: { Cookie } });
    if (ended.status !== 204) throw new Error(`the log-out was answered ${ended.status}`);
    const since = performance.now();
    for (let status = 0; status !== 401; await delay(POLL_MS)) {
      status = await check();
      if (performance.now() - since > GIVE_UP_MS) throw new Error(`a session ended elsewhere is still answered ${status}`);
      if (status === 401) times.push(performance.now() - since);
    }
  }
  const longest = Math.max(...times);
  printTable(`A session ended on one of two instances, until the other refuses it, ${ENDINGS} times`, [
    ['median', `${median(times).toFixed(0)} ms`, ''],
    ['longest', `${longest.toFixed(0)} ms`, bar(`< ${KNOWN_WITHIN_MS} ms`, longest < KNOWN_WITHIN_MS)],
  ]);
  for (const program of [here, there]) await program.stop();
}

/**
 * How many session checks two instances answer, each on a core of its own, compared with one.
 *
 * From four cores on, wrk and nginx have cores of their own. With fewer they need what the instances want, so like is compared with like:
 * one instance with its wrk (and nginx) on one core, two with theirs on two. What one answers while wrk has the other core to itself stands
 * beside it.
 */
export async function throughput(settings: string, afterwards: Afterwards): Promise<void> {
  const [first, second] = await install(settings, afterwards);
  const user = await first.createUser();
  await first.start('0');
  await second.start(CORES > 1 ? '1' : '0');
  const Cookie = await logIn(first.origin, user.email, user.password);
  const isRoomy = CORES >= 4;
  const rest = { list: `2-${CORES - 1}`, count: CORES - 2 };
  const [few, many] = isRoomy ? [rest, rest] : [{ list: '0', count: 1 }, { list: `0-${CORES - 1}`, count: CORES }];
  const load = (cores: string, connections = CONNECTIONS) => ({ connections, headers: { Cookie }, cores });
  const behind = async (cores: Cores, ...upstreams: Program[]) => (await nginx(upstreams, cores, afterwards)) + ME;
  const [one, two] = [await behind(few, first), await behind(many, first, second)];
  const halves = () => Promise.all([first, second].map(program => rate(program.origin + ME, load(many.list, CONNECTIONS / 2))));
  const usage = new Usage([first, second]);
  const [roomy, alone, together, aloneBehind, togetherBehind] = await inTurns(
    usage.noting('one, wrk on other cores', () => rate(first.origin + ME, load(OTHER_CORES))),
    usage.noting('one', () => rate(first.origin + ME, load(few.list))),
    usage.noting('two', async () => (await halves()).reduce((sum, half) => sum + half, 0)),
    usage.noting('one behind nginx', () => rate(one, load(few.list))),
    usage.noting('two behind nginx', () => rate(two, load(many.list))),
  );
  const row = (what: string, measured: number, single?: number): [string, string, string] => [
    what,
    `${measured.toFixed(0)}/s`,
    usage.of(what) + (single === undefined ? '' : `; ${(measured / single).toFixed(2)} × one, ${bar('≥ 1.7', measured / single >= 1.7)}`),
  ];
  printTable(`Session checks of two instances on one PostgreSQL, on a core each; wrk and nginx on ${few.list} for one, on ${many.list} for two`, [
    row('one', alone),
    row('two', together, alone),
    row('one behind nginx', aloneBehind),
    row('two behind nginx', togetherBehind, aloneBehind),
    row('one, wrk on other cores', roomy),
  ]);
  if (!isRoomy) console.log(`  The last is not what two are compared with: wrk has a core for itself there, and none with two. It would be ${(together / roomy).toFixed(2)} ×.`);
  for (const program of [first, second]) await program.stop();
}

/** Cores' worth of processor time that the instances used, for each measurement of a name. */
class Usage {
  private readonly found = new Map<string, number[]>();

  constructor(private readonly programs: Program[]) {}

  noting(name: string, measure: () => Promise<number>): () => Promise<number> {
    return async () => {
      const [started, before] = [performance.now(), await this.processorTime()];
      const measured = await measure();
      const cores = (await this.processorTime() - before) / ((performance.now() - started) / 1000);
      this.found.set(name, [...(this.found.get(name) ?? []), cores]);
      return measured;
    };
  }

  of(name: string): string {
    return `${median(this.found.get(name) ?? []).toFixed(2)} cores used by instances`;
  }

  private async processorTime(): Promise<number> {
    const times = await Promise.all(this.programs.map(program => processorTime(program.pid)));
    return times.reduce((sum, time) => sum + time, 0);
  }
}

/** An nginx of its own in front of these, with a worker for each core, round robin, over connections that are kept. */
async function nginx(upstreams: Program[], { list, count }: Cores, afterwards: Afterwards): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'mediamanager-auth-'));
  afterwards(() => rm(directory, { recursive: true, force: true }));
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(kind => `${kind}_temp_path ${directory}/${kind};`);
  await writeFile(
    join(directory, 'nginx.conf'),
    `daemon off;
worker_processes ${count};
pid ${directory}/nginx.pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 100000000;
  ${temporary.join(' ')}
  upstream instances {
    ${upstreams.map(program => `server 127.0.0.1:${new URL(program.origin).port};`).join(' ')}
    keepalive ${CONNECTIONS};
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://instances;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
    }
  }
}
`,
  );
  const origin = `http://127.0.0.1:${port}`;
  // Debian's is where only root looks.
  const { stop } = await serve(['env', `PATH=${process.env.PATH}:/usr/sbin`, 'nginx', '-e', 'stderr', '-c', join(directory, 'nginx.conf')], `${origin}/livez`, list);
  afterwards(stop);
  return origin;
}
