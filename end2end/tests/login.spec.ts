import type { Page } from '@playwright/test';
import { email, logIn, openForm, password, press, send, smuggle } from '../support/actions';
import { newPerson } from '../support/program';
import { expect, test } from '../support/test';

const NO_MATCH = 'That e-mail and password do not match. Check both and try again.';

async function expectPathname(page: Page, pathname: string): Promise<void> {
  await expect(page).toHaveURL(url => url.pathname === pathname);
}

/** The error is beside its field and describes it, and the field has the focus. */
async function expectFieldError(page: Page, field: typeof email, message: string | RegExp): Promise<void> {
  await expect(field(page)).toHaveAttribute('aria-invalid', 'true');
  await expect(field(page)).toHaveAccessibleDescription(message);
  await expect(field(page)).toBeFocused();
  await expect(page).toHaveTitle('Error: Log in · MediaManager');
}

test('the page says what it is and password managers find its fields', async ({ page }) => {
  await page.goto('/login');
  await expect(page).toHaveTitle('Log in · MediaManager');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Log in');
  for (const [field, name, type, autocomplete] of [
    [email(page), 'email', 'email', 'username'],
    [password(page), 'password', 'password', 'current-password'],
  ] as const) {
    await expect(field).toHaveAttribute('name', name);
    await expect(field).toHaveAttribute('type', type);
    await expect(field).toHaveAttribute('autocomplete', autocomplete);
  }
});

test('a person logs in and sees the account', async ({ page, program }) => {
  const person = await program.createUser();
  await openForm(page, '/login');
  await send(page, person, 'Log in');
  await expectPathname(page, '/account');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Your account');
  await expect(page.getByText(person.email)).toBeVisible();
});

test('blanks around the address and capital letters do not matter', async ({ page, program }) => {
  const person = await program.createUser();
  await logIn(page, { ...person, email: ` ${person.email.toUpperCase()} ` });
  await expectPathname(page, '/account');
});

test('a login leads back to where the person wanted to go', async ({ page, program }) => {
  await logIn(page, await program.createUser(), '/login?return_to=%2Faccount%3Ffrom%3Dfilms');
  await expect(page).toHaveURL('/account?from=films');
});

test('a failed try does not forget where the person wanted to go', async ({ page, program }) => {
  const person = await program.createUser();
  await openForm(page, '/login?return_to=%2Faccount%3Ffrom%3Dfilms');
  await send(page, { ...person, password: 'wrong' }, 'Log in');
  await expect(page.getByRole('alert')).toHaveText(NO_MATCH);
  await send(page, person, 'Log in');
  await expect(page).toHaveURL('/account?from=films');
});

test('no link makes a login lead to another site', async ({ page, program }) => {
  const person = await program.createUser();
  for (const target of ['https://evil.example/', '//evil.example/', '/\\evil.example/', '/%2fevil.example/']) {
    await logIn(page, person, `/login?return_to=${encodeURIComponent(target)}`);
    await expect(page).toHaveURL('/account');
    await page.context().clearCookies();
  }
});

test('a wrong password keeps the address and empties the password', async ({ page, program }) => {
  const person = await program.createUser();
  await openForm(page, '/login');
  const answer = await send(page, { ...person, password: 'wrong' }, 'Log in');
  expect(answer.status()).toBe(401);
  const alert = page.getByRole('alert');
  await expect(alert).toHaveText(NO_MATCH);
  await expect(page).toHaveTitle('Error: Log in · MediaManager');
  await expect(page).toHaveURL('/login');
  await expect(email(page)).toHaveValue(person.email);
  await expect(password(page)).toHaveValue('');
  await expect(page.locator(':focus').and(alert.or(email(page)).or(password(page)))).toBeVisible();
});

test('an unknown address gets the same answer', async ({ page }) => {
  await openForm(page, '/login');
  const answer = await send(page, newPerson(), 'Log in');
  expect(answer.status()).toBe(401);
  await expect(page.getByRole('alert')).toHaveText(NO_MATCH);
});

test('after a wrong password the right one logs in', async ({ page, program }) => {
  const person = await program.createUser();
  await openForm(page, '/login');
  await send(page, { ...person, password: 'wrong' }, 'Log in');
  await expect(page.getByRole('alert')).toHaveText(NO_MATCH);
  await password(page).fill(person.password);
  await press(page, 'Log in');
  await expectPathname(page, '/account');
});

test('an address that no mail can have is named beside its field', async ({ page }) => {
  await openForm(page, '/login');
  // Browsers accept a local part of any length; MediaManager's column has 320 characters (SR-031).
  const tooLong = `${'a'.repeat(309)}@example.org`;
  const answer = await send(page, { ...newPerson(), email: tooLong }, 'Log in');
  expect(answer.status()).toBe(422);
  await expectFieldError(page, email, /Enter an e-mail address/);
  await expect(email(page)).toHaveValue(tooLong);
  await expect(password(page)).toHaveValue('');
  await expect(page).toHaveURL('/login');
});

test('a password longer than any is named beside its field', async ({ page }) => {
  await openForm(page, '/login');
  const answer = await send(page, { ...newPerson(), password: 'x'.repeat(4097) }, 'Log in');
  expect(answer.status()).toBe(422);
  await expectFieldError(page, password, /at most 256 characters/);
});

test('an empty address is named beside its field', async ({ page }) => {
  await openForm(page, '/login');
  await smuggle(page, { email: '' });
  const answer = await send(page, newPerson(), 'Log in');
  expect(answer.status()).toBe(422);
  await expectFieldError(page, email, /Enter an e-mail address/);
});

test('an empty password is named beside its field', async ({ page }) => {
  await openForm(page, '/login');
  await smuggle(page, { password: '' });
  const answer = await send(page, newPerson(), 'Log in');
  expect(answer.status()).toBe(422);
  await expectFieldError(page, password, /Enter a password/);
});

test('the plain page offers the form and a way to an account', async ({ page }) => {
  await page.goto('/login');
  await expect(page.getByRole('main').getByRole('link')).toHaveText(['Create account']);
});

test('with a provider the page offers it, and not between address and password', async ({ page, withProvider }) => {
  const { program, provider } = await withProvider();
  await openForm(page, `${program.origin}/login`);
  await page.keyboard.press('Tab');
  await expect(password(page)).toBeFocused();
  // A link, not a form: browsers apply the CSP's form-action to every redirect of a form.
  await expect(page.getByRole('link', { name: `Continue with ${provider.name}` })).toHaveAttribute('href', '/login/oidc');
});
