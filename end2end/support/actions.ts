import { type Locator, type Page, type Response, test } from '@playwright/test';
import type { User } from './program';

// What a person does. Nothing here checks anything: that is the business of the specs.

export const email = (page: Page): Locator => page.getByLabel('E-mail', { exact: true });
export const password = (page: Page): Locator => page.getByLabel('Password', { exact: true });

/** Opens a page with a form and touches it, which is what makes a browser with script bring it to life. */
export async function openForm(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await touchForm(page);
}

/** Focuses the first field and waits until the form, if it is an island, answers to script. */
export async function touchForm(page: Page): Promise<void> {
  await email(page).focus();
  const island = page.locator('leptos-island form');
  if (hasScript() && (await island.count()) > 0) await island.and(page.locator('[data-hydrated]')).waitFor();
}

/** Fills both fields, whatever is in them, and sends the form; resolves with the server's answer. */
export async function send(page: Page, person: User, button: string): Promise<Response> {
  await email(page).fill(person.email);
  await password(page).fill(person.password);
  return press(page, button);
}

/** Presses a button that posts; resolves with the server's answer. A refused form comes back, without script as a new page, and
 * whoever goes on only after it has moved the focus to what was wrong does as people do. */
export async function press(page: Page, button: string): Promise<Response> {
  const answered = page.waitForResponse(response => response.request().method() === 'POST');
  await page.getByRole('button', { name: button, exact: true }).click();
  const answer = await answered;
  if (!hasScript() && [401, 422].includes(answer.status())) await page.locator('[autofocus]:focus').waitFor();
  return answer;
}

/** The whole way in, from the login page to wherever it leads. */
export async function logIn(page: Page, person: User, address = '/login'): Promise<void> {
  await openForm(page, address);
  await send(page, person, 'Log in');
  await page.waitForURL(url => url.pathname !== '/login');
}

/** From now on the login form goes out with other values than the ones typed: those a browser would refuse to send. */
export async function smuggle(page: Page, values: Record<string, string>): Promise<void> {
  await page.route('**/login', async route => {
    if (route.request().method() !== 'POST') return route.fallback();
    const form = new URLSearchParams(route.request().postData() ?? '');
    for (const [name, value] of Object.entries(values)) form.set(name, value);
    return route.continue({ postData: form.toString() });
  });
}

function hasScript(): boolean {
  return test.info().project.use.javaScriptEnabled !== false;
}
