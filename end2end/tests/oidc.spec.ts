import { expect as check, type Page } from '@playwright/test';
import { logIn, password, press, touchForm } from '../support/actions';
import { newPerson } from '../support/program';
import { confirmLogOutThere, continueWith, logInThere } from '../support/provider-actions';
import { expect, test } from '../support/test';

// Logins with a certified provider, through its own pages.

test.use({ provokedStatuses: [400, 401, 403, 503] });

const account = async (page: Page, email: string): Promise<void> => {
  await check(page.getByRole('heading', { level: 1 })).toHaveText('Your account');
  await check(page.getByRole('main')).toContainText(email);
};

test('the button leads through the provider and back in', async ({ page, withProvider }) => {
  const { program, provider } = await withProvider();
  const { email } = newPerson();
  await page.goto(`${program.origin}/login?return_to=%2Faccount%3Ffrom%3Dhere`);
  await continueWith(page, provider.name);
  await expect(page).toHaveURL(new RegExp(`^${provider.issuer}/`));
  await logInThere(page, email);
  await expect(page).toHaveURL(`${program.origin}/account?from=here`);
  await account(page, email);

  await page.reload();
  await account(page, email);
});

test('logging out ends here, and there too if one wants', async ({ page, withProvider }) => {
  const { program, provider } = await withProvider();
  const { email } = newPerson();
  await page.goto(`${program.origin}/login`);
  await continueWith(page, provider.name);
  await logInThere(page, email);
  await press(page, 'Log out');
  await expect(page.getByRole('status')).toHaveText('You are logged out.');
  await page.getByRole('link', { name: `Also log out of ${provider.name}` }).click();
  await confirmLogOutThere(page);
  await expect(page).toHaveURL(`${program.origin}/login`);
  await continueWith(page, provider.name);
  await expect(page.getByPlaceholder('Enter any login')).toBeVisible();
});

test('the provider ends the session here', async ({ page, withProvider }) => {
  const { program, provider } = await withProvider();
  const { email } = newPerson();
  await page.goto(`${program.origin}/login`);
  await continueWith(page, provider.name);
  await logInThere(page, email);
  await account(page, email);
  await page.goto(`${provider.issuer}/session/end`);
  await confirmLogOutThere(page);
  await expect(async () => {
    await page.goto(`${program.origin}/account`);
    await check(page).toHaveURL(/\/login\?/);
  }).toPass();
});

for (const name of ['Über ID 100%', 'POCKET-id', "Ada's “ID”", 'a+b&c=d']) {
  test(`a provider may be called ${name}`, async ({ page, withProvider }) => {
    const { program, provider } = await withProvider({ name: name.replaceAll('"', '') });
    const { email } = newPerson();
    await page.goto(`${program.origin}/login`);
    await continueWith(page, provider.name);
    await logInThere(page, email);
    await account(page, email);
  });
}

for (const options of [
  { authMethod: 'client_secret_post' as const },
  { algorithm: 'ES256' as const },
  { algorithm: 'PS256' as const, claimsInIdToken: true },
  { algorithm: 'EdDSA' as const },
]) {
  test(`a provider may be set up with ${JSON.stringify(options)}`, async ({ page, withProvider }) => {
    const { program, provider } = await withProvider(options);
    const { email } = newPerson();
    await page.goto(`${program.origin}/login`);
    await continueWith(page, provider.name);
    await logInThere(page, email);
    await account(page, email);
  });
}

test('keys may be rotated while the program runs', async ({ page, withProvider }) => {
  const { program, provider } = await withProvider();
  const { email } = newPerson();
  for (let round = 0; round < 2; round += 1) {
    await page.context().clearCookies();
    await page.goto(`${program.origin}/login`);
    await continueWith(page, provider.name);
    await logInThere(page, email);
    await account(page, email);
    provider.rotateKeys();
  }
});

test('whoever says no at the provider is told what to do', async ({ page, withProvider }) => {
  const { program, provider } = await withProvider();
  await page.goto(`${program.origin}/login`);
  await continueWith(page, provider.name);
  await page.getByRole('link', { name: 'Cancel' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('You were not let in');
  await expect(page.getByText(/^Reference: [0-9a-f]{32} \(access_denied\)$/)).toBeVisible();
  await page.getByRole('link', { name: `Try again with ${provider.name}` }).click();
  await expect(page).toHaveURL(new RegExp(`^${provider.issuer}/`));
});

test('while the provider is away its button says so, and it comes back by itself', async ({ page, withProvider }) => {
  const { program, provider } = await withProvider();
  await page.goto(`${program.origin}/login`);
  const button = page.getByRole('link', { name: `Continue with ${provider.name}` });
  await expect(button).not.toHaveAttribute('aria-disabled');
  // An open page would request its icon during the restart.
  await page.goto('about:blank');
  await provider.stop();
  // The metadata is cached for a minute; a restart requests it at once.
  await program.stop();
  await program.start();
  await expect(async () => {
    await page.goto(`${program.origin}/login`);
    await check(button).toHaveAttribute('aria-disabled', 'true');
  }).toPass();
  await expect(page.getByText(`${provider.name} is not reachable at the moment.`)).toBeVisible();
  await page.goto(`${program.origin}/login/oidc`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Try again soon');

  await provider.listen();
  await expect(async () => {
    await page.goto(`${program.origin}/login`);
    await check(button).not.toHaveAttribute('aria-disabled', { timeout: 100 });
  }).toPass();
  const { email } = newPerson();
  await button.click();
  await logInThere(page, email);
  await account(page, email);
});

test('while the provider is away people log in with their passwords', async ({ page, withProvider }) => {
  const { program, provider } = await withProvider();
  const person = await program.createUser();
  await provider.stop();
  for (let round = 0; round < 2; round += 1) {
    await page.context().clearCookies();
    await logIn(page, person, `${program.origin}/login`);
    await account(page, person.email);
    // The second time the program has cached that the provider is unreachable.
    await program.stop();
    await program.start();
  }
});

test('a provider may stop while somebody is on the way', async ({ page, withProvider }) => {
  const { program, provider } = await withProvider();
  const { email } = newPerson();
  provider.stopAt('/token');
  await page.goto(`${program.origin}/login`);
  await continueWith(page, provider.name);
  await logInThere(page, email);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Try again soon');
  await expect(page.getByText(/^Reference: [0-9a-f]{32} \(provider_unreachable\)$/)).toBeVisible();
  // The failed token request marks the provider as unreachable, before the next refresh.
  const button = page.getByRole('link', { name: `Continue with ${provider.name}` });
  await expect(async () => {
    await page.goto(`${program.origin}/login`);
    await check(button).toHaveAttribute('aria-disabled', 'true', { timeout: 100 });
  }).toPass();

  await provider.listen();
  await expect(async () => {
    await page.goto(`${program.origin}/login`);
    await check(button).not.toHaveAttribute('aria-disabled', { timeout: 100 });
  }).toPass();
  await button.click();
  await account(page, email);
});

test('an address that the provider does not confirm is proven once with the password', async ({ page, withProvider }) => {
  const { program, provider } = await withProvider({ confirmsAddresses: false });
  const person = await program.createUser();
  await page.goto(`${program.origin}/login`);
  await continueWith(page, provider.name);
  await logInThere(page, person.email);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('An account with this address exists');
  await touchForm(page);
  await password(page).fill('not the password');
  expect((await press(page, 'Connect and log in')).status()).toBe(401);
  await expect(page.getByRole('alert')).toContainText('do not match');
  await expect(password(page)).toHaveValue('');
  await password(page).fill(person.password);
  await press(page, 'Connect and log in');
  await account(page, person.email);

  await page.context().clearCookies();
  await page.goto(`${program.origin}/login`);
  await continueWith(page, provider.name);
  await logInThere(page, person.email);
  await account(page, person.email);
});
