import { email, logIn, openForm, password, press, send } from '../support/actions';
import { newPerson } from '../support/program';
import { expect, test } from '../support/test';

const CREATE = 'Create administrator';

// A page without a valid link is an error response, and so is a failed login.
test.use({ provokedStatuses: [401, 409, 410, 422] });

test('the printed link makes the first administrator and logs in', async ({ page, freshProgram }) => {
  const program = await freshProgram();
  const person = newPerson();
  await openForm(page, await program.setupLink());
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Set up the first administrator');
  await expect(password(page)).toHaveAttribute('autocomplete', 'new-password');
  await send(page, person, CREATE);
  await expect(page).toHaveURL(`${program.origin}/account`);
  await expect(page.getByText(person.email)).toBeVisible();

  await press(page, 'Log out');
  await expect(page.getByRole('status')).toBeVisible();
  await logIn(page, person, `${program.origin}/login`);
  await expect(page).toHaveURL(`${program.origin}/account`);
});

test('the link works once', async ({ page, context, freshProgram }) => {
  const program = await freshProgram();
  const link = await program.setupLink();
  await openForm(page, link);
  await send(page, newPerson(), CREATE);
  await expect(page).toHaveURL(`${program.origin}/account`);
  await context.clearCookies();
  for (const address of [link, `${program.origin}/setup`]) {
    await page.goto(address);
    await expect(page.getByRole('main')).toContainText('The first administrator is set up already.');
    await expect(page.getByRole('button', { name: CREATE })).toHaveCount(0);
  }
});

test('two people with the link: the second is told that it is done', async ({ page, context, freshProgram }) => {
  const program = await freshProgram();
  const link = await program.setupLink();
  const second = await context.newPage();
  await openForm(page, link);
  await openForm(second, link);
  await send(page, newPerson(), CREATE);
  await expect(page).toHaveURL(`${program.origin}/account`);
  const answer = await send(second, newPerson(), CREATE);
  expect(answer.status()).toBe(409);
  await expect(second.getByText('The first administrator is set up already.')).toBeVisible();
});

test('a password that is easy to guess is named beside its field and the link still works', async ({ page, freshProgram }) => {
  const program = await freshProgram();
  const person = newPerson();
  await openForm(page, await program.setupLink());
  const answer = await send(page, { ...person, password: 'passwordpassword' }, CREATE);
  expect(answer.status()).toBe(422);
  await expect(password(page)).toHaveAttribute('aria-invalid', 'true');
  await expect(password(page)).toHaveAccessibleDescription(/easy to guess/);
  await expect(password(page)).toHaveValue('');
  await expect(email(page)).toHaveValue(person.email);
  await password(page).fill(person.password);
  await press(page, CREATE);
  await expect(page).toHaveURL(`${program.origin}/account`);
});

for (const [what, query] of [['no token', ''], ['a wrong token', '?token=wrong']] as const) {
  test(`with ${what} the page says how to get a link`, async ({ page, freshProgram }) => {
    const program = await freshProgram();
    const answer = await page.goto(`${program.origin}/setup${query}`);
    expect(answer?.status()).toBe(410);
    await expect(page.getByRole('main')).toContainText(/restart the program/i);
    await expect(page.getByRole('button', { name: CREATE })).toHaveCount(0);
  });
}

test('an installation with users has no setup', async ({ page }) => {
  await page.goto('/setup');
  await expect(page.getByRole('main')).toContainText('The first administrator is set up already.');
});
