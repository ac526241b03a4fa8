import type { Page } from '@playwright/test';
import { email, logIn, openForm, password, press, send, touchForm } from '../support/actions';
import { linkIn } from '../support/mail-server';
import { longAddress } from '../support/pages';
import { newPerson, type Program } from '../support/program';
import { expect, test } from '../support/test';

// Actions of administrators; these pages need no script.

test.use({ provokedStatuses: [401, 403, 404, 409, 422] });

const NEW_PASSWORD = 'copper lantern meadow 4';

/** Logs an administrator in and opens the list. */
async function openUsers(page: Page, program: Program): Promise<void> {
  await logIn(page, await program.createUser('--admin'), `${program.origin}/login`);
  await page.getByRole('link', { name: /^Users/ }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Users');
}

/** Performs an action on a user, through the confirmation page. */
async function change(page: Page, program: Program, address: string, action: string): Promise<void> {
  await page.goto(`${program.origin}/users?q=${encodeURIComponent(address)}`);
  await page.getByRole('link', { name: address }).click();
  await page.getByRole('link', { name: action, exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`${action}?`);
  await press(page, action);
}

test('somebody who waits is seen in the menu, approved, and let in', async ({ page, browser, freshProgram }) => {
  const program = await freshProgram();
  const person = await program.createUser('--pending');
  const theirs = await browser.newPage();
  await logIn(theirs, person, `${program.origin}/login`);
  await expect(theirs.getByRole('heading', { level: 1 })).toHaveText('Waiting for approval');
  await openUsers(page, program);
  await expect(page.getByRole('navigation', { name: 'Menu' })).toContainText('1 waiting');
  await page.getByRole('link', { name: 'One account waits for approval' }).click();
  await press(page, `Approve ${person.email}`);
  await expect(page.getByRole('status')).toHaveText('The account is approved.');
  await expect(page.getByRole('navigation', { name: 'Menu' })).not.toContainText('waiting');
  await theirs.getByRole('link', { name: 'Check again' }).click();
  await expect(theirs).toHaveURL(`${program.origin}/account`);
  await theirs.close();
});

test('the list is searched and filtered', async ({ page, freshProgram }) => {
  const program = await freshProgram();
  const [member, waiting] = [await program.createUser(), await program.createUser('--pending')];
  await openUsers(page, program);
  await expect(page.getByRole('row')).toHaveCount(4);
  await page.getByLabel('E-mail contains').fill(member.email.slice(0, 14).toUpperCase());
  await page.getByRole('button', { name: 'Search' }).click();
  await expect(page.getByRole('rowheader')).toHaveText([member.email]);
  await page.getByLabel('E-mail contains').fill('');
  await page.getByLabel('Show').selectOption('Waiting for approval');
  await page.getByRole('button', { name: 'Search' }).click();
  await expect(page.getByRole('rowheader')).toHaveText([waiting.email]);
});

test('one long address takes no other column out of sight', async ({ page, freshProgram }) => {
  const program = await freshProgram();
  await program.run(['user', 'create', longAddress, '--pending'], `${newPerson().password}\n`);
  await openUsers(page, program);
  for (const width of [320, 768, 900, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    const overflow = await page.locator('.scroll').evaluate(table => table.scrollWidth - table.clientWidth);
    expect(overflow, `${width} px`).toBeLessThanOrEqual(0);
    const button = await page.getByRole('button', { name: `Approve ${longAddress}` }).boundingBox();
    expect((button?.x ?? 0) + (button?.width ?? width), `${width} px`).toBeLessThan(width);
    for (const time of await page.locator('td time').all()) {
      expect((await time.boundingBox())?.height, 'one line').toBeLessThan(40);
    }
  }
});

test('somebody who is disabled is out at once, and back when enabled', async ({ page, browser, freshProgram }) => {
  const program = await freshProgram();
  const person = await program.createUser();
  const theirs = await browser.newPage();
  await logIn(theirs, person, `${program.origin}/login`);
  await openUsers(page, program);
  await change(page, program, person.email, 'Disable');
  await expect(page.getByRole('status')).toHaveText('Saved.');
  await theirs.goto(`${program.origin}/account`);
  await touchForm(theirs);
  await send(theirs, person, 'Log in');
  await expect(theirs.getByRole('alert')).toContainText('do not match');
  await change(page, program, person.email, 'Enable');
  await logIn(theirs, person, `${program.origin}/login`);
  await expect(theirs).toHaveURL(`${program.origin}/account`);
  await theirs.close();
});

test('a link that is handed over is shown once and sets a password once', async ({ page, browser, freshProgram }) => {
  const program = await freshProgram();
  const person = await program.createUser();
  await openUsers(page, program);
  await change(page, program, person.email, 'Make a link for a new password');
  await expect(page).toHaveURL(`${program.origin}/users/link`);
  const link = await page.locator('pre').innerText();
  await page.reload();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Page not found');
  const theirs = await browser.newPage();
  await openForm(theirs, link);
  await password(theirs).fill(NEW_PASSWORD);
  await press(theirs, 'Set password');
  await expect(theirs.getByRole('status')).toContainText('Log in with the new one.');
  await theirs.goto(link);
  await expect(theirs.getByText('This link is not valid any more')).toBeVisible();
  await logIn(theirs, { ...person, password: NEW_PASSWORD }, `${program.origin}/login`);
  await theirs.close();
});

test('somebody who is created chooses a password with the mailed link', async ({ page, browser, withMail }) => {
  const { program, mail } = await withMail();
  const person = { ...newPerson(), password: NEW_PASSWORD };
  await openUsers(page, program);
  await page.getByRole('link', { name: 'Create a user' }).click();
  await email(page).fill(person.email);
  await press(page, 'Create user');
  await expect(page.getByRole('status')).toContainText('A mail with a link for the first password is on its way.');
  const theirs = await browser.newPage();
  await openForm(theirs, linkIn(await mail.mailTo(person.email, /Your account at/)));
  await expect(email(theirs)).toHaveValue(person.email);
  await password(theirs).fill(person.password);
  await press(theirs, 'Set password');
  await expect(theirs.getByRole('status')).toContainText('Log in with the new one.');
  await logIn(theirs, person, `${program.origin}/login`);
  await expect(theirs).toHaveURL(`${program.origin}/account`);
  await theirs.close();
  await page.goto(`${program.origin}/users/new`);
  await email(page).fill(person.email);
  expect((await press(page, 'Create user')).status()).toBe(409);
  await expect(page.getByText('There is an account with this e-mail address already.')).toBeVisible();
});

test('the last administrator stays one', async ({ page, freshProgram }) => {
  const program = await freshProgram();
  const boss = await program.createUser('--admin');
  await logIn(page, boss, `${program.origin}/login`);
  for (const action of ['Make member', 'Disable', 'Delete']) {
    await change(page, program, boss.email, action);
    await expect(page.getByRole('alert')).toContainText('This is the last active administrator.');
  }
});

test('why could she not log in last night?', async ({ page, browser, freshProgram }) => {
  const program = await freshProgram();
  const person = await program.createUser();
  const theirs = await browser.newPage();
  await openForm(theirs, `${program.origin}/login`);
  await send(theirs, { ...person, password: 'not hers at all' }, 'Log in');
  await expect(theirs.getByRole('alert')).toContainText('do not match');
  await theirs.close();
  await openUsers(page, program);
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  await page.getByLabel('E-mail', { exact: true }).fill(person.email);
  await page.getByLabel('What', { exact: true }).selectOption('A login failed');
  await page.getByRole('button', { name: 'Search' }).click();
  const row = page.getByRole('row').nth(1);
  await expect(row).toContainText('A login failed');
  await expect(row).toContainText(person.email);
  const reference = (await row.getByRole('cell').last().innerText()).trim();
  expect(reference).toMatch(/^[0-9a-f]{32}$/);
  await page.goto(`${program.origin}/users/events?reference=${reference}`);
  await expect(page.getByRole('row')).toHaveCount(2);
});

test('the pages for administrators are for nobody else', async ({ page, program }) => {
  await logIn(page, await program.createUser());
  for (const path of ['/users', '/users/events', '/users/new']) {
    expect((await page.goto(path))?.status()).toBe(403);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Something went wrong');
  }
  await expect(page.getByRole('navigation', { name: 'Menu' })).not.toContainText('Users');
});
