import { defineConfig } from '@playwright/test';
import { browser } from './support/browser';

// What is measured or looked at rather than tested: `npm run bench-page`, `bench-start` and `screenshots`.
// One at a time, because a second browser beside it would be measured too.
export default defineConfig({
  testDir: '.',
  outputDir: 'test-results',
  workers: 1,
  reporter: 'list',
  timeout: 120_000,
  reportSlowTests: null,
  use: browser,
  projects: [
    { name: 'page', testMatch: 'bench/page.ts' },
    { name: 'start', testMatch: 'bench/start.ts' },
    { name: 'uniform', testMatch: 'bench/uniform.ts' },
    { name: 'load', testMatch: 'bench/load.ts' },
    { name: 'screenshots', testMatch: 'screenshots.ts' },
  ],
});
