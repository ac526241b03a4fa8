import { logIn, openForm, press, send } from '../support/actions';
import { expect, test } from '../support/test';

test('a person who waits for approval is told who approves', async ({ page, program }) => {
  await logIn(page, await program.createUser('--pending'));
  await expect(page).toHaveURL('/login/verify');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Waiting for approval');
  await expect(page.getByRole('main')).toContainText(/administrator/i);
});

test('a person who waits can log out', async ({ page, program }) => {
  await logIn(page, await program.createUser('--pending'));
  await press(page, 'Log out');
  await expect(page.getByRole('status')).toHaveText('You are logged out.');
});

test('that an account waits is a secret to whoever does not know its password', async ({ page, program }) => {
  const person = await program.createUser('--pending');
  await openForm(page, '/login');
  await send(page, { ...person, password: 'wrong' }, 'Log in');
  await expect(page.getByRole('alert')).toHaveText('That e-mail and password do not match. Check both and try again.');
});
