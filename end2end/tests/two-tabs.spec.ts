import { logIn, openForm, password, press } from '../support/actions';
import type { Page } from '@playwright/test';
import type { Program, User } from '../support/program';
import { expect, test } from '../support/test';

// Two tabs of one browser: a form in one belongs to a user who has logged out in the other.

test.use({ provokedStatuses: [409] });

test('a page for deleting an account deletes nobody after somebody else has logged in', async ({ page, program }) => {
  const { dad, mum } = await family(program);
  await logIn(page, dad);
  await page.goto('/account/delete');
  await logInInAnotherTab(page, mum);
  expect((await press(page, 'Delete my account')).status()).toBe(409);
  await expect(page.getByText(`You are now logged in as ${mum.email}. Nothing was changed.`)).toBeVisible();
  await page.getByRole('link', { name: 'Open the page again' }).click();
  await expect(page).toHaveURL('/account/delete');
  await expect(page.getByText(`The account of ${mum.email}`)).toBeVisible();
  await canLogIn(page, dad);
});

test('a page for changing a password changes none after somebody else has logged in', async ({ page, program }) => {
  const { dad, mum } = await family(program);
  await logIn(page, dad);
  await openForm(page, '/account/password');
  await logInInAnotherTab(page, mum);
  await password(page).fill('copper lantern meadow 4');
  expect((await press(page, 'Change password')).status()).toBe(409);
  await expect(page.getByText(`You are now logged in as ${mum.email}. Nothing was changed.`)).toBeVisible();
  for (const person of [dad, mum]) await canLogIn(page, person);
});

async function family(program: Program): Promise<{ dad: User; mum: User }> {
  return { dad: await program.createUser(), mum: await program.createUser() };
}

/** Logs out in a second tab and logs in as another user. */
async function logInInAnotherTab(page: Page, person: User): Promise<void> {
  const tab = await page.context().newPage();
  await tab.goto('/account');
  await press(tab, 'Log out');
  await tab.waitForURL('/login?notice=logged_out');
  await logIn(tab, person);
  await tab.close();
}

/** Logs in with the former password. */
async function canLogIn(page: Page, person: User): Promise<void> {
  await page.context().clearCookies();
  await logIn(page, person);
  await expect(page).toHaveURL('/account');
}
