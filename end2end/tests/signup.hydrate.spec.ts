import { openForm, password } from '../support/actions';
import { expect, test } from '../support/test';

test('while a new password is typed, the page says what is certain about it', async ({ page }) => {
  await openForm(page, '/login/signup');
  const hint = page.locator('#password-strength');
  await expect(hint).toBeEmpty();
  for (const [typed, said] of [
    ['violet', '6 more characters.'],
    ['violet kett', 'One more character.'],
    ['aaaaaaaaaaaaaa', 'Use more different characters.'],
    ['violet kettle harbour', 'Long enough.'],
  ] as const) {
    await password(page).fill(typed);
    await expect(hint).toHaveText(said);
  }
});

test('a password that the account has is not judged', async ({ page }) => {
  await openForm(page, '/login');
  await password(page).fill('short');
  await expect(page.locator('#password-strength')).toBeEmpty();
});
