import type { Page } from '@playwright/test';

// What a person does on the provider's own pages.

/** Presses the program's button for the provider. */
export async function continueWith(page: Page, name: string): Promise<void> {
  await page.getByRole('link', { name: `Continue with ${name}` }).click();
}

/** Logs in at the provider and allows what is asked for. */
export async function logInThere(page: Page, email: string): Promise<void> {
  await page.getByPlaceholder('Enter any login').fill(email);
  await page.getByPlaceholder('and password').fill('whatever');
  await page.getByRole('button', { name: 'Sign-in' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
}

/** Ends the session at the provider, on its own page. */
export async function confirmLogOutThere(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Yes, sign me out' }).click();
}
