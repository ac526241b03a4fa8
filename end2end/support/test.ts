import { type ConsoleMessage, expect, test as base } from '@playwright/test';
import { Program } from './program';
import { MailServer, type MailServerOptions } from './mail-server';
import { type ProviderOptions, TestProvider } from './provider';

export { expect };

interface Fixtures {
  /** Statuses of documents and fetches that the tests of a file provoke on purpose: Chromium prints a line for each. */
  provokedStatuses: number[];
  /** Starts an installation without any user, for this test alone. `settings` is TOML, as in `mediamanager-auth.toml`. */
  freshProgram: (settings?: string) => Promise<Program>;
  /** The same with a certified provider that knows it. */
  withProvider: (options?: ProviderOptions) => Promise<{ program: Program; provider: TestProvider }>;
  /** The same with a real mail server. */
  withMail: (options?: MailServerOptions) => Promise<{ program: Program; mail: MailServer }>;
  quietBrowser: void;
}

interface WorkerFixtures {
  /** The plain installation that the tests of one worker share. It has an administrator, and each test makes its own users. */
  program: Program;
}

let visitors = 0;

export const test = base.extend<Fixtures, WorkerFixtures>({
  provokedStatuses: [[401, 422, 429], { option: true }],

  program: [
    async ({}, use) => {
      const program = await Program.install();
      try {
        await program.createUser('--admin');
        await program.start();
        await use(program);
        await program.stop();
      } finally {
        await program.remove();
      }
    },
    { scope: 'worker' },
  ],

  freshProgram: async ({ context }, use) => {
    const programs: Program[] = [];
    try {
      await use(async settings => {
        const program = await Program.install(settings);
        programs.push(program);
        await program.start();
        return program;
      });
      // First everything that the browser still wants: a late request for the favicon, which belongs to no page, would find nobody there.
      await context.close();
      for (const program of programs) await program.stop();
    } finally {
      for (const program of programs) await program.remove();
    }
  },

  withProvider: async ({ context, freshProgram }, use) => {
    const providers: TestProvider[] = [];
    try {
      // Its quick pages want a font from the network, which no test may need.
      await context.route('https://fonts.googleapis.com/**', route => route.fulfill({ contentType: 'text/css', body: '' }));
      await use(async options => {
        const provider = await TestProvider.start(options);
        providers.push(provider);
        const program = await freshProgram(provider.settings);
        provider.register(await program.redirectUri(), program.origin);
        return { program, provider };
      });
    } finally {
      for (const provider of providers) await provider.stop();
    }
  },

  withMail: async ({ freshProgram }, use) => {
    const servers: MailServer[] = [];
    try {
      await use(async options => {
        const mail = await MailServer.start(options);
        servers.push(mail);
        return { program: await freshProgram(mail.settings), mail };
      });
    } finally {
      for (const server of servers) await server.stop();
    }
  },

  baseURL: async ({ program }, use) => use(program.origin),

  // 198.18.0.0/15 belongs to nobody (RFC 2544). The program trusts this header from the loopback address only.
  extraHTTPHeaders: async ({}, use) => {
    visitors += 1;
    await use({ 'X-Forwarded-For': `198.18.${visitors >> 8}.${visitors & 255}` });
  },

  quietBrowser: [
    async ({ context, program, provokedStatuses }, use, testInfo) => {
      const noise: string[] = [];
      context.on('console', message => {
        if (!isOfTheProvider(message) && !isOfChromium(message, provokedStatuses)) noise.push(`${message.type()}: ${message.text()} (${message.location().url})`);
      });
      context.on('weberror', error => noise.push(`uncaught: ${error.error()}`));
      await use();
      if (testInfo.status !== testInfo.expectedStatus) await testInfo.attach('program output', { body: program.output, contentType: 'text/plain' });
      expect(noise, 'what the browser had to say').toEqual([]);
    },
    { auto: true },
  ],
});

/** The provider's own pages are not ours to mend. They are on 127.0.0.1; the program under test is on localhost. */
function isOfTheProvider(message: ConsoleMessage): boolean {
  return URL.canParse(message.location().url) && new URL(message.location().url).hostname === '127.0.0.1';
}

/** The lines that Chromium prints by itself when everything is as it should be. */
function isOfChromium(message: ConsoleMessage, provokedStatuses: number[]): boolean {
  // Sent over plain http too, where it has no effect (SR-113).
  if (/^The Cross-Origin-Opener-Policy header has been ignored, because the URL's origin was untrustworthy/.test(message.text())) return true;
  // A test that is offline means to be.
  if (message.text() === 'Failed to load resource: net::ERR_INTERNET_DISCONNECTED') return true;
  const refused = /^Failed to load resource: the server responded with a status of (\d{3}) \([A-Za-z ]*\)$/.exec(message.text());
  if (refused) return message.type() === 'error' && provokedStatuses.includes(Number(refused[1])) && !new URL(message.location().url).pathname.startsWith('/pkg/');
  return message.type() === 'info' && /^Clear-Site-Data header on '[^']+\/(logout|account(\/delete)?)': Cleared data types: "cache"\.$/.test(message.text());
}
