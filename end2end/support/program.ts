import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const TARGET = fileURLToPath(new URL('../../target/', import.meta.url));
const PROGRAM = process.env.E2E_PROGRAM ?? join(TARGET, 'release/mediamanager-auth');
const READY_WITHIN_MS = 20_000;
const POLL_EVERY_MS = 2;
/** The program gives running requests ten seconds (SR-192). */
const GONE_WITHIN_MS = 12_000;

export interface User {
  email: string;
  password: string;
}

/** A household's installation: a directory with a configuration and a database, and the program running on it. */
export class Program {
  readonly origin: string;
  /** Everything the program has printed since it was started. */
  output = '';
  private readonly environment: NodeJS.ProcessEnv;
  private process: ChildProcess | undefined;

  private constructor(private readonly directory: string, port: number) {
    this.origin = `http://localhost:${port}`;
    // Not the developer's own environment: a variable of theirs would change the configuration under test.
    this.environment = {
      PATH: process.env.PATH,
      CONFIG_FILE: join(directory, 'config.toml'),
      RUST_BACKTRACE: '1',
    };
  }

  /** Lays out an installation without starting it. `settings` is TOML and becomes its `mediamanager-auth.toml`. */
  static async install(settings = ''): Promise<Program> {
    const directory = await mkdtemp(join(tmpdir(), 'mediamanager-auth-'));
    const program = new Program(directory, await freePort());
    await writeFile(
      join(directory, 'config.toml'),
      `[auth]
token_secret = "${randomBytes(32).toString('hex')}"
admin_emails = ["operator@example.org"]

[misc]
frontend_url = "${program.origin}"

[server]
port = ${new URL(program.origin).port}
database_url = "sqlite://${join(directory, 'auth.db')}"
# Lets every test come from an address of its own, so that no test uses up the attempts of another.
trusted_proxies = ["127.0.0.1/32"]
`,
      { mode: 0o600 },
    );
    if (settings) await writeFile(join(directory, 'mediamanager-auth.toml'), settings, { mode: 0o600 });
    return program;
  }

  /** Starts the program, on some cores only if they are given; resolves with the milliseconds until `/readyz` answered. */
  async start(cores?: string): Promise<number> {
    const started = performance.now();
    this.output = '';
    const [command, ...args] = cores === undefined ? [PROGRAM] : ['taskset', '-c', cores, PROGRAM];
    const child = spawn(command, args, { cwd: this.directory, env: this.environment, stdio: ['ignore', 'pipe', 'pipe'] });
    this.process = child;
    child.on('error', error => (this.output += `${error}\n`));
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => (this.output += text));
    while (!(await answers(`${this.origin}/readyz`))) {
      if (child.pid === undefined || child.exitCode !== null) throw new Error(`${PROGRAM} did not start:\n${this.output}`);
      if (performance.now() - started > READY_WITHIN_MS) throw new Error(`not ready within ${READY_WITHIN_MS} ms:\n${this.output}`);
      await delay(POLL_EVERY_MS);
    }
    return performance.now() - started;
  }

  /** Ends the program as an operator's machine does. It has to go quietly. */
  async stop(): Promise<void> {
    const child = this.process;
    if (child?.pid === undefined) return;
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit', { signal: AbortSignal.timeout(GONE_WITHIN_MS) });
      child.kill('SIGTERM');
      await gone;
    }
    if (child.exitCode !== 0) throw new Error(`ended with ${child.signalCode ?? child.exitCode} instead of 0:\n${this.output}`);
  }

  /** Leaves nothing behind, whatever has happened. */
  async remove(): Promise<void> {
    this.process?.kill('SIGKILL');
    await rm(this.directory, { recursive: true, force: true });
  }

  /** The file of the database. */
  get database(): string {
    return join(this.directory, 'auth.db');
  }

  /** Makes a new person with the shell command; nobody else has this address. `--admin` and `--pending` are its flags. */
  async createUser(...flags: ('--admin' | '--pending')[]): Promise<User> {
    const user = newPerson();
    const { code, printed } = await this.run(['user', 'create', user.email, ...flags], `${user.password}\n`);
    if (code !== 0) throw new Error(`user create ended with ${code}:\n${printed}`);
    return user;
  }

  /** Runs a subcommand with the installation's own configuration; its exit code and all it has printed. */
  async run(command: string[], input = ''): Promise<{ code: number; printed: string }> {
    const child = execFile(PROGRAM, command, { cwd: this.directory, env: this.environment });
    let printed = '';
    child.stdout?.on('data', text => (printed += text));
    child.stderr?.on('data', text => (printed += text));
    // It may have ended before it is asked to read: what it has said and its exit code tell, not a broken pipe.
    child.stdin?.on('error', () => undefined).end(input);
    const [code] = await once(child, 'close');
    return { code, printed };
  }

  /** The one-time link that the program prints on an empty database. */
  async setupLink(): Promise<string> {
    return this.printed(/http:\/\/localhost:\d+\/setup\?token=[^\s"]+/);
  }

  /** The address that it prints for the operator to register at the provider. */
  async redirectUri(): Promise<string> {
    const line = await this.printed(/^Redirect URI to register at .*$/m);
    return line.slice(line.lastIndexOf(' ') + 1);
  }

  private async printed(what: RegExp): Promise<string> {
    const until = performance.now() + READY_WITHIN_MS;
    for (;;) {
      const found = what.exec(this.output)?.[0];
      if (found) return found;
      if (performance.now() > until) throw new Error(`no ${what} in:\n${this.output}`);
      await delay(POLL_EVERY_MS);
    }
  }

  get pid(): number {
    if (this.process?.pid === undefined) throw new Error('the program is not running');
    return this.process.pid;
  }
}

/** An address and a password that nobody else has. */
export function newPerson(): User {
  return { email: `person-${randomBytes(6).toString('hex')}@example.org`, password: randomBytes(15).toString('base64url') };
}

/** Whether anything good is said at an address. */
export async function answers(url: string): Promise<boolean> {
  // `close`: a connection kept alive would make the measurement of later starts reuse a dead socket.
  return fetch(url, { headers: { connection: 'close' } }).then(answer => answer.ok, () => false);
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
