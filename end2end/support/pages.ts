import type { Page } from '@playwright/test';
import { logIn, openForm, press, send, touchForm } from './actions';
import { newPerson, type Program } from './program';
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
    await send(page, { ...newPerson(), email: `${'a'.repeat(65)}@example.org` }, 'Log in');
    await page.locator('[aria-invalid=true]').waitFor();
  },
  'login after logging out': page => openForm(page, '/login?notice=logged_out'),
  'waiting for approval': async (page, { program }) => logIn(page, await program.createUser('--waiting')),
  'account': async (page, { program }) => logIn(page, await program.createUser()),
  'account of an administrator': async (page, { program }) => logIn(page, await program.createUser('--admin')),
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
  'login after signing up': page => openForm(page, '/login?notice=signed_up'),
  'login with resets': async (page, { withMail }) => openForm(page, `${(await withMail()).program.origin}/login`),
  'login after asking for a reset': page => openForm(page, '/login?notice=reset_requested'),
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
    const person = newPerson();
    await openForm(page, `${program.origin}/login/signup`);
    await send(page, person, 'Create account');
    await page.getByRole('status').waitFor();
    await logIn(page, person, `${program.origin}/login`);
    await page.getByRole('button', { name: 'Send the mail again' }).waitFor();
  },
  'confirm the address': async (page, { program }) => {
    await logIn(page, await program.createUser());
    await page.goto('/account/confirm?token=x');
  },
  'not found': page => page.goto('/nowhere'),
};

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
