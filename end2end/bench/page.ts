import type { Browser, Page } from '@playwright/test';
import { touchForm } from '../support/actions';
import { expect, test } from '../support/test';
import { median, printTable } from './table';

const LOADS = 7;
const USABLE_BYTES = 14_000;
const USABLE_REQUESTS = 3;
const HYDRATED_BYTES = 95_000;

interface Load {
  usable: { bytes: number; requests: number };
  hydrated: { bytes: number; requests: number };
  firstContentfulPaint: number;
}

test('the login page stays small', async ({ browser }) => {
  const loads: Load[] = [];
  for (let n = 0; n < LOADS; n += 1) loads.push(await load(browser));
  const usable = { bytes: median(loads.map(load => load.usable.bytes)), requests: median(loads.map(load => load.usable.requests)) };
  const hydrated = { bytes: median(loads.map(load => load.hydrated.bytes)), requests: median(loads.map(load => load.hydrated.requests)) };
  const paint = median(loads.map(load => load.firstContentfulPaint));

  printTable(`Login page, median of ${LOADS} cold loads`, [
    ['usable: on the wire', `${usable.bytes} B`, `budget ${USABLE_BYTES} B`],
    ['usable: requests', `${usable.requests}`, `budget ${USABLE_REQUESTS}`],
    ['hydrated: on the wire', `${hydrated.bytes} B`, `budget ${HYDRATED_BYTES} B`],
    ['hydrated: requests', `${hydrated.requests}`, ''],
    ['first contentful paint', `${Math.round(paint)} ms`, ''],
  ]);
  expect.soft(usable.bytes, 'bytes until the page is usable').toBeLessThanOrEqual(USABLE_BYTES);
  expect.soft(usable.requests, 'requests until the page is usable').toBeLessThanOrEqual(USABLE_REQUESTS);
  expect.soft(hydrated.bytes, 'bytes until the page is hydrated').toBeLessThanOrEqual(HYDRATED_BYTES);
});

/** Opens the login page with an empty cache. It is usable at the load event and hydrated after its first field was focused. */
async function load(browser: Browser): Promise<Load> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  const requests = new Map<string, { sent: number; bytes: number | undefined }>();
  devtools.on('Network.requestWillBeSent', ({ requestId, timestamp, request }) => {
    if (request.url.startsWith('http')) requests.set(requestId, { sent: timestamp, bytes: undefined });
  });
  devtools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const request = requests.get(requestId);
    if (request) request.bytes = encodedDataLength;
  });
  let loaded = 0;
  devtools.on('Page.loadEventFired', ({ timestamp }) => (loaded = timestamp));
  await devtools.send('Network.enable');
  await devtools.send('Page.enable');

  await page.goto('/login');
  const firstContentfulPaint = await paintOf(page);
  await touchForm(page);
  await expect.poll(() => [...requests.values()].every(request => request.bytes !== undefined), 'all requests end').toBe(true);
  const all = [...requests.values()];
  await context.close();
  return { usable: total(all.filter(request => request.sent <= loaded)), hydrated: total(all), firstContentfulPaint };
}

function total(requests: { bytes: number | undefined }[]): Load['usable'] {
  return { bytes: requests.reduce((sum, request) => sum + (request.bytes ?? 0), 0), requests: requests.length };
}

async function paintOf(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>(resolve => {
        const observer = new PerformanceObserver(list => list.getEntriesByName('first-contentful-paint').forEach(entry => resolve(entry.startTime)));
        observer.observe({ type: 'paint', buffered: true });
      }),
  );
}
