import type { Page } from '@playwright/test';
import { logIn, openForm, send } from './actions';
import { newPerson, type Program } from './program';

interface Installations {
  program: Program;
  freshProgram: (settings?: string) => Promise<Program>;
}

/** Every page a person can meet, by name: the way there. The audits and the screenshots walk through all of them. */
export const pages: Record<string, (page: Page, installations: Installations) => Promise<unknown>> = {
  'login': page => openForm(page, '/login'),
  'login with everything offered': async (page, { freshProgram }) => openForm(page, `${(await freshProgram(everythingOffered)).origin}/login`),
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
  'not found': page => page.goto('/nowhere'),
};

/** Statuses of the documents and fetches on the way. */
export const provokedStatuses = [401, 404, 409, 410, 422];

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
