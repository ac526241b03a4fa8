import { logIn, send, touchForm } from '../support/actions';
import { expect, test } from '../support/test';

test('the account page says who is logged in and since when', async ({ page, program }) => {
  const person = await program.createUser();
  await logIn(page, person);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Your account');
  await expect(page.getByText(person.email)).toBeVisible();
  await expect(page.getByRole('time')).toHaveAttribute('datetime', /^\d{4}-\d{2}-\d{2}T/);
  await expect(page.getByRole('button', { name: 'Log out' })).toBeVisible();
});

test('a stranger has to log in first and then sees the account', async ({ page, program }) => {
  const person = await program.createUser();
  await page.goto('/account');
  await expect(page).toHaveURL('/login?return_to=%2Faccount');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Log in');
  await touchForm(page);
  await send(page, person, 'Log in');
  await expect(page).toHaveURL('/account');
});

test('a login survives a restart of the browser', async ({ page, browser, context, program }) => {
  const person = await program.createUser();
  await logIn(page, person);
  const later = await browser.newPage({ storageState: await context.storageState() });
  await later.goto('/account');
  await expect(later.getByText(person.email)).toBeVisible();
  await later.close();
});

test('a forged cookie is a stranger', async ({ page, context, program }) => {
  await context.addCookies([{ name: 'fastapiusersauth', value: 'eyJhbGciOiJub25lIn0.e30.', url: program.origin }]);
  await page.goto('/account');
  await expect(page).toHaveURL('/login?return_to=%2Faccount');
});
