import { defineConfig } from '@playwright/test';
import { browser } from './support/browser';

// Every spec runs twice: once with WebAssembly and once in a browser without script. What needs script is named
// `*.hydrate.spec.ts`, what is about its absence `*.no-script.spec.ts`. The server is started by `support/test.ts`.
export default defineConfig({
  testDir: 'tests',
  outputDir: 'test-results',
  workers: 2,
  fullyParallel: true,
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  reporter: 'list',
  timeout: 30_000,
  use: browser,
  projects: [
    { name: 'hydrated', testIgnore: '**/*.no-script.spec.ts' },
    { name: 'no-script', testIgnore: '**/*.hydrate.spec.ts', use: { javaScriptEnabled: false } },
  ],
});
