import type { Page } from '@playwright/test';
import { logIn, openForm, password, press, send, touchForm } from './actions';
import { newPerson, type Program, type User } from './program';
import { linkIn, type MailServer } from './mail-server';
import type { ProviderOptions, TestProvider } from './provider';
import { continueWith, logInThere } from './provider-actions';

interface Installations {
  program: Program;
  freshProgram: (settings?: string) => Promise<Program>;
  withProvider: (options?: ProviderOptions) => Promise<{ program: Program; provider: TestProvider }>;
  withMail: () => Promise<{ program: Program; mail: MailServer }>;
}

/** Every page a person can meet, by name: the way there. The audits and the screenshots walk through all of them. */
export const pages: Record<string, (page: Page, installations: Installations) => Promise<unknown>> = {
  'login': page => openForm(page, '/login'),
  'login with a provider': async (page, { withProvider }) => openForm(page, `${(await withProvider()).program.origin}/login`),
  'login with a provider that is away': async (page, { freshProgram }) => {
    const { origin } = await freshProgram(everythingOffered);
    // The first visitor finds out.
    await page.goto(`${origin}/login/oidc`);
    await openForm(page, `${origin}/login`);
    await page.locator('a[aria-disabled=true]').waitFor();
  },
  'provider that is away': async (page, { freshProgram }) => page.goto(`${(await freshProgram(everythingOffered)).origin}/login/oidc`),
  'refused at the provider': async (page, { withProvider }) => {
    const { program, provider } = await withProvider();
    await page.goto(`${program.origin}/login`);
    await continueWith(page, provider.name);
    await page.getByRole('link', { name: 'Cancel' }).click();
    await page.getByText('Reference:').waitFor();
  },
  'connect': async (page, { withProvider }) => {
    const { program, provider } = await withProvider({ confirmsAddresses: false });
    const person = await program.createUser();
    await page.goto(`${program.origin}/login`);
    await continueWith(page, provider.name);
    await logInThere(page, person.email);
    await touchForm(page);
  },
  'login after logging out of a provider\'s session': async (page, { withProvider }) => {
    const { program, provider } = await withProvider();
    await page.goto(`${program.origin}/login`);
    await continueWith(page, provider.name);
    await logInThere(page, newPerson().email);
    await press(page, 'Log out');
    await page.getByRole('link', { name: 'Also log out' }).waitFor();
  },
  'login with a wrong password': async page => {
    await openForm(page, '/login');
    await send(page, newPerson(), 'Log in');
    await page.getByRole('alert').waitFor();
  },
  'login with a malformed address': async page => {
    await openForm(page, '/login');
    await send(page, { ...newPerson(), email: `${'a'.repeat(309)}@example.org` }, 'Log in');
    await page.locator('[aria-invalid=true]').waitFor();
  },
  'login after logging out': async (page, { program }) => {
    await logIn(page, await program.createUser());
    await press(page, 'Log out');
    await page.getByRole('status').waitFor();
    await touchForm(page);
  },
  'waiting for approval': async (page, { program }) => logIn(page, await program.createUser('--pending')),
  'account': async (page, { program }) => logIn(page, await program.createUser()),
  'account of an administrator': async (page, { program }) => logIn(page, await program.createUser('--admin')),
  'account in two browsers': async (page, { program }) => {
    const person = await program.createUser();
    await elsewhere(program, person);
    await logIn(page, person);
  },
  'change password': async (page, { program }) => {
    await logIn(page, await program.createUser());
    await openForm(page, '/account/password');
  },
  'change password to an easy one': async (page, { program }) => {
    await logIn(page, await program.createUser());
    await openForm(page, '/account/password');
    await password(page).fill('passwordpassword');
    await press(page, 'Change password');
    await page.locator('[aria-invalid=true]').waitFor();
  },
  'log in again': async (page, { program }) => {
    await logIn(page, await program.createUser());
    await openForm(page, '/account/log-in-again?return_to=/account/password');
  },
  'log in again without a password': async (page, { withProvider }) => {
    const { program, provider } = await withProvider();
    await logInAtProvider(page, program, provider.name);
    await page.goto(`${program.origin}/account/log-in-again`);
  },
  'change e-mail': async (page, { withMail }) => {
    const { program } = await withMail();
    await logIn(page, await program.createUser(), `${program.origin}/login`);
    await page.goto(`${program.origin}/account/address`);
  },
  'change e-mail without mail': async (page, { program }) => {
    await logIn(page, await program.createUser());
    await page.goto('/account/address');
  },
  'confirm the new address': async (page, { program }) => {
    await logIn(page, await program.createUser());
    await page.goto('/account/new-address?token=x&address=ada%40example.org');
  },
  'delete account': async (page, { program }) => {
    await logIn(page, await program.createUser());
    await page.goto('/account/delete');
  },
  'account with a provider': async (page, { withProvider }) => {
    const { program, provider } = await withProvider();
    await logInAtProvider(page, program, provider.name);
  },
  'connect a provider': async (page, { withProvider }) => {
    const { program } = await withProvider();
    await logIn(page, await program.createUser(), `${program.origin}/login`);
    await page.goto(`${program.origin}/account/connect`);
  },
  'disconnect a provider': async (page, { withProvider }) => {
    const { program, provider } = await withProvider();
    await logInAtProvider(page, program, provider.name);
    await page.getByRole('link', { name: `Disconnect ${provider.name}` }).click();
    await page.getByRole('button', { name: `Disconnect ${provider.name}` }).waitFor();
  },
  'users': async (page, { freshProgram }) => administrator(page, await freshProgram(), '/users'),
  'users, one with a long address': async (page, { freshProgram }) => {
    const program = await freshProgram();
    await program.run(['user', 'create', longAddress, '--pending'], `${newPerson().password}\n`);
    await administrator(page, program, '/users?which=pending');
  },
  'users, none of whom matches': async (page, { freshProgram }) => administrator(page, await freshProgram(), '/users?q=nobody'),
  'user': async (page, { freshProgram }) => {
    await administrator(page, await freshProgram(), '/users?which=pending');
    await page.getByRole('rowheader').getByRole('link').first().click();
    await page.getByRole('heading', { name: 'Actions' }).waitFor();
  },
  'disable a user': async (page, { freshProgram }) => toUser(page, await freshProgram(), 'Disable'),
  'make a link': async (page, { freshProgram }) => {
    await toUser(page, await freshProgram(), 'Make a link for a new password');
    await press(page, 'Make a link for a new password');
    await page.getByRole('heading', { name: 'One-time link' }).waitFor();
  },
  'change a user\'s e-mail': async (page, { freshProgram }) => toUser(page, await freshProgram(), 'Change e-mail'),
  'create a user': async (page, { freshProgram }) => administrator(page, await freshProgram(), '/users/new'),
  'how everything stands': async (page, { freshProgram }) => administrator(page, await freshProgram(everythingOffered), '/users/check'),
  'events': async (page, { freshProgram }) => administrator(page, await freshProgram(), '/users/events'),
  'users for somebody who is no administrator': async (page, { program }) => {
    await logIn(page, await program.createUser());
    await page.goto('/users');
  },
  'logout': page => page.goto('/logout'),
  'setup': async (page, { freshProgram }) => openForm(page, await (await freshProgram()).setupLink()),
  'setup with an easy password': async (page, { freshProgram }) => {
    await openForm(page, await (await freshProgram()).setupLink());
    await send(page, { ...newPerson(), password: 'passwordpassword' }, 'Create administrator');
    await page.locator('[aria-invalid=true]').waitFor();
  },
  'setup without a link': async (page, { freshProgram }) => page.goto(`${(await freshProgram()).origin}/setup`),
  'setup that is done': page => page.goto('/setup'),
  'signup': page => openForm(page, '/login/signup'),
  'signup with an easy password': async page => {
    await openForm(page, '/login/signup');
    await send(page, { ...newPerson(), password: 'passwordpassword' }, 'Create account');
    await page.locator('[aria-invalid=true]').waitFor();
  },
  'signup that is closed': async (page, { freshProgram }) => page.goto(`${(await freshProgram('[policy]\nregistration = false')).origin}/login/signup`),
  'login after signing up': async (page, { withMail }) => {
    const { program } = await withMail();
    await openForm(page, `${program.origin}/login/signup`);
    await send(page, newPerson(), 'Create account');
    await page.getByRole('status').waitFor();
  },
  'login with resets': async (page, { withMail }) => openForm(page, `${(await withMail()).program.origin}/login`),
  'login after asking for a reset': async (page, { withMail }) => {
    const { program } = await withMail();
    await page.goto(`${program.origin}/login/forgot-password`);
    await page.getByLabel('E-mail', { exact: true }).fill(newPerson().email);
    await press(page, 'Send link');
    await page.getByRole('status').waitFor();
  },
  'form of a session that has ended': async (page, { program }) => {
    await logIn(page, await program.createUser());
    await page.goto('/account/delete');
    await page.context().clearCookies();
    await page.getByRole('button', { name: 'Delete my account' }).click();
    await page.getByRole('link', { name: 'Log in again' }).waitFor();
  },
  'forgot password': async (page, { withMail }) => page.goto(`${(await withMail()).program.origin}/login/forgot-password`),
  'forgot password without mail': page => page.goto('/login/forgot-password'),
  'reset password': async (page, { withMail }) => {
    const { program, mail } = await withMail();
    const person = await program.createUser();
    await page.goto(`${program.origin}/login/forgot-password`);
    await page.getByLabel('E-mail', { exact: true }).fill(person.email);
    await press(page, 'Send link');
    await openForm(page, linkIn(await mail.mailTo(person.email, /New password/)));
  },
  'reset password without a link': page => page.goto('/login/reset-password'),
  'waiting for approval, with mail': async (page, { withMail }) => {
    const { program } = await withMail();
    await signUp(page, program);
    await page.getByRole('button', { name: 'Send the mail again' }).waitFor();
  },
  'confirm the address, which was approved first': async (page, { withMail }) => {
    const { program } = await withMail();
    const person = await signUp(page, program);
    await program.run(['user', 'approve', person.email]);
    await page.goto(`${program.origin}/account`);
    await page.getByRole('link', { name: 'Confirm it' }).click();
    await page.getByRole('button', { name: 'Send the mail' }).waitFor();
  },
  'confirm the address': async (page, { program }) => {
    await logIn(page, await program.createUser());
    await page.goto('/account/confirm?token=x');
  },
  'not found': page => page.goto('/nowhere'),
};

/** Where each page that is one is shown: by which of the visits above. `tests/it/tidy/browser_pages.rs` compares it with the program's
 * pages, and the tests of every page compare it with the address. */
export const shownBy: Record<string, string> = {
  '/login': 'login',
  '/login/signup': 'signup',
  '/login/forgot-password': 'forgot password',
  '/login/reset-password': 'reset password',
  '/login/provider': 'provider that is away',
  '/login/connect': 'connect',
  '/login/verify': 'waiting for approval',
  '/logout': 'logout',
  '/setup': 'setup',
  '/account': 'account',
  '/account/confirm': 'confirm the address',
  '/account/address': 'change e-mail',
  '/account/new-address': 'confirm the new address',
  '/account/password': 'change password',
  '/account/connect': 'connect a provider',
  '/account/disconnect': 'disconnect a provider',
  '/account/delete': 'delete account',
  '/account/log-in-again': 'log in again',
  '/users': 'users',
  '/users/{id}': 'user',
  '/users/new': 'create a user',
  '/users/change': 'disable a user',
  '/users/address': 'change a user\'s e-mail',
  '/users/link': 'make a link',
  '/users/events': 'events',
  '/users/check': 'how everything stands',
};

/** The address of the page that this visit shows, if `shownBy` names it. */
export function addressOf(visit: string): RegExp | undefined {
  const path = Object.entries(shownBy).find(([, by]) => by === visit)?.[0];
  return path === undefined ? undefined : new RegExp(`^[^/]+//[^/]+${path.replace('{id}', '[^/?]+')}(\\?.*)?$`);
}

/** As long as an address may be; one word in the eyes of a browser. */
export const longAddress = `${'a'.repeat(64)}@${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(59)}.example`;

/** Makes an account that waits, and logs in to it. */
async function signUp(page: Page, program: Program): Promise<User> {
  const person = newPerson();
  await openForm(page, `${program.origin}/login/signup`);
  await send(page, person, 'Create account');
  await page.getByRole('status').waitFor();
  await logIn(page, person, `${program.origin}/login`);
  return person;
}

/** Logs the same person in in another browser. */
async function elsewhere(program: Program, person: User): Promise<void> {
  const body = new URLSearchParams({ username: person.email, password: person.password });
  await fetch(`${program.origin}/api/v1/auth/cookie/login`, { method: 'POST', body, headers: { 'user-agent': 'Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.5) SamsungBrowser/4.0' } });
}

async function logInAtProvider(page: Page, program: Program, name: string): Promise<void> {
  await page.goto(`${program.origin}/login`);
  await continueWith(page, name);
  await logInThere(page, newPerson().email);
  await page.waitForURL(/\/account/);
}

/** Opens a page as the administrator of a small household. */
async function administrator(page: Page, program: Program, address: string): Promise<void> {
  const person = await program.createUser('--admin');
  await program.createUser();
  await elsewhere(program, await program.createUser('--pending'));
  await logIn(page, person, `${program.origin}/login`);
  await page.goto(`${program.origin}${address}`);
}

/** Opens what can be done to somebody who waits. */
async function toUser(page: Page, program: Program, action: string): Promise<void> {
  await administrator(page, program, '/users?which=pending');
  await page.getByRole('rowheader').getByRole('link').first().click();
  await page.getByRole('link', { name: action }).click();
  await page.getByRole('heading', { level: 1, name: action }).waitFor();
}

/** Statuses of the documents and fetches on the way. */
export const provokedStatuses = [401, 403, 404, 409, 410, 422, 503];

/** Settings of an installation whose login page offers everything there is. */
export const everythingOffered = `
[auth]
email_password_resets = true

[auth.openid_connect]
enabled = true
client_id = "mediamanager"
client_secret = "not-a-real-secret"
configuration_endpoint = "https://localhost:9/.well-known/openid-configuration"
name = "Authentik"

[notifications.smtp_config]
smtp_host = "localhost"
smtp_port = 9
smtp_user = "mail"
smtp_password = "not-a-real-secret"
from_email = "mediamanager@example.org"
use_tls = false
`;
