import { expect, test } from '../support/test';

test('a button that needs script is not shown without it', async ({ page }) => {
  await page.goto('/login');
  await expect(page.getByRole('button', { name: 'Log in', exact: true })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Show password' })).toBeHidden();
});
