import { existsSync } from 'node:fs';
import type { PlaywrightTestOptions, PlaywrightWorkerOptions } from '@playwright/test';

/** A Chromium of the system, where there is one; else the one that `npx playwright install chromium` brought. */
const installed = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/google-chrome'].find(path => existsSync(path));

/** How every test and measurement starts its browser: nothing of its own may be on the wire. */
export const browser: Partial<PlaywrightTestOptions & PlaywrightWorkerOptions> = {
  browserName: 'chromium',
  locale: 'en-GB',
  trace: 'on-first-retry',
  launchOptions: {
    ...(installed ? { executablePath: installed } : {}),
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--host-resolver-rules=MAP *.test 127.0.0.1'],
  },
};
