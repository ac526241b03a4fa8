import { email, logIn, openForm, password, press, send, touchForm } from '../support/actions';
import { linkIn } from '../support/mail-server';
import { newPerson } from '../support/program';
import { continueWith, logInThere } from '../support/provider-actions';
import { expect, test } from '../support/test';

test('the account page says who is logged in and since when', async ({ page, program }) => {
  const person = await program.createUser();
  await logIn(page, person);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Your account');
  await expect(page.getByText(person.email)).toBeVisible();
  await expect(page.getByRole('time').first()).toHaveAttribute('datetime', /^\d{4}-\d{2}-\d{2}T/);
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

test.describe('looking after the account', () => {
  test.use({ provokedStatuses: [401, 404, 409, 422] });

  test('a new password counts, and the other browser is out', async ({ page, browser, program }) => {
    const person = await program.createUser();
    const elsewhere = await browser.newPage({ baseURL: program.origin });
    await logIn(elsewhere, person);
    await logIn(page, person);
    await page.getByRole('link', { name: 'Change password' }).click();
    await touchForm(page);
    await password(page).fill('short');
    expect((await press(page, 'Change password')).status()).toBe(422);
    await expect(page.getByText('Use at least 12 characters.')).toBeVisible();
    await password(page).fill('copper lantern meadow 4');
    await press(page, 'Change password');
    await expect(page.getByRole('status')).toHaveText('Your password is changed. You are logged out everywhere else.');
    await elsewhere.goto('/account');
    await expect(elsewhere).toHaveURL(/\/login\?return_to=/);
    await touchForm(elsewhere);
    await send(elsewhere, { ...person, password: 'copper lantern meadow 4' }, 'Log in');
    await expect(elsewhere).toHaveURL('/account');
    await elsewhere.close();
  });

  test('a session elsewhere is recognised and ended', async ({ page, browser, program }) => {
    const person = await program.createUser();
    const phone = await browser.newPage({ baseURL: program.origin, userAgent: 'Mozilla/5.0 (Linux; Android 16; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0' });
    await logIn(phone, person);
    await logIn(page, person);
    await expect(page.getByText('This browser')).toHaveCount(1);
    await press(page, 'End the session of Firefox on Android');
    await expect(page.getByRole('status')).toHaveText('That session is ended.');
    await expect(page.getByText('Firefox on Android')).toHaveCount(0);
    await phone.goto('/account');
    await expect(phone).toHaveURL(/\/login\?return_to=/);
    await phone.close();
  });

  test('who confirms that it is them goes on where they wanted to', async ({ page, program }) => {
    const person = await program.createUser();
    await logIn(page, person);
    await openForm(page, '/account/log-in-again?return_to=%2Faccount%2Fdelete');
    await expect(email(page)).toHaveValue(person.email);
    await password(page).fill('not the password');
    expect((await press(page, 'Go on')).status()).toBe(401);
    await password(page).fill(person.password);
    await press(page, 'Go on');
    await expect(page).toHaveURL('/account/delete');
  });

  test('an account that its owner deletes is gone', async ({ page, program }) => {
    const person = await program.createUser();
    await logIn(page, person);
    await page.getByRole('link', { name: 'Delete my account' }).click();
    await press(page, 'Delete my account');
    await expect(page.getByRole('status')).toHaveText('Your account is deleted.');
    await touchForm(page);
    await send(page, person, 'Log in');
    await expect(page.getByRole('alert')).toContainText('do not match');
  });

  test('the last administrator is told why they stay', async ({ page, freshProgram }) => {
    const program = await freshProgram();
    await logIn(page, await program.createUser('--admin'), `${program.origin}/login`);
    await page.goto(`${program.origin}/account/delete`);
    expect((await press(page, 'Delete my account')).status()).toBe(409);
    await expect(page.getByRole('alert')).toHaveText('This is the last active administrator. Make somebody else one first.');
  });

  test('another address counts once its mailbox has answered', async ({ page, withMail }) => {
    const { program, mail } = await withMail();
    const [person, { email: address }] = [await program.createUser(), newPerson()];
    await logIn(page, person, `${program.origin}/login`);
    await page.getByRole('link', { name: 'Change e-mail' }).click();
    await email(page).fill(address);
    await press(page, 'Send link');
    await expect(page.getByRole('status')).toContainText('We have sent a mail to the new address.');
    await expect(page.getByText(person.email)).toBeVisible();
    await page.goto(linkIn(await mail.mailTo(address, /Your new address/)));
    await press(page, 'Use this address');
    await expect(page.getByRole('status')).toContainText('Your address is changed.');
    await expect(page.getByText(address)).toBeVisible();
    await mail.mailTo(person.email, /Your address for MediaManager was changed/);
  });
});

test('an account at the provider is connected, lets its owner in, and is disconnected', async ({ page, withProvider }) => {
  const { program, provider } = await withProvider({ confirmsAddresses: false });
  const person = await program.createUser();
  await logIn(page, person, `${program.origin}/login`);
  await page.getByRole('link', { name: `Connect ${provider.name}` }).click();
  await page.getByRole('button', { name: `Go to ${provider.name}` }).click();
  await logInThere(page, newPerson().email);
  await expect(page.getByRole('status')).toHaveText('Your account at the provider is connected.');
  await press(page, 'Log out');
  await continueWith(page, provider.name);
  await expect(page).toHaveURL(`${program.origin}/account`);
  await expect(page.getByText(person.email)).toBeVisible();
  await page.getByRole('link', { name: `Disconnect ${provider.name}` }).click();
  await press(page, `Disconnect ${provider.name}`);
  await expect(page.getByRole('status')).toHaveText('Your account at the provider is disconnected.');
});
