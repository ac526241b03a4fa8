import { logIn, press } from '../support/actions';
import { expect, test } from '../support/test';

const LOGGED_OUT = 'You are logged out.';

test('logging out ends at the login page, which says so', async ({ page, context, program }) => {
  await logIn(page, await program.createUser());
  await press(page, 'Log out');
  await expect(page).toHaveURL('/login?notice=logged_out');
  await expect(page.getByRole('status')).toHaveText(LOGGED_OUT);
  await expect(page).toHaveTitle('Log in · MediaManager');
  // What remains says that the account has been used here and what has just happened, and is no session.
  const remaining = (await context.cookies()).map(cookie => cookie.name.replace(/^device-.*/, 'device'));
  expect(remaining.sort()).toEqual(['device', 'notice']);
});

test('a link tells nobody that they are logged out or deleted', async ({ page }) => {
  for (const notice of ['logged_out', 'account_deleted', 'password_reset']) {
    await page.goto(`/login?notice=${notice}`);
    await expect(page.getByRole('button', { name: 'Log in' })).toBeVisible();
    await expect(page.getByRole('status')).toHaveCount(0);
  }
});

test('neither a login nor a logout leaves anything in the storage of the browser', async ({ page, program }) => {
  const kept = () => page.evaluate(() => ({ ...localStorage, ...sessionStorage }));
  await logIn(page, await program.createUser());
  await expect(page).toHaveURL('/account');
  expect(await kept()).toEqual({});
  await press(page, 'Log out');
  await expect(page.getByRole('status')).toHaveText(LOGGED_OUT);
  expect(await kept()).toEqual({});
});

test('after logging out neither the address nor the back button shows the account', async ({ page, program }) => {
  const person = await program.createUser();
  await logIn(page, person);
  await press(page, 'Log out');
  await expect(page.getByRole('status')).toHaveText(LOGGED_OUT);
  await page.goBack();
  await expect(page).toHaveURL('/login?return_to=%2Faccount');
  await expect(page.getByText(person.email)).toHaveCount(0);
});

test('a copied cookie is worth nothing after its owner logged out', async ({ page, context, program }) => {
  await logIn(page, await program.createUser());
  const copied = await context.cookies();
  await press(page, 'Log out');
  await expect(page.getByRole('status')).toHaveText(LOGGED_OUT);
  await context.addCookies(copied);
  await page.goto('/account');
  await expect(page).toHaveURL('/login?return_to=%2Faccount');
});

test('the logout page asks first and logs out then', async ({ page, program }) => {
  await logIn(page, await program.createUser());
  await page.goto('/logout');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Log out');
  await page.goto('/account');
  await expect(page).toHaveURL('/account');
  await page.goto('/logout');
  await press(page, 'Log out');
  await expect(page.getByRole('status')).toHaveText(LOGGED_OUT);
});

test('logging out with a session that is dead already is no error', async ({ page, context, program }) => {
  await logIn(page, await program.createUser());
  await context.clearCookies();
  await press(page, 'Log out');
  await expect(page.getByRole('status')).toHaveText(LOGGED_OUT);
});

test('logging out here does not log out elsewhere', async ({ page, browser, program }) => {
  const person = await program.createUser();
  const phone = await browser.newPage();
  await logIn(phone, person);
  await logIn(page, person);
  await press(page, 'Log out');
  await expect(page.getByRole('status')).toHaveText(LOGGED_OUT);
  await phone.reload();
  await expect(phone).toHaveURL('/account');
  await phone.close();
});
