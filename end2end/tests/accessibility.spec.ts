import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from '@playwright/test';
import { email, openForm, password } from '../support/actions';
import { addressOf, pages, provokedStatuses } from '../support/pages';
import { expect, test } from '../support/test';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** The narrowest screen of WCAG 2.2 SC 1.4.10. */
const NARROW = { width: 320, height: 640 };

test.use({ provokedStatuses });

/** axe needs JavaScript, so a page of a browser without it is rendered again in a browser with it. */
async function withScript(page: Page, browser: Browser): Promise<Page> {
  if (test.info().project.use.javaScriptEnabled !== false) return page;
  const copy = await (await browser.newContext({ javaScriptEnabled: true })).newPage();
  const body = await page.content();
  const headers = { 'Content-Security-Policy': "script-src 'none'" };
  await copy.route(page.url(), route => route.fulfill({ contentType: 'text/html; charset=utf-8', headers, body }));
  await copy.goto(page.url());
  return copy;
}

for (const [name, visit] of Object.entries(pages)) {
  test(`axe finds nothing in light and dark: ${name}`, async ({ page, browser, program, freshProgram, withProvider, withMail }) => {
    await visit(page, { program, freshProgram, withProvider, withMail });
    const audited = await withScript(page, browser);
    for (const colorScheme of ['light', 'dark'] as const) {
      // Reduced motion: axe would measure the colours of a transition.
      await audited.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const { violations } = await new AxeBuilder({ page: audited }).withTags(RULES).analyze();
      expect(violations.map(({ id, help, nodes }) => ({ id, help, at: nodes.map(node => node.html) })), colorScheme).toEqual([]);
    }
  });

  test(`nothing has to be scrolled sideways: ${name}`, async ({ page, program, freshProgram, withProvider, withMail }) => {
    await page.setViewportSize(NARROW);
    await visit(page, { program, freshProgram, withProvider, withMail });
    const address = addressOf(name);
    if (address) await expect(page).toHaveURL(address);
    // The styles must be loaded first.
    await page.waitForLoadState('load');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(NARROW.width);
  });
}

test('the keyboard is enough to log in', async ({ page, program }) => {
  const person = await program.createUser();
  await openForm(page, '/login');
  await page.keyboard.type(person.email);
  await page.keyboard.press('Tab');
  await expect(password(page)).toBeFocused();
  await page.keyboard.type(person.password);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL('/account');
});

test('the keyboard gets to the form from the top of the page', async ({ page }) => {
  await page.goto('/login');
  const arrived = (): Promise<boolean> => email(page).evaluate(field => field === document.activeElement);
  for (let stops = 0; stops < 5 && !(await arrived()); stops += 1) await page.keyboard.press('Tab');
  await expect(email(page)).toBeFocused();
});

test('dark mode is dark and light mode is light', async ({ page }) => {
  const brightness: Record<string, number> = {};
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.goto('/login');
    brightness[colorScheme] = await page.evaluate(() => {
      const context = new OffscreenCanvas(1, 1).getContext('2d');
      if (!context) throw new Error('no canvas');
      context.fillStyle = getComputedStyle(document.documentElement).backgroundColor;
      context.fillRect(0, 0, 1, 1);
      return context.getImageData(0, 0, 1, 1).data.slice(0, 3).reduce((sum, part) => sum + part, 0) / 3;
    });
  }
  expect(brightness.light).toBeGreaterThan(170);
  expect(brightness.dark).toBeLessThan(85);
});

test('a page that is not there says so', async ({ page }) => {
  const answer = await page.goto('/nowhere');
  expect(answer?.status()).toBe(404);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Page not found');
});
