import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { answers } from '../support/program';
import { median } from './table';

const run = promisify(execFile);

/** How long each single measurement takes. Shorter ones are for working on these files. */
export const SECONDS = Number(process.env.BENCH_SECONDS ?? 4);
/** So many because the machine is faster at one moment than at the next. */
export const ROUNDS = 7;
const READY_WITHIN_MS = 10_000;

export const CORES = availableParallelism();
/** What is measured on one core has this one for itself. */
export const SERVER_CORE = '0';
/** What asks, and what is asked on the way, is on the others. */
export const OTHER_CORES = CORES > 2 ? `1-${CORES - 1}` : `${CORES - 1}`;

export interface Load {
  connections: number;
  seconds?: number;
  headers?: Record<string, string>;
  /** A Lua script beside this file, with its arguments. */
  script?: [file: string, ...args: string[]];
  /** As for `taskset`; all without it. */
  cores?: string;
  /** Asks for more than can be had. */
  isFlood?: boolean;
}

export interface Answered {
  /** Good answers per second. */
  perSecond: number;
  /** Milliseconds. */
  p99: number;
  /** Answers of 400 and above. */
  refused: number;
  /** Requests without an answer. */
  broken: number;
}

/** Asks for one address as fast as it can with Debian's wrk. Every answer has to be a good one, unless it is a flood. */
export async function wrk(url: string, { connections, seconds = SECONDS, headers = {}, script: [file, ...args] = ['report.lua'], cores, isFlood }: Load): Promise<Answered> {
  const fields = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const lua = fileURLToPath(new URL(file, import.meta.url));
  const command = ['wrk', '-t', '1', '-c', `${connections}`, '-d', `${seconds}`, '--timeout', '30s', ...fields, '-s', lua, url, '--', ...args];
  const [program = '', ...rest] = pinned(command, cores);
  const { stdout } = await run(program, rest);
  const line = /^RESULT (.*)$/m.exec(stdout)?.[1];
  if (line === undefined) throw new Error(`wrk has said nothing that can be read:\n${stdout}`);
  const { requests, micros, p99, refused, broken } = JSON.parse(line);
  const isSound = requests > 0 && (isFlood || refused + broken === 0);
  if (!isSound) throw new Error(`${url}: ${requests} answers, ${refused} of them of 400 and above; ${broken} requests without one`);
  return { perSecond: ((requests - refused) * 1e6) / micros, p99: p99 / 1000, refused, broken };
}

/** The same; good answers per second. */
export async function rate(url: string, load: Load): Promise<number> {
  return (await wrk(url, load)).perSecond;
}

/** Measures several things in turns, so that whatever else the machine does meets all of them. The medians, in their order. */
export async function inTurns<T extends readonly (() => Promise<number>)[]>(...measurements: T): Promise<{ [K in keyof T]: number }> {
  const found: number[][] = measurements.map(() => []);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, measure] of measurements.entries()) found[index]?.push(await measure());
  }
  return found.map(median) as { [K in keyof T]: number };
}

/** Runs a server until `stop` is called. Resolves when `url` gets an answer. */
export async function serve(command: string[], url: string, cores?: string): Promise<{ pid: number; stop: () => Promise<void> }> {
  const [program = '', ...rest] = pinned(command, cores);
  const child = spawn(program, rest, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.on('error', error => (said += error));
  child.stderr.setEncoding('utf8').on('data', text => (said += text));
  const stop = async () => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  };
  for (const until = performance.now() + READY_WITHIN_MS; !(await answers(url)); await delay(10)) {
    if (child.pid === undefined || child.exitCode !== null || performance.now() > until) {
      await stop();
      throw new Error(`${command.join(' ')} does not answer:\n${said}`);
    }
  }
  return { pid: child.pid ?? 0, stop };
}

/** The command on these cores only. */
function pinned(command: string[], cores: string | undefined): string[] {
  return cores === undefined ? command : ['taskset', '-c', cores, ...command];
}
